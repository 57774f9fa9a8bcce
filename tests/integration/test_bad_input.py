"""Values that do not fit and values of ten megabytes, on the real engine: nothing is lost, every incident says why.

All jobs go the whole way: engine, bridge, broker, a worker process with a folder of files, and back.
"""

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bpmn.engine.client import EngineClient
from bpmn.engine.types import Incident
from bpmn.file_reference import FileReference
from workers.bridge.main import Bridge
from workers.clients.files import Files
from workers.pool.large_values import MAX_JOB_BYTES

MODULE = "bad_input_test_handlers"
HANDLERS = """
from datetime import date, datetime, timedelta
from typing import Any
from pydantic import BaseModel
from bpmn.file_reference import FileReference
from workers.clients.files import Files
from workers.errors import BusinessError
from workers.registry import handler

MINUTE = timedelta(minutes=1)

class Wish(BaseModel):
    kind: str

class Made(BaseModel):
    text: str = ""
    value: Any = None
    numbers: list[float] = []
    at: datetime | None = None

class Text(BaseModel):
    text: str

class Found(BaseModel):
    characters: int
    sha256: str

class Order(BaseModel):
    amount: int
    due: date
    lines: list[Text]

@handler("test-bad-make", queue="test-bad", timeout=MINUTE, backoff=(timedelta(0),))
async def make(wish: Wish, files: Files) -> Made:
    match wish.kind:
        case "ten megabytes":
            return Made(text="0123456789" * 1_000_000)
        case "object":
            return Made(value={"deep": [object()]})
        case "bytes in a list":
            return Made(value=[b"\\xff"])
        case "nan":
            return Made(numbers=[1.0, float("nan")])
        case "nan inside":
            return Made(value={"a": [float("inf")]})
        case "no zone":
            return Made(at=datetime(2026, 1, 1))
        case "half a character":
            return Made(text="\\ud83d")
        case "nul":
            return Made(text="a\\0b")
        case "huge number":
            return Made(value=2**70)
        case "long message":
            raise ValueError("x" * 3_000_000)
        case "business":
            raise BusinessError("NO", variables={"unfit": object()})
    return Made()

@handler("test-bad-read", queue="test-bad", timeout=MINUTE, backoff=(timedelta(0),))
async def read(text: Text) -> Found:
    import hashlib
    return Found(characters=len(text.text), sha256=hashlib.sha256(text.text.encode()).hexdigest())

@handler("test-bad-order", queue="test-bad", timeout=MINUTE, backoff=(timedelta(0),))
async def order(order: Order) -> None: ...
"""
MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"
    targetNamespace="test">
  <process id="test-bad-NAME" isExecutable="true" camunda:historyTimeToLive="P1D">
    <startEvent id="start"/><sequenceFlow id="f1" sourceRef="start" targetRef="TOPICS"/>STEPS
    <userTask id="done"/>
  </process>
</definitions>"""
STEP = """
    <serviceTask id="TOPIC" camunda:type="external" camunda:topic="test-bad-TOPIC"/>
    <sequenceFlow id="to-NEXT" sourceRef="TOPIC" targetRef="NEXT"/>"""


def model(name: str, *topics: str) -> bytes:
    steps = "".join(
        STEP.replace("TOPIC", topic).replace("NEXT", following)
        for topic, following in zip(topics, (*topics[1:], "done"), strict=True)
    )
    return MODEL.replace("NAME", name).replace("TOPICS", topics[0]).replace("STEPS", steps).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad-input")


@pytest.fixture(scope="module")
def worker(pool_of: Callable[..., Any], folder: Path) -> Iterator[None]:
    (folder / f"{MODULE}.py").write_text(HANDLERS)
    with pool_of(folder, "test-bad", MODULE, FILES_URL=(folder / "files").as_uri()):
        yield


@pytest.fixture(scope="module")
async def bridge(worker: None, engine: EngineClient, bridge_of: Callable[..., Any]) -> AsyncIterator[Bridge]:
    async with bridge_of("test-bad") as bridge:
        await engine.deploy("test-bad", {
            "make.bpmn": model("make", "make"), "read.bpmn": model("read", "read"),
            "order.bpmn": model("order", "order"), "both.bpmn": model("both", "make", "read"),
        })  # fmt: skip
        yield bridge
        assert not bridge.list_problems()


async def incident(engine: EngineClient, name: str, variables: dict[str, object]) -> Incident:
    started = await engine.start(f"test-bad-{name}", variables=variables)
    async with asyncio.timeout(60):
        while not (found := await engine.list_incidents(started.id)):
            assert not await engine.list_tasks(process_instance_id=started.id), "it went on as if nothing were wrong"
            await asyncio.sleep(0.1)
    return found[0]


async def goes_on(engine: EngineClient, name: str, variables: dict[str, object]) -> str:
    started = await engine.start(f"test-bad-{name}", variables=variables)
    async with asyncio.timeout(60):
        while not await engine.list_tasks(process_instance_id=started.id):
            assert not (found := await engine.list_incidents(started.id)), found[0].message
            await asyncio.sleep(0.1)
    return started.id


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("object", ["'value' is no JSON", "object"]),
        ("bytes in a list", ["'value' is no JSON"]),
        ("nan", ["'numbers'", "NaN"]),
        ("nan inside", ["'value'", "infinite"]),
        ("no zone", ["'at'", "has no zone"]),
        ("half a character", ["'text'", "half a character"]),
        ("nul", ["'text'", "NUL"]),
        ("huge number", ["'value'", "more than 64 bits"]),
        ("business", ["BPMN error NO with unfit variables", "'unfit'"]),
    ],
)
async def test_unstorable_output_is_an_incident_naming_the_field(
    bridge: Bridge, engine: EngineClient, kind: str, reasons: list[str]
) -> None:
    found = await incident(engine, "make", {"kind": kind})
    assert all(reason in str(found.message) for reason in reasons), found.message


@pytest.mark.parametrize(
    ("variables", "reasons"),
    [
        ({"amount": "seven", "due": "2026-01-01", "lines": []}, ["amount", "valid integer"]),
        ({"amount": 1.5, "due": "2026-01-01", "lines": []}, ["amount", "fractional part"]),
        ({"amount": 1, "due": "tomorrow", "lines": []}, ["due", "valid date"]),
        ({"amount": 1, "due": "2026-01-01", "lines": [{"text": "a"}, {}]}, ["lines.1.text", "Field required"]),
        ({"amount": None, "lines": "none"}, ["amount", "due: Field required", "lines", "valid list"]),
    ],
)
async def test_unfit_variables_are_an_incident_naming_the_fields(
    bridge: Bridge, engine: EngineClient, variables: dict[str, object], reasons: list[str]
) -> None:
    found = await incident(engine, "order", variables)
    assert all(reason in str(found.message) for reason in reasons), found.message
    assert "seven" not in str(found.message), "people's data stays out of messages"


async def test_a_message_of_megabytes_is_cut_not_lost(bridge: Bridge, engine: EngineClient) -> None:
    found = await incident(engine, "make", {"kind": "long message"})
    assert str(found.message).startswith("ValueError: xxx")


async def test_ten_megabyte_output_reaches_the_next_handler(bridge: Bridge, engine: EngineClient, folder: Path) -> None:
    instance_id = await goes_on(engine, "both", {"kind": "ten megabytes"})
    variables = await engine.list_variables(instance_id)
    assert variables["characters"] == 10_000_000
    assert variables["sha256"] == hashlib.sha256(b"0123456789" * 1_000_000).hexdigest()
    reference = FileReference.model_validate(variables["text"])
    assert (reference.size_bytes, reference.sha256) == (10_000_000, variables["sha256"])
    files = Files(url=(folder / "files").as_uri(), spill_above_bytes=4096)
    assert (await files.read_text(reference))[:12] == "012345678901"


async def test_a_variable_of_ten_megabytes_reaches_a_handler(bridge: Bridge, engine: EngineClient) -> None:
    instance_id = await goes_on(engine, "read", {"text": "0123456789" * 1_000_000})
    assert (await engine.list_variables(instance_id))["characters"] == 10_000_000


async def test_oversized_variable_is_an_incident_naming_it(bridge: Bridge, engine: EngineClient) -> None:
    found = await incident(engine, "read", {"text": "x" * (MAX_JOB_BYTES + 1), "other": math.pi})
    assert "variable 'text' has " in str(found.message)
    assert f"{MAX_JOB_BYTES} fit" in str(found.message)
    assert await goes_on(engine, "read", {"text": "small"}), "and the queue goes on"


async def test_a_forged_reference_is_an_incident_and_reads_nothing(bridge: Bridge, engine: EngineClient) -> None:
    forged = {"baton_file": 1, "path": "../../../etc/passwd", "sha256": "0" * 64, "size_bytes": 9, "holds": "text"}
    found = await incident(engine, "read", {"text": forged})
    assert "variable 'text' is no file reference: path: " in str(found.message)
