"""`baton demo`: the whole house at work, with a scripted person."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Annotated

import aiohttp
import typer

from baton.cli.api import BlockingEngineApi
from baton.cli.commands.deploy import PACKAGED_NAME, list_packaged_files
from baton.cli.output import build_table, console
from baton.cli.running import RunningStack, stop_requested
from baton.sandbox.canned_model import serve_canned_answers
from baton.sandbox.onboarding import walk_onboarding
from baton.sandbox.person import SandboxPerson
from baton.stack.errors import StackError
from baton.stack.plan import ADMINISTRATOR
from baton.stack.stack import Stack
from baton.stack.supervisor import Supervisor
from bpmn.engine.client import EngineClient

__all__ = ["run_demo"]

HTTP_TIMEOUT = timedelta(seconds=60)
PATH_PATIENCE = timedelta(seconds=10)


def run_demo(
    *,
    leave: Annotated[
        bool, typer.Option("--exit", envvar="CI", help="Stop when the conversation is over (also with CI=true).")
    ] = False,
) -> None:
    """Start everything, deploy the models, and let a scripted person go through the onboarding."""
    asyncio.run(_run_demo(Stack.from_environment(), stay=sys.stdout.isatty() and not leave))


async def _run_demo(stack: Stack, *, stay: bool) -> None:
    began = time.monotonic()
    with stop_requested() as stop:
        if stack.is_running:
            console.print("the stack runs already: using it")
            await _play_conversation(stack)
            console.print(f"demo: completed in {time.monotonic() - began:.1f} s")
            return
        async with RunningStack(stack, console, stop) as supervisor:
            if "telegram" not in supervisor.runs:
                raise StackError("The demo plays in the sandbox: unset TELEGRAM_API_URL")
            async with _replace_missing_model(stack, supervisor):
                await _play_conversation(stack)
                if stay:
                    console.print("the stack stays up until Ctrl-C; the chat page is yours")
                    console.print(f"demo: completed in {time.monotonic() - began:.1f} s")
                    await stop.wait()
    if not stay:
        console.print(f"demo: completed in {time.monotonic() - began:.1f} s")


@asynccontextmanager
async def _replace_missing_model(stack: Stack, supervisor: Supervisor) -> AsyncIterator[None]:
    """Answer with a canned text where the embedded model does not run, and say so."""
    model = supervisor.runs.get("llm")
    if model is None or model.state != "failed":
        yield
        return
    _print_headline("the model")
    console.print(
        f"The language model does not run here: {model.detail}. The demo answers with a canned text instead. "
        "Set OPENAI_BASE_URL, OPENAI_API_KEY and OPENAI_MODEL to use another model.",
        markup=False,
    )
    async with serve_canned_answers(str(model.server.url), stack.secrets["llm_key"]):
        yield


async def _play_conversation(stack: Stack) -> None:
    api = BlockingEngineApi.from_environment()
    deployed = await asyncio.to_thread(api.deploy, PACKAGED_NAME, list_packaged_files())
    states = ", ".join(f"{entry['name']} {entry['state']}" for entry in deployed["resources"])
    console.print(f"deployed: {states}", markup=False)
    urls = stack.urls
    timeout = aiohttp.ClientTimeout(total=HTTP_TIMEOUT.total_seconds())
    async with aiohttp.ClientSession(timeout=timeout) as http:
        person = await SandboxPerson.join(http, urls["telegram"], "Ada")
        try:
            await walk_onboarding(person)
        finally:
            _print_conversation(person)
    await _print_path(stack, urls["engine"], person)
    _print_urls(stack, urls, person)


def _print_headline(text: str) -> None:
    console.print(f"\n── {text} ──", style="bold")


def _print_conversation(person: SandboxPerson) -> None:
    _print_headline("the conversation")
    rows = [
        (f"{line.after.total_seconds():.2f} s" if line.who != person.name else "", line.who, line.text)
        for line in person.transcript
    ]
    console.print(build_table(("after", "who", "says"), rows))


async def _print_path(stack: Stack, engine_url: str, person: SandboxPerson) -> None:
    """Print the way of the instance through the model, from the engine's history."""
    async with EngineClient(engine_url, stack.secrets["engine_token"]) as engine:
        (instance, *_) = await engine.list_history_processes(business_key=f"onboarding:telegram-{person.user_id}")
        deadline = time.monotonic() + PATH_PATIENCE.total_seconds()
        while instance.end is None and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            instance = await engine.fetch_history_process(instance.id)
        steps = await engine.list_history_activities(instance.id)
    _print_headline("the process's path")
    console.print(" → ".join(step.name or step.activity_id for step in steps), markup=False)
    if instance.end is None:
        raise StackError(f"the instance {instance.id} has not ended: look at it in Cockpit or by `baton tasks`")
    took = (instance.end - instance.start).total_seconds()
    console.print(f"{instance.business_key}: {instance.state.lower()} after {took:.1f} s", markup=False)


def _print_urls(stack: Stack, urls: dict[str, str], person: SandboxPerson) -> None:
    _print_headline("look around")
    engine = urls["engine"].removesuffix("/engine-rest")
    rows = [
        ("chat page", f"{urls['telegram']}/?user={person.user_id}"),
        ("Cockpit", f"{engine}/camunda/app/cockpit/default/"),
        ("", f"user {ADMINISTRATOR}, password in {stack.home.folder / 'secrets.json'} (admin_password)"),
        ("API docs", f"{urls['engine-api']}/docs"),
    ]
    console.print(build_table(("what", "where"), rows))
