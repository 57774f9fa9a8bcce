"""What is known of messages that are published together."""

from dataclasses import dataclass

__all__ = ["Batch"]


@dataclass(slots=True)
class Batch:
    """`taken`: how many of the first messages the broker has for certain, also when it failed over a later one."""

    taken: int = 0
