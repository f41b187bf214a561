"""`hansa doctor`: what it sees of a node that runs, of one that does not, and of a damaged ledger."""

import os
import re
import shutil
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

MACHINE = [
    "python", "libraries", "processor", "memory", "open files", "filesystem", "disk sync", "disk space", "clock sync",
]  # fmt: skip
LEDGER = ["format", "key access", "journal", "clock", "checkpoint key", "node key", "keys", "sample audit"]
NODE = ["port", "node", "next block", "clock steady"]


def checks(ran: Any) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in ran.json["checks"]}


def failed(ran: Any) -> set[str]:
    """What fails of the folder and the node; how the disk and the clock of the machine are is not for a test to say."""
    return {name for name, check in checks(ran).items() if check["verdict"] == "fail"} - set(MACHINE)


def test_a_node_that_runs(hansa: Callable, server: Any) -> None:
    ran = hansa("doctor", "--data", server.data, "--json")
    found = checks(ran)
    assert list(found) == [*MACHINE, *LEDGER, *NODE]
    assert {found[name]["verdict"] for name in [*LEDGER, "port", "node"]} == {"ok"}
    assert found["format"]["seen"] == "readable by this version, a node runs over it"
    assert found["journal"]["seen"] == "5 entries in 1 segment(s), every checksum right"
    assert found["sample audit"]["seen"].startswith("5 of 5 entries: signature, place in the tree, outcome, write set")
    assert found["node"]["seen"] == f"running at {server.url}, 5 entries"
    assert ran.json["healthy"] == (ran.code == 0)


def test_in_words(hansa: Callable, server: Any) -> None:
    ran = hansa("doctor", "--data", server.data)
    assert ran.err == ""
    told = [line for line in ran.out.splitlines() if re.match(r"(ok|warn|fail|unknown) ", line)]
    assert [re.split(r"  +", line[9:])[0].strip() for line in told] == [*MACHINE, *LEDGER, *NODE]
    assert ran.out.splitlines()[-1].startswith(f"{len(told)} checks: ")
    wanting = [line for line in told if not line.startswith("ok ")]
    assert ran.out.count(" why: ") == ran.out.count(" fix: ") == len(wanting)


def test_a_node_beside_a_folder_that_is_not_its_own(hansa: Callable, server: Any, tmp_path: Path) -> None:
    ran = hansa("doctor", "--data", tmp_path, "--url", server.url, "--json")
    assert (checks(ran)["ledger"]["verdict"], checks(ran)["node"]["verdict"]) == ("fail", "ok")


@pytest.fixture(scope="module")
def stopped(hansa: Callable, server: Any) -> Path:
    assert server.stop() == 0
    return server.data


def test_a_node_that_does_not_run(hansa: Callable, stopped: Path) -> None:
    ran = hansa("doctor", "--data", stopped, "--json")
    assert failed(ran) == set()
    assert checks(ran)["node"]["verdict"] == "unknown"
    assert checks(ran)["node"]["fix"] == f"Start it: `hansa up --data {stopped}`"
    assert checks(ran)["sample audit"]["seen"] == "all 5 entries, 5 executed again, and the state"


def test_a_damaged_ledger_is_named_with_what_to_do(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    shutil.copytree(stopped, tmp_path / "data")
    segment = tmp_path / "data" / "journal" / "00000000.segment"
    data = bytearray(segment.read_bytes())
    data[5_000] ^= 1
    segment.write_bytes(data)
    ran = hansa("doctor", "--data", tmp_path / "data")
    assert ran.code == 3
    lines = ran.out.splitlines()
    (at,) = [i for i, line in enumerate(lines) if line.startswith("fail ") and "journal" in line]
    assert "00000000.segment, byte 4096" in lines[at]
    assert lines[at + 1].strip().startswith("why: The journal is the truth")
    assert lines[at + 2].strip() == f"fix: `hansa audit {tmp_path}/data` says more; then restore a backup"


def test_where_there_is_no_ledger(hansa: Callable, tmp_path: Path) -> None:
    ran = hansa("doctor", "--data", tmp_path / "none", "--json")
    assert ran.code == 3, "a folder whose name is misspelt is not well"
    assert list(checks(ran)) == [*MACHINE, "ledger", *(name for name in NODE if name != "next block")]
    assert checks(ran)["ledger"]["verdict"] == "fail"
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_has_no_ledger_yet(hansa: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HANSA_DATA", raising=False)
    ran = hansa("doctor", "--json")
    assert checks(ran)["ledger"]["verdict"] == "unknown"
    assert failed(ran) == set()
    monkeypatch.setenv("HANSA_DATA", "hansa-data")
    assert hansa("doctor", "--json").code == 3


def test_a_node_that_does_not_answer(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    """A process of that number lives, but nobody listens."""
    shutil.copytree(stopped, tmp_path / "data")
    (tmp_path / "data" / "node.json").write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    ran = hansa("doctor", "--data", tmp_path / "data", "--json")
    assert ran.code == 3
    assert checks(ran)["node"]["verdict"] == "fail"
    assert checks(ran)["node file"]["verdict"] == "warn"


@pytest.mark.timeout(60)
def test_a_pipe_where_a_node_says_that_it_runs(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    shutil.copytree(stopped, tmp_path / "data")
    os.mkfifo(tmp_path / "data" / "node.json")
    ran = hansa("doctor", "--data", tmp_path / "data", "--json")
    assert checks(ran)["node file"]["seen"] == f"{tmp_path}/data/node.json is not a file"
    assert checks(ran)["sample audit"]["verdict"] == "ok"


def test_a_folder_and_the_node_of_another_ledger(hansa: Callable, start: type, stopped: Path, tmp_path: Path) -> None:
    other = start(tmp_path / "other")
    try:
        ran = hansa("doctor", "--data", stopped, "--url", other.url, "--json")
    finally:
        assert other.stop() == 0
    found = checks(ran)
    assert failed(ran) == {"same ledger"}
    assert other.ledger in found["same ledger"]["seen"]
    assert {found[name]["verdict"] for name in LEDGER} == {"ok"}


def test_something_else_that_answers(hansa: Callable, stopped: Path) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"status": "fine"}')

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as other:
        thread = Thread(target=other.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{other.server_port}"
            ran = hansa("doctor", "--data", stopped, "--url", url, "--json")
        finally:
            other.shutdown()
            thread.join()
    assert checks(ran)["node"]["seen"] == f"{url} does not answer as a node does"
