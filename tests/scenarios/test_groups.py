"""Tasks that are offered to a group in Telegram: filled there by one person while the others look on, or in private."""

import asyncio
import json
import signal
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from baton.sandbox.person import SandboxPerson, Shown
from bpmn.engine.types import Task
from shared.models import form_ref, model

Join = Callable[..., Awaitable[SandboxPerson]]
# A bot that was killed comes back, and so do the updates that it had taken.
PATIENCE = timedelta(seconds=60)
FORM = {
    "id": "review",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        {"type": "textfield", "key": "verdict", "label": "Verdict", "validate": {"required": True}},
        {"type": "checkbox", "key": "again", "label": "Again"},
    ],
}


@pytest.fixture(scope="module")
async def key(house: Any) -> str:
    key = f"group-{uuid.uuid4().hex[:8]}"
    form = json.dumps(FORM).encode()
    review = f'name="Review it" camunda:candidateGroups="chat:${{chat}}" {form_ref("review")}'
    await house.engine.deploy(key, {f"{key}.bpmn": model(key, review), "review.form": form})
    return key


async def offered(house: Any, key: str, there: SandboxPerson) -> Task:
    """A new task that is offered to the group where `there` is."""
    instance = await house.engine.start(key, variables={"chat": str(there.chat_id)})
    (task,) = await house.engine.list_tasks(process_instance_id=instance.id)
    return task  # type: ignore[no-any-return]


async def prompted(there: SandboxPerson, question: str) -> Shown:
    """The message that the person is made to reply to."""
    return await there.see(lambda message: message.forces_reply and question in message.text)


def token_of(card: Shown) -> str:
    return card.links["In private chat"].partition("?start=")[2]


async def test_a_task_is_filled_in_the_group_by_whoever_takes_it(house: Any, join: Join, key: str) -> None:
    ada, bob = await join(name="Ada"), await join(name="Bob")
    ada_there = await ada.create_group("Crew", bob)
    bob_there = bob.open_chat(ada_there)
    task = await offered(house, key, ada_there)
    card = await ada_there.see("✋ Fill in here")
    assert (card.text, list(card.links)) == (
        f"📌 Review it · {key}\nAnyone here can take this task.",
        ["In private chat"],
    )
    assert await ada_there.press("Fill in here", on=card) is None
    prompt = await prompted(ada_there, "Verdict")
    assert prompt.text == "↩️ Ada, reply to this message: Verdict"
    await bob_there.see("👤 Taken by Ada.", on=card.message_id)
    assert await bob_there.press("Continue") == "Ada has already taken this task."
    assert await bob_there.press("Cancel", on=await bob_there.see("1 of 2")) == "Ada is filling in this form."
    await bob_there.say("bad", reply_to=prompt)
    await ada_there.say("never mind me")
    await ada_there.say("good", reply_to=prompt)
    asked = await ada_there.see("2 of 2")
    assert asked.text.startswith("👤 Ada\n")
    assert prompt.message_id not in {message.message_id for message in await ada_there.look()}
    assert await bob_there.press("Yes", on=await bob_there.see("2 of 2")) == "Ada is filling in this form."
    await ada_there.press("Yes", on=asked)
    await ada_there.press("Submit", on=await ada_there.see("Submit"))
    done = await bob_there.see("✅ Ada, ", on=card.message_id)
    assert done.buttons == ()
    assert await house.engine.list_history_variables(task.process_instance_id) == {
        "chat": str(ada_there.chat_id), "verdict": "good", "again": True,
    }  # fmt: skip
    assert str(await bob_there.press("Fill in here", on=card)).startswith("Ada has already completed this task")
    assert len([message for message in await bob_there.look() if "📌" in message.text]) == 1


async def test_one_of_two_concurrent_claims_gets_the_task(house: Any, join: Join, key: str) -> None:
    ada, bob = await join(name="Ada"), await join(name="Bob")
    ada_there = await ada.create_group("Crew", bob)
    task = await offered(house, key, ada_there)
    card = await ada_there.see("✋ Fill in here")
    alert, _ = await asyncio.gather(ada_there.press("Fill in here", on=card), bob.start(token_of(card)))
    if alert is None:
        await prompted(ada_there, "Verdict")
        await bob.see("Ada has already taken this task.")
    else:
        assert alert == "Bob has already taken this task."
        await bob.see("Verdict")
    winner = ada if alert is None else bob
    assert (await house.engine.fetch_task(task.id)).assignee == f"telegram-{winner.user_id}"
    await ada_there.see(f"👤 Taken by {winner.name}.", on=card.message_id)


async def test_cancelled_task_returns_and_is_taken_in_private(house: Any, join: Join, key: str) -> None:
    ada, bob, eve = await join(name="Ada"), await join(name="Bob"), await join(name="Eve")
    ada_there = await ada.create_group("Crew", bob)
    task = await offered(house, key, ada_there)
    card = await ada_there.see("✋ Fill in here")
    await ada_there.press("Fill in here", on=card)
    await ada_there.see("👤 Taken by Ada.", on=card.message_id)
    question = await ada_there.see("1 of 2")
    await ada_there.press("Cancel", on=question)
    await ada_there.see("returned the task", on=question.message_id)
    card = await ada_there.see("✋ Fill in here", on=card.message_id)
    await eve.start(token_of(card))
    await eve.see("a group you are not a member of")
    assert (await house.engine.fetch_task(task.id)).assignee is None
    await bob.start(token_of(card))
    await bob.say("fine", reply_to=await bob.see("Verdict"))
    await bob.press("Yes", on=await bob.see("2 of 2"))
    await bob.press("Submit", on=await bob.see("Submit"))
    await bob.see("Done. Thank you!")
    await ada_there.see("✅ Bob, ", on=card.message_id)


async def test_lists_show_what_a_group_and_its_members_can_take(house: Any, join: Join, key: str) -> None:
    ada, eve = await join(name="Ada"), await join(name="Eve")
    ada_there, eve_there = await ada.create_group("Crew"), await eve.create_group("Others")
    await eve_there.say("/tasks")
    elsewhere = await eve_there.see(f"There are no tasks for this group (chat:{eve_there.chat_id}) right now.")
    task = await offered(house, key, ada_there)
    await ada_there.see("✋ Fill in here")
    await ada_there.say("/tasks")
    await ada_there.see("Anyone here can take these tasks:")
    await ada.say("/tasks")
    listed = await ada.see("✋ 1. Review it")
    await eve.say("/tasks")
    await eve.see("You have no tasks.")
    assert await eve_there.forge(f"t:c:{task.id}", on=elsewhere) == "This task is not offered to you."
    assert (await house.engine.fetch_task(task.id)).assignee is None
    await ada.press("✋", on=listed)
    await ada.see("Verdict")
    await ada_there.see("👤 Taken by Ada.")


async def test_card_and_form_survive_a_killed_bot(house: Any, join: Join, key: str) -> None:
    def verdict(message: Shown) -> bool:
        return message.forces_reply and "Verdict" in message.text

    ada = await join(name="Ada")
    ada_there = await ada.create_group("Crew")
    task = await offered(house, key, ada_there)
    card = await ada_there.see("✋ Fill in here")
    pressing = asyncio.create_task(ada_there.open_chat(ada_there).press("Fill in here", on=card))
    first = await ada_there.see(verdict)
    house.signal_all("bot", signal.SIGKILL)  # mostly before the prompt is noted, and so it is asked twice
    await pressing
    await ada_there.say("good", reply_to=first)
    asked = await ada_there.see("2 of 2", patience=PATIENCE)
    assert first.message_id not in {message.message_id for message in await ada_there.look()}
    house.signal_all("bot", signal.SIGKILL)
    await ada_there.press("Yes", on=asked)
    summary = await ada_there.see("Submit", patience=PATIENCE)
    await ada_there.press("Submit", on=summary)
    house.signal_all("bot", signal.SIGKILL)
    await ada_there.see("✅ Ada, ", on=card.message_id, patience=PATIENCE)
    told = await house.engine.list_history_variables(task.process_instance_id)
    assert (told["verdict"], told["again"]) == ("good", True)
    assert len([message for message in await ada_there.look() if "📌" in message.text]) == 1


async def test_administrator_chooses_the_language_of_cards(house: Any, join: Join, key: str) -> None:
    ada, bob = await join(name="Ada"), await join(name="Bob")
    ada_there = await ada.create_group("Crew", bob)
    bob_there = bob.open_chat(ada_there)
    await bob_there.say("/language")
    asked = await bob_there.see("in our private chat")
    assert asked.buttons == (("Choose my language",),)  # Bob is no administrator
    await bob.start(asked.links["Choose my language"].partition("?start=")[2])
    await bob.press("Русский", on=await bob.see("Choose a language."))
    await bob.see("Язык: Русский.")
    await ada_there.say("/language")
    choice = await ada_there.see("Administrators can choose another language:")
    assert str(await bob_there.press("Русский", on=choice)).startswith("Язык группы могут выбрать только")
    assert await ada_there.press("Русский", on=choice) is None
    await ada_there.see("Теперь язык сообщений для всей группы", on=choice.message_id)
    await ada_there.make_bot("administrator")  # what Telegram says of that is no new language
    await offered(house, key, ada_there)
    await ada_there.see("✋ Заполнить здесь")
