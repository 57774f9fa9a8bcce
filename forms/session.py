"""One person filling one form: the state, and how an event changes it. Pure: nothing here waits, stores or sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import takewhile

from forms.fields import kind_of
from forms.kind import Refused
from forms.model import Field, Form, Problem, Value, value_of
from forms.submission import LEAVING_ACTIONS
from forms.widgets import Pick

__all__ = [
    "Event",
    "FormSession",
    "Operation",
    "Outcome",
    "Pressed",
    "Render",
    "Stale",
    "Submitted",
    "Typed",
    "open_session",
    "step",
]


@dataclass(frozen=True, slots=True)
class FormSession:
    """`cursor` is the question being asked; one past the last is the summary. `revision` changes with every view."""

    id: str
    task_id: str
    process_instance_id: str
    user_id: str
    locale: str
    title: str
    form: Form
    values: Mapping[str, Value] = field(default_factory=dict)
    cursor: int = 0
    page: int = 0
    returning: bool = False
    """The question was opened from the summary and leads back there."""
    revision: int = 0
    done: bool = False

    @property
    def question(self) -> Field | None:
        """The question being asked; None on the summary."""
        questions = self.form.questions
        return questions[self.cursor] if self.cursor < len(questions) else None

    @property
    def has_summary(self) -> bool:
        """A single question needs none: its answer is the form, unless there is something to read after it."""
        last = takewhile(lambda item: item.kind == "display", reversed(self.form.fields))
        return len(self.form.questions) != 1 or bool(self.form.actions) or any(item.label for item in last)


class Operation(StrEnum):
    """What a button does; the values travel in callback data."""

    PICK = "p"
    PAGE = "g"
    DONE = "d"
    SKIP = "k"
    BACK = "b"
    EDIT = "e"
    SUBMIT = "s"
    ACT = "a"


@dataclass(frozen=True, slots=True)
class Typed:
    """The person typed a text."""

    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """The person pressed a button of the view with this revision; `argument` is an index where there is one."""

    revision: int
    operation: Operation
    argument: int = 0


Event = Typed | Pressed


@dataclass(frozen=True, slots=True)
class Render:
    """Show the session as it is now, with the problem if there is one."""

    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Stale:
    """The button belongs to an older view or to a form that is done; nothing changed."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """The form is complete: these are the process variables."""

    variables: Mapping[str, object]


Outcome = Render | Stale | Submitted


def open_session(session: FormSession, variables: Mapping[str, object]) -> FormSession:
    """The session with the values that are known already: defaults, and variables of the fields' names."""
    values: dict[str, Value] = {}
    for item in session.form.questions:
        value = value_of(variables.get(item.key))
        usable = value is not None and kind_of(item).check(item, value) is None
        values[item.key] = value if usable else item.default
    return replace(session, values=values)


def step(session: FormSession, event: Event) -> tuple[FormSession, Outcome]:
    """What an event makes of a session. A refused value leaves the session as it was, apart from the revision."""
    if session.done:
        return session, Stale()
    if isinstance(event, Typed):
        return _typed(session, event.text)
    if event.revision != session.revision:
        return session, Stale()
    return _PRESSED[event.operation](replace(session, revision=session.revision + 1), event.argument)


def _typed(session: FormSession, text: str) -> tuple[FormSession, Outcome]:
    moved = replace(session, revision=session.revision + 1)
    question = session.question
    if question is None:
        return moved, Render(Problem("use_buttons"))
    try:
        value = kind_of(question).typed(question, text)
    except Refused as refusal:
        return moved, Render(refusal.problem)
    return _answered(moved, question, value)


def _picked(session: FormSession, index: int) -> tuple[FormSession, Outcome]:
    question = session.question
    if question is None:
        return session, Stale()
    kind = kind_of(question)
    try:
        value = kind.picked(question, session.values.get(question.key), index)
    except Refused as refusal:
        return session, Render(refusal.problem)
    widget = kind.widget(question, value, session.locale)
    if not (isinstance(widget, Pick) and widget.several):
        return _answered(session, question, value)
    return replace(session, values={**session.values, question.key: value}), Render()


def _turned(session: FormSession, page: int) -> tuple[FormSession, Outcome]:
    return replace(session, page=max(0, page)), Render()


def _went_back(session: FormSession, _: int) -> tuple[FormSession, Outcome]:
    return replace(session, cursor=max(0, session.cursor - 1), page=0, returning=False), Render()


def _opened(session: FormSession, index: int) -> tuple[FormSession, Outcome]:
    last = len(session.form.questions) - 1
    return replace(session, cursor=max(0, min(index, last)), page=0, returning=True), Render()


def _confirmed(session: FormSession, _: int) -> tuple[FormSession, Outcome]:
    question = session.question
    if question is None:
        return session, Stale()
    return _answered(session, question, session.values.get(question.key))


def _skipped(session: FormSession, _: int) -> tuple[FormSession, Outcome]:
    question = session.question
    if question is None:
        return session, Stale()
    if question.required:
        return session, Render(Problem("required"))
    return _move_on(replace(session, values={**session.values, question.key: None}))


def _answered(session: FormSession, question: Field, value: Value) -> tuple[FormSession, Outcome]:
    problem = kind_of(question).check(question, value)
    if problem is not None:
        return session, Render(problem)
    return _move_on(replace(session, values={**session.values, question.key: value}))


def _move_on(session: FormSession) -> tuple[FormSession, Outcome]:
    count = len(session.form.questions)
    cursor = count if session.returning else session.cursor + 1
    moved = replace(session, cursor=cursor, page=0, returning=False)
    if cursor >= count and not session.has_summary:
        return _submit(moved, action=None)
    return moved, Render()


def _submit(session: FormSession, *, action: int | None) -> tuple[FormSession, Outcome]:
    actions = session.form.actions
    if (action is None) != (not actions) or (action is not None and not 0 <= action < len(actions)):
        return session, Stale()
    leaving = action is not None and actions[action].key in LEAVING_ACTIONS
    if not leaving and (found := _first_problem(session)) is not None:
        return found
    variables: dict[str, object] = {}
    if not leaving:
        variables = {item.key: kind_of(item).variable(session.values.get(item.key)) for item in session.form.questions}
    variables |= {entry.key: index == action for index, entry in enumerate(actions)}
    return replace(session, done=True), Submitted(variables)


def _first_problem(session: FormSession) -> tuple[FormSession, Outcome] | None:
    for item in session.form.fields:
        problem = kind_of(item).check(item, session.values.get(item.key))
        if problem is None:
            continue
        if item in session.form.questions:
            session = replace(session, cursor=session.form.questions.index(item), page=0, returning=True)
        return session, Render(problem)
    return None


_PRESSED: Mapping[Operation, Callable[[FormSession, int], tuple[FormSession, Outcome]]] = {
    Operation.PICK: _picked,
    Operation.PAGE: _turned,
    Operation.DONE: _confirmed,
    Operation.SKIP: _skipped,
    Operation.BACK: _went_back,
    Operation.EDIT: _opened,
    Operation.SUBMIT: lambda session, _: _submit(session, action=None),
    Operation.ACT: lambda session, index: _submit(session, action=index),
}
