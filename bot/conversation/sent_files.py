"""Which of the files that a person sends at once are answers: all where a form asks for several, else the first."""

from dataclasses import replace

from bot.conversation.albums import Album, find_question
from bot.conversation.effects import Effects, Tell
from bot.conversation.state import Conversation
from bot.telegram.files import IncomingFile
from bot.texts import say
from forms.kinds.widgets import UploadWidget

__all__ = ["begin_album", "is_after_taken", "is_album_start", "is_left_out", "report_left_out"]


def is_album_start(state: Conversation, media: IncomingFile) -> bool:
    """Tell whether a file is the first of an album."""
    return media.album_id is not None and (state.album is None or state.album.id != media.album_id)


def begin_album(state: Conversation, media: IncomingFile, message_id: int, asked: UploadWidget | None) -> Conversation:
    """Return the conversation with the album that a file is the first of. `asked`: which files the form asks for.

    To be saved before the file is taken: who is killed in between must know what the others were sent for.
    """
    question = find_question(state.session) if asked is not None else ""
    # Where no file was asked for, that is said of the first already.
    return replace(state, album=Album(media.album_id or "", message_id, question, is_told=asked is None))


def is_left_out(state: Conversation, media: IncomingFile, message_id: int) -> bool:
    """Tell whether a file is one of an album that was sent for something else than what is asked now."""
    if state.album is None or state.has_taken(message_id):
        return False
    return state.album.is_continued_by(media.album_id, message_id) and not state.album.is_for(
        find_question(state.session)
    )


def report_left_out(state: Conversation, message_id: int) -> tuple[Conversation, Effects]:
    """Return that such a file is not taken is said once for all of its album."""
    if state.album is None or message_id == state.last_text_id:
        return state, ()
    told = () if state.album.is_told else (Tell(say("one_of_album", state.locale)),)
    return replace(state, last_text_id=message_id, album=replace(state.album, is_told=True)), told


def is_after_taken(state: Conversation, media: IncomingFile, message_id: int) -> bool:
    """Tell whether the file of the same album before it was taken: they stand together above what was shown of that."""
    if state.album is None or not state.album.is_continued_by(media.album_id, message_id):
        return False
    return state.last_text_id >= state.album.first_id and state.has_taken(state.last_text_id)
