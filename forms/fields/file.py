"""Files that a person sends."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bpmn.files import FileReference, is_reference
from forms.kind import Asked, Refused
from forms.model import Field, Problem, Value
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Upload, Widget

__all__ = ["Kind", "accepts", "references"]

MAX_FILES = 20
# Other names of a type that people and programs use; the second stands for both.
_ALSO = {
    "audio/m4a": "audio/mp4", "audio/mp3": "audio/mpeg", "audio/opus": "audio/ogg", "audio/vnd.wave": "audio/wav",
    "application/excel": "application/vnd.ms-excel", "application/mspowerpoint": "application/vnd.ms-powerpoint",
    "audio/wave": "audio/wav", "audio/x-flac": "audio/flac", "audio/x-m4a": "audio/mp4", "audio/x-wav": "audio/wav",
    "image/jpg": "image/jpeg", "image/vnd.microsoft.icon": "image/x-icon", "image/x-ms-bmp": "image/bmp",
    "text/x-vcard": "text/vcard", "video/avi": "video/x-msvideo", "video/matroska": "video/x-matroska",
    "video/x-m4v": "video/mp4",
}  # fmt: skip


class Kind:
    """form-js filepicker. The value is a list of file references, or None; the files themselves are in the store."""

    name = "file"
    components = frozenset({"filepicker"})
    keyed = True
    empty: Value = None

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        found: list[Json] = value if isinstance(value, list) else [value]
        return found if found and all(is_reference(part) for part in found) else None

    def kept(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def typed(self, field: Field, text: str, asked: Asked) -> Value:  # noqa: ARG002
        raise Refused("send_file")

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        """Without the file of this index."""
        files = current if isinstance(current, list) else []
        if not 0 <= index < len(files):
            raise Refused("not_an_option")
        return [part for number, part in enumerate(files) if number != index] or None

    def problem(self, field: Field, value: Value) -> Problem | None:
        if value is None or value == []:
            return None
        try:
            files = references(value)
        except ValidationError:
            return Problem("wrong_type")
        if len(files) > (MAX_FILES if _several(field) else 1):
            return Problem("too_many_files", {"max": MAX_FILES if _several(field) else 1})
        accept = _accept(field)
        strange = next((file for file in files if not accepts(accept, file.name or "", file.content_type)), None)
        return Problem("wrong_file_type", {"name": strange.name or "", "accept": accept}) if strange else None

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        return ", ".join(_names(value))

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        return Upload(tuple(_names(value)), several=_several(field), accept=_accept(field))


def references(value: Value) -> tuple[FileReference, ...]:
    """The references of a value. Raises `ValidationError` for what is none."""
    return tuple(FileReference.model_validate(part) for part in value) if isinstance(value, list) else ()


def accepts(accept: str, name: str, content_type: str) -> bool:
    """Whether a file is one of a list as HTML's `accept` has it; an empty list takes all."""
    wanted = [part.strip().lower() for part in accept.split(",") if part.strip()]
    media = _usual(content_type.partition(";")[0].strip().lower())
    for part in wanted:
        if part.startswith("."):
            if name.lower().endswith(part):
                return True
        elif _usual(part) in {"*/*", media} or (part.endswith("/*") and media.startswith(part[:-1])):
            return True
    return not wanted


def _usual(content_type: str) -> str:
    return _ALSO.get(content_type, content_type)


def _accept(field: Field) -> str:
    found = field.written("accept")
    return found if isinstance(found, str) else ""


def _several(field: Field) -> bool:
    return field.written("multiple") is True


def _names(value: Any) -> list[str]:
    files = value if isinstance(value, list) else []
    return [str(part.get("name") or part.get("path")) for part in files if isinstance(part, dict)]
