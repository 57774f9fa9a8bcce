"""Methods about the bot itself."""
# ruff: noqa: ARG001 -- the shape of a method

from collections.abc import Mapping

from baton.sandbox.telegram.errors import bad_request
from baton.sandbox.telegram.method import Method
from baton.sandbox.telegram.parameters import Parameters
from baton.sandbox.telegram.state import Sandbox
from baton.sandbox.telegram.wire import Json, utf16_length

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
        **sandbox.bot_user(),
        "can_join_groups": True,
        "can_read_all_group_messages": not sandbox.switches.privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


async def _yes(sandbox: Sandbox, parameters: Parameters) -> bool:
    return True


async def _send_chat_action(sandbox: Sandbox, parameters: Parameters) -> bool:
    chat = sandbox.chat_to_write_to(parameters.values.get("chat_id"))
    action = parameters.text("action")
    if action not in _ACTIONS:
        raise bad_request("wrong parameter action in request")
    sandbox.events.publish("action", chat.id, {"action": action, "chat": chat.as_chat()})
    return True


def _profile_changed(sandbox: Sandbox) -> bool:
    sandbox.events.publish("bot", None, {})
    return True


async def _set_commands(sandbox: Sandbox, parameters: Parameters) -> bool:
    sandbox.profile.set_commands(
        parameters.structure("commands"), parameters.structure("scope"), parameters.text("language_code")
    )
    return _profile_changed(sandbox)


async def _get_commands(sandbox: Sandbox, parameters: Parameters) -> list[Json]:
    return sandbox.profile.commands(parameters.structure("scope"), parameters.text("language_code"))


async def _delete_commands(sandbox: Sandbox, parameters: Parameters) -> bool:
    sandbox.profile.delete_commands(parameters.structure("scope"), parameters.text("language_code"))
    return _profile_changed(sandbox)


def _text_by_language(name: str, attribute: str, limit: int) -> tuple[Method, Method]:
    """The setter and the getter of one text of the bot's profile."""

    async def set_text(sandbox: Sandbox, parameters: Parameters) -> bool:
        text = parameters.text(name)
        if utf16_length(text) > limit:
            raise bad_request(f"the bot's {name.replace('_', ' ')} is too long")
        texts: dict[str, str] = getattr(sandbox.profile, attribute)
        language = parameters.text("language_code")
        if text:
            texts[language] = text
        else:
            texts.pop(language, None)
        return _profile_changed(sandbox)

    async def get_text(sandbox: Sandbox, parameters: Parameters) -> Json:
        texts: dict[str, str] = getattr(sandbox.profile, attribute)
        return {name: texts.get(parameters.text("language_code")) or texts.get("", "")}

    return set_text, get_text


async def _set_menu_button(sandbox: Sandbox, parameters: Parameters) -> bool:
    button = parameters.structure("menu_button") or {"type": "default"}
    if not isinstance(button, dict) or button.get("type") not in {"commands", "web_app", "default"}:
        raise bad_request("can't parse menu button: unsupported type")
    sandbox.profile.menu_button = button
    return _profile_changed(sandbox)


async def _get_menu_button(sandbox: Sandbox, parameters: Parameters) -> Json:
    return sandbox.profile.menu_button


_set_name, _get_name = _text_by_language("name", "names", MAX_NAME)
_set_description, _get_description = _text_by_language("description", "descriptions", MAX_DESCRIPTION)
_set_short, _get_short = _text_by_language("short_description", "short_descriptions", MAX_SHORT_DESCRIPTION)

METHODS: Mapping[str, Method] = {
    "getMe": _get_me,
    "logOut": _yes,
    "close": _yes,
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
