"""A line or room between what belongs to different matters."""

from forms.display import Display

__all__ = ["Kind"]


class Kind(Display):
    """form-js separator and spacer."""

    name = "rule"
    components = frozenset({"separator", "spacer"})
