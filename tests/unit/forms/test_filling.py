"""Filling a form from its first question to its answers."""

from bpmn.catalog import Catalog
from forms.session.events import Operation, Pressed, Stale, Submitted, Typed
from forms.session.state import Status
from forms.session.steps import apply_event
from unit.form_sessions import play, session_of

ONBOARDING = Catalog.of_packaged().processes["onboarding"].forms
FAMILY = {
    "id": "family",
    "schemaVersion": 19,
    "components": [
        {"type": "number", "key": "age", "decimalDigits": 0, "validate": {"required": True, "min": "=least"}},
        {"type": "textfield", "key": "parent", "conditional": {"hide": "=age >= 18"}, "validate": {"required": True}},
        {"type": "datetime", "key": "when", "subtype": "datetime", "timeSerializingFormat": "utc_offset"},
        {"type": "group", "path": "more", "components": [{"type": "textarea", "key": "note"}]},
        {
            "type": "dynamiclist",
            "id": "pets",
            "path": "pets",
            "isRepeating": True,
            "allowAddRemove": True,
            "components": [
                {"type": "textfield", "key": "name", "validate": {"required": True}},
                {"type": "checkbox", "key": "big"},
                {"type": "textfield", "key": "cage", "conditional": {"hide": "=not(this.big)"}},
            ],
        },
        {"type": "expression", "key": "number_of_pets", "expression": "=count(pets)", "computeOn": "change"},
    ],
}


def test_complex_form_ends_with_nested_answers() -> None:
    session, outcome = play(
        session_of(FAMILY, least=3),
        Typed("2"),
        Typed("12"),
        Typed("Mum"),
        (Operation.DAY, 739000),
        (Operation.MINUTE, 600),
        Typed("one line"),
        Typed("another"),
        (Operation.DONE, 0),
        (Operation.OPEN, 0),
        Typed("Rex"),
        (Operation.PICK, 0),
        Typed("iron"),
        (Operation.ADD, 0),
        Typed("Cat"),
        (Operation.PICK, 1),
        (Operation.DONE, 0),
        (Operation.SUBMIT, 0),
    )
    assert outcome == Submitted(
        {
            "age": 12,
            "parent": "Mum",
            "when": "2024-04-24T10:00+02:00",
            "more": {"note": "one line\nanother"},
            "pets": [{"name": "Rex", "big": True, "cage": "iron"}, {"name": "Cat", "big": False}],
            "number_of_pets": 2,
        }
    )
    assert session.status is Status.SUBMITTING


def test_what_is_hidden_is_neither_asked_nor_submitted() -> None:
    session, _ = play(session_of(FAMILY, least=3), Typed("30"))
    assert session.cursor == ("when",)


def test_a_single_question_is_submitted_by_its_answer() -> None:
    _, outcome = play(session_of(ONBOARDING["onboarding-language"]), (Operation.PICK, 1))
    assert outcome == Submitted({"locale": "ru"})


def test_the_pressed_action_is_true_and_its_sibling_false() -> None:
    _, outcome = play(session_of(ONBOARDING["onboarding-welcome"]), (Operation.ACT, 1))
    assert outcome == Submitted({"action_join": False, "action_later": True}, "action_later")


def test_a_form_that_is_submitted_is_stale_for_everything() -> None:
    session, _ = play(session_of(ONBOARDING["onboarding-language"]), (Operation.PICK, 1))
    assert play(session, (Operation.PICK, 0)) == (session, Stale())
    assert play(session, Typed("en")) == (session, Stale())


def test_a_button_of_an_older_view_is_stale_and_changes_nothing() -> None:
    session, _ = play(session_of(ONBOARDING["onboarding-profile"]), Typed("Ada"))
    assert apply_event(session, Pressed(0, Operation.PICK, 1)) == (session, Stale())
