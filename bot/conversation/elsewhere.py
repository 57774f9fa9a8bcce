"""What people are told of a form that no chat can ask."""

import html

from bot.engine_api import OpenForm
from bot.texts import say

__all__ = ["explain_not_drawn"]


def explain_not_drawn(form: OpenForm, title: str, locale: str) -> str:
    """Return as HTML: where it is filled, as far as that is known. `title`: of its task or process."""
    task = html.escape(title)
    if form.source != "external":
        return say("no_form", locale, task=task)
    if form.url is None:
        return say("form_in_tasklist", locale, task=task, form=html.escape(form.key or ""))
    return say("form_at", locale, task=task, url=html.escape(form.url))
