"""Schemas for tasks whose form Baton does not draw: nobody may stand before a task and not know how to go on."""

from collections.abc import Iterable
from typing import Any

from forms.messages import LOCALES, get_text
from forms.schema.literal import make_link_markdown, to_markdown
from forms.sources.elsewhere import Elsewhere
from forms.sources.form_data import FormData, GeneratedField
from forms.sources.generated import make_generated_schema, make_schema_root
from forms.sources.prefixes import is_shown, make_display

__all__ = ["make_elsewhere_schema", "make_plain_schema"]

Json = dict[str, Any]


def make_plain_schema(form_id: str, names: Iterable[str]) -> Json:
    """Return the schema of a task without any form: these variables to look at, and the button that completes it."""
    fields = tuple(GeneratedField(name, "string", name if is_shown(name) else f"{name}:") for name in sorted(names))
    drawn = make_generated_schema(FormData(fields), form_id)
    return make_schema_root(form_id, "none", [make_display(field) for field in drawn["components"]])


def make_elsewhere_schema(form_id: str, place: Elsewhere) -> Json:
    """Return the schema of a task whose form is not drawn here: a link to where it is, and a button for who has been
    there.

    Where nobody knows an address, the form is named.
    """
    texts = {locale: _write_notice(place, locale) for locale in LOCALES}
    labels = {locale: get_text("done_elsewhere", locale) for locale in LOCALES}
    notice = {"type": "text", "id": "notice", "text": texts["en"], "properties": _localise("text", texts)}
    button = {"type": "button", "id": "done", "label": labels["en"], "action": "submit"}
    return make_schema_root(form_id, "external", [notice, button | {"properties": _localise("label", labels)}])


def _write_notice(place: Elsewhere, locale: str) -> str:
    said = get_text("form_elsewhere" if place.is_page else "form_in_tasklist", locale)
    label = place.key if place.is_page else get_text("open_tasklist", locale)
    where = make_link_markdown(label, place.url) if place.url is not None else to_markdown(place.key)
    return f"{to_markdown(said)}\n\n{where}"


def _localise(name: str, texts: dict[str, str]) -> dict[str, str]:
    return {f"{name}_{locale}": written for locale, written in texts.items() if locale != "en"}
