"""What a picture of a form shows: a form, and what the person has done with it so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forms.schema.paths import Json
from forms.session.events import Shared, Typed, Uploaded

__all__ = ["Act", "Finish", "Scene"]


@dataclass(frozen=True, slots=True)
class Finish:
    """The form is over: what stays of it in the chat, with the label of the button that ended it."""

    pressed: str


Act = str | Typed | Shared | Uploaded | Finish
"""A text is the label of the button that is pressed, or a part of it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture, of the last message or the last few; `components` are those of form-js."""

    name: str
    components: tuple[dict[str, Any], ...]
    acts: tuple[Act, ...] = ()
    variables: Mapping[str, Json] = field(default_factory=dict)
    messages: int = 1
    has_composer: bool = False
    """Whether the place below the chat belongs to it, for the keyboard that stands there."""
    title: str = "Book a stay"
