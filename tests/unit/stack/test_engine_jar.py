"""The engine's jar: what counts as a change of its sources, and what is said when it cannot be built."""

import stat
from pathlib import Path

import pytest

from baton.stack.engine_build.jar import (
    JAR_NAME,
    compute_source_key,
    ensure_jar,
    find_cache_folder,
    find_engine_sources,
    find_maven_reason,
)
from baton.stack.engine_build.jre import parse_major_version
from baton.stack.errors import BuildFailed, StackError, ToolMissing

COUNTING_MAVEN = """#!/bin/sh
echo run >> "{calls}"
for argument in "$@"; do
  case "$argument" in -DbuildDirectory=*) folder="${{argument#-DbuildDirectory=}}" ;; esac
done
/bin/mkdir -p "$folder" && echo jar > "$folder/{jar}"
"""
FAILING_MAVEN = """#!/bin/sh
echo "[INFO] Scanning for projects..."
echo "[ERROR] Could not resolve dependencies for project baton:baton-engine"
echo "[ERROR] To see the full stack trace, re-run with -e"
exit 1
"""


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    (folder / "src" / "main").mkdir(parents=True)
    (folder / "pom.xml").write_text("<project/>")
    (folder / "src" / "main" / "One.java").write_text("class One {}")
    return folder


def tools(folder: Path, **scripts: str) -> dict[str, str]:
    """An environment whose PATH holds only these programs."""
    folder.mkdir()
    for name, text in scripts.items():
        program = folder / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": str(folder)}


def test_the_checkout_has_the_engines_sources() -> None:
    assert (find_engine_sources() / "src" / "main" / "resources" / "application.yaml").is_file()


def test_a_changed_source_makes_another_key(sources: Path) -> None:
    before = compute_source_key(sources, "camunda")
    (sources / "src" / "main" / "One.java").write_text("class One { }")
    assert compute_source_key(sources, "camunda") != before


def test_a_renamed_source_makes_another_key(sources: Path) -> None:
    before = compute_source_key(sources, "camunda")
    (sources / "src" / "main" / "One.java").rename(sources / "src" / "main" / "Two.java")
    assert compute_source_key(sources, "camunda") != before


def test_build_outputs_do_not_change_the_key(sources: Path) -> None:
    before = compute_source_key(sources, "camunda")
    (sources / "target").mkdir()
    (sources / "target" / JAR_NAME).write_text("old")
    assert compute_source_key(sources, "camunda") == before


def test_each_profile_has_its_own_key(sources: Path) -> None:
    assert compute_source_key(sources, "camunda") != compute_source_key(sources, "operaton")


def test_the_jar_is_built_once_and_the_sources_stay_clean(sources: Path, tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    environment = tools(tmp_path / "bin", mvn=COUNTING_MAVEN.format(calls=calls, jar=JAR_NAME), javac="#!/bin/sh\n")
    said: list[str] = []

    first = ensure_jar("camunda", tmp_path / "cache", said.append, sources=sources, environment=environment)
    second = ensure_jar("camunda", tmp_path / "cache", said.append, sources=sources, environment=environment)

    assert first == second
    assert first.read_text() == "jar\n"
    assert calls.read_text() == "run\n"
    assert len(said) == 1
    assert "Camunda 7" in said[0]
    assert sorted(path.name for path in sources.iterdir()) == ["pom.xml", "src"]


def test_a_failed_build_names_mavens_reason_and_the_log(sources: Path, tmp_path: Path) -> None:
    environment = tools(tmp_path / "bin", mvn=FAILING_MAVEN, javac="#!/bin/sh\n")
    with pytest.raises(BuildFailed, match="Could not resolve dependencies") as caught:
        ensure_jar("camunda", tmp_path / "cache", sources=sources, environment=environment)
    assert caught.value.log.read_text().startswith("[INFO]")
    assert str(caught.value.log) in str(caught.value)
    assert not list((tmp_path / "cache").rglob(JAR_NAME))


def test_a_build_without_a_jar_is_a_failed_build(sources: Path, tmp_path: Path) -> None:
    environment = tools(tmp_path / "bin", mvn="#!/bin/sh\n", javac="#!/bin/sh\n")
    with pytest.raises(BuildFailed, match=JAR_NAME):
        ensure_jar("camunda", tmp_path / "cache", sources=sources, environment=environment)


def test_without_maven_it_says_what_to_install(sources: Path, tmp_path: Path) -> None:
    environment = tools(tmp_path / "bin", javac="#!/bin/sh\n")
    with pytest.raises(ToolMissing, match="install Maven"):
        ensure_jar("camunda", tmp_path / "cache", sources=sources, environment=environment)


def test_without_a_compiler_it_says_what_to_install(sources: Path, tmp_path: Path) -> None:
    environment = tools(tmp_path / "bin", mvn="#!/bin/sh\n")
    with pytest.raises(ToolMissing, match="JDK"):
        ensure_jar("camunda", tmp_path / "cache", sources=sources, environment=environment)


def test_an_unknown_profile_is_refused_with_the_known_ones(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="camunda, operaton"):
        ensure_jar("zeebe", tmp_path / "cache", sources=sources)


def test_the_cache_goes_where_baton_cache_says(tmp_path: Path) -> None:
    assert find_cache_folder({"BATON_CACHE": str(tmp_path)}) == tmp_path
    assert find_cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "baton"


def test_maven_output_without_an_error_line_has_no_reason() -> None:
    assert find_maven_reason("[INFO] BUILD SUCCESS\n[ERROR]\n") == ""


@pytest.mark.parametrize(
    ("answer", "major"),
    [
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25),
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ("command not found", None),
    ],
)
def test_the_java_release_is_read_from_its_own_answer(answer: str, major: int | None) -> None:
    assert parse_major_version(answer) == major
