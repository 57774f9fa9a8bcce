"""Jobs that RabbitMQ gave up on: each becomes an incident with the broker's reason."""

from collections.abc import Mapping
from typing import Any

import structlog

from workers.bridge.metrics import DEAD_LETTERS, POISON
from workers.bridge.outcomes import OutcomeReporter, Verdict
from workers.envelope import DEAD_QUEUE, Ending, Failed, Report, read_bundle
from workers.errors import PoisonMessage

__all__ = ["DeadLetters"]

log = structlog.get_logger(__name__)


class DeadLetters:
    """The consumer of the queue `dead`. Its messages are Celery's: the bundle is the only argument."""

    def __init__(self, outcomes: OutcomeReporter) -> None:
        self._outcomes = outcomes

    async def take(self, raw: object, headers: Mapping[str, Any]) -> Verdict:
        """Tell the engine; what is no bundle is dropped, for there is nobody to tell."""
        reason, count = _read_death(headers)
        try:
            bundle = read_bundle(_read_argument(raw))
        except PoisonMessage as error:
            POISON.labels(DEAD_QUEUE).inc()
            log.error("dead letter dropped", reason=str(error), death=reason)  # noqa: TRY400 -- the reason is all there is
            return Verdict.SETTLED
        DEAD_LETTERS.labels(reason).inc(len(bundle.jobs))
        message = f"the broker gave this task up after {count} deliveries ({reason}); no worker has ended it"
        log.error("dead letter: its tasks become incidents", topic=bundle.topic, jobs=len(bundle.jobs), death=reason)
        endings = tuple(Ending(task_id=job.task_id, outcome=Failed(message=message, retries=0)) for job in bundle.jobs)
        report = Report(lease=bundle.lease, topic=bundle.topic, endings=endings)
        return await self._outcomes.take(report.model_dump(mode="json"))


def _read_argument(raw: object) -> object:
    match raw:
        case [[argument], *_]:
            return argument
    return None


def _read_death(headers: Mapping[str, Any]) -> tuple[str, int]:
    """Return the reason and the number of deliveries, from the broker's own headers (x-death, x-delivery-count)."""
    deaths = headers.get("x-death") or [{}]
    reason = str(headers.get("x-first-death-reason") or deaths[0].get("reason") or "unknown")
    return reason, int(headers.get("x-delivery-count") or deaths[0].get("count") or 1)
