"""Answers of people on their way to variables: checked once more, typed, and refused by name."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from typing import Any

import structlog
from pydantic import ValidationError

from api.kit.problems import ProblemError as Refusal
from bpmn.engine.variables import TypedValue
from bpmn.file_reference import FileReference, is_reference
from contracts.engine.form_schemas import FieldProblemOut
from files.places import note_start
from files.store import FileDamaged, FileMissing, Files, FilesUnavailable
from forms.answers.known import KnownVariables
from forms.answers.submission import ReceivedAnswers, receive_answers
from forms.answers.variables import find_inline_files, make_typed_variables
from forms.clock import get_now
from forms.evaluate.initial import make_initial_data
from forms.messages import get_text
from forms.model import FieldError
from forms.schema.components import parse_schema
from forms.schema.paths import Json
from forms.session.threads import run_in_thread

__all__ = [
    "DRAFT_VARIABLE",
    "PROTECTED_VARIABLES",
    "FormAnswers",
    "describe_errors",
    "find_new_files",
    "refuse_protected",
]

# Of an instance that a form has started: which draft did, so that it is found when nobody was told of it.
DRAFT_VARIABLE = "batonDraft"
# Variables that the platform sets; a model may read them, a form may not overwrite who a person is.
PROTECTED_VARIABLES = frozenset({"initiator", "surface", "chat", DRAFT_VARIABLE})

log = structlog.get_logger()


def refuse_protected(variables: Mapping[str, object]) -> None:
    """Raise `ProblemError` 422 for a variable that only the platform may set."""
    if found := sorted(PROTECTED_VARIABLES & set(variables)):
        detail = f"The platform sets {', '.join(found)} itself; a form or a caller must not."
        raise Refusal(
            422, "protected_variable", detail, errors=[{"field": f, "message": "is protected"} for f in found]
        )


def describe_errors(problems: Mapping[str, FieldError], locale: str) -> list[FieldProblemOut]:
    """Describe problems by place in the person's language."""
    return [
        FieldProblemOut(field=name, code=problem.code, message=get_text(problem.code, locale, **problem.params))
        for name, problem in sorted(problems.items())
    ]


def find_new_files(known: KnownVariables, answers: Mapping[str, Json]) -> dict[str, set[FileReference]]:
    """Return the files that answers name and that no variable of the form has, by the answer that they are in."""
    there = set(_list_files_in(known.data))
    named = {name: set(_list_files_in(value)) - there for name, value in answers.items()}
    return {name: files for name, files in named.items() if files}


def _list_files_in(value: object) -> Iterator[FileReference]:
    if is_reference(value):
        with suppress(ValidationError):  # looks like one, and is a value like others
            yield FileReference.model_validate(value)
    elif isinstance(value, Mapping):
        yield from chain.from_iterable(map(_list_files_in, value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_list_files_in, value))


class FormAnswers:
    """Checks and types answers. `files` has the content of those that become File variables."""

    def __init__(self, files: Files | None, *, max_inline_file_bytes: int) -> None:
        self._files = files
        self._max_inline_file_bytes = max_inline_file_bytes

    async def check(
        self, schema: Mapping[str, Any], known: KnownVariables, answers: Mapping[str, Json], *, locale: str, zone: str
    ) -> ReceivedAnswers:
        """Return what forms say of the answers. Raises `FormUnreadable`."""

        def work() -> ReceivedAnswers:
            source = parse_schema(schema)
            initial = make_initial_data(source, known.data)
            return receive_answers(source, initial, answers, locale=locale, now=get_now(zone))

        return await run_in_thread(work)

    async def make_typed(
        self, schema: Mapping[str, Any], known: KnownVariables, answers: Mapping[str, Json], *, locale: str, zone: str
    ) -> dict[str, TypedValue]:
        """Return the variables of checked answers. Raises `ProblemError` 422 for a file that is not there,
        `NotAVariable`.
        """
        source = parse_schema(schema)
        contents = {}
        if self._files is not None:
            inline = find_inline_files(source, answers, max_bytes=self._max_inline_file_bytes)
            contents = {name: await self._read_content(self._files, name, inline[name], locale) for name in inline}
        return make_typed_variables(source, answers, known, zone=zone, contents=contents)

    async def _read_content(self, files: Files, name: str, reference: FileReference, locale: str) -> bytes:
        try:
            return await files.get(reference)
        except (FileMissing, FileDamaged) as error:
            entry = FieldProblemOut(field=name, code="file_missing", message=get_text("file_missing", locale))
            raise Refusal(422, "invalid_answer", str(error), errors=[entry.model_dump()]) from error

    async def assign_files(self, session_id: str, instance_id: str) -> None:
        """Note that files of a start belong to the instance. It runs already: this may not fail the call."""
        if self._files is None:
            return
        try:
            await note_start(self._files, session_id, instance_id)
        except FilesUnavailable:
            log.exception("files of a start have no instance", draft=session_id, instance=instance_id)
