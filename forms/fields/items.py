"""A list whose items are small forms of their own."""

from collections.abc import Mapping

from forms.fields import find_kind
from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.widgets import ItemsWidget, Widget
from forms.model import Field, FieldError, Mode, Value
from forms.schema.components import Component
from forms.schema.paths import MISSING, Json, get_at

__all__ = ["MAX_ITEMS", "Kind", "is_fixed"]

MAX_ITEMS = 100
_NOTHING: Value = []
_NOTHING_SAID = "—"
_UNSEEN = frozenset({Mode.DISPLAY, Mode.HIDDEN})
_NEED_LABEL = frozenset({"boolean", "number", "items", "computed"})


class Kind:
    """form-js dynamiclist. Its value is made of those of the fields inside it."""

    name = "items"
    components = frozenset({"dynamiclist"})
    keyed = False
    empty: Value = _NOTHING

    def check_component(self, component: Component) -> str | None:
        count = component.read_property("defaultRepetitions")
        if isinstance(count, int) and count > MAX_ITEMS:
            return f"it begins with {count} items, more than the {MAX_ITEMS} of a form"
        return None if component.path else "it has no path"

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        return value

    def keep_value(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:  # noqa: ARG002
        raise ValueRefused("use_buttons")

    def pick(self, field: Field, current: Value, index: int) -> Value:
        """Pick without the item of this index."""
        items = current if isinstance(current, list) else []
        if is_fixed(field) or not 0 <= index < len(items):
            raise ValueRefused("not_an_option")
        return [item for number, item in enumerate(items) if number != index]

    def find_problem(self, field: Field, value: Value) -> FieldError | None:  # noqa: ARG002
        if value is None:
            return None
        if not isinstance(value, list):
            return FieldError("wrong_type")
        return FieldError("too_many_items", {"max": MAX_ITEMS}) if len(value) > MAX_ITEMS else None

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        return str(len(value)) if isinstance(value, list) and value else ""

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:
        count = len(value) if isinstance(value, list) else 0
        items = (*field.items, *[()] * count)[:count]
        said = [_list_answers(item, value, len(field.path), asked) for item in items]
        cards = tuple(" · ".join(answers) or _NOTHING_SAID for answers in said)
        names = tuple(answers[0] if answers else _NOTHING_SAID for answers in said)
        return ItemsWidget(cards, names, not is_fixed(field))


def is_fixed(field: Field) -> bool:
    """Tell whether its items stay as many as they are."""
    return field.component.read_property("allowAddRemove") is not True or not field.component.components


def _list_answers(item: tuple[Field, ...], value: Value, depth: int, asked: AskedPerson) -> list[str]:
    """Return the answers of an item, a line each, those that say nothing by themselves with their labels."""
    parts = []
    for field in item:
        if field.mode in _UNSEEN or field.is_secret:
            continue
        answer = get_at(value, field.path[depth:])
        shown = "" if answer is MISSING else find_kind(field).format_value(field, answer, asked)
        if shown:
            named = f"{field.label} {shown}" if field.label.endswith(("?", ":")) else f"{field.label}: {shown}"
            parts.append(named if field.kind in _NEED_LABEL else shown)
    return [" ".join(part.split()) for part in parts]
