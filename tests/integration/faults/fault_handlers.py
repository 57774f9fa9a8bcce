"""Each run leaves a line in the file of runs, before and after; a gated one waits for the gate.

FAULT_PREFIX tells the pools of one house apart.
"""

import asyncio
import os
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel

from workers.registry import handler

RUNS, GATE = Path(os.environ["FAULT_RUNS"]), Path(os.environ["FAULT_GATE"])
OPTIONS = {"timeout": timedelta(seconds=60), "lock": timedelta(seconds=5), "backoff": (timedelta(seconds=1),)}
PREFIX = os.environ.get("FAULT_PREFIX", "fault")


class Number(BaseModel):
    mark: str
    number: int
    gated: bool = False


class Double(BaseModel):
    double: int


class Half(BaseModel):
    half: int


class Doubled(BaseModel):
    mark: str
    number: int
    double: int


def note(what: str, job: Number | Doubled) -> None:
    descriptor = os.open(RUNS, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{what} {job.mark} {job.number}\n".encode())
    os.close(descriptor)


@handler(f"{PREFIX}-double", queue=f"{PREFIX}s", **OPTIONS)
async def double(job: Number) -> Double:
    note("started", job)
    while job.gated and not GATE.exists():  # noqa: ASYNC110, ASYNC240 -- another process opens it
        await asyncio.sleep(0.02)
    note("done", job)
    return Double(double=2 * job.number)


@handler(f"{PREFIX}-half", queue=f"{PREFIX}s", **OPTIONS)
async def half(job: Doubled) -> Half:
    return Half(half=job.double // 2)
