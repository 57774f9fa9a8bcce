"""How the commands get answers to a form: asked in the terminal, or given by options, files and standard input."""

import locale as system
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from baton.cli.api import BlockingEngineApi
from baton.cli.errors import Usage, refuse_blank
from baton.cli.forms.answers import GivenAnswers, read_object
from baton.cli.forms.client import FormAddress, FormClient, OpenedForm, read_schema
from baton.cli.forms.fill import LeftAside, fill
from baton.cli.output import print_json
from forms.clock import is_zone
from forms.messages import find_supported, is_language

__all__ = [
    "AnswersFrom",
    "Given",
    "Groups",
    "Locale",
    "Press",
    "PrintSchema",
    "SendFiles",
    "SetAnswers",
    "Zone",
    "fill_by_options",
    "print_schema",
    "read_clock_and_language",
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
Groups = Annotated[
    list[str] | None,
    typer.Option("--group", metavar="GROUP", callback=refuse_blank, help="A group that the person is in. Repeatable."),
]
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

    @property
    def is_something(self) -> bool:
        """Whether answers were given, so that nothing is to be asked."""
        return bool(self.source or self.sets or self.files or self.action)


def read_clock_and_language(language: str | None, zone: str | None) -> tuple[str, str]:
    """Return the language and the time zone of whoever sits here. Raises `Usage` for one that does not exist."""
    if zone is not None and not is_zone(zone):
        raise Usage(f"{zone!r} is no time zone; --zone takes names such as Europe/Berlin")
    if language is not None and not is_language(language):
        raise Usage(f"{language!r} is no language; --locale takes tags such as en or ru-RU")
    spoken = language or (system.getlocale()[0] or os.environ.get("LANG", "")).partition(".")[0]
    return find_supported(spoken), zone or _read_system_zone()


def fill_by_options(client: FormClient, place: FormAddress, given: Given) -> dict[str, Any] | None:
    """Fill and submit a form; None when nothing is asked. A person who watches confirms even that.

    Raises `AnswersRefused`, `ApiRefused`, `LeftAside`, `Usage`.
    """
    form = client.open(place)
    if form is None or (form.source == "none" and (given.is_something or not _is_watched())):
        return None
    if not given.is_something:
        return _walk_form(client, place, form)
    answers = GivenAnswers(form.session)
    if given.source is not None:
        answers.add(read_object(given.source))
    answers.set(given.sets)
    answers.send(given.files, lambda field, path: client.send_file(form, field, path))
    answers.press(given.action)
    return client.submit(place, form, answers.apply())


def print_schema(api: BlockingEngineApi, place: FormAddress, language: str, zone: str) -> None:
    """Print the form as JSON Schema, for nobody in particular: no draft is begun. Raises `Usage` when nothing is
    asked.
    """
    schema = read_schema(api, place, language, zone)
    if schema is None:
        raise Usage(f"{place.id} has no form")
    print_json(schema)


def _walk_form(client: FormClient, place: FormAddress, form: OpenedForm) -> dict[str, Any]:
    """Ask here, somebody who sees the questions; a task that nobody has is theirs while they fill it."""
    if not _is_watched():
        raise Usage(f"{place.id} has a form, and nobody is here to answer it: use --set, --file, --json - or --schema")
    if place.is_offered:
        client.claim(place)
    try:
        return fill(client, place, form)
    except LeftAside as left:
        if place.is_offered and left.is_given_up:
            client.unclaim(place)
        raise


def _is_watched() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def _read_system_zone() -> str:
    zone = os.environ.get("TZ", "").removeprefix(":")
    if not zone:
        parts = Path("/etc/localtime").resolve().parts
        zone = "/".join(parts[parts.index("zoneinfo") + 1 :]) if "zoneinfo" in parts else "UTC"
    # A system may say its zone in another way than by a name.
    return zone if is_zone(zone) else "UTC"
