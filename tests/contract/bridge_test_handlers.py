"""The handlers that bridge and workers carry jobs for in the tests of the brokers."""

import asyncio
import os
import signal
from datetime import timedelta

from pydantic import BaseModel

from workers.errors import BusinessError
from workers.registry import handler


class Number(BaseModel):
    number: int = 0


class Double(BaseModel):
    double: int


@handler("test-bridge-double", queue="test-bridge", timeout=timedelta(seconds=10))
def double(job: Number) -> Double:
    if job.number == 13:
        raise BusinessError("UNLUCKY", "thirteen", {"number": 13})
    if job.number < 0:
        raise ValueError("below zero")
    return Double(double=2 * job.number)


@handler("test-bridge-nobody", queue="test-nobody", timeout=timedelta(seconds=10))
def nobody(job: Number) -> None:
    raise AssertionError("no worker serves this queue")


@handler("test-bridge-kill", queue="test-bridge", timeout=timedelta(seconds=30))
def kill(job: Number) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@handler("test-bridge-long", queue="test-bridge", timeout=timedelta(seconds=60), lock=timedelta(seconds=2))
async def long(job: Number) -> Double:
    await asyncio.sleep(job.number)
    return Double(double=2 * job.number)
