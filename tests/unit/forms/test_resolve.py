"""The form at one moment: what is visible, what it says, what FEEL computes, and in how many rounds."""

from datetime import UTC, datetime
from typing import Any

import pytest

from forms.errors import FormUnreadable
from forms.evaluate.checking import find_errors
from forms.evaluate.initial import make_initial_data
from forms.evaluate.resolve import ResolvedForm, compute_before_submission, resolve_form
from forms.model import Form, Mode
from forms.schema.components import parse_schema
from forms.schema.paths import spell


def text(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "textfield", "id": f"t-{key}", "key": key, "label": key, **more}


def number(key: str, **more: Any) -> dict[str, Any]:
    return {"type": "number", "id": f"n-{key}", "key": key, **more}


def computed(key: str, source: str, on: str = "change", **more: Any) -> dict[str, Any]:
    return {"type": "expression", "id": f"e-{key}", "key": key, "expression": source, "computeOn": on, **more}


def group(path: str, *components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "group", "id": f"g-{path}", "path": path, "components": list(components), **more}


def listed(path: str, *components: dict[str, Any], **more: Any) -> dict[str, Any]:
    kept = {"type": "dynamiclist", "id": f"l-{path}", "path": path, "isRepeating": True, "allowAddRemove": True}
    return {**kept, "components": list(components), **more}


def hidden(source: object) -> dict[str, Any]:
    return {"conditional": {"hide": source}}


def resolved(*components: dict[str, Any], locale: str = "en", **variables: Any) -> ResolvedForm:
    schema = parse_schema({"id": "form", "components": list(components)})
    initial = make_initial_data(schema, variables)
    return resolve_form(schema, initial, initial, locale=locale, now=datetime(2026, 11, 25, 12, tzinfo=UTC))


def paths(form: Form) -> list[str]:
    return [spell(field.path) for field in form.list_all_fields() if field.mode is not Mode.DISPLAY]


@pytest.mark.parametrize(
    ("hide", "age", "visible"),
    [
        ("=age >= 18", 20, False),
        ("=age >= 18", 7, True),
        # A condition that cannot be decided hides: it is compared with null.
        ("=age >= 18", None, False),
        ("=age < 18", None, False),
        ("=unknown", 1, False),
        ("=not(unknown)", 1, True),
        ("=unknown = null", 1, False),
        # What is no FEEL is no condition.
        (True, 1, True),
        ("age >= 18", 20, True),
        ("", 20, True),
        # A condition that fails hides nothing.
        ("=age >=", 20, True),
        ("=nothing(", 20, True),
    ],
)
def test_a_condition_hides_as_the_viewer_does_it(hide: object, age: int | None, visible: bool) -> None:
    form = resolved(text("k", **hidden(hide)), age=age).form
    assert paths(form) == (["k"] if visible else [])


def test_what_is_inside_something_hidden_is_hidden_too() -> None:
    inner = group("in", text("a"), listed("items", text("b")))
    assert paths(resolved(group("out", inner, **hidden("=hide")), text("c"), hide=True).form) == ["c"]
    assert paths(resolved(listed("items", text("b"), **hidden("=hide")), hide=True).form) == []


def test_hidden_value_is_unseen_except_the_initial_one() -> None:
    schema = parse_schema({"components": [text("a", **hidden("=hide")), computed("seen", "=a")]})
    initial = make_initial_data(schema, {"a": "old", "hide": True})
    assert resolve_form(schema, initial, {**initial, "a": "new"}).data["seen"] == "old"
    assert resolve_form(schema, initial, {**initial, "a": "new", "hide": False}).data["seen"] == "new"


def test_paths_of_groups_and_lists_lead_to_the_values() -> None:
    inner = listed("toys", text("name"), group("size", number("cm")))
    found = resolved(group("a.b", text("c.d"), listed("pets", text("name"), inner)), a={"b": {"pets": [{}, {}]}})
    assert paths(found.form) == [
        "a.b.c.d",
        "a.b.pets",
        "a.b.pets.0.name",
        "a.b.pets.0.toys",
        "a.b.pets.0.toys.0.name",
        "a.b.pets.0.toys.0.size.cm",
        "a.b.pets.1.name",
        "a.b.pets.1.toys",
        "a.b.pets.1.toys.0.name",
        "a.b.pets.1.toys.0.size.cm",
    ]
    inside = [field for field in found.form.list_all_fields() if field.path[-1] == "cm"]
    assert [field.scope for field in inside] == [("a", "b", "pets", 0, "toys", 0), ("a", "b", "pets", 1, "toys", 0)]


def test_inside_a_list_this_parent_and_i_are_those_of_the_item() -> None:
    toy = text("t", label="{{string(i[1])}}.{{string(i[2])}} {{this.t}} of {{parent.name}}, {{parent.parent.owner}}")
    pets = [{"name": "Rex", "toys": [{"t": "ball"}]}, {"name": "Tom", "toys": [{"t": "bell"}, {"t": "bone"}]}]
    form = resolved(listed("pets", text("name"), listed("toys", toy)), owner="Ada", pets=pets).form
    labels = [field.label for field in form.list_all_fields() if field.path[-1] == "t"]
    assert labels == ["1.1 ball of Rex, Ada", "2.1 bell of Tom, Ada", "2.2 bone of Tom, Ada"]


def test_a_condition_inside_a_list_is_decided_for_each_item() -> None:
    cage = text("cage", **hidden("=not(this.wild)"))
    form = resolved(listed("pets", cage), pets=[{"wild": True}, {"wild": False}, {"wild": True}]).form
    assert [path for path in paths(form) if path.endswith("cage")] == ["pets.0.cage", "pets.2.cage"]


def test_a_list_that_does_not_repeat_is_a_group() -> None:
    assert paths(resolved({**listed("pets", text("name")), "isRepeating": False}).form) == ["pets.name"]


def test_value_is_computed_on_change_or_before_submission() -> None:
    found = resolved(number("a"), computed("b", "=a * 2"), computed("c", "=a * 3", on="presubmit"), a=2)
    assert (found.data["b"], found.data["c"]) == (4, None)
    assert compute_before_submission(found.form, found.data)["c"] == 6


def test_computed_values_and_conditions_settle() -> None:
    chain = [computed(f"v{n}", f"=v{n + 1} + 1") for n in range(5)]
    found = resolved(*chain, computed("v5", "=a"), text("shown", **hidden("=v0 < 6")), a=1)
    assert found.data["v0"] == 6
    assert "shown" in paths(found.form)


def test_expressions_that_chase_each_other_end_all_the_same() -> None:
    found = resolved(computed("a", "=if b = null then 0 else b + 1"), computed("b", "=if a = null then 0 else a + 1"))
    assert isinstance(found.data["a"], int)


def test_a_choice_whose_option_is_gone_is_forgotten() -> None:
    city = {"type": "select", "id": "s", "key": "city", "valuesExpression": '=if big then ["Rome"] else ["Ely"]'}
    tags = {**city, "type": "taglist", "id": "t", "key": "cities"}
    schema = parse_schema({"components": [city, tags]})
    initial = make_initial_data(schema, {"big": True, "city": "Rome", "cities": ["Rome"]})
    assert resolve_form(schema, initial, initial).data == initial
    left = resolve_form(schema, initial, {**initial, "big": False}).data
    assert (left["city"], left["cities"]) == (None, [])


def test_what_nobody_can_choose_anew_stays_without_its_option() -> None:
    city = {"type": "select", "id": "s", "key": "city", "valuesExpression": '=["Ely"]'}
    tags = {**city, "type": "taglist", "id": "t", "key": "cities"}
    for more in ({"readonly": True}, {"readonly": "=true"}, {"disabled": True}):
        found = resolved({**city, **more}, {**tags, **more}, city="Rome", cities=["Rome"])
        assert found.data == {"city": "Rome", "cities": ["Rome"]}
        assert find_errors(found.form, found.data) == {}


def test_a_choice_that_is_false_or_zero_stays_as_in_form_js() -> None:
    city = {"type": "select", "id": "s", "key": "city", "valuesExpression": '=["Ely"]'}
    assert [resolved(city, city=value).data["city"] for value in (False, 0, "", [], {})] == [False, 0, "", None, None]


def test_feel_sees_hidden_values_in_fixed_lists() -> None:
    once = listed("l", text("a", **hidden("=true"), defaultValue="x"), isRepeating=False)
    assert paths(resolved(once, text("b", **hidden("=l.a = null"))).form) == ["b"]
    gone = {**once, **hidden("=true")}
    assert paths(resolved(gone, text("b", **hidden("=l.a = null"))).form) == ["b"]
    assert paths(resolved(gone, text("b", **hidden("=l.a = null")), l={"a": "y", "z": 1}).form) == ["b"]


def test_what_is_computed_need_not_be_feel() -> None:
    assert resolved(computed("k", "fixed")).data["k"] == "fixed"


def test_field_texts_are_filled_from_the_data() -> None:
    field = resolved(
        text("k", label="Dear {{name}}\nand others", description='="Since " + string(year)'), name="Ada", year=1815
    ).form.fields[0]
    assert (field.label, field.help) == ("Dear Ada", "Since 1815")


def test_localised_texts_come_from_properties() -> None:
    spoken = text("k", label="Dear {{name}}", properties={"label_ru": "Дорогая {{name}}"})
    assert resolved(spoken, locale="ru", name="Ада").form.fields[0].label == "Дорогая Ада"
    assert resolved(spoken, locale="de", name="Ada").form.fields[0].label == "Dear Ada"


def test_limits_may_be_feel_and_one_that_fails_is_none() -> None:
    rules = resolved(number("k", validate={"min": "=low", "max": "=nothing("}), low=3).form.fields[0].rules
    assert (rules.min, rules.max) == (3, None)


@pytest.mark.parametrize(
    ("more", "mode"),
    [
        ({}, Mode.ASKED),
        ({"readonly": True}, Mode.READONLY),
        ({"readonly": "=locked"}, Mode.READONLY),
        ({"readonly": "=not(locked)"}, Mode.ASKED),
        ({"disabled": True}, Mode.DISABLED),
        ({"disabled": True, "readonly": True}, Mode.DISABLED),
        ({"properties": {"role": "hidden"}}, Mode.HIDDEN),
    ],
)
def test_what_a_person_may_do_with_a_field(more: dict[str, Any], mode: Mode) -> None:
    assert resolved(text("k", **more), locked=True).form.fields[0].mode is mode


def test_today_is_that_of_the_clock_that_is_given() -> None:
    assert resolved(computed("year", "=today().year")).data["year"] == 2026


def test_an_unknown_component_is_named_and_the_rest_can_be_used() -> None:
    form = resolved({"type": "hologram", "id": "h", "label": "Look"}, text("k")).form
    assert (form.fields[0].unsupported, form.fields[0].mode) == (True, Mode.DISPLAY)
    assert "hologram “Look”" in form.fields[0].label
    assert paths(form) == ["k"]


def test_visible_enabled_buttons_are_actions() -> None:
    def button(name: str, **more: Any) -> dict[str, Any]:
        return {"type": "button", "id": name, "label": name, "properties": {"action": name}, **more}

    silent = [button("no", **hidden("=true")), button("off", disabled=True), button("x", action="reset")]
    form = resolved(button("go"), *silent).form
    assert [(action.key, action.label) for action in form.actions] == [("go", "go")]
    plain = {"type": "button", "id": "b", "label": "Send it"}
    assert (resolved(plain).form.actions, resolved(plain).form.submit_label) == ((), "Send it")


@pytest.mark.parametrize(
    ("components", "reason"),
    [
        ([text("k"), text("k")], "the key 'k'"),
        ([text("a.b"), group("a", text("b"))], "the key 'a.b'"),
        ([text("a"), text("a.b")], "the key 'a.b' lies inside"),
        ([group("a", text("b")), text("a")], "the key 'a.b' lies inside"),
        ([text("l"), listed("l.items", text("b"))], "the key 'l.items' lies inside"),
        ([{"type": "textfield", "id": "x"}], "'x' has no key"),
        ([{"type": "datetime", "id": "d", "key": "d", "subtype": "week"}], "subtype 'week'"),
        ([number("n", increment=-1)], "increment -1"),
        ([{"type": "dynamiclist", "id": "l", "isRepeating": True}], "no path"),
        ([{"type": "button", "id": "b", "properties": {"action": ["x"]}}], "the name of a variable"),
    ],
)
def test_what_cannot_work_as_drawn_is_named(components: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(FormUnreadable, match=f"'form'.*{reason}"):
        resolved(*components)
