"""What a conversation wants to be done, done: answers go out, forms are opened, and what follows is shown."""

from dataclasses import replace
from functools import partial

from bot.conversation import transitions
from bot.conversation.drafts import DraftKeeper
from bot.conversation.effects import Close, Effects, Find, GiveBack, GoOn, Open, Retire, Submit, Tell
from bot.conversation.form_message import FormMessage
from bot.conversation.process_start import ProcessStarter
from bot.conversation.state import Conversation
from bot.engine_api import CompletedTask, EngineApi, SubmittedAnswers
from bot.errors import ApiProblem
from bot.offers.titles import Titles
from bot.people.names import PersonNames
from bot.texts import say
from drafts.store import format_surface
from forms.session.state import FormSession
from forms.session.threads import work_out
from forms.telegram import TelegramView, build_superseded_view

__all__ = ["Interpreter"]

_OVER = frozenset({"completed_elsewhere", "task_gone"})
_ANOTHERS = frozenset({"not_your_task", "claimed_by_other"})


class Interpreter:
    """The effects of one bot's conversations. Who calls holds the conversation's lock, and saves what comes back."""

    def __init__(
        self,
        api: EngineApi,
        filling: DraftKeeper,
        beginning: ProcessStarter,
        stage: FormMessage,
        titles: Titles,
        people: PersonNames,
    ) -> None:
        self._api = api
        self._filling = filling
        self._beginning = beginning
        self._form_message = stage
        self._titles = titles
        self._people = people

    async def run_effects(self, state: Conversation, effects: Effects) -> Conversation:
        """Return the conversation after these effects, in their order, and after those that they lead to."""
        for number, effect in enumerate(effects):
            match effect:
                case Submit():
                    return await self._submit(state, effect, effects[number + 1 :])
                case Open(task):
                    form, session = await self._filling.open_draft(state, task)
                    state = await self.run_effects(
                        *await work_out(session, partial(transitions.show_form, state, form, session))
                    )
                case Find(started):
                    state = await self._find(await self._beginning.follow_start(state, started) if started else state)
                case GoOn(instance_id):
                    state = await self._go_on(state, instance_id)
                case Close():
                    state = await self._close(state, effect)
                case GiveBack(code):
                    state = await self._give_back(state, code)
                case _:
                    state = await self._form_message.play(state, effect)
        return state

    async def _submit(self, state: Conversation, effect: Submit, rest: Effects) -> Conversation:
        """Return the answers go out; what was to be shown of the form's end is shown when they are taken."""
        session = effect.session
        answers = SubmittedAnswers(
            state.user_id, effect.answers, session.id, session.revision, format_surface(state.surface),
            session.locale, session.zone,
        )  # fmt: skip
        try:
            state, done = await self._beginning.submit(state, session, answers)
        except ApiProblem as problem:
            return await self._handle_refusal(replace(state, session=session), problem, rest)
        state = await self.run_effects(state, rest)
        return await self.run_effects(*transitions.complete_task(state, done, self._titles))

    async def _handle_refusal(self, state: Conversation, problem: ApiProblem, rest: Effects) -> Conversation:
        session = state.session
        assert session is not None
        # The draft of a start is gone only where its instance has started long ago.
        if problem.code in _OVER or (problem.code == "draft_gone" and session.subject.is_start):
            return await self._handle_gone_task(state, session, problem, rest)
        if problem.code in _ANOTHERS:
            return await self.run_effects(*transitions.lose_task(state))
        if problem.code in {"revision_conflict", "form_changed", "being_submitted", "draft_gone"}:
            return await self._open_anew(state, session, problem, rest)
        if problem.status != 422:
            raise problem
        # To be asked, the engine held the draft and gave it back, which are two revisions.
        now = await self._filling.load_draft(state)
        if (given_back := now.session) is None or now.closed is not None:
            return await self.run_effects(*transitions.redraw(now))
        errors = problem.members.get("errors") or []
        after, effects = await work_out(given_back, lambda: transitions.show_errors(now, given_back, errors))
        return await self.run_effects(*await self._filling.save_step(now, after, effects))

    async def _open_anew(
        self, state: Conversation, session: FormSession, problem: ApiProblem, rest: Effects
    ) -> Conversation:
        """Return the form as it is now, or the draft as another surface left it."""
        try:
            reopened = await self._filling.reopen_draft(state)
        except ApiProblem as other:
            if other.code not in _OVER:
                raise
            return await self._handle_gone_task(state, session, other, rest)
        return await self.run_effects(
            *await work_out(reopened.session, lambda: transitions.report_change(reopened, problem.code))
        )

    async def _handle_gone_task(
        self, state: Conversation, session: FormSession, problem: ApiProblem, rest: Effects = ()
    ) -> Conversation:
        """Handle a task that is gone: somebody completed or cancelled it. `rest`: what was to be shown of
        the form's end, had it been the person's own.
        """
        by, at, where = (problem.members.get(name) for name in ("by", "at", "surface"))
        if session.subject.is_start:
            by = state.user_id  # nobody else has this draft
        elif rest and by == state.user_id and (instance_id := state.form_instance_id) is not None:
            # Our own earlier try got through.
            return await self.run_effects(state, (*rest, GoOn(instance_id)))
        return await self.run_effects(*await work_out(session, partial(transitions.close_form, state, by, at, where)))

    async def _close(self, state: Conversation, closed: Close) -> Conversation:
        by = closed.by
        if by == state.user_id:
            by = say("you", state.locale)
        elif by is not None:
            by = await self._people.name_of(by)
        shown = build_superseded_view(closed.session, by=by, surface=closed.surface, at=closed.at)
        # A form that is in no message, because it was put aside or never shown, is told of by a new one.
        return await self._form_message.play(state, Retire(shown) if state.message_id is not None else Tell(shown.text))

    async def _go_on(self, state: Conversation, instance_id: str) -> Conversation:
        """Return what follows on a completion is asked for, where the answer to it was not heard."""
        task = await self._api.fetch_next_task(instance_id, state.user_id)
        ending = await self._api.fetch_ending(instance_id) if task is None else None
        return await self.run_effects(*transitions.complete_task(state, CompletedTask(task, ending), self._titles))

    async def _give_back(self, state: Conversation, code: str) -> Conversation:
        session = state.session
        assert session is not None
        try:
            await self._api.give_back(session.subject.id, state.user_id)
        except ApiProblem as problem:
            if problem.code == "no_candidates":  # it is offered to nobody any more, so stays theirs
                return await self._drop_form(state, "put_aside")
            if problem.code in _OVER:
                return await self._handle_gone_task(state, session, problem)
            if problem.code in _ANOTHERS:
                return await self.run_effects(*transitions.lose_task(state))
            raise
        return await self._drop_form(state, code)

    async def _drop_form(self, state: Conversation, code: str) -> Conversation:
        """Let go of the form, and say why."""
        text = say(code, state.locale)
        if state.place.is_group and state.message_id is not None:
            state = await self.run_effects(state, (Retire(TelegramView(text)),))
        else:
            state = await self.run_effects(state, (Retire(), Tell(text)))
        return replace(state, session=None, draft_id=None, is_errand=False)

    async def _find(self, state: Conversation) -> Conversation:
        if state.instance_id is None or state.is_busy_elsewhere:
            return state
        task = await self._api.fetch_next_task(state.instance_id, state.user_id)
        if task is not None:
            return await self.run_effects(*transitions.show_task(state, task, self._titles))
        if state.session is not None:
            return state
        # Nobody may be waiting for the workers yet: the event that ended the form may have been cut off.
        ending = await self._api.fetch_ending(state.instance_id)
        return await self.run_effects(*transitions.complete_task(state, CompletedTask(ending=ending), self._titles))
