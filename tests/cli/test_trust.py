"""`hansa trust export` and `show`, and receipts checked by the file, across a change of the checkpoint key."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from tests.cli.conftest import Server, run

NEAR = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
"""So near that it warns, and nothing else comes of it."""


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the ledger `data`, stopped; the receipt `old` from before the change of key, the file `trust`."""
    root = tmp_path_factory.mktemp("trust")
    data = ("--data", root / "data")
    running = Server(root / "data")
    try:
        assert run("receipt", "get", 0, "--out", root / "old", *data).code == 0
        made = ("member", "key", "add", "--new", root / "data" / "keys" / "checkpoint-2.pem", "--purpose", "checkpoint")
        assert run(*made, "--for", "node-1", "--expires", NEAR, "--as", "northbank", *data).code == 0
        ran = run("trust", "export", root / "trust", "--receipt", root / "old", *data)  # waits for the new checkpoint
        assert (ran.code, ran.err) == (0, ""), ran
        assert ran.out.startswith(f"wrote {root / 'trust'}\n")
        (root / "status").write_text(run("status", *data).out)
        with urlopen(f"{running.url}/node/health") as answer:
            (root / "health").write_bytes(answer.read())
        assert run("receipt", "get", 0, "--out", root / "fresh", *data).code == 0
    finally:
        assert running.stop() == 0
    yield root


@pytest.fixture
def ledger(rotated: Path) -> str:
    return run("audit", rotated / "data", "--json").json["ledger"]


def test_the_file_shows_which_key_counts_where(hansa: Callable, rotated: Path, ledger: str) -> None:
    found = hansa("trust", "show", rotated / "trust", "--ledger", ledger, "--json").json
    assert (found["pinned"], found["ledger"]) == (True, ledger)
    assert [(key["node"], key["first"], key["last"]) for key in found["keys"]] == [
        ("node-1", 1, 2),
        ("node-1", 3, None),
    ]
    assert found["kid"] == found["keys"][1]["kid"]
    ran = hansa("trust", "show", rotated / "trust")
    assert ran.err.startswith("caution: pinned to nothing")
    assert re.search(r"^key +[0-9a-f]{64} of node-1: sizes 1 to 2$", ran.out, re.MULTILINE)


def test_an_old_receipt_and_a_fresh_one_verify(hansa: Callable, rotated: Path, ledger: str) -> None:
    trusted = ("--trust", rotated / "trust", "--ledger", ledger)
    kids = []
    for name in ("old", "fresh"):
        ran = hansa("receipt", "verify", rotated / name, *trusted)
        assert (ran.code, ran.err) == (0, ""), ran
        assert re.search(r"^keys     changed once as of \d+ entries at ", ran.out, re.MULTILINE)
        found = hansa("receipt", "verify", rotated / name, *trusted, "--json").json
        assert found["trust"]["size"] >= 3
        kids.append(found["kid"])
    assert len(set(kids)) == 2


def test_without_the_file_it_says_what_is_not_known(hansa: Callable, rotated: Path, ledger: str) -> None:
    by_genesis = ("--genesis", rotated / "data" / "genesis.cbor", "--ledger", ledger)
    ran = hansa("receipt", "verify", rotated / "old", *by_genesis)
    assert "they may have changed since" in ran.out
    assert hansa("receipt", "verify", rotated / "fresh", *by_genesis).failed("receipt.key_unknown")


def test_a_receipt_that_is_not_in_the_file(hansa: Callable, rotated: Path, ledger: str, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    ran = hansa("trust", "export", bare, "--data", rotated / "data", "--json")
    assert (ran.code, ran.json["receipts"]) == (0, 0)
    assert hansa("receipt", "verify", rotated / "old", "--trust", bare, "--ledger", ledger).failed("receipt.unlinked")
    assert hansa("receipt", "verify", rotated / "fresh", "--trust", bare, "--ledger", ledger).code == 0


def test_what_is_wrong_with_a_file_is_said(hansa: Callable, rotated: Path, ledger: str, tmp_path: Path) -> None:
    assert hansa("trust", "show", rotated / "trust", "--ledger", "0" * 64).failed("verify.genesis")
    data = bytearray((rotated / "trust").read_bytes())
    data[-30] ^= 1
    spoilt = tmp_path / "spoilt"
    spoilt.write_bytes(data)
    assert hansa("trust", "show", spoilt, "--ledger", ledger).failed("trust.chain")
    assert hansa("receipt", "verify", rotated / "old", "--trust", spoilt, "--ledger", ledger).failed("trust.chain")
    spoilt.write_bytes(data[:100])
    assert hansa("trust", "show", spoilt).failed("trust.form")
    both = ("--trust", rotated / "trust", "--genesis", rotated / "data" / "genesis.cbor")
    assert hansa("receipt", "verify", rotated / "old", *both).failed("argument.value", 2)


def test_no_file_is_overwritten(hansa: Callable, rotated: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("mine")
    words = ("trust", "export", kept, "--data", rotated / "data")
    assert hansa(*words).failed("argument.exists", 2)
    assert kept.read_text() == "mine"
    assert hansa(*words, "--force").code == 0
    assert kept.read_bytes() != b"mine"


def test_a_receipt_without_its_entry_is_not_linked(hansa: Callable, rotated: Path, tmp_path: Path) -> None:
    shutil.copy(rotated / "old.cose", tmp_path / "alone.cose")
    words = ("trust", "export", tmp_path / "file", "--receipt", tmp_path / "alone", "--data", rotated / "data")
    assert hansa(*words).failed("argument.file", 2)
    assert not (tmp_path / "file").exists()


def test_what_expires_is_told_and_the_node_is_well(rotated: Path) -> None:
    told = (rotated / "status").read_text()
    assert re.match(r"The node is ready: .*; the checkpoint key [0-9a-f]{16} of node-1 expires in \d days", told)
    health: dict[str, Any] = json.loads((rotated / "health").read_text())
    assert health["healthy"]
    assert [reason["code"] for reason in health["reasons"]] == ["key.expires"]


def test_an_audit_shows_the_keys_as_of_a_height(hansa: Callable, rotated: Path) -> None:
    def statuses(*height: str) -> list[str]:
        found = hansa("audit", rotated / "data", "--governance", *height, "--json").json
        assert found["sound"]
        return [key["status"] for key in found["governance"]["keys"] if key["purpose"] == "checkpoint"]

    assert statuses("--at", "0") == ["active"]
    assert sorted(statuses()) == ["active", "retired"]
    ran = hansa("audit", rotated / "data", "--governance", "--at", "1")
    assert re.search(r"^constitution 1\.0\.0  [0-9a-f]{64}, time lock [\d,]+ ms$", ran.out, re.MULTILINE)
    assert re.search(r"^member       northbank  North Bank .*, weight 1$", ran.out, re.MULTILINE)
    assert hansa("audit", rotated / "data", "--at", "99").failed("tree.range")
