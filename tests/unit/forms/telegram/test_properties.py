"""Whatever a form is made of and whatever people do with it: every view is one that Telegram takes."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from baton.sandbox.telegram.text.entities import parse_html, trim
from baton.sandbox.telegram.text.markup import read_markup
from baton.sandbox.telegram.wire import count_utf16
from bpmn.file_reference import FileReference
from forms.session.events import Event, Operation, Pressed, Render, Shared, Stale, Typed, Uploaded
from forms.session.state import FormSession, Subject
from forms.session.steps import apply_event, open_session
from forms.telegram import Expects, TelegramView, build_closed_view, build_superseded_view, decode, render_view

HOSTILE = [
    "<b>", "</a>", "&amp;", "\u202e", "😀" * 40, "\x00", "x" * 5000, "", "  ", "\u3164", "{{a}}", "=1/0", "**", "`",
]  # fmt: skip
ADDRESSES = ["https://e.org", "https://localhost", "https://[", f"https://e.org/{'x' * 3000}", "x"]
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=30)


def words() -> st.SearchStrategy[str]:
    # JSON that has half a surrogate pair is refused when the schema is read.
    return TEXTS.filter(lambda text: not any("\ud800" <= sign <= "\udfff" for sign in text))


def _component(kind: str, number: int) -> st.SearchStrategy[dict[str, Any]]:
    key = f"k{number}"
    common: dict[str, Any] = {
        "type": st.just(kind),
        "id": st.just(f"i{number}"),
        "label": words(),
        "description": words(),
        "readonly": st.sampled_from([False, False, False, True]),
    }
    options = st.lists(st.fixed_dictionaries({"value": st.integers(0, 99), "label": words()}), max_size=30)
    required = st.fixed_dictionaries({"required": st.booleans()})
    own: dict[str, dict[str, Any]] = {
        "textfield": {
            "validate": required,
            "properties": st.sampled_from([{}, {"accepts": "contact"}, {"sensitive": "true"}]),
        },
        "textarea": {"validate": required},
        "number": {
            "validate": st.fixed_dictionaries({"min": st.integers(-3, 3), "max": st.integers(3, 30)}),
            "increment": st.sampled_from([None, "0.5", 3]),
        },
        "checkbox": {},
        "select": {"values": options},
        "taglist": {"values": options},
        "datetime": {
            "subtype": st.sampled_from(["date", "time", "datetime"]),
            "use24h": st.booleans(),
            "timeInterval": st.sampled_from([1, 15, 45, 60]),
            "disallowPassedDates": st.booleans(),
        },
        "filepicker": {"multiple": st.booleans(), "accept": st.sampled_from(["", "image/*,.pdf"])},
        "text": {"text": words()},
        "html": {"content": words()},
        "image": {"source": st.sampled_from(["https://e.org/x", "data:image/png;base64,AA", "x"]), "alt": words()},
        "table": {"dataSource": st.just("=rows"), "columns": st.lists(
            st.fixed_dictionaries({"key": st.sampled_from(["a", "b"]), "label": words()}), max_size=9)},
        "iframe": {"url": st.sampled_from(ADDRESSES)},
        "documentPreview": {"dataSource": st.just("=documents")},
        "expression": {"expression": st.just("=a"), "computeOn": st.just("change")},
        "separator": {},
        "hologram": {},
        "button": {"properties": st.sampled_from([{"action": key}, {"action": key, "confirm": "true"}])},
    }  # fmt: skip
    return st.fixed_dictionaries({**common, "key": st.just(key), **own[kind]})


KINDS = (
    "textfield", "textarea", "number", "checkbox", "select", "taglist", "datetime", "filepicker", "text", "html",
    "image", "table", "iframe", "documentPreview", "expression", "separator", "hologram", "button",
)  # fmt: skip


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    kinds = draw(st.lists(st.sampled_from(KINDS), max_size=6))
    inner = draw(st.lists(st.sampled_from(KINDS[:8]), max_size=3))
    components: list[Any] = [draw(_component(kind, number)) for number, kind in enumerate(kinds)]
    grouped = [
        draw(_component(kind, 90 + number))
        for number, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), max_size=2)))
    ]
    inside = [draw(_component(kind, 50 + number)) for number, kind in enumerate(inner)]
    components.append({"type": "group", "label": draw(words()), "components": [*components[:1], *grouped]})
    components.append(
        {
            "type": "dynamiclist",
            "id": "list",
            "path": "items",
            "label": draw(words()),
            "isRepeating": True,
            "allowAddRemove": draw(st.booleans()),
            "components": inside,
        }
    )
    return {"id": "form", "schemaVersion": 19, "components": components[1:]}


def check_sendable(shown: TelegramView) -> set[Operation]:
    """As the sandbox's Bot API checks it; the operations that are offered."""
    read = trim(parse_html(shown.text))
    assert 1 <= count_utf16(read.text) <= (1024 if shown.picture else 4096)
    buttons = [button for row in shown.rows for button in row]
    for button in buttons:
        assert bool(button.data) != bool(button.url)
        assert 1 <= len(button.text) <= 64
    keyboard = [
        [
            {"text": button.text}
            | ({"callback_data": button.data} if button.data else {"url": button.url})
            | ({"style": button.style} if button.style else {})
            for button in row
        ]
        for row in shown.rows
    ]
    read_markup({"inline_keyboard": keyboard})
    assert all(len(row) <= 8 for row in shown.rows)
    if shown.reply is not None:
        read_markup({"force_reply": True, "input_field_placeholder": shown.reply.placeholder})
        assert bool(shown.reply.share_label) == (shown.reply.share is not Expects.NONE)
    return {decode(button.data)[1].operation for button in buttons if button.data}


def pressable(shown: TelegramView) -> list[Pressed]:
    return [decode(button.data)[1] for row in shown.rows for button in row if button.data]


def events_for(session: FormSession, shown: TelegramView) -> st.SearchStrategy[Event]:
    pressed: list[Event] = [*pressable(shown)]
    file = FileReference(path="a/b", sha256="0" * 64, size_bytes=3, content_type="image/png", name="a.png")
    others: list[Event] = [Uploaded((file,)), Shared("contact", "+4930123456"), Typed("5"), Typed("2030-01-02")]
    wild = st.builds(Pressed, st.just(session.revision), st.sampled_from(Operation), st.integers(-5, 10**7))
    return st.sampled_from(pressed * 4 + others) | st.builds(Typed, TEXTS) | wild


@given(st.data(), schemas(), st.sampled_from(["en", "ru", "xx"]), words())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_view_of_every_form_is_one_that_telegram_takes(
    data: st.DataObject, schema: dict[str, Any], locale: str, title: str
) -> None:
    addresses = [
        "https://e.org/a",
        "http://[",
        "http://localhost/a",
        "https://e.org:x/",
        "ftp://e.org",
        "https://a.b/" + title,
    ]
    documents = [{"documentId": "1", "metadata": {"fileName": title}, "endpoint": url} for url in addresses]
    variables: dict[str, Any] = {"rows": [{"a": title, "b": 1}] * 3, "a": title, "documents": documents}
    start = FormSession("abcdefgh", Subject("t", "k"), "user", locale, "Europe/Berlin", title, schema, variables)
    session = open_session(start)
    problem = None
    for _ in range(data.draw(st.integers(1, 12))):
        shown = render_view(session, problem)
        check_sendable(shown)
        for event in pressable(shown):
            assert not isinstance(apply_event(session, event)[1], Stale), event
        session, outcome = apply_event(session, data.draw(events_for(session, shown)))
        problem = outcome.problem if isinstance(outcome, Render) else None
        if not session.is_open:
            break
    check_sendable(build_closed_view(session, title))
    check_sendable(build_superseded_view(session, by=title))
