"""What the engine made of the labels of a generated form, read from the HTML that it renders.

The engine escapes nothing: a label comes as `a < b`, and a variable in it may hold markup, or a whole field of its own.
A parser of HTML would take that for structure. So the page is read by the layout in which the engine writes it, field
by field in the order of the model, and when it does not hold exactly the model's fields nothing of it is believed.
Source: Camunda 7.24, HtmlFormEngine and HtmlDocumentBuilder; Operaton 1.0 writes the same.
"""

import re
from collections.abc import Sequence

__all__ = ["read_labels"]

_GROUP = re.compile(
    r'^  <div class="form-group">\n    <(label for="|input |select |div class="input-group">)', re.MULTILINE
)


def read_labels(html: str, field_ids: Sequence[str]) -> dict[str, str]:
    """Return the evaluated labels by field id, empty for a field without; none if the page is not the form of these
    fields.
    """
    text = html.replace("\r\n", "\n")
    starts = [found.start() for found in _GROUP.finditer(text)]
    if not starts or len(starts) != len(field_ids):
        return {}
    blocks = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    labels = [_label(block, field_id) for block, field_id in zip(blocks, field_ids, strict=True)]
    found = {field_id: label for field_id, label in zip(field_ids, labels, strict=True) if label is not None}
    return found if len(found) == len(field_ids) else {}


def _label(block: str, field_id: str) -> str | None:
    name = re.escape(field_id)
    control = rf'    (?:<div class="input-group">\n      )?<(?:input|select) class="form-control" name="{name}"'
    label = rf'    <label for="{name}">\n(?P<label>.*?)    </label>\n'
    expression = rf'  <div class="form-group">\n(?:{label})?{control}'
    controls = re.findall(control, block)
    found = re.match(expression, block, re.DOTALL)
    if found is None or len(controls) != 1:
        return None
    return (found["label"] or "").removesuffix("\n").removeprefix("      ").strip()
