"""The ceiling: one pool of connections, big fetches, many completes at once, and nothing between them.

python -m external_task_rivals.raw; ENGINE_URL, ENGINE_TOKEN. Runs until it is stopped.
"""

import asyncio
import os
from typing import Any

import aiohttp

from external_task_rivals.ground import TOPIC

# Best of 100 to 300 and of 16 to 64 on two cores; neither matters much.
BATCH = 200
COMPLETES_AT_ONCE = 32
LOCK_MS = 600_000
PAUSE_S = 0.01
WORKER = "raw"


async def fetch(http: aiohttp.ClientSession, url: str, waiting: asyncio.Queue[str]) -> None:
    """Keep at least one batch waiting."""
    topic = {"topicName": TOPIC, "lockDuration": LOCK_MS, "variables": []}
    body = {"workerId": WORKER, "maxTasks": BATCH, "usePriority": False, "topics": [topic]}
    while True:
        if waiting.qsize() >= BATCH:
            await asyncio.sleep(PAUSE_S)
            continue
        async with http.post(f"{url}/external-task/fetchAndLock", json=body) as answer:
            answer.raise_for_status()
            tasks: list[dict[str, Any]] = await answer.json()
        for task in tasks:
            waiting.put_nowait(task["id"])
        if not tasks:
            await asyncio.sleep(PAUSE_S)


async def complete(http: aiohttp.ClientSession, url: str, waiting: asyncio.Queue[str]) -> None:
    while True:
        task_id = await waiting.get()
        async with http.post(f"{url}/external-task/{task_id}/complete", json={"workerId": WORKER}) as answer:
            answer.raise_for_status()


async def work(url: str, token: str) -> None:
    """Until it is stopped; any wrong answer ends it."""
    waiting: asyncio.Queue[str] = asyncio.Queue()
    connector = aiohttp.TCPConnector(limit=COMPLETES_AT_ONCE + 1)
    async with (
        aiohttp.ClientSession(connector=connector, headers={"Authorization": f"Bearer {token}"}) as http,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(fetch(http, url, waiting))
        for _ in range(COMPLETES_AT_ONCE):
            tasks.create_task(complete(http, url, waiting))


if __name__ == "__main__":
    asyncio.run(work(os.environ["ENGINE_URL"], os.environ["ENGINE_TOKEN"]))
