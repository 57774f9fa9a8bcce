"""Every process reads its environment the same way, and says clearly what is wrong with it."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from kit.errors import ConfigurationError
from kit.settings import ProcessSettings, check_secret


class Settings(ProcessSettings):
    token: SecretStr
    place: str = "here"


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from the file\n")
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("PLACE_FILE", str(tmp_path / "token"))  # not a secret: not read
    settings = Settings()
    assert (settings.token.get_secret_value(), settings.place) == ("from the file", "here")
    assert "from the file" not in repr(settings)


def test_a_secrets_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_FILE", str(tmp_path / "absent"))
    with pytest.raises(ConfigurationError, match=r"TOKEN_FILE names .*absent"):
        Settings()


def test_a_missing_secret_is_an_error() -> None:
    with pytest.raises(ValidationError):
        Settings()


def test_a_secret_has_a_least_length() -> None:
    with pytest.raises(ConfigurationError, match="at least 32 characters; it has 5"):
        check_secret("TOKEN", SecretStr("short"))
