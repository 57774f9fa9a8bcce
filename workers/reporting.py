"""Tell the bridge how jobs ended."""

from collections.abc import Sequence

import structlog
from prometheus_client import Counter

from workers.envelope import Bundle, Ending, Report
from workers.post import Post

__all__ = ["JOBS", "Reporter"]

log = structlog.get_logger(__name__)

JOBS = Counter("baton_worker_jobs_total", "Jobs taken from the queue, by how they ended", ["topic", "result"])


class Reporter:
    """For the jobs of one bundle."""

    def __init__(self, bundle: Bundle, post: Post) -> None:
        self._bundle = bundle
        self._post = post

    def report(self, endings: Sequence[Ending]) -> None:
        """Hand endings to the broker. Raises `PostError` after a long patience."""
        bundle = self._bundle
        if not endings:
            return
        self._post.report(Report(lease=bundle.lease, topic=bundle.topic, endings=tuple(endings)), bundle)
        for ending in endings:
            JOBS.labels(bundle.topic, ending.outcome.kind).inc()
            if ending.outcome.kind != "completed":
                reason = getattr(ending.outcome, "message", None) or getattr(ending.outcome, "reason", None)
                log.info("not completed", task_id=ending.task_id, outcome=ending.outcome.kind, reason=reason)
        log.info("reported", jobs=len(endings))
