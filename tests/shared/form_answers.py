"""What a person knows who fills a form, whatever the surface: how an answer is said, and what is still to be done."""

from typing import Any

from forms.model import Field
from forms.schema.paths import MISSING, Json
from forms.session.state import FormSession
from shared.form_cases import sent_file

__all__ = ["items_done", "label_of", "spelled", "to_toggle"]


def label_of(question: Field, answer: Any) -> str:
    if question.kind == "boolean":
        return "Yes" if answer else "No"
    return next(option.label for option in question.options if option.value == answer)


def to_toggle(question: Field, session: FormSession, answer: list[Json]) -> list[str]:
    """The labels to press, in the person's order: those that shall go, and those that are missing."""
    chosen = session.get_value(question.path)
    have = chosen if isinstance(chosen, list) else []
    unwanted = [value for value in have if value not in answer]
    return [label_of(question, value) for value in (*unwanted, *(value for value in answer if value not in have))]


def spelled(question: Field, answer: Any) -> str:
    """As a person types it."""
    if question.kind != "moment":
        return str(answer)
    return str(answer).replace("T", " ").removesuffix("Z").removesuffix("+00:00")


def items_done(session: FormSession, question: Field, answer: Any) -> int | None:
    """The index of the first item that is not yet as it shall be; None when all are."""
    if answer is MISSING:
        return None
    have = session.get_value(question.path)
    items = have if isinstance(have, list) else []
    for index, wanted in enumerate(answer):
        if index >= len(items) or not _is_within(wanted, items[index]):
            return index
    return None


def _is_within(wanted: Any, have: Any) -> bool:
    if (file := sent_file(wanted)) is not None:
        return isinstance(have, dict) and have.get("name") == file.name
    if isinstance(wanted, dict):
        return isinstance(have, dict) and all(_is_within(value, have.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(have, list) and len(have) >= len(wanted) and all(map(_is_within, wanted, have))
    return bool(wanted == have)
