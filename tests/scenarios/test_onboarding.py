"""The onboarding as people live it: through Telegram, the engine, Celery, a real language model, and back."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.sandbox.onboarding import OnboardingAnswers, fill_profile, walk_onboarding
from baton.sandbox.person import SandboxPerson
from scenarios.onboarding import PATH

pytestmark = pytest.mark.usefixtures("model")

Join = Callable[..., Awaitable[SandboxPerson]]
# The lock of a killed worker has to end, and the worker has to start again.
AFTER_A_KILL = timedelta(seconds=100)


async def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is watched are processes and log files
            await asyncio.sleep(0.05)


async def up_to_the_profile(person: SandboxPerson) -> None:
    await person.say("/start")
    await person.see("English")
    await person.press("English")
    await person.see("1 of 4")


def welcomes(person: SandboxPerson) -> list[int]:
    """Messages that carry the two last buttons now or carried them: what a person would count."""
    return [m.message_id for m in person.messages.values() if m.text.startswith("Welcome")]


async def test_onboarding_ends_with_the_answers_in_the_engine(house: Any, join: Join) -> None:
    person = await join()
    welcome = await walk_onboarding(person)
    assert welcome.text.startswith("Welcome\n\n")
    assert len(welcome.text) > len("Welcome\n\n") + 10
    assert await house.path_of(person) == PATH
    instance = await house.instance_of(person)
    assert instance.state == "COMPLETED"
    variables = await house.engine.list_history_variables(instance.id)
    expected = {
        "locale": "en", "name": "Ada", "role": "developer", "newsletter": True, "interests": ["workflows", "llm"],
        "action_join": True, "action_later": False, "initiator": f"telegram-{person.user_id}", "surface": "telegram",
    }  # fmt: skip
    assert {name: variables[name] for name in expected} == expected
    assert str(variables["answer"]).split()[0] in welcome.text


def form_calls(house: Any, task_id: str) -> Counter[str]:
    """What engine-api has been asked for about a task's form; each costs the engine a few calls."""
    lines = (json.loads(line) for line in house.log("engine-api").splitlines() if line.startswith("{"))
    paths = (f"{line['method']} {line['path']}" for line in lines if line["event"] == "request")
    return Counter(path.rpartition("/")[2] for path in paths if f"/task/{task_id}/" in path)


async def test_a_tap_in_a_form_costs_the_engine_nothing(house: Any, join: Join) -> None:
    person = await join()
    await up_to_the_profile(person)
    (task,) = await house.engine.list_tasks(process_instance_id=(await house.instance_of(person)).id)
    assert form_calls(house, task.id) == {"form": 1}
    await person.say("Ada")
    await person.see("Developer")
    await person.press("Developer")
    await person.see("Yes")
    await person.press("Yes")
    await person.see("Workflows")
    await person.press("Workflows")
    await person.see("☑ Workflows")
    await person.press("Done")
    await person.see("Submit")
    assert form_calls(house, task.id) == {"form": 1}
    await person.press("Submit")
    await person.see("One moment")
    assert form_calls(house, task.id) == {"form": 1, "submit-form": 1}


async def test_it_speaks_russian_with_a_person_who_does(house: Any, join: Join) -> None:
    person = await join("ru")
    await person.say("/start")
    await person.see("Какой язык вам удобнее?")
    await person.press("Русский")
    await person.see("1 из 4")
    await person.say("Ада")
    await person.see("Разработчик")
    await person.press("Разработчик")
    await person.press((await person.see("Да")).label("Да") or "")
    await person.see("Рабочие процессы")
    await person.press("Рабочие процессы")
    await person.see("☑ Рабочие процессы")
    await person.press("Готово")
    await person.see("Отправить")
    await person.press("Отправить")
    await person.see("Вступить в сообщество", patience=timedelta(seconds=60))
    await person.press("Возможно, позже")
    await person.see("Спасибо")
    variables = await house.engine.list_history_variables((await house.instance_of(person)).id)
    assert (variables["locale"], variables["action_later"]) == ("ru", True)


async def test_wrong_input_is_explained_and_the_question_stays(house: Any, join: Join) -> None:
    person = await join()
    await up_to_the_profile(person)
    await person.say("x" * 61)
    shown = await person.see("Too long: 61 characters, the maximum is 60")
    assert "1 of 4" in shown.text
    await person.say("Ada <b>&")
    await person.see("2 of 4")
    await person.say("astronaut")
    shown = await person.see("This is not one of the options")
    assert "2 of 4" in shown.text
    await person.say("designer")  # the label of a button may be typed as well
    await person.see("3 of 4")
    await person.press("Yes")
    await person.see("4 of 4")
    await person.press("Done")
    await person.see("choose at least one")
    await person.press("Solana")
    await person.see("☑ Solana")
    await person.press("Done")
    assert "Ada <b>&" in (await person.see("check your answers")).text


async def test_stale_button_is_refused_with_an_alert(house: Any, join: Join) -> None:
    person = await join()
    await person.say("/start")
    language = await person.see("English")
    await person.press("English")
    await person.see("1 of 4")
    assert "out of date" in (await person.press("Русский", on=language) or "")
    assert await person.press("English", on=language) is None  # a finger that pressed twice
    await person.say("Ada")
    await person.see("2 of 4")
    old = await person.see("Developer")
    await person.press("Developer")
    await person.see("3 of 4")
    assert "out of date" in (await person.press("Designer", on=old) or "")
    await person.press("No")
    await person.see("4 of 4")
    variables = await house.engine.list_variables((await house.instance_of(person)).id)
    assert variables["locale"] == "en"


async def test_a_person_may_put_the_form_aside_and_go_on_later(house: Any, join: Join) -> None:
    person = await join()
    await up_to_the_profile(person)
    await person.say("Ada")
    await person.see("2 of 4")
    await person.say("/cancel")
    await person.see("Saved.")
    await person.say("hello?")
    await person.see("Nothing to answer")
    await person.say("/start")
    assert "2 of 4" in (await person.see("Developer")).text
    assert len(await house.engine.list_tasks(assignee=f"telegram-{person.user_id}")) == 1


async def test_starting_twice_does_not_start_twice(house: Any, join: Join) -> None:
    person = await join()
    await asyncio.gather(*(person.say("/start") for _ in range(3)))
    await person.see("English")
    await asyncio.sleep(1)
    key = f"onboarding:telegram-{person.user_id}"
    assert len(await house.engine.list_history_processes(business_key=key)) == 1


async def test_killed_bot_continues_at_the_same_field(house: Any, join: Join) -> None:
    person = await join()
    await up_to_the_profile(person)
    await person.say("Ada")
    question = await person.see("2 of 4")
    await asyncio.sleep(0.5)  # what is shown is saved right after; killed in between, the bot would show it again
    house.signal_all("bot", signal.SIGKILL)
    # Said while nobody listens: Telegram keeps it.
    pressing = asyncio.create_task(person.press("Designer", on=question))
    await until(lambda: house.stack.runs["bot"].state == "ready" and house.stack.runs["bot"].restarts > 0)
    await pressing
    shown = await person.see("3 of 4")
    assert shown.message_id == question.message_id
    await person.press("No")
    await person.see("4 of 4")


async def test_killed_worker_still_brings_one_answer(house: Any, join: Join) -> None:
    person = await join()
    await up_to_the_profile(person)
    house.signal_all("llm", signal.SIGSTOP)  # so that the worker is in the middle for as long as we want
    try:
        await fill_profile(person, OnboardingAnswers())
        await person.see("One moment")
        instance = await house.instance_of(person)
        await until(lambda: _started(house, instance.id) == 1)
        house.signal_all("worker-llm", signal.SIGKILL)
    finally:
        house.signal_all("llm", signal.SIGCONT)
    await person.see("Join", patience=AFTER_A_KILL)
    await person.press("Join")
    await person.see("✅")
    await asyncio.sleep(1)
    await person.look()
    assert len(welcomes(person)) == 1
    assert await house.path_of(person) == PATH
    assert _ended(house, instance.id) == 1


async def test_killed_bridge_still_brings_one_answer(house: Any, join: Join) -> None:
    person = await join()
    await up_to_the_profile(person)
    house.signal_all("llm", signal.SIGSTOP)
    try:
        await fill_profile(person, OnboardingAnswers())
        instance = await house.instance_of(person)
        await until(lambda: _started(house, instance.id) == 1)
        house.signal_all("bridge", signal.SIGKILL)
    finally:
        house.signal_all("llm", signal.SIGCONT)
    await person.see("Join", patience=AFTER_A_KILL)
    await person.press("Join")
    await person.see("✅")
    assert len(welcomes(person)) == 1
    assert await house.path_of(person) == PATH


async def test_button_works_again_after_engine_api_was_killed(house: Any, join: Join) -> None:
    person = await join()
    await person.say("/start")
    await person.see("English")
    run = house.stack.runs["engine-api"]
    restarts = run.restarts
    house.signal_all("engine-api", signal.SIGKILL)
    assert "try again" in (await person.press("English") or "")
    await until(lambda: run.restarts > restarts and run.state == "ready")
    await person.press("English")
    await person.see("1 of 4")
    assert len(await house.engine.list_tasks(assignee=f"telegram-{person.user_id}")) == 1


async def test_a_person_who_blocks_the_bot_disturbs_nobody(house: Any, join: Join) -> None:
    person, other = await join(), await join()
    await person.say("/start")
    await person.see("English")
    async with person.http.post(f"{person.url}/sandbox/users/{person.user_id}/block", json={"blocked": True}) as answer:
        assert answer.status == 200
    await up_to_the_profile(other)


async def test_help_names_the_commands_in_the_persons_language(join: Join) -> None:
    person = await join("ru")
    await person.say("/help")
    shown = await person.see("/start")
    assert "/cancel — отложить текущую форму" in shown.text


def _started(house: Any, instance_id: str) -> int:
    return _events(house, instance_id, "started")


def _ended(house: Any, instance_id: str) -> int:
    return _events(house, instance_id, "ended")


def _events(house: Any, instance_id: str, event: str) -> int:
    lines = house.log("worker-llm").splitlines()
    return sum(instance_id in line and f'"event": "{event}"' in line for line in lines)
