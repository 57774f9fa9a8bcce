"""Methods that send, exchange and fetch files."""

from collections.abc import Mapping

from baton.sandbox.telegram.errors import ApiError, make_bad_request
from baton.sandbox.telegram.methods.messages import edit, find_message_to_edit, read_caption, send
from baton.sandbox.telegram.methods.method import Method
from baton.sandbox.telegram.methods.parameters import Parameters, UploadedFile
from baton.sandbox.telegram.state.files import DOWNLOAD_BYTES, PHOTO_BYTES, StoredFile, describe_media
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.wire import Json

__all__ = ["METHODS"]

ALBUM = range(2, 11)
_ALBUM_KINDS = frozenset({"photo", "video", "document", "audio"})
_EDITED_KINDS = _ALBUM_KINDS | {"animation"}


def _find_given_file(sandbox: Sandbox, parameters: Parameters, kind: str, given: str) -> StoredFile:
    """Return an upload, directly or as attach://name, or the id of a file that is here already."""
    upload: UploadedFile | None = parameters.uploads.get(kind)
    if given.startswith("attach://"):
        upload = parameters.uploads.get(given.removeprefix("attach://"))
    elif given:
        upload = None
    if upload is not None:
        if not upload.content:
            raise make_bad_request("file must be non-empty")
        if kind == "photo" and len(upload.content) > PHOTO_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        return sandbox.files.add(kind, upload.name, upload.content, upload.content_type)
    if not given:
        raise make_bad_request(f"there is no {kind} in the request")
    if given.startswith(("http://", "https://")):
        raise make_bad_request("failed to get HTTP URL content: the sandbox downloads nothing, upload the file")
    file = sandbox.files.get(given)
    if file is None:
        raise make_bad_request("wrong file identifier/HTTP URL specified")
    return file


def _make_sender(kind: str) -> Method:
    async def send_file(sandbox: Sandbox, parameters: Parameters) -> Json:
        caption = read_caption(sandbox, parameters)
        chat = sandbox.find_writable_chat(parameters.values.get("chat_id"))
        file = _find_given_file(sandbox, parameters, kind, parameters.read_text(kind))
        return send(sandbox, parameters, chat, {kind: describe_media(kind, file), **caption})

    return send_file


def _read_input_media(
    sandbox: Sandbox, parameters: Parameters, given: object, kinds: frozenset[str]
) -> tuple[str, Json]:
    """Return the kind and the content of one InputMedia. Raises error code 400 for what is none."""
    if not isinstance(given, dict) or given.get("type") not in kinds:
        raise make_bad_request(f"can't parse InputMedia: the type must be one of {', '.join(sorted(kinds))}")
    kind = str(given["type"])
    caption = read_caption(sandbox, Parameters(given))
    file = _find_given_file(sandbox, parameters, kind, str(given.get("media") or ""))
    return kind, {kind: describe_media(kind, file), **caption}


async def _send_album(sandbox: Sandbox, parameters: Parameters) -> list[Json]:
    given = parameters.read_structure("media")
    if not isinstance(given, list) or len(given) not in ALBUM:
        raise make_bad_request("media group must include 2-10 items")
    chat = sandbox.find_writable_chat(parameters.values.get("chat_id"))
    items = [_read_input_media(sandbox, parameters, item, _ALBUM_KINDS) for item in given]
    kinds = {kind for kind, _ in items}
    if len(kinds) > 1 and not kinds <= {"photo", "video"}:
        raise make_bad_request(f"{sorted(kinds)[0]} can't be mixed with other media types")
    album = sandbox.create_album_id()
    # An album has no buttons.
    shared = Parameters({key: value for key, value in parameters.values.items() if key != "reply_markup"})
    return [send(sandbox, shared, chat, {"media_group_id": album, **content}) for _, content in items]


async def _edit_media(sandbox: Sandbox, parameters: Parameters) -> Json:
    chat, message = find_message_to_edit(sandbox, parameters)
    kind, content = _read_input_media(sandbox, parameters, parameters.read_structure("media"), _EDITED_KINDS)
    if "media_group_id" in message and (kind not in message or kind not in _ALBUM_KINDS):
        raise make_bad_request("message can't be edited: an album keeps its kind of media")
    drop = {"text", "entities", "link_preview_options", "caption", "caption_entities", *_EDITED_KINDS}
    return edit(sandbox, parameters, chat, message, content, drop)


async def _get_file(sandbox: Sandbox, parameters: Parameters) -> Json:
    file = sandbox.files.get(parameters.read_text("file_id"))
    if file is None:
        raise make_bad_request("invalid file_id")
    if len(file.content) > DOWNLOAD_BYTES:
        raise make_bad_request("file is too big")
    return {
        "file_id": file.id, "file_unique_id": f"u{file.id}", "file_size": len(file.content), "file_path": file.path,
    }  # fmt: skip


METHODS: Mapping[str, Method] = {
    "sendPhoto": _make_sender("photo"),
    "sendDocument": _make_sender("document"),
    "sendVoice": _make_sender("voice"),
    "sendAudio": _make_sender("audio"),
    "sendVideo": _make_sender("video"),
    "sendAnimation": _make_sender("animation"),
    "sendMediaGroup": _send_album,
    "editMessageMedia": _edit_media,
    "getFile": _get_file,
}
