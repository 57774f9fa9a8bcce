"""Files that people send: what they really are, and names that can do no harm."""

import mimetypes
import unicodedata
from pathlib import PurePosixPath

import puremagic

__all__ = ["HEAD_BYTES", "clean_name", "content_type_of", "contradicts"]

HEAD_BYTES = 8192
MAX_NAME_CHARACTERS = 120
UNKNOWN = "application/octet-stream"
SVG = "image/svg+xml"
# Families in which the name decides further: office documents are archives, tables and scripts are texts.
_ARCHIVES = frozenset({"application/zip", "application/x-zip-compressed", "application/x-ole-storage"})
_WRITTEN = frozenset({SVG, "application/json", "application/xml", "application/rtf", "application/pdf"})
_TELLING = ("image/", "audio/", "video/", "application/pdf")


def clean_name(name: str | None) -> str | None:
    """The last part of a name without what is no letter; None when nothing is left."""
    plain = unicodedata.normalize("NFC", PurePosixPath((name or "").replace("\\", "/")).name)
    # Marks that turn the direction of writing would make exe.txt of txt.exe.
    kept = "".join(sign for sign in plain if sign.isprintable() and unicodedata.category(sign) != "Cf").strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if dot and len(suffix) <= 10:
        kept = f"{stem[: MAX_NAME_CHARACTERS - len(suffix) - 1]}.{suffix}"
    return kept[:MAX_NAME_CHARACTERS] or None


def content_type_of(head: bytes, name: str | None) -> str:
    """What a file is by its first bytes; its name only decides between what looks the same."""
    named = mimetypes.guess_type(name or "")[0]
    try:
        found = puremagic.from_string(head, mime=True, filename=name)
    except (puremagic.PureError, ValueError):
        found = ""
    if found in _ARCHIVES and named is not None and named.startswith("application/"):
        return named
    if not _is_text(head):
        return found or UNKNOWN
    # Words may begin like a picture; only what is written as text counts.
    if found in _WRITTEN or found.startswith("text/"):
        return found
    return named if named is not None and (named.startswith("text/") or named in _WRITTEN) else "text/plain"


def contradicts(content_type: str, name: str | None) -> bool:
    """Whether a name says that it is a picture, sound, film or PDF, and the content is none.

    A drawing (SVG) may hold scripts: it is taken under its own name only.
    """
    named = mimetypes.guess_type(name or "")[0] or ""
    if content_type == SVG and named != SVG:
        return True
    wanted = next((family for family in _TELLING if named.startswith(family)), None)
    return wanted is not None and not content_type.startswith(wanted)


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        # The last character may be cut.
        head[:-4].decode() if len(head) >= HEAD_BYTES else head.decode()
    except UnicodeDecodeError:
        return False
    return True
