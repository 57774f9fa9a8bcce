"""The differences that are meant: each by the name of its section in docs/reference/forms.md, which gives the reason.

Each says as narrowly as it can which cases it is about, so that anything else is a fault.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from e2e.form_js.comparing import Difference
from forms.clock import read_minute
from forms.kinds.options import is_same

__all__ = ["ALLOWED", "explained"]

Case = Mapping[str, Any]
Component = Mapping[str, Any]
Holds: TypeAlias = Callable[[Case, Difference, Component], bool]

_REFUSED_HERE = re.compile(
    r"its increment \S+ is no number above zero|its subtype \S+ is none of date, time, datetime"
    r"|has no key$|it has no path$"
    r"|should be a number, or FEEL that makes one$|should be true or false$"
)
_REFUSED_THERE = re.compile(
    r"Invalid regular expression|form field of type <\w+> not supported|illegal key: "
    # A whole number that JavaScript spells with an exponent.
    r"|Cannot read properties of undefined \(reading 'length'\)"
)
_BROKEN = ("[big.js] Invalid number", "memoizedValues.some is not a function")
_LIMITLESS = re.compile(r"(Min|Max) validation value is not a valid number\.")
_EMPTY = (None, "", [])


def explained(case: Case, difference: Difference) -> str | None:
    """The section that tells why this difference is there; None for one that should not be."""
    component = _component(case, difference.path)
    return next((name for name, holds in ALLOWED.items() if holds(case, difference, component)), None)


def _component(case: Case, path: str) -> Component:
    """The component whose value is at a path; an empty one where there is none."""
    wanted = tuple(path.split("."))
    return next((component for at, component in _places(case["schema"]["components"], ()) if _fits(at, wanted)), {})


def _places(components: list[Component], base: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Component]]:
    for component in components:
        name = component.get("key") or component.get("path")
        path = (*base, *str(name).split(".")) if name else base
        yield path, component
        inside = (*path, "*") if component["type"] == "dynamiclist" and component.get("isRepeating", True) else path
        yield from _places(component.get("components", []), inside)


def _fits(at: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return len(at) == len(wanted) and all(step in ("*", name) for step, name in zip(at, wanted, strict=True))


def _at(case: Case, path: str) -> Any:
    found: Any = case["data"]
    for step in path.split("."):
        if isinstance(found, list) and step.isdecimal():
            found = found[int(step)] if int(step) < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    return found


def _is_value(difference: Difference) -> bool:
    return difference.about.startswith(("value ", "submitted"))


def _is_error(difference: Difference, *codes: str) -> bool:
    return difference.about == "error" and difference.ours is not None and difference.ours[0] in codes


def _refused_here(_case: Case, difference: Difference, _component: Component) -> bool:
    said = difference.ours
    return difference.about == "refusal" and difference.theirs is None and bool(_REFUSED_HERE.search(said))


def _refused_there(_case: Case, difference: Difference, _component: Component) -> bool:
    if difference.about == "failure":
        return all(said in _BROKEN for said in difference.theirs)
    return difference.about == "refusal" and difference.ours is None and bool(_REFUSED_THERE.match(difference.theirs))


def _as_it_was(case: Case, difference: Difference, component: Component) -> bool:
    """A moment in another spelling: the same minute, here as the variable has it."""
    known = _at(case, difference.path)
    if component.get("type") != "datetime" or not _is_value(difference) or not isinstance(known, str):
        return False
    minutes = [read_minute(value, "UTC") for value in (difference.theirs, difference.ours)]
    return difference.ours == known and minutes[0] is not None and minutes[0] == minutes[1]


def _midnight(case: Case, difference: Difference, component: Component) -> bool:
    is_end = component.get("subtype") == "time" and _at(case, difference.path) == difference.theirs == "24:00"
    return is_end and _is_value(difference) and difference.ours is None


def _without_options(case: Case, difference: Difference, component: Component) -> bool:
    source = component.get("valuesExpression", "")
    is_known = source.removeprefix("=") in case["data"] and not isinstance(_at(case, source[1:]), list)
    was_kept = is_same(difference.theirs, _at(case, difference.path)) and difference.ours in _EMPTY
    return is_known and was_kept and _is_value(difference)


def _empty_list(_case: Case, difference: Difference, component: Component) -> bool:
    is_list = component.get("type") == "dynamiclist" and difference.about == "submitted"
    return is_list and difference.theirs is None and difference.ours == []


def _server_checks(_case: Case, difference: Difference, component: Component) -> bool:
    if difference.theirs is not None:
        return False
    if _is_error(difference, "date_passed"):
        return component.get("disallowPassedDates") is True
    if _is_error(difference, "not_an_option"):
        # The viewer forgets all others by itself.
        return component["type"] in {"radio", "select"} and difference.held in (0, False)
    return _is_error(difference, "unusable_characters")


def _unfitting_default(case: Case, difference: Difference, component: Component) -> bool:
    default = component.get("defaultValue")
    if default is None or case["steps"]:
        return False
    if _is_value(difference):
        return component["type"] == "datetime" and difference.theirs is None and difference.ours == default
    return difference.theirs is None and _is_error(difference, "wrong_type", "not_a_number", "not_a_date")


def _phone(_case: Case, difference: Difference, component: Component) -> bool:
    is_phone = component.get("validate", {}).get("validationType") == "phone" and difference.about == "error"
    if not is_phone:
        return False
    return _is_error(difference, "phone") if difference.theirs is None else "phone number" in difference.theirs


def _digits(_case: Case, difference: Difference, component: Component) -> bool:
    ours = difference.ours
    if component.get("type") != "number" or not _is_value(difference) or not isinstance(ours, int):
        return False
    return abs(ours) > 2**53 and float(ours) == difference.theirs


def _empty_limit(_case: Case, difference: Difference, component: Component) -> bool:
    if difference.about != "error" or difference.ours is not None:
        return False
    found = _LIMITLESS.search(difference.theirs)
    return found is not None and component.get("validate", {}).get(found[1].lower()) == ""


def _null(_case: Case, difference: Difference, component: Component) -> bool:
    nulls = {name for name, value in component.items() if value is None}
    return bool(nulls & {"defaultValue", "values"}) and (
        _is_value(difference) or difference.about.startswith("options")
    )


def _number_in_key(case: Case, difference: Difference, _component: Component) -> bool:
    keys = [str(component.get("key", "")).split(".") for _, component in _places(case["schema"]["components"], ())]
    inside = [key for key in keys if any(step.isdecimal() for step in key[1:])]
    return _is_value(difference) and any(difference.path.split(".")[0] == key[0] for key in inside)


def _chasing(case: Case, difference: Difference, component: Component) -> bool:
    computed = [entry for _, entry in _places(case["schema"]["components"], ()) if entry["type"] == "expression"]
    keys = "|".join(re.escape(entry["key"]) for entry in computed)
    reads = re.search(rf"\b({keys})\b", component.get("expression", "")) if computed else None
    return component.get("type") == "expression" and reads is not None and _is_value(difference)


def _nothing_computed(_case: Case, difference: Difference, component: Component) -> bool:
    is_empty = component.get("type") == "expression" and not component.get("expression")
    return is_empty and difference.about == "submitted" and difference.theirs is difference.ours is None


def _no_json(_case: Case, difference: Difference, component: Component) -> bool:
    if component.get("type") != "expression" or not _is_value(difference):
        return False
    theirs, ours = difference.theirs, difference.ours
    if isinstance(theirs, dict):
        return ours is None and bool(theirs.keys() & {"parameterNames", "start included"})
    return isinstance(theirs, str) and isinstance(ours, str) and "T" in theirs and ours in theirs


def _locked_expression(_case: Case, difference: Difference, component: Component) -> bool:
    return component.get("type") == "expression" and component.get("readonly") is True


def _in_the_way(case: Case, difference: Difference, _component: Component) -> bool:
    steps = difference.path.split(".")
    outer = [_at(case, ".".join(steps[:count])) for count in range(1, len(steps))]
    is_blocked = any(value is not None and not isinstance(value, dict | list) for value in outer)
    return is_blocked and _is_value(difference) and difference.theirs is None and difference.ours in (*_EMPTY, False)


ALLOWED: Mapping[str, Holds] = {
    "Forms that are refused": _refused_here,
    "Forms that break the viewer": _refused_there,
    "Times stay as they were written": _as_it_was,
    "24:00 is no time": _midnight,
    "Options that cannot be computed": _without_options,
    "Emptied lists": _empty_list,
    "Answers that only a server refuses": _server_checks,
    "Defaults that do not fit": _unfitting_default,
    "Phone numbers": _phone,
    "Large whole numbers": _digits,
    "Empty limits": _empty_limit,
    "Null in a form": _null,
    "Numbers in keys": _number_in_key,
    "Expressions that read expressions": _chasing,
    "Expressions without FEEL": _nothing_computed,
    "Values that JSON does not have": _no_json,
    "Read-only expressions": _locked_expression,
    "Values in the way of objects": _in_the_way,
}
