"""Each client as one entry: which of its processes wait before there is work, and which fetches."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from external_task_rivals import stock_js
from external_task_rivals.child import Child, python_child
from external_task_rivals.ground import Ground

__all__ = ["READY", "RIVALS", "Children", "Rival", "baton_children", "plain_child", "valkey"]

# Measured on two cores: more slots only switch more often.
WORKER_CONCURRENCY = os.environ.get("BENCH_WORKER_CONCURRENCY", "2")
# Best of 1, 10, 100 and 500.
STOCK_PYTHON_BEST = 100
PYCAMUNDA_BEST = 100
STOCK_JS_BEST = 100
READY = '"event": "ready"'
# What stock_js/worker.mjs and pycamunda_loop.py ask for, and the default of the stock Python client.
SHORT_POLL = timedelta(seconds=5)
STOCK_PYTHON_POLL = timedelta(seconds=30)

Children = dict[str, Child]


def _nothing(_: Ground) -> Children:
    return {}


@dataclass(frozen=True, slots=True)
class Rival:
    """`waiting` are started before the instances are, `fetching` after them; `servers` names those of the ground whose
    CPU time is this client's too, by what they are called in the table. `missing` says why it cannot run here.
    `poll`: the engine goes on with a client's long poll so long after its end, and locks for it what comes.
    """

    fetching: Callable[[Ground], Children]
    waiting: Callable[[Ground], Children] = _nothing
    servers: Mapping[str, str] = field(default_factory=dict)
    missing: Callable[[], str | None] = lambda: None
    on_request: bool = False
    poll: timedelta = timedelta(0)


def _log(ground: Ground, name: str) -> Path:
    return ground.logs / f"bench-{name}.log"


def _engine(ground: Ground) -> dict[str, str]:
    return {"ENGINE_URL": ground.engine_url, "ENGINE_TOKEN": ground.engine_token}


def plain_child(module: str, ground: Ground, settings: Mapping[str, str]) -> Child:
    """One of the modules beside this one, as a process that knows the engine."""
    environment = _engine(ground) | dict(settings)
    return python_child(f"external_task_rivals.{module}", environment=environment, log=_log(ground, module))


def _plain(module: str, settings: Mapping[str, str] | None = None) -> Callable[[Ground], Children]:
    return lambda ground: {"client": plain_child(module, ground, settings or {})}


def _stock_python(max_tasks: int | None = None, *, on_request: bool = False) -> Rival:
    settings = {} if max_tasks is None else {"MAX_TASKS": str(max_tasks)}
    return Rival(_plain("stock_python", settings), on_request=on_request, poll=STOCK_PYTHON_POLL)


def _pycamunda(max_tasks: int, *, on_request: bool = False) -> Rival:
    return Rival(_plain("pycamunda_loop", {"MAX_TASKS": str(max_tasks)}), on_request=on_request, poll=SHORT_POLL)


def _stock_js(*, max_tasks: int, parallel: int | None, interval_ms: int, on_request: bool = False) -> Rival:
    settings = {"MAX_TASKS": str(max_tasks), "INTERVAL_MS": str(interval_ms)}
    if parallel is not None:
        settings["MAX_PARALLEL"] = str(parallel)

    def start(ground: Ground) -> Children:
        return {"client": stock_js.node_child(_engine(ground) | settings, _log(ground, "stock-js"))}

    return Rival(start, missing=stock_js.missing, on_request=on_request, poll=SHORT_POLL)


def baton_children(ground: Ground, broker: Mapping[str, str], settings: Mapping[str, str]) -> Children:
    """`python -m baton.run worker` for the queue `bench`, and bridge; `settings` name the handlers."""
    pool = {"WORKER_TYPE": "bench", "WORKER_CONCURRENCY": WORKER_CONCURRENCY}
    worker, bridge = {**broker, **pool, **settings}, {**_engine(ground), **broker, **settings}
    return {
        "worker": python_child("baton.run", "worker", environment=worker, log=_log(ground, "worker")),
        "bridge": python_child("baton.run", "bridge", environment=bridge, log=_log(ground, "bridge")),
    }


def valkey(ground: Ground) -> Mapping[str, str]:
    """The broker that every stack has."""
    return {"RABBITMQ_URL": ground.valkey_url}


def rabbitmq(ground: Ground) -> Mapping[str, str]:
    """The broker of production, with the ledger in Valkey."""
    return {"RABBITMQ_URL": ground.rabbitmq_url, "REDIS_URL": ground.valkey_url.removesuffix("/0") + "/1"}


def _baton(
    broker: Callable[[Ground], Mapping[str, str]],
    servers: Mapping[str, str],
    *,
    bundles: bool,
    pool: str = "threads",
    on_request: bool = False,
) -> Rival:
    settings = {
        "WORKER_HANDLERS": "external_task_rivals.noop_handler",
        "WORKER_POOL": pool,
        "BRIDGE_BUNDLES": "on" if bundles else "off",
    }

    def one(name: str) -> Callable[[Ground], Children]:
        return lambda ground: {name: baton_children(ground, broker(ground), settings)[name]}

    return Rival(waiting=one("worker"), fetching=one("bridge"), servers=servers, on_request=on_request)


# In the order of the table; the first is what the ratios refer to.
RIVALS: Mapping[str, Rival] = {
    "raw": Rival(_plain("raw")),
    "baton_valkey": _baton(valkey, {"broker": "valkey"}, bundles=False),
    "baton_valkey_bundled": _baton(valkey, {"broker": "valkey"}, bundles=True),
    "baton_rabbitmq": _baton(rabbitmq, {"broker": "rabbitmq", "ledger": "valkey"}, bundles=False),
    "baton_rabbitmq_bundled": _baton(rabbitmq, {"broker": "rabbitmq", "ledger": "valkey"}, bundles=True),
    "stock_python": _stock_python(),
    "stock_python_best": _stock_python(STOCK_PYTHON_BEST),
    "pycamunda": _pycamunda(PYCAMUNDA_BEST),
    "stock_js": _stock_js(max_tasks=STOCK_JS_BEST, parallel=STOCK_JS_BEST, interval_ms=10),
    # How the best settings were found.
    "baton_valkey_prefork": _baton(valkey, {"broker": "valkey"}, bundles=False, pool="prefork", on_request=True),
    **{f"stock_python_{number}": _stock_python(number, on_request=True) for number in (10, 100, 500)},
    **{f"pycamunda_{number}": _pycamunda(number, on_request=True) for number in (10, 100, 500)},
    "stock_js_default": _stock_js(max_tasks=10, parallel=None, interval_ms=300, on_request=True),
    **{
        f"stock_js_{parallel}": _stock_js(max_tasks=parallel, parallel=parallel, interval_ms=10, on_request=True)
        for parallel in (20, 50, 200)
    },
}
