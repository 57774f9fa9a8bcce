"""One person filling one form: the state, shared by all surfaces. How it changes is in `forms.filling`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property

from forms.clock import now_in
from forms.initial import initial_data
from forms.known import Known, VariableType
from forms.model import Field, Form, Mode
from forms.paths import MISSING, Json, Path, get_at
from forms.resolve import Resolved, resolve
from forms.schema import Schema, parse

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
        return parse(self.schema)

    @property
    def known(self) -> Known | None:
        """The variables as they were when the form was opened; None where not all of that has been kept."""
        return Known(self.variables, self.types) if self.types is not None else None

    @cached_property
    def initial(self) -> Mapping[str, Json]:
        """What the form held when it was opened."""
        return initial_data(self.source, self.variables)

    @cached_property
    def resolved(self) -> Resolved:
        """The form as it is now, with everything that FEEL makes of the answers."""
        data = self.entered or self.initial
        return resolve(self.source, self.initial, data, locale=self.locale, now=now_in(self.zone))

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
        found = self.form.at(self.cursor) if self.cursor is not None else None
        return found if found is not None and found.mode is Mode.ASKED else None

    def value(self, path: Path) -> Json:
        """What is at a place; None where nothing is."""
        found = get_at(self.data, path)
        return None if found is MISSING else found

    def questions(self, scope: Path = ()) -> tuple[Field, ...]:
        """What is asked one after the other on one level; secrets come last, when the form is submitted."""
        return tuple(found for found in self.form.questions(scope) if not found.is_secret)

    def secrets(self) -> tuple[Field, ...]:
        """What is never stored: asked at the very end, and submitted at once."""
        return tuple(found for found in self.form.all_fields() if found.mode is Mode.ASKED and found.is_secret)

    @property
    def has_summary(self) -> bool:
        """A single question needs none: its answer is the form, unless there is something to see after it."""
        fields = self.form.fields
        asked = [index for index, found in enumerate(fields) if found.mode is Mode.ASKED]
        if len(asked) != 1 or self.form.actions or fields[asked[0]].kind == "items":
            return True
        return any(found.is_seen for found in fields[asked[0] + 1 :])

    def moved(self, cursor: Path | None, *, is_returning: bool = False) -> "FormSession":
        """The session at another question, or on the summary."""
        return self._same_form(replace(self, cursor=cursor, glance=Glance(), is_returning=is_returning))

    def looking(self, glance: Glance) -> "FormSession":
        """The session with another part of the same question in view."""
        return self._same_form(replace(self, glance=glance))

    def spoken(self, title: str, locale: str) -> "FormSession":
        """The session as a person is spoken to who calls it by this title and reads this language."""
        other = replace(self, title=title, locale=locale)
        return self._same_form(other) if locale == self.locale else self._kept(other, "source", "initial")

    def shown_on(self, surfaces: tuple[Surface, ...]) -> "FormSession":
        """The session on other surfaces."""
        return self._same_form(replace(self, surfaces=surfaces))

    def having_taken(self, message: str) -> "FormSession":
        """The session with the message that its last answer came in."""
        return self._same_form(replace(self, taken=message))

    def filled(self, entered: Mapping[str, Json]) -> "FormSession":
        """The session with data that were entered before."""
        return self._kept(replace(self, entered=entered), "source", "initial")

    def turned(self) -> "FormSession":
        """The session with the next revision: buttons of the view before are stale."""
        return self._same_form(replace(self, revision=self.revision + 1))

    def answered(self, path: Path, data: Mapping[str, Json]) -> "FormSession":
        """The session with new data, that of `path` being the person's answer; what follows from it is computed."""
        changed = self._kept(replace(self, entered=data, touched=self.touched | {path}), "source", "initial")
        return changed if changed.data is data else changed._same_form(replace(changed, entered=changed.data))

    def _same_form(self, other: "FormSession") -> "FormSession":
        return self._kept(other, "source", "initial", "resolved")

    def _kept(self, other: "FormSession", *names: str) -> "FormSession":
        # What was computed for one state holds for another that it follows for in the same way.
        for name in names:
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other
