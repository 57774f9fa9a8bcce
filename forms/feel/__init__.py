"""FEEL for forms: what the form viewer evaluates, evaluated by its own code in QuickJS."""

from forms.errors import FeelFailed, FeelLimit
from forms.feel.evaluation import (
    Answer,
    evaluate,
    evaluate_many,
    fill_template,
    find_variable_names,
    is_expression,
    is_match,
    is_template,
    run_unary_test,
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
    "fill_template",
    "find_variable_names",
    "is_expression",
    "is_match",
    "is_template",
    "run_unary_test",
]
