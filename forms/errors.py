"""What can go wrong with a form.

BatonError
└── FormError
    ├── FormUnreadable      a schema that cannot be read; names the form and the component
    └── ButtonUnreadable    callback data that no button of ours carries
"""

from bpmn.errors import BatonError

__all__ = ["ButtonUnreadable", "FormError", "FormUnreadable"]


class FormError(BatonError):
    """Anything about forms."""


class FormUnreadable(FormError):
    """A form's schema cannot be read; the message names the form, the component and what to change."""


class ButtonUnreadable(FormError):
    """Callback data of another program, or of an older version."""
