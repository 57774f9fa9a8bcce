"""engine-api as the bot uses it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import aiohttp

from bot.errors import ApiProblem, ApiUnavailable
from bot.media import Media
from bpmn.files import FileReference
from forms.paths import Json

__all__ = ["Answers", "Completed", "EngineApi", "OpenForm", "OpenTask"]

TIMEOUT = timedelta(seconds=20)
_AWAY = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class OpenTask:
    """An open user task."""

    id: str
    name: str
    key: str
    process_key: str
    process_instance_id: str
    assignee: str | None = None


@dataclass(frozen=True, slots=True)
class OpenForm:
    """What a task asks a person: their draft, or why there is none. `key` is that of a form which is elsewhere."""

    session_id: str | None
    source: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """A person's answers to a form, from their draft as it was at this revision."""

    user: str
    values: Mapping[str, Json]
    session_id: str
    revision: int
    surface: str
    locale: str
    zone: str


@dataclass(frozen=True, slots=True)
class Completed:
    """What followed a completed task: the person's next one, or the end, or neither: somebody else is at work."""

    next: OpenTask | None
    ended: bool


class EngineApi:
    """One engine-api. Methods raise `ApiUnavailable` and `ApiProblem`. Use as a context manager."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._token = token
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT.total_seconds()),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def running(self, business_key: str) -> list[str]:
        """Ids of the running instances of a business key."""
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
        return str(started["id"]), _task(started["next"]) if started["next"] else None

    async def next_task(self, instance_id: str, user: str) -> OpenTask | None:
        """The person's oldest open task of an instance."""
        params = {"processInstanceId": instance_id, "assignee": user, "limit": "1"}
        found = await self._call("GET", "/task", params=params)
        return _task(found[0]) if found else None

    async def task(self, task_id: str) -> OpenTask | None:
        """An open task; None when it is not open any more."""
        try:
            return _task(await self._call("GET", f"/task/{quote(task_id, safe='')}"))
        except ApiProblem as problem:
            if problem.status == 404:
                return None
            raise

    async def form(self, task_id: str, user: str, *, locale: str, zone: str) -> OpenForm:
        """Open a task's form for a person: their draft is found, or begun."""
        params = {"user": user, "locale": locale, "zone": zone}
        found = await self._call("GET", f"/task/{quote(task_id, safe='')}/form", params=params)
        session = found["session"] or {}
        return OpenForm(session.get("id"), found["source"], found["key"])

    async def is_open(self, task_id: str) -> bool:
        """Whether a task still waits."""
        try:
            await self._call("GET", f"/task/{quote(task_id, safe='')}")
        except ApiProblem as problem:
            if problem.status == 404:
                return False
            raise
        return True

    async def has_ended(self, instance_id: str) -> bool:
        """Whether an instance is over; one that nobody knows any more is."""
        try:
            instance = await self._call("GET", f"/process-instance/{quote(instance_id, safe='')}")
        except ApiProblem as problem:
            if problem.status == 404:
                return True
            raise
        return bool(instance["ended"])

    async def submit(self, task_id: str, answers: Answers) -> Completed:
        """Complete a task with the answers of its form; its drafts are closed.

        Raises `ApiProblem` with the codes of engine-api's submit-form.
        """
        body = {
            "user": answers.user,
            "answers": dict(answers.values),
            "session": answers.session_id,
            "revision": answers.revision,
            "surface": answers.surface,
            "locale": answers.locale,
            "zone": answers.zone,
        }
        path = f"/task/{quote(task_id, safe='')}/submit-form"
        done = await self._call("POST", path, params={"next": "true"}, json=body)
        return Completed(_task(done["next"]) if done["next"] else None, bool(done["ended"]))

    async def send_file(
        self, answers_of: str, user: str, field: str, media: Media, content: BinaryIO
    ) -> FileReference:  # fmt: skip
        """Pass a person's file on to their draft, for the field at a place. Raises `ApiProblem` for one that is not
        taken there.
        """
        form = aiohttp.FormData()
        form.add_field("file", content, filename=media.name, content_type=media.content_type)
        params = {"user": user, "field": field}
        path = f"/forms/{quote(answers_of, safe='')}/files"
        return FileReference.model_validate(await self._call("POST", path, params=params, data=form))

    async def complete(self, task_id: str, user: str) -> Completed:
        """Complete a task that asks nothing. Raises `ApiProblem` with code `task_gone` when it is done already."""
        path = f"/task/{quote(task_id, safe='')}/complete"
        done = await self._call("POST", path, params={"next": "true"}, json={"user": user})
        return Completed(_task(done["next"]) if done["next"] else None, bool(done["ended"]))

    async def _call(self, method: str, path: str, **arguments: Any) -> Any:
        if self._session is None:
            raise RuntimeError("use EngineApi as `async with EngineApi(...) as api`")
        try:
            async with self._session.request(method, f"{self._url}{path}", **arguments) as answer:
                body = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise ApiUnavailable(f"engine-api at {self._url}: {error or type(error).__name__}") from error
        problem = body if isinstance(body, dict) else {}
        if answer.status in _AWAY:
            raise ApiUnavailable(f"engine-api: {answer.status} {problem.get('detail', 'without a reason')}")
        if answer.status >= 400:
            said = f"{method} {path}: {problem.get('detail')}"
            raise ApiProblem(said, answer.status, str(problem.get("code")), problem)
        if not isinstance(body, dict | list):
            raise ApiUnavailable(
                f"engine-api at {self._url}: {method} {path} was answered with nothing; is that engine-api?"
            )
        return body


def _task(item: Mapping[str, Any]) -> OpenTask:
    return OpenTask(
        id=item["id"],
        name=item["name"] or item["taskDefinitionKey"],
        key=item["taskDefinitionKey"],
        process_key=item["processDefinitionKey"],
        process_instance_id=item["processInstanceId"],
        assignee=item["assignee"],
    )
