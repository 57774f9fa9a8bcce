"""Between the data of a form and the variables of the engine, with explicit types both ways.

Data are JSON; variables have types that JSON has not. What a person left as it was stays as it was, to the type.
A Java object that cannot be read here is nothing to a form, and is never written over by one.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from bpmn.engine.variables import (
    FileValue,
    JavaObject,
    NotAVariable,
    TypedValue,
    decode,
    encode,
    is_json_object,
    write_time,
)
from bpmn.file_reference import FileReference
from forms.answers.known import KnownVariables, VariableType
from forms.clock import find_zone, read_day, read_minute, write_moment
from forms.errors import FormUnreadable
from forms.evaluate.places import make_value_path
from forms.fields.file import read_references
from forms.kinds.options import is_same
from forms.numbers import to_decimal
from forms.schema.components import Component, Schema
from forms.schema.paths import Json
from forms.sources.date_pattern import read_pattern

__all__ = ["MAX_INLINE_FILE_BYTES", "find_inline_files", "find_key", "make_typed_variables", "read_data", "read_known"]

# A File variable is copied with every history level; what is larger stays in the store.
MAX_INLINE_FILE_BYTES = 512 * 1024
_EXACT = 2**53
# Of a type: why the variable's value is not among the data.
_UNREADABLE = "unreadable"
_WHOLE: Mapping[str, range] = {
    "Short": range(-(2**15), 2**15),
    "Integer": range(-(2**31), 2**31),
    "Long": range(-(2**63), 2**63),
}
Wire = Mapping[str, Any]


def read_data(schema: Schema, variables: Mapping[str, Wire], *, zone: str) -> dict[str, Json]:
    """Return variables as the engine answers them (`{"value", "type", "valueInfo"}`), as the data of a form.

    A Date is on the person's clock (`zone`, an IANA name), and only a day where the form asks for one. What generated
    forms write as a text, by the engine's clock, stays on that clock.
    """
    asked = _find_asked(schema)
    keys = {variable: key for key, variable in schema.renamed.items()}
    named = {keys.get(name, name): wire for name, wire in variables.items()}
    return {name: _read_value(wire, asked.get(name), zone) for name, wire in named.items()}


def read_known(schema: Schema, variables: Mapping[str, Wire], *, zone: str) -> KnownVariables:
    """Return the same with the types."""
    return KnownVariables(
        read_data(schema, variables, zone=zone), {name: _type(wire) for name, wire in variables.items()}
    )


def find_inline_files(schema: Schema, answers: Mapping[str, Json], *, max_bytes: int) -> dict[str, FileReference]:
    """Return the files among the answers that become File variables, by variable: `make_typed_variables` needs their
    content.
    """
    found = {}
    for name, component in _find_asked(schema).items():
        is_file = component.type == "filepicker" and not component.find_hint("storage")
        files = _read_references(answers.get(name)) if is_file else ()
        if len(files) == 1 and component.read_property("multiple") is not True and files[0].size_bytes <= max_bytes:
            found[name] = files[0]
    return found


def make_typed_variables(
    schema: Schema,
    answers: Mapping[str, Json],
    known: KnownVariables,
    *,
    zone: str,
    contents: Mapping[str, bytes],
) -> dict[str, TypedValue]:
    """Answer by key as variables for the engine; those that say what is `known` of the variable are left out.

    The type is that of the custom property `camundaType`, else that of the known variable if the value fits, else it
    follows from the value. `contents`: see `find_inline_files`. Raises `NotAVariable`.
    """
    asked, renamed = _find_asked(schema), schema.renamed
    typed = {}
    for key, value in answers.items():
        component, name = asked.get(key), renamed.get(key, key)
        kind = known.types.get(name)
        is_reset = schema.is_generated and _is_reset(component)
        # What is left empty of a generated form is not sent: the engine would make a variable of it.
        left = None if schema.is_generated and value == "" and known.data.get(key) is None else value
        if kind is not None and not is_reset and _is_unchanged(left, known.data.get(key), kind):
            continue
        if kind is not None and (unreadable := kind.get(_UNREADABLE)):
            raise NotAVariable(f"variable {name!r} cannot be written by a form: it is {unreadable}")
        if key in contents:
            (reference,) = _read_references(value)
            typed[name] = TypedValue(encode(_to_file_value(reference, contents[key])))
        elif component is not None and schema.is_generated:
            typed[name] = TypedValue(_make_generated_wire(value, component, kind, zone))
        else:
            typed[name] = TypedValue(_make_wire(value, component, kind, zone))
    return typed


def find_key(schema: Schema, variable: str) -> str:
    """Return the key by which a form asks for a variable."""
    return next((key for key, name in schema.renamed.items() if name == variable), variable)


def _find_asked(schema: Schema) -> dict[str, Component]:
    """Return the components whose value is a variable of its own, not a part of one."""
    return dict(_list_bound(schema.components))


def _list_bound(components: Iterable[Component]) -> Iterator[tuple[str, Component]]:
    for component in components:
        path = make_value_path(component, ())
        if not path:
            yield from _list_bound(component.components)
        elif len(path) == 1 and component.key:
            yield str(path[0]), component


def _type(wire: Wire) -> VariableType:
    kind: dict[str, Any] = {"type": wire.get("type")}
    if kind["type"] != "Object":
        return kind
    if wire.get("valueInfo"):
        kind["valueInfo"] = wire["valueInfo"]
    if isinstance(value := decode(wire), JavaObject):
        kind[_UNREADABLE] = str(value)
    return kind


def _is_unchanged(value: Json, known: Json, kind: VariableType) -> bool:
    if kind.get("type") == "File":
        # Its content is never seen here, so "no file" only says that nobody sent another one.
        return value is None or value == []
    if kind.get(_UNREADABLE) and _is_empty(value):
        return True
    return is_same(value, known) and kind.get("type") != "Null"


def _is_empty(value: Json) -> bool:
    """Tell whether a person has left everything in it empty."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (
        value is None
        or value is False
        or value == ""
        or (isinstance(value, dict | list) and all(_is_empty(part) for part in parts))
    )


def _is_reset(component: Component | None) -> bool:
    """Tell whether the engine puts the default of a generated form over what is not sent again."""
    return component is not None and component.find_hint("hasDefault") == "true"


def _make_generated_wire(value: Json, component: Component, known: VariableType | None, zone: str) -> dict[str, Any]:
    """Return as the engine's own form would send it: dates as texts, so that they are read by the clock that wrote
    them.
    """
    if value in (None, ""):
        return encode(None)
    if component.type == "filepicker":
        # No type of a generated field holds Json: the engine would keep what Java prints of it.
        return encode(_make_wire(value, component, known, zone)["value"])
    pattern = component.find_hint("datePattern")
    if pattern is None:
        return _make_wire(value, component, known, zone)
    return encode(read_pattern(pattern).from_iso(str(value)) if component.type == "datetime" else str(value))


def _make_wire(value: Json, component: Component | None, known: VariableType | None, zone: str) -> dict[str, Any]:
    if value is None:
        return encode(None)
    if component is not None and component.type == "filepicker":
        files = [file.model_dump(mode="json") for file in _read_references(value)]
        return encode(files[0] if len(files) == 1 and component.read_property("multiple") is not True else files)
    wanted = component.find_hint("camundaType") if component is not None else None
    for kind in (wanted, known.get("type") if known is not None else None):
        fitting = _AS.get(kind.lower()) if kind else None
        if fitting is not None and (wire := fitting(value, component, zone)) is not None:
            return wire
    if known is not None and (wire := _to_object(value, known)) is not None:
        return wire
    return _encode_by_value(value)


def _encode_by_value(value: Json) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return encode(value)
    if float(value).is_integer() and abs(value) < _EXACT:
        return {"value": int(value), "type": "Long"}
    return encode(float(value))


def _to_whole(kind: str) -> Callable[[Json, Component | None, str], dict[str, Any] | None]:
    def convert_whole(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
        number = _read_number(value, component)
        if number is None or number != number.to_integral_value() or int(number) not in _WHOLE[kind]:
            return None
        return {"value": int(number), "type": kind}

    return convert_whole


def _to_double(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
    number = _read_number(value, component)
    return encode(float(number)) if number is not None else None


def _to_text(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
    return encode(value) if isinstance(value, str) else None


def _to_boolean(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
    return encode(value) if isinstance(value, bool) else None


def _to_json(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
    if isinstance(value, list | dict):
        return encode(value)
    # Encoded inside a list, where nothing is left to guess: then without the list.
    return {"value": encode([value])["value"][1:-1], "type": "Json"}


def _to_date(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:
    day = read_day(value)
    if (
        day is None
        or not isinstance(value, str)
        or (component is not None and component.read_property("subtype") == "time")
    ):
        return None
    minute = read_minute(value, zone) if "T" in value else 0
    if minute is None:
        return None
    clock = time(minute // 60, minute % 60)
    moment = datetime.combine(day, clock, tzinfo=find_zone(zone))
    if "T" in value and (written := _read_aware(value)) is not None:
        moment = written
    return {"value": write_time(moment), "type": "Date"}


def _to_object(value: Json, known: VariableType) -> dict[str, Any] | None:
    """Return a Java object that the engine keeps as JSON stays one."""
    if not is_json_object(known) or not isinstance(value, list | dict):
        return None
    return {"value": encode(value)["value"], "type": "Object", "valueInfo": dict(known["valueInfo"])}


_AS: Mapping[str, Callable[[Json, Component | None, str], dict[str, Any] | None]] = {
    **{kind.lower(): _to_whole(kind) for kind in _WHOLE},
    "double": _to_double,
    "float": _to_double,
    "string": _to_text,
    "boolean": _to_boolean,
    "date": _to_date,
    "json": _to_json,
}


def _read_number(value: Json, component: Component | None) -> Decimal | None:
    # A text only as `serializeToString` has it.
    is_text = isinstance(value, str) and (component is None or component.type != "number")
    return None if is_text else to_decimal(value)


def _read_aware(value: str) -> datetime | None:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo is not None else None


def _read_value(wire: Wire, component: Component | None, zone: str) -> Json:
    value = decode(wire)
    match value:
        case datetime():
            return _format_moment(value, component, zone)
        case bytes():
            return base64.b64encode(value).decode()
        case JavaObject():
            return None
        case FileValue():
            return {"filename": value.filename, "mimeType": value.mime_type, "encoding": value.encoding}
    if component is not None and component.type == "datetime" and (pattern := component.find_hint("datePattern")):
        return _read_by(pattern, value)
    if component is not None and component.type == "filepicker" and isinstance(value, str):
        return _read_reference(value)
    if component is not None and component.type == "number" and _is_text(component) and _is_number(value):
        return str(value)
    plain: Json = value  # type: ignore[assignment]
    return plain


def _format_moment(moment: datetime, component: Component | None, zone: str) -> Json:
    try:
        local = moment.astimezone(find_zone(zone))
    except OverflowError:  # the first or the last day that Python has
        local = moment
    if component is None or component.type != "datetime":
        return local.isoformat()
    if component.read_property("subtype") == "date":
        return local.date().isoformat()
    minutes = local.hour * 60 + local.minute
    return write_moment(local.date(), minutes, component.read_property("timeSerializingFormat"), zone)


def _read_reference(text: str) -> Json:
    """Return the reference that a text field of a generated form holds; the text where it is another one."""
    try:
        found: Json = json.loads(text)
    except ValueError:
        return text
    return found


def _read_by(pattern: str, value: object) -> Json:
    """Return the date that a generated form holds as a text; nothing where another step left something else."""
    try:
        return read_pattern(pattern).to_iso(str(value))
    except (FormUnreadable, ValueError):
        return None


def _is_text(component: Component) -> bool:
    return component.read_property("serializeToString") is True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _read_references(value: Json | None) -> tuple[FileReference, ...]:
    try:
        return read_references(value)
    except ValidationError:
        return ()


def _to_file_value(reference: FileReference, content: bytes) -> FileValue:
    return FileValue(reference.name or "file", content, reference.content_type)
