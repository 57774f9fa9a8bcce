"""What a person said while engine-api was away is in their draft, which Redis keeps."""

from typing import Any

import redis.asyncio

from forms.session.events import Operation
from forms.session.state import Status
from forms.telegram import encode
from integration.bot_alone import PLACE, bot_alone

NAME = {"type": "textfield", "id": "n", "key": "name", "label": "Name"}
SCHEMA: dict[str, Any] = {"id": "name", "schemaVersion": 19, "components": [NAME]}
SECRET = {**SCHEMA, "components": [{**NAME, "properties": {"sensitive": "true"}}]}


async def test_the_one_answer_of_a_form_is_there_to_be_sent_later(client: redis.asyncio.Redis) -> None:
    async with bot_alone(client, SCHEMA) as bot:
        await bot.runner.handle_text(PLACE, "Ada", 6, "en")
        draft = await bot.draft()
        assert (draft.data, draft.status, draft.cursor) == ({"name": "Ada"}, Status.DRAFT, ("name",))
        *_, excuse, form = bot.texts
        assert "Nothing is lost" in excuse
        assert "Name" in form
        # It comes again where Telegram was not told that it arrived, and is understood as before.
        await bot.runner.handle_text(PLACE, "Ada", 6, "en")
        assert (await bot.draft()).data == {"name": "Ada"}


async def test_a_secret_is_in_no_draft(client: redis.asyncio.Redis) -> None:
    async with bot_alone(client, SECRET) as bot:
        await bot.runner.handle_press(PLACE, encode(await bot.draft(), Operation.SUBMIT), 5, _unheard, "en")
        await bot.runner.handle_text(PLACE, "correct horse", 6, "en")
        assert "Nothing is lost" in bot.texts[-1]
        kept = await client.hgetall(f"baton:drafts:one:{bot.draft_id}")
        assert "horse" not in str(kept)


async def _unheard(_: str | None) -> None:
    """Nobody looks at the answer."""
