"""A bot's side of the Telegram sandbox, by hand: what the bot gets, and what it is answered."""

from dataclasses import dataclass
from typing import Any

import aiohttp

__all__ = ["TOKEN", "BotSide"]

TOKEN = "4242:test_only"


@dataclass(frozen=True, slots=True)
class BotSide:
    """Calls of the Bot API by plain requests."""

    http: aiohttp.ClientSession
    url: str
    token: str = TOKEN

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        async with self.http.post(f"{self.url}/bot{self.token}/{method}", json=parameters) as answer:
            body: dict[str, Any] = await answer.json()
            assert answer.status == body.get("error_code", 200)
            return body

    async def ok(self, method: str, **parameters: Any) -> Any:
        body = await self.call(method, **parameters)
        assert body["ok"], body
        return body["result"]

    async def refused(self, method: str, **parameters: Any) -> str:
        body = await self.call(method, **parameters)
        assert not body["ok"]
        return f"{body['error_code']} {body['description']}"

    async def updates(self) -> list[dict[str, Any]]:
        """All that is not confirmed; it is with this."""
        updates: list[dict[str, Any]] = await self.ok("getUpdates")
        if updates:
            await self.ok("getUpdates", offset=updates[-1]["update_id"] + 1)
        return updates

    async def next_update(self, kind: str) -> dict[str, Any]:
        """The oldest unconfirmed update, which is confirmed with this; waits for it."""
        updates = await self.ok("getUpdates", timeout=5, limit=1)
        await self.ok("getUpdates", offset=updates[0]["update_id"] + 1, limit=1)
        found: dict[str, Any] = updates[0][kind]
        return found

    async def messages(self) -> list[dict[str, Any]]:
        return [update["message"] for update in await self.updates() if "message" in update]

    async def control(self, path: str, **body: Any) -> dict[str, Any]:
        """What a test does to the sandbox itself."""
        async with self.http.post(f"{self.url}/sandbox/{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            reply: dict[str, Any] = await answer.json()
            return reply
