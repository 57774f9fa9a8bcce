"""Files that a person sends."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bpmn.file_reference import FileReference, is_reference
from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.widgets import UploadWidget, Widget
from forms.model import Field, FieldError, Value
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = ["Kind", "is_accepted", "read_references"]

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

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        found: list[Json] = value if isinstance(value, list) else [value]
        return found if found and all(is_reference(part) for part in found) else None

    def keep_value(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:  # noqa: ARG002
        raise ValueRefused("send_file")

    def pick(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        """Pick without the file of this index."""
        files = current if isinstance(current, list) else []
        if not 0 <= index < len(files):
            raise ValueRefused("not_an_option")
        return [part for number, part in enumerate(files) if number != index] or None

    def find_problem(self, field: Field, value: Value) -> FieldError | None:
        if value is None or value == []:
            return None
        try:
            files = read_references(value)
        except ValidationError:
            return FieldError("wrong_type")
        if len(files) > (MAX_FILES if _is_several(field) else 1):
            return FieldError("too_many_files", {"max": MAX_FILES if _is_several(field) else 1})
        accept = _accept(field)
        strange = next((file for file in files if not is_accepted(accept, file.name or "", file.content_type)), None)
        return FieldError("wrong_file_type", {"name": strange.name or "", "accept": accept}) if strange else None

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        return ", ".join(_list_names(value))

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:  # noqa: ARG002
        return UploadWidget(tuple(_list_names(value)), several=_is_several(field), accept=_accept(field))


def read_references(value: Value) -> tuple[FileReference, ...]:
    """Return the references of a value. Raises `ValidationError` for what is none."""
    return tuple(FileReference.model_validate(part) for part in value) if isinstance(value, list) else ()


def is_accepted(accept: str, name: str, content_type: str) -> bool:
    """Tell whether a file is one of a list as HTML's `accept` has it; an empty list takes all."""
    wanted = [part.strip().lower() for part in accept.split(",") if part.strip()]
    media = _find_usual_type(content_type.partition(";")[0].strip().lower())
    for part in wanted:
        if part.startswith("."):
            if name.lower().endswith(part):
                return True
        elif _find_usual_type(part) in {"*/*", media} or (part.endswith("/*") and media.startswith(part[:-1])):
            return True
    return not wanted


def _find_usual_type(content_type: str) -> str:
    return _ALSO.get(content_type, content_type)


def _accept(field: Field) -> str:
    found = field.read_property("accept")
    return found if isinstance(found, str) else ""


def _is_several(field: Field) -> bool:
    return field.read_property("multiple") is True


def _list_names(value: Any) -> list[str]:
    files = value if isinstance(value, list) else []
    return [str(part.get("name") or part.get("path")) for part in files if isinstance(part, dict)]
