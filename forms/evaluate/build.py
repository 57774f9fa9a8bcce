"""A form of places and evaluated properties: fields in order, groups flattened, buttons as actions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from forms.evaluate.places import GROUP, LIST, ComponentPlace, is_list
from forms.evaluate.properties import HIDE, Values, find_local_text
from forms.evaluate.workable import refuse_unworkable
from forms.fields import find_component_kind
from forms.kinds.ink import has_ink
from forms.kinds.options import list_options
from forms.messages import get_text
from forms.model import Action, Field, Form, Mode, Rules
from forms.schema.components import Schema
from forms.schema.paths import Json

__all__ = ["build_form"]

_LIMITS = ("min", "max", "minLength", "maxLength")
_MOMENT_LABELS = {"date": ("dateLabel",), "time": ("timeLabel",), "datetime": ("dateLabel", "timeLabel")}
_FORMATS = frozenset({"email", "phone"})


def build_form(
    schema: Schema, places: tuple[ComponentPlace, ...], values: Values, initial: Mapping[str, Json], locale: str
) -> Form:
    """Return the visible form. Raises `FormUnreadable` where any component, visible or not, cannot work as drawn."""
    refuse_unworkable(schema)
    builder = _Builder(values, initial, locale)
    fields = tuple(builder.build_fields(places))
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
            elif find_component_kind(component.type) is None and component.type != GROUP:
                yield self._build_unsupported(place, groups)
                yield from self.build_fields(place.children, groups)
            elif component.type == GROUP or (component.type == LIST and not is_list(component)):
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
        assert kind is not None
        return Field(
            place.path,
            kind.name,
            self._label(place) or (component.key if kind.keyed else ""),
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

    def _build_unsupported(self, place: ComponentPlace, groups: tuple[str, ...]) -> Field:
        kind, label = place.component.type, self._read_text(place, "label")
        notice = get_text("unsupported", self.locale, component=f"{kind} “{label}”" if label else kind)
        return self._build_display(place, notice, groups, unsupported=True)

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

    def _label(self, place: ComponentPlace) -> str:
        """Return the label; of a date and of a time form-js has one of its own for each, and shows no other."""
        label = self._read_text(place, "label")
        names = (
            _MOMENT_LABELS.get(str(place.component.read_property("subtype")))
            if place.component.type == "datetime"
            else ()
        )
        if not names or place.component.find_hint(f"label_{self.locale}"):
            return label
        drawn = dict.fromkeys(found for name in names if (found := self._read_text(place, name)))
        return ", ".join(drawn) or label

    def _read_text(self, place: ComponentPlace, name: str) -> str:
        """Return a text in one piece; empty where there is nothing to see of it."""
        found = (
            self._find_values(place)[name]
            if name in self._find_values(place)
            else find_local_text(place.component, name, self.locale)
        )
        return found.strip() if isinstance(found, str) and has_ink(found) else ""

    def _add_button(self, place: ComponentPlace) -> None:
        component = place.component
        # A reset has no place where one question follows another.
        if not component.submits or component.disabled:
            return
        label = self._read_text(place, "label")
        key = component.properties.get("action")
        if not key:
            # What every form has anyway.
            self.submit_label = label
            return
        self.actions.append(Action(key, label or get_text("submit", self.locale), component))


def _read_drawn(place: ComponentPlace, name: str) -> Json:
    written = place.component.read_property(f"validate.{name}")
    return None if written == "" or isinstance(written, list | dict | bool) else written
