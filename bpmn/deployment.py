"""What a deployment would change: new, unchanged or replaced files."""

from collections.abc import Mapping
from typing import Literal

__all__ = ["ResourceState", "compare"]

ResourceState = Literal["new", "unchanged", "replaced"]


def compare(deployed: Mapping[str, bytes], wanted: Mapping[str, bytes]) -> dict[str, ResourceState]:
    """Return the state of every wanted file against the last deployment of the same name."""
    return {name: _compare_resource(deployed.get(name), content) for name, content in wanted.items()}


def _compare_resource(before: bytes | None, now: bytes) -> ResourceState:
    if before is None:
        return "new"
    return "unchanged" if before == now else "replaced"
