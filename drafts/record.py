"""A draft as it is stored: small, and without what must not be kept.

Of the answers only what differs from the form's beginning is written, and the schema only by its hash: many drafts
share one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bpmn.file_reference import FileReference
from drafts.secrets import is_free_of_secrets, remove_secrets
from forms.answers.known import VariableType
from forms.evaluate.workable import refuse_unworkable
from forms.kinds.options import is_same
from forms.schema.paths import MISSING, Json, Path
from forms.session.state import FormSession, Glance, Status, Subject, Surface
from kit.identity_key import IdentityKey

__all__ = [
    "ClosedDraft",
    "Draft",
    "StoredDraft",
    "dump_schema",
    "list_marks",
    "list_surfaces",
    "make_file_mark",
    "read_session",
    "to_stored",
    "to_text",
]

_KEPT_SCHEMAS = 256


@dataclass(frozen=True, slots=True)
class ClosedDraft:
    """Who ended the form, when, and on which kind of surface; what is not known is None."""

    by: str | None
    at: datetime
    surface: str | None = None
    """`telegram`, `web` or `cli`; drafts that an older version closed do not say."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it was read. One that is `closed` has no answers any more, only its surfaces."""

    session: FormSession
    form_hash: str
    """Of the schema that it was opened with."""
    closed: ClosedDraft | None = None
    was_tried: bool = False
    """Somebody has submitted it before: perhaps the engine took it, and nobody was told."""
    file_marks: frozenset[str] = frozenset()
    """Of the files that were sent for it, by `make_file_mark`."""


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """The texts that are written."""

    opened: str
    variables: str
    state: str
    form_hash: str
    schema: str


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class _Opened(_Part):
    """What does not change while a form is filled."""

    subject: Subject
    user: str
    locale: str
    zone: str
    title: str
    types: dict[str, VariableType] | None = None
    """Older drafts have none."""


class _State(_Part):
    """What changes with every step."""

    entered: dict[str, Any] = Field(default_factory=dict)
    touched: list[Path] = Field(default_factory=list)
    cursor: Path | None = None
    glance: Glance = Glance()
    is_returning: bool = False
    taken: str = ""


def to_text(value: object) -> str:
    """Return what Redis answered: whether its client decodes is the caller's matter."""
    return value.decode() if isinstance(value, bytes) else str(value)


def dump_schema(schema: Mapping[str, Json]) -> tuple[str, str]:
    """Return the hash of a schema, and the text that is hashed; the schema must not be changed in place after this."""
    return _dump_schema(IdentityKey(schema))


@lru_cache(maxsize=_KEPT_SCHEMAS)
def _dump_schema(schema: IdentityKey[Mapping[str, Json]]) -> tuple[str, str]:
    spelled = json.dumps(schema.value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(spelled.encode("utf-8", "surrogatepass")).hexdigest()[:32], spelled


def to_stored(session: FormSession) -> StoredDraft:
    """Return the texts of a session. Raises `FormUnreadable`."""
    form_hash, schema = dump_schema(session.schema)
    opened = _Opened(
        subject=session.subject, user=session.user_id, locale=session.locale, zone=session.zone, title=session.title,
        types=dict(session.types) if session.types is not None and is_free_of_secrets(session.source) else None,
    )  # fmt: skip
    state = _State(
        entered=_compute_difference(session),
        touched=sorted(session.touched, key=str),
        cursor=session.cursor,
        glance=session.glance,
        is_returning=session.is_returning,
        taken=session.taken,
    )
    variables = remove_secrets(session.source, session.variables)
    return StoredDraft(
        opened=opened.model_dump_json(exclude_none=True),
        variables=json.dumps(variables, separators=(",", ":")),
        state=state.model_dump_json(exclude_defaults=True),
        form_hash=form_hash,
        schema=schema,
    )


def read_session(session_id: str, schema: Mapping[str, Json], fields: Mapping[str, str]) -> FormSession:
    """Return the session of what was written. Raises `ValueError`, `KeyError` or `FormUnreadable` for what is none."""
    opened = _Opened.model_validate_json(fields["opened"])
    state = _State.model_validate_json(fields.get("state") or "{}")
    session = FormSession(
        id=session_id,
        subject=opened.subject,
        user_id=opened.user,
        locale=opened.locale,
        zone=opened.zone,
        title=opened.title,
        schema=schema,
        variables=json.loads(fields.get("variables") or "{}"),
        types=opened.types,
        touched=frozenset(state.touched),
        cursor=state.cursor,
        glance=state.glance,
        is_returning=state.is_returning,
        taken=state.taken,
        revision=int(fields["revision"]),
        status=Status(fields["status"]),
        surfaces=list_surfaces(fields),
    )
    # What an older version took, and this one refuses, cannot be shown: the form is opened anew, and says why.
    refuse_unworkable(session.source)
    if not state.entered:
        return session
    return session.fill({**session.initial, **state.entered})


def list_surfaces(fields: Mapping[str, str]) -> tuple[Surface, ...]:
    """Return where a draft is shown."""
    return tuple(_read_surface(name) for name in sorted(fields) if name.startswith("s:"))


def make_file_mark(reference: FileReference) -> str:
    """Make by this a file is known again, with all that its reference says; the name of a secret one is not told."""
    return hashlib.sha256(reference.model_dump_json().encode()).hexdigest()[:32]


def list_marks(fields: Mapping[str, str]) -> frozenset[str]:
    """Return the marks of the files that were sent for a draft."""
    return frozenset(name.removeprefix("f:") for name in fields if name.startswith("f:"))


def _read_surface(name: str) -> Surface:
    _, kind, chat, message = name.split(":")
    return Surface(kind, int(chat) if chat else None, int(message) if message else None)


def _compute_difference(session: FormSession) -> dict[str, Json]:
    if not session.entered:
        return {}
    initial = remove_secrets(session.source, session.initial)
    entered = remove_secrets(session.source, session.entered)
    return {name: value for name, value in entered.items() if not is_same(value, initial.get(name, MISSING))}
