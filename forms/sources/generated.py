"""Generated forms (`camunda:formData`) as form-js schemas, so that every surface runs one pipeline.

The root says `"baton": {"source": "generated"}`: readonly fields of such a form are never sent. What form-js has no
word for stands in the `properties` of a component, as texts:

`variable`      the variable, when its name can be no key
`camundaType`   the type of the variable: String, Long, Boolean, Date
`datePattern`   the Java pattern in which the engine reads and writes the date (`forms.sources.date_pattern`)
`customType`    a type of field that was added to the engine; only the engine knows what it takes
`validators`    the rules that only the engine can check, `name(config)`, one a line
`hasDefault`    `true`: the engine would put its default over a value that is not sent again
`role`          `businessKey`: not a variable, but the key of the new instance

The properties of the field itself stand beside them, `label_ru` with the others; where one has a name of this list it
becomes `model.<name>`. What the fields hold now are the engine's form variables: see
`forms.answers.variables.read_data`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from forms.errors import FormUnreadable
from forms.messages import LOCALES, get_text
from forms.schema.components import NEWEST_SCHEMA
from forms.schema.literal import to_label
from forms.sources.date_pattern import DEFAULT_PATTERN, read_pattern
from forms.sources.form_data import FormData, GeneratedField, is_expression
from forms.sources.rendered_labels import read_labels

__all__ = ["RESERVED", "make_generated_schema", "make_schema_root"]

RESERVED = frozenset(
    {"variable", "camundaType", "datePattern", "customType", "validators", "hasDefault", "role", "action", "storage"}
)
"""The properties that Baton sets, here or in `forms.sources.prefixes`."""

Json = dict[str, Any]

# Names that JavaScript keeps for itself.
_FORBIDDEN_KEYS = frozenset({"__proto__", "constructor", "prototype"})
# What form-js can check by itself; the engine refuses every value for a rule that does not suit the type.
_CHECKED = {"string": {"minlength": "minLength", "maxlength": "maxLength"}, "long": {"min": "min", "max": "max"}}
_FLAGS = frozenset({"required", "readonly"})
_WHOLE = re.compile(r"\s*[+-]?\d{1,30}\s*", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def make_schema_root(form_id: str, source: str, components: Sequence[Json]) -> Json:
    """Return a schema of Baton's own making; `source` says what it was made of."""
    root: Json = {"type": "default", "id": form_id, "schemaVersion": NEWEST_SCHEMA, "baton": {"source": source}}
    return root | {"components": list(components)}


def make_generated_schema(data: FormData, form_id: str, *, rendered: str = "") -> Json:
    """Return the schema of a generated form.

    `rendered` is the engine's HTML, which knows what the expressions of labels came to; without it a label stays as
    the model has it. Defaults are the literal ones. Raises `FormUnreadable`.
    """
    ids = [field.id for field in data.fields]
    labels = read_labels(rendered, ids)
    keys = _make_keys(ids)
    components = [_make_component(field, keys[field.id], labels.get(field.id)) for field in data.fields]
    for field, component in zip(data.fields, components, strict=True):
        if field.id == data.business_key:
            component["properties"]["role"] = "businessKey"
    root = make_schema_root(form_id, "generated", components)
    if data.prefixes is not None:
        root["baton"]["prefixes"] = data.prefixes
    return root


def _make_keys(ids: Sequence[str]) -> dict[str, str]:
    """Return a key for each field that form-js and FEEL take: the id itself, or one like it that is no other's."""
    keys = {field_id: field_id for field_id in ids if _is_key(field_id)}
    taken = set(keys)
    for field_id in ids:
        if field_id not in keys:
            like = re.sub(r"\W", "_", field_id, flags=re.ASCII).strip("_")
            like = f"field_{like}" if like else "field"
            tries = [like, *(f"{like}_{number}" for number in range(2, len(ids) + 2))]
            keys[field_id] = next(key for key in tries if key not in taken)
            taken.add(keys[field_id])
    return keys


def _is_key(field_id: str) -> bool:
    return bool(_NAME.fullmatch(field_id)) and field_id not in _FORBIDDEN_KEYS


def _make_component(field: GeneratedField, key: str, evaluated: str | None) -> Json:
    rules = {rule.name: rule.config for rule in field.constraints}
    properties = {f"model.{name}" if name in RESERVED else name: value for name, value in field.properties}
    label = evaluated if evaluated is not None and is_expression(field.label) else field.label.strip()
    component: Json = {"type": "textfield", "id": key, "key": key, "label": to_label(label or field.id)}
    component |= {"properties": properties, "validate": {}}
    if key != field.id:
        properties["variable"] = field.id
    if field.default is not None:
        properties["hasDefault"] = "true"
    if "readonly" in rules:
        component["readonly"] = True
    if "required" in rules:
        component["validate"]["required"] = True
    _BY_TYPE.get(field.type, _add_custom)(field, component, rules)
    _limit(field, component, rules)
    if (default := _find_default(field, component)) is not None:
        component["defaultValue"] = default
    if not component["validate"]:
        del component["validate"]
    return component


def _add_string(_field: GeneratedField, component: Json, _rules: Mapping[str, str]) -> None:
    component["properties"]["camundaType"] = "String"


def _add_long(_field: GeneratedField, component: Json, _rules: Mapping[str, str]) -> None:
    # JavaScript has no whole numbers above 2^53: they travel as texts.
    component |= {"type": "number", "decimalDigits": 0, "serializeToString": True}
    component["properties"]["camundaType"] = "Long"


def _add_boolean(_field: GeneratedField, component: Json, rules: Mapping[str, str]) -> None:
    component["type"] = "checkbox"
    component["properties"]["camundaType"] = "Boolean"
    if "required" in rules:
        # A required checkbox of form-js must be ticked; the engine only wants to be told yes or no.
        component["type"] = "radio"
        component["values"] = [
            {"value": True, "label": get_text("yes", "en")},
            {"value": False, "label": get_text("no", "en")},
        ]
        for locale in LOCALES[1:]:
            component["properties"].setdefault(f"option_true_{locale}", get_text("yes", locale))
            component["properties"].setdefault(f"option_false_{locale}", get_text("no", locale))


def _add_date(field: GeneratedField, component: Json, _rules: Mapping[str, str]) -> None:
    written = field.date_pattern or DEFAULT_PATTERN
    component["properties"]["camundaType"] = "Date"
    component["properties"]["datePattern"] = written
    try:
        pattern = read_pattern(written)
    except FormUnreadable:
        # The engine reads what it is told in its own language and zone: so people write it as the pattern says.
        component["description"] = to_label(written)
        return
    component |= {"type": "datetime", "subtype": pattern.subtype}
    if pattern.subtype != "time":
        component["dateLabel"] = component["label"]
    if pattern.subtype != "date":
        component |= {"timeLabel": component["label"], "use24h": True, "timeSerializingFormat": "no_timezone"}


def _add_enum(field: GeneratedField, component: Json, _rules: Mapping[str, str]) -> None:
    component["type"] = "select"
    component["values"] = [{"value": value, "label": to_label(name or value)} for value, name in field.options]
    component["properties"]["camundaType"] = "String"


def _add_custom(field: GeneratedField, component: Json, _rules: Mapping[str, str]) -> None:
    component["properties"] |= {"camundaType": "String", "customType": field.type or "string"}


_BY_TYPE = {"string": _add_string, "long": _add_long, "boolean": _add_boolean, "date": _add_date, "enum": _add_enum}


def _limit(field: GeneratedField, component: Json, rules: Mapping[str, str]) -> None:
    checked = _CHECKED.get(field.type, {})
    others = []
    for name, config in rules.items():
        if name in checked and _WHOLE.fullmatch(config):
            component["validate"][checked[name]] = int(config)
        elif name not in _FLAGS:
            others.append(config if name == "validator" else f"{name}({config})")
    if others:
        component["properties"]["validators"] = "\n".join(others)


def _find_default(field: GeneratedField, component: Json) -> object:
    """Return the default as the component holds it; nothing where only the engine knows it, or where it does not
    fit.
    """
    if not field.default or is_expression(field.default):
        return None
    match component["type"]:
        case "number":
            return str(int(field.default)) if _WHOLE.fullmatch(field.default) else None
        case "checkbox" | "radio":
            return {"true": True, "false": False}.get(field.default.strip().lower())
        case "select":
            return field.default if field.default in {option["value"] for option in component["values"]} else None
        case "datetime":
            try:
                return read_pattern(field.date_pattern or DEFAULT_PATTERN).to_iso(field.default)
            except ValueError:
                return None
    return field.default
