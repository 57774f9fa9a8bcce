"""Servers that refuse to run as root, or should not: as whom they run then, and which folders that user can reach."""

import hashlib
import os
import pwd
from pathlib import Path

from baton.stack.home import Home

__all__ = ["ROOT_FOLDER", "can_enter", "choose_user", "make_data_for"]

# Where root keeps what `nobody` must reach when the stack's own folder is closed to it.
ROOT_FOLDER = Path("/var/lib/baton")


def choose_user() -> tuple[int, int] | None:
    """Return (uid, gid) of `nobody` for root; None keeps who we are."""
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def make_data_for(home: Home, name: str, user: tuple[int, int] | None) -> Path:
    """Return a server's data folder that this user can reach; the home notes it when it is outside."""
    path = home.make_data_folder(name)
    if user is None or can_enter(path.parent, user):
        return path
    # Root in a closed folder (its home): nobody could not reach the data there.
    key = hashlib.sha256(str(home.folder).encode()).hexdigest()[:16]
    moved = ROOT_FOLDER / key
    moved.mkdir(parents=True, exist_ok=True)
    (home.folder / "postgres-folder").write_text(f"{moved}\n")
    return moved / name


def can_enter(folder: Path, user: tuple[int, int]) -> bool:
    """Tell whether `user` may pass through every folder on the way; groups beside the own one are not looked at."""
    uid, gid = user
    for part in (folder, *folder.parents):
        status = part.stat()
        shift = 6 if status.st_uid == uid else 3 if status.st_gid == gid else 0
        if not status.st_mode >> shift & 0o1:
            return False
    return True
