"""Drafts on a real Valkey: one for each task and person, nothing lost between two writers, no secret written."""

import asyncio
import json
import os
import signal
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.supervisor import Supervisor
from drafts import changes as changes_module
from drafts.changes import DraftChange
from drafts.errors import DraftConflict, DraftGone
from drafts.store import Drafts, make_session_id
from forms.session.events import Operation, Pressed, Typed
from forms.session.state import FormSession, Status, Subject, Surface
from forms.session.steps import apply_event, open_session
from shared.whole_redis import kept_in_redis

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CHAT = Surface("telegram", 7, 70)
PAGE = Surface("web")


def form(*components: dict[str, Any]) -> dict[str, Any]:
    return {"type": "default", "id": "asks", "schemaVersion": 19, "components": list(components)}


def field(key: str, kind: str = "textfield", **more: Any) -> dict[str, Any]:
    return {"type": kind, "id": f"f_{key}", "key": key, "label": key, **more}


FORM = form(field("name"), field("age", "number"), field("city"))


def session_of(schema: dict[str, Any] = FORM, *, user: str = "ada", task: str = "", **variables: Any) -> FormSession:
    subject = Subject(task or uuid.uuid4().hex, "step", "instance")
    return open_session(
        FormSession(make_session_id(), subject, user, "en", "Europe/Berlin", "Title", schema, variables)
    )


@pytest.fixture
def drafts(client: redis.asyncio.Redis) -> Drafts:
    return Drafts(client, prefix=f"test:{uuid.uuid4().hex}")


def another(drafts: Drafts) -> Drafts:
    """The same drafts as another process sees them."""
    return Drafts(drafts._redis, prefix=drafts._prefix)


async def everything_in(client: redis.asyncio.Redis, drafts: Drafts) -> str:
    found = []
    async for key in client.scan_iter(f"{drafts._prefix}:*"):
        found.append(key)
        match await client.type(key):
            case "hash":
                found.append(json.dumps(await client.hgetall(key)))
            case "string":
                found.append(await client.get(key))
    return "\n".join(found)


async def test_a_draft_comes_back_as_it_was(drafts: Drafts) -> None:
    session, _ = apply_event(session_of(city="Kyiv"), Typed("Ada"))
    assert (await drafts.open_or_get(session)).session == session
    read = (await another(drafts).get(session.id)).session
    assert read == session
    assert (read.data, read.cursor, read.touched) == (session.data, ("age",), {("name",)})
    for event in (Typed("36"), Pressed(read.revision + 1, Operation.PAGE, 3)):
        following, _ = apply_event(read, event)
        await drafts.save(following, read.revision)
        read = (await another(drafts).get(session.id)).session
        assert read == following


async def test_a_draft_that_was_worked_out_is_not_worked_out_again(drafts: Drafts) -> None:
    session = session_of()
    await drafts.open_or_get(session)
    read = (await drafts.get(session.id)).session
    after, _ = apply_event(read.advance_revision(), Typed("Ada"))
    await drafts.save(after, read.revision)
    await drafts.show(session.id, CHAT)
    again = (await drafts.get(session.id)).session
    assert again == replace(after, surfaces=(CHAT,)) == (await another(drafts).get(session.id)).session
    assert again.form is after.form


async def test_a_draft_that_another_process_changed_is_read_anew(drafts: Drafts) -> None:
    session = session_of()
    await drafts.open_or_get(session)
    mine = (await drafts.get(session.id)).session
    theirs, _ = apply_event((await another(drafts).get(session.id)).session.advance_revision(), Typed("Grace"))
    await another(drafts).save(theirs, mine.revision)
    assert (await drafts.get(session.id)).session == theirs
    with pytest.raises(DraftConflict):
        await drafts.save(apply_event(mine.advance_revision(), Typed("Ada"))[0], mine.revision)
    assert (await drafts.get(session.id)).session == theirs


@pytest.mark.parametrize(
    "more",
    [{"properties": {"sensitive": "true"}}, {"label": "{{now()}}"}, {"conditional": {"hide": "=today() > due"}}],
    ids=["secret", "template", "condition"],
)
async def test_secrets_and_clock_values_are_not_remembered(drafts: Drafts, more: dict[str, Any]) -> None:
    session = session_of(form(field("name"), field("other", **more)))
    await drafts.open_or_get(session)
    read = (await drafts.get(session.id)).session
    after, _ = apply_event(read.advance_revision(), Typed("Ada"))
    await drafts.save(after, read.revision)
    again = (await drafts.get(session.id)).session
    assert again == (await another(drafts).get(session.id)).session
    assert not drafts._recent._known


async def test_a_draft_in_another_language_keeps_its_own(drafts: Drafts) -> None:
    session = session_of()
    await drafts.open_or_get(session)
    read = (await drafts.get(session.id)).session
    await drafts.save(read.localise("Titel", "ru").advance_revision(), read.revision)
    assert (await drafts.get(session.id)).session == (await another(drafts).get(session.id)).session


async def test_of_several_who_open_a_form_at_once_all_get_one_draft(drafts: Drafts) -> None:
    first = session_of()
    sessions = [replace(first, id=make_session_id()) for _ in range(20)]
    found = await asyncio.gather(*(drafts.open_or_get(session) for session in sessions))
    assert len({draft.session.id for draft in found}) == 1
    other = await drafts.open_or_get(session_of(user="grace", task=first.subject.id))
    assert other.session.id != found[0].session.id
    assert {draft.session.user_id for draft in await drafts.of_task(first.subject.id)} == {"ada", "grace"}
    mine = await drafts.of(first.subject, "ada")
    assert mine is not None
    assert mine.session.id == found[0].session.id


async def test_an_id_that_is_taken_is_not_given_twice(drafts: Drafts) -> None:
    first = session_of()
    await drafts.open_or_get(first)
    other = (await drafts.open_or_get(replace(session_of(), id=first.id))).session
    assert other.id != first.id
    assert (await drafts.get(first.id)).session.subject == first.subject


async def test_of_two_writers_one_is_told_to_read_again(drafts: Drafts) -> None:
    session = (await drafts.open_or_get(session_of())).session
    tried = [apply_event(session, Typed(name))[0] for name in ("Ada", "Grace")]
    done = await asyncio.gather(
        *(each.save(one, session.revision) for each, one in zip((drafts, another(drafts)), tried, strict=True)),
        return_exceptions=True,
    )
    assert sorted(type(one).__name__ for one in done) == ["DraftConflict", "NoneType"]
    winner = tried[done.index(None)]
    assert (await drafts.get(session.id)).session == winner


async def test_writers_who_read_again_lose_nothing(drafts: Drafts) -> None:
    schema = form(*(field(f"q{number}") for number in range(8)))
    session_id = (await drafts.open_or_get(session_of(schema))).session.id

    async def answer(number: int) -> None:
        while True:
            session = (await drafts.get(session_id)).session
            told = session.set_answer((f"q{number}",), {**session.data, f"q{number}": str(number)}).advance_revision()
            try:
                return await drafts.save(told, session.revision)
            except DraftConflict:
                continue

    await asyncio.gather(*(answer(number) for number in range(8)))
    data = (await drafts.get(session_id)).session.data
    assert [data[f"q{number}"] for number in range(8)] == [str(number) for number in range(8)]


async def test_what_is_gone_is_said_to_be_gone(drafts: Drafts, client: redis.asyncio.Redis) -> None:
    session = session_of()
    for call in (drafts.get(session.id), drafts.save(session, 0), drafts.show(session.id, CHAT)):
        with pytest.raises(DraftGone):
            await call
    session = (await drafts.open_or_get(session)).session
    with pytest.raises(DraftConflict):
        await drafts.drop(session.advance_revision())
    await drafts.drop(session)
    await drafts.drop(session)
    assert await drafts.of(session.subject, "ada") is None
    assert await drafts.of_task(session.subject.id) == ()


async def test_a_draft_is_kept_as_long_as_somebody_goes_on(client: redis.asyncio.Redis) -> None:
    short = Drafts(client, prefix=f"test:{uuid.uuid4().hex}", life=timedelta(milliseconds=400))
    session = (await short.open_or_get(session_of())).session
    for _ in range(3):
        await asyncio.sleep(0.25)
        following, _ = apply_event(session, Typed("1"))
        await short.save(following, session.revision)
        session = following
    await asyncio.sleep(0.6)
    with pytest.raises(DraftGone):
        await another(short).get(session.id)
    assert await everything_in(client, short) == ""


async def test_secrets_are_never_written(drafts: Drafts, client: redis.asyncio.Redis) -> None:
    secret = {"properties": {"sensitive": "true"}}
    schema = form(
        field("name"),
        field("pin", **secret),
        field("repeats", "expression", expression='="again " + pin', computeOn="change"),
        {"type": "group", "id": "g", "path": "box", "components": [field("pin2", **secret), field("open")]},
        {"type": "group", "id": "h", "path": "safe", "components": [field("pin3")], **secret},
        {
            "type": "dynamiclist", "id": "l", "path": "cards", "isRepeating": True,
            "components": [field("number", **secret), field("holder")],
        },
    )  # fmt: skip
    hidden = f"hidden-{uuid.uuid4().hex}"
    session = session_of(schema, pin=hidden, safe={"pin3": hidden}, cards=[{"number": hidden, "holder": "Ada"}])
    session = (await drafts.open_or_get(session)).session
    data = {
        **session.data, "name": "Ada", "pin": hidden, "box": {"pin2": hidden, "open": "yes"}, "safe": {"pin3": hidden},
        "cards": [{"number": hidden, "holder": "Grace"}, {"number": hidden, "holder": "Joan"}],
    }  # fmt: skip
    told = session.set_answer(("name",), data).advance_revision()
    assert told.data["repeats"] == f"again {hidden}"
    await drafts.save(told, session.revision)
    assert await kept_in_redis(client, session.id)
    assert await kept_in_redis(client, hidden) == []
    read = (await another(drafts).get(session.id)).session
    assert (read.data["name"], read.data["box"]["open"]) == ("Ada", "yes")  # type: ignore[index, call-overload]
    assert [item["holder"] for item in read.data["cards"]] == ["Grace", "Joan"]  # type: ignore[union-attr, index, call-overload]


async def test_a_schema_is_stored_once_and_a_draft_is_small(drafts: Drafts, client: redis.asyncio.Redis) -> None:
    kinds = ("textfield", "number", "checkbox", "textarea", "textfield")
    schema = form(*(field(f"question_{number}", kinds[number % 5]) for number in range(10)))
    answers = {"textfield": "An answer in words", "number": 42, "checkbox": True, "textarea": "Some words more. " * 3}
    sessions = []
    for person in range(20):
        session = (await drafts.open_or_get(session_of(schema, user=f"user-{person}", task=uuid.uuid4().hex))).session
        data = {f"question_{number}": answers[kinds[number % 5]] for number in range(10)}
        told = replace(
            session.set_answer(("question_0",), data), touched=frozenset((name,) for name in data)
        ).advance_revision()
        await drafts.save(told, session.revision)
        sessions.append(told)
    keys = [key async for key in client.scan_iter(f"{drafts._prefix}:schema:*")]
    assert len(keys) == 1
    sizes = [await client.memory_usage(f"{drafts._prefix}:one:{session.id}") for session in sessions]
    index = await client.memory_usage(f"{drafts._prefix}:of:{sessions[0].subject.id}")
    assert max(sizes) + index < 2048


async def test_a_draft_that_nobody_can_read_is_put_aside(drafts: Drafts, client: redis.asyncio.Redis) -> None:
    for name, value in (("state", "{"), ("opened", '{"old": 1}'), ("schema", "nowhere"), ("revision", "x")):
        session = (await drafts.open_or_get(session_of())).session
        await client.hset(f"{drafts._prefix}:one:{session.id}", name, value)
        with pytest.raises(DraftGone):
            await drafts.get(session.id)
        assert await client.exists(f"{drafts._prefix}:unreadable:{session.id}")
        fresh = (await drafts.open_or_get(replace(session, id=make_session_id()))).session
        assert fresh.id != session.id


async def test_changed_form_keeps_the_answers_that_still_fit(drafts: Drafts) -> None:
    session = (await drafts.open_or_get(session_of())).session
    told = apply_event(apply_event(session, Typed("Ada"))[0], Typed("36"))[0]
    await drafts.save(told, session.revision)
    changed = form(field("name"), field("email"), field("city"))
    again = await drafts.open_or_get(session_of(changed, task=session.subject.id))
    assert (again.session.id, again.session.revision) == (session.id, told.revision + 1)
    assert (again.session.data, again.session.touched) == (
        {"name": "Ada", "email": "", "city": ""},
        {("name",)},
    )
    assert (await another(drafts).get(session.id)).session == again.session
    with pytest.raises(DraftConflict):
        await drafts.save(apply_event(told, Typed("Kyiv"))[0], told.revision)


async def test_a_task_that_is_done_closes_the_drafts_of_all(drafts: Drafts, client: redis.asyncio.Redis) -> None:
    mine = apply_event((await drafts.open_or_get(session_of())).session, Typed("Ada"))[0]
    await drafts.save(mine, 0)
    await drafts.show(mine.id, CHAT)
    hers = (await drafts.open_or_get(session_of(user="grace", task=mine.subject.id))).session
    ended = await drafts.complete_task(mine.subject.id, who="ada", at=NOW)
    assert {draft.session.id for draft in ended} == {mine.id, hers.id}
    assert await drafts.complete_task(mine.subject.id, who="joan", at=NOW) == ()
    for session_id, status in ((mine.id, Status.DONE), (hers.id, Status.SUPERSEDED)):
        draft = await another(drafts).get(session_id)
        assert draft.closed is not None
        assert (draft.session.status, draft.closed.by, draft.closed.at) == (status, "ada", NOW)
        assert (draft.session.is_open, draft.session.entered) == (False, {})
    assert (await drafts.get(mine.id)).session.surfaces == (CHAT,)
    assert "Ada" not in await everything_in(client, drafts)
    with pytest.raises(DraftConflict):
        await drafts.save(apply_event(mine, Typed("36"))[0], mine.revision)


async def test_a_process_is_started_by_a_person_again_and_again(drafts: Drafts) -> None:
    subject = Subject("key:1:id", "key", is_start=True)
    ids = set()
    for _ in range(2):
        session = (await drafts.open_or_get(replace(session_of(), id=make_session_id(), subject=subject))).session
        assert await drafts.close(session.id, Status.DONE, who="ada", at=NOW)
        assert not await drafts.close(session.id, Status.DONE, who="ada", at=NOW)
        ids.add(session.id)
    assert len(ids) == 2


async def test_start_draft_continues_in_the_newest_version(drafts: Drafts) -> None:
    first, second = (Subject(f"key:{version}:id", "key", is_start=True) for version in (1, 2))
    session = (await drafts.open_or_get(replace(session_of(), subject=first))).session
    await drafts.save(apply_event(session, Typed("Ada"))[0], session.revision)
    later = replace(session_of(form(field("name"), field("email"))), subject=second)
    moved = (await drafts.open_or_get(later)).session
    assert (moved.id, moved.subject, moved.data) == (session.id, second, {"name": "Ada", "email": ""})


async def test_a_surface_that_dies_while_it_submits_leaves_the_draft(
    drafts: Drafts, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_draft = await drafts.open_or_get(session_of())
    session = opened_draft.session
    busy = replace(session.advance_revision(), status=Status.SUBMITTING)
    await drafts.save(busy, session.revision)
    assert (await drafts.get(session.id)).session.status is Status.SUBMITTING
    assert not opened_draft.was_tried
    monkeypatch.setattr("drafts.store.SUBMITTING_LIFE", timedelta(seconds=-1))
    await drafts.save(busy.advance_revision(), busy.revision)
    freed = await drafts.get(session.id)
    assert (freed.session.status, freed.was_tried) == (Status.DRAFT, True)
    assert (await drafts.get(session.id)).was_tried, "also as it is remembered"


async def test_changes_reach_every_group_and_again_until_they_are_done(
    drafts: Drafts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "WAIT", timedelta(milliseconds=50))
    monkeypatch.setattr(changes_module, "COMES_AGAIN_AFTER", timedelta(milliseconds=100))
    session = (await drafts.open_or_get(session_of())).session
    await drafts.show(session.id, CHAT)
    first = apply_event(session, Typed("Ada"))[0]
    await drafts.save(first, session.revision, by="telegram:7:70")  # nobody else shows it: not told
    second = apply_event(first, Typed("36"))[0]
    await drafts.save(second, first.revision, by="web::")
    await drafts.close(session.id, Status.DONE, who="ada", at=NOW, by="web::")
    typed = DraftChange(session.id, second.revision, Status.DRAFT, "web::")
    done = DraftChange(session.id, second.revision + 1, Status.DONE, "web::")
    dying = drafts.follow_changes("one", group="bot")
    assert await dying.take(10) == []  # it joins the group
    taken = await dying.take(10)
    assert taken == [typed, done]
    assert datetime.now(UTC) - taken[0].told_at < timedelta(seconds=10)
    await dying.confirm(taken[0])
    living = drafts.follow_changes("two", group="bot")
    assert await living.take(10) == []
    await asyncio.sleep(0.1)
    for again in (living, living, dying):  # who could not do it is asked once more, too
        assert await again.take(10) == [done]
        await asyncio.sleep(0.12)
    await living.confirm(*await living.take(10))
    await asyncio.sleep(0.12)
    assert await living.take(10) == []
    other = drafts.follow_changes("one", group="page")
    assert [*await other.take(1), *await other.take(1), *await other.take(1)] == [typed, done]


async def test_drafts_survive_the_kill_of_valkey(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.prepare()
    try:
        servers = [server for server in plan_servers(home) if server.name == "valkey"]
        async with Supervisor(home, servers, initially=("valkey",)) as supervisor:
            valkey = supervisor.runs["valkey"].server
            async with redis.asyncio.Redis.from_url(valkey.secret_url) as bytes_client:  # type: ignore[attr-defined]
                drafts = Drafts(bytes_client)
                session = (await drafts.open_or_get(session_of())).session
                told = apply_event(session, Typed("Ada"))[0]
                await drafts.save(told, session.revision)
                run = supervisor.runs["valkey"]
                killed = run.pid
                assert killed is not None
                os.kill(killed, signal.SIGKILL)
                while run.pid in {killed, None} or run.state != "ready":  # noqa: ASYNC110 -- it has no event for it
                    await asyncio.sleep(0.05)
                await bytes_client.connection_pool.disconnect()
                assert (await another(drafts).get(session.id)).session == told
    finally:
        home.remove()
