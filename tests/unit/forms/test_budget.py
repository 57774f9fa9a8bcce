"""Work for others ends in time: one budget for all that a call evaluates, and what nobody waits for is not done."""

import asyncio
import threading
import time
from typing import Any

import pytest

from forms.answers.submission import receive_answers
from forms.errors import FeelLimit
from forms.evaluate.initial import make_initial_data
from forms.feel import Expression, evaluate, evaluate_many, is_match
from forms.schema.components import parse_schema
from forms.session.threads import WORK_LIMIT, run_in_thread

EVIL = "^(a+)+$"
LONG = "a" * 60 + "!"
SLOW = "=count(for i in 1..100000 return count(for j in 1..100000 return i))"


def evil_fields(count: int) -> Any:
    fields = [{"type": "textfield", "key": f"f{n}", "validate": {"pattern": EVIL}} for n in range(count)]
    return parse_schema({"id": "form", "components": fields})


async def seconds_of(work: Any) -> tuple[float, Any]:
    begun = time.process_time()
    result = await run_in_thread(work)
    return time.process_time() - begun, result


async def test_many_bad_patterns_cost_one_budget() -> None:
    schema = evil_fields(150)
    answers = {f"f{n}": f"{LONG}{n}" for n in range(150)}
    spent, found = await seconds_of(lambda: receive_answers(schema, make_initial_data(schema, {}), answers))
    assert {problem.code for problem in found.problems.values()} == {"pattern_broken"}
    assert len(found.problems) == 150
    assert spent < WORK_LIMIT.total_seconds() * 2


async def test_request_at_a_limit_is_not_tried_again() -> None:
    def work() -> list[Any]:
        found = [evaluate_many([Expression(SLOW), Expression(f"={n}")], {}) for n in range(10)]
        return [(type(slow), quick) for slow, quick in found]

    spent, found = await seconds_of(work)
    assert found == [(FeelLimit, n) for n in range(10)]
    assert spent < WORK_LIMIT.total_seconds() * 2


async def test_the_next_call_has_a_budget_of_its_own() -> None:
    def work() -> bool:
        for number in range(9):
            with pytest.raises(FeelLimit):
                is_match(EVIL, f"{LONG}{number}")
        with pytest.raises(FeelLimit, match="others before"):
            evaluate("=1", {})
        return True

    assert await run_in_thread(work)
    assert await run_in_thread(lambda: evaluate("=1", {})) == 1


async def test_work_that_nobody_waits_for_any_more_ends() -> None:
    ended, reasons = threading.Event(), list[str]()

    def work() -> None:
        for number in range(9):
            (answer,) = evaluate_many([Expression(f"{SLOW} + {number}")], {})
            assert isinstance(answer, FeelLimit)
            reasons.append(answer.reason)
        ended.set()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run_in_thread(work), 0.2)
    assert await asyncio.to_thread(ended.wait, 20)
    assert reasons == ["it took too long", *["others before it took too long"] * 8], "only what was under way"


def test_answers_to_nothing_cost_nothing() -> None:
    schema = evil_fields(3)
    begun = time.process_time()
    strangers = {f"x{number}": LONG for number in range(60_000)}
    found = receive_answers(schema, make_initial_data(schema, {}), strangers | {"f1": 5})
    assert time.process_time() - begun < 2
    codes = {name: problem.code for name, problem in found.problems.items()}
    assert codes == dict.fromkeys(strangers, "not_in_form") | {"f1": "wrong_type"}, "one answer to all that is wrong"
