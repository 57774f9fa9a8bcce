"""What the bot is told by its environment."""

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from forms.clock import is_zone
from kit.settings import ProcessSettings

__all__ = ["BotSettings"]


class BotSettings(ProcessSettings):
    """One bot; `telegram_api_url` is another server than Telegram's own, such as the sandbox."""

    telegram_bot_token: SecretStr
    telegram_api_url: str = Field(default="https://api.telegram.org", pattern=r"^https?://")
    telegram_limits: bool = Field(default=True, description="off for a server without limits, such as the sandbox")
    telegram_messages_per_second: int = Field(default=30, ge=1, description="over all; more where Telegram grants it")
    telegram_webhook_url: str | None = Field(
        default=None,
        description="the public address for updates; without it the bot polls",
    )
    telegram_webhook_secret: SecretStr | None = Field(
        default=None, description="1 to 256 letters, digits, - and _; made from the token by default"
    )
    telegram_webhook_host: str = Field(default="127.0.0.1", description="where the proxy behind that address finds us")
    telegram_webhook_port: int = Field(default=8443, ge=0, le=65535)
    bot_port: int | None = Field(default=None, description="serves /health/live, /health/ready and /metrics; 0: any")
    bot_host: str = "127.0.0.1"
    bot_zone: str = Field(default="UTC", description="IANA name of the clock by which people mean dates and times")
    redis_url: SecretStr
    engineapi_url: str = Field(pattern=r"^https?://")
    service_token: SecretStr

    @field_validator("telegram_webhook_url", mode="before")
    @classmethod
    def _is_an_address(cls, value: object) -> object:
        if not value:
            return None
        parts = urlsplit(str(value))
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("a webhook is an address such as https://bot.example.org/telegram")
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _is_a_secret_for_telegram(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
            raise ValueError("a webhook's secret is 1 to 256 letters, digits, - and _")
        return value

    @field_validator("bot_zone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if not is_zone(value):
            raise ValueError(f"{value!r} is no time zone; they have names such as Europe/Berlin")
        return value
