"""A conversation that was saved on the chat page is a test that runs."""

import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from baton.sandbox.onboarding import walk_onboarding
from baton.sandbox.person import SandboxPerson
from scenarios.onboarding import PATH

pytestmark = pytest.mark.usefixtures("model")

Join = Callable[..., Awaitable[SandboxPerson]]


async def test_a_saved_onboarding_runs_green(house: Any, join: Join, tmp_path: Path) -> None:
    person = await join(name="Ada Lovelace")
    await walk_onboarding(person)
    async with person.http.get(f"{person.url}/sandbox/users/{person.user_id}/scenario") as answer:
        saved = await answer.json()
    file = tmp_path / saved["file_name"]
    file.write_text(saved["source"])
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    people = []

    async def join_again(*who: str) -> SandboxPerson:
        people.append(await join(*who))
        return people[-1]

    await module.test_ada_lovelace_and_the_bot_talk(join_again)
    (again,) = people
    assert again.name == person.name
    assert await house.path_of(again) == PATH
    assert [line.text for line in again.transcript if line.who == again.name] == [
        line.text for line in person.transcript if line.who == person.name
    ]
