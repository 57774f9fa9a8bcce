"""File variables of the engine, as the Modeler's forms and other programs write them, reach handlers as references."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from obstore.store import MemoryStore
from pydantic import BaseModel

from bpmn.engine.client import EngineClient
from bpmn.engine.types import ExternalTask, TopicRequest
from bpmn.engine.variables import FileValue, NotAVariable, encode
from bpmn.errors import EngineRefused, NotFound
from bpmn.file_reference import FileReference
from workers.bridge.file_variables import FileVariables
from workers.bridge.main import Bridge
from workers.clients.files import Files
from workers.registry import read_handler

MODULE = "file_variable_test_handlers"
HANDLERS = """
import hashlib
from datetime import timedelta
from pydantic import BaseModel
from bpmn.file_reference import FileReference
from workers.clients.files import Files
from workers.registry import handler

class Sent(BaseModel):
    paper: FileReference

class Read(BaseModel):
    sha256: str
    name: str | None
    kind: str
    copy_: FileReference

@handler("test-paper", queue="test-paper", timeout=timedelta(minutes=1))
async def read(sent: Sent, files: Files) -> Read:
    content = await files.get(sent.paper)
    return Read(
        sha256=hashlib.sha256(content).hexdigest(), name=sent.paper.name, kind=sent.paper.content_type,
        copy_=await files.put(content[::-1], name="copy.pdf"),
    )
"""
MODEL = b"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="test">
  <process id="test-paper" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="read"/>
    <serviceTask id="read" camunda:type="external" camunda:topic="test-paper"/>
    <sequenceFlow id="f2" sourceRef="read" targetRef="done"/><userTask id="done"/>
  </process>
  <process id="test-paper-local" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start2"/><sequenceFlow id="g1" sourceRef="start2" targetRef="read2"/>
    <serviceTask id="read2" camunda:type="external" camunda:topic="test-paper-local"/>
    <sequenceFlow id="g2" sourceRef="read2" targetRef="done2"/><endEvent id="done2"/>
  </process>
  <process id="test-paper-many" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start3"/><sequenceFlow id="h1" sourceRef="start3" targetRef="read3"/>
    <serviceTask id="read3" camunda:type="external" camunda:topic="test-paper-local">
      <multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>
    </serviceTask>
    <sequenceFlow id="h2" sourceRef="read3" targetRef="done3"/><endEvent id="done3"/>
  </process>
</definitions>"""
CONTENT = os.urandom(3_000_000)


class Sent(BaseModel):
    paper: FileReference


class Plain(BaseModel):
    paper: dict[str, object]


def read(sent: Sent) -> None: ...
def look(sent: Plain) -> None: ...


INNER = FileValue("inner.txt", b"of the task")
READ = read_handler(read, "test-paper-local", queue="test-paper-local", timeout=timedelta(seconds=5))
LOOK = read_handler(look, "test-paper-local", queue="test-paper-local", timeout=timedelta(seconds=5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("papers")


@pytest.fixture(scope="module")
def worker(pool_of: Callable[..., Any], folder: Path) -> Iterator[None]:
    (folder / f"{MODULE}.py").write_text(HANDLERS)
    with pool_of(folder, "test-paper", MODULE, FILES_URL=(folder / "files").as_uri()):
        yield


@pytest.fixture(scope="module")
async def bridge(worker: None, bridge_of: Callable[..., Any], folder: Path) -> AsyncIterator[Bridge]:
    async with bridge_of("test-paper", files_url=(folder / "files").as_uri()) as bridge:
        yield bridge


@pytest.fixture(scope="module")
async def deployed(engine: EngineClient) -> None:
    await engine.deploy("test-paper", {"test-paper.bpmn": MODEL})


async def test_a_handler_reads_the_content_of_a_file_variable(
    deployed: None, bridge: Bridge, engine: EngineClient, folder: Path
) -> None:
    paper = FileValue("C:\\papers\\report.pdf", CONTENT, "application/pdf")
    started = await engine.start("test-paper", variables={"paper": paper})
    async with asyncio.timeout(60):
        while not await engine.list_tasks(process_instance_id=started.id):
            assert not (found := await engine.list_incidents(started.id)), found[0].message
            await asyncio.sleep(0.1)
    variables = await engine.list_variables(started.id)
    assert variables["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (variables["name"], variables["kind"]) == ("report.pdf", "application/pdf")
    copy = FileReference.model_validate(variables["copy_"])
    assert await Files(url=(folder / "files").as_uri(), spill_above_bytes=1).get(copy) == CONTENT[::-1]


async def fetched(
    engine: EngineClient, variables: dict[str, object], local: object, key: str = "test-paper-local"
) -> ExternalTask:
    """A task; `local` is the variable `paper` of its own scope."""
    started = await engine.start(key, variables=variables)
    for task in await engine.request("GET", "/external-task", params={"processInstanceId": started.id}):
        await engine.request("PUT", f"/execution/{task['executionId']}/localVariables/paper", json=encode(local))
    topic = TopicRequest("test-paper-local", timedelta(seconds=30), ["paper"])
    found = await engine.fetch_and_lock("papers", [topic], max_tasks=10)
    return next(task for task in found if task.process_instance_id == started.id)


async def test_a_file_is_the_one_that_the_task_sees(deployed: None, engine: EngineClient) -> None:
    task = await fetched(engine, {"paper": FileValue("outer.txt", b"of the instance")}, INNER)
    assert await engine.fetch_file_content(task, "paper") == b"of the task"
    elsewhere = replace(task, activity_instance_id="elsewhere:1")
    assert await engine.fetch_file_content(elsewhere, "paper") == b"of the instance"
    with pytest.raises(NotFound, match="no such variable"):
        await engine.fetch_file_content(task, "letter")
    files = Files(MemoryStore(), spill_above_bytes=4096)
    brought = await FileVariables(engine, files).store_files(task, READ)
    reference = FileReference.model_validate(brought.variables["paper"])
    assert await files.get(reference) == b"of the task"
    assert reference.name == "inner.txt"


async def test_a_file_in_several_scopes_is_not_guessed(deployed: None, engine: EngineClient) -> None:
    task = await fetched(engine, {}, INNER, "test-paper-many")
    assert await engine.fetch_file_content(task, "paper") == b"of the task"
    with pytest.raises(EngineRefused, match="several scopes; hand it to the task by an input parameter"):
        await engine.fetch_file_content(replace(task, activity_instance_id="elsewhere:1"), "paper")


async def test_handler_without_references_gets_the_engines_value(deployed: None, engine: EngineClient) -> None:
    task = await fetched(engine, {}, INNER)
    files = Files(MemoryStore(), spill_above_bytes=4096)
    assert await FileVariables(engine, files).store_files(task, LOOK) is task


async def test_bytes_come_as_a_reference_too_for_who_asks_for_one(deployed: None, engine: EngineClient) -> None:
    task = await fetched(engine, {}, b"\xff\0")
    files = Files(MemoryStore(), spill_above_bytes=4096)
    brought = await FileVariables(engine, files).store_files(task, READ)
    assert await files.get(FileReference.model_validate(brought.variables["paper"])) == b"\xff\0"


async def test_without_a_store_it_is_said_what_is_missing(deployed: None, engine: EngineClient) -> None:
    task = await fetched(engine, {}, INNER)
    with pytest.raises(NotAVariable, match="variable 'paper' is to be a file, and the bridge has no FILES_URL"):
        await FileVariables(engine, None).store_files(task, READ)
