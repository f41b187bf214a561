"""`hansa tx show`: what became of a transaction, by its id or its seq."""

import re
from collections.abc import Callable
from typing import Any

import pytest

TIME = r"time      \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


@pytest.fixture
def show(hansa: Callable, server: Any) -> Callable[..., Any]:
    return lambda *words: hansa("tx", "show", *words, "--data", server.data)


@pytest.fixture(scope="module")
def refused_entry(hansa: Callable, server: Any) -> dict[str, Any]:
    """An entry that the ledger refused."""
    words = ("call", "example_ledger", "pay", "account=northbank", "to=harbourline", "amount=USD 5000.00")
    return hansa(*words, "--as", "northbank/ana", "--data", server.data, "--json").json


def test_an_applied_entry(show: Callable, server: Any) -> None:
    lines = show("2").out.splitlines()
    assert lines[0] == "entry     2  transaction  in block 2"
    assert re.fullmatch(r"id        [0-9a-f]{64}", lines[1])
    assert lines[2] == "action    example_ledger.open(owner=northbank, balance=USD 1000.00)"
    assert re.fullmatch(r"signed    by tradewatch, key [0-9a-f]{64}", lines[3])
    assert re.fullmatch(TIME, lines.pop(5))
    assert lines[4:] == ["outcome   applied ok", "event     account.opened: owner=northbank, balance=USD 1000.00"]


def test_a_refused_entry(show: Callable, refused_entry: dict[str, Any]) -> None:
    ran = show(refused_entry["seq"])
    assert ran.code == 0, "the question was answered"
    lines = ran.out.splitlines()
    assert lines[3].startswith("signed    by northbank/ana, key ")
    assert re.fullmatch(TIME, lines.pop())
    assert lines[4:] == ["outcome   refused require.failed northbank has USD 1000.00, which does not cover USD 5000.00"]


def test_genesis(show: Callable, server: Any) -> None:
    *lines, time = show("0").out.splitlines()
    assert re.fullmatch(TIME, time)
    assert lines == [
        "entry     0  genesis  in block 0",
        f"id        {server.ledger}",
        "outcome   applied ok",
    ]


def test_by_id_and_by_seq_it_is_the_same(show: Callable, refused_entry: dict[str, Any]) -> None:
    by_seq = show(refused_entry["seq"], "--json").json
    by_id = show(refused_entry["id"], "--json").json
    assert by_id == by_seq
    assert (by_id["status"], by_id["signer"]) == ("committed", "northbank/ana")
    assert by_id["decoded"]["code"] == "require.failed"
    assert show(refused_entry["id"]).out == show(refused_entry["seq"]).out


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        ([], "not_found", "not found: it may still come while its not_after has not passed\n"),
        (
            ["--not-after", "99999999999999"],
            "not_found",
            "not found: it may still come while its not_after has not passed\n",
        ),
        (
            ["--not-after", "5"],
            "never",
            "never: its time has passed without an entry, it has no effect and never will\n",
        ),
    ],
)
def test_a_transaction_that_is_not_there(options: list[str], status: str, text: str, show: Callable) -> None:
    ran = show("0" * 64, *options)
    assert (ran.code, ran.out, ran.err) == (1, text, "")
    found = show("0" * 64, *options, "--json")
    assert (found.code, found.json["status"]) == (1, status)


@pytest.mark.parametrize(
    ("which", "code", "exit_code"),
    [
        ("99", "entry.unknown", 1),
        ("9" * 15, "entry.unknown", 1),
        ("9" * 18, "request.query", 2),
        ("zz", "request.digest", 2),
        ("", "request.digest", 2),
        ("9" * 19, "request.digest", 2),
        ("A" * 64, "request.digest", 2),
        ("0" * 63, "request.digest", 2),
        ("1.5", "request.digest", 2),
        ("\u0665", "request.digest", 2),
    ],
)
def test_what_is_no_entry(which: str, code: str, exit_code: int, show: Callable) -> None:
    assert show(which).failed(code, exit_code)
    assert show(which, "--json").failed(code, exit_code)
