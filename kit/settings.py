"""Settings of a process, from its environment alone; a secret comes as NAME, or as a file that NAME_FILE names."""

import os
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from kit.errors import ConfigurationError

__all__ = ["ProcessSettings", "check_secret"]

MIN_SECRET_CHARACTERS = 32


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads the file that NAME_FILE points to, as container platforms mount secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        place = os.environ.get(f"{field_name.upper()}_FILE") if _is_secret(field) else None
        return (_read_secret(field_name, place) if place else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def _read_secret(name: str, place: str) -> str:
    try:
        return Path(place).read_text().strip()
    except OSError as error:
        message = f"{name.upper()}_FILE names {place}, which cannot be read: {error.strerror}"
        raise ConfigurationError(message) from error


class ProcessSettings(BaseSettings):
    """The base of every process's settings. Raises `ConfigurationError` for a secret's file that cannot be read."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- no .env is read: the environment is the truth
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SecretFiles(settings_cls)


def check_secret(name: str, secret: SecretStr) -> SecretStr:
    """Return a secret that is long enough. Raises `ConfigurationError`."""
    length = len(secret.get_secret_value())
    if length < MIN_SECRET_CHARACTERS:
        raise ConfigurationError(
            f"{name} (or {name}_FILE) must hold at least {MIN_SECRET_CHARACTERS} characters; it has {length}"
        )
    return secret
