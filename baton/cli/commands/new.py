"""`baton new`: files to begin with."""

import importlib.util
import keyword
import re
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Annotated

import typer

from baton.cli.commands.templates import FOLDER
from baton.cli.element_template import render_template
from baton.cli.errors import Usage
from baton.cli.output import AsJson, console, print_json
from workers.loading import load_handlers
from workers.registry import list_registered

__all__ = ["app"]

app = typer.Typer(help="Files to begin with.", no_args_is_help=True)

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_.][a-z0-9]+)*")
_QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_HANDLER = '''"""The work of the topic `{topic}`."""

from datetime import timedelta

from pydantic import BaseModel, Field
from workers.errors import BusinessError
from workers.registry import handler


class {title}(BaseModel):
    """The process variables that it reads; no others are fetched."""

    text: str = Field(description="what to shout")
    marks: int = Field(default=1, ge=0, le=10, description="how many exclamation marks")


class {title}Done(BaseModel):
    """The process variables that it writes."""

    shouted: str


@handler("{topic}", queue="{queue}", timeout=timedelta(seconds=30))
def {module}(job: {title}) -> {title}Done:
    """Says a text louder."""
    if not job.text.strip():
        raise BusinessError("NOTHING_TO_SAY", "the text is empty")
    return {title}Done(shouted=job.text.upper() + "!" * job.marks)
'''

_TEST = '''"""`{topic}` without a broker and without an engine."""

import asyncio

import pytest
from workers.errors import BusinessError
from workers.testing import run

from {module} import {module}


def test_it_says_it_louder() -> None:
    assert asyncio.run(run({module}, {{"text": "hello", "marks": 2}})) == {{"shouted": "HELLO!!"}}


def test_nothing_to_say_is_for_the_model_to_decide() -> None:
    with pytest.raises(BusinessError, match="empty") as caught:
        asyncio.run(run({module}, {{"text": " "}}))
    assert caught.value.code == "NOTHING_TO_SAY"
'''


@app.callback()
def open_group() -> None:
    """Open files to begin with."""


@app.command("handler")
def create_handler(
    name: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic, as shout or scan-invoice.")],
    *,
    queue: Annotated[str, typer.Option("--queue", help="The queue that its jobs travel in.")] = "custom",
    directory: Annotated[Path, typer.Option("--directory", help="Where to write.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a handler, its test and its element template; never over a file that is there."""
    if not _NAME.fullmatch(name):
        raise Usage(f"{name!r} is no name for a handler: small letters and digits, with - between the words")
    if not _QUEUE.fullmatch(queue):
        raise Usage(f"{queue!r} is no name for a queue: letters, digits, '.', '_' and '-'")
    module = re.sub(r"[-.]", "_", name)
    names = {"topic": name, "queue": queue, "module": module, "title": module.title().replace("_", "")}
    files = {
        directory / f"{module}.py": _HANDLER.format(**names),
        directory / f"test_{module}.py": _TEST.format(**names),
    }
    template = directory / FOLDER / f"{name}.json"
    _check_free(module, (*files, template), directory)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    load_handlers([module], [str(directory.absolute())])
    template.parent.mkdir(parents=True, exist_ok=True)
    template.write_text(render_template(list_registered()[name]))
    made = [*map(str, files), str(template)]
    if as_json:
        print_json({"topic": name, "queue": queue, "module": module, "files": made})
        return
    for file in made:
        console.print(f"wrote {file}", markup=False)
    console.print(f"\ntest it:  python -m pytest {directory / f'test_{module}.py'}", markup=False)
    console.print(f"run it:   baton worker {queue} --handlers {module}", markup=False)


def _check_free(module: str, files: tuple[Path, ...], directory: Path) -> None:
    if there := [str(path) for path in files if path.exists()]:
        raise Usage(f"nothing is written, because there is already: {', '.join(there)}")
    if keyword.iskeyword(module):
        raise Usage(f"{module} is a word of Python: choose another name")
    if importlib.util.find_spec(module) is not None and PathFinder.find_spec(module, [str(directory)]) is None:
        raise Usage(f"Python has a module {module} already, which would hide this one: choose another name")
