"""A line between engine-api and the engine, for tests that count what is asked on it or disturb it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from bpmn.engine.client import EngineClient

__all__ = ["EngineLine", "engine_line"]


class EngineLine:
    """Calls are counted by the last part of their path; starts can be kept waiting, and their answers lost."""

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine
        self.calls: Counter[str] = Counter()
        self.url = ""
        self.is_open, self.has_arrived = asyncio.Event(), asyncio.Event()
        self.is_open.set()
        self.loses_answers = False

    async def pass_on(self, request: web.Request) -> web.Response:
        self.calls[request.path.rpartition("/")[2]] += 1
        is_start = request.method == "POST" and request.path.endswith("/start")
        if is_start:
            self.has_arrived.set()
            await self.is_open.wait()
        passed = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        url = self._engine.base_url.removesuffix("/engine-rest") + request.raw_path
        async with (
            aiohttp.ClientSession() as http,
            http.request(request.method, url, headers=passed, data=await request.read()) as answer,
        ):
            body = await answer.read()
            if is_start and self.loses_answers:
                assert request.transport is not None
                request.transport.abort()
            kind = answer.content_type if answer.status != 204 else None
            return web.Response(status=answer.status, body=body, content_type=kind)

    def taken(self) -> int:
        """How many calls there were since this was asked last."""
        count = self.calls.total()
        self.calls.clear()
        return count


@asynccontextmanager
async def engine_line(engine: EngineClient) -> AsyncIterator[EngineLine]:
    """The line while the block lasts."""
    line = EngineLine(engine)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", line.pass_on)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    suffix = "/engine-rest" if engine.base_url.endswith("/engine-rest") else ""
    line.url = f"http://127.0.0.1:{runner.addresses[0][1]}{suffix}"
    yield line
    await runner.cleanup()
