"""A large value as a process variable: where it is stored, and what it must be when it is read."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

__all__ = ["FileReference", "is_reference"]

_PATH = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")

# It becomes a header of HTTP.
CONTENT_TYPE = r"^[\x20-\x7e]+$"

# What the stored bytes were: a file that somebody gave a name, or the value of a variable that was too large for one.
Holds = Literal["file", "text", "bytes", "json"]


class FileReference(BaseModel):
    """Stands in a handler's models and travels as Json. `files.store.Files` makes and reads it.

    Whoever reads it compares size and SHA-256, so that only who knows the content can point to it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    baton_file: Literal[1] = 1
    path: str = Field(max_length=500, description="inside the store")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)
    content_type: str = Field(default="application/octet-stream", max_length=200, pattern=CONTENT_TYPE)
    name: str | None = Field(default=None, max_length=255, description="as people know it")
    holds: Holds = "file"

    @field_validator("path")
    @classmethod
    def _check_inside(cls, path: str) -> str:
        if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
            raise ValueError("must be a path inside the store, of letters, digits, '.', '_', '-' and '/'")
        return path

    @field_validator("name")
    @classmethod
    def _check_plain(cls, name: str | None) -> str | None:
        if name is not None and (not name.isprintable() or "/" in name or "\\" in name or name in {"", ".", ".."}):
            raise ValueError("must be a plain file name")
        return name


def is_reference(value: object) -> bool:
    """Tell whether a variable's value says that it is a file reference; it may still be none that can be read."""
    return isinstance(value, dict) and value.get("baton_file") == 1
