"""Where the files of forms are in the store: below the instance that they belong to, so that they go with it.

`forms/<instance>/<draft>/…` for tasks. Before a process starts it has no instance: `forms/start/<draft>/…`, and once it
has one, `forms/<instance>/started.<draft>` says so.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from itertools import islice

from files.store import Files

__all__ = ["erase_draft", "erase_instance", "make_draft_folder", "note_start", "sweep"]

ROOT = "forms"
START = "start"
STARTED = "started."
# So many instances at once are one question to the history.
PAGE = 200


def make_draft_folder(session_id: str, instance_id: str | None) -> str:
    """Return where a draft's files are; `instance_id` is None for a process that is not started yet."""
    return f"{ROOT}/{instance_id or START}/{session_id}"


async def note_start(files: Files, session_id: str, instance_id: str) -> None:
    """Note the files of this draft belong to an instance now, if there are any. Raises `FilesUnavailable`."""
    if await files.count(make_draft_folder(session_id, None), up_to=1):
        await files.put(b"", folder=f"{ROOT}/{instance_id}/{STARTED}{session_id}")


async def erase_draft(files: Files, session_id: str, instance_id: str | None) -> int:
    """Delete the files of a draft that nobody submits; returns how many. Raises `FilesUnavailable`."""
    return await files.delete_folder(make_draft_folder(session_id, instance_id))


async def erase_instance(files: Files, instance_id: str) -> int:
    """Delete the files that people sent for an instance; returns how many. Raises `FilesUnavailable`."""
    count = 0
    for session_id in await _find_started(files, instance_id):
        count += await files.delete_folder(make_draft_folder(session_id, None))
        await files.delete_folder(f"{ROOT}/{instance_id}/{STARTED}{session_id}")  # only says so, is no file of anybody
    return count + await files.delete_folder(f"{ROOT}/{instance_id}")


async def sweep(
    files: Files,
    known_to_history: Callable[[Collection[str]], Awaitable[set[str]]],
    has_draft: Callable[[str], Awaitable[bool]],
    started_by: Callable[[str], Awaitable[str | None]],
) -> int:
    """Delete the files of instances that the history has forgotten, and of starts that nobody went on with.

    `started_by` answers the instance that a draft has started, in case it could not be noted then. Returns how many
    files. Raises `FilesUnavailable`, and what the three questions raise: then nothing more is deleted.
    """
    count = 0
    owned: set[str] = set()
    instances = iter([name for name in await files.list_folders(ROOT) if name != START])
    while page := list(islice(instances, PAGE)):
        known = await known_to_history(page)
        for instance_id in page:
            if instance_id in known:
                owned |= await _find_started(files, instance_id)
            else:
                count += await erase_instance(files, instance_id)
    for session_id in await files.list_folders(f"{ROOT}/{START}"):
        if session_id in owned or await has_draft(session_id):
            continue
        if (started := await started_by(session_id)) is not None:
            await note_start(files, session_id, started)
        else:
            count += await erase_draft(files, session_id, None)
    return count


async def _find_started(files: Files, instance_id: str) -> set[str]:
    return set(_list_sessions(await files.list_folders(f"{ROOT}/{instance_id}")))


def _list_sessions(names: Iterable[str]) -> Iterable[str]:
    return (name.removeprefix(STARTED) for name in names if name.startswith(STARTED))
