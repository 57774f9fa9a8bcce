"""What files are by their beginnings, under the names that people, their programs and the bot give them.

`shared.file_heads` has beginnings of files as programs write them, each under a usual name.
"""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from aiogram.types import Message

from bot.telegram.files import IncomingFile, find_media
from files.types import find_suffix, find_type_by_name, list_possible_types
from files.uploads import detect_content_type, is_contradicted
from forms.fields.file import is_accepted
from shared.file_heads import FILE_HEADS, head

TYPES = {
    "audio/aac": "adts.aac",
    "audio/amr": "narrow.amr",
    "audio/flac": "flac.flac",
    "audio/mp4": "m4a.m4a isom.m4a mp42.m4a moov-first.m4a fragments.mp4",
    "audio/mpeg": "mpeg1.mp3 mpeg2.mp3 mpeg25.mp3 id3v3.mp3 id3v4.mp3 layer2.mp2",
    "audio/ogg": "opus.oga opus.opus vorbis.ogg flac.ogg",
    "audio/wav": "wav.wav",
    "audio/webm": "opus.webm",
    "audio/x-aiff": "aiff.aiff",
    "audio/x-caf": "caf.caf",
    "audio/x-matroska": "opus.mka",
    "audio/x-ms-wma": "wma.wma",
    "audio/x-wav": "rf64.wav",
    "application/pdf": "pdf.pdf",
    "image/avif": "avif.avif",
    "image/gif": "gif.gif",
    "image/heic": "heic.heic",
    "image/jpeg": "jfif.jpg",
    "image/png": "png.png",
    "image/tiff": "tiff.tiff",
    "image/webp": "webp.webp",
    "image/x-ms-bmp": "bmp.bmp",
    "video/3gpp": "3gp4.3gp",
    "video/3gpp2": "3g2a.3g2",
    "video/mp4": "isom.mp4 iso5.mp4 moov-first.mp4 m4v.m4v",
    "video/mpeg": "mpg.mpg",
    "video/ogg": "theora.ogv",
    "video/quicktime": "qt.mov",
    "video/webm": "vp8.webm",
    "video/x-flv": "flv.flv",
    "video/x-matroska": "h264.mkv",
    "video/x-ms-wmv": "wmv.wmv",
    "video/x-msvideo": "avi.avi",
}
OF_HEADS = [(kind, name) for kind, names in TYPES.items() for name in names.split()]


def zipped() -> bytes:
    with zipfile.ZipFile(content := io.BytesIO(), "w") as archive:
        archive.writestr("a.txt", "a")
    return content.getvalue()


def taken(content: bytes, name: str, accept: str) -> bool:
    kind = detect_content_type(content, name)
    return not is_contradicted(kind, name) and is_accepted(accept, name, kind)


def test_each_head_is_looked_at() -> None:
    assert {name for _, name in OF_HEADS} == {path.name for path in FILE_HEADS.iterdir()}


@pytest.mark.parametrize(("kind", "name"), OF_HEADS)
def test_a_file_is_what_it_is_and_its_field_takes_it(kind: str, name: str) -> None:
    assert detect_content_type(head(name), name) == kind
    family = "application/pdf" if name == "pdf.pdf" else f"{kind.partition('/')[0]}/*"
    for accept in (family, kind, f".{name.rpartition('.')[2]}", ""):
        assert taken(head(name), name, accept), accept
    assert not is_contradicted(kind, "unnamed")
    assert not taken(head(name), name, "image/*" if not kind.startswith("image/") else "audio/*,video/*")


@pytest.mark.parametrize(("kind", "name"), OF_HEADS)
def test_type_does_not_depend_on_an_unknown_extension(kind: str, name: str) -> None:
    by_the_name = {
        "isom.m4a": "video/mp4", "mp42.m4a": "video/mp4", "moov-first.m4a": "video/mp4", "mpg.mpg": "video/dvd",
        "wma.wma": "video/x-ms-wmv",
    }  # fmt: skip
    assert detect_content_type(head(name), None) == by_the_name.get(name, kind)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        # Telegram's own names stay when a program puts something else in.
        ("opus.webm", "voice-5.oga", "audio/webm"),
        ("fragments.mp4", "voice-5.oga", "audio/mp4"),
        ("png.png", "photo-5.jpg", "image/png"),
        # As browsers, phones and programs that save from the web name them.
        ("opus.webm", "recording.weba", "audio/webm"),
        ("opus.oga", "PTT-20261126-WA0001.ogg", "audio/ogg"),
        ("isom.m4a", "song.mp3", "audio/mp4"),
        ("iso5.mp4", "IMG_0001.MOV", "video/mp4"),
        ("adts.aac", "song.m4a", "audio/aac"),
        ("vorbis.ogg", "film.ogv", "audio/ogg"),
        ("3gp4.3gp", "voice.3gpp", "audio/3gpp"),
        ("heic.heic", "IMG_0001.JPG", "image/heic"),
    ],
)
def test_another_name_of_the_same_family_is_no_disguise(content: str, name: str, kind: str) -> None:
    assert detect_content_type(head(content), name) == kind
    assert taken(head(content), name, f"{kind.partition('/')[0]}/*")


def test_the_brands_of_phones_pictures_are_read_to_their_end() -> None:
    iphone = bytes.fromhex("00000024") + b"ftypmif1\0\0\0\0MiHBMiPrmiafheic"
    assert detect_content_type(iphone, "IMG_0001.HEIC") == "image/heic"
    assert detect_content_type(iphone.replace(b"heic", b"avif"), None) == "image/avif"
    assert detect_content_type(iphone.replace(b"heic", b"abcd"), None) == "image/heif"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"#!/bin/sh\nrm -rf /\n", "photo-5.jpg"),
        (b"#!/bin/sh\nrm -rf /\n", "voice-5.oga"),
        (b"<html><script>alert(1)</script>", "film.webm"),
        (b"<svg onload='alert(1)'>", "photo.jpg"),
        (b"<svg onload='alert(1)'>", "song.mp3"),
        (b"ID3 is a tag, says this text", "song.mp3"),
        ("ID3".encode("utf-16"), "song.mp3"),
        (head("pdf.pdf"), "song.mp3"),
        (zipped(), "film.mp4"),
        (zipped(), "voice.oga"),
        (b"MZ\x90\0" + bytes(100), "song.mp3"),
        (b"\x7fELF\2\1\1" + bytes(100), "voice-5.oga"),
        (b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(100), "song.flac"),
        (b"Rar!\x1a\7\1\0" + bytes(100), "film.mkv"),
        (head("mpeg1.mp3"), "photo.jpg"),
        (head("opus.oga"), "photo.png"),
        (head("isom.mp4"), "photo.heic"),
        (head("vp8.webm"), "paper.pdf"),
        (head("heic.heic"), "film.mp4"),
        (head("webp.webp"), "sound.wav"),
        (head("jfif.jpg"), "paper.pdf"),
        (b"\x9d\x0e" * 50, "photo.jpg"),
        (b"\x9d\x0e" * 50, "song.mp3"),
        ("#!/bin/sh\necho é\n".encode("latin-1"), "song.mp3"),
        ("Привет".encode("cp1251"), "film.mp4"),
        (b"\0asm\1\0\0\0" + bytes(100), "s.m4a"),
        (b"#!/bin/sh\nrm -rf /\n", "cv.pdf"),
        (b"hello", "d.svg"),
    ],
)
def test_disguised_file_is_refused(content: bytes, name: str) -> None:
    assert is_contradicted(detect_content_type(content, name), name)


def test_sound_may_stand_behind_room_for_a_tag() -> None:
    assert taken(bytes(417) + head("mpeg1.mp3"), "song.mp3", "audio/*")


@pytest.mark.parametrize(
    "before", [b"", b"<!-- by hand -->\n", b"<?xml version='1.0'?><!-- Generator --><!DOCTYPE svg>\n"]
)
def test_a_drawing_is_one_whatever_stands_in_front_of_it(before: bytes) -> None:
    drawing = before + b"<svg xmlns='http://www.w3.org/2000/svg'/>"
    assert taken(drawing, "d.svg", "image/*")
    assert not taken(b"<html>" + drawing, "d.svg", "image/*")


def test_no_length_that_a_file_says_of_itself_is_believed() -> None:
    assert detect_content_type(b"\xff\xff\xff\xffftypheic" + bytes(100), "photo.heic") == "image/heic"


@pytest.mark.parametrize(
    ("content", "name", "accept"),
    [
        (head("bmp.bmp"), "a.bmp", "image/bmp"),
        (b"BEGIN:VCARD\nVERSION:3.0\nEND:VCARD\n", "a.vcf", "text/vcard"),
        (b"# Title\n", "a.md", "text/markdown"),
        (b"\0\0\1\0\1\0" + bytes(100), "a.ico", "image/vnd.microsoft.icon"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "a.xls", "application/vnd.ms-excel"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "a.ppt", "application/vnd.ms-powerpoint"),
    ],
)
def test_a_field_takes_a_file_by_its_registered_name(content: bytes, name: str, accept: str) -> None:
    assert taken(content, name, accept)


def of_telegram(kind: str, **more: Any) -> IncomingFile:
    told = {"file_id": "f", "file_unique_id": "u", "file_size": 9, **more}
    about = {"message_id": 5, "date": datetime.now(UTC), "chat": {"id": 7, "type": "private"}}
    media = find_media(Message.model_validate({**about, kind: [told] if kind == "photo" else told}))
    assert media is not None
    return media


SIDES = {"width": 64, "height": 64}
LONG = {"duration": 1}


@pytest.mark.parametrize(
    ("media", "content", "accept"),
    [
        (of_telegram("voice", mime_type="audio/ogg", **LONG), "opus.oga", "audio/* audio/ogg .oga"),
        (of_telegram("voice", **LONG), "opus.oga", "audio/* audio/opus"),
        (of_telegram("audio", mime_type="audio/mpeg", **LONG), "mpeg2.mp3", "audio/* audio/mp3 .mp3"),
        (of_telegram("audio", mime_type="audio/mp4", **LONG), "isom.m4a", "audio/* audio/x-m4a .m4a"),
        (of_telegram("audio", mime_type="audio/x-wav", file_name="A.WAV", **LONG), "wav.wav", "audio/* .wav"),
        (of_telegram("video", mime_type="video/mp4", **SIDES, **LONG), "isom.mp4", "video/* video/mp4 .mp4"),
        (of_telegram("video_note", length=240, **LONG), "iso5.mp4", "video/* .mp4"),
        (of_telegram("animation", mime_type="video/mp4", **SIDES, **LONG), "isom.mp4", "video/*"),
        (of_telegram("photo", **SIDES), "jfif.jpg", "image/* image/jpg .jpg"),
        (of_telegram("document", mime_type="image/heic"), "heic.heic", "image/* .heic"),
        (of_telegram("document", file_name="rec.amr"), "narrow.amr", "audio/* .amr"),
        (of_telegram("document", mime_type="application/octet-stream", file_name="a.flac"), "flac.flac", "audio/*"),
        (of_telegram("document", mime_type="video/webm", file_name="a.webm"), "opus.webm", "audio/* .webm"),
        (of_telegram("document", mime_type="application/ogg", file_name="a.ogg"), "vorbis.ogg", "audio/*"),
        (of_telegram("document", mime_type="application/pdf"), "pdf.pdf", "application/pdf .pdf"),
    ],
)  # fmt: skip
def test_what_telegram_brings_is_fetched_and_taken(media: IncomingFile, content: str, accept: str) -> None:
    for part in accept.split():
        possible = list_possible_types(media.content_type, media.name)
        assert any(is_accepted(part, media.name, kind) for kind in possible), part
        assert taken(head(content), media.name, part), part


def test_impossible_file_is_not_fetched() -> None:
    assert list_possible_types("video/mp4", "film.mp4") == {"video/mp4"}
    assert list_possible_types("application/pdf", "a.pdf") == {"application/pdf"}
    assert list_possible_types("video/webm;codecs=vp8", "a.webm") == {"audio/webm", "video/webm"}


def test_names_say_the_same_on_every_machine() -> None:
    assert find_type_by_name("chart.chrt") is None, "that stands in /etc/mime.types"
    assert find_type_by_name("photo.jpg.gz") is None, "what is packed in a file is not what the file is"
    assert find_type_by_name("data:,A.Oga") == "audio/ogg"
    assert find_type_by_name(None) is None
    assert find_type_by_name("oga") is None
    usual = {
        "audio/mp4": ".m4a", "audio/mpeg": ".mp3", "audio/ogg": ".oga", "image/jpeg": ".jpg", "image/png": ".png",
        "text/plain": ".txt", "video/mp4": ".mp4", "application/x-unknown": "",
    }  # fmt: skip
    assert {kind: find_suffix(kind) for kind in usual} == usual
    assert find_suffix("Audio/Ogg; codecs=opus") == ".oga"


@pytest.mark.parametrize(("name", "said"), [("code.txt", "text/plain"), ("code", "text/plain"), ("a.csv", "text/csv")])
def test_digits_alone_are_a_text_like_any_other(name: str, said: str) -> None:
    assert detect_content_type(b"0123456789" * 5, name) == said
