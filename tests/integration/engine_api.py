"""Calls of engine-api, as its tests make them."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp

__all__ = ["ApiOf", "call", "call_tagged"]

# An engine-api with these settings, called with its service token: see the fixture `api_of`.
ApiOf = Callable[..., AbstractAsyncContextManager[aiohttp.ClientSession]]


async def call(api: aiohttp.ClientSession, method: str, path: str, **options: Any) -> tuple[int, Any]:
    """The status and the JSON of the answer, None where it has no body."""
    status, body, _ = await call_tagged(api, method, path, **options)
    return status, body


async def call_tagged(
    api: aiohttp.ClientSession, method: str, path: str, **options: Any
) -> tuple[int, Any, str | None]:
    """As `call`, and the answer's ETag."""
    async with api.request(method, path, **options) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers.get("ETag")
