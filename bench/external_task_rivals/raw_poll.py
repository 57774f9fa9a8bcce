"""A bare long poll for one task after the other: what latency is possible.

python -m external_task_rivals.raw_poll; ENGINE_URL, ENGINE_TOKEN, BENCH_ENTRIES. Runs until it is stopped.
"""

import asyncio
import os

import aiohttp

from external_task_rivals.entries import note_entry

TOPIC = "raw-latency"
WORKER = "raw-poll"


async def work(url: str, token: str) -> None:
    """Until it is stopped; any wrong answer ends it."""
    topic = {"topicName": TOPIC, "lockDuration": 60_000, "variables": ["sent_ns"]}
    body = {"workerId": WORKER, "maxTasks": 1, "asyncResponseTimeout": 5_000, "topics": [topic]}
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        while True:
            async with http.post(f"{url}/external-task/fetchAndLock", json=body) as answer:
                answer.raise_for_status()
                tasks = await answer.json()
            for task in tasks:
                note_entry(TOPIC, task["variables"]["sent_ns"]["value"])
                address = f"{url}/external-task/{task['id']}/complete"
                async with http.post(address, json={"workerId": WORKER}) as answer:
                    answer.raise_for_status()


if __name__ == "__main__":
    asyncio.run(work(os.environ["ENGINE_URL"], os.environ["ENGINE_TOKEN"]))
