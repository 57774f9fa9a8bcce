"""What the bot is told by its environment."""

from pydantic import Field, SecretStr

from bpmn.settings import ProcessSettings

__all__ = ["BotSettings"]


class BotSettings(ProcessSettings):
    """One bot; `telegram_api_url` is another server than Telegram's own, such as the sandbox."""

    telegram_bot_token: SecretStr
    telegram_api_url: str = Field(default="https://api.telegram.org", pattern=r"^https?://")
    telegram_limits: bool = Field(default=True, description="off for a server without limits, such as the sandbox")
    telegram_messages_per_second: int = Field(default=30, ge=1, description="over all; more where Telegram grants it")
    redis_url: SecretStr
    engineapi_url: str = Field(pattern=r"^https?://")
    service_token: SecretStr
