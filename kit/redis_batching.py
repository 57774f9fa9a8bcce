"""A Redis client that sends together what is asked for at the same moment.

A hundred chats at once ask for a few keys each. One by one, every command would cost a connection of its own, a write
and a read; here all that are asked for while others are under way go in the next message. They stay commands of their
own: no transaction, and each fails for itself.
"""

import asyncio
from typing import Any

import redis.asyncio

__all__ = ["BatchingRedis"]

# They hold their connection until something comes.
_WAITING = frozenset({"XREADGROUP", "XREAD", "BLPOP", "BRPOP", "BLMOVE", "BZPOPMIN", "WAIT"})
_MOST = 500

_Asked = tuple[tuple[Any, ...], dict[str, Any], "asyncio.Future[Any]"]


class BatchingRedis(redis.asyncio.Redis):
    """Used as any other client, by one event loop."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asked: list[_Asked] = []
        self._sending: asyncio.Task[None] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Return the answer of one command. Raises `RedisError`; where the connection breaks, for all that travelled
        in it.
        """
        if args[0] in _WAITING:
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append((args, options, answer))
        if self._sending is None:
            self._sending = asyncio.ensure_future(self._send())
        return await answer

    async def _send(self) -> None:
        try:
            while self._asked:
                asked, self._asked = self._asked[:_MOST], self._asked[_MOST:]
                await self._exchange(asked)
                await asyncio.sleep(0)  # those who were answered may have the next question
        finally:
            self._sending = None

    async def _exchange(self, asked: list[_Asked]) -> None:
        pipe = self.pipeline(transaction=False)
        for args, options, _ in asked:
            pipe.execute_command(*args, **options)
        try:
            answers = await pipe.execute(raise_on_error=False)
        except Exception as error:  # noqa: BLE001 -- whoever asked is told, whatever it is
            answers = [error] * len(asked)
        except asyncio.CancelledError:
            for *_, future in asked:
                future.cancel()
            raise
        for (*_, future), answer in zip(asked, answers, strict=True):
            if future.done():  # nobody waits for it any more
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
