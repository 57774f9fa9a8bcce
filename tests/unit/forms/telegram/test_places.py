"""Where things stand in a chat: groups around questions, what follows a last question, forms changed by others."""

from dataclasses import replace
from typing import Any

from forms.session.events import Event, Operation, Pressed, Stale, Submitted, Typed
from forms.session.state import FormSession, Glance
from forms.session.steps import apply_event
from forms.telegram import render_view
from unit.form_sessions import session_from
from unit.telegram_chat import flat


def asked(key: str, label: str = "", **properties: str) -> dict[str, Any]:
    return {"type": "textfield", "key": key, "label": label or key.upper(), "properties": properties}


def group(label: str, *components: dict[str, Any]) -> dict[str, Any]:
    return {"type": "group", "label": label, "components": list(components)}


def after(session: FormSession, *events: Event | Operation) -> FormSession:
    for event in events:
        session = apply_event(session, Pressed(session.revision, event) if isinstance(event, Operation) else event)[0]
    return session


def test_every_question_of_a_group_stands_below_its_heading() -> None:
    home = group("Home", asked("town"), group("Street", asked("name"), asked("number")))
    session = session_from(home, asked("age"))
    assert "<b><u>Home</u></b>\n\n<b>TOWN</b>" in render_view(session).text
    session = after(session, Typed("Ur"))
    assert "<b><u>Home</u></b>\n\n<b><u>Street</u></b>\n\n<b>NAME</b>" in render_view(session).text
    session = after(session, Typed("Way"))
    assert "<b><u>Home › Street</u></b>\n\n<b>NUMBER</b>" in render_view(session).text
    assert "<u>" not in render_view(after(session, Typed("1"))).text


def test_the_summary_says_where_a_group_ends() -> None:
    session = after(session_from(group("Home", asked("town")), asked("age")), Typed("Ur"), Typed("7"))
    assert "<b><u>Home</u></b>\nTOWN\n<b>Ur</b>\n\nAGE\n<b>7</b>" in render_view(session).text


def test_questions_with_one_name_are_told_apart_by_their_groups() -> None:
    session = session_from(group("Home", asked("a", "Town")), group("Work", asked("b", "Town")), asked("c", "Age"))
    summary = flat(render_view(session.move_to(None)))
    assert summary[1:4] == ["✎ Home › Town", "✎ Work › Town", "✎ Age"]


def test_contents_after_the_last_item_question_stand_below() -> None:
    total = {"type": "expression", "key": "twice", "label": "Twice", "expression": "=this.n", "computeOn": "change"}
    pets = {
        "type": "dynamiclist", "id": "pets", "path": "pets", "isRepeating": True, "allowAddRemove": True,
        "components": [asked("n"), asked("m"), {"type": "text", "text": "Thanks"}, total],
    }  # fmt: skip
    session = session_from(pets, pets=[{"n": "5", "m": ""}])
    session = apply_event(session, Pressed(session.revision, Operation.OPEN, 0))[0]
    assert "Thanks" not in render_view(session).text
    session = after(session, Typed("6"))
    assert render_view(session).text.endswith("Please type your answer.\n\nThanks\n\nTwice\n<b>6</b>")


def test_single_answer_is_submitted_at_once() -> None:
    computed = {"type": "expression", "key": "t", "label": "Twice", "expression": "=a", "computeOn": "change"}
    assert isinstance(apply_event(session_from(asked("a")), Typed("x"))[1], Submitted)
    assert isinstance(apply_event(session_from(asked("a"), computed | {"label": ""}), Typed("x"))[1], Submitted)
    assert "Twice\n<b>x</b>" in render_view(after(session_from(asked("a"), computed), Typed("x"))).text


def test_broken_address_is_named_and_breaks_nothing() -> None:
    papers = {"type": "documentPreview", "label": "Papers", "dataSource": "=found"}
    addresses = ["http://[", "https://e.org:port/", "https://e.org/a b.pdf", "ftp://e.org/x"]
    found: Any = [
        {"documentId": "1", "metadata": {"fileName": f"{number}.pdf"}, "endpoint": address}
        for number, address in enumerate(addresses)
    ]
    shown = render_view(session_from(papers, asked("a"), found=found))
    assert '↗ 0.pdf\n\n↗ <a href="https://e.org:port/">1.pdf</a>' in shown.text
    assert [button.url for row in shown.rows for button in row if button.url] == ["https://e.org/a%20b.pdf"]


def test_what_was_to_be_confirmed_may_be_gone_meanwhile() -> None:
    button = {"type": "button", "label": "Go", "properties": {"action": "go", "confirm": "true"}}
    session = session_from(asked("a"), button).move_to(None)
    for glance in ("confirm:1", "secret:1", "secret:-1", "secret:0"):
        looking = session.look_at(Glance(view=glance))
        assert flat(render_view(looking))[0] == "Go"
        for event in (Typed("x"), Pressed(looking.revision, Operation.CONFIRM)):
            assert not isinstance(apply_event(looking, event)[1], Submitted)
    kept = replace(session, glance=Glance(view="confirm:1"))
    assert isinstance(apply_event(kept, Pressed(kept.revision, Operation.CONFIRM))[1], Stale)
