"""Files that people send: what they really are, and names that can do no harm."""

import unicodedata
from pathlib import PurePosixPath

import puremagic

from files.containers import type_in_container
from files.types import find_type_by_name

__all__ = ["HEAD_BYTES", "clean_name", "detect_content_type", "is_contradicted"]

HEAD_BYTES = 8192
MAX_NAME_CHARACTERS = 120
UNKNOWN = "application/octet-stream"
SVG = "image/svg+xml"
# Families in which the name decides further: office documents are archives, tables and scripts are texts.
_ARCHIVES = frozenset({"application/zip", "application/x-zip-compressed", "application/x-ole-storage"})
_WRITTEN = frozenset({SVG, "application/json", "application/xml", "application/rtf", "application/pdf"})
# Of a drawing the library often sees no more than that, or a comment.
_MARKUP = frozenset({"", "application/xml", "text/xml", "text/html"})
# What the library calls a text that is one line of digits; nobody registered it, and no form asks for it.
_UNHEARD_OF = "text/ascii"
# What is known by its beginning, so that another one shows a disguise.
_FAMILIES = {"image/": "picture", "audio/": "recording", "video/": "recording", "application/pdf": "pdf"}
# What a text must hold to be what its name says, behind whatever comes before that.
_MARKS = {SVG: b"<svg", "application/pdf": b"%PDF-"}


def clean_name(name: str | None) -> str | None:
    """Return the last part of a name without what is no letter; None when nothing is left."""
    plain = unicodedata.normalize("NFC", PurePosixPath((name or "").replace("\\", "/")).name)
    # Marks that turn the direction of writing would make exe.txt of txt.exe.
    kept = "".join(sign for sign in plain if sign.isprintable() and unicodedata.category(sign) != "Cf").strip(" .")
    stem, dot, suffix = kept.rpartition(".")
    if dot and len(suffix) <= 10:
        kept = f"{stem[: MAX_NAME_CHARACTERS - len(suffix) - 1]}.{suffix}"
    return kept[:MAX_NAME_CHARACTERS] or None


def detect_content_type(head: bytes, name: str | None) -> str:
    """Return what a file is by its first bytes; its name only decides between what looks the same."""
    named = find_type_by_name(name)
    found = _detect_by_signature(head, name)
    if _is_text(head):
        if named in _MARKS and found in _MARKUP and _is_possible(named, head):
            return named
        # Words may begin like a picture; only what is written as text counts.
        if found in _WRITTEN or (found.startswith("text/") and found != _UNHEARD_OF):
            return found
        return named if named is not None and _is_possible(named, head) else "text/plain"
    if (contained := type_in_container(head, named)) is not None:
        return contained
    if found in _ARCHIVES and named is not None and named.startswith("application/"):
        return named
    return found or UNKNOWN


def is_contradicted(content_type: str, name: str | None) -> bool:
    """Tell whether a name says that it is a picture, a recording or a PDF, and the content is none.

    Sound and film are one: they share containers, and which of both is wanted is said by what a field accepts.
    A drawing (SVG) may hold scripts: it is taken under its own name only.
    """
    named = find_type_by_name(name) or ""
    if content_type == SVG and named != SVG:
        return True
    wanted = _find_family(named)
    return wanted is not None and wanted != _find_family(content_type)


def _detect_by_signature(head: bytes, name: str | None) -> str:
    """Return the type that the bytes say; empty where they say nothing, whatever the name does."""
    try:
        best = puremagic.magic_string(head, filename=name)[0]
    except (puremagic.PureError, ValueError):
        return ""
    return best.mime_type if best.byte_match else ""


def _is_possible(named: str, text: bytes) -> bool:
    """Tell whether a text may be what its name says."""
    if named in _MARKS:
        return _MARKS[named] in text and b"<html" not in text.lower()
    return named.startswith("text/") or named in _WRITTEN


def _find_family(content_type: str) -> str | None:
    return next((family for start, family in _FAMILIES.items() if content_type.startswith(start)), None)


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        # The last character may be cut.
        head[:-4].decode() if len(head) >= HEAD_BYTES else head.decode()
    except UnicodeDecodeError:
        return False
    return True
