"""A schema looked at as a whole, before anybody fills it: whether it can be asked, and which variables it needs."""

from collections.abc import Iterator

from forms.evaluated import read_variables
from forms.initial import initial_data
from forms.model import Form
from forms.paths import read_path
from forms.resolve import resolve
from forms.schema import Component, Schema, parse

__all__ = ["read_form", "variable_names", "written_names"]


def read_form(schema: object, *, locale: str = "en") -> Form:
    """The form without any data. Raises `FormUnreadable` for one that cannot be asked, and nothing else."""
    source = parse(schema)
    initial = initial_data(source, {})
    return resolve(source, initial, initial, locale=locale).form


def variable_names(schema: object) -> list[str]:
    """The variables that a form asks for or reads, sorted: fetch these. Raises `FormUnreadable`."""
    source = parse(schema)
    special = {"this", "parent", "i", "_this_", "_parent_", "_i_"}
    found = (read_variables(source) - special) | set(_bound(source))
    return sorted(source.renamed.get(name, name) for name in found)


def written_names(schema: object) -> list[str]:
    """The variables that a form may set, sorted. Raises `FormUnreadable`."""
    source = parse(schema)
    actions = {action for part in source.inside() if part.submits and (action := part.hint("action"))}
    return sorted(set(_bound(source)) | actions)


def _bound(source: Schema) -> Iterator[str]:
    for component in source.components:
        yield from _bound_by(component)


def _bound_by(component: Component) -> Iterator[str]:
    if component.key or component.path:
        # What stands inside a path makes no variable of its own.
        yield str(read_path(component.key or component.path)[0])
        return
    for inner in component.components:
        yield from _bound_by(inner)
