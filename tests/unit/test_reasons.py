"""What errors say in logs: what went wrong and where, and nothing that was typed."""

import json
from collections.abc import Callable

import aiohttp
import pytest
from aiogram.types import Update
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import BaseModel, ConfigDict
from redis.exceptions import ConnectionError as RedisAway

from bpmn.errors import EngineFault, EngineUnavailable, NotFound
from kit.reasons import describe_error, format_traceback

MARKER = "hunter2"


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    age: int


def raised(act: Callable[[], object]) -> Exception:
    try:
        act()
    except Exception as error:  # noqa: BLE001 -- whatever it is
        return error
    raise AssertionError("it worked")


def wrapped() -> None:
    try:
        Answer.model_validate({"name": 7, "age": MARKER})
    except ValueError as error:
        error.add_note(MARKER)
        raise LookupError(MARKER) from error


def several() -> None:
    raise ExceptionGroup(MARKER, [raised(lambda: int(MARKER)), raised(wrapped)])


HOSTILE: dict[str, Callable[[], object]] = {
    "number": lambda: int(MARKER),
    "key": lambda: {}[MARKER],
    "model": lambda: Answer.model_validate({"name": [MARKER], "age": MARKER}),
    "update": lambda: Update.model_validate({"update_id": 1, "message": {"message_id": 1, "text": [MARKER]}}),
    "json": lambda: json.loads(MARKER),
    "character": lambda: f"{MARKER}\ud83d".encode(),
    "chain": wrapped,
    "group": several,
}


@pytest.mark.parametrize("act", HOSTILE.values(), ids=HOSTILE)
def test_what_was_typed_is_in_no_reason_and_no_traceback(act: Callable[[], object]) -> None:
    error = raised(act)
    assert MARKER not in describe_error(error)
    assert MARKER not in format_traceback(error)


def test_a_model_names_the_places_that_do_not_fit() -> None:
    error = raised(lambda: Answer.model_validate({"name": "Ada", "age": MARKER}))
    assert describe_error(error).startswith("ValidationError of Answer: age (int_parsing)")


def test_an_error_that_is_not_quoted_says_where_it_came_from() -> None:
    reason = describe_error(raised(wrapped))
    assert reason.startswith("LookupError in unit/test_reasons.py:")
    assert reason.endswith("(wrapped)")
    assert describe_error(LookupError(MARKER)) == "LookupError"


def test_outages_are_quoted() -> None:
    assert describe_error(RedisAway("Error 111 connecting to valkey:6379")) == (
        "ConnectionError: Error 111 connecting to valkey:6379"
    )
    assert describe_error(ConnectionRefusedError(111, "refused")) == "ConnectionRefusedError: [Errno 111] refused"
    away = EngineUnavailable("POST /task/t1/complete", message="no connection")
    assert describe_error(away) == "EngineUnavailable: POST /task/t1/complete: no connection"


async def test_an_address_with_a_token_is_not_told() -> None:
    async def round_and_round(request: web.Request) -> web.Response:
        raise web.HTTPFound(request.path)

    app = web.Application()
    app.router.add_get(f"/bot{MARKER}/getMe", round_and_round)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.TooManyRedirects) as error:
            await http.get(server.make_url(f"/bot{MARKER}/getMe"))
    assert MARKER in str(error.value)
    assert MARKER not in format_traceback(error.value) + describe_error(error.value)
    assert describe_error(aiohttp.InvalidURL(f"http://:{MARKER}")) == "InvalidURL"


def test_of_the_engines_words_only_the_kind_is_told() -> None:
    fault = EngineFault(
        "POST /task/t1/complete", message=f'For input string: "{MARKER}"', status=500, kind="ProcessEngineException"
    )
    assert describe_error(fault) == "EngineFault: POST /task/t1/complete: 500 ProcessEngineException"
    assert describe_error(NotFound("GET /task/t1", message=MARKER, status=404)) == "NotFound: GET /task/t1: 404"


def test_a_traceback_tells_the_whole_chain_oldest_first() -> None:
    story = format_traceback(raised(wrapped))
    assert story.index("ValidationError of Answer") < story.index("direct cause") < story.index("LookupError")
    assert "Answer.model_validate(" in story
    assert "One of them:" in format_traceback(raised(several))


def test_a_chain_that_bites_its_tail_has_an_end() -> None:
    first, second = LookupError("a"), LookupError("b")
    first.__context__, second.__context__ = second, first
    assert format_traceback(first).count("LookupError") == 2
