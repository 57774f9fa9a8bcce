"""What the bot and Telegram tell each other first: who it is, and what can be asked of it."""

import asyncio
from datetime import timedelta

import structlog
from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramAPIError, TelegramUnauthorizedError

from bot.errors import TooBusy
from bot.handlers.commands import build_command_list
from bpmn.catalog import Catalog
from forms.messages import LOCALES
from kit.errors import ConfigurationError
from kit.reasons import describe_error

__all__ = ["announce", "introduce"]

ATTEMPTS = 60
PAUSE = timedelta(seconds=1)

log = structlog.get_logger()


async def introduce(bot: Bot) -> str:
    """Wait until Telegram knows us; answers the bot's username.

    Raises `ConfigurationError` for a token that cannot become right by waiting, and when nothing is heard for long.
    """
    for _ in range(ATTEMPTS):
        try:
            me = await bot.get_me()
        except TelegramUnauthorizedError as error:
            raise ConfigurationError("Telegram does not know this TELEGRAM_BOT_TOKEN: ask BotFather for it") from error
        except (TelegramAPIError, ClientDecodeError, TooBusy) as error:
            log.warning("Telegram does not answer yet", reason=describe_error(error))
            await asyncio.sleep(PAUSE.total_seconds())
        else:
            log.info("logged in", username=me.username)
            return me.username or ""
    raise ConfigurationError("Telegram did not answer for a minute: is TELEGRAM_API_URL right?")


async def announce(bot: Bot, catalog: Catalog) -> None:
    """Set Telegram's menu of commands. A bot without it still answers."""
    try:
        for locale in LOCALES:
            await bot.set_my_commands(build_command_list(catalog, locale), language_code=_to_language_code(locale))
        await bot.set_my_commands(build_command_list(catalog, LOCALES[0]))
    except (TelegramAPIError, ClientDecodeError, TooBusy) as error:
        log.warning("the menu of commands stays as it was", reason=describe_error(error))


def _to_language_code(locale: str) -> str:
    return locale.partition("_")[0]  # ISO 639-1 is what Telegram takes
