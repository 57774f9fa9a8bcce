"""Field ids whose prefix says what a field is for: a convention of some process libraries, and of nothing else here.

| id | becomes |
|---|---|
| `text_…`, `message_…` | a text: the label, and what the variable says; HTML if that is the model's default |
| `link_…`, `img_…` | a link, a picture; the variable is its address |
| `config_…` | nothing that is shown: it keeps its value |
| `action_…` | a button that ends the form: the pressed one is true, the others are false |
| `select_x` | a choice whose answer is `form_x`: the options of an enum, or those in the value of `select_x` |
| `s3_…` | a file, as a reference |
| `formmultiline_…` | a text of several lines |
| `form_…`, any other, none | an input |

A field with a rule for its answer (`required`, `min`, a validator) is an input whatever its id says: the engine would
refuse the form without it. The convention is switched on or off by the property `baton.prefixes` of the task, of the
start event or of the process (`forms.sources.form_data`), or for all of them by who calls this.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape
from typing import Any

from forms.messages import LOCALES
from forms.schema.literal import to_feel_link, to_feel_markdown, to_feel_text, to_label, to_markdown

__all__ = ["apply_prefixes", "is_shown", "make_display"]

Json = dict[str, Any]

# A digit belongs to a prefix: `s3_`.
_PREFIX = re.compile(r"([a-zA-Z][a-zA-Z0-9]*)_(.+)", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|&(?:[a-zA-Z]+|#\d+);")
_SEPARATORS = r"\s*[,;\n]\s*"


def apply_prefixes(schema: Json, *, default: bool = True) -> Json:
    """Return the schema of a generated form with the convention applied to its fields.

    `default` tells whether it holds where the model says neither `on` nor `off`.
    """
    said = schema.get("baton", {}).get("prefixes")
    if said not in (None, "on") or (said is None and not default):
        return schema
    fields = {_find_variable(component): component for component in schema["components"]}
    return schema | {"components": list(_list_components(fields))}


def is_shown(variable: str) -> bool:
    """Tell whether the convention says of a variable that people may look at it."""
    found = _PREFIX.fullmatch(variable)
    return found is not None and found[1] in _LOOKED_AT


def make_display(field: Json) -> Json:
    """Return a field of a generated form to look at: a picture or a link if its id says so, else a text."""
    variable = _find_variable(field)
    found = _PREFIX.fullmatch(variable)
    prefix = found[1] if found and is_shown(variable) else "text"
    return _SHOWN[prefix](variable, field)


def _list_components(fields: Mapping[str, Json]) -> Iterator[Json]:
    choices = {f"form_{name}": field for variable, field in fields.items() if (name := _find_choice_target(variable))}
    for variable, field in fields.items():
        if variable in choices:
            yield field | _make_options(choices[variable])
        elif (name := _find_choice_target(variable)) is not None:
            if f"form_{name}" not in fields:
                yield _make_choice(field, f"form_{name}")
        else:
            yield from _apply_prefix(variable, field)


def _apply_prefix(variable: str, field: Json) -> Iterator[Json]:
    found = _PREFIX.fullmatch(variable)
    prefix = found[1] if found else ""
    if prefix in _SHOWN and _is_silent(field):
        shown = _SHOWN[prefix](variable, field)
        default = field.get("defaultValue")
        if _SHOWN[prefix] is _make_text and isinstance(default, str) and _is_html(default):
            yield from _to_html(variable, field, shown, default)
        else:
            yield shown
    else:
        yield _ASKED[prefix](field) if prefix in _ASKED else field


def _is_html(default: str) -> bool:
    """Tell whether a default is meant as HTML; FEEL in it would be evaluated, so that it stays a text."""
    return _TAG.search(default) is not None and "{{" not in default and not default.lstrip().startswith("=")


def _to_html(variable: str, field: Json, shown: Json, default: str) -> Iterator[Json]:
    """Yield the author's own HTML as long as the variable holds just that; what came from elsewhere stays a text."""

    def write_html(label: str) -> str:
        return default if label == variable else f"<p><b>{escape(to_label(label))}</b></p>{default}"

    is_default = f"{field['key']} = {to_feel_text(default)}"
    yield shown | {"conditional": {"hide": f"={is_default}"}}
    drawn = _make_display_component(field, "html", "content", write_html)
    yield drawn | {"id": f"{field['id']}_html", "conditional": {"hide": f"=not({is_default})"}}


def _find_variable(field: Mapping[str, Any]) -> str:
    variable: str = field.get("properties", {}).get("variable") or field["key"]
    return variable


def _find_choice_target(variable: str) -> str | None:
    found = _PREFIX.fullmatch(variable)
    return found[2] if found and found[1] == "select" else None


def _is_silent(field: Json) -> bool:
    properties = field["properties"]
    return "validate" not in field and "validators" not in properties and properties.get("role") is None


def _make_text(variable: str, field: Json) -> Json:
    key = field["key"]

    def write_text(label: str) -> str:
        if label == variable:  # nobody wrote one
            return f"={to_feel_markdown(key)}"
        heading = to_markdown(label)
        only, above = to_feel_text(heading), to_feel_text(f"**{heading}**\n\n")
        value = to_feel_markdown(key)
        return f"=if {value} = {to_feel_text('')} then {only} else {above} + {value}"

    return _make_display_component(field, "text", "text", write_text)


def _link(_variable: str, field: Json) -> Json:
    key = field["key"]
    return _make_display_component(field, "text", "text", lambda label: f"={to_feel_link(key, label)}")


def _make_picture(_variable: str, field: Json) -> Json:
    return _make_display_component(field, "image", "alt", str) | {"source": f"={field['key']}"}


def _make_hidden(_variable: str, field: Json) -> Json:
    # The condition is for form-js, which knows nothing of roles.
    hidden = field | {"conditional": {"hide": "=true"}}
    return hidden | {"properties": field["properties"] | {"role": "hidden"}}


def _make_button(variable: str, field: Json) -> Json:
    kept = {name: field["properties"][name] for name in field["properties"] if name != "variable"}
    return {
        "type": "button",
        "id": field["id"],
        "label": field["label"],
        "action": "submit",
        "properties": kept | {"action": variable},
    }


def _make_display_component(field: Json, kind: str, name: str, written: Callable[[str], str]) -> Json:
    """Return a component that is only looked at, with its text in every language that the field has a label in."""
    properties = dict(field["properties"])
    for locale in LOCALES:
        if label := properties.get(f"label_{locale}"):
            properties[f"{name}_{locale}"] = written(label)
    return {"type": kind, "id": field["id"], name: written(field["label"]), "properties": properties}


def _make_file(field: Json) -> Json:
    kept = {name: value for name, value in field.items() if name != "defaultValue"}
    properties = {name: value for name, value in field["properties"].items() if name != "hasDefault"}
    return kept | {"type": "filepicker", "properties": properties | {"storage": "s3"}}


def _make_lines(field: Json) -> Json:
    return field | {"type": "textarea"} if field["type"] == "textfield" else field


def _make_choice(field: Json, key: str) -> Json:
    properties = {n: value for n, value in field["properties"].items() if n not in {"variable", "hasDefault"}}
    kept = field if field["type"] == "select" else {n: value for n, value in field.items() if n != "defaultValue"}
    return kept | {"id": key, "key": key, "properties": properties | {"camundaType": "String"}} | _make_options(field)


def _make_options(field: Json) -> Json:
    if field["type"] == "select":
        return {"type": "select", "values": field["values"]}
    key = field["key"]
    parts = f"split({key}, {to_feel_text(_SEPARATORS)})"
    return {"type": "select", "valuesExpression": f"=if {parts} = null then {key} else {parts}"}


_LOOKED_AT = frozenset({"text", "message", "link", "img"})
_SHOWN: Mapping[str, Callable[[str, Json], Json]] = {
    "text": _make_text,
    "message": _make_text,
    "link": _link,
    "img": _make_picture,
    "config": _make_hidden,
    "action": _make_button,
}
_ASKED: Mapping[str, Callable[[Json], Json]] = {"s3": _make_file, "formmultiline": _make_lines}
