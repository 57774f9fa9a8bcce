"""Reports over a real Valkey: each is dealt with at least once, whatever becomes of the bridge that took it."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import redis.asyncio
from pydantic import SecretStr

from workers.bridge import stream_inbox
from workers.bridge.outcomes import Verdict
from workers.bridge.stream_inbox import GROUP, StreamConsumer
from workers.broker.streams import PAYLOAD, stream_key
from workers.settings import BridgeSettings


class Bridge:
    """Takes messages; `verdicts` are what it says to the next ones, settled after those."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = list(verdicts)
        self.taken: list[object] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def take(self, raw: object) -> Verdict:
        self.taken.append(raw)
        await self.goes_on.wait()
        return self.verdicts.pop(0) if self.verdicts else Verdict.SETTLED


class Stream:
    def __init__(self, url: str) -> None:
        self.url = url
        self.name = f"test-{uuid.uuid4().hex[:8]}"
        self.client = redis.asyncio.Redis.from_url(url)

    async def add(self, *values: object) -> None:
        for value in values:
            await self.client.xadd(stream_key(self.name), {PAYLOAD: json.dumps(value)})

    async def left(self) -> int:
        return int(await self.client.xlen(stream_key(self.name)))

    def inbox(self, bridge: Bridge, prefetch: int = 8) -> StreamConsumer:
        settings = BridgeSettings(
            rabbitmq_url=SecretStr(self.url),
            engine_url="http://127.0.0.1:1",
            engine_token=SecretStr("unused"),
            bridge_replica=uuid.uuid4().hex,
        )
        return StreamConsumer(settings, self.name, bridge.take, prefetch=prefetch)

    @asynccontextmanager
    async def served_by(self, bridge: Bridge, prefetch: int = 8) -> AsyncIterator[asyncio.Task[None]]:
        stopping = asyncio.Event()
        running = asyncio.create_task(self.inbox(bridge, prefetch).run(stopping))
        try:
            yield running
        finally:
            stopping.set()
            if not running.cancelled():
                await asyncio.wait({running}, timeout=15)
                assert running.done()


@pytest.fixture
async def stream(valkey_url: str) -> AsyncIterator[Stream]:
    stream = Stream(valkey_url)
    yield stream
    await stream.client.delete(stream_key(stream.name))
    await stream.client.aclose()


async def until(condition: object) -> None:
    assert callable(condition)
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 -- the server is another process
            await asyncio.sleep(0.02)


async def test_what_is_settled_leaves_nothing_behind(stream: Stream) -> None:
    bridge = Bridge()
    await stream.add(*range(50))
    async with stream.served_by(bridge):
        await until(lambda: _equal(stream.left(), 0))
    assert bridge.taken == list(range(50))
    assert not await stream.client.xinfo_consumers(stream_key(stream.name), GROUP)


async def _equal(value: object, expected: int) -> bool:
    return await value == expected  # type: ignore[misc]


async def test_what_is_not_settled_comes_again(stream: Stream) -> None:
    bridge = Bridge(Verdict.AGAIN, Verdict.AGAIN)
    await stream.add("one")
    async with stream.served_by(bridge):
        await until(lambda: _equal(stream.left(), 0))
    assert bridge.taken == ["one", "one", "one"]


async def test_no_more_is_taken_than_can_be_dealt_with(stream: Stream) -> None:
    bridge = Bridge()
    bridge.goes_on.clear()
    await stream.add(*range(10))
    async with stream.served_by(bridge, prefetch=3):
        await asyncio.sleep(0.5)
        assert len(bridge.taken) == 3
        bridge.goes_on.set()
        await until(lambda: _equal(stream.left(), 0))


async def test_another_bridge_takes_over_what_a_killed_one_had(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_inbox, "KEEP_EVERY", timedelta(milliseconds=200))
    monkeypatch.setattr(stream_inbox, "LEFT_AFTER", timedelta(seconds=1))
    killed, slow, heir = Bridge(), Bridge(), Bridge()
    killed.goes_on.clear()
    slow.goes_on.clear()
    await stream.add("left")
    async with stream.served_by(killed) as running:
        await until(lambda: _equal(_length(killed), 1))
        running.cancel()
        await asyncio.wait({running})
    async with stream.served_by(slow):
        await until(lambda: _equal(_length(slow), 1))
        # It is slow, but it says that it is alive: nobody takes it away.
        async with stream.served_by(heir):
            await asyncio.sleep(2.5)
            assert not heir.taken
            slow.goes_on.set()
            await until(lambda: _equal(stream.left(), 0))
    assert slow.taken == ["left"]


async def _length(bridge: Bridge) -> int:
    return len(bridge.taken)


async def test_a_stop_gives_back_what_is_not_settled(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_inbox, "STOP_GRACE", timedelta(milliseconds=100))
    stopped, heir = Bridge(), Bridge()
    stopped.goes_on.clear()
    await stream.add("unfinished")
    async with stream.served_by(stopped):
        await until(lambda: _equal(_length(stopped), 1))
    async with stream.served_by(heir):
        await until(lambda: _equal(stream.left(), 0))
    assert heir.taken == ["unfinished"]


async def test_a_server_that_lost_its_data_is_used_again(stream: Stream) -> None:
    bridge = Bridge()
    async with stream.served_by(bridge):
        await stream.add("before")
        await until(lambda: _equal(_length(bridge), 1))
        await stream.client.delete(stream_key(stream.name))
        await stream.add("after")
        await until(lambda: _equal(_length(bridge), 2))


async def test_what_is_no_json_is_dropped(stream: Stream) -> None:
    bridge = Bridge()
    await stream.client.xadd(stream_key(stream.name), {PAYLOAD: b"\xff{"})
    await stream.client.xadd(stream_key(stream.name), {"other": b"1"})
    await stream.add("good")
    async with stream.served_by(bridge):
        await until(lambda: _equal(stream.left(), 0))
    assert bridge.taken == ["good"]
