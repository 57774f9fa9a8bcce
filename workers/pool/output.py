"""What a handler returned, as plain values."""

import math
from collections.abc import Mapping, Set
from datetime import datetime

from pydantic import BaseModel

from bpmn.engine.variables import NotAVariable

__all__ = ["to_plain_output"]

# Asked first, because most values are these, and to ask for a Mapping takes longer than all else here.
_NEVER = (str, bool, int, bytes, datetime)


def to_plain_output(result: BaseModel) -> dict[str, object]:
    """Return the output by the aliases of the fields. Raises `NotAVariable` that names the field.

    The engine has types of its own for moments and bytes; everything else travels as JSON would carry it.
    """
    fields = _list_names(result)
    own = {name for name in fields if isinstance(getattr(result, name), datetime | bytes)}
    try:
        plain = result.model_dump(by_alias=True, mode="json", exclude=own)
    except ValueError:
        raise NotAVariable(_find_culprit(result)) from None
    for name in fields:
        if _has_no_number(getattr(result, name)):
            # JSON has none of these, and pydantic would make null of them: another value than was returned.
            raise NotAVariable(f"variable {name!r}: a number in it is infinite or none (NaN); use null or text")
    return plain | result.model_dump(by_alias=True, include=own) if own else plain


def _list_names(result: BaseModel) -> list[str]:
    return [*type(result).model_fields, *(result.model_extra or ())]


def _find_culprit(result: BaseModel) -> str:
    """Return which field it was pydantic does not say."""
    for name in _list_names(result):
        try:
            result.model_dump(mode="json", include={name})
        except ValueError as error:
            return f"variable {name!r} is no JSON: {str(error).removeprefix('Error serializing to JSON: ')}"
    return "its fields are no JSON"


def _has_no_number(value: object) -> bool:
    if value is None or isinstance(value, _NEVER):
        return False
    match value:
        case float():
            return not math.isfinite(value)
        case Mapping():
            return any(_has_no_number(item) for item in value.values())
        case list() | tuple() | Set():
            return any(_has_no_number(item) for item in value)
        case BaseModel():
            return _has_no_number(value.__dict__)
    return False
