"""What is said of models for other products, and of scripts in languages that the embedded engine lacks."""

import xml.etree.ElementTree as ElementTree

import pytest

from bpmn.document import read_document
from bpmn.portability import find_missing_languages, find_passed_over, is_for_operaton
from shared.small_models import model

OPERATON = 'xmlns:operaton="http://operaton.org/schema/1.0/bpmn"'
ZEEBE = 'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"'
CLOUD = 'xmlns:modeler="http://camunda.org/schema/modeler/1.0" modeler:executionPlatform="Camunda Cloud"'
FIELDS = "<extensionElements><operaton:formData><operaton:formField id='a'/></operaton:formData></extensionElements>"


def read(element: str, namespaces: str = "") -> ElementTree.Element:
    return read_document(model("p", element, namespaces=namespaces), "p.bpmn")


def test_operatons_words_are_counted_for_camunda_only() -> None:
    root = read(f'<userTask id="step" operaton:candidateGroups="cooks">{FIELDS}</userTask>', OPERATON)
    (said,) = find_passed_over(root, "7.24.0")
    assert said.startswith("written for Operaton: this engine, Camunda 7.24.0, passes over 3 attributes and elements")
    assert is_for_operaton(root)
    assert find_passed_over(root, "1.0.3") == find_passed_over(root, None) == []


@pytest.mark.parametrize(
    ("element", "namespaces", "said"),
    [
        ('<userTask id="step" zeebe:x="1"/>', ZEEBE, "Camunda 8: this engine passes over 1 attribute or element"),
        ('<userTask id="step"/>', CLOUD, "drawn for Camunda 8"),
        ('<userTask id="step" f:x="1"/>', 'xmlns:f="http://flowable.org/bpmn"', "written for Flowable"),
    ],
)
def test_models_of_other_products_are_told(element: str, namespaces: str, said: str) -> None:
    (found,) = find_passed_over(read(element, namespaces), None)
    assert said in found


def test_a_model_of_this_engine_is_not_told_of() -> None:
    root = read('<userTask id="step" camunda:assignee="ada"/>', OPERATON)
    assert (find_passed_over(root, "7.24.0"), is_for_operaton(root)) == ([], False)


LISTENER = (
    "<task id='step'><extensionElements><camunda:executionListener event='start'>"
    "<camunda:script scriptFormat='groovy'>1</camunda:script></camunda:executionListener></extensionElements></task>"
)
FLOW = (
    "<task id='step'/><sequenceFlow id='odd' sourceRef='step' targetRef='step'>"
    "<conditionExpression language='groovy'>1</conditionExpression></sequenceFlow>"
)


@pytest.mark.parametrize(
    ("element", "owner"),
    [('<scriptTask id="step" scriptFormat="Groovy"/>', "step"), (LISTENER, "step"), (FLOW, "odd")],
)
def test_scripts_in_languages_that_are_not_there_are_told(element: str, owner: str) -> None:
    (said,) = find_missing_languages(read(element))
    assert said.startswith(f"{owner!r} has a script in ")
    assert "only feel, juel" in said


@pytest.mark.parametrize("language", ['scriptFormat="juel"', 'scriptFormat="FEEL"', 'scriptFormat="${which}"', ""])
def test_scripts_that_may_run_are_not_told_of(language: str) -> None:
    assert find_missing_languages(read(f'<scriptTask id="step" {language}/>')) == []
