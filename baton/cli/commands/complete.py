"""The command `complete`: a person answers a task's form, or an operator ends the task with variables."""

from typing import Annotated, Any

import typer

from baton.cli.api import BlockingEngineApi
from baton.cli.commands.process import Variables, print_next, read_variables
from baton.cli.errors import Usage, refuse_blank
from baton.cli.forms.client import FormAddress, FormClient
from baton.cli.forms.options import (
    AnswersFrom,
    Given,
    Groups,
    Locale,
    Press,
    PrintSchema,
    SendFiles,
    SetAnswers,
    Zone,
    fill_by_options,
    print_schema,
    read_clock_and_language,
)
from baton.cli.output import ResultAsJson, console, print_json

__all__ = ["complete"]


def complete(
    task: Annotated[str, typer.Argument(help="Id of the task, from `baton tasks`.")],
    source: AnswersFrom = None,
    *,
    user: Annotated[
        str | None,
        typer.Option("--user", "-u", callback=refuse_blank, help="Who answers. Default: the task's assignee."),
    ] = None,
    group: Groups = None,
    var: Variables = None,
    answers: SetAnswers = None,
    file: SendFiles = None,
    action: Press = None,
    schema: PrintSchema = False,
    locale: Locale = None,
    zone: Zone = None,
    as_json: ResultAsJson = False,
) -> None:
    """Complete a user task: its form is asked here, or answered by options, a file or standard input.

    The draft is that of all surfaces: what was begun in a chat goes on here, and back. With --var an operator sets
    variables instead, whatever the form says.
    """
    given = Given(source, answers or [], file or [], action)
    api = BlockingEngineApi.from_environment()
    if schema:
        print_schema(api, FormAddress(task), *read_clock_and_language(locale, zone))
        return
    if var is None:
        done = _answer(api, task, user, tuple(group or ()), given, read_clock_and_language(locale, zone))
    elif given.is_something:
        raise Usage("--var sets variables as an operator; give answers of a person by --set")
    else:
        done = api.complete(task, read_variables(var), user)
    if as_json:
        print_json(done)
        return
    console.print(f"completed {task}" + ("; the process has ended" if done.get("ended") else ""), markup=False)
    print_next(done.get("next"))


def _answer(
    api: BlockingEngineApi, task: str, user: str | None, groups: tuple[str, ...], given: Given, speaks: tuple[str, str]
) -> dict[str, Any]:
    found = api.fetch_task(task)
    person = user or found["assignee"]
    if person is None:
        raise Usage(f"task {task} belongs to nobody yet: say who answers by --user NAME")
    place = FormAddress(task, title=found["name"] or "", is_offered=found["assignee"] is None)
    done = fill_by_options(FormClient(api, person, *speaks, groups), place, given)
    if done is not None:
        return done
    if given.is_something:
        raise Usage(f"task {task} asks nothing; complete it without answers, or set variables by --var")
    return api.complete(task, {}, user)
