"""What engine-api is told by its environment."""

from pydantic import Field, SecretStr, field_validator

from bpmn.settings import ProcessSettings, checked_secret

__all__ = ["EngineApiSettings"]


class EngineApiSettings(ProcessSettings):
    """`engine_url` ends in /engine-rest; `service_token` is what callers must show.

    `max_long_polls` is how many fetches of stock external-task clients may wait at once. The engine holds 500 waiting
    ones in all (`ENGINE_POLL_QUEUE`), the bridge's included.
    """

    engine_url: str = Field(pattern=r"^https?://")
    engine_token: SecretStr
    service_token: SecretStr
    host: str = "127.0.0.1"
    port: int = Field(default=8081, ge=0, le=65535)

    max_long_polls: int = Field(default=100, ge=1, le=10_000)

    @field_validator("service_token")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        return checked_secret("SERVICE_TOKEN", value)
