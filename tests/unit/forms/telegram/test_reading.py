"""What is longer than one message is read in parts: all of it, with the question and its buttons below each."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baton.sandbox.telegram.text.entities import parse_html, trim
from baton.sandbox.telegram.wire import count_utf16
from forms.session.events import Operation, Pressed, Typed
from forms.session.state import FormSession
from forms.session.steps import apply_event
from forms.telegram import TelegramView, decode, render_view
from forms.telegram.reading import split_parts
from forms.telegram.text.layout import Span, fit_paragraphs, make_piece
from unit.form_sessions import play, session_from

NAME = {"type": "textfield", "key": "name", "label": "Name"}
TERMS = "\n\n".join(f"{number}. {'You agree to this, too. ' * 12}" for number in range(40))
ROWS = [{"a": f"row {number}", "b": "x" * 70} for number in range(90)]


def words_of(shown: TelegramView) -> str:
    read = trim(parse_html(shown.text)).text
    assert count_utf16(read) <= 4096
    return read


def turned(session: FormSession, shown: TelegramView) -> FormSession | None:
    """The session after the button that leads to the next part; None on the last."""
    buttons = [button for row in shown.rows for button in row if button.text.endswith(" ›")]
    if not buttons:
        return None
    _, press = decode(buttons[0].data)
    assert press.operation is Operation.PART
    return apply_event(session, press)[0]


def parts_of(session: FormSession) -> list[str]:
    shown = render_view(session)
    parts = [words_of(shown)]
    while (after := turned(session, shown)) is not None:
        session, shown = after, render_view(after)
        parts.append(words_of(shown))
        assert len(parts) < 50
    return parts


@pytest.mark.parametrize(
    ("component", "variables", "needles"),
    [
        ({"type": "text", "text": TERMS}, {}, [f"{number}. You" for number in range(40)]),
        ({"type": "text", "text": "{{terms}}"}, {"terms": TERMS}, [f"{number}. You" for number in range(40)]),
        (
            {"type": "html", "content": "".join(f"<p>{n}! <b>{'w ' * 90}</b></p>" for n in range(60))},
            {},
            [f"{number}!" for number in range(60)],
        ),
        (
            {
                "type": "table",
                "dataSource": "=rows",
                "columns": [{"key": "a", "label": "A"}, {"key": "b", "label": "B"}],
            },
            {"rows": ROWS},
            [f"row {number}" for number in range(90)],
        ),
        (
            {"type": "expression", "key": "sum", "label": "Sum", "expression": "=terms", "computeOn": "change"},
            {"terms": TERMS},
            [f"{number}. You" for number in range(40)],
        ),
        (
            {"type": "textarea", "key": "seen", "label": "Seen", "readonly": True},
            {"seen": TERMS},
            [f"{number}. You" for number in range(40)],
        ),
    ],
    ids=["text", "template", "html", "table", "computed", "read-only"],
)
def test_all_of_what_stands_above_a_question_can_be_read(
    component: dict[str, Any], variables: dict[str, Any], needles: list[str]
) -> None:
    parts = parts_of(session_from({"id": "c", **component}, NAME, **variables))
    assert len(parts) > 2
    whole = "\n".join(parts)
    assert [needle for needle in needles if needle not in whole] == []
    assert all("Name" in part for part in parts), "the question stands below each"
    assert not any("…" in part for part in parts)


def test_a_long_description_is_read_in_parts_too() -> None:
    described = {**NAME, "description": " ".join(f"word{number}" for number in range(1500))}
    whole = "\n".join(parts_of(session_from(described)))
    assert [number for number in range(1500) if f"word{number}" not in whole] == []


def test_every_answer_of_a_long_form_is_on_its_summary() -> None:
    asked = [{"type": "textfield", "key": f"f{n}", "label": f"Q{n}."} for n in range(200)]
    session = session_from(*asked, **{f"f{n}": f"A{n}-" + "Ω" * 50 for n in range(200)})
    whole = "\n".join(parts_of(session.move_to(None)))
    assert [n for n in range(200) if f"Q{n}." not in whole or f"A{n}-Ω" not in whole] == []


def test_part_is_turned_in_place_and_answered_from() -> None:
    session = session_from({"type": "text", "text": TERMS}, NAME)
    first = render_view(session)
    assert [button.text for button in first.rows[0]] == ["1/4", "Read on ›"]
    second, _ = play(session, (Operation.PART, 1))
    assert [button.text for button in render_view(second).rows[0]] == ["‹", "2/4", "Read on ›"]
    assert render_view(play(second, (Operation.PART, 0))[0]).text == first.text
    assert render_view(play(second, (Operation.PART, 99))[0]).rows[0][-1].text == "4/4"
    after, _ = apply_event(second, Typed("Ada"))
    assert after.data["name"] == "Ada"
    assert after.glance.part == 0
    assert apply_event(after, Pressed(second.revision, Operation.PART, 2))[0] == after, "an old button"


def test_a_calendar_below_a_long_text_leaves_it_where_it_was() -> None:
    session = session_from({"type": "text", "text": TERMS}, {"type": "datetime", "key": "day", "subtype": "date"})
    read, _ = play(session, (Operation.PART, 2))
    for act in ((Operation.MONTH, 24323), (Operation.YEAR, 2027)):
        assert play(read, act)[0].glance.part == 2


def test_what_fits_has_no_button_to_turn() -> None:
    shown = render_view(session_from({"type": "text", "text": "word " * 700}, NAME))
    assert not any("/" in button.text for row in shown.rows for button in row)


def test_a_picture_without_an_address_has_its_long_text_in_parts() -> None:
    picture = {"type": "image", "source": "data:image/png;base64,AAAA", "alt": "A cat"}
    session = session_from(picture, {"type": "text", "text": " ".join(f"w{n}." for n in range(900))}, NAME)
    shown = render_view(session)
    assert count_utf16(words_of(shown)) <= 1024
    assert "🖼 A cat" in shown.without_picture
    whole = "\n".join(parts_of(session))
    assert [n for n in range(900) if f"w{n}." not in whole] == []


@given(st.text(max_size=3000), st.integers(64, 500))
def test_parts_hold_every_sign_and_none_is_too_long(text: str, room: int) -> None:
    piece = (Span(text[: len(text) // 2], ("b",)), Span(text[len(text) // 2 :], ("i",)))
    parts = split_parts([[[piece], [make_piece("end")]]], room)
    read = [parse_html(fit_paragraphs(part, room)).text for part in parts]
    assert all(count_utf16(part) <= room for part in read)
    expected = parse_html(fit_paragraphs([[[piece], [make_piece("end")]]], 10_000)).text
    assert "".join("".join(read).split()) == "".join(expected.split())
