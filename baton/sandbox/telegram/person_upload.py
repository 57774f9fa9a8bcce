"""The file that a person sends: a multipart body with `file` and, if wanted, `kind`, `caption` and `reply_to`."""

from dataclasses import dataclass

from aiohttp import web

from baton.sandbox.telegram.errors import ApiError, PersonRefused
from baton.sandbox.telegram.files import UPLOAD_BYTES
from baton.sandbox.telegram.parameters import of_request
from baton.sandbox.telegram.wire import utf16_length

__all__ = ["PersonUpload", "read_upload"]

MAX_CAPTION = 1024
_KINDS = ("photo", "document", "voice", "audio", "video")
_PHOTO_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})


@dataclass(frozen=True, slots=True)
class PersonUpload:
    kind: str
    name: str
    content: bytes
    content_type: str
    caption: str
    reply_to: int | None


async def read_upload(request: web.Request) -> PersonUpload:
    """Pictures are photos unless `kind` says otherwise, everything else is a document. Raises PersonRefused."""
    try:
        parameters = await of_request(request)
        upload, caption = parameters.uploads.get("file"), parameters.text("caption").strip()
        kind, reply_to = parameters.text("kind"), parameters.integer("reply_to") or None
    except ApiError as error:
        if error.error_code == 413:
            raise PersonRefused(413, f"A file has at most {UPLOAD_BYTES // 2**20} MB.") from error
        raise PersonRefused(error.error_code, error.description) from error
    if upload is None or not upload.content:
        raise PersonRefused(400, "Send the file as the part “file” of a multipart body; it must not be empty.")
    if utf16_length(caption) > MAX_CAPTION:
        raise PersonRefused(400, f"A caption has at most {MAX_CAPTION} characters.")
    kind = kind or ("photo" if upload.content_type in _PHOTO_TYPES else "document")
    if kind not in _KINDS:
        raise PersonRefused(400, f"A file is sent as one of {', '.join(_KINDS)}, not {kind!r}.")
    return PersonUpload(kind, upload.name, upload.content, upload.content_type, caption, reply_to)
