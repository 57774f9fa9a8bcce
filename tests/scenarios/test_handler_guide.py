"""A newcomer does what the guide for handlers says, in its order, on a real stack."""

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from baton.stack.supervisor import Supervisor
from bpmn.engine.client import EngineClient

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "handlers.md"


def ten_minutes() -> str:
    (part,) = re.findall(r"^## Ten minutes\n(.*?)^## ", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    return str(part)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", ten_minutes(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shouting.bpmn").write_text(blocks("xml")[0])
    # A folder of the project that is called as a package of ours hides nothing.
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "__init__.py").touch()
    return tmp_path


@pytest.fixture
async def shell(stack: Supervisor, engine: EngineClient) -> AsyncIterator[dict[str, str]]:
    await stack.start("engine-api", "bridge")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    yield environment | {"PATH": path, "BATON_HOME": str(stack.home.folder)}
    (stack.home.folder / "data" / "handlers.json").unlink(missing_ok=True)


async def typed(line: str, folder: Path, shell: dict[str, str]) -> str:
    done = await asyncio.to_thread(
        subprocess.run, shlex.split(line), cwd=folder, env=shell, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
    return str(done.stdout)


async def typed_until(said: str, line: str, folder: Path, shell: dict[str, str]) -> str:
    """As a person who looks again."""
    async with asyncio.timeout(60):
        while said not in (told := await typed(line, folder, shell)):  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    return told


@contextmanager
def running(line: str, folder: Path, shell: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """In a second terminal."""
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(shlex.split(line), cwd=folder, env=shell, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_the_guide_leads_to_a_running_handler(stack: Supervisor, folder: Path, shell: dict[str, str]) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    up, new, test, deploy, worker, start, tasks, topics, workers = lines
    assert up == "baton up --detach"
    await typed(new, folder, shell)
    shown = re.sub(r'^ +""".*"""\n+', "", (folder / "shout.py").read_text(), flags=re.MULTILINE)
    assert blocks("python")[0] in shown
    assert "2 passed" in await typed(test, folder, shell)
    assert "shouting is now version" in await typed(deploy, folder, shell)
    bridge = stack.runs["bridge"].pid
    with running(worker, folder, shell) as process:
        await typed(start, folder, shell)
        await typed_until("Read: HELLO!", tasks, folder, shell)
        assert stack.runs["bridge"].pid != bridge
        assert "shout " in await typed(topics, folder, shell)
        assert "custom" in await typed_until(f"custom-{process.pid}@", workers, folder, shell)
        await typed("baton start shouting", folder, shell)
        told = await typed_until("shout: text", "baton incidents --process shouting", folder, shell)
        assert "Field required" in told
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) == 0, (folder / "worker.log").read_text()
