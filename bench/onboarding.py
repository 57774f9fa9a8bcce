"""From tap to next message in the onboarding, over the running embedded stack: p50 and p95 in ms.

Peer: a bare HTTP request to the engine-api's health endpoint in the same run, so that the machine's mood cancels.
The wait for the language model is reported apart. Start the stack with `baton up` first.
"""

import argparse
import asyncio
import json
import statistics
import time

import aiohttp

from baton.sandbox.onboarding import walk_onboarding
from baton.sandbox.person import Person
from baton.stack.stack import Stack


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def measure(people: int) -> dict[str, float]:
    """Walk `people` persons one after the other; times in ms."""
    urls = Stack.from_environment().urls
    steps: list[float] = []
    model: list[float] = []
    peer: list[float] = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:
        for number in range(people):
            person = await Person.join(http, urls["telegram"], f"Ada {number}")
            await walk_onboarding(person)
            replies = [line.after.total_seconds() * 1000 for line in person.transcript if line.who == "bot"]
            model.append(max(replies))
            steps += [reply for reply in replies if reply < max(replies)]
            started = time.perf_counter()
            async with http.get(f"{urls['engine-api']}/health/live") as answer:
                await answer.read()
            peer.append((time.perf_counter() - started) * 1000)
    return {
        "people": people,
        "step_p50_ms": round(statistics.median(steps), 1),
        "step_p95_ms": round(quantile(steps, 0.95), 1),
        "model_p50_ms": round(statistics.median(model), 1),
        "peer_p50_ms": round(statistics.median(peer), 1),
        "ratio_p50": round(statistics.median(steps) / statistics.median(peer), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.people))
    print(json.dumps(figures) if options.json else "\n".join(f"{name:>14}  {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
