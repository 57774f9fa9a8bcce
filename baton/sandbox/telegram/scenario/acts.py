"""What a person sent, as calls of a Person's methods."""

from collections.abc import Callable
from dataclasses import dataclass

from baton.sandbox.telegram.errors import PersonRefused
from baton.sandbox.telegram.scenario.conversation import Act
from baton.sandbox.telegram.scenario.source import write_literal
from baton.sandbox.telegram.wire import Json

__all__ = ["Speech", "write_speech"]

# A test is source that people read: what is larger belongs into a file beside it.
LARGEST_FILE_BYTES = 256 * 2**10
_FILES = ("photo", "voice", "video", "animation", "audio", "document")

Constant = Callable[[str, bytes], str]
ContentOf = Callable[[str], tuple[str, bytes] | None]


@dataclass(frozen=True, slots=True)
class Speech:
    """A method of Person and its arguments (see source.call). `may_reply`: it takes `reply_to`; `may_be_answered`: it
    returns the id of the new message.
    """

    method: str
    arguments: tuple[str | tuple[str, str], ...]
    may_reply: bool = False
    may_be_answered: bool = True


def write_speech(act: Act, constant: Constant, content_of: ContentOf) -> Speech | str:
    """Return the call that does the act again, or a remark for one that cannot be done again.

    `constant` makes a name for a file's content. Raises PersonRefused for a file that is gone or too large.
    """
    told = act.told[0]
    if "forward_origin" in told:
        return "Here a message was forwarded; what it was is not known."
    if "text" in told:
        return Speech("say", (("", str(told["text"])),), may_reply=True)
    if "contact" in told:
        return _write_contact(told)
    if "location" in told:
        place = told["location"]
        return Speech("send_location", (repr(place["latitude"]), repr(place["longitude"])))
    if "new_chat_members" in told or "left_chat_member" in told:
        return _write_membership(told)
    return _write_files(act, constant, content_of)


def _write_contact(told: Json) -> Speech:
    contact = told["contact"]
    if "user_id" in contact:
        return Speech("send_contact", ())
    return Speech("send_contact", (("", str(contact["phone_number"])), ("", str(contact["first_name"]))))


def _write_membership(told: Json) -> Speech | str:
    joined = "new_chat_members" in told
    subject = told["new_chat_members"][0] if joined else told["left_chat_member"]
    if subject["is_bot"]:
        return Speech("make_bot", (("", "member" if joined else "kicked"),), may_be_answered=False)
    if subject["id"] == told["from"]["id"]:
        return Speech("enter" if joined else "leave", (), may_be_answered=False)
    return "Here somebody changed who is in the group."


def _write_files(act: Act, constant: Constant, content_of: ContentOf) -> Speech | str:
    told = act.told[0]
    kind = next((kind for kind in _FILES if kind in told), None)
    if kind is None:
        return "Here something was sent that cannot be sent again."
    files = [_write_content(message[kind], content_of) for message in act.told if kind in message]
    caption = [("caption", str(told["caption"]))] if told.get("caption") else []
    if len(files) > 1:
        names = [name for name, _ in files]
        if len(set(names)) < len(names):
            names = [f"{number}-{name}" for number, name in enumerate(names, start=1)]
        contents = [constant(name, content) for name, content in files]
        pairs = ", ".join(f"{write_literal(name)}: {told}" for name, told in zip(names, contents, strict=True))
        return Speech("send_album", (f"{{{pairs}}}", ("kind", kind), *caption))
    name, content = files[0]
    if kind == "voice":
        duration = f"duration=timedelta(seconds={int(told[kind]['duration'])})"
        return Speech("send_voice", (constant(name, content), duration))
    more = [("content_type", str(told[kind]["mime_type"]))] if "mime_type" in told[kind] else []
    arguments: tuple[str | tuple[str, str], ...] = (
        ("", name),
        constant(name, content),
        ("kind", kind),
        *more,
        *caption,
    )
    return Speech("send_file", arguments, may_reply=True)


def _write_content(media: Json | list[Json], content_of: ContentOf) -> tuple[str, bytes]:
    file = media[-1] if isinstance(media, list) else media
    found = content_of(str(file["file_id"]))
    if found is None:
        raise PersonRefused(409, "A file of this conversation is no longer there; it cannot be saved.")
    if len(found[1]) > LARGEST_FILE_BYTES:
        most = LARGEST_FILE_BYTES // 2**10
        raise PersonRefused(409, f"The file {found[0]} is too large for a scenario: more than {most} KB.")
    return found
