"""Between the data of a form and the variables of the engine, with explicit types both ways.

Data are JSON; variables have types that JSON has not. What a person left as it was stays as it was, to the type.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from bpmn.files import FileReference
from bpmn.variables import FileValue, TypedValue, decode, encode, write_time
from forms.clock import read_day, read_minute, write_moment, zone_of
from forms.date_pattern import read_pattern
from forms.errors import FormUnreadable
from forms.fields.file import references
from forms.known import Known, VariableType
from forms.numbers import as_decimal
from forms.options import same
from forms.paths import Json
from forms.places import value_path
from forms.schema import Component, Schema

__all__ = ["MAX_INLINE_FILE_BYTES", "data_of", "inline_files", "key_of", "known_of", "typed_variables"]

# A File variable is copied with every history level; what is larger stays in the store.
MAX_INLINE_FILE_BYTES = 512 * 1024
_EXACT = 2**53
_WHOLE: Mapping[str, range] = {
    "Short": range(-(2**15), 2**15),
    "Integer": range(-(2**31), 2**31),
    "Long": range(-(2**63), 2**63),
}
Wire = Mapping[str, Any]


def data_of(schema: Schema, variables: Mapping[str, Wire], *, zone: str) -> dict[str, Json]:
    """Variables as the engine answers them (`{"value", "type", "valueInfo"}`), as the data of a form.

    A Date is on the person's clock (`zone`, an IANA name), and only a day where the form asks for one. What generated
    forms write as a text, by the engine's clock, stays on that clock.
    """
    asked = _asked(schema)
    keys = {variable: key for key, variable in schema.renamed.items()}
    named = {keys.get(name, name): wire for name, wire in variables.items()}
    return {name: _data(wire, asked.get(name), zone) for name, wire in named.items()}


def known_of(schema: Schema, variables: Mapping[str, Wire], *, zone: str) -> Known:
    """The same with the types."""
    return Known(data_of(schema, variables, zone=zone), {name: _type(wire) for name, wire in variables.items()})


def inline_files(schema: Schema, answers: Mapping[str, Json], *, max_bytes: int) -> dict[str, FileReference]:
    """The files among the answers that become File variables, by variable: `typed_variables` needs their content."""
    found = {}
    for name, component in _asked(schema).items():
        is_file = component.type == "filepicker" and not component.hint("storage")
        files = _references(answers.get(name)) if is_file else ()
        if len(files) == 1 and component.written("multiple") is not True and files[0].size_bytes <= max_bytes:
            found[name] = files[0]
    return found


def typed_variables(
    schema: Schema,
    answers: Mapping[str, Json],
    known: Known,
    *,
    zone: str,
    contents: Mapping[str, bytes],
) -> dict[str, TypedValue]:
    """Answers by key as variables for the engine; those that say what is `known` of the variable are left out.

    The type is that of the custom property `camundaType`, else that of the known variable if the value fits, else it
    follows from the value. `contents`: see `inline_files`. Raises `NotAVariable`.
    """
    asked, renamed = _asked(schema), schema.renamed
    typed = {}
    for key, value in answers.items():
        component, name = asked.get(key), renamed.get(key, key)
        kind = known.types.get(name)
        is_reset = schema.is_generated and _is_reset(component)
        # What is left empty of a generated form is not sent: the engine would make a variable of it.
        left = None if schema.is_generated and value == "" and known.data.get(key) is None else value
        if kind is not None and not is_reset and _is_unchanged(left, known.data.get(key), kind):
            continue
        if key in contents:
            (reference,) = _references(value)
            typed[name] = TypedValue(encode(_file(reference, contents[key])))
        elif component is not None and schema.is_generated:
            typed[name] = TypedValue(_generated_wire(value, component, kind, zone))
        else:
            typed[name] = TypedValue(_wire(value, component, kind, zone))
    return typed


def key_of(schema: Schema, variable: str) -> str:
    """The key by which a form asks for a variable."""
    return next((key for key, name in schema.renamed.items() if name == variable), variable)


def _asked(schema: Schema) -> dict[str, Component]:
    """The components whose value is a variable of its own, not a part of one."""
    return dict(_bound(schema.components))


def _bound(components: Iterable[Component]) -> Iterator[tuple[str, Component]]:
    for component in components:
        path = value_path(component, ())
        if not path:
            yield from _bound(component.components)
        elif len(path) == 1 and component.key:
            yield str(path[0]), component


def _type(wire: Wire) -> VariableType:
    kind = {"type": wire.get("type")}
    return kind | {"valueInfo": wire["valueInfo"]} if kind["type"] == "Object" and wire.get("valueInfo") else kind


def _is_unchanged(value: Json, known: Json, kind: VariableType) -> bool:
    if kind.get("type") == "File":
        # Its content is never seen here, so "no file" only says that nobody sent another one.
        return value is None or value == []
    return same(value, known) and kind.get("type") != "Null"


def _is_reset(component: Component | None) -> bool:
    """Whether the engine puts the default of a generated form over what is not sent again."""
    return component is not None and component.hint("hasDefault") == "true"


def _generated_wire(value: Json, component: Component, known: VariableType | None, zone: str) -> dict[str, Any]:
    """As the engine's own form would send it: dates as texts, so that they are read by the clock that wrote them."""
    if value in (None, ""):
        return encode(None)
    if component.type == "filepicker":
        # No type of a generated field holds Json: the engine would keep what Java prints of it.
        return encode(_wire(value, component, known, zone)["value"])
    pattern = component.hint("datePattern")
    if pattern is None:
        return _wire(value, component, known, zone)
    return encode(read_pattern(pattern).from_iso(str(value)) if component.type == "datetime" else str(value))


def _wire(value: Json, component: Component | None, known: VariableType | None, zone: str) -> dict[str, Any]:
    if value is None:
        return encode(None)
    if component is not None and component.type == "filepicker":
        files = [file.model_dump(mode="json") for file in _references(value)]
        return encode(files[0] if len(files) == 1 and component.written("multiple") is not True else files)
    wanted = component.hint("camundaType") if component is not None else None
    for kind in (wanted, known.get("type") if known is not None else None):
        fitting = _AS.get(kind.lower()) if kind else None
        if fitting is not None and (wire := fitting(value, component, zone)) is not None:
            return wire
    if known is not None and (wire := _as_object(value, known)) is not None:
        return wire
    return _by_value(value)


def _by_value(value: Json) -> dict[str, Any]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return encode(value)
    if float(value).is_integer() and abs(value) < _EXACT:
        return {"value": int(value), "type": "Long"}
    return encode(float(value))


def _as_whole(kind: str) -> Callable[[Json, Component | None, str], dict[str, Any] | None]:
    def fitting(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
        number = _number(value, component)
        if number is None or number != number.to_integral_value() or int(number) not in _WHOLE[kind]:
            return None
        return {"value": int(number), "type": kind}

    return fitting


def _as_double(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
    number = _number(value, component)
    return encode(float(number)) if number is not None else None


def _as_text(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
    return encode(value) if isinstance(value, str) else None


def _as_boolean(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
    return encode(value) if isinstance(value, bool) else None


def _as_json(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:  # noqa: ARG001
    if isinstance(value, list | dict):
        return encode(value)
    # Encoded inside a list, where nothing is left to guess: then without the list.
    return {"value": encode([value])["value"][1:-1], "type": "Json"}


def _as_date(value: Json, component: Component | None, zone: str) -> dict[str, Any] | None:
    day = read_day(value)
    if day is None or not isinstance(value, str) or (component is not None and component.written("subtype") == "time"):
        return None
    minute = read_minute(value, zone) if "T" in value else 0
    if minute is None:
        return None
    clock = time(minute // 60, minute % 60)
    moment = datetime.combine(day, clock, tzinfo=zone_of(zone))
    if "T" in value and (written := _aware(value)) is not None:
        moment = written
    return {"value": write_time(moment), "type": "Date"}


def _as_object(value: Json, known: VariableType) -> dict[str, Any] | None:
    """A Java object that the engine keeps as JSON stays one."""
    info = known.get("valueInfo") or {}
    if known.get("type") != "Object" or not isinstance(value, list | dict):
        return None
    if info.get("serializationDataFormat") != "application/json":
        return None
    return {"value": encode(value)["value"], "type": "Object", "valueInfo": dict(info)}


_AS: Mapping[str, Callable[[Json, Component | None, str], dict[str, Any] | None]] = {
    **{kind.lower(): _as_whole(kind) for kind in _WHOLE},
    "double": _as_double,
    "float": _as_double,
    "string": _as_text,
    "boolean": _as_boolean,
    "date": _as_date,
    "json": _as_json,
}


def _number(value: Json, component: Component | None) -> Decimal | None:
    # A text only as `serializeToString` has it.
    is_text = isinstance(value, str) and (component is None or component.type != "number")
    return None if is_text else as_decimal(value)


def _aware(value: str) -> datetime | None:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo is not None else None


def _data(wire: Wire, component: Component | None, zone: str) -> Json:
    value = decode(wire)
    match value:
        case datetime():
            return _moment(value, component, zone)
        case bytes():
            return base64.b64encode(value).decode()
        case FileValue():
            return {"filename": value.filename, "mimeType": value.mime_type, "encoding": value.encoding}
    if component is not None and component.type == "datetime" and (pattern := component.hint("datePattern")):
        return _read_by(pattern, value)
    if component is not None and component.type == "filepicker" and isinstance(value, str):
        return _read_reference(value)
    if component is not None and component.type == "number" and _is_text(component) and _is_number(value):
        return str(value)
    plain: Json = value  # type: ignore[assignment]
    return plain


def _moment(moment: datetime, component: Component | None, zone: str) -> Json:
    try:
        local = moment.astimezone(zone_of(zone))
    except OverflowError:  # the first or the last day that Python has
        local = moment
    if component is None or component.type != "datetime":
        return local.isoformat()
    if component.written("subtype") == "date":
        return local.date().isoformat()
    minutes = local.hour * 60 + local.minute
    return write_moment(local.date(), minutes, component.written("timeSerializingFormat"), zone)


def _read_reference(text: str) -> Json:
    """The reference that a text field of a generated form holds; the text where it is another one."""
    try:
        found: Json = json.loads(text)
    except ValueError:
        return text
    return found


def _read_by(pattern: str, value: object) -> Json:
    """The date that a generated form holds as a text; nothing where another step left something else."""
    try:
        return read_pattern(pattern).to_iso(str(value))
    except (FormUnreadable, ValueError):
        return None


def _is_text(component: Component) -> bool:
    return component.written("serializeToString") is True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _references(value: Json | None) -> tuple[FileReference, ...]:
    try:
        return references(value)
    except ValidationError:
        return ()


def _file(reference: FileReference, content: bytes) -> FileValue:
    return FileValue(reference.name or "file", content, reference.content_type)
