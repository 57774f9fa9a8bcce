"""engine-api as the bot uses it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Literal, Self
from urllib.parse import quote

import aiohttp

from bot.errors import ApiProblem, ApiUnavailable
from bot.telegram.files import IncomingFile
from bpmn.file_reference import FileReference
from forms.schema.paths import Json

__all__ = ["CompletedTask", "Ending", "EngineApi", "OpenForm", "OpenTask", "SubmittedAnswers", "TaskStanding"]

TIMEOUT = timedelta(seconds=20)
MOST_TASKS = 100
# More at once make none of them faster. Who is next waits here, and the time-out begins with the call.
MOST_CALLS = 32
_AWAY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class OpenTask:
    """An open user task."""

    id: str
    name: str
    key: str
    process_key: str
    process_instance_id: str
    created: datetime
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class OpenForm:
    """What a task asks a person: their draft, or why there is none. `key` names a form which is elsewhere, and `url`
    opens it; None where nobody knows its address.
    """

    session_id: str | None
    source: str
    key: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class SubmittedAnswers:
    """A person's answers to a form, from their draft as it was at this revision."""

    user: str
    values: Mapping[str, Json]
    session_id: str
    revision: int
    surface: str
    locale: str
    zone: str


Ending = Literal["completed", "cancelled", "unknown"]
"""How an instance ended: by its model, by an operator or whoever called it, or the engine has forgotten it."""


@dataclass(frozen=True, slots=True)
class CompletedTask:
    """What followed a completed task: the person's next one, or the end, or neither: somebody else is at work."""

    next: OpenTask | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class TaskStanding:
    """How an offered task stands: for anybody, somebody's (`by`), or over: `by` whom and when, as far as known."""

    state: Literal["offered", "taken", "ended"]
    by: str | None = None
    at: datetime | None = None

    @property
    def word(self) -> str:
        """Two standings that look the same have the same word."""
        return f"{self.state}:{self.by or ''}"


class EngineApi:
    """One engine-api. Methods raise `ApiUnavailable` and `ApiProblem`. Use as a context manager."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._session: aiohttp.ClientSession | None = None
        self._turns = asyncio.Semaphore(MOST_CALLS)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT.total_seconds()),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def list_running(self, business_key: str) -> list[str]:
        """List ids of the running instances of a business key."""
        found = await self._call("GET", "/process-instance", params={"businessKey": business_key})
        return [str(item["id"]) for item in found]

    async def start(
        self, key: str, *, user: str, chat: str, locale: str, variables: Mapping[str, str]
    ) -> tuple[str, OpenTask | None]:
        """Start a process for a person; returns the instance's id and the first task. Repeating starts another."""
        body = {
            "initiator": user, "surface": "telegram", "chat": chat, "locale": locale, "variables": dict(variables),
        }  # fmt: skip
        path = f"/process-definition/{quote(key, safe='')}/start"
        started = await self._call("POST", path, params={"next": "true"}, json=body)
        return str(started["id"]), _read_task(started["next"]) if started["next"] else None

    async def fetch_next_task(self, instance_id: str, user: str) -> OpenTask | None:
        """Return the person's oldest open task of an instance."""
        params = {"processInstanceId": instance_id, "assignee": user, "limit": "1"}
        found = await self._call("GET", "/task", params=params)
        return _read_task(found[0]) if found else None

    async def list_tasks_of(self, user: str) -> list[OpenTask]:
        """Return a person's open tasks, oldest first; at most a hundred."""
        return [_read_task(item) for item in await self._call("GET", "/task", params={"assignee": user})]

    async def list_offered(self, user: str, groups: Sequence[str]) -> list[OpenTask]:
        """Return tasks that a person could take, by themselves or as one of these groups, oldest first; at most a
        hundred.
        """
        params = [("candidate", user), *(("groups", group) for group in groups)]
        return [_read_task(item) for item in await self._call("GET", "/task", params=params)]

    async def claim(self, task_id: str, user: str, groups: Sequence[str]) -> OpenTask:
        """Give a person a task that is offered to them, or to one of these groups of theirs; theirs stays theirs.

        Raises `ApiProblem` 403, 404, 409 `claimed_by_other` or 410, each with who and when as far as it is known.
        """
        body = {"user": user, "groups": list(groups)}
        return _read_task(await self._call("POST", f"/task/{quote(task_id, safe='')}/claim", json=body))

    async def list_offers(self, group: str, *, is_prefix: bool = False) -> list[OpenTask]:
        """Return all tasks that nobody has of a group, or of every group whose name begins so; oldest first."""
        found: list[OpenTask] = []
        while True:
            params = {"group": group, "prefix": str(is_prefix).lower(), "first": len(found), "limit": MOST_TASKS}
            page = [_read_task(item) for item in await self._call("GET", "/offer", params=params)]
            found += page
            if len(page) < MOST_TASKS:
                return found

    async def list_candidate_groups(self, task_id: str) -> list[str]:
        """Return the groups that a task is offered to. Raises `ApiProblem` 404 when it is over."""
        found = await self._call("GET", f"/task/{quote(task_id, safe='')}/candidates")
        return [str(group) for group in found["groups"]]

    async def list_standings(self, task_ids: Sequence[str]) -> dict[str, TaskStanding]:
        """Return how these tasks stand, by their ids."""
        found: dict[str, TaskStanding] = {}
        for start in range(0, len(task_ids), MOST_TASKS):
            params = [("id", task_id) for task_id in task_ids[start : start + MOST_TASKS]]
            for item in await self._call("GET", "/offer/standing", params=params):
                at = datetime.fromisoformat(item["at"]) if item["at"] else None
                found[item["id"]] = TaskStanding(item["state"], item["by"], at)
        return found

    async def give_back(self, task_id: str, user: str) -> None:
        """Offer a person's task to the others again. Raises `ApiProblem` 403, 404, 409 `no_candidates` or 410."""
        await self._call("POST", f"/task/{quote(task_id, safe='')}/unclaim", json={"user": user})

    async def fetch_task(self, task_id: str) -> OpenTask | None:
        """Return an open task; None when it is not open any more."""
        try:
            return _read_task(await self._call("GET", f"/task/{quote(task_id, safe='')}"))
        except ApiProblem as problem:
            if problem.status == 404:
                return None
            raise

    async def open_form(self, task_id: str, user: str, *, locale: str, zone: str) -> OpenForm:
        """Open a task's form for a person: their draft is found, or begun."""
        return await self._open_form(f"/task/{quote(task_id, safe='')}/form", user, locale, zone)

    async def start_form(self, key: str, user: str, *, locale: str, zone: str) -> OpenForm:
        """Return the same for the form that a process is started with, in its latest version."""
        return await self._open_form(f"/process-definition/{quote(key, safe='')}/form", user, locale, zone)

    async def _open_form(self, path: str, user: str, locale: str, zone: str) -> OpenForm:
        found = await self._call("GET", path, params={"user": user, "locale": locale, "zone": zone})
        session = found["session"] or {}
        return OpenForm(session.get("id"), found["source"], found["key"], found.get("url"))

    async def is_open(self, task_id: str) -> bool:
        """Tell whether a task still waits."""
        try:
            await self._call("GET", f"/task/{quote(task_id, safe='')}")
        except ApiProblem as problem:
            if problem.status == 404:
                return False
            raise
        return True

    async def fetch_ending(self, instance_id: str) -> Ending | None:
        """Return how an instance has ended; None while it runs."""
        try:
            instance = await self._call("GET", f"/process-instance/{quote(instance_id, safe='')}")
        except ApiProblem as problem:
            if problem.status == 404:
                return "unknown"
            raise
        if not instance["ended"]:
            return None
        return "completed" if instance["state"] == "COMPLETED" else "cancelled"

    async def submit(self, task_id: str, answers: SubmittedAnswers) -> CompletedTask:
        """Complete a task with the answers of its form; its drafts are closed.

        Raises `ApiProblem` with the codes of engine-api's submit-form.
        """
        path = f"/task/{quote(task_id, safe='')}/submit-form"
        done = await self._call("POST", path, params={"next": "true"}, json=_make_submission(answers))
        return _read_completed(done)

    async def submit_start(
        self, key: str, answers: SubmittedAnswers, *, chat: str, variables: Mapping[str, str]
    ) -> tuple[str, CompletedTask]:  # fmt: skip
        """Start a process with the answers of its form; returns the instance's id, and what follows. A draft starts
        one instance, however often it is sent. Raises as `submit` does.
        """
        body = {**_make_submission(answers), "fromSurface": "telegram", "chat": chat, "variables": dict(variables)}
        path = f"/process-definition/{quote(key, safe='')}/submit-form"
        started = await self._call("POST", path, params={"next": "true"}, json=body)
        return str(started["id"]), _read_completed(started)

    async def send_file(
        self, answers_of: str, user: str, field: str, media: IncomingFile, content: BinaryIO
    ) -> FileReference:  # fmt: skip
        """Pass a person's file on to their draft, for the field at a place. Raises `ApiProblem` for one that is not
        taken there.
        """
        form = aiohttp.FormData()
        form.add_field("file", content, filename=media.name, content_type=media.content_type)
        params = {"user": user, "field": field}
        path = f"/forms/{quote(answers_of, safe='')}/files"
        return FileReference.model_validate(await self._call("POST", path, params=params, data=form))

    async def complete(self, task_id: str, user: str) -> CompletedTask:
        """Complete a task that asks nothing. Raises `ApiProblem` with code `task_gone` when it is done already."""
        path = f"/task/{quote(task_id, safe='')}/complete"
        done = await self._call("POST", path, params={"next": "true"}, json={"user": user})
        return _read_completed(done)

    async def _call(self, method: str, path: str, **arguments: Any) -> Any:
        if self._session is None:
            raise RuntimeError("use EngineApi as `async with EngineApi(...) as api`")
        try:
            async with self._turns, self._session.request(method, f"{self._url}{path}", **arguments) as answer:
                body = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ApiUnavailable(f"engine-api at {self._url}: {error or type(error).__name__}") from error
        problem = body if isinstance(body, dict) else {}
        # Details stay out of messages, and so of logs: they quote the engine, which quotes what people typed.
        if answer.status in _AWAY:
            raise ApiUnavailable(
                f"engine-api: {method} {path}: {answer.status} {problem.get('code', 'without a code')}"
            )
        if answer.status >= 400:
            code = str(problem.get("code"))
            raise ApiProblem(f"{method} {path}: {answer.status} {code}", answer.status, code, problem)
        if not isinstance(body, dict | list):
            raise ApiUnavailable(
                f"engine-api at {self._url}: {method} {path} was answered with nothing; is that engine-api?"
            )
        return body


def _make_submission(answers: SubmittedAnswers) -> dict[str, object]:
    return {
        "user": answers.user,
        "answers": dict(answers.values),
        "session": answers.session_id,
        "revision": answers.revision,
        "surface": answers.surface,
        "locale": answers.locale,
        "zone": answers.zone,
    }


def _read_completed(done: Mapping[str, Any]) -> CompletedTask:
    return CompletedTask(_read_task(done["next"]) if done["next"] else None, "completed" if done["ended"] else None)


def _read_task(item: Mapping[str, Any]) -> OpenTask:
    return OpenTask(
        id=item["id"],
        name=item["name"] or item["taskDefinitionKey"],
        key=item["taskDefinitionKey"],
        process_key=item["processDefinitionKey"],
        process_instance_id=item["processInstanceId"],
        created=datetime.fromisoformat(item["created"]),
        assignee=item["assignee"],
    )
