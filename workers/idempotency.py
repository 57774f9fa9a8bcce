"""Which jobs are the same, as `idempotent_by` says: those with the same values of some fields, or of the same step."""

import hashlib
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pydantic import BaseModel

from workers.context import make_activity_key
from workers.errors import Permanent

if TYPE_CHECKING:
    from workers.registry import Handler

__all__ = ["ACTIVITY", "check_fields", "make_key"]

# `idempotent_by="activity"`: the step of the process instance, whatever its variables are.
ACTIVITY = "activity"


def check_fields(by: str | Iterable[str], model: type[BaseModel]) -> str | tuple[str, ...]:
    """Return what `idempotent_by` says. Raises `ValueError` that says what is wrong with it."""
    if isinstance(by, str):
        if by != ACTIVITY:
            raise ValueError(f"idempotent_by={by!r} must be {ACTIVITY!r} or a tuple of fields, as ({by!r},)")
        return by
    fields = tuple(by)
    if not fields or not set(fields) <= set(model.model_fields):
        known = ", ".join(model.model_fields)
        raise ValueError(f"idempotent_by={fields} must name fields of {model.__name__}: {known}")
    return fields


def make_key(handler: "Handler", given: BaseModel, activity_instance_id: str) -> str:
    """Make 64 hexadecimal digits. Raises `Permanent` for a field without a value: all such jobs would be the same."""
    by = handler.idempotent_by
    if by is None or by == ACTIVITY:
        return make_activity_key(handler.topic, activity_instance_id)
    values = given.model_dump(mode="json", include=set(by))
    for name, value in values.items():
        if value is None:
            raise Permanent(f"{handler.topic} is idempotent by {name!r}, which is null: it must have a value")
    text = json.dumps([handler.topic, values], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
