"""What the kinds share that are only looked at: there is nothing to answer."""

from collections.abc import Mapping

from forms.kind import Asked, Refused
from forms.model import Field, Problem, Value
from forms.paths import Json
from forms.schema import Component
from forms.widgets import Content, Rule, Show, Widget

__all__ = ["Display"]


class Display:
    """A kind that is only looked at; each says by `content` what there is to see."""

    keyed = False
    empty: Value = None

    def content(self, field: Field) -> Content:  # noqa: ARG002
        return Rule()

    def check_component(self, component: Component) -> str | None:  # noqa: ARG002
        return None

    def sanitized(self, component: Component, value: Json, data: Mapping[str, Json]) -> Value:  # noqa: ARG002
        return value

    def kept(self, field: Field, value: Value) -> Value:  # noqa: ARG002
        return value

    def typed(self, field: Field, text: str, asked: Asked) -> Value:  # noqa: ARG002
        raise Refused("use_buttons")

    def picked(self, field: Field, current: Value, index: int) -> Value:  # noqa: ARG002
        raise Refused("not_an_option")

    def problem(self, field: Field, value: Value) -> Problem | None:  # noqa: ARG002
        return None

    def shown(self, field: Field, value: Value, asked: Asked) -> str:  # noqa: ARG002
        return ""

    def widget(self, field: Field, value: Value, asked: Asked) -> Widget:  # noqa: ARG002
        return Show(self.content(field))
