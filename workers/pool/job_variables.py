"""The variables of a job as its handler gets them, and what of its outcome has to be written, in which type.

Python and JSON have fewer types than the engine: a File comes without its content, a Short is an int, a Java list is a
list. So a value that a handler returns as it came is not written, and a changed one keeps the engine's type if it fits.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bpmn.engine.variables import FileValue, JavaObject, decode, encode, is_json_object
from bpmn.file_reference import is_reference
from workers.envelope import BpmnError, Completed, Job, Outcome, Variables

__all__ = ["keep_types", "read_variables"]

_SHORT = range(-(2**15), 2**15)


def read_variables(job: Job) -> dict[str, object]:
    """Read by name, as Python's values; a file without its content."""
    return {name: _read_value(wire) for name, wire in job.variables.items()}


def keep_types(job: Job, outcome: Outcome) -> Outcome:
    """Return the outcome without variables that are as the job brought them; the others in the job's types, where
    they fit.
    """
    match outcome:
        case Completed(variables=variables, local_variables=local):
            changes = {"variables": _select_changed(job, variables), "local_variables": _to_typed(job, local)}
            return outcome.model_copy(update=changes)
        case BpmnError(variables=variables):
            return outcome.model_copy(update={"variables": _select_changed(job, variables)})
    return outcome


def _read_value(wire: Mapping[str, Any]) -> object:
    value = decode(wire)
    if isinstance(value, FileValue):
        return {"filename": value.filename, "mime_type": value.mime_type, "encoding": value.encoding}
    return value


def _select_changed(job: Job, variables: Variables) -> Variables:
    changed = {
        name: wire
        for name, wire in variables.items()
        if name not in job.variables or not _is_same(wire, job.variables[name])
    }
    return _to_typed(job, changed)


def _to_typed(job: Job, variables: Variables) -> Variables:
    return {name: _convert_type(job.variables.get(name), wire) for name, wire in variables.items()}


def _is_same(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    if new.get("type") == "File":
        return False  # its content is new, whatever the name says
    return new == old or _spell_value(new) == _spell_value(old)


def _spell_value(wire: Mapping[str, Any]) -> str:
    """Return a value so that 1, 1.0 and true differ."""
    value = _read_value(wire)
    if isinstance(value, JavaObject):
        value = asdict(value)
    elif isinstance(value, dict) and is_reference(value) and value.get("holds") != "file":
        value = {"sha256": value.get("sha256"), "holds": value.get("holds")}  # stored twice it is the same value
    elif not isinstance(value, str | int | float | list | dict | None):
        value = encode(value)
    return json.dumps(value, sort_keys=True)


def _convert_type(old: Mapping[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    kind, value = new.get("type"), new.get("value")
    match old and old.get("type"):
        case "Short" if kind == "Integer" and value in _SHORT:
            return {**new, "type": "Short"}
        case "Long" if kind == "Integer":
            return {**new, "type": "Long"}
        case "Object" if kind == "Json" and old is not None and is_json_object(old) and _has_shape(old, new):
            return {**new, "type": "Object", "valueInfo": old["valueInfo"]}
    return new


def _has_shape(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether both are lists, or both objects: a Java class reads only its own."""
    return isinstance(decode(new), list | dict) and type(decode(old)) is type(decode(new))
