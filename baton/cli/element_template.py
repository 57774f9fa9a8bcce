"""What Camunda Modeler needs to offer a handler as a ready service task: an element template made from its models."""

import enum
import inspect
import json
import math
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from workers.registry import Handler

__all__ = ["SCHEMA", "build_element_template", "render_template"]

# Published by Camunda; the version that tests validate against.
SCHEMA = "https://unpkg.com/@camunda/element-templates-json-schema@0.22.1/resources/schema.json"
READS, WRITES = "reads", "writes"
_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def build_element_template(handler: Handler) -> dict[str, Any]:
    """Return a service task with this topic, its input model as input parameters, its output model as output
    parameters.

    What a field needs no value for keeps its default, as the author sees and may change it in the Modeler.
    """
    title = handler.topic.replace("-", " ").replace("_", " ").replace(".", " ")
    template: dict[str, Any] = {
        "$schema": SCHEMA,
        "name": title[:1].upper() + title[1:],
        "id": f"baton.{handler.topic}",
        "appliesTo": ["bpmn:ServiceTask"],
        "groups": _list_groups(handler),
        "properties": [
            _make_hidden_property("camunda:type", "external"),
            _make_hidden_property("camunda:topic", handler.topic),
            *(entry for name, field in handler.input.model_fields.items() if (entry := _read(name, field))),
            *(_make_output_property(name, field) for name, field in _list_fields(handler.output).items()),
        ],
    }
    if description := _take_first_sentence(handler):
        template["description"] = description
    return template


def render_template(handler: Handler) -> str:
    """Return the file as it is kept, the same for the same handler."""
    return json.dumps(build_element_template(handler), indent=2, ensure_ascii=False) + "\n"


def _list_groups(handler: Handler) -> list[dict[str, str]]:
    groups = [{"id": READS, "label": "Reads"}, {"id": WRITES, "label": "Writes"}]
    return groups if _list_fields(handler.output) else groups[:1]


def _list_fields(model: type[BaseModel] | None) -> Mapping[str, FieldInfo]:
    return model.model_fields if model is not None else {}


def _take_first_sentence(handler: Handler) -> str:
    text = inspect.cleandoc(handler.function.__doc__ or "").partition("\n\n")[0]
    return " ".join(text.split())


def _make_hidden_property(attribute: str, value: str) -> dict[str, Any]:
    return {"type": "Hidden", "value": value, "binding": {"type": "property", "name": attribute}}


def _read(name: str, field: FieldInfo) -> dict[str, Any] | None:
    """Return the input parameter of a field; None for a default that cannot be written down, which then stays as it
    is.
    """
    variable = str(field.validation_alias or name)
    entry: dict[str, Any] = {
        "label": field.title or variable,
        "description": _describe(field),
        "group": READS,
        "type": "String",
        "binding": {"type": "camunda:inputParameter", "name": variable},
    }
    if field.is_required():
        # Of a variable that is not there the engine then says so at once.
        return entry | {"value": f"${{{variable}}}", "constraints": {"notEmpty": True}}
    default = None if field.default_factory is not None else _to_literal(field.default)
    if default is None:
        return None
    if choices := _list_choices(field):
        known = [{"name": f"the variable {variable}", "value": f"${{{variable}}}"}, *choices]
        if default not in {choice["value"] for choice in known}:
            known.append({"name": "nothing", "value": default})
        return entry | {"type": "Dropdown", "choices": known, "value": default}
    entry["description"] += f" A value, or ${{{variable}}} for the variable."
    return entry | {"value": default}


def _make_output_property(name: str, field: FieldInfo) -> dict[str, Any]:
    variable = str(field.serialization_alias or name)
    return {
        "label": field.title or variable,
        "description": _describe(field, "The variable that gets it."),
        "group": WRITES,
        "type": "String",
        "value": variable,
        # Asked for by name: after a BPMN error it is not there, and `${name}` would then fail the whole step.
        "binding": {"type": "camunda:outputParameter", "source": f'${{execution.getVariable("{variable}")}}'},
        "constraints": {"notEmpty": True},
    }


def _describe(field: FieldInfo, more: str = "") -> str:
    kind = _choose_kind(field.annotation)
    return " ".join(part for part in (field.description or "", f"({kind})", more) if part)


def _choose_kind(annotation: Any) -> str:
    if get_origin(annotation) in {Union, UnionType}:
        return " or ".join(_choose_kind(part) for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is Literal:
        return " or ".join(str(value) for value in get_args(annotation))
    return str(_KINDS.get(annotation) or getattr(annotation, "__name__", annotation))


def _list_choices(field: FieldInfo) -> list[dict[str, str]]:
    """Return what a field with a few possible values may be."""
    parts = get_args(field.annotation) if get_origin(field.annotation) in {Union, UnionType} else (field.annotation,)
    values: list[object] = []
    for part in parts:
        if part is bool:
            values += [True, False]
        elif get_origin(part) is Literal:
            values += get_args(part)
        elif inspect.isclass(part) and issubclass(part, enum.Enum):
            values += [member.value for member in part]
        elif part is not NoneType:
            return []  # anything may be said
    written = [(value, _to_literal(value)) for value in values]
    return [{"name": _make_visible_property(value), "value": text} for value, text in written if text is not None]


def _make_visible_property(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _to_literal(value: object) -> str | None:
    """Return a plain value as an input parameter says it; None for what only code can make."""
    match value:
        case enum.Enum():
            return _to_literal(value.value)
        case bool():
            return "${true}" if value else "${false}"
        case None:
            return "${null}"
        case int() | float() if math.isfinite(value):
            return f"${{{value}}}"
        case str() if value and not {"${", "#{"} & {value[i : i + 2] for i in range(len(value))}:
            return value
        case str() if not value:
            return "${''}"
    return None
