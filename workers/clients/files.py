"""Files for handlers: put, get, stream. Variables carry references, the store behind `FILES_URL` has the bytes."""

from files.store import FileDamaged, FileMissing, Files, FilesUnavailable

__all__ = ["FileDamaged", "FileMissing", "Files", "FilesUnavailable"]
