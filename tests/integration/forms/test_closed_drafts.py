"""What a draft on a real Valkey says of its end: by whom, when, and on which kind of surface."""

import uuid
from datetime import UTC, datetime

import pytest
import redis.asyncio

from drafts.record import ClosedDraft
from drafts.store import Drafts, make_session_id
from forms.session.state import FormSession, Status, Subject
from forms.session.steps import open_session

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FORM = {"type": "default", "components": [{"type": "textfield", "key": "name", "label": "Name"}]}


@pytest.mark.parametrize(
    ("by", "surface"),
    [("telegram:5:7", "telegram"), ("web::", "web"), ("cli::", "cli"), ("a page of ours", None), ("", None)],
)
async def test_a_closed_draft_says_on_which_kind_of_surface(
    client: redis.asyncio.Redis, by: str, surface: str | None
) -> None:
    drafts = Drafts(client, prefix=f"test:{uuid.uuid4().hex}")
    subject = Subject(uuid.uuid4().hex, "step", "instance")
    fresh = FormSession(make_session_id(), subject, "ada", "en", "UTC", "Title", FORM, {})
    draft = (await drafts.open_or_get(open_session(fresh))).session
    await drafts.close(draft.id, Status.DONE, who="ada", at=NOW, by=by)
    assert (await drafts.get(draft.id)).closed == ClosedDraft("ada", NOW, surface)
    await client.hdel(f"{drafts._prefix}:one:{draft.id}", "closed_on")  # as the version before this one wrote it
    assert (await drafts.get(draft.id)).closed == ClosedDraft("ada", NOW)
