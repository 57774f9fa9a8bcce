"""Settings from the environment; a secret comes as NAME, or as a file that NAME_FILE names."""

from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from bpmn.errors import BatonError

__all__ = ["ConfigurationError", "ServiceSettings", "checked_secret"]

MIN_SECRET_CHARACTERS = 32


class ConfigurationError(BatonError):
    """A process cannot start as it is configured; the message names the variable."""


class _SecretFiles(EnvSettingsSource):
    """Reads NAME_FILE where NAME is a secret."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        if field.annotation is not SecretStr:
            return None, field_name, False
        place = self.env_vars.get(f"{field_name}_file")
        if not place:
            return None, field_name, False
        try:
            return Path(place).read_text().strip(), field_name, False
        except OSError as error:
            message = f"{field_name.upper()}_FILE names {place}, which cannot be read: {error.strerror}"
            raise ConfigurationError(message) from error


class ServiceSettings(BaseSettings):
    """The base of every service's settings: no .env file is read, the environment is the truth."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- see above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SecretFiles(settings_cls)


def checked_secret(name: str, secret: SecretStr) -> SecretStr:
    """A secret that is long enough. Raises `ConfigurationError`."""
    length = len(secret.get_secret_value())
    if length < MIN_SECRET_CHARACTERS:
        raise ConfigurationError(
            f"{name} (or {name}_FILE) must hold at least {MIN_SECRET_CHARACTERS} characters; it has {length}"
        )
    return secret
