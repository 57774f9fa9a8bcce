"""What forms/ makes of the cases that the viewer's page plays: the same in, and the same out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from forms.answers.submission import select_submitted_data
from forms.errors import FormUnreadable
from forms.evaluate.checking import find_errors
from forms.evaluate.initial import make_initial_data, make_item
from forms.evaluate.resolve import ResolvedForm, compute_before_submission, resolve_form
from forms.fields import find_kind
from forms.model import Field, Form, Mode
from forms.schema.components import Schema, parse_schema
from forms.schema.paths import MISSING, get_at, put, spell

__all__ = ["Step", "play"]

Step = Sequence[Any]
"""What is done, where, and with what: `["set", "name", "Ada"]`, `["pick", "color", 1]`, `["add", "pets"]`."""

_CHOOSING = frozenset({"choice", "several"})


@dataclass(slots=True)
class _Played:
    schema: Schema
    initial: Mapping[str, Any]
    resolved: ResolvedForm
    moments: list[list[dict[str, Any]]] = field(default_factory=list)

    def follow(self, data: Mapping[str, Any]) -> None:
        self.resolved = resolve_form(self.schema, self.initial, data, now=datetime.now(UTC))

    def act(self, step: Step) -> None:
        what, path, argument = (*step, None)[:3]
        asked = [found for found in self.resolved.form.list_all_fields() if found.mode is Mode.ASKED]
        found = next((question for question in asked if spell(question.path) == path), None)
        if found is None:
            return
        told = self._told(found, what, argument)
        if told is not MISSING:
            self.follow(put(self.resolved.data, found.path, told))

    def _told(self, found: Field, what: str, argument: Any) -> Any:
        value = get_at(self.resolved.data, found.path)
        match what:
            case "set":
                return argument
            case "pick":
                return find_kind(found).pick(found, value, argument % len(found.options)) if found.options else MISSING
            case "add" if found.component.read_property("allowAddRemove") and found.component.components:
                return [*value, make_item(found.component, self.resolved.data, found.path)]
            case "remove" if found.component.read_property("allowAddRemove") and argument < len(value):
                return find_kind(found).pick(found, value, argument)
        return MISSING


def play(case: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are visible after each step; at the end the first problem of each, and what is submitted."""
    try:
        schema = parse_schema(case["schema"])
        initial = make_initial_data(schema, case["data"])
        resolved = resolve_form(schema, initial, initial, now=datetime.now(UTC))
    except FormUnreadable as error:
        return {"refused": str(error)}
    played = _Played(schema, initial, resolved)
    moments = [_seen(resolved)]
    for step in case["steps"]:
        played.act(step)
        moments.append(_seen(played.resolved))
    form = played.resolved.form
    data = compute_before_submission(form, played.resolved.data)
    problems = find_errors(form, data)
    submitted = select_submitted_data(schema, form, data, touched=set(), action=None)
    errors = {spell(path): [problem.code, dict(problem.params)] for path, problem in problems.items()}
    return {"moments": moments, "errors": errors, "data": submitted}


def _seen(resolved: ResolvedForm) -> list[dict[str, Any]]:
    return [_described(found, resolved) for found in _shown(resolved.form)]


def _shown(form: Form) -> list[Field]:
    return [found for found in form.list_all_fields() if found.kind != "notice" or found.unsupported]


def _described(found: Field, resolved: ResolvedForm) -> dict[str, Any]:
    kind = find_kind(found)
    described: dict[str, Any] = {
        "id": found.id,
        "path": spell(found.path),
        "type": found.component.type,
        "readonly": found.mode is Mode.READONLY,
        "disabled": found.mode is Mode.DISABLED,
    }
    if found.kind in _CHOOSING:
        described["options"] = [{"value": option.value, "label": option.label} for option in found.options]
    if kind.keyed:
        value = get_at(resolved.data, found.path)
        described["value"] = None if value is MISSING else value
    return described
