"""A table."""

from forms.kinds.display import Display
from forms.kinds.options import format_value
from forms.kinds.widgets import Content, GridContent
from forms.model import Field

__all__ = ["Kind"]


class Kind(Display):
    """form-js table: columns as drawn or computed, rows by FEEL."""

    name = "grid"
    components = frozenset({"table"})

    def build_content(self, field: Field) -> Content:
        columns = field.read_property("columnsExpression")
        if not isinstance(columns, list) or not all(map(_is_column, columns)):
            drawn = field.component.read_property("columns")
            columns = [column for column in drawn if isinstance(column, dict)] if isinstance(drawn, list) else []
        found = field.read_property("dataSource")
        rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
        return GridContent(
            tuple(str(column.get("label") or column.get("key") or "") for column in columns),
            tuple(tuple(_format_cell(row.get(column.get("key"))) for column in columns) for row in rows),
            field.label,
        )


def _is_column(column: object) -> bool:
    return isinstance(column, dict) and all(isinstance(column.get(name), str) for name in ("label", "key"))


def _format_cell(value: object) -> str:
    return "" if value is None else format_value(value)
