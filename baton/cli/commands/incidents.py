"""`baton incidents`: what failed, why, and new tries for it."""

import sys
from http import HTTPStatus
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from baton.cli.api import BlockingEngineApi
from baton.cli.errors import ApiRefused, Usage
from baton.cli.output import AsJson, build_table, console, errors, print_json, to_one_line, to_printable
from baton.cli.watch import Listing, Watch, WatchGroup, show_listing

__all__ = ["app"]

app = typer.Typer(help="What failed and needs an operator; show and retry it.", cls=WatchGroup)

Process = Annotated[str | None, typer.Option("--process", metavar="KEY", help="Only of this process.")]
Topic = Annotated[str | None, typer.Option("--topic", help="Only of external tasks of this topic.")]
IncidentId = Annotated[str, typer.Argument(metavar="ID", help="From `baton incidents`.")]

_FIELDS = (
    ("id", "id"),
    ("when", "created"),
    ("type", "type"),
    ("process", "processDefinitionKey"),
    ("definition", "processDefinitionId"),
    ("instance", "processInstanceId"),
    ("business key", "businessKey"),
    ("activity", "activityId"),
    ("topic", "topic"),
    ("task or job", "configuration"),
    ("last worker", "workerId"),
    ("message", "message"),
)


@app.callback(invoke_without_command=True)
def list_incidents(
    context: typer.Context,
    *,
    process: Process = None,
    topic: Topic = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=999, help="At most so many.")] = 100,
    as_json: AsJson = False,
    watch: Watch = None,
) -> None:
    """Open incidents, newest first; `show` and `retry` for one of them."""
    if context.invoked_subcommand is not None:
        if process is not None or topic is not None or as_json or watch is not None:
            # Left out silently, a filter would make `retry --all` retry everything.
            command = context.invoked_subcommand
            raise Usage(f"give options after the command: baton incidents {command} …, not before {command}")
        return

    more = Text(f"these are the newest {limit}; for more: --limit, --process or --topic")

    def ask() -> Listing:
        found = BlockingEngineApi.from_environment().list_incidents(topic=topic, key=process, limit=limit + 1)
        shown = found[:limit]
        drawn: RenderableType = (
            build_table(_COLUMNS, [_make_row(item) for item in shown]) if shown else Text("no open incidents")
        )
        if len(found) > limit:
            if watch is None:
                errors.print(more)
            else:
                drawn = Group(drawn, more)
        return Listing(shown, drawn)

    show_listing(ask, as_json=as_json, watch=watch)


@app.command()
def show(incident: IncidentId, *, as_json: AsJson = False) -> None:
    """Show everything about an incident, with the error details of its task or the stack trace of its job."""
    try:
        found = BlockingEngineApi.from_environment().fetch_incident(incident)
    except ApiRefused as error:
        raise _explain(error) from error
    if as_json:
        print_json(found)
        return
    rows = [(name, to_printable(str(found[field]))) for name, field in _FIELDS if found[field] is not None]
    if found["rootCauseId"] != found["id"]:
        rows.append(("caused by", f"{found['rootCauseId']} in a called process"))
    for name, value in rows:
        lines = value.replace("\n", "\n" + " " * 14)
        console.print(f"{name:<12}  {lines}", markup=False)
    if found["details"]:
        console.print(f"\n{to_printable(found['details'])}", markup=False)
    console.print(f"\nonce the reason is gone: baton incidents retry {found['id']}", markup=False)


@app.command()
def retry(
    incident: Annotated[str | None, typer.Argument(metavar="ID", help="From `baton incidents`.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Retry all that failed, or all of a topic.")] = False,
    topic: Topic = None,
    process: Process = None,
    retries: Annotated[int, typer.Option("--retries", min=1, max=100, help="How many tries they get.")] = 1,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give what failed new tries: one incident, or --all; asks before --all."""
    if (incident is None) is not everything:
        raise Usage("say what to retry: `baton incidents retry ID`, or --all")
    if incident is not None and (topic is not None or process is not None):
        raise Usage("--topic and --process go with --all; an ID names one incident already")
    api = BlockingEngineApi.from_environment()
    if incident is not None:
        try:
            done = api.retry(incident, retries)
        except ApiRefused as error:
            raise _explain(error) from error
    elif yes or _confirm(api, topic, process):
        done = api.retry_all(retries, topic=topic, key=process)
    else:
        done = {"retried": 0, "missed": 0, "skipped": 0}
    if as_json:
        print_json(done)
    else:
        _print_retried(done)


_COLUMNS = ("id", "when", "type", "process", "business key", "activity", "topic", "message")


def _make_row(item: dict[str, Any]) -> tuple[object, ...]:
    return (
        item["id"],
        item["created"],
        item["type"],
        item["processDefinitionKey"],
        to_printable(item["businessKey"] or ""),
        item["activityId"],
        to_printable(item["topic"] or ""),
        to_one_line(item["message"] or ""),
    )


def _confirm(api: BlockingEngineApi, topic: str | None, process: str | None) -> bool:
    """Tell whether there is something to retry and a person wants it."""
    if not sys.stdin.isatty():
        raise Usage("retry --all may repeat a lot of work; without a terminal to ask on, say --yes")
    count = api.count_incidents(topic=topic, key=process)
    of = "".join(f" of {what} {name}" for what, name in (("topic", topic), ("process", process)) if name is not None)
    if not count:
        errors.print(f"no open incidents{of}", markup=False)
        return False
    return typer.confirm(f"Give {_fetch_incidents(count)}{of} new tries?", err=True)


def _print_retried(done: dict[str, Any]) -> None:
    console.print(f"retried {_fetch_incidents(done['retried'])}" if done["retried"] else "nothing retried")
    if done["missed"]:
        console.print(f"{done['missed']} were settled or changed by somebody else meanwhile")
    if done["skipped"]:
        console.print(f"{done['skipped']} are neither tasks nor jobs and have no tries: see them in `baton incidents`")


def _fetch_incidents(count: int) -> str:
    return f"{count} incident" if count == 1 else f"{count} incidents"


def _explain(error: ApiRefused) -> ApiRefused:
    if error.status == HTTPStatus.NOT_FOUND:
        return ApiRefused(f"{error} `baton incidents` lists the open ones.", error.status, error.problem)
    return error
