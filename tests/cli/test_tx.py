"""`hansa tx show`: what became of a transaction, by its id or its seq; and how one is excluded."""

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.node.create import Founder, create_ledger
from hansa.node.node import open_node
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import exclusion

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
    assert re.fullmatch(r"at        example_ledger 1\.0\.0, line \d+", lines.pop(5))
    assert lines[4:] == ["outcome   refused require.failed northbank has USD 1000.00, which does not cover USD 5000.00"]


def test_genesis(show: Callable, server: Any) -> None:
    *lines, moment = show("0").out.splitlines()
    assert re.fullmatch(TIME, moment)
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


# What ledger time takes

LAPSE = """\
from hansa.contract import Contract, Duration, Int, Record, Text, action, require, schedule


class Lapse(Contract, version="1.0.0"):
    class Note(Record, key="id"):
        id: Text[1, 9]
        is_kept: bool

    class Slot(Record, key="number"):
        number: Int[0, 99]

    @action(by="member", creates="Note")
    def add(tx, note: Note, id: Text[1, 9], is_kept: bool):
        schedule(note, "lapse", tx.time + Duration(seconds=1))

    @action(by="member", creates="Slot")
    def take(tx, slot: Slot, number: Int[0, 99]):
        schedule(slot, "free", tx.time + Duration(seconds=1))

    @action(by="schedule")
    def lapse(tx, note: Note):
        require(not note.is_kept, "{id} is kept", id=note.id)

    @action(by="schedule")
    def free(tx, slot: Slot):
        pass
"""


@pytest.fixture(scope="module")
def due_entries(hansa: Callable, server: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int]]:
    """For each record, the entry that scheduled something for it, and the one in which ledger time took that."""
    path = tmp_path_factory.mktemp("due") / "lapse.py"
    path.write_text(LAPSE)
    data = ("--as", "northbank", "--data", server.data)
    assert hansa("contract", "deploy", path, *data).code == 0
    calls = {
        "b1": ("add", "id=b1", "is_kept=false"),
        "b2": ("add", "id=b2", "is_kept=true"),
        "7": ("take", "number=7"),
    }
    first = {key: hansa("call", "lapse", *words, *data, "--json").json["seq"] for key, words in calls.items()}
    after, taken = max(first.values()) + 1, dict[str, int]()
    end = time.monotonic() + 20
    while len(taken) < len(first) and time.monotonic() < end:
        found = hansa("tx", "show", after, "--data", server.data, "--json").json
        if "error" in found:
            time.sleep(0.1)
            continue
        if found["kind"] == "scheduled":
            taken[found["scheduled"]["key"]] = after
        after += 1
    return {key: (seq, taken[key]) for key, seq in first.items()}


@pytest.mark.parametrize(("key", "what"), [("b1", "lapse of Note"), ("b2", "lapse of Note"), ("7", "free of Slot")])
def test_a_scheduled_entry(show: Callable, due_entries: dict[str, tuple[int, int]], key: str, what: str) -> None:
    by, seq = due_entries[key]
    lines = show(seq).out.splitlines()
    assert lines[0].startswith(f"entry     {seq}  scheduled  in block ")
    due = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(rf"action    lapse\.{what} {key}, scheduled by entry {by}, due {due}", lines[2])
    found = show(seq, "--json").json["scheduled"]
    action, record = what.split(" of ")
    told = {"contract": "lapse", "action": action, "record": record, "key": key, "by": by}
    assert {name: found[name] for name in told} == told
    assert by < seq
    if key == "b2":
        assert lines[3] == "outcome   refused require.failed b2 is kept"
        assert re.fullmatch(r"at        lapse 1\.0\.0, line \d+", lines[4])


def test_a_receipt_of_a_scheduled_entry(
    hansa: Callable, server: Any, due_entries: dict[str, tuple[int, int]], tmp_path: Path
) -> None:
    by, seq = due_entries["b1"]
    assert hansa("receipt", "get", seq, "--out", tmp_path / "r", "--data", server.data).code == 0
    words = ("receipt", "verify", tmp_path / "r", "--genesis", server.data / "genesis.cbor", "--ledger", server.ledger)
    assert f"\naction   an action of lapse on the record b1, scheduled by entry {by}, due " in hansa(*words).out
    found = hansa(*words, "--json").json
    assert (found["scheduled"]["contract"], found["scheduled"]["by"]) == ("lapse", by)
    assert found["envelope_checked"]


# Exclusion

ID = "ab" * 32


@pytest.fixture
def stopped(hansa: Callable, tmp_path: Path) -> Path:
    """The folder of a ledger whose node is stopped; `northbank` is its one deployer."""
    root = tmp_path / "ledger"
    create_ledger(Disk(), Folder(root), "Test", [Founder("northbank", "North Bank", deployer=True)])

    async def runs() -> None:
        node = open_node(root, reserve_bytes=0)
        node.start()
        await node.stop()

    asyncio.run(runs())
    return root


def test_a_deployer_excludes_a_transaction(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    file = tmp_path / "statement.cose"
    signed = hansa("tx", "exclude", ID, "--as", "northbank", "--out", file, "--data", stopped, "--json")
    assert signed.code == 0
    statement = exclusion.read(file.read_bytes())
    assert (statement.id.hex(), statement.ledger.hex()) == (ID, signed.json["ledger"])
    assert statement.reason == signed.json["reason"] == "it stops every node that runs it"
    given = hansa("tx", "exclude", ID, "--give", file, "--data", stopped)
    assert given.code == 0
    assert "excluded by northbank" in given.out
    assert (stopped / "exclusions" / f"{ID}.cose").read_bytes() == file.read_bytes()


def test_a_deployer_signs_without_the_folder(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    file, key = tmp_path / "statement.cose", stopped / "keys" / "members" / "northbank.pem"
    words = ("--key", key, "--ledger", "cd" * 32, "--reason", "why", "--out", file, "--data", tmp_path / "none")
    assert hansa("tx", "exclude", ID, *words).code == 0
    statement = exclusion.read(file.read_bytes())
    assert (statement.ledger.hex(), statement.reason) == ("cd" * 32, "why")
    hansa("tx", "exclude", ID, "--give", file, "--data", stopped).failed("exclusion.ledger")


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("AB" * 32, "--as", "northbank"), "request.digest", 2),
        ((ID,), "argument.value", 2),
        ((ID, "--as", "northbank", "--ledger", "5"), "request.digest", 2),
        ((ID, "--as", "northbank", "--reason", ""), "exclusion.form", 1),
        ((ID, "--as", "northbank", "--reason", "x" * 201), "exclusion.form", 1),
        ((ID, "--give", "none.cose"), "argument.file", 2),
    ],
)
def test_what_is_no_exclusion_is_refused(
    hansa: Callable, stopped: Path, words: tuple[str, ...], code: str, exit_code: int
) -> None:
    hansa("tx", "exclude", *words, "--data", stopped).failed(code, exit_code)


def test_a_folder_that_is_none_cannot_say_for_which_ledger(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    key = stopped / "keys" / "members" / "northbank.pem"
    hansa("tx", "exclude", ID, "--key", key, "--data", tmp_path / "none").failed("argument.file", 2)


def test_a_statement_is_not_written_over(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    words = ("--as", "northbank", "--out", tmp_path / "statement.cose", "--data", stopped)
    assert hansa("tx", "exclude", ID, *words).code == 0
    again = hansa("tx", "exclude", ID, *words)
    assert again.failed("argument.exists", 2)
    assert "--force" not in again.err
