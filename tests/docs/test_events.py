"""The page on following events: its commands, requests and program run as they stand there."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "follow-events.md").read_text("utf-8")
EXAMPLE = ROOT / "apps" / "example_ledger" / "contract.py"
HANSA = f"{sys.executable} -m hansa.cli.main"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)


def run(line: str, folder: Path, url: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a line of a shell block."""
    line = re.sub(r"^hansa", HANSA, line).replace("$URL", url)
    return subprocess.run(line, check=False, shell=True, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with a running ledger that has the example contract and two accounts, and its URL."""
    folder = tmp_path_factory.mktemp("reader")
    command = [sys.executable, "-m", "hansa.cli.main", "up", "--port", "0", "--json", "--reserve-mb", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            url = json.loads(node.stdout.readline())["url"]
            for line in (
                f"hansa contract deploy {EXAMPLE} --name example_ledger --as northbank",
                "hansa call example_ledger open owner=northbank 'balance=USD 1000.00' --as tradewatch",
                "hansa call example_ledger open owner=eastmutual 'balance=USD 5.00' --as tradewatch",
            ):
                assert (done := run(line, folder)).returncode == 0, done
            yield folder, url
        finally:
            node.terminate()
            assert node.wait(10) == 0


def test_the_commands(place: tuple[Path, str]) -> None:
    folder, _ = place
    told = [run(line, folder) for line in BLOCKS[0].splitlines()]
    assert [(done.returncode, done.stderr) for done in told] == [(0, "")] * 4
    every, contract, opened, after = (done.stdout.splitlines() for done in told)
    assert [line.split()[3] for line in every] == ["1-0", "2-0", "3-0"]
    assert contract == every[1:]
    assert after == every[2:]
    (shown,) = re.findall(r"```json\n(.*?)\n```", PAGE)
    first, said = json.loads(opened[0]), json.loads(shown)
    assert list(first) == list(said)
    for name in ("id", "seq", "index", "contract", "version", "name", "data"):
        assert first[name] == said[name], name
    assert len(opened) == 2


def test_the_requests(place: tuple[Path, str]) -> None:
    folder, url = place
    everything, behind = (run(line, folder, url).stdout for line in BLOCKS[1].splitlines())
    assert re.findall(r"^id: (\d+-\d+)$", everything, re.MULTILINE) == ["1-0", "2-0", "3-0"]
    assert re.findall(r"^id: (.+)$", behind, re.MULTILINE) == ["2-0", "3-0", "3"]
    assert 'event: heartbeat\nid: 3\ndata: {"after":"3","entries":4}\n\n' in everything
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert shown.replace("41", "3").replace("42", "4") + "\n" in everything


def test_the_program(place: tuple[Path, str]) -> None:
    folder, url = place
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    code = [sys.executable, "-c", f"URL = {url!r}\n{program}"]
    done = subprocess.run(code, check=False, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["2-0", "account.opened"],
        ["3-0", "account.opened"],
    ]


def test_the_webhook(place: tuple[Path, str]) -> None:
    folder, _ = place
    taken: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["content-type"].startswith("application/cloudevents+json")
            taken.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            line = BLOCKS[2].strip().replace("https://receiver.example", f"http://127.0.0.1:{server.server_port}")
            done = run(line.replace("--follow", "--from-start"), folder)  # which ends
            assert done.returncode == 0, done
            assert len(taken) == 3
            assert run(line.replace("--follow", "--from-start"), folder).stdout == ""
        finally:
            server.shutdown()
            thread.join()
    ledger = taken[0]["source"].removeprefix("hansa:")
    assert [one["id"] for one in taken] == [f"{ledger}/{id}" for id in ("1-0", "2-0", "3-0")]
    assert taken[-1]["type"] == "example_ledger.account.opened"
    assert len(taken) == 3
