"""A machine on which the embedded model does not run: everything else does, and says so."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from baton.sandbox.canned_model import CANNED_ANSWER, serve_canned_answers
from baton.sandbox.model_file import MODEL_PATH
from baton.stack.errors import StackError
from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.stack import Stack
from baton.stack.supervisor import Supervisor
from workers.clients.llm import LLM
from workers.errors import Permanent


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    home.prepare()
    yield home
    home.remove()


async def test_stack_runs_without_a_broken_model(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"no model")
    monkeypatch.setenv(MODEL_PATH, str(broken))
    async with Supervisor(home, plan_servers(home, environment={}), initially=("worker-llm",)) as supervisor:
        model, worker = supervisor.runs["llm"], supervisor.runs["worker-llm"]
        assert (model.state, worker.state) == ("failed", "ready")
        assert "ended with code 1" in model.detail
        status = {server.name: server for server in Stack(home).read_status()}
        assert "broken.gguf" in status["llm"].detail
        assert worker.pid is not None
        assert "ended with code 1" in psutil.Process(worker.pid).environ()["LLM_UNAVAILABLE"]


async def test_handler_says_why_the_model_does_not_run() -> None:
    llm = LLM(base_url="http://127.0.0.1:9/v1", api_key="x", model="m", unavailable="it ended with SIGILL")
    with pytest.raises(Permanent, match=r"embedded model does not run: it ended with SIGILL.*OPENAI_BASE_URL"):
        await ask(llm)
    await llm.aclose()


async def test_canned_text_stands_in_for_the_model(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/v1"
    llm = LLM(base_url=url, api_key="key", model="m", unavailable="it ended with SIGILL")
    async with serve_canned_answers(url, "key"):
        assert await ask(llm) == CANNED_ANSWER
    await llm.aclose()


def test_address_of_a_model_without_its_name_is_refused(home: Home) -> None:
    with pytest.raises(StackError, match="OPENAI_MODEL is not"):
        plan_servers(home, environment={"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})


async def ask(llm: LLM) -> str:
    async with asyncio.timeout(10):
        return await llm.answer(instructions="Be kind.", question="Hello?", max_tokens=5, limit=timedelta(seconds=5))
