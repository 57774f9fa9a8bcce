"""Forms of engine-api for the command line: opened as drafts, saved after each answer, submitted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from baton.cli.api import BlockingEngineApi
from baton.cli.errors import AnswersRefused, ApiRefused, Usage
from files.types import find_type_by_name
from forms.fields import find_kind
from forms.model import Mode
from forms.schema.paths import Json
from forms.session.state import FormSession, Subject
from forms.session.steps import open_session

__all__ = ["FormAddress", "FormClient", "OpenedForm", "read_schema"]


@dataclass(frozen=True, slots=True)
class FormAddress:
    """A task's form, or that with which a process is started (then `id` is a key or the id of a definition)."""

    id: str
    is_start: bool = False
    title: str = ""
    """What people call it."""
    is_offered: bool = False
    """The task waits for whoever takes it first."""

    @property
    def path(self) -> str:
        """Where engine-api has it."""
        return f"/{'process-definition' if self.is_start else 'task'}/{quote(self.id, safe='')}"


@dataclass(frozen=True, slots=True)
class OpenedForm:
    """A form as it was opened for a person; `tag` is the draft's, to be sent with the next change."""

    session: FormSession
    tag: str | None
    source: str
    """`camunda` or `generated`; of a task with a form elsewhere `external`, of one without any `none`."""


@dataclass(frozen=True, slots=True)
class FormClient:
    """The forms of one engine-api for one person."""

    api: BlockingEngineApi
    user: str
    locale: str
    zone: str
    groups: tuple[str, ...] = ()
    """Those that the person is in, for tasks that are offered to groups."""

    def open(self, place: FormAddress) -> OpenedForm | None:
        """Open a form; None when nothing is asked here. Raises `ApiRefused`, `Usage` for one that is elsewhere."""
        params = {"user": self.user, "locale": self.locale, "zone": self.zone, "groups": list(self.groups)}
        found, tag = _read_form(self.api, place, params)
        return OpenedForm(self._read_session(place, found, tag), tag, found["source"]) if found is not None else None

    def claim(self, place: FormAddress) -> None:
        """Take an offered task: whoever is first has it. Raises `ApiRefused` with 409 when somebody was faster."""
        self._offer(place, "claim")

    def unclaim(self, place: FormAddress) -> None:
        """Offer a task to the others again. Raises `ApiRefused`."""
        self._offer(place, "unclaim")

    def save(self, form: OpenedForm, session: FormSession) -> OpenedForm:
        """Keep the answers in the draft. Raises `ApiRefused` with 409 when another surface was faster."""
        if form.tag is None:
            return replace(form, session=session)
        names = {str(path[0]) for path in session.touched if path}
        data = {name: session.data[name] for name in names if name in session.data}
        answer = self.api.answer(
            "PUT",
            f"/forms/{quote(form.session.id, safe='')}",
            params={"user": self.user},
            headers={"If-Match": form.tag},
            json={"data": data},
        )
        return replace(form, session=session, tag=answer.headers.get("ETag"))

    def send_file(self, form: OpenedForm, field: str, path: Path) -> dict[str, Json]:
        """Send a file for a field; answers its reference. Raises `AnswersRefused` for one that is not taken."""
        kind = find_type_by_name(path.name) or "application/octet-stream"
        with path.open("rb") as content:
            try:
                sent: dict[str, Json] = self.api.answer(
                    "POST",
                    f"/forms/{quote(form.session.id, safe='')}/files",
                    params={"user": self.user, "field": field},
                    files={"file": (path.name, content, kind)},
                ).json()
            except ApiRefused as error:
                if error.status not in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE}:
                    raise
                code = error.problem.get("code")
                raise AnswersRefused([{"field": field, "code": code, "message": str(error)}]) from error
        return sent

    def submit(self, place: FormAddress, form: OpenedForm | None, answers: Mapping[str, Json]) -> dict[str, Any]:
        """Complete the task, or start the process. Raises `AnswersRefused` naming the fields that are wrong."""
        body: dict[str, Any] = {"user": self.user, "answers": dict(answers), "locale": self.locale, "zone": self.zone}
        if form is not None and form.tag is not None:
            session, _, revision = form.tag.strip('"').partition(".")
            body |= {"session": session, "revision": int(revision), "surface": "cli::"}
        if self.groups:
            body["groups"] = list(self.groups)
        if place.is_start:
            body["fromSurface"] = "cli"
        try:
            done: dict[str, Any] = self.api.answer(
                "POST", f"{place.path}/submit-form", params={"next": "true"}, json=body
            ).json()
        except ApiRefused as error:
            problems = error.problem.get("errors")
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY or not isinstance(problems, list):
                raise
            raise AnswersRefused([dict(entry) for entry in problems]) from error
        return done

    def _offer(self, place: FormAddress, what: str) -> None:
        self.api.answer("POST", f"{place.path}/{what}", json={"user": self.user, "groups": list(self.groups)})

    def _read_session(self, place: FormAddress, found: Mapping[str, Any], tag: str | None) -> FormSession:
        shown = found["session"] or {}
        session = open_session(
            FormSession(
                id=shown.get("id") or "terminal",
                subject=Subject(place.id, place.id, is_start=place.is_start),
                user_id=self.user,
                locale=self.locale,
                zone=found["zone"],
                title=place.title or place.id,
                schema=found["schema"],
                variables=found["data"],
            )
        )
        if tag is None:
            return session
        # What was answered on another surface counts as answered; of what holds nothing nobody can tell.
        answered = {
            field.path
            for field in session.form.list_all_fields()
            if field.mode is Mode.ASKED and session.get_value(field.path) not in (None, "", [], find_kind(field).empty)
        }
        return replace(session, touched=frozenset(answered))


def read_schema(api: BlockingEngineApi, place: FormAddress, language: str, zone: str) -> dict[str, Any] | None:
    """Return a form as JSON Schema, as it is before anybody fills it; None when nothing is asked. Raises like
    `open`.
    """
    found, _ = _read_form(api, place, {"locale": language, "zone": zone})
    if found is None or found["source"] == "none":
        return None
    if found["source"] == "external":
        raise _explain_elsewhere(place, found)
    return dict(found["jsonSchema"])


def _read_form(
    api: BlockingEngineApi, place: FormAddress, params: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, str | None]:
    answer = api.answer("GET", f"{place.path}/form", params=params)
    found: dict[str, Any] = answer.json()
    if found["problem"]:
        raise Usage(f"the form of {place.id} cannot be shown: {found['problem']}")
    if found["schema"] is not None:
        return found, answer.headers.get("ETag")
    if found["source"] == "external":
        raise _explain_elsewhere(place, found)
    return None, None


def _explain_elsewhere(place: FormAddress, found: Mapping[str, Any]) -> Usage:
    if found["url"] is None:
        return Usage(f"the form of {place.id} can only be filled in Tasklist: {found['key']}")
    return Usage(f"the form of {place.id} is filled elsewhere: {found['url']}")
