"""Milliseconds to show a question and to take its answer, for each kind of field; bytes of a draft.

Showing begins with a session as it is read from Redis and ends with the message; answering begins with what a person
typed or pressed and ends with the session after it and its message. The schema is parsed before, as a process does it
once for each form. The peer is the limit: 1 ms, and 3 ms where FEEL is evaluated.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable

from form_kinds.drafts import draft_bytes
from form_kinds.kinds import Sample, samples, session_of
from forms.session.events import Render, Stale
from forms.session.steps import apply_event, open_session
from forms.telegram import render_view

Figures = dict[str, float | bool | str]
LIMIT_MS, LIMIT_WITH_FEEL_MS = 1.0, 3.0
ROUNDS = 5


def measured(sample: Sample, times: int) -> Figures:
    """The medians of some rounds. Raises `RuntimeError` for an answer that is not taken."""
    asked = open_session(session_of(sample.schema))
    _, outcome = apply_event(asked, sample.answer(asked))
    if isinstance(outcome, Stale) or (isinstance(outcome, Render) and outcome.problem is not None):
        raise RuntimeError(f"{sample.name}: the answer was not taken: {outcome}")

    def show() -> object:
        return render_view(open_session(session_of(sample.schema)))

    def answer() -> object:
        return render_view(apply_event(asked, sample.answer(asked))[0])

    limit = LIMIT_WITH_FEEL_MS if sample.uses_feel else LIMIT_MS
    shown, answered = milliseconds(show, times), milliseconds(answer, times)
    return {
        "kind": sample.name,
        "feel": sample.uses_feel,
        "show_ms": round(shown, 3),
        "answer_ms": round(answered, 3),
        "of_limit": round(max(shown, answered) / limit, 2),
    }


def milliseconds(act: Callable[[], object], times: int) -> float:
    """Processor time of one call, the median of some rounds of `times` calls each."""
    act()
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(times):
            act()
        rounds.append((time.process_time() - started) * 1000 / times)
    return statistics.median(rounds)


def shown(kinds: list[Figures], drafts: dict[str, float]) -> str:
    lines = [f"{'kind':<20}{'FEEL':>6}{'show ms':>10}{'answer ms':>11}{'of limit':>10}"]
    lines += [
        f"{found['kind']:<20}{'yes' if found['feel'] else '':>6}{found['show_ms']:>10}{found['answer_ms']:>11}"
        f"{found['of_limit']:>10}"
        for found in kinds
    ]
    return "\n".join([*lines, *(f"{name:<40}{value:>10}" for name, value in drafts.items())])


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench/form_steps.py", description=__doc__)
    parser.add_argument("--times", type=int, default=100, help="calls of a round (default 100)")
    parser.add_argument("--drafts", type=int, default=10_000, help="drafts to weigh (default 10000; 0: none)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    kinds = [measured(sample, options.times) for sample in samples()]
    drafts = asyncio.run(draft_bytes(options.drafts)) if options.drafts else {}
    print(json.dumps({"kinds": kinds, "drafts": drafts}) if options.json else shown(kinds, drafts))
