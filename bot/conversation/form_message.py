"""Where a conversation shows its form: one message whose buttons count.

In a group it says whose form it is, and a second message opens that person's field for an answer: privacy mode lets
nothing through to the bot but commands and replies. In private a second message has the key that shares a contact or a
place where one is asked for, because a message has one keyboard, and the form's has its buttons. It goes with the
question, however that is left.
"""

import html
import time
from dataclasses import replace
from datetime import timedelta

import structlog
from aiogram.exceptions import AiogramError

from bot.conversation.albums import find_question
from bot.conversation.drafts import DraftKeeper
from bot.conversation.effects import Effect, Erase, Retire, ShowForm, ShowNotice, Tell, Watch
from bot.conversation.state import Conversation, Prompt
from bot.conversation.store import ConversationStore, WaitingEntry
from bot.errors import BotError, TooBusy
from bot.telegram.messenger import Messenger
from bot.texts import say
from forms.telegram import Expects, Reply, TelegramView

__all__ = ["FormMessage"]

FIRST_LOOK = timedelta(milliseconds=400)

log = structlog.get_logger()


class FormMessage:
    """The forms on the screens of one bot."""

    def __init__(self, messenger: Messenger, filling: DraftKeeper, store: ConversationStore) -> None:
        self._messenger = messenger
        self._filling = filling
        self._store = store

    async def play(self, state: Conversation, effect: Effect) -> Conversation:
        """Show what an effect says."""
        match effect:
            case ShowForm(shown, in_place):
                return await self.show(state, shown, in_place=in_place)
            case Retire(shown) if state.message_id is not None:
                return await self.retire(state, shown)
            case Erase(message_id):
                await self._messenger.erase(state.chat_id, message_id)
            case ShowNotice(text):
                view = TelegramView(text, ())
                return replace(state, message_id=await self._messenger.show(state.chat_id, view, state.message_id))
            case Tell(text):
                await self.send_text(state, text)
            case Watch(instance_id):
                await self._messenger.send_typing(state.chat_id)
                waiting = WaitingEntry(instance_id, state.user_id, state.chat_id, time.time())
                await self._store.watch(waiting, at=time.time() + FIRST_LOOK.total_seconds())
        return state

    async def show(self, state: Conversation, view: TelegramView, *, in_place: bool) -> Conversation:
        """Return a view as a new message, or in place of the one whose buttons count; that one counts from now on."""
        message_id, question = state.message_id, _make_question_id(state, view)
        if not in_place and message_id is not None:
            # Not at the same time: who sees a message change last takes that one for the newest.
            await self._remove_buttons(state.chat_id, message_id)
            state, message_id = await self._remove_prompt(state, question), None
        shown = _of_person(state, view) if state.place.is_group else view
        state = await self._filling.note_message(state, await self._messenger.show(state.chat_id, shown, message_id))
        return await self._add_prompt(state, question, view.reply or Reply(""))

    async def retire(self, state: Conversation, view: TelegramView | None) -> Conversation:
        """Take the buttons off the message that counts, and with a view also replace its text; none counts then."""
        assert state.message_id is not None
        if state.place.is_group and view is not None:
            view = _of_person(state, view)
        await self._messenger.retire(state.chat_id, state.message_id, view)
        return await self._filling.note_message(await self._remove_prompt(state), None)

    async def send_text(self, state: Conversation, text: str) -> None:
        """Send a message that stays."""
        view = TelegramView(text, ())
        await self._messenger.send(state.chat_id, _of_person(state, view) if state.place.is_group else view)

    async def _remove_buttons(self, chat_id: int, message_id: int) -> None:
        """Remove the message above the one that counts loses its buttons; those that stay do nothing."""
        try:
            await self._messenger.retire(chat_id, message_id, None)
        except (AiogramError, BotError) as error:
            log.warning("old buttons stay", chat=chat_id, message=message_id, reason=repr(error))

    async def _add_prompt(self, state: Conversation, question: str | None, reply: Reply) -> Conversation:
        if state.prompt is not None and state.prompt.question == question:
            return state
        state = await self._remove_prompt(state, question)
        if question is None:
            return state
        message_id = await self._ask(state, reply)
        return state if message_id is None else replace(state, prompt=Prompt(message_id, question))

    async def _ask(self, state: Conversation, reply: Reply) -> int | None:
        if not state.place.is_group:
            # Who is killed from here on, until the conversation is saved, does not know the message that has the key.
            await self._store.expect_key(state.place, state.locale)
            try:
                return await self._messenger.offer_key(state.chat_id, reply)
            except TooBusy as error:
                if not error.may_have_arrived:
                    await self._store.expect_key(state.place, state.locale, is_expected=False)
                raise
        label = html.escape(reply.placeholder, quote=False)
        asked = say("reply_here", state.locale, name=_mention(state), question=label)
        return await self._messenger.ask(state.chat_id, asked, reply.placeholder)

    async def _remove_prompt(self, state: Conversation, question: str | None = None) -> Conversation:
        """Remove the prompt. Where `question` is asked anew, an answer to the old prompt may be on its way and
        counts.
        """
        keeps_a_key = state.may_have_stray_key
        if (prompt := state.prompt) is not None:
            is_gone = await self._messenger.erase(state.chat_id, prompt.message_id)
            keeps_a_key |= not is_gone and not state.place.is_group
            if prompt.question != question:
                state = replace(state, asked_before=prompt.message_id)
        if keeps_a_key:
            await self._messenger.take_keys(state.chat_id)
        return replace(state, prompt=None, may_have_stray_key=False)


def _make_question_id(state: Conversation, view: TelegramView) -> str | None:
    """Return what a view asks by a prompt, identified by draft, field and words; None for what needs no prompt.

    In groups that is what is answered in words or by a file. In private every message is heard, and only a key that
    shares needs a message of its own.
    """
    if state.session is None or view.expects is Expects.NONE:
        return None
    reply = view.reply or Reply("")
    if not state.place.is_group and reply.share is Expects.NONE:
        return None
    return f"{find_question(state.session)} {reply.placeholder}"


def _of_person(state: Conversation, view: TelegramView) -> TelegramView:
    whose = f"👤 {_mention(state)}\n"
    without = f"{whose}{view.without_picture}" if view.without_picture else ""
    return replace(view, text=f"{whose}{view.text}", without_picture=without)


def _mention(state: Conversation) -> str:
    name = html.escape(state.name or state.user_id, quote=False)
    return f'<a href="tg://user?id={state.place.person_id}">{name}</a>'
