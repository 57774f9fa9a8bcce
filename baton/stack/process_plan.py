"""Our own processes in the embedded stack: what each is told of the others, one function a process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from baton.sandbox.model_file import MODEL_NAME
from baton.stack.handlers import StackHandlers
from baton.stack.home import Home
from baton.stack.server import LOOPBACK, Server
from baton.stack.servers.engine import EngineServer
from baton.stack.servers.processes import ProcessServer
from baton.stack.servers.valkey import ValkeyServer

__all__ = ["plan_processes"]


def plan_processes(
    planned: Mapping[str, Server], home: Home, environment: Mapping[str, str]
) -> Sequence[ProcessServer]:
    """Plan every process of ours, in the order in which people read them. `planned` are the servers that they need."""
    engine, valkey = planned["engine"], planned["valkey"]
    assert isinstance(engine, EngineServer)
    assert isinstance(valkey, ValkeyServer)
    around = _Surroundings(
        home, home.read_secrets(), environment, planned, engine, valkey, StackHandlers(home, environment, Path.cwd())
    )
    return [_plan_engine_api(around), _plan_bridge(around), _plan_llm_worker(around), _plan_bot(around)]


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the processes are told of."""

    home: Home
    secrets: Mapping[str, str]
    environment: Mapping[str, str]
    planned: Mapping[str, Server]
    engine: EngineServer
    valkey: ValkeyServer
    handlers: StackHandlers

    @property
    def engine_settings(self) -> dict[str, str]:
        return {"ENGINE_URL": self.engine.url, "ENGINE_TOKEN": self.secrets["engine_token"]}

    @property
    def files_url(self) -> str:
        return self.environment.get("FILES_URL") or self.home.files_url

    @property
    def broker_settings(self) -> dict[str, str]:
        return {"RABBITMQ_URL": self.valkey.secret_url, "FILES_URL": self.files_url}

    def list_present(self, *names: str) -> tuple[str, ...]:
        """List those of these servers that this stack has: some are left out for others elsewhere."""
        return tuple(name for name in names if name in self.planned)

    def find_port(self, name: str) -> str:
        return str(self.home.choose_port(name))

    def find_url(self, name: str) -> str:
        return f"http://{LOOPBACK}:{self.find_port(name)}"


def _plan_engine_api(around: _Surroundings) -> ProcessServer:
    name = "engine-api"
    settings = {
        **around.engine_settings,
        "SERVICE_TOKEN": around.secrets["service_token"],
        "PORT": around.find_port(name),
        "REDIS_URL": around.valkey.secret_url,
        "FILES_URL": around.files_url,
        "FILES_SECRET": around.secrets["files_secret"],
        "TASKLIST_URL": around.environment.get("TASKLIST_URL") or around.engine.webapps_url,
    }
    return _make_process(around, name, "engine-api", settings, needs=("engine", "valkey"))


def _plan_bridge(around: _Surroundings) -> ProcessServer:
    name = "bridge"
    settings = {**around.engine_settings, **around.broker_settings, "BRIDGE_PORT": around.find_port(name)}
    return _make_process(around, name, "bridge", settings, needs=("engine", "valkey"), handlers=around.handlers)


def _plan_llm_worker(around: _Surroundings) -> ProcessServer:
    name = "worker-llm"
    settings = {
        **around.broker_settings,
        "WORKER_TYPE": "llm",
        "WORKER_PORT": around.find_port(name),
        **_describe_model(around),
    }
    needs = around.list_present("valkey", "llm")
    return _make_process(around, name, "worker", settings, needs=needs, handlers=around.handlers)


def _plan_bot(around: _Surroundings) -> ProcessServer:
    name = "bot"
    settings = {
        **_describe_telegram(around),
        "REDIS_URL": around.valkey.secret_url,
        "ENGINEAPI_URL": around.find_url("engine-api"),
        "SERVICE_TOKEN": around.secrets["service_token"],
        "BOT_PORT": around.find_port(name),
    }
    # engine-api is planned here too, so that it is not among those that may be left out.
    needs = (*around.list_present("valkey", "telegram"), "engine-api")
    return _make_process(around, name, "bot", settings, needs=needs)


def _make_process(
    around: _Surroundings,
    name: str,
    role: str,
    settings: Mapping[str, str],
    *,
    needs: tuple[str, ...],
    handlers: StackHandlers | None = None,
) -> ProcessServer:
    url = around.find_url(name)
    process = ProcessServer(around.home, name, role, settings, needs, url=url, health=f"{url}/health/ready")
    if handlers is not None:
        process.late_settings = handlers.read_settings
    return process


def _describe_model(around: _Surroundings) -> dict[str, str]:
    if "llm" in around.planned:
        url = str(around.planned["llm"].url)
        return {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": around.secrets["llm_key"], "OPENAI_MODEL": MODEL_NAME}
    names = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_API_KEY_FILE", "OPENAI_MODEL")
    return {name: around.environment[name] for name in names if around.environment.get(name)}


def _describe_telegram(around: _Surroundings) -> dict[str, str]:
    if "telegram" in around.planned:
        url = str(around.planned["telegram"].url)
        return {
            "TELEGRAM_API_URL": url,
            "TELEGRAM_BOT_TOKEN": around.secrets["telegram_token"],
            "TELEGRAM_LIMITS": "off",
        }
    return {name: around.environment[name] for name in ("TELEGRAM_API_URL", "TELEGRAM_BOT_TOKEN")}
