"""What the kinds with options share."""

from collections.abc import Collection

from forms.errors import FormUnreadable
from forms.kind import Refused
from forms.model import Field, Option
from forms.schema import is_text
from forms.widgets import Pick

__all__ = ["checked_options", "option_at", "option_named", "pick", "plain"]


def plain(value: object) -> str | None:
    """What a schema holds as a value, in words; nothing for null. Raises `FormUnreadable`."""
    if value is None:
        return None
    if not isinstance(value, str | int | float) or not is_text(str(value)):
        raise FormUnreadable(f"a value should be a text, a number or true or false, not {value!r:.60}")
    return str(value)


def checked_options(field: Field, options: tuple[Option, ...] | None) -> tuple[Option, ...]:
    """The options, which must be there and differ, unless nothing is known of them. Raises `FormUnreadable`."""
    if options is None:
        return ()
    if not options:
        raise FormUnreadable(f"field {field.key!r} has no options: give it static values")
    if len({option.value for option in options}) < len(options):
        raise FormUnreadable(f"field {field.key!r} has two options with the same value")
    return options


def option_at(field: Field, index: int) -> Option:
    """The option behind a button. Raises `Refused`."""
    if not 0 <= index < len(field.options):
        raise Refused("not_an_option")
    return field.options[index]


def option_named(field: Field, text: str) -> Option | None:
    """The option whose label or value a person typed, in any case."""
    wanted = text.strip().casefold()
    return next(
        (option for option in field.options if wanted in {option.label.casefold(), option.value.casefold()}), None
    )


def pick(field: Field, values: Collection[object]) -> Pick:
    """The options as a widget, with those of `values` chosen."""
    chosen = frozenset(index for index, option in enumerate(field.options) if option.value in values)
    return Pick(tuple(option.label for option in field.options), chosen)
