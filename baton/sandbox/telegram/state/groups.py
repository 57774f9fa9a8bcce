"""What happens to a group: people come and go, the bot is added, made administrator and removed."""

import time

from baton.sandbox.telegram.state.chats import Chat, Status, User, describe_membership
from baton.sandbox.telegram.state.sandbox import Sandbox
from baton.sandbox.telegram.wire import Json

__all__ = ["add_member", "remove_member", "set_bot_status", "tell_membership"]


def add_member(sandbox: Sandbox, group: Chat, user: User) -> None:
    """Add a person comes; the bot gets the service message."""
    if group.has(user.id):
        return
    group.members[user.id] = "member"
    sandbox.show_chat(group)
    sender = user.to_sender()
    sandbox.receive(group, {**sandbox.create_message(group, sender), "new_chat_members": [sender]})


def remove_member(sandbox: Sandbox, group: Chat, user: User) -> None:
    """Remove a person leaves."""
    if not group.has(user.id):
        return
    sender = user.to_sender()
    sandbox.receive(group, {**sandbox.create_message(group, sender), "left_chat_member": sender})
    group.members[user.id] = "left"
    sandbox.show_chat(group)


def set_bot_status(sandbox: Sandbox, group: Chat, status: Status, by: Json) -> None:
    """Let somebody add the bot, make it administrator or an ordinary member, or remove it ("kicked"), or let it leave.

    The bot gets `my_chat_member`, and the group the service message.
    """
    before, was_there = group.bot_status, group.has_bot
    if before == status:
        return
    group.bot_status = status
    sandbox.show_chat(group)
    tell_membership(sandbox, group, by, before, status)
    bot = sandbox.describe_bot()
    if group.has_bot and not was_there:
        sandbox.receive(group, {**sandbox.create_message(group, by), "new_chat_members": [bot]})
    elif was_there and not group.has_bot:
        sandbox.post(group, {**sandbox.create_message(group, by), "left_chat_member": bot})


def tell_membership(sandbox: Sandbox, chat: Chat, by: Json, before: Status, after: Status) -> None:
    """Tell the update `my_chat_member`: the bot's own standing in a chat has changed."""
    bot = sandbox.describe_bot()
    sandbox.updates.push(
        "my_chat_member",
        {
            "chat": chat.to_chat(),
            "from": by,
            "date": int(time.time()),
            "old_chat_member": describe_membership(bot, before),
            "new_chat_member": describe_membership(bot, after),
        },
    )
