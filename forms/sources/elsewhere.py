"""Where forms are filled that Baton does not draw: on pages of their own, or in Tasklist, which draws embedded forms.

The addresses are those that Tasklist of Camunda 7.24 and Operaton makes and takes.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from forms.schema.literal import to_url

__all__ = ["Elsewhere", "locate_start_form", "locate_task_form"]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The place of one task's or start's form."""

    key: str
    """The form key of the model."""
    url: str | None
    """What opens it; None where only Tasklist could, and nobody has said where that is."""
    is_page: bool
    """A page of its own; else Tasklist draws it."""


def locate_task_form(key: str, task_id: str, tasklist_url: str | None) -> Elsewhere:
    """Locate the form of a task. `tasklist_url`: of the web applications that Tasklist is one of."""
    return _locate(key, {"taskId": task_id}, {"task": task_id}, tasklist_url)


def locate_start_form(key: str, process_key: str, tasklist_url: str | None) -> Elsewhere:
    """Return the same for the form that a process is started with."""
    return _locate(key, {"processDefinitionKey": process_key}, {"processStart": process_key}, tasklist_url)


def _locate(key: str, for_page: dict[str, str], for_tasklist: dict[str, str], tasklist_url: str | None) -> Elsewhere:
    tasklist = f"{tasklist_url.rstrip('/')}/app/tasklist/default/" if tasklist_url else None
    page = to_url(key)
    if page is None:
        return Elsewhere(key, f"{tasklist}#/?{_query(for_tasklist)}" if tasklist else None, is_page=False)
    return Elsewhere(
        key, _add_parameters(page, for_page | ({"callbackUrl": tasklist} if tasklist else {})), is_page=True
    )


def _add_parameters(page: str, what: dict[str, str]) -> str:
    """Return the address with what the page must know: else it could not say which task it completes."""
    parts = urlsplit(page)
    if parts.scheme not in {"http", "https"}:
        return page
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, _query(what))))))


def _query(what: dict[str, str]) -> str:
    return urlencode(what, quote_via=quote, safe=":")
