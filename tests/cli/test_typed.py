"""Instants and durations as people read them, in what commands show; JSON keeps milliseconds."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.cli.typed import readable

TIMES = """\
from hansa.contract import Contract, Duration, Instant, Int, Record, Text, action, view


class Times(Contract, version="1.0.0"):
    class Stay(Record, key="id"):
        id: Text[1, 9]
        start: Instant
        length: Duration
        past: list[Instant, 3]

    @action(by="member", creates="Stay")
    def book(tx, stay: Stay, id: Text[1, 9], start: Instant, length: Duration, past: list[Instant, 3]):
        pass

    @view
    def end_of(tx, stay: Stay) -> Instant:
        return stay.start + stay.length
"""
BOOK = ("book", "id=a", "start=2030-01-31T12:00:00Z", "length=2d3h", 'past=["2029-01-01T00:00:00Z"]')
START, LENGTH, PAST = "2030-01-31 12:00:00 UTC", "2d3h", "[2029-01-01 00:00:00 UTC]"
END = "2030-02-02 15:00:00 UTC\n"


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


def test_what_is_run(hansa: Callable, file: Path, tmp_path: Path) -> None:
    words = ("contract", "run", file)
    ran = hansa(*words, *BOOK, "--state", tmp_path / "state.json")
    for text in (f"start   {START}", f"length  {LENGTH}", f"past    {PAST}"):
        assert text in ran.out
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
