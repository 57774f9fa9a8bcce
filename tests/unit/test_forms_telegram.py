"""Form sessions as Telegram messages."""

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn.catalog import Catalog
from forms.camunda import MAX_ACTIONS, read_form
from forms.errors import ButtonUnreadable, FormError
from forms.model import Problem
from forms.schema import MAX_COMPONENTS
from forms.session import FormSession, Operation, Pressed, Typed, open_session, step
from forms.telegram import MAX_DATA_BYTES, MAX_TEXT_UNITS, TelegramView, closed_view, decode, encode, view

FORMS = Catalog.packaged().processes["onboarding"].forms


def session_of(form_id: str, locale: str = "en", variables: dict[str, object] | None = None) -> FormSession:
    form = read_form(FORMS[form_id], locale=locale, variables=variables)
    return open_session(FormSession("abcdefgh", "task", "instance", "user", locale, "Title", form), {})


def session_from(*components: dict[str, Any], variables: dict[str, object] | None = None) -> FormSession:
    form = read_form({"id": "form", "components": list(components)}, variables=variables)
    return open_session(FormSession("abcdefgh", "task", "instance", "user", "en", "Title", form), variables or {})


def labels(shown: TelegramView) -> list[list[str]]:
    return [[button.text for button in row] for row in shown.rows]


def units(shown: TelegramView) -> int:
    """The length as Telegram counts it."""
    return len(html.unescape(re.sub(r"</?[bi]>", "", shown.text)).encode("utf-16-le")) // 2


def press(session: FormSession, label: str) -> FormSession:
    """Press the button as Telegram would: by the data it carries."""
    button = next(button for row in view(session).rows for button in row if label in button.text)
    session_id, event = decode(button.data)
    assert session_id == session.id
    return step(session, event)[0]


def test_a_text_question_shows_progress_and_asks_to_type() -> None:
    shown = view(session_of("onboarding-profile"))
    assert "Please type your answer." in shown.text
    assert "1 of 4" in shown.text
    assert "<i>As others shall call you</i>" in shown.text
    assert shown.rows == ()


def test_a_person_can_walk_through_by_labels_alone() -> None:
    session = step(session_of("onboarding-profile"), Typed("Ada"))[0]
    assert labels(view(session))[:2] == [["Developer"], ["Designer"]]
    session = press(press(session, "Developer"), "Yes")
    assert labels(view(session))[-2:] == [["Done"], ["‹ Back"]]
    session = press(session, "Solana")
    assert ["☑ Solana"] in labels(view(session))
    session = press(session, "Done")
    summary = view(session)
    assert labels(summary)[0] == ["Submit"]
    assert "<b>Ada</b>" in summary.text
    assert press(session, "Submit").done


def test_everything_speaks_russian_in_russian() -> None:
    session = step(session_of("onboarding-profile", "ru"), Typed("Ада"))[0]
    assert "2 из 4" in view(session).text
    assert labels(view(press(session, "Разработчик")))[0] == ["Да", "Нет"]


def test_what_the_model_wrote_cannot_be_read_as_html() -> None:
    shown = view(session_of("onboarding-welcome", variables={"answer": "<b>Hi</b> & <script>"}))
    assert "&lt;b&gt;Hi&lt;/b&gt; &amp; &lt;script&gt;" in shown.text
    assert labels(shown) == [["Join the community"], ["Maybe later"]]


def test_a_problem_stands_above_the_question() -> None:
    shown = view(session_of("onboarding-profile"), Problem("too_long", {"max": 60, "length": 99}))
    assert "⚠️ That is too long: 99 characters, at most 60 are possible." in shown.text


def test_going_back_marks_what_was_chosen() -> None:
    session = press(step(session_of("onboarding-profile"), Typed("Ada"))[0], "Designer")
    back = press(session, "Back")
    assert ["✓ Designer"] in labels(view(back))
    assert labels(view(press(back, "Back")))[0] == ["Keep: Ada"]


def test_many_options_turn_pages() -> None:
    values = [{"value": f"v{number}", "label": f"Option {number}"} for number in range(20)]
    session = session_from({"type": "select", "id": "s", "key": "s", "values": values})
    assert labels(view(session))[-2] == ["›"]
    last = press(press(session, "›"), "›")
    assert labels(view(last))[0] == ["Option 16"]
    assert press(last, "Option 19").values["s"] == "v19"


def test_what_stays_of_a_finished_form_has_no_buttons() -> None:
    shown = closed_view(session_of("onboarding-welcome", variables={"answer": "Hi Ada"}), "Join the community")
    assert shown.rows == ()
    assert "Hi Ada" in shown.text
    assert "✔️ Join the community" in shown.text


@pytest.mark.parametrize("data", ["", "x", "f:a:b:c:d", "f:abc:1:z:0", "g:abc:1:p:0", "f:abc:1:p"])
def test_a_button_of_someone_else_is_refused(data: str) -> None:
    with pytest.raises(ButtonUnreadable):
        decode(data)


def test_a_session_id_that_is_too_long_for_telegram_is_refused() -> None:
    session = FormSession("x" * 60, "t", "i", "u", "en", "", read_form(FORMS["onboarding-language"]))
    with pytest.raises(FormError, match="64 bytes"):
        encode(session, Operation.PICK)


@given(st.integers(0, 10**6), st.sampled_from(Operation), st.integers(0, 9999))
def test_callback_data_fits_and_comes_back(revision: int, operation: Operation, argument: int) -> None:
    session = FormSession(
        "abcdefgh", "t", "i", "u", "en", "", read_form(FORMS["onboarding-language"]), revision=revision
    )
    data = encode(session, operation, argument)
    assert len(data.encode()) <= MAX_DATA_BYTES
    assert decode(data) == ("abcdefgh", Pressed(revision, operation, argument))


@given(st.text(max_size=6000), st.text(max_size=300))
def test_no_text_is_too_long_or_breaks_a_tag(answer: str, label: str) -> None:
    question = {"type": "textfield", "id": "n", "key": "n", "label": label, "description": answer}
    shown = view(session_from({"type": "text", "id": "t", "text": answer}, question))
    assert units(shown) <= MAX_TEXT_UNITS
    assert len(re.findall(r"<(?:b|i)>", shown.text)) == len(re.findall(r"</(?:b|i)>", shown.text))


def asked(count: int) -> list[dict[str, Any]]:
    return [{"type": "textfield", "id": f"f{n}", "key": f"f{n}", "label": f"Question {n}"} for n in range(count)]


def answered(count: int, answer: str) -> FormSession:
    session = session_from(*asked(count))
    for _ in range(count):
        session = step(session, Typed(answer))[0]
    return session


def test_long_answers_share_the_room_and_none_is_left_out() -> None:
    session = answered(3, "<" + "ab " * 530)
    for shown in (view(session), closed_view(session)):
        assert MAX_TEXT_UNITS - 10 <= units(shown) <= MAX_TEXT_UNITS
        found = re.findall(r"Question (\d)\n<b>&lt;((?:ab )+ab|(?:ab )+a?)…</b>", shown.text)
        assert [number for number, _ in found] == ["0", "1", "2"]
        assert min(len(answer) for _, answer in found) > 1200
    assert "Please check your answers." in view(session).text


def test_a_short_answer_stays_whole_beside_a_long_one() -> None:
    session = step(step(session_from(*asked(2)), Typed("Ada"))[0], Typed("x" * 4000))[0]
    assert "<b>Ada</b>" in view(session).text
    assert "x" * 3900 in view(session).text


def test_a_long_text_is_shown_as_far_as_telegram_allows() -> None:
    answer = "&" * 4000
    whole = view(session_of("onboarding-welcome", variables={"answer": answer}))
    assert "&amp;" * 4000 in whole.text
    cut = view(session_of("onboarding-welcome", variables={"answer": "😀" * 4000}))
    assert MAX_TEXT_UNITS - 2 <= units(cut) <= MAX_TEXT_UNITS
    assert cut.text.endswith("😀…")
    assert "<b>Title</b>" in cut.text


def test_a_form_of_the_greatest_length_names_every_question() -> None:
    shown = view(answered(MAX_COMPONENTS, "Ω" * 50))
    assert units(shown) <= MAX_TEXT_UNITS
    assert shown.text.count("<b>Ω") == MAX_COMPONENTS


def test_a_text_that_cannot_be_sent_is_made_one_that_can() -> None:
    text = {"type": "text", "id": "t", "text": "{{answer}}!"}
    assert "?!" in view(session_from(text, variables={"answer": "\ud83d"})).text
    problem = Problem("unsupported", {"component": "\ud83d"})
    assert units(view(session_from(text), problem))


def test_the_summary_of_many_answers_turns_pages() -> None:
    session = answered(20, "Ada")
    assert labels(view(session))[:2] == [["Submit"], ["✎ Question 0"]]
    assert labels(view(session))[-1] == ["›"]
    last = press(press(session, "›"), "›")
    assert labels(view(last)) == [["Submit"], *[[f"✎ Question {n}"] for n in range(16, 20)], ["‹"]]
    opened = press(last, "✎ Question 19")
    assert opened.question is not None
    assert opened.question.key == "f19"
    assert labels(view(step(opened, Typed("Grace"))[0]))[1] == ["✎ Question 0"]


def test_no_view_has_more_buttons_than_telegram_takes() -> None:
    buttons = [{"type": "button", "id": f"b{n}", "properties": {"action": f"a{n}"}} for n in range(MAX_ACTIONS)]
    values = [{"value": n} for n in range(500)]
    options = [{"type": "checklist", "id": f"s{n}", "key": f"s{n}", "values": values} for n in range(100)]
    session = session_from(*options, *buttons)
    for cursor in (0, 50, 100):
        shown = view(replace(session, cursor=cursor, page=1))
        assert sum(map(len, shown.rows)) <= 100
        assert all(button.text.strip() for row in shown.rows for button in row)
