"""The wheel holds everything that runs, and nothing that belongs to others."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {"kit", "bpmn", "forms", "drafts", "files", "contracts", "workers", "bot", "api", "baton"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source archive, as an index would get it."""
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        capture_output=True, text=True, timeout=170,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_brings_only_our_packages(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == OURS


def test_every_tracked_file_of_our_packages_is_in_the_wheel(names: set[str]) -> None:
    listing = subprocess.run(["git", "ls-files", *OURS], cwd=ROOT, capture_output=True, text=True, check=True)
    tracked = {line for line in listing.stdout.splitlines() if (ROOT / line).is_file()}
    assert len(tracked) > 100
    assert tracked - names == set()


def test_the_wheel_brings_models_pages_and_the_engines_sources(names: set[str]) -> None:
    assert "bpmn/models/onboarding/onboarding.bpmn" in names
    assert "bpmn/models/onboarding/onboarding-profile.form" in names
    assert "baton/sandbox/telegram/page/index.html" in names
    assert "baton/_engine/pom.xml" in names
    assert any(name.startswith("baton/_engine/src/main/java/") for name in names)
    assert not any("/target/" in name or name.endswith((".jar", ".pyc")) for name in names)


def test_the_unpacked_wheel_finds_its_models_and_its_engine(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "from bpmn.catalog import Catalog; from baton.stack.engine_build.jar import find_engine_sources; import bpmn;"
        "print(bpmn.__file__, sorted(Catalog.of_packaged().processes), find_engine_sources())"
    )
    # -S: without site-packages' .pth files our checkout is not importable, so that the wheel must stand alone.
    packages = subprocess.run(
        [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    told = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path, env={"PYTHONPATH": f"{tmp_path}:{packages}"}, capture_output=True, text=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert str(tmp_path / "bpmn") in told.stdout
    assert "'onboarding'" in told.stdout
    assert str(tmp_path / "baton" / "_engine") in told.stdout


def test_the_command_is_declared_once(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (entry_points,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
        assert archive.read(entry_points).decode().split() == ["[console_scripts]", "baton", "=", "baton.cli.main:run"]
