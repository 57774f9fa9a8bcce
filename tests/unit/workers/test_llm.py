"""The handler `llm-answer` with a model played by a few lines, and the client against an endpoint that refuses."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from pydantic import SecretStr

from kit.errors import ConfigurationError
from workers.clients.llm import LLM, ModelUnavailable
from workers.errors import HandlerError, Permanent
from workers.handlers.llm_answer import EmptyAnswer, llm_answer, trim_to_sentences
from workers.settings import BridgeSettings, WorkerSettings
from workers.testing import run


class Model:
    def __init__(self, text: str) -> None:
        self.text = text
        self.instructions = ""
        self.question = ""

    async def answer(self, *, instructions: str, question: str, max_tokens: int, limit: timedelta) -> str:
        assert max_tokens <= 64
        assert limit < timedelta(seconds=60)
        self.instructions, self.question = instructions, question
        return self.text


@pytest.mark.parametrize(
    ("locale", "language"), [("en", "English"), ("ru", "Russian"), ("ru-RU", "Russian"), ("pt", "code pt")]
)
async def test_the_model_is_asked_in_the_persons_language(locale: str, language: str) -> None:
    model = Model("  Hello, Ada.\n")
    written = await run(llm_answer, {"question": "Greet Ada", "locale": locale}, clients={LLM: model})
    assert written == {"answer": "Hello, Ada."}
    assert language in model.instructions
    assert model.question == "Greet Ada"


async def test_other_variables_do_not_reach_the_handler() -> None:
    assert await run(llm_answer, {"question": "?", "secret": object()}, clients={LLM: Model("x")}) == {"answer": "x"}


async def test_a_rambling_answer_is_cut() -> None:
    written = await run(llm_answer, {"question": "?"}, clients={LLM: Model("x" * 9000)})
    assert len(str(written["answer"])) == 4000


async def test_an_empty_answer_is_worth_another_attempt() -> None:
    with pytest.raises(EmptyAnswer):
        await run(llm_answer, {"question": "?"}, clients={LLM: Model(" \n")})


@pytest.mark.parametrize("variables", [{}, {"question": ""}, {"question": "x" * 4001}, {"question": None}])
async def test_a_question_that_is_none_is_refused_for_good(variables: dict[str, object]) -> None:
    with pytest.raises(Permanent, match="question"):
        await run(llm_answer, variables, clients={LLM: Model("x")})


async def test_a_missing_client_is_named() -> None:
    with pytest.raises(HandlerError, match="LLM"):
        await run(llm_answer, {"question": "?"})


@pytest.fixture
async def endpoint() -> AsyncIterator[str]:
    """Answers with the status that the model's name asks for."""

    async def complete(request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["model"].isdigit():
            return web.json_response({"error": {"message": "because"}}, status=int(asked["model"]))
        assert request.headers["Authorization"] == "Bearer key"
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "yes"}}
        choices = [] if asked["model"] == "silent" else [choice]
        return web.json_response(
            {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": choices}
        )

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    await runner.cleanup()


async def ask(base_url: str, model: str) -> str:
    llm = LLM(base_url=base_url, api_key="key", model=model)
    try:
        return await llm.answer(instructions="i", question="q", max_tokens=8, limit=timedelta(seconds=5))
    finally:
        await llm.aclose()


async def test_the_client_brings_the_models_text(endpoint: str) -> None:
    assert await ask(endpoint, "good") == "yes"
    assert await ask(endpoint, "silent") == ""


@pytest.mark.parametrize("status", ["400", "401", "403", "404", "422"])
async def test_a_refusal_is_permanent(endpoint: str, status: str) -> None:
    with pytest.raises(Permanent, match=status):
        await ask(endpoint, status)


@pytest.mark.parametrize("status", ["408", "429", "500", "503"])
async def test_an_overloaded_endpoint_is_asked_again_by_the_engine(endpoint: str, status: str) -> None:
    with pytest.raises(ModelUnavailable, match=status):
        await ask(endpoint, status)


async def test_an_endpoint_that_is_away_is_asked_again_by_the_engine() -> None:
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        await ask("http://127.0.0.1:1/v1", "good")


def worker(**values: object) -> WorkerSettings:
    return WorkerSettings.model_validate({"rabbitmq_url": "redis://h/0", "worker_type": "llm"} | values)


def test_missing_settings_are_named() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_MODEL"):
        LLM.from_settings(worker(openai_api_key="k"))
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        LLM.from_settings(worker(openai_model="m"))


def test_secrets_come_from_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    monkeypatch.setenv("ENGINE_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("RABBITMQ_URL", "amqp://broker//")
    monkeypatch.setenv("ENGINE_URL", "http://engine/engine-rest")
    monkeypatch.setenv("BRIDGE_QUEUES", "llm, image")
    settings = BridgeSettings()
    assert settings.engine_token.get_secret_value() == "from-a-file"
    assert settings.bridge_queues == ("llm", "image")
    assert (settings.is_redis, settings.ledger_url) == (False, None)
    monkeypatch.setenv("ENGINE_TOKEN_FILE", str(tmp_path / "absent"))
    with pytest.raises(ConfigurationError, match="ENGINE_TOKEN_FILE"):
        BridgeSettings()


def test_a_redis_broker_keeps_the_ledger_too() -> None:
    assert worker().ledger_url == "redis://h/0"
    other = worker(redis_url=SecretStr("redis://other/1"), worker_handlers="a.b, c")
    assert other.ledger_url == "redis://other/1"
    assert other.worker_handlers == ("a.b", "c")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Welcome, Ada! We are glad you are", "Welcome, Ada!"),
        ("Welcome, Ada! We are glad.", "Welcome, Ada! We are glad."),
        ('"Welcome, Ada."', "Welcome, Ada."),
        ("«Привет, Ада!»", "Привет, Ада!"),
        ("no end at all", "no end at all"),
        ("Version 1.5 is out. It has", "Version 1.5 is out."),
        ("", ""),
    ],
)
def test_a_sentence_that_the_limit_cut_off_is_left_out(said: str, kept: str) -> None:
    assert trim_to_sentences(said) == kept
