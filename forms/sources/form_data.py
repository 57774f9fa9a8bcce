"""The generated form of a user task or a start event: `camunda:formData` as the model holds it.

The model has the order, the types, the options and the properties of the fields. Labels and defaults may be
expressions there; what they come to is known to the engine only (`forms.sources.rendered_labels`, and its form
variables).
Source: Camunda 7.24, BpmnParse and DefaultFormHandler.
"""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass

from bpmn.document import BPMN, EXTENSIONS, read_document
from forms.errors import FormUnreadable
from forms.schema.components import MAX_COMPONENTS

__all__ = ["PREFIXES_PROPERTY", "Constraint", "FormData", "GeneratedField", "is_expression", "read_form_data"]

PREFIXES_PROPERTY = "baton.prefixes"
"""`on` or `off`: whether the ids of the fields have prefixes with a meaning. It stands on the task or the process."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One rule of a field: `min` with the config `18`."""

    name: str
    config: str = ""


@dataclass(frozen=True, slots=True)
class GeneratedField:
    """One `camunda:formField`; `options` are pairs of id and name."""

    id: str
    type: str
    label: str = ""
    default: str | None = None
    date_pattern: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    constraints: tuple[Constraint, ...] = ()
    properties: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FormData:
    """The fields of one generated form in their order. Only a start form has a business key to ask for."""

    fields: tuple[GeneratedField, ...]
    business_key: str | None = None
    starts: bool = False
    prefixes: str | None = None


def is_expression(text: str) -> bool:
    """Tell whether the engine evaluates it."""
    return "${" in text or "#{" in text


def read_form_data(xml: bytes | str, activity_id: str | None = None, *, process: str | None = None) -> FormData | None:
    """Return the generated form of a user task by its id, or without one that of the start of a process; None if it
    has none.

    `process` is the key of the process to look into; a file may hold several. Raises `ModelUnreadable`,
    `FormUnreadable`.
    """
    root = read_document(xml, "the model")
    for scope in root.iter(f"{BPMN}process"):
        if process not in (None, scope.get("id")):
            continue
        for element in _list_candidates(scope, activity_id):
            forms = list(_list_extensions(element, "formData"))
            if forms and (fields := tuple(_list_fields(forms[0]))):
                return FormData(
                    fields,
                    forms[0].get("businessKey") if activity_id is None else None,
                    starts=activity_id is None,
                    prefixes=_read_prefixes(element) or _read_prefixes(scope),
                )
    return None


def _list_candidates(process: ElementTree.Element, activity_id: str | None) -> Iterator[ElementTree.Element]:
    if activity_id is None:
        # Those inside a sub-process start nothing.
        yield from process.findall(f"{BPMN}startEvent")
    else:
        yield from (task for task in process.iter(f"{BPMN}userTask") if task.get("id") == activity_id)


def _list_extensions(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    for extensions in element.findall(f"{BPMN}extensionElements"):
        yield from _list_children(extensions, name)


def _list_children(element: ElementTree.Element, name: str) -> Iterator[ElementTree.Element]:
    tags = {f"{namespace}{name}" for namespace in EXTENSIONS}
    return (child for child in element if child.tag in tags)


def _read_prefixes(element: ElementTree.Element) -> str | None:
    properties = (
        entry for group in _list_extensions(element, "properties") for entry in _list_children(group, "property")
    )
    return next((entry.get("value") for entry in properties if entry.get("name") == PREFIXES_PROPERTY), None)


def _list_fields(form: ElementTree.Element) -> Iterator[GeneratedField]:
    seen: set[str] = set()
    for element in _list_children(form, "formField"):
        field_id = element.get("id")
        if not field_id:
            raise FormUnreadable("a field of the generated form has no id")
        if field_id in seen:
            raise FormUnreadable(f"two fields of the generated form have the id {field_id!r}; ids become variables")
        if len(seen) == MAX_COMPONENTS:
            raise FormUnreadable(f"the generated form has more than {MAX_COMPONENTS} fields: spread them over tasks")
        seen.add(field_id)
        yield GeneratedField(
            id=field_id,
            type=element.get("type", ""),
            label=element.get("label", ""),
            default=element.get("defaultValue"),
            date_pattern=element.get("datePattern"),
            options=tuple((value.get("id", ""), value.get("name", "")) for value in _list_children(element, "value")),
            constraints=tuple(
                Constraint(rule.get("name", ""), rule.get("config", ""))
                for rules in _list_children(element, "validation")
                for rule in _list_children(rules, "constraint")
            ),
            properties=tuple(_list_properties(element)),
        )


def _list_properties(field: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for group in _list_children(field, "properties"):
        for entry in _list_children(group, "property"):
            # Modelers have written the id and the name.
            if name := entry.get("id") or entry.get("name"):
                yield name, entry.get("value", "")
