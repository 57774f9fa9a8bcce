"""The engine as a server of the embedded stack: our jar on the Java of the wheel, over PostgreSQL.

Beside it runs, once for each jar and Java, the training of the AOT cache for the starts that follow.
"""

import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from baton.stack.database import Database
from baton.stack.engine_build.aot import (
    JVM_FLAGS,
    extract_jar,
    find_cache_file,
    has_given_up,
    is_usable,
    make_training_command,
)
from baton.stack.engine_build.jar import Progress, ensure_jar
from baton.stack.engine_build.jre import Jre, find_jre
from baton.stack.home import Home
from baton.stack.probe import find_http_problem, wait_until
from baton.stack.server import LOOPBACK, Launch, inherit_environment

__all__ = ["Administrator", "EngineConfig", "EngineServer", "EngineTraining"]

READY_TIMEOUT = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Administrator:
    """The first user of Cockpit."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What one engine needs; without an administrator Cockpit is off. `token` has at least 32 characters."""

    port: int
    database: Database
    token: str
    administrator: Administrator | None = None
    profile: str = "camunda"
    aot: bool = True

    def to_environment(self) -> dict[str, str]:
        variables = {
            **self.database.to_environment(),
            "ENGINE_HOST": "127.0.0.1",
            "ENGINE_PORT": str(self.port),
            "ENGINE_TOKEN": self.token,
        }
        if self.administrator is not None:
            variables["ENGINE_ADMIN_USER"] = self.administrator.user
            variables["ENGINE_ADMIN_PASSWORD"] = self.administrator.password
        return variables


class EngineServer:
    """The engine; builds its jar on first use and starts with the AOT cache when there is one
    (baton.stack.engine_build.aot).
    """

    name = "engine"
    needs = ("postgres",)
    stop_signal = signal.SIGTERM
    is_one_shot = False
    without_it = None

    def __init__(
        self, config: EngineConfig, home: Home, *, jre: Jre | None = None, progress: Progress | None = None
    ) -> None:
        self.log = home.log(self.name)
        self.url = f"http://{LOOPBACK}:{config.port}/engine-rest"
        # Cockpit and Tasklist, where there is an administrator; each engine calls the place by its own name.
        self.webapps_url = f"http://{LOOPBACK}:{config.port}/{config.profile}"
        self.home = home
        self.config = config
        self._jre = jre
        self._progress = progress

    def prepare(self) -> Launch:
        """Return how to start it. The first call may take a minute: it builds the jar. Raises `StackError`."""
        jre, app = self.find_program()
        data = self.home.make_data_folder(self.name)
        scratch = data / "tmp"
        scratch.mkdir(exist_ok=True)
        flags = [*JVM_FLAGS, f"-Djava.io.tmpdir={scratch}"]
        cache = find_cache_file(app, jre)
        if self.config.aot and is_usable(cache, app, jre):
            flags.append(f"-XX:AOTCache={cache}")
        tuned = {name: value for name, value in os.environ.items() if _is_tuned(name)}
        return Launch(
            argv=(str(jre.java), *flags, "-jar", str(app)),
            env={**inherit_environment(), **tuned, **self.config.to_environment()},
            cwd=data,
        )

    async def wait_ready(self) -> None:
        """Return when the engine and its database answer."""
        url = f"http://{LOOPBACK}:{self.config.port}/actuator/health/readiness"
        await wait_until(self.name, self.log, lambda: find_http_problem(url), within=READY_TIMEOUT)

    def find_program(self) -> tuple[Jre, Path]:
        """Return the Java and the unpacked jar; builds it when it is missing."""
        if self._jre is None:
            self._jre = find_jre()
        jar = ensure_jar(self.config.profile, progress=self._progress)
        return self._jre, extract_jar(jar, self._jre)


class EngineTraining:
    """Makes the AOT cache for the next start, in a process of the lowest priority that ends by itself."""

    name = "engine-training"
    needs = ("engine",)
    stop_signal = signal.SIGTERM
    is_one_shot = True
    without_it = None
    url = None

    def __init__(self, engine: EngineServer, database: Database, home: Home) -> None:
        self.log = home.log(self.name)
        self._home = home
        self._engine = engine
        self._database = database

    def prepare(self) -> Launch | None:
        """Return None when there is a cache, when this Java makes none, or when it failed too often."""
        jre, app = self._engine.find_program()
        cache = find_cache_file(app, jre)
        if not jre.makes_aot_caches or cache.is_file() or has_given_up(cache):
            return None
        environment = {**inherit_environment(), **self._database.to_environment()}
        return Launch(
            tuple(make_training_command(app, cache, jre)), environment, cwd=self._home.make_data_folder(self.name)
        )

    async def wait_ready(self) -> None:
        """Wait nobody waits for it."""


def _is_tuned(name: str) -> bool:
    # Secrets and users come from the configuration only: a *_FILE of the surroundings would win over ours.
    return name.startswith("ENGINE_") and not name.endswith("_FILE") and not name.startswith("ENGINE_ADMIN_")
