"""The rules of the house that no linter knows: lengths, names, where prose and prints may stand."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
FORBIDDEN_NAMES = {"utils", "helpers", "common", "manager", "base", "misc", "core"}
LAYERS = ("unit", "contract", "integration", "scenarios", "e2e")
SOURCES = (
    "kit",
    "bpmn",
    "forms",
    "drafts",
    "files",
    "contracts",
    "workers",
    "bot",
    "api",
    "baton",
    "tests",
    "bench",
    "docs",
)


def tracked_files() -> list[Path]:
    """Files that git knows or would know; without git (an unpacked archive) every file that is not hidden."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for line in listing.stdout.splitlines() if (path := ROOT / line).is_file()]


def python_files() -> list[Path]:
    return [f for f in tracked_files() if f.suffix == ".py" and f.relative_to(ROOT).parts[0] in SOURCES]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def packages(node: ast.Import | ast.ImportFrom) -> set[str]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
    return {name.partition(".")[0] for name in names}


def test_there_is_code_to_judge() -> None:
    assert len(python_files()) > 10


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        str(f.relative_to(ROOT)): lines
        for f in tracked_files()
        if f.suffix in {".py", ".js", ".css", ".html", ".java"}
        and (lines := len(f.read_text().splitlines())) > MAX_FILE_LINES
    }
    assert not long


def test_no_function_is_longer_than_50_lines() -> None:
    long = [
        f"{f.relative_to(ROOT)}:{node.lineno} {node.name}"
        for f in python_files()
        for node in functions(ast.parse(f.read_text()))
        if (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert not long


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [str(f.relative_to(ROOT)) for f in python_files() if f.stem in FORBIDDEN_NAMES]
    assert not vague


def test_tests_are_no_packages_so_that_they_shadow_nothing() -> None:
    assert not [f for f in python_files() if f.name == "__init__.py" and "tests" in f.relative_to(ROOT).parts]


def test_no_layer_of_tests_imports_from_another() -> None:
    across = [
        f"{f.relative_to(ROOT)}:{node.lineno}"
        for layer in LAYERS
        for f in (ROOT / "tests" / layer).rglob("*.py")
        for node in ast.walk(ast.parse(f.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom) and packages(node) & (set(LAYERS) - {layer})
    ]
    assert not across, "what several layers share stands in tests/shared"


def test_prose_stands_only_in_readme_changelog_docs_and_bench() -> None:
    allowed = {ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "bench" / "README.md"}
    prose = [f for f in tracked_files() if f.suffix == ".md"]
    stray = [f for f in prose if f not in allowed and ROOT / "docs" not in f.parents]
    assert not stray


def test_no_swallowed_exceptions() -> None:
    swallowed = [
        f"{f.relative_to(ROOT)}:{node.lineno}"
        for f in python_files()
        for node in ast.walk(ast.parse(f.read_text()))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(part, ast.Pass) for part in node.body)
    ]
    assert not swallowed, "say with contextlib.suppress and a comment why an error may be ignored"


@pytest.mark.parametrize(
    "pattern", [r"(?<![\w.])/(work|root|farm)/", r"files\.pythonhosted|registry\.npmjs|/artifactory/"]
)
def test_no_file_names_a_machine_path_or_a_registry_host(pattern: str) -> None:
    found = []
    for path in tracked_files():
        if path == Path(__file__) or path.suffix in {".png", ".ico"}:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if re.search(pattern, line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found
