"""What every service shares: requests have ids, errors one shape, bodies a limit, callers a token."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated

import httpx2 as httpx
import pytest
from fastapi import Depends, FastAPI, Query
from fastapi.responses import StreamingResponse
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from structlog.testing import capture_logs

from api.engine.problems import PROBLEMS
from api.kit.auth import make_service_token_check
from api.kit.health import create_health_router
from api.kit.parameters import refuse_unknown_parameters
from api.kit.problems import ProblemError, install_problem_handlers
from api.kit.requests import RequestMiddleware
from bpmn.errors import EngineFault, EngineUnavailable

ID = "caller-1234"


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def client(registry: CollectorRegistry) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problem_handlers(app, PROBLEMS)
    app.add_middleware(
        RequestMiddleware, service="test", registry=registry, max_body_bytes=10, larger={"/upload": 1000}
    )

    @app.get("/bug/{name}")
    async def bug(name: str) -> None:
        raise RuntimeError("the password is swordfish")

    @app.get("/away")
    async def away() -> None:
        raise EngineUnavailable("GET /version", message="the engine does not answer")

    @app.get("/fault")
    async def fault() -> None:
        raise EngineFault("POST /task/x/complete", message="a step threw", status=500)

    @app.get("/refused")
    async def refused() -> None:
        raise ProblemError(409, "taken", "The name is taken.", headers={"X-Hint": "try"}, field="name")

    @app.get("/torn")
    async def torn() -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield "one\n"
            raise RuntimeError("in the middle")

        return StreamingResponse(lines())

    @app.post("/upload")
    @app.post("/small")
    async def taken() -> str:
        return "taken"

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as connected:
        yield connected


async def test_bug_is_a_problem_with_an_id_and_no_details(
    client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    answer = await client.get("/bug/7", headers={"X-Request-Id": ID})
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.headers["x-request-id"] == ID
    problem = answer.json()
    assert (problem["code"], problem["instance"]) == ("unexpected", f"urn:request:{ID}")
    assert "swordfish" not in answer.text
    labels = {"service": "test", "method": "GET", "route": "/bug/{name}", "status": "500"}
    assert registry.get_sample_value("baton_http_requests_total", labels) == 1


async def test_an_answer_that_breaks_in_the_middle_is_not_made_whole(client: httpx.AsyncClient) -> None:
    with pytest.raises(RuntimeError, match="in the middle"):
        await client.get("/torn")


async def test_unreachable_engine_is_503_with_retry_after(client: httpx.AsyncClient) -> None:
    answer = await client.get("/away")
    assert (answer.status_code, answer.json()["code"]) == (503, "engine_unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def test_model_fault_is_no_outage(
    client: httpx.AsyncClient,
) -> None:
    with capture_logs() as lines:
        answer = await client.get("/fault")
    assert (answer.status_code, answer.json()["code"]) == (500, "engine_fault")
    assert "a step threw" in answer.json()["detail"]
    (line,) = [line for line in lines if line["event"] == "request failed"]
    assert line["reason"] == "EngineFault: POST /task/x/complete: 500"


async def test_half_a_character_is_quoted_back_as_json_spells_it(client: httpx.AsyncClient) -> None:
    app = FastAPI()
    install_problem_handlers(app, PROBLEMS)

    @app.get("/")
    async def refuse() -> None:
        raise ProblemError(422, "odd", "привет \ud800")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as odd:
        answer = await odd.get("/")
    assert (answer.status_code, answer.json()["detail"]) == (422, "привет \ud800")


async def test_a_refusal_keeps_its_members_and_headers(client: httpx.AsyncClient) -> None:
    answer = await client.get("/refused")
    assert answer.status_code == 409
    assert answer.headers["x-hint"] == "try"
    assert {"code": "taken", "field": "name", "title": "Conflict"}.items() <= answer.json().items()


async def test_an_unknown_path_is_a_problem_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(("path", "size", "status"), [("/small", 10, 200), ("/small", 11, 413), ("/upload", 11, 200)])
async def test_a_body_that_is_too_large_is_refused_unread(
    client: httpx.AsyncClient, path: str, size: int, status: int
) -> None:
    assert (await client.post(path, content=b"x" * size)).status_code == status


async def test_a_body_without_a_length_is_refused(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"x"

    answer = await client.post("/small", content=endless())
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


@pytest.mark.parametrize("given", ["short", "x" * 65, "a b c d e f g h", "evil\u00e9vil123"])
async def test_a_callers_id_is_taken_only_when_it_is_plain(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/nowhere", headers={"X-Request-Id": given.encode("latin-1")})
    assert answer.headers["x-request-id"] != given


@pytest.fixture
async def guarded(registry: CollectorRegistry) -> AsyncIterator[httpx.AsyncClient]:
    """A service whose one call needs a token, with a dependency that answers, one that is gone and one that hangs."""
    app = FastAPI()
    admit = make_service_token_check(SecretStr("tökén"))
    app.add_middleware(RequestMiddleware, service="test", registry=registry, max_body_bytes=10, larger={}, admit=admit)

    async def well() -> str | None:
        return None

    async def gone() -> str | None:
        return "http://engine.inside:8080 cannot be reached"

    async def hanging() -> str | None:
        await asyncio.sleep(60)
        return None

    app.include_router(create_health_router({"well": well, "gone": gone, "hanging": hanging}, registry))

    @app.post("/call")
    async def call(body: dict[str, int]) -> dict[str, int]:
        return body

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as connected:
        yield connected


@pytest.mark.parametrize("path", ["/call", "/nowhere", "/health", "/health/ready/", "/metrics/x"])
@pytest.mark.parametrize("body", [b"{", b"x" * 11])
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer wrong")],
        [("Authorization", "Bearer")],
        [("Authorization", "Basic t\xf6k\xe9n")],
        [("Authorization", "Bearer t\xf6k\xe9n"), ("Authorization", "Bearer t\xf6k\xe9n")],
    ],
)
async def test_a_stranger_is_sent_away_before_the_body_is_read(
    guarded: httpx.AsyncClient, path: str, body: bytes, headers: list[tuple[str, str]]
) -> None:
    async def untouched() -> AsyncIterator[bytes]:
        read.append(True)
        yield body

    read: list[bool] = []
    sent = [(name, value.encode("latin-1")) for name, value in headers]
    length = [("Content-Length", str(len(body)).encode()), ("Content-Type", b"application/json")]
    answer = await guarded.post(path, content=untouched(), headers=[*sent, *length])
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorised")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not read


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_a_caller_with_the_token_is_let_in(guarded: httpx.AsyncClient, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} tökén".encode("latin-1")}
    assert (await guarded.post("/call", json={"a": 1}, headers=headers)).json() == {"a": 1}
    assert (await guarded.post("/call", content=b"{", headers=headers)).status_code == 422


async def test_readiness_names_what_is_away_without_details(guarded: httpx.AsyncClient) -> None:
    began = time.monotonic()
    answer = await guarded.get("/health/ready")
    assert time.monotonic() - began < 4
    assert (answer.status_code, answer.json()) == (
        503,
        {"status": "failing", "problems": ["the gone does not answer", "the hanging does not answer"]},
    )
    assert (await guarded.get("/health/live")).json() == {"status": "ok"}


async def test_unknown_parameters_are_refused_by_name() -> None:
    app = FastAPI(dependencies=[Depends(refuse_unknown_parameters)])
    install_problem_handlers(app, PROBLEMS)

    @app.get("/task")
    async def list_tasks(assignee: str = "", limit: Annotated[int, Query(alias="max")] = 1) -> str:
        return assignee

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
        assert (await client.get("/task", params={"assignee": "ada", "max": 2})).json() == "ada"
        refused = await client.get("/task", params={"user": "eve", "limit": 3})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_parameter")
    assert refused.json()["detail"] == "/task has no parameter limit, user. There are: assignee, max."


async def test_signed_links_are_not_in_the_log() -> None:
    app = FastAPI()
    app.add_middleware(RequestMiddleware, service="test", registry=CollectorRegistry(), max_body_bytes=10, larger={})

    @app.get("/files/{token}")
    async def fetch_file(token: str) -> str:
        return "content"

    with capture_logs() as lines:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client:
            assert (await client.get("/files/secret-link")).status_code == 200
            assert (await client.get("/filez/secret-link")).status_code == 404
    assert [line["path"] for line in lines] == ["/files/…", "/filez"]
