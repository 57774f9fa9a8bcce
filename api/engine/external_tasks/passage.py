"""Requests that engine-api hands to the engine as they came: own connections, time-outs, a limit of waiting polls."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

import aiohttp
import structlog
from pydantic import SecretStr
from yarl import URL

from api.kit.problems import RETRY_AFTER_S, ProblemError
from bpmn.engine.external_task_calls import POLL_MARGIN
from bpmn.engine.transport import split_body

__all__ = ["EnginePassage", "ForwardedAnswer", "ForwardedRequest", "make_task_path"]

# Completing runs the model up to its next wait state.
TIMEOUT = timedelta(seconds=60)
# For a free connection too: a caller is told that all are busy rather than kept.
CONNECT_TIMEOUT = timedelta(seconds=5)
# The engine does not notice that a client is gone, and locks for it what comes; so it is asked for a short while, again
# and again, and what it locked for a client that left is given back.
SLICE = timedelta(seconds=5)
# A longer wait is refused by the engine itself.
MAX_WAIT = timedelta(minutes=30)
MAX_CONNECTIONS = 50
MAX_LISTING_BYTES = 32 * 2**20
_TASK_ID = re.compile(r"[0-9A-Fa-f-]{1,64}")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ForwardedRequest:
    """A request as it came; `query` and `body` are passed on byte by byte."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class ForwardedAnswer:
    """An answer as the engine gave it."""

    status: int
    content_type: str | None
    body: bytes

    @property
    def is_empty_poll(self) -> bool:
        return self.status == 200 and self.body.strip() == b"[]"


class EnginePassage:
    """One engine's `/external-task`. Use as a context manager; polls and other calls never wait for each other."""

    def __init__(self, engine_url: str, token: SecretStr, max_polls: int, wait: timedelta = SLICE) -> None:
        self._base = engine_url.rstrip("/")
        self._token = token
        self._max_polls = max_polls
        self._slice = wait
        self._polls = 0
        self._pending: set[asyncio.Task[Any]] = set()
        self._short: aiohttp.ClientSession | None = None
        self._long: aiohttp.ClientSession | None = None
        self.is_ending = False
        """Set it when the service is about to end: polls then answer at the end of their slice."""

    @property
    def polls(self) -> int:
        """How many polls wait at the engine now, for clients that left too."""
        return self._polls

    async def __aenter__(self) -> Self:
        self._short = self._create_session(MAX_CONNECTIONS)
        self._long = self._create_session(self._max_polls)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.is_ending = True
        # Polls of clients that were cut off end with their slice, and what they locked is given back.
        while self._pending:
            await asyncio.wait(self._pending)
        for session in (self._short, self._long):
            if session is not None:
                await session.close()

    async def forward(self, asked: ForwardedRequest) -> ForwardedAnswer:
        """Return one call and its answer. Raises `ProblemError` 502, 503 or 504 where the engine itself gave none."""
        return await self._send(_open(self._short), asked, TIMEOUT, MAX_LISTING_BYTES)

    async def fetch(self, asked: ForwardedRequest, gone: asyncio.Task[None]) -> ForwardedAnswer | None:
        """Fetch and lock, and wait for tasks as long as the body says; None when the client left (`gone` is done).

        Raises `ProblemError` 503 when so many polls wait already that one more could keep others from the engine.
        """
        document = _read_document(asked.body)
        wait = _wait_of(document)
        if wait is None:
            return await self._send(_open(self._short), asked, TIMEOUT)
        if self._polls >= self._max_polls:
            detail = f"{self._max_polls} long polls wait already; try again soon, or ask for several topics in one."
            raise _make_problem(503, "too_many_polls", detail)
        self._polls += 1
        left = asyncio.Event()
        poll: asyncio.Task[ForwardedAnswer] = self._spawn(self._poll(asked, document, wait, left))
        delivered = False
        try:
            await asyncio.wait({poll, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                return None
            delivered = True
            return poll.result()
        finally:
            if not delivered:
                left.set()
                self._spawn(self._give_back(poll))

    async def _poll(
        self, asked: ForwardedRequest, document: dict[str, Any], wait: timedelta, left: asyncio.Event
    ) -> ForwardedAnswer:
        deadline = time.monotonic() + wait.total_seconds()
        try:
            while True:
                rest = min(timedelta(seconds=max(0.0, deadline - time.monotonic())), self._slice)
                milliseconds = max(1, round(rest.total_seconds() * 1000))
                body = json.dumps({**document, "asyncResponseTimeout": milliseconds}).encode()
                part = ForwardedRequest(asked.method, asked.path, asked.query, body, asked.content_type)
                answer = await self._send(_open(self._long), part, rest + POLL_MARGIN)
                if not answer.is_empty_poll or left.is_set() or self.is_ending or time.monotonic() >= deadline:
                    return answer
        finally:
            self._polls -= 1

    async def _give_back(self, poll: "asyncio.Task[ForwardedAnswer]") -> None:
        """Unlock what the engine locked for a client that left; else it would lie locked as long as that asked for."""
        try:
            answer = await poll
            tasks = [] if answer.status != 200 else [str(task["id"]) for task in json.loads(answer.body)]
            for task_id in tasks:
                unlocked = await self.forward(ForwardedRequest("POST", f"/external-task/{task_id}/unlock"))
                if unlocked.status >= 300:
                    log.warning("not given back; its lock will expire", task_id=task_id, status=unlocked.status)
        except ProblemError as problem:
            log.warning(
                "a poll of a client that left failed; what it locked is free when the lock ends", why=str(problem)
            )
        else:
            if tasks:
                log.info("given back, because the client left", tasks=len(tasks))

    async def _send(
        self, session: aiohttp.ClientSession, asked: ForwardedRequest, limit: timedelta, max_bytes: int | None = None
    ) -> ForwardedAnswer:
        address = URL(f"{self._base}{asked.path}{'?' if asked.query else ''}{asked.query}", encoded=True)
        headers = {"Content-Type": asked.content_type} if asked.content_type and asked.body else {}
        timeout = aiohttp.ClientTimeout(total=limit.total_seconds(), connect=CONNECT_TIMEOUT.total_seconds())
        options: dict[str, Any] = {"headers": headers, "timeout": timeout, "allow_redirects": False}
        try:
            async with session.request(asked.method, address, data=split_body(asked.body) or None, **options) as answer:
                body = await _read(answer, max_bytes)
        except aiohttp.ConnectionTimeoutError as error:
            detail = f"No connection to the engine was free within {CONNECT_TIMEOUT.total_seconds():g} s."
            raise _make_problem(503, "engine_busy", detail) from error
        except TimeoutError as error:
            detail = f"The engine gave no answer within {limit.total_seconds():g} s; it may still have done it."
            raise _make_problem(504, "engine_timeout", detail) from error
        except (aiohttp.ClientError, OSError) as error:
            detail = f"The engine cannot be reached: {type(error).__name__}."
            raise _make_problem(503, "engine_unavailable", detail) from error
        if answer.status == 401:
            # Passed on, it would say that the caller's own token is wrong.
            raise _make_problem(502, "engine_refused_token", "The engine refuses engine-api's own token.")
        return ForwardedAnswer(answer.status, answer.headers.get("Content-Type"), body)

    def _create_session(self, connections: int) -> aiohttp.ClientSession:
        # The token is a header of the session: it appears in no address, and so in no log.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, keepalive_timeout=30),
            headers={"Authorization": f"Bearer {self._token.get_secret_value()}", "Accept": "application/json"},
        )

    def _spawn(self, work: Any) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)
        return task


def make_task_path(task_id: str, action: str = "") -> str:
    """Return the path of a task. Raises `ProblemError` 404 for what no engine gives as an id, so that it leads
    nowhere else.
    """
    if not _TASK_ID.fullmatch(task_id):
        raise _make_problem(404, "not_found", f"There is no external task {task_id[:64]!r}.")
    return f"/external-task/{task_id}{'/' if action else ''}{action}"


async def _read(answer: aiohttp.ClientResponse, max_bytes: int | None) -> bytes:
    if max_bytes is None:  # what is locked has to reach its client
        return await answer.read()
    parts, size = [], 0
    async for part in answer.content.iter_chunked(2**16):
        size += len(part)
        if size > max_bytes:
            detail = f"The engine's answer is larger than {max_bytes} bytes; ask for less with maxResults."
            raise _make_problem(502, "answer_too_large", detail)
        parts.append(part)
    return b"".join(parts)


def _read_document(body: bytes) -> dict[str, Any]:
    """Return the body as JSON; {} where it is none, which the engine then says in its own words."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _wait_of(document: dict[str, Any]) -> timedelta | None:
    """Return how long a poll waits; None where it does not, or where the engine refuses what is asked for."""
    given = document.get("asyncResponseTimeout")
    if isinstance(given, str) and given.isascii() and given.isdigit():
        given = int(given[:12])
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None
    return timedelta(milliseconds=given) if 0 < given <= MAX_WAIT.total_seconds() * 1000 else None


def _open(session: aiohttp.ClientSession | None) -> aiohttp.ClientSession:
    if session is None:
        raise RuntimeError("the passage to the engine is not open: use it as `async with EnginePassage(...)`")
    return session


def _make_problem(status: int, code: str, detail: str) -> ProblemError:
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    # `message` is where stock clients look for the reason.
    return ProblemError(status, code, detail, headers=headers, message=detail)
