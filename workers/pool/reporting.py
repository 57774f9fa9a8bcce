"""Tell the bridge how jobs ended."""

from collections.abc import Iterator, Sequence

import structlog
from prometheus_client import Counter

from workers.broker.report_sender import ReportSender
from workers.envelope import Bundle, Ending, Report
from workers.pool.large_values import count_wire_bytes

__all__ = ["JOBS", "Reporter"]

log = structlog.get_logger(__name__)

FULL_MESSAGE_BYTES = 1024 * 1024

JOBS = Counter("baton_worker_jobs_total", "Jobs taken from the queue, by how they ended", ["topic", "result"])


class Reporter:
    """For the jobs of one bundle."""

    def __init__(self, bundle: Bundle, post: ReportSender) -> None:
        self._bundle = bundle
        self._sender = post

    def report(self, endings: Sequence[Ending]) -> None:
        """Hand endings to the broker. Raises `PostError` after a long patience."""
        bundle = self._bundle
        if not endings:
            return
        for some in _split_messages(endings):
            self._sender.report(Report(lease=bundle.lease, topic=bundle.topic, endings=some), bundle)
        for ending in endings:
            JOBS.labels(bundle.topic, ending.outcome.kind).inc()
            if ending.outcome.kind != "completed":
                reason = getattr(ending.outcome, "message", None) or getattr(ending.outcome, "reason", None)
                log.info("not completed", task_id=ending.task_id, outcome=ending.outcome.kind, reason=reason)
        if len(bundle.jobs) > 1:  # of a job that travels alone, "ended" says as much
            log.info("reported", jobs=len(endings))


def _split_messages(endings: Sequence[Ending]) -> Iterator[tuple[Ending, ...]]:
    """Split endings with large values into several messages: each alone fits into one."""
    some: list[Ending] = []
    size = 0
    for ending in endings:
        variables = getattr(ending.outcome, "variables", {})
        its = sum(count_wire_bytes(wire) for wire in variables.values())
        if some and size + its > FULL_MESSAGE_BYTES:
            yield tuple(some)
            some, size = [], 0
        some.append(ending)
        size += its
    yield tuple(some)
