"""Files that begin alike and hold sound, film or pictures: which of them, by what stands at their beginning.

Sources: RFC 3533 and 7845 (Ogg), RFC 8794 and 9559 (EBML, Matroska), ISO/IEC 14496-12 (boxes, brands), RFC 4867 (AMR),
ISO/IEC 11172-3 (frames of MPEG audio).
"""

import re

__all__ = ["type_in_container"]

_EBML = b"\x1a\x45\xdf\xa3"
_RIFF = {b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo", b"WEBP": "image/webp"}
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
_PICTURE_BRANDS = {
    b"avif": "image/avif", b"avis": "image/avif", b"heic": "image/heic", b"heix": "image/heic", b"heim": "image/heic",
    b"heis": "image/heic", b"hevc": "image/heic", b"hevx": "image/heic", b"mif1": "image/heif", b"msf1": "image/heif",
}  # fmt: skip
# What a track says that it is: in Ogg the first words of its first packet, in Matroska its codec, in boxes its handler.
_TRACKS = {
    "ogg": re.compile(rb"(?P<video>\x80theora|BBCD\0|\x01video\0)|(?P<audio>OpusHead|\x01vorbis|Speex {3}|\x7fFLAC)"),
    "matroska": re.compile(rb"\x86[\x80-\xff](?:(?P<video>V_)|(?P<audio>A_))"),
    "boxes": re.compile(rb"hdlr.{8}(?:(?P<video>vide)|(?P<audio>soun))", re.DOTALL),
}


def type_in_container(head: bytes, named: str | None) -> str | None:
    """Return the content type; None when it is no such file. Where the beginning does not tell sound from film, a
    name may.

    `named`: the type that the name says.
    """
    if head[4:8] == b"ftyp":
        return _of_boxes(head, named)
    if head.startswith(b"OggS"):
        return f"{_choose_family(head, 'ogg', named, 'audio')}/ogg"
    if head.startswith(_EBML):
        family = _choose_family(head, "matroska", named, "video")
        return f"{family}/webm" if b"webm" in head[:64] else f"{family}/x-matroska"
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head.startswith(b"#!AMR"):
        return "audio/amr-wb" if head.startswith(b"#!AMR-WB") else "audio/amr"
    return _of_frames(head.lstrip(b"\0"))  # some programs leave room in front


def _of_boxes(head: bytes, named: str | None) -> str:
    brand = head[8:12]
    if brand in _PICTURE_BRANDS:
        return _choose_picture_type(head)
    if brand in _SOUND_BRANDS:
        return "audio/mp4"
    if brand == b"qt  ":
        return "video/quicktime"
    family = _choose_family(head, "boxes", named, "video")
    if brand.startswith(b"3g"):
        return f"{family}/3gpp2" if brand.startswith(b"3g2") else f"{family}/3gpp"
    return f"{family}/mp4"


def _choose_picture_type(head: bytes) -> str:
    """Choose by the first brand that says more than that it is a picture, or a series of them."""
    length = min(int.from_bytes(head[:4]), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, length, 4))]
    kinds = [_PICTURE_BRANDS[brand] for brand in brands if brand in _PICTURE_BRANDS]
    return next((kind for kind in kinds if kind != "image/heif"), "image/heif")


def _choose_family(head: bytes, container: str, named: str | None, usual: str) -> str:
    """Choose film where one track is that, sound where all are; else by the name."""
    found = {match.lastgroup for match in _TRACKS[container].finditer(head)}
    if "video" in found:
        return "video"
    if found and (container != "boxes" or _has_all_boxes_of_tracks(head)):
        return "audio"
    family = (named or "").partition("/")[0]
    return family if family in {"audio", "video"} else usual


def _has_all_boxes_of_tracks(head: bytes) -> bool:
    """Tell whether all tracks are named: in other containers they come first; here one stands behind the tables of
    another.
    """
    at = head.find(b"moov") - 4
    return at >= 0 and at + int.from_bytes(head[at : at + 4]) <= len(head)


def _of_frames(head: bytes) -> str | None:
    """Recognise MPEG audio without a header of its own, layers II and III: layer I would be a text of UTF-16, too."""
    if len(head) < 3 or int.from_bytes(head[:2]) & 0xFFE0 != 0xFFE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    is_reserved = version == 1 or head[2] >> 4 == 15 or head[2] >> 2 & 3 == 3
    return "audio/mpeg" if layer in {1, 2} and not is_reserved else None
