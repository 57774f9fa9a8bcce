"""The sandboxes as servers: the Telegram Bot API with its chat page, and the small language model."""

import signal
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from baton.sandbox.model_file import MODEL_PATH
from baton.stack.home import Home
from baton.stack.probe import find_http_problem, wait_until
from baton.stack.server import LOOPBACK, Launch, inherit_environment

__all__ = ["LlmServer", "TelegramServer"]

READY_TIMEOUT = timedelta(seconds=90)
WITHOUT_MODEL = (
    "everything else runs. Handlers that ask a model end as incidents. "
    "Set OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL to another model"
)


@dataclass(frozen=True, slots=True)
class TelegramServer:
    """The Bot API of the sandbox for one bot; its chat page is at `url`."""

    home: Home
    port: int
    token: str
    name: str = "telegram"
    needs: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM
    is_one_shot: bool = False
    without_it: str | None = None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.log(self.name)

    def prepare(self) -> Launch:
        argv = (sys.executable, "-m", "baton.sandbox.telegram", "--host", LOOPBACK, "--port", str(self.port))
        return Launch(
            argv, {**inherit_environment(), "TELEGRAM_BOT_TOKEN": self.token}, cwd=self.home.make_data_folder(self.name)
        )

    async def wait_ready(self) -> None:
        await wait_until(
            self.name, self.log, lambda: find_http_problem(f"{self.url}/sandbox/users"), within=READY_TIMEOUT
        )


@dataclass(frozen=True, slots=True)
class LlmServer:
    """A small real language model behind an OpenAI-compatible URL. Without it all but its handlers work."""

    home: Home
    port: int
    key: str
    name: str = "llm"
    needs: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM
    is_one_shot: bool = False
    without_it: str | None = WITHOUT_MODEL

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/v1"

    @property
    def log(self) -> Path:
        return self.home.log(self.name)

    def prepare(self) -> Launch:
        argv = (sys.executable, "-m", "baton.sandbox.llm", "--port", str(self.port))
        return Launch(
            argv, {**inherit_environment(MODEL_PATH), "LLM_KEY": self.key}, cwd=self.home.make_data_folder(self.name)
        )

    async def wait_ready(self) -> None:
        health = f"http://{LOOPBACK}:{self.port}/health"
        await wait_until(self.name, self.log, lambda: find_http_problem(health), within=READY_TIMEOUT)
