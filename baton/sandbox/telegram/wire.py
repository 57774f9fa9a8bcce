"""JSON of the Bot API: the objects' type, text lengths, and identifiers that never come twice."""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

__all__ = ["Json", "dumps", "fresh_ids", "utf16_length"]

Json = dict[str, Any]

_EPOCH_SECONDS = 1_767_225_600  # 2026-01-01
_IDS_PER_SECOND = 10


def utf16_length(text: str) -> int:
    """Telegram counts characters and entity offsets in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def fresh_ids() -> Iterator[int]:
    """Ascending numbers that start above those of an earlier run of the sandbox.

    A bot keeps the offset of its last update, and browsers the last event they saw: with numbers that start at 1 again,
    a restarted sandbox would have its first updates confirmed unread. Below 2**31 until 2032.
    """
    return itertools.count(max(1, int((time.time() - _EPOCH_SECONDS) * _IDS_PER_SECOND)))
