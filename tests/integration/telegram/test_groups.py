"""Groups of the Telegram sandbox: what the bot sees, who may press, and how the bot comes and goes."""

import asyncio
from typing import Any

import pytest
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.exceptions import TelegramForbiddenError
from aiogram.types import ForceReply

from baton.sandbox.person import PersonStuck, SandboxPerson


async def team_of(
    bot: Any, ann: SandboxPerson, bob: SandboxPerson, **options: Any
) -> tuple[SandboxPerson, SandboxPerson]:
    team = await ann.create_group("Team", bob, **options)
    await bot.updates()
    return team, bob.open_chat(team)


@pytest.mark.parametrize("kind", ["group", "supergroup"])
async def test_the_bot_learns_that_it_was_added_and_by_which_link(
    bot: Any, ann: SandboxPerson, bob: SandboxPerson, kind: str
) -> None:
    team = await ann.create_group("Team", bob, kind=kind, payload="from_site")
    joined, service, start = await bot.updates()
    assert joined["my_chat_member"]["new_chat_member"]["status"] == "member"
    assert joined["my_chat_member"]["chat"] == {"id": team.chat_id, "type": kind, "title": "Team"}
    assert service["message"]["new_chat_members"][0]["is_bot"]
    assert start["message"]["text"] == "/start@baton_sandbox_bot from_site"
    assert start["message"]["from"]["id"] == ann.user_id


async def test_privacy_mode_shows_commands_mentions_and_replies(
    bot: Any, ann: SandboxPerson, bob: SandboxPerson
) -> None:
    in_team, bobs = await team_of(bot, ann, bob)
    prompt = await bot.ok("sendMessage", chat_id=in_team.chat_id, text="Name?", reply_markup={"force_reply": True})
    await in_team.say("just talking")
    await in_team.say("/tasks")
    await in_team.say("/tasks@other_bot")
    await in_team.say("say /tasks to it")
    await bobs.say("hey @Baton_Sandbox_Bot")
    await bobs.say("Bob", reply_to=prompt["message_id"])
    seen = await bot.messages()
    assert [m["text"] for m in seen] == ["/tasks", "hey @Baton_Sandbox_Bot", "Bob"]
    assert seen[2]["reply_to_message"]["message_id"] == prompt["message_id"]
    assert (seen[2]["from"]["first_name"], seen[2]["chat"]["type"]) == ("Bob", "supergroup")


async def test_administrator_bot_sees_everything(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    in_team, bobs = await team_of(bot, ann, bob)
    await in_team.make_bot("administrator")
    await bobs.say("one")
    await in_team.make_bot("member")
    await bobs.say("two")
    await bot.control("switches", privacy=False)
    assert (await bot.aiogram.get_me()).can_read_all_group_messages
    await bobs.say("three")
    assert [m["text"] for m in await bot.messages()] == ["one", "three"]


async def test_anybody_of_the_group_presses_and_the_query_says_who(
    bot: Any, ann: SandboxPerson, bob: SandboxPerson
) -> None:
    in_team, bobs = await team_of(bot, ann, bob)
    keyboard = {"inline_keyboard": [[{"text": "Take", "callback_data": "take"}]]}
    await bot.ok("sendMessage", chat_id=in_team.chat_id, text="Who?", reply_markup=keyboard)
    await bobs.see("Who?")
    pressing = asyncio.create_task(bobs.press("Take"))
    (update,) = await bot.ok("getUpdates", timeout=5)
    query = update["callback_query"]
    assert (query["from"]["id"], query["message"]["chat"]["id"]) == (bob.user_id, in_team.chat_id)
    await bot.ok("answerCallbackQuery", callback_query_id=query["id"], text="Not yours", show_alert=True)
    assert await pressing == "Not yours"
    carol = await SandboxPerson.join(bot.http, bot.url, "Carol")
    with pytest.raises(PersonStuck, match="is in no chat"):
        await carol.open_chat(in_team).press("Take", on=await bobs.see("Who?"))


async def test_a_changed_client_can_send_data_that_no_button_has(bot: Any, ann: SandboxPerson) -> None:
    sent = await bot.ok("sendMessage", chat_id=ann.user_id, text="Choose")
    message = await ann.see("Choose")
    await ann.forge("f:someone-elses:1:s", on=message)
    (update,) = await bot.updates()
    assert update["callback_query"]["data"] == "f:someone-elses:1:s"
    assert update["callback_query"]["message"]["message_id"] == sent["message_id"]


async def test_a_bot_that_was_removed_is_told_so_and_may_not_write(
    bot: Any, ann: SandboxPerson, bob: SandboxPerson
) -> None:
    in_team, bobs = await team_of(bot, ann, bob)
    await in_team.make_bot("kicked")
    (update,) = await bot.updates()
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    with pytest.raises(TelegramForbiddenError, match="bot was kicked from the supergroup chat"):
        await bot.aiogram.send_message(in_team.chat_id, "hi")
    await bobs.say("/start")
    assert await bot.updates() == []
    await in_team.make_bot("member")
    assert (await bot.aiogram.send_message(in_team.chat_id, "back")).chat.type == ChatType.SUPERGROUP


async def test_a_bot_that_has_left_is_no_member(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    in_team, _ = await team_of(bot, ann, bob, kind="group")
    assert await bot.aiogram.leave_chat(in_team.chat_id)
    refusal = await bot.refused("sendMessage", chat_id=in_team.chat_id, text="hi")
    assert refusal == "403 Forbidden: bot is not a member of the group chat"


async def test_aiogram_reads_members_and_administrators(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    in_team, bobs = await team_of(bot, ann, bob)
    by_aiogram, chat_id = bot.aiogram, in_team.chat_id
    assert (await by_aiogram.get_chat(chat_id)).title == "Team"
    assert await by_aiogram.get_chat_member_count(chat_id) == 3
    await in_team.make_bot("administrator")
    found = await by_aiogram.get_chat_administrators(chat_id)
    assert [member.status for member in found] == [ChatMemberStatus.CREATOR, ChatMemberStatus.ADMINISTRATOR]
    assert (await by_aiogram.get_chat_member(chat_id, bob.user_id)).status == ChatMemberStatus.MEMBER
    await bobs.leave()
    assert (await by_aiogram.get_chat_member(chat_id, bob.user_id)).status == ChatMemberStatus.LEFT
    assert "PARTICIPANT_ID_INVALID" in await bot.refused("getChatMember", chat_id=chat_id, user_id=1)
    with pytest.raises(PersonStuck, match="is in no chat"):
        await bobs.say("hello?")
    await bobs.enter()
    assert (await bot.messages())[-1]["new_chat_members"][0]["id"] == bob.user_id


async def test_a_question_to_one_person_names_them_by_reply_or_mention(
    bot: Any, ann: SandboxPerson, bob: SandboxPerson
) -> None:
    in_team, bobs = await team_of(bot, ann, bob)
    asked = await bobs.say("/fill")
    forced = ForceReply(selective=True, input_field_placeholder="Your name")
    await bot.aiogram.send_message(in_team.chat_id, "Name?", reply_to_message_id=asked, reply_markup=forced)
    assert (await bobs.see("Name?")).forces_reply
    text = f'<a href="tg://user?id={bob.user_id}">Bob</a>, and now?'
    sent = await bot.aiogram.send_message(in_team.chat_id, text, parse_mode="HTML")
    assert sent.entities[0].user.id == bob.user_id


@pytest.mark.parametrize(
    ("markup", "problem"),
    [
        ({"inline_keyboard": [[{"text": "x", "web_app": {"url": "https://example.org"}}]]}, "BUTTON_TYPE_INVALID"),
        ({"keyboard": [[{"text": "x", "request_contact": True}]]}, "phone number can be requested in private chats"),
        ({"keyboard": [[{"text": "x", "request_location": True}]]}, "location can be requested in private chats only"),
    ],
)
async def test_buttons_for_private_chats_are_refused_in_a_group(
    bot: Any, ann: SandboxPerson, bob: SandboxPerson, markup: dict[str, Any], problem: str
) -> None:
    in_team, _ = await team_of(bot, ann, bob)
    assert problem in await bot.refused("sendMessage", chat_id=in_team.chat_id, text="x", reply_markup=markup)
    assert await bot.ok("sendMessage", chat_id=ann.user_id, text="x", reply_markup=markup)


async def test_only_an_administrator_deletes_what_people_say(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    in_team, bobs = await team_of(bot, ann, bob)
    said = await bobs.say("/secret")
    refusal = await bot.refused("deleteMessage", chat_id=in_team.chat_id, message_id=said)
    assert refusal == "400 Bad Request: message can't be deleted"
    await in_team.make_bot("administrator")
    assert await bot.aiogram.delete_messages(in_team.chat_id, [said, said + 1000])


async def test_a_group_shows_everybody_the_same_chat(bot: Any, ann: SandboxPerson, bob: SandboxPerson) -> None:
    in_team, bobs = await team_of(bot, ann, bob)
    await bot.ok("sendMessage", chat_id=in_team.chat_id, text="Hello both")
    assert (await in_team.see("Hello both")).message_id == (await bobs.see("Hello both")).message_id
    assert await ann.look() == []
