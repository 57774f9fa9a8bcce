"""Each figure that the guides name is made by the process that its name says, so that an alarm can fire."""

import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

import bot.metrics
import workers.bridge.metrics
import workers.pool.progress
import workers.pool.reporting

ROOT = Path(__file__).parents[2]
# Which modules the process of a prefix imports. Importing one makes its figures.
PROCESSES = {
    "baton_bot_": (bot.metrics,),
    "baton_bridge_": (workers.bridge.metrics,),
    "baton_worker_": (workers.pool.progress, workers.pool.reporting),
}


def list_named_figures() -> set[str]:
    guides = (path.read_text() for path in (ROOT / "docs").rglob("*.md"))
    return {name for text in guides for name in re.findall(r"\bbaton_[a-z]+_[a-z_]+\b", text)}


def list_made_figures(prefix: str) -> set[str]:
    made = {sample for metric in REGISTRY.collect() for sample in (metric.name, f"{metric.name}_total")}
    return {name for name in made if name.startswith(prefix)}


def test_guides_name_figures() -> None:
    assert len(list_named_figures()) > 10


@pytest.mark.parametrize("prefix", PROCESSES)
def test_named_figures_are_made_by_their_process(prefix: str) -> None:
    named = {name for name in list_named_figures() if name.startswith(prefix)}
    assert named
    assert named <= list_made_figures(prefix)


def test_every_named_figure_belongs_to_a_process() -> None:
    assert {name for name in list_named_figures() if not name.startswith(tuple(PROCESSES))} == set()
