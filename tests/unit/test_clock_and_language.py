"""Time zones and languages that do not exist: refused where somebody wrote them, passed over in a system's own."""

import pytest
from pydantic import SecretStr, ValidationError

from baton.cli.errors import Usage
from baton.cli.forms.options import read_clock_and_language
from bot.settings import BotSettings


@pytest.mark.parametrize(
    ("language", "zone", "word"), [(None, "Europe/Berln", "time zone"), ("xx", None, "language"), ("en", "..", "zone")]
)
def test_a_zone_or_language_that_was_mistyped_is_a_usage_error(
    language: str | None, zone: str | None, word: str
) -> None:
    with pytest.raises(Usage, match=word):
        read_clock_and_language(language, zone)


def test_a_language_without_our_texts_is_read_in_english() -> None:
    assert read_clock_and_language("de-AT", "Asia/Tokyo") == ("en", "Asia/Tokyo")
    assert read_clock_and_language("ru_RU", "UTC") == ("ru", "UTC")


def test_a_system_zone_without_a_name_is_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    assert read_clock_and_language("en", None) == ("en", "UTC")


def test_a_bot_with_a_zone_that_does_not_exist_does_not_start() -> None:
    token = SecretStr("42:" + "A" * 35)
    told = {"redis_url": SecretStr("redis://x"), "engineapi_url": "http://x", "service_token": SecretStr("s" * 32)}
    with pytest.raises(ValidationError, match="'Mars/Phobos' is no time zone"):
        BotSettings(telegram_bot_token=token, bot_zone="Mars/Phobos", **told)
