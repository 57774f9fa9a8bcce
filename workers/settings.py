"""What these processes are told by their environment."""

import os
import socket
from datetime import timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from kit.settings import ProcessSettings
from workers.loading import OUR_HANDLERS

__all__ = ["BridgeSettings", "BrokerSettings", "HandlerSettings", "WorkerSettings"]

_REDIS = ("redis", "rediss")
_BROKERS = ("amqp", "amqps", "pyamqp", *_REDIS)


def _split_parts(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


_Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_parts)]
"""Several names in one variable, with commas between them."""


class HandlerSettings(ProcessSettings):
    """Which handlers there are. All processes of one installation must load the same ones."""

    worker_handlers: _Names = Field(
        default=(OUR_HANDLERS,), description="modules and packages of handlers, with commas between them"
    )
    tool_configs: _Names = Field(
        default=(), description="further ones, beside WORKER_HANDLERS and what installed packages bring"
    )

    handler_folders: _Names = Field(
        default=(), description="where else modules of handlers are searched, with commas between the folders"
    )

    @property
    def handler_modules(self) -> tuple[str, ...]:
        """For `load_handlers`."""
        return tuple(dict.fromkeys((*self.worker_handlers, *self.tool_configs)))


class BrokerSettings(HandlerSettings):
    """What bridge and workers share."""

    rabbitmq_url: SecretStr = Field(description="any Celery broker URL: amqp://, redis://, …")
    redis_url: SecretStr | None = Field(default=None, description="for the ledger of starts; default: the broker")
    files_url: str | None = Field(default=None, description="where files are: file:///folder, s3://bucket/folder, …")
    files_spill_above_bytes: int = Field(
        default=256 * 1024, ge=4096, description="larger values of variables are stored as files, if there is FILES_URL"
    )
    baton_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("rabbitmq_url", "redis_url")
    @classmethod
    def _check_scheme(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        known = _BROKERS if info.field_name == "rabbitmq_url" else _REDIS
        if value is not None and (scheme := urlsplit(value.get_secret_value()).scheme) not in known:
            # Without the value: it holds a password.
            raise ValueError(f"must be a URL that begins with {'://, '.join(known)}://, not {scheme or 'no scheme'}")
        return value

    @property
    def broker_url(self) -> str:
        return self.rabbitmq_url.get_secret_value()

    @property
    def is_redis(self) -> bool:
        """Whether the broker is Redis or Valkey, whose transport promises less than AMQP."""
        return urlsplit(self.broker_url).scheme in {"redis", "rediss"}

    @property
    def ledger_url(self) -> str | None:
        if self.redis_url is not None:
            return self.redis_url.get_secret_value()
        return self.broker_url if self.is_redis else None


class WorkerSettings(BrokerSettings):
    """One worker process: which queue it serves, and what its clients need."""

    worker_type: str = Field(min_length=1, description="the queue to serve: llm, image, …; all: every queue")
    worker_concurrency: int = Field(default=1, ge=1, le=256)
    worker_pool: Literal["prefork", "threads"] = Field(
        default="prefork", description="threads: one process, whose asynchronous handlers share one loop"
    )
    worker_port: int | None = Field(
        default=None, ge=0, le=65535, description="serves /health/live, /health/ready, /health/startup and /metrics"
    )
    worker_host: str = "127.0.0.1"
    worker_max_memory_mb: int | None = Field(
        default=None, ge=32, description="a process of the pool that has more is replaced after its job (prefork only)"
    )
    worker_outcomes_kept: timedelta = Field(
        default=timedelta(days=7), gt=timedelta(0), description="how long idempotent_by remembers, as P7D or in seconds"
    )
    openai_base_url: str | None = None
    openai_api_key: SecretStr | None = None
    openai_model: str | None = None
    llm_unavailable: str | None = Field(default=None, description="why the embedded model does not run, if it doesn't")


class BridgeSettings(BrokerSettings):
    """The bridge: which engine, and optionally which queues only and where to answer health checks."""

    engine_url: str = Field(pattern=r"^https?://", description="ends in /engine-rest")
    engine_token: SecretStr
    bridge_queues: _Names = ()
    bridge_bundles: bool = Field(default=True, description="off: every job travels alone, however short")
    bridge_port: int | None = Field(default=None, description="serves /health/live, /health/ready and /metrics; 0: any")
    bridge_host: str = "127.0.0.1"
    bridge_replica: str = Field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}")
