"""A form-js schema, checked at the edge: whatever does not look as it should is `FormUnreadable`.

Source: form-js, packages/form-json-schema. Properties that Baton does not read may look as they like.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from forms.errors import FormUnreadable

__all__ = ["NEWEST_SCHEMA", "Component", "Rules", "Schema", "is_feel", "is_text", "parse"]

NEWEST_SCHEMA = 19
# Far beyond what a person answers, and few enough for every question to have its line in one message.
MAX_COMPONENTS = 200
MAX_DEPTH = 20
_KNOWN_VALIDATIONS = {"", "custom", "email", "phone"}


def is_feel(value: object) -> bool:
    """Whether form-js would evaluate it."""
    return isinstance(value, str) and value.startswith("=")


def is_text(value: str) -> bool:
    """Whether it can be stored and sent; half a surrogate pair passes as JSON, and cannot."""
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _written(value: str) -> str:
    if not is_text(value):
        raise ValueError("should be a text")
    return value


def _flag(value: object) -> object:
    if isinstance(value, bool) or is_feel(value):
        return value
    if value == "":
        return False
    raise ValueError("should be true or false")


def _limit(value: object) -> object:
    if is_feel(value):
        return value
    if value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0 or value != value // 1:
        raise ValueError("should be a whole number")
    return int(value)


Text = Annotated[StrictStr, AfterValidator(_written)]

Flag = Annotated[bool | str, BeforeValidator(_flag)]
"""True or false, or the FEEL that tells."""

Limit = Annotated[int | str | None, BeforeValidator(_limit)]
"""A whole number, or the FEEL that makes it."""


class _Part(BaseModel):
    # What one kind of field alone reads stays in `model_extra`.
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, extra="allow")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: object) -> object:
        # The editors write null for what was emptied.
        if not isinstance(data, Mapping):
            return data
        return {name: value for name, value in data.items() if value is not None}


class Rules(_Part):
    """The property `validate`."""

    required: Flag = False
    min_length: Limit = None
    max_length: Limit = None
    pattern: Text = ""
    validation_type: Text = ""


class _Conditional(_Part):
    hide: Any = None


class Component(_Part):
    """One component, with those inside it."""

    type: Text = Field(min_length=1)
    id: Text = ""
    key: Text = ""
    path: Text = ""
    label: Text = ""
    description: Text = ""
    text: Text = ""
    action: Text = "submit"
    properties: dict[str, Any] = Field(default_factory=dict)
    rules: Rules = Field(default_factory=Rules, alias="validate")
    conditional: _Conditional = Field(default_factory=_Conditional)
    readonly: Flag = False
    disabled: Flag = False
    default_value: Any = None
    values: list[Any] | None = None
    values_key: Text = ""
    values_expression: Text = ""
    components: tuple["Component", ...] = ()

    @property
    def name(self) -> str:
        """What its answer is called; for one without answers its id."""
        return self.variable or self.id

    @property
    def variable(self) -> str:
        """The variable that it makes: of its key, of its path, or of the action of a button."""
        action = self.properties.get("action") if self.submits else None
        return self.key or self.path or (action if isinstance(action, str) else "")

    @property
    def submits(self) -> bool:
        """Whether it is a button that ends the form."""
        return self.type == "button" and self.action == "submit"

    @property
    def default(self) -> object:
        """What it holds at first; nothing when only FEEL could tell."""
        return None if is_feel(self.default_value) else self.default_value

    @property
    def locked(self) -> bool:
        """Whether nobody may ever change it."""
        return self.readonly is True or self.disabled is True

    @property
    def required(self) -> bool:
        """Whether the form is incomplete without an answer; a condition that cannot be evaluated counts as yes."""
        return bool(self.rules.required) and not self.locked

    @property
    def hidden_at_times(self) -> bool:
        """Whether FEEL decides if it is there."""
        return is_feel(self.conditional.hide)

    @property
    def unclear(self) -> bool:
        """Whether asking or checking it needs something that this version lacks: FEEL, or a newer kind of check."""
        rules = self.rules
        flags = (self.readonly, self.disabled, rules.required, rules.min_length, rules.max_length)
        computed_options = self.values_expression and not self.values_key and self.values is None
        return any(map(is_feel, flags)) or bool(computed_options) or rules.validation_type not in _KNOWN_VALIDATIONS

    def inside(self) -> Iterator["Component"]:
        """All components inside it, at any depth."""
        for component in self.components:
            yield component
            yield from component.inside()

    def answers(self) -> Iterator["Component"]:
        """Those inside it that may set variables of their own; what has a path gathers its inside in one variable."""
        if self.path:
            return
        for component in self.components:
            if component.variable and not component.locked:
                yield component
            yield from component.answers()


class Schema(_Part):
    """The root of a form."""

    id: Text = ""
    components: tuple[Component, ...]


def parse(schema: object) -> Schema:
    """The schema, every part of it checked. Raises `FormUnreadable`, and nothing else whatever `schema` is."""
    if not isinstance(schema, Mapping):
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
    if problem := _too_large(schema["components"]):
        raise FormUnreadable(f"form {form_id!r} {problem}")
    try:
        return Schema.model_validate(dict(schema))
    except ValidationError as error:
        raise FormUnreadable(f"form {form_id!r}: {_reason(error)}") from error


def _too_large(components: list[Any]) -> str | None:
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


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    *where, last = map(str, first["loc"] or ("",))
    if first["type"] == "missing" and last == "type":
        return f"{'.'.join(where)} is a component without a type"
    return f"{'.'.join([*where, last])}: {first['msg'].removeprefix('Value error, ')}"
