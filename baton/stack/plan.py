"""Which servers make the embedded stack, and how each is told where the others are."""

import os
from collections.abc import Mapping
from pathlib import Path

from baton.sandbox.model_file import MODEL_NAME
from baton.stack.engine_build.jar import Progress
from baton.stack.errors import StackError
from baton.stack.handlers import StackHandlers
from baton.stack.home import Home
from baton.stack.server import LOOPBACK, Server
from baton.stack.servers.engine import Administrator, EngineConfig, EngineServer, EngineTraining
from baton.stack.servers.postgres import PostgresServer
from baton.stack.servers.processes import ProcessServer
from baton.stack.servers.sandboxes import LlmServer, TelegramServer
from baton.stack.servers.valkey import ValkeyServer

__all__ = ["ADMINISTRATOR", "plan_servers"]

ADMINISTRATOR = "admin"


def plan_servers(
    home: Home, *, progress: Progress | None = None, environment: Mapping[str, str] = os.environ
) -> list[Server]:
    """Return every server with its port and secrets, in the order in which people read them.

    With OPENAI_BASE_URL and OPENAI_MODEL the local model is left out, with TELEGRAM_API_URL the sandbox. Raises
    `StackError`.
    """
    planned: dict[str, Server] = {}
    _plan_stores(planned, home)
    _plan_engine(planned, home, environment, progress)
    _plan_sandboxes(planned, home, environment)
    _plan_processes(planned, home, environment)
    return list(planned.values())


def _plan_stores(planned: dict[str, Server], home: Home) -> None:
    secrets = home.read_secrets()
    planned["postgres"] = PostgresServer(
        home, home.choose_port("postgres"), secrets["postgres_password"], secrets["engine_db_password"]
    )
    planned["valkey"] = ValkeyServer(home, home.choose_port("valkey"), secrets["valkey_password"])


def _plan_engine(
    planned: dict[str, Server], home: Home, environment: Mapping[str, str], progress: Progress | None
) -> None:
    secrets = home.read_secrets()
    postgres = planned["postgres"]
    assert isinstance(postgres, PostgresServer)
    config = EngineConfig(
        home.choose_port("engine"),
        postgres.engine_database,
        secrets["engine_token"],
        Administrator(ADMINISTRATOR, secrets["admin_password"]),
        profile=environment.get("BATON_ENGINE_PROFILE", "camunda"),
        aot=environment.get("BATON_ENGINE_AOT", "on") != "off",
    )
    engine = EngineServer(config, home, progress=progress)
    planned["engine"] = engine
    if config.aot:
        planned["engine-training"] = EngineTraining(engine, config.database, home)


def _plan_sandboxes(planned: dict[str, Server], home: Home, environment: Mapping[str, str]) -> None:
    secrets = home.read_secrets()
    if not environment.get("TELEGRAM_API_URL"):
        planned["telegram"] = TelegramServer(home, home.choose_port("telegram"), secrets["telegram_token"])
    elif not environment.get("TELEGRAM_BOT_TOKEN"):
        raise StackError("TELEGRAM_API_URL is set, but TELEGRAM_BOT_TOKEN is not: the bot cannot log in")
    if environment.get("OPENAI_BASE_URL") and not environment.get("OPENAI_MODEL"):
        raise StackError("OPENAI_BASE_URL is set, but OPENAI_MODEL is not: name the model that handlers should ask")
    if not environment.get("OPENAI_BASE_URL"):
        planned["llm"] = LlmServer(home, home.choose_port("llm"), secrets["llm_key"])


def _plan_processes(planned: dict[str, Server], home: Home, environment: Mapping[str, str]) -> None:
    secrets = home.read_secrets()
    valkey = planned["valkey"]
    assert isinstance(valkey, ValkeyServer)
    server = planned["engine"]
    assert isinstance(server, EngineServer)
    engine = {"ENGINE_URL": server.url, "ENGINE_TOKEN": secrets["engine_token"]}
    broker = {"RABBITMQ_URL": valkey.secret_url, "FILES_URL": environment.get("FILES_URL") or home.files_url}
    api_url = f"http://{LOOPBACK}:{home.choose_port('engine-api')}"
    bridge_url = f"http://{LOOPBACK}:{home.choose_port('bridge')}"
    bot_url = f"http://{LOOPBACK}:{home.choose_port('bot')}"
    handlers = StackHandlers(home, environment, Path.cwd())
    processes = [
        ProcessServer(
            home, "engine-api", "engine-api",
            {
                **engine, "SERVICE_TOKEN": secrets["service_token"], "PORT": str(home.choose_port("engine-api")),
                "REDIS_URL": valkey.secret_url, "FILES_URL": broker["FILES_URL"],
                "FILES_SECRET": secrets["files_secret"],
                "TASKLIST_URL": environment.get("TASKLIST_URL") or server.webapps_url,
            },
            needs=("engine", "valkey"), url=api_url, health=f"{api_url}/health/ready",
        ),
        ProcessServer(
            home, "bridge", "bridge",
            {**engine, **broker, "BRIDGE_PORT": str(home.choose_port("bridge"))},
            needs=("engine", "valkey"), url=bridge_url, health=f"{bridge_url}/health/ready",
            late_settings=handlers.read_settings,
        ),
        ProcessServer(
            home, "worker-llm", "worker",
            {**broker, "WORKER_TYPE": "llm", **_plan_model(planned, secrets, environment)},
            needs=("valkey", "llm") if "llm" in planned else ("valkey",), late_settings=handlers.read_settings,
        ),
        ProcessServer(
            home, "bot", "bot",
            {
                **_plan_telegram(planned, secrets, environment),
                "REDIS_URL": valkey.secret_url, "ENGINEAPI_URL": api_url, "SERVICE_TOKEN": secrets["service_token"],
                "BOT_PORT": str(home.choose_port("bot")),
            },
            needs=("valkey", "engine-api", "telegram") if "telegram" in planned else ("valkey", "engine-api"),
            url=bot_url, health=f"{bot_url}/health/ready",
        ),
    ]  # fmt: skip
    planned |= {process.name: process for process in processes}


def _plan_model(
    planned: Mapping[str, Server], secrets: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    if "llm" in planned:
        url = str(planned["llm"].url)
        return {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": secrets["llm_key"], "OPENAI_MODEL": MODEL_NAME}
    names = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_API_KEY_FILE", "OPENAI_MODEL")
    return {name: environment[name] for name in names if environment.get(name)}


def _plan_telegram(
    planned: Mapping[str, Server], secrets: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    if "telegram" in planned:
        url = str(planned["telegram"].url)
        return {
            "TELEGRAM_API_URL": url, "TELEGRAM_BOT_TOKEN": secrets["telegram_token"], "TELEGRAM_LIMITS": "off",
        }  # fmt: skip
    return {name: environment[name] for name in ("TELEGRAM_API_URL", "TELEGRAM_BOT_TOKEN")}
