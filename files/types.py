"""Content types by the names of files, the same on every machine.

`mimetypes.guess_type` reads what the system has in `/etc/mime.types` and elsewhere, and takes names for addresses.
"""

import mimetypes
from pathlib import PurePosixPath

__all__ = ["find_suffix", "find_type_by_name", "list_possible_types"]

# What phones and browsers make, and Python does not know, or not in all versions the same. The first suffix of a type
# is the usual one.
_OURS = {
    ".3ga": "audio/3gpp", ".aac": "audio/aac", ".ac3": "audio/ac3", ".amr": "audio/amr", ".awb": "audio/amr-wb",
    ".flac": "audio/flac", ".m4a": "audio/mp4", ".m4b": "audio/mp4", ".mp3": "audio/mpeg", ".oga": "audio/ogg",
    ".ogg": "audio/ogg", ".opus": "audio/ogg", ".spx": "audio/ogg", ".wav": "audio/wav", ".weba": "audio/webm",
    ".caf": "audio/x-caf", ".mka": "audio/x-matroska", ".wma": "audio/x-ms-wma", ".avif": "image/avif",
    ".heic": "image/heic", ".heif": "image/heif", ".jxl": "image/jxl", ".webp": "image/webp", ".3gp": "video/3gpp",
    ".3g2": "video/3gpp2", ".mp4": "video/mp4", ".m4v": "video/mp4", ".ogv": "video/ogg", ".mov": "video/quicktime",
    ".webm": "video/webm", ".flv": "video/x-flv", ".mkv": "video/x-matroska", ".asf": "video/x-ms-asf",
    ".wmv": "video/x-ms-wmv", ".avi": "video/x-msvideo", ".ics": "text/calendar",
    ".md": "text/markdown", ".vcf": "text/vcard",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".odt": "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odp": "application/vnd.oasis.opendocument.presentation", ".epub": "application/epub+zip",
}  # fmt: skip
# Made without the names of files it holds Python's own table alone.
_PYTHONS = mimetypes.MimeTypes().types_map[True]
_TYPES = {**_PYTHONS, **_OURS}
# Containers of which only a look inside tells whether they hold sound or film.
_EITHER = frozenset({"3gpp", "3gpp2", "ogg", "webm", "x-matroska"})
_SUFFIXES = {kind: suffix for suffix, kind in reversed((*_OURS.items(), *_PYTHONS.items()))}


def find_type_by_name(name: str | None) -> str | None:
    """Return what a file is by its name; None when that does not say."""
    return _TYPES.get(PurePosixPath(name or "").suffix.lower())


def find_suffix(content_type: str) -> str:
    """Return how the names of such files end, with the dot; empty when that is not known."""
    return _SUFFIXES.get(content_type.partition(";")[0].strip().lower(), "")


def list_possible_types(content_type: str, name: str) -> frozenset[str]:
    """Return what a file may turn out to be that nobody has looked into, by what is said of it."""
    said = {content_type.partition(";")[0].strip().lower()} | ({named} if (named := find_type_by_name(name)) else set())
    either = {subtype for _, _, subtype in (kind.partition("/") for kind in said) if subtype in _EITHER}
    return frozenset(said | {f"{family}/{subtype}" for family in ("audio", "video") for subtype in either})
