"""Numbers as JavaScript reads and spells them, and as decimals that lose nothing.

Source: ECMA-262 (Number::toString, StringToNumber) and big.js, by which form-js compares.
"""

import math
import re
from decimal import Decimal, InvalidOperation

__all__ = ["count_decimals", "format_plain", "to_decimal", "to_javascript_number"]

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_RADIX = re.compile(r"0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
# Far beyond any number that JSON holds; a longer text would cost time, and its digits memory.
_MAX_CHARACTERS = 400
# What is larger is infinite to JavaScript and to the engine.
_EXPONENTS = range(-400, 308)


def to_decimal(value: object) -> Decimal | None:
    """Return a number, or a text that is one, as a decimal; None for all else, and for what no computer writes out."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str) and (len(value) > _MAX_CHARACTERS or not _DECIMAL.fullmatch(value)):
        return None
    try:
        number = Decimal(repr(value) if isinstance(value, float) else value)
    except InvalidOperation:
        return None
    return number if number.adjusted() in _EXPONENTS else None


def to_javascript_number(value: float | str) -> int | float | None:
    """Return what `Number(value)` gives, for a value that is none or infinite None. Integers stay exact."""
    if isinstance(value, int | float):
        return value if isinstance(value, int) or math.isfinite(value) else None
    spelled = value.strip()
    if len(spelled) > _MAX_CHARACTERS:
        return None
    if _RADIX.fullmatch(spelled):
        return int(spelled, 0)
    if not _DECIMAL.fullmatch(spelled):
        return 0 if not spelled and value else None
    found = float(spelled)
    if not math.isfinite(found):
        return None
    return int(found) if found.is_integer() and abs(found) < 2**53 else found


def count_decimals(number: Decimal) -> int:
    """Return how many decimal digits a number has; zeros at the end are none."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def format_plain(number: Decimal) -> str:
    """Return a number in digits, without an exponent."""
    return format(number, "f")
