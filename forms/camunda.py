"""Camunda Forms (form-js schema up to version 19) as neutral forms.

Translations stand in the custom properties of a component: `label_ru`, `description_ru`, `text_ru`,
`option_<value>_ru`. Texts may hold `{{name}}`, replaced by the variable of that name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from forms.errors import FormUnreadable
from forms.fields import kinds
from forms.kind import FieldKind
from forms.messages import text
from forms.model import Action, Field, Form, Option, value_of
from forms.options import plain
from forms.schema import NEWEST_SCHEMA, Component, is_feel, is_text, parse

__all__ = ["NEWEST_SCHEMA", "read_form", "variable_names"]

# All of them stand in one message, whose keyboard has a hundred buttons at most.
MAX_ACTIONS = 50
_TEMPLATE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}")


def read_form(schema: object, *, locale: str = "en", variables: Mapping[str, object] | None = None) -> Form:
    """The form of a form-js schema in one language, its texts and defaults filled from `variables`.

    Raises `FormUnreadable` for a schema that is too new or broken, and nothing else. A component that cannot be asked
    becomes a notice; a read-only one is shown. Without `variables` the options that a variable holds stay empty.
    """
    source = parse(schema)
    reader = _Reader(locale, variables)
    try:
        reader.read(source.components)
    except FormUnreadable as error:
        raise FormUnreadable(f"form {source.id!r}: {error}") from error
    fields, actions = reader.fields, reader.actions
    if len(actions) > MAX_ACTIONS:
        raise FormUnreadable(f"form {source.id!r} has more than {MAX_ACTIONS} buttons: make them options of a field")
    keys = [field.key for field in fields if field.kind != "display"] + [action.key for action in actions]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise FormUnreadable(f"form {source.id!r}: two components have the key {twice[0]!r}; keys become variables")
    return Form(source.id, tuple(fields), tuple(actions))


class _Reader:
    """Collects the fields and actions of one form."""

    def __init__(self, locale: str, variables: Mapping[str, object] | None) -> None:
        self.fields: list[Field] = []
        self.actions: list[Action] = []
        self._locale = locale
        self._known = variables is not None
        self._variables = variables or {}
        self._kinds = {component: kind for kind in kinds().values() for component in kind.components}

    def read(self, components: Iterable[Component]) -> None:
        for component in components:
            kind = self._kinds.get(component.type)
            if component.type == "button":
                self._button(component)
            elif component.hidden_at_times:
                self._unasked(component)
            elif component.type == "group" and not component.path:
                if heading := self._text(component, "label"):
                    self.fields.append(Field(component.id, "display", heading))
                self.read(component.components)
            elif kind is not None and kind.name == "display":
                self._display(component)
            elif component.locked and component.key:
                self._shown(component, kind)
            elif kind is None or component.unclear:
                self._unasked(component)
            else:
                self.fields.append(self._field(component, kind, self._options(component)))

    def _button(self, component: Component) -> None:
        # A reset has no place in a chat.
        if not component.submits:
            return
        key = component.properties.get("action")
        if key is not None and not isinstance(key, str):
            raise FormUnreadable(f"button {component.id!r}: the property action should be the name of a variable")
        if component.hidden_at_times or component.disabled:
            # When it may be pressed is not known here; to submit without it could be what the form forbids.
            self._unasked(component)
        elif key:
            self.actions.append(Action(key, self._text(component, "label") or text("submit", self._locale)))
        # A plain submit button means what every form has anyway.

    def _unasked(self, component: Component) -> None:
        """A notice in place of a component; what stands inside it stays known by name, for other surfaces."""
        required = any(part.required or part.submits for part in (component, *component.inside()))
        label = self._text(component, "label")
        named = f"{component.type} “{label}”" if label else component.type
        notice = text("unsupported", self._locale, component=named)
        # A name here is one that other surfaces may answer to.
        name = "" if component.locked else component.name
        self.fields.append(Field(name, "display", notice, required=required, unsupported=component.type))
        self.fields += [Field(part.name, "display", "", unsupported=part.type) for part in component.answers()]

    def _display(self, component: Component) -> None:
        if is_feel(component.text) and not self._local(component, "text"):
            self._unasked(component)
        else:
            self.fields.append(Field(component.id, "display", self._text(component, "text")))

    def _shown(self, component: Component, kind: FieldKind | None) -> None:
        """What nobody may change: the label, and what is known."""
        key = component.key
        label = self._text(component, "label") or key
        words = ""
        if kind is not None:
            field = self._field(component, kind, self._options(component) or None)
            known = self._variables.get(key)
            words = kind.shown(field, value_of(known) if known is not None else field.default, self._locale)
        if words in {"", "—"}:
            words = self._value(key) or "—"
        self.fields.append(Field(key, "display", f"{label}: {words}"))

    def _field(self, component: Component, kind: FieldKind, options: tuple[Option, ...] | None) -> Field:
        if not component.key:
            raise FormUnreadable(f"component {component.id!r} has no key")
        common = Field(
            component.key,
            kind.name,
            self._text(component, "label") or component.key,
            help=self._text(component, "description"),
            required=component.required,
        )
        return kind.read(component, common, options)

    def _options(self, component: Component) -> tuple[Option, ...] | None:
        values: object = component.values or []
        if component.values_key:
            if not self._known:
                return None
            values = self._variables.get(component.values_key)
        if not isinstance(values, list):
            return ()
        return tuple(self._option(entry, component) for entry in values)

    def _option(self, entry: object, component: Component) -> Option:
        both = entry if isinstance(entry, Mapping) else {"value": entry}
        value, label = plain(both.get("value")), plain(both.get("label"))
        if value is None:
            raise FormUnreadable(f"field {component.key!r} has an option without a value")
        local = component.properties.get(f"option_{value}_{self._locale}")
        chosen = local if isinstance(local, str) and local else label
        shown = self._fill(chosen or "").strip()
        if not (shown or value.strip()):
            raise FormUnreadable(f"field {component.key!r} has an option with neither a value nor a label")
        return Option(value, shown or value)

    def _text(self, component: Component, name: str) -> str:
        """A text in the language of the form; one that only FEEL could make is empty."""
        written = self._local(component, name) or getattr(component, name)
        return "" if is_feel(written) else self._fill(written).strip()

    def _local(self, component: Component, name: str) -> str:
        local = component.properties.get(f"{name}_{self._locale}")
        return local if isinstance(local, str) else ""

    def _fill(self, template: str) -> str:
        filled = _TEMPLATE.sub(lambda match: self._value(match[1]), template)
        return filled if is_text(filled) else filled.encode(errors="replace").decode()

    def _value(self, name: str) -> str:
        value = self._variables.get(name)
        if isinstance(value, list | tuple):
            return ", ".join(str(part) for part in value)
        return "" if value is None else str(value)


def variable_names(schema: object) -> list[str]:
    """The variables that a form asks for or shows: keys, option lists and templates. Sorted, without repetitions.

    Raises `FormUnreadable`.
    """
    return sorted(set(_names(parse(schema).components)))


def _names(components: Iterable[Component], *, gathered: bool = False) -> Iterator[str]:
    for component in components:
        # What stands inside a path makes no variable of its own.
        yield from () if gathered else filter(None, (component.key, component.path))
        yield from filter(None, (component.values_key,))
        labels = [entry.get("label") for entry in component.values or () if isinstance(entry, Mapping)]
        texts = [component.label, component.description, component.text, *labels, *component.properties.values()]
        for entry in texts:
            if isinstance(entry, str):
                yield from _TEMPLATE.findall(entry)
        yield from _names(component.components, gathered=gathered or bool(component.path))
