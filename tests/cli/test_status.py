"""`hansa status`: how the node is, in one sentence and in numbers."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.cli.status import sentence
from hansa.client import asking

READY = {
    "ready": True,
    "healthy": True,
    "reasons": [],
    "warnings": [],
    "entries": 1_204,
    "waiting": 0,
    "time": 1_700_000_000_000,
}
EXPIRING = {"code": "key.expires", "detail": "the node key ab of node-1 expires in 3 days", "remedy": "Register one."}
REASONS = [{"code": "disk.full", "detail": "The disk is full", "remedy": "Make room."}]


@pytest.mark.parametrize(
    ("changes", "passed_s", "told"),
    [
        ({}, 0.9, "The node is ready: 1,204 entries, the last one just now."),
        ({}, 3, "The node is ready: 1,204 entries, the last one 3 s ago."),
        ({}, 119, "The node is ready: 1,204 entries, the last one 1 min ago."),
        ({}, 7_200, "The node is ready: 1,204 entries, the last one 2 h ago."),
        ({}, 400 * 86_400, "The node is ready: 1,204 entries, the last one 400 d ago."),
        ({}, -5, "The node is ready: 1,204 entries, the last one at 2023-11-14 22:13:20 UTC."),
        (
            {"entries": 1, "waiting": 1_000},
            1,
            "The node is ready: 1 entry, the last one 1 s ago; 1,000 transactions wait.",
        ),
        (
            {"warnings": [EXPIRING, EXPIRING]},
            3,
            "The node is ready: 1,204 entries, the last one 3 s ago; the node key ab of node-1 expires in 3 days.",
        ),
        (
            {"ready": False, "reasons": REASONS},
            1,
            "The node takes no transactions: The disk is full [disk.full]. Make room.",
        ),
        (
            {"ready": False, "healthy": False, "reasons": REASONS},
            1,
            "The node has stopped for good: The disk is full [disk.full]. Make room.",
        ),
    ],
)
def test_the_sentence(changes: dict[str, Any], passed_s: float, told: str) -> None:
    assert sentence({**READY, **changes}, 1_700_000_000 + passed_s) == told


def test_a_node_that_runs(hansa: Callable, server: Any) -> None:
    ran = hansa("status", "--data", server.data)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert re.fullmatch(r"The node is ready: 5 entries, the last one (just now|\d+ (s|min) ago)\.", lines[0])
    assert lines[1:4] == ["", f"ledger      Sample ledger  {server.ledger}", f"url         {server.url}"]
    assert re.fullmatch(r"entries     5  in 5 blocks, the last at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", lines[4])
    assert lines[5:] == [
        "checkpoint  size 5",
        "orderer     solo",
        "waiting     0",
        "next block  no transaction waits for one",
    ]


def test_as_json(hansa: Callable, server: Any) -> None:
    found = hansa("status", "--data", server.data, "--json").json
    time = found.pop("time")
    assert time > 1_700_000_000_000
    assert found.pop("now") >= time
    assert found == {
        "url": server.url,
        "ledger": server.ledger,
        "name": "Sample ledger",
        "state": "running",
        "healthy": True,
        "ready": True,
        "reasons": [],
        "warnings": [],
        "trouble": "",
        "detail": "",
        "entries": 5,
        "height": 4,
        "waiting": 0,
        "checkpoint": 5,
        "clock": "real",
        "orderer": "solo",
        "next_block": {"state": "idle", "why": "no transaction waits for one", "fix": ""},
    }


def test_by_url(hansa: Callable, server: Any) -> None:
    assert hansa("status", "--url", server.url + "/", "--json").json["ledger"] == server.ledger
    found = hansa("status", "--url", f"http://127.0.0.1:1,{server.url}", "--json").json  # nobody is at the first
    assert (found["ledger"], found["url"]) == (server.ledger, server.url)


def test_a_node_that_refuses_is_unhealthy(hansa: Callable, start: Callable, tmp_path: Path) -> None:
    """More free space is asked for than any disk has."""
    running = start(tmp_path / "data", "--reserve-mb", "1000000000000")
    try:
        ran = hansa("status", "--data", running.data)
        assert ran.code == 3
        assert re.fullmatch(
            r"The node takes no transactions: \d+ MB are free; intake stops below \d+ \[disk\.full\]\. Make room; .+\.",
            ran.out.splitlines()[0],
        )
        found = hansa("status", "--data", running.data, "--json")
        assert (found.code, found.json["state"], found.json["trouble"]) == (3, "refusing", "disk.full")
        checks = hansa("doctor", "--data", running.data, "--json")
        assert checks.code == 3
        told = {check["name"]: check for check in checks.json["checks"]}
        assert (told["node"]["verdict"], told["node"]["seen"].split()[0]) == ("ok", "refusing")
        assert (told["next block"]["verdict"], told["next block"]["fix"][:10]) == ("fail", "Make room;")
        action = ("call", "members", "add_reference", "name=a", "valid_from=1", "data=x")
        assert "MB are free" in hansa(*action, "--as", "northbank", "--data", running.data).failed("disk.full")
    finally:
        assert running.stop() == 0


def test_no_node(hansa: Callable, tmp_path: Path) -> None:
    assert hansa("status", "--data", tmp_path).failed("folder.none") == f"{tmp_path} holds no ledger"
    assert hansa("proposal", "list", "--data", tmp_path).failed("folder.none") == f"{tmp_path} holds no ledger"
    (tmp_path / "format").touch()
    assert hansa("status", "--data", tmp_path).failed("node.unreachable", 3) == f"no node runs over {tmp_path}"
    assert hansa("status", "--url", "http://127.0.0.1:1").failed("node.unreachable", 3)
    assert hansa("status", "--url", "http://127.0.0.1:1", "--json").failed("node.unreachable", 3)


def test_a_node_that_does_not_answer(hansa: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections, as a process does that is suspended: to start another would not help."""
    monkeypatch.setitem(asking.ask.__kwdefaults__, "wait_s", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ran = hansa("status", "--url", url)
        assert ran.failed("node.silent", 3).startswith(url)
        assert "hansa up" not in ran.err
