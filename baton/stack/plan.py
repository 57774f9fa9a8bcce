"""Which servers make the embedded stack, and how each is told where the others are."""

import os
from collections.abc import Mapping

from baton.stack.engine_build.jar import Progress
from baton.stack.errors import StackError
from baton.stack.home import Home
from baton.stack.process_plan import plan_processes
from baton.stack.server import Server
from baton.stack.servers.engine import Administrator, EngineConfig, EngineServer, EngineTraining
from baton.stack.servers.postgres import PostgresServer
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
    planned |= {process.name: process for process in plan_processes(planned, home, environment)}
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
