"""How calls reach Telegram: as aiogram sends them, but those without files as JSON.

A form, and even more its boundary for parts that are not there, takes longer to write than everything else in a call.

Source: Bot API, "Making requests" (`application/json` for everything but uploads).
"""

from typing import Any, cast

import aiohttp
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType
from aiogram.types import File, Message, ResultChatMemberUnion
from aiohttp.hdrs import CONTENT_TYPE

from bot.telegram.calls import Call, Sent
from kit.reasons import describe_error

__all__ = ["TelegramSession"]

_JSON = {CONTENT_TYPE: "application/json"}
# aiogram asks pydantic for the model of an answer with every call. Held by nobody, the model goes with the next garbage
# collection and is made anew, which takes longer than the call: 2.3 ms for a message, 1 ms for a member of a group,
# 0.6 ms for a file. These are the answers of `Call`s, and of aiogram's own sendPhoto, getChatMember and getFile.
_ANSWERS = (Response[Sent], Response[Any], Response[Message], Response[ResultChatMemberUnion], Response[File])
_NO_DEFAULTS = DefaultBotProperties()


class TelegramSession(AiohttpSession):
    """A session of aiogram's. What is no `Call` travels as it always does."""

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[TelegramType],
        timeout: int | None = None,  # noqa: ASYNC109 -- aiogram's signature
    ) -> TelegramType:
        """Return one call. Raises what aiogram raises: `TelegramNetworkError`, and by the answer `TelegramAPIError`s.

        Raises `ValueError` for a `Call` of a bot with defaults, which would not be sent.
        """
        if not isinstance(method, Call):
            return await super().make_request(bot, method, timeout)
        if bot.default != _NO_DEFAULTS:
            raise ValueError(f"{method.__api_method__} takes no defaults, and this bot has some: {bot.default}")
        http = await self.create_session()
        url = self.api.api_url(bot.token, method.__api_method__)
        body = method.model_dump_json(exclude_none=True).encode()
        limit = aiohttp.ClientTimeout(total=self.timeout if timeout is None else timeout)
        try:
            async with http.post(url, data=body, headers=_JSON, timeout=limit) as answer:
                content = await answer.text()
        except TimeoutError as error:
            raise TelegramNetworkError(method, "Request timeout error") from error
        except aiohttp.ClientError as error:
            raise TelegramNetworkError(method, describe_error(error)) from error
        return cast("TelegramType", self.check_response(bot, method, answer.status, content).result)

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """Return what Telegram answered. Raises as `make_request`; an answer that cannot be read is not quoted.

        aiogram quotes all of it, and with it the messages that people wrote.
        """
        try:
            return super().check_response(bot, method, status_code, content)
        except ClientDecodeError as error:
            why = ValueError(describe_error(error.original))
            told = f"{len(content)} characters with status {status_code}"
            raise ClientDecodeError(error.message, why, told) from None
