"""People send files to forms in Telegram, and the instance has them."""

from collections.abc import Awaitable, Callable

from baton.sandbox.person import SandboxPerson
from scenarios.fields import Field, live, submit, text
from shared.file_heads import head

Join = Callable[..., Awaitable[SandboxPerson]]


async def test_a_voice_message_is_taken_where_sound_is_asked_for(join: Join, field: Field) -> None:
    person = await join()
    asked = {"type": "filepicker", "key": "memo", "label": "Memo", "accept": "audio/*"}
    key = await field.asks(person, asked, text("name"))
    await person.send_file("film.mp4", head("isom.mp4"), kind="video", content_type="video/mp4")
    await person.see("film.mp4 cannot be used here")
    await person.send_file("film.webm", head("vp8.webm"), content_type="video/webm")
    await person.see("film.webm cannot be used here")
    await person.send_file("song.mp3", b"%PDF-1.7\n" + bytes(100), kind="audio", content_type="audio/mpeg")
    await person.see("The content of song.mp3 does not match its name.")
    voice = await person.send_voice(head("opus.oga"))
    await person.see("Name")
    await person.say("Ada")
    await submit(person)
    memo = (await field.left(key, person))["memo"]
    assert (memo.filename, memo.mime_type) == (f"voice-{voice}.oga", "audio/ogg")


async def test_of_an_album_all_or_the_first_are_taken_as_the_form_asks(join: Join, field: Field) -> None:
    person = await join()
    several = {"type": "filepicker", "key": "pets", "label": "Pets", "accept": "image/*", "multiple": True}
    one = {"type": "filepicker", "key": "face", "label": "Face", "accept": "image/*"}
    key = await field.asks(person, several, one, text("name"))
    album = {f"{number}.jpg": head("jfif.jpg") for number in range(3)}
    first = await person.send_album(album)
    names = [f"photo-{first + number}.jpg" for number in range(3)]
    taken = await person.see(lambda shown: names[-1] in shown.text and bool(shown.data))
    assert all(name in taken.text for name in names)
    await person.press("Done", on=taken)
    await person.see(live("Face"))
    first = await person.send_album(album)
    await person.see("the rest of the album was not used")
    asked = await person.see(live("Name"))
    assert "⚠️" not in asked.text
    await person.say("Ada")
    await submit(person)
    left = await field.left(key, person)
    assert [pet["name"] for pet in left["pets"]] == names
    assert (left["face"].filename, left["name"]) == (f"photo-{first}.jpg", "Ada")
    told = [shown for shown in await person.look() if "the rest of the album" in shown.text]
    assert len(told) == 1
