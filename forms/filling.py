"""How an event changes a session. Pure: nothing here waits, stores or sends."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from forms.checking import check
from forms.ending import act, confirmed, left_aside, secret_typed, submitted
from forms.events import (
    Event,
    Operation,
    Outcome,
    Pressed,
    Render,
    Shared,
    Stale,
    Typed,
    Uploaded,
)
from forms.fields import kind_of
from forms.fields.moment import moment_value, typed_minute
from forms.fields.number import counted
from forms.initial import new_item
from forms.kind import Refused
from forms.model import Field, Problem, Value
from forms.moments import ALL_HOURS, look_at_hour, look_at_month, look_at_year, picked_day, picked_minute
from forms.options import matching, same
from forms.paths import Json, put
from forms.session import FormSession, Glance, Status
from forms.widgets import Ask, Items, Moment, Pick, Upload, Widget

__all__ = ["opened", "refused", "step"]

MAX_SEARCH_CHARACTERS = 64
# Fewer options are seen at a glance; a text that names none of them is a mistake, no search.
SEARCHED_OPTIONS = 9

_Changed = tuple[FormSession, Outcome]


def opened(session: FormSession) -> FormSession:
    """A new session at its first question, or at the summary when nothing is asked. Raises `FormUnreadable`."""
    questions = session.questions()
    return session.moved(questions[0].path if questions else None)


def step(session: FormSession, event: Event) -> _Changed:
    """What an event makes of a session. A refused value leaves the session as it was, apart from the revision."""
    if not session.is_open:
        return session, Stale()
    if isinstance(event, Pressed):
        if event.revision != session.revision:
            return session, Stale()
        if event.operation is Operation.NOTHING:
            return session, Render()
        return _PRESSED[event.operation](session.turned(), event.argument)
    return _told(session.turned(), event)


def refused(session: FormSession, place: str | None, problem: Problem) -> _Changed:
    """The engine did not take what was submitted: the session is a draft again, at the field if it is known."""
    field = next(
        (found for found in session.form.all_fields() if place and ".".join(map(str, found.path)) == place), None
    )
    cursor = field.path if field is not None and field in session.questions(field.scope) else None
    draft = replace(session, status=Status.DRAFT)
    return draft.moved(cursor, is_returning=cursor is not None), Render(problem)


def _told(session: FormSession, event: Typed | Shared | Uploaded) -> _Changed:
    if isinstance(event, Typed) and session.glance.view.startswith("secret:"):
        return secret_typed(session, event.text)
    question = session.question
    if question is None:
        return session, Render(Problem("use_buttons"))
    try:
        match event:
            case Typed(text):
                return _typed(session, question, text)
            case Shared(kind, text):
                return _shared(session, question, kind, text)
            case Uploaded():
                return _uploaded(session, question, event)
    except Refused as refusal:
        return session, Render(refusal.problem)


def _typed(session: FormSession, question: Field, text: str) -> _Changed:
    kind = kind_of(question)
    widget = kind.widget(question, session.value(question.path), session)
    if isinstance(widget, Pick) and len(question.options) >= SEARCHED_OPTIONS:
        return _searched(session, question, widget, text)
    value = _read(session, question, widget, text)
    if isinstance(widget, Ask) and widget.lines and session.glance.view == "more":
        value = f"{session.value(question.path)}\n{value}"
    if isinstance(widget, Ask) and widget.lines:
        if (problem := check(question, value)) is not None:
            return session, Render(problem)
        return _kept(session, question, value).looking(Glance(view="more")), Render()
    if isinstance(widget, Moment) and isinstance(value, str) and value.endswith("T"):
        return _kept(session, question, value).looking(Glance()), Render()
    return _answered(session, question, value)


def _read(session: FormSession, question: Field, widget: Widget, text: str) -> Value:
    """The value of a text; where the day is chosen, the time of day alone is enough."""
    kind = kind_of(question)
    try:
        return kind.typed(question, text, session)
    except Refused:
        if not isinstance(widget, Moment) or widget.day is None or not widget.asks_time:
            raise
        if (minute := typed_minute(text, session)) is None:
            raise Refused("not_a_time") from None
        return moment_value(question, widget.day, minute, session)


def _searched(session: FormSession, question: Field, widget: Pick, text: str) -> _Changed:
    """What names an option is chosen; what does not narrows the options down."""
    try:
        value = kind_of(question).typed(question, text, session)
    except Refused:
        search = " ".join(text.split())[:MAX_SEARCH_CHARACTERS]
        if not matching(widget.labels, search):
            return session, Render(Problem("nothing_found", {"search": search}))
        return session.looking(Glance(search=search)), Render()
    known = session.value(question.path)
    if not (widget.several and isinstance(known, list) and isinstance(value, list) and len(value) == 1):
        return _answered(session, question, value)
    # Whoever names one option after the other adds each to those before.
    more = [part for part in value if not any(same(part, other) for other in known)]
    return _kept(session, question, [*known, *more]).looking(Glance()), Render()


def _shared(session: FormSession, question: Field, kind: str, text: str) -> _Changed:
    widget = kind_of(question).widget(question, session.value(question.path), session)
    if isinstance(widget, Upload):
        raise Refused("send_file")
    if not isinstance(widget, Ask) or widget.accepts != kind:
        raise Refused("type_text" if isinstance(widget, Ask) else "use_buttons")
    return _answered(session, question, kind_of(question).typed(question, text, session))


def _uploaded(session: FormSession, question: Field, event: Uploaded) -> _Changed:
    widget = kind_of(question).widget(question, session.value(question.path), session)
    if not isinstance(widget, Upload):
        raise Refused("type_text" if isinstance(widget, Ask) else "use_buttons")
    sent: list[Json] = [file.model_dump(mode="json") for file in event.files]
    known = session.value(question.path)
    value: list[Json] = [*known, *sent] if widget.several and isinstance(known, list) else sent
    if (problem := check(question, value)) is not None:
        return session, Render(problem)
    if widget.several:
        return _kept(session, question, value), Render()
    return _answered(session, question, value)


def _picked(session: FormSession, index: int) -> _Changed:
    question = session.question
    if question is None:
        return session, Stale()
    kind = kind_of(question)
    try:
        value = kind.picked(question, session.value(question.path), index)
    except Refused as refusal:
        return session, Render(refusal.problem)
    widget = kind.widget(question, value, session)
    if isinstance(widget, Pick) and widget.several:
        return _kept(session, question, value), Render()
    return _answered(session, question, value)


def _counted(session: FormSession, by: int) -> _Changed:
    question = session.question
    if question is None or question.kind != "number":
        return session, Stale()
    try:
        value = counted(question, session.value(question.path), by)
    except Refused as refusal:
        return session, Render(refusal.problem)
    if (problem := check(question, value)) is not None:
        return session, Render(problem)
    return _kept(session, question, value), Render()


def _turned(session: FormSession, page: int) -> _Changed:
    return session.looking(replace(session.glance, page=max(0, page))), Render()


def _unsearched(session: FormSession, _: int) -> _Changed:
    return session.looking(Glance()), Render()


def _went_back(session: FormSession, _: int) -> _Changed:
    """To the question before; from the first of an item to its list, from an opened one to the summary."""
    question = session.question
    if question is None:
        questions = session.questions()
        return session.moved(questions[-1].path if questions else None), Render()
    if session.is_returning and not question.scope:
        return session.moved(None), Render()
    level = session.questions(question.scope)
    at = level.index(question)
    if at > 0:
        return session.moved(level[at - 1].path, is_returning=session.is_returning), Render()
    holder = session.form.list_of(question.scope)
    return session.moved(holder.path if holder else question.path, is_returning=session.is_returning), Render()


def _edited(session: FormSession, index: int) -> _Changed:
    questions = session.questions()
    if not 0 <= index < len(questions):
        return session, Stale()
    return session.moved(questions[index].path, is_returning=True), Render()


def _done(session: FormSession, _: int) -> _Changed:
    question = session.question
    if question is None:
        return session, Stale()
    return _answered(session, question, session.value(question.path), is_new=False)


def _skipped(session: FormSession, _: int) -> _Changed:
    question = session.question
    if question is None:
        return session, Stale()
    if question.required:
        return session, Render(Problem("required"))
    return _move_on(_kept(session, question, kind_of(question).empty), question)


def _added(session: FormSession, _: int) -> _Changed:
    question = session.question
    if question is None or not _is_changeable(session, question):
        return session, Stale()
    items = session.value(question.path)
    more = [*(items if isinstance(items, list) else []), new_item(question.component, session.data, question.path)]
    if (problem := check(question, more)) is not None:
        return session, Render(problem)
    return _opened_item(_kept(session, question, more), len(more) - 1)


def _opened_item(session: FormSession, index: int) -> _Changed:
    question = session.question
    if question is None or not 0 <= index < len(question.items):
        return session, Stale()
    inside = session.questions((*question.path, index))
    if not inside:
        return session, Render()
    return session.moved(inside[0].path, is_returning=session.is_returning), Render()


def _removed(session: FormSession, index: int) -> _Changed:
    question = session.question
    if question is None or question.kind not in {"items", "file"}:
        return session, Stale()
    try:
        left = kind_of(question).picked(question, session.value(question.path), index)
    except Refused as refusal:
        return session, Render(refusal.problem)
    return _kept(session, question, left), Render()


def _is_changeable(session: FormSession, question: Field) -> bool:
    widget = kind_of(question).widget(question, session.value(question.path), session)
    return isinstance(widget, Items) and widget.may_change


def _moment(choose: Callable[[FormSession, Field, int], Value]) -> Callable[[FormSession, int], _Changed]:
    def chosen(session: FormSession, argument: int) -> _Changed:
        question = session.question
        if question is None or question.kind != "moment":
            return session, Stale()
        try:
            value = choose(session, question, argument)
        except Refused as refusal:
            return session, Render(refusal.problem)
        if isinstance(value, str) and choose is picked_day and "T" in value:
            # The time of day is next, even if there is one from before.
            return _kept(session, question, value).looking(Glance(view=ALL_HOURS)), Render()
        return _answered(session, question, value)

    return chosen


def _answered(session: FormSession, question: Field, value: Value, *, is_new: bool = True) -> _Changed:
    problem = check(question, value)
    if problem is not None:
        return session, Render(problem)
    return _move_on(_kept(session, question, value) if is_new else session, question)


def _kept(session: FormSession, question: Field, value: Value) -> FormSession:
    return session.answered(question.path, put(session.data, question.path, value))


def _move_on(session: FormSession, question: Field) -> _Changed:
    """To the next question of the level; after an item's last one back to its list, at the end to the summary."""
    if question.scope:
        following = _after(session, question)
        holder = session.form.list_of(question.scope)
        cursor = following or (holder.path if holder is not None else None)
        return session.moved(cursor, is_returning=session.is_returning), Render()
    if not session.is_returning and (following := _after(session, question)) is not None:
        return session.moved(following), Render()
    ended = session.moved(None)
    return (ended, Render()) if session.has_summary else submitted(ended, None)


def _after(session: FormSession, question: Field) -> tuple[str | int, ...] | None:
    level = session.form.level(question.scope)
    paths = [found.path for found in level]
    at = paths.index(question.path) if question.path in paths else -1
    asked = session.questions(question.scope)
    return next((found.path for found in level[at + 1 :] if found in asked), None)


_PRESSED: Mapping[Operation, Callable[[FormSession, int], _Changed]] = {
    Operation.PICK: _picked,
    Operation.PAGE: _turned,
    Operation.ALL: _unsearched,
    Operation.DONE: _done,
    Operation.SKIP: _skipped,
    Operation.BACK: _went_back,
    Operation.EDIT: _edited,
    Operation.SUBMIT: lambda session, _: submitted(session, None),
    Operation.ACT: act,
    Operation.CANCEL: left_aside,
    Operation.CONFIRM: confirmed,
    Operation.ADD: _added,
    Operation.OPEN: _opened_item,
    Operation.REMOVE: _removed,
    Operation.STEP: _counted,
    Operation.DAY: _moment(picked_day),
    Operation.MINUTE: _moment(picked_minute),
    Operation.MONTH: look_at_month,
    Operation.YEAR: look_at_year,
    Operation.HOUR: look_at_hour,
}
