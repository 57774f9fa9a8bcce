"""Text from any OpenAI-compatible endpoint. Retries are the engine's, so the library's own are off."""

from datetime import timedelta
from typing import Self

import openai

from kit.errors import BatonError, ConfigurationError
from workers.errors import Permanent
from workers.settings import WorkerSettings

__all__ = ["LLM", "ModelUnavailable"]

# Answers below 500 that mean "later": request time-out, conflict, too early, too many requests.
_LATER = frozenset({408, 409, 425, 429})


class ModelUnavailable(BatonError):
    """The endpoint did not answer, or not now; another attempt may help."""


class LLM:
    """One endpoint and one model; the connection is opened on first use, in the process that uses it."""

    def __init__(self, *, base_url: str | None, api_key: str, model: str, unavailable: str | None = None) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._unavailable = unavailable
        self._client: openai.AsyncOpenAI | None = None

    @classmethod
    def from_settings(cls, settings: WorkerSettings) -> Self:
        """Raise `ConfigurationError` when model or key are missing."""
        if not settings.openai_model:
            raise ConfigurationError("OPENAI_MODEL is not set: name the model that handlers with an LLM should use")
        if settings.openai_api_key is None:
            raise ConfigurationError("OPENAI_API_KEY is not set; any text will do if the endpoint asks for none")
        return cls(
            base_url=settings.openai_base_url,
            api_key=settings.openai_api_key.get_secret_value(),
            model=settings.openai_model,
            unavailable=settings.llm_unavailable,
        )

    async def answer(self, *, instructions: str, question: str, max_tokens: int, limit: timedelta) -> str:
        """Return the model's text, as it came. Raises `ModelUnavailable` (try again) or `Permanent` (refused)."""
        what = f"{self._base_url or 'the OpenAI endpoint'}, model {self._model}"
        try:
            reply = await self._open().chat.completions.create(
                model=self._model,
                messages=[{"role": "system", "content": instructions}, {"role": "user", "content": question}],
                max_tokens=max_tokens,
                timeout=limit.total_seconds(),
            )
        except openai.APITimeoutError as error:
            raise ModelUnavailable(f"{what}: no answer within {limit.total_seconds():g} s") from error
        except openai.APIConnectionError as error:
            if self._unavailable:
                raise Permanent(
                    f"The embedded model does not run: {self._unavailable}. Set OPENAI_BASE_URL, OPENAI_API_KEY and "
                    "OPENAI_MODEL to another model, start the stack again, and retry the incident"
                ) from error
            raise ModelUnavailable(f"{what}: cannot be reached: {error.__cause__ or error}") from error
        except openai.APIStatusError as error:
            message = f"{what}: {error.status_code} {error.message}"
            if error.status_code >= 500 or error.status_code in _LATER:
                raise ModelUnavailable(message) from error
            raise Permanent(f"{message}; check OPENAI_API_KEY, OPENAI_MODEL and the question") from error
        return (reply.choices[0].message.content or "") if reply.choices else ""

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _open(self) -> openai.AsyncOpenAI:
        if self._client is None:
            self._client = openai.AsyncOpenAI(base_url=self._base_url, api_key=self._api_key, max_retries=0)
        return self._client
