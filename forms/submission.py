"""Answers that come from elsewhere than a session: what keeps them from being a form's variables."""

from collections.abc import Mapping

from forms.fields import kind_of
from forms.model import Field, Form, Problem, value_of

__all__ = ["LEAVING_ACTIONS", "problems_of"]

# These end a form without its answers: nothing half filled or unchecked becomes a variable.
LEAVING_ACTIONS = frozenset({"action_cancel", "action_back"})


def problems_of(form: Form, variables: Mapping[str, object]) -> dict[str, Problem]:
    """What is wrong with each variable, by name; empty when they may be submitted.

    Fields that this version cannot ask are taken as they are: another surface has asked them.
    """
    asks = {field.key for field in form.fields if field.kind != "display" or field.unsupported}
    actions = {action.key for action in form.actions}
    found = {name: Problem("not_in_form") for name in variables if name not in asks | actions}
    pressed = [name for name in variables if name in actions and variables[name] is True]
    found |= {name: Problem("wrong_type") for name in actions & set(variables) if not _is_flag(variables[name])}
    found |= {name: Problem("one_action") for name in pressed[1:]}
    if LEAVING_ACTIONS & set(pressed):
        left = (field.key for field in form.questions if field.key in variables)
        return found | dict.fromkeys(left, Problem("left_with_answers"))
    for field in form.questions:
        if problem := _problem(field, variables.get(field.key)):
            found[field.key] = problem
    return found


def _is_flag(variable: object) -> bool:
    return isinstance(variable, bool)


def _problem(field: Field, variable: object) -> Problem | None:
    kind = kind_of(field)
    value = value_of(variable)
    # A value that its kind would write in another way is none of this kind: "yes" for true, "a" for ["a"].
    if variable not in (None, ""):
        written = kind.variable(value)
        if type(written) is not type(variable) or written != variable:
            return Problem("wrong_type")
    return kind.check(field, value)
