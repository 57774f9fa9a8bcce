"""The stock JavaScript client: its packages come from the registry when it is measured for the first time."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from external_task_rivals.child import Child

__all__ = ["missing", "node_child"]

FOLDER = Path(__file__).parent / "stock_js"


def missing() -> str | None:
    """Why it cannot be measured here; None when it can."""
    absent = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"{' and '.join(absent)} not installed" if absent else None


def node_child(settings: Mapping[str, str], log: Path) -> Child:
    """The worker under Node. Stops the benchmark with npm's words when its packages cannot be installed."""
    if not (FOLDER / "node_modules").is_dir():
        print("stock_js: installing its packages", file=sys.stderr)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"npm ci failed: {done.stderr[-2000:]}")
    environment = {"PATH": os.environ.get("PATH", os.defpath), **settings}
    return Child(("node", str(FOLDER / "worker.mjs")), environment, log, FOLDER)
