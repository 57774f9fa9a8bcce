"""Form sessions as prompts of a terminal, and what the answers mean."""

import pytest

from forms.kinds.widgets import MarkdownContent
from forms.session.events import Operation, Render, Submitted, Typed
from forms.terminal import (
    Act,
    Heading,
    LinePrompt,
    MarksPrompt,
    MenuPrompt,
    PathsPrompt,
    SpokenBlock,
    build_prompt,
    list_blocks,
    read_line,
    read_marks,
    read_path,
    read_typed,
)
from forms.terminal.plain import to_plain_text
from unit.form_sessions import play, session_from

PETS = {
    "type": "dynamiclist",
    "id": "pets",
    "path": "pets",
    "label": "Pets",
    "isRepeating": True,
    "allowAddRemove": True,
    "components": [{"type": "textfield", "key": "name", "label": "Name", "validate": {"required": True}}],
}


def entry(prompt: object, label: str) -> Act:
    assert isinstance(prompt, MenuPrompt)
    return next(found.act for found in prompt.entries if label in found.label)


def test_a_text_is_a_line_with_its_default_and_its_place() -> None:
    prompt = build_prompt(
        session_from(
            {"type": "textfield", "key": "a", "label": "A", "description": "as you like", "defaultValue": "x"},
            {"type": "textfield", "key": "b", "label": "B"},
        )
    )
    assert prompt == LinePrompt("A (1 of 2)", "as you like", "x", may_skip=True)


@pytest.mark.parametrize(
    ("line", "typed", "acts"),
    [
        (LinePrompt("m"), "Ada", (Typed("Ada"),)),
        (LinePrompt("m"), "", (Typed(""),)),
        (LinePrompt("m", may_skip=True), " ", ((Operation.SKIP, 0),)),
        (LinePrompt("m", default="x", may_skip=True), "x", ((Operation.DONE, 0),)),
        (LinePrompt("m", default="x", may_skip=True), "", ((Operation.SKIP, 0),)),
        (LinePrompt("m", default="x"), "", (Typed(""),)),
        (LinePrompt("m", default="a\nb", several=True), "a\nb", ((Operation.DONE, 0),)),
        (LinePrompt("m", several=True), "a\nb", (Typed("a\nb"), (Operation.DONE, 0))),
        (LinePrompt("m"), ":back", ((Operation.BACK, 0),)),
        (LinePrompt("m", is_secret=True, may_skip=True), " ", (Typed(" "),)),
    ],
)
def test_what_is_typed_becomes_acts(line: LinePrompt, typed: str, acts: tuple[Act, ...]) -> None:
    assert read_line(line, typed) == acts


def test_choices_are_a_menu_and_several_are_marks() -> None:
    options = [{"value": "a", "label": "Apple"}, {"value": "b", "label": "Pear"}]
    session = session_from(
        {"type": "radio", "key": "one", "label": "One", "values": options, "defaultValue": "b"},
        {"type": "checklist", "key": "many", "label": "Many", "values": options, "defaultValue": ["a"]},
    )
    prompt = build_prompt(session)
    assert isinstance(prompt, MenuPrompt)
    assert ([found.label for found in prompt.entries], prompt.default) == (["Apple", "Pear", "Skip"], 1)
    session, _ = play(session, entry(prompt, "Apple"))
    marks = build_prompt(session)
    assert isinstance(marks, MarksPrompt)
    assert prompt.is_numbered
    assert (marks.labels, marks.chosen) == (("Apple", "Pear"), frozenset({0}))
    session, _ = play(session, *read_marks(marks, [1]))
    assert (session.data["one"], session.data["many"]) == ("a", ["b"])


def test_a_list_is_a_menu_of_its_items() -> None:
    session = session_from(PETS)
    session, _ = play(session, entry(build_prompt(session), "✎ 1."), Typed("Rex"))
    session, _ = play(session, entry(build_prompt(session), "Add"), Typed("Tom"))
    prompt = build_prompt(session)
    assert [found.label for found in prompt.entries][:3] == ["Done", "✎ 1. Rex", "✎ 2. Tom"]  # type: ignore[union-attr]
    session, _ = play(session, entry(prompt, "✕ 1."))
    session, _ = play(session, entry(build_prompt(session), "Done"))
    session, outcome = play(session, entry(build_prompt(session), "Submit"))
    assert outcome == Submitted({"pets": [{"name": "Tom"}]})


def test_the_summary_says_all_answers_and_leads_back_to_each() -> None:
    session, _ = play(
        session_from({"type": "textfield", "key": "a", "label": "A"}, PETS), Typed("x"), (Operation.DONE, 0)
    )
    assert list_blocks(session)[:2] == (Heading("Title"), SpokenBlock("A", "x"))
    prompt = build_prompt(session)
    assert [found.label for found in prompt.entries] == ["Submit", "✎ A", "✎ Pets", "✕ Cancel"]  # type: ignore[union-attr]


def test_only_contents_before_the_question_are_shown() -> None:
    session = session_from(
        {"type": "text", "text": "# Hello {{who}}"},
        {"type": "textfield", "key": "ro", "label": "Fixed", "readonly": True, "defaultValue": "v"},
        {"type": "textfield", "key": "a", "label": "A"},
        {"type": "group", "label": "More", "components": [{"type": "textfield", "key": "b", "label": "B"}]},
        who="Ada",
    )
    assert list_blocks(session) == (MarkdownContent("# Hello Ada"), SpokenBlock("Fixed", "v"))
    session, _ = play(session, Typed("x"))
    assert list_blocks(session) == (Heading("More"),)


def test_files_are_paths_and_secrets_are_not_shown() -> None:
    session = session_from(
        {"type": "filepicker", "key": "f", "label": "F", "accept": ".pdf", "multiple": True},
        {"type": "textfield", "key": "pin", "label": "PIN", "properties": {"sensitive": "true"}},
    )
    assert build_prompt(session) == PathsPrompt("F", ".pdf", several=True, may_skip=True)
    session, _ = play(session, (Operation.SKIP, 0), (Operation.SUBMIT, 0))
    secret = build_prompt(session)
    assert isinstance(secret, LinePrompt)
    assert (secret.message, secret.is_secret) == ("PIN", True)
    _, outcome = play(session, Typed("1234"))
    assert outcome == Submitted({"f": None, "pin": "1234"})


def test_a_button_that_asks_once_more_is_a_menu() -> None:
    delete = {"type": "button", "label": "Delete", "properties": {"action": "action_delete", "confirm": "true"}}
    session = session_from({"type": "textfield", "key": "a", "label": "A"}, {**delete, "action": "submit"})
    session, _ = play(session, Typed("x"), (Operation.ACT, 0))
    prompt = build_prompt(session)
    assert [found.label for found in prompt.entries] == ["Delete", "‹ Back"]  # type: ignore[union-attr]


def test_html_becomes_lines_without_scripts() -> None:
    html = "<h1>Hi</h1><p>a <b>b</b><script>alert(1)</script></p><ul><li>x</li></ul><a href='https://e.org'>E</a>"
    assert to_plain_text(html) == "Hi\na b\n- x\nE (https://e.org)"


MOMENTS = [("date", "2026-11-25"), ("datetime", "2026-11-25 14:30"), ("time", "14:30")]
AFTER = {"type": "textfield", "key": "after", "label": "After"}


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize(("subtype", "typed"), MOMENTS)
def test_moment_stands_in_the_line_as_it_is_typed(locale: str, subtype: str, typed: str) -> None:
    session = session_from({"type": "datetime", "key": "d", "label": "D", "subtype": subtype}, AFTER, locale=locale)
    session, _ = play(session, Typed(typed))
    known = session.data["d"]
    session, _ = play(session, (Operation.BACK, 0))
    prompt = build_prompt(session)
    assert isinstance(prompt, LinePrompt)
    assert prompt.default == typed
    session, outcome = play(session, *read_line(prompt, prompt.default))
    assert (outcome, session.data["d"], session.cursor) == (Render(), known, ("after",))


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize(("subtype", "typed"), MOMENTS)
def test_what_is_shown_as_an_example_can_be_typed(locale: str, subtype: str, typed: str) -> None:
    session = session_from({"type": "datetime", "key": "d", "label": "D", "subtype": subtype}, AFTER, locale=locale)
    prompt = build_prompt(session)
    assert isinstance(prompt, LinePrompt)
    examples = prompt.hint.partition(";")[0].split(", ")
    assert typed in examples
    assert len(examples) == (1 if subtype == "time" else 3)
    for example in examples:
        assert play(session, Typed(example))[1] == Render(), example


def test_differing_answer_is_echoed_and_a_secret_never() -> None:
    day = {"type": "datetime", "key": "d", "label": "D", "subtype": "date"}
    session = session_from(day, AFTER, {**AFTER, "key": "pin", "properties": {"sensitive": "true"}})
    dated, _ = play(session, Typed("11/25/26"))
    assert read_typed(session, dated, "11/25/26") == "November 25, 2026"
    told, _ = play(dated, Typed(" x "))
    assert read_typed(dated, told, " x ") == ""
    ended, _ = play(told, (Operation.SUBMIT, 0))
    done, _ = play(ended, Typed("1234"))
    assert read_typed(ended, done, "1234") == ""


def test_a_number_with_a_unit_is_kept_by_enter() -> None:
    euro = {"type": "number", "key": "n", "label": "N", "defaultValue": 5, "appearance": {"prefixAdorner": "€"}}
    session = session_from(euro, AFTER)
    prompt = build_prompt(session)
    assert isinstance(prompt, LinePrompt)
    session, outcome = play(session, *read_line(prompt, prompt.default))
    assert (outcome, session.data["n"]) == (Render(), 5)


@pytest.mark.parametrize(("component", "ways"), [("radio", ["✕ Cancel"]), ("checklist", ["✕ Cancel"])])
def test_a_choice_without_options_is_no_dead_end(component: str, ways: list[str]) -> None:
    empty = {"type": component, "key": "r", "label": "R", "valuesKey": "none", "validate": {"required": True}}
    prompt = build_prompt(session_from(empty, AFTER))
    assert isinstance(prompt, MenuPrompt)
    assert ([found.label for found in prompt.entries], prompt.hint) == (ways, "There are no options to choose from.")


def test_lists_lead_back_and_say_where_one_is() -> None:
    session, _ = play(session_from(AFTER, PETS), Typed("x"))
    assert build_prompt(session).message == "Pets (2 of 2)"
    inside, _ = play(session, entry(build_prompt(session), "✎ 1."))
    assert build_prompt(inside).message == "Name * (Pets 1)"
    session, _ = play(session, entry(build_prompt(session), "Back"))
    assert session.cursor == ("after",)


def test_a_path_is_a_file_and_words_with_a_colon_are_acts() -> None:
    prompt = PathsPrompt("F", several=True, may_skip=True, names=("a.pdf", "b.pdf"))
    assert read_path(prompt, "cat.pdf") is None
    assert read_path(prompt, ":back") == ((Operation.BACK, 0),)
    assert read_path(prompt, ":remove 2") == ((Operation.REMOVE, 1),)
    assert read_path(prompt, "") == ((Operation.DONE, 0),)
    assert read_path(PathsPrompt("F", may_skip=True), "") == ((Operation.SKIP, 0),)
    assert read_path(PathsPrompt("F"), "") == ((Operation.DONE, 0),)
