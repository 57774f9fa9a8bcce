"""What engine-api is told by its environment."""

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator

from kit.errors import ConfigurationError
from kit.settings import ProcessSettings, check_secret

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

    form_prefixes: bool = Field(
        default=True, description="whether prefixes of field ids, as `text_`, mean something where no model says so"
    )
    tasklist_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s(){}<>\[\]\\?#]+$",
        description="of Tasklist's web application, as https://bpm.example.org/camunda: embedded forms link to it",
    )
    redis_url: SecretStr | None = Field(default=None, description="where drafts of forms are; without it none are kept")
    draft_life: timedelta = Field(
        default=timedelta(days=30), gt=timedelta(0), description="how long after its last change, as P30D or in seconds"
    )
    files_url: str | None = Field(default=None, description="where files are: file:///folder, s3://bucket/folder, …")
    files_secret: SecretStr | None = Field(default=None, description="signs the links by which files are fetched")
    files_spill_above_bytes: int = Field(default=256 * 1024, ge=4096)
    file_max_bytes: int = Field(default=50 * 2**20, ge=1, description="larger uploads are refused")
    file_inline_max_bytes: int = Field(
        default=512 * 1024, ge=0, description="a single file up to this size becomes a File variable of the engine"
    )
    file_link_life: timedelta = Field(default=timedelta(minutes=15), gt=timedelta(0))
    file_sweep_every: timedelta = Field(
        default=timedelta(hours=6), ge=timedelta(0), description="how often files of forgotten instances are erased"
    )

    @field_validator("service_token", "files_secret")
    @classmethod
    def _check_length(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        return check_secret(str(info.field_name).upper(), value) if value is not None else None

    @model_validator(mode="after")
    def _check_files_secret(self) -> Self:
        if self.files_url is not None and self.files_secret is None:
            raise ConfigurationError("FILES_URL needs FILES_SECRET (or FILES_SECRET_FILE), which signs links to files")
        return self
