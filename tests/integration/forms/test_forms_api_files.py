"""Files of forms by engine-api, on a real engine, Redis and a folder; and what a form costs in calls of the engine."""

import asyncio
import io
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis.asyncio
from pydantic import SecretStr

from api.engine.files.sweeping import Sweeper
from bpmn.engine.client import EngineClient
from bpmn.engine.types import Task
from integration.engine_api import ApiOf, call
from shared.engine_line import EngineLine
from shared.models import MINE, form_ref, model

ASKS = form_ref("asks")
MY_FORM = f"{MINE} {ASKS}"
FORM = {
    "id": "asks",
    "type": "default",
    "schemaVersion": 19,
    "components": [
        {"type": "textfield", "id": "f1", "key": "name"},
        {"type": "filepicker", "id": "f2", "key": "cv", "accept": ".txt,.pdf"},
        {"type": "filepicker", "id": "f3", "key": "photos", "multiple": True, "accept": "image/*"},
    ],
}
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\6\0\0\0\x1f\x15\xc4\x89"
MAX_BYTES = 200_000


@pytest.fixture(scope="module")
async def api(
    api_of: ApiOf, line: EngineLine, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[aiohttp.ClientSession]:
    settings = {
        "engine_url": line.url,
        "redis_url": SecretStr(valkey_url),
        "files_url": (tmp_path_factory.mktemp("files") / "store").as_uri(),
        "files_secret": SecretStr("f" * 40),
        "file_max_bytes": MAX_BYTES,
        "file_inline_max_bytes": 1000,
        "file_link_life": timedelta(seconds=2),
    }
    async with api_of(**settings) as session:
        yield session


async def deployed(engine: EngineClient, start: str = "") -> str:
    key = f"p-{uuid.uuid4().hex[:8]}"
    await engine.deploy(key, {f"{key}.bpmn": model(key, MY_FORM, start=start), "asks.form": json.dumps(FORM).encode()})
    return key


async def begun(engine: EngineClient, key: str, user: str) -> Task:
    instance = await engine.start(key, variables={"initiator": user})
    (task,) = await engine.list_tasks(process_instance_id=instance.id)
    return task


async def sent(api: aiohttp.ClientSession, place: str, content: bytes, name: str) -> tuple[int, Any]:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("file", io.BytesIO(content), filename=name, content_type="application/x-claimed")
    return await call(api, "POST", place, data=form)


async def test_files_are_taken_by_what_they_are_and_become_variables(
    api: aiohttp.ClientSession, engine: EngineClient, user: str
) -> None:
    task = await begun(engine, await deployed(engine), user)
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    path = f"/forms/{form['session']['id']}/files?user={{}}&field={{}}"
    of_cv, of_photos = path.format(user, "cv"), path.format(user, "photos")
    for place, content, name, expected in (
        (of_cv, b"", "empty.txt", (422, "empty_file")),
        (of_cv, PNG, "cv.txt.png", (422, "wrong_file_type")),
        (of_photos, b"#!/bin/sh\nrm -rf /\n", "face.png", (422, "disguised_file")),
        (of_photos, b"<svg onload='alert(1)'>", "face.jpg", (422, "disguised_file")),
        (of_cv, b"x" * (MAX_BYTES + 1), "long.txt", (413, "too_large")),
        (of_cv, b"x" * (MAX_BYTES + 2 * 2**20), "longer.txt", (413, "too_large")),
        (path.format(user, "name"), b"text", "a.txt", (422, "no_such_field")),
        (path.format("eve", "cv"), b"text", "a.txt", (403, "not_your_draft")),
        (f"/forms/nobody-1/files?user={user}&field=cv", b"text", "a.txt", (404, "draft_gone")),
    ):
        status, problem = await sent(api, place, content, name)
        assert (status, problem["code"]) == expected, name
    status, cv = await sent(api, of_cv, "Ада".encode(), "../../etc/cv\u202etxt.txt")
    assert (status, cv["name"], cv["content_type"], cv["size_bytes"]) == (201, "cvtxt.txt", "text/plain", 6)
    photos = [(await sent(api, of_photos, PNG, f"{n}.png"))[1] for n in range(2)]
    assert {photo["content_type"] for photo in photos} == {"image/png"}
    assert len({photo["path"] for photo in photos}) == 2
    while (last := await sent(api, of_photos, PNG, "more.png"))[0] == 201:
        continue
    assert (last[0], last[1]["code"]) == (409, "too_many_files")
    program = {"path": "spilled/2026-11-24/0", "name": "a.exe", "content_type": "image/png"}
    for name, strange in (
        ("cv", {**cv, "path": cv["path"] + "0"}),
        ("cv", {**cv, "name": "b.txt"}),
        ("cv", photos[0] | {"content_type": "text/plain", "name": "a.txt"}),
        ("photos", photos[0] | program),
    ):
        body = {"user": user, "answers": {name: [strange]}, "locale": "ru"}
        of_the_draft = {"session": form["session"]["id"]}
        for path, more in (("submit-form", {}), ("submit-form", of_the_draft), ("form/validate", {})):
            _, problem = await call(api, "POST", f"/task/{task.id}/{path}", json=body | more)
            assert [(found["field"], found["code"]) for found in problem["errors"]] == [(name, "file_missing")]
    body = {"user": user, "answers": {"cv": [cv], "photos": photos}}
    assert (await call(api, "POST", f"/task/{task.id}/submit-form", json=body))[0] == 200
    found = await engine.request("GET", "/history/variable-instance", params={
        "processInstanceId": task.process_instance_id, "deserializeValues": "false",
    })  # fmt: skip
    kept = {item["name"]: item for item in found}
    assert (kept["cv"]["type"], kept["cv"]["valueInfo"]["filename"]) == ("File", "cvtxt.txt")
    assert (kept["photos"]["type"], json.loads(kept["photos"]["value"])) == ("Json", photos)


async def test_a_link_to_a_file_needs_no_token_and_ends(
    api: aiohttp.ClientSession, engine: EngineClient, user: str
) -> None:
    task = await begun(engine, await deployed(engine), user)
    _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
    place = f"/forms/{form['session']['id']}/files?user={user}&field=cv"
    _, cv = await sent(api, place, b"x" * 5000, "long – résumé.txt")
    (status, link), (_, gone) = [
        await call(api, "POST", "/file/link", json=reference) for reference in (cv, {**cv, "path": "forms/nowhere"})
    ]
    assert status == 200
    async with aiohttp.ClientSession(api._base_url) as anyone:
        async with anyone.get(link["path"]) as answer:
            assert (answer.status, await answer.read()) == (200, b"x" * 5000)
            assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''long%20%E2%80%93%20r")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        payload, _, signature = link["path"].rpartition(".")
        for path, expected in (
            (f"{payload}.{signature[::-1]}", (403, "link_refused")),
            (f"{payload[:-2]}.{signature}", (403, "link_refused")),
            ("/files/x", (403, "link_refused")),
            (gone["path"], (404, "file_missing")),
        ):
            status, problem = await call(anyone, "GET", path)
            assert (status, problem["code"]) == expected
        await asyncio.sleep(2.5)
        status, problem = await call(anyone, "GET", link["path"])
        assert (status, problem["code"]) == (403, "link_refused")


async def test_files_go_with_their_instance(api: aiohttp.ClientSession, engine: EngineClient, user: str) -> None:
    key = await deployed(engine, ASKS)
    _, form = await call(api, "GET", f"/process-definition/{key}/form?user={user}")
    session = form["session"]["id"]
    _, cv = await sent(api, f"/forms/{session}/files?user={user}&field=cv", b"x" * 5000, "cv.txt")
    body = {"user": user, "answers": {"cv": [cv]}, "session": session}
    status, started = await call(api, "POST", f"/process-definition/{key}/submit-form?next=true", json=body)
    assert status == 201
    _, form = await call(api, "GET", f"/task/{started['next']['id']}/form?user={user}")
    assert form["data"]["cv"] == [cv], "what was sent at the start is there in the task"
    _, other = await sent(api, f"/forms/{form['session']['id']}/files?user={user}&field=cv", b"y" * 5000, "cv.txt")
    left = await call(api, "GET", f"/process-definition/{key}/form?user={user}")
    await sent(api, f"/forms/{left[1]['session']['id']}/files?user={user}&field=cv", b"z", "left.txt")
    erase = f"/process-instance/{started['id']}/files"
    status, problem = await call(api, "DELETE", erase)
    assert (status, problem["code"]) == (409, "still_running")
    assert (await call(api, "DELETE", "/process-instance/start/files"))[0] == 422, "open start forms keep theirs"
    assert await call(api, "POST", "/file/sweep") == (200, {"files": 0}), "all of them belong to somebody"
    body = {"user": user, "answers": {"cv": [other]}}
    assert (await call(api, "POST", f"/task/{started['next']['id']}/submit-form", json=body))[0] == 200
    assert await call(api, "DELETE", erase) == (200, {"files": 2})
    assert (await call(api, "DELETE", f"/forms/{left[1]['session']['id']}?user={user}"))[0] == 204
    assert await call(api, "DELETE", erase) == (200, {"files": 0})


async def test_files_of_a_forgotten_instance_go_by_themselves(
    api_of: ApiOf, engine: EngineClient, valkey_url: str, tmp_path: Path, user: str
) -> None:
    settings = {
        "redis_url": SecretStr(valkey_url),
        "files_url": tmp_path.as_uri(),
        "files_secret": SecretStr("f" * 40),
        "file_sweep_every": timedelta(milliseconds=200),
    }
    async with api_of(**settings) as api:
        forgotten, known = [await begun(engine, await deployed(engine), user) for _ in range(2)]
        for task in (forgotten, known):
            _, form = await call(api, "GET", f"/task/{task.id}/form?user={user}")
            await sent(api, f"/forms/{form['session']['id']}/files?user={user}&field=cv", b"x" * 5000, "cv.txt")
        await engine.request("DELETE", f"/process-instance/{forgotten.process_instance_id}")
        await engine.request("DELETE", f"/history/process-instance/{forgotten.process_instance_id}")
        async with asyncio.timeout(10):
            while files_of(tmp_path, forgotten):  # noqa: ASYNC110 -- a folder has no event
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        assert files_of(tmp_path, known)


def files_of(store: Path, task: Task) -> list[Path]:
    folder = store / "forms" / task.process_instance_id
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_of_several_replicas_one_sweeps_a_store(valkey_url: str, tmp_path: Path) -> None:
    class Files:
        swept = 0

        async def sweep(self) -> int:
            self.swept += 1
            return self.swept

    files, every = Files(), timedelta(milliseconds=300)
    async with redis.asyncio.Redis.from_url(valkey_url) as client:
        sweepers = [Sweeper(files, client, tmp_path.as_uri(), every) for _ in range(3)]
        swept = await asyncio.gather(*(sweeper.sweep_if_due() for sweeper in sweepers))
        assert sorted(swept, key=str) == [1, None, None]
        await asyncio.sleep(0.35)
        assert await sweepers[1].sweep_if_due() == 2


async def test_a_form_costs_few_calls_of_the_engine(
    api: aiohttp.ClientSession, engine: EngineClient, line: EngineLine, user: str
) -> None:
    key = await deployed(engine)
    first, second = [await begun(engine, key, user) for _ in range(2)]
    line.taken()
    assert (await call(api, "GET", f"/task/{first.id}/form?user={user}"))[0] == 200
    assert line.taken() == 3, "the task, its variables, and for the first time the form"
    _, form = await call(api, "GET", f"/task/{second.id}/form?user={user}")
    assert line.taken() == 2
    session = form["session"]["id"]
    tag = {"If-Match": f'"{session}.0"'}
    saved = await call(api, "PUT", f"/forms/{session}?user={user}", json={"data": {"name": "Ada"}}, headers=tag)
    assert (saved[0], line.taken()) == (200, 0)
    await call(api, "GET", f"/task/{second.id}/form?user={user}")
    assert line.taken() == 1
    body = {"user": user, "answers": {"name": "Ada"}, "session": session, "revision": 1}
    assert (await call(api, "POST", f"/task/{second.id}/submit-form", json=body))[0] == 200
    assert line.taken() == 2, "the task, and that it is completed: the draft has the variables that the person saw"
    body = {"user": user, "answers": {"name": "Ada"}}
    assert (await call(api, "POST", f"/task/{first.id}/submit-form?next=true", json=body))[1]["ended"] is True
    assert line.taken() == 5, "what is next, and as nothing is, whether the instance has ended"
