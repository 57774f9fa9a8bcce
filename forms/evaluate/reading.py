"""A schema looked at as a whole, before anybody fills it: whether it can be asked, and which variables it needs."""

from collections.abc import Iterator

from forms.errors import FeelLimit, FormUnreadable
from forms.evaluate.initial import make_initial_data
from forms.evaluate.properties import read_variables
from forms.evaluate.resolve import resolve_form
from forms.model import Form
from forms.schema.components import Component, Schema, parse_schema
from forms.schema.paths import read_path

__all__ = ["list_variable_names", "list_written_names", "read_form"]


def read_form(schema: object, *, locale: str = "en") -> Form:
    """Return the form without any data. Raises `FormUnreadable` for one that cannot be asked, and nothing else."""
    source = parse_schema(schema)
    initial = make_initial_data(source, {})
    return resolve_form(source, initial, initial, locale=locale).form


def list_variable_names(schema: object) -> list[str]:
    """Return the variables that a form asks for or reads, sorted: fetch these. Raises `FormUnreadable`."""
    source = parse_schema(schema)
    special = {"this", "parent", "i", "_this_", "_parent_", "_i_"}
    try:
        read = read_variables(source)
    except FeelLimit as error:
        raise FormUnreadable(f"form {source.id!r} has expressions that cannot be read: {error.reason}") from error
    found = (read - special) | set(_list_bound(source))
    return sorted(source.renamed.get(name, name) for name in found)


def list_written_names(schema: object) -> list[str]:
    """Return the variables that a form may set, sorted. Raises `FormUnreadable`."""
    source = parse_schema(schema)
    actions = {action for part in source.list_inside() if part.submits and (action := part.find_hint("action"))}
    return sorted(set(_list_bound(source)) | actions)


def _list_bound(source: Schema) -> Iterator[str]:
    for component in source.components:
        yield from _list_bound_by(component)


def _list_bound_by(component: Component) -> Iterator[str]:
    if component.key or component.path:
        # What stands inside a path makes no variable of its own.
        yield str(read_path(component.key or component.path)[0])
        return
    for inner in component.components:
        yield from _list_bound_by(inner)
