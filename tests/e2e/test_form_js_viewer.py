"""The viewer of form-js and forms/ on the same forms: what is visible, offered, wrong and submitted, after each step.

form_js/cases.json has what form-js documents of each component; form_js/generating.py draws forms, variables and steps.
Whatever differs is a fault, unless docs/reference/forms.md tells why it is meant (form_js/allowed.py).
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from playwright.async_api import Browser

from e2e.form_js.allowed import ALLOWED, explained
from e2e.form_js.comparing import differences
from e2e.form_js.generating import cases
from e2e.form_js.ours import play
from e2e.form_js.viewer import Viewer, built_script
from forms.sources.form_data import Constraint, FormData, GeneratedField
from forms.sources.generated import make_generated_schema
from forms.sources.prefixes import apply_prefixes

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
REFERENCE = HERE.parents[1] / "docs" / "reference" / "forms.md"
DOCUMENTED: Mapping[str, Mapping[str, Any]] = {
    case["name"]: {"schema": {"type": "default", "id": "Form_1", "components": case["components"]}, **case}
    for case in json.loads((HERE / "form_js" / "cases.json").read_text())
}
FIELDS = (
    GeneratedField("name", "string", "Name", "Ada", constraints=(Constraint("required"), Constraint("maxlength", "5"))),
    GeneratedField("age", "long", "=Age {{x}}", "7", constraints=(Constraint("min", "3"), Constraint("max", "9"))),
    GeneratedField("ok", "boolean", "OK", "true"),
    GeneratedField("sure", "boolean", "Sure", constraints=(Constraint("required"),)),
    GeneratedField("day", "date", "Day", "29/02/2024"),
    GeneratedField("at", "date", "At", date_pattern="yyyy-MM-dd HH:mm"),
    GeneratedField("time", "date", "Time", date_pattern="HH:mm"),
    GeneratedField("word", "date", "In words", date_pattern="EEE d MMM"),
    GeneratedField("color", "enum", "Color", "r", options=(("r", "Red"), ("g", "{{x}}"))),
    GeneratedField("fixed", "string", "Fixed", "x", constraints=(Constraint("readonly"),)),
    GeneratedField("constructor", "org.example", "Custom", constraints=(Constraint("validator", "org.example.V"),)),
    *(GeneratedField(f"{prefix}_x", "string", prefix, "=1") for prefix in ("text", "link", "img", "config", "action")),
    *(GeneratedField(f"{prefix}_y", "string", prefix) for prefix in ("select", "s3", "formmultiline", "form", "other")),
)
GENERATED = apply_prefixes(make_generated_schema(FormData(FIELDS), "generated"))
HELD: Sequence[Mapping[str, Any]] = (
    {},
    {"name": "Augusta", "age": "12", "ok": False, "sure": False, "day": "2024-05-06", "at": "2024-05-06T10:30"},
    {"time": "10:30", "color": "g", "fixed": "y", "text_x": "*b*", "select_y": "plum, pear", "form_y": "pear"},
    {"age": "many", "color": "blue", "sure": "yes", "day": 7, "select_y": "", "form_y": "pear"},
)
ANSWERED = [["set", "name", ""], ["set", "age", "2"], ["pick", "sure", 1], ["pick", "color", 1], ["pick", "form_y", 0]]
DRAWN = 300
DRAWN_IN_FULL = 5000
MOST_SHOWN = 5

Case = Mapping[str, Any]


@pytest.fixture(scope="module")
async def viewer(browser: Browser) -> AsyncIterator[Viewer]:
    script = built_script()
    # Where days and hours are those of `now` on our side.
    context = await browser.new_context(timezone_id="UTC", locale="en-GB")
    context.set_default_timeout(timedelta(seconds=60).total_seconds() * 1000)
    yield Viewer(await context.new_page(), script)
    await context.close()


async def compared(viewer: Viewer, played: Sequence[Case]) -> tuple[set[str], list[str]]:
    """The names of the differences that are meant, and the simplest cases with one that is not, in words."""
    meant: set[str] = set()
    faults = []
    for case, theirs in zip(played, await viewer.play(played), strict=True):
        unexplained = []
        for difference in differences(theirs, play(case)):
            if (name := explained(case, difference)) is not None:
                meant.add(name)
            else:
                unexplained.append(f"  {difference}")
        if unexplained:
            faults.append("\n".join([json.dumps(case), *unexplained]))
    return meant, sorted(faults, key=len)[:MOST_SHOWN]


def drawn(count: int) -> list[Case]:
    """The same cases in every run."""
    found: list[Case] = []

    @settings(
        max_examples=count,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def draw(case: Case) -> None:
        found.append(case)

    draw()
    return found


async def test_documented_options_work_as_in_the_viewer(viewer: Viewer) -> None:
    meant, faults = await compared(viewer, list(DOCUMENTED.values()))
    assert not faults, "\n".join(faults)
    # A difference that is gone has no place in the reference.
    assert meant == set(ALLOWED)


async def test_generated_forms_are_shown_and_checked_as_in_the_viewer(viewer: Viewer) -> None:
    played = [{"schema": GENERATED, "data": data, "steps": steps} for data in HELD for steps in ([], ANSWERED)]
    found = [
        difference
        for case, theirs in zip(played, await viewer.play(played), strict=True)
        for difference in differences(theirs, play(case))
    ]
    # The engine wants to be told of what was answered only.
    assert [difference for difference in found if difference.about != "submitted"] == []


async def test_drawn_forms_do_what_they_do_in_the_viewer(viewer: Viewer) -> None:
    _, faults = await compared(viewer, drawn(DRAWN))
    assert not faults, "\n".join(faults)


@pytest.mark.full
@pytest.mark.timeout(1200)
async def test_thousands_of_drawn_forms_do_what_they_do_in_the_viewer(viewer: Viewer) -> None:
    _, faults = await compared(viewer, drawn(DRAWN_IN_FULL))
    assert not faults, "\n".join(faults)


def test_every_difference_has_its_section_in_the_reference() -> None:
    sections = {line.removeprefix("### ") for line in REFERENCE.read_text().splitlines() if line.startswith("### ")}
    assert set(ALLOWED) <= sections
