"""What the bot is told by its environment; a secret comes as NAME, or as a file that NAME_FILE names."""

import os
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.sources import EnvSettingsSource

from bot.errors import ConfigurationError

__all__ = ["BotSettings"]


class _SecretFiles(EnvSettingsSource):
    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        place = os.environ.get(f"{field_name.upper()}_FILE") if field.annotation is SecretStr else None
        if not place:
            return None, field_name, False
        try:
            return Path(place).read_text().strip(), field_name, False
        except OSError as error:
            message = f"{field_name.upper()}_FILE names {place}, which cannot be read: {error.strerror}"
            raise ConfigurationError(message) from error


class BotSettings(BaseSettings):
    """One bot; `telegram_api_url` is another server than Telegram's own, such as the sandbox."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    telegram_bot_token: SecretStr
    telegram_api_url: str = Field(default="https://api.telegram.org", pattern=r"^https?://")
    redis_url: SecretStr
    engineapi_url: str = Field(pattern=r"^https?://")
    service_token: SecretStr

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 -- the environment is the truth
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SecretFiles(settings_cls)
