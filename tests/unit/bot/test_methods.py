"""Which methods of the Bot API the bot calls, read off its code: each must be among those that tests refuse."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from aiogram import methods

import bot.telegram.calls
from shared.telegram_methods import AT_START, IN_CONVERSATIONS

_NO_METHODS = frozenset({"TelegramMethod", "Request", "Response"})
# Of Redis and HTTP clients; the bot never leaves Telegram's cloud.
_OF_OTHERS = frozenset({"close"})


def test_what_the_bot_calls_is_refused_by_tests() -> None:
    known = {name[0].lower() + name[1:] for name in methods.__all__ if name not in _NO_METHODS}
    attributes = {re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", name): name for name in known}
    called = set(_called(known, attributes)) - _OF_OTHERS
    assert called == {*IN_CONVERSATIONS, *AT_START}


def _called(known: set[str], attributes: dict[str, str]) -> Iterator[str]:
    """By aiogram's methods of a bot, or by name, as `bot.telegram.calls` has them."""
    for path in Path(bot.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Attribute(attr=attribute) if attribute in attributes:
                    yield attributes[attribute]
                case ast.Constant(value=str(text)) if text in known:
                    yield text
