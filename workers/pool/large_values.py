"""Values too large for a variable: they become files on the way out and themselves again on the way in.

A value travels through engine, history, broker and bridge, each of which keeps it whole in memory. Above
`FILES_SPILL_ABOVE_BYTES` the worker puts it into the store of files, and the variable is a `FileReference`. A handler
that declares the field as text, bytes or JSON gets the value; one that declares a `FileReference` gets the reference.
"""

import json
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from bpmn.engine.variables import decode, encode
from bpmn.file_reference import FileReference, is_reference
from workers.clients.files import Files
from workers.envelope import BpmnError, Completed, Outcome, Variables
from workers.errors import Permanent

__all__ = [
    "MAX_JOB_BYTES",
    "check_size",
    "count_wire_bytes",
    "find_reference_variables",
    "load_large_values",
    "store_large_values",
]

# RabbitMQ takes messages up to 16 MiB, and the envelope needs some of it.
MAX_JOB_BYTES = 12 * 1024 * 1024
# What is shorter is measured in characters: exact enough, and free.
_SHORT = 16 * 1024


async def load_large_values(
    model: type[BaseModel], variables: Mapping[str, object], files: Files | None
) -> Mapping[str, object]:
    """Return the variables with the values of those that were stored as files, where the model does not ask for
    references.

    Raises `Permanent` that names the variable, and the errors of `Files.get`.
    """
    stored = [name for name, value in variables.items() if is_reference(value)]
    if not stored:
        return variables
    as_they_are = find_reference_variables(model)
    values = {name: await _load_value(name, variables[name], files) for name in stored if name not in as_they_are}
    return {**variables, **values}


def find_reference_variables(model: type[BaseModel]) -> frozenset[str]:
    """Return the variables of a model that are file references, or hold some."""
    return frozenset(
        str(field.validation_alias or name)
        for name, field in model.model_fields.items()
        if _has_mention(field.annotation, FileReference)
    )


async def store_large_values(outcome: Outcome, files: Files | None) -> Outcome:
    """Return the outcome with references in the place of its large values.

    Raises `Permanent` that names the variable when the rest is still too large, and the errors of `Files.keep`.
    """
    if not isinstance(outcome, Completed | BpmnError):
        return outcome
    variables = outcome.variables
    if files is not None:
        large = [name for name, wire in variables.items() if _is_large(wire, files.spill_above_bytes)]
        if large:
            references: Variables = {name: await _store_value(variables[name], files) for name in large}
            variables = {**variables, **references}
            outcome = outcome.model_copy(update={"variables": variables})
    hint = "return less" if files is not None else "set FILES_URL, so that large values are stored as files"
    local = outcome.local_variables if isinstance(outcome, Completed) else {}
    for some in (variables, local):
        check_size(some, f"too large for a message: {hint}")
    return outcome


def count_wire_bytes(wire: Mapping[str, Any]) -> int:
    """Return how much an encoded variable takes in a message."""
    value = wire.get("value")
    if not isinstance(value, str):
        return 32
    return len(value) if len(value) < _SHORT else len(json.dumps(value))


def check_size(variables: Mapping[str, Mapping[str, Any]], problem: str) -> None:
    """Raise `Permanent` that names the largest variable and its size, if all together do not fit into a message."""
    if sum(len(value) for wire in variables.values() if isinstance(value := wire.get("value"), str)) < _SHORT:
        return
    sizes = {name: count_wire_bytes(wire) for name, wire in variables.items()}
    if (total := sum(sizes.values())) > MAX_JOB_BYTES:
        name = max(sizes, key=lambda each: sizes[each])
        raise Permanent(
            f"variable {name!r} has {sizes[name]} bytes, all together {total}, and {MAX_JOB_BYTES} fit: {problem}"
        )


def _is_large(wire: Mapping[str, Any], limit_bytes: int) -> bool:
    value = wire.get("value")
    # A File is the author's choice: the engine keeps it.
    return (
        isinstance(value, str)
        and wire.get("type") != "File"
        and len(value) * 6 > limit_bytes
        and (count_wire_bytes(wire) > limit_bytes)
    )


async def _store_value(wire: Mapping[str, Any], files: Files) -> dict[str, Any]:
    value = decode(wire)
    match value:
        case str():
            reference = await files.keep(value.encode(), "text", "text/plain; charset=utf-8")
        case bytes():
            reference = await files.keep(value, "bytes", "application/octet-stream")
        case _:
            reference = await files.keep(str(wire["value"]).encode(), "json", "application/json")
    return encode(reference.model_dump(mode="json"))


async def _load_value(name: str, value: object, files: Files | None) -> object:
    try:
        reference = FileReference.model_validate(value)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors(include_input=False))
        raise Permanent(f"variable {name!r} is no file reference: {problems}") from None
    if files is None:
        raise Permanent(f"variable {name!r} is stored as a file, and this worker has no FILES_URL")
    match reference.holds:
        case "text":
            return await files.read_text(reference)
        case "bytes":
            return await files.get(reference)
        case "json":
            return json.loads(await files.get(reference))
    return value


def _has_mention(annotation: Any, kind: type[Any]) -> bool:
    return annotation is kind or any(_has_mention(part, kind) for part in get_args(annotation))
