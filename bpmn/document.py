"""A BPMN document as an XML tree, whoever wrote it."""

import xml.etree.ElementTree as ElementTree
from typing import NoReturn

from bpmn.errors import ModelUnreadable

__all__ = ["BPMN", "EXTENSIONS", "read_document"]

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
# Operaton has a namespace of its own, and takes Camunda's as well.
EXTENSIONS = ("{http://camunda.org/schema/1.0/bpmn}", "{http://operaton.org/schema/1.0/bpmn}")


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


class _WithoutDocumentType(ElementTree.TreeBuilder):
    """Refuses a document type, and with it every entity, before it is read; in whatever encoding it comes."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def doctype(self, *_: object) -> NoReturn:
        raise ModelUnreadable(f"{self._origin}: a BPMN file must not have a document type; remove the <!DOCTYPE> line")
