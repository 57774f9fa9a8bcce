"""What the kinds share that are only looked at: there is nothing to answer."""

from collections.abc import Mapping

from forms.kinds.kind import AskedPerson, ValueRefused
from forms.kinds.widgets import Content, RuleContent, ShowWidget, Widget
from forms.model import Field, FieldError, Value
from forms.schema.components import Component
from forms.schema.paths import Json

__all__ = ["Display"]


class Display:
    """A kind that is only looked at; each says by `content` what there is to see."""

    keyed = False
    empty: Value = None

    def build_content(self, field: Field) -> Content:  # noqa: ARG002
        return RuleContent()

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitize(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        return value

    def keep_value(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def parse_text(self, field: Field, text: str, asked: AskedPerson) -> Value:  # noqa: ARG002
        raise ValueRefused("use_buttons")

    def pick(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise ValueRefused("not_an_option")

    def find_problem(self, field: Field, value: Value) -> FieldError | None:  # noqa: ARG002
        return None

    def format_value(self, field: Field, value: Value, asked: AskedPerson) -> str:  # noqa: ARG002
        return ""

    def build_widget(self, field: Field, value: Value, asked: AskedPerson) -> Widget:  # noqa: ARG002
        return ShowWidget(self.build_content(field))
