"""Calendars: business days, close of business and local days as a plain oracle has them; editions; refusals."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import DAY, HOUR, MINUTE, Trial, source

MEMBERS = {"desk": {"role:calendar-publisher"}, "rival": {"role:calendar-publisher"}, "bank": set[str]()}
WEEKEND = [6, 7]


def start(day: date) -> int:
    """The instant at which a day begins in UTC, ms."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def calendar(place: str, year: int, *holidays: str, **other: Any) -> dict[str, Any]:
    """A place's year: closed on Saturdays, Sundays and these days, at 17:00 in UTC, unless something else is said."""
    return {
        "place": place,
        "year": year,
        "number": 1,
        "source": "made by hand",
        "weekend": WEEKEND,
        "worked": [],
        "holidays": [{"day": day, "name": "a holiday"} for day in holidays],
        "closes": 17 * 60,
        "half_days": [],
        "offsets": [{"start": start(date(year - 1, 12, 31)), "minutes": 0}],
        **other,
    }


def opened(*calendars: dict[str, Any], quick: bool = False) -> Trial:
    trial = Trial({"calendars": source("calendars/contract.py")}, MEMBERS, quick=quick)
    for found in calendars:
        trial.done("desk", "publish", **found)
    return trial


# New York in 2026, from the list that the Federal Reserve prints; 4 July is a Saturday, and moves no business day.
NEW_YORK = calendar(
    "USNYC",
    2026,
    *("2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-04"),
    *("2026-09-07", "2026-10-12", "2026-11-11", "2026-11-26", "2026-12-25"),
    half_days=[{"day": "2026-11-27", "closes": 13 * 60, "name": "day after Thanksgiving"}],
    offsets=[
        {"start": start(date(2025, 12, 31)), "minutes": -300},
        {"start": start(date(2026, 3, 8)) + 7 * HOUR, "minutes": -240},
        {"start": start(date(2026, 11, 1)) + 6 * HOUR, "minutes": -300},
    ],
)
LONDON = calendar(
    "GBLON",
    2026,
    *("2026-01-01", "2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-08-31", "2026-12-25", "2026-12-28"),
)
NEXT_YEAR = calendar("USNYC", 2027, "2027-01-01")


@pytest.fixture(scope="module")
def trial() -> Trial:
    return opened(NEW_YORK, LONDON, NEXT_YEAR)


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-01-01", False),
        ("2026-01-02", True),
        ("2026-07-03", True),
        ("2026-07-04", False),
        ("2026-10-12", False),
        ("2026-10-17", False),
        ("2026-11-27", True),
        ("2026-12-31", True),
    ],
)
def test_a_business_day(trial: Trial, day: str, expected: bool) -> None:
    assert trial.ask("is_business_day", place="USNYC", day=day) is expected


def test_the_next_business_day_is_strictly_after(trial: Trial) -> None:
    ask = trial.ask
    assert ask("next_business_day", place="USNYC", day="2026-10-08") == "2026-10-09"
    assert ask("next_business_day", place="USNYC", day="2026-10-09") == "2026-10-13", (
        "over the weekend and Columbus Day"
    )
    assert ask("on_or_next", place="USNYC", day="2026-10-09") == "2026-10-09"
    assert ask("on_or_next", place="USNYC", day="2026-10-10") == "2026-10-13"
    assert ask("next_business_day", place="USNYC", day="2026-12-31") == "2027-01-04", "into the next year"


@pytest.mark.parametrize(
    ("day", "days", "expected"),
    [
        ("2026-10-05", 3, "2026-10-08"),  # ISP98 5.01: three business days, and seven, over a holiday
        ("2026-10-05", 7, "2026-10-15"),
        ("2026-10-05", 5, "2026-10-13"),  # UCP 600 14(b)
        ("2026-10-10", 0, "2026-10-13"),
        ("2026-10-10", 1, "2026-10-13"),
        ("2026-10-13", 0, "2026-10-13"),
        ("2026-10-13", -1, "2026-10-09"),
        ("2026-10-11", -1, "2026-10-09"),
        ("2027-01-04", -2, "2026-12-30"),
        ("2026-12-30", 2, "2027-01-04"),
    ],
)
def test_business_days_are_added(trial: Trial, day: str, days: int, expected: str) -> None:
    assert trial.ask("add_business_days", place="USNYC", day=day, days=days) == expected
    assert trial.ask("add_business_days_in", places=["USNYC"], day=day, days=days) == expected


def test_banking_days_in_two_places(trial: Trial) -> None:
    def both(day: str, days: int) -> str:
        return trial.ask("add_business_days_in", places=["USNYC", "GBLON"], day=day, days=days)

    assert both("2026-04-02", 1) == "2026-04-07", "Good Friday and Easter Monday are London's"
    assert both("2026-10-09", 1) == "2026-10-13", "Columbus Day is New York's"
    assert both("2026-12-24", 1) == "2026-12-29"


def test_close_of_business_goes_with_the_clocks(trial: Trial) -> None:
    def close(day: str) -> int:
        return trial.ask("close_of_business", place="USNYC", day=day) - start(date.fromisoformat(day))

    assert close("2026-03-06") == 22 * HOUR
    assert close("2026-03-09") == 21 * HOUR, "daylight saving time began on Sunday"
    assert close("2026-10-30") == 21 * HOUR
    assert close("2026-11-02") == 22 * HOUR
    assert close("2026-11-27") == 18 * HOUR, "half a day"
    message = trial.refused("bank", "close_of_business", "require.failed", place="USNYC", day="2026-12-25")
    assert message == "{day} is no business day in {p}"


def test_the_local_day(trial: Trial) -> None:
    def local(instant: int) -> str:
        return trial.ask("local_day", place="USNYC", instant=instant)

    summer, winter = start(date(2026, 7, 1)), start(date(2026, 12, 1))
    assert [local(summer + 4 * HOUR - 1), local(summer + 4 * HOUR)] == ["2026-06-30", "2026-07-01"]
    assert [local(winter + 5 * HOUR - 1), local(winter + 5 * HOUR)] == ["2026-11-30", "2026-12-01"]
    assert local(start(date(2026, 1, 1))) == "2025-12-31", "the year before, by 2026's own offsets"


@pytest.mark.parametrize(
    ("day", "minutes", "expected"),
    [
        ("2026-10-05", 17 * 60, "2026-10-05"),  # a Monday, at close of business
        ("2026-10-05", 17 * 60 + 1, "2026-10-06"),
        ("2026-10-05", 23 * 60, "2026-10-06"),  # Tuesday already in UTC
        ("2026-10-09", 17 * 60 + 1, "2026-10-13"),
        ("2026-10-10", 9 * 60, "2026-10-13"),
        ("2026-10-10", 18 * 60, "2026-10-13"),
        ("2026-10-12", 18 * 60, "2026-10-13"),
        ("2026-11-26", 20 * 60, "2026-11-27"),
        ("2026-12-31", 17 * 60, "2026-12-31"),
        ("2026-12-31", 17 * 60 + 1, "2027-01-04"),
        ("2026-12-31", 23 * 60, "2027-01-04"),  # next year already in UTC
    ],
)
def test_what_comes_after_close_of_business_counts_as_of_the_next_one(
    trial: Trial, day: str, minutes: int, expected: str
) -> None:
    summer = "2026-03-08" < day < "2026-11-01"
    instant = start(date.fromisoformat(day)) + (4 if summer else 5) * HOUR + minutes * MINUTE
    assert trial.ask("business_day_of", place="USNYC", instant=instant) == expected


def test_half_a_day_is_over_at_its_own_time(trial: Trial) -> None:
    noon = start(date(2026, 11, 27)) + 5 * HOUR + 13 * HOUR
    assert trial.ask("business_day_of", place="USNYC", instant=noon) == "2026-11-27"
    assert trial.ask("business_day_of", place="USNYC", instant=noon + 1) == "2026-11-30"


@pytest.mark.parametrize(
    ("view", "arguments"),
    [
        ("business_day_of", {"place": "GBLON", "instant": start(date(2026, 12, 31)) + 18 * HOUR}),
        ("business_day_of", {"place": "GBLON", "instant": start(date(2027, 1, 1))}),
        ("business_day_of", {"place": "NLAMS", "instant": start(date(2026, 7, 1))}),
        ("is_business_day", {"place": "NLAMS", "day": "2026-01-02"}),
        ("is_business_day", {"place": "GBLON", "day": "2027-01-04"}),
        ("is_business_day", {"place": "gblon", "day": "2026-01-02"}),
        ("next_business_day", {"place": "GBLON", "day": "2026-12-31"}),
        ("on_or_next", {"place": "GBLON", "day": "2025-12-31"}),
        ("add_business_days", {"place": "GBLON", "day": "2026-12-30", "days": 2}),
        ("add_business_days", {"place": "USNYC", "day": "2026-01-05", "days": -2}),
        ("add_business_days_in", {"places": ["USNYC", "GBLON"], "day": "2026-12-31", "days": 1}),
        ("close_of_business", {"place": "NLAMS", "day": "2026-01-02"}),
        ("local_day", {"place": "GBLON", "instant": start(date(2027, 1, 1))}),
    ],
)
def test_what_is_not_published_is_refused(trial: Trial, view: str, arguments: dict[str, Any]) -> None:
    assert trial.refused("bank", view, "require.failed", **arguments) == "no calendar of {p} for {y} is published"


def test_a_local_day_in_a_year_that_is_not_published_is_refused() -> None:
    trial = opened(calendar("JPTYO", 2026, offsets=[{"start": start(date(2025, 12, 31)), "minutes": 540}]))
    instant = start(date(2026, 12, 31)) + 20 * HOUR
    assert trial.ask("local_day", place="JPTYO", instant=instant) == "2027-01-01"
    message = trial.refused("bank", "business_day_of", "require.failed", place="JPTYO", instant=instant)
    assert message == "no calendar of {p} for {y} is published"


@pytest.mark.parametrize("days", [-261, 261])
def test_no_more_than_a_year_of_business_days_is_counted(trial: Trial, days: int) -> None:
    trial.refused("bank", "add_business_days", "arguments.invalid", place="USNYC", day="2026-06-01", days=days)


def hardly_open(place: str, year: int, month: int) -> dict[str, Any]:
    """A year with business on the Sundays of one month alone."""
    days = (date(year, 1, 1) + timedelta(at) for at in range((date(year + 1, 1, 1) - date(year, 1, 1)).days))
    closed = [day.isoformat() for day in days if day.isoweekday() == 7 and day.month != month]
    return calendar(place, year, *closed, weekend=[1, 2, 3, 4, 5, 6])


def test_where_business_is_hardly_ever_done_the_count_ends() -> None:
    years = [hardly_open(place, year, month) for place, month in (("AA", 3), ("BB", 9)) for year in (2023, 2024, 2025)]
    trial = opened(*years)
    assert trial.ask("next_business_day", place="AA", day="2023-03-26") == "2024-03-03"
    for days in (20, -20):
        day = "2023-01-01" if days > 0 else "2025-12-31"
        message = trial.refused("bank", "add_business_days", "require.failed", place="AA", day=day, days=days)
        assert message == "there are too few business days in {n} years"
        both = {"places": ["AA", "BB"], "day": day, "days": days // 20}
        trial.refused("bank", "add_business_days_in", "require.failed", **both)


def test_days_are_counted_in_a_place_at_least_and_in_eight_at_most(trial: Trial) -> None:
    trial.refused("bank", "add_business_days_in", "require.failed", places=[], day="2026-06-01", days=1)
    nine = ["USNYC"] * 9
    trial.refused("bank", "add_business_days_in", "arguments.invalid", places=nine, day="2026-06-01", days=1)


# Editions


def test_a_correction_is_a_new_edition_and_rewrites_none() -> None:
    trial = opened(LONDON)
    first = trial.record("Edition", "GBLON/2026/1")
    assert (first["publisher"], first["published"], first["source"]) == ("desk", "2023-11-14", "made by hand")
    trial.until(trial.time + DAY)
    corrected = LONDON | {"number": 2, "source": "a royal funeral", "holidays": [{"day": "2026-09-18", "name": "day"}]}
    ran = trial.done("rival", "publish", **corrected)
    published = {"id": "GBLON/2026", "number": 2, "source": "a royal funeral"}
    assert [(event["name"], event["data"]) for event in ran.events] == [("calendar.published", published)]
    assert [write.previous for write in ran.writes if write.record == "Year"] == [1], "its history leads to the first"
    assert trial.record("Edition", "GBLON/2026/1") == first
    second = trial.record("Edition", "GBLON/2026/2")
    assert (second["publisher"], second["published"]) == ("rival", "2023-11-15")
    assert trial.record("Year", "GBLON/2026")["edition"] == "GBLON/2026/2"
    assert trial.ask("is_business_day", place="GBLON", day="2026-09-18") is False
    assert trial.ask("is_business_day", place="GBLON", day="2026-12-25") is True, "the new edition alone counts"


@pytest.mark.parametrize("number", [1, 3])
def test_of_two_who_correct_the_same_edition_only_the_first_does(number: int) -> None:
    trial = opened(LONDON)
    trial.refused("rival", "publish", "require.failed", **LONDON | {"number": number})
    trial.done("rival", "publish", **LONDON | {"number": 2})
    trial.refused("desk", "publish", "require.failed", **LONDON | {"number": 2})


def test_only_publishers_publish() -> None:
    opened().refused("bank", "publish", "role.denied", **LONDON)


@pytest.mark.parametrize(
    "wrong",
    [
        {"place": "gblon"},
        {"number": 2},
        {"holidays": [{"day": "2025-12-31", "name": "x"}]},
        {"holidays": [{"day": "2027-01-01", "name": "x"}]},
        {"holidays": [{"day": "2026-05-04", "name": "x"}, {"day": "2026-05-04", "name": "x"}]},
        {"holidays": [{"day": "2026-05-04", "name": "x"}, {"day": "2026-04-06", "name": "x"}]},
        {"half_days": [{"day": "2026-12-25", "closes": 720, "name": "x"}]},
        {"half_days": [{"day": "2026-12-26", "closes": 720, "name": "x"}]},
        {"half_days": [{"day": "2027-01-04", "closes": 720, "name": "x"}]},
        {"half_days": [{"day": "2026-12-24", "closes": 720, "name": "x"}] * 2},
        {"worked": ["2026-01-05"]},
        {"worked": ["2027-01-02"]},
        {"worked": ["2026-01-03", "2026-01-03"]},
        {"offsets": []},
        {"offsets": [{"start": start(date(2026, 1, 1)), "minutes": 0}]},
        {"offsets": [LONDON["offsets"][0]] * 2},
        {"offsets": [*LONDON["offsets"], {"start": start(date(2027, 1, 2)), "minutes": 60}]},
        {
            "offsets": [
                *LONDON["offsets"],
                {"start": start(date(2026, 5, 1)), "minutes": 60},
                {"start": start(date(2026, 4, 1)), "minutes": 0},
            ]
        },
        {
            "weekend": [1, 2, 3, 4, 5, 6],
            "holidays": [{"day": str(date(2026, 1, 4) + timedelta(7 * n)), "name": "x"} for n in range(52)],
        },
    ],
)
def test_what_is_no_calendar_is_refused(wrong: dict[str, Any]) -> None:
    opened().refused("desk", "publish", "require.failed", **LONDON | wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"year": 1970},
        {"year": 9999},
        {"weekend": [0]},
        {"weekend": [8]},
        {"closes": 0},
        {"closes": 1441},
        {"offsets": [{"start": start(date(2025, 12, 31)), "minutes": 841}]},
        {"holidays": [{"day": "2026-02-29", "name": "x"}]},
    ],
)
def test_what_fits_no_field_is_refused(wrong: dict[str, Any]) -> None:
    opened().refused("desk", "publish", "arguments.invalid", **LONDON | wrong)


def test_weekends_worked_and_other_weekends() -> None:
    trial = opened(calendar("AEDXB", 2026, weekend=[5, 6], worked=["2026-01-02"]))
    days = [trial.ask("is_business_day", place="AEDXB", day=f"2026-01-{day:02d}") for day in range(1, 12)]
    assert "".join("o" if day else "." for day in days) == "oo.ooooo..o"


# As an oracle has it


class Oracle:
    """A calendar by the plainest means."""

    def __init__(self, found: dict[str, Any]) -> None:
        self._found = found
        self._holidays = {holiday["day"] for holiday in found["holidays"]}

    def is_open(self, day: date) -> bool:
        text = day.isoformat()
        return text not in self._holidays and (day.isoweekday() not in WEEKEND or text in self._found["worked"])


def days_of(year: int) -> st.SearchStrategy[date]:
    return st.dates(date(year, 1, 1), date(year, 12, 31))


@st.composite
def years(draw: st.DrawFn, place: str, year: int) -> dict[str, Any]:
    """A year with any holidays and any weekend days worked."""
    holidays = draw(st.lists(days_of(year), max_size=40, unique=True))
    weekend = days_of(year).filter(lambda day: day.isoweekday() in WEEKEND)
    worked = draw(st.lists(weekend, max_size=8, unique=True))
    return calendar(place, year, *sorted(map(str, holidays)), worked=sorted(map(str, worked)))


@given(data=st.data())
def test_business_days_are_those_of_the_oracle(data: st.DataObject) -> None:
    """In the middle of three years, so that nothing that is counted leaves them."""
    found = {place: [data.draw(years(place, year)) for year in (2023, 2024, 2025)] for place in ("AA", "BB")}
    trial = opened(*found["AA"], *found["BB"], quick=True)
    oracles = {place: [Oracle(year) for year in of] for place, of in found.items()}

    def is_open(day: date, *places: str) -> bool:
        return all(oracles[place][day.year - 2023].is_open(day) for place in places)

    def counted(day: date, days: int, *places: str) -> str:
        step = timedelta(-1 if days < 0 else 1)
        day += step if days else timedelta()
        left = max(abs(days), 1)
        while (left := left - is_open(day, *places)) > 0:
            day += step
        return day.isoformat()

    for day in data.draw(st.lists(days_of(2024), min_size=1, max_size=6)):
        days = data.draw(st.integers(-200, 200))
        at = {"day": day.isoformat()}
        assert trial.ask("is_business_day", place="AA", **at) is is_open(day, "AA")
        assert trial.ask("on_or_next", place="AA", **at) == counted(day, 0, "AA")
        assert trial.ask("next_business_day", place="AA", **at) == counted(day, 1, "AA")
        assert trial.ask("add_business_days", place="AA", days=days, **at) == counted(day, days, "AA")
        both = trial.ask("add_business_days_in", places=["AA", "BB"], days=days // 2, **at)
        assert both == counted(day, days // 2, "AA", "BB")


@given(
    spans=st.lists(st.tuples(st.integers(1, 182), st.integers(-720, 840)), max_size=7, unique_by=lambda s: s[0]),
    first=st.integers(-720, 840),
    closes=st.integers(1, 1440),
    day=days_of(2024),
    hour=st.integers(0, 366 * 24 - 1),
)
def test_instants_and_local_days_are_those_of_the_oracle(
    spans: list[tuple[int, int]], first: int, closes: int, day: date, hour: int
) -> None:
    begin = start(date(2023, 12, 31))
    offsets = [(begin, first), *((begin + at * 2 * DAY, minutes) for at, minutes in sorted(spans))]
    found = calendar("AA", 2024, closes=closes, weekend=[])
    found["offsets"] = [{"start": at, "minutes": minutes} for at, minutes in offsets]
    trial = opened(found, quick=True)

    def shown(instant: int) -> int:
        """What local clocks show, in ms."""
        return instant + [minutes for at, minutes in offsets if at <= instant or at == begin][-1] * MINUTE

    instant = start(date(2024, 1, 1)) + hour * HOUR
    local = datetime.fromtimestamp(shown(instant) / 1000, UTC).date().isoformat()
    assert trial.ask("local_day", place="AA", instant=instant) == local
    closing = trial.ask("close_of_business", place="AA", day=day.isoformat())
    wanted = start(day) + closes * MINUTE
    those = [at for offset in {minutes for _, minutes in offsets} if shown(at := wanted - offset * MINUTE) == wanted]
    counted = date.fromisoformat(local)
    if counted.year == 2024:
        counted += timedelta(instant > trial.ask("close_of_business", place="AA", day=local))
    if counted.year == 2024:
        assert trial.ask("business_day_of", place="AA", instant=instant) == counted.isoformat()
    if those:
        assert closing == min(those), "the first instant at which clocks show it"
    else:
        assert closing in {wanted - minutes * MINUTE for _, minutes in offsets}
        assert shown(closing) > wanted, "clocks jump over it, and had done so by then"
