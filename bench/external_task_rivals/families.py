"""CPU time and memory of a process with its children, also of those that have ended."""

import psutil

__all__ = ["cpu_seconds", "memory_mib"]


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(pid: int) -> float:
    """User and system time so far. What ended is in the `children_*` of whoever waited for it."""
    total = 0.0
    for process in _family(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # it ended just now: its parent has the time, at the next look
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mib(pid: int) -> dict[str, float]:
    """`rss` and `pss` of the family in MiB; shared pages count in full in the first, once in the second."""
    seen = [process.memory_full_info() for process in _family(pid)]
    return {"rss": sum(each.rss for each in seen) / 2**20, "pss": sum(each.pss for each in seen) / 2**20}
