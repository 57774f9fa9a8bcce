"""Deployments: what they would change, and what the engine means when it refuses one."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Literal

from bpmn.document import read_document, walk
from bpmn.errors import EngineError, EngineFault, EngineRefused, ModelRefused, ModelUnreadable

__all__ = ["ResourceState", "compare", "explain_refusal"]

ResourceState = Literal["new", "unchanged", "replaced"]

# What a file says that the engine cannot read. Not the codes of its database, ENGINE-03…: that is a failure.
_REFUSAL = re.compile(r"ENGINE-(?!03)\d{5}\b|definitions with the same key")
_QUOTED = re.compile(r"'([^']*)'")


def compare(deployed: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> dict[str, ResourceState]:
    """Return the state of every wanted file against the last deployment of the same name."""
    return {name: _compare_resource(deployed.get(name), content) for name, content in wanted.items()}


def _compare_resource(before: bytes | None, now: bytes) -> ResourceState:
    if before is None:
        return "new"
    return "unchanged" if before == now else "replaced"


def explain_refusal(error: EngineError, name: str, resources: Mapping[str, bytes]) -> ModelRefused | None:
    """Return a refusal of a deployment as `ModelRefused` that names the files; None for any other error.

    The engine tells most of what it cannot read as a failure of its own, without the file.
    """
    if isinstance(error, ModelRefused):
        problems = error.problems if error.problems != (error.message,) else ()
    elif isinstance(error, EngineFault | EngineRefused) and _REFUSAL.search(error.message):
        problems = ()
    else:
        return None
    refused = ModelRefused(
        f"the engine refuses the deployment {name!r}",
        message=error.message, status=error.status, kind=error.kind, code=error.code,
    )  # fmt: skip
    refused.problems = problems or tuple(_find_places(error.message, resources))
    return refused


def _find_places(message: str, resources: Mapping[str, bytes]) -> Iterator[str]:
    """Yield where in which files the words stand that the engine quotes."""
    quoted = {text for text in _QUOTED.findall(message) if text not in resources}
    for name, content in resources.items():
        for place in dict.fromkeys(_find_places_in(name, content, quoted)):
            yield f"{name}: {place}"


def _find_places_in(name: str, content: bytes, quoted: set[str]) -> Iterator[str]:
    if name.endswith(".form"):
        try:
            form = json.loads(content)
        except ValueError:
            return
        if isinstance(form, dict) and str(form.get("id") or "") in quoted:
            yield f"form {form['id']!r}" if form.get("id") else "a form without an id"
        return
    try:
        root = read_document(content, name)
    except ModelUnreadable:
        return
    for element, owner in walk(root):
        if element.get("id") in quoted or (element.text or "").strip() in quoted - {""}:
            yield f"element {owner!r}"
