"""The command `baton`."""

import sys

import typer

from baton.cli import complete, demo, deploy, doctor, incidents, new, process, stack, templates, topics, workers
from baton.cli.errors import FAILED, exit_code, words_of
from baton.cli.output import errors
from baton.cli.watch import WatchCommand
from bpmn.errors import BatonError

__all__ = ["app", "run"]

app = typer.Typer(
    name="baton",
    help="BPMN hands the baton to people and to workers, and back.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(stack.up)
app.command("down")(stack.down)
app.command("status")(stack.status)
app.command("logs")(stack.logs)
app.command("reset")(stack.reset)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.command("deploy")(deploy.deploy)
app.command("start")(process.start)
app.command("tasks")(process.tasks)
app.command("complete")(complete.complete)
app.add_typer(incidents.app, name="incidents")
app.command("topics", cls=WatchCommand)(topics.topics)
app.command("worker")(workers.worker)
app.command("workers", cls=WatchCommand)(workers.workers)
app.command("queues", cls=WatchCommand)(workers.queues)
app.command("templates")(templates.templates)
app.add_typer(new.app, name="new")


def run() -> None:
    """The console script: an error of the tree is one clear line and an exit code, never a traceback."""
    try:
        app()
    except BatonError as error:
        errors.print(f"baton: {words_of(error)}", style="red", markup=False)
        sys.exit(exit_code(error))
    except OSError as error:  # the disk is full, a file is not ours: the system's own words say it best
        place = f"{error.filename}: " if error.filename else ""
        errors.print(f"baton: {place}{error.strerror or error}", style="red", markup=False)
        sys.exit(FAILED)
