"""Which handlers a stack knows beside Baton's own: those of `baton up`'s environment, and those that workers bring."""

import fcntl
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.machinery import PathFinder
from pathlib import Path

import structlog

from baton.stack.errors import StackError
from baton.stack.home import Home

__all__ = ["BroughtModule", "StackHandlers"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BroughtModule:
    """A module of handlers that a worker brought: the folder it was run in, and a digest of what the bridge must know
    of its handlers."""

    name: str
    folder: str
    contract: str

    @property
    def exists(self) -> bool:
        root = self.name.partition(".")[0]
        return PathFinder.find_spec(root, [self.folder]) is not None or importlib.util.find_spec(root) is not None


class StackHandlers:
    """Kept in the home, read at every start of a process: a bridge that starts again knows what workers brought."""

    def __init__(self, home: Home, environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> None:
        self._file = home.folder / "data" / "handlers.json"
        self._environment = environment
        self._folder = folder

    def read_settings(self) -> dict[str, str]:
        """Return what bridge and workers are told: WORKER_HANDLERS, TOOL_CONFIGS, HANDLER_FOLDERS, PYTHONPATH."""
        told = {name: self._environment[name] for name in ("WORKER_HANDLERS",) if self._environment.get(name)}
        if path := self._environment.get("PYTHONPATH"):
            told["PYTHONPATH"] = os.pathsep.join(str(Path(part).absolute()) for part in path.split(os.pathsep) if part)
        modules = [*self._list_modules("TOOL_CONFIGS")]
        folders = [str(Path(part).absolute()) for part in self._list_modules("HANDLER_FOLDERS")]
        if self._folder is not None and (modules or told):
            folders.append(str(self._folder))
        for module in self.list_brought():
            if module.exists:
                modules.append(module.name)
                folders.append(module.folder)
            else:
                log.warning("module of handlers is gone and left out", module=module.name, folder=module.folder)
        if modules:
            told["TOOL_CONFIGS"] = ",".join(dict.fromkeys(modules))
        if folders:
            told["HANDLER_FOLDERS"] = ",".join(dict.fromkeys(folders))
        return told

    def list_brought(self) -> tuple[BroughtModule, ...]:
        """Return every module that a worker of this stack has brought, also those whose file is gone. Raises
        `StackError`.
        """
        try:
            return tuple(BroughtModule(**entry) for entry in json.loads(self._file.read_text()))
        except FileNotFoundError:
            return ()
        except (ValueError, TypeError) as error:
            raise StackError(f"{self._file} is damaged ({error}): delete it; workers write it anew") from error

    def bring(self, *modules: BroughtModule) -> bool:
        """Note these modules; whether that changes what the bridge must know, so that it has to start again."""
        with self._lock_writing():
            known = {module.name: module for module in self.list_brought()}
            changed = any(known.get(module.name) != module for module in modules)
            if changed:
                self._write([*(known | {module.name: module for module in modules}).values()])
            return changed

    def forget(self, name: str) -> None:
        """Note a module no more."""
        with self._lock_writing():
            self._write([module for module in self.list_brought() if module.name != name])

    def _write(self, modules: list[BroughtModule]) -> None:
        fresh = self._file.with_suffix(".tmp")
        fresh.write_text(json.dumps([asdict(module) for module in modules], indent=1))
        fresh.replace(self._file)

    def _list_modules(self, name: str) -> list[str]:
        return [part.strip() for part in self._environment.get(name, "").split(",") if part.strip()]

    @contextmanager
    def _lock_writing(self) -> Iterator[None]:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._file.with_suffix(".lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
