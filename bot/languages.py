"""Which language each person has chosen; what they chose wins over what their Telegram is set to."""

import redis.asyncio
from aiogram.types import User

from forms.messages import LOCALES, supported

__all__ = ["Languages"]


class Languages:
    """The chosen languages of one bot's people. Private chats and their people have the same numbers."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int) -> None:
        self._redis = client
        self._key = f"baton:bot:{bot_id}:languages"

    async def of(self, person: int, language_code: str | None) -> str:
        """The language to speak to a person whose Telegram is set to `language_code`."""
        chosen = await self._redis.hget(self._key, str(person))
        return chosen if chosen in LOCALES else supported(language_code)

    async def of_user(self, user: User | None) -> str:
        """The language to speak to whoever wrote or pressed."""
        return await self.of(user.id, user.language_code) if user is not None else supported(None)

    async def choose(self, person: int, locale: str) -> None:
        """The person wants to be spoken to in a language, whatever their Telegram is set to."""
        await self._redis.hset(self._key, str(person), locale)
