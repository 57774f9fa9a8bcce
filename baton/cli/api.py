"""The engine-api as the commands use it: blocking calls with time-outs and errors in the tree."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import requests

from baton.cli.errors import ApiRefused, EngineApiUnreachable, Usage, list_model_problems
from baton.stack.stack import Stack

__all__ = ["BlockingEngineApi"]

TIMEOUT = timedelta(seconds=60)
# New tries for everything: the engine takes some seconds for every thousand.
RETRY_ALL_TIMEOUT = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class BlockingEngineApi:
    """One engine-api by its URL and a service token."""

    url: str
    token: str

    @classmethod
    def from_environment(cls) -> "BlockingEngineApi":
        """Read ENGINEAPI_URL and SERVICE_TOKEN, else those of the running embedded stack. Raises `StackError`,
        `Usage`.
        """
        url = os.environ.get("ENGINEAPI_URL")
        if url is None:
            stack = Stack.from_environment()
            return cls(stack.urls["engine-api"], stack.secrets["service_token"])
        token = os.environ.get("SERVICE_TOKEN")
        if not token:
            raise Usage("ENGINEAPI_URL is set, but SERVICE_TOKEN is not: set it to the token of this engine-api")
        return cls(url.rstrip("/"), token)

    def list_definitions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/process-definition")
        return found

    def start(self, key_or_id: str, body: Mapping[str, object]) -> dict[str, Any]:
        path = f"/process-definition/{quote(key_or_id, safe='')}/start"
        started: dict[str, Any] = self._call("POST", path, json=dict(body), params={"next": "true"})
        return started

    def list_tasks(self, params: Mapping[str, str | list[str] | None], limit: int) -> list[dict[str, Any]]:
        """Open tasks, newest first; `params` are the filters of `GET /task`."""
        given = {name: value for name, value in params.items() if value}
        query = {**given, "sortOrder": "desc", "limit": str(limit)}
        found: list[dict[str, Any]] = self._call("GET", "/task", params=query)
        return found

    def complete(self, task_id: str, variables: Mapping[str, object], user: str | None) -> dict[str, Any]:
        body = {"variables": dict(variables), **({"user": user} if user else {})}
        path = f"/task/{quote(task_id, safe='')}/complete"
        done: dict[str, Any] = self._call("POST", path, json=body, params={"next": "true"})
        return done

    def deploy(self, name: str, resources: Mapping[str, bytes]) -> dict[str, Any]:
        files = [("files", (filename, content)) for filename, content in resources.items()]
        deployed: dict[str, Any] = self._call("POST", "/deployment/create", files=files, data={"name": name})
        return deployed

    def fetch_engine_version(self) -> str:
        return str(self._call("GET", "/version")["version"])

    def list_incidents(self, *, topic: str | None, key: str | None, limit: int) -> list[dict[str, Any]]:
        params = {**_make_selection(topic, key), "limit": str(limit)}
        found: list[dict[str, Any]] = self._call("GET", "/incident", params=params)
        return found

    def fetch_incident(self, incident_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call("GET", f"/incident/{quote(incident_id, safe='')}")
        return found

    def count_incidents(self, *, topic: str | None, key: str | None) -> int:
        return int(self._call("GET", "/incident/count", params=_make_selection(topic, key))["count"])

    def retry(self, incident_id: str, retries: int) -> dict[str, Any]:
        path = f"/incident/{quote(incident_id, safe='')}/retry"
        done: dict[str, Any] = self._call("POST", path, json={"retries": retries})
        return done

    def retry_all(self, retries: int, *, topic: str | None, key: str | None) -> dict[str, Any]:
        body = {**_make_selection(topic, key), "retries": retries}
        done: dict[str, Any] = self._call("POST", "/incident/retry", json=body, timeout=RETRY_ALL_TIMEOUT)
        return done

    def list_topics(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._call("GET", "/topic")
        return found

    def fetch_task(self, task_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._call("GET", f"/task/{quote(task_id, safe='')}")
        return found

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        return self.answer(method, path, **arguments).json()

    def answer(
        self,
        method: str,
        path: str,
        *,
        timeout: timedelta = TIMEOUT,
        headers: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> requests.Response:
        """Return one call, with its headers. Raises `EngineApiUnreachable`, `ApiRefused`."""
        headers = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        try:
            answer = requests.request(
                method, f"{self.url}{path}", headers=headers, timeout=timeout.total_seconds(), **arguments
            )
        except requests.RequestException as error:
            reason = f"engine-api at {self.url} does not answer ({type(error).__name__}): is it running? `baton status`"
            raise EngineApiUnreachable(reason) from error
        if answer.status_code >= 400:
            raise _read_refusal(answer)
        return answer


def _make_selection(topic: str | None, key: str | None) -> dict[str, str]:
    given = {"topic": topic, "processDefinitionKey": key}
    return {name: value for name, value in given.items() if value is not None}


def _read_refusal(answer: requests.Response) -> ApiRefused:
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": answer.text[:300]}
    detail = str(problem.get("detail") or problem.get("title") or f"HTTP {answer.status_code}")
    if problem.get("problems"):
        detail = list_model_problems(detail, problem["problems"])
    fields = [f"  {entry.get('field')}: {entry.get('message')}" for entry in problem.get("errors") or []]
    return ApiRefused("\n".join((detail, *fields)), answer.status_code, problem)
