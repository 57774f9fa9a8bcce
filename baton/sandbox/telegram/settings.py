"""What the sandbox can be told."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, SecretStr, StringConstraints, field_validator

__all__ = ["SandboxSettings"]


class SandboxSettings(BaseModel):
    """One bot and the sandbox's patience.

    `token` has Telegram's form `<bot id>:<secret>`. `query_lifetime` is how long a pressed button waits for its answer;
    `webhook_retry` is the first pause after a failed delivery, it doubles up to a minute.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: SecretStr
    bot_name: Annotated[str, StringConstraints(min_length=1, max_length=64)] = "Baton"
    bot_username: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]\w{3,30}$")] = "baton_sandbox_bot"
    query_lifetime: timedelta = timedelta(seconds=15)
    webhook_retry: timedelta = timedelta(seconds=1)

    @field_validator("token")
    @classmethod
    def _has_the_form_of_a_token(cls, token: SecretStr) -> SecretStr:
        number, colon, secret = token.get_secret_value().partition(":")
        well_formed = number.isascii() and number.isdigit() and colon and secret
        if not (well_formed and secret.isascii() and secret.replace("-", "").replace("_", "").isalnum()):
            raise ValueError("a bot token is <number>:<letters, digits, - and _>")
        return token

    @property
    def bot_id(self) -> int:
        return int(self.token.get_secret_value().partition(":")[0])
