"""The shape of a Bot API method: it reads its parameters, acts on the sandbox and returns the JSON of `result`."""

from collections.abc import Awaitable, Callable
from typing import Any

from baton.sandbox.telegram.methods.parameters import Parameters
from baton.sandbox.telegram.state.sandbox import Sandbox

__all__ = ["Method"]

Method = Callable[[Sandbox, Parameters], Awaitable[Any]]
