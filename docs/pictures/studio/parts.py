"""Components of form-js that the pictures share, and short ways to write them."""

from typing import Any

from bpmn.file_reference import FileReference

__all__ = ["NAME", "NOTE", "WEIGHT", "field", "options", "sent"]


def field(kind: str, label: str, **properties: Any) -> dict[str, Any]:
    """A component with a value; its key follows from its label."""
    spaced = "".join(letter if letter.isalnum() else " " for letter in label.lower())
    return {"type": kind, "key": "_".join(spaced.split()), "label": label, **properties}


def options(*labels: str) -> list[dict[str, str]]:
    """Static options."""
    return [{"label": label, "value": label.lower()} for label in labels]


def sent(name: str) -> FileReference:
    """A file that a person has sent."""
    return FileReference(path=f"drafts/{name}", sha256="0" * 64, size_bytes=1, content_type="image/png", name=name)


NAME = field(
    "textfield", "Name of your pet", key="name", description="As it stands in its passport", validate={"required": True}
)
NOTE = field("textarea", "Anything we should know", key="note")
WEIGHT = field(
    "number", "Weight", decimalDigits=1, validate={"min": 0.5, "max": 90}, appearance={"suffixAdorner": "kg"}
)
