"""RabbitMQ from the system's package, as an ordinary process: the broker of production, for tests and measuring.

Two servers: Erlang's port mapper, which would otherwise stay behind as a daemon, and the broker node itself.
"""

import os
import shutil
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import amqp

from baton.stack.errors import StackError
from baton.stack.home import Home
from baton.stack.probe import wait_until
from baton.stack.server import LOOPBACK, Launch, inherit_environment, is_port_free
from baton.stack.users import choose_user, make_data_for

__all__ = ["EpmdServer", "RabbitServer", "plan_rabbit_servers"]

READY_TIMEOUT = timedelta(seconds=90)
CONNECT_TIMEOUT_S = 5.0
USER = "baton"
# Not the wrapper in sbin: it changes the user and the folder.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
MISSING = "RabbitMQ is not installed: apt-get install rabbitmq-server (no service needs to run)"


def plan_rabbit_servers(home: Home, password: str, cookie: str, *, nodes: int = 1) -> list["EpmdServer | RabbitServer"]:
    """Return the port mapper and the nodes of one cluster. Raises `StackError`."""
    epmd = EpmdServer(home, home.choose_port("epmd"))
    names = ["rabbitmq"] if nodes == 1 else [f"rabbitmq-{number}" for number in range(1, nodes + 1)]
    return [
        epmd,
        *(
            RabbitServer(
                home,
                name,
                home.choose_port(name),
                home.choose_port(f"{name}-nodes"),
                epmd.port,
                password,
                cookie,
                tuple(names),
            )
            for name in names
        ),
    ]


@dataclass(frozen=True, slots=True)
class EpmdServer:
    """Erlang's port mapper, for the nodes of this stack only."""

    home: Home
    port: int
    name: str = "epmd"
    needs: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM
    is_one_shot: bool = False
    without_it: str | None = None
    url: None = None

    @property
    def log(self) -> Path:
        return self.home.log(self.name)

    def prepare(self) -> Launch:
        program = shutil.which("epmd")
        if program is None or not SERVER.is_file():
            raise StackError(MISSING)
        arguments = ("-port", str(self.port), "-address", LOOPBACK, "-relaxed_command_check")
        return Launch(
            (program, *arguments), inherit_environment(), cwd=self.home.make_data_folder(self.name), user=choose_user()
        )

    async def wait_ready(self) -> None:
        await wait_until(self.name, self.log, self._find_problem, within=READY_TIMEOUT)

    async def _find_problem(self) -> str | None:
        return "it does not listen" if is_port_free(self.port) else None


@dataclass(frozen=True, slots=True)
class RabbitServer:
    """One node on loopback with one user; `cluster` names all nodes, this one among them."""

    home: Home
    name: str
    port: int
    nodes_port: int
    epmd_port: int
    password: str
    cookie: str
    cluster: tuple[str, ...]
    needs: tuple[str, ...] = ("epmd",)
    stop_signal: int = signal.SIGTERM
    is_one_shot: bool = False
    without_it: str | None = None

    @property
    def url(self) -> str:
        return f"amqp://{LOOPBACK}:{self.port}"

    @property
    def secret_url(self) -> str:
        """With the password, for our own processes."""
        return f"amqp://{USER}:{self.password}@{LOOPBACK}:{self.port}//"

    @property
    def log(self) -> Path:
        return self.home.log(self.name)

    def prepare(self) -> Launch:
        if not SERVER.is_file():
            raise StackError(MISSING)
        user = choose_user()
        data = make_data_for(self.home, self.name, user)
        data.mkdir(parents=True, exist_ok=True)
        _write(data / ".erlang.cookie", self.cookie, 0o400)
        _write(data / "rabbitmq.conf", self._write_configuration(), 0o600)
        _write(data / "enabled_plugins", "[].\n", 0o600)
        if user is not None:
            for path in (data, *data.rglob("*")):
                os.chown(path, *user)
        return Launch((str(SERVER),), {**inherit_environment(), **self._make_environment(data)}, cwd=data, user=user)

    async def wait_ready(self) -> None:
        """Return when it takes connections and our user may log in."""
        await wait_until(self.name, self.log, self._find_problem, within=READY_TIMEOUT)

    async def _find_problem(self) -> str | None:
        if is_port_free(self.port):
            return "it does not listen"
        try:
            with amqp.Connection(
                f"{LOOPBACK}:{self.port}", userid=USER, password=self.password, connect_timeout=CONNECT_TIMEOUT_S,
                read_timeout=CONNECT_TIMEOUT_S,
            ):  # fmt: skip
                return None
        except (amqp.AMQPError, OSError) as error:
            return f"it does not answer ({error})"

    def _write_configuration(self) -> str:
        lines = [
            f"listeners.tcp.1 = {LOOPBACK}:{self.port}",
            f"default_user = {USER}",
            f"default_pass = {self.password}",
            "vm_memory_high_watermark.absolute = 512MB",
            "disk_free_limit.absolute = 50MB",
            "log.file = false",
            "log.console = true",
            "log.console.level = warning",
        ]
        if len(self.cluster) > 1:
            lines.append("cluster_formation.peer_discovery_backend = classic_config")
            nodes = enumerate(self.cluster, start=1)
            lines += [
                f"cluster_formation.classic_config.nodes.{number} = {_make_node_name(name)}" for number, name in nodes
            ]
        return "\n".join(lines) + "\n"

    def _make_environment(self, data: Path) -> dict[str, str]:
        return {
            "HOME": str(data),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": _make_node_name(self.name),
            "RABBITMQ_CONFIG_FILE": str(data / "rabbitmq.conf"),
            "RABBITMQ_MNESIA_BASE": str(data / "db"),
            "RABBITMQ_LOG_BASE": str(data / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(data / "pid"),
            "RABBITMQ_DIST_PORT": str(self.nodes_port),
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 -noinput",
            # The shell becomes the broker, so that it gets our signals and ends with us.
            "RABBITMQ_ALLOW_INPUT": "1",
        }


def _make_node_name(name: str) -> str:
    return f"{name}@localhost"


def _write(path: Path, text: str, mode: int) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as handle:
        handle.write(text)
