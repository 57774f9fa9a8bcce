"""The handlers that the commands know: those of the settings, of installed packages, and those of the stack."""

import contextlib
import hashlib
import os
import signal
from dataclasses import fields
from pathlib import Path

import psutil

from baton.cli.output import errors
from baton.stack.handlers import BroughtModule, StackHandlers
from baton.stack.stack import Stack
from kit.errors import ConfigurationError
from workers.loading import load_handlers
from workers.registry import Handler, list_registered
from workers.settings import HandlerSettings

__all__ = ["bring_handlers", "forget_handlers", "load_known_handlers", "make_handler_environment", "split_list"]

# Objects of this process; what the bridge sees of the input model is `variables`.
_NOT_IN_CONTRACT = {"function", "input", "output", "clients", "context"}


def split_list(names: str | None) -> tuple[str, ...]:
    """Return the parts of a list with commas."""
    return tuple(part.strip() for part in (names or "").split(",") if part.strip())


def load_known_handlers(more: str | None = None) -> None:
    """Load every handler there is, and those of the modules in `more`; the current folder is searched too.

    Raises `ConfigurationError` that names what cannot be loaded.
    """
    settings = HandlerSettings()
    modules, folders = _list_places(settings, more, of_stack=True)
    load_handlers((*settings.worker_handlers, *modules), folders)


def make_handler_environment(more: str | None, *, of_stack: bool) -> dict[str, str]:
    """Return the same for a process that is about to start; `of_stack`: with what workers brought to the embedded
    stack.
    """
    modules, folders = _list_places(HandlerSettings(), more, of_stack=of_stack)
    return {"TOOL_CONFIGS": ",".join(modules), "HANDLER_FOLDERS": ",".join(folders)}


def _list_places(settings: HandlerSettings, more: str | None, *, of_stack: bool) -> tuple[list[str], list[str]]:
    """List modules beside WORKER_HANDLERS, and the folders to search them in."""
    brought = [module for module in _read_stack_handlers().list_brought() if module.exists] if of_stack else []
    modules = (*settings.tool_configs, *(module.name for module in brought), *split_list(more))
    folders = (*settings.handler_folders, *(module.folder for module in brought), str(Path.cwd()))
    return list(dict.fromkeys(modules)), list(dict.fromkeys(folders))


def bring_handlers(stack: Stack, modules: tuple[str, ...]) -> None:
    """Tell a running stack of the modules of a worker that is about to start.

    When that is news, the bridge and the workers of the same queues start again: what they fetch, and for how long,
    comes from the handlers. Raises `ConfigurationError` before anything is told of a module that cannot be loaded.
    """
    load_known_handlers()
    brought, served = [], set()
    for name in modules:
        load_handlers([name])
        found = [found for found in list_registered().values() if _is_of(found, name)]
        served |= {handler.queue for handler in found}
        brought.append(BroughtModule(name, str(Path.cwd()), _read_contract(found)))
    if brought and _read_stack_handlers(stack).bring(*brought):
        _restart(stack, served, f"to know the handlers of {', '.join(modules)}")


def forget_handlers(stack: Stack, module: str) -> None:
    """Let a stack forget a module that a worker brought; what runs with its handlers starts again."""
    (brought,) = [found for found in _read_stack_handlers(stack).list_brought() if found.name == module]
    served: set[str] = set()
    with contextlib.suppress(ConfigurationError):  # it cannot be loaded any more: then nothing serves it
        load_handlers([module], [brought.folder])
        served = {found.queue for found in list_registered().values() if _is_of(found, module)}
    _read_stack_handlers(stack).forget(module)
    _restart(stack, served, f"without the handlers of {module}")


def _restart(stack: Stack, queues: set[str], reason: str) -> None:
    """Start the bridge and the workers of these queues again, where they run."""
    again = {"bridge", *(f"worker-{queue}" for queue in queues)}
    for server in stack.read_status():
        if server.name in again and server.pid is not None and psutil.pid_exists(server.pid):
            errors.print(f"{server.name} starts again, {reason}", markup=False)
            os.kill(server.pid, signal.SIGTERM)


def _read_stack_handlers(stack: Stack | None = None) -> StackHandlers:
    return StackHandlers((stack or Stack.from_environment()).home)


def _is_of(handler: Handler, module: str) -> bool:
    return f"{handler.function.__module__}.".startswith(f"{module}.")


def _read_contract(handlers: list[Handler]) -> str:
    """Return what the bridge must know of these handlers, as a digest."""
    told = sorted(
        repr((handler.variables, [getattr(handler, f.name) for f in fields(handler) if f.name not in _NOT_IN_CONTRACT]))
        for handler in handlers
    )
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
