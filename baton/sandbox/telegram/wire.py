"""JSON of the Bot API: the objects' type, text lengths, and identifiers that never come twice."""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

__all__ = ["Json", "count_utf16", "make_fresh_ids", "to_json"]

Json = dict[str, Any]

_EPOCH_SECONDS = 1_767_225_600  # 2026-01-01
_IDS_PER_SECOND = 10


def count_utf16(text: str) -> int:
    """Count UTF-16 code units, as Telegram does for texts and entity offsets."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def make_fresh_ids() -> Iterator[int]:
    """Make ascending numbers that start above those of an earlier run of the sandbox.

    A bot keeps the offset of its last update, and browsers the last event they saw: with numbers that start at 1 again,
    a restarted sandbox would have its first updates confirmed unread. Below 2**31 until 2032.
    """
    return itertools.count(max(1, int((time.time() - _EPOCH_SECONDS) * _IDS_PER_SECOND)))
