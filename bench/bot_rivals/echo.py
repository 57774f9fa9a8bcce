"""The least that a bot on aiogram can do: it says what it hears. Runs as a process of its own.

With `ECHO_CALLS=2` it also takes a button off what it said: a step of a form calls Telegram as often.
"""

import asyncio
import os

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message

CALLS_TWICE = os.environ.get("ECHO_CALLS") == "2"

dispatcher = Dispatcher()


@dispatcher.message()
async def echo(message: Message) -> None:
    if not CALLS_TWICE:
        await message.answer(message.text or "")
        return
    keyboard = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Cancel", callback_data="cancel")]])
    said = await message.answer(message.text or "", reply_markup=keyboard)
    await said.edit_reply_markup()


async def main() -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(os.environ["TELEGRAM_API_URL"]))
    async with Bot(os.environ["TELEGRAM_BOT_TOKEN"], session) as bot:
        await dispatcher.start_polling(bot)


if __name__ == "__main__":
    asyncio.run(main())
