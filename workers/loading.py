"""Find handlers: modules that the settings name, and those of installed packages (entry points `baton.handlers`)."""

import importlib
import pkgutil
import sys
import traceback
from collections.abc import Iterable
from importlib.metadata import entry_points

from kit.errors import BatonError, ConfigurationError

__all__ = ["ENTRY_POINTS", "OUR_HANDLERS", "load_handlers"]

ENTRY_POINTS = "baton.handlers"
OUR_HANDLERS = "workers.handlers"


def load_handlers(modules: Iterable[str] = (OUR_HANDLERS,), folders: Iterable[str] = ()) -> None:
    """Import these modules and every module of a package among them, then those of entry points.

    `folders` are searched after everything that is installed, so nothing in them can hide a package of ours. Raises
    `ConfigurationError` that names what cannot be imported and the line at fault, and `HandlerError`.
    """
    sys.path += [folder for folder in folders if folder not in sys.path]
    for name in modules:
        _import(name, f"the handlers of {name!r}")
    for entry in entry_points(group=ENTRY_POINTS):
        package = entry.dist.name if entry.dist is not None else "an installed package"
        _import(entry.module, f"the handlers of {package} (entry point {entry.name} = {entry.value})")


def _import(name: str, what: str) -> None:
    try:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
            importlib.import_module(f"{name}.{module.name}")
    except BatonError:
        raise  # a handler with a wrong signature names its place itself
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            hint = "is it installed, or its folder in HANDLER_FOLDERS?"
            raise ConfigurationError(f"{what} cannot be loaded: there is no module {error.name}; {hint}") from error
        raise ConfigurationError(f"{what} cannot be loaded: {_describe_error(error)}") from error
    except Exception as error:
        raise ConfigurationError(f"{what} cannot be loaded: {_describe_error(error)}") from error


def _describe_error(error: Exception) -> str:
    """Return the error and the line that raised it, which is in the module or in what it imports."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.filename}:{last.lineno}"
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}"
    return f"{place}: {type(error).__name__}: {error}"
