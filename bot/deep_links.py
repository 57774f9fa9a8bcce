"""`/start <token>`: a person follows a link into the bot."""

from collections.abc import Collection

from aiogram import F, Router
from aiogram.filters import CommandObject, CommandStart
from aiogram.types import Message

from bot.filters import in_private, is_command
from bot.languages import Languages
from bot.links import Link, LinkKind, Links
from bot.memberships import Memberships, chat_of
from bot.runner import Runner
from bot.screen import Screen
from bot.sender import Sender
from bot.texts import say
from forms.telegram import TelegramView

__all__ = ["links_router"]


def links_router(
    runner: Runner, screen: Screen, languages: Languages, links: Links, memberships: Memberships,
    commands: Collection[str],
) -> Router:  # fmt: skip
    """Followed links, for private chats; register it before the commands, whose names are no tokens."""
    router = Router(name="links")

    @router.message(in_private, is_command, CommandStart(deep_link=True, magic=~F.args.in_(commands)))
    async def follow(message: Message, command: CommandObject) -> None:
        language = message.from_user.language_code if message.from_user else None
        link = await links.find(command.args or "")
        match link:
            case None:
                locale = await languages.of_user(message.from_user)
                await screen.send(message.chat.id, TelegramView(say("link_ended", locale), ()))
            case Link(LinkKind.OFFER, task_id, group=group) if group and (sender := Sender.of(message)) is not None:
                # The link may have left the group; where Telegram does not tell who is in it, the link is enough.
                if await memberships.is_member(chat_of(group), sender.place.person_id) is False:
                    locale = await languages.of_user(message.from_user)
                    await screen.send(message.chat.id, TelegramView(say("not_in_group", locale), ()))
                    return
                await runner.claimed(sender, task_id, (group,))
            case Link(LinkKind.TASK, task_id):
                await runner.opened(message.chat.id, task_id, language)
            case Link(LinkKind.PROCESS, process_key):
                await runner.started(message.chat.id, process_key, language, link.origin)

    return router
