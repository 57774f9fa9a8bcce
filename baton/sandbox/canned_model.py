"""A canned answer behind an OpenAI-compatible URL: the demo's stand-in on machines where the model does not run."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from yarl import URL

__all__ = ["CANNED_ANSWER", "serve_canned_answers"]

CANNED_ANSWER = "Welcome! This is a canned text: the language model does not run on this machine."


@asynccontextmanager
async def serve_canned_answers(url: str, key: str) -> AsyncIterator[None]:
    """Answer every question with the same text, at the address where the model would be."""
    address = URL(url)

    async def answer(request: web.Request) -> web.Response:
        if not secrets.compare_digest(request.headers.get("Authorization", ""), f"Bearer {key}"):
            return web.json_response({"error": {"message": "wrong key"}}, status=401)
        body = await request.json()
        message = {"role": "assistant", "content": CANNED_ANSWER}
        return web.json_response(
            {
                "id": f"canned-{secrets.token_hex(8)}", "object": "chat.completion", "created": int(time.time()),
                "model": str(body.get("model", "")),
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            }
        )  # fmt: skip

    app = web.Application()
    app.router.add_post(f"{address.path}/chat/completions", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, address.host, address.port).start()
        yield
    finally:
        await runner.cleanup()
