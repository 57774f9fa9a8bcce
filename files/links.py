"""Links to files that work for a while and only as they were made: the reference travels in them, signed."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from datetime import timedelta

from pydantic import ValidationError

from bpmn.file_reference import FileReference
from kit.errors import BatonError

__all__ = ["LinkRefused", "make_token", "read_token"]

_PURPOSE = b"baton file link\0"


class LinkRefused(BatonError):
    """A link that is over, or that nobody of ours made."""


def make_token(reference: FileReference, secret: str, life: timedelta) -> str:
    """Return a token for addresses, good for `life` from now on."""
    told = {"r": reference.model_dump(mode="json", exclude_defaults=True), "e": int(time.time() + life.total_seconds())}
    payload = json.dumps(told, separators=(",", ":")).encode()
    return f"{_encode(payload)}.{_encode(_sign(payload, secret))}"


def read_token(token: str, secret: str) -> FileReference:
    """Return the reference of a token. Raises `LinkRefused`."""
    try:
        payload, signature = (_read(part) for part in token.split("."))
    except (ValueError, binascii.Error) as error:
        raise LinkRefused("this is no link to a file") from error
    if not hmac.compare_digest(signature, _sign(payload, secret)):
        raise LinkRefused("this link was changed, or made with another secret")
    told = json.loads(payload)
    if told["e"] < time.time():
        raise LinkRefused("this link is over; ask for another one")
    try:
        return FileReference.model_validate(told["r"])
    except ValidationError as error:
        raise LinkRefused("this link is of an older version; ask for another one") from error


def _sign(payload: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + payload, hashlib.sha256)


def _encode(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _read(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
