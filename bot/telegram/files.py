"""What people send besides texts: files, contacts and places, as events of a form."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import BinaryIO

import aiohttp
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramNetworkError, TelegramNotFound
from aiogram.methods import GetFile
from aiogram.types import Message

from bot.errors import FileRefused
from files.types import find_suffix
from forms.session.events import Shared
from kit.reasons import describe_error

__all__ = ["MAX_FILE_BYTES", "IncomingFile", "find_media", "find_shared", "is_of_another"]

# Telegram gives a bot no larger ones. Source: Bot API, getFile.
MAX_FILE_BYTES = 20 * 2**20
CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class IncomingFile:
    """A file in a message, not fetched yet. Of a photo it is the largest size; `size_bytes` is 0 when not known."""

    file_id: str
    name: str
    content_type: str
    size_bytes: int
    album_id: str | None = None
    """Of the files that the person sent together with it."""

    @asynccontextmanager
    async def open_content(self, bot: Bot) -> AsyncIterator[BinaryIO]:
        """Yield its content in a file without a name, so that whoever gets it is told its length first.

        Raises `FileRefused` where Telegram does not hand it out, and what aiogram raises when it does not answer.
        """
        with tempfile.TemporaryFile() as file:
            await self._fetch(bot, file)
            file.seek(0)
            yield file

    async def _fetch(self, bot: Bot, file: BinaryIO) -> None:
        try:
            found = await bot.get_file(self.file_id)
            address = bot.session.api.file_url(bot.token, found.file_path or "")
            async for piece in bot.session.stream_content(address, chunk_size=CHUNK_BYTES, raise_for_status=True):
                file.write(piece)
        except (TelegramBadRequest, TelegramForbiddenError, TelegramNotFound) as error:
            raise FileRefused(f"file {self.file_id}: {error.message}") from error
        except aiohttp.ClientResponseError as error:
            if error.status < HTTPStatus.INTERNAL_SERVER_ERROR:  # its address has ended
                raise FileRefused(f"file {self.file_id}: {error.status} {error.message}") from error
            raise TelegramNetworkError(GetFile(file_id=self.file_id), f"{error.status} {error.message}") from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TelegramNetworkError(GetFile(file_id=self.file_id), describe_error(error)) from error


def find_media(message: Message) -> IncomingFile | None:
    """Return the file of a message; None when it has none."""
    media = _find_file(message)
    return replace(media, album_id=message.media_group_id) if media is not None else None


def _find_file(message: Message) -> IncomingFile | None:
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return IncomingFile(largest.file_id, f"photo-{message.message_id}.jpg", "image/jpeg", largest.file_size or 0)
    named = message.document or message.video or message.audio or message.animation
    if named is not None:
        kind = named.mime_type or "application/octet-stream"
        name = named.file_name or f"file-{message.message_id}{find_suffix(kind)}"
        return IncomingFile(named.file_id, name, kind, named.file_size or 0)
    if message.voice is not None:
        kind = message.voice.mime_type or "audio/ogg"
        return IncomingFile(
            message.voice.file_id, f"voice-{message.message_id}.oga", kind, message.voice.file_size or 0
        )
    if message.video_note is not None:
        note = message.video_note
        return IncomingFile(note.file_id, f"video-{message.message_id}.mp4", "video/mp4", note.file_size or 0)
    return None


def find_shared(message: Message) -> Shared | None:
    """Return the contact or place of a message in words; None when it has neither. Only the person's own number is
    theirs.
    """
    if message.contact is not None and not is_of_another(message):
        number = message.contact.phone_number
        return Shared("contact", number if number.startswith("+") else f"+{number}")
    if message.location is not None:
        return Shared("location", f"{message.location.latitude:.6f},{message.location.longitude:.6f}")
    return None


def is_of_another(message: Message) -> bool:
    """Tell whether it brings a contact that is not the sender's own, which Telegram alone vouches for."""
    sender = message.from_user.id if message.from_user is not None else None
    return message.contact is not None and message.contact.user_id != sender
