"""The guide to forms shows every kind of field, in light and in dark; the reference leaves none out."""

import re
import struct
from pathlib import Path

import pytest

from forms.fields import list_kinds

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guides" / "forms.md"
REFERENCE = ROOT / "docs" / "reference" / "forms.md"
FOLDER = ROOT / "docs" / "pictures" / "forms"
# form-js has them, but no kind of field reads them: they are part of how a form is laid out, or how it ends.
_OTHERS = ("button", "group")
COMPONENTS = sorted({*_OTHERS, *(component for kind in list_kinds().values() for component in kind.components)})
MOST_WIDE_PX = 400
MOST_BYTES = 1_500_000
_SHOWN = re.compile(
    r'<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)"><img src="([^"]+)" [^>]*alt="[^"]+"'
)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_has_a_section_with_its_picture(component: str) -> None:
    sections = re.split(r"^##+ ", GUIDE.read_text(), flags=re.MULTILINE)
    (section,) = [section for section in sections if section.partition("\n")[0].endswith(f"`{component}`")]
    assert f"pictures/forms/{component}-light.png" in section


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_has_a_row_in_the_reference(component: str) -> None:
    (table,) = re.findall(r"^## Kinds of fields$(.*?)^## ", REFERENCE.read_text(), re.MULTILINE | re.DOTALL)
    firsts = " ".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE))
    assert f"`{component}`" in firsts


def test_reference_names_every_reason_of_a_refused_answer() -> None:
    sources = [*(ROOT / "forms" / "fields").glob("*.py"), ROOT / "forms" / "evaluate" / "checking.py"]
    codes = {code for source in sources for code in re.findall(r'FieldError\("(\w+)"', source.read_text())}
    assert len(codes) > 10
    assert codes - set(re.findall(r"`(\w+)`", REFERENCE.read_text())) == set()


def test_the_pictures_that_are_there_are_those_that_are_shown() -> None:
    shown = _SHOWN.findall(GUIDE.read_text())
    assert all(dark.replace("-dark.png", "-light.png") == light for dark, light in shown)
    named = [(GUIDE.parent / place).resolve() for pair in shown for place in pair]
    assert sorted(named) == sorted(FOLDER.glob("*"))


def test_pictures_are_small() -> None:
    sizes = {file.name: file.read_bytes() for file in FOLDER.glob("*.png")}
    assert {name for name, png in sizes.items() if struct.unpack(">I", png[16:20])[0] > MOST_WIDE_PX} == set()
    assert sum(map(len, sizes.values())) < MOST_BYTES
