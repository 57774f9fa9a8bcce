"""Schemas for tasks whose form Baton does not draw: nobody may stand before a task and not know how to go on."""

from collections.abc import Iterable
from typing import Any

from forms.elsewhere import Elsewhere
from forms.form_data import FormData, GeneratedField
from forms.generated import generated_schema, schema_root
from forms.literal import as_markdown, link_markdown
from forms.messages import LOCALES, text
from forms.prefixes import is_shown, shown_only

__all__ = ["elsewhere_schema", "plain_schema"]

Json = dict[str, Any]


def plain_schema(form_id: str, names: Iterable[str]) -> Json:
    """The schema of a task without any form: these variables to look at, and the button that completes it."""
    fields = tuple(GeneratedField(name, "string", name if is_shown(name) else f"{name}:") for name in sorted(names))
    drawn = generated_schema(FormData(fields), form_id)
    return schema_root(form_id, "none", [shown_only(field) for field in drawn["components"]])


def elsewhere_schema(form_id: str, place: Elsewhere) -> Json:
    """The schema of a task whose form is not drawn here: a link to where it is, and a button for who has been there.

    Where nobody knows an address, the form is named.
    """
    texts = {locale: _notice(place, locale) for locale in LOCALES}
    labels = {locale: text("done_elsewhere", locale) for locale in LOCALES}
    notice = {"type": "text", "id": "notice", "text": texts["en"], "properties": _local("text", texts)}
    button = {"type": "button", "id": "done", "label": labels["en"], "action": "submit"}
    return schema_root(form_id, "external", [notice, button | {"properties": _local("label", labels)}])


def _notice(place: Elsewhere, locale: str) -> str:
    said = text("form_elsewhere" if place.is_page else "form_in_tasklist", locale)
    label = place.key if place.is_page else text("open_tasklist", locale)
    where = link_markdown(label, place.url) if place.url is not None else as_markdown(place.key)
    return f"{as_markdown(said)}\n\n{where}"


def _local(name: str, texts: dict[str, str]) -> dict[str, str]:
    return {f"{name}_{locale}": written for locale, written in texts.items() if locale != "en"}
