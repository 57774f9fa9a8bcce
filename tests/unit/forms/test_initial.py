"""What a form holds when it is opened. Source of the expected values: form-js-viewer 2.0."""

from typing import Any

import pytest

from forms.errors import FormUnreadable
from forms.evaluate.initial import make_initial_data, make_item
from forms.schema.components import parse_schema

LETTERS = [{"value": "a", "label": "A"}, {"value": "b", "label": "B"}]


def opened(*components: dict[str, Any], **variables: Any) -> dict[str, Any]:
    return make_initial_data(parse_schema({"id": "form", "components": list(components)}), variables)


@pytest.mark.parametrize(
    ("kind", "empty"),
    [
        ("textfield", ""),
        ("textarea", ""),
        ("number", None),
        ("checkbox", False),
        ("radio", None),
        ("select", None),
        ("checklist", []),
        ("taglist", []),
        ("filepicker", None),
        ("expression", None),
    ],
)
def test_a_field_without_value_and_default_begins_empty(kind: str, empty: object) -> None:
    assert opened({"type": kind, "id": "f", "key": "k"}) == {"k": empty}


@pytest.mark.parametrize(
    ("component", "known", "value"),
    [
        ({"type": "textfield"}, "a\nb\tc", "a b c"),
        ({"type": "textfield"}, 1.0, "1"),
        ({"type": "textfield"}, True, "true"),
        ({"type": "textfield"}, ["a"], ""),
        ({"type": "textfield"}, None, ""),
        ({"type": "textarea"}, "a\nb", "a\nb"),
        ({"type": "number"}, "12.50", 12.5),
        ({"type": "number"}, "twelve", None),
        ({"type": "number"}, True, None),
        ({"type": "number", "serializeToString": True}, "12.50", "12.50"),
        ({"type": "number", "serializeToString": True}, 7, "7"),
        ({"type": "checkbox"}, "true", False),
        ({"type": "checkbox"}, True, True),
        ({"type": "radio", "values": LETTERS}, "a", "a"),
        ({"type": "radio", "values": LETTERS}, "c", None),
        ({"type": "select", "valuesExpression": "=known"}, "anything", "anything"),
        ({"type": "checklist", "values": LETTERS}, ["b", "c", "a"], ["b", "a"]),
        ({"type": "checklist", "values": LETTERS}, "a", []),
        ({"type": "checklist", "valuesExpression": "=known"}, "a", []),
        ({"type": "taglist", "valuesExpression": "=known"}, ["a"], ["a"]),
        ({"type": "datetime", "subtype": "date"}, "2026-11-25", "2026-11-25"),
        ({"type": "datetime", "subtype": "date"}, "2026-11-25T10:00", None),
        ({"type": "datetime", "subtype": "date"}, "soon", None),
        ({"type": "datetime", "subtype": "time"}, "10:30+02:00", "10:30+02:00"),
        ({"type": "datetime", "subtype": "datetime"}, "2026-11-25", None),
    ],
)
def test_a_variable_is_taken_as_far_as_it_fits(component: dict[str, Any], known: object, value: object) -> None:
    assert opened({"id": "f", "key": "k", **component}, k=known) == {"k": value}


def test_default_replaces_a_missing_variable_not_null() -> None:
    name = {"type": "textfield", "id": "f", "key": "k", "defaultValue": "Ada"}
    assert opened(name) == {"k": "Ada"}
    assert opened(name, k=None) == {"k": ""}
    assert opened(name, k="Bob") == {"k": "Bob"}


def test_dotted_keys_lead_into_objects() -> None:
    group = {"type": "group", "id": "g", "path": "a.b", "components": [{"type": "number", "id": "n", "key": "c.d"}]}
    assert opened(group, a={"x": 1, "b": {"c": {"d": "5"}}}) == {"a": {"x": 1, "b": {"c": {"d": 5}}}}


def test_a_group_without_path_adds_nothing_to_the_keys_inside() -> None:
    inside = {"type": "textfield", "id": "t", "key": "k"}
    assert opened({"type": "group", "id": "g", "components": [inside]}) == {"k": ""}


PETS = {
    "type": "dynamiclist", "id": "l", "path": "pets", "isRepeating": True, "allowAddRemove": True,
    "components": [
        {"type": "textfield", "id": "n", "key": "name", "defaultValue": "Rex"},
        {"type": "dynamiclist", "id": "t", "path": "toys", "isRepeating": True, "defaultRepetitions": 0,
         "components": [{"type": "checkbox", "id": "b", "key": "loud"}]},
    ],
}  # fmt: skip


def test_a_list_begins_with_the_items_it_has_or_with_new_ones() -> None:
    assert opened(PETS) == {"pets": [{"name": "Rex", "toys": []}]}
    assert opened({**PETS, "defaultRepetitions": 2})["pets"] == [{"name": "Rex", "toys": []}] * 2
    assert opened({**PETS, "defaultRepetitions": 0})["pets"] == []
    assert opened(PETS, pets=[]) == {"pets": []}
    known = [{"name": "Tom", "age": 3, "toys": [{"loud": True}, 7]}, "no object"]
    assert opened(PETS, pets=known)["pets"] == [
        {"name": "Tom", "age": 3, "toys": [{"loud": True}, {"loud": False}]},
        {"name": "Rex", "toys": []},
    ]


def test_a_new_item_begins_like_the_first_ones() -> None:
    schema = parse_schema({"components": [PETS]})
    data = make_initial_data(schema, {"pets": [{"name": "Tom"}]})
    assert make_item(schema.components[0], data, ("pets",)) == {"name": "Rex", "toys": []}


def test_a_list_longer_than_anybody_fills_is_refused() -> None:
    with pytest.raises(FormUnreadable, match="101 items"):
        opened(PETS, pets=[{}] * 101)


def test_variables_that_the_form_does_not_ask_for_stay() -> None:
    assert opened({"type": "spacer", "id": "s"}, other=[1]) == {"other": [1]}
