"""Element templates: what Camunda Modeler offers for a handler, valid by Camunda's published schema."""

import enum
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel, Field

from baton.cli.element_template import SCHEMA, build_element_template, render_template
from workers.loading import load_handlers
from workers.registry import list_registered, read_handler

# @camunda/element-templates-json-schema 0.22.1, MIT licence (beside it).
PUBLISHED = Path(__file__).parent / "element-templates" / "schema.json"


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Job(BaseModel):
    text: str = Field(min_length=1, description="what to print")
    copies: int = 1
    sure: bool = False
    mode: Literal["fast", "fine"] = "fast"
    colour: Colour | None = None
    note: str = ""
    due: datetime | None = None
    pages: list[int] = []
    expression: str = "${not for us}"
    paper_size: str = Field(default="A4", validation_alias="paperSize", title="Paper")


class Done(BaseModel):
    pages: int = Field(serialization_alias="pagesPrinted")


def print_it(job: Job) -> Done:
    """Prints a text,
    on paper.

    Further details are for programmers.
    """
    return Done(pages=job.copies)


def nothing(job: Job) -> None:
    return None


@pytest.fixture
def template() -> dict[str, Any]:
    return build_element_template(read_handler(print_it, "print-it", queue="custom", timeout=timedelta(seconds=5)))


def validator() -> Draft7Validator:
    return Draft7Validator(json.loads(PUBLISHED.read_text()))


def inputs(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    bound = [entry for entry in template["properties"] if entry["binding"]["type"] == "camunda:inputParameter"]
    return {entry["binding"]["name"]: entry for entry in bound}


def test_the_schema_is_the_one_that_templates_name() -> None:
    published = json.loads(PUBLISHED.read_text())
    assert published["$id"] == "http://camunda.org/schema/element-templates/1.0"
    assert "element-templates-json-schema" in SCHEMA
    broken = {"name": "x", "id": "x", "appliesTo": ["bpmn:ServiceTask"], "properties": [{"type": "String"}]}
    assert list(validator().iter_errors(broken))


def test_every_template_is_valid(template: dict[str, Any]) -> None:
    load_handlers()
    templates = [template, *(build_element_template(handler) for handler in list_registered().values())]
    without_output = read_handler(nothing, "nothing", queue="custom", timeout=timedelta(seconds=5))
    for found in (*templates, build_element_template(without_output)):
        assert [error.message for error in validator().iter_errors(found)] == []


def test_it_makes_an_external_task_of_the_topic(template: dict[str, Any]) -> None:
    hidden = {e["binding"]["name"]: e["value"] for e in template["properties"] if e["type"] == "Hidden"}
    assert hidden == {"camunda:type": "external", "camunda:topic": "print-it"}
    assert template["appliesTo"] == ["bpmn:ServiceTask"]
    assert (template["name"], template["id"]) == ("Print it", "baton.print-it")
    assert template["description"] == "Prints a text, on paper."


def test_required_and_default_inputs_are_templated(template: dict[str, Any]) -> None:
    found = inputs(template)
    values = {name: entry["value"] for name, entry in found.items()}
    assert values == {
        "text": "${text}",
        "copies": "${1}",
        "sure": "${false}",
        "mode": "fast",
        "colour": "${null}",
        "note": "${''}",
        "due": "${null}",
        "paperSize": "A4",
    }
    assert found["text"]["constraints"] == {"notEmpty": True}
    assert found["text"]["description"] == "what to print (text)"
    assert "constraints" not in found["copies"]
    assert found["paperSize"]["label"] == "Paper"


def test_field_with_few_values_is_a_choice(template: dict[str, Any]) -> None:
    choices = {
        name: [choice["value"] for choice in entry["choices"]]
        for name, entry in inputs(template).items()
        if entry["type"] == "Dropdown"
    }
    assert choices == {
        "sure": ["${sure}", "${true}", "${false}"],
        "mode": ["${mode}", "fast", "fine"],
        "colour": ["${colour}", "red", "blue", "${null}"],
    }


def test_outputs_go_to_the_variable_of_their_name(template: dict[str, Any]) -> None:
    (out,) = [entry for entry in template["properties"] if entry["binding"]["type"] == "camunda:outputParameter"]
    assert out["value"] == "pagesPrinted"
    assert out["binding"]["source"] == '${execution.getVariable("pagesPrinted")}'


def test_the_file_of_the_same_handler_is_always_the_same(template: dict[str, Any]) -> None:
    handler = read_handler(print_it, "print-it", queue="custom", timeout=timedelta(seconds=5))
    assert render_template(handler) == render_template(handler)
    assert json.loads(render_template(handler)) == template
