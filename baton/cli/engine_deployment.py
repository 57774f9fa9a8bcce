"""Deploying straight to an engine, with pycamunda; our part is the session, the time-outs and the comparison."""

import contextlib
import functools
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pycamunda
import pycamunda.deployment
import requests
from requests.adapters import HTTPAdapter

from baton.cli.errors import Usage
from bpmn.deployment import compare, explain_refusal
from bpmn.errors import EngineError, EngineUnavailable, NotAuthorised, NotFound, make_engine_error

__all__ = ["ask_version", "deploy_to_engine"]

TIMEOUT = timedelta(seconds=60)
SOURCE = "baton"


class _Adapter(HTTPAdapter):
    """pycamunda passes no time-out."""

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        options["timeout"] = TIMEOUT.total_seconds()
        return super().send(request, *args, **options)


class _Create(pycamunda.deployment.Create):  # type: ignore[misc] # pycamunda has no types
    """pycamunda's own call ignores the session, and with it the token and the time-out."""

    def __call__(self) -> Any:
        answer = self.session.post(self.url, data=self.body_parameters(), files=self.files)
        return pycamunda.deployment.DeploymentWithDefinitions.load(data=answer.json())


def deploy_to_engine(url: str, token: str, name: str, resources: Mapping[str, bytes]) -> dict[str, Any]:
    """Deploy and say what changed, in the shape of engine-api's answer. Raises `Usage` and classes of `EngineError`."""
    with _open_session(url, token, f"deploying {name} to {url}") as session:
        try:
            return _deploy(session, url.rstrip("/"), name, resources)
        except EngineError as error:
            if refused := explain_refusal(error, name, resources):
                raise refused from error
            raise


def ask_version(url: str, token: str) -> str:
    """Return the version of an engine. Raises `Usage` and classes of `EngineError`."""
    with _open_session(url, token, f"asking {url}") as session:
        return str(session.get(f"{url.rstrip('/')}/version").json().get("version"))


@contextlib.contextmanager
def _open_session(url: str, token: str, what: str) -> Iterator[requests.Session]:
    if not url.startswith(("http://", "https://")):
        raise Usage(f"--engine {url!r}: give the engine's REST address, for example http://localhost:8080/engine-rest")
    with requests.Session() as session:
        if token:
            session.headers["Authorization"] = f"Bearer {token}"
        session.mount("http://", _Adapter())
        session.mount("https://", _Adapter())
        session.hooks["response"].append(functools.partial(_raise_for, what))
        try:
            yield session
        except NotAuthorised as error:
            raise NotAuthorised(what, message=f"{error.message} Set ENGINE_TOKEN to it.") from error
        except NotFound as error:
            message = "nothing is found there; the address of an engine's REST ends in /engine-rest"
            raise NotFound(what, message=message) from error
        except (requests.RequestException, pycamunda.PyCamundaException) as error:
            # pycamunda wraps what requests raises.
            reason = type(error.__context__ or error).__name__
            raise EngineUnavailable(what, message=f"it does not answer ({reason})") from error


def _raise_for(what: str, answer: requests.Response, **_: Any) -> None:
    # pycamunda's own errors keep neither status nor the lines of a model's problems.
    if not answer.ok:
        raise make_engine_error(answer.status_code, answer.text, what=what)


def _deploy(session: requests.Session, url: str, name: str, resources: Mapping[str, bytes]) -> dict[str, Any]:
    before_id, before = _find_last_deployment(session, url, name)
    states = compare(before, resources)
    listing = [{"name": file, "state": state} for file, state in states.items()]
    if before_id is not None and set(states.values()) == {"unchanged"} and set(before) == set(resources):
        return {"id": before_id, "name": name, "definitions": [], "resources": listing}
    create = _Create(url=url, name=name, source=SOURCE)
    create.session = session
    for file, content in resources.items():
        create.add_resource((file, content))
    made = create()
    definitions = [
        {"id": definition.id_, "key": definition.key, "version": definition.version}
        for definition in (made.deployed_process_definitions or {}).values()
    ]
    return {"id": made.id_, "name": made.name, "definitions": definitions, "resources": listing}


def _find_last_deployment(session: requests.Session, url: str, name: str) -> tuple[str | None, dict[str, bytes]]:
    """Return the newest deployment of this name and its files."""
    query = pycamunda.deployment.GetList(url=url, name=name, source=SOURCE)
    query.session = session
    found = sorted(query(), key=lambda deployment: deployment.deployment_time)
    if not found:
        return None, {}
    listing = pycamunda.deployment.GetResources(url=url, id_=found[-1].id_)
    listing.session = session
    files: dict[str, bytes] = {}
    for resource in listing():
        files[resource.name] = session.get(f"{url}/deployment/{found[-1].id_}/resources/{resource.id_}/data").content
    return found[-1].id_, files
