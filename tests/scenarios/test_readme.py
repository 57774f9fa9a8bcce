"""A newcomer types what the README says, in its order, and each of it works."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SLOWEST_S = 170


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a shell in which the virtual environment is active and nothing has run yet."""
    home = tmp_path_factory.mktemp("newcomer")
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    # Inside of `make test` the outer make would hand its own flags down.
    environment = {k: v for k, v in os.environ.items() if k not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    environment |= {"PATH": path, "BATON_HOME": str(home), "DEMO_FLAGS": "--exit"}
    yield environment
    subprocess.run(["baton", "down"], env=environment, capture_output=True, timeout=60)
    subprocess.run(["baton", "reset", "--yes"], env=environment, capture_output=True, timeout=60)


def commands() -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and line != "make test"]  # which is what runs here


def typed(line: str, shell: dict[str, str]) -> str:
    done = subprocess.run(
        shlex.split(line),
        env=shell, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SLOWEST_S,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.mark.timeout(SLOWEST_S * 2)
def test_everything_in_the_readme_can_be_typed(shell: dict[str, str]) -> None:
    demo, *rest = commands()
    assert demo == "make demo"
    told = typed(demo, shell)
    assert "Join the community" in told
    assert re.search(r"demo: completed in [0-9.]+ s\s*\Z", told), told[-300:]
    typed("baton up --detach", shell)  # the demo stopped, as it does without a terminal; the README leaves it up
    told_by = {line: typed(line, shell) for line in rest}
    assert [line.split()[1] for line in told_by] == ["status", "deploy", "start", "tasks", "down"]
    assert "engine-api" in told_by["baton status"]
    assert "onboarding.bpmn" in told_by["baton deploy"]
    tasks = next(output for line, output in told_by.items() if line.startswith("baton tasks"))
    assert '"Choose your language"' in tasks
