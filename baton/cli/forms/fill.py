"""A person fills a form in the terminal: one question after the other, kept in the draft that all surfaces share."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from baton.cli.errors import AnswersRefused, ApiRefused
from baton.cli.forms.client import FormAddress, FormClient, OpenedForm
from baton.cli.forms.prompts import ask, ask_path, echo, show, warn
from baton.cli.output import console
from bpmn.file_reference import FileReference
from forms.model import FieldError
from forms.schema.paths import spell
from forms.session.events import Event, Pressed, PutAside, Render, Submitted, Typed, Uploaded
from forms.session.steps import apply_event, reopen_refused
from forms.terminal import Act, Heading, PathsPrompt, build_prompt, list_blocks, read_typed
from forms.terminal.blocks import Block
from kit.errors import BatonError

__all__ = ["LeftAside", "fill"]


class LeftAside(BatonError):
    """The person does not go on now; the draft is kept. `is_given_up`: they said so, and did not just interrupt."""

    def __init__(self, message: str, *, is_given_up: bool = False) -> None:
        super().__init__(message)
        self.is_given_up = is_given_up


def fill(client: FormClient, place: FormAddress, form: OpenedForm) -> dict[str, Any]:
    """Ask until the form is submitted; answers what engine-api says then. Raises `LeftAside`."""
    console.print()
    show(Heading(form.session.title))
    try:
        return _Walk(client, place, form).run()
    except KeyboardInterrupt as error:
        kept = "your answers are kept" if form.tag is not None else "nothing is kept"
        raise LeftAside(f"Saved, {kept}. Run the same command to continue") from error


class _Walk:
    def __init__(self, client: FormClient, place: FormAddress, form: OpenedForm) -> None:
        self._client = client
        self._place = place
        self._form = form
        self._problem: FieldError | None = None
        self._seen: tuple[Block, ...] = ()

    def run(self) -> dict[str, Any]:
        while True:
            self._show()
            prompt = build_prompt(self._form.session)
            outcome = self._upload(prompt) if isinstance(prompt, PathsPrompt) else self._act(ask(prompt))
            if isinstance(outcome, PutAside):
                raise LeftAside("Saved, your answers are kept. Run the same command to continue", is_given_up=True)
            if isinstance(outcome, Submitted) and (done := self._submit(outcome)) is not None:
                return done

    def _show(self) -> None:
        session = self._form.session
        standing = list_blocks(session)
        if standing != self._seen:  # a question that is asked again stands below what is still in view
            for block in standing:
                show(block)
        self._seen = standing
        if self._problem is not None:
            warn(self._problem, session.locale)
            self._problem = None

    def _act(self, acts: tuple[Act, ...]) -> object:
        outcome: object = None
        for act in acts:
            before = self._form.session
            outcome = self._take_step(lambda revision, act=act: _to_event(act, revision))  # type: ignore[misc]
            if isinstance(act, Typed) and isinstance(outcome, Render) and outcome.problem is None:
                echo(read_typed(before, self._form.session, act.text))
            if not isinstance(outcome, Render) or outcome.problem is not None:
                break
        return outcome

    def _take_step(self, event: Callable[[int], Event]) -> object:
        before = self._form.session
        after, outcome = apply_event(before, event(before.revision))
        if isinstance(outcome, Submitted):
            return outcome  # kept as it was until engine-api has taken it
        self._problem = outcome.problem if isinstance(outcome, Render) else None
        try:
            changed = after.entered is not before.entered
            self._form = self._client.save(self._form, after) if changed else replace(self._form, session=after)
        except ApiRefused as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            self._reload()
        return outcome

    def _upload(self, prompt: PathsPrompt) -> object:
        question = self._form.session.question
        assert question is not None
        answer = ask_path(prompt)
        if isinstance(answer, tuple):
            return self._act(answer)
        try:
            sent = self._client.send_file(self._form, spell(question.path), answer)
        except AnswersRefused as error:
            self._problem = FieldError("custom", {"message": str(error.errors[0].get("message"))})
            return None
        file = FileReference.model_validate(sent)
        return self._take_step(lambda _: Uploaded((file,)))

    def _submit(self, outcome: Submitted) -> dict[str, Any] | None:
        try:
            return self._client.submit(self._place, self._form, outcome.answers)
        except AnswersRefused as error:
            first = error.errors[0]
            problem = FieldError("custom", {"message": str(first.get("message"))})
            place = first.get("field")
            session, _ = reopen_refused(self._form.session, place if isinstance(place, str) else None, problem)
            self._form = replace(self._form, session=session)
            self._problem = problem
        except ApiRefused as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            self._reload()
        return None

    def _reload(self) -> None:
        fresh = self._client.open(self._place)
        if fresh is None:
            raise LeftAside("the form asks nothing any more")
        console.print("⚠ changed on another surface meanwhile; here is how it is now", style="yellow")
        self._form = fresh


def _to_event(act: Act, revision: int) -> Event:
    return act if isinstance(act, Typed) else Pressed(revision, *act)
