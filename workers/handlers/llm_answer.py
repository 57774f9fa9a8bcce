"""Topic `llm-answer`: a short answer in the person's language."""

import re
from datetime import timedelta

from pydantic import BaseModel, Field

from kit.errors import BatonError
from workers.clients.llm import LLM
from workers.registry import handler

__all__ = ["Answer", "EmptyAnswer", "Question", "llm_answer", "trim_to_sentences"]

TIMEOUT = timedelta(seconds=60)
# Shorter than the time-out: heartbeats renew it, and when a worker is killed somebody waits no longer than this.
LOCK = timedelta(seconds=30)
# Small local models ramble, and on few cores every token costs 20 to 140 ms.
MAX_TOKENS = 64
MAX_ANSWER_CHARACTERS = 4000
_SENTENCE_END = re.compile(r"[.!?…]+[\"”»)]*(?=\s|$)")
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


@handler("llm-answer", queue="llm", timeout=TIMEOUT, lock=LOCK)
async def llm_answer(job: Question, llm: LLM) -> Answer:
    """Ask the model for two sentences at most."""
    language = _LANGUAGES.get(job.locale.split("-")[0].lower(), f"the language with the code {job.locale}")
    text = await llm.answer(
        instructions=f"You are a friendly assistant. Answer in {language}, in one or two short sentences.",
        question=job.question,
        max_tokens=MAX_TOKENS,
        limit=TIMEOUT - timedelta(seconds=5),
    )
    if not (text := trim_to_sentences(text.strip())):
        raise EmptyAnswer("the model answered with an empty text")
    return Answer(answer=text[:MAX_ANSWER_CHARACTERS])


def trim_to_sentences(text: str) -> str:
    """Trim without quotation marks around it all, and without the sentence that the token limit cut off, if others
    stay.
    """
    for opening, closing in (('"', '"'), ("“", "”"), ("«", "»")):
        if text.startswith(opening):
            text = text.removeprefix(opening).removesuffix(closing).strip()
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]].strip() if ends else text
