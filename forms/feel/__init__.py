"""FEEL for forms: what the form viewer evaluates, evaluated by its own code in QuickJS."""

from forms.errors import FeelFailed, FeelLimit
from forms.feel.evaluation import (
    Answer,
    evaluate,
    evaluate_many,
    is_expression,
    is_template,
    matches,
    template,
    unary_test,
    variable_names,
)
from forms.feel.requests import Expression, Json, Pattern, Request, Row, Template, UnaryTest

__all__ = [
    "Answer",
    "Expression",
    "FeelFailed",
    "FeelLimit",
    "Json",
    "Pattern",
    "Request",
    "Row",
    "Template",
    "UnaryTest",
    "evaluate",
    "evaluate_many",
    "is_expression",
    "is_template",
    "matches",
    "template",
    "unary_test",
    "variable_names",
]
