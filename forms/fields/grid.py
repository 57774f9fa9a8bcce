"""A table."""

from forms.display import Display
from forms.model import Field
from forms.options import words
from forms.widgets import Content, Grid

__all__ = ["Kind"]


class Kind(Display):
    """form-js table: columns as drawn or computed, rows by FEEL."""

    name = "grid"
    components = frozenset({"table"})

    def content(self, field: Field) -> Content:
        columns = field.written("columnsExpression")
        if not isinstance(columns, list) or not all(map(_is_column, columns)):
            drawn = field.component.written("columns")
            columns = [column for column in drawn if isinstance(column, dict)] if isinstance(drawn, list) else []
        found = field.written("dataSource")
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        return Grid(
            tuple(str(column.get("label") or column.get("key") or "") for column in columns),
            tuple(tuple(_cell(row.get(column.get("key"))) for column in columns) for row in rows),
            field.label,
        )


def _is_column(column: object) -> bool:
    return isinstance(column, dict) and all(isinstance(column.get(name), str) for name in ("label", "key"))


def _cell(value: object) -> str:
    return "" if value is None else words(value)
