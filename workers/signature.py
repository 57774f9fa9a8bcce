"""What a handler's signature says: the variables it reads and writes, the clients it needs, and its job's context."""

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from workers.context import JobContext
from workers.errors import HandlerError

__all__ = ["HandlerClient", "Signature", "describe_place", "read_signature"]


class HandlerClient(Protocol):
    """What a handler's further parameters are: made once per worker process, closed when it ends."""

    @classmethod
    def from_settings(cls, settings: Any) -> Self:
        """Read the worker's settings; raises `ConfigurationError`. Opens nothing yet: it also runs before the fork."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Signature:
    """`input` and `output` are the models of one job, also where the function takes a list of them.

    `context` is the name of the parameter that takes the `JobContext`.
    """

    input: type[BaseModel]
    output: type[BaseModel] | None
    clients: Mapping[str, type[HandlerClient]]
    context: str | None


def read_signature(function: Callable[..., Any], *, many: bool = False) -> Signature:
    """Read a signature: the first parameter is a pydantic model (`many`: a list of it), and so is what is returned.

    Raises `HandlerError` that names the function's file and line.
    """
    place = describe_place(function)
    hints = _read_hints(function, place)
    parameters = list(inspect.signature(function).parameters.values())
    if any(p.kind not in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY} for p in parameters):
        raise HandlerError(f"{place}: *args and **kwargs cannot be filled; name every parameter")
    if not parameters or parameters[0].kind is inspect.Parameter.KEYWORD_ONLY:
        raise HandlerError(f"{place}: the first parameter must be a pydantic model with the variables to fetch")
    first, *rest = parameters
    takes = hints.get(first.name)
    if "return" not in hints:
        raise HandlerError(f"{place}: annotate what it returns: a pydantic model of the variables to write, or None")
    gives = hints["return"]
    if many:
        takes = _find_item_type(takes, f"{place}: parameter {first.name!r}")
        gives = _find_item_type(gives, f"{place}: what it returns")
    context = _find_context([p.name for p in rest if hints.get(p.name) is JobContext], place, many=many)
    return Signature(
        input=_check_input(takes, f"{place}: parameter {first.name!r}"),
        output=_check_output(gives, place, many=many),
        clients={
            p.name: _check_client(hints.get(p.name), f"{place}: parameter {p.name!r}")
            for p in rest
            if p.name != context
        },
        context=context,
    )


def describe_place(function: Callable[..., Any]) -> str:
    """Return the function with its file and line, as error messages name it."""
    name = f"{function.__module__}.{function.__qualname__}"
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code else name


def _read_hints(function: Callable[..., Any], place: str) -> dict[str, Any]:
    try:
        return get_type_hints(function)
    except NameError as error:
        raise HandlerError(f"{place}: an annotation cannot be read: {error}; import it at the top") from error


def _find_item_type(hint: Any, place: str) -> Any:
    if get_origin(hint) is not list:
        raise HandlerError(f"{place} must be a list, because batch= is given, not {hint!r}")
    return get_args(hint)[0]


def _check_input(hint: Any, place: str) -> type[BaseModel]:
    if not _is_model(hint):
        raise HandlerError(f"{place} must be annotated with a pydantic model of the variables to fetch, not {hint!r}")
    for name, field in hint.model_fields.items():
        if field.validation_alias is not None and not isinstance(field.validation_alias, str):
            raise HandlerError(f"{place}: field {name!r} may have one plain alias only: it names a process variable")
    return hint  # type: ignore[no-any-return]


def _check_output(hint: Any, place: str, *, many: bool) -> type[BaseModel] | None:
    if many and get_origin(hint) in {Union, types.UnionType}:
        # An outcome of a batch may also be what the job would have raised.
        outcomes = [kind for kind in get_args(hint) if not (inspect.isclass(kind) and issubclass(kind, Exception))]
        hint = outcomes[0] if len(outcomes) == 1 else hint
    if hint is type(None):
        return None
    if not _is_model(hint):
        raise HandlerError(f"{place} must return a pydantic model of the variables to write, or None, not {hint!r}")
    return hint  # type: ignore[no-any-return]


def _check_client(hint: Any, place: str) -> type[HandlerClient]:
    if not inspect.isclass(hint) or not callable(getattr(hint, "from_settings", None)):
        raise HandlerError(f"{place} must be annotated with a client class (one with from_settings), not {hint!r}")
    return hint  # type: ignore[return-value]  # from_settings is what makes it a client


def _find_context(names: list[str], place: str, *, many: bool) -> str | None:
    if many and names:
        raise HandlerError(f"{place}: parameter {names[0]!r}: a handler with batch= has many jobs, so no JobContext")
    if len(names) > 1:
        raise HandlerError(f"{place}: parameters {' and '.join(names)} are the same JobContext; leave one")
    return names[0] if names else None


def _is_model(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, BaseModel)
