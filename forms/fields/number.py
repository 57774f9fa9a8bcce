"""A number, whole or with decimal digits."""

import math
import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from babel.numbers import get_decimal_symbol, get_group_symbol

from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.options import format_value
from forms.kinds.widgets import AskWidget, Widget
from forms.messages import find_supported
from forms.model import Field, FieldError, Value
from forms.numbers import count_decimals, format_plain, to_decimal, to_javascript_number
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = ["Kind", "count_steps"]

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
        increment = component.read_property("increment")
        if increment in (None, ""):
            return None
        step = to_decimal(increment)
        return None if step is not None and step > 0 else f"its increment {increment!r:.40} is no number above zero"

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
            return None
        number = to_javascript_number(value)
        if number is None:
            return None
        return format_value(value) if component.read_property("serializeToString") else number

    def keep_value(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:
        spelled = _GROUPING.sub("", text.strip()).replace("\u2212", "-")
        if len(spelled) <= MAX_DIGITS:
            _refuse_thousands(field, spelled, asked)
        if len(spelled) > MAX_DIGITS or not _TYPED.fullmatch(spelled):
            raise ValueRefused("not_a_number")
        return to_value(field, Decimal(spelled.replace(",", ".")))

    def pick(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        numbers = _list_numbers(field)
        if not numbers:
            raise ValueRefused("type_text")
        if not 0 <= index < len(numbers):
            raise ValueRefused("not_an_option")
        return to_value(field, numbers[index])

    def find_problem(self, field: Field, value: Value) -> FieldError | None:
        if value is None or value == "":
            return None
        number = None if isinstance(value, bool) else to_decimal(value)
        if number is None or (isinstance(value, str) != bool(field.component.read_property("serializeToString"))):
            return FieldError("not_a_number")
        digits = to_decimal(field.component.read_property("decimalDigits"))
        if digits is not None and digits >= 0 and count_decimals(number) > digits:
            return FieldError("decimals", {"digits": int(digits)}) if digits else FieldError("not_whole")
        increment = to_decimal(field.component.read_property("increment"))
        if increment and (offset := number % increment):
            before = number - offset
            return FieldError("increment", {"before": format_plain(before), "after": format_plain(before + increment)})
        return None

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        if value is None or isinstance(value, bool | dict | list):
            return ""
        before, after = (field.read_property(f"appearance.{side}Adorner") for side in ("prefix", "suffix"))
        return " ".join(part for part in (before, format_value(value), after) if isinstance(part, str) and part)

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:  # noqa: ARG002
        step = _find_step(field)
        numbers = tuple(format_plain(number) for number in _list_numbers(field))
        return AskWidget(step=float(step) if step is not None else None, numbers=numbers)


def count_steps(field: Field, current: Value, steps: int) -> Value:
    """Count up or down by so many steps; from nothing to the least that is possible. Raises `ValueRefused`."""
    if (step := _find_step(field)) is None:
        raise ValueRefused("type_text")
    number = to_decimal(current)
    return to_value(field, _find_least(field, step) if number is None else number + step * steps)


def to_value(field: Field, number: Decimal) -> Value:
    """Return a number as this field holds it. Raises `ValueRefused` where JSON has none for it."""
    if field.component.read_property("serializeToString"):
        return format_plain(number)
    if number == number.to_integral_value():
        return int(number)
    found = float(number)
    if math.isinf(found):
        raise ValueRefused("not_a_number")
    return found


def _refuse_thousands(field: Field, spelled: str, asked: AskedPerson) -> None:
    """Raise `ValueRefused` for what may be meant a thousand times greater than it would be read."""
    is_whole = field.component.read_property("decimalDigits") == 0
    if (found := _THOUSANDS.fullmatch(spelled)) is not None:
        whole = spelled.replace(found[1], "")
        if is_whole or spelled.count(found[1]) > 1:
            raise ValueRefused("thousands_apart", number=whole)
        locale = find_supported(asked.locale)
        if found[1] == get_group_symbol(locale):
            fraction = spelled.replace(found[1], get_decimal_symbol(locale))
            raise ValueRefused("thousands_or_decimals", number=whole, fraction=fraction)
    if is_whole and _TYPED.fullmatch(spelled) and ("," in spelled or "." in spelled):
        raise ValueRefused("not_whole")


def _find_step(field: Field) -> Decimal | None:
    """Return how much a press counts, where so few values are possible that counting is quicker than typing."""
    increment = to_decimal(field.component.read_property("increment")) or Decimal(1)
    least, most = to_decimal(field.rules.min), to_decimal(field.rules.max)
    if least is None or most is None or not 0 < (most - least) / increment <= MAX_STEPS:
        return None
    return increment


def _find_least(field: Field, step: Decimal) -> Decimal:
    """Return the least number that is possible; a written increment counts from zero, as form-js checks it."""
    least = to_decimal(field.rules.min) or Decimal(0)
    if to_decimal(field.component.read_property("increment")) is None:
        return least
    return (least / step).to_integral_value(ROUND_CEILING) * step


def _list_numbers(field: Field) -> list[Decimal]:
    """Return all the numbers that are possible, where these are a handful."""
    step, most = _find_step(field), to_decimal(field.rules.max)
    if step is None or most is None:
        return []
    least = _find_least(field, step)
    count = int((most - least) / step) + 1
    return [least + step * number for number in range(count)] if 1 < count <= MAX_NUMBERS else []
