"""Answers of people on their way to variables: checked once more, typed, and refused by name."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any

import structlog
from pydantic import ValidationError

from api.engine.form_models import FieldProblemOut
from api.kit.problems import Problem as Refusal
from bpmn.files import FileReference, is_reference
from bpmn.variables import TypedValue
from files.places import note_start
from files.store import FileDamaged, FileMissing, Files, FilesUnavailable
from forms.clock import now_in
from forms.initial import initial_data
from forms.known import Known
from forms.messages import text
from forms.model import Problem
from forms.paths import Json
from forms.schema import parse
from forms.submission import Received, received
from forms.threads import in_thread
from forms.variables import inline_files, typed_variables

__all__ = ["DRAFT_VARIABLE", "PROTECTED_VARIABLES", "Answers", "new_files", "refuse_protected", "told"]

# Of an instance that a form has started: which draft did, so that it is found when nobody was told of it.
DRAFT_VARIABLE = "batonDraft"
# Variables that the platform sets; a model may read them, a form may not overwrite who a person is.
PROTECTED_VARIABLES = frozenset({"initiator", "surface", "chat", DRAFT_VARIABLE})

log = structlog.get_logger()


def refuse_protected(variables: Mapping[str, object]) -> None:
    """Raise `Problem` 422 for a variable that only the platform may set."""
    if found := sorted(PROTECTED_VARIABLES & set(variables)):
        detail = f"The platform sets {', '.join(found)} itself; a form or a caller must not."
        raise Refusal(
            422, "protected_variable", detail, errors=[{"field": f, "message": "is protected"} for f in found]
        )


def told(problems: Mapping[str, Problem], locale: str) -> list[FieldProblemOut]:
    """Problems by place in the person's language."""
    return [
        FieldProblemOut(field=name, code=problem.code, message=text(problem.code, locale, **problem.params))
        for name, problem in sorted(problems.items())
    ]


def new_files(known: Known, answers: Mapping[str, Json]) -> dict[str, set[FileReference]]:
    """The files that answers name and that no variable of the form has, by the answer that they are in."""
    there = set(_files_in(known.data))
    named = {name: set(_files_in(value)) - there for name, value in answers.items()}
    return {name: files for name, files in named.items() if files}


def _files_in(value: object) -> Iterator[FileReference]:
    if is_reference(value):
        with suppress(ValidationError):  # looks like one, and is a value like others
            yield FileReference.model_validate(value)
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(map(_files_in, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_files_in, value))


class Answers:
    """Checks and types answers. `files` has the content of those that become File variables."""

    def __init__(self, files: Files | None, *, max_inline_file_bytes: int) -> None:
        self._files = files
        self._max_inline_file_bytes = max_inline_file_bytes

    async def checked(
        self, schema: Mapping[str, Any], known: Known, answers: Mapping[str, Json], *, locale: str, zone: str
    ) -> Received:
        """What forms say of the answers. Raises `FormUnreadable`."""

        def work() -> Received:
            source = parse(schema)
            initial = initial_data(source, known.data)
            return received(source, initial, answers, locale=locale, now=now_in(zone))

        return await in_thread(work)

    async def typed(
        self, schema: Mapping[str, Any], known: Known, answers: Mapping[str, Json], *, locale: str, zone: str
    ) -> dict[str, TypedValue]:
        """The variables of checked answers. Raises `Problem` 422 for a file that is not there, `NotAVariable`."""
        source = parse(schema)
        contents = {}
        if self._files is not None:
            inline = inline_files(source, answers, max_bytes=self._max_inline_file_bytes)
            contents = {name: await self._content(self._files, name, inline[name], locale) for name in inline}
        return typed_variables(source, answers, known, zone=zone, contents=contents)

    async def _content(self, files: Files, name: str, reference: FileReference, locale: str) -> bytes:
        try:
            return await files.get(reference)
        except (FileMissing, FileDamaged) as error:
            entry = FieldProblemOut(field=name, code="file_missing", message=text("file_missing", locale))
            raise Refusal(422, "invalid_answer", str(error), errors=[entry.model_dump()]) from error

    async def belong_to(self, session_id: str, instance_id: str) -> None:
        """Note that files of a start belong to the instance. It runs already: this may not fail the call."""
        if self._files is None:
            return
        try:
            await note_start(self._files, session_id, instance_id)
        except FilesUnavailable:
            log.exception("files of a start have no instance", draft=session_id, instance=instance_id)
