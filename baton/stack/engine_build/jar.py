"""The engine's jar: built once by Maven for each state of its sources and kept in the cache."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from baton.stack.engine_build.jre import OLDEST_JAVA
from baton.stack.errors import BuildFailed, StackError, ToolMissing

__all__ = [
    "JAR_NAME",
    "PROFILES",
    "Progress",
    "compute_source_key",
    "ensure_jar",
    "find_cache_folder",
    "find_engine_sources",
    "find_maven",
]

Progress = Callable[[str], None]

JAR_NAME = "baton-engine.jar"
PROFILES: Mapping[str, str] = {"camunda": "Camunda 7", "operaton": "Operaton"}
BUILD_TIMEOUT = timedelta(minutes=20)
# What the build reads; anything else in the folder (an IDE's files, target/) does not make another engine.
_SOURCE_PARTS = ("pom.xml", "src", "m2")


def find_cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where everything that can be made again is kept: BATON_CACHE, else `baton` in the user's cache."""
    if given := environment.get("BATON_CACHE"):
        return Path(given).expanduser().absolute()
    return Path(environment.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "baton"


def find_engine_sources() -> Path:
    """Return the folder with the engine's pom.xml: `engine/` of a checkout, else the copy inside the wheel."""
    package = Path(__file__).resolve().parents[2]
    for folder in (package.parent / "engine", package / "_engine"):
        if (folder / "pom.xml").is_file():
            return folder
    raise StackError(f"The engine's sources are not in {package}: this installation of baton-flow is incomplete")


def compute_source_key(sources: Path, profile: str) -> str:
    """Name one state of the sources and the profile: equal keys mean the same jar."""
    digest = hashlib.sha256(profile.encode())
    for path in sorted(_list_source_files(sources), key=lambda path: path.relative_to(sources).as_posix()):
        content = path.read_bytes()
        # Lengths keep "ab" + "c" and "a" + "bc" apart.
        digest.update(f"\0{path.relative_to(sources).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def ensure_jar(
    profile: str = "camunda",
    cache: Path | None = None,
    progress: Progress | None = None,
    *,
    sources: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Path:
    """Return the jar for these sources, from the cache or built now (about half a minute; more with downloads).

    Two callers at once build once. Raises `ToolMissing` (no Maven, no JDK) or `BuildFailed` (with its log).
    """
    if profile not in PROFILES:
        raise StackError(f"There is no engine profile {profile!r}: choose one of {', '.join(PROFILES)}")
    sources = sources or find_engine_sources()
    folder = (cache or find_cache_folder(environment)) / "engine"
    jar = folder / compute_source_key(sources, profile) / JAR_NAME
    if jar.is_file():
        return jar
    folder.mkdir(parents=True, exist_ok=True)
    with _lock_build(folder / "build.lock"):
        if not jar.is_file():
            if progress is not None:
                progress(f"Building the engine ({PROFILES[profile]}) with Maven, once; it downloads about 135 MB")
            _build(sources, profile, jar, environment)
    return jar


def _list_source_files(sources: Path) -> Iterator[Path]:
    for part in _SOURCE_PARTS:
        path = sources / part
        if path.is_file():
            yield path
        else:
            yield from (file for file in path.rglob("*") if file.is_file())


@contextmanager
def _lock_build(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # released with the handle, also when this process is killed
        yield


def _build(sources: Path, profile: str, jar: Path, environment: Mapping[str, str]) -> None:
    maven = find_maven(environment)
    log = jar.parent.with_suffix(".log")
    with tempfile.TemporaryDirectory(prefix="build-", dir=jar.parent.parent) as scratch:
        # In a copy: the source tree stays clean, and may be read-only in a wheel.
        copy = Path(scratch) / "engine"
        for path in _list_source_files(sources):
            target = copy / path.relative_to(sources)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        built = Path(scratch) / "target"
        command = [maven, "-q", "-B", "-Dstyle.color=never", "-P", profile, f"-DbuildDirectory={built}", "package"]
        _run_maven(command, copy, log, environment)
        if not (built / JAR_NAME).is_file():
            raise BuildFailed(f"Maven succeeded but left no {JAR_NAME}", log)
        jar.parent.mkdir(exist_ok=True)
        (built / JAR_NAME).replace(jar)


def _run_maven(command: list[str], folder: Path, log: Path, environment: Mapping[str, str]) -> None:
    with log.open("w") as output:
        try:
            subprocess.run(
                command,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=BUILD_TIMEOUT.total_seconds(),
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            raise BuildFailed(f"Maven was still running after {BUILD_TIMEOUT}", log) from error
        except subprocess.CalledProcessError as error:
            reason = find_maven_reason(log.read_text(errors="replace")) or f"Maven ended with {error.returncode}"
            raise BuildFailed(reason, log) from error


def find_maven_reason(output: str) -> str:
    """Return the first thing that Maven calls an error, in one line; empty when it names none."""
    for line in output.splitlines():
        text = line.removeprefix("[ERROR]").strip()
        if line.startswith("[ERROR]") and text:
            return text if len(text) <= 300 else f"{text[:300]}…"
    return ""


def find_maven(environment: Mapping[str, str] = os.environ) -> str:
    """Return the Maven that can build the engine. Raises `StackError` when it or a JDK for it is missing."""
    path = environment.get("PATH")
    maven = shutil.which("mvn", path=path)
    if maven is None:
        raise ToolMissing("Maven (mvn)", "the engine is built once from its sources; install Maven 3.8 or newer")
    # Maven needs a compiler: the runtime that Baton brings has none.
    if home := environment.get("JAVA_HOME"):
        # Maven takes this one and no other.
        if not (Path(home) / "bin" / "javac").is_file():
            raise StackError(f"JAVA_HOME is {home}, which holds no JDK (bin/javac): set it to one, or unset it")
    elif shutil.which("javac", path=path) is None:
        raise ToolMissing(f"A JDK (javac, {OLDEST_JAVA} or newer)", "Maven needs it to build the engine; install one")
    return maven
