"""A form of places and evaluated properties: fields in order, groups flattened, buttons as actions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from forms.errors import FormUnreadable
from forms.evaluated import HIDE, Values, local_text
from forms.fields import kind_of_component
from forms.messages import text
from forms.model import Action, Field, Form, Mode, Rules
from forms.options import options_of
from forms.paths import Json, spell
from forms.places import GROUP, Place, is_list
from forms.schema import Schema

__all__ = ["build_form"]

# All of them stand in one message, whose keyboard has a hundred buttons at most.
MAX_ACTIONS = 50
_LIMITS = ("min", "max", "minLength", "maxLength")
_FORMATS = frozenset({"email", "phone"})


def build_form(
    schema: Schema, places: tuple[Place, ...], values: Values, initial: Mapping[str, Json], locale: str
) -> Form:
    """The visible form. Raises `FormUnreadable` for components that cannot work as drawn, or clash."""
    builder = _Builder(values, initial, locale)
    try:
        fields = tuple(builder.fields(places))
        _refuse_clashes(fields, builder.actions)
    except FormUnreadable as error:
        raise FormUnreadable(f"form {schema.id!r}: {error}") from error
    return Form(schema.id, fields, tuple(builder.actions), builder.submit_label)


@dataclass(slots=True)
class _Builder:
    values: Values
    initial: Mapping[str, Json]
    locale: str
    actions: list[Action] = field(default_factory=list)
    submit_label: str = ""

    def fields(self, places: Iterable[Place], groups: tuple[str, ...] = ()) -> Iterator[Field]:
        for place in places:
            if self._at(place).get(HIDE) is True:
                continue
            component = place.component
            if component.type == "button":
                self._button(place)
            elif component.type == GROUP or (component.type == "dynamiclist" and not is_list(component)):
                inside = groups
                if heading := self._text(place, "label"):
                    inside = (*groups, heading)
                    yield self._display(place, heading, inside)
                yield from self.fields(place.children, inside)
            else:
                yield self._field(place, groups)

    def _field(self, place: Place, groups: tuple[str, ...]) -> Field:
        component = place.component
        kind = kind_of_component(component.type)
        if kind is None:
            label = self._text(place, "label")
            named = f"{component.type} “{label}”" if label else component.type
            notice = text("unsupported", self.locale, component=named)
            return self._display(place, notice, groups, unsupported=True)
        if kind.keyed and not component.key:
            raise FormUnreadable(f"component {component.id!r} has no key")
        if (reason := kind.check_component(component)) is not None:
            raise FormUnreadable(f"component {component.id or component.key!r} cannot be asked: {reason}")
        return Field(
            place.path,
            kind.name,
            self._text(place, "label") or (component.key if kind.keyed else ""),
            component,
            mode=self._mode(place, is_asked=kind.keyed or is_list(component)),
            help=self._text(place, "description"),
            rules=self._rules(place),
            options=options_of(component, self.initial, self._at(place).get("valuesExpression"), self.locale),
            given=self._given(place),
            scope=place.scope,
            groups=groups,
            items=tuple(tuple(self.fields(item)) for item in place.items),
        )

    def _display(self, place: Place, words: str, groups: tuple[str, ...], *, unsupported: bool = False) -> Field:
        return Field(
            place.path, "notice", words, place.component, Mode.DISPLAY, scope=place.scope, groups=groups,
            unsupported=unsupported,
        )  # fmt: skip

    def _mode(self, place: Place, *, is_asked: bool) -> Mode:
        component = place.component
        if not is_asked:
            return Mode.DISPLAY
        if component.hint("role") == "hidden":
            return Mode.HIDDEN
        if component.disabled:
            return Mode.DISABLED
        if component.type == "expression":
            return Mode.COMPUTED
        is_readonly = self._at(place).get("readonly", component.readonly)
        return Mode.READONLY if is_readonly is True else Mode.ASKED

    def _rules(self, place: Place) -> Rules:
        drawn = place.component.rules
        limits = {name: self._at(place).get(f"validate.{name}", _drawn(place, name)) for name in _LIMITS}
        return Rules(
            required=bool(drawn.required),
            pattern=drawn.pattern or None,
            pattern_message=drawn.pattern_error_message or None,
            min=limits["min"],
            max=limits["max"],
            min_length=limits["minLength"],
            max_length=limits["maxLength"],
            format=drawn.validation_type if drawn.validation_type in _FORMATS else None,
        )

    def _given(self, place: Place) -> dict[str, Json]:
        given = dict(self._at(place))
        for name in ("text", "content", "alt", "source", "url"):
            if name not in given and (written := local_text(place.component, name, self.locale)):
                given[name] = written
        return given

    def _at(self, place: Place) -> Mapping[str, Json]:
        return self.values.get(place, {})

    def _text(self, place: Place, name: str) -> str:
        if name in self._at(place):
            value = self._at(place)[name]
            return value.strip() if isinstance(value, str) else ""
        return local_text(place.component, name, self.locale).strip()

    def _button(self, place: Place) -> None:
        component = place.component
        # A reset has no place where one question follows another.
        if not component.submits or component.disabled:
            return
        label = self._text(place, "label")
        key = component.properties.get("action")
        if key is not None and not isinstance(key, str):
            raise FormUnreadable(f"button {component.id!r}: the property action should be the name of a variable")
        if not key:
            # What every form has anyway.
            self.submit_label = label
            return
        self.actions.append(Action(key, label or text("submit", self.locale), component))
        if len(self.actions) > MAX_ACTIONS:
            raise FormUnreadable(f"it has more than {MAX_ACTIONS} buttons: make them options of a field")


def _drawn(place: Place, name: str) -> Json:
    written = place.component.written(f"validate.{name}")
    return None if written == "" or isinstance(written, list | dict | bool) else written


def _refuse_clashes(fields: tuple[Field, ...], actions: list[Action]) -> None:
    valued = list(_valued(fields))
    spelled = [spell(found.path) for found in valued] + [action.key for action in actions]
    if twice := sorted({key for key in spelled if spelled.count(key) > 1}):
        raise FormUnreadable(f"two components have the key {twice[0]!r}; keys become variables")
    closed = {found.path for found in valued if found.kind != "items"}
    for found in valued:
        if any(found.path[:length] in closed for length in range(1, len(found.path))):
            raise FormUnreadable(f"the key {spell(found.path)!r} lies inside the value of another component")


def _valued(fields: Iterable[Field]) -> Iterator[Field]:
    for found in fields:
        if found.mode is not Mode.DISPLAY:
            yield found
        for item in found.items:
            yield from _valued(item)
