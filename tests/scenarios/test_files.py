"""People send files to forms in Telegram, and the instance has them."""

from collections.abc import Awaitable, Callable

from baton.sandbox.person import Person
from scenarios.fields import Field, submit, text
from shared.file_heads import head

Join = Callable[..., Awaitable[Person]]


async def test_a_voice_message_is_taken_where_sound_is_asked_for(join: Join, field: Field) -> None:
    person = await join()
    asked = {"type": "filepicker", "key": "memo", "label": "Memo", "accept": "audio/*"}
    key = await field.asks(person, asked, text("name"))
    await person.send_file("film.mp4", head("isom.mp4"), kind="video", content_type="video/mp4")
    await person.sees("film.mp4 is of another type")
    await person.send_file("film.webm", head("vp8.webm"), content_type="video/webm")
    await person.sees("film.webm is of another type")
    await person.send_file("song.mp3", b"%PDF-1.7\n" + bytes(100), kind="audio", content_type="audio/mpeg")
    await person.sees("What is in song.mp3 is something else than its name says.")
    voice = await person.send_voice(head("opus.oga"))
    await person.sees("Name")
    await person.say("Ada")
    await submit(person)
    memo = (await field.left(key, person))["memo"]
    assert (memo.filename, memo.mime_type) == (f"voice-{voice}.oga", "audio/ogg")
