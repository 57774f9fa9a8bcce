"""`/start <token>`: a person follows a link into the bot."""

from collections.abc import Collection

from aiogram import F, Router
from aiogram.filters import CommandObject, CommandStart
from aiogram.types import Message

from bot.conversation.runner import ConversationRunner
from bot.handlers.filters import is_command, is_private
from bot.people.author import Sender
from bot.people.languages import LanguageStore
from bot.people.links import DeepLink, DeepLinks, LinkKind
from bot.people.memberships import Memberships, parse_chat
from bot.telegram.messenger import Messenger
from bot.texts import say
from forms.telegram import TelegramView

__all__ = ["create_links_router"]


def create_links_router(
    runner: ConversationRunner,
    messenger: Messenger,
    languages: LanguageStore,
    links: DeepLinks,
    memberships: Memberships,
    commands: Collection[str],
) -> Router:
    """Create the handlers of followed links, for private chats; register it before the commands, whose names are no
    tokens.
    """
    router = Router(name="links")

    @router.message(is_private, is_command, CommandStart(deep_link=True, magic=~F.args.in_(commands)))
    async def follow(message: Message, command: CommandObject) -> None:
        language = message.from_user.language_code if message.from_user else None
        link = await links.find(command.args or "")
        match link:
            case None:
                locale = await languages.of_user(message.from_user)
                await messenger.send(message.chat.id, TelegramView(say("link_ended", locale), ()))
            case DeepLink(LinkKind.OFFER, task_id, group=group) if group and (sender := Sender.of(message)) is not None:
                # The link may have left the group; where Telegram does not tell who is in it, the link is enough.
                if await memberships.is_member(parse_chat(group), sender.place.person_id) is False:
                    locale = await languages.of_user(message.from_user)
                    await messenger.send(message.chat.id, TelegramView(say("not_in_group", locale), ()))
                    return
                await runner.claim_task(sender, task_id, (group,))
            case DeepLink(LinkKind.TASK, task_id):
                await runner.open_task(message.chat.id, task_id, language)
            case DeepLink(LinkKind.PROCESS, process_key):
                await runner.start_process(message.chat.id, process_key, language, link.origin)

    return router
