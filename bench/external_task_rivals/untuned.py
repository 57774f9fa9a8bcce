"""The same engine and PostgreSQL with the settings they come with: what our tuning is measured against."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace

from baton.stack.engine_build.aot import JVM_FLAGS
from baton.stack.server import Launch, Server
from baton.stack.servers.engine import EngineServer
from baton.stack.servers.postgres import PostgresServer

__all__ = ["untuned"]

# Where our application.yaml departs from the defaults of Camunda 7.24, Spring Boot 3.5 and Tomcat for speed.
_CAMUNDA = {
    "metrics": {"db-reporter-activate": True},
    "eventing": {"execution": True, "history": True, "task": True},
    "generic-properties": {
        "properties": {"history-removal-time-strategy": "end", "task-metrics-enabled": True},
    },
}
_SPRING = {
    "camunda": {"bpm": _CAMUNDA},
    "spring": {"datasource": {"hikari": {"maximum-pool-size": 10, "minimum-idle": 10}}},
    "server": {"tomcat": {"threads": {"max": 200, "min-spare": 10}, "max-keep-alive-requests": 100}},
}
# As initdb writes them.
_POSTGRES = {"shared_buffers": "128MB"}


class _Engine(EngineServer):
    """History level, authentication and the jar stay: they are what the engine does, not how fast."""

    def prepare(self) -> Launch:
        launch = super().prepare()
        ours = (*JVM_FLAGS, "-XX:AOTCache=")
        argv = tuple(word for word in launch.argv if not word.startswith(ours))
        return replace(launch, argv=argv, env={**launch.env, "SPRING_APPLICATION_JSON": json.dumps(_SPRING)})


class _Postgres(PostgresServer):
    def prepare(self) -> Launch:
        launch = super().prepare()
        # The last of two settings with the same name holds.
        back = tuple(word for name, value in _POSTGRES.items() for word in ("-c", f"{name}={value}"))
        return replace(launch, argv=(*launch.argv, *back))


def untuned(servers: Sequence[Server]) -> list[Server]:
    """The servers of a stack, engine and database as they come."""
    return [_untuned(server) for server in servers]


def _untuned(server: Server) -> Server:
    if isinstance(server, EngineServer):
        return _Engine(server.config, server.home)
    if isinstance(server, PostgresServer):
        return _Postgres(**{field.name: getattr(server, field.name) for field in fields(server)})
    return server
