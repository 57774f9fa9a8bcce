"""Process variables on the wire, with explicit types both ways.

Source: Camunda 7.24 REST, VariableValueDto and JacksonConfigurator (date format). A value without a type would be
guessed by the engine (a dict becomes a serialised Java map), so nothing is ever sent without one.

What the engine holds need not fit Python or JSON: a Date in the year 10000, a Json that is none, a Double NaN. Such a
value is kept as the engine's own text, so that one odd variable spoils neither its task nor those fetched with it.

A Java object that the engine keeps as JSON is read like Json. One that it keeps in another way only Java can read.
"""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kit.errors import BatonError

__all__ = [
    "FileValue",
    "JavaObject",
    "NotAVariable",
    "TypedValue",
    "decode",
    "decode_all",
    "encode",
    "encode_all",
    "is_json_object",
    "read_time",
    "to_storable",
    "to_typed",
    "write_time",
]

MAX_STRING_CHARACTERS = 4000
_INTEGER = range(-(2**31), 2**31)
_LONG = range(-(2**63), 2**63)
_JSON_FORMAT = "application/json"
# To expressions, scripts and decisions it is a String of Java, like a short text; no column limits its length.
_LONG_TEXT = {"objectTypeName": "java.lang.String", "serializationDataFormat": _JSON_FORMAT}


class NotAVariable(BatonError):
    """A Python value that no engine type can hold."""


@dataclass(frozen=True, slots=True)
class FileValue:
    """A File variable. The engine never returns `content` inline: decoded ones have content None."""

    filename: str
    content: bytes | None
    mime_type: str | None = None
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class JavaObject:
    """An Object variable that cannot be read here, because it is not kept as JSON. It is never written back."""

    type_name: str
    format: str

    def __str__(self) -> str:
        return (
            f"a Java object ({self.type_name}) kept as {self.format}, which cannot be read here; "
            f"let the process keep it as {_JSON_FORMAT}"
        )


@dataclass(frozen=True, slots=True)
class TypedValue:
    """A value as it stands on the wire, `{"value", "type", "valueInfo"}`: sent to the engine unchanged."""

    wire: Mapping[str, Any]


def write_time(moment: datetime) -> str:
    """Return the engine's date format, e.g. 2026-11-15T00:00:00.000+0000; a naive time is refused."""
    offset = moment.utcoffset()
    if offset is None:
        raise NotAVariable(f"the time {moment.isoformat()} has no zone; give it one, e.g. tzinfo=UTC")
    if offset % timedelta(minutes=1):
        # Local mean times of old have seconds in their offset; the format has no place for them.
        moment = _to_utc(moment)
    # Not strftime: its %Y has fewer than four digits before the year 1000.
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}{moment:%z}"


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise NotAVariable(f"the time {moment.isoformat()} has no UTC in the years 1 to 9999") from error


def read_time(text: str) -> datetime:
    """Return the inverse of `write_time`; also reads `Z` and offsets with a colon.

    Raises `ValueError` or `OverflowError` for a time that is none, or outside the years 1 to 9999 in UTC.
    """
    return datetime.fromisoformat(text).astimezone(UTC)


def encode(value: object) -> dict[str, Any]:
    """Return one value as the engine wants it: `{"value", "type"}` and, for files, `valueInfo`.

    A text longer than a String column holds travels as an Object of java.lang.String. Raises `NotAVariable`.
    """
    match value:
        case None:
            return {"value": None, "type": "Null"}
        case bool():
            return {"value": value, "type": "Boolean"}
        case int():
            return _encode_int(value)
        case float():
            return _encode_float(value)
        case str():
            return _encode_text(value)
        case datetime():
            return {"value": write_time(value), "type": "Date"}
        case bytes():
            return {"value": base64.b64encode(value).decode(), "type": "Bytes"}
        case FileValue() | TypedValue() | JavaObject():
            return _encode_wrapped(value)
        case list() | tuple() | dict():
            return {"value": _to_json(value), "type": "Json"}
    raise NotAVariable(f"a {type(value).__name__} cannot be a process variable; use text, number, list or dict")


def _encode_wrapped(value: FileValue | TypedValue | JavaObject) -> dict[str, Any]:
    if isinstance(value, JavaObject):
        raise NotAVariable(f"it is {value}")
    return _encode_file(value) if isinstance(value, FileValue) else _check_wire(value.wire)


def _encode_int(value: int) -> dict[str, Any]:
    if value in _INTEGER:
        return {"value": value, "type": "Integer"}
    if value in _LONG:
        return {"value": value, "type": "Long"}
    raise NotAVariable(f"a whole number of {value.bit_length()} bits needs more than 64 bits; send it as text")


def _encode_float(value: float) -> dict[str, Any]:
    if not math.isfinite(value):
        raise NotAVariable(f"{value} is not a number that JSON can carry")
    return {"value": value, "type": "Double"}


def _encode_text(value: str) -> dict[str, Any]:
    _refuse_unstorable(value)
    # The column counts UTF-16 units on some databases: the safe bound is theirs.
    if len(value.encode("utf-16-le")) // 2 > MAX_STRING_CHARACTERS:
        return {"value": _to_json(value), "type": "Object", "valueInfo": dict(_LONG_TEXT)}
    return {"value": value, "type": "String"}


def _encode_file(value: FileValue) -> dict[str, Any]:
    if value.content is None:
        raise NotAVariable(f"the file {value.filename} has no content; read it with file_content first")
    info = {"filename": value.filename, "mimeType": value.mime_type, "encoding": value.encoding}
    for text in info.values():
        _refuse_half_characters(text or "")
    return {
        "value": base64.b64encode(value.content).decode(),
        "type": "File",
        "valueInfo": {name: text for name, text in info.items() if text is not None},
    }


def _check_wire(wire: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value := wire.get("value"), str):
        _refuse_unstorable(value)
    else:
        _to_json(value)
    _to_json({name: part for name, part in wire.items() if name != "value"})
    return dict(wire)


def _to_json(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotAVariable(f"the value is not JSON: {error}") from error
    _refuse_half_characters(text)
    return text


def _refuse_unstorable(text: str) -> None:
    if "\0" in text:
        raise NotAVariable("a text with a NUL character cannot be stored by PostgreSQL; remove it")
    _refuse_half_characters(text)


def _refuse_half_characters(text: str) -> None:
    """Refuse JSON can spell a lone surrogate (`"\\ud800"`), which no UTF-8 carries."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = ascii(text[error.start])
        raise NotAVariable(f"the text has half a character, {half}, at position {error.start}; remove it") from error


def to_storable(text: str) -> str:
    """Return the text with U+FFFD in the place of what no engine can store: NUL characters and halves of characters."""
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        # Two halves that stand together become the character that they are.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def encode_all(values: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """Return a map of variables; an error names the variable."""
    encoded = {}
    for name, value in values.items():
        try:
            _encode_text(name)  # what a text may not hold, a name may not either
            encoded[name] = encode(value)
        except NotAVariable as error:
            raise NotAVariable(f"variable {name!r}: {error}") from error
    return encoded


def decode(wire: Mapping[str, Any]) -> object:
    """Return one value of the engine as Python's.

    Xml keeps the engine's own form, and so does a value that does not fit its type. An Object is what its JSON says,
    or a `JavaObject`.
    """
    value, kind = wire.get("value"), wire.get("type")
    if kind == "File":
        info = wire.get("valueInfo") or {}
        return FileValue(str(info.get("filename") or ""), None, info.get("mimeType"), info.get("encoding"))
    if value is None:
        return None
    if kind == "Object" and isinstance(value, str):
        return _read_object(value, wire.get("valueInfo") or {})
    try:
        return _decode_as(kind, value)
    except (ValueError, OverflowError, TypeError, RecursionError):
        return value


def _decode_as(kind: object, value: Any) -> object:
    match kind:
        case "Json" | "json":
            return _read_json(value) if isinstance(value, str) else value
        case "Date":
            return read_time(value)
        case "Bytes":
            return base64.b64decode(value, validate=True)
        case "Double" | "Float":
            return _parse_finite(value)
    return value


def is_json_object(kind: Mapping[str, Any]) -> bool:
    """Tell whether a variable, with or without its value, is a Java object that the engine keeps as JSON."""
    info = kind.get("valueInfo") or {}
    return kind.get("type") == "Object" and info.get("serializationDataFormat") == _JSON_FORMAT


def _read_object(text: str, info: Mapping[str, Any]) -> object:
    kept_as = str(info.get("serializationDataFormat") or "unknown format")
    if kept_as == _JSON_FORMAT:
        try:
            return _read_json(text)
        except (ValueError, RecursionError):
            kept_as = "JSON that Python cannot hold"
    return JavaObject(str(info.get("objectTypeName") or "unknown class"), kept_as)


def _read_json(text: str) -> object:
    value = json.loads(text, parse_constant=_parse_finite, parse_float=_parse_finite)
    if "\\u" in text:
        # An escape may spell half a character; the text itself can travel, the value could not.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _parse_finite(text: Any) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number that JSON can carry")
    return number


def to_typed(wire: Mapping[str, Mapping[str, Any]]) -> dict[str, TypedValue]:
    """Return encoded variables for a call that takes values, without a way there and back through Python's."""
    return {name: TypedValue(value) for name, value in wire.items()}


def decode_all(wire: Mapping[str, Mapping[str, Any]]) -> dict[str, object]:
    """Return a map of variables as the engine answers it."""
    return {name: decode(value) for name, value in wire.items()}
