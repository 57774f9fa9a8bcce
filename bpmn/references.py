"""What a model refers to outside of itself: forms, decisions, other processes, and files of its deployment."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bpmn.document import BPMN, EXTENSIONS, read_extension, walk

__all__ = ["Kind", "Reference", "find_references"]

Kind = Literal["form", "decision", "process", "file"]

# As the prefixes of form keys and of scripts spell "a file of the same deployment".
_FORM_FILES = ("camunda-forms:deployment:", "operaton-forms:deployment:", "embedded:deployment:")
_SCRIPT_FILE = "deployment://"


@dataclass(frozen=True, slots=True)
class Reference:
    """Something that an element needs; `name` is an id or a key, and of a file its name in the deployment."""

    kind: Kind
    name: str
    element_id: str
    binding: str = "latest"

    @property
    def is_bound(self) -> bool:
        """Whether it must stand in the deployment of the model itself."""
        return self.binding == "deployment"

    def __str__(self) -> str:
        return f"{self.element_id!r} refers to the {self.kind} {self.name!r}"


def find_references(root: ElementTree.Element) -> list[Reference]:
    """Return every reference of a model. Expressions are left out: only the engine knows what they will say."""
    found: list[Reference] = []
    for process in root.iter(f"{BPMN}process"):
        for element, owner in walk(process, process.get("id", "")):
            found += _of_element(element, owner)
    known = [reference for reference in found if reference.name and not _is_expression(reference.name)]
    return list(dict.fromkeys(known))


def _of_element(element: ElementTree.Element, owner: str) -> Iterator[Reference]:
    if element.tag in {f"{BPMN}userTask", f"{BPMN}startEvent"}:
        if form := read_extension(element, "formRef"):
            yield Reference("form", form, owner, read_extension(element, "formRefBinding") or "latest")
        key = read_extension(element, "formKey") or ""
        for prefix in _FORM_FILES:
            if key.startswith(prefix):
                yield Reference("file", key.removeprefix(prefix), owner, "deployment")
    elif element.tag == f"{BPMN}businessRuleTask":
        if decision := read_extension(element, "decisionRef"):
            yield Reference("decision", decision, owner, read_extension(element, "decisionRefBinding") or "latest")
    elif element.tag == f"{BPMN}callActivity" and (called := element.get("calledElement")):
        yield Reference("process", called, owner, read_extension(element, "calledElementBinding") or "latest")
    script = read_extension(element, "resource") or (element.get("resource") if _is_script(element) else None)
    if script and script.startswith(_SCRIPT_FILE):
        yield Reference("file", script.removeprefix(_SCRIPT_FILE), owner, "deployment")


def _is_script(element: ElementTree.Element) -> bool:
    return element.tag in {f"{namespace}script" for namespace in EXTENSIONS}


def _is_expression(text: str) -> bool:
    return "${" in text or "#{" in text
