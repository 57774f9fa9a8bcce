"""What drafts take of a real Valkey's memory."""

import dataclasses
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import redis.asyncio

from baton.stack.home import Home
from baton.stack.plan import plan_servers
from baton.stack.servers.valkey import ValkeyServer
from baton.stack.supervisor import Supervisor
from drafts.store import Drafts
from form_kinds.kinds import session_of
from forms.schema.paths import Json
from forms.session.events import Typed
from forms.session.steps import apply_event, open_session

__all__ = ["draft_bytes"]

QUESTIONS = 10


def _form() -> Mapping[str, Json]:
    components: list[Json] = [
        {"type": "textfield", "id": f"Field_{number}", "key": f"answer{number}", "label": f"Question {number}"}
        for number in range(1, QUESTIONS + 1)
    ]
    return {"type": "default", "id": "bench", "schemaVersion": 19, "components": components}


async def draft_bytes(count: int) -> dict[str, float]:
    """Bytes of memory for each draft of a form of ten fields, new and answered, and of its answers as JSON."""
    with tempfile.TemporaryDirectory(prefix="bench-forms-") as folder:
        home = Home(Path(folder) / "home")
        home.prepare()
        async with Supervisor(home, plan_servers(home), initially=("valkey",)) as stack:
            server = stack.runs["valkey"].server
            assert isinstance(server, ValkeyServer)
            async with redis.asyncio.Redis.from_url(server.secret_url, decode_responses=True) as client:
                return await _measured(client, count)


async def _measured(client: redis.asyncio.Redis, count: int) -> dict[str, float]:
    drafts, form = Drafts(client), _form()
    before = await _used(client)
    for number in range(count):
        await drafts.open_or_get(open_session(session_of(form, f"{number:08}")))
    new = await _used(client)
    answered = open_session(session_of(form))
    for number in range(QUESTIONS):
        answered, _ = apply_event(answered, Typed(f"The answer {number}"))
    for number in range(count):
        fresh = session_of(form, f"{number:08}")
        await drafts.save(dataclasses.replace(answered, id=fresh.id, subject=fresh.subject), 0)
    answers = {name: value for name, value in answered.data.items() if name.startswith("answer")}
    return {
        "drafts": count,
        "bytes_when_new": round((new - before) / count),
        "bytes_when_answered": round((await _used(client) - before) / count),
        "bytes_of_answers_as_json": len(json.dumps(answers)),
    }


async def _used(client: redis.asyncio.Redis) -> int:
    return int((await client.info("memory"))["used_memory"])
