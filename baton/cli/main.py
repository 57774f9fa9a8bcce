"""The command `baton`."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from baton.cli.commands import (
    complete,
    demo,
    deploy,
    doctor,
    incidents,
    new,
    process,
    stack,
    templates,
    topics,
    workers,
)
from baton.cli.commands import handlers as known_handlers
from baton.cli.errors import FAILED, exit_code, format_error, list_error_entries
from baton.cli.output import console, errors, print_json
from baton.cli.watch import WatchCommand
from kit.errors import BatonError

__all__ = ["app", "run"]

_HOME = "BATON_HOME: the folder of the embedded stack (default: ./.baton)"
_API = "ENGINEAPI_URL, SERVICE_TOKEN: an engine-api elsewhere (default: the embedded stack's)"
_OF_STACK = f"Environment: {_HOME}"
_OF_API = f"Environment:\n\n{_API}\n\n{_HOME}"
_OF_BROKER = f"Environment:\n\nRABBITMQ_URL: a broker elsewhere (default: the embedded stack's)\n\n{_HOME}"

app = typer.Typer(
    name="baton",
    help="BPMN hands the baton to people and to workers, and back.",
    epilog=_OF_API,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up", epilog=_OF_STACK)(stack.start_stack)
app.command("down", epilog=_OF_STACK)(stack.stop_stack)
app.command("status", epilog=_OF_STACK)(stack.show_status)
app.command("logs", epilog=_OF_STACK)(stack.show_logs)
app.command("reset", epilog=_OF_STACK)(stack.reset)
app.command("doctor", epilog=_OF_STACK)(doctor.run_doctor)
app.command("demo", epilog=_OF_STACK)(demo.run_demo)
app.command("deploy", epilog=_OF_API)(deploy.deploy)
app.command("start", epilog=_OF_API)(process.start)
app.command("tasks", epilog=_OF_API)(process.list_tasks)
app.command("complete", epilog=_OF_API)(complete.complete)
app.add_typer(incidents.app, name="incidents", epilog=_OF_API)
app.command("topics", cls=WatchCommand, epilog=_OF_API)(topics.list_topics)
app.command("worker", epilog=_OF_BROKER)(workers.run_worker)
app.command("workers", cls=WatchCommand, epilog=_OF_BROKER)(workers.list_workers)
app.command("queues", cls=WatchCommand, epilog=_OF_BROKER)(workers.list_queues)
app.add_typer(known_handlers.app, name="handlers", epilog=_OF_STACK)
app.command("templates")(templates.write_templates)
app.add_typer(new.app, name="new")


def _print_version(wanted: bool) -> None:
    if wanted:
        console.print(f"baton {version('baton-flow')}", markup=False)
        raise typer.Exit


@app.callback(help="BPMN hands the baton to people and to workers, and back.")
def show_version(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Read the options that stand before a command."""


def run() -> None:
    """Run the console script: an error of the tree is one clear line and an exit code, never a traceback.

    With --json a program finds the reason on standard output too.
    """
    as_json = "--json" in sys.argv[1:]
    try:
        app()
    except BatonError as error:
        if as_json:
            print_json({"errors": list_error_entries(error)})
        errors.print(f"baton: {format_error(error)}", style="red", markup=False)
        sys.exit(exit_code(error))
    except OSError as error:  # the disk is full, a file is not ours: the system's own words say it best
        place = f"{error.filename}: " if error.filename else ""
        said = f"{place}{error.strerror or error}"
        if as_json:
            print_json({"errors": [{"code": "failed", "message": said}]})
        errors.print(f"baton: {said}", style="red", markup=False)
        sys.exit(FAILED)
