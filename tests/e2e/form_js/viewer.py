"""The viewer of form-js in a page of Chromium: made from its npm packages once, and kept in a folder of caches."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page

__all__ = ["Viewer", "built_script"]

HERE = Path(__file__).parent
CACHE = HERE.parents[2] / ".cache" / "form-js"
_LOCKED = ("package.json", "package-lock.json")
_SOURCES = ("build.mjs", "page.mjs")
_AT_ONCE = 100


def built_script() -> Path:
    """The page's script. Needs Node and npm, and their registry when the packages are wanted for the first time."""
    script = CACHE / f"viewer-{_mark(*_LOCKED, *_SOURCES)}.js"
    if script.is_file():
        return script
    packages = _installed()
    for name in _SOURCES:
        shutil.copy(HERE / name, packages)
    fresh = script.with_suffix(".new")
    subprocess.run(["node", "build.mjs", str(fresh)], cwd=packages, check=True, timeout=60)
    fresh.replace(script)
    return script


def _installed() -> Path:
    """A folder with the locked packages."""
    packages = CACHE / f"packages-{_mark(*_LOCKED)}"
    # What npm writes last.
    if not (packages / "node_modules" / ".package-lock.json").is_file():
        packages.mkdir(parents=True, exist_ok=True)
        for name in _LOCKED:
            shutil.copy(HERE / name, packages)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=packages, check=True, timeout=150)
    return packages


def _mark(*names: str) -> str:
    """What changes with any of these files."""
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in names)).hexdigest()[:16]


@dataclass(slots=True)
class Viewer:
    """Plays cases as a browser would; in UTC, so that times are those of `forms.clock` there."""

    page: Page
    script: Path

    async def play(self, cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """What the viewer made of each, in order."""
        played: list[dict[str, Any]] = []
        while len(played) < len(cases):
            # A case that breaks the viewer breaks the page.
            await self.page.goto("about:blank")
            await self.page.add_script_tag(path=self.script)
            batch = json.dumps(cases[len(played) : len(played) + _AT_ONCE])
            played += json.loads(await self.page.evaluate("cases => playAll(cases)", batch))
        return played
