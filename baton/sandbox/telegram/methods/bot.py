"""Methods about the bot itself."""
# ruff: noqa: ARG001 -- the shape of a method

from collections.abc import Mapping

from baton.sandbox.telegram.errors import make_bad_request
from baton.sandbox.telegram.methods.method import Method
from baton.sandbox.telegram.methods.parameters import Parameters
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.wire import Json, count_utf16

__all__ = ["METHODS"]

MAX_NAME = 64
MAX_DESCRIPTION = 512
MAX_SHORT_DESCRIPTION = 120
_ACTIONS = frozenset(
    {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document",
     "choose_sticker", "find_location", "record_video_note", "upload_video_note"}
)  # fmt: skip


async def _get_me(sandbox: Sandbox, parameters: Parameters) -> Json:
    return {
        **sandbox.describe_bot(),
        "can_join_groups": True,
        "can_read_all_group_messages": not sandbox.switches.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def _confirm(sandbox: Sandbox, parameters: Parameters) -> bool:
    return True


async def _send_chat_action(sandbox: Sandbox, parameters: Parameters) -> bool:
    chat = sandbox.find_writable_chat(parameters.values.get("chat_id"))
    action = parameters.read_text("action")
    if action not in _ACTIONS:
        raise make_bad_request("wrong parameter action in request")
    sandbox.events.publish("action", chat.id, {"action": action, "chat": chat.to_chat()})
    return True


def _note_profile_change(sandbox: Sandbox) -> bool:
    sandbox.events.publish("bot", None, {})
    return True


async def _set_commands(sandbox: Sandbox, parameters: Parameters) -> bool:
    sandbox.profile.set_commands(
        parameters.read_structure("commands"), parameters.read_structure("scope"), parameters.read_text("language_code")
    )
    return _note_profile_change(sandbox)


async def _get_commands(sandbox: Sandbox, parameters: Parameters) -> list[Json]:
    return sandbox.profile.list_commands(parameters.read_structure("scope"), parameters.read_text("language_code"))


async def _delete_commands(sandbox: Sandbox, parameters: Parameters) -> bool:
    sandbox.profile.delete_commands(parameters.read_structure("scope"), parameters.read_text("language_code"))
    return _note_profile_change(sandbox)


def _choose_text(name: str, attribute: str, limit: int) -> tuple[Method, Method]:
    """Return the setter and the getter of one text of the bot's profile."""

    async def set_text(sandbox: Sandbox, parameters: Parameters) -> bool:
        text = parameters.read_text(name)
        if count_utf16(text) > limit:
            raise make_bad_request(f"the bot's {name.replace('_', ' ')} is too long")
        texts: dict[str, str] = getattr(sandbox.profile, attribute)
        language = parameters.read_text("language_code")
        if text:
            texts[language] = text
        else:
            texts.pop(language, None)
        return _note_profile_change(sandbox)

    async def get_text(sandbox: Sandbox, parameters: Parameters) -> Json:
        texts: dict[str, str] = getattr(sandbox.profile, attribute)
        return {name: texts.get(parameters.read_text("language_code")) or texts.get("", "")}

    return set_text, get_text


async def _set_menu_button(sandbox: Sandbox, parameters: Parameters) -> bool:
    button = parameters.read_structure("menu_button") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in {"commands", "web_app", "default"}:
        raise make_bad_request("can't parse menu button: unsupported type")
    sandbox.profile.menu_button = button
    return _note_profile_change(sandbox)


async def _get_menu_button(sandbox: Sandbox, parameters: Parameters) -> Json:
    return sandbox.profile.menu_button


_set_name, _get_name = _choose_text("name", "names", MAX_NAME)
_set_description, _get_description = _choose_text("description", "descriptions", MAX_DESCRIPTION)
_set_short, _get_short = _choose_text("short_description", "short_descriptions", MAX_SHORT_DESCRIPTION)

METHODS: Mapping[str, Method] = {
    "getMe": _get_me,
    "logOut": _confirm,
    "close": _confirm,
    "sendChatAction": _send_chat_action,
    "setMyCommands": _set_commands,
    "getMyCommands": _get_commands,
    "deleteMyCommands": _delete_commands,
    "setMyName": _set_name,
    "getMyName": _get_name,
    "setMyDescription": _set_description,
    "getMyDescription": _get_description,
    "setMyShortDescription": _set_short,
    "getMyShortDescription": _get_short,
    "setChatMenuButton": _set_menu_button,
    "getChatMenuButton": _get_menu_button,
}
