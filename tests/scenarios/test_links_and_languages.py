"""People follow links into the bot and choose the language that it speaks to them."""

from collections.abc import Awaitable, Callable
from typing import Any

from baton.sandbox.person import SandboxPerson
from bot.people.links import DeepLink, DeepLinks, LinkKind

Join = Callable[..., Awaitable[SandboxPerson]]


async def test_a_link_begins_a_process_that_knows_the_campaign(house: Any, join: Join, links: DeepLinks) -> None:
    person = await join()
    await person.start(await links.make(DeepLink(LinkKind.PROCESS, "onboarding", "spring fair")))
    await person.see("English")
    instance = await house.instance_of(person)
    variables = await house.engine.list_history_variables(instance.id)
    assert (variables["campaign"], "referrer" in variables) == ("spring fair", False)


async def test_a_link_to_a_task_opens_it_for_its_person_alone(house: Any, join: Join, links: DeepLinks) -> None:
    ada, eve = await join(), await join()
    await ada.say("/start")
    await ada.press("English", on=await ada.see("English"))
    await ada.see("1 of 4")
    (task,) = await house.engine.list_tasks(process_instance_id=(await house.instance_of(ada)).id)
    token = await links.make(DeepLink(LinkKind.TASK, task.id))
    await eve.start(token)
    await eve.see("This task belongs to someone else.")
    await ada.say("/cancel")
    await ada.see("Saved.")
    await ada.start(token)
    await ada.see("1 of 4")
    await ada.say("Ada")
    await ada.see("2 of 4")


async def test_a_link_that_nobody_made_says_so(join: Join) -> None:
    person = await join("ru")
    await person.start("Nobody-made_this")
    await person.see("Ссылка недействительна или устарела.")


async def test_the_chosen_language_is_spoken_at_once_and_kept(house: Any, join: Join) -> None:
    person = await join()
    await person.say("/start")
    await person.press("English", on=await person.see("English"))
    await person.see("1 of 4")
    await person.say("/language")
    await person.press("Русский", on=await person.see("Choose a language."))
    await person.see("Язык: Русский.")
    await person.see("1 из 4")
    await person.say("Ада")
    await person.see("2 из 4")
    await person.say("/help")
    await person.see("Вот что я умею:")


async def test_a_language_that_a_form_asked_for_is_spoken_everywhere(join: Join) -> None:
    person = await join()
    await person.say("/start")
    await person.press("Русский", on=await person.see("Русский"))
    await person.see("1 из 4")
    await person.say("/help")
    await person.see("Вот что я умею:")
