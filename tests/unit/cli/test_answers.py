"""Answers given by options and files: read as their fields mean them, in any order, or refused in words."""

from pathlib import Path
from typing import Any

import pytest

from baton.cli.errors import AnswersRefused, ApiRefused, Usage, exit_code, list_error_entries
from baton.cli.forms.answers import GivenAnswers, read_object
from bpmn.errors import EngineConflict, EngineFault, EngineUnavailable, ModelUnreadable
from forms.session.state import FormSession, Subject
from forms.session.steps import open_session
from kit.errors import BatonError, ConfigurationError

COMPONENTS: list[dict[str, Any]] = [
    {"type": "textarea", "key": "words", "label": "Words", "conditional": {"hide": "=not(gift)"}},
    {"type": "checkbox", "key": "gift", "label": "Gift"},
    {"type": "number", "key": "age", "label": "Age", "validate": {"min": 18}},
    {
        "type": "dynamiclist",
        "id": "pets",
        "path": "pets",
        "label": "Pets",
        "isRepeating": True,
        "allowAddRemove": True,
        "defaultRepetitions": 0,
        "components": [{"type": "textfield", "key": "name", "label": "Name"}],
    },
]


def answers() -> GivenAnswers:
    schema: dict[str, Any] = {"id": "f", "schemaVersion": 19, "components": COMPONENTS}
    return GivenAnswers(
        open_session(FormSession("abcdefgh", Subject("t", "t", "i"), "u", "en", "UTC", "T", schema, {}))
    )


def test_answer_may_precede_the_one_showing_its_field() -> None:
    given = answers()
    given.set(["words=For you", "gift=yes"])
    assert given.apply() == {"words": "For you", "gift": True}


def test_items_of_a_list_may_come_in_any_order() -> None:
    given = answers()
    given.set(["pets.1.name=Tom", "pets.0.name=Rex"])
    assert given.apply() == {"pets": [{"name": "Rex"}, {"name": "Tom"}]}


def test_what_never_appears_is_refused_with_all_other_mistakes() -> None:
    given = answers()
    given.set(["words=For you", "age=12", "pets.7.name=Rex"])
    with pytest.raises(AnswersRefused) as refusal:
        given.apply()
    found = {entry["field"]: entry["code"] for entry in refusal.value.errors}
    assert found == {"age": "too_small", "words": "not_in_form", "pets.7.name": "not_in_form"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "holds no JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"age": 1e400}', "too large"),
        (b'{"age": NaN}', "no number of JSON"),
        (b'{"age": ' + b"1" * 5000 + b"}", "holds no JSON"),
        (b"[1]", "one JSON object"),
        (b" " * (10 * 2**20 + 1), "too long"),
    ],
    ids=["bytes", "deep", "infinite", "nan", "digits", "array", "long"],
)
def test_a_file_that_holds_no_answers_is_said_to(content: bytes, said: str, tmp_path: Path) -> None:
    (path := tmp_path / "answers.json").write_bytes(content)
    with pytest.raises(Usage, match=said):
        read_object(str(path))


def test_programs_are_told_a_code_for_every_refusal() -> None:
    assert list_error_entries(Usage("so not")) == [{"code": "usage", "message": "so not"}]
    gone = ApiRefused("gone", 410, {"code": "completed_elsewhere"})
    assert list_error_entries(gone) == [{"code": "completed_elsewhere", "message": "gone"}]
    told: list[dict[str, object]] = [{"field": "age", "code": "required", "message": "is needed"}]
    assert list_error_entries(AnswersRefused(told)) == told


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Usage("so not"), 2),
        (AnswersRefused([]), 2),
        (ModelUnreadable("a.form: not JSON"), 2),
        (ConfigurationError("there is no module nix"), 2),
        (ApiRefused("not yours", 403, {}), 3),
        (ApiRefused("the script failed", 500, {"code": "engine_fault"}), 3),
        (ApiRefused("broken", 500, {"code": "failed"}), 1),
        (ApiRefused("away", 503, {"code": "engine_unavailable"}), 1),
        (EngineFault("deploy", message="the script failed"), 3),
        (EngineConflict("deploy", message="two at once"), 3),
        (EngineUnavailable("deploy", message="away"), 1),
        (BatonError("something else"), 1),
    ],
)
def test_exit_codes_say_who_refused(error: BatonError, code: int) -> None:
    assert exit_code(error) == code
