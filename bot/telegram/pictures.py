"""Pictures of forms as Telegram takes them: by address, or as the bytes of a data address."""

import base64
import binascii
import re

from aiogram.types import BufferedInputFile

__all__ = ["MAX_PICTURE_BYTES", "to_photo"]

MAX_PICTURE_BYTES = 10 * 2**20
_DATA = re.compile(r"data:image/(?P<kind>png|jpe?g|gif|webp);base64,(?P<content>[A-Za-z0-9+/=\s]+)")


def to_photo(source: str) -> str | BufferedInputFile | None:
    """Return what to send for a picture's address; None for what Telegram would not show as a photo."""
    if source.startswith(("https://", "http://")):
        return source
    found = _DATA.fullmatch(source)
    if found is None or len(found["content"]) > MAX_PICTURE_BYTES * 4 // 3:
        return None
    try:
        content = base64.b64decode(found["content"])
    except binascii.Error:
        return None
    return BufferedInputFile(content, f"picture.{found['kind']}")
