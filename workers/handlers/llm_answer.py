"""Topic `llm-answer`: a short answer in the person's language."""

from datetime import timedelta

from pydantic import BaseModel, Field

from bpmn.errors import BatonError
from workers.clients.llm import LLM
from workers.registry import handler

__all__ = ["Answer", "EmptyAnswer", "Question", "llm_answer"]

TIMEOUT = timedelta(seconds=60)
# Small local models ramble, and on few cores every token costs 20 to 140 ms.
MAX_TOKENS = 64
MAX_ANSWER_CHARACTERS = 4000
_LANGUAGES = {"en": "English", "ru": "Russian"}


class Question(BaseModel):
    """What to answer; `locale` is a language code such as en, ru or pt-BR."""

    question: str = Field(min_length=1, max_length=4000)
    locale: str = Field(default="en", min_length=2, max_length=20)


class Answer(BaseModel):
    """The text to show, stripped, never empty."""

    answer: str


class EmptyAnswer(BatonError):
    """The model said nothing; another attempt may bring a text."""


@handler("llm-answer", queue="llm", timeout=TIMEOUT)
async def llm_answer(job: Question, llm: LLM) -> Answer:
    """Ask the model for two sentences at most."""
    language = _LANGUAGES.get(job.locale.split("-")[0].lower(), f"the language with the code {job.locale}")
    text = await llm.answer(
        instructions=f"You are a friendly assistant. Answer in {language}, in one or two short sentences.",
        question=job.question,
        max_tokens=MAX_TOKENS,
        limit=TIMEOUT - timedelta(seconds=5),
    )
    if not (text := text.strip()):
        raise EmptyAnswer("the model answered with an empty text")
    return Answer(answer=text[:MAX_ANSWER_CHARACTERS])
