"""What the engine does while Java records its AOT cache: one model is walked through by REST."""

import http.client
import json
import secrets
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import Any

from baton.stack.errors import StackError

__all__ = ["Exercise"]

MODEL = "engine_training.bpmn"
TOPIC = "engine-training"
INSTANCES = 20
REQUEST_TIMEOUT = timedelta(seconds=60)
_POLL_PAUSE = timedelta(milliseconds=250)


@dataclass(frozen=True, slots=True)
class Exercise:
    """Talks to the engine on 127.0.0.1:`port`, whose service token is `token`."""

    port: int
    token: str

    @classmethod
    def of_free_port(cls) -> "Exercise":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return cls(probe.getsockname()[1], secrets.token_urlsafe(32))

    def wait_until_ready(self, timeout: timedelta, *, is_alive: Callable[[], bool]) -> None:
        """Return when the engine answers; raises `StackError` when it ends first or takes longer."""
        deadline = time.monotonic() + timeout.total_seconds()
        while not self._is_answering():
            if not is_alive():
                raise StackError("the training engine ended while starting")
            if time.monotonic() > deadline:
                raise StackError(f"the training engine was not ready within {timeout}")
            time.sleep(_POLL_PAUSE.total_seconds())

    def run(self) -> None:
        """Deploy the training model and walks instances to their end; raises `StackError` on any refusal."""
        self._deploy()
        for number in range(INSTANCES):
            self._walk(f"training-{number}")
        for path in ("/history/activity-instance?maxResults=10", "/incident", "/process-definition?latestVersion=true"):
            self._run_engine("GET", path)
        self._request("GET", "/actuator/prometheus")

    def _is_answering(self) -> bool:
        try:
            self._request("GET", "/actuator/health/readiness")
        except (OSError, http.client.HTTPException, StackError):
            return False  # not yet; the caller counts the time
        return True

    def _deploy(self) -> None:
        boundary = uuid.uuid4().hex
        model = files("baton.stack.engine_build").joinpath(MODEL).read_bytes()
        body = b"\r\n".join(
            (
                f"--{boundary}".encode(),
                f'Content-Disposition: form-data; name="{MODEL}"; filename="{MODEL}"'.encode(),
                b"Content-Type: application/xml",
                b"",
                model,
                f"--{boundary}--".encode(),
                b"",
            )
        )
        self._request(
            "POST",
            "/engine-rest/deployment/create",
            body,
            {"Authorization": f"Bearer {self.token}", "Content-Type": f"multipart/form-data; boundary={boundary}"},
        )

    def _walk(self, business_key: str) -> None:
        text = {"value": "training", "type": "String"}
        structure = {"value": '{"tags": ["a", "b"]}', "type": "Json"}
        started = self._run_engine(
            "POST",
            "/process-definition/key/engine-training/start",
            {"businessKey": business_key, "variables": {"initiator": text, "structure": structure}},
        )
        (task,) = self._run_engine("GET", f"/task?processInstanceId={started['id']}")
        self._run_engine("GET", f"/task/{task['id']}/form-variables?deserializeValues=false")
        self._run_engine("POST", f"/task/{task['id']}/submit-form", {"variables": {"name": text}})
        self._work()

    def _work(self) -> None:
        topic = {"topicName": TOPIC, "lockDuration": 60_000, "variables": ["question"]}
        poll = {"workerId": "training", "maxTasks": 10, "asyncResponseTimeout": 10_000, "topics": [topic]}
        for work in self._run_engine("POST", "/external-task/fetchAndLock", poll):
            result = {"result": {"value": "done", "type": "String"}}
            self._run_engine(
                "POST", f"/external-task/{work['id']}/complete", {"workerId": "training", "variables": result}
            )

    def _run_engine(self, method: str, path: str, body: object = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        answer = self._request(method, f"/engine-rest{path}", content, headers)
        return json.loads(answer) if answer else None

    def _request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=REQUEST_TIMEOUT.total_seconds())
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise StackError(f"the training engine answered {answer.status} to {method} {path}: {content[:300]!r}")
        return content
