"""Pictures as small files, written only when they look different."""

import io
from pathlib import Path

from PIL import Image

__all__ = ["FOLDER", "kept"]

FOLDER = Path(__file__).parents[1] / "forms"
# All that a picture of eight bits can have: with fewer, small signs lose theirs.
COLOURS = 256


def kept(name: str, png: bytes) -> bool:
    """Write a picture, unless the one that is there looks the same; says whether it was written."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    reduced = picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    file = FOLDER / name
    if file.exists():
        with Image.open(file) as before:
            if before.size == reduced.size and before.convert("RGB").tobytes() == reduced.convert("RGB").tobytes():
                return False
    reduced.save(file, "PNG", optimize=True)
    return True
