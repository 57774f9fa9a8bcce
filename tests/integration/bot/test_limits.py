"""Telegram's limits on a real Valkey: kept over replicas, answers first, and cheap where nobody comes near them."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis.asyncio

from bot.telegram.blocked import BlockedChats
from bot.telegram.rate_limits import CallTurn, CallTurns, Cost, TelegramLimits, Urgency

NOW = timedelta(0)
LONG = timedelta(minutes=5)
GROUP = "-100500"


@pytest.fixture
def turns_of(client: redis.asyncio.Redis) -> Callable[..., CallTurns]:
    bot_id = random.randrange(10**9)
    return lambda limits=None: CallTurns(
        client, bot_id, limits or TelegramLimits(), away_key=BlockedChats(client, bot_id).key
    )


async def take(turns: CallTurns, chat: str, *, cost: Cost = Cost.MESSAGE, longest: timedelta = LONG) -> CallTurn:
    return await turns.take(chat, cost, Urgency.ANSWER, longest_wait=longest)


async def notify(turns: CallTurns, chat: str) -> CallTurn:
    return await turns.take(chat, Cost.MESSAGE, Urgency.NOTIFICATION, longest_wait=LONG)


def seconds(turns: list[CallTurn]) -> list[int]:
    return [round(turn.wait.total_seconds()) for turn in turns]


async def test_chat_gets_a_burst_then_one_message_a_second(
    turns_of: Callable[..., CallTurns],
) -> None:
    replicas = itertools.cycle([turns_of(), turns_of()])
    assert seconds([await take(next(replicas), "7") for _ in range(9)]) == [0, 0, 0, 0, 0, 1, 2, 3, 4]
    assert seconds([await take(next(replicas), "8")]) == [0]  # another chat does not wait


async def test_over_all_never_more_than_thirty_in_any_second(turns_of: Callable[..., CallTurns]) -> None:
    turns, started = turns_of(), time.monotonic()
    granted = []
    for chat in range(100):
        turn = await take(turns, str(chat))
        granted.append(time.monotonic() - started + turn.wait.total_seconds())
    granted.sort()
    assert all(later - earlier >= 0.95 for earlier, later in zip(granted, granted[30:], strict=False))
    assert granted[-1] < 4


async def test_a_group_gets_twenty_a_minute_and_edits_count(turns_of: Callable[..., CallTurns]) -> None:
    turns = turns_of(TelegramLimits(chat_burst=None))
    costs = itertools.cycle([Cost.MESSAGE, Cost.EDIT])
    waits = seconds([await take(turns, GROUP, cost=next(costs)) for _ in range(21)])
    assert waits[:20] == [0] * 20
    assert 58 <= waits[20] <= 60


async def test_a_turn_that_is_too_far_away_is_not_taken(turns_of: Callable[..., CallTurns]) -> None:
    turns = turns_of()
    for _ in range(5):
        await take(turns, "7")
    refused = [await take(turns, "7", longest=NOW) for _ in range(3)]
    assert [turn.is_taken for turn in refused] == [False] * 3
    assert seconds(refused) == [1, 1, 1]  # it would be the same turn each time


async def test_notifications_leave_room_for_answers(turns_of: Callable[..., CallTurns]) -> None:
    turns = turns_of()
    sent = [await notify(turns, str(chat)) for chat in range(100)]
    assert sum(turn.is_taken for turn in sent) == 20
    answers = [await take(turns, str(chat)) for chat in range(1000, 1010)]
    assert seconds(answers) == [0] * 10
    assert seconds([await take(turns, "2000")]) == [1]  # the thirty of this second are out


async def test_silence_holds_for_all_replicas_and_ends(turns_of: Callable[..., CallTurns]) -> None:
    one, other = turns_of(TelegramLimits.of_no_limits()), turns_of(TelegramLimits.of_no_limits())
    await one.silence_chat("7", timedelta(seconds=30))
    await one.silence_chat("7", timedelta(seconds=1))  # does not shorten it
    refused = await take(other, "7", longest=timedelta(seconds=5), cost=Cost.NOTHING)
    assert (refused.is_taken, round(refused.wait.total_seconds())) == (False, 30)
    assert (await take(other, "8")).wait == NOW
    await one.silence_chat("9", timedelta(milliseconds=100))
    assert (await take(other, "9")).wait > NOW
    await asyncio.sleep(0.2)
    assert (await take(other, "9")).wait == NOW


async def test_notifications_skip_unreachable_chats_answers_raise(
    turns_of: Callable[..., CallTurns], client: redis.asyncio.Redis
) -> None:
    turns = turns_of()
    reach = BlockedChats(client, int(turns._prefix.split(":")[2]))
    await reach.mark_blocked("7", "Forbidden: bot was blocked by the user")
    first = await reach.find_blocked("7")
    await reach.mark_blocked("7", "again")
    assert await reach.find_blocked("7") == first
    assert await reach.count() == 1
    passed = await notify(turns, "7")
    assert (passed.is_taken, passed.is_away) == (False, True)
    answered = await take(turns, "7")
    assert (answered.is_taken, answered.is_away) == (True, True)
    await reach.mark_reachable("7")
    assert await reach.find_blocked("7") is None
    assert (await notify(turns, "7")).is_taken


async def test_nothing_stays_of_chats_that_are_quiet(
    turns_of: Callable[..., CallTurns], client: redis.asyncio.Redis
) -> None:
    turns = turns_of()
    await take(turns, GROUP)
    keys = [key async for key in client.scan_iter(f"{turns._prefix}:*")]
    assert len(keys) == 3
    assert all([0 < await client.pttl(key) <= 60_000 for key in keys])


async def test_the_ordinary_case_costs_one_short_round_trip(
    turns_of: Callable[..., CallTurns], client: redis.asyncio.Redis
) -> None:
    turns = turns_of(TelegramLimits(per_second=100_000))

    async def timed(count: int, call: Callable[[int], object]) -> float:
        started = time.perf_counter()
        for number in range(count):
            await call(number)  # type: ignore[misc]
        return (time.perf_counter() - started) / count

    before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] if await take(turns, "0") else 0
    turn = await timed(300, lambda number: take(turns, str(number)))
    after = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    bare = await timed(300, lambda number: client.get("nothing"))
    assert after - before < 330  # others may use the server meanwhile
    assert turn < 5 * bare + 0.001, f"a turn {turn * 1000:.2f} ms, a bare GET {bare * 1000:.2f} ms"
