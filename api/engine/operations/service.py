"""What operators ask engine-api: the incidents, new tries for what failed, and the load of the topics."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import structlog

from api.kit.problems import ProblemError
from bpmn.engine.client import EngineClient
from bpmn.engine.incident_calls import FAILED_EXTERNAL_TASK, FAILED_JOB
from bpmn.engine.types import ExternalTaskState, Incident
from bpmn.errors import EngineConflict, NotFound
from contracts.engine.schemas import (
    IncidentDetails,
    IncidentOut,
    RetriedOut,
    RetryAllRequest,
    TopicOut,
)
from kit.reasons import describe_error

__all__ = ["MAX_INCIDENTS", "IncidentSelection", "Operations"]

MAX_INCIDENTS = 1000
# So many at once are one query, and one transaction of new tries.
PAGE = 200

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class IncidentSelection:
    """Which incidents are meant: None is any."""

    topic: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class FoundIncidents:
    """An incident with its cause, which is itself unless the work failed in a called process."""

    incident: Incident
    cause: Incident
    task: ExternalTaskState | None

    @property
    def is_open(self) -> bool:
        """False in the moment in which the cause is resolved and its copies are not yet."""
        return self.cause.id == self.incident.root_cause_id


class Operations:
    """One engine's failed work and waiting work."""

    def __init__(self, engine: EngineClient, page: int = PAGE) -> None:
        self._engine = engine
        self._page = page

    async def list_incidents(self, selection: IncidentSelection, limit: int) -> list[IncidentOut]:
        """Open incidents, newest first."""
        listed: dict[str, IncidentOut] = {}
        # The engine does not know the topic of an incident: what is wanted may stand far behind the newest.
        size = self._page if selection.topic is not None else min(self._page, limit)
        async for page in self._read_pages(selection, "newest", size):
            found = [one for one in await self._resolve(page) if _is_of(one, selection.topic)]
            listed |= {row.id: row for row in await self._make_rows(found)}
            if len(listed) >= limit:
                break
        return list(islice(listed.values(), limit))

    async def fetch_incident(self, incident_id: str) -> IncidentDetails:
        """Return one incident with what the failure left behind. Raises `ProblemError` 404."""
        try:
            (found,) = await self._resolve([await self._engine.fetch_incident(incident_id)])
            details = await self._fetch_details(found.cause)
        except NotFound as error:
            raise _make_gone(incident_id) from error
        (row,) = await self._make_rows([found])
        worker = found.task.worker_id if found.task else None
        cause = found.cause.configuration
        return IncidentDetails(**row.model_dump(), configuration=cause, worker_id=worker, details=details or None)

    async def count(self, selection: IncidentSelection) -> int:
        return len(await self._list_causes(selection))

    async def retry(self, incident_id: str, retries: int) -> RetriedOut:
        """Retry new tries for what an incident is about. Raises `ProblemError` 404, and 422 for what has no tries."""
        try:
            (found,) = await self._resolve([await self._engine.fetch_incident(incident_id)])
            cause = found.cause
            if not found.is_open:
                raise _make_gone(incident_id)
            if cause.configuration is None or cause.type not in {FAILED_EXTERNAL_TASK, FAILED_JOB}:
                detail = (
                    f"Incident {incident_id} is a {cause.type}, which has no tries: "
                    "whatever made it has to resolve it, or an operator in Cockpit."
                )
                raise ProblemError(422, "not_retriable", detail)
            await self._retry_one(cause.type, cause.configuration, retries)
        except NotFound as error:
            raise _make_gone(incident_id) from error
        log.info("given new tries", incident=cause.id, type=cause.type, of=cause.configuration, retries=retries)
        return RetriedOut(retried=1)

    async def retry_all(self, request: RetryAllRequest) -> RetriedOut:
        """Retry new tries for all that failed until now; what fails again meanwhile stays an incident."""
        selection = IncidentSelection(request.topic, request.process_definition_key)
        causes = await self._list_causes(selection)
        of: dict[str, list[str]] = {FAILED_EXTERNAL_TASK: [], FAILED_JOB: []}
        for cause in causes:
            if cause.configuration is not None and cause.type in of:
                of[cause.type].append(cause.configuration)
        tasks, jobs = of[FAILED_EXTERNAL_TASK], of[FAILED_JOB]
        retried = 0
        for start in range(0, len(tasks), self._page):
            retried += await self._retry_tasks(tasks[start : start + self._page], request.retries)
        for job in jobs:
            retried += await self._try_again(FAILED_JOB, job, request.retries)
        meant = len(tasks) + len(jobs)
        log.info("given new tries", topic=selection.topic, process=selection.key, retried=retried, of=meant)
        return RetriedOut(retried=retried, missed=meant - retried, skipped=len(causes) - meant)

    async def list_topics(self) -> list[TopicOut]:
        """Return every topic with open tasks."""
        loads = [await self._engine.fetch_topic_load(topic) for topic in await self._engine.list_topic_names()]
        return [
            TopicOut(
                topic=load.topic,
                ready=load.ready,
                suspended=load.suspended,
                running=load.running,
                failed=load.failed,
                oldest_ready=load.oldest_ready,
            )
            for load in loads
        ]

    async def _read_pages(
        self, selection: IncidentSelection, order: Literal["newest", "id"], size: int
    ) -> AsyncIterator[list[Incident]]:
        type_ = FAILED_EXTERNAL_TASK if selection.topic is not None else None  # nothing else has a topic
        first = 0
        while True:
            page = await self._engine.list_incidents(
                key=selection.key, type_=type_, order=order, first=first, max_results=size
            )
            yield page
            if len(page) < size:
                return
            first += size

    async def _list_causes(self, selection: IncidentSelection) -> list[Incident]:
        """Return the causes of the selected incidents, each once. All are read before any is changed: pages would
        move.
        """
        causes: dict[str, Incident] = {}
        async for page in self._read_pages(selection, "id", self._page):
            # Without a process every cause is in some page itself; callers' copies lead nowhere new.
            meant = page if selection.key else [one for one in page if one.root_cause_id == one.id]
            found = await self._resolve(meant, with_tasks=selection.topic is not None)
            causes |= {one.cause.id: one.cause for one in found if one.is_open and _is_of(one, selection.topic)}
        return list(causes.values())

    async def _resolve(self, incidents: list[Incident], *, with_tasks: bool = True) -> list[FoundIncidents]:
        causes = {incident.id: incident for incident in incidents}
        for cause_id in {incident.root_cause_id for incident in incidents} - set(causes):
            try:
                causes[cause_id] = await self._engine.fetch_incident(cause_id)
            except NotFound:  # resolved meanwhile, and with it soon the incidents that it caused
                log.info("the cause of an incident is resolved", cause=cause_id)
        pairs = [(incident, causes.get(incident.root_cause_id, incident)) for incident in incidents]
        ids = {cause.configuration for _, cause in pairs if cause.configuration and cause.type == FAILED_EXTERNAL_TASK}
        tasks = {task.id: task for task in await self._engine.list_external_tasks(ids)} if with_tasks else {}
        return [FoundIncidents(incident, cause, tasks.get(cause.configuration or "")) for incident, cause in pairs]

    async def _make_rows(self, found: list[FoundIncidents]) -> list[IncidentOut]:
        business = await self._engine.list_business_keys(
            {one.incident.process_instance_id for one in found if one.incident.process_instance_id}
        )
        keys = await self._find_keys({one.incident.process_definition_id for one in found})
        return [
            IncidentOut(
                id=one.incident.id,
                created=one.incident.created,
                type=one.incident.type,
                process_definition_key=keys.get(one.incident.process_definition_id or ""),
                process_definition_id=one.incident.process_definition_id,
                process_instance_id=one.incident.process_instance_id,
                business_key=business.get(one.incident.process_instance_id or ""),
                activity_id=one.incident.activity_id,
                topic=one.task.topic if one.task else None,
                message=one.cause.message,
                root_cause_id=one.incident.root_cause_id,
            )
            for one in found
        ]

    async def _find_keys(self, definition_ids: set[str | None]) -> dict[str, str]:
        return {id_: await self._engine.find_definition_key(id_) for id_ in definition_ids if id_ is not None}

    async def _fetch_details(self, cause: Incident) -> str | None:
        if cause.configuration is None:
            return None
        if cause.type == FAILED_EXTERNAL_TASK:
            return await self._engine.fetch_external_task_error(cause.configuration)
        return await self._engine.fetch_job_error(cause.configuration) if cause.type == FAILED_JOB else None

    async def _retry_one(self, type_: str, id_: str, retries: int) -> None:
        if type_ == FAILED_JOB:
            await self._engine.set_job_retries(id_, retries)
        else:
            await self._engine.set_retries(id_, retries)

    async def _retry_tasks(self, ids: list[str], retries: int) -> int:
        try:
            await self._engine.set_retries_of_all(ids, retries)
        except (NotFound, EngineConflict):  # one of them moved and held up the rest
            return sum([await self._try_again(FAILED_EXTERNAL_TASK, id_, retries) for id_ in ids])
        return len(ids)

    async def _try_again(self, type_: str, id_: str, retries: int) -> bool:
        try:
            await self._retry_one(type_, id_, retries)
        except (NotFound, EngineConflict) as error:
            log.info("not given new tries", type=type_, of=id_, reason=describe_error(error))
            return False
        return True


def _is_of(found: FoundIncidents, topic: str | None) -> bool:
    return topic is None or (found.task is not None and found.task.topic == topic)


def _make_gone(incident_id: str) -> ProblemError:
    return ProblemError(
        404, "incident_gone", f"Incident {incident_id} is not open: it was resolved, or was never there."
    )
