"""The files that the rules of the house are about."""

import subprocess
from pathlib import Path

__all__ = ["PACKAGES", "ROOT", "python_files", "tracked_files"]

ROOT = Path(__file__).parents[2]
PACKAGES = ("kit", "bpmn", "forms", "drafts", "files", "contracts", "workers", "bot", "api", "baton")
_SOURCES = (*PACKAGES, "tests", "bench", "docs")


def tracked_files() -> list[Path]:
    """List the files that git knows or would know."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for line in listing.stdout.splitlines() if (path := ROOT / line).is_file()]


def python_files() -> list[Path]:
    return [f for f in tracked_files() if f.suffix == ".py" and f.relative_to(ROOT).parts[0] in _SOURCES]
