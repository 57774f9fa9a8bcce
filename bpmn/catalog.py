"""The process catalog: models and their forms, read from folders without an engine.

A folder holds one or more `<name>.bpmn` and the `.form` files that their user tasks refer to. Metadata stands in
`camunda:property` elements whose names begin with `baton.`, so that any Modeler edits it.
"""

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from bpmn.document import BPMN, read_document
from bpmn.errors import ModelUnreadable

__all__ = ["Catalog", "ProcessModel", "TopicUse", "UserTaskModel"]

_CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
MAX_MODEL_BYTES = 10 * 2**20


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
    """One executable process. `resources` are the files that are deployed together: the model and its forms."""

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
    content = _read_bytes(path)
    root = read_document(content, str(path))
    available = _list_forms_beside(path)
    found = [
        _read_process(element, path, content, available)
        for element in root.iter(f"{BPMN}process")
        if element.get("isExecutable") == "true"
    ]
    if not found:
        raise ModelUnreadable(f'{path}: no executable process (isExecutable="true") in this model')
    return found


def _read_process(
    element: ElementTree.Element, path: Path, content: bytes, available: Mapping[str, tuple[Path, Mapping[str, Any]]]
) -> ProcessModel:
    tasks = tuple(_read_user_task(task) for task in element.iter(f"{BPMN}userTask"))
    resources = {path.name: content}
    forms = {}
    for task in tasks:
        if task.form_id is None:
            continue
        if task.form_id not in available:
            raise ModelUnreadable(
                f"{path}: user task {task.id!r} refers to the form {task.form_id!r}, "
                f"but no .form file in {path.parent} has this id"
            )
        file, form = available[task.form_id]
        forms[task.form_id] = form
        resources[file.name] = file.read_bytes()
    return ProcessModel(
        key=element.get("id", ""),
        name=element.get("name"),
        version_tag=element.get(f"{_CAMUNDA}versionTag"),
        properties=_read_properties(element),
        user_tasks=tasks,
        topics=tuple(_list_topics(element)),
        forms=forms,
        resources=resources,
    )


def _read_user_task(element: ElementTree.Element) -> UserTaskModel:
    return UserTaskModel(
        id=element.get("id", ""),
        name=element.get("name"),
        form_id=element.get(f"{_CAMUNDA}formRef"),
        form_key=element.get(f"{_CAMUNDA}formKey"),
        properties=_read_properties(element),
    )


def _list_topics(process: ElementTree.Element) -> Iterator[TopicUse]:
    for element in process.iter():
        if element.get(f"{_CAMUNDA}type") == "external" and (topic := element.get(f"{_CAMUNDA}topic")):
            inputs = element.findall(f"{BPMN}extensionElements/{_CAMUNDA}inputOutput/{_CAMUNDA}inputParameter")
            yield TopicUse(topic, element.get("id", ""), tuple(entry.get("name", "") for entry in inputs))


def _read_properties(element: ElementTree.Element) -> dict[str, str]:
    entries = element.findall(f"{BPMN}extensionElements/{_CAMUNDA}properties/{_CAMUNDA}property")
    return {name: entry.get("value", "") for entry in entries if (name := entry.get("name"))}


def _list_forms_beside(path: Path) -> dict[str, tuple[Path, Mapping[str, Any]]]:
    forms: dict[str, tuple[Path, Mapping[str, Any]]] = {}
    for file in sorted(path.parent.glob("*.form")):
        try:
            form = json.loads(_read_bytes(file))
        except ValueError as error:
            raise ModelUnreadable(f"{file}: not JSON: {error}") from error
        if not isinstance(form, dict) or not form.get("id"):
            raise ModelUnreadable(f"{file}: a form needs an id, by which user tasks refer to it")
        forms[str(form["id"])] = (file, form)
    return forms


def _read_bytes(path: Path) -> bytes:
    if path.stat().st_size > MAX_MODEL_BYTES:
        raise ModelUnreadable(f"{path}: larger than {MAX_MODEL_BYTES >> 20} MiB")
    return path.read_bytes()
