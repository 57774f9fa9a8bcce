"""A form of each kind of field, with and without FEEL, and what a person answers to its question."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bpmn.file_reference import FileReference
from forms.schema.paths import Json
from forms.session.events import Event, Operation, Pressed, Typed, Uploaded
from forms.session.state import FormSession, Subject

__all__ = ["VARIABLES", "Sample", "samples", "session_of"]

VARIABLES: Mapping[str, Json] = {
    "name": "Ada",
    "age": 36,
    "cities": ["Berlin", "London", "Paris"],
    "offers": [{"a": n, "b": f"Offer {n}"} for n in range(5)],
    "papers": [{"documentId": "1", "endpoint": "https://e.org/1", "metadata": {"fileName": "one.pdf"}}],
}
_CITIES = [{"label": city, "value": city} for city in ("Berlin", "London", "Paris")]
_TEXT = "Ada Lovelace"
_FILE = FileReference(path="uploads/one.pdf", sha256="0" * 64, size_bytes=1, content_type="application/pdf")

Answer = Callable[[FormSession], Event]


@dataclass(frozen=True, slots=True)
class Sample:
    """A form with one field of a kind; what is only shown stands before a question for a text."""

    name: str
    uses_feel: bool
    schema: Mapping[str, Json]
    answer: Answer


def session_of(schema: Mapping[str, Json], session_id: str = "abcdefgh") -> FormSession:
    """One person's session, not opened yet."""
    subject = Subject(f"task-{session_id}", "answer", "instance")
    return FormSession(session_id, subject, "telegram-1", "en", "Europe/Berlin", "A form", schema, VARIABLES)


def samples() -> list[Sample]:
    """Every kind without FEEL where that is possible, and with it."""
    found = []
    for name, (component, feel, answer) in _ASKED.items():
        asked = {"key": "answer", "label": "What is it?", "validate": {"required": True}, **component}
        if not component.get("valuesExpression"):
            found.append(Sample(name, False, _form(asked), answer))
        told = {**asked, "label": "What is it, {{name}}?", "conditional": {"hide": "=age < 18"}, **feel}
        found.append(Sample(name, True, _form(told), answer))
    question = {"type": "textfield", "key": "answer", "label": "What is it?"}
    for name, (component, feel) in _SHOWN.items():
        if component:
            found.append(Sample(name, False, _form(component, question), _typed(_TEXT)))
        if feel:
            found.append(Sample(name, True, _form({**component, **feel}, question), _typed(_TEXT)))
    return found


def _form(*components: Mapping[str, Any]) -> Mapping[str, Json]:
    parts: list[Json] = [{"id": f"Field_{number}", **part} for number, part in enumerate(components)]
    return {"type": "default", "id": "bench", "schemaVersion": 19, "components": parts}


def _typed(text: str) -> Answer:
    return lambda _: Typed(text)


def _pressed(operation: Operation, argument: int = 0) -> Answer:
    return lambda session: Pressed(session.revision, operation, argument)


_DAY = _pressed(Operation.DAY, date(2026, 11, 26).toordinal())
_FIRST = _pressed(Operation.PICK)
# By name: the component, what makes it FEEL, and the answer.
_ASKED: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any], Answer]] = {
    "textfield": ({"type": "textfield"}, {"validate": {"required": True, "maxLength": "=age"}}, _typed(_TEXT)),
    "textfield, pattern": (
        {"type": "textfield", "validate": {"pattern": "^[A-Z]"}}, {"description": "=name"}, _typed(_TEXT),
    ),
    "textarea": ({"type": "textarea"}, {"description": "=name"}, _typed(_TEXT)),
    "number": ({"type": "number"}, {"validate": {"min": "=age"}}, _typed("42")),
    "date": ({"type": "datetime", "subtype": "date"}, {}, _DAY),
    "time": ({"type": "datetime", "subtype": "time"}, {}, _pressed(Operation.MINUTE, 600)),
    "date and time": ({"type": "datetime", "subtype": "datetime"}, {}, _DAY),
    "checkbox": ({"type": "checkbox"}, {}, _FIRST),
    "radio": ({"type": "radio", "values": _CITIES}, {"values": None, "valuesExpression": "=cities"}, _FIRST),
    "select": ({"type": "select", "values": _CITIES}, {"values": None, "valuesExpression": "=cities"}, _FIRST),
    "checklist": ({"type": "checklist", "values": _CITIES}, {"values": None, "valuesExpression": "=cities"}, _FIRST),
    "taglist": ({"type": "taglist", "values": _CITIES}, {"values": None, "valuesExpression": "=cities"}, _FIRST),
    "filepicker": ({"type": "filepicker"}, {"multiple": "=age > 18"}, lambda _: Uploaded((_FILE,))),
    "dynamiclist": (
        {
            "type": "dynamiclist", "key": None, "path": "items", "defaultRepetitions": 3, "isRepeating": True,
            "allowAddRemove": True, "components": [{"type": "textfield", "id": "inner", "key": "name", "label": "N"}],
        },
        {"components": [{"type": "textfield", "id": "inner", "key": "name", "label": "{{name}} {{i[1]}}"}]},
        _pressed(Operation.ADD),
    ),
}  # fmt: skip
# By name: the component, empty where there is none without FEEL, and what makes it FEEL.
_SHOWN: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "text": ({"type": "text", "text": "# Hello\nyou **there**"}, {"text": "# Hello\n{{name}}"}),
    "html": ({"type": "html", "content": "<p>Hello <b>you</b></p>"}, {"content": "<p>Hello {{name}}</p>"}),
    "image": ({"type": "image", "source": "https://e.org/a.png", "alt": "A"}, {"alt": "{{name}}"}),
    "iframe": ({"type": "iframe", "url": "https://e.org", "label": "E"}, {"label": "{{name}}"}),
    "separator": ({"type": "separator"}, {}),
    "group": (
        {"type": "group", "label": "G", "components": [{"type": "textfield", "id": "inner", "key": "n", "label": "N"}]},
        {"label": "{{name}}"},
    ),
    "expression": (
        {}, {"type": "expression", "key": "next", "expression": "=age + 1", "computeOn": "change"},
    ),
    "table": ({}, {"type": "table", "label": "T", "dataSource": "=offers", "columns": [{"key": "a", "label": "A"}]}),
    "documentPreview": ({}, {"type": "documentPreview", "label": "P", "dataSource": "=papers"}),
}  # fmt: skip
