"""Instants and durations as people read them, in what commands show; JSON keeps milliseconds."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.client.readable import readable

TIMES = """\
from hansa.contract import Amount, Contract, Duration, Instant, Int, Record, Text, action, event, require, view


class Times(Contract, version="1.0.0"):
    class Stay(Record, key="id"):
        id: Text[1, 9]
        start: Instant
        length: Duration
        past: list[Instant, 3]

    @action(by="member", creates="Stay")
    def book(tx, stay: Stay, id: Text[1, 9], start: Instant, length: Duration, past: list[Instant, 3]):
        event("booked", start=start, past=past, end=start + length, price=Amount(length.days, "USD"), many=tx.date.year)

    @action(by="member")
    def leave(tx, stay: Stay, at: Instant):
        require(at < stay.start, "{at} is {late} after {start}, {owed}", at=at, start=stay.start,
            late=at - stay.start, owed=Amount(500, "USD"))

    @view
    def end_of(tx, stay: Stay) -> Instant:
        return stay.start + stay.length

    @view
    def first(tx, stay: Stay) -> Instant:
        require(len(stay.past) == 0, "{id} was there {past}", id=stay.id, past=stay.past)
        return stay.start
"""
BOOK = ("book", "id=a", "start=2030-01-31T12:00:00Z", "length=2d3h", 'past=["2029-01-01T00:00:00Z"]')
START, LENGTH, PAST = "2030-01-31 12:00:00 UTC", "2d3h", "[2029-01-01 00:00:00 UTC]"
END = "2030-02-02 15:00:00 UTC\n"
LEAVE = ("leave", "stay=a", "at=2030-02-01T12:00:00.005Z")
LATE = "2030-02-01 12:00:00.005 UTC is 1d5ms after 2030-01-31 12:00:00 UTC, USD 5.00"
WAS_THERE = f"a was there {PAST}"


EVENT = {"past=[2029-01-01 00:00:00 UTC]", f"start={START}", f"end={END.strip()}", "price=USD 0.02"}


def event_of(line: str) -> set[str]:
    """The fields of the event in a line, but for the year of the call."""
    fields = set(line.split("booked")[1].lstrip(": ").split(", "))
    (many,) = {each for each in fields if re.fullmatch(r"many=20\d\d", each)}
    return fields - {many}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "times.py").write_text(TIMES)
    return tmp_path / "times.py"


def test_what_is_on_a_ledger(hansa: Callable, server: Any, file: Path) -> None:
    data = ("--data", server.data)
    assert hansa("contract", "deploy", file, "--as", "northbank", *data).code == 0
    seq = hansa("call", "times", *BOOK, "--as", "northbank", *data, "--json").json["seq"]
    row = re.split(" {2,}", hansa("query", "times", "Stay", "a", *data).out.splitlines()[2])
    assert row == [str(seq), "a", START, LENGTH, PAST]
    assert hansa("query", "times", "end_of", "stay=a", *data).out == END
    assert hansa("query", "times", "Stay", "a", *data, "--json").json["value"]["length"] == 183_600_000
    shown = hansa("tx", "show", seq, *data).out
    for text in (f"start={START}", f"length={LENGTH}", f"past={PAST}"):
        assert text in shown
    assert event_of(shown.splitlines()[-1]) == EVENT
    refused = hansa("call", "times", *LEAVE, "--as", "northbank", *data)
    entry = seq + 1
    assert refused.out.splitlines()[0] == f"refused  as entry {entry}: {LATE} [require.failed]"
    assert f"outcome   refused require.failed {LATE}" in hansa("tx", "show", entry, *data).out.splitlines()
    assert f"refused  {LATE} [require.failed]" in hansa("tx", "trace", entry, *data).out
    plain = hansa("tx", "show", entry, *data, "--json").json["decoded"]["result"]["values"]
    assert (plain["start"], plain["late"]) == (1_896_091_200_000, 86_400_005)
    assert WAS_THERE in hansa("query", "times", "first", "stay=a", *data).err


def test_events_on_a_ledger(hansa: Callable, server: Any, file: Path) -> None:
    data = ("--data", server.data)
    assert hansa("contract", "deploy", file, "--as", "northbank", "--name", "trips", *data).code == 0
    called = hansa("call", "trips", *BOOK, "--as", "northbank", *data)
    assert event_of(called.out.splitlines()[1]) == EVENT
    found = hansa("events", "--contract", "trips", *data).out.splitlines()
    assert [event_of(line) for line in found] == [EVENT]
    plain = hansa("events", "--contract", "trips", *data, "--json").json["data"]
    assert (plain["start"], plain["end"]) == (1_896_091_200_000, 1_896_274_800_000)


def test_what_is_run(hansa: Callable, file: Path, tmp_path: Path) -> None:
    words = ("contract", "run", file)
    ran = hansa(*words, *BOOK, "--state", tmp_path / "state.json")
    for text in (f"start   {START}", f"length  {LENGTH}", f"past    {PAST}"):
        assert text in ran.out
    (line,) = (line for line in ran.out.splitlines() if line.startswith("event "))
    assert event_of(line) == EVENT
    late = hansa(*words, *LEAVE, "--state", tmp_path / "state.json").out
    assert late.startswith(f"refused  {LATE} [require.failed]\n")
    traced = hansa("contract", "trace", file, *LEAVE, "--state", tmp_path / "state.json").out
    assert f"refused  {LATE} [require.failed]" in traced
    traced = hansa("contract", "trace", file, "end_of", "stay=a", "--state", tmp_path / "state.json").out
    assert f"returned {END.strip()}  " in traced
    out = hansa(*words, "end_of", "stay=a", "--state", tmp_path / "state.json").out
    assert out.startswith(f"returned {END}")


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("instant-ms", 5, "1970-01-01 00:00:00.005 UTC"),
        ("instant-ms", -5, -5),
        ("instant-ms", 10**15, 10**15),
        ("instant-ms", None, None),
        ("duration-ms", 0, "0s"),
        ("duration-ms", -90_000, "-1m30s"),
        ("duration-ms", 86_400_001, "1d1ms"),
        ("amount", 5, 5),
    ],
)
def test_a_value_by_its_form(form: str, value: Any, text: Any) -> None:
    assert readable({"format": form, "type": "integer"}, value, {}) == text
