"""What every store of files must do: on disk and in memory, with the client that handlers use."""

import hashlib
import json
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import obstore
import pytest
from obstore.store import MemoryStore
from pydantic import BaseModel, SecretStr, ValidationError

from bpmn.engine.variables import decode_all, encode_all
from bpmn.file_reference import FileReference
from kit.errors import ConfigurationError
from workers.clients.files import FileDamaged, FileMissing, Files, FilesUnavailable
from workers.envelope import BpmnError, Completed, Failed, Job, Outcome
from workers.errors import BusinessError, Permanent
from workers.pool.execution import work, work_many
from workers.pool.large_values import MAX_JOB_BYTES
from workers.registry import handler, list_registered
from workers.settings import WorkerSettings

SECONDS = timedelta(seconds=20)
LIMIT_BYTES = 4096


@pytest.fixture(params=["folder", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    if request.param == "folder":
        return Files(url=(tmp_path / "new" / "store").as_uri(), spill_above_bytes=LIMIT_BYTES)
    return Files(MemoryStore(), spill_above_bytes=LIMIT_BYTES)


def stored(files: Files, path: str, content: bytes) -> None:
    """As if somebody else had changed what is in the store."""
    obstore.put(files._open(), path, content)


async def pieces(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield bytes([number % 256]) * 100_000


async def test_what_is_put_is_got(files: Files) -> None:
    reference = await files.put("größer", name="größer.txt", content_type="text/plain")
    assert await files.get(reference) == "größer".encode()
    assert await files.read_text(reference) == "größer"
    assert (reference.size_bytes, reference.name, reference.holds) == (8, "größer.txt", "file")
    assert reference.sha256 == hashlib.sha256("größer".encode()).hexdigest()
    assert FileReference.model_validate_json(reference.model_dump_json()) == reference
    assert (await files.put("größer")).path != reference.path, "two files, even of the same content"


async def test_streams_of_many_megabytes_go_in_and_out_in_pieces(files: Files, tmp_path: Path) -> None:
    reference = await files.put(pieces(120))
    assert reference.size_bytes == 12_000_000
    sizes, digest = [], hashlib.sha256()
    async for piece in files.stream(reference):
        sizes.append(len(piece))
        digest.update(piece)
    assert sum(sizes) == 12_000_000
    assert max(sizes) < 6_000_000 or files._url is None, "a store in memory has it whole anyway"
    assert digest.hexdigest() == reference.sha256
    on_disk = tmp_path / "big"
    on_disk.write_bytes(os.urandom(3_000_000))
    assert await files.get(await files.put(on_disk)) == on_disk.read_bytes()


async def test_an_empty_file_is_a_file(files: Files) -> None:
    assert await files.get(await files.put(b"")) == b""


async def test_the_callers_own_error_comes_back_as_it_is(files: Files) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"some"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await files.put(broken())
    with pytest.raises(FileNotFoundError, match="nowhere"):
        await files.put(Path("/nowhere/at/all"))


@pytest.mark.parametrize(
    ("content", "reason"), [(b"longer than before", "has 18 bytes, not 6"), (b"betters", "7 bytes"), (b"BEFORE", "SHA")]
)
async def test_what_was_changed_in_the_store_is_not_read(files: Files, content: bytes, reason: str) -> None:
    reference = await files.put(b"before")
    stored(files, reference.path, content)
    with pytest.raises(FileDamaged, match=reason):
        await files.get(reference)


async def test_what_is_gone_says_so_and_needs_no_second_try(files: Files) -> None:
    reference = await files.put(b"x")
    with pytest.raises(FileMissing, match="the store has no file files/2000-01-01/x"):
        await files.get(reference.model_copy(update={"path": "files/2000-01-01/x"}))
    assert issubclass(FileMissing, Permanent)


async def test_what_is_too_large_for_memory_has_to_be_streamed(files: Files) -> None:
    reference = await files.put(b"x")
    with pytest.raises(Permanent, match="stream it"):
        await files.get(reference.model_copy(update={"size_bytes": 10**9}))


async def test_a_store_that_cannot_be_written_may_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    files = Files(url=(tmp_path / "file").as_uri(), spill_above_bytes=LIMIT_BYTES)
    with pytest.raises(FilesUnavailable, match="the store of files does not answer"):
        await files.put(b"x")
    assert not issubclass(FilesUnavailable, Permanent)


@pytest.mark.parametrize(
    "path",
    ["../secret", "/etc/passwd", "a/../../b", "a/./b", "", "a//b", "a/", "a\\b", "a b", "a/..", "%2e%2e/a", "a\0"],
)
def test_a_path_outside_of_the_store_is_no_reference(path: str) -> None:
    with pytest.raises(ValidationError, match="path"):
        FileReference(path=path, sha256="0" * 64, size_bytes=1)


@pytest.mark.parametrize("name", ["a/b", "..", "a\\b", "a\nb", ""])
def test_a_name_is_a_name_only(name: str) -> None:
    with pytest.raises(ValidationError, match="name"):
        FileReference(path="a", sha256="0" * 64, size_bytes=1, name=name)


@pytest.mark.parametrize("content_type", ["", "text/html\r\nSet-Cookie: a=b", "text/\u043f\u0440", "a\n"])
def test_a_type_can_be_a_header(content_type: str) -> None:
    with pytest.raises(ValidationError, match="content_type"):
        FileReference(path="a", sha256="0" * 64, size_bytes=1, content_type=content_type)


@pytest.mark.parametrize(
    ("url", "reason"), [(None, "FILES_URL is not set"), ("ftp://x", "not ftp"), ("/x", "no scheme")]
)
def test_a_store_that_is_none_is_refused_at_the_start(url: str | None, reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        Files.from_settings(WorkerSettings(rabbitmq_url=SecretStr("redis://x"), worker_type="x", files_url=url))


class Wanted(BaseModel):
    kind: str = "text"
    size: int = 0


class Made(BaseModel):
    text: str = ""
    raw: bytes = b""
    items: list[str] = []
    small: int = 1


class Taken(BaseModel):
    text: str
    raw: bytes
    items: list[str]


class Sizes(BaseModel):
    sizes: list[int]


class ByReference(BaseModel):
    text: FileReference | None


class Where(BaseModel):
    path: str


@handler("test-files-make", queue="test-files", timeout=SECONDS)
async def make(wanted: Wanted) -> Made:
    if wanted.kind == "business":
        raise BusinessError("LARGE", variables={"why": "x" * wanted.size})
    return Made(
        text="ä" * wanted.size if wanted.kind in {"text", "all"} else "",
        raw=b"\xff\0" * wanted.size if wanted.kind == "all" else b"",
        items=["item"] * wanted.size if wanted.kind == "all" else [],
    )


@handler("test-files-make-all", queue="test-files", timeout=SECONDS, batch=4)
async def make_all(wanted: list[Wanted]) -> list[Made]:
    return [await make(each) for each in wanted]


@handler("test-files-take", queue="test-files", timeout=SECONDS)
async def take(taken: Taken) -> Sizes:
    return Sizes(sizes=[len(taken.text), len(taken.raw), len(taken.items)])


@handler("test-files-reference", queue="test-files", timeout=SECONDS)
async def take_reference(taken: ByReference) -> Where:
    return Where(path=taken.text.path if taken.text is not None else "")


def job(variables: object) -> Job:
    return Job(
        task_id="t",
        variables=variables,
        business_key=None,
        process_instance_id="p",
        process_definition_id="p:1",
        process_definition_key="p",
        activity_id="a",
        activity_instance_id="a:1",
        attempt=1,
        retries=None,
    )


async def outcome(topic: str, variables: object, files: Files | None) -> Outcome:
    return await work(list_registered()[topic], job(variables), {Files: files} if files else {})


async def test_large_outputs_become_files_for_the_next_handler(files: Files) -> None:
    made = await outcome("test-files-make", encode_all({"kind": "all", "size": 5000}), files)
    assert isinstance(made, Completed)
    plain = decode_all(made.variables)
    assert plain["small"] == 1, "what is small stays a variable"
    for name, holds in (("text", "text"), ("raw", "bytes"), ("items", "json")):
        reference = FileReference.model_validate(plain[name])
        assert reference.holds == holds
        assert made.variables[name]["type"] == "Json"
    taken = await outcome("test-files-take", made.variables, files)
    assert isinstance(taken, Completed)
    assert decode_all(taken.variables) == {"sizes": [5000, 10_000, 5000]}
    pointed = await outcome("test-files-reference", made.variables, files)
    assert isinstance(pointed, Completed)
    assert str(decode_all(pointed.variables)["path"]).startswith("spilled/20"), "who asks for it gets the reference"


async def test_batches_and_business_errors_spill_too(files: Files) -> None:
    jobs = [job(encode_all({"size": size})) for size in (1, 5000)]
    small, large = await work_many(list_registered()["test-files-make-all"], jobs, {Files: files})
    assert isinstance(small, Completed)
    assert isinstance(large, Completed)
    assert decode_all(small.variables)["text"] == "ä"
    assert FileReference.model_validate(decode_all(large.variables)["text"]).size_bytes == 10_000
    thrown = await outcome("test-files-make", encode_all({"kind": "business", "size": 5000}), files)
    assert isinstance(thrown, BpmnError)
    assert FileReference.model_validate(decode_all(thrown.variables)["why"]).size_bytes == 5000


async def test_the_same_value_is_stored_once(files: Files) -> None:
    both = [await outcome("test-files-make", encode_all({"size": 5000}), files) for _ in range(2)]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"path": "../../etc/passwd"}, "variable 'text' is no file reference: path: "),
        ({"sha256": "0" * 64}, "does not have the SHA-256"),
        ({"path": "spilled/x"}, "the store has no file spilled/x"),
        ({"size_bytes": 3}, "not 3"),
    ],
)
async def test_a_forged_reference_is_an_incident_that_says_why(
    files: Files, change: dict[str, object], reason: str
) -> None:
    made = await outcome("test-files-make", encode_all({"kind": "all", "size": 5000}), files)
    assert isinstance(made, Completed)
    plain = decode_all(made.variables)
    assert isinstance(plain["text"], dict)
    plain["text"] |= change
    failed = await outcome("test-files-take", encode_all(plain), files)
    assert isinstance(failed, Failed)
    assert reason in failed.message
    assert failed.retries == 0


async def test_without_a_store_huge_values_are_refused_by_name() -> None:
    medium = await outcome("test-files-make", encode_all({"size": 100_000}), None)
    assert isinstance(medium, Completed)
    assert json.loads(str(medium.variables["text"]["value"])) == "ä" * 100_000
    huge = await outcome("test-files-make", encode_all({"size": MAX_JOB_BYTES // 4}), None)
    assert isinstance(huge, Failed)
    assert "variable 'text' has " in huge.message
    assert "set FILES_URL" in huge.message
    assert huge.retries == 0


async def test_without_a_store_a_reference_cannot_be_read(files: Files) -> None:
    made = await outcome("test-files-make", encode_all({"kind": "all", "size": 5000}), files)
    assert isinstance(made, Completed)
    failed = await outcome("test-files-take", made.variables, None)
    assert isinstance(failed, Failed)
    assert "is stored as a file, and this worker has no FILES_URL" in failed.message


async def test_a_store_that_is_away_costs_a_retry_and_no_outcome(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    away = Files(url=(tmp_path / "file").as_uri(), spill_above_bytes=LIMIT_BYTES)
    failed = await outcome("test-files-make", encode_all({"size": 5000}), away)
    assert isinstance(failed, Failed)
    assert failed.message.startswith("FilesUnavailable: ")
    assert failed.retries == 2
