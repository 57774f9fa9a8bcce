"""What a text means: an answer, or what is left of a paste that was too long for one message.

What follows a long text within a moment belongs to it. A text area takes it all; else the first message is the answer,
and the rest answers nothing.
"""

from dataclasses import replace

from bot.conversation import transitions
from bot.conversation.albums import find_question
from bot.conversation.effects import Effects, Tell
from bot.conversation.pastes import Paste
from bot.conversation.state import Conversation
from bot.people.replied import RepliedMessage
from bot.texts import say
from forms.session.events import Typed
from kit.utf16 import count_utf16

__all__ = ["begin_paste", "can_continue", "is_paste_start", "receive_typed"]

MAX_UNITS = 4096
# Clients break at the end of a sentence or a word, if there is one in the second half.
MIN_UNITS = MAX_UNITS // 2
# Telegram dates messages by the second.
MOMENT_S = 2


def can_continue(text: str) -> bool:
    """Tell whether a text is so long that more of it may follow."""
    return count_utf16(text) >= MIN_UNITS


def is_paste_start(state: Conversation, message_id: int, sent_at_s: int, replied_to: RepliedMessage | None) -> bool:
    """Tell whether a long text is the first of a paste into the open form."""
    return (
        state.session is not None
        and state.is_addressed_by(replied_to)
        and not _is_continued(state, message_id, sent_at_s)
    )


def begin_paste(state: Conversation, message_id: int, sent_at_s: int) -> Conversation:
    """Return the conversation with what a paste answers. To be saved before the text is taken, which may ask the
    next.
    """
    if state.paste is not None and state.paste.first_id == message_id:
        return state  # delivered once more
    return replace(state, paste=Paste(message_id, find_question(state.session), sent_at_s))


def receive_typed(
    state: Conversation, text: str, message_id: int, sent_at_s: int, replied_to: RepliedMessage | None
) -> tuple[Conversation, Effects]:
    """Return what a text means: an answer, more of the one before, or what is left of a paste whose question is
    answered.
    """
    paste = state.paste
    if paste is None or not _is_continued(state, message_id, sent_at_s) or not state.is_addressed_by(replied_to):
        after, effects = transitions.receive_text(state, Typed(text), message_id, replied_to)
        return _note_message(after, text, message_id, sent_at_s), effects
    if message_id == state.last_text_id or state.has_taken(message_id):
        return transitions.receive_text(state, Typed(text), message_id, replied_to)
    is_same_question = paste.question == find_question(state.session)
    is_taken = state.has_taken(state.last_text_id)
    if is_same_question and is_taken and state.session is not None and state.session.glance.view == "more":
        after, effects = transitions.receive_text(
            state, Typed(text, goes_on=paste.is_broken_off), message_id, replied_to
        )
        return _note_message(after, text, message_id, sent_at_s), effects
    # Of a text that was refused the person has read why.
    is_refused = is_same_question and not state.has_taken(paste.first_id)
    told = () if paste.is_told or is_refused else (Tell(say("rest_of_text", state.locale)),)
    after = replace(state, last_text_id=message_id, paste=replace(paste, is_told=True))
    return _note_message(after, text, message_id, sent_at_s), told


def _is_continued(state: Conversation, message_id: int, sent_at_s: int) -> bool:
    paste = state.paste
    return paste is not None and message_id > paste.first_id and 0 <= sent_at_s - paste.sent_at_s <= MOMENT_S


def _note_message(state: Conversation, text: str, message_id: int, sent_at_s: int) -> Conversation:
    """Return the conversation after one more message of a paste."""
    if state.paste is None or state.paste.first_id > message_id or not can_continue(text):
        return state
    is_broken_off = count_utf16(text) >= MAX_UNITS
    return replace(state, paste=replace(state.paste, sent_at_s=sent_at_s, is_broken_off=is_broken_off))
