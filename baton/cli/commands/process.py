"""The commands of processes and tasks: start, tasks."""

import difflib
import json
from http import HTTPStatus
from typing import Annotated, Any

import typer

from baton.cli.api import BlockingEngineApi
from baton.cli.errors import ApiRefused, Usage, refuse_blank
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
from baton.cli.output import AsJson, ResultAsJson, build_table, console, errors, print_json
from kit.errors import BatonError

__all__ = ["Variables", "list_tasks", "print_next", "read_variables", "start"]

Variables = Annotated[
    list[str] | None,
    typer.Option("--var", "-v", metavar="NAME=VALUE", help="A variable; VALUE is JSON, or else a text. Repeatable."),
]

# Of the keys that are no near guess.
_SHOWN = 10


def start(
    key: Annotated[str, typer.Argument(help="Key of a process (its latest version), or the id of a definition.")],
    source: AnswersFrom = None,
    *,
    user: Annotated[
        str | None,
        typer.Option("--user", "-u", callback=refuse_blank, help="Who starts it: becomes the variable `initiator`."),
    ] = None,
    var: Variables = None,
    business_key: Annotated[str | None, typer.Option(callback=refuse_blank, help="Default: <key>:<user>.")] = None,
    answers: SetAnswers = None,
    file: SendFiles = None,
    action: Press = None,
    schema: PrintSchema = False,
    locale: Locale = None,
    zone: Zone = None,
    as_json: ResultAsJson = False,
) -> None:
    """Start a process instance; one that begins with a form asks it."""
    given = Given(source, answers or [], file or [], action)
    api = BlockingEngineApi.from_environment()
    try:
        if schema:
            print_schema(api, FormAddress(key, is_start=True), *read_clock_and_language(locale, zone))
            return
        if user and not var and business_key is None:
            started = _answer(api, key, user, given, read_clock_and_language(locale, zone))
        elif given.is_something:
            raise Usage("answers to a form are a person's: give --user, and neither --var nor --business-key")
        else:
            started = api.start(key, _begin(user, read_variables(var), business_key))
    except ApiRefused as error:
        raise _explain(error, api, key, user) from error
    _print_started(started, as_json=as_json)


def _answer(api: BlockingEngineApi, key: str, user: str, given: Given, speaks: tuple[str, str]) -> dict[str, Any]:
    started = fill_by_options(FormClient(api, user, *speaks), FormAddress(key, is_start=True), given)
    if started is not None:
        return started
    if given.is_something:
        raise Usage(f"{key} begins without a form: start it without answers, or set variables by --var")
    return api.start(key, _begin(user, {}, None))


def _begin(user: str | None, variables: dict[str, object], business_key: str | None) -> dict[str, object]:
    body: dict[str, object] = {"variables": variables}
    if user:
        body["initiator"] = user
    if business_key:
        body["businessKey"] = business_key
    return body


def list_tasks(
    *,
    user: Annotated[
        str | None, typer.Option("--user", "-u", callback=refuse_blank, help="Only those that this person has.")
    ] = None,
    candidate: Annotated[
        str | None,
        typer.Option(
            "--candidate", callback=refuse_blank, help="Only those that nobody has and this person could take."
        ),
    ] = None,
    group: Groups = None,
    instance: Annotated[str | None, typer.Option(callback=refuse_blank, help="Only of this process instance.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=999, help="At most so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Open user tasks, newest first."""
    if candidate is None and group:
        raise Usage("--group says which groups the --candidate is in: give both")
    if candidate is not None and (user is not None or instance is not None):
        raise Usage("--candidate asks for tasks that nobody has: leave out --user and --instance")
    filters = {"assignee": user, "candidate": candidate, "groups": group, "processInstanceId": instance}
    found = BlockingEngineApi.from_environment().list_tasks(filters, limit + 1)
    shown = [{name: value for name, value in item.items() if name != "form"} for item in found[:limit]]
    if as_json:
        print_json(shown)
    elif shown:
        rows = [
            (item["id"], item["name"], item["processDefinitionKey"], item["assignee"], item["created"])
            for item in shown
        ]
        console.print(build_table(("id", "task", "process", "assignee", "created"), rows))
    else:
        console.print("no open tasks")
    if len(found) > limit:
        errors.print(f"these are the newest {limit}; for more: --limit, --user, --candidate or --instance")


def read_variables(given: list[str] | None) -> dict[str, object]:
    """Read `name=value` pairs; a value that is JSON is read as JSON. Raises `Usage`."""
    variables: dict[str, object] = {}
    for pair in given or []:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            raise Usage(f"--var {pair!r}: give a variable as name=value, for example --var age=18")
        try:
            variables[name] = json.loads(text)
        except ValueError:
            variables[name] = text
    return variables


def _print_started(started: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(started)
        return
    if started.get("id"):
        console.print(f"started {started['id']} ({started['definitionId']})", markup=False)
    print_next(started.get("next"))


def print_next(task: dict[str, Any] | None) -> None:
    if task is not None:
        console.print(f"next: {task['name']} ({task['id']})", markup=False)


def _explain(error: ApiRefused, api: BlockingEngineApi, key: str, user: str | None) -> BatonError:
    """Return what most people who see this refusal have to do; else the refusal itself."""
    if error.status == HTTPStatus.NOT_FOUND:
        known = sorted({str(definition["key"]) for definition in api.list_definitions()})
        return ApiRefused(f"There is no process {key!r}; {_find_nearest(key, known)}", error.status, error.problem)
    if user is None and "'initiator'" in str(error):
        return Usage(f"{key} must know who starts it: baton start {key} --user NAME")
    return error


def _find_nearest(key: str, known: list[str]) -> str:
    """Return the keys that were perhaps meant; of many others only some."""
    if not known:
        return "nothing is deployed yet, see `baton deploy`"
    if near := difflib.get_close_matches(key, known, n=3):
        return f"did you mean {' or '.join(near)}?"
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"deployed are: {', '.join(known[:_SHOWN])}{more}"
