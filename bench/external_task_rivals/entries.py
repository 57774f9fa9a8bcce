"""When handlers were entered: one line in a file for each, written by the process that runs the handler."""

import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ENTRIES", "Entries", "note_entry", "quantile"]

# The environment variable that names the file.
ENTRIES = "BENCH_ENTRIES"


def note_entry(topic: str, sent_ns: int) -> None:
    """Call it first in a handler; `sent_ns` is when the start of the instance was sent, by the same machine's clock."""
    entered_ns = time.time_ns()
    # One short append is atomic, whoever else writes.
    file = os.open(os.environ[ENTRIES], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(file, f"{topic} {sent_ns} {entered_ns}\n".encode())
    finally:
        os.close(file)


@dataclass(frozen=True, slots=True)
class Entries:
    """The file as the benchmark reads it."""

    path: Path

    def waits_ms(self, *, without: str = "") -> list[float]:
        """From the sending of the start to the entry, of all topics but `without`."""
        lines = [line.split() for line in self._lines()]
        return [(int(entered) - int(sent)) / 1e6 for topic, sent, entered in lines if topic != without]

    def count(self, topic: str) -> int:
        return Counter(line.split()[0] for line in self._lines())[topic]

    def _lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.is_file() else []


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted values lie (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
