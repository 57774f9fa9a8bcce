"""What can go wrong with a form.

BatonError
└── FormError
    ├── FormUnreadable      a schema that cannot be read; names the form and the component
    ├── ButtonUnreadable    callback data that no button of ours carries
    └── FeelFailed          an expression, template or pattern without an answer; names it
        └── FeelLimit       it took too much time, memory or depth
"""

from kit.errors import BatonError

__all__ = ["ButtonUnreadable", "FeelFailed", "FeelLimit", "FormError", "FormUnreadable"]


class FormError(BatonError):
    """Anything about forms."""


class FormUnreadable(FormError):
    """A form's schema cannot be read; the message names the form, the component and what to change."""


class ButtonUnreadable(FormError):
    """Callback data of another program, or of an older version."""


class FeelFailed(FormError):
    """An expression, a template or a pattern has no answer: its syntax is wrong, or it asks for what FEEL cannot do.

    `source` is the text as the author wrote it. Who asked decides what follows; a field whose condition is unknown
    is shown.
    """

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source[:200]!r} cannot be evaluated: {reason}")
        self.source = source
        self.reason = reason


class FeelLimit(FeelFailed):
    """It took more time, memory or depth than is given (see `forms.feel.runtime`), or had to wait behind such a one."""
