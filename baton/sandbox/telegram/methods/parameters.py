"""A method's parameters, from wherever the Bot API takes them: query, form, JSON and multipart."""

import json
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from baton.sandbox.telegram.errors import ApiError, make_bad_request
from baton.sandbox.telegram.state.files import UPLOAD_BYTES
from baton.sandbox.telegram.wire import Json

__all__ = ["Parameters", "UploadedFile", "of_request", "of_webhook_answer"]

_TRUE = frozenset({"true", "yes", "1"})


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file of a multipart body."""

    name: str
    content: bytes
    content_type: str


@dataclass(slots=True)
class Parameters:
    """Values by name: strings as they came, or JSON values; the readers convert and raise error code 400."""

    values: dict[str, Any] = field(default_factory=dict)
    uploads: dict[str, UploadedFile] = field(default_factory=dict)

    def read_text(self, name: str) -> str:
        """Return a string; empty when absent."""
        value = self.values.get(name)
        if value is None:
            return ""
        if isinstance(value, dict | list):
            raise make_bad_request(f'can\'t parse field "{name}": expected a String')
        text = str(value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise make_bad_request("strings must be encoded in UTF-8")
        return text

    def read_integer(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(value)
        except (TypeError, ValueError) as error:
            raise make_bad_request(f'can\'t parse field "{name}": expected an Integer') from error

    def read_number(self, name: str) -> float:
        """Return a finite number. Raises error code 400 when absent."""
        try:
            value = float(self.values.get(name, ""))
        except (TypeError, ValueError) as error:
            raise make_bad_request(f'can\'t parse field "{name}": expected a Number') from error
        if not math.isfinite(value):
            raise make_bad_request(f'can\'t parse field "{name}": expected a finite Number')
        return value

    def read_boolean(self, name: str) -> bool:
        return str(self.values.get(name, "")).lower() in _TRUE

    def read_structure(self, name: str) -> Any:
        """Return an object or array: given as such or as JSON in a string; None when absent."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise make_bad_request(f"can't parse {name} JSON object") from error

    def to_log(self) -> Json:
        """Return what was given; of a file its name and size."""
        files = {name: f"file {upload.name}, {len(upload.content)} bytes" for name, upload in self.uploads.items()}
        return {**self.values, **files}


async def of_request(request: web.Request) -> Parameters:
    """Read a call of the bot. Raises 400 for a body that is not what its content type says, 413 above 50 MB."""
    parameters = Parameters(dict(request.query))
    if request.method == "GET" or not request.can_read_body:
        return parameters
    if request.content_type.startswith("multipart/"):
        await _add_parts(parameters, aiohttp.MultipartReader(request.headers, request.content))
    elif request.content_type == "application/json":
        parameters.values |= _read_json_object(await request.text())
    else:
        parameters.values |= {name: str(value) for name, value in (await request.post()).items()}
    return parameters


async def of_webhook_answer(answer: aiohttp.ClientResponse) -> Parameters:
    """Read the call that a bot may put into its answer to a webhook."""
    parameters = Parameters()
    if answer.content_type.startswith("multipart/"):
        await _add_parts(parameters, aiohttp.MultipartReader(answer.headers, answer.content))
    elif answer.content_type == "application/json" and (body := await answer.text()).strip():
        parameters.values |= _read_json_object(body)
    return parameters


def _read_json_object(body: str) -> Mapping[str, Any]:
    try:
        value = json.loads(body) if body.strip() else {}
    except ValueError as error:
        raise make_bad_request("can't parse JSON of the request's body") from error
    if not isinstance(value, dict):
        raise make_bad_request("the request's body must be a JSON object")
    return value


async def _add_parts(parameters: Parameters, reader: aiohttp.MultipartReader) -> None:
    try:
        async for part in _read_parts(reader):
            content = await _read_content(part)
            if part.filename is None:
                parameters.values[part.name or ""] = content.decode()
            else:
                content_type = part.headers.get("Content-Type", "")
                parameters.uploads[part.name or part.filename] = UploadedFile(part.filename, content, content_type)
    except ValueError as error:
        raise make_bad_request(f"can't parse the multipart body: {error}") from error


async def _read_parts(reader: aiohttp.MultipartReader) -> AsyncIterator[aiohttp.BodyPartReader]:
    while (part := await reader.next()) is not None:
        if not isinstance(part, aiohttp.BodyPartReader):
            raise make_bad_request("nested multipart bodies are not supported")
        yield part


async def _read_content(part: aiohttp.BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(2**16):
        content += chunk
        if len(content) > UPLOAD_BYTES:
            raise ApiError(413, "Request Entity Too Large")
    return bytes(part.decode(content))
