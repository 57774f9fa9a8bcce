"""How an event changes a session. Pure: nothing here waits, stores or sends."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from forms.evaluate.checking import check
from forms.evaluate.initial import make_item
from forms.fields import find_kind
from forms.fields.moment import make_moment_value, parse_minute
from forms.fields.number import count_steps
from forms.kinds.kind import ValueRefused
from forms.kinds.options import find_matching, is_same
from forms.kinds.widgets import AskWidget, ItemsWidget, MomentWidget, PickWidget, UploadWidget, Widget
from forms.model import Field, FieldError, Value
from forms.schema.paths import Json, put
from forms.session.ending import act, confirm, put_aside, submit, submit_secrets
from forms.session.events import Event, Operation, Outcome, Pressed, Render, Shared, Stale, Typed, Uploaded
from forms.session.moments import ALL_HOURS, look_at_hour, look_at_month, look_at_year, pick_day, pick_minute
from forms.session.state import FormSession, Glance, Status

__all__ = ["apply_event", "open_session", "reopen_refused"]

MAX_SEARCH_CHARACTERS = 64
# Fewer options are seen at a glance; a text that names none of them is a mistake, no search.
SEARCHED_OPTIONS = 9

_Changed = tuple[FormSession, Outcome]


def open_session(session: FormSession) -> FormSession:
    """Return a new session at its first question, or at the summary when nothing is asked. Raises `FormUnreadable`."""
    questions = session.list_questions()
    return session.move_to(questions[0].path if questions else None)


def apply_event(session: FormSession, event: Event) -> _Changed:
    """Return what an event makes of a session. A refused value leaves the session as it was, apart from the
    revision.
    """
    if not session.is_open:
        return session, Stale()
    if isinstance(event, Pressed):
        if event.revision != session.revision:
            return session, Stale()
        if event.operation is Operation.NOTHING:
            return session, Render()
        return _PRESSED[event.operation](session.advance_revision(), event.argument)
    return _apply(session.advance_revision(), event)


def reopen_refused(session: FormSession, place: str | None, problem: FieldError) -> _Changed:
    """Reopen what the engine did not take: the session is a draft again, at the field if it is known."""
    field = next(
        (found for found in session.form.list_all_fields() if place and ".".join(map(str, found.path)) == place), None
    )
    cursor = field.path if field is not None and field in session.list_questions(field.scope) else None
    draft = replace(session, status=Status.DRAFT)
    return draft.move_to(cursor, is_returning=cursor is not None), Render(problem)


def _apply(session: FormSession, event: Typed | Shared | Uploaded) -> _Changed:
    if isinstance(event, Typed) and session.glance.view.startswith("secret:"):
        return submit_secrets(session, event.text)
    question = session.question
    if question is None:
        return session, Render(FieldError("use_buttons"))
    try:
        match event:
            case Typed(text, goes_on):
                return _handle_typed(session, question, text, goes_on=goes_on)
            case Shared(kind, text):
                return _handle_shared(session, question, kind, text)
            case Uploaded():
                return _handle_upload(session, question, event)
    except ValueRefused as refusal:
        return session, Render(refusal.problem)


def _handle_typed(session: FormSession, question: Field, text: str, *, goes_on: bool) -> _Changed:
    kind = find_kind(question)
    widget = kind.build_widget(question, session.get_value(question.path), session)
    if isinstance(widget, PickWidget) and len(question.options) >= SEARCHED_OPTIONS:
        return _handle_search(session, question, widget, text)
    value = _read(session, question, widget, text)
    if isinstance(widget, AskWidget) and widget.lines and session.glance.view == "more":
        between = "" if goes_on else "\n"
        value = f"{session.get_value(question.path)}{between}{value}"
    if isinstance(widget, AskWidget) and widget.lines:
        if (problem := check(question, value)) is not None:
            return session, Render(problem)
        return _keep_value(session, question, value).look_at(replace(session.glance, view="more")), Render()
    if isinstance(widget, MomentWidget) and isinstance(value, str) and value.endswith("T"):
        return _keep_value(session, question, value).look_at(Glance()), Render()
    return _set_answer(session, question, value)


def _read(session: FormSession, question: Field, widget: Widget, text: str) -> Value:
    """Return the value of a text; where the day is chosen, the time of day alone is enough."""
    kind = find_kind(question)
    try:
        return kind.parse_text(question, text, session)
    except ValueRefused:
        if not isinstance(widget, MomentWidget) or widget.day is None or not widget.asks_time:
            raise
        if (minute := parse_minute(text, session)) is None:
            raise ValueRefused("not_a_time") from None
        return make_moment_value(question, widget.day, minute, session)


def _handle_search(session: FormSession, question: Field, widget: PickWidget, text: str) -> _Changed:
    """Return what names an option is chosen; what does not narrows the options down."""
    try:
        value = find_kind(question).parse_text(question, text, session)
    except ValueRefused:
        search = " ".join(text.split())[:MAX_SEARCH_CHARACTERS]
        if not find_matching(widget.labels, search):
            return session, Render(FieldError("nothing_found", {"search": search}))
        return session.look_at(Glance(search=search)), Render()
    known = session.get_value(question.path)
    if not (widget.several and isinstance(known, list) and isinstance(value, list) and len(value) == 1):
        return _set_answer(session, question, value)
    # Whoever names one option after the other adds each to those before.
    more = [part for part in value if not any(is_same(part, other) for other in known)]
    return _keep_value(session, question, [*known, *more]).look_at(Glance()), Render()


def _handle_shared(session: FormSession, question: Field, kind: str, text: str) -> _Changed:
    widget = find_kind(question).build_widget(question, session.get_value(question.path), session)
    if isinstance(widget, UploadWidget):
        raise ValueRefused("send_file")
    if not isinstance(widget, AskWidget) or widget.accepts != kind:
        raise ValueRefused("type_text" if isinstance(widget, AskWidget) else "use_buttons")
    return _set_answer(session, question, find_kind(question).parse_text(question, text, session))


def _handle_upload(session: FormSession, question: Field, event: Uploaded) -> _Changed:
    widget = find_kind(question).build_widget(question, session.get_value(question.path), session)
    if not isinstance(widget, UploadWidget):
        raise ValueRefused("type_text" if isinstance(widget, AskWidget) else "use_buttons")
    sent: list[Json] = [file.model_dump(mode="json") for file in event.files]
    known = session.get_value(question.path)
    value: list[Json] = [*known, *sent] if widget.several and isinstance(known, list) else sent
    if (problem := check(question, value)) is not None:
        return session, Render(problem)
    if widget.several:
        return _keep_value(session, question, value), Render()
    return _set_answer(session, question, value)


def _handle_pick(session: FormSession, index: int) -> _Changed:
    question = session.question
    if question is None:
        return session, Stale()
    kind = find_kind(question)
    try:
        value = kind.pick(question, session.get_value(question.path), index)
    except ValueRefused as refusal:
        return session, Render(refusal.problem)
    widget = kind.build_widget(question, value, session)
    if isinstance(widget, PickWidget) and widget.several:
        return _keep_value(session, question, value), Render()
    return _set_answer(session, question, value)


def _handle_count(session: FormSession, by: int) -> _Changed:
    question = session.question
    if question is None or question.kind != "number":
        return session, Stale()
    try:
        value = count_steps(question, session.get_value(question.path), by)
    except ValueRefused as refusal:
        return session, Render(refusal.problem)
    if (problem := check(question, value)) is not None:
        return session, Render(problem)
    return _keep_value(session, question, value), Render()


def _turn_page(session: FormSession, page: int) -> _Changed:
    return session.look_at(replace(session.glance, page=max(0, page))), Render()


def _read_on(session: FormSession, part: int) -> _Changed:
    return session.look_at(replace(session.glance, part=max(0, part))), Render()


def _clear_search(session: FormSession, _: int) -> _Changed:
    return session.look_at(Glance()), Render()


def _go_back(session: FormSession, _: int) -> _Changed:
    """Go to the question before; from the first of an item to its list, from an opened one to the summary."""
    question = session.question
    if question is None:
        questions = session.list_questions()
        return session.move_to(questions[-1].path if questions else None), Render()
    if session.is_returning and not question.scope:
        return session.move_to(None), Render()
    level = session.list_questions(question.scope)
    at = level.index(question)
    if at > 0:
        return session.move_to(level[at - 1].path, is_returning=session.is_returning), Render()
    holder = session.form.list_of(question.scope)
    return session.move_to(holder.path if holder else question.path, is_returning=session.is_returning), Render()


def _edit(session: FormSession, index: int) -> _Changed:
    questions = session.list_questions()
    if not 0 <= index < len(questions):
        return session, Stale()
    return session.move_to(questions[index].path, is_returning=True), Render()


def _finish_list(session: FormSession, _: int) -> _Changed:
    question = session.question
    if question is None:
        return session, Stale()
    return _set_answer(session, question, session.get_value(question.path), is_new=False)


def _skip(session: FormSession, _: int) -> _Changed:
    question = session.question
    if question is None:
        return session, Stale()
    if question.required:
        return session, Render(FieldError("required"))
    return _move_on(_keep_value(session, question, find_kind(question).empty), question)


def _add_item(session: FormSession, _: int) -> _Changed:
    question = session.question
    if question is None or not _is_changeable(session, question):
        return session, Stale()
    items = session.get_value(question.path)
    more = [*(items if isinstance(items, list) else []), make_item(question.component, session.data, question.path)]
    if (problem := check(question, more)) is not None:
        return session, Render(problem)
    return _open_item(_keep_value(session, question, more), len(more) - 1)


def _open_item(session: FormSession, index: int) -> _Changed:
    question = session.question
    if question is None or not 0 <= index < len(question.items):
        return session, Stale()
    inside = session.list_questions((*question.path, index))
    if not inside:
        return session, Render()
    return session.move_to(inside[0].path, is_returning=session.is_returning), Render()


def _remove_item(session: FormSession, index: int) -> _Changed:
    question = session.question
    if question is None or question.kind not in {"items", "file"}:
        return session, Stale()
    try:
        left = find_kind(question).pick(question, session.get_value(question.path), index)
    except ValueRefused as refusal:
        return session, Render(refusal.problem)
    return _keep_value(session, question, left), Render()


def _is_changeable(session: FormSession, question: Field) -> bool:
    widget = find_kind(question).build_widget(question, session.get_value(question.path), session)
    return isinstance(widget, ItemsWidget) and widget.may_change


def _make_moment_step(choose: Callable[[FormSession, Field, int], Value]) -> Callable[[FormSession, int], _Changed]:
    def choose_moment(session: FormSession, argument: int) -> _Changed:
        question = session.question
        if question is None or question.kind != "moment":
            return session, Stale()
        try:
            value = choose(session, question, argument)
        except ValueRefused as refusal:
            return session, Render(refusal.problem)
        if isinstance(value, str) and choose is pick_day and "T" in value:
            # The time of day is next, even if there is one from before.
            return _keep_value(session, question, value).look_at(replace(session.glance, view=ALL_HOURS)), Render()
        return _set_answer(session, question, value)

    return choose_moment


def _set_answer(session: FormSession, question: Field, value: Value, *, is_new: bool = True) -> _Changed:
    problem = check(question, value)
    if problem is not None:
        return session, Render(problem)
    return _move_on(_keep_value(session, question, value) if is_new else session, question)


def _keep_value(session: FormSession, question: Field, value: Value) -> FormSession:
    return session.set_answer(question.path, put(session.data, question.path, value))


def _move_on(session: FormSession, question: Field) -> _Changed:
    """Move to the next question of the level; after an item's last one back to its list, at the end to the summary."""
    if question.scope:
        following = _find_next(session, question)
        holder = session.form.list_of(question.scope)
        cursor = following or (holder.path if holder is not None else None)
        return session.move_to(cursor, is_returning=session.is_returning), Render()
    if not session.is_returning and (following := _find_next(session, question)) is not None:
        return session.move_to(following), Render()
    ended = session.move_to(None)
    return (ended, Render()) if session.has_summary else submit(ended, None)


def _find_next(session: FormSession, question: Field) -> tuple[str | int, ...] | None:
    level = session.form.list_level(question.scope)
    paths = [found.path for found in level]
    at = paths.index(question.path) if question.path in paths else -1
    asked = session.list_questions(question.scope)
    return next((found.path for found in level[at + 1 :] if found in asked), None)


_PRESSED: Mapping[Operation, Callable[[FormSession, int], _Changed]] = {
    Operation.PICK: _handle_pick,
    Operation.PAGE: _turn_page,
    Operation.PART: _read_on,
    Operation.ALL: _clear_search,
    Operation.DONE: _finish_list,
    Operation.SKIP: _skip,
    Operation.BACK: _go_back,
    Operation.EDIT: _edit,
    Operation.SUBMIT: lambda session, _: submit(session, None),
    Operation.ACT: act,
    Operation.CANCEL: put_aside,
    Operation.CONFIRM: confirm,
    Operation.ADD: _add_item,
    Operation.OPEN: _open_item,
    Operation.REMOVE: _remove_item,
    Operation.STEP: _handle_count,
    Operation.DAY: _make_moment_step(pick_day),
    Operation.MINUTE: _make_moment_step(pick_minute),
    Operation.MONTH: look_at_month,
    Operation.YEAR: look_at_year,
    Operation.HOUR: look_at_hour,
}
