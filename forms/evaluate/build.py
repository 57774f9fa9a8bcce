"""A form of places and evaluated properties: fields in order, groups flattened, buttons as actions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from forms.errors import FormUnreadable
from forms.evaluate.places import GROUP, ComponentPlace, is_list
from forms.evaluate.properties import HIDE, Values, find_local_text
from forms.fields import find_component_kind
from forms.kinds.options import list_options
from forms.messages import get_text
from forms.model import Action, Field, Form, Mode, Rules
from forms.schema.components import Schema
from forms.schema.paths import Json, spell

__all__ = ["build_form"]

# All of them stand in one message, whose keyboard has a hundred buttons at most.
MAX_ACTIONS = 50
_LIMITS = ("min", "max", "minLength", "maxLength")
_FORMATS = frozenset({"email", "phone"})


def build_form(
    schema: Schema, places: tuple[ComponentPlace, ...], values: Values, initial: Mapping[str, Json], locale: str
) -> Form:
    """Return the visible form. Raises `FormUnreadable` for components that cannot work as drawn, or clash."""
    builder = _Builder(values, initial, locale)
    try:
        fields = tuple(builder.build_fields(places))
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

    def build_fields(self, places: Iterable[ComponentPlace], groups: tuple[str, ...] = ()) -> Iterator[Field]:
        for place in places:
            if self._find_values(place).get(HIDE) is True:
                continue
            component = place.component
            if component.type == "button":
                self._add_button(place)
            elif component.type == GROUP or (component.type == "dynamiclist" and not is_list(component)):
                inside = groups
                if heading := self._read_text(place, "label"):
                    inside = (*groups, heading)
                    yield self._build_display(place, heading, inside)
                yield from self.build_fields(place.children, inside)
            else:
                yield self._build_field(place, groups)

    def _build_field(self, place: ComponentPlace, groups: tuple[str, ...]) -> Field:
        component = place.component
        kind = find_component_kind(component.type)
        if kind is None:
            label = self._read_text(place, "label")
            named = f"{component.type} “{label}”" if label else component.type
            notice = get_text("unsupported", self.locale, component=named)
            return self._build_display(place, notice, groups, unsupported=True)
        if kind.keyed and not component.key:
            raise FormUnreadable(f"component {component.id!r} has no key")
        if (reason := kind.check_component(component)) is not None:
            raise FormUnreadable(f"component {component.id or component.key!r} cannot be asked: {reason}")
        return Field(
            place.path,
            kind.name,
            self._read_text(place, "label") or (component.key if kind.keyed else ""),
            component,
            mode=self._choose_mode(place, is_asked=kind.keyed or is_list(component)),
            help=self._read_text(place, "description"),
            rules=self._build_rules(place),
            options=list_options(
                component, self.initial, self._find_values(place).get("valuesExpression"), self.locale
            ),
            given=self._collect_given(place),
            scope=place.scope,
            groups=groups,
            items=tuple(tuple(self.build_fields(item)) for item in place.items),
        )

    def _build_display(
        self, place: ComponentPlace, words: str, groups: tuple[str, ...], *, unsupported: bool = False
    ) -> Field:
        return Field(
            place.path, "notice", words, place.component, Mode.DISPLAY, scope=place.scope, groups=groups,
            unsupported=unsupported,
        )  # fmt: skip

    def _choose_mode(self, place: ComponentPlace, *, is_asked: bool) -> Mode:
        component = place.component
        if not is_asked:
            return Mode.DISPLAY
        if component.find_hint("role") == "hidden":
            return Mode.HIDDEN
        if component.disabled:
            return Mode.DISABLED
        if component.type == "expression":
            return Mode.COMPUTED
        is_readonly = self._find_values(place).get("readonly", component.readonly)
        return Mode.READONLY if is_readonly is True else Mode.ASKED

    def _build_rules(self, place: ComponentPlace) -> Rules:
        drawn = place.component.rules
        limits = {name: self._find_values(place).get(f"validate.{name}", _read_drawn(place, name)) for name in _LIMITS}
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

    def _collect_given(self, place: ComponentPlace) -> dict[str, Json]:
        given = dict(self._find_values(place))
        for name in ("text", "content", "alt", "source", "url"):
            if name not in given and (written := find_local_text(place.component, name, self.locale)):
                given[name] = written
        return given

    def _find_values(self, place: ComponentPlace) -> Mapping[str, Json]:
        return self.values.get(place, {})

    def _read_text(self, place: ComponentPlace, name: str) -> str:
        if name in self._find_values(place):
            value = self._find_values(place)[name]
            return value.strip() if isinstance(value, str) else ""
        return find_local_text(place.component, name, self.locale).strip()

    def _add_button(self, place: ComponentPlace) -> None:
        component = place.component
        # A reset has no place where one question follows another.
        if not component.submits or component.disabled:
            return
        label = self._read_text(place, "label")
        key = component.properties.get("action")
        if key is not None and not isinstance(key, str):
            raise FormUnreadable(f"button {component.id!r}: the property action should be the name of a variable")
        if not key:
            # What every form has anyway.
            self.submit_label = label
            return
        self.actions.append(Action(key, label or get_text("submit", self.locale), component))
        if len(self.actions) > MAX_ACTIONS:
            raise FormUnreadable(f"it has more than {MAX_ACTIONS} buttons: make them options of a field")


def _read_drawn(place: ComponentPlace, name: str) -> Json:
    written = place.component.read_property(f"validate.{name}")
    return None if written == "" or isinstance(written, list | dict | bool) else written


def _refuse_clashes(fields: tuple[Field, ...], actions: list[Action]) -> None:
    valued = list(_list_valued(fields))
    spelled = [spell(found.path) for found in valued] + [action.key for action in actions]
    if twice := sorted({key for key in spelled if spelled.count(key) > 1}):
        raise FormUnreadable(f"two components have the key {twice[0]!r}; keys become variables")
    closed = {found.path for found in valued if found.kind != "items"}
    for found in valued:
        if any(found.path[:length] in closed for length in range(1, len(found.path))):
            raise FormUnreadable(f"the key {spell(found.path)!r} lies inside the value of another component")


def _list_valued(fields: Iterable[Field]) -> Iterator[Field]:
    for found in fields:
        if found.mode is not Mode.DISPLAY:
            yield found
        for item in found.items:
            yield from _list_valued(item)
