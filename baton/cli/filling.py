"""How the commands get answers to a form: asked in the terminal, or given by options, files and standard input."""

import locale as system
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from baton.cli.answers import Answers, read_object
from baton.cli.errors import AnswersRefused, Usage
from baton.cli.fill import fill
from baton.cli.form_client import FormClient, Place
from baton.cli.output import print_json
from forms.messages import supported

__all__ = [
    "AnswersFrom",
    "Given",
    "Locale",
    "Press",
    "PrintSchema",
    "SendFiles",
    "SetAnswers",
    "Zone",
    "clock_and_language",
    "filled",
]

AnswersFrom = Annotated[
    str | None, typer.Argument(metavar="[ANSWERS]", help="A file with the answers as a JSON object, or - for stdin.")
]
SetAnswers = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="An answer, as `age=18` or `pets.0.name=Rex`. Repeatable."),
]
SendFiles = Annotated[
    list[str] | None, typer.Option("--file", metavar="NAME=PATH", help="A file as an answer. Repeatable.")
]
Press = Annotated[str | None, typer.Option("--action", metavar="KEY", help="The button that ends the form.")]
PrintSchema = Annotated[bool, typer.Option("--schema", help="Print the form as JSON Schema, and do nothing.")]
Locale = Annotated[str | None, typer.Option(metavar="LANGUAGE", help="Language of the form. Default: the system's.")]
Zone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="IANA time zone of dates and times. Default: the system's.")
]


@dataclass(frozen=True, slots=True)
class Given:
    """What a command was told about the answers."""

    source: str | None
    sets: list[str]
    files: list[str]
    action: str | None
    schema: bool
    as_json: bool

    @property
    def is_something(self) -> bool:
        """Whether answers were given, so that nothing is to be asked."""
        return bool(self.source or self.sets or self.files or self.action)


def clock_and_language(language: str | None, zone: str | None) -> tuple[str, str]:
    """The language and the time zone of whoever sits here."""
    spoken = language or (system.getlocale()[0] or os.environ.get("LANG", "")).partition(".")[0]
    return supported(spoken), zone or _system_zone()


def filled(client: FormClient, place: Place, given: Given) -> dict[str, Any] | None:
    """Fill and submit a form; None when there is none, or when it was only to be shown.

    Raises `AnswersRefused` (its errors are printed with `--json`), `LeftAside`, `Usage`.
    """
    form = client.open(place)
    if form is None:
        return None
    if given.schema:
        print_json(form.json_schema)
        raise typer.Exit
    try:
        if not given.is_something:
            if not sys.stdin.isatty():
                raise Usage(
                    f"{place.id} has a form, and nobody is here to answer it: use --set, --file, --json - or --schema"
                )
            return fill(client, place, form)
        answers = Answers(form.session)
        if given.source is not None:
            answers.add(read_object(given.source))
        answers.set(given.sets)
        answers.send(given.files, lambda field, path: client.send_file(form, field, path))
        answers.press(given.action)
        return client.submit(place, form, answers.told())
    except AnswersRefused as error:
        if given.as_json:
            print_json({"errors": error.errors})
        raise


def _system_zone() -> str:
    if zone := os.environ.get("TZ", "").removeprefix(":"):
        return zone
    parts = Path("/etc/localtime").resolve().parts
    return "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else "UTC"
