"""How a process begins for a person: where it runs already, by its form, or at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot import conversation as talk
from bot.conversation import Conversation
from bot.effects import Effects, Retire
from bot.engine_api import Answers, Completed, EngineApi, OpenTask
from bot.filling import Filling
from bot.titles import Titles
from forms.session import FormSession
from forms.threads import worked_out

__all__ = ["Beginning"]


class Beginning:
    """Methods raise `ApiUnavailable` and `ApiProblem`."""

    def __init__(self, api: EngineApi, filling: Filling, titles: Titles) -> None:
        self._api = api
        self._filling = filling
        self._titles = titles

    async def is_open(self, session: FormSession) -> bool:
        """Whether a form still waits for answers; that of a start always does."""
        return session.is_open and (session.subject.is_start or await self._api.is_open(session.subject.id))

    async def running(self, process_key: str, user_id: str) -> list[str]:
        """Ids of the instances of a process that run for a person, by its business key."""
        return await self._api.running(f"{process_key}:{user_id}")

    async def of(
        self, state: Conversation, process_key: str, running: Sequence[str], origin: Mapping[str, str]
    ) -> tuple[Conversation, Effects]:
        """Go on with what is `running` of the process, else ask the form of its start, else start it. `origin` are
        variables of a new instance. Where that form is elsewhere, it starts the process: say where.
        """
        if running:
            state = replace(state, instance_id=running[0])
            return self._started(state, await self._api.next_task(running[0], state.user_id))
        form, session = await self._filling.begun(state, process_key)
        title = self._titles.of_process(process_key, state.locale)
        if form.source == "external":
            state, effects = talk.form_opened(replace(state, title=title), form, None)
            return state, (Retire(), *effects)
        if session is not None:
            # What is waited for elsewhere goes on without this chat; a form of a start has no instance yet.
            state = replace(state, instance_id=None, is_errand=False, title=title, origin=dict(origin))
            state, effects = await worked_out(session, partial(talk.form_opened, state, form, session))
            return state, (Retire(), *effects)
        instance_id, task = await self._api.start(
            process_key, user=state.user_id, chat=str(state.chat_id), locale=state.locale, variables=origin
        )
        return self._started(replace(state, instance_id=instance_id), task)

    async def submitted(
        self, state: Conversation, session: FormSession, answers: Answers
    ) -> tuple[Conversation, Completed]:  # fmt: skip
        """The answers of a form go out, and what follows comes back: of a start it is the new instance."""
        if not session.subject.is_start:
            return state, await self._api.submit(session.subject.id, answers)
        instance_id, done = await self._api.submit_start(
            session.subject.key, answers, chat=str(state.chat_id), variables=state.origin
        )
        return replace(state, instance_id=instance_id, origin={}), done

    async def seen(self, state: Conversation, process_key: str) -> Conversation:
        """The conversation about what the form of a start has begun, here or elsewhere, if it still runs."""
        running = await self.running(process_key, state.user_id)
        return replace(state, instance_id=running[0], origin={}) if running else state

    def _started(self, state: Conversation, task: OpenTask | None) -> tuple[Conversation, Effects]:
        state, effects = talk.completed(state, Completed(task), self._titles)
        return state, (Retire(), *effects)
