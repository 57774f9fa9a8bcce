"""Methods that send and fetch files."""

from collections.abc import Mapping

from baton.sandbox.telegram.errors import ApiError, bad_request
from baton.sandbox.telegram.files import DOWNLOAD_BYTES, PHOTO_BYTES, StoredFile, media
from baton.sandbox.telegram.method import Method
from baton.sandbox.telegram.methods_messages import read_caption, send
from baton.sandbox.telegram.parameters import Parameters, Upload
from baton.sandbox.telegram.state import Sandbox
from baton.sandbox.telegram.wire import Json

__all__ = ["METHODS"]


def _given_file(sandbox: Sandbox, parameters: Parameters, kind: str) -> StoredFile:
    """An upload, directly or as attach://name, or the id of a file that is here already."""
    upload: Upload | None = parameters.uploads.get(kind)
    given = parameters.text(kind)
    if given.startswith("attach://"):
        upload = parameters.uploads.get(given.removeprefix("attach://"))
    if upload is not None:
        if not upload.content:
            raise bad_request("file must be non-empty")
        if kind == "photo" and len(upload.content) > PHOTO_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        return sandbox.files.add(kind, upload.name, upload.content, upload.content_type)
    if not given:
        raise bad_request(f"there is no {kind} in the request")
    if given.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content: the sandbox downloads nothing, upload the file")
    file = sandbox.files.get(given)
    if file is None:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return file


def _sender(kind: str) -> Method:
    async def send_file(sandbox: Sandbox, parameters: Parameters) -> Json:
        caption = read_caption(parameters)
        user = sandbox.chat_to_write_to(parameters.values.get("chat_id"))
        file = _given_file(sandbox, parameters, kind)
        return send(sandbox, parameters, user, {kind: media(kind, file), **caption})

    return send_file


async def _get_file(sandbox: Sandbox, parameters: Parameters) -> Json:
    file = sandbox.files.get(parameters.text("file_id"))
    if file is None:
        raise bad_request("invalid file_id")
    if len(file.content) > DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return {
        "file_id": file.id, "file_unique_id": f"u{file.id}", "file_size": len(file.content), "file_path": file.path,
    }  # fmt: skip


METHODS: Mapping[str, Method] = {
    "sendPhoto": _sender("photo"),
    "sendDocument": _sender("document"),
    "sendVoice": _sender("voice"),
    "sendAudio": _sender("audio"),
    "sendVideo": _sender("video"),
    "getFile": _get_file,
}
