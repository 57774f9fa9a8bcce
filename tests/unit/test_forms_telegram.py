"""Form sessions as Telegram messages."""

import html
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpmn.catalog import Catalog
from forms.camunda import read_form
from forms.errors import ButtonUnreadable, FormError
from forms.model import Problem
from forms.session import FormSession, Operation, Pressed, Typed, open_session, step
from forms.telegram import MAX_DATA_BYTES, MAX_TEXT_UNITS, TelegramView, closed_view, decode, encode, view

FORMS = Catalog.packaged().processes["onboarding"].forms


def session_of(form_id: str, locale: str = "en", variables: dict[str, object] | None = None) -> FormSession:
    form = read_form(FORMS[form_id], locale=locale, variables=variables)
    return open_session(FormSession("abcdefgh", "task", "instance", "user", locale, "Title", form), {})


def session_from(*components: dict[str, Any]) -> FormSession:
    form = read_form({"id": "form", "components": list(components)})
    return open_session(FormSession("abcdefgh", "task", "instance", "user", "en", "Title", form), {})


def labels(shown: TelegramView) -> list[list[str]]:
    return [[button.text for button in row] for row in shown.rows]


def press(session: FormSession, label: str) -> FormSession:
    """Press the button as Telegram would: by the data it carries."""
    button = next(button for row in view(session).rows for button in row if label in button.text)
    session_id, event = decode(button.data)
    assert session_id == session.id
    return step(session, event)[0]


def test_a_text_question_shows_progress_and_asks_to_type() -> None:
    shown = view(session_of("onboarding-profile"))
    assert shown.expects_text
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
    plain = html.unescape(re.sub(r"</?[bi]>", "", shown.text))
    assert len(plain.encode("utf-16-le")) // 2 <= MAX_TEXT_UNITS
    assert len(re.findall(r"<(?:b|i)>", shown.text)) == len(re.findall(r"</(?:b|i)>", shown.text))
