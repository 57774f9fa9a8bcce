"""People send what no form wants, and things go wrong under an open form: they are told, and nothing is lost."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from baton.sandbox.person import SandboxPerson
from scenarios.fields import Field, form, live, submit, text

Join = Callable[..., Awaitable[SandboxPerson]]


async def refuse(person: SandboxPerson, method: str, error_code: int) -> None:
    """The next call of the method fails."""
    fault = {"method": method, "error_code": error_code, "count": 1}
    async with person.http.post(f"{person.url}/sandbox/faults", json=fault) as answer:
        answer.raise_for_status()


PDF = b"%PDF-1.7\n" + bytes(100)


async def test_unfit_file_is_refused_and_another_one_taken(join: Join, field: Field) -> None:
    person = await join()
    key = await field.asks(person, {"type": "filepicker", "key": "cv", "label": "Cv", "accept": ".pdf"}, text("name"))
    await person.send_file("big.pdf", bytes(21 * 2**20))
    await person.see("The limit is 20 MB")
    await person.send_file("cat.png", b"\x89PNG", content_type="image/png")
    await person.see("cat.png cannot be used here")
    await person.send_file("letter.pdf", b"\x89PNG\r\n\x1a\n" + bytes(100), content_type="application/pdf")
    await person.see("does not match its name")
    await person.say("my cv")
    told = await person.see(live("⚠️ Please send a file."))
    await person.send_contact()
    await person.see(live("⚠️ Please send a file.", below=told))
    for error_code in (400, 403, 404):
        await refuse(person, "getFile", error_code)
        await person.send_file(f"try-{error_code}.pdf", PDF, content_type="application/pdf")
        told = await person.see(live("Please send it again.", below=told))
        assert "Cv" in told.text, "and the question stands there again"
    for error_code in (429, 500):
        await refuse(person, "getFile", error_code)
    await person.send_file("../../etc/<b>passwd.pdf", PDF, content_type="application/pdf")
    await person.see("Name")
    await person.say("Ada")
    await submit(person)
    kept = (await field.left(key, person))["cv"]
    assert "passwd" in kept.filename
    assert "/" not in kept.filename


async def test_buttons_and_tasks_of_others_do_nothing(house: Any, join: Join, field: Field) -> None:
    ada, eve = await join(), await join()
    key = await field.asks(ada, text("name"), text("city"))
    await field.follow(eve, key)
    hers, his = await ada.see("1 of 2"), await eve.see("1 of 2")
    assert hers.data != his.data
    assert "out of date" in (await eve.forge(hers.data["Skip"], on=his) or "")
    assert "out of date" in (await eve.forge("x" * 64, on=his) or "")
    await eve.say("Eve")
    await ada.say("Ada")
    await ada.say("Rome")
    await submit(ada)
    assert (await field.left(key, ada))["name"] == "Ada"
    # What is given to someone else while it is being filled.
    task = await field.task(key, eve)
    await eve.say("Oslo")
    await house.engine.request("POST", f"/task/{task.id}/assignee", json={"userId": "somebody"})
    await submit(eve)
    await eve.see("This task was given to someone else.")
    assert await house.engine.fetch_task(task.id)
    await eve.say("anything")
    await eve.see("Nothing to answer right now.")


async def test_suspended_task_waits_and_deleted_one_says_so(house: Any, join: Join, field: Field) -> None:
    person = await join()
    key, summary = await field.filled(person)
    instance_id = (await field.task(key, person)).process_instance_id
    await house.engine.suspend(instance_id, suspended=True)
    assert "paused this process" in (await person.press("Submit", on=summary) or "")
    fresh = await person.see(lambda shown: shown.message_id == summary.message_id and shown.data != summary.data)
    await house.engine.suspend(instance_id, suspended=False)
    assert await person.press("Submit", on=fresh) is None
    assert (await field.left(key, person))["city"] == "Rome"

    key, asked = await field.half_filled(person)
    instance_id = (await field.task(key, person)).process_instance_id
    await house.engine.request("DELETE", f"/process-instance/{instance_id}")
    await person.say("Rome")
    await submit(person)
    await person.see(lambda shown: shown.message_id > asked.message_id and "Your answers were not sent." in shown.text)
    await person.say("and now?")
    await person.see("Nothing to answer right now.")


async def test_form_redeployed_while_open_keeps_the_answers(house: Any, join: Join, field: Field) -> None:
    person = await join()
    key, _ = await field.filled(person)
    await house.engine.deploy(key, {f"{key}.form": form(key, text("name"), text("zip"), text("city"))})
    await submit(person)
    await person.see("This form has a new version")
    await person.press("Keep: Ada", on=await person.see(live("1 of 3")))
    await person.see(live("Zip"))
    await person.say("00184")
    await person.press("Keep: Rome", on=await person.see(live("3 of 3")))
    await submit(person)
    left = await field.left(key, person)
    assert (left["name"], left["zip"], left["city"]) == ("Ada", "00184", "Rome")


CATASTROPHE = "a" * 40 + "!"
LOOP = "=" + "for i in 1..100000 return " * 3 + "i"


@pytest.mark.full  # its expressions use up their budget of time: under load it waits too long
async def test_a_form_that_was_made_to_break_can_be_filled(join: Join, field: Field) -> None:
    person = await join()
    key = await field.asks(
        person,
        {"type": "hologram", "id": "x", "key": "x", "label": "Deck 9"},
        text("name", validate={"pattern": "^(a+)+$"}),
        text("city", conditional={"hide": LOOP}),
        {"type": "text", "id": "y", "text": "{{#loop " * 50},
    )
    assert "Deck 9" in (await person.see("Name")).text, "what is not known is named"
    await person.say(CATASTROPHE)
    await person.see(live("does not work"))
    await person.say("aaa")
    await person.see(live("City"))
    await person.say("Rome")
    await submit(person)
    left = await field.left(key, person)
    assert (left["name"], left["city"]) == ("aaa", "Rome")


async def test_a_generated_form_is_filled_with_its_types(join: Join, field: Field) -> None:
    person = await join()
    key = await field.asks(person)
    await person.say("huge")
    await person.press("Small & nice", on=await person.see(live("This is not one of the options.")))
    await person.see("Day")
    await person.say("25:61")
    await person.see("⚠️")
    await person.say("2026-11-25")
    assert (await person.see(live("Seats"))).label("Keep: 2")
    await person.say("901")
    await person.see("900")
    await person.say("7")
    await person.press("Yes", on=await person.see(live("Lunch")))
    await person.press("Keep", on=await person.see(live("Note")))
    await submit(person)
    left = await field.left(key, person)
    assert (left["size"], left["seats"], left["lunch"], left["note"]) == ("s", 7, True, "none")
    assert "2026-11-25" in str(left["day"])


async def test_another_process_puts_the_open_form_aside_and_both_go_on(join: Join, field: Field) -> None:
    person = await join()
    first, _ = await field.half_filled(person)
    second = await field.asks(person, text("colour"), text("shape"))
    await person.see(f"“{first}” is saved for later.")
    await person.say("red")
    await field.follow(person, first)
    await person.see(live(f"{first} · 2 of 2"))
    await person.say("Rome")
    above = await person.see(live("check your answers"))
    await person.say("/start")
    await person.press("Submit", on=await person.see(live("check your answers", below=above)))
    assert (await field.left(first, person))["city"] == "Rome"
    await field.follow(person, second)
    await person.see(live(f"{second} · 2 of 2"))
    await person.say("round")
    await submit(person)
    await person.see("All done")
    assert (await field.left(second, person))["colour"] == "red"
