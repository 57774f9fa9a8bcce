"""A form-js schema, checked at the edge: whatever does not look as it should is `FormUnreadable`.

Source: form-js, packages/form-json-schema. Properties that Baton does not read may look as they like.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from forms.errors import FormUnreadable
from forms.feel import is_expression
from kit.identity_key import IdentityKey

__all__ = ["NEWEST_SCHEMA", "Component", "Schema", "Validate", "is_text", "parse_schema"]

NEWEST_SCHEMA = 19
# Far beyond what a person answers, and few enough for every question to have its line in one message.
MAX_COMPONENTS = 200
MAX_DEPTH = 20
_KEPT_SCHEMAS = 256
# As the engine takes the names of variables; a comma stands between those that are asked for.
_KEY = re.compile(r"[^\s.,]+(\.[^\s.,]+)*")
# What form-js adds where a component says nothing (`create` of its fields), as far as it is no text.
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "datetime": {"subtype": "date"},
    "dynamiclist": {"isRepeating": True, "allowAddRemove": True, "defaultRepetitions": 1},
    "expression": {"computeOn": "change"},
}
# pydantic's names for what was expected, in words for authors of forms.
_SHOULD = {
    "string_type": "should be a text",
    "string_too_short": "should not be empty",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "dict_type": "should be an object",
    "model_type": "should be an object",
    "tuple_type": "should be a list",
}
_CHOOSING = frozenset({"checklist", "radio", "select", "taglist"})
_ONE_OPTION = {"values": [{"label": "Value", "value": "value"}]}


def is_text(value: str) -> bool:
    """Tell whether it can be stored and sent; half a surrogate pair passes as JSON, and cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _to_text(value: str) -> str:
    if not is_text(value):
        raise ValueError("should be a text")
    return value


def _check_key(value: str) -> str:
    if value and not (_KEY.fullmatch(value) and value.isprintable()):
        raise ValueError(
            "should be the name of a variable, or several with dots between them, without blanks or commas"
        )
    return value


def _to_flag(value: object) -> object:
    if isinstance(value, bool) or is_expression(value):
        return value
    if value == "":
        return False
    raise ValueError("should be true or false")


def _limit(value: object) -> object:
    if value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("should be a number, or FEEL that makes one")  # noqa: TRY004 -- pydantic reports it
    return value


Text = Annotated[StrictStr, AfterValidator(_to_text)]

Key = Annotated[Text, AfterValidator(_check_key)]

Flag = Annotated[bool | str, BeforeValidator(_to_flag)]
"""True or false, or the FEEL that tells."""

Limit = Annotated[int | float | str | None, BeforeValidator(_limit)]
"""A number, or the FEEL that makes it."""


class _Part(BaseModel):
    # What one kind of field alone reads is found by `Component.written`.
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _remove_nulls(cls, data: object) -> object:
        # The editors write null for what was emptied.
        if not isinstance(data, Mapping):
            return data
        return {name: value for name, value in data.items() if value is not None}


class Validate(_Part):
    """The property `validate`."""

    required: Flag = False
    min: Limit = None
    max: Limit = None
    min_length: Limit = None
    max_length: Limit = None
    pattern: Text = ""
    pattern_error_message: Text = ""
    validation_type: Text = ""


class _Drawn(_Part):
    """What is one thing, whatever another looks like: what follows from it alone is computed once."""

    components: tuple["Component", ...] = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def list_inside(self) -> Iterator["Component"]:
        """Yield all components inside it, at any depth."""
        for component in self.components:
            yield component
            yield from component.list_inside()


class Component(_Drawn):
    """One component, with those inside it. Two components are never equal."""

    type: Text = Field(min_length=1)
    id: Text = ""
    key: Key = ""
    path: Key = ""
    label: Text = ""
    action: Text = "submit"
    properties: dict[str, Any] = Field(default_factory=dict)
    rules: Validate = Field(default_factory=Validate, alias="validate")
    readonly: Flag = False
    disabled: bool = False
    is_repeating: bool = False
    _source: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _keep_source(cls, data: Any, handler: ModelWrapValidatorHandler["Component"]) -> "Component":
        source = _complete(data) if isinstance(data, Mapping) else data
        found = handler(source)
        found._source = source
        return found

    def read_property(self, name: str) -> Any:
        """Return a property as the schema has it, by its form-js name with dots; None where there is none."""
        known = self._known
        if name not in known:
            known[name] = self._look_up(name)
        return known[name]

    def find_hint(self, name: str) -> str | None:
        """Return a custom property that is a text; None for others."""
        found = self.properties.get(name)
        return found if isinstance(found, str) and found else None

    @property
    def called(self) -> str:
        """By what an author finds it: its id, else its key, label or type."""
        return self.id or self.key or self.label or self.type

    @property
    def submits(self) -> bool:
        """Whether it is a button that ends the form."""
        return self.type == "button" and self.action == "submit"

    @cached_property
    def _known(self) -> dict[str, Any]:
        # Every step of everybody's form asks for the same dozens of names.
        return {}

    def _look_up(self, name: str) -> Any:
        found: Any = self._source
        for step in name.split("."):
            if not isinstance(found, Mapping):
                return None
            found = found.get(step)
        return found


class Schema(_Drawn):
    """The root of a form. Two schemas are never equal."""

    id: Text = ""
    components: tuple[Component, ...]
    baton: dict[str, Any] = Field(default_factory=dict)
    """What Baton says of a form that it made itself, such as `source`: form-js passes it by."""

    @property
    def is_generated(self) -> bool:
        """Whether the engine will check the fields again, by the rules of generated forms."""
        return self.baton.get("source") == "generated"

    @property
    def renamed(self) -> dict[str, str]:
        """Variables whose names can be no keys, by the key that stands for each; forms of others have none."""
        if "source" not in self.baton:
            return {}
        return {part.key or part.id: name for part in self.list_inside() if (name := part.find_hint("variable"))}


def _complete(data: Mapping[str, Any]) -> dict[str, Any]:
    written = {name: value for name, value in data.items() if value is not None}
    kind = written.get("type")
    if not isinstance(kind, str):
        return written
    if kind in _CHOOSING and not written.get("valuesKey") and not written.get("valuesExpression"):
        return {**_ONE_OPTION, **written}
    return {**_DEFAULTS.get(kind, {}), **written}


def parse_schema(schema: object) -> Schema:
    """Return the schema, every part of it checked; it must not be changed in place after this.

    Raises `FormUnreadable`, and nothing else whatever `schema` is.
    """
    return _parse_once(IdentityKey(schema))


@lru_cache(maxsize=_KEPT_SCHEMAS)
def _parse_once(schema: IdentityKey[object]) -> Schema:
    try:
        spelled = json.dumps(schema.value, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormUnreadable(f"form '' is no JSON: {error}") from error
    return _parse(spelled)


@lru_cache(maxsize=_KEPT_SCHEMAS)
def _parse(spelled: str) -> Schema:
    schema = json.loads(spelled)
    if not isinstance(schema, dict):
        raise FormUnreadable("form '' is no object: is it a form-js form?")
    form_id = schema.get("id") if isinstance(schema.get("id"), str) else ""
    version = schema.get("schemaVersion", 1)
    if isinstance(version, bool) or not isinstance(version, int) or version > NEWEST_SCHEMA:
        raise FormUnreadable(
            f"form {form_id!r} has schema version {version!r:.40}, the newest known is {NEWEST_SCHEMA}: "
            "save it with an older Modeler, or update Baton"
        )
    if not isinstance(schema.get("components"), list):
        raise FormUnreadable(f"form {form_id!r} has no list of components: is it a form-js form?")
    if problem := _explain_size(schema["components"]):
        raise FormUnreadable(f"form {form_id!r} {problem}")
    try:
        return Schema.model_validate(schema)
    except ValidationError as error:
        raise FormUnreadable(f"form {form_id!r}: {_describe_error(error, schema)}") from error


def _explain_size(components: list[Any]) -> str | None:
    level: list[Any] = components
    count = 0
    for _ in range(MAX_DEPTH):
        if not level:
            return None
        count += len(level)
        if count > MAX_COMPONENTS:
            return f"has more than {MAX_COMPONENTS} components: spread them over several tasks"
        inside = [part.get("components") for part in level if isinstance(part, Mapping)]
        level = [part for parts in inside if isinstance(parts, list | tuple) for part in parts]
    return f"has components more than {MAX_DEPTH} levels deep"


def _describe_error(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """Return what is wrong, in words: which component, which of its properties, and what that should be."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = [str(step) for step in first["loc"]]
    depth = 0
    while path[depth : depth + 1] == ["components"] and len(path) > depth + 1:
        depth += 2
    place, wrong = path[:depth], path[depth:]
    if wrong == ["type"] and first["type"] == "missing":
        return f"{'.'.join(place)} is a component without a type"
    should = _SHOULD.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    named = ".".join(place) + _name_component(schema, place)
    whose = f"{named}: its" if named else "its"
    return f"{whose} {'.'.join(wrong)} {should}" if wrong else f"{named} {should}"


def _name_component(schema: Mapping[str, Any], place: list[str]) -> str:
    """Return what a component calls itself, as an author looks for it."""
    found: Any = schema
    for step in place:
        found = found[int(step)] if isinstance(found, list) else found.get(step)
    names = (found.get(name) for name in ("id", "key", "label", "type")) if place and isinstance(found, dict) else ()
    called = next((name for name in names if isinstance(name, str) and name), None)
    return f" ({called!r:.80})" if called else ""
