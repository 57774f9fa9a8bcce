"""--watch: again and again, through outages, until Ctrl-C."""

import json
import time
from collections.abc import Iterator

import pytest
import typer
from rich.text import Text
from typer.testing import CliRunner

from baton.cli.errors import EngineApiUnreachable, Usage
from baton.cli.watch import Listing, Watch, WatchCommand, show_listing

SOON = 0.01


class Asked:
    """Answers in turn; an exception among them is raised."""

    def __init__(self, *answers: int | BaseException) -> None:
        self._answers: Iterator[int | BaseException] = iter(answers)

    def __call__(self) -> Listing:
        answer = next(self._answers)
        if isinstance(answer, BaseException):
            raise answer
        return Listing([{"number": answer}], Text(f"number {answer}"))


def test_without_watch_it_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    show_listing(Asked(1), as_json=True, watch=None)
    assert json.loads(capsys.readouterr().out) == [{"number": 1}]
    show_listing(Asked(1), as_json=False, watch=None)
    assert capsys.readouterr().out == "number 1\n"


def test_json_is_one_object_a_line_until_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    show_listing(Asked(1, 2, KeyboardInterrupt()), as_json=True, watch=0.1)
    assert time.monotonic() - began >= 0.2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["rows"] for line in lines] == [[{"number": 1}], [{"number": 2}]]
    assert all("time" in line for line in lines)


def test_an_outage_is_said_and_watching_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    away = EngineApiUnreachable("engine-api is away")
    show_listing(Asked(1, away, 2, KeyboardInterrupt()), as_json=True, watch=SOON)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("error") or line["rows"][0]["number"] for line in lines] == [1, "engine-api is away", 2]
    show_listing(Asked(1, away, 2, KeyboardInterrupt()), as_json=False, watch=SOON)
    said = capsys.readouterr().out
    assert [part in said for part in ("number 1", "engine-api is away", "number 2")] == [True, True, True]


def test_what_fails_at_once_or_cannot_be_right_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EngineApiUnreachable):
        show_listing(Asked(EngineApiUnreachable("away")), as_json=True, watch=SOON)
    with pytest.raises(Usage):
        show_listing(Asked(1, Usage("no token")), as_json=True, watch=SOON)


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        ([], None),
        (["--watch"], 2.0),
        (["-w"], 2.0),
        (["--watch", "5"], 5.0),
        (["-w", "0.5"], 0.5),
        (["--watch=7"], 7.0),
        (["--watch", "--json"], 2.0),
    ],
)
def test_the_seconds_may_be_left_out(arguments: list[str], seconds: float | None) -> None:
    app = typer.Typer()

    @app.command(cls=WatchCommand)
    def look(*, watch: Watch = None, as_json: bool = typer.Option(False, "--json")) -> None:
        typer.echo(json.dumps([watch, as_json]))

    answer = CliRunner().invoke(app, arguments)
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.output) == [seconds, "--json" in arguments]
