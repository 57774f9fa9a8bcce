"""The process catalog: models and their forms, read from folders without an engine.

A folder holds one or more `<name>.bpmn` and the `.form` files that their user tasks refer to. Metadata stands in
`camunda:property` elements whose names begin with `baton.`, so that any Modeler edits it.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from bpmn.document import BPMN, EXTENSIONS, read_extension
from bpmn.errors import ModelUnreadable
from bpmn.resources import gather, normalise_name

__all__ = ["Catalog", "ProcessModel", "TopicUse", "UserTaskModel"]


@dataclass(frozen=True, slots=True)
class UserTaskModel:
    """A user task as the model draws it; `form_id` names a Camunda Form, `form_key` anything else."""

    id: str
    name: str | None
    form_id: str | None
    form_key: str | None
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicUse:
    """A service task that waits for a worker of `topic`; `inputs` are the names its input mapping sets."""

    topic: str
    activity_id: str
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProcessModel:
    """One executable process. `resources` are the files that are deployed together, `forms` those of the whole file."""

    key: str
    name: str | None
    version_tag: str | None
    properties: Mapping[str, str]
    user_tasks: tuple[UserTaskModel, ...]
    topics: tuple[TopicUse, ...]
    forms: Mapping[str, Mapping[str, Any]]
    resources: Mapping[str, bytes]

    def find_title(self, locale: str = "en") -> str:
        """Return what people read: `baton.title.<locale>`, else `baton.title`, else the name, else the key."""
        named = self.properties.get(f"baton.title.{locale}") or self.properties.get("baton.title")
        return named or self.name or self.key


class Catalog:
    """Process models by key."""

    def __init__(self, processes: Mapping[str, ProcessModel]) -> None:
        self.processes = processes

    @classmethod
    def of_packaged(cls) -> "Catalog":
        """Return the models that come with Baton."""
        with as_file(files("bpmn").joinpath("models")) as folder:
            return cls.from_folder(folder)

    @classmethod
    def from_folder(cls, folder: Path) -> "Catalog":
        """Return every model below `folder`. Raises `ModelUnreadable` naming the file, or both files of one key."""
        processes: dict[str, ProcessModel] = {}
        origin: dict[str, Path] = {}
        for path in sorted(folder.rglob("*.bpmn")):
            for process in read_model(path):
                if process.key in processes:
                    raise ModelUnreadable(
                        f"the process key {process.key!r} stands in {origin[process.key]} and in {path}; "
                        "rename one of them"
                    )
                processes[process.key] = process
                origin[process.key] = path
        return cls(processes)


def read_model(path: Path) -> list[ProcessModel]:
    """Return the executable processes of one BPMN file, with the forms beside it that they refer to."""
    gathered = gather([path])
    if gathered.missing:
        raise ModelUnreadable(gathered.missing[0])
    model = gathered.resources[normalise_name(path.name)]
    assert model.root is not None
    forms = {
        form_id: resource.form
        for resource in gathered.resources.values()
        for kind, form_id in resource.defines
        if kind == "form" and resource.form is not None
    }
    return [
        _read_process(element, gathered.contents, forms)
        for element in model.root.iter(f"{BPMN}process")
        if element.get("isExecutable") == "true"
    ]


def _read_process(
    element: ElementTree.Element, resources: Mapping[str, bytes], forms: Mapping[str, Mapping[str, Any]]
) -> ProcessModel:
    return ProcessModel(
        key=element.get("id", ""),
        name=element.get("name"),
        version_tag=read_extension(element, "versionTag"),
        properties=_read_properties(element),
        user_tasks=tuple(_read_user_task(task) for task in element.iter(f"{BPMN}userTask")),
        topics=tuple(_list_topics(element)),
        forms=forms,
        resources=resources,
    )


def _read_user_task(element: ElementTree.Element) -> UserTaskModel:
    return UserTaskModel(
        id=element.get("id", ""),
        name=element.get("name"),
        form_id=read_extension(element, "formRef"),
        form_key=read_extension(element, "formKey"),
        properties=_read_properties(element),
    )


def _list_topics(process: ElementTree.Element) -> Iterator[TopicUse]:
    for element in process.iter():
        if read_extension(element, "type") == "external" and (topic := read_extension(element, "topic")):
            inputs = _list_extensions(element, "inputOutput", "inputParameter")
            yield TopicUse(topic, element.get("id", ""), tuple(entry.get("name", "") for entry in inputs))


def _read_properties(element: ElementTree.Element) -> dict[str, str]:
    entries = _list_extensions(element, "properties", "property")
    return {name: entry.get("value", "") for entry in entries if (name := entry.get("name"))}


def _list_extensions(element: ElementTree.Element, group: str, name: str) -> list[ElementTree.Element]:
    """Return the engine's own elements of a group, in whichever namespace they stand."""
    return [
        entry
        for namespace in EXTENSIONS
        for entry in element.findall(f"{BPMN}extensionElements/{namespace}{group}/{namespace}{name}")
    ]
