"""Form cases: the same form and the same answers for every surface, and what must be in the engine afterwards.

They are in form-cases/. A case has `components` of form-js or `fields` of a generated form (`camunda:formField`),
answers as a person would give them, and variables that are there before. `expected` says what changes (null: nothing is
there); all other variables of the instance must be as before. With `starts` the form begins the process.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bpmn.engine.client import EngineClient
from bpmn.engine.variables import FileValue, encode
from bpmn.file_reference import is_reference
from forms.schema.paths import Json
from shared.models import MINE, form_ref, model

__all__ = ["CASES", "FormCase", "SentFile", "begin", "deploy_cases", "left", "sent_file"]

KEY = "form-cases"
# What the process is started with here, and what engine-api notes of a start by a form.
PLATFORM = frozenset({"initiator", "form", "surface", "chat", "locale", "batonDraft"})

Left = tuple[str | None, dict[str, Any]]
"""The business key of an instance, and its variables with their types."""


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that a person sends."""

    name: str
    content: bytes

    @property
    def told(self) -> dict[str, Any]:
        """What is compared of it, wherever it was put."""
        return _file(self.name, "text/plain", self.content)


@dataclass(frozen=True)
class FormCase:
    """One case; `number` makes the names that the engine knows it by."""

    number: int
    name: str
    answers: Mapping[str, Json]
    expected: Mapping[str, Mapping[str, Any] | None]
    variables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    components: tuple[Mapping[str, Any], ...] = ()
    fields: tuple[str, ...] = ()
    business_key_field: str = ""
    business_key: str | None = None
    starts: bool = False

    @property
    def form_id(self) -> str:
        return f"case-{self.number}"

    @property
    def key(self) -> str:
        """Of the process that asks with this form."""
        return f"{KEY}-{self.number}" if self.fields or self.starts else KEY

    @cached_property
    def schema(self) -> dict[str, Any]:
        return {"id": self.form_id, "type": "default", "schemaVersion": 19, "components": list(self.components)}

    def expected_of(self, user: str) -> Left:
        """What a person with this name leaves behind."""
        after = {**self.variables, **self.expected}
        variables = {name: _with_files(entry) for name, entry in after.items() if entry is not None}
        return self.business_key or (f"{self.key}:{user}" if self.starts else None), variables


def _read() -> dict[str, FormCase]:
    written = [
        (f"{file.stem}: {case['name']}", case)
        for file in sorted((Path(__file__).parent / "form-cases").glob("*.json"))
        for case in json.loads(file.read_text())
    ]
    return {name: FormCase(number, **{**case, "name": name}) for number, (name, case) in enumerate(written)}


CASES: Mapping[str, FormCase] = _read()


def sent_file(answer: object) -> SentFile | None:
    """The file that a part of an answer stands for."""
    if not isinstance(answer, dict) or "file" not in answer:
        return None
    return SentFile(answer["file"], answer["text"].encode() * answer.get("times", 1))


async def deploy_cases(engine: EngineClient) -> None:
    files = {f"{case.form_id}.form": json.dumps(case.schema).encode() for case in CASES.values() if case.components}
    own = {f"{case.key}.bpmn": _own_model(case) for case in CASES.values() if case.key != KEY}
    shared = model(KEY, f'name="Case" {MINE} {form_ref("${form}")}')
    await engine.deploy(KEY, {f"{KEY}.bpmn": shared, **own, **files})


async def begin(engine: EngineClient, case: FormCase, user: str) -> tuple[str, str]:
    """The ids of a new instance and of its task, which is this person's. Not for forms that a process begins with."""
    own = {"initiator": {"value": user, "type": "String"}, "form": {"value": case.form_id, "type": "String"}}
    body = {"variables": {**{name: _wire(entry) for name, entry in case.variables.items()}, **own}}
    instance = await engine.request("POST", f"/process-definition/key/{case.key}/start", json=body)
    (task,) = await engine.list_tasks(process_instance_id=instance["id"])
    return instance["id"], task.id


async def left(engine: EngineClient, instance_id: str) -> Left:
    """Every variable of an instance but those of the platform, also after its end."""
    params = {"processInstanceId": instance_id, "deserializeValues": "false"}
    found = await engine.request("GET", "/history/variable-instance", params=params)
    variables = {entry["name"]: await _plain(engine, entry) for entry in found if entry["name"] not in PLATFORM}
    return (await engine.fetch_history_process(instance_id)).business_key, variables


def _own_model(case: FormCase) -> bytes:
    key = f' businessKey="{case.business_key_field}"' if case.business_key_field else ""
    form_data = f"<camunda:formData{key}>{''.join(case.fields)}</camunda:formData>"
    asks = f"<extensionElements>{form_data}</extensionElements>"
    if not case.starts:
        return model(case.key, f'<userTask id="{{id}}" name="Case" {MINE}>{asks}</userTask>')
    start = f'<startEvent id="start">{asks}</startEvent>' if case.fields else form_ref(case.form_id)
    return model(case.key, MINE, start=start)


def _wire(entry: Mapping[str, Any]) -> dict[str, Any]:
    if (file := sent_file(entry["value"])) is not None:
        return encode(FileValue(file.name, file.content, "text/plain"))
    value = json.dumps(entry["value"]) if entry["type"] == "Json" else entry["value"]
    return {"value": value, "type": entry["type"]}


async def _plain(engine: EngineClient, entry: Mapping[str, Any]) -> dict[str, Any]:
    kind, value, told = entry["type"], entry["value"], entry["valueInfo"]
    if kind == "File":
        content = await engine.request_bytes("GET", f"/history/variable-instance/{entry['id']}/data", accept="*/*")
        value = _file(told["filename"], told["mimeType"], content)
    elif kind == "Json" or (kind == "String" and '"baton_file"' in (value or "")):
        value = _with_references(json.loads(value))
    return {"type": kind, "value": value}


def _with_files(value: Any) -> Any:
    """An expected value, with files as they are found."""
    if isinstance(value, list):
        return [_with_files(part) for part in value]
    if (file := sent_file(value)) is not None:
        return file.told
    return {name: _with_files(part) for name, part in value.items()} if isinstance(value, dict) else value


def _with_references(value: Any) -> Any:
    """A value that was found, without the places of its files, which are new each time."""
    if isinstance(value, list):
        return [_with_references(part) for part in value]
    if is_reference(value):
        return {name: value[name] for name in ("name", "content_type", "size_bytes", "sha256")}
    return {name: _with_references(part) for name, part in value.items()} if isinstance(value, dict) else value


def _file(name: str, content_type: str, content: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(content).hexdigest()
    return {"name": name, "content_type": content_type, "size_bytes": len(content), "sha256": sha256}
