"""What can go wrong with a draft.

BatonError
└── DraftError
    ├── DraftConflict   it changed since it was read: read it again
    └── DraftGone       there is no such draft, or no longer: open the form anew
"""

from kit.errors import BatonError

__all__ = ["DraftConflict", "DraftError", "DraftGone"]


class DraftError(BatonError):
    """Anything about drafts; `session_id` says which."""

    def __init__(self, session_id: str, reason: str) -> None:
        super().__init__(f"draft {session_id} {reason}")
        self.session_id = session_id


class DraftConflict(DraftError):
    """Another surface was first. Nothing was written; whoever wanted to reads the draft again."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id, "has changed meanwhile")


class DraftGone(DraftError):
    """It has expired, cannot be read any more, or was never there."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id, "is not there, or not any more")
