"""The drafts that a chat fills: read from where all surfaces keep them, and written there before anything is shown."""

from dataclasses import replace

import structlog
from aiogram import Bot

from bot import conversation as talk
from bot.conversation import Conversation
from bot.effects import Alert, Effects, Submit
from bot.engine_api import EngineApi, OpenForm, OpenTask
from bot.errors import ApiProblem, FileRefused
from bot.media import MAX_FILE_BYTES, Media
from bot.texts import say
from drafts.errors import DraftConflict, DraftGone
from drafts.record import Draft
from drafts.store import Drafts, surface_name
from files.types import possible_types
from forms.errors import ButtonUnreadable
from forms.events import Uploaded
from forms.fields import kind_of
from forms.fields.file import accepts
from forms.model import Problem
from forms.paths import Path, spell
from forms.session import FormSession
from forms.telegram import decode
from forms.threads import worked_out
from forms.widgets import Upload

__all__ = ["Filling"]

log = structlog.get_logger()


class Filling:
    """The drafts of one bot's chats."""

    def __init__(self, drafts: Drafts, api: EngineApi, bot: Bot, *, zone: str) -> None:
        """`zone`: the IANA name of the clock by which people's dates and times are meant."""
        self._drafts = drafts
        self._api = api
        self._bot = bot
        self.zone = zone

    async def with_draft(self, state: Conversation) -> Conversation:
        """The conversation with the draft that it is about, as it is now."""
        if state.draft_id is None:
            return replace(state, session=None)
        try:
            draft = await self._drafts.get(state.draft_id)
        except DraftGone:
            return replace(state, session=None, draft_id=None)
        return replace(state, session=_spoken(draft, state), closed=draft.closed)

    async def owner_of(self, data: str) -> str | None:
        """Whose form a button belongs to; None for what is no button of a form, or of one that is gone."""
        try:
            session_id, _ = decode(data)
            return (await self._drafts.get(session_id)).session.user_id
        except (ButtonUnreadable, DraftGone):
            return None

    async def opened(self, state: Conversation, task: OpenTask) -> tuple[OpenForm, FormSession | None]:
        """The person's draft of a task's form, wherever they began it. Raises `ApiProblem`, `ApiUnavailable`."""
        return await self._drafted(
            state, await self._api.form(task.id, state.user_id, locale=state.locale, zone=self.zone)
        )

    async def begun(self, state: Conversation, process_key: str) -> tuple[OpenForm, FormSession | None]:
        """The same for the form that a process is started with."""
        return await self._drafted(
            state, await self._api.start_form(process_key, state.user_id, locale=state.locale, zone=self.zone)
        )

    async def _drafted(self, state: Conversation, form: OpenForm) -> tuple[OpenForm, FormSession | None]:
        if form.session_id is None:
            return form, None
        return form, _spoken(await self._drafts.get(form.session_id), state)

    async def reopened(self, state: Conversation) -> Conversation:
        """The conversation with its draft opened again, after the draft or the form has changed elsewhere."""
        assert state.session is not None
        subject = state.session.subject
        ask, name = (self._api.start_form, subject.key) if subject.is_start else (self._api.form, subject.id)
        form = await ask(name, state.user_id, locale=state.locale, zone=self.zone)
        draft_id = form.session_id if form.session_id is not None else state.draft_id
        return await self.with_draft(replace(state, draft_id=draft_id))

    async def kept(self, before: Conversation, after: Conversation, effects: Effects) -> tuple[Conversation, Effects]:
        """Write what an event made of the draft. Another surface that was faster wins, and the person is told."""
        submit = next((effect for effect in effects if isinstance(effect, Submit)), None)
        made = submit.session if submit is not None else after.session
        if made is None or before.session is None or made is before.session:
            return after, effects
        try:
            await self._drafts.save(made, before.session.revision, by=surface_name(before.surface))
        except (DraftConflict, DraftGone) as error:
            log.info("draft changed elsewhere meanwhile", chat=before.chat_id, reason=str(error))
            now = await self.with_draft(before)
            fresh, seen = await worked_out(now.session, lambda: talk.seen_again(now))
            return fresh, (Alert(say("changed_elsewhere", before.locale)), *seen)
        return after, effects

    async def upload_asked(self, state: Conversation) -> tuple[Path, Upload] | None:
        """Where the form asks for a file now, and for which; None where it does not."""
        session = state.session
        if session is None or state.closed is not None or state.message_id is None:
            return None
        return await worked_out(session, lambda: _upload(session))

    async def sent(self, state: Conversation, media: Media, asked: tuple[Path, Upload] | None) -> Uploaded | Problem:
        """A person's file as the answer that it may be, or why it is none. `asked`: as `upload_asked` has it.

        Raises `ApiUnavailable`, `ApiProblem`.
        """
        if asked is None or (session := state.session) is None:
            return Uploaded(())  # the conversation says what is asked for instead, if anything is
        place, widget = asked
        if media.size_bytes > MAX_FILE_BYTES:
            return _too_large(MAX_FILE_BYTES)
        possible = possible_types(media.content_type, media.name)
        if not any(accepts(widget.accept, media.name, kind) for kind in possible):
            return _wrong_type(media, widget)
        try:
            async with media.fetched(self._bot) as content:
                sent = await self._api.send_file(session.id, state.user_id, spell(place), media, content)
        except FileRefused as error:
            log.info("file not fetched", chat=state.chat_id, reason=str(error))
            return Problem("file_refused")
        except ApiProblem as problem:
            if (reason := _refusal(problem, media, widget)) is None:
                raise
            return reason
        return Uploaded((sent,))

    async def moved(self, state: Conversation, message_id: int | None) -> Conversation:
        """The form is shown in another message now, or in none: other surfaces redraw it where it is."""
        after = replace(state, message_id=message_id)
        if state.session is None or (message_id is None and state.message_id is None):
            return after
        if message_id == state.message_id and after.surface in state.session.surfaces:
            return after  # else the message said something else before
        before = state.surface if state.message_id not in {None, message_id} else None
        try:
            if message_id is not None:
                await self._drafts.show(state.session.id, after.surface, instead_of=before)
            elif before is not None:
                await self._drafts.hide(state.session.id, before)
        except DraftGone as error:
            log.info("draft ended while it was shown", chat=state.chat_id, reason=str(error))
        return after


def _upload(session: FormSession) -> tuple[Path, Upload] | None:
    if (question := session.question) is None:
        return None
    widget = kind_of(question).widget(question, session.value(question.path), session)
    return (question.path, widget) if isinstance(widget, Upload) else None


def _refusal(problem: ApiProblem, media: Media, widget: Upload) -> Problem | None:
    """Why engine-api does not take a file, in words for people; None where it is not about the file."""
    match problem.code:
        case "empty_file":
            return Problem("empty_file")
        case "wrong_file_type":
            return _wrong_type(media, widget)
        case "disguised_file":
            return Problem("disguised_file", {"name": media.name})
        case "too_large":
            return _too_large(int(problem.members.get("max_bytes", MAX_FILE_BYTES)))
        case "too_many_files":
            return Problem("too_many_files", {"max": int(problem.members.get("max", 0))})
    return None


def _wrong_type(media: Media, widget: Upload) -> Problem:
    return Problem("wrong_file_type", {"name": media.name, "accept": widget.accept})


def _too_large(max_bytes: int) -> Problem:
    return Problem("file_too_large", {"max": f"{max_bytes / 2**20:.3g}"})


def _spoken(draft: Draft, state: Conversation) -> FormSession:
    """The draft's session as this person is spoken to: titles of models are local, the language may be a new one."""
    return draft.session.spoken(state.title or draft.session.title, state.locale)
