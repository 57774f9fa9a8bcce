"""What engine-api is told by its environment."""

from pydantic import Field, SecretStr, field_validator

from bpmn.settings import ProcessSettings, checked_secret

__all__ = ["EngineApiSettings"]


class EngineApiSettings(ProcessSettings):
    """`engine_url` ends in /engine-rest; `service_token` is what callers must show."""

    engine_url: str = Field(pattern=r"^https?://")
    engine_token: SecretStr
    service_token: SecretStr
    host: str = "127.0.0.1"
    port: int = Field(default=8081, ge=0, le=65535)

    @field_validator("service_token")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        return checked_secret("SERVICE_TOKEN", value)
