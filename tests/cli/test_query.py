"""`hansa query`: records by key, in pages and by index, their history, and views."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def query(hansa: Callable, server: Any) -> Callable[..., Any]:
    return lambda *words: hansa("query", *words, "--data", server.data)


DIARY = '''"""A diary."""

from hansa.contract import Bytes, Contract, Date, Duration, Instant, Record, Text, action


class Diary(Contract, version="1.0.0"):
    class Page(Record, key="id", index=["day", "at", "length", "later", "code"]):
        id: Text[1, 9]
        day: Date
        at: Instant
        length: Duration
        code: Bytes[2, 2]
        later: Instant | None = None

    @action(by="member", creates="Page")
    def put(tx, page: Page, id: Text[1, 9], day: Date, at: Instant, length: Duration, code: Bytes[2, 2]):
        """Writes a page."""
'''
NORTHBANK = {"owner": "northbank", "balance": {"minor": 100_000, "currency": "USD"}}
HARBOURLINE = {"owner": "harbourline", "balance": {"minor": 500, "currency": "USD"}}


def test_a_record(query: Callable) -> None:
    ran = query("example_ledger", "Account", "northbank")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "seq  owner      balance\n---  ---------  -----------\n2    northbank  USD 1000.00\n"
    assert query("example_ledger", "Account", "northbank", "--json").json == {
        "seq": 2,
        "version": "1.0.0",
        "value": NORTHBANK,
    }


def test_a_page_of_records(query: Callable) -> None:
    ran = query("example_ledger", "Account")
    assert ran.out.splitlines() == [
        "seq  owner        balance",
        "---  -----------  -----------",
        "3    harbourline  USD 5.00",
        "2    northbank    USD 1000.00",
    ]
    assert query("example_ledger", "Account", "--json").json == {
        "size": 5,
        "rows": [
            {"seq": 3, "version": "1.0.0", "value": HARBOURLINE},
            {"seq": 2, "version": "1.0.0", "value": NORTHBANK},
        ],
        "next": None,
    }


def test_pages_follow_each_other(query: Callable) -> None:
    page = query("example_ledger", "Account", "--rows", "1", "--json").json
    assert [row["seq"] for row in page["rows"]] == [3]
    first = query("example_ledger", "Account", "--rows", "1")
    assert first.err == f"there is more: --after {page['next']}\n"
    assert query("example_ledger", "Account", "--rows", "1", "--quiet").err == ""
    assert query("example_ledger", "Account", "--after", page["next"], "--descending").failed("query.cursor", 2)
    page = query("example_ledger", "Account", "--rows", "1", "--after", page["next"], "--json").json
    assert ([row["seq"] for row in page["rows"]], page["next"]) == ([2], None)


def ids_of(ran: Any) -> list[str]:
    return [row["value"]["id"] for row in ran.json["rows"]]


def test_ranges_by_key(query: Callable) -> None:
    every = ids_of(query("members", "User", "--json"))
    assert len(every) > 4
    assert ids_of(query("members", "User", "--descending", "--json")) == every[::-1]
    least, most = every[1], every[3]
    assert ids_of(query("members", "User", "--least", least, "--most", most, "--json")) == every[1:4]
    assert ids_of(query("members", "User", "--least", least + "\u00e9", "--json")) == every[2:]
    assert ids_of(query("members", "User", "--most", most, "--descending", "--rows", "2", "--json")) == [most, every[2]]


def test_ranges_by_index(query: Callable) -> None:
    found = query("members", "User", "--index", "member", "--json").json["rows"]
    members = [row["value"]["member"] for row in found]
    assert members == sorted(members)
    assert len(set(members)) > 2
    bounds = ("--index", "member", "--least", "harbourline", "--most", "northbank", "--json")
    ranged = query("members", "User", *bounds).json["rows"]
    assert ranged == [row for row in found if "harbourline" <= row["value"]["member"] <= "northbank"]
    assert query("members", "User", *bounds, "--descending").json["rows"] == ranged[::-1]
    assert 0 < len(ranged) < len(found)


def test_what_the_how_to_page_shows_can_be_asked(query: Callable) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "query-records.md").read_text()
    lines = page.split("```sh\n")[1].split("```")[0].splitlines()
    assert len(lines) > 5
    for line in lines:
        command, name, *words = shlex.split(line)
        assert (command, name) == ("hansa", "query")
        ran = query(*words)
        assert (ran.code, ran.err) == (0, ""), line
        assert "ship" in ran.out or "--most m" in line


def test_records_by_index(query: Callable) -> None:
    ran = query("example_ledger", "Title", "--index", "owner=northbank")
    assert ran.out == "seq  thing  owner\n---  -----  ---------\n4    ship   northbank\n"
    assert query("example_ledger", "Title", "--index", "owner=harbourline").out == "nothing\n"
    users = query("members", "User", "--index", "member=northbank", "--json").json["rows"]
    assert [row["value"]["id"] for row in users] == ["northbank/ana", "northbank/ben"]


def test_bounds_are_written_as_the_arguments_of_a_call_are(
    query: Callable, server: Any, hansa: Callable, tmp_path: Path
) -> None:
    contract = tmp_path / "diary.py"
    contract.write_text(DIARY)
    to = ("--as", "northbank", "--data", server.data)
    assert hansa("contract", "deploy", contract, *to).code == 0
    for number in (0, 1, 2):
        words = (f"day=2027-01-0{number + 1}", f"at=2027-01-0{number + 1}T12:00:00Z", f"length={number}h", "code=0a0b")
        assert hansa("call", "diary", "put", f"id={number}", *words, *to).code == 0

    def ids(*words: str) -> list[str]:
        ran = query("diary", "Page", *words, "--json")
        assert ran.code == 0, ran
        return ids_of(ran)

    assert ids("--index", "at", "--least", "2027-01-02T12:00:00Z") == ["1", "2"]
    assert ids("--index", "at", "--least", "2027-01-02", "--most", "2027-01-03") == ["1"]
    assert ids("--index", "at=2027-01-02T12:00:00Z") == ["1"]
    assert ids("--index", "at=1798891200000") == ["1"]
    assert ids("--index", "length", "--least", "60m") == ["1", "2"]
    assert ids("--index", "length=1h") == ["1"]
    assert ids("--index", "code=0x0A0B") == ["0", "1", "2"]
    assert ids("--index", "day", "--most", "2027-01-01") == ["0"]
    assert ids("--index", "later=null") == ids("--index", "later=") == ["0", "1", "2"]
    for field in ("day", "at", "length", "later", "code"):
        assert query("diary", "Page", "--index", f"{field}=foo").failed("query.value", 2)
    told = query("diary", "Page", "--index", "day", "--least", "2027-1-1").failed("query.value", 2)
    assert told == "'2027-1-1' is not a date such as 2030-01-31"
    told = query("diary", "Page", "--index", "at", "--least", "2027-1-1").failed("query.value", 2)
    assert "is not a time such as 2030-01-31T12:00:00Z" in told


def test_a_view(query: Callable) -> None:
    assert query("example_ledger", "balance_of", "account=northbank").out == "USD 1000.00\n"
    found = query("example_ledger", "balance_of", "account=northbank", "--json").json
    assert found["result"] == {"minor": 100_000, "currency": "USD"}
    assert set(found) == {"result", "steps", "entries", "time"}


def test_a_history(query: Callable) -> None:
    found = query("example_ledger", "Account", "northbank", "--history", "--json").json
    assert [(row["seq"], row["value"]) for row in found["rows"]] == [(2, NORTHBANK)]
    assert query("example_ledger", "Account", "northbank", "--history").out.splitlines()[2].startswith("2    northbank")


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (["example_ledger", "Account", "nobody"], "record.unknown", 1),
        (["example_ledger", "Nothing"], "argument.action", 2),
        (["nothing", "Account"], "contract.missing", 2),
        (["example_ledger", "Account", "a", "b"], "argument.value", 2),
        (["example_ledger", "Account", "--history"], "argument.value", 2),
        (["example_ledger", "Account", "northbank", "--history", "--after", "x"], "request.query", 2),
        (["example_ledger", "Account", "--after", "zz"], "query.cursor", 2),
        (["example_ledger", "Title", "--index", "thing=ship"], "query.index", 2),
        (["example_ledger", "Title", "--index", "owner="], "query.value", 2),
        (["example_ledger", "Title", "--index", "owner=northbank", "--most", "x"], "query.range", 2),
        (["example_ledger", "Title", "--least", "b", "--most", "a"], "query.range", 2),
        (["example_ledger", "Title", "--index", "owner", "--least", "n" * 500], "key.too_long", 1),
        (["example_ledger", "Title", "ship", "--least", "a"], "argument.value", 2),
        (["example_ledger", "Title", "ship", "--history", "--descending"], "argument.value", 2),
        (["members", "Key", "--most", "zz"], "query.value", 2),
        (["example_ledger", "Title", "ship", "--index", "owner=northbank"], "argument.value", 2),
        (["example_ledger", "Title", "ship", "--history", "--index", "owner=northbank"], "argument.value", 2),
        (["members", "Key", "zz"], "query.value", 2),
        (["members", "Key", "00"], "record.unknown", 1),
        (["example_ledger", "balance_of"], "argument.value", 2),
        (["example_ledger", "balance_of", "account=nobody"], "view.refused", 1),
        (["example_ledger", "balance_of", "account=northbank", "more=1"], "argument.value", 2),
    ],
)
def test_what_there_is_not(words: list[str], code: str, exit_code: int, query: Callable) -> None:
    assert query(*words).failed(code, exit_code)
    assert query(*words, "--json").failed(code, exit_code)


def test_why_a_view_refuses_is_told(query: Callable) -> None:
    assert "is not a member" in query("example_ledger", "balance_of", "account=nobody").err
    assert "there is no Account" in query("example_ledger", "balance_of", "account=tradewatch").err


def test_a_key_with_a_slash(query: Callable) -> None:
    assert query("members", "User", "northbank/ana", "--json").json["value"]["member"] == "northbank"


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "?",
        "a/b",
        "#",
        "%2e",
        "+ &=",
        "é",
    ],
)
def test_keys_that_mean_something_in_a_path(key: str, query: Callable) -> None:
    assert query("example_ledger", "Title", key).failed("record.unknown")


def test_no_node(hansa: Callable, tmp_path: Path) -> None:
    assert hansa("query", "example_ledger", "Account", "--data", tmp_path).failed("folder.none")
