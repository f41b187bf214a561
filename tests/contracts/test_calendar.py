"""Days as `datetime` has them, over all its years, and months as people count them."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.contracts import calendar
from hansa.contracts.faults import Fault
from hansa.contracts.prices import INSTANT_MAX

EPOCH = datetime.date(1970, 1, 1).toordinal()
FIRST, LAST = datetime.date.min.toordinal() - EPOCH, datetime.date.max.toordinal() - EPOCH
DAYS = sorted(
    {*range(FIRST, LAST + 1, 97), *range(FIRST, FIRST + 800), *range(LAST - 800, LAST + 1), *range(-800, 800)}
)
LEAPS = [datetime.date(year, 2, 28).toordinal() - EPOCH for year in range(100, 10_000, 100)]


def test_every_day_is_counted_and_written_as_datetime_does() -> None:
    for days in (*DAYS, *LEAPS, *(day + 1 for day in LEAPS), *(day + 2 for day in LEAPS)):
        date = datetime.date.fromordinal(days + EPOCH)
        text = date.isoformat()
        assert calendar.date_of(days) == text
        assert calendar.count(text) == days
        assert calendar.is_date(text)
        assert (days + 3) % 7 + 1 == date.isoweekday(), "how the guard counts weekdays"


@pytest.mark.parametrize("days", [FIRST - 1, LAST + 1, -(10**9), 10**9, -(2**255), 2**255])
def test_there_are_no_days_beyond(days: int) -> None:
    with pytest.raises(Fault) as caught:
        calendar.date_of(days)
    assert caught.value.code == "value.range"


@pytest.mark.parametrize(
    "text",
    [
        *("", "2024-2-29", "2024-02-30", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-01", "2024-01-00"),
        *("2024-04-31", "0000-01-01", "10000-01-01", " 2024-01-01", "2024-01-01\n", "2024/01/01", "-001-01-01"),
        *("\u0662024-01-01", "202\u0664-01-01", "2024-01-1\u00b2"),
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert not calendar.is_date(text)


@pytest.mark.parametrize(
    ("year", "month", "days"),
    [(2023, 2, 28), (2024, 2, 29), (1900, 2, 28), (2000, 2, 29), (2024, 4, 30), (2024, 12, 31)],
)
def test_months_have_their_days(year: int, month: int, days: int) -> None:
    assert calendar.days_in_month(year, month) == days
    assert calendar.is_day(year, month, days)
    assert not calendar.is_day(year, month, days + 1)


@pytest.mark.parametrize(
    ("date", "months", "expected"),
    [
        ("2024-01-31", 0, "2024-01-31"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-01-31", 3, "2024-04-30"),
        ("2024-03-31", -1, "2024-02-29"),
        ("2024-01-15", -1, "2023-12-15"),
        ("2024-12-15", 1, "2025-01-15"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", -48, "2020-02-29"),
        ("0001-01-31", 9999 * 12 - 1, "9999-12-31"),
        ("9999-12-31", -9999 * 12 + 1, "0001-01-31"),
        ("0001-01-01", -1, None),
        ("9999-12-01", 1, None),
        ("2024-01-01", 2**255, None),
        ("2024-01-01", -(2**255), None),
    ],
)
def test_months_later(date: str, months: int, expected: str | None) -> None:
    if expected is not None:
        assert calendar.add_months(date, months) == expected
    else:
        with pytest.raises(Fault) as caught:
            calendar.add_months(date, months)
        assert caught.value.code == "value.range"


@given(date=st.dates(), months=st.integers(-130_000, 130_000))
def test_a_month_later_is_the_same_day_or_the_months_last(date: datetime.date, months: int) -> None:
    whole = date.year * 12 + date.month - 1 + months
    if not 12 <= whole < 120_000:
        return
    later = datetime.date.fromisoformat(calendar.add_months(date.isoformat(), months))
    assert later.year * 12 + later.month - 1 == whole
    assert later.day == date.day or (
        later.day < date.day and (later + datetime.timedelta(1)).day == 1 if later < datetime.date.max else True
    )


@given(milliseconds=st.integers(0, INSTANT_MAX))
def test_the_date_of_an_instant_is_that_of_utc(milliseconds: int) -> None:
    date = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)
    assert calendar.date_at(milliseconds) == date.date().isoformat()
    assert calendar.instant_of(calendar.date_at(milliseconds)) == milliseconds - milliseconds % 86_400_000


def test_an_instant_begins_in_1970() -> None:
    assert calendar.instant_of("1970-01-01") == 0
    assert calendar.instant_of("9999-12-31") == INSTANT_MAX - 86_399_999
    with pytest.raises(Fault) as caught:
        calendar.instant_of("1969-12-31")
    assert caught.value.code == "value.range"
