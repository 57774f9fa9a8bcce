"""Run a handler in a test: no broker, no engine, clients of your own.

answer = await run(llm_answer, {"question": "Why?"}, clients={LLM: FakeModel()})
"""

from collections.abc import Callable, Mapping
from typing import Any

from workers.errors import HandlerError
from workers.execution import call
from workers.registry import handler_of

__all__ = ["run"]


async def run(
    function: Callable[..., Any], variables: Mapping[str, object], *, clients: Mapping[type[Any], object] | None = None
) -> dict[str, object]:
    """The variables that the handler would write. Raises what it raises, and `Permanent` for variables that don't fit.

    Only variables that the handler asks for reach it, as in production. Raises `HandlerError` for a missing client.
    """
    handler = handler_of(function)
    given = clients or {}
    missing = [kind.__name__ for kind in handler.clients.values() if kind not in given]
    if missing:
        raise HandlerError(f"{handler.topic} needs the clients {', '.join(missing)}: pass clients={{Type: object}}")
    wanted = set(handler.variables)
    return await call(handler, {name: value for name, value in variables.items() if name in wanted}, given)
