"""A value as a key by its identity: for what follows from large values that are never changed in place."""

from typing import Generic, TypeVar

__all__ = ["IdentityKey"]

_Value = TypeVar("_Value")


class IdentityKey(Generic[_Value]):
    """Equal only to another one of the very same value, which lives as long as the key does."""

    __slots__ = ("value",)

    def __init__(self, value: _Value) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdentityKey) and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)
