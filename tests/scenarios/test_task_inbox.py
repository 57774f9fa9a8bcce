"""/tasks in a private chat: what waits is listed, opened and taken; of several people one has it; nobody has more."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from baton.sandbox.person import SandboxPerson
from bpmn.engine.types import Task
from shared.models import form_ref, model

Join = Callable[..., Awaitable[SandboxPerson]]
FORM = {
    "id": "review",
    "type": "default",
    "schemaVersion": 19,
    "components": [{"type": "textfield", "key": "verdict", "label": "Verdict", "validate": {"required": True}}],
}


async def waiting(house: Any, whose: str, **variables: str) -> Task:
    """A task of a new process; `whose` is what the model says about that."""
    key = f"inbox-{uuid.uuid4().hex[:8]}"
    review = f'name="Review it" {whose} {form_ref("review")}'
    await house.engine.deploy(key, {f"{key}.bpmn": model(key, review), "review.form": json.dumps(FORM).encode()})
    instance = await house.engine.start(key, variables=variables)
    (task,) = await house.engine.list_tasks(process_instance_id=instance.id)
    return task  # type: ignore[no-any-return]


async def offered(house: Any, *people: SandboxPerson) -> Task:
    names = ",".join(f"telegram-{person.user_id}" for person in people)
    return await waiting(house, 'camunda:candidateUsers="${people}"', people=names)


async def test_one_of_two_claims_wins_and_the_other_reads_who(house: Any, join: Join) -> None:
    ada, bob = await join(name="Ada"), await join(name="Bob")
    for person in (ada, bob):
        await person.say("/tasks")
        await person.see("You have no tasks.")
    task = await offered(house, ada, bob)
    for person in (ada, bob):
        await person.say("/tasks")
        await person.see("✋ 1. Review it")
    alerts = await asyncio.gather(ada.press("✋"), bob.press("✋"))
    winner, loser = (ada, bob) if alerts[0] is None else (bob, ada)
    assert sorted(map(str, alerts)) == sorted(["None", f"{winner.name} has already taken this task."])
    await winner.see("Verdict")
    assert await loser.press("✋") == f"{winner.name} has already taken this task."
    await winner.say("good")
    await winner.see("Done. Thank you!")
    assert "already" in str(await loser.press("✋"))
    assert await house.engine.list_history_variables(task.process_instance_id) == {
        "people": f"telegram-{ada.user_id},telegram-{bob.user_id}", "verdict": "good",
    }  # fmt: skip
    await loser.say("/tasks")
    await loser.see("You have no tasks.")


async def test_cancelling_returns_the_task_and_keeps_the_answers(house: Any, join: Join) -> None:
    ada, bob = await join(), await join()
    task = await offered(house, ada, bob)
    await ada.say("/tasks")
    await ada.press("✋", on=await ada.see("✋ 1. Review it"))
    await ada.press("Cancel", on=await ada.see("Verdict"))
    await ada.see("returned the task")
    assert (await house.engine.fetch_task(task.id)).assignee is None
    await bob.say("/tasks")
    await bob.press("✋", on=await bob.see("✋ 1. Review it"))
    await bob.see("Verdict")
    assert (await house.engine.fetch_task(task.id)).assignee == f"telegram-{bob.user_id}"
    await bob.say("/cancel")
    await bob.see("returned the task")
    await ada.press("✋", on=await ada.see("✋ 1. Review it"))
    await ada.see("Verdict")


async def test_forged_button_does_not_open_a_task_of_another(house: Any, join: Join) -> None:
    ada, eve = await join(), await join()
    mine = 'camunda:assignee="${who}"'
    task = await waiting(house, mine, who=f"telegram-{ada.user_id}")
    other = await offered(house, ada)
    await eve.say("/help")
    shown = await eve.see("/tasks — show my tasks")
    await eve.forge(f"t:o:{task.id}", on=shown)
    await eve.see("This task belongs to someone else.")
    assert await eve.forge(f"t:c:{other.id}", on=shown) == "This task is not offered to you."
    assert await eve.forge(f"t:c:{task.id}", on=shown) == "This task is not offered to you."
    assert await eve.forge("t:c:nothing", on=shown) == "This task is no longer open."
    assert "out of date" in str(await eve.forge("t:x:y", on=shown))
    assert (await house.engine.fetch_task(other.id)).assignee is None
    await ada.say("/tasks")
    listed = await ada.see("✋ 2. Review it")
    await ada.press("▶️ 1. Review it", on=listed)
    await ada.see("Verdict")
    await ada.say("fine")
    await ada.see("All done")
    assert (await house.engine.fetch_history_task(task.id)).delete_reason == "completed"
