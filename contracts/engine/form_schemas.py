"""What travels between engine-api and its callers about forms. Names are Camunda's, values are plain JSON."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from contracts.engine.schemas import In, Name, Out, Variables
from forms.clock import is_zone
from forms.messages import is_language

__all__ = [
    "ActionOut",
    "CandidatesOut",
    "CheckRequest",
    "ClaimRequest",
    "DraftOut",
    "DraftRequest",
    "ErasedOut",
    "FieldProblemOut",
    "FileLinkOut",
    "FilledFormOut",
    "Locale",
    "SessionOut",
    "StandingOut",
    "StartFormRequest",
    "SubmitRequest",
    "ValidationOut",
    "Zone",
]

MAX_ANSWERS = 1000


def _check_zone(value: str) -> str:
    if not is_zone(value):
        raise ValueError("is no time zone; they have names such as Europe/Berlin")
    return value


def _check_language(value: str) -> str:
    if not is_language(value):
        raise ValueError("is no language; they have tags such as en or ru-RU")
    return value


Locale = Annotated[
    str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", max_length=35), AfterValidator(_check_language)
]
Zone = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$", max_length=64), AfterValidator(_check_zone)
]
Groups = Annotated[list[Name], Field(max_length=100)]


class SessionOut(Out):
    """The draft. `status` is `draft` or `submitting`."""

    id: str
    revision: int
    status: str


class ActionOut(Out):
    """A button that ends the form."""

    key: str
    label: str


class FilledFormOut(Out):
    """A form and what it holds.

    `form_schema` is form-js, `json_schema` the same as JSON Schema 2020-12; both are null where nothing can be drawn,
    as `problem` says, and for a start without a form or with one elsewhere. With the `source` `external` or `none`
    there is nothing to fill here, and the form says so. `key` names one that is elsewhere, and `url` opens it; that is
    null where only Tasklist can draw it and TASKLIST_URL does not say where that is. `zone` is the clock of its days
    and hours: a draft keeps that in which it was opened.
    """

    session: SessionOut | None
    source: Literal["camunda", "generated", "external", "none"]
    key: str | None
    url: str | None = None
    form_schema: dict[str, Any] | None = Field(alias="schema")
    data: dict[str, Any]
    json_schema: dict[str, Any] | None
    actions: list[ActionOut]
    zone: str | None = None
    problem: str | None = None


class DraftOut(Out):
    """A draft after it was written; `data` has what FEEL made of the answers."""

    session: SessionOut
    data: dict[str, Any]


class DraftRequest(In):
    """`data`: answers by variable, some or all; `cursor`: the question that is asked, with dots."""

    data: Variables
    cursor: Annotated[str, Field(max_length=500)] | None = None


class CheckRequest(In):
    user: Name
    answers: Annotated[Variables, Field(max_length=MAX_ANSWERS)] = Field(default_factory=dict)
    groups: Groups = Field(default_factory=list)
    locale: Locale = "en"
    zone: Zone = "UTC"


class SubmitRequest(CheckRequest):
    """`session` and `revision` name the draft that the answers come from: nobody may have changed it meanwhile. Its own
    zone holds for them then, not `zone`.

    `surface` names where the answers come from; others that show the draft are told. The part before its first colon is
    the kind: `telegram`, `web` or `cli`.
    """

    session: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8}$")] | None = None
    revision: Annotated[int, Field(ge=0)] | None = None
    surface: Annotated[str, Field(max_length=100)] = ""


class StartFormRequest(SubmitRequest):
    """`user` becomes the initiator. Without `business_key`: that of the form, else `<process key>:<user>`.

    `variables` are those that the form does not ask for; its own come from `answers` alone.
    """

    variables: Variables = Field(default_factory=dict)
    business_key: Name | None = None
    from_surface: Literal["telegram", "web", "cli"] | None = None
    chat: Name | None = None


class FieldProblemOut(Out):
    field: str
    code: str
    message: str


class ValidationOut(Out):
    valid: bool
    errors: list[FieldProblemOut]


class FileLinkOut(Out):
    """`path` is below the address of engine-api."""

    path: str
    expires: datetime


class ErasedOut(Out):
    files: int


class ClaimRequest(In):
    """`groups` are those that the caller knows the person to be in."""

    user: Name
    groups: Groups = Field(default_factory=list)


class CandidatesOut(Out):
    """Who a task is offered to, whether somebody has it or not."""

    users: list[str]
    groups: list[str]


class StandingOut(Out):
    """Whether a task waits for anybody, is somebody's (`by`), or is over: `by` whom and when, as far as it is known."""

    id: str
    state: Literal["offered", "taken", "ended"]
    by: str | None = None
    at: datetime | None = None
