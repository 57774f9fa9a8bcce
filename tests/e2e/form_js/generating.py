"""Forms as nobody would draw them, with process variables that fit and that do not, and what people do with them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

__all__ = ["cases"]

Component = dict[str, Any]
Draw = st.DrawFn

_OPTIONS = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}, "c", 2, {"value": True}, {"label": "nothing"}]
_WRONG = st.sampled_from(
    ["x", "a", "", 0, 1, 2.5, -3, True, False, None, [], ["a"], ["a", "z"], [2], {}, {"b": 1}, "7"]
)
_LISTS = st.sampled_from([None, [], ["a"], ["a", "z"], [2], [1, 3, 2]])
_TEXTS = st.sampled_from(["", "a", "ab", "abc", "Ada Lovelace", " a ", "12", "ada@example.org", "é😀", "a\\b"])
_NUMBERS = st.sampled_from([None, 0, 1, 2, 3, 7, 10, -4, 0.5, 2.25, 1.125, 1000000])
_DAYS = st.sampled_from([None, "2024-02-29", "2026-11-25", "1999-12-31"])
_TIMES = st.sampled_from([None, "00:00", "10:30", "23:45"])
_MOMENTS = st.sampled_from([None, "2024-02-29T10:30", "2026-11-25T00:00"])
_ANSWERS: Mapping[str, st.SearchStrategy[Any]] = {
    "textfield": _TEXTS,
    "textarea": _TEXTS | st.just("a\nb"),
    "number": _NUMBERS,
    "checkbox": st.booleans(),
    "date": _DAYS,
    "time": _TIMES,
    "datetime": _MOMENTS,
}
_PICKED = ("radio", "select", "checklist", "taglist")
_KINDS = ("textfield", "textarea", "number", "checkbox", "datetime", "expression", "filepicker", *_PICKED)
_LOOKED_AT = ("text", "html", "image", "table", "documentPreview", "iframe", "separator", "spacer", "button")
_HOLDERS = ("group", "dynamiclist", "dynamiclist")
_CONDITIONS: Mapping[str, tuple[str, ...]] = {
    "textfield": ('{x} = "a"', 'contains({x}, "a")', "string length({x}) > 2", "{x}"),
    "textarea": ('{x} = ""', 'starts with({x}, "a")', "{x} = null"),
    "number": ("{x} > 2", "{x} = null", "{x} >= 1 and {x} < 8", "{x} in [1..3]", "{x} + 1 = 2"),
    "checkbox": ("{x}", "not({x})", "{x} = false", "{x} or v1 > 2"),
    "datetime": ('date({x}) > date("2025-01-01")', "{x} = null", '{x} != "10:30"'),
    "expression": ("{x} = 4", "{x}", "{x} = null"),
    "filepicker": ("{x} = null", "{x}"),
    "radio": ('{x} = "a"', "{x} = 2", "{x} = null"),
    "select": ('{x} = "b"', "{x}", "not({x} = null)"),
    "checklist": ("count({x}) > 1", 'list contains({x}, "a")', "{x} = []"),
    "dynamiclist": ("count({x}) > 1", "{x} = null", "{x}[1] = null", "{x} = []"),
    "group": ("{x} = null", "{x} = {{}}"),
    "taglist": ("count({x}) = 0", 'some t in {x} satisfies t = "b"'),
}
_ABOVE = ("parent.v0", "parent = null", "this.v0", "_this_.v1 > 2", "_parent_.v1 = 1", "i[2] > 1", "_i_[1] = 2")
_FREE = ("v0", "v1 > 2", "unknown", "not(unknown)", "true", "v1 = null", "v1 >", "count(v2) > 1", "i[1] = 1", *_ABOVE)


@dataclass(slots=True)
class _Drawing:
    """What has been drawn so far: the fields by how FEEL calls them, and where their values are."""

    draw: Draw
    known: list[tuple[str, str]] = field(default_factory=list)
    valued: list[tuple[tuple[str, ...], Component]] = field(default_factory=list)
    lists: list[tuple[str, ...]] = field(default_factory=list)
    count: int = 0

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def any_of(self, *found: Any) -> Any:
        return self.draw(st.sampled_from(found))

    def maybe(self, share: int = 3) -> bool:
        return self.draw(st.integers(1, share)) == 1

    def condition(self) -> str:
        """One of the fields drawn before, or of the variables."""
        if not self.known or self.maybe(4):
            return f"={self.any_of(*_FREE)}"
        name, kind = self.any_of(*self.known)
        return f"={self.any_of(*_CONDITIONS[kind]).format(x=name)}"

    def level(self, where: tuple[str, ...], feel: str, depth: int) -> list[Component]:
        return [self.component(where, feel, depth) for _ in range(self.draw(st.integers(1, 4 if depth else 6)))]

    def component(self, where: tuple[str, ...], feel: str, depth: int) -> Component:
        kind = self.any_of(*_KINDS, *_KINDS, "", *(_HOLDERS if depth < 3 else ())) or self.any_of(*_LOOKED_AT)
        found: Component = {"type": kind, "id": self.name("Field_")}
        if self.maybe(4):
            found["conditional"] = {"hide": self.condition()}
        match kind:
            case "group":
                self.group(found, where, feel, depth)
            case "dynamiclist":
                self.repeated(found, where, feel, depth)
            case _ if kind in _LOOKED_AT:
                # Of a table without columns the viewer makes another one.
                found |= {"text": "# {{v1}}", "label": "=v1", "columns": [{"key": "a", "label": "A"}]}
            case _:
                self.valued_one(found, where, feel)
        return found

    def group(self, found: Component, where: tuple[str, ...], feel: str, depth: int) -> None:
        path = self.name("g") if self.maybe(2) else ""
        inner = (*where, path) if path else where
        found |= {"path": path} if path else {}
        found["components"] = self.level(inner, f"{feel}{path}." if path else feel, depth + 1)
        if path:
            self.known.append((f"{feel}{path}", "group"))

    def repeated(self, found: Component, where: tuple[str, ...], feel: str, depth: int) -> None:
        path = self.name("l")
        outside = list(self.known)
        if self.maybe(8):
            found |= {"path": path, "isRepeating": False}
            found["components"] = self.level((*where, path), f"{feel}{path}.", depth + 1)
            return
        found |= {"path": path, "isRepeating": True, "allowAddRemove": not self.maybe(4)}
        if self.maybe(2):
            found["defaultRepetitions"] = self.draw(st.integers(0, 3))
        self.lists.append((*where, path))
        found["components"] = self.level((*where, path, "*"), "this.", depth + 1)
        # What is inside has no name of its own outside.
        self.known = [*outside, (f"{feel}{path}", "dynamiclist")]

    def valued_one(self, found: Component, where: tuple[str, ...], feel: str) -> None:
        kind, key = found["type"], self.name("o.k" if self.maybe(8) else "k")
        found["key"] = key
        if kind == "expression":
            found |= {"expression": self.computed(), "computeOn": self.any_of("change", "change", "presubmit")}
        if kind == "datetime":
            found["subtype"] = self.any_of("date", "time", "datetime")
            found["timeSerializingFormat"] = "no_timezone"
        if kind in _PICKED:
            found |= self.options()
        if kind == "number":
            found |= self.number()
        if kind != "expression":
            found |= self.manners(found)
            if self.maybe(2):
                found["validate"] = self.rules(kind)
        self.known.append((f"{feel}{key}", kind))
        self.valued.append(((*where, *key.split(".")), found))

    def computed(self) -> str:
        # One that reads another is seen by the viewer too late, so only what people fill is read.
        read = [(name, kind) for name, kind in self.known if kind in {"number", "checkbox", "textfield"}]
        if not read or self.maybe(5):
            return self.any_of("=1 + 1", "=v1 * 2", "=v1 +", "fixed", "=count(v2)", "=unknown")
        name, kind = self.any_of(*read)
        sources = {"number": "={x} * 2", "checkbox": '=if {x} then "yes" else 0', "textfield": "=[{x}, {{y: {x}}}]"}
        return sources[kind].format(x=name)

    def options(self) -> Component:
        flag = next((name for name, kind in self.known if kind == "checkbox"), "v0")
        return self.any_of(
            {"values": _OPTIONS},
            {"values": _OPTIONS[:2]},
            {"valuesKey": "v2"},
            {"valuesKey": "unknown"},
            {"valuesExpression": '=["a", "b", 2]'},
            {"valuesExpression": f'=if {flag} then ["a"] else ["a", "b"]'},
            {"valuesExpression": "=for n in 1..3 return {label: string(n), value: n}"},
        )

    def number(self) -> Component:
        more = self.any_of({}, {}, {"decimalDigits": 0}, {"decimalDigits": 2}, {"increment": 0.5}, {"increment": "3"})
        return {**more, **({"serializeToString": True} if self.maybe(5) else {})}

    def manners(self, component: Component) -> Component:
        found: Component = {}
        if self.maybe(8):
            found["readonly"] = self.any_of(True, self.condition())
        if self.maybe(12):
            found["disabled"] = True
        if self.maybe(4):
            found["defaultValue"] = self.draw(_answers(component))
        return {name: value for name, value in found.items() if value is not None}

    def rules(self, kind: str) -> Component:
        rules: Component = {"required": self.draw(st.booleans())}
        limit = self.any_of(0, 1, 3, "2", "=v1", "=v1 + 1", "=unknown")
        if kind == "number" and self.maybe(2):
            rules[self.any_of("min", "max")] = limit
        if kind in {"textfield", "textarea"}:
            rules |= self.any_of({}, {"minLength": limit}, {"maxLength": limit}, {"pattern": "^[a-z]+$"})
        if kind == "textfield" and self.maybe(3):
            rules |= self.any_of({"validationType": "email"}, {"pattern": "b", "patternErrorMessage": "needs a b"})
        return rules


def _variables(component: Component) -> st.SearchStrategy[Any]:
    # Of what is no list the viewer breaks where the options are computed.
    if component["type"] in {"checklist", "taglist"} and "valuesExpression" in component:
        return _LISTS
    return _WRONG


def _answers(component: Component) -> st.SearchStrategy[Any]:
    kind = component["subtype"] if component["type"] == "datetime" else component["type"]
    if kind in _PICKED:
        return _LISTS if kind in {"checklist", "taglist"} else st.sampled_from(["a", "b", 2, True, None])
    if kind == "filepicker":
        return st.none()
    answers = _ANSWERS[kind]
    if component.get("serializeToString"):
        return answers.map(lambda number: None if number is None else str(number))
    return answers


@st.composite
def cases(draw: Draw) -> dict[str, Any]:
    """A schema, variables and steps, as the viewer's page plays them."""
    drawing = _Drawing(draw)
    components = drawing.level((), "", 0)
    data: dict[str, Any] = {"v2": draw(st.sampled_from([["a", "b"], [2, "c"], "x", []]))}
    data |= draw(st.fixed_dictionaries({}, optional={"v0": st.booleans(), "v1": st.sampled_from([1, 3, None, "2"])}))
    for path, component in drawing.valued:
        # Which files there are, each side keeps in its own way.
        if drawing.maybe(3) and component["type"] not in {"expression", "filepicker"}:
            _put(data, path, draw(_variables(component) if drawing.maybe(2) else _answers(component)))
    schema = {"type": "default", "id": "Form_1", "schemaVersion": 19, "components": components}
    steps = [step for _ in range(draw(st.integers(0, 5))) for step in _steps(drawing)]
    return {"schema": schema, "data": data, "steps": steps}


def _put(data: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    *outer, last = path
    inside: Any = data
    for step, following in zip(outer, path[1:], strict=True):
        if step == "*":
            inside.append({}) if not inside else None
            inside = inside[0]
        else:
            inside = inside.setdefault(step, [] if following == "*" else {})
    inside[last] = value


def _steps(drawing: _Drawing) -> Iterator[list[Any]]:
    draw = drawing.draw
    if drawing.lists and drawing.maybe(3):
        path = _indexed(drawing, drawing.any_of(*drawing.lists))
        yield ["add", path] if drawing.maybe(2) else ["remove", path, draw(st.integers(0, 2))]
    elif drawing.valued:
        where, component = drawing.any_of(*drawing.valued)
        path = _indexed(drawing, where)
        if component["type"] in _PICKED:
            yield ["pick", path, draw(st.integers(0, 5))]
        elif component["type"] != "expression":
            yield ["set", path, draw(_answers(component))]


def _indexed(drawing: _Drawing, path: tuple[str, ...]) -> str:
    return ".".join(str(drawing.draw(st.integers(0, 1))) if step == "*" else step for step in path)
