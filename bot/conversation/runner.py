"""What happens in the chats: one event of one conversation at a time, its state loaded before and saved after.

A crash between an effect and the save repeats the event: completing twice is answered with `completed_elsewhere`, and a
form that is shown twice has buttons of which only the newest count.
"""

import html
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog

from bot.conversation import transitions
from bot.conversation import typed_texts as typed
from bot.conversation.drafts import DraftKeeper
from bot.conversation.effects import Alert, Effects, Submit, move_alerts_below
from bot.conversation.form_message import FormMessage
from bot.conversation.interpreter import Interpreter
from bot.conversation.process_start import ProcessStarter
from bot.conversation.refusals import Refusals, describe_refusal
from bot.conversation.sent_files import begin_album, is_after_taken, is_album_start, is_left_out, report_left_out
from bot.conversation.state import Conversation
from bot.conversation.store import ConversationStore, WaitingEntry
from bot.engine_api import EngineApi
from bot.errors import ApiProblem, ApiUnavailable
from bot.offers.titles import Titles
from bot.people.author import Sender, find_language_code
from bot.people.chat import ChatPlace
from bot.people.names import PersonNames
from bot.people.replied import RepliedMessage
from bot.telegram.callback import Press, run_meanwhile
from bot.telegram.delivery import mark_notifications
from bot.telegram.files import IncomingFile
from bot.telegram.messenger import Messenger
from bot.texts import say
from forms.model import FieldError
from forms.session.events import Shared, Uploaded
from forms.session.threads import work_out
from forms.telegram import TelegramView

__all__ = ["ConversationRunner"]

# Longer than a program needs; whoever still waits then waits for a person.
TYPING_FOR = timedelta(minutes=1)

log = structlog.get_logger()

_Taking = Callable[[Conversation], tuple[Conversation, Effects]]
"""What an event makes of a conversation."""


class ConversationRunner:
    """The conversations of one bot."""

    def __init__(
        self,
        store: ConversationStore,
        filling: DraftKeeper,
        api: EngineApi,
        messenger: Messenger,
        titles: Titles,
        people: PersonNames,
    ) -> None:
        self._store = store
        self._people = people
        self._refusals = Refusals(people, zone=filling.zone)
        self._filling = filling
        self._api = api
        self._messenger = messenger
        self._titles = titles
        self._beginning = ProcessStarter(api, filling, titles)
        self._interpreter = Interpreter(
            api, filling, self._beginning, FormMessage(messenger, filling, store), titles, people
        )

    async def start_process(
        self,
        chat_id: int,
        process_key: str,
        language_code: str | None,
        origin: Mapping[str, str] | None = None,
        *,
        goes_on: bool = False,
    ) -> None:
        """Start a command or a link: begin a process, or go on with it where the person left.

        `origin` are variables that say where they come from. With `goes_on` a form of any process comes first.
        """
        place = ChatPlace.of_private(chat_id)
        async with self._store.lock_conversation(place):
            state = await self._load(place, language_code)
            try:
                state = await self._begin(state, process_key, origin or {}, goes_on=goes_on)
            except ApiUnavailable as error:
                await self._report_outage(state, "unavailable", error)
                return
            except ApiProblem as error:
                await self._report_outage(
                    state, "not_deployed" if error.status == 404 else describe_refusal(error), error
                )
                return
            await self._store.save(state)

    async def open_task(
        self, chat_id: int, task_id: str, language_code: str | None, answer: Press | None = None
    ) -> None:  # fmt: skip
        """Open a link to a task, or its line in a list: ask its form, if it is the person's."""
        if answer is not None:
            await answer(None)
        place = ChatPlace.of_private(chat_id)
        async with self._store.lock_conversation(place):
            state = await self._load(place, language_code)
            try:
                task = await self._api.fetch_task(task_id)
                state = await self._interpreter.run_effects(
                    *await work_out(state.session, lambda: transitions.open_linked(state, task, self._titles))
                )
            except (ApiUnavailable, ApiProblem) as error:
                await self._report_outage(state, describe_refusal(error), error)
                return
            await self._store.save(state)

    async def claim_task(
        self, sender: Sender, task_id: str, groups: Sequence[str], answer: Press | None = None
    ) -> None:  # fmt: skip
        """Take a task that is offered to the person, or to one of these groups of theirs, and ask its form."""
        async with self._store.lock_conversation(sender.place):
            state = replace(await self._load(sender.place, sender.language_code), name=sender.name)
            await self._people.remember_name(sender)
            try:
                task = await self._api.claim(task_id, state.user_id, groups)
                if answer is not None:
                    await answer(None)
                    answer = None
                taken = await work_out(state.session, partial(transitions.open_taken, state, task, self._titles))
                state = await self._interpreter.run_effects(*taken)
            except ApiUnavailable as error:
                await self._report_outage(state, "unavailable", error, answer)
            except ApiProblem as problem:
                await self._tell(state, await self._refusals.explain(problem, state.locale), answer)
            else:
                await self._store.save(state)

    async def change_language(self, chat_id: int, locale: str) -> None:
        """Change the person has chosen a language."""
        await self._run_event(ChatPlace.of_private(chat_id), lambda state: transitions.change_language(state, locale))

    async def handle_text(
        self,
        place: ChatPlace,
        text: str,
        message_id: int,
        language_code: str | None,
        replied_to: RepliedMessage | None = None,
        *,
        sent_at_s: int = 0,
    ) -> None:
        """Handle any other text, sent at `sent_at_s` since the epoch.

        `replied_to`: in groups the message that it answers.
        """
        if typed.can_continue(text):
            async with self._store.lock_conversation(place):
                state = await self._load(place, language_code)
                if typed.is_paste_start(state, message_id, sent_at_s, replied_to):
                    await self._store.save(typed.begin_paste(state, message_id, sent_at_s))
        await self._run_event(
            place,
            lambda state: typed.receive_typed(state, text, message_id, sent_at_s, replied_to),
            language_code=language_code,
        )

    async def handle_shared(
        self,
        place: ChatPlace,
        shared: Shared,
        message_id: int,
        language_code: str | None,
        replied_to: RepliedMessage | None = None,
    ) -> None:
        """Handle a contact or a place."""
        await self._run_event(
            place,
            lambda state: transitions.receive_text(state, shared, message_id, replied_to),
            language_code=language_code,
        )

    async def handle_file(
        self,
        place: ChatPlace,
        media: IncomingFile,
        message_id: int,
        language_code: str | None,
        replied_to: RepliedMessage | None = None,
    ) -> None:
        """Handle a file. It is fetched only where the form asks for one, and passed on to where the draft's files
        are.
        """
        async with self._store.lock_conversation(place):
            state = await self._load(place, language_code)
            try:
                take = await self._take_file(state, media, message_id, replied_to)
            except (ApiUnavailable, ApiProblem) as error:
                await self._report_outage(state, describe_refusal(error), error)
                return
        await self._run_event(place, take)

    async def _take_file(
        self, state: Conversation, media: IncomingFile, message_id: int, replied_to: RepliedMessage | None
    ) -> _Taking:  # fmt: skip
        """Return what a file means for the conversation; what is not for the form, or in it already, is not fetched."""
        if is_left_out(state, media, message_id):
            return partial(report_left_out, message_id=message_id)
        event: Uploaded | FieldError = Uploaded(())
        if state.is_addressed_by(replied_to) and not state.has_taken(message_id):
            asked = await self._filling.upload_asked(state)
            if is_album_start(state, media):
                state = begin_album(state, media, message_id, asked[1] if asked is not None else None)
                await self._store.save(state)
            event = await self._filling.upload(state, media, asked)
        if isinstance(event, FieldError):
            return partial(transitions.answer_refused, problem=event, message_id=message_id)
        in_place = is_after_taken(state, media, message_id)
        return partial(
            transitions.receive_text, event=event, message_id=message_id, replied_to=replied_to, in_place=in_place
        )

    async def handle_press(
        self, place: ChatPlace, data: str, message_id: int, answer: Press, language_code: str | None
    ) -> None:
        """Handle a button. In groups everybody can press it, and the one whose form it is may."""
        if place.is_group and (owner := await self._filling.find_owner(data)) not in {None, place.user_id}:
            locale = await self._store.languages.of(place.person_id, language_code)
            await answer(say("not_your_form", locale, name=await self._people.name_of(str(owner))))
            return
        await self._run_event(
            place,
            lambda state: transitions.receive_press(state, data, message_id),
            answer=answer,
            language_code=language_code,
        )

    async def cancel(self, place: ChatPlace, language_code: str | None) -> None:
        """Handle /cancel."""
        await self._run_event(place, transitions.cancel, language_code=language_code)

    async def report_failure(self, chat_id: int, update: Mapping[str, object]) -> None:
        """Report that an update of a chat could not be handled and is not tried again."""
        log.error("a person is told that something went wrong", chat=chat_id, update=update.get("update_id"))
        languages = self._store.languages
        # Private chats and their people have the same numbers; those of groups are negative.
        is_group = chat_id < 0
        locale = await (languages.of_chat(chat_id) if is_group else languages.of(chat_id, find_language_code(update)))
        await self._messenger.send(chat_id, TelegramView(say("failed", locale), ()))

    async def look(self, waiting: WaitingEntry, *, remind: bool) -> bool:
        """Look at an instance that is waited for; True when that has an end. `remind`: say that it takes long."""
        async with self._store.lock_conversation(waiting.place):
            state = await self._load(waiting.place)
            if state.instance_id != waiting.instance_id:
                return True  # the person has moved on
            if state.is_busy_elsewhere:
                return False
            task = await self._api.fetch_next_task(waiting.instance_id, waiting.user_id)
            if task is not None:
                state, effects = transitions.show_task(state, task, self._titles)
            elif (ending := await self._api.fetch_ending(waiting.instance_id)) is not None or remind:
                state, effects = transitions.end_waiting(state, ending)
            else:
                if time.time() - waiting.since < TYPING_FOR.total_seconds():
                    await self._messenger.send_typing(waiting.chat_id)
                return False
            # Whoever has waited for so long has put the phone away: those who look at theirs go first.
            is_late = time.time() - waiting.since > TYPING_FOR.total_seconds()
            with mark_notifications() if is_late else nullcontext():
                state = await self._interpreter.run_effects(state, effects)
            await self._store.save(state)
            return task is not None or state.instance_id is None

    async def follow_draft(self, place: ChatPlace, session_id: str) -> None:
        """Follow a draft that this conversation shows was changed, or its task ended, on another surface."""
        async with self._store.lock_conversation(place):
            state = await self._load(place)
            if state.session is None or state.session.id != session_id or state.message_id is None:
                return
            with mark_notifications():
                state = await self._interpreter.run_effects(
                    *await work_out(state.session, lambda: transitions.redraw(state))
                )
            await self._store.save(state)

    async def _load(self, place: ChatPlace, language_code: str | None = None) -> Conversation:
        state = await self._store.load(place, language_code=language_code)
        return await self._filling.load_draft(state)

    async def _run_event(
        self,
        place: ChatPlace,
        take: _Taking,
        *,
        answer: Press | None = None,
        language_code: str | None = None,
    ) -> None:
        async with self._store.lock_conversation(place):
            before = await self._load(place, language_code)
            state, effects = await work_out(before.session, lambda: take(before))
            # Kept before it is shown or sent; the conversation only when all is: until then the same event comes again.
            state, effects = await self._filling.save_step(before, state, effects)
            if any(isinstance(effect, Submit) for effect in effects):
                await self._run_effects(before, state, effects, answer)
                return
            if answer is None:
                await self._run_effects(before, state, move_alerts_below(effects))
                return
            alert = next((effect.text for effect in effects if isinstance(effect, Alert)), None)
            async with run_meanwhile(answer(alert)):
                await self._run_effects(before, state, effects)

    async def _run_effects(
        self, before: Conversation, state: Conversation, effects: Effects, answer: Press | None = None
    ) -> None:
        """Carry out what follows from an event, and keep where that leads; then answer the press, if it is one."""
        try:
            state = await self._interpreter.run_effects(state, effects)
        except (ApiUnavailable, ApiProblem) as error:
            # The same button works again, and a text is in the draft if it could be an answer.
            await self._report_outage(before, describe_refusal(error), error, answer)
            await self._free_draft(before, in_place=answer is not None)
            return
        if answer is not None:
            await answer(None)
        if state.locale != before.locale:  # a form asked for it
            await self._store.languages.choose(state.place.person_id, state.locale)
        await self._store.save(state)

    async def _report_outage(
        self, state: Conversation, code: str, error: Exception, answer: Press | None = None
    ) -> None:
        log.warning("event not carried out", chat=state.chat_id, told=code, reason=str(error))
        await self._tell(state, say(code, state.locale), answer)

    async def _tell(self, state: Conversation, text: str, answer: Press | None) -> None:
        if answer is not None:
            await answer(text)
        else:
            await self._messenger.send(state.chat_id, TelegramView(html.escape(text, quote=False), ()))

    async def _free_draft(self, before: Conversation, *, in_place: bool) -> None:
        """Free a draft that keeps what could not be submitted, or was held for that and given back, has another
        revision:
        it is shown anew.
        """
        state = await self._filling.load_draft(before)
        if state.session is None or before.session is None or state.session.revision == before.session.revision:
            return
        seen = await work_out(state.session, lambda: transitions.redraw(state, in_place=in_place))
        await self._store.save(await self._interpreter.run_effects(*seen))

    async def _begin(
        self, state: Conversation, process_key: str, origin: Mapping[str, str], *, goes_on: bool
    ) -> Conversation:
        session = state.session if state.session and await self._beginning.is_open(state.session) else None
        if session is not None and (goes_on or (session.subject.is_start and session.subject.key == process_key)):
            return await self._interpreter.run_effects(
                *await work_out(session, lambda: transitions.repeat_question(state))
            )
        running = await self._beginning.list_running(process_key, state.user_id)
        if session is not None:
            if session.subject.process_instance_id in running:
                return await self._interpreter.run_effects(
                    *await work_out(session, lambda: transitions.repeat_question(state))
                )
            state = await self._interpreter.run_effects(*transitions.put_aside(state))
        state = replace(state, session=None)
        return await self._interpreter.run_effects(*await self._beginning.of(state, process_key, running, origin))
