"""Camunda Forms (form-js schema up to version 19) as neutral forms.

Translations stand in the custom properties of a component: `label_ru`, `description_ru`, `text_ru`,
`option_<value>_ru`. Texts may hold `{{name}}`, replaced by the variable of that name.
"""

import re
from collections.abc import Mapping
from typing import Any

from forms.errors import FormUnreadable
from forms.fields import kinds
from forms.messages import text
from forms.model import Action, Field, Form, Option

__all__ = ["NEWEST_SCHEMA", "read_form", "variable_names"]

NEWEST_SCHEMA = 19
_TEMPLATE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}")


def read_form(schema: Mapping[str, Any], *, locale: str = "en", variables: Mapping[str, object] | None = None) -> Form:
    """The form of a form-js schema in one language, its texts and defaults filled from `variables`.

    Raises `FormUnreadable` for a schema that is too new or broken. A component that cannot be shown becomes a notice.
    """
    form_id = str(schema.get("id") or "")
    version = schema.get("schemaVersion", 1)
    if not isinstance(version, int) or version > NEWEST_SCHEMA:
        raise FormUnreadable(
            f"form {form_id!r} has schema version {version}, the newest known is {NEWEST_SCHEMA}: "
            "save it with an older Modeler, or update Baton"
        )
    components = schema.get("components")
    if not isinstance(components, list):
        raise FormUnreadable(f"form {form_id!r} has no list of components: is it a form-js form?")
    reader = _Reader(locale, variables or {})
    try:
        fields, actions = reader.read(components)
    except FormUnreadable as error:
        raise FormUnreadable(f"form {form_id!r}: {error}") from error
    keys = [field.key for field in fields if field.kind != "display"] + [action.key for action in actions]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise FormUnreadable(f"form {form_id!r}: two components have the key {twice[0]!r}; keys become variables")
    return Form(form_id, tuple(fields), tuple(actions))


class _Reader:
    def __init__(self, locale: str, variables: Mapping[str, object]) -> None:
        self._locale = locale
        self._variables = variables
        self._kinds = {component: kind for kind in kinds().values() for component in kind.components}

    def read(self, components: list[Any]) -> tuple[list[Field], list[Action]]:
        fields: list[Field] = []
        actions: list[Action] = []
        for component in components:
            if not isinstance(component, Mapping) or not component.get("type"):
                raise FormUnreadable("a component without a type")
            if component["type"] == "button":
                actions += self._action(component)
            else:
                fields.append(self._field(component))
        return fields, actions

    def _action(self, component: Mapping[str, Any]) -> list[Action]:
        properties = component.get("properties") or {}
        # A plain submit button means what every form has anyway; a reset has no place in a chat.
        if component.get("action", "submit") != "submit" or not properties.get("action"):
            return []
        return [Action(str(properties["action"]), self._text(component, "label"))]

    def _field(self, component: Mapping[str, Any]) -> Field:
        kind = self._kinds.get(component["type"])
        required = bool((component.get("validate") or {}).get("required"))
        if kind is None:
            notice = text("unsupported", self._locale, component=component["type"])
            name = str(component.get("key") or component.get("id") or "")
            return Field(name, "display", notice, required=required, unsupported=component["type"])
        if kind.name == "display":
            return Field(str(component.get("id") or ""), "display", self._text(component, "text"))
        key = component.get("key")
        if not isinstance(key, str) or not key:
            raise FormUnreadable(f"component {component.get('id')!r} has no key")
        common = Field(
            key,
            kind.name,
            self._text(component, "label") or key,
            help=self._text(component, "description"),
            required=required,
        )
        return kind.read(component, common, self._options(component))

    def _options(self, component: Mapping[str, Any]) -> tuple[Option, ...]:
        properties = component.get("properties") or {}
        values: object = component.get("values") or []
        if isinstance(key := component.get("valuesKey"), str):
            values = self._variables.get(key)
        if not isinstance(values, list):
            return ()
        return tuple(self._option(entry, properties) for entry in values)

    def _option(self, entry: object, properties: Mapping[str, Any]) -> Option:
        value = entry.get("value") if isinstance(entry, Mapping) else entry
        label = entry.get("label") if isinstance(entry, Mapping) else entry
        local = properties.get(f"option_{value}_{self._locale}")
        return Option(str(value), self._fill(str(local or label or value)))

    def _text(self, component: Mapping[str, Any], name: str) -> str:
        local = (component.get("properties") or {}).get(f"{name}_{self._locale}")
        return self._fill(str(local or component.get(name) or ""))

    def _fill(self, template: str) -> str:
        return _TEMPLATE.sub(lambda match: self._value(match[1]), template)

    def _value(self, name: str) -> str:
        value = self._variables.get(name)
        if isinstance(value, list | tuple):
            return ", ".join(str(part) for part in value)
        return "" if value is None else str(value)


def variable_names(schema: Mapping[str, Any]) -> list[str]:
    """The variables that a form asks for or shows: keys, option lists and templates. Sorted, without repetitions."""
    found: set[str] = set()
    for component in schema.get("components") or []:
        if not isinstance(component, Mapping):
            continue
        found |= {component[name] for name in ("key", "valuesKey") if isinstance(component.get(name), str)}
        texts = [component.get(name) for name in ("label", "description", "text")]
        texts += (component.get("properties") or {}).values()
        found |= {match for entry in texts if isinstance(entry, str) for match in _TEMPLATE.findall(entry)}
    return sorted(found)
