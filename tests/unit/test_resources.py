"""Which files a deployment has, by which names, and what is said of files that cannot go."""

import json
from pathlib import Path

import pytest

from bpmn.errors import ModelUnreadable
from bpmn.resources import gather
from shared.small_models import model

BOUND = 'camunda:formRefBinding="deployment"'


def user_task(attributes: str) -> str:
    return f'<userTask id="step" {attributes}/>'


def write(folder: Path, **files: str) -> Path:
    """Write files; `__` in a name is a slash, `_` before the suffix a dot."""
    for name, text in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        path = folder / f"{stem}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def form(form_id: str) -> str:
    return json.dumps({"id": form_id, "components": []})


DECISION = '<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"><decision id="price"/></definitions>'


@pytest.mark.parametrize("binding", ["", BOUND])
def test_a_model_brings_the_form_beside_it(tmp_path: Path, binding: str) -> None:
    write(tmp_path, one_bpmn=model("one", user_task(f'camunda:formRef="a" {binding}')), b_form=form("a"))
    write(tmp_path, other_form=form("other"), broken_form="{")
    assert set(gather([tmp_path / "one.bpmn"]).resources) == {"one.bpmn", "b.form"}


def test_a_model_brings_the_form_of_its_start_and_its_decision(tmp_path: Path) -> None:
    rule = '<businessRuleTask id="step" camunda:decisionRef="price"/>'
    write(tmp_path, one_bpmn=model("one", rule, start='camunda:formRef="a"'), a_form=form("a"), price_dmn=DECISION)
    assert set(gather([tmp_path / "one.bpmn"]).resources) == {"one.bpmn", "a.form", "price.dmn"}


def test_a_bound_call_brings_the_called_process_and_its_form(tmp_path: Path) -> None:
    call = '<callActivity id="step" calledElement="two" camunda:calledElementBinding="deployment"/>'
    write(tmp_path, one_bpmn=model("one", call), two_bpmn=model("two", user_task('camunda:formRef="a"')))
    write(tmp_path, a_form=form("a"))
    assert set(gather([tmp_path / "one.bpmn"]).resources) == {"one.bpmn", "two.bpmn", "a.form"}


def test_forms_in_another_folder_are_found_in_the_call(tmp_path: Path) -> None:
    write(tmp_path, processes__p_bpmn=model("p", user_task(f'camunda:formRef="a" {BOUND}')), forms__a_form=form("a"))
    assert set(gather([tmp_path]).resources) == {"processes/p.bpmn", "forms/a.form"}
    named = gather([tmp_path / "processes" / "p.bpmn", tmp_path / "forms" / "a.form"])
    assert set(named.resources) == {"p.bpmn", "a.form"}
    assert (named.missing, named.left_out) == ([], [])


@pytest.mark.parametrize("key", ["camunda-forms:deployment:", "embedded:deployment:"])
@pytest.mark.parametrize("place", ["forms/a.form", "processes/forms/a.form"])
def test_a_file_has_the_name_by_which_models_refer_to_it(tmp_path: Path, key: str, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True)
    (tmp_path / place).write_text("{}")
    write(tmp_path, processes__p_bpmn=model("p", user_task(f'camunda:formKey="{key}forms/a.form"')))
    assert set(gather([tmp_path]).resources) == {"processes/p.bpmn", "forms/a.form"}


def test_one_name_for_two_files_is_refused(tmp_path: Path) -> None:
    asks = user_task('camunda:formKey="camunda-forms:deployment:a.form"')
    write(tmp_path, x__m_bpmn=model("one", asks), x__a_form="{}", y__m_bpmn=model("two", asks), y__a_form="{ }")
    with pytest.raises(ModelUnreadable, match=r"two files are called a\.form: .*x/a\.form and .*y/a\.form"):
        gather([tmp_path])


def test_scripts_and_pages_of_a_model_come_with_it(tmp_path: Path) -> None:
    script = '<scriptTask id="step" scriptFormat="groovy" camunda:resource="deployment://lib/a.groovy"/>'
    page = 'camunda:formKey="embedded:deployment:page.html"'
    write(tmp_path, one_bpmn=model("one", script, start=page), lib__a_groovy="1", page_html="<form/>", c_js="no")
    assert set(gather([tmp_path / "one.bpmn"]).resources) == {"one.bpmn", "lib/a.groovy", "page.html"}
    assert set(gather([tmp_path]).resources) == {"one.bpmn", "lib/a.groovy", "page.html"}


def test_names_get_the_suffixes_that_the_engine_reads(tmp_path: Path) -> None:
    (tmp_path / "a.BPMN").write_text(model("a", "<task id='step'/>"))
    (tmp_path / "b.bpmn20.xml").write_text(model("b", "<task id='step'/>"))
    assert set(gather([tmp_path]).resources) == {"a.bpmn", "b.bpmn20.xml"}


def test_what_may_be_deployed_already_is_said(tmp_path: Path) -> None:
    write(tmp_path, one_bpmn=model("one", user_task('camunda:formRef="a"')), broken_form="{")
    (said,) = gather([tmp_path / "one.bpmn"]).missing
    assert "one.bpmn: 'step' refers to the form 'a', and no file here defines it: it must be deployed already" in said
    assert "broken.form: not JSON" in said


@pytest.mark.parametrize("form", ["${which}", "#{which}"])
def test_expressions_are_left_to_the_engine(tmp_path: Path, form: str) -> None:
    write(tmp_path, one_bpmn=model("one", user_task(f'camunda:formRef="{form}" {BOUND}')))
    assert gather([tmp_path]).missing == []


@pytest.mark.parametrize(
    "attributes",
    [f'camunda:formRef="a" {BOUND}', 'camunda:formKey="camunda-forms:deployment:a.form"',
     'camunda:formKey="camunda-forms:deployment:../a.form"'],
)  # fmt: skip
def test_what_must_be_in_the_deployment_is_missed(tmp_path: Path, attributes: str) -> None:
    folder = write(tmp_path / "models", one_bpmn=model("one", user_task(attributes)))
    (tmp_path / "a.form").write_text("{}")
    with pytest.raises(ModelUnreadable, match=r"'step' refers to the .* same deployment, but no file here"):
        gather([folder])


def test_forms_that_nobody_refers_to_are_left_out_of_a_folder(tmp_path: Path) -> None:
    write(tmp_path, one_bpmn=model("one", "<task id='step'/>"), a_form="{", b_form="{}", c_form="{}", d_form=form("d"))
    gathered = gather([tmp_path])
    assert set(gathered.resources) == {"one.bpmn", "d.form"}
    left = [said.removeprefix(f"{tmp_path}/") for said in gathered.left_out]
    assert left[0].startswith("a.form is left out, as no model here refers to it: not JSON: ")
    assert left[1:] == [
        f"{name}.form is left out, as no model here refers to it: a form without an id" for name in "bc"
    ]
    assert set(gather([tmp_path / "one.bpmn"]).resources) == {"one.bpmn"}
    with pytest.raises(ModelUnreadable, match=r"a\.form: not JSON"):
        gather([tmp_path / "a.form"])


def test_a_form_without_an_id_goes_when_it_is_named_or_needed(tmp_path: Path) -> None:
    write(tmp_path, one_bpmn=model("one", user_task('camunda:formKey="camunda-forms:deployment:a.form"')), a_form="{}")
    assert set(gather([tmp_path]).resources) == {"one.bpmn", "a.form"}
    assert set(gather([tmp_path / "a.form"]).resources) == {"a.form"}


def test_every_file_that_cannot_go_is_told_and_what_could(tmp_path: Path) -> None:
    write(tmp_path, a_bpmn="<a", b_bpmn=model("b", "<task id='step'/>"), c_dmn="<c", d_bpmn="<html/>")
    with pytest.raises(ModelUnreadable) as refused:
        gather([tmp_path])
    head, *problems, good = str(refused.value).splitlines()
    assert head == "3 things keep these files from being deployed:"
    assert [problem.split()[0].removeprefix(f"{tmp_path}/") for problem in problems] == ["a.bpmn:", "c.dmn:", "d.bpmn:"]
    assert good == f"nothing is wrong with: {tmp_path / 'b.bpmn'}"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (model("p", "<task id='step'/>"), model("p", "<userTask id='step'/>"), "both define the process 'p'"),
        (form("f"), form("f").replace("[]", "[ ]"), "both define the form 'f'"),
        ("{}", "{ }", "both are forms without an id"),
    ],
)
def test_what_is_defined_twice_names_both_files(tmp_path: Path, first: str, second: str, said: str) -> None:
    suffix = "bpmn" if first.startswith("<") else "form"
    files = [tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"]
    for path, text in zip(files, (first, second), strict=True):
        path.write_text(text)
    with pytest.raises(ModelUnreadable, match=rf"a\.{suffix} and .*b\.{suffix} {said}"):
        gather(files)


def test_a_file_that_is_named_twice_is_sent_once(tmp_path: Path) -> None:
    write(tmp_path, forms__a_form=form("a"))
    assert set(gather([tmp_path, tmp_path / "forms" / "a.form"]).resources) == {"forms/a.form"}
