"""Dates and times in a chat: the calendar, the clock, and what may be typed instead."""

import re
from datetime import timedelta

import pytest

from forms.clock import get_now
from forms.session.events import Operation, Typed
from forms.session.state import Glance
from forms.session.steps import apply_event
from forms.telegram import decode, render_view
from unit.form_sessions import session_from
from unit.telegram_chat import event_of, flat, labels, play


def test_a_calendar_begins_the_week_as_the_language_does() -> None:
    day = {"type": "datetime", "key": "d", "subtype": "date", "label": "When"}
    assert labels(render_view(session_from(day, {"type": "textfield", "key": "x"}, d="2024-02-10")))[:6] == [
        ["‹", "February 2024", "›"],
        ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
        ["·", "·", "·", "1", "2", "3", "4"],
        ["5", "6", "7", "8", "9", "[10]", "11"],
        ["12", "13", "14", "15", "16", "17", "18"],
        ["19", "20", "21", "22", "23", "24", "25"],
    ]
    russian = render_view(session_from(day, locale="ru", d="2024-02-10"))
    assert labels(russian)[0][1].startswith("февраль 2024")


def test_a_calendar_is_zoomed_to_years_and_back() -> None:
    day = {"type": "datetime", "key": "d", "subtype": "date", "label": "When"}
    session = play(session_from(day, {"type": "textfield", "key": "x"}, d="2024-02-10"), "February 2024")
    assert labels(render_view(session))[:2] == [["‹", "2024", "›"], ["Jan", "Feb", "Mar"]]
    session = play(session, "2024")
    assert labels(render_view(session))[:2] == [["‹", "2016–2027", "›"], ["2016", "2017", "2018", "2019"]]
    session = play(session, "‹", "2004", "Nov", "30")
    assert session.get_value(("d",)) == "2004-11-30"


def test_months_and_years_that_have_passed_take_no_room() -> None:
    day = {"type": "datetime", "key": "d", "subtype": "date", "disallowPassedDates": True}
    session = session_from(day, {"type": "textfield", "key": "x"})
    today = get_now("Europe/Berlin").date()
    for level in (f"year:{today.year}", f"years:{today.year}"):
        _, *rows = labels(render_view(session.look_at(Glance(view=level))))
        assert all(set(row) != {"·"} for row in rows)


@pytest.mark.parametrize("view_of", ["month:12", "month:119999", "year:1", "year:9999", "years:1", "years:9999"])
def test_a_calendar_ends_where_dates_end(view_of: str) -> None:
    session = session_from({"type": "datetime", "key": "d", "subtype": "date"}).look_at(Glance(view=view_of))
    for button in (button for row in render_view(session).rows for button in row):
        apply_event(session, decode(button.data)[1])


def test_days_that_have_passed_cannot_be_pressed() -> None:
    day = {"type": "datetime", "key": "d", "subtype": "date", "disallowPassedDates": True}
    session = session_from(day, {"type": "textfield", "key": "x"})
    today = get_now("Europe/Berlin").date()
    days = [
        decode(button.data)[1].argument
        for row in render_view(session).rows
        for button in row
        if decode(button.data)[1].operation is Operation.DAY
    ]
    assert min(days) == today.toordinal()
    assert "‹" not in flat(render_view(session))
    assert play(session, "Today").get_value(("d",)) == today.isoformat()


def test_a_heading_among_buttons_does_nothing() -> None:
    session = session_from({"type": "datetime", "key": "d", "subtype": "date"})
    after, _ = apply_event(session, event_of(session, "Mo"))
    assert after == session


def test_date_is_asked_before_time_and_can_be_undone() -> None:
    moment = {"type": "datetime", "key": "d", "subtype": "datetime", "use24h": True, "timeInterval": 20}
    session = session_from(moment, {"type": "textfield", "key": "x"})
    assert "Time zone: Europe/Berlin" in render_view(session).text
    tomorrow = get_now("Europe/Berlin").date() + timedelta(days=1)
    session = play(session, Typed(tomorrow.isoformat()))
    assert labels(render_view(session))[1] == ["00", "01", "02", "03", "04", "05"]
    assert "Choose an hour" in render_view(session).text
    assert "•" in "".join(flat(render_view(play(session, labels(render_view(session))[0][0]))))
    session = play(session, "14")
    assert labels(render_view(session))[1:3] == [["‹ 14"], ["14:00", "14:20", "14:40"]]
    session = play(session, "‹ 14", "15", "15:20")
    assert str(session.get_value(("d",))).startswith(f"{tomorrow.isoformat()}T15:20")


def test_at_the_clock_the_time_alone_can_be_typed() -> None:
    moment = {"type": "datetime", "key": "d", "subtype": "datetime", "timeSerializingFormat": "no_timezone"}
    session = play(session_from(moment, {"type": "textfield", "key": "x"}), Typed("2030-05-06"))
    assert "for example 2:30 PM" in render_view(session).text
    assert play(session, Typed("09:45")).get_value(("d",)) == "2030-05-06T09:45"
    assert play(session, Typed("2:30 PM")).get_value(("d",)) == "2030-05-06T14:30"
    assert play(session, Typed("10:12:15")).get_value(("d",)) == "2030-05-06T10:12"
    assert play(session, Typed("nine")).get_value(("d",)) == "2030-05-06T"


@pytest.mark.parametrize("locale", ["en", "ru"])
@pytest.mark.parametrize("use24h", [True, False])
@pytest.mark.parametrize("subtype", ["datetime", "time"])
def test_the_example_that_is_shown_can_be_typed(locale: str, use24h: bool, subtype: str) -> None:
    moment = {"type": "datetime", "key": "d", "subtype": subtype, "use24h": use24h}
    session = session_from(moment, {"type": "textfield", "key": "x"}, locale=locale)
    example = re.search(r"(?:for example|например) (.+)", render_view(session).text)
    assert example is not None
    assert "14:30" in str(play(session, Typed(example[1])).get_value(("d",)))


def test_existing_date_and_time_can_be_kept_or_changed() -> None:
    moment = {"type": "datetime", "key": "d", "subtype": "datetime", "timeSerializingFormat": "no_timezone"}
    session = session_from(moment, {"type": "textfield", "key": "x"}, d="2030-05-06T09:45")
    assert "Keep: May 6, 2030, 9:45 AM" in flat(render_view(session))
    later = play(session, "🕒", "11 AM", "11:30 AM")
    assert later.get_value(("d",)) == "2030-05-06T11:30"
    moved = play(session, "7")
    assert moved.question == session.question
    assert play(moved, "Keep").get_value(("d",)) == "2030-05-07T09:45"


def test_an_hour_with_one_time_is_chosen_at_once() -> None:
    clock = {"type": "datetime", "key": "d", "subtype": "time", "use24h": True, "timeInterval": 60}
    session = session_from(clock | {"timeSerializingFormat": "no_timezone"}, {"type": "textfield", "key": "x"})
    assert labels(render_view(session))[0] == ["00:00", "01:00", "02:00", "03:00"]
    assert "Choose a time" in render_view(session).text
    assert play(session, "13:00").get_value(("d",)) == "13:00"


def test_twelve_hours_are_told_as_such() -> None:
    session = session_from({"type": "datetime", "key": "d", "subtype": "time", "use24h": False})
    assert labels(render_view(session))[0] == ["12 AM", "1 AM", "2 AM", "3 AM"]
    assert labels(render_view(play(session, "7 AM")))[1:3] == [["7:00 AM", "7:15 AM"], ["7:30 AM", "7:45 AM"]]
