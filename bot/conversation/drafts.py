"""The drafts that a chat fills: read from where all surfaces keep them, and written there before anything is shown."""

from dataclasses import replace

import structlog
from aiogram import Bot

from bot.conversation import transitions
from bot.conversation.effects import Alert, Effects, Submit
from bot.conversation.state import Conversation
from bot.engine_api import EngineApi, OpenForm, OpenTask
from bot.errors import ApiProblem, FileRefused
from bot.telegram.files import MAX_FILE_BYTES, IncomingFile
from bot.texts import say
from drafts.errors import DraftConflict, DraftGone
from drafts.record import Draft
from drafts.store import Drafts, format_surface
from files.types import list_possible_types
from forms.errors import ButtonUnreadable
from forms.fields import find_kind
from forms.fields.file import is_accepted
from forms.kinds.widgets import UploadWidget
from forms.model import FieldError
from forms.schema.paths import Path, spell
from forms.session.events import Uploaded
from forms.session.state import FormSession
from forms.session.threads import work_out
from forms.telegram import decode

__all__ = ["DraftKeeper"]

log = structlog.get_logger()


class DraftKeeper:
    """The drafts of one bot's chats."""

    def __init__(self, drafts: Drafts, api: EngineApi, bot: Bot, *, zone: str) -> None:
        """`zone`: the IANA name of the clock by which people's dates and times are meant."""
        self._drafts = drafts
        self._api = api
        self._bot = bot
        self.zone = zone

    async def load_draft(self, state: Conversation) -> Conversation:
        """Return the conversation with the draft that it is about, as it is now."""
        if state.draft_id is None:
            return replace(state, session=None)
        try:
            draft = await self._drafts.get(state.draft_id)
        except DraftGone:
            return replace(state, session=None, draft_id=None)
        return replace(state, session=_localise(draft, state), closed=draft.closed)

    async def find_owner(self, data: str) -> str | None:
        """Find whose form a button belongs to; None for what is no button of a form, or of one that is gone."""
        try:
            session_id, _ = decode(data)
            return (await self._drafts.get(session_id)).session.user_id
        except (ButtonUnreadable, DraftGone):
            return None

    async def open_draft(self, state: Conversation, task: OpenTask) -> tuple[OpenForm, FormSession | None]:
        """Return the person's draft of a task's form, wherever they began it. Raises `ApiProblem`, `ApiUnavailable`."""
        return await self._read_draft(
            state, await self._api.open_form(task.id, state.user_id, locale=state.locale, zone=self.zone)
        )

    async def begin_draft(self, state: Conversation, process_key: str) -> tuple[OpenForm, FormSession | None]:
        """Return the same for the form that a process is started with."""
        return await self._read_draft(
            state, await self._api.start_form(process_key, state.user_id, locale=state.locale, zone=self.zone)
        )

    async def _read_draft(self, state: Conversation, form: OpenForm) -> tuple[OpenForm, FormSession | None]:
        if form.session_id is None:
            return form, None
        return form, _localise(await self._drafts.get(form.session_id), state)

    async def reopen_draft(self, state: Conversation) -> Conversation:
        """Return the conversation with its draft opened again, after the draft or the form has changed elsewhere."""
        assert state.session is not None
        subject = state.session.subject
        ask, name = (self._api.start_form, subject.key) if subject.is_start else (self._api.open_form, subject.id)
        form = await ask(name, state.user_id, locale=state.locale, zone=self.zone)
        draft_id = form.session_id if form.session_id is not None else state.draft_id
        return await self.load_draft(replace(state, draft_id=draft_id))

    async def save_step(
        self, before: Conversation, after: Conversation, effects: Effects
    ) -> tuple[Conversation, Effects]:
        """Write what an event made of the draft. Another surface that was faster wins, and the person is told."""
        submit = next((effect for effect in effects if isinstance(effect, Submit)), None)
        made = submit.session if submit is not None else after.session
        if made is None or before.session is None or made is before.session:
            return after, effects
        try:
            await self._drafts.save(made, before.session.revision, by=format_surface(before.surface))
        except (DraftConflict, DraftGone) as error:
            log.info("draft changed elsewhere meanwhile", chat=before.chat_id, reason=str(error))
            now = await self.load_draft(before)
            fresh, seen = await work_out(now.session, lambda: transitions.redraw(now))
            return fresh, (Alert(say("changed_elsewhere", before.locale)), *seen)
        return after, effects

    async def upload_asked(self, state: Conversation) -> tuple[Path, UploadWidget] | None:
        """Return where the form asks for a file now, and for which; None where it does not."""
        session = state.session
        if session is None or state.closed is not None or state.message_id is None:
            return None
        return await work_out(session, lambda: _upload(session))

    async def upload(
        self, state: Conversation, media: IncomingFile, asked: tuple[Path, UploadWidget] | None
    ) -> Uploaded | FieldError:
        """Return a person's file as the answer that it may be, or why it is none. `asked`: as `upload_asked` has it.

        Raises `ApiUnavailable`, `ApiProblem`.
        """
        if asked is None or (session := state.session) is None:
            return Uploaded(())  # the conversation says what is asked for instead, if anything is
        place, widget = asked
        if media.size_bytes > MAX_FILE_BYTES:
            return _make_too_large(MAX_FILE_BYTES)
        possible = list_possible_types(media.content_type, media.name)
        if not any(is_accepted(widget.accept, media.name, kind) for kind in possible):
            return _make_wrong_type(media, widget)
        try:
            async with media.open_content(self._bot) as content:
                sent = await self._api.send_file(session.id, state.user_id, spell(place), media, content)
        except FileRefused as error:
            log.info("file not fetched", chat=state.chat_id, reason=str(error))
            return FieldError("file_refused")
        except ApiProblem as problem:
            if (reason := _explain_refusal(problem, media, widget)) is None:
                raise
            return reason
        return Uploaded((sent,))

    async def note_message(self, state: Conversation, message_id: int | None) -> Conversation:
        """Note that the form is shown in another message now, or in none: other surfaces redraw it where it is."""
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


def _upload(session: FormSession) -> tuple[Path, UploadWidget] | None:
    if (question := session.question) is None:
        return None
    widget = find_kind(question).build_widget(question, session.get_value(question.path), session)
    return (question.path, widget) if isinstance(widget, UploadWidget) else None


def _explain_refusal(problem: ApiProblem, media: IncomingFile, widget: UploadWidget) -> FieldError | None:
    """Return why engine-api does not take a file, in words for people; None where it is not about the file."""
    match problem.code:
        case "empty_file":
            return FieldError("empty_file")
        case "wrong_file_type":
            return _make_wrong_type(media, widget)
        case "disguised_file":
            return FieldError("disguised_file", {"name": media.name})
        case "too_large":
            return _make_too_large(int(problem.members.get("max_bytes", MAX_FILE_BYTES)))
        case "too_many_files":
            return FieldError("too_many_files", {"max": int(problem.members.get("max", 0))})
    return None


def _make_wrong_type(media: IncomingFile, widget: UploadWidget) -> FieldError:
    return FieldError("wrong_file_type", {"name": media.name, "accept": widget.accept})


def _make_too_large(max_bytes: int) -> FieldError:
    return FieldError("file_too_large", {"max": f"{max_bytes / 2**20:.3g}"})


def _localise(draft: Draft, state: Conversation) -> FormSession:
    """Return the draft's session as this person is spoken to: titles of models are local, the language may be a new
    one.
    """
    return draft.session.localise(state.title or draft.session.title, state.locale)
