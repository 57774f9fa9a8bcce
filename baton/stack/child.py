"""Children that end with their parent, even when it is killed."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

__all__ = ["end_with_parent"]

_PR_SET_PDEATHSIG = 1
# Loaded here, in the parent: between fork and exec nothing may be imported.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(parent_pid: int, number: int = signal.SIGKILL) -> Callable[[], None]:
    """End for `preexec_fn`: the kernel sends `number` to the child when the thread that made it ends. Linux only.

    It must run after a change of user, which clears the request; `subprocess` calls `preexec_fn` after that.
    """

    def ask() -> None:
        if _LIBC is None:
            return
        _LIBC.prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent_pid:  # it ended before we asked
            os._exit(1)

    return ask
