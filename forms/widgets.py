"""What a person is given to answer with: a closed union, so that a new kind of field needs no new renderer."""

from dataclasses import dataclass

__all__ = ["Ask", "Pick", "Show", "Widget"]


@dataclass(frozen=True, slots=True)
class Ask:
    """The person types; `current` is the value that may be kept."""

    current: str | None = None


@dataclass(frozen=True, slots=True)
class Pick:
    """The person chooses; `several`: any number, confirmed at the end. `columns`: how many stand beside each other."""

    labels: tuple[str, ...]
    chosen: frozenset[int]
    several: bool = False
    columns: int = 1


@dataclass(frozen=True, slots=True)
class Show:
    """There is nothing to answer."""


Widget = Ask | Pick | Show
