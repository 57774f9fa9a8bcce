"""Files that went through the sandbox, in memory."""

import itertools
import struct
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath

from baton.sandbox.telegram.wire import Json
from files.types import find_suffix, find_type_by_name

__all__ = ["DOWNLOAD_BYTES", "PHOTO_BYTES", "UPLOAD_BYTES", "FileStore", "StoredFile", "describe_media"]

UPLOAD_BYTES = 50 * 2**20
PHOTO_BYTES = 10 * 2**20
DOWNLOAD_BYTES = 20 * 2**20
KEPT_BYTES = 512 * 2**20

_FOLDERS = {
    "photo": "photos", "voice": "voice", "audio": "music", "video": "videos",
    "animation": "animations", "document": "documents",
}  # fmt: skip
_PNG = b"\x89PNG\r\n\x1a\n"
_UNKNOWN_SIDE_PIXELS = 800


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`path` is what `getFile` tells and `/file/bot<token>/` serves."""

    id: str
    name: str
    path: str
    content_type: str
    content: bytes


class FileStore:
    """Keeps the newest half GiB; older files are forgotten, as their links expire in Telegram."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._files: dict[str, StoredFile] = {}
        self._paths: dict[str, str] = {}
        self._size_bytes = 0

    def add(self, kind: str, name: str, content: bytes, content_type: str = "") -> StoredFile:
        number = next(self._numbers)
        name = PurePosixPath(name.replace("\\", "/")).name[:120] or "file"
        if content_type in {"", "application/octet-stream"}:
            content_type = find_type_by_name(name) or "application/octet-stream"
        suffix = PurePosixPath(name).suffix or find_suffix(content_type)
        file = StoredFile(
            f"SBX{kind[:1].upper()}{number:08d}", name, f"{_FOLDERS[kind]}/file_{number}{suffix}", content_type, content
        )
        self._files[file.id] = file
        self._paths[file.path] = file.id
        self._size_bytes += len(content)
        while self._size_bytes > KEPT_BYTES:
            self._forget_oldest()
        return file

    def get(self, file_id: str) -> StoredFile | None:
        return self._files.get(file_id)

    def find(self, path: str) -> StoredFile | None:
        return self._files.get(self._paths.get(path, ""))

    def clear(self) -> None:
        self._files.clear()
        self._paths.clear()
        self._size_bytes = 0

    def _forget_oldest(self) -> None:
        file = self._files.pop(next(iter(self._files)))
        del self._paths[file.path]
        self._size_bytes -= len(file.content)


def describe_media(kind: str, file: StoredFile, duration: timedelta = timedelta(seconds=1)) -> Json | list[Json]:
    """Return the file as a message's field `kind`; durations are not read from the file."""
    told: Json = {"file_id": file.id, "file_unique_id": f"u{file.id}", "file_size": len(file.content)}
    if kind == "photo":
        width, height = _read_picture_size(file.content)
        return [{**told, "width": width, "height": height}]
    told["mime_type"] = file.content_type
    if kind in {"voice", "audio", "video", "animation"}:
        told["duration"] = max(1, round(duration.total_seconds()))
    if kind in {"video", "animation"}:
        told |= {"width": _UNKNOWN_SIDE_PIXELS, "height": _UNKNOWN_SIDE_PIXELS}
    if kind != "voice":
        told["file_name"] = file.name
    return told


def _read_picture_size(content: bytes) -> tuple[int, int]:
    """Read width and height of a PNG in pixels; a square for other formats, nothing in the sandbox depends on them."""
    if content.startswith(_PNG) and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    return _UNKNOWN_SIDE_PIXELS, _UNKNOWN_SIDE_PIXELS
