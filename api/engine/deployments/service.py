"""Deployments: what comes in, what it would change, and what the engine made of it."""

from collections.abc import Mapping

from api.kit.problems import ProblemError
from bpmn.deployment import compare
from bpmn.document import read_document
from bpmn.engine.client import EngineClient
from bpmn.engine.types import ProcessDefinition
from bpmn.errors import ModelUnreadable
from bpmn.references import find_references
from bpmn.resources import SUFFIXES, is_model
from contracts.engine.schemas import DefinitionOut, DeploymentOut, ResourceOut

__all__ = ["MAX_FILES", "Deployments", "check_file_name", "check_kinds", "to_definition_out"]

SOURCE = "baton"
MAX_FILES = 100


class Deployments:
    """Deployments of one engine, by name."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    async def create(self, name: str, resources: Mapping[str, bytes]) -> DeploymentOut:
        """Deploy the files as one set, unless the last deployment of this name holds exactly them."""
        last_id, before = await self._find_last(name)
        states = compare(before, resources)
        listing = [ResourceOut(name=file, state=state) for file, state in states.items()]
        if last_id is not None and before == dict(resources):
            return DeploymentOut(id=last_id, name=name, definitions=[], resources=listing)
        # The whole set, also when one file changed: a task finds its form in the deployment of its model.
        made = await self._engine.deploy(name, resources, source=SOURCE)
        definitions = [to_definition_out(definition) for definition in made.definitions]
        return DeploymentOut(id=made.id, name=made.name, definitions=definitions, resources=listing)

    async def _find_last(self, name: str) -> tuple[str | None, dict[str, bytes]]:
        query: dict[str, str | int] = {
            "name": name, "source": SOURCE, "sortBy": "deploymentTime", "sortOrder": "desc", "maxResults": 1,
        }  # fmt: skip
        found = await self._engine.request("GET", "/deployment", params=query)
        if not found:
            return None, {}
        deployment_id = str(found[0]["id"])
        listing = await self._engine.request("GET", f"/deployment/{deployment_id}/resources")
        return deployment_id, {
            str(entry["name"]): await self._engine.request_bytes(
                "GET", f"/deployment/{deployment_id}/resources/{entry['id']}/data"
            )
            for entry in listing
        }


def check_file_name(name: str | None) -> str:
    """Return a name that the engine may use; it may have folders. Raises `ProblemError` 422."""
    if not name or "\\" in name or not name.isprintable() or {"", ".", ".."} & set(name.split("/")):
        detail = f"A file needs a plain name, or a path below the deployment's folder; got {name!r}."
        raise ProblemError(422, "file_name", detail)
    if '"' in name:
        # The engine would store the backslash that has to stand before it on the wire.
        raise ProblemError(422, "file_name", f"A file name must not hold a quotation mark; rename {name!r}.")
    return name


def to_definition_out(definition: ProcessDefinition) -> DefinitionOut:
    """Return a definition as callers see it."""
    return DefinitionOut(
        id=definition.id,
        key=definition.key,
        name=definition.name,
        version=definition.version,
        version_tag=definition.version_tag,
        deployment_id=definition.deployment_id,
    )


def check_kinds(resources: Mapping[str, bytes]) -> None:
    """See that the engine reads each file, or that a model refers to it. Raises `ProblemError` 422."""
    others = [name for name in resources if not name.endswith(SUFFIXES)]
    if not others:
        return
    needed = {name for file, content in resources.items() if is_model(file) for name in _list_files_of(file, content)}
    for name in others:
        if name not in needed:
            detail = f"{name} cannot be deployed: files end in {', '.join(SUFFIXES)}, or a model refers to them."
            raise ProblemError(422, "file_name", detail)


def _list_files_of(name: str, content: bytes) -> set[str]:
    try:
        found = find_references(read_document(content, name))
    except ModelUnreadable:
        return set()  # the engine says what is wrong with it
    return {reference.name for reference in found if reference.kind == "file"}
