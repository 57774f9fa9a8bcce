"""The files that a person sends: a multipart body with `file` (an album: `file0`, `file1`, …) and, if wanted, `kind`,
`caption`, `duration` in seconds, `chat_id` and `reply_to`.
"""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from baton.sandbox.telegram.errors import ApiError, PersonRefused
from baton.sandbox.telegram.methods.parameters import Parameters, UploadedFile, of_request
from baton.sandbox.telegram.state.files import UPLOAD_BYTES
from baton.sandbox.telegram.wire import count_utf16

__all__ = ["PersonUpload", "read_album", "read_upload"]

MAX_CAPTION = 1024
ALBUM = range(2, 11)
_KINDS = ("photo", "document", "voice", "audio", "video", "animation")
_PHOTO_TYPES = frozenset({"image/png", "image/jpeg", "image/webp"})


@dataclass(frozen=True, slots=True)
class PersonUpload:
    """One file and where it goes; `chat_id` None is the private chat."""

    kind: str
    name: str
    content: bytes
    content_type: str
    caption: str
    reply_to: int | None
    chat_id: int | None
    duration: timedelta


async def read_upload(request: web.Request) -> PersonUpload:
    """Read a file. Pictures are photos unless `kind` says otherwise, everything else is a document. Raises
    PersonRefused.
    """
    parameters = await _read_parameters(request)
    return _upload(parameters, parameters.uploads.get("file"), with_caption=True)


async def read_album(request: web.Request) -> list[PersonUpload]:
    """Read 2 to 10 files in the order of their names; the caption is the first one's. Raises PersonRefused."""
    parameters = await _read_parameters(request)
    names = sorted((name for name in parameters.uploads if name[4:].isdecimal()), key=lambda name: int(name[4:]))
    if len(names) not in ALBUM:
        raise PersonRefused(400, "An album has 2 to 10 files: the parts file0, file1, … of a multipart body.")
    return [_upload(parameters, parameters.uploads[name], with_caption=name == names[0]) for name in names]


async def _read_parameters(request: web.Request) -> Parameters:
    try:
        return await of_request(request)
    except ApiError as error:
        if error.error_code == 413:
            raise PersonRefused(413, f"A file has at most {UPLOAD_BYTES // 2**20} MB.") from error
        raise PersonRefused(error.error_code, error.description) from error


def _upload(parameters: Parameters, upload: UploadedFile | None, *, with_caption: bool) -> PersonUpload:
    try:
        caption = parameters.read_text("caption").strip() if with_caption else ""
        kind = parameters.read_text("kind")
        reply_to, chat_id = parameters.read_integer("reply_to") or None, parameters.read_integer("chat_id") or None
        duration = timedelta(seconds=min(max(parameters.read_integer("duration", 1), 1), 86_400))
    except ApiError as error:
        raise PersonRefused(error.error_code, error.description) from error
    if upload is None or not upload.content:
        raise PersonRefused(400, "Send the file as the part “file” of a multipart body; it must not be empty.")
    if count_utf16(caption) > MAX_CAPTION:
        raise PersonRefused(400, f"A caption has at most {MAX_CAPTION} characters.")
    kind = kind or ("photo" if upload.content_type in _PHOTO_TYPES else "document")
    if kind not in _KINDS:
        raise PersonRefused(400, f"A file is sent as one of {', '.join(_KINDS)}, not {kind!r}.")
    return PersonUpload(kind, upload.name, upload.content, upload.content_type, caption, reply_to, chat_id, duration)
