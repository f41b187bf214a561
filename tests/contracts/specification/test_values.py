"""The calendar, plain forms, sizes and weights."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.specification import ledger

from hansa.contracts.specification import values as v

EPOCH = datetime.date(1970, 1, 1)


@given(st.dates())
def test_the_calendar_is_pythons(day: datetime.date) -> None:
    date = v.Date(day.year, day.month, day.day)
    number = (day - EPOCH).days
    assert v.day_number(date) == number
    assert v.date_of(number) == date
    assert v.to_plain(date) == day.isoformat()
    assert v.date_from_text(day.isoformat()) == date


@pytest.mark.parametrize("day", [(1, 1, 1), (9999, 12, 31), (2000, 2, 29), (1900, 3, 1), (1970, 1, 1)])
def test_days_at_the_edges(day: tuple[int, int, int]) -> None:
    assert v.date_of(v.day_number(v.Date(*day))) == v.Date(*day)


def test_there_are_no_days_beyond_the_edges() -> None:
    assert v.date_of(v.day_number(v.Date(1, 1, 1)) - 1) is None
    assert v.date_of(v.day_number(v.Date(9999, 12, 31)) + 1) is None


@pytest.mark.parametrize(
    "text",
    ["2023-02-29", "0000-01-01", "2023-1-01", "2023-13-01", "2023-01-00", "20230101", " 023-01-01", "٢٠٢٣-01-01"],
)
def test_what_is_no_date(text: str) -> None:
    assert v.date_from_text(text) is None


def test_plain_forms_have_maps_in_encoding_order() -> None:
    plain = v.to_plain({"aa": [v.Amount(1, "EUR")], "b": v.Duration(-5), "c": None})
    assert plain == {"b": -5, "c": None, "aa": [{"minor": 1, "currency": "EUR"}]}
    assert list(plain) == ["b", "c", "aa"]


def test_sizes_and_weights() -> None:
    assert [v.size_of(each) for each in ("ab", b"ab", [1, 2], {"a": "b"})] == [72, 66, 72, 296]
    assert v.weigh([1, "ab", v.Amount(1, "EUR"), v.Instant(0), None]) == 56 + 5 * 8 + 72 + 64
    assert v.weigh({"ab": b"abc"}) == 232 + 64 + 72 + 67
    assert v.weigh([v.Date(2024, 1, 1)]) == 56 + 8 + 64 + 40
    terms = ledger.declared.Struct("Terms", {"port": ledger.field("port", ledger.TEXT)}, "", 1)
    assert v.weigh([v.Struct(terms, ledger.manifest(structs=[terms]), {"port": "a"})]) == 64 + 232 + 64 + 80 + 68
