"""Drafts as this process knows them: what is in Redis is read each time, and made sense of only where it is new.

Most steps of a form follow one that the same process took. The form that it worked out then is the form now, unless
FEEL is in it, which may look at the clock; and what is never stored must not be remembered either.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from drafts.record import Draft, list_surfaces
from drafts.secrets import is_free_of_secrets
from forms.evaluate.properties import has_feel
from forms.session.state import FormSession, Status

__all__ = ["RecentDrafts"]

MAX_KEPT = 1024

_Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Known:
    fields: _Fields
    draft: Draft


class RecentDrafts:
    """The drafts that were read or written last, by id."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def find(self, session_id: str, fields: _Fields) -> Draft | None:
        """Return the draft of these fields of Redis, if it is known; surfaces may have changed."""
        known = self._known.get(session_id)
        if known is None or known.fields != _keep_lasting(fields):
            return None
        self._known.move_to_end(session_id)
        return replace(known.draft, session=known.draft.session.set_surfaces(list_surfaces(fields)))

    def read(self, fields: _Fields, draft: Draft) -> None:
        """Remember what was made of these fields."""
        if draft.closed is None and draft.session.status is Status.DRAFT and _is_keepable(draft.session):
            self._known[draft.session.id] = _Known(_keep_lasting(fields), draft)
            if len(self._known) > MAX_KEPT:
                self._known.popitem(last=False)

    def note_written(self, session: FormSession, changed: _Fields) -> None:
        """Remember a session whose draft has these new values of some fields now."""
        known = self._known.pop(session.id, None)
        if known is None or known.draft.session.locale != session.locale:
            return
        as_stored = session.localise(known.draft.session.title, session.locale)
        self.read({**known.fields, **changed}, replace(known.draft, session=as_stored))


def _keep_lasting(fields: _Fields) -> _Fields:
    return {name: value for name, value in fields.items() if not name.startswith("s:")}


def _is_keepable(session: FormSession) -> bool:
    return is_free_of_secrets(session.source) and not has_feel(session.source, session.locale)
