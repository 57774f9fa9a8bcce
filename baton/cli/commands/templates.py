"""`baton templates`: every handler as a ready service task in Camunda Modeler."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from baton.cli.element_template import render_template
from baton.cli.handlers import load_known_handlers
from baton.cli.output import AsJson, build_table, console, errors, print_json
from workers.registry import list_registered

__all__ = ["FOLDER", "write_templates"]

# Where Camunda Modeler looks: beside a diagram and in every folder above it.
FOLDER = Path(".camunda") / "element-templates"


def write_templates(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write to.")] = FOLDER,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail when a file is missing, differs or has no handler.")
    ] = False,
    handlers: Annotated[
        str | None, typer.Option("--handlers", metavar="MODULE,…", help="Modules of handlers, beside the known ones.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a Camunda Modeler element template for every handler.

    In the default folder the Modeler finds them for all diagrams beside and below it.
    """
    load_known_handlers(handlers)
    wanted = {
        output / f"{topic}.json": render_template(handler) for topic, handler in sorted(list_registered().items())
    }
    absent = "missing" if check else "new"
    states = {str(path): _compare_file(path, text, absent) for path, text in wanted.items()}
    states |= {
        str(path): "no handler" for path in sorted(output.glob("*.json")) if path not in wanted and _is_ours(path)
    }
    if not check:
        for path, text in wanted.items():
            if states[str(path)] != "unchanged":
                output.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    if as_json:
        print_json([{"file": file, "state": state} for file, state in states.items()])
    else:
        console.print(build_table(("file", "state"), list(states.items())))
    if check and (wrong := _count_states(states.values())):
        errors.print(f"the templates in {output} are not those of the handlers: {wrong}", markup=False)
        raise typer.Exit(1)


def _count_states(states: Iterable[str]) -> str:
    """Return what is wrong how often, and what to do about it; empty when nothing is."""
    counts = Counter(states)
    said = [
        f"{counts[state]} {state} ({cure})"
        for state, cure in (
            ("missing", "baton templates writes it"),
            ("changed", "baton templates writes it"),
            ("no handler", "delete it"),
        )
        if counts[state]
    ]
    return ", ".join(said)


def _compare_file(path: Path, text: str, absent: str) -> str:
    if not path.is_file():
        return absent
    return "unchanged" if path.read_text() == text else "changed"


def _is_ours(path: Path) -> bool:
    """Tell whether a file was written by this command; the folder may hold templates of people too."""
    try:
        content = json.loads(path.read_text())
    except ValueError:
        return False
    return isinstance(content, dict) and str(content.get("id", "")).startswith("baton.")
