"""A form as JSON Schema (2020-12) with hints for drawing it, for clients that do not know form-js.

`x-ui` says how a value is asked for, `x-display` what stands between the questions. The server checks every answer
again: rules that JSON Schema cannot say (patterns are JavaScript's, a day not before today) are not in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from forms.fields import find_kind
from forms.kinds.kind import AskedPerson
from forms.kinds.widgets import ShowWidget
from forms.model import Field, Form, Mode
from forms.numbers import to_decimal
from forms.schema.paths import MISSING, Json, Path, get_at, spell

__all__ = ["DIALECT", "build_json_schema"]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# More choices than so many are a list to pick from.
MAX_RADIOS = 4
Node = dict[str, Any]


def build_json_schema(form: Form, data: Mapping[str, Json], asked: AskedPerson) -> Node:
    """Return the form as it is now: what is hidden by FEEL is not in it, and `default` is what the data hold."""
    root = _make_object()
    display: list[Node] = []
    for number, field in enumerate(form.fields):
        if field.mode is Mode.DISPLAY:
            display.append({"position": number, **_make_display(field, asked)})
        elif field.mode is not Mode.HIDDEN:
            node = _make_node(field, data, asked)
            node["x-ui"] = {**node.get("x-ui", {}), "position": number}
            _put(root, field.path, node, is_required=field.required)
    root |= {"$schema": DIALECT, "title": form.id}
    if display:
        root["x-display"] = display
    return root


def _make_object() -> Node:
    return {"type": "object", "properties": {}}


def _put(root: Node, path: Path, node: Node, *, is_required: bool) -> None:
    *outer, last = path
    for step in outer:
        if is_required:
            _require(root, str(step))
        root = root["properties"].setdefault(str(step), _make_object())
    root["properties"][str(last)] = node
    if is_required:
        _require(root, str(last))


def _require(node: Node, name: str) -> None:
    required = node.setdefault("required", [])
    if name not in required:
        required.append(name)


def _make_node(field: Field, data: Mapping[str, Json], asked: AskedPerson) -> Node:
    node = _KINDS[field.kind](field, asked)
    if field.kind == "items":
        node["items"] = _make_item(field, data, asked)
    if field.label:
        node["title"] = field.label
    if field.help:
        node["description"] = field.help
    if field.mode is not Mode.ASKED:
        node["readOnly"] = True
    if field.is_secret:
        node["writeOnly"] = True
    elif (value := get_at(data, field.path)) is not MISSING and value not in (None, "", []):
        node["default"] = value
    return node


def _make_nullable(node: Node, field: Field) -> Node:
    """Allow null: form-js knows no missing values, what is not answered is null or empty."""
    if not field.required:
        node["type"] = [node["type"], "null"]
    return node


def _make_text(field: Field, asked: AskedPerson) -> Node:  # noqa: ARG001
    node: Node = {"type": "string"}
    lengths = (("minLength", field.rules.min_length), ("maxLength", field.rules.max_length))
    node |= {name: int(limit) for name, written in lengths if (limit := to_decimal(written)) is not None}
    if not field.required:
        # An optional text may stay empty, however long it must be otherwise.
        node.pop("minLength", None)
    elif "minLength" not in node:
        node["minLength"] = 1
    if field.rules.pattern is not None and field.required:
        node["pattern"] = field.rules.pattern
    if field.rules.format == "email" and field.required:
        node["format"] = "email"
    node["x-ui"] = {"widget": field.component.type}
    return node


def _make_number(field: Field, asked: AskedPerson) -> Node:  # noqa: ARG001
    is_text = field.read_property("serializeToString") is True
    is_whole = field.read_property("decimalDigits") == 0
    node: Node = {"type": "string" if is_text else "integer" if is_whole else "number"}
    if not is_text:
        limits = (("minimum", field.rules.min), ("maximum", field.rules.max))
        for name, written in (*limits, ("multipleOf", field.read_property("increment"))):
            if (limit := to_decimal(written)) is not None:
                node[name] = int(limit) if limit == limit.to_integral_value() else float(limit)
    node["x-ui"] = {"widget": "number"}
    return _make_nullable(node, field)


def _make_boolean(field: Field, asked: AskedPerson) -> Node:  # noqa: ARG001
    node: Node = {"type": "boolean", "x-ui": {"widget": "checkbox"}}
    return node | {"const": True} if field.required else node


def _make_choice(field: Field, asked: AskedPerson) -> Node:  # noqa: ARG001
    options = _make_options(field)
    widget = "radio" if len(options) <= MAX_RADIOS else "select"
    empty = [] if field.required else [{"const": None}]
    return {"oneOf": [*options, *empty], "x-ui": {"widget": widget}}


def _make_several(field: Field, asked: AskedPerson) -> Node:  # noqa: ARG001
    node: Node = {"type": "array", "uniqueItems": True, "items": {"oneOf": _make_options(field)}}
    return node | ({"minItems": 1} if field.required else {}) | {"x-ui": {"widget": "checkboxes"}}


def _make_options(field: Field) -> list[Node]:
    return [{"const": option.value, "title": option.label} for option in field.options]


def _make_moment(field: Field, asked: AskedPerson) -> Node:
    subtype = str(field.read_property("subtype"))
    ui = {"widget": subtype, "zone": asked.zone, "serialized": field.read_property("timeSerializingFormat")}
    # Only a whole day is RFC 3339; times have no seconds here, and may have no zone.
    formats = {"date": {"format": "date"}}
    node: Node = {"type": "string", **formats.get(subtype, {}), "x-ui": ui}
    return _make_nullable(node, field)


def _make_file(field: Field, asked: AskedPerson) -> Node:  # noqa: ARG001
    several = field.read_property("multiple") is True
    accept = field.read_property("accept")
    ui = {"widget": "file", "accept": accept if isinstance(accept, str) else "", "several": several}
    node: Node = {"type": "array", "items": {"type": "object"}, "x-ui": ui}
    if not several:
        node["maxItems"] = 1
    return _make_nullable(node | ({"minItems": 1} if field.required else {}), field)


def _make_computed(field: Field, asked: AskedPerson) -> Node:  # noqa: ARG001
    return {"readOnly": True, "x-ui": {"widget": "computed"}}


def _make_items(field: Field, asked: AskedPerson) -> Node:  # noqa: ARG001
    may_change = field.read_property("allowAddRemove") is True
    return {"type": "array", "x-ui": {"widget": "list", "mayChange": may_change}}


def _make_item(field: Field, data: Mapping[str, Json], asked: AskedPerson) -> Node:
    """Return what an item looks like: the first one stands for all, as each may show other fields."""
    node = _make_object()
    for inner in field.items[0] if field.items else ():
        path = inner.path[len(inner.scope) :]
        if inner.mode not in {Mode.DISPLAY, Mode.HIDDEN} and path:
            part = _make_node(inner, data, asked)
            part.pop("default", None)
            _put(node, path, part, is_required=False)
    return node


def _make_display(field: Field, asked: AskedPerson) -> Node:
    widget = find_kind(field).build_widget(field, None, asked)
    assert isinstance(widget, ShowWidget)
    node: Node = {"kind": type(widget.content).__name__.removesuffix("Content").lower(), **asdict(widget.content)}
    return node | {"at": spell(field.path)} if field.path else node


_KINDS: Mapping[str, Callable[[Field, AskedPerson], Node]] = {
    "text": _make_text,
    "number": _make_number,
    "boolean": _make_boolean,
    "choice": _make_choice,
    "several": _make_several,
    "moment": _make_moment,
    "file": _make_file,
    "computed": _make_computed,
    "items": _make_items,
}
