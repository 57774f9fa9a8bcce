"""Form sessions as Telegram messages: every widget, the summary, and what is asked at the end."""

from datetime import UTC, date, datetime

import pytest

from bpmn.catalog import Catalog
from bpmn.file_reference import FileReference
from forms.errors import ButtonUnreadable, FormError
from forms.model import FieldError
from forms.session.events import Operation, Pressed, PutAside, Submitted, Typed, Uploaded
from forms.session.state import FormSession, Subject
from forms.session.steps import apply_event, open_session
from forms.telegram import Expects, build_closed_view, build_superseded_view, decode, encode, render_view
from unit.form_sessions import session_from, session_of
from unit.telegram_chat import event_of, flat, labels, play

ONBOARDING = Catalog.of_packaged().processes["onboarding"].forms
OPTIONS = [{"value": f"v{number}", "label": f"Option {number}"} for number in range(20)]
PETS = {
    "type": "dynamiclist",
    "id": "pets",
    "path": "pets",
    "label": "Pets",
    "isRepeating": True,
    "allowAddRemove": True,
    "defaultRepetitions": 0,
    "components": [
        {"type": "textfield", "key": "name", "label": "Pet", "validate": {"required": True}},
        {"type": "checkbox", "key": "big", "label": "Big?"},
    ],
}


def test_a_text_question_shows_progress_and_asks_to_type() -> None:
    shown = render_view(session_of(ONBOARDING["onboarding-profile"]))
    assert "1 of 4" in shown.text
    assert "<i>This is how others will see you</i>" in shown.text
    assert "Please type your answer." in shown.text
    assert shown.expects is Expects.TEXT
    assert shown.reply is not None
    assert 1 <= len(shown.reply.placeholder) <= 64
    assert flat(shown) == ["✕ Cancel"]


def test_a_person_can_walk_through_by_labels_alone() -> None:
    session = play(session_of(ONBOARDING["onboarding-profile"]), Typed("Ada"))
    assert labels(render_view(session))[:2] == [["Developer"], ["Designer"]]
    session = play(session, "Developer", "Yes", "Solana")
    assert ["☑ Solana"] in labels(render_view(session))
    assert "Done (1)" in flat(render_view(session))
    session = play(session, "Done")
    summary = render_view(session)
    assert labels(summary)[0] == ["Submit"]
    assert "<b>Ada</b>" in summary.text
    outcome = apply_event(session, event_of(session, "Submit"))[1]
    assert isinstance(outcome, Submitted)


def test_everything_speaks_russian_in_russian() -> None:
    session = play(session_of(ONBOARDING["onboarding-profile"], "ru"), Typed("Ада"))
    assert "2 из 4" in render_view(session).text
    session = play(session, "Разработчик")
    assert labels(render_view(session)) == [["Да", "Нет"], ["Пропустить"], ["‹ Назад", "✕ Отмена"]]


def test_a_required_question_is_marked_and_cannot_be_skipped() -> None:
    required = {"type": "textfield", "key": "a", "label": "Name", "validate": {"required": True}}
    shown = render_view(session_from(required, {"type": "textfield", "key": "b", "label": "Town"}))
    assert "<b>Name *</b>" in shown.text
    assert "Skip" not in flat(shown)
    assert "Skip" in flat(render_view(play(session_from(required, {"type": "textfield", "key": "b"}), Typed("Ada"))))


def test_an_answer_that_is_there_can_be_kept_or_left_empty() -> None:
    session = session_from(
        {"type": "textfield", "key": "name", "label": "Name"}, {"type": "textfield", "key": "x"}, name="Ada"
    )
    assert labels(render_view(session)) == [["Keep: Ada"], ["Leave empty", "✕ Cancel"]]
    assert play(session, "Keep").get_value(("name",)) == "Ada"
    assert play(session, "Leave empty").get_value(("name",)) == ""


def test_a_unit_is_told_with_the_question() -> None:
    unit = {"prefixAdorner": "about", "suffixAdorner": "kg"}
    weight = {"type": "number", "key": "w", "label": "Weight", "appearance": unit, "validate": {"required": True}}
    assert "<b>Weight (about, kg) *</b>" in render_view(session_from(weight)).text


def test_of_three_ways_on_a_long_one_has_a_row_of_its_own() -> None:
    session = session_from({"type": "textfield", "key": "a"}, {"type": "textfield", "key": "b"}, b="x")
    assert labels(render_view(play(session, Typed("y"))))[1:] == [["Leave empty"], ["‹ Back", "✕ Cancel"]]


def test_a_problem_stands_above_the_question() -> None:
    shown = render_view(session_of(ONBOARDING["onboarding-profile"]), FieldError("too_long", {"max": 60, "length": 99}))
    assert "⚠️ Too long: 99 characters, the maximum is 60." in shown.text


def test_a_long_text_is_written_in_several_messages_until_done() -> None:
    session = session_from({"type": "textarea", "key": "note", "label": "Note"}, {"type": "textfield", "key": "x"})
    session = play(session, Typed("first"), Typed("<second>"))
    shown = render_view(session)
    assert "<blockquote>first\n&lt;second&gt;</blockquote>" in shown.text
    assert "Keep typing, or press Done." in shown.text
    assert play(session, "Done").get_value(("note",)) == "first\n<second>"


def test_a_handful_of_numbers_are_buttons() -> None:
    number = {"type": "number", "key": "n", "label": "N", "validate": {"min": 1, "max": 5}}
    session = session_from(number, {"type": "textfield", "key": "x"})
    assert labels(render_view(session))[0] == ["1", "2", "3", "4", "5"]
    session = play(session, "4")
    assert session.get_value(("n",)) == 4
    assert labels(render_view(play(session, "Back"))) == [["1", "2", "3", "✓ 4", "5"], ["Leave empty", "✕ Cancel"]]
    more = session_from(number | {"validate": {"min": 1, "max": 7}})
    assert labels(render_view(more))[:2] == [["1", "2", "3", "4"], ["5", "6", "7"]]


def test_numbers_in_steps_of_tenths_are_exact() -> None:
    number = {"type": "number", "key": "n", "increment": "0.1", "validate": {"min": 0.05, "max": 0.5}}
    session = session_from(number, {"type": "textfield", "key": "x"})
    assert labels(render_view(session))[0] == ["0.1", "0.2", "0.3", "0.4", "0.5"]
    assert play(session, "0.3").get_value(("n",)) == 0.3


def test_a_number_is_counted_up_and_down_within_its_limits() -> None:
    number = {"type": "number", "key": "n", "label": "N", "validate": {"min": 0, "max": 15}}
    session = session_from(number, {"type": "textfield", "key": "x"})
    assert labels(render_view(session))[0] == ["0"]
    session = play(session, "0")
    assert labels(render_view(session))[:2] == [["+1", "+5"], ["Keep: 0"]]
    session = play(session, "+5", "+5", "+1")
    assert labels(render_view(session))[0] == ["−5", "−1", "+1"]
    assert play(session, "−5", "Keep").get_value(("n",)) == 6


def test_contact_or_location_is_asked_by_a_share_button() -> None:
    for accepts, word in (("contact", "phone number"), ("location", "location")):
        field = {"type": "textfield", "key": "x", "label": "X", "properties": {"accepts": accepts}}
        shown = render_view(session_from(field))
        assert shown.expects == accepts
        assert shown.reply is not None
        assert shown.reply.share is shown.expects
        assert word in shown.reply.share_label


def test_going_back_marks_what_was_chosen() -> None:
    session = play(session_of(ONBOARDING["onboarding-profile"]), Typed("Ada"), "Designer")
    back = play(session, "Back")
    assert ["✓ Designer"] in labels(render_view(back))
    assert labels(render_view(play(back, "Back")))[0] == ["Keep: Ada"]


def test_a_question_that_nobody_answered_has_nothing_chosen() -> None:
    session = session_from({"type": "checkbox", "key": "a", "label": "A"}, {"type": "textfield", "key": "x"})
    assert labels(render_view(session))[0] == ["Yes", "No"]
    assert labels(render_view(play(session, "No", "Back")))[0] == ["Yes", "✓ No"]


def test_many_options_turn_pages_and_say_which_page_it_is() -> None:
    session = session_from({"type": "select", "key": "s", "values": OPTIONS}, {"type": "textfield", "key": "x"})
    assert ["1/3", "›"] in labels(render_view(session))
    last = play(session, "›", "›")
    assert labels(render_view(last))[0] == ["Option 16"]
    assert ["‹", "3/3"] in labels(render_view(last))
    assert play(last, "Option 19").get_value(("s",)) == "v19"


def test_search_keeps_the_index_of_options() -> None:
    session = session_from({"type": "select", "key": "s", "values": OPTIONS}, {"type": "textfield", "key": "x"})
    found = play(session, Typed("tion 1"))
    assert len([label for label in flat(render_view(found)) if label.startswith("Option")]) == 8
    assert "✕ tion 1" in flat(render_view(found))
    assert "Results for “tion 1”: 11." in render_view(found).text
    second = play(found, "›")
    assert labels(render_view(second))[0] == ["Option 17"]
    assert event_of(second, "Option 17") == Pressed(second.revision, Operation.PICK, 17)
    assert play(second, "Option 17").get_value(("s",)) == "v17"
    assert labels(render_view(play(found, "✕ tion 1")))[0] == ["Option 0"]


def test_several_options_are_gathered_over_searches() -> None:
    session = session_from({"type": "taglist", "key": "s", "values": OPTIONS}, {"type": "textfield", "key": "x"})
    session = play(session, "Option 3", Typed("tion 19"), "Option 19", "✕", Typed("Option 5"))
    assert session.get_value(("s",)) == ["v3", "v19", "v5"]
    assert "Done (3)" in flat(render_view(session))


def test_without_options_there_is_a_way_out() -> None:
    session = session_from({"type": "select", "key": "s", "valuesKey": "none"}, {"type": "textfield", "key": "x"})
    assert "There are no options to choose from." in render_view(session).text
    assert flat(render_view(session)) == ["Skip", "✕ Cancel"]


def uploaded(*names: str) -> Uploaded:
    return Uploaded(
        tuple(
            FileReference(path=f"a/{number}", sha256="0" * 64, size_bytes=3, content_type="image/png", name=name)
            for number, name in enumerate(names)
        )
    )


def test_files_say_what_is_taken_and_can_be_removed() -> None:
    picker = {"type": "filepicker", "key": "f", "label": "Proof", "multiple": True, "accept": "image/*,.pdf"}
    session = session_from(picker, {"type": "textfield", "key": "x"})
    shown = render_view(session)
    assert shown.expects is Expects.FILE
    assert "Accepted here: pictures, PDF." in shown.text
    assert "20 MB" in shown.text
    session = play(session, uploaded("a.png", "b<i>.png"))
    assert labels(render_view(session))[:3] == [["✕ a.png"], ["✕ b<i>.png"], ["Done (2)"]]
    assert "📎 b&lt;i&gt;.png" in render_view(session).text
    assert labels(render_view(play(session, "✕ a.png")))[0] == ["✕ b<i>.png"]


def test_a_list_shows_its_items_in_a_line_each() -> None:
    session = session_from(PETS, {"type": "textfield", "key": "x"})
    assert "The list is empty." in render_view(session).text
    session = play(session, "+ Add")
    assert "Pets 1 › 1 of 2" in render_view(session).text
    session = play(session, Typed("Rex"), "Yes", "+ Add", Typed("Cat"), "No")
    assert "1. Rex · Big? Yes" in render_view(session).text
    assert labels(render_view(session))[:2] == [["✎ 1. Rex", "✕ 1"], ["✎ 2. Cat", "✕ 2"]]
    session = play(session, "✕ 1", "✎ 1")
    assert "Keep: Cat" in flat(render_view(session))
    assert "1. Cat · Big? No" in render_view(play(session, "Back", "Done", "Skip")).text


def test_a_list_of_many_items_turns_pages_and_points_to_the_web() -> None:
    session = session_from(PETS, pets=[{"name": f"Pet {number}"} for number in range(30)])
    shown = render_view(session)
    assert "A list of 30 items is easier to fill in on the web." in shown.text
    assert ["1/4", "›"] in labels(shown)
    assert "✎ 30. Pet 29" in flat(render_view(play(session, "›", "›", "›")))


def test_what_cannot_be_changed_is_shown_in_its_place() -> None:
    session = session_from(
        {"type": "textfield", "key": "a", "label": "A"},
        {"type": "textfield", "key": "r", "label": "Known", "readonly": True},
        {"type": "textfield", "key": "d", "label": "Off", "disabled": True},
        {"type": "expression", "key": "e", "label": "Twice", "expression": "=n*2", "computeOn": "change"},
        {"type": "expression", "key": "silent", "expression": "=n*3", "computeOn": "change"},
        {"type": "textfield", "key": "h", "label": "Hidden", "conditional": {"hide": "=true"}},
        {"type": "textfield", "key": "b", "label": "B"},
        r="<r>",
        n=21,
    )
    assert "Known" not in render_view(session).text
    second = render_view(play(session, Typed("x"))).text
    assert "Known\n<b>&lt;r&gt;</b>\nOff\n<b>—</b>\nTwice\n<b>42</b>" in second
    assert "63" not in second
    assert "Hidden" not in second
    assert "Known\n<b>&lt;r&gt;</b>" in render_view(play(session, Typed("x"), Typed("y"))).text


def test_an_unknown_component_is_named_and_the_form_goes_on() -> None:
    session = session_from({"type": "hologram", "label": "Me"}, {"type": "textfield", "key": "a", "label": "A"})
    assert "hologram “Me”" in render_view(session).text
    assert "<b>A</b>" in render_view(session).text


def test_the_summary_names_groups_and_what_is_required() -> None:
    group = {
        "type": "group",
        "label": "Home",
        "components": [{"type": "textfield", "key": "town", "label": "Town", "validate": {"required": True}}],
    }
    session = play(session_from({"type": "textfield", "key": "a", "label": "A"}, group), "Skip", Typed("Ur"))
    assert "A\n<b>—</b>\n\n<b><u>Home</u></b>\nTown *\n<b>Ur</b>" in render_view(session).text


def test_the_summary_of_many_answers_turns_pages() -> None:
    asked = [{"type": "textfield", "id": f"f{n}", "key": f"f{n}", "label": f"Question {n}"} for n in range(20)]
    session = play(session_from(*asked), *[Typed("Ada")] * 20)
    assert labels(render_view(session))[:2] == [["Submit"], ["✎ Question 0"]]
    last = play(session, "›", "›")
    assert labels(render_view(last)) == [
        ["Submit"],
        *[[f"✎ Question {n}"] for n in range(16, 20)],
        ["‹", "3/3"],
        ["‹ Back", "✕ Cancel"],
    ]
    edited = play(last, "✎ Question 19")
    assert edited.cursor == ("f19",)
    assert labels(render_view(play(edited, Typed("Grace"))))[1] == ["✎ Question 0"]


def test_leaving_several_answers_asks_first() -> None:
    asked = [{"type": "textfield", "key": f"f{n}", "label": f"F{n}"} for n in range(5)]
    session = play(session_from(*asked), Typed("a"), Typed("b"), Typed("c"), "Cancel")
    assert labels(render_view(session)) == [["Save for later", "‹ Continue"]]
    assert render_view(play(session, "Continue")).text.endswith("Please type your answer.")
    assert isinstance(apply_event(session, event_of(session, "Save for later"))[1], PutAside)


def test_actions_have_styles_and_confirmations() -> None:
    session = session_from(
        {"type": "text", "text": "Sure?"},
        {"type": "button", "label": "Delete", "properties": {"action": "del", "style": "danger", "confirm": "true"}},
        {"type": "button", "label": "Keep it", "properties": {"action": "no", "style": "loud"}},
    )
    shown = render_view(session)
    assert labels(shown) == [["Delete"], ["Keep it"]]
    assert [row[0].style for row in shown.rows] == ["danger", ""]
    sure = play(session, "Delete")
    assert "Confirm “Delete”?" in render_view(sure).text
    assert labels(render_view(sure)) == [["Delete", "‹ Back"]]
    assert labels(render_view(play(sure, "Back"))) == [["Delete"], ["Keep it"]]
    outcome = apply_event(sure, event_of(sure, "Delete"))[1]
    assert isinstance(outcome, Submitted)
    assert outcome.action == "del"


def test_secrets_are_asked_at_the_very_end_and_never_shown() -> None:
    secret = {"type": "textfield", "key": "pw", "label": "Password", "properties": {"sensitive": "true"}}
    session = play(session_from({"type": "textfield", "key": "a", "label": "A"}, secret), Typed("x"))
    assert "Password — 🔒 you will be asked at the end" in render_view(session).text
    session = play(session, "Submit")
    shown = render_view(session)
    assert "not stored" in shown.text
    assert shown.expects is Expects.TEXT
    after, outcome = apply_event(session, Typed("hunter2"))
    assert isinstance(outcome, Submitted)
    assert "hunter2" not in build_closed_view(after).text


def test_what_stays_of_a_finished_form_has_no_buttons() -> None:
    shown = build_closed_view(session_of(ONBOARDING["onboarding-welcome"], answer="Hi Ada"), "Join the community")
    assert shown.rows == ()
    assert "Hi Ada" in shown.text
    assert "✅ Join the community" in shown.text


def test_form_completed_elsewhere_says_by_whom_and_when() -> None:
    session = session_of(ONBOARDING["onboarding-profile"])
    at = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)
    shown = build_superseded_view(session, by="Grace <G>", surface="web", at=at)
    assert "✅ Grace &lt;G&gt; completed this on the web (11/25/26, 1:03\u202fPM)." in shown.text
    assert shown.rows == ()
    assert "✅ Grace completed this elsewhere." in build_superseded_view(session, by="Grace").text


def test_cancelled_form_says_answers_were_not_used() -> None:
    session = session_of(ONBOARDING["onboarding-profile"])
    assert "✕ This task is closed. Your answers were not sent." in build_superseded_view(session).text
    at = datetime(2026, 11, 25, 12, 3, tzinfo=UTC)
    assert "closed (11/25/26, 1:03\u202fPM). Your answers" in build_superseded_view(session, at=at).text


@pytest.mark.parametrize("data", ["", "x", "f:a:b:c:d", "f:abc:1:z:0", "g:abc:1:p:0", "f:abc:1:p"])
def test_a_button_of_someone_else_is_refused(data: str) -> None:
    with pytest.raises(ButtonUnreadable):
        decode(data)


def test_a_session_id_that_is_too_long_for_telegram_is_refused() -> None:
    session = FormSession("x" * 60, Subject("t", "k"), "u", "en", "UTC", "", ONBOARDING["onboarding-language"], {})
    with pytest.raises(FormError, match="64 bytes"):
        encode(session, Operation.PICK)
    with pytest.raises(FormError, match="64 bytes"):
        render_view(open_session(session))


def test_the_farthest_day_still_fits_into_a_button() -> None:
    session = session_of(ONBOARDING["onboarding-language"])
    for operation in Operation:
        data = encode(session, operation, date.max.toordinal())
        assert len(data.encode()) <= 64
        assert decode(data)[1].operation is operation
