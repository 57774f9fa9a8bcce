"""HTTP to the engine: one pool of kept connections, one service token, time-outs, and errors with a meaning."""

import io
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

import aiohttp

from bpmn.errors import EngineUnavailable, make_engine_error

__all__ = ["EngineTransport", "split_body"]

CONNECT_TIMEOUT = timedelta(seconds=5)
LARGE_BODY_BYTES = 512 * 1024


class EngineTransport:
    """Requests to one engine's REST interface; `base_url` ends in /engine-rest. Use as a context manager."""

    def __init__(
        self, base_url: str, token: str, *, timeout: timedelta = timedelta(seconds=30), pool_size: int = 64
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._pool_size = pool_size
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # The token is a header of the session: it appears in no address, and so in no log.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._pool_size, keepalive_timeout=60),
            headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
        data: aiohttp.FormData | None = None,
        timeout: timedelta | None = None,  # noqa: ASYNC109 -- a limit of the request, not of the caller's patience
    ) -> Any:
        """Return the engine's JSON answer, None for an empty one. Raises the classes of `bpmn.errors`."""
        body = await self.request_bytes(method, path, params=params, json=json, data=data, timeout=timeout)
        return _read_json(body, f"{method} {path}") if body else None

    async def request_bytes(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: object = None,
        data: aiohttp.FormData | None = None,
        timeout: timedelta | None = None,  # noqa: ASYNC109 -- as above
        accept: str | None = None,
    ) -> bytes:
        """Return the engine's answer as it came. A refused or broken connection or a time-out is `EngineUnavailable`.

        `accept` is for the few calls that answer with something else than JSON.
        """
        what = f"{method} {path}"
        headers = {"Accept": accept} if accept else {}
        content: aiohttp.FormData | bytes | io.BytesIO | None = data
        if json is not None:
            content, headers["Content-Type"] = _write_json(json), "application/json"
        limit = aiohttp.ClientTimeout(
            total=(timeout or self._timeout).total_seconds(), sock_connect=CONNECT_TIMEOUT.total_seconds()
        )
        try:
            async with self._open().request(
                method, f"{self.base_url}{path}", params=params, data=content, headers=headers, timeout=limit
            ) as answer:
                body = await answer.read()
        except TimeoutError as error:
            message = f"no answer from {self.base_url} within {limit.total:g} s"
            raise EngineUnavailable(what, message=message) from error
        except (aiohttp.ClientError, OSError) as error:
            message = f"{self.base_url} cannot be reached: {error or type(error).__name__}"
            unavailable = EngineUnavailable(what, message=message)
            unavailable.was_asked = not isinstance(error, aiohttp.ClientConnectorError)
            raise unavailable from error
        if answer.status >= 400:
            raise make_engine_error(answer.status, body.decode(errors="replace"), what=what)
        return body

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the engine client is not open: use it as `async with EngineClient(...) as engine`")
        return self._session


def _write_json(value: object) -> bytes | io.BytesIO:
    return split_body(json.dumps(value).encode())


def split_body(body: bytes) -> bytes | io.BytesIO:
    """Return a body as aiohttp should send it: what is large in pieces, so that it does not keep the loop from all
    else.
    """
    return io.BytesIO(body) if len(body) > LARGE_BODY_BYTES else body


def _read_json(body: bytes, what: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        # What it says instead stays out: it may quote what somebody typed.
        message = f"the answer, of {len(body)} bytes, is not JSON; is ENGINE_URL an engine?"
        raise EngineUnavailable(what, message=message) from error
