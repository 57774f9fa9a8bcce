"""What a button carries: which form, which view of it, and what is to be done. Indexes and numbers, never values."""

from forms.errors import ButtonUnreadable, FormError
from forms.session.events import Operation, Pressed
from forms.session.state import FormSession
from forms.telegram.message import MAX_DATA_BYTES

__all__ = ["decode", "encode"]

_PREFIX = "f"


def encode(session: FormSession, operation: Operation, argument: int = 0) -> str:
    """Encode callback data `f:<session>:<revision>:<operation>:<argument>`. Raises `FormError` above Telegram's 64
    bytes.
    """
    data = f"{_PREFIX}:{session.id}:{session.revision}:{operation.value}:{argument}"
    if len(data.encode()) > MAX_DATA_BYTES:
        raise FormError(f"the session id {session.id!r} makes callback data of more than {MAX_DATA_BYTES} bytes")
    return data


def decode(data: str) -> tuple[str, Pressed]:
    """Decode session id and event of callback data. Raises `ButtonUnreadable`."""
    parts = data.split(":")
    if len(parts) != 5 or parts[0] != _PREFIX:
        raise ButtonUnreadable(f"the button {data[:64]!r} is none of a form")
    try:
        return parts[1], Pressed(int(parts[2]), Operation(parts[3]), int(parts[4]))
    except ValueError as error:
        raise ButtonUnreadable(f"the button {data[:64]!r} is damaged or of another version") from error
