"""The decorator reads a signature: variables in, variables out, clients by type."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

import pytest
from pydantic import AliasChoices, BaseModel, Field

from workers.clients.llm import LLM
from workers.context import JobContext
from workers.errors import HandlerError
from workers.loading import load_handlers
from workers.registry import find_handler, handler, list_handlers_of, list_queues, list_registered, read_handler

MINUTE = timedelta(minutes=1)


class Order(BaseModel):
    amount: int
    user_name: str = Field(alias="userName")


class Receipt(BaseModel):
    receipt: str


class Clock:
    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        return cls()

    async def aclose(self) -> None:
        return None


def read(function: Callable[..., Any], **options: Any) -> Any:
    return read_handler(function, "a-topic", **({"queue": "test", "timeout": MINUTE} | options))


def test_fields_are_the_variables_to_fetch_under_their_aliases() -> None:
    async def pay(job: Order, clock: Clock) -> Receipt: ...

    found = read(pay)
    assert found.variables == ["amount", "userName"]
    assert found.clients == {"clock": Clock}
    assert found.output is Receipt


def test_a_context_is_found_by_its_type_and_belongs_to_one_job() -> None:
    def pay(job: Order, clock: Clock, context: JobContext) -> None: ...
    def pay_all(jobs: list[Order], context: JobContext) -> list[None]: ...

    found = read(pay)
    assert (found.context, found.clients) == ("context", {"clock": Clock})
    assert found.asks_for_more
    with pytest.raises(HandlerError, match=r"pay_all.*test_registry.py:\d+.*many jobs, so no JobContext"):
        read(pay_all, batch=3)


def test_a_handler_may_write_nothing() -> None:
    def note(job: Order) -> None: ...

    assert read(note).output is None


def test_the_lock_outlasts_the_time_out() -> None:
    def note(job: Order) -> None: ...

    assert read(note).lock > MINUTE
    assert read(note, lock=timedelta(seconds=5)).lock == timedelta(seconds=5)


def no_parameter() -> None: ...
def plain_input(job: dict[str, Any]) -> None: ...
def no_annotation(job) -> None: ...  # type: ignore[no-untyped-def]
def no_return(job: Order): ...  # type: ignore[no-untyped-def]
def plain_return(job: Order) -> str: ...
def no_client(job: Order, name: str) -> None: ...
def two_contexts(job: Order, one: JobContext, two: JobContext) -> None: ...
def star(job: Order, *rest: Order) -> None: ...
def keyword_only(*, job: Order) -> None: ...


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (no_parameter, "first parameter"),
        (plain_input, "pydantic model"),
        (no_annotation, "pydantic model"),
        (no_return, "annotate what it returns"),
        (plain_return, "must return a pydantic model"),
        (no_client, "client class"),
        (two_contexts, "one and two are the same JobContext"),
        (star, "name every parameter"),
        (keyword_only, "first parameter"),
    ],
)
def test_a_wrong_signature_is_refused_with_the_place(function: Callable[..., Any], says: str) -> None:
    with pytest.raises(HandlerError, match=says) as refused:
        read(function)
    assert function.__qualname__ in str(refused.value)


def test_an_alias_must_name_one_variable() -> None:
    class Either(BaseModel):
        name: str = Field(validation_alias=AliasChoices("a", "b"))

    def note(job: Either) -> None: ...

    with pytest.raises(HandlerError, match="one plain alias"):
        read(note)


@pytest.mark.parametrize(
    "options",
    [
        {"queue": "a queue"},
        {"timeout": timedelta(0)},
        {"timeout": timedelta(days=2)},
        {"retries": 0},
        {"backoff": ()},
        {"lock": timedelta(milliseconds=1)},
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any]) -> None:
    def note(job: Order) -> None: ...

    with pytest.raises(HandlerError):
        read(note, **options)


def test_a_topic_has_one_handler() -> None:
    def first(job: Order) -> None: ...
    def second(job: Order) -> None: ...

    register = handler("test-workers-twice", queue="test-workers", timeout=MINUTE)
    assert register(first) is first
    with pytest.raises(HandlerError, match=r"two handlers.*first.*second"):
        register(second)
    assert find_handler(first).topic == "test-workers-twice"
    with pytest.raises(HandlerError, match="decorate it"):
        find_handler(second)


def test_the_packaged_handlers_load_from_their_folder() -> None:
    load_handlers()
    found = list_registered()["llm-answer"]
    assert found.queue == "llm"
    assert found.variables == ["question", "locale"]
    assert found.clients == {"llm": LLM}
    assert "llm" in list_queues()
    assert found in list_handlers_of("llm")
