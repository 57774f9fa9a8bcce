"""Form steps a second against a bare echo bot, and a crowd that fills a form at once.

One stack of its own, with the Telegram sandbox, and without Telegram's limits: they would be the slowest part. Steps
are counted while the bot works off what people said when it was away: sandbox and bot have a core each then.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
import psutil
import redis.asyncio
from external_task_rivals.child import Child, python_child

from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.servers.processes import ProcessServer
from baton.stack.servers.valkey import ValkeyServer
from baton.stack.supervisor import Supervisor
from bot.people.links import DeepLink, DeepLinks, LinkKind
from bot_rivals.crowd import Crowd
from bot_rivals.questions import ANSWER, KEY, QUESTIONS, resources
from bpmn.engine.client import EngineClient

Figures = dict[str, float]
Replies = dict[str, list[float]]
SERVERS = ("valkey", "engine", "engine-api", "telegram")
PAUSE = timedelta(milliseconds=10)
LONGEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Ground:
    """The stack without a bot, its people, and the link that begins the form."""

    stack: Supervisor
    crowd: Crowd
    token: str
    folder: Path

    def bot(self) -> Child:
        server = self.stack.runs["bot"].server
        assert isinstance(server, ProcessServer)
        launch = server.prepare()
        return Child(launch.argv, launch.env, self.folder / "bot.log", launch.cwd)

    def echo(self, calls: int) -> Child:
        settings = {
            "ECHO_CALLS": str(calls),
            "TELEGRAM_API_URL": self.crowd.url,
            "TELEGRAM_BOT_TOKEN": self.stack.home.read_secrets()["telegram_token"],
        }
        return python_child("bot_rivals.echo", environment=settings, log=self.folder / "echo.log")


@asynccontextmanager
async def open_ground(folder: Path) -> AsyncIterator[Ground]:
    home = Home(folder / "home")
    home.prepare()
    try:
        async with (
            Supervisor(home, plan_servers(home), initially=SERVERS) as stack,
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        ):
            crowd = Crowd(http, str(stack.runs["telegram"].server.url))
            engine_url = str(stack.runs["engine"].server.url)
            async with EngineClient(engine_url, home.read_secrets()["engine_token"]) as engine:
                await engine.deploy(KEY, resources())
            async with crowd.watching():
                yield Ground(stack, crowd, await link(stack), folder)
    finally:
        home.remove()  # PostgreSQL's data may lie elsewhere


async def link(stack: Supervisor) -> str:
    """What people say after /start to be asked."""
    valkey = stack.runs["valkey"].server
    assert isinstance(valkey, ValkeyServer)
    bot_id = int(stack.home.read_secrets()["telegram_token"].partition(":")[0])
    async with redis.asyncio.Redis.from_url(valkey.secret_url, decode_responses=True) as client:
        return await DeepLinks(client, bot_id).make(DeepLink(LinkKind.PROCESS, KEY))


async def worked_off(ground: Ground, child: Child, expected: int) -> Figures:
    """How fast a bot sends so many messages, from its first call for updates on."""
    crowd = ground.crowd
    crowd.sent.clear()
    before = await crowd.polls()
    async with asyncio.timeout(LONGEST.total_seconds()):
        with child:
            process = psutil.Process(child.pid)
            while await crowd.polls() == before:
                child.check()
                await asyncio.sleep(PAUSE.total_seconds())
            used, started = cpu_seconds(process), time.perf_counter()
            while len(crowd.sent) < expected:
                child.check()
                await asyncio.sleep(PAUSE.total_seconds())
            used = cpu_seconds(process) - used
    seconds = crowd.sent[expected - 1] - started
    return {"per_second": round(expected / seconds, 1), "cpu_ms": round(used * 1000 / expected, 2)}


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def echo_rate(ground: Ground, people: int, calls: int) -> Figures:
    """The peer: as many texts as the form takes answers, each answered with so many calls of Telegram."""
    crowd = ground.crowd
    persons = await crowd.join(people)
    for person in persons * QUESTIONS:
        await crowd.say(person, ANSWER)
    return await worked_off(ground, ground.echo(calls), people * QUESTIONS)


async def step_rate(ground: Ground, people: int) -> Figures:
    """People who have the form open answer all its questions while the bot is away."""
    crowd = ground.crowd
    persons = await crowd.join(people)
    with ground.bot():
        for person in persons:
            await crowd.ask(person, f"/start {ground.token}")
    for person in persons * QUESTIONS:
        await crowd.say(person, ANSWER)
    return await worked_off(ground, ground.bot(), people * QUESTIONS)


async def fill(
    crowd: Crowd, person: int, token: str, think: timedelta, chance: random.Random
) -> dict[str, list[float]]:
    """One person from the link to the end; seconds until each reply. Raises `TimeoutError`."""

    async def pause() -> None:
        await asyncio.sleep(chance.uniform(0, 2 * think.total_seconds()))

    await pause()
    message, opening = await crowd.ask(person, f"/start {token}")
    steps = []
    for _ in range(QUESTIONS):
        await pause()
        message, seconds = await crowd.ask(person, ANSWER)
        steps.append(seconds)
    await pause()
    message, submitting = await crowd.press(person, message, "Submit")
    if "All done" not in message["text"]:
        raise RuntimeError(f"the form ended with {message['text']!r}")
    return {"open": [opening], "step": steps, "submit": [submitting]}


async def crowd_fills(ground: Ground, people: int, think: timedelta) -> Figures:
    """All fill the form at once, each thinking for `think` on average before every act."""
    crowd, chance = ground.crowd, random.Random(people)
    persons = await crowd.join(people)
    with ground.bot() as child:
        started = time.perf_counter()
        filled = [fill(crowd, person, ground.token, think, chance) for person in persons]
        found = await asyncio.gather(*filled, return_exceptions=True)
        seconds = time.perf_counter() - started
        child.check()
        memory = psutil.Process(child.pid).memory_full_info().pss / 2**20
    done = [replies for replies in found if isinstance(replies, dict)]
    errors = [error for error in found if isinstance(error, BaseException)]
    for error in errors[:3]:
        print(f"not filled: {error!r}", file=sys.stderr)
    figures: Figures = {"people": people, "think_s": think.total_seconds(), "errors": len(errors)}
    for kind in ("open", "step", "submit"):
        figures |= spread(kind, [value for replies in done for value in replies[kind]])
    updates = len(done) * (QUESTIONS + 2)
    return figures | {"updates_per_second": round(updates / seconds, 1), "memory_mib": round(memory, 1)}


def spread(kind: str, seconds: list[float]) -> Figures:
    ordered = sorted(seconds) or [0.0]
    late = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {
        f"{kind}_p50_ms": round(statistics.median(ordered) * 1000, 1),
        f"{kind}_p95_ms": round(late * 1000, 1),
    }


async def measure(options: argparse.Namespace) -> dict[str, Figures]:
    with tempfile.TemporaryDirectory(prefix="bench-bot-") as folder:
        async with open_ground(Path(folder)) as ground:
            figures = await rates(ground, options.people, options.rounds)
            if options.crowd:
                figures["crowd"] = await crowd_fills(ground, options.crowd, timedelta(seconds=options.think))
    return figures


async def rates(ground: Ground, people: int, rounds: int) -> dict[str, Figures]:
    """Medians of some rounds, in each of which all take their turn."""
    found = [
        {
            "echo": await echo_rate(ground, people, calls=1),
            "two_calls": await echo_rate(ground, people, calls=2),
            "form_step": await step_rate(ground, people),
        }
        for _ in range(rounds)
    ]
    figures = {rival: medians([one[rival] for one in found]) for rival in found[0]}
    for peer in ("echo", "two_calls"):
        figures[f"of_{peer}"] = medians([ratio(one["form_step"], one[peer]) for one in found])
    return figures


def medians(found: list[Figures]) -> Figures:
    return {name: round(statistics.median(one[name] for one in found), 2) for name in found[0]}


def ratio(ours: Figures, peer: Figures) -> Figures:
    return {
        "per_second": round(ours["per_second"] / peer["per_second"], 2),
        "cpu": round(peer["cpu_ms"] / ours["cpu_ms"], 2),
    }


def shown(figures: dict[str, Figures]) -> str:
    return "\n".join(
        f"{part:>12}  {name:<20}{value:>10}" for part, values in figures.items() for name, value in values.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/bot_steps.py", description=__doc__)
    parser.add_argument("--people", type=int, default=100, help="who answer ten questions each (default 100)")
    parser.add_argument("--rounds", type=int, default=3, help="of which the medians are taken (default 3)")
    parser.add_argument("--crowd", type=int, default=1000, help="who fill the form at once (default 1000; 0: nobody)")
    parser.add_argument("--think", type=float, default=15, help="seconds before each act, on average (default 15)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = asyncio.run(measure(options))
    print(json.dumps(figures) if options.json else shown(figures))
