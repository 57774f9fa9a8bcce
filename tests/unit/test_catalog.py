"""The process catalog, from the packaged models and from folders."""

from pathlib import Path

import pytest

from bpmn.catalog import Catalog
from bpmn.errors import ModelUnreadable

PACKAGED = Catalog.of_packaged()
ONBOARDING = PACKAGED.processes["onboarding"]


def test_the_onboarding_is_packaged_with_its_forms_and_its_topic() -> None:
    assert [(task.id, task.form_id) for task in ONBOARDING.user_tasks] == [
        ("choose-language", "onboarding-language"),
        ("tell-us", "onboarding-profile"),
        ("welcome", "onboarding-welcome"),
    ]
    assert [(use.topic, use.inputs) for use in ONBOARDING.topics] == [("llm-answer", ("question", "locale"))]
    assert set(ONBOARDING.resources) == {"onboarding.bpmn", *(f"{form}.form" for form in ONBOARDING.forms)}


def test_titles_are_local_and_fall_back() -> None:
    assert (ONBOARDING.find_title(), ONBOARDING.find_title("ru"), ONBOARDING.find_title("de")) == (
        "Onboarding",
        "Знакомство",
        "Onboarding",
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<not xml", "not well-formed"),
        ("<html/>", "not bpmn:definitions"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a/>', "document type"),
        ('<d:definitions xmlns:d="http://www.omg.org/spec/BPMN/20100524/MODEL"/>', "no executable process"),
    ],
)
def test_a_file_that_is_no_model_is_named_with_the_reason(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "odd.bpmn").write_text(content)
    with pytest.raises(ModelUnreadable, match=rf"odd\.bpmn.*{reason}"):
        Catalog.from_folder(tmp_path)


def test_a_form_that_is_missing_is_named_with_the_task(tmp_path: Path) -> None:
    (tmp_path / "onboarding.bpmn").write_bytes(ONBOARDING.resources["onboarding.bpmn"])
    with pytest.raises(ModelUnreadable, match=r"choose-language.*onboarding-language"):
        Catalog.from_folder(tmp_path)


def test_one_key_in_two_files_names_both(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name, content in ONBOARDING.resources.items():
            (tmp_path / folder / name).write_bytes(content)
    with pytest.raises(ModelUnreadable, match=r"a/onboarding\.bpmn.*b/onboarding\.bpmn"):
        Catalog.from_folder(tmp_path)


def test_a_form_that_is_not_json_is_named(tmp_path: Path) -> None:
    for name, content in ONBOARDING.resources.items():
        (tmp_path / name).write_bytes(content if name != "onboarding-profile.form" else b"{")
    with pytest.raises(ModelUnreadable, match=r"'onboarding-profile'.*onboarding-profile\.form: not JSON"):
        Catalog.from_folder(tmp_path)


def test_topics_and_forms_are_read_in_operatons_namespace(tmp_path: Path) -> None:
    for name, content in ONBOARDING.resources.items():
        (tmp_path / name).write_bytes(content.replace(b"camunda.org/schema/1.0/bpmn", b"operaton.org/schema/1.0/bpmn"))
    (model,) = Catalog.from_folder(tmp_path).processes.values()
    assert (model.topics, model.user_tasks) == (ONBOARDING.topics, ONBOARDING.user_tasks)
