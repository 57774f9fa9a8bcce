"""Which jobs are the same, what is refused at registration, and what the test kit remembers."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from kit.errors import ConfigurationError
from workers.context import JobContext
from workers.errors import BusinessError, HandlerError, Permanent
from workers.idempotency import make_key
from workers.pool.guards import GuardFactory
from workers.registry import Handler, handler, list_registered, read_handler
from workers.settings import WorkerSettings
from workers.testing import Memory, RecordedJob, run

SECONDS = timedelta(seconds=5)


class Payment(BaseModel):
    order: str | None
    amount: float
    note: str = ""


class Paid(BaseModel):
    receipt: str


CALLS: list[str] = []


@handler("test-once-kit", queue="test-once", timeout=SECONDS, idempotent_by=("order",))
async def pay(payment: Payment, job: JobContext) -> Paid:
    CALLS.append(job.idempotency_key)
    await asyncio.sleep(0.01)
    if payment.note == "fails" and len(CALLS) == 1:
        raise ValueError("the bank is closed")
    if payment.note == "refused":
        raise BusinessError("NO_MONEY")
    return Paid(receipt=f"{payment.order} {payment.note}")


def read(by: Any, **options: Any) -> Handler:
    def give(payment: Payment) -> None: ...
    def give_all(payments: list[Payment]) -> list[Paid]:
        return []

    function = give_all if options else give
    return read_handler(function, "test-once", queue="test", timeout=SECONDS, idempotent_by=by, **options)


def key(handler: Handler, activity: str = "a:1", **values: Any) -> str:
    return make_key(handler, Payment(**({"order": "7", "amount": 1.5} | values)), activity)


def test_jobs_are_the_same_by_the_named_fields_alone() -> None:
    handler = read(("order", "amount"))
    assert key(handler) == key(handler, activity="b:2", note="another")
    assert len({key(handler), key(handler, order="8"), key(handler, amount=1.6)}) == 3
    assert key(handler) != key(read(["order"])), "other fields say something else"
    assert len(key(handler)) == 64


def test_jobs_of_one_step_are_the_same_by_activity() -> None:
    handler = read("activity")
    assert key(handler) == key(handler, order="8")
    assert key(handler) != key(handler, activity="b:2")


def test_a_field_without_a_value_makes_no_key() -> None:
    with pytest.raises(Permanent, match="test-once is idempotent by 'order', which is null"):
        key(read(("order",)), order=None)


@pytest.mark.parametrize(
    ("by", "options", "reason"),
    [
        ("order", {}, r"idempotent_by='order' must be 'activity' or a tuple of fields, as \('order',\)"),
        (("order", "prize"), {}, "must name fields of Payment: order, amount, note"),
        ((), {}, "must name fields of Payment"),
        (("order",), {"batch": 3}, "idempotent_by is for one job at a time"),
    ],
)
def test_a_wrong_choice_is_refused_with_file_and_line(by: Any, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(HandlerError, match=rf"give.*test_idempotency\.py:\d+\): .*{reason}"):
        read(by, **options)


def test_worker_without_redis_refuses_such_a_handler() -> None:
    settings = WorkerSettings(rabbitmq_url=SecretStr("amqp://localhost"), worker_type="test-once")
    with pytest.raises(ConfigurationError, match="REDIS_URL is not set, and test-once-kit has idempotent_by"):
        GuardFactory.check([list_registered()["test-once-kit"]], settings)


async def test_the_kit_remembers_what_ended() -> None:
    CALLS.clear()
    memory = Memory()
    first, second = await asyncio.gather(
        run(pay, {"order": "7", "amount": 1, "note": "one"}, memory=memory),
        run(pay, {"order": "7", "amount": 2, "note": "two"}, memory=memory),
    )
    assert first == second
    assert len(CALLS) == 1
    await run(pay, {"order": "8", "amount": 1}, memory=memory)
    await run(pay, {"order": "8", "amount": 1})
    assert len(CALLS) == 3, "another key, and a run without a memory, call it"
    assert CALLS[0] != CALLS[1]


async def test_the_kit_forgets_a_failure_and_keeps_a_business_error() -> None:
    CALLS.clear()
    memory = Memory()
    failing = {"order": "7", "amount": 1, "note": "fails"}
    with pytest.raises(ValueError, match="closed"):
        await run(pay, failing, memory=memory, job=RecordedJob())
    assert await run(pay, failing, memory=memory) == {"receipt": "7 fails"}
    for _ in range(2):
        with pytest.raises(BusinessError, match="NO_MONEY"):
            await run(pay, {"order": "9", "amount": 1, "note": "refused"}, memory=memory)
    assert len(CALLS) == 3
