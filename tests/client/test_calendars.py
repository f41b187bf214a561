"""Calendars from packages: against lists of holidays written by hand, and against the machine's own zone arithmetic."""

import itertools
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import Trial, source

from hansa.client import calendars

# Bank holidays in England and Wales: gov.uk. Holidays of the Federal Reserve: federalreserve.gov; one that falls on a
# Saturday closes no other day. Closing days of TARGET: ecb.europa.eu. Days on a weekend are left out.
CLOSED_2026 = {
    "GBLON": "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
    "USNYC": "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25",
    "TARGET": "01-01 04-03 04-06 05-01 12-25",
    "DEHAM": "01-01 04-03 04-06 05-01 05-14 05-25 12-25",
    "DEFRA": "01-01 04-03 04-06 05-01 05-14 05-25 06-04 12-25",
}
CHANGES_2026 = {
    "GBLON": ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"],
    "NLAMS": ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"],
    "USNYC": ["2026-03-08T07:00:00+00:00", "2026-11-01T06:00:00+00:00"],
    "AEDXB": [],
    "JPTYO": [],
    "SGSIN": [],
}


@pytest.mark.parametrize("code", CLOSED_2026)
def test_weekdays_closed_are_those_of_the_lists(code: str) -> None:
    made = calendars.make(calendars.PLACES[code], 2026)
    days = [date.fromisoformat(holiday["day"]) for holiday in made["holidays"]]
    assert " ".join(f"{day:%m-%d}" for day in days if day.isoweekday() < 6) == CLOSED_2026[code]
    assert calendars.business_days(made) == 261 - len(CLOSED_2026[code].split()), "2026 has 261 weekdays"


@pytest.mark.parametrize("code", CHANGES_2026)
def test_clocks_change_when_they_do(code: str) -> None:
    first, *changes = calendars.make(calendars.PLACES[code], 2026)["offsets"]
    assert datetime.fromtimestamp(first["start"] / 1000, UTC).isoformat() == "2025-12-31T00:00:00+00:00"
    assert [datetime.fromtimestamp(change["start"] / 1000, UTC).isoformat() for change in changes] == CHANGES_2026[code]


def test_new_york_is_behind_and_dubai_ahead() -> None:
    minutes = {code: calendars.make(calendars.PLACES[code], 2026)["offsets"][0]["minutes"] for code in CHANGES_2026}
    assert minutes == {"GBLON": 0, "NLAMS": 60, "USNYC": -300, "AEDXB": 240, "JPTYO": 540, "SGSIN": 480}


@pytest.mark.parametrize(("year", "weekend"), [(2021, [5, 6]), (2022, [6, 7]), (2026, [6, 7])])
def test_the_weekend_of_dubai_changed(year: int, weekend: list[int]) -> None:
    assert calendars.make(calendars.PLACES["AEDXB"], year)["weekend"] == weekend


def test_the_source_is_named() -> None:
    assert calendars.make(calendars.PLACES["DEHAM"], 2026)["source"].startswith("holidays 0.")
    assert calendars.make(calendars.PLACES["DEHAM"], 2026)["source"].endswith(" Europe/Berlin")
    assert " DE-HH; tzdata 20" in calendars.make(calendars.PLACES["DEHAM"], 2026)["source"]


@given(
    zone=st.sampled_from(["Africa/Casablanca", "Australia/Lord_Howe", "America/New_York", "Asia/Tehran"]),
    year=st.integers(1990, 2030),
    hour=st.integers(0, 366 * 24),
)
def test_offsets_are_those_of_zoneinfo(zone: str, year: int, hour: int) -> None:
    """By `zoneinfo` at any hour; the package's data on both sides, so that a machine's own age does not matter."""
    found = calendars.offsets(calendars._zone(zone), year)
    assert all(before["start"] < after["start"] for before, after in itertools.pairwise(found))
    at = datetime(year - 1, 12, 31, tzinfo=UTC) + timedelta(hours=hour)
    minutes = [span["minutes"] for span in found if span["start"] <= at.timestamp() * 1000][-1]
    with calendars.resources.files("tzdata.zoneinfo").joinpath(*zone.split("/")).open("rb") as file:
        assert at.astimezone(ZoneInfo.from_file(file)).utcoffset() == timedelta(minutes=minutes)


@pytest.mark.parametrize("code", calendars.PLACES)
def test_the_contract_takes_what_is_made_and_gives_the_same_days(code: str) -> None:
    trial = Trial({"calendars": source("calendars/contract.py")}, {"desk": {"role:calendar-publisher"}}, quick=True)
    for year in (2021, 2026):
        made = calendars.make(calendars.PLACES[code], year)
        trial.done("desk", "publish", **made)
        year_record = trial.record("Year", f"{code}/{year}")
        assert year_record["days"].count("o") == calendars.business_days(made)
        zone = ZoneInfo(calendars.PLACES[code].zone)
        day = date(year, 7, 1)
        while not trial.ask("is_business_day", place=code, day=day.isoformat()):
            day += timedelta(1)
        hours, minutes = divmod(made["closes"], 60)
        closing = datetime(day.year, day.month, day.day, hours, minutes, tzinfo=zone)
        assert trial.ask("close_of_business", place=code, day=day.isoformat()) == closing.timestamp() * 1000


@pytest.mark.parametrize("text", ["GBLON", "gblon", "London", "LONDON"])
def test_a_place_has_a_code_and_a_name(text: str) -> None:
    assert calendars.place_of(text).code == "GBLON"
    assert calendars.place_of("new york").code == "USNYC"


def test_an_unknown_place_is_told_the_nearest(refused: Callable[..., Any]) -> None:
    with refused("argument.value") as caught:
        calendars.place_of("Lodnon")
    assert caught.value.detail == "no place 'Lodnon' is known; did you mean `GBLON` (London)?"


@pytest.mark.parametrize("year", [1970, 2100])
def test_years_that_nobody_knows(refused: Callable[..., Any], year: int) -> None:
    with refused("argument.value"):
        calendars.make(calendars.PLACES["GBLON"], year)


def test_an_offset_with_seconds_is_refused(refused: Callable[..., Any]) -> None:
    with refused("argument.value"):
        calendars.offsets(calendars._zone("Africa/Monrovia"), 1971)


@pytest.mark.parametrize("package", ["holidays", "tzdata"])
def test_without_the_extra_it_says_what_to_install(
    refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with refused("calendar.extra") as caught:
        calendars.make(calendars.PLACES["GBLON"], 2026)
    assert caught.value.remedy == "Run `pip install holidays tzdata`."
