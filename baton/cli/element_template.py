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

__all__ = ["SCHEMA", "element_template", "template_text"]

# Published by Camunda; the version that tests validate against.
SCHEMA = "https://unpkg.com/@camunda/element-templates-json-schema@0.22.1/resources/schema.json"
READS, WRITES = "reads", "writes"
_KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false"}


def element_template(handler: Handler) -> dict[str, Any]:
    """A service task with this topic, its input model as input parameters, its output model as output parameters.

    What a field needs no value for keeps its default, as the author sees and may change it in the Modeler.
    """
    title = handler.topic.replace("-", " ").replace("_", " ").replace(".", " ")
    template: dict[str, Any] = {
        "$schema": SCHEMA,
        "name": title[:1].upper() + title[1:],
        "id": f"baton.{handler.topic}",
        "appliesTo": ["bpmn:ServiceTask"],
        "groups": _groups(handler),
        "properties": [
            _hidden("camunda:type", "external"),
            _hidden("camunda:topic", handler.topic),
            *(entry for name, field in handler.input.model_fields.items() if (entry := _read(name, field))),
            *(_written(name, field) for name, field in _fields(handler.output).items()),
        ],
    }
    if description := _first_sentence(handler):
        template["description"] = description
    return template


def template_text(handler: Handler) -> str:
    """The file as it is kept, the same for the same handler."""
    return json.dumps(element_template(handler), indent=2, ensure_ascii=False) + "\n"


def _groups(handler: Handler) -> list[dict[str, str]]:
    groups = [{"id": READS, "label": "Reads"}, {"id": WRITES, "label": "Writes"}]
    return groups if _fields(handler.output) else groups[:1]


def _fields(model: type[BaseModel] | None) -> Mapping[str, FieldInfo]:
    return model.model_fields if model is not None else {}


def _first_sentence(handler: Handler) -> str:
    text = inspect.cleandoc(handler.function.__doc__ or "").partition("\n\n")[0]
    return " ".join(text.split())


def _hidden(attribute: str, value: str) -> dict[str, Any]:
    return {"type": "Hidden", "value": value, "binding": {"type": "property", "name": attribute}}


def _read(name: str, field: FieldInfo) -> dict[str, Any] | None:
    """The input parameter of a field; None for a default that cannot be written down, which then stays as it is."""
    variable = str(field.validation_alias or name)
    entry: dict[str, Any] = {
        "label": field.title or variable,
        "description": _description(field),
        "group": READS,
        "type": "String",
        "binding": {"type": "camunda:inputParameter", "name": variable},
    }
    if field.is_required():
        # Of a variable that is not there the engine then says so at once.
        return entry | {"value": f"${{{variable}}}", "constraints": {"notEmpty": True}}
    default = None if field.default_factory is not None else _written_down(field.default)
    if default is None:
        return None
    if choices := _choices(field):
        known = [{"name": f"the variable {variable}", "value": f"${{{variable}}}"}, *choices]
        if default not in {choice["value"] for choice in known}:
            known.append({"name": "nothing", "value": default})
        return entry | {"type": "Dropdown", "choices": known, "value": default}
    entry["description"] += f" A value, or ${{{variable}}} for the variable."
    return entry | {"value": default}


def _written(name: str, field: FieldInfo) -> dict[str, Any]:
    variable = str(field.serialization_alias or name)
    return {
        "label": field.title or variable,
        "description": _description(field, "The variable that gets it."),
        "group": WRITES,
        "type": "String",
        "value": variable,
        # Asked for by name: after a BPMN error it is not there, and `${name}` would then fail the whole step.
        "binding": {"type": "camunda:outputParameter", "source": f'${{execution.getVariable("{variable}")}}'},
        "constraints": {"notEmpty": True},
    }


def _description(field: FieldInfo, more: str = "") -> str:
    kind = _kind(field.annotation)
    return " ".join(part for part in (field.description or "", f"({kind})", more) if part)


def _kind(annotation: Any) -> str:
    if get_origin(annotation) in {Union, UnionType}:
        return " or ".join(_kind(part) for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is Literal:
        return " or ".join(str(value) for value in get_args(annotation))
    return str(_KINDS.get(annotation) or getattr(annotation, "__name__", annotation))


def _choices(field: FieldInfo) -> list[dict[str, str]]:
    """What a field with a few possible values may be."""
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
    written = [(value, _written_down(value)) for value in values]
    return [{"name": _shown(value), "value": text} for value, text in written if text is not None]


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written_down(value: object) -> str | None:
    """A plain value as an input parameter says it; None for what only code can make."""
    match value:
        case enum.Enum():
            return _written_down(value.value)
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
