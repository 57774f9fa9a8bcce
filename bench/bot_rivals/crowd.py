"""Many people in the Telegram sandbox, who all look at one stream of events: a thousand phones cost little that way."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp

__all__ = ["Crowd", "Message"]

Message = dict[str, Any]
PATIENCE = timedelta(minutes=2)
_LINE_BYTES = 2**20


@dataclass(slots=True)
class Crowd:
    """People of a sandbox. `sent` are the times at which the bot's messages came, in s of `time.perf_counter`."""

    http: aiohttp.ClientSession
    url: str
    sent: list[float] = field(default_factory=list)
    _waiting: dict[int, asyncio.Future[Message]] = field(default_factory=dict)

    async def join(self, count: int) -> list[int]:
        """Ids of so many new people."""
        return [int((await self._post("users", {"name": f"P{n}"}))["id"]) for n in range(count)]

    async def say(self, person: int, text: str) -> None:
        """Say something and look at nothing."""
        await self._post(f"users/{person}/text", {"text": text, "chat_id": person})

    async def ask(self, person: int, text: str) -> tuple[Message, float]:
        """Say something; the bot's next message, and the seconds until it came. Raises `TimeoutError`."""
        answer = self._next(person)
        started = time.perf_counter()
        await self.say(person, text)
        return await self._come(answer), time.perf_counter() - started

    async def press(self, person: int, message: Message, label: str) -> tuple[Message, float]:
        """Press a button; the bot's next message, and the seconds until it came. Raises `TimeoutError`."""
        rows = message["reply_markup"]["inline_keyboard"]
        data = next(button["callback_data"] for row in rows for button in row if label in button["text"])
        answer = self._next(person)
        started = time.perf_counter()
        body = {"message_id": message["message_id"], "data": data, "chat_id": person}
        await self._post(f"users/{person}/press", body)
        return await self._come(answer), time.perf_counter() - started

    async def polls(self) -> int:
        """The newest call for updates by its number; 0 before the first."""
        async with self.http.get(f"{self.url}/sandbox/calls", params={"method": "getUpdates"}) as answer:
            calls = (await answer.json())["calls"]
        return int(calls[-1]["id"]) if calls else 0

    def _next(self, person: int) -> asyncio.Future[Message]:
        self._waiting[person] = asyncio.get_running_loop().create_future()
        return self._waiting[person]

    @staticmethod
    async def _come(answer: asyncio.Future[Message]) -> Message:
        return await asyncio.wait_for(answer, PATIENCE.total_seconds())

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """The stream of events is read inside."""
        without_end = aiohttp.ClientTimeout(total=None)
        async with self.http.get(f"{self.url}/sandbox/events", timeout=without_end) as stream:
            reading = asyncio.create_task(self._read(stream))
            try:
                yield
            finally:
                reading.cancel()
                await asyncio.wait({reading})

    async def _read(self, stream: aiohttp.ClientResponse) -> None:
        while line := await stream.content.readline(max_line_length=_LINE_BYTES):
            if not line.startswith(b"data: "):
                continue
            event = json.loads(line[6:])
            message = event.get("message") or {}
            if event.get("kind") != "message" or not message.get("from", {}).get("is_bot"):
                continue
            self.sent.append(time.perf_counter())
            waiting = self._waiting.pop(int(event["chat_id"]), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self.http.post(f"{self.url}/sandbox/{path}", json=body) as answer:
            answer.raise_for_status()
            reply: dict[str, Any] = await answer.json()
            return reply
