"""What people are called who take tasks in Telegram: others read it who are too late."""

from datetime import timedelta

import redis.asyncio

from bot.people.author import Sender

__all__ = ["PersonNames"]

# Of whoever takes nothing for so long only the number is left.
LIFE = timedelta(days=90)


class PersonNames:
    """The names by which one bot's people are known in Telegram."""

    def __init__(self, client: redis.asyncio.Redis, bot_id: int) -> None:
        self._redis = client
        self._prefix = f"baton:bot:{bot_id}:name"

    async def remember_name(self, sender: Sender) -> None:
        """Remember what somebody is called now."""
        await self._redis.set(f"{self._prefix}:{sender.place.user_id}", sender.name, ex=LIFE)

    async def name_of(self, user_id: str) -> str:
        """Return what a person is called; for others than those that were met their id."""
        known = await self._redis.get(f"{self._prefix}:{user_id}")
        return str(known) if known else user_id
