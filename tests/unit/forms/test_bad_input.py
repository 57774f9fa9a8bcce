"""Every kind of question against whatever people may send: nothing breaks, nothing changes, and the form goes on."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from baton.sandbox.telegram.text.entities import parse_html, trim
from baton.sandbox.telegram.wire import count_utf16
from bpmn.file_reference import FileReference
from drafts.record import read_session, to_stored
from forms.answers.json_schema import build_json_schema
from forms.answers.known import KnownVariables
from forms.answers.variables import make_typed_variables
from forms.evaluate.checking import find_errors
from forms.evaluate.reading import read_form
from forms.fields import find_kind
from forms.model import Mode
from forms.session.events import Event, Operation, Outcome, Pressed, Render, Shared, Stale, Submitted, Typed, Uploaded
from forms.session.state import FormSession
from forms.session.steps import apply_event
from forms.telegram import render_view
from forms.terminal import build_prompt, list_blocks
from unit.form_sessions import play, session_from

MANY = [{"value": f"v{number}", "label": f"Number {number}"} for number in range(20)]
FILE = FileReference(path="a/b", sha256="0" * 64, size_bytes=3, content_type="image/png", name="a.png")
# Each kind of question with an answer that it takes.
KINDS: dict[str, tuple[dict[str, Any], Event | tuple[Operation, int]]] = {
    "a line": ({"type": "textfield"}, Typed("Ada")),
    "a line with a rule": ({"type": "textfield", "validate": {"pattern": "^A", "maxLength": 9}}, Typed("Ada")),
    "a mail address": ({"type": "textfield", "validate": {"validationType": "email"}}, Typed("ada@example.org")),
    "a phone number": ({"type": "textfield", "validate": {"validationType": "phone"}}, Typed("+49 30 1234567")),
    "a contact": ({"type": "textfield", "properties": {"accepts": "contact"}}, Shared("contact", "+49301234567")),
    "lines": ({"type": "textarea"}, (Operation.SKIP, 0)),
    "a number": ({"type": "number"}, Typed("1,5")),
    "a whole number": ({"type": "number", "decimalDigits": 0, "validate": {"min": 0, "max": 99}}, Typed("7")),
    "an exact number": ({"type": "number", "serializeToString": True}, Typed("1.10")),
    "a counted number": ({"type": "number", "validate": {"min": 1, "max": 12}}, (Operation.STEP, 1)),
    "yes or no": ({"type": "checkbox"}, (Operation.PICK, 0)),
    "one of few": ({"type": "radio", "values": MANY[:3]}, (Operation.PICK, 2)),
    "one of many": ({"type": "select", "values": MANY}, (Operation.PICK, 19)),
    "some": ({"type": "checklist", "values": MANY[:3]}, (Operation.PICK, 0)),
    "some of many": ({"type": "taglist", "values": MANY}, (Operation.PICK, 0)),
    "none": ({"type": "select", "values": []}, (Operation.SKIP, 0)),
    "a day": ({"type": "datetime", "subtype": "date"}, Typed("2026-11-25")),
    "a time": ({"type": "datetime", "subtype": "time"}, Typed("14:30")),
    "a moment": ({"type": "datetime", "subtype": "datetime"}, Typed("2026-11-25 14:30")),
    "a file": ({"type": "filepicker", "accept": ".png"}, Uploaded((FILE,))),
    "files": ({"type": "filepicker", "multiple": True}, Uploaded((FILE,))),
    "a list": ({"type": "dynamiclist", "path": "answer", "isRepeating": True, "allowAddRemove": True, "components": [
        {"type": "textfield", "id": "inner", "key": "name", "label": "Name"},
    ]}, (Operation.REMOVE, 0)),
    "a secret": ({"type": "textfield", "properties": {"sensitive": "true"}}, Typed("behind")),
}  # fmt: skip
HOSTILE = {
    "nothing": "",
    "white space": " \n\t ",
    "a script": "<script>alert(1)</script>",
    "half a tag": "<b",
    "entities": "&lt;b&gt;&#0;&bogus;",
    "Markdown": "[a](javascript:alert(1)) **b** `c` ~~d~~",
    "a mark from the right": "\u202egnp.exe",
    "marks without an end": "\u2066\u2067\u202a",
    "emoji": "😀" * 2000,
    "a family": "👨‍👩‍👧‍👦" * 400,
    "letters of many marks": "a" + "\u0301" * 3000,
    "nothing to see": "\u3164\u200b\u2060",
    "NUL": "a\0b",
    "half a character": "a\ud800",
    "a line separator": "a\u2028b",
    "a long text": "x" * 200_000,
    "an exponent": "1e400",
    "400 digits": "1" + "0" * 400,
    "5000 digits": "9" * 5000,
    "the largest": "-1e308",
    "no number": "NaN",
    "no end": "Infinity",
    "digits of Arabic": "٣",
    "wide digits": "１２",
    "hexadecimal": "0x1F",
    "a day that is none": "2026-02-30",
    "the last day": "9999-12-31 23:59",
    "no year": "0000-00-00T00:00",
    "a time that is none": "25:61",
    "a template": "{{answer}} {{#loop answer}}",
    "an expression": "=1/0",
    "a path": "../../etc/passwd",
    "a prototype": "__proto__",
    "JSON": '{"$feel": "context"}',
    "SQL": "'; DROP TABLE act_ru_task; --",
    "commas": "," * 100,
    "a catastrophe": "A" + "a" * 40 + "!",
}  # fmt: skip


def session_with(component: dict[str, Any], **variables: Any) -> FormSession:
    asked = {"id": "q", "key": "answer", "label": "Question", **component}
    if component["type"] == "dynamiclist":
        asked.pop("key")
    session = session_from(asked, {"type": "textfield", "id": "z", "key": "last", "label": "Last"}, **variables)
    read_form(session.schema)
    return session


def asking(kind: str) -> FormSession:
    """The kind's question, which for a secret is at the very end."""
    session = session_with(KINDS[kind][0])
    if kind == "a secret":
        session, _ = play(session, Typed("first"))
        session, _ = play(session, (Operation.SUBMIT, 0))
        assert session.glance.view.startswith("secret:")
    return session


def is_still_usable(session: FormSession, outcome: Outcome) -> None:
    """All surfaces show it, it survives storage, and what it holds can become variables."""
    assert isinstance(outcome, Render), outcome
    shown = render_view(session, outcome.problem)
    text = trim(parse_html(shown.text)).text
    assert 1 <= count_utf16(text) <= 4096
    shown.text.encode()
    assert "\0" not in shown.text
    assert all("\0" not in button.text and button.text.strip() for row in shown.rows for button in row)
    assert build_prompt(session)
    list_blocks(session)
    json.dumps(build_json_schema(session.form, session.data, session), allow_nan=False).encode()
    kept = to_stored(session)
    fields = {"opened": kept.opened, "variables": kept.variables, "state": kept.state}
    written = {name: value.encode().decode() for name, value in fields.items()}
    again = read_session(session.id, session.schema, {**written, "revision": str(session.revision), "status": "draft"})
    assert (again.question, again.data) == (session.question, session.data)
    answers = {name: value for name, value in session.data.items() if isinstance(value, str | int | float | bool)}
    for typed in make_typed_variables(
        session.source, answers, KnownVariables({}, {}), zone="UTC", contents={}
    ).values():
        json.dumps(typed.wire, allow_nan=False).encode()


def goes_on(session: FormSession, kind: str) -> None:
    """A good answer is still taken."""
    after, outcome = play(session, KINDS[kind][1])
    if kind == "a secret":
        assert isinstance(outcome, Submitted)
        return
    assert outcome == Render(), outcome
    assert after.revision > session.revision


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_is_taken_or_refused(kind: str) -> None:
    for name, text in HOSTILE.items():
        before = asking(kind)
        after, outcome = apply_event(before, Typed(text))
        if isinstance(outcome, Submitted):
            assert kind == "a secret", name
            continue
        is_still_usable(after, outcome)
        assert isinstance(outcome, Render)
        if outcome.problem is not None:
            assert (after.data, after.question) == (before.data, before.question), name
            goes_on(after, kind)
        elif after.question != before.question:
            wrong = [path for path in find_errors(after.form, after.data) if path[0] == "answer"]
            assert not wrong, (name, after.get_value(("answer",)))


def others() -> Iterator[Event]:
    """What is no text, and mostly not what was asked for."""
    strange = FileReference(path="a/c", sha256="0" * 64, size_bytes=0, content_type="text/html", name="<b>&.exe")
    yield from (Uploaded(()), Uploaded((strange,)), Uploaded((FILE,) * 30))
    yield from (Shared("contact", "+0"), Shared("location", "x"), Shared("contact", "<b>\0"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a secret"])
def test_what_was_not_asked_for_is_refused_and_the_form_goes_on(kind: str) -> None:
    for event in others():
        before = asking(kind)
        after, outcome = apply_event(before, event)
        is_still_usable(after, outcome)
        assert isinstance(outcome, Render)
        if outcome.problem is not None:
            assert (after.data, after.question) == (before.data, before.question), event
            goes_on(after, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_button_is_refused_and_the_form_goes_on(kind: str) -> None:
    # None of them ends the question, and none of these arguments means anything.
    for operation in set(Operation) - {Operation.CANCEL, Operation.ACT}:
        for argument in (-1, 10**6, 2**63, -(2**63), 10**400):
            before = asking(kind)
            after, outcome = play(before, (operation, argument))
            if isinstance(outcome, Stale):
                assert after.data == before.data, (operation, argument)
            elif not isinstance(outcome, Submitted):
                is_still_usable(after, outcome)


@pytest.mark.parametrize("kind", KINDS)
def test_a_press_that_comes_twice_counts_once(kind: str) -> None:
    session = asking(kind)
    for operation in Operation:
        if operation is Operation.NOTHING:
            continue
        press = Pressed(session.revision, operation, 0)
        after, outcome = apply_event(session, press)
        if not isinstance(outcome, Stale):
            again, repeated = apply_event(after, press)
            assert (again, repeated) == (after, Stale()), operation


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "a secret"])
def test_variables_of_another_type_are_no_reason_to_break(kind: str) -> None:
    strange: list[Any] = [
        None, True, 0, -1.5, 2**70, 1e308, "", "x" * 5000, "<b>", [], [[]], {}, [None], [{}], {"a": 1},
        [{"name": {"a": [1]}}], [{"baton_file": 1, "path": "../x"}], "9999-99-99", "T", ["v1", "v1", {}], "v1",
    ]  # fmt: skip
    for value in strange:
        session = session_with(KINDS[kind][0], answer=value)
        for field in session.form.list_all_fields():
            if field.mode is Mode.ASKED:
                find_kind(field).format_value(field, session.get_value(field.path), session)
        is_still_usable(session, Render())
