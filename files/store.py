"""One store of files for workers and surfaces: put, get, stream, delete. Variables carry references to it.

Paths of handlers' files begin with a day (`files/2026-11-24/…`), so that a store's own rules can remove what is old;
those of forms with what they belong to (`files.places`).
"""

import asyncio
import hashlib
import os
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self
from urllib.parse import unquote, urlsplit

from obstore import exceptions as trouble
from obstore.store import LocalStore, ObjectStore, from_url

from bpmn.file_reference import FileReference, Holds
from kit.errors import BatonError, ConfigurationError, Permanent

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig  # these are there for type checkers only

__all__ = ["FileDamaged", "FileMissing", "Files", "FilesUnavailable", "StoreSettings"]

SCHEMES = ("file", "s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")
MAX_IN_MEMORY_BYTES = 256 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
# Short: the engine's retries come after them. A large file takes its time, also when it is read in one request.
RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}
CONNECT_TIMEOUT = timedelta(seconds=5)
REQUEST_TIMEOUT = timedelta(minutes=10)


class StoreSettings(Protocol):
    """What a process must know of the store."""

    @property
    def files_url(self) -> str | None: ...

    @property
    def files_spill_above_bytes(self) -> int: ...


class FilesUnavailable(BatonError):
    """The store did not answer, or refused; another attempt may help."""


class FileMissing(Permanent):
    """The store has no such file, perhaps not any more."""


class FileDamaged(Permanent):
    """What the store has is not what the reference says."""


class Files:
    """One store; it is opened on first use, in the process that uses it."""

    def __init__(self, store: ObjectStore | None = None, *, url: str | None = None, spill_above_bytes: int) -> None:
        """Either a store or its URL. Values of variables above `spill_above_bytes` are put here by the worker."""
        self._store = store
        self._url = url
        self.spill_above_bytes = spill_above_bytes

    @classmethod
    def from_settings(cls, settings: StoreSettings) -> Self:
        """Raise `ConfigurationError` for a store that is none."""
        if settings.files_url is None:
            raise ConfigurationError(
                "FILES_URL is not set: name a store of files, as file:///var/lib/baton/files or s3://bucket/folder"
            )
        if (scheme := urlsplit(settings.files_url).scheme) not in SCHEMES:
            raise ConfigurationError(
                f"FILES_URL must begin with {'://, '.join(SCHEMES)}://, not {scheme or 'no scheme'}"
            )
        return cls(url=settings.files_url, spill_above_bytes=settings.files_spill_above_bytes)

    async def put(
        self,
        content: bytes | str | Path | AsyncIterable[bytes],
        *,
        name: str | None = None,
        content_type: str = "application/octet-stream",
        folder: str | None = None,
    ) -> FileReference:
        """Keep a file of any size, from memory, disk or a stream; by default in the day's folder.

        Raises `FilesUnavailable`.
        """
        path = f"{folder or f'files/{_format_today()}'}/{uuid.uuid4().hex}"
        counted = _Counted(_read_chunks(content))
        try:
            with self._translate_errors(path) as store:
                await store.put_async(path, aiter(counted))
        except Exception:
            if counted.error is not None:
                raise counted.error from None  # of the caller's stream, not of the store
            raise
        return FileReference(
            path=path, sha256=counted.sha256, size_bytes=counted.size_bytes, content_type=content_type, name=name
        )

    async def keep(self, content: bytes, holds: Holds, content_type: str, *, name: str | None = None) -> FileReference:
        """Keep a variable's value: the same value of the same day is one file, however often it is written.

        Raises `FilesUnavailable`.
        """
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())
        path = f"spilled/{_format_today()}/{sha256}"
        with self._translate_errors(path) as store:
            await store.put_async(path, content)
        return FileReference(
            path=path, sha256=sha256, size_bytes=len(content), content_type=content_type, name=name, holds=holds
        )

    async def get(self, reference: FileReference) -> bytes:
        """Return the whole content, checked. Raises `FileMissing`, `FileDamaged`, `FilesUnavailable`, or `Permanent`
        for a
        file that is too large for memory: stream it.
        """
        if reference.size_bytes > MAX_IN_MEMORY_BYTES:
            raise Permanent(f"the file {reference.path} has {reference.size_bytes} bytes: stream it")
        return b"".join([chunk async for chunk in self.stream(reference)])

    async def read_text(self, reference: FileReference) -> str:
        """Return the same as UTF-8."""
        try:
            return (await self.get(reference)).decode()
        except UnicodeDecodeError as error:
            raise FileDamaged(f"the file {reference.path} is no UTF-8 text: {error.reason}") from error

    async def stream(self, reference: FileReference) -> AsyncIterator[bytes]:
        """Yield the content in pieces of about a megabyte; whether it is the right one is known at the end.

        Raises as `get`. Do what cannot be undone after the last piece.
        """
        with self._translate_errors(reference.path) as store:
            found = await store.get_async(reference.path)
            if found.meta["size"] != reference.size_bytes:
                raise FileDamaged(
                    f"the file {reference.path} has {found.meta['size']} bytes, not {reference.size_bytes}"
                )
            digest = hashlib.sha256()
            async for piece in found.stream(min_chunk_size=CHUNK_BYTES):
                digest.update(piece)
                yield bytes(piece)
        if digest.hexdigest() != reference.sha256:
            raise FileDamaged(f"the file {reference.path} does not have the SHA-256 of its reference")

    async def list_folders(self, within: str) -> list[str]:
        """Return the names of the folders directly inside one. Raises `FilesUnavailable`."""
        with self._translate_errors(within) as store:
            found = await store.list_with_delimiter_async(f"{within}/")
        return sorted(prefix.strip("/").rpartition("/")[2] for prefix in found["common_prefixes"])

    async def count(self, folder: str, *, up_to: int) -> int:
        """Return how many files are inside a folder, however deep; it counts no further than `up_to`.

        Raises `FilesUnavailable`.
        """
        found = 0
        with self._translate_errors(folder) as store:
            async for batch in store.list(f"{folder}/", chunk_size=up_to):
                found += len(batch)
                if found >= up_to:
                    return up_to
        return found

    async def delete_folder(self, folder: str) -> int:
        """Delete everything inside a folder, however deep; returns how many files. Raises `FilesUnavailable`."""
        count = 0
        with self._translate_errors(folder) as store:
            async for batch in store.list(f"{folder}/"):
                paths = [entry["path"] for entry in batch]
                await store.delete_async(paths)
                count += len(paths)
        return count

    async def aclose(self) -> None:
        self._store = None if self._url is not None else self._store

    @contextmanager
    def _translate_errors(self, path: str) -> Iterator[ObjectStore]:
        try:
            yield self._open()
        except FileNotFoundError as error:
            raise FileMissing(f"the store has no file {path}") from error
        except (trouble.BaseError, OSError) as error:
            raise FilesUnavailable(
                f"the store of files does not answer for {path}: {_take_first_line(error)}"
            ) from error

    def _open(self) -> ObjectStore:
        if self._store is None:
            assert self._url is not None
            address = urlsplit(self._url)
            if address.scheme == "file":
                folder = Path(unquote(address.path))
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._store = LocalStore(folder)
            else:
                self._store = from_url(self._url, retry_config=RETRIES, client_options=_make_client_options())
        return self._store


class _Counted:
    """A stream that says afterwards how much and what it was."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        self.error: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._chunks:
                self._digest.update(chunk)
                self.size_bytes += len(chunk)
                yield chunk
        except Exception as error:
            self.error = error
            raise

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


async def _read_chunks(content: bytes | str | Path | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    match content:
        case str():
            yield bytes(content, "utf-8")
        case bytes():
            yield content
        case Path():
            with await asyncio.to_thread(content.open, "rb") as handle:
                while chunk := await asyncio.to_thread(handle.read, CHUNK_BYTES):
                    yield chunk
        case _:
            async for chunk in content:
                yield chunk


def _make_client_options() -> "ClientConfig":
    # Any option given here makes obstore forget this variable, which S3 servers without TLS need.
    allow_http = os.environ.get("AWS_ALLOW_HTTP", "").lower() in {"1", "true"}
    return {"connect_timeout": CONNECT_TIMEOUT, "timeout": REQUEST_TIMEOUT, "allow_http": allow_http}


def _format_today() -> str:
    return datetime.now(UTC).date().isoformat()


def _take_first_line(error: BaseException) -> str:
    # obstore adds pages of debug text, which may hold what a request was made of.
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
