"""Where forms are worked out in a process that serves many people: beside its event loop, if it may take long."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import lru_cache
from typing import TypeVar

from forms.evaluate.properties import has_feel
from forms.feel.budget import Budget, use_budget
from forms.schema.components import Schema
from forms.session.state import FormSession

__all__ = ["run_in_thread", "work_out"]

# Each keeps a script of its own; QuickJS works without the lock of Python.
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="feel")
_KEPT_SCHEMAS = 256
WORK_LIMIT = timedelta(seconds=2)
"""Processor time for all that one piece of work evaluates: others wait for the thread."""
_Result = TypeVar("_Result")


async def run_in_thread(work: Callable[[], _Result]) -> _Result:
    """Run what evaluates FEEL or patterns: one that takes its time must not hold up everybody else.

    It has `WORK_LIMIT` for all that it evaluates, and evaluates nothing more when the caller is cancelled.
    """
    budget = Budget(WORK_LIMIT)
    try:
        return await asyncio.get_running_loop().run_in_executor(_THREADS, _run, budget, work)
    except asyncio.CancelledError:
        budget.end()
        raise


def _run(budget: Budget, work: Callable[[], _Result]) -> _Result:
    with use_budget(budget):
        return work()


async def work_out(session: FormSession | None, work: Callable[[], _Result]) -> _Result:
    """Run what works on a session; here where its form has neither FEEL nor patterns, which costs less."""
    if session is None or not _is_slow(session.source, session.locale):
        return work()
    return await run_in_thread(work)


@lru_cache(maxsize=_KEPT_SCHEMAS)
def _is_slow(schema: Schema, locale: str) -> bool:
    return has_feel(schema, locale) or any(part.read_property("validate.pattern") for part in schema.list_inside())
