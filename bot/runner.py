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

from bot import conversation as talk
from bot.beginning import Beginning
from bot.conversation import Conversation
from bot.deeds import Deeds
from bot.delivery import notifying
from bot.effects import Alert, Effects, Submit, told_below
from bot.engine_api import EngineApi
from bot.errors import ApiProblem, ApiUnavailable
from bot.filling import Filling
from bot.media import Media
from bot.people import People
from bot.place import Place
from bot.press import Press, meanwhile
from bot.refusals import Refusals, told
from bot.replied import Replied
from bot.screen import Screen
from bot.sender import Sender, language_code_in
from bot.sent import begins, begun, follows_a_taken_one, is_left_out, left_out
from bot.stage import Stage
from bot.store import Store, Waiting
from bot.texts import say
from bot.titles import Titles
from forms.events import Shared, Typed, Uploaded
from forms.model import Problem
from forms.telegram import TelegramView
from forms.threads import worked_out

__all__ = ["Runner"]

# Longer than a program needs; whoever still waits then waits for a person.
TYPING_FOR = timedelta(minutes=1)

log = structlog.get_logger()

_Taking = Callable[[Conversation], tuple[Conversation, Effects]]
"""What an event makes of a conversation."""


class Runner:
    """The conversations of one bot."""

    def __init__(
        self, store: Store, filling: Filling, api: EngineApi, screen: Screen, titles: Titles, people: People
    ) -> None:
        self._store = store
        self._people = people
        self._refusals = Refusals(people, zone=filling.zone)
        self._filling = filling
        self._api = api
        self._screen = screen
        self._titles = titles
        self._beginning = Beginning(api, filling, titles)
        self._deeds = Deeds(api, filling, self._beginning, Stage(screen, filling, store), titles, people)

    async def started(
        self,
        chat_id: int,
        process_key: str,
        language_code: str | None,
        origin: Mapping[str, str] | None = None,
        *,
        goes_on: bool = False,
    ) -> None:
        """A command or a link: begin a process, or go on with it where the person left.

        `origin` are variables that say where they come from. With `goes_on` a form of any process comes first.
        """
        place = Place.private(chat_id)
        async with self._store.conversation_lock(place):
            state = await self._load(place, language_code)
            try:
                state = await self._begin(state, process_key, origin or {}, goes_on=goes_on)
            except ApiUnavailable as error:
                await self._excuse(state, "unavailable", error)
                return
            except ApiProblem as error:
                await self._excuse(state, "not_deployed" if error.status == 404 else told(error), error)
                return
            await self._store.save(state)

    async def opened(
        self, chat_id: int, task_id: str, language_code: str | None, answer: Press | None = None
    ) -> None:  # fmt: skip
        """A link to a task, or its line in a list: ask its form, if it is the person's."""
        if answer is not None:
            await answer(None)
        place = Place.private(chat_id)
        async with self._store.conversation_lock(place):
            state = await self._load(place, language_code)
            try:
                task = await self._api.task(task_id)
                state = await self._deeds.carry_out(
                    *await worked_out(state.session, lambda: talk.linked(state, task, self._titles))
                )
            except (ApiUnavailable, ApiProblem) as error:
                await self._excuse(state, told(error), error)
                return
            await self._store.save(state)

    async def claimed(
        self, sender: Sender, task_id: str, groups: Sequence[str], answer: Press | None = None
    ) -> None:  # fmt: skip
        """Take a task that is offered to the person, or to one of these groups of theirs, and ask its form."""
        async with self._store.conversation_lock(sender.place):
            state = replace(await self._load(sender.place, sender.language_code), name=sender.name)
            await self._people.met(sender)
            try:
                task = await self._api.claim(task_id, state.user_id, groups)
                if answer is not None:
                    await answer(None)
                    answer = None
                taken = await worked_out(state.session, partial(talk.taken, state, task, self._titles))
                state = await self._deeds.carry_out(*taken)
            except ApiUnavailable as error:
                await self._excuse(state, "unavailable", error, answer)
            except ApiProblem as problem:
                await self._tell(state, await self._refusals.words(problem, state.locale), answer)
            else:
                await self._store.save(state)

    async def spoken(self, chat_id: int, locale: str) -> None:
        """The person has chosen a language."""
        await self._event(Place.private(chat_id), lambda state: talk.spoken(state, locale))

    async def said(
        self, place: Place, text: str, message_id: int, language_code: str | None, replied_to: Replied | None = None
    ) -> None:
        """Any other text. `replied_to`: in groups the message that it answers."""
        await self._event(
            place, lambda state: talk.said(state, Typed(text), message_id, replied_to), language_code=language_code
        )

    async def shared(
        self,
        place: Place,
        shared: Shared,
        message_id: int,
        language_code: str | None,
        replied_to: Replied | None = None,
    ) -> None:
        """A contact or a place."""
        await self._event(
            place, lambda state: talk.said(state, shared, message_id, replied_to), language_code=language_code
        )

    async def sent(
        self, place: Place, media: Media, message_id: int, language_code: str | None, replied_to: Replied | None = None
    ) -> None:
        """A file. It is fetched only where the form asks for one, and passed on to where the draft's files are."""
        async with self._store.conversation_lock(place):
            state = await self._load(place, language_code)
            try:
                take = await self._taken(state, media, message_id, replied_to)
            except (ApiUnavailable, ApiProblem) as error:
                await self._excuse(state, told(error), error)
                return
        await self._event(place, take)

    async def _taken(
        self, state: Conversation, media: Media, message_id: int, replied_to: Replied | None
    ) -> _Taking:  # fmt: skip
        """What a file means for the conversation; what is not for the form, or in it already, is not fetched."""
        if is_left_out(state, media, message_id):
            return partial(left_out, message_id=message_id)
        event: Uploaded | Problem = Uploaded(())
        if state.hears(replied_to) and not state.has_taken(message_id):
            asked = await self._filling.upload_asked(state)
            if begins(state, media):
                state = begun(state, media, message_id, asked[1] if asked is not None else None)
                await self._store.save(state)
            event = await self._filling.sent(state, media, asked)
        if isinstance(event, Problem):
            return partial(talk.answer_refused, problem=event, message_id=message_id)
        in_place = follows_a_taken_one(state, media, message_id)
        return partial(talk.said, event=event, message_id=message_id, replied_to=replied_to, in_place=in_place)

    async def pressed(self, place: Place, data: str, message_id: int, answer: Press, language_code: str | None) -> None:
        """A button. In groups everybody can press it, and the one whose form it is may."""
        if place.is_group and (owner := await self._filling.owner_of(data)) not in {None, place.user_id}:
            locale = await self._store.languages.of(place.person_id, language_code)
            await answer(say("not_your_form", locale, name=await self._people.name_of(str(owner))))
            return
        await self._event(
            place, lambda state: talk.pressed(state, data, message_id), answer=answer, language_code=language_code
        )

    async def cancelled(self, place: Place, language_code: str | None) -> None:
        """/cancel."""
        await self._event(place, talk.cancelled, language_code=language_code)

    async def gave_up(self, chat_id: int, update: Mapping[str, object]) -> None:
        """Something that was done in a chat could not be handled, and is not tried again."""
        log.error("a person is told that something went wrong", chat=chat_id, update=update.get("update_id"))
        languages = self._store.languages
        # Private chats and their people have the same numbers; those of groups are negative.
        is_group = chat_id < 0
        locale = await (languages.of_chat(chat_id) if is_group else languages.of(chat_id, language_code_in(update)))
        await self._screen.send(chat_id, TelegramView(say("failed", locale), ()))

    async def look(self, waiting: Waiting, *, remind: bool) -> bool:
        """Look at an instance that is waited for; True when that has an end. `remind`: say that it takes long."""
        async with self._store.conversation_lock(waiting.place):
            state = await self._load(waiting.place)
            if state.instance_id != waiting.instance_id:
                return True  # the person has moved on
            if state.is_busy_elsewhere:
                return False
            task = await self._api.next_task(waiting.instance_id, waiting.user_id)
            if task is not None:
                state, effects = talk.task_came(state, task, self._titles)
            elif (ending := await self._api.ending_of(waiting.instance_id)) is not None or remind:
                state, effects = talk.waited(state, ending)
            else:
                if time.time() - waiting.since < TYPING_FOR.total_seconds():
                    await self._screen.typing(waiting.chat_id)
                return False
            # Whoever has waited for so long has put the phone away: those who look at theirs go first.
            is_late = time.time() - waiting.since > TYPING_FOR.total_seconds()
            with notifying() if is_late else nullcontext():
                state = await self._deeds.carry_out(state, effects)
            await self._store.save(state)
            return task is not None or state.instance_id is None

    async def changed_elsewhere(self, place: Place, session_id: str) -> None:
        """A draft that this conversation shows was changed, or its task ended, on another surface."""
        async with self._store.conversation_lock(place):
            state = await self._load(place)
            if state.session is None or state.session.id != session_id or state.message_id is None:
                return
            with notifying():
                state = await self._deeds.carry_out(*await worked_out(state.session, lambda: talk.seen_again(state)))
            await self._store.save(state)

    async def _load(self, place: Place, language_code: str | None = None) -> Conversation:
        state = await self._store.load(place, language_code=language_code)
        return await self._filling.with_draft(state)

    async def _event(
        self,
        place: Place,
        take: _Taking,
        *,
        answer: Press | None = None,
        language_code: str | None = None,
    ) -> None:
        async with self._store.conversation_lock(place):
            before = await self._load(place, language_code)
            state, effects = await worked_out(before.session, lambda: take(before))
            # Kept before it is shown or sent; the conversation only when all is: until then the same event comes again.
            state, effects = await self._filling.kept(before, state, effects)
            if any(isinstance(effect, Submit) for effect in effects):
                await self._carry_on(before, state, effects, answer)
                return
            if answer is None:
                await self._carry_on(before, state, told_below(effects))
                return
            alert = next((effect.text for effect in effects if isinstance(effect, Alert)), None)
            async with meanwhile(answer(alert)):
                await self._carry_on(before, state, effects)

    async def _carry_on(
        self, before: Conversation, state: Conversation, effects: Effects, answer: Press | None = None
    ) -> None:
        """Carry out what follows from an event, and keep where that leads; then answer the press, if it is one."""
        try:
            state = await self._deeds.carry_out(state, effects)
        except (ApiUnavailable, ApiProblem) as error:
            # The same button works again, and a text is in the draft if it could be an answer.
            await self._excuse(before, told(error), error, answer)
            await self._freed(before, in_place=answer is not None)
            return
        if answer is not None:
            await answer(None)
        if state.locale != before.locale:  # a form asked for it
            await self._store.languages.choose(state.place.person_id, state.locale)
        await self._store.save(state)

    async def _excuse(self, state: Conversation, code: str, error: Exception, answer: Press | None = None) -> None:
        log.warning("event not carried out", chat=state.chat_id, told=code, reason=str(error))
        await self._tell(state, say(code, state.locale), answer)

    async def _tell(self, state: Conversation, text: str, answer: Press | None) -> None:
        if answer is not None:
            await answer(text)
        else:
            await self._screen.send(state.chat_id, TelegramView(html.escape(text, quote=False), ()))

    async def _freed(self, before: Conversation, *, in_place: bool) -> None:
        """A draft that keeps what could not be submitted, or was held for that and given back, has another revision:
        it is shown anew.
        """
        state = await self._filling.with_draft(before)
        if state.session is None or before.session is None or state.session.revision == before.session.revision:
            return
        seen = await worked_out(state.session, lambda: talk.seen_again(state, in_place=in_place))
        await self._store.save(await self._deeds.carry_out(*seen))

    async def _begin(
        self, state: Conversation, process_key: str, origin: Mapping[str, str], *, goes_on: bool
    ) -> Conversation:
        session = state.session if state.session and await self._beginning.is_open(state.session) else None
        if session is not None and (goes_on or (session.subject.is_start and session.subject.key == process_key)):
            return await self._deeds.carry_out(*await worked_out(session, lambda: talk.shown_again(state)))
        running = await self._beginning.running(process_key, state.user_id)
        if session is not None:
            if session.subject.process_instance_id in running:
                return await self._deeds.carry_out(*await worked_out(session, lambda: talk.shown_again(state)))
            state = await self._deeds.carry_out(*talk.left_for_another(state))
        state = replace(state, session=None)
        return await self._deeds.carry_out(*await self._beginning.of(state, process_key, running, origin))
