"""Whether a form can work as it was drawn, whatever its conditions show: found out once, before anybody begins."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from forms.errors import FormUnreadable
from forms.evaluate.places import GROUP, LIST, is_list, make_value_path
from forms.fields import find_component_kind
from forms.schema.components import Component, Schema
from forms.schema.paths import Path, spell

__all__ = ["MAX_ACTIONS", "refuse_unworkable"]

# All of them stand in one message, whose keyboard has a hundred buttons at most.
MAX_ACTIONS = 50
_KEPT_SCHEMAS = 256


def refuse_unworkable(schema: Schema) -> None:
    """Raise `FormUnreadable` for a component that cannot work, or for two whose keys clash, hidden ones too."""
    if (reason := _find_reason(schema)) is not None:
        raise FormUnreadable(f"form {schema.id!r}: {reason}")


@lru_cache(maxsize=_KEPT_SCHEMAS)
def _find_reason(schema: Schema) -> str | None:
    parts = _Parts()
    reasons = (reason for reason in parts.find_problems(schema.components, ()) if reason is not None)
    return next(reasons, None) or _find_clash(parts)


@dataclass(slots=True)
class _Parts:
    """What has a value, collected while the components are looked at."""

    valued: list[Path] = field(default_factory=list)
    """Where the values are; those of a list are those of its first item."""
    lists: set[Path] = field(default_factory=set)
    actions: list[Component] = field(default_factory=list)

    def find_problems(self, components: Sequence[Component], base: Path) -> Iterator[str | None]:
        for component in components:
            path = make_value_path(component, base)
            kind = find_component_kind(component.type)
            if component.type == "button":
                yield self._check_button(component)
            elif kind is None or component.type == GROUP or (component.type == LIST and not is_list(component)):
                yield from self.find_problems(component.components, path)
            else:
                if kind.keyed and not component.key:
                    yield f"component {component.called!r} has no key"
                if (reason := kind.check_component(component)) is not None:
                    yield f"component {component.called!r} cannot be asked: {reason}"
                if kind.keyed or is_list(component):
                    self.valued.append(path)
                if is_list(component):
                    self.lists.add(path)
                    yield from self.find_problems(component.components, (*path, 0))

    def _check_button(self, component: Component) -> str | None:
        action = component.properties.get("action")
        if not component.submits or component.disabled or not action:
            return None
        if not isinstance(action, str):
            return f"button {component.called!r}: the property action should be the name of a variable"
        self.actions.append(component)
        if len(self.actions) > MAX_ACTIONS:
            return f"it has more than {MAX_ACTIONS} buttons: make them options of a field"
        return None


def _find_clash(parts: _Parts) -> str | None:
    names = [spell(path) for path in parts.valued]
    # Buttons under conditions may stand for the same variable: one of them is pressed, whichever is there.
    always = [
        button.find_hint("action") for button in parts.actions if button.read_property("conditional.hide") is None
    ]
    keys = [*names, *filter(None, always)]
    sometimes = {action for button in parts.actions if (action := button.find_hint("action"))} & set(names)
    if twice := sorted({key for key in keys if keys.count(key) > 1} | sometimes):
        return f"two components have the key {twice[0]!r}; keys become variables"
    closed = set(parts.valued) - parts.lists
    for path in parts.valued:
        if any(path[:length] in closed for length in range(1, len(path))):
            return f"the key {spell(path)!r} lies inside the value of another component"
    return None
