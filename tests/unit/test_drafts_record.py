"""A draft as it is written: what comes back, and what is left out of it."""

from typing import Any

import pytest

from drafts.record import read_session, to_stored
from forms.session.state import FormSession, Subject

TYPES = {"name": {"type": "String"}, "age": {"type": "Object", "valueInfo": {"objectTypeName": "java.lang.Long"}}}


def session_of(**properties: str) -> FormSession:
    name = {"type": "textfield", "id": "name", "key": "name", "label": "Name", "properties": properties}
    schema: dict[str, Any] = {"type": "default", "id": "asks", "schemaVersion": 19, "components": [name]}
    subject = Subject("task", "step", "instance")
    return FormSession("id", subject, "ada", "en", "UTC", "T", schema, {"name": "Ada", "age": 36}, TYPES)


def read_again(session: FormSession) -> FormSession:
    texts = to_stored(session)
    fields = {"opened": texts.opened, "variables": texts.variables, "state": texts.state}
    return read_session(session.id, session.schema, fields | {"revision": "0", "status": "draft"})


def test_variables_come_back_with_their_types() -> None:
    session = session_of()
    assert read_again(session).known == session.known is not None


@pytest.mark.parametrize("missing", ["a sensitive field", "an older version wrote it"])
def test_partly_written_session_is_not_remembered(missing: str) -> None:
    if missing == "a sensitive field":
        assert read_again(session_of(sensitive="true")).known is None
        return
    session = session_of()
    texts = to_stored(session)
    opened = texts.opened.replace(',"types"', ',"other"')
    fields = {"opened": opened, "variables": texts.variables, "revision": "0", "status": "draft"}
    assert read_session(session.id, session.schema, fields).known is None
