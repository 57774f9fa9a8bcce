"""How a process begins for a person: where it runs already, by its form, or at once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot.conversation import transitions
from bot.conversation.drafts import DraftKeeper
from bot.conversation.effects import Effects, Retire
from bot.conversation.state import Conversation
from bot.engine_api import CompletedTask, EngineApi, OpenTask, SubmittedAnswers
from bot.offers.titles import Titles
from forms.session.state import FormSession
from forms.session.threads import work_out

__all__ = ["ProcessStarter"]


class ProcessStarter:
    """Methods raise `ApiUnavailable` and `ApiProblem`."""

    def __init__(self, api: EngineApi, filling: DraftKeeper, titles: Titles) -> None:
        self._api = api
        self._filling = filling
        self._titles = titles

    async def is_open(self, session: FormSession) -> bool:
        """Tell whether a form still waits for answers; that of a start always does."""
        return session.is_open and (session.subject.is_start or await self._api.is_open(session.subject.id))

    async def list_running(self, process_key: str, user_id: str) -> list[str]:
        """List ids of the instances of a process that run for a person, by its business key."""
        return await self._api.list_running(f"{process_key}:{user_id}")

    async def of(
        self, state: Conversation, process_key: str, running: Sequence[str], origin: Mapping[str, str]
    ) -> tuple[Conversation, Effects]:
        """Go on with what is `running` of the process, else ask the form of its start, else start it. `origin` are
        variables of a new instance. Where that form is elsewhere, it starts the process: say where.
        """
        if running:
            state = replace(state, instance_id=running[0])
            return self._begin_waiting(state, await self._api.fetch_next_task(running[0], state.user_id))
        form, session = await self._filling.begin_draft(state, process_key)
        title = self._titles.of_process(process_key, state.locale)
        if form.source == "external":
            state, effects = transitions.show_form(replace(state, title=title), form, None)
            return state, (Retire(), *effects)
        if session is not None:
            # What is waited for elsewhere goes on without this chat; a form of a start has no instance yet.
            state = replace(state, instance_id=None, is_errand=False, title=title, origin=dict(origin))
            state, effects = await work_out(session, partial(transitions.show_form, state, form, session))
            return state, (Retire(), *effects)
        instance_id, task = await self._api.start(
            process_key, user=state.user_id, chat=str(state.chat_id), locale=state.locale, variables=origin
        )
        return self._begin_waiting(replace(state, instance_id=instance_id), task)

    async def submit(
        self, state: Conversation, session: FormSession, answers: SubmittedAnswers
    ) -> tuple[Conversation, CompletedTask]:  # fmt: skip
        """Return the answers of a form go out, and what follows comes back: of a start it is the new instance."""
        if not session.subject.is_start:
            return state, await self._api.submit(session.subject.id, answers)
        instance_id, done = await self._api.submit_start(
            session.subject.key, answers, chat=str(state.chat_id), variables=state.origin
        )
        return replace(state, instance_id=instance_id, origin={}), done

    async def follow_start(self, state: Conversation, process_key: str) -> Conversation:
        """Return the conversation about what the form of a start has begun, here or elsewhere, if it still runs."""
        running = await self.list_running(process_key, state.user_id)
        return replace(state, instance_id=running[0], origin={}) if running else state

    def _begin_waiting(self, state: Conversation, task: OpenTask | None) -> tuple[Conversation, Effects]:
        state, effects = transitions.complete_task(state, CompletedTask(task), self._titles)
        return state, (Retire(), *effects)
