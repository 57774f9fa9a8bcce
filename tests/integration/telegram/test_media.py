"""What is no text in the Telegram sandbox: files, albums, contacts, places, forwarded messages."""

import struct
from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramEntityTooLarge
from aiogram.types import BufferedInputFile, InputMediaDocument, InputMediaPhoto, Message

from baton.sandbox.person import PersonStuck, SandboxPerson

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8) + struct.pack(">II", 3, 2) + bytes(100)
MEGABYTE = 2**20


async def only(bot: Any) -> dict[str, Any]:
    (message,) = await bot.messages()
    return dict(message)


@pytest.mark.parametrize("kind", ["photo", "document", "audio", "video"])
async def test_a_file_of_each_kind_arrives_and_is_downloaded(bot: Any, ann: SandboxPerson, kind: str) -> None:
    await ann.send_file("a.png", PNG, kind=kind, content_type="image/png", caption="/see this")
    message = Message.model_validate(await only(bot))
    content = getattr(message, kind)
    file = content[-1] if isinstance(content, list) else content
    assert (await bot.aiogram.download(file)).read() == PNG
    assert message.caption_entities is not None
    assert message.caption_entities[0].type == "bot_command"


async def test_a_voice_message_has_a_type_and_a_duration(bot: Any, ann: SandboxPerson) -> None:
    await ann.send_voice(b"OggS" + bytes(50))
    voice = (await only(bot))["voice"]
    assert (voice["mime_type"], voice["duration"], voice["file_size"]) == ("audio/ogg", 1, 54)


async def test_the_bot_gets_no_file_above_20_mb_but_its_size(bot: Any, ann: SandboxPerson) -> None:
    await ann.send_file("big.bin", bytes(20 * MEGABYTE + 1))
    document = (await only(bot))["document"]
    assert document["file_size"] == 20 * MEGABYTE + 1
    assert await bot.refused("getFile", file_id=document["file_id"]) == "400 Bad Request: file is too big"
    with pytest.raises(PersonStuck, match="at most 50 MB"):
        await ann.send_file("huge.bin", bytes(50 * MEGABYTE + 1))


async def test_an_album_of_a_person_is_several_messages_of_one_group(bot: Any, ann: SandboxPerson) -> None:
    await ann.send_album({"a.png": PNG, "b.png": PNG}, caption="both")
    first, second = await bot.messages()
    assert first["media_group_id"] == second["media_group_id"]
    assert (first["caption"], "caption" in second) == ("both", False)
    with pytest.raises(PersonStuck, match="2 to 10 files"):
        await ann.send_album({"a.png": PNG})


async def test_the_bot_sends_albums(bot: Any, ann: SandboxPerson) -> None:
    photos = [InputMediaPhoto(media=BufferedInputFile(PNG, "a.png"), caption="<b>one</b>", parse_mode="HTML")] * 2
    sent = await bot.aiogram.send_media_group(ann.user_id, photos)
    assert len({message.media_group_id for message in sent}) == 1
    assert sent[0].html_text == "<b>one</b>"
    shown = await ann.see("one")
    assert await ann.download(shown) == PNG
    mixed = [photos[0], InputMediaDocument(media=BufferedInputFile(b"x", "x.txt"))]
    with pytest.raises(TelegramBadRequest, match="can't be mixed"):
        await bot.aiogram.send_media_group(ann.user_id, mixed)
    with pytest.raises(TelegramBadRequest, match="2-10 items"):
        await bot.aiogram.send_media_group(ann.user_id, photos[:1])


async def test_picture_replaces_a_text_or_another_picture(bot: Any, ann: SandboxPerson) -> None:
    sent = await bot.aiogram.send_message(ann.user_id, "wait")
    photo = InputMediaPhoto(media=BufferedInputFile(PNG, "a.png"), caption="there")
    edited = await sent.edit_media(photo)
    assert isinstance(edited, Message)
    assert (edited.text, edited.caption, bool(edited.photo)) == (None, "there", True)
    again = await edited.edit_media(InputMediaDocument(media=BufferedInputFile(b"x", "x.txt")))
    assert isinstance(again, Message)
    assert (again.photo, again.document.file_name if again.document else None) == (None, "x.txt")
    assert (await ann.see(lambda message: message.media == "document")).message_id == sent.message_id
    assert "there is no text" in await bot.refused(
        "editMessageText", chat_id=ann.user_id, message_id=sent.message_id, text="x"
    )


async def test_limits_of_what_the_bot_uploads(bot: Any, ann: SandboxPerson) -> None:
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await bot.aiogram.send_photo(ann.user_id, BufferedInputFile(PNG, "a.png"), caption="x" * 1025)
    with pytest.raises(TelegramEntityTooLarge):
        await bot.aiogram.send_photo(ann.user_id, BufferedInputFile(bytes(10 * MEGABYTE + 1), "a.png"))
    with pytest.raises(TelegramEntityTooLarge):
        await bot.aiogram.send_document(ann.user_id, BufferedInputFile(bytes(50 * MEGABYTE + 1), "a.bin"))


async def test_keys_that_ask_for_contact_and_place_send_them(bot: Any, ann: SandboxPerson) -> None:
    keyboard = [
        [{"text": "My number", "request_contact": True}],
        [{"text": "My place", "request_location": True}, "No"],
    ]
    await bot.ok("sendMessage", chat_id=ann.user_id, text="Where?", reply_markup={"keyboard": keyboard})
    for key in ("My number", "My place", "No"):
        await ann.tap(key)
    contact, located, text = await bot.messages()
    assert (contact["contact"]["user_id"], contact["contact"]["first_name"]) == (ann.user_id, "Ann")
    assert located["location"] == {"latitude": 52.5163, "longitude": 13.3777}
    assert text["text"] == "No"


async def test_keyboards_go_with_their_message_or_a_newer_one(bot: Any, ann: SandboxPerson) -> None:
    keyboard = {"keyboard": [["Yes", "No"]]}
    sent = [await bot.ok("sendMessage", chat_id=ann.user_id, text="?", reply_markup=keyboard) for _ in range(2)]
    await ann.find_keys("Yes", "No")
    await bot.ok("sendMessage", chat_id=ann.user_id, text="✓", reply_markup={"remove_keyboard": True})
    await ann.find_keys()
    with pytest.raises(PersonStuck, match="finds no key"):
        await ann.tap("Yes")
    again = await bot.ok("sendMessage", chat_id=ann.user_id, text="?", reply_markup={"keyboard": [["Maybe"]]})
    await ann.find_keys("Maybe")
    for message in (again, *sent):
        await bot.ok("deleteMessage", chat_id=ann.user_id, message_id=message["message_id"])
    await ann.find_keys()


async def test_a_contact_of_somebody_else_has_no_user_id(bot: Any, ann: SandboxPerson) -> None:
    await ann.send_contact("+49 30 1234", "Eve")
    assert (await only(bot))["contact"] == {"first_name": "Eve", "phone_number": "+49 30 1234"}
    with pytest.raises(PersonStuck, match="cannot be read"):
        await ann.send_location(91, 0)


async def test_the_bot_sends_places_and_contacts(bot: Any, ann: SandboxPerson) -> None:
    assert (await bot.aiogram.send_location(ann.user_id, 1.5, 2.5)).location.latitude == 1.5
    assert (await bot.aiogram.send_contact(ann.user_id, "+1", "Eve")).contact.first_name == "Eve"
    assert "wrong location" in await bot.refused("sendLocation", chat_id=ann.user_id, latitude=91, longitude=0)
    assert [message.media for message in await ann.look()] == ["location", "contact"]


async def test_a_forwarded_message_says_from_whom_and_has_no_buttons(
    bot: Any, ann: SandboxPerson, bob: SandboxPerson
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    sent = await bot.ok("sendMessage", chat_id=ann.user_id, text="/secret task", reply_markup=keyboard)
    team = await ann.create_group("Team", bob)
    await bot.updates()
    await ann.forward(sent["message_id"], team)
    message = Message.model_validate(await only(bot))
    assert message.forward_origin is not None
    assert (message.text, message.reply_markup) == ("/secret task", None)
