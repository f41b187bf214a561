"""`hansa status`: how the node is, in one sentence and in numbers."""

import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_a_node_that_runs(hansa: Callable, server: Any) -> None:
    ran = hansa("status", "--data", server.data)
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"ledger      Sample ledger  {server.ledger}"
    assert lines[1] == f"url         {server.url}"
    assert re.fullmatch(r"entries     5  in 5 blocks, the last at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", lines[2])
    assert lines[3:] == ["checkpoint  size 5", "waiting     0", "", "The node runs and takes transactions."]


def test_as_json(hansa: Callable, server: Any) -> None:
    found = hansa("status", "--data", server.data, "--json").json
    time = found.pop("time")
    assert time > 1_700_000_000_000
    assert found == {
        "url": server.url,
        "ledger": server.ledger,
        "name": "Sample ledger",
        "state": "running",
        "trouble": "",
        "detail": "",
        "entries": 5,
        "height": 4,
        "waiting": 0,
        "checkpoint": 5,
    }


def test_by_url(hansa: Callable, server: Any) -> None:
    assert hansa("status", "--url", server.url + "/", "--json").json["ledger"] == server.ledger


def test_a_node_that_refuses_is_unhealthy(hansa: Callable, start: Callable, tmp_path: Path) -> None:
    """More free space is asked for than any disk has."""
    running = start(tmp_path / "data", "--reserve-mb", "1000000000000")
    try:
        ran = hansa("status", "--data", running.data)
        assert ran.code == 3
        assert re.fullmatch(
            r"The node takes no transactions: \d+ MB are free; intake stops below \d+ \[disk\.full\]",
            ran.out.splitlines()[-1],
        )
        found = hansa("status", "--data", running.data, "--json")
        assert (found.code, found.json["state"], found.json["trouble"]) == (3, "refusing", "disk.full")
        checks = hansa("doctor", "--data", running.data, "--json")
        assert checks.code == 3
        (node,) = [check for check in checks.json["checks"] if check["name"] == "node"]
        assert (node["verdict"], node["fix"]) == ("fail", "`hansa status` says what to do.")
        action = ("call", "members", "add_reference", "name=a", "valid_from=1", "data=x")
        assert "MB are free" in hansa(*action, "--as", "northbank", "--data", running.data).failed("disk.full")
    finally:
        assert running.stop() == 0


def test_no_node(hansa: Callable, tmp_path: Path) -> None:
    assert hansa("status", "--data", tmp_path).failed("node.unreachable", 3) == f"no node runs over {tmp_path}"
    assert hansa("status", "--url", "http://127.0.0.1:1").failed("node.unreachable", 3)
    assert hansa("status", "--url", "http://127.0.0.1:1", "--json").failed("node.unreachable", 3)


def test_a_node_that_does_not_answer(hansa: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections, as a process does that is suspended: to start another would not help."""
    monkeypatch.setattr("hansa.client.connection._READ_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        ran = hansa("status", "--url", url)
        assert ran.failed("node.silent", 3).startswith(url)
        assert "hansa up" not in ran.err
