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
_SOURCES = ("package.json", "package-lock.json", "build.mjs", "page.mjs")
_AT_ONCE = 100


def built_script() -> Path:
    """The page's script. Needs Node and npm, and their registry when it is built for the first time."""
    sources = [HERE / name for name in _SOURCES]
    wanted = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:16]
    packages = CACHE / "packages"
    script = CACHE / f"viewer-{wanted}.js"
    if script.is_file():
        return script
    packages.mkdir(parents=True, exist_ok=True)
    for source in sources:
        shutil.copy(source, packages)
    for command in (
        ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        ["node", "build.mjs", str(script.with_suffix(".new"))],
    ):
        subprocess.run(command, cwd=packages, check=True, timeout=150)
    script.with_suffix(".new").replace(script)
    return script


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
