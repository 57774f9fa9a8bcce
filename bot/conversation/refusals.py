"""What people are told where engine-api refuses."""

from datetime import datetime

import structlog

from bot.errors import ApiProblem, ApiUnavailable
from bot.offers.task_list import format_moment
from bot.people.names import PersonNames
from bot.texts import say

__all__ = ["Refusals", "describe_refusal"]

_TOLD = {"not_your_task": "not_offered", "task_gone": "task_over", "completed_elsewhere": "task_over"}

log = structlog.get_logger()


class Refusals:
    """`zone`: the IANA name of the clock on which people read when somebody was faster."""

    def __init__(self, people: PersonNames, *, zone: str) -> None:
        self._people = people
        self._zone = zone

    async def explain(self, problem: ApiProblem, locale: str) -> str:
        """Return a plain text for what engine-api answered to a claim."""
        log.info("a task is not taken", code=problem.code, reason=str(problem))
        by, at = problem.members.get("by"), problem.members.get("at")
        if problem.code == "claimed_by_other" and by:
            return say("claimed_by_other", locale, name=await self._people.name_of(by))
        if problem.code == "completed_elsewhere" and by and at:
            moment = format_moment(datetime.fromisoformat(at), locale, self._zone)
            return say("completed_by", locale, name=await self._people.name_of(by), time=moment)
        return say(_TOLD.get(problem.code) or describe_refusal(problem), locale)


def describe_refusal(error: ApiUnavailable | ApiProblem) -> str:
    """Return what people are told of it, by its code in `bot.texts`."""
    if isinstance(error, ApiUnavailable):
        return "unavailable"
    return "suspended" if error.code == "suspended" else "failed"
