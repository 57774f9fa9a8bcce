"""The bot's Redis client on a real Valkey: what is asked for at once travels together, and fails alone."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from kit.redis_batching import BatchingRedis


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[BatchingRedis]:
    async with BatchingRedis.from_url(valkey_url, decode_responses=True) as connected:
        yield connected


@pytest.fixture
def key() -> str:
    return f"test:{uuid.uuid4().hex}"


async def test_concurrent_commands_share_messages_and_keep_answers(client: BatchingRedis, key: str) -> None:
    used_before = (await client.info("stats"))["total_connections_received"]
    numbers = await asyncio.gather(*(client.rpush(key, number) for number in range(1200)))
    assert numbers == list(range(1, 1201))
    assert await client.lrange(key, 0, -1) == [str(number) for number in range(1200)]  # in the order of asking
    assert (await client.info("stats"))["total_connections_received"] == used_before


async def test_a_command_that_fails_fails_alone(client: BatchingRedis, key: str) -> None:
    await client.set(key, "no list")
    pushed, read, unknown = await asyncio.gather(
        client.rpush(key, 1), client.get(key), client.execute_command("NONSENSE"), return_exceptions=True
    )
    assert isinstance(pushed, ResponseError)
    assert read == "no list"
    assert isinstance(unknown, ResponseError)


async def test_a_script_that_the_server_does_not_know_is_told_to_it(client: BatchingRedis, key: str) -> None:
    script = client.register_script(f"return redis.call('INCR', KEYS[1]) -- {key}")
    answers = await asyncio.gather(*(script(keys=[key]) for _ in range(5)))
    assert sorted(answers) == [1, 2, 3, 4, 5]


async def test_cancelled_command_does_not_disturb_the_others(client: BatchingRedis, key: str) -> None:
    gone = asyncio.ensure_future(client.set(key, "1"))
    stays = asyncio.ensure_future(client.get(f"{key}:other"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays is None
    assert await client.get(key) == "1"  # it was under way already


async def test_a_command_that_waits_does_not_hold_up_the_others(client: BatchingRedis, key: str) -> None:
    waiting = asyncio.ensure_future(client.xread({key: "$"}, block=10_000))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        assert await client.get(key) is None
        await client.xadd(key, {"a": "1"})
        assert await waiting


async def test_unreachable_server_is_reported_to_all_callers() -> None:
    async with BatchingRedis.from_url("redis://127.0.0.1:9", socket_connect_timeout=1, retry=None) as nowhere:
        for _ in range(2):
            answers = await asyncio.gather(*(nowhere.get("a") for _ in range(3)), return_exceptions=True)
            assert all(isinstance(answer, RedisConnectionError | RedisError) for answer in answers)
