"""Tasks that are offered to groups, by engine-api on a real engine: found, told apart, and how they stand."""

import uuid

import aiohttp
import pytest

from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from integration.engine_api import call
from shared.models import model


@pytest.fixture
def crew() -> str:
    return f"crew_{uuid.uuid4().hex[:8]}:1"


async def offered(engine: EngineClient, *groups: str) -> list[Task]:
    key = f"o-{uuid.uuid4().hex[:8]}"
    await engine.deploy(key, {f"{key}.bpmn": model(key, 'name="Review" camunda:candidateGroups="${crew}"')})
    instances = [await engine.start(key, variables={"crew": group}) for group in groups]
    return [(await engine.list_tasks(process_instance_id=instance.id))[0] for instance in instances]


async def ids_of(api: aiohttp.ClientSession, **params: str) -> list[str]:
    status, found = await call(api, "GET", "/offer", params=params)
    assert status == 200, found
    return [task["id"] for task in found]


async def test_offers_are_found_by_group_name_or_prefix(
    api: aiohttp.ClientSession, engine: EngineClient, crew: str
) -> None:
    ours, theirs, like = await offered(engine, crew, f"{crew}2", crew.replace("_", "x"))
    assert await ids_of(api, group=crew) == [ours.id]
    assert await ids_of(api, group=crew, prefix="true") == [ours.id, theirs.id]
    assert await ids_of(api, group=crew, prefix="true", first="1", limit="1") == [theirs.id]
    assert like.id not in await ids_of(api, group=crew, prefix="true")
    assert await ids_of(api, group="%", prefix="true") == []
    assert await call(api, "GET", f"/task/{ours.id}/candidates") == (200, {"users": [], "groups": [crew]})
    assert (await call(api, "GET", "/task/nothing/candidates"))[0] == 404


async def test_a_task_is_offered_taken_given_back_and_over(
    api: aiohttp.ClientSession, engine: EngineClient, crew: str
) -> None:
    first, second = await offered(engine, crew, crew)
    mine = {"user": "ada", "groups": [crew]}
    assert (await call(api, "POST", f"/task/{first.id}/claim", json=mine))[0] == 200
    assert await ids_of(api, group=crew) == [second.id]
    ids = [("id", first.id), ("id", second.id), ("id", "never-there")]

    async def standings() -> list[tuple[str, str | None]]:
        status, found = await call(api, "GET", "/offer/standing", params=ids)
        assert status == 200, found
        assert [entry["id"] for entry in found] == [first.id, second.id, "never-there"]
        return [(entry["state"], entry["by"]) for entry in found]

    assert await standings() == [("taken", "ada"), ("offered", None), ("ended", None)]
    assert (await call(api, "POST", f"/task/{first.id}/unclaim", json=mine))[0] == 200
    assert (await call(api, "POST", f"/task/{second.id}/complete", json={"user": "ada"}))[0] == 403
    assert (await call(api, "POST", f"/task/{second.id}/claim", json=mine))[0] == 200
    assert (await call(api, "POST", f"/task/{second.id}/complete", json={"user": "ada"}))[0] == 200
    assert await standings() == [("offered", None), ("ended", "ada"), ("ended", None)]
    assert (await call(api, "GET", "/offer/standing"))[0] == 422
