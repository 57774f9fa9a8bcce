"""The names of the house: functions begin with a verb, public classes are defined once, tests say act and outcome."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from contract.sources import PACKAGES, ROOT, python_files

VERBS = frozenset((Path(__file__).parent / "verbs.txt").read_text().split())
PREFIXES = frozenset({"is", "has", "can", "of", "from", "to"})
# Names that a framework calls: pydantic-settings, kombu's transports.
FRAMEWORK_NAMES = frozenset({"settings_customise_sources", "basic_publish_confirm", "conn_or_acquire", "_connparams"})
# `@handler` is a decorator; a handler's function is named as its topic.
DECORATOR = "handler"
# Each field kind is a class `Kind` in its own module, and each kombu transport brings its `Channel` and `Transport`.
SAME_NAMES = frozenset({"Kind", "Channel", "Transport"})
MAX_TEST_NAME = 60
MAX_FOLDER_FILES = 20

Function = ast.FunctionDef | ast.AsyncFunctionDef


def product_files() -> Iterator[tuple[Path, ast.Module]]:
    for path in python_files():
        if path.relative_to(ROOT).parts[0] in PACKAGES:
            yield path, ast.parse(path.read_text())


def is_exempt(node: Function) -> bool:
    """Tell whether the name is not ours to choose, or names a value: dunder methods and properties."""
    decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
    is_property = any("property" in name or name.endswith(".setter") for name in decorators)
    is_handler = node.name == DECORATOR or any(name.startswith(f"{DECORATOR}(") for name in decorators)
    return node.name.startswith("__") or is_property or is_handler or node.name in FRAMEWORK_NAMES


def functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, Function) and not is_exempt(node):
            yield node


def test_functions_begin_with_a_verb() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path, tree in product_files()
        for node in functions(tree)
        if node.name.strip("_").split("_")[0] not in VERBS | PREFIXES
    ]
    assert not wrong, "a new verb is added to tests/contract/verbs.txt"


def test_docstrings_of_functions_begin_with_a_verb() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {words[0]}"
        for path, tree in product_files()
        for node in functions(tree)
        if (words := (ast.get_docstring(node) or "").split()) and words[0].strip(".,:;").lower() not in VERBS
    ]
    assert not wrong, "begin with a verb in its base form, such as Return, Read or Tell"


def test_a_public_class_name_is_defined_once() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path, tree in product_files():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and node.name not in SAME_NAMES:
                places[node.name].append(str(path.relative_to(ROOT)))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_test_names_have_at_most_60_characters() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files()
        if path.relative_to(ROOT).parts[0] == "tests"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, Function) and node.name.startswith("test_") and len(node.name) > MAX_TEST_NAME
    ]
    assert not long


def test_no_folder_has_more_than_20_modules() -> None:
    sizes: dict[str, int] = defaultdict(int)
    for path in python_files():
        sizes[str(path.relative_to(ROOT).parent)] += 1
    assert not {folder: count for folder, count in sizes.items() if count > MAX_FOLDER_FILES}
