"""Where the viewer and forms/ differ on a case, in words; messages are compared by what they say, not how."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from forms.kinds.options import is_same

__all__ = ["Difference", "differences"]

CODES: Mapping[str, frozenset[str]] = {
    "Value is not a number.": frozenset({"not_a_number"}),
    "Value is expected to be an integer.": frozenset({"not_whole"}),
    "Value is expected to have at most 1 decimal digit.": frozenset({"decimals"}),
    "Value is expected to have at most {value} decimal digits.": frozenset({"decimals"}),
    "Please select a valid value, the two nearest valid values are {previousValue} and {nextValue}.": frozenset(
        {"increment"}
    ),
    "Field must match pattern {value}.": frozenset({"pattern"}),
    "Field is required.": frozenset({"required", "choose_some", "must_agree"}),
    "Field must have minimum value of {value}.": frozenset({"too_small"}),
    "Field must have maximum value of {value}.": frozenset({"too_large"}),
    "Min validation value is not a valid number.": frozenset({"limit_broken"}),
    "Max validation value is not a valid number.": frozenset({"limit_broken"}),
    "Field must have minimum length of {value}.": frozenset({"too_short"}),
    "Field must have maximum length of {value}.": frozenset({"too_long"}),
    "Field must be a valid international phone number. (e.g. +4930664040900)": frozenset({"phone"}),
    "Field must be a valid email.": frozenset({"email"}),
}
# What the viewer gives as a parameter is one of ours, under a name of its own.
_LIMITS = ("min", "max", "digits", "pattern")


@dataclass(frozen=True, slots=True)
class Difference:
    """`theirs` is the viewer's; `about` is what differs, `path` and `type` say of which field.

    `held` is the value that an error is about.
    """

    about: str
    path: str
    type: str
    theirs: Any
    ours: Any
    held: Any = None

    def __str__(self) -> str:
        return f"{self.about} of {self.type} {self.path}: {self.theirs!r} in the viewer, {self.ours!r} here"


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[Difference]:
    """All differences of one case as both sides played it."""
    if theirs.get("failures"):
        return [Difference("failure", "", "", theirs["failures"], None)]
    if "refused" in theirs or "refused" in ours:
        same_answer = "refused" in theirs and "refused" in ours
        return [] if same_answer else [Difference("refusal", "", "", theirs.get("refused"), ours.get("refused"))]
    found = [
        difference
        for moment, (seen, here) in enumerate(zip(theirs["moments"], ours["moments"], strict=True))
        for difference in _of_moment(moment, seen, here)
    ]
    # What is only looked at stands at the path of what it belongs to.
    fields = [field for seen in (theirs, ours) for field in seen["moments"][-1]]
    types = {field["path"]: field["type"] for field in fields if "value" in field or field["type"] == "dynamiclist"}
    held = {field["path"]: field["value"] for field in ours["moments"][-1] if "value" in field}
    found += [
        replace(error, held=held.get(error.path)) for error in _of_errors(theirs["errors"], ours["errors"], types)
    ]
    found += _of_data(theirs["data"], ours["data"], (), types)
    return found


def _of_moment(moment: int, theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> Iterator[Difference]:
    seen = {(field["id"], field["path"]): field for field in theirs}
    here = {(field["id"], field["path"]): field for field in ours}
    for place in seen.keys() ^ here.keys():
        kind = (seen.get(place) or here[place])["type"]
        yield Difference(f"visibility after step {moment}", place[1], kind, place in seen, place in here)
    for place in seen.keys() & here.keys():
        for name in ("readonly", "disabled", "value", "options"):
            one, other = seen[place].get(name), here[place].get(name)
            if name == "options":
                one, other = _plain_options(one), _plain_options(other)
            if not is_same(one, other):
                yield Difference(f"{name} after step {moment}", place[1], seen[place]["type"], one, other)


def _plain_options(options: Any) -> Any:
    return [[option.get("value"), option.get("label")] for option in options] if options is not None else None


def _of_errors(theirs: Mapping[str, str], ours: Mapping[str, Any], types: Mapping[str, str]) -> Iterator[Difference]:
    for path in sorted(theirs.keys() | ours.keys()):
        told, here = theirs.get(path), ours.get(path)
        if not _same_error(told, here):
            yield Difference("error", path, types.get(path, ""), told, here)


def _same_error(told: str | None, here: Any) -> bool:
    if told is None or here is None:
        return told is None and here is None
    code, params = here
    if not told.startswith('{"template"'):
        # The author's own message.
        return code == "custom" and params["message"] == told
    message = json.loads(told)
    if code not in CODES[message["template"]]:
        return False
    limits = message["params"].values()
    known = {str(value) for value in params.values()}
    return not any(name in params for name in _LIMITS) or all(str(limit) in known for limit in limits)


def _of_data(theirs: Any, ours: Any, path: tuple[str, ...], types: Mapping[str, str]) -> Iterator[Difference]:
    if isinstance(theirs, dict) and isinstance(ours, dict) and ".".join(path) not in types:
        for name in sorted(theirs.keys() | ours.keys()):
            here = ours.get(name)
            if name in theirs and name in ours:
                yield from _of_data(theirs[name], here, (*path, name), types)
            elif name in ours and here and isinstance(here, dict) and ".".join((*path, name)) not in types:
                # What only differs inside of it.
                yield from _of_data({}, here, (*path, name), types)
            elif name in ours and here and types.get(".".join((*path, name))) == "dynamiclist":
                for index, item in enumerate(here):
                    yield from _of_data({}, item, (*path, name, str(index)), types)
            else:
                spelled = ".".join((*path, name))
                yield Difference("submitted", spelled, types.get(spelled, ""), theirs.get(name), ours.get(name))
    elif isinstance(theirs, list) and isinstance(ours, list) and types.get(".".join(path)) == "dynamiclist":
        for index in range(max(len(theirs), len(ours))):
            item, here = (found[index] if index < len(found) else None for found in (theirs, ours))
            yield from _of_data(item, here, (*path, str(index)), types)
    elif not is_same(theirs, ours):
        spelled = ".".join(path)
        yield Difference("submitted", spelled, types.get(spelled, ""), theirs, ours)
