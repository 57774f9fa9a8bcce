"""File variables of the engine, for handlers that ask for references: the bridge copies them into the store of files.

A worker has no way to the engine, and a file does not travel through the broker.
"""

from dataclasses import replace
from pathlib import PurePosixPath

from bpmn.engine.types import ExternalTask
from bpmn.engine.variables import FileValue, NotAVariable
from workers.bridge.engine_calls import ExternalTasks
from workers.clients.files import Files
from workers.pool.large_values import find_reference_variables
from workers.registry import Handler

__all__ = ["FileVariables"]

MAX_NAME_CHARACTERS = 255
MAX_TYPE_CHARACTERS = 200


class FileVariables:
    """Of one bridge; without a store of files it can bring none."""

    def __init__(self, engine: ExternalTasks, files: Files | None) -> None:
        self._engine = engine
        self._files = files

    async def store_files(self, task: ExternalTask, handler: Handler) -> ExternalTask:
        """Return the task with references in the place of variables of type File or Bytes, where its handler asks for
        them.

        Raises `NotAVariable` without a store, and the errors of engine and store.
        """
        papers = {name: value for name, value in task.variables.items() if isinstance(value, FileValue | bytes)}
        wanted = papers.keys() & find_reference_variables(handler.input) if papers else ()
        if not wanted:
            return task
        brought = {name: await self._store_file(task, name, papers[name]) for name in sorted(wanted)}
        others = {name: wire for name, wire in task.wires.items() if name not in brought}
        return replace(task, variables={**task.variables, **brought}, wires=others)

    async def _store_file(self, task: ExternalTask, name: str, value: FileValue | bytes) -> object:
        if self._files is None:
            raise NotAVariable(f"variable {name!r} is to be a file, and the bridge has no FILES_URL to put it into")
        if isinstance(value, bytes):
            reference = await self._files.keep(value, "bytes", "application/octet-stream")
        else:
            reference = await self._files.keep(
                await self._engine.fetch_file_content(task, name),
                "file",
                _clean_type(value.mime_type),
                name=_clean_name(value.filename),
            )
        return reference.model_dump(mode="json")


def _clean_type(mime_type: str | None) -> str:
    """Return what the engine took for a type may be any text."""
    is_plain = mime_type and mime_type.isascii() and mime_type.isprintable() and len(mime_type) <= MAX_TYPE_CHARACTERS
    return mime_type if mime_type and is_plain else "application/octet-stream"


def _clean_name(filename: str) -> str | None:
    name = PurePosixPath(filename.replace("\\", "/")).name[-MAX_NAME_CHARACTERS:]
    return name if name.isprintable() and name not in {"", ".."} else None
