"""How values are written for people: amounts, tables, and the reasons of refusals."""

import errno
import io
import json
from typing import Any

import pytest
import structlog

from hansa.cli.output import Output, filled, log_to_stderr, table, written
from hansa.wire.problems import HansaError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "True"),
        (5, "5"),
        ("text", "text"),
        (b"\x00\xff", "00ff"),
        ([], "[]"),
        ([1, [b"\x01", None]], "[1, [01, -]]"),
        ({"a": 1, "b": "x"}, "a=1, b=x"),
        ({"minor": 50_000, "currency": "USD"}, "USD 500.00"),
        ({"minor": "9007199254740993", "currency": "JPY"}, "JPY 9007199254740993"),
        ([{"minor": 5, "currency": "KWD"}], "[KWD 0.005]"),
        ({"amount": {"minor": 5, "currency": "USD"}}, "amount=USD 0.05"),
        ({}, ""),
    ],
)
def test_values_are_linesin_one_line(value: Any, text: str) -> None:
    assert written(value) == text


def test_a_map_that_is_no_amount_is_linesas_a_map() -> None:
    assert written({"minor": "abc", "currency": "USD"}) == "minor=abc, currency=USD"


@pytest.mark.parametrize("text", ["a\nid       00", "a\x1b[2Kb", "a\rb", "a\x9bb", "\u202eabc"])
def test_control_characters_of_others_are_not_shown_raw(text: str) -> None:
    assert written({"message": text}).isprintable()


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (None, ""),
        ({"line": None}, ""),
        ([1], ""),
        ({"message": "no"}, "no"),
        (
            {"message": "{who} has {what}", "values": {"who": "alex", "what": {"minor": 5, "currency": "USD"}}},
            "alex has USD 0.05",
        ),
        ({"message": "{a} {a} {b}", "values": {"a": 1}}, "1 1 {b}"),
        (
            {"message": "the arguments do not fit", "values": {"problems": [{"name": "a", "problem": "is missing"}]}},
            "the arguments do not fit: `a`: is missing",
        ),
        (
            {
                "message": "the arguments do not fit",
                "values": {"problems": [{"name": "a", "problem": "x"}, {"name": "b", "problem": "y"}]},
            },
            "the arguments do not fit: `a`: x; `b`: y",
        ),
    ],
)
def test_the_reason_of_a_refusal(result: Any, text: str) -> None:
    assert filled(result) == text


def test_values_are_filled_once() -> None:
    result = {"message": "{a} and {b}", "values": {"a": "{b}", "b": "two"}}
    assert filled(result) == "{b} and two"


@pytest.mark.parametrize("problems", [["text"], 5, [{"other": 1}]])
def test_a_value_named_problems_is_a_value_as_any(problems: Any) -> None:
    assert filled({"message": "{problems}", "values": {"problems": problems}})


def test_a_table_is_as_wide_as_it_needs_to_be() -> None:
    assert table(["A", "LONGER"], [["one", "1"], ["x", "22"]]) == "A    LONGER\n---  ------\none  1\nx    22"
    assert table(["A"], []) == "A\n-"


class Full(io.StringIO):
    """Standard error in a file on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")


def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk a node whose log lies there too must still start and read."""
    monkeypatch.setattr("sys.stderr", Full())
    log_to_stderr()
    structlog.get_logger().error("journal.cut", reason="a test")
    structlog.reset_defaults()


def test_a_line_of_the_log_is_written_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes may share a log; none may write into a line of another."""
    lines: list[str] = []

    class Kept(io.StringIO):
        def write(self, text: str) -> int:
            lines.append(text)
            return super().write(text)

    monkeypatch.setattr("sys.stderr", Kept())
    log_to_stderr()
    structlog.get_logger().error("journal.cut", reason="a test")
    structlog.reset_defaults()
    (line,) = filter(None, lines)  # click tries with nothing whether a stream takes text
    assert "journal.cut" in line
    assert line.endswith("\n")


@pytest.mark.parametrize(
    "tell",
    [
        lambda out: out.note("a note"),
        lambda out: out.caution("a caution"),
        lambda out: out.error(HansaError("disk.full")),
        lambda out: out.error(HansaError("argument.value", problems=["one", "two"])),
    ],
)
def test_words_that_cannot_be_written_stop_nothing(tell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Full())
    tell(Output(json=False, quiet=False, color=False))


class Screen(io.StringIO):
    """Standard output that says whether it is a terminal."""

    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


STEERING = "a\x7f\x85\x9b31m\u2028\u202e\u200b\u2066\U000e0001z \u00e4\u20ac\U0001f600"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_json_steers_no_terminal_and_stays_the_same_value(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    screen = Screen(is_terminal)
    monkeypatch.setattr("sys.stdout", screen)
    out = Output(json=True, quiet=False, color=False)
    out.show({STEERING: STEERING}, "")
    out.error(HansaError("forward.url", STEERING))
    first, second = screen.getvalue().removesuffix("\n").split("\n")
    assert json.loads(first) == {STEERING: STEERING}
    assert json.loads(second)["error"]["detail"] == STEERING
    assert (first + second).isprintable() == is_terminal
    assert "z \u00e4\u20ac\U0001f600" in first  # what people can read stays so
