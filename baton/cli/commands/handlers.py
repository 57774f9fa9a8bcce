"""`baton handlers`: the modules that workers brought to the embedded stack, and how it forgets one."""

from typing import Annotated

import typer

from baton.cli.errors import Usage
from baton.cli.handlers import forget_handlers
from baton.cli.output import AsJson, build_table, console, print_json
from baton.stack.handlers import StackHandlers
from baton.stack.stack import Stack

__all__ = ["app"]

app = typer.Typer(help="Modules of handlers that workers brought to the embedded stack; forget one.")


@app.callback(invoke_without_command=True)
def list_handlers(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the modules that `baton worker --handlers` brought; the stack knows them until they are forgotten."""
    if context.invoked_subcommand is not None:
        if as_json:
            raise Usage(f"{context.invoked_subcommand} has no --json")
        return
    brought = StackHandlers(Stack.from_environment().home).list_brought()
    if as_json:
        print_json([{"module": one.name, "folder": one.folder, "exists": one.exists} for one in brought])
    elif brought:
        rows = [(one.name, one.folder, "" if one.exists else "gone") for one in brought]
        console.print(build_table(("module", "folder", ""), rows))
    else:
        console.print("no worker brought handlers of its own")


@app.command()
def forget(module: Annotated[str, typer.Argument(help="From `baton handlers`.")]) -> None:
    """Forget the handlers of a module; a bridge and workers that run start again without them."""
    stack = Stack.from_environment()
    known = [one.name for one in StackHandlers(stack.home).list_brought()]
    if module not in known:
        raise Usage(f"no worker brought {module!r}; there is {', '.join(known) or 'nothing to forget'}")
    forget_handlers(stack, module)
    console.print(f"forgot {module}", markup=False)
