"""What the bot tells about itself: commands, name, descriptions, the menu button."""

import json
import re
from typing import Any

from baton.sandbox.telegram.errors import make_bad_request
from baton.sandbox.telegram.wire import Json, count_utf16

__all__ = ["BotProfile"]

MAX_COMMANDS = 100
MAX_COMMAND_DESCRIPTION = 256
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_SCOPES = frozenset(
    {"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat", "chat_administrators",
     "chat_member"}
)  # fmt: skip


class BotProfile:
    """Texts by language code; the empty code is for everybody without an own one."""

    def __init__(self, name: str) -> None:
        self.names: dict[str, str] = {"": name}
        self.descriptions: dict[str, str] = {}
        self.short_descriptions: dict[str, str] = {}
        self.menu_button: Json = {"type": "commands"}
        self._commands: dict[tuple[str, str], list[Json]] = {}

    def set_commands(self, commands: object, scope: object, language_code: str) -> None:
        """Raise error code 400 for what Telegram would refuse."""
        if not isinstance(commands, list):
            raise make_bad_request("expected an Array of BotCommand")
        if len(commands) > MAX_COMMANDS:
            raise make_bad_request("BOT_COMMANDS_TOO_MUCH")
        self._commands[_make_scope_key(scope), language_code] = [_read_command(command) for command in commands]

    def delete_commands(self, scope: object, language_code: str) -> None:
        self._commands.pop((_make_scope_key(scope), language_code), None)

    def list_commands(self, scope: object, language_code: str) -> list[Json]:
        return self._commands.get((_make_scope_key(scope), language_code), [])

    def find_commands(self, chat_id: int | None, language_code: str, *, in_group: bool = False) -> list[Json]:
        """Return what a person's menu shows: the narrowest scope that has commands, in the own language if there is
        one.
        """
        scopes: list[Any] = [{"type": "all_group_chats" if in_group else "all_private_chats"}, {"type": "default"}]
        if chat_id is not None:
            scopes.insert(0, {"type": "chat", "chat_id": chat_id})
        language = language_code.partition("-")[0]
        found = (self.list_commands(scope, code) for scope in scopes for code in (language, ""))
        return next(filter(None, found), [])


def _make_scope_key(scope: object) -> str:
    if scope is None:
        scope = {"type": "default"}
    if not isinstance(scope, dict) or scope.get("type") not in _SCOPES:
        raise make_bad_request("can't parse BotCommandScope: unsupported type")
    return json.dumps({key: str(value) for key, value in scope.items()}, sort_keys=True)


def _read_command(command: object) -> Json:
    if not isinstance(command, dict):
        raise make_bad_request("can't parse BotCommand: expected an Object")
    name = str(command.get("command", "")).removeprefix("/")
    description = str(command.get("description", "")).strip()
    if not _COMMAND.fullmatch(name):
        raise make_bad_request("BOT_COMMAND_INVALID")
    if not 1 <= count_utf16(description) <= MAX_COMMAND_DESCRIPTION:
        raise make_bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}
