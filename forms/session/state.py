"""One person filling one form: the state, shared by all surfaces. How it changes is in `forms.session.steps`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from forms.answers.known import KnownVariables, VariableType
from forms.clock import get_now
from forms.evaluate.initial import make_initial_data
from forms.evaluate.resolve import ResolvedForm, resolve_form
from forms.model import Field, Form, Mode
from forms.schema.components import Schema, parse_schema
from forms.schema.paths import MISSING, Json, Path, get_at

__all__ = ["SURFACE_KINDS", "FormSession", "Glance", "Status", "Subject", "Surface"]


SURFACE_KINDS = frozenset({"telegram", "web", "cli"})


class Status(StrEnum):
    """What became of a draft."""

    DRAFT = "draft"
    SUBMITTING = "submitting"
    DONE = "done"
    SUPERSEDED = "superseded"
    """Somebody else, or another surface, completed the task."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the form is for: a user task, or the start of a process (then `id` is the definition's)."""

    id: str
    key: str
    """The key of the task or process in its model."""
    process_instance_id: str | None = None
    is_start: bool = False


@dataclass(frozen=True, slots=True)
class Surface:
    """A place where the form is shown, to be drawn anew when it changes elsewhere."""

    kind: str
    """One of `SURFACE_KINDS`."""
    chat_id: int | None = None
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Glance:
    """What a person looks at within a question; gone as soon as they move on."""

    page: int = 0
    part: int = 0
    """Of what is read above the question."""
    search: str = ""
    view: str = ""
    """Of a calendar the month or year, of a clock the hour, or what is to be confirmed."""


@dataclass(frozen=True)
class FormSession:
    """A draft. `cursor` is the question being asked, None on the summary. `revision` changes with every view.

    `data` and `form` follow from the rest; they are computed once for each state.
    """

    id: str
    subject: Subject
    user_id: str
    locale: str
    zone: str
    title: str
    schema: Mapping[str, Json]
    variables: Mapping[str, Json]
    """Process variables as they were when the form was opened."""
    types: Mapping[str, VariableType] | None = None
    """Of the variables; None where not all of what was known of them has been kept."""
    entered: Mapping[str, Json] = field(default_factory=dict)
    """The data with what the person entered; empty before they have begun."""
    touched: frozenset[Path] = frozenset()
    """Where the person answered; what they left alone keeps the value that it had."""
    cursor: Path | None = None
    glance: Glance = Glance()
    is_returning: bool = False
    """The question was opened from the summary and leads back there."""
    revision: int = 0
    status: Status = Status.DRAFT
    surfaces: tuple[Surface, ...] = ()
    taken: str = ""
    """The message that was last taken as an answer, as its surface names it: the same once more is no new answer."""

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.status is Status.DRAFT

    @cached_property
    def source(self) -> Schema:
        """The schema, checked. Raises `FormUnreadable`."""
        return parse_schema(self.schema)

    @property
    def known(self) -> KnownVariables | None:
        """The variables as they were when the form was opened; None where not all of that has been kept."""
        return KnownVariables(self.variables, self.types) if self.types is not None else None

    @cached_property
    def initial(self) -> Mapping[str, Json]:
        """What the form held when it was opened."""
        return make_initial_data(self.source, self.variables)

    @cached_property
    def resolved(self) -> ResolvedForm:
        """The form as it is now, with everything that FEEL makes of the answers."""
        data = self.entered or self.initial
        return resolve_form(self.source, self.initial, data, locale=self.locale, now=get_now(self.zone))

    @property
    def form(self) -> Form:
        return self.resolved.form

    @property
    def data(self) -> Mapping[str, Json]:
        return self.resolved.data

    @property
    def scope(self) -> Path:
        """The item of a list that is being filled; empty for the form itself."""
        question = self.question
        return question.scope if question is not None else ()

    @property
    def question(self) -> Field | None:
        """The question being asked; None on the summary, and when it has vanished meanwhile."""
        found = self.form.find_field(self.cursor) if self.cursor is not None else None
        return found if found is not None and found.mode is Mode.ASKED else None

    def get_value(self, path: Path) -> Json:
        """Return what is at a place; None where nothing is."""
        found = get_at(self.data, path)
        return None if found is MISSING else found

    def list_questions(self, scope: Path = ()) -> tuple[Field, ...]:
        """Return what is asked one after the other on one level; secrets come last, when the form is submitted."""
        return tuple(found for found in self.form.list_questions(scope) if not found.is_secret)

    def list_secrets(self) -> tuple[Field, ...]:
        """Return what is never stored: asked at the very end, and submitted at once."""
        return tuple(found for found in self.form.list_all_fields() if found.mode is Mode.ASKED and found.is_secret)

    @property
    def has_summary(self) -> bool:
        """A single question needs none: its answer is the form, unless there is something to see after it."""
        fields = self.form.fields
        asked = [index for index, found in enumerate(fields) if found.mode is Mode.ASKED]
        if len(asked) != 1 or self.form.actions or fields[asked[0]].kind == "items":
            return True
        return any(found.is_seen for found in fields[asked[0] + 1 :])

    def move_to(self, cursor: Path | None, *, is_returning: bool = False) -> "FormSession":
        """Return the session at another question, or on the summary."""
        return self._keep_same_form(replace(self, cursor=cursor, glance=Glance(), is_returning=is_returning))

    def look_at(self, glance: Glance) -> "FormSession":
        """Return the session with another part of the same question in view."""
        return self._keep_same_form(replace(self, glance=glance))

    def localise(self, title: str, locale: str) -> "FormSession":
        """Return the session as a person is spoken to who calls it by this title and reads this language."""
        other = replace(self, title=title, locale=locale)
        return self._keep_same_form(other) if locale == self.locale else self._keep_cached(other, "source", "initial")

    def set_surfaces(self, surfaces: tuple[Surface, ...]) -> "FormSession":
        """Return the session on other surfaces."""
        return self._keep_same_form(replace(self, surfaces=surfaces))

    def note_message(self, message: str) -> "FormSession":
        """Return the session with the message that its last answer came in."""
        return self._keep_same_form(replace(self, taken=message))

    def fill(self, entered: Mapping[str, Json]) -> "FormSession":
        """Return the session with data that were entered before."""
        return self._keep_cached(replace(self, entered=entered), "source", "initial")

    def advance_revision(self) -> "FormSession":
        """Return the session with the next revision: buttons of the view before are stale."""
        return self._keep_same_form(replace(self, revision=self.revision + 1))

    def set_answer(self, path: Path, data: Mapping[str, Json]) -> "FormSession":
        """Return the session with new data, that of `path` being the person's answer; what follows from it is
        computed.
        """
        changed = self._keep_cached(replace(self, entered=data, touched=self.touched | {path}), "source", "initial")
        return changed if changed.data is data else changed._keep_same_form(replace(changed, entered=changed.data))

    def _keep_same_form(self, other: "FormSession") -> "FormSession":
        return self._keep_cached(other, "source", "initial", "resolved")

    def _keep_cached(self, other: "FormSession", *names: str) -> "FormSession":
        # What was computed for one state holds for another that it follows for in the same way.
        for name in names:
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other
