"""Beginnings of files as ffmpeg, libheif and Pillow write them."""

from pathlib import Path

__all__ = ["FILE_HEADS", "head"]

FILE_HEADS = Path(__file__).parent / "file-heads"


def head(name: str) -> bytes:
    return (FILE_HEADS / name).read_bytes()
