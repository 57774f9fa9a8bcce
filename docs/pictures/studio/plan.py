"""A picture that a form shows: a plan of rooms, as a data address."""

import base64
import io

from PIL import Image, ImageDraw

__all__ = ["PLAN"]

_SIZE = (640, 300)
_ROOMS = {
    "Garden 1": ((20, 20, 220, 190), "#b7dfae"),
    "Garden 2": ((220, 20, 420, 190), "#cfe8b8"),
    "Attic": ((420, 20, 620, 280), "#f2d7a6"),
    "Desk": ((20, 190, 420, 280), "#cfd8e3"),
}


def _plan() -> str:
    picture = Image.new("RGB", _SIZE, "#ffffff")
    draw = ImageDraw.Draw(picture)
    for name, (box, colour) in _ROOMS.items():
        draw.rectangle(box, fill=colour, outline="#35424f", width=4)
        draw.text(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), name, "#16202a", anchor="mm", font_size=30)
    drawn = io.BytesIO()
    picture.save(drawn, "PNG")
    return f"data:image/png;base64,{base64.b64encode(drawn.getvalue()).decode()}"


PLAN = _plan()
