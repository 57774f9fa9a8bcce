"""A BPMN document as an XML tree, whoever wrote it."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import NoReturn

from bpmn.errors import ModelUnreadable

__all__ = ["BPMN", "CAMUNDA", "EXTENSIONS", "OPERATON", "read_document", "read_extension", "walk"]

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
OPERATON = "{http://operaton.org/schema/1.0/bpmn}"
# Operaton has a namespace of its own, and takes Camunda's as well.
EXTENSIONS = (CAMUNDA, OPERATON)


def read_document(content: bytes | str, origin: str) -> ElementTree.Element:
    """Return the `bpmn:definitions` of a model; `origin` names it in errors. Raises `ModelUnreadable`."""
    parser = ElementTree.XMLParser(target=_WithoutDocumentType(origin))  # noqa: S314 -- entities are refused
    try:
        root: ElementTree.Element = ElementTree.fromstring(content, parser)  # noqa: S314 -- as above
    except (ElementTree.ParseError, ValueError) as error:  # ValueError: half a character in a text
        raise ModelUnreadable(f"{origin}: not well-formed XML: {error}") from error
    if root.tag != f"{BPMN}definitions":
        raise ModelUnreadable(f"{origin}: the root element is not bpmn:definitions")
    return root


def read_extension(element: ElementTree.Element, name: str) -> str | None:
    """Return an attribute of the engine's own, such as `formKey`, in whichever namespace it stands."""
    return next((value for namespace in EXTENSIONS if (value := element.get(f"{namespace}{name}")) is not None), None)


def walk(element: ElementTree.Element, owner: str = "") -> Iterator[tuple[ElementTree.Element, str]]:
    """Yield everything below an element, each with the id of the nearest BPMN element: its own, or of one around it."""
    for child in element:
        own = child.get("id", owner) if child.tag.startswith(BPMN) else owner
        yield child, own
        yield from walk(child, own)


class _WithoutDocumentType(ElementTree.TreeBuilder):
    """Refuses a document type, and with it every entity, before it is read; in whatever encoding it comes."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def doctype(self, *_: object) -> NoReturn:
        raise ModelUnreadable(f"{self._origin}: a BPMN file must not have a document type; remove the <!DOCTYPE> line")
