"""The command `baton`."""

import sys

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
from baton.cli.errors import FAILED, exit_code, format_error
from baton.cli.output import errors
from baton.cli.watch import WatchCommand
from kit.errors import BatonError

__all__ = ["app", "run"]

app = typer.Typer(
    name="baton",
    help="BPMN hands the baton to people and to workers, and back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(stack.start_stack)
app.command("down")(stack.stop_stack)
app.command("status")(stack.show_status)
app.command("logs")(stack.show_logs)
app.command("reset")(stack.reset)
app.command("doctor")(doctor.run_doctor)
app.command("demo")(demo.run_demo)
app.command("deploy")(deploy.deploy)
app.command("start")(process.start)
app.command("tasks")(process.list_tasks)
app.command("complete")(complete.complete)
app.add_typer(incidents.app, name="incidents")
app.command("topics", cls=WatchCommand)(topics.list_topics)
app.command("worker")(workers.run_worker)
app.command("workers", cls=WatchCommand)(workers.list_workers)
app.command("queues", cls=WatchCommand)(workers.list_queues)
app.command("templates")(templates.write_templates)
app.add_typer(new.app, name="new")


def run() -> None:
    """Run the console script: an error of the tree is one clear line and an exit code, never a traceback."""
    try:
        app()
    except BatonError as error:
        errors.print(f"baton: {format_error(error)}", style="red", markup=False)
        sys.exit(exit_code(error))
    except OSError as error:  # the disk is full, a file is not ours: the system's own words say it best
        place = f"{error.filename}: " if error.filename else ""
        errors.print(f"baton: {place}{error.strerror or error}", style="red", markup=False)
        sys.exit(FAILED)
