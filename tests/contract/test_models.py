"""Models ↔ handlers ↔ forms: what one part of a process needs, another part provides."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import replace

import pytest

from api.engine.forms.answers import PROTECTED_VARIABLES
from bpmn.catalog import Catalog, ProcessModel
from forms.evaluate.initial import make_initial_data
from forms.evaluate.reading import list_variable_names, list_written_names, read_form
from forms.fields import find_kind, list_kinds
from forms.messages import LOCALES
from forms.schema.components import parse_schema
from workers.loading import load_handlers
from workers.registry import Handler, list_registered

MODELS = Catalog.of_packaged().processes
# What our own models speak; the catalogues may know more.
TRANSLATED = ("en", "ru")
START_VARIABLES = {*PROTECTED_VARIABLES, "locale"}
_EXPRESSION = re.compile(r"[$#]\{([^}]*)\}")
_NAME = re.compile(r"(?<![.\w'\"])([A-Za-z_]\w*)(?![\w(])")
_WORDS = {"empty", "not", "and", "or", "eq", "ne", "gt", "ge", "lt", "le", "true", "false", "null", "execution", "task"}
_COMMAND = re.compile(r"[a-z][a-z0-9_]{0,31}")


@pytest.fixture(scope="module")
def handlers() -> dict[str, Handler]:
    load_handlers()
    return dict(list_registered())


@pytest.fixture(params=sorted(MODELS))
def model(request: pytest.FixtureRequest) -> ProcessModel:
    return MODELS[request.param]


def asked(model: ProcessModel) -> set[str]:
    """Variables that the forms of a model write."""
    return {name for schema in model.forms.values() for name in list_written_names(schema)}


def written(model: ProcessModel, handlers: dict[str, Handler]) -> set[str]:
    """Variables that the handlers of its topics write."""
    outputs = [handlers[use.topic].output for use in model.topics if use.topic in handlers]
    return {name for output in outputs if output is not None for name in output.model_fields}


def expressions(model: ProcessModel) -> Iterator[str]:
    """Every name that an expression of the model reads."""
    (source,) = [content for name, content in model.resources.items() if name.endswith(".bpmn")]
    for element in ElementTree.fromstring(source).iter():
        for text in (element.text or "", *element.attrib.values()):
            for expression in _EXPRESSION.findall(text):
                yield from (name for name in _NAME.findall(expression) if name not in _WORDS)


def test_every_topic_has_a_handler(model: ProcessModel, handlers: dict[str, Handler]) -> None:
    assert {use.topic for use in model.topics} - set(handlers) == set()


def test_every_handler_gets_what_it_requires(model: ProcessModel, handlers: dict[str, Handler]) -> None:
    flowing = START_VARIABLES | asked(model) | written(model, handlers)
    for use in model.topics:
        fields = handlers[use.topic].input.model_fields
        required = {str(field.validation_alias or name) for name, field in fields.items() if field.is_required()}
        assert required - flowing - set(use.inputs) == set(), f"{use.activity_id} lacks inputs of {use.topic}"


def test_no_input_mapping_sets_what_the_handler_does_not_read(
    model: ProcessModel, handlers: dict[str, Handler]
) -> None:
    for use in model.topics:
        assert set(use.inputs) - set(handlers[use.topic].variables) == set(), use.activity_id


def test_every_expression_reads_something_that_exists(model: ProcessModel, handlers: dict[str, Handler]) -> None:
    assert set(expressions(model)) - START_VARIABLES - asked(model) - written(model, handlers) == set()


def test_every_form_shows_only_what_exists(model: ProcessModel, handlers: dict[str, Handler]) -> None:
    known = START_VARIABLES | asked(model) | written(model, handlers)
    for form_id, schema in model.forms.items():
        assert set(list_variable_names(schema)) - known == set(), form_id


def test_no_form_writes_what_the_start_set(model: ProcessModel) -> None:
    assert asked(model) & PROTECTED_VARIABLES == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_form_can_be_asked_in_every_language(model: ProcessModel, locale: str) -> None:
    for form_id, schema in model.forms.items():
        form = read_form(schema, locale=locale)
        assert form.fields or form.actions, form_id
        assert [field.unsupported for field in form.fields if field.unsupported] == [], form_id
        assert {field.kind for field in form.fields} <= set(list_kinds()), form_id
        # A default belongs to the options, or nobody could leave it as it is.
        initial = make_initial_data(parse_schema(schema), {})
        for field in form.list_all_fields():
            value = initial.get(str(field.path[0])) if field.options else None
            assert find_kind(field).keep_value(field, value) == value, field.path


def test_texts_are_translated(model: ProcessModel) -> None:
    """A label that reads the same in both languages is a forgotten translation, unless it names a language."""
    for form_id, schema in model.forms.items():
        ours, theirs = (read_form(schema, locale=locale) for locale in TRANSLATED)
        same = [
            left.label
            for left, right in zip([*ours.fields, *ours.actions], [*theirs.fields, *theirs.actions], strict=True)
            if left.label and left.label == right.label and "{{" not in left.label
        ]
        assert same == [], form_id
    assert all(f"baton.title.{locale}" in task.properties for task in model.user_tasks for locale in TRANSLATED[1:])


def test_tasks_belong_to_who_started(model: ProcessModel) -> None:
    (source,) = [content for name, content in model.resources.items() if name.endswith(".bpmn")]
    tag = "{http://www.omg.org/spec/BPMN/20100524/MODEL}userTask"
    assignee = "{http://camunda.org/schema/1.0/bpmn}assignee"
    assert {task.get(assignee) for task in ElementTree.fromstring(source).iter(tag)} <= {"${initiator}"}


def test_commands_are_what_telegram_takes_and_unique() -> None:
    commands = [command for model in MODELS.values() if (command := model.properties.get("baton.command"))]
    assert len(commands) == len(set(commands))
    assert all(_COMMAND.fullmatch(command) for command in commands)
    assert "start" in commands  # the bot has nothing to begin with otherwise


def test_these_checks_see_what_is_missing(handlers: dict[str, Handler]) -> None:
    onboarding = MODELS["onboarding"]
    assert set(expressions(onboarding)) == {"initiator", "name", "role", "interests", "locale"}
    assert asked(replace(onboarding, forms={})) == set()
    assert "answer" in written(onboarding, handlers)
