"""A person fills a form in the terminal: one question after the other, kept in the draft that all surfaces share."""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from baton.cli.errors import AnswersRefused, ApiRefused
from baton.cli.form_client import FormClient, OpenForm, Place
from baton.cli.output import console
from baton.cli.prompting import ask, ask_paths, show
from bpmn.errors import BatonError
from bpmn.files import FileReference
from forms.events import Event, Operation, Pressed, PutAside, Render, Submitted, Typed, Uploaded
from forms.filling import refused, step
from forms.messages import text
from forms.model import Problem
from forms.paths import spell
from forms.terminal import Act, Heading, Paths, asked, blocks

__all__ = ["LeftAside", "fill"]


class LeftAside(BatonError):
    """The person does not go on now; the draft is kept."""


def fill(client: FormClient, place: Place, form: OpenForm) -> dict[str, Any]:
    """Ask until the form is submitted; answers what engine-api says then. Raises `LeftAside`."""
    console.print()
    show(Heading(form.session.title))
    try:
        return _Walk(client, place, form).run()
    except KeyboardInterrupt as error:
        kept = "your answers are kept" if form.tag is not None else "nothing is kept"
        raise LeftAside(f"put aside, {kept}: the same command goes on") from error


class _Walk:
    def __init__(self, client: FormClient, place: Place, form: OpenForm) -> None:
        self._client = client
        self._place = place
        self._form = form
        self._problem: Problem | None = None

    def run(self) -> dict[str, Any]:
        while True:
            session = self._form.session
            for block in blocks(session):
                show(block)
            if self._problem is not None:
                said = text(self._problem.code, session.locale, **self._problem.params)
                console.print(f"⚠ {said}", style="red", markup=False)
                self._problem = None
            prompt = asked(session)
            outcome = self._uploaded(prompt) if isinstance(prompt, Paths) else self._acted(ask(prompt))
            if isinstance(outcome, PutAside):
                raise LeftAside("put aside, your answers are kept: the same command goes on")
            if isinstance(outcome, Submitted) and (done := self._submitted(outcome)) is not None:
                return done

    def _acted(self, acts: tuple[Act, ...]) -> object:
        outcome: object = None
        for act in acts:
            outcome = self._step(lambda revision, act=act: _event(act, revision))  # type: ignore[misc]
            if not isinstance(outcome, Render) or outcome.problem is not None:
                break
        return outcome

    def _step(self, event: Callable[[int], Event]) -> object:
        before = self._form.session
        after, outcome = step(before, event(before.revision))
        if isinstance(outcome, Submitted):
            return outcome  # kept as it was until engine-api has taken it
        self._problem = outcome.problem if isinstance(outcome, Render) else None
        try:
            changed = after.entered is not before.entered
            self._form = self._client.save(self._form, after) if changed else replace(self._form, session=after)
        except ApiRefused as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            self._changed_elsewhere()
        return outcome

    def _uploaded(self, prompt: Paths) -> object:
        question = self._form.session.question
        assert question is not None
        paths: list[Path] = ask_paths(prompt)
        if not paths:
            skips = prompt.may_skip and not prompt.keeps
            return self._acted(((Operation.SKIP, 0) if skips else (Operation.DONE, 0),))
        try:
            sent = [self._client.send_file(self._form, spell(question.path), path) for path in paths]
        except AnswersRefused as error:
            self._problem = Problem("custom", {"message": str(error.errors[0].get("message"))})
            return None
        files = tuple(FileReference.model_validate(entry) for entry in sent)
        outcome = self._step(lambda _: Uploaded(files))
        if prompt.several and self._problem is None:
            return self._acted(((Operation.DONE, 0),))
        return outcome

    def _submitted(self, outcome: Submitted) -> dict[str, Any] | None:
        try:
            return self._client.submit(self._place, self._form, outcome.answers)
        except AnswersRefused as error:
            first = error.errors[0]
            problem = Problem("custom", {"message": str(first.get("message"))})
            place = first.get("field")
            session, _ = refused(self._form.session, place if isinstance(place, str) else None, problem)
            self._form = replace(self._form, session=session)
            self._problem = problem
        except ApiRefused as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            self._changed_elsewhere()
        return None

    def _changed_elsewhere(self) -> None:
        fresh = self._client.open(self._place)
        if fresh is None:
            raise LeftAside("the form asks nothing any more")
        console.print("⚠ changed on another surface meanwhile; here is how it is now", style="yellow")
        self._form = fresh


def _event(act: Act, revision: int) -> Event:
    return act if isinstance(act, Typed) else Pressed(revision, *act)
