"""A number, whole or with decimal digits."""

import math
import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from babel.numbers import get_decimal_symbol, get_group_symbol

from forms.kind import Asked, Refused
from forms.messages import supported
from forms.model import Field, Problem, Value
from forms.numbers import as_decimal, decimals, javascript_number, plain
from forms.options import words
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Ask, Widget

__all__ = ["Kind", "counted"]

# Beyond it nothing is counted, and a text of digits is an attack.
MAX_DIGITS = 300
# So many values at most are counted through rather than typed.
MAX_STEPS = 20
# So few are seen at a glance, and picked at once.
MAX_NUMBERS = 8
_TYPED = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)")
# Between thousands people put spaces of several kinds, or apostrophes.
_GROUPING = re.compile(r"(?<=\d)[\s'\u2019](?=\d)")
# Where a comma or a point may stand between thousands, as it does in many languages.
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([.,])\d{3}(?:\1\d{3})*")


class Kind:
    """form-js number. With `serializeToString` the value is the number as a text, to the last digit."""

    name = "number"
    components = frozenset({"number"})
    keyed = True
    empty: Value = None

    def check_component(self, component: Component) -> str | None:
        increment = component.written("increment")
        if increment in (None, ""):
            return None
        step = as_decimal(increment)
        return None if step is not None and step > 0 else f"its increment {increment!r:.40} is no number above zero"

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
            return None
        number = javascript_number(value)
        if number is None:
            return None
        return words(value) if component.written("serializeToString") else number

    def kept(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def typed(self, field: Field, text: str, asked: Asked) -> Value:
        spelled = _GROUPING.sub("", text.strip()).replace("\u2212", "-")
        if len(spelled) <= MAX_DIGITS:
            _refuse_thousands(field, spelled, asked)
        if len(spelled) > MAX_DIGITS or not _TYPED.fullmatch(spelled):
            raise Refused("not_a_number")
        return value_of(field, Decimal(spelled.replace(",", ".")))

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        numbers = _numbers(field)
        if not numbers:
            raise Refused("type_text")
        if not 0 <= index < len(numbers):
            raise Refused("not_an_option")
        return value_of(field, numbers[index])

    def problem(self, field: Field, value: Value) -> Problem | None:
        if value is None or value == "":
            return None
        number = None if isinstance(value, bool) else as_decimal(value)
        if number is None or (isinstance(value, str) != bool(field.component.written("serializeToString"))):
            return Problem("not_a_number")
        digits = as_decimal(field.component.written("decimalDigits"))
        if digits is not None and digits >= 0 and decimals(number) > digits:
            return Problem("decimals", {"digits": int(digits)}) if digits else Problem("not_whole")
        increment = as_decimal(field.component.written("increment"))
        if increment and (offset := number % increment):
            before = number - offset
            return Problem("increment", {"before": plain(before), "after": plain(before + increment)})
        return None

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        if value is None or isinstance(value, bool | dict | list):
            return ""
        before, after = (field.written(f"appearance.{side}Adorner") for side in ("prefix", "suffix"))
        return " ".join(part for part in (before, words(value), after) if isinstance(part, str) and part)

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        step = _step(field)
        numbers = tuple(plain(number) for number in _numbers(field))
        return Ask(step=float(step) if step is not None else None, numbers=numbers)


def counted(field: Field, current: Value, steps: int) -> Value:
    """Counted up or down by so many steps; from nothing to the least that is possible. Raises `Refused`."""
    if (step := _step(field)) is None:
        raise Refused("type_text")
    number = as_decimal(current)
    return value_of(field, _least(field, step) if number is None else number + step * steps)


def value_of(field: Field, number: Decimal) -> Value:
    """A number as this field holds it. Raises `Refused` where JSON has none for it."""
    if field.component.written("serializeToString"):
        return plain(number)
    if number == number.to_integral_value():
        return int(number)
    found = float(number)
    if math.isinf(found):
        raise Refused("not_a_number")
    return found


def _refuse_thousands(field: Field, spelled: str, asked: Asked) -> None:
    """Raises `Refused` for what may be meant a thousand times greater than it would be read."""
    is_whole = field.component.written("decimalDigits") == 0
    if (found := _THOUSANDS.fullmatch(spelled)) is not None:
        whole = spelled.replace(found[1], "")
        if is_whole or spelled.count(found[1]) > 1:
            raise Refused("thousands_apart", number=whole)
        locale = supported(asked.locale)
        if found[1] == get_group_symbol(locale):
            fraction = spelled.replace(found[1], get_decimal_symbol(locale))
            raise Refused("thousands_or_decimals", number=whole, fraction=fraction)
    if is_whole and _TYPED.fullmatch(spelled) and ("," in spelled or "." in spelled):
        raise Refused("not_whole")


def _step(field: Field) -> Decimal | None:
    """How much a press counts, where so few values are possible that counting is quicker than typing."""
    increment = as_decimal(field.component.written("increment")) or Decimal(1)
    least, most = as_decimal(field.rules.min), as_decimal(field.rules.max)
    if least is None or most is None or not 0 < (most - least) / increment <= MAX_STEPS:
        return None
    return increment


def _least(field: Field, step: Decimal) -> Decimal:
    """The least number that is possible; a written increment counts from zero, as form-js checks it."""
    least = as_decimal(field.rules.min) or Decimal(0)
    if as_decimal(field.component.written("increment")) is None:
        return least
    return (least / step).to_integral_value(ROUND_CEILING) * step


def _numbers(field: Field) -> list[Decimal]:
    """All the numbers that are possible, where these are a handful."""
    step, most = _step(field), as_decimal(field.rules.max)
    if step is None or most is None:
        return []
    least = _least(field, step)
    count = int((most - least) / step) + 1
    return [least + step * number for number in range(count)] if 1 < count <= MAX_NUMBERS else []
