"""Each client as one entry: which of its processes wait before there is work, and which fetches."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from external_task_rivals.child import Child, python_child
from external_task_rivals.ground import Ground
from external_task_rivals.stock_js import node_child

__all__ = ["RIVALS", "Children", "Rival", "bridge", "worker"]

# Measured on two cores: more slots only switch more often.
WORKER_CONCURRENCY = os.environ.get("BENCH_WORKER_CONCURRENCY", "2")
# Best of 1, 10, 100 and 500.
STOCK_PYTHON_BEST = 100
PYCAMUNDA_BEST = 100
STOCK_JS_BEST = {"MAX_TASKS": "100", "MAX_PARALLEL": "100", "INTERVAL_MS": "10"}
READY = '"event": "ready"'

Children = dict[str, Child]


def _nothing(_: Ground) -> Children:
    return {}


@dataclass(frozen=True, slots=True)
class Rival:
    """`waiting` are started before the instances are, `fetching` after them; `servers` names those of the ground whose
    CPU time is this client's too, by what they are called in the table."""

    fetching: Callable[[Ground], Children]
    waiting: Callable[[Ground], Children] = _nothing
    servers: Mapping[str, str] = field(default_factory=dict)


def _log(ground: Ground, name: str) -> Path:
    return ground.logs / f"bench-{name}.log"


def _engine(ground: Ground) -> dict[str, str]:
    return {"ENGINE_URL": ground.engine_url, "ENGINE_TOKEN": ground.engine_token}


def _plain(module: str, settings: Mapping[str, str] | None = None) -> Callable[[Ground], Children]:
    def start(ground: Ground) -> Children:
        environment = {**_engine(ground), **(settings or {})}
        name = f"external_task_rivals.{module}"
        return {"client": python_child(name, environment=environment, log=_log(ground, module))}

    return start


def _stock_js(ground: Ground) -> Children:
    settings = _engine(ground) | STOCK_JS_BEST
    return {"client": node_child(settings, _log(ground, "stock-js"))}


def worker(ground: Ground, broker: Mapping[str, str], settings: Mapping[str, str]) -> Child:
    """`python -m baton.run worker` for the queue `bench`; `settings` name the handlers."""
    environment = {**broker, "WORKER_TYPE": "bench", "WORKER_CONCURRENCY": WORKER_CONCURRENCY, **settings}
    return python_child("baton.run", "worker", environment=environment, log=_log(ground, "worker"))


def bridge(ground: Ground, broker: Mapping[str, str], settings: Mapping[str, str]) -> Child:
    """`python -m baton.run bridge`."""
    environment = {**_engine(ground), **broker, **settings}
    return python_child("baton.run", "bridge", environment=environment, log=_log(ground, "bridge"))


def _baton(broker: Callable[[Ground], Mapping[str, str]], server: str, *, bundles: bool) -> Rival:
    handlers = {"WORKER_HANDLERS": "external_task_rivals.noop_handler"}
    bundling = {"BRIDGE_BUNDLES": "on" if bundles else "off"}
    return Rival(
        waiting=lambda ground: {"worker": worker(ground, broker(ground), handlers)},
        fetching=lambda ground: {"bridge": bridge(ground, broker(ground), handlers | bundling)},
        servers={"broker": server},
    )


def _valkey(ground: Ground) -> Mapping[str, str]:
    return {"RABBITMQ_URL": ground.valkey_url}


# In the order of the table; the first is what the ratios refer to.
RIVALS: Mapping[str, Rival] = {
    "raw": Rival(_plain("raw")),
    "baton_valkey": _baton(_valkey, "valkey", bundles=False),
    "baton_valkey_bundled": _baton(_valkey, "valkey", bundles=True),
    "stock_python": Rival(_plain("stock_python")),
    "stock_python_best": Rival(_plain("stock_python", {"MAX_TASKS": str(STOCK_PYTHON_BEST)})),
    "pycamunda": Rival(_plain("pycamunda_loop", {"MAX_TASKS": str(PYCAMUNDA_BEST)})),
    "stock_js": Rival(_stock_js),
}
