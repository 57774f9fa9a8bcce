"""Every text is in every language, with the same parameters; a new language is a folder and no code."""

import io
import re
import shutil
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from bot.texts import say
from forms.messages import LOCALES, find_supported, get_text
from kit.texts import Catalogue

ROOT = Path(__file__).parents[2]
PACKAGES = ("forms", "bot")
GERMAN = r"""
msgid ""
msgstr ""
"Language: de\n"
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "yes"
msgstr "Jawohl"

msgid "help"
msgstr "Ich kenne diese Befehle:"

msgid "too_long"
msgid_plural "length"
msgstr[0] "Zu lang: {length} Zeichen von {max}"
msgstr[1] "Zu lang: {length} Zeichen, {max} sind möglich"
"""


def catalogue(package: str, locale: str) -> Catalog:
    place = ROOT / package / "locale" / locale / "LC_MESSAGES" / f"{package}.po"
    return read_po(io.BytesIO(place.read_bytes()), locale=locale, abort_invalid=True)


def code_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def codes(package: str, locale: str) -> dict[str, Message]:
    return {code_of(message): message for message in catalogue(package, locale) if message.id}


def forms_of(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def parameters(said: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(said) if name is not None}


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_text_has_every_language_and_its_parameters(package: str, locale: str) -> None:
    ours, theirs = codes(package, "en"), codes(package, locale)
    assert theirs.keys() == ours.keys()
    plural_forms = catalogue(package, locale).num_plurals
    for code, message in theirs.items():
        assert message.id == ours[code].id, code
        assert not message.fuzzy, code
        assert all(forms_of(message)), code
        assert message.pluralizable is False or len(forms_of(message)) == plural_forms, code
        expected = set().union(*map(parameters, forms_of(ours[code])))
        assert all(parameters(said) == expected for said in forms_of(message)), code
        assert not message.pluralizable or message.id[1] in expected, code


@pytest.mark.parametrize(
    ("package", "places", "call"),
    [("bot", ("bot",), r"\bsay\("), ("forms", ("forms", "api"), r"\b(?:get_text|FieldError)\(")],
)
def test_every_code_that_is_named_has_a_text(package: str, places: tuple[str, ...], call: str) -> None:
    sources = [path.read_text() for place in places for path in (ROOT / place).rglob("*.py")]
    named = {found for source in sources for found in re.findall(call + r'\s*"(\w+)"', source)}
    assert len(named) > 10
    assert named <= codes(package, "en").keys()


def test_what_is_counted_has_the_form_of_its_number() -> None:
    said = [get_text("too_long", "ru", length=number, max=3).split(",")[0] for number in (1, 2, 5, 11, 21, 104)]
    assert [part.split(": ")[1] for part in said] == [
        "1 символ", "2 символа", "5 символов", "11 символов", "21 символ", "104 символа",
    ]  # fmt: skip
    assert "1 character," in get_text("too_long", "en", length=1, max=0)


def test_a_code_that_nobody_wrote_is_an_error() -> None:
    with pytest.raises(KeyError):
        say("no_such_text", "en")


@pytest.mark.parametrize(
    ("tag", "locale"),
    [("ru", "ru"), ("ru-RU", "ru"), ("RU_ru", "ru"), ("en-GB", "en"), ("xx", "en"), ("", "en"), (None, "en")],
)
def test_a_language_tag_finds_the_nearest_language(tag: str | None, locale: str) -> None:
    assert find_supported(tag) == locale


def test_what_a_language_lacks_is_said_in_english(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "forms" / "locale", tmp_path, dirs_exist_ok=True)
    add_german(tmp_path, "forms")
    found = Catalogue.read(tmp_path, "forms")
    assert found.locales == ("en", "de", "ru")
    assert [found.get_text(code, "de", {}) for code in ("yes", "no")] == ["Jawohl", "No"]
    assert found.get_text("too_long", "de", {"length": 1, "max": 0}) == "Zu lang: 1 Zeichen von 0"
    assert found.get_text("too_short", "de", {"length": 1, "min": 2}).startswith("Too short: 1 character,")


def test_a_third_language_is_a_folder_and_no_code(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package)
        add_german(tmp_path / package / "locale", package)
    program = (
        "from bot.texts import say; from forms.messages import LOCALES, find_supported, get_text;"
        "print(LOCALES, find_supported('de-AT'), get_text('yes', 'de-AT'), say('help', 'de'), say('stale', 'de'), "
        "sep='|')"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert told.stdout.strip().split("|") == [
        "('en', 'de', 'ru')", "de", "Jawohl", "Ich kenne diese Befehle:", say("stale", "en"),
    ]  # fmt: skip


def add_german(folder: Path, domain: str) -> None:
    place = folder / "de" / "LC_MESSAGES" / f"{domain}.po"
    place.parent.mkdir(parents=True)
    place.write_text(GERMAN)
