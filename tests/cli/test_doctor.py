"""`hansa doctor`: what it sees of a node that runs, of one that does not, and of a damaged ledger."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAMES = ["python", "disk sync", "disk space", "format", "keys", "journal", "clock", "node"]


def verdicts(ran: Any) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in ran.json["checks"]}


def test_a_node_that_runs(hansa: Callable, server: Any) -> None:
    ran = hansa("doctor", "--data", server.data, "--json")
    assert ran.code == 0
    found = verdicts(ran)
    assert list(found) == NAMES
    assert {found[name] for name in NAMES if not name.startswith("disk")} == {"good"}
    seen = {check["name"]: check["seen"] for check in ran.json["checks"]}
    assert seen["format"] == "readable by this version, a node runs over it"
    assert seen["journal"] == "5 entries in 1 segment(s), every checksum right"
    assert seen["node"] == f"running at {server.url}"


def test_in_words(hansa: Callable, server: Any) -> None:
    ran = hansa("doctor", "--data", server.data)
    assert (ran.code, ran.err) == (0, "")
    lines = [line for line in ran.out.splitlines() if "->" not in line]
    assert [re.split(r"  +", line[9:])[0].strip() for line in lines] == NAMES
    assert all(re.match("good     |warning  ", line) for line in lines)


@pytest.fixture(scope="module")
def stopped(hansa: Callable, server: Any) -> Path:
    assert server.stop() == 0
    return server.data


def test_a_node_that_does_not_run(hansa: Callable, stopped: Path) -> None:
    ran = hansa("doctor", "--data", stopped, "--json")
    assert ran.code == 0
    assert verdicts(ran)["node"] == "unknown"
    assert ran.json["checks"][-1]["fix"] == "start it with `hansa up`"


def test_a_damaged_ledger_is_named_with_what_to_do(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    shutil.copytree(stopped, tmp_path / "data")
    segment = tmp_path / "data" / "journal" / "00000000.segment"
    data = bytearray(segment.read_bytes())
    data[5_000] ^= 1
    segment.write_bytes(data)
    ran = hansa("doctor", "--data", tmp_path / "data")
    assert ran.code == 3
    lines = ran.out.splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith("bad ")]
    assert "journal" in lines[at]
    assert "00000000.segment, byte 4096" in lines[at]
    assert lines[at + 1].strip() == f"-> `hansa audit {tmp_path}/data` says more; then restore a backup"


def test_where_there_is_no_ledger(hansa: Callable, tmp_path: Path) -> None:
    ran = hansa("doctor", "--data", tmp_path / "none", "--json")
    assert ran.code == 3, "a folder whose name is misspelt is not well"
    assert list(verdicts(ran)) == ["python", "disk sync", "disk space", "ledger", "node"]
    assert verdicts(ran)["ledger"] == "unknown"
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_does_not_answer(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    """A process of that number lives, but nobody listens."""
    shutil.copytree(stopped, tmp_path / "data")
    (tmp_path / "data" / "node.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    ran = hansa("doctor", "--data", tmp_path / "data", "--json")
    assert ran.code == 3
    assert verdicts(ran)["node"] == "bad"
