"""Answers as people give them, and as kinds of fields hold, check and show them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from forms.clock import get_now
from forms.evaluate.checking import check
from forms.evaluate.initial import make_initial_data
from forms.evaluate.resolve import resolve_form
from forms.fields import find_kind
from forms.fields.number import count_steps
from forms.kinds.kind import ValueRefused
from forms.kinds.widgets import AskWidget, ItemsWidget, MomentWidget, PickWidget, UploadWidget, Widget
from forms.model import Field, Option
from forms.schema.components import parse_schema

LETTERS = [{"value": "a", "label": "Alpha"}, {"value": "b", "label": "Beta"}, {"value": 3, "label": "Three"}]


@dataclass(frozen=True)
class Person:
    locale: str = "en"
    zone: str = "Europe/Berlin"


ADA = Person()


def field(kind: str, **more: Any) -> Field:
    variables = more.pop("variables", {})
    schema = parse_schema({"components": [{"type": kind, "id": "f", "key": "k", **more}]})
    data = make_initial_data(schema, variables)
    return resolve_form(schema, data, data).form.fields[0]


def typed(found: Field, text: str, person: Person = ADA) -> object:
    """The value, or the code of what is wrong with the text."""
    try:
        return find_kind(found).parse_text(found, text, person)
    except ValueRefused as refusal:
        return refusal.problem.code


def wrong(found: Field, value: Any) -> str | None:
    problem = check(found, value)
    return problem.code if problem else None


def widget(found: Field, value: Any = None, person: Person = ADA) -> Widget:
    return find_kind(found).build_widget(found, value, person)


@pytest.mark.parametrize(
    ("more", "text", "value"),
    [
        ({}, "12", 12),
        ({}, " 12,50 ", 12.5),
        ({}, "+.5", 0.5),
        ({}, "-0", 0),
        ({}, "\u221212.5", -12.5),
        ({}, "1 234 567,5", 1234567.5),
        ({}, "1\u00a0000", 1000),
        ({}, "9007199254740993", 9007199254740993),
        ({"serializeToString": True}, "0012.50", "12.50"),
        ({"serializeToString": True}, "12345678901234567890.123", "12345678901234567890.123"),
        ({}, "12a", "not_a_number"),
        ({}, "1e400", "not_a_number"),
        ({}, "9" * 400, "not_a_number"),
        ({}, "", "not_a_number"),
        ({}, "NaN", "not_a_number"),
        ({}, "١٢", 12),
        ({}, "1.500", 1.5),
        ({}, "0,500", 0.5),
        ({}, "1,5000", 1.5),
        ({}, "1,000", "thousands_or_decimals"),
        ({"serializeToString": True}, "-12,500", "thousands_or_decimals"),
        ({}, "1,000,000", "thousands_apart"),
        ({}, "1.000.000", "thousands_apart"),
        ({"decimalDigits": 0}, "1,000", "thousands_apart"),
        ({"decimalDigits": 0}, "10.000", "thousands_apart"),
        ({"decimalDigits": 0}, "1,5", "not_whole"),
        ({"decimalDigits": 0}, "5.0", "not_whole"),
        ({"decimalDigits": 0}, "1 000", 1000),
    ],
)
def test_a_number_is_read_as_people_write_it(more: dict[str, Any], text: str, value: object) -> None:
    assert typed(field("number", **more), text) == value


@pytest.mark.parametrize(
    ("more", "value", "code"),
    [
        ({}, 1, None),
        ({}, True, "not_a_number"),
        ({}, "1", "not_a_number"),
        ({"serializeToString": True}, "1", None),
        ({"serializeToString": True}, 1, "not_a_number"),
        ({"decimalDigits": 0}, 1.5, "not_whole"),
        ({"decimalDigits": 0}, 2.0, None),
        ({"decimalDigits": 2}, 0.125, "decimals"),
        ({"decimalDigits": "2"}, 0.125, "decimals"),
        ({"decimalDigits": 2}, 0.1 + 0.2, "decimals"),
        ({"increment": 0.1}, 0.3, None),
        ({"increment": "0.25"}, 0.3, "increment"),
        ({"increment": 5}, -5, None),
        ({"validate": {"min": 3}}, 2.99, "too_small"),
        ({"validate": {"min": 3}}, 3, None),
        ({"validate": {"max": "4"}}, 5, "too_large"),
        ({"validate": {"min": "soon"}}, 5, "limit_broken"),
        ({"validate": {"required": True}}, None, "required"),
        ({"validate": {"required": True}}, 0, None),
        ({}, None, None),
    ],
)
def test_a_number_is_checked_to_the_last_digit(more: dict[str, Any], value: Any, code: str | None) -> None:
    assert wrong(field("number", **more), value) == code


def test_ambiguous_thousands_are_asked_again() -> None:
    with pytest.raises(ValueRefused) as refused:
        find_kind(field("number")).parse_text(field("number"), "1,000", ADA)
    assert refused.value.problem.params == {"number": "1000", "fraction": "1.000"}
    assert find_kind(field("number")).parse_text(field("number"), "1,000", Person(locale="ru")) == 1


def test_few_numbers_are_counted_and_many_are_typed() -> None:
    few = field("number", increment=5, validate={"min": 0, "max": 20})
    assert widget(few) == AskWidget(step=5.0, numbers=("0", "5", "10", "15", "20"))
    assert (count_steps(few, None, 1), count_steps(few, 5, -1)) == (0, 0)
    assert find_kind(few).pick(few, None, 3) == 15
    assert widget(field("number", validate={"min": 0, "max": 1000})) == AskWidget()
    assert widget(field("number")) == AskWidget()


def test_a_number_is_shown_between_its_adorners() -> None:
    price = field("number", appearance={"prefixAdorner": "=sign", "suffixAdorner": "net"}, variables={"sign": "€"})
    assert find_kind(price).format_value(price, 12.0, ADA) == "€ 12 net"


@pytest.mark.parametrize(
    ("kind", "more", "text", "value"),
    [
        ("textfield", {}, "  Ada \n Lovelace ", "Ada   Lovelace"),
        ("textarea", {}, " a\nb ", "a\nb"),
        ("textfield", {}, "nul\0", "unusable_characters"),
        ("textfield", {"validate": {"validationType": "phone"}}, "+7 (495) 123-45.67", "+74951234567"),
        ("checkbox", {}, "YES", True),
        ("checkbox", {}, "нет", False),
        ("checkbox", {}, "perhaps", "use_buttons"),
        ("radio", {"values": LETTERS}, " beta", "b"),
        ("select", {"values": LETTERS}, "3", 3),
        ("select", {"values": LETTERS}, "gamma", "not_an_option"),
        ("checklist", {"values": LETTERS}, "Beta, a ,beta", ["b", "a"]),
        ("taglist", {"values": LETTERS}, "Beta, gamma", "not_an_option"),
        ("taglist", {"values": LETTERS}, " ", "not_an_option"),
        ("filepicker", {}, "file.txt", "send_file"),
    ],
)
def test_what_was_typed_becomes_a_value(kind: str, more: dict[str, Any], text: str, value: object) -> None:
    assert typed(field(kind, **more), text) == value


@pytest.mark.parametrize(
    ("kind", "rules", "value", "code"),
    [
        ("textfield", {"required": True}, "", "required"),
        ("textfield", {"required": True}, None, "required"),
        ("textfield", {"minLength": 3}, " ab ", "too_short"),
        ("textfield", {"minLength": 3}, "", None),
        ("textfield", {"maxLength": 3}, " abc ", None),
        ("textfield", {"maxLength": 3}, "👍👍", "too_long"),
        ("textfield", {"pattern": "[0-9]{3}"}, "x123", None),
        ("textfield", {"pattern": "^[0-9]{3}$"}, "x123", "pattern"),
        ("textfield", {"pattern": "(", "required": True}, "x", "pattern_broken"),
        ("textfield", {"pattern": "(a+)+$"}, "a" * 40 + "!", "pattern_broken"),
        ("textfield", {"pattern": "^a", "patternErrorMessage": "Begin with a"}, "b", "custom"),
        ("textfield", {"validationType": "email"}, "ada@example.org", None),
        ("textfield", {"validationType": "email"}, "ada example.org", "email"),
        ("textfield", {"validationType": "email"}, "ada@exam ple.org", "email"),
        ("textfield", {"validationType": "phone"}, "+442079460000", None),
        ("textfield", {"validationType": "phone"}, "020 7946 0000", "phone"),
        ("textfield", {"validationType": "custom"}, "anything", None),
        ("textfield", {}, 7, "wrong_type"),
        ("textfield", {}, "x" * 100_001, "too_long"),
        ("checkbox", {"required": True}, False, "must_agree"),
        ("checkbox", {}, "yes", "use_buttons"),
        ("checklist", {"required": True}, [], "choose_some"),
        ("checklist", {}, ["value"], None),
        ("checklist", {}, ["other"], "not_an_option"),
        ("checklist", {}, "value", "wrong_type"),
        ("radio", {"required": True}, None, "required"),
        ("radio", {}, "other", "not_an_option"),
        ("radio", {}, "", None),
        ("radio", {"required": True}, "", "required"),
    ],
)
def test_a_value_is_checked_by_the_rules_of_its_field(
    kind: str, rules: dict[str, Any], value: Any, code: str | None
) -> None:
    assert wrong(field(kind, validate=rules), value) == code


@pytest.mark.parametrize(
    ("more", "options"),
    [
        ({"values": LETTERS}, [("a", "Alpha"), ("b", "Beta"), (3, "Three")]),
        ({"values": ["x", 0, False, "", None, {"value": ""}, {"label": "only"}, {"value": 2}]},
         [("x", "x"), (0, "0"), (False, "false"), (2, "2")]),
        ({"values": [{"value": {"id": 1}, "label": "One"}, {"value": {}, "label": "None"}, {"value": {"id": 2}}]},
         [({"id": 1}, "One")]),
        ({"valuesKey": "cities"}, [("Rome", "Rome")]),
        ({"valuesKey": "cities", "values": LETTERS}, [("Rome", "Rome")]),
        ({"valuesKey": "nothing", "values": LETTERS}, []),
        ({"valuesExpression": "=for c in cities return {value: c, label: upper case(c)}"}, [("Rome", "ROME")]),
        ({"valuesExpression": "=nothing("}, []),
        ({"valuesExpression": '="text"'}, []),
        ({"values": LETTERS, "valuesExpression": "=cities"}, [("a", "Alpha"), ("b", "Beta"), (3, "Three")]),
        ({}, [("value", "Value")]),
    ],
)  # fmt: skip
def test_options_come_from_a_variable_the_model_or_feel(more: dict[str, Any], options: list[Any]) -> None:
    found = field("select", **more, variables={"cities": ["Rome"]})
    assert found.options == tuple(Option(value, label) for value, label in options)


def test_options_are_chosen_and_toggled_by_buttons() -> None:
    one, some = field("radio", values=LETTERS), field("checklist", values=LETTERS)
    assert find_kind(one).pick(one, "a", 2) == 3
    assert find_kind(some).pick(some, ["b"], 0) == ["b", "a"]
    assert find_kind(some).pick(some, ["b", "a"], 1) == ["a"]
    for found in (one, some):
        with pytest.raises(ValueRefused):
            find_kind(found).pick(found, None, 3)
    assert widget(some, ["b"]) == PickWidget(("Alpha", "Beta", "Three"), frozenset({1}), several=True)


def test_true_is_no_1_among_options() -> None:
    found = field("select", values=[{"value": 1, "label": "One"}, {"value": True, "label": "True"}])
    assert find_kind(found).format_value(found, True, ADA) == "True"
    assert wrong(field("select", values=[1]), True) == "not_an_option"


BERLIN = {"subtype": "datetime", "timeSerializingFormat": "utc_offset"}


@pytest.mark.parametrize(
    ("more", "text", "value"),
    [
        ({"subtype": "date"}, "2026-11-15", "2026-11-15"),
        ({"subtype": "date"}, "11/15/26", "2026-11-15"),
        ({"subtype": "date"}, "2026-02-30", "not_a_date"),
        ({"subtype": "date"}, "whenever", "not_a_date"),
        ({"subtype": "time"}, "9:05", "09:05"),
        ({"subtype": "time"}, "0905", "09:05"),
        ({"subtype": "time"}, "24:00", "not_a_time"),
        ({"subtype": "time"}, "noonish", "not_a_time"),
        (BERLIN, "2026-07-15 10:30", "2026-07-15T10:30+02:00"),
        (BERLIN, "2026-12-15 10:30", "2026-12-15T10:30+01:00"),
        (BERLIN, "2026-12-15", "2026-12-15T"),
        (BERLIN, "2026-12-15 2:30 PM", "2026-12-15T14:30+01:00"),
        (BERLIN, "12/20/26 2:30 p. m.", "2026-12-20T14:30+01:00"),
        (BERLIN, "12/20/26 12:15 AM", "2026-12-20T00:15+01:00"),
        (BERLIN, "20 12 2026 9am", "2026-12-20T09:00+01:00"),
        (BERLIN, "12/20/26 soon", "2026-12-20T"),
        (BERLIN, "12/20/26 25:61", "2026-12-20T"),
        (BERLIN, "10:12:15", "not_a_date"),
        ({"subtype": "time"}, "12:15 PM", "12:15"),
        ({"subtype": "time"}, "12 am", "00:00"),
        ({**BERLIN, "timeSerializingFormat": "utc_normalized"}, "2026-07-15 00:30", "2026-07-14T22:30Z"),
        ({**BERLIN, "timeSerializingFormat": "no_timezone"}, "2026-07-15 00:30", "2026-07-15T00:30"),
    ],
)
def test_a_date_or_time_is_written_as_form_js_does_it(more: dict[str, Any], text: str, value: object) -> None:
    assert typed(field("datetime", **more), text) == value


def test_a_time_of_day_keeps_its_moment_on_another_clock() -> None:
    found = field("datetime", **BERLIN)
    assert find_kind(found).format_value(found, "2026-07-15T10:30+02:00", Person(zone="Asia/Tokyo")).endswith("5:30 PM")
    moment = widget(found, "2026-07-15T10:30Z")
    assert isinstance(moment, MomentWidget)
    assert moment.minute == 12 * 60 + 30


@pytest.mark.parametrize(
    ("more", "value", "code"),
    [
        ({"subtype": "date"}, "2026-13-01", "not_a_date"),
        ({"subtype": "date"}, "2026-11-15T10:00", "not_a_date"),
        ({"subtype": "time"}, "25:00", "not_a_time"),
        (BERLIN, "2026-11-15T", "time_missing"),
        (BERLIN, "2026-11-15T10:00+01:00", None),
        ({"subtype": "date", "validate": {"required": True}}, None, "required"),
        ({"subtype": "date", "disallowPassedDates": True}, "2020-01-01", "date_passed"),
    ],
)
def test_a_date_or_time_is_checked(more: dict[str, Any], value: Any, code: str | None) -> None:
    assert wrong(field("datetime", **more), value) == code


def test_today_and_tomorrow_can_be_typed_in_words() -> None:
    found, today = field("datetime", subtype="date"), get_now(ADA.zone).date()
    assert typed(found, "Today") == today.isoformat()
    assert typed(found, "tomorrow") == (today + timedelta(days=1)).isoformat()


def file(name: str = "a.pdf", content_type: str = "application/pdf") -> dict[str, Any]:
    return {
        "baton_file": 1, "path": f"x/{name}", "sha256": "0" * 64, "size_bytes": 1, "content_type": content_type,
        "name": name, "holds": "file",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "value", "code"),
    [
        ({}, [file()], None),
        ({}, None, None),
        ({}, [file(), file("b.pdf")], "too_many_files"),
        ({"multiple": True}, [file(), file("b.pdf")], None),
        ({"multiple": "=many"}, [file(), file("b.pdf")], None),
        ({"accept": ".pdf"}, [file("a.PDF", "text/plain")], None),
        ({"accept": "image/*,.txt"}, [file()], "wrong_file_type"),
        ({"accept": "image/*"}, [file("a.bin", "image/png")], None),
        ({"accept": "=kinds"}, [file()], "wrong_file_type"),
        ({}, [{"baton_file": 1}], "wrong_type"),
        ({"validate": {"required": True}}, None, "required"),
    ],
)
def test_files_are_checked_by_number_and_type(more: dict[str, Any], value: Any, code: str | None) -> None:
    assert wrong(field("filepicker", **more, variables={"many": True, "kinds": ".txt"}), value) == code


def test_files_are_shown_by_name_and_one_can_be_taken_back() -> None:
    found = field("filepicker", multiple=True)
    assert widget(found, [file()]) == UploadWidget(("a.pdf",), several=True)
    assert find_kind(found).pick(found, [file(), file("b.pdf")], 0) == [file("b.pdf")]
    assert find_kind(found).pick(found, [file()], 0) is None


def test_only_a_list_that_allows_it_can_be_changed() -> None:
    inside = [{"type": "textfield", "id": "t", "key": "t"}]
    found = field("dynamiclist", path="l", components=inside)
    assert widget(found, [{}]) == ItemsWidget(("—",), ("—",), may_change=True)
    assert find_kind(found).pick(found, [{"t": "a"}, {"t": "b"}], 0) == [{"t": "b"}]
    fixed = field("dynamiclist", path="l", components=inside, allowAddRemove=False)
    with pytest.raises(ValueRefused):
        find_kind(fixed).pick(fixed, [{}], 0)
