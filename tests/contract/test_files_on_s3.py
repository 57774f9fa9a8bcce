"""The client of files over HTTP, against a server that speaks the part of S3 that it uses, with multipart uploads."""

import hashlib
import re
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from xml.sax.saxutils import escape

import pytest
from aiohttp import web
from pydantic import SecretStr

from workers.clients.files import FileMissing, Files, FilesUnavailable
from workers.settings import WorkerSettings

PART = re.compile(r"<PartNumber>(\d+)</PartNumber>")


class S3:
    """One bucket in memory. `refuses` is the status it answers everything with, when it is not well."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        self.calls: list[str] = []
        self.refuses: int | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        key = request.path.removeprefix("/bucket/")
        query = request.query
        self.calls.append(f"{request.method} {'part' if query else 'object'}")
        assert request.headers["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=an-id/")
        if self.refuses is not None:
            return web.Response(status=self.refuses, text="<Error><Code>SlowDown</Code></Error>")
        body = await request.read()
        match request.method:
            case "PUT" if "uploadId" in query:
                self.uploads[query["uploadId"]][int(query["partNumber"])] = body
                return web.Response(headers={"ETag": f'"{len(body)}"'})
            case "PUT":
                self.objects[key] = body
                return web.Response(headers={"ETag": '"1"'})
            case "POST" if "uploadId" in query:
                parts = self.uploads.pop(query["uploadId"])
                self.objects[key] = b"".join(parts[int(number)] for number in PART.findall(body.decode()))
                return _xml(f"<CompleteMultipartUploadResult><ETag>2</ETag><Key>{escape(key)}</Key>"
                            "</CompleteMultipartUploadResult>")  # fmt: skip
            case "POST":
                return _xml(f"<InitiateMultipartUploadResult><UploadId>{uuid.uuid4().hex}</UploadId>"
                            "</InitiateMultipartUploadResult>")  # fmt: skip
            case "GET" if key in self.objects:
                return web.Response(body=self.objects[key], headers={
                    "ETag": '"1"', "Last-Modified": "Tue, 24 Nov 2026 00:00:00 GMT"
                })  # fmt: skip
        return web.Response(status=404, text="<Error><Code>NoSuchKey</Code></Error>")


def _xml(text: str) -> web.Response:
    return web.Response(text=text, content_type="application/xml")


@pytest.fixture
async def s3(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3]:
    server = S3()
    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.router.add_route("*", "/bucket/{key:.*}", server.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    for name, value in {
        "AWS_ENDPOINT": f"http://{host}:{port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "here",
        "AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret-of-nobody",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    yield server
    await runner.cleanup()


@pytest.fixture
def files(s3: S3) -> Files:
    """As a worker makes it: the address by FILES_URL, the rest by the variables of the cloud."""
    settings = WorkerSettings(
        rabbitmq_url=SecretStr("redis://localhost"), worker_type="x", files_url="s3://bucket/some/folder"
    )
    return Files.from_settings(settings)


async def test_what_is_put_lies_below_the_folder_and_is_got(files: Files, s3: S3) -> None:
    reference = await files.put("text", name="a.txt")
    assert list(s3.objects) == [f"some/folder/{reference.path}"]
    assert await files.read_text(reference) == "text"


async def test_a_large_stream_goes_in_parts(files: Files, s3: S3) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(13):
            yield bytes([number]) * 1_000_000

    reference = await files.put(pieces())
    assert s3.calls.count("PUT part") >= 2
    digest = hashlib.sha256()
    async for piece in files.stream(reference):
        digest.update(piece)
    assert digest.hexdigest() == reference.sha256
    assert reference.size_bytes == 13_000_000


async def test_what_is_gone_is_told_from_what_is_away(files: Files, s3: S3) -> None:
    reference = await files.put(b"x")
    s3.objects.clear()
    with pytest.raises(FileMissing, match="the store has no file files/"):
        await files.get(reference)


@pytest.mark.parametrize("status", [403, 503])
async def test_failing_store_is_retried_and_named_without_secrets(files: Files, s3: S3, status: int) -> None:
    s3.refuses = status
    started = time.monotonic()
    with pytest.raises(FilesUnavailable, match="the store of files does not answer") as refused:
        await files.put(b"x")
    assert time.monotonic() - started < 15
    assert "secret" not in str(refused.value)
    assert (len(s3.calls) > 1) == (status == 503)
