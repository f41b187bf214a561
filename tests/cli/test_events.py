"""`hansa events`: shows events, stays for more, forwards them."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC +(\d+-\d+)  ([a-z_.]+)(?:  .*)?")


def lines(ran: Any) -> list[dict[str, Any]]:
    assert (ran.code, ran.err) == (0, "")
    return [json.loads(line) for line in ran.out.splitlines()]


def test_what_there_is(hansa: Callable, server: Any) -> None:
    ran = hansa("events", "--data", server.data)
    assert (ran.code, ran.err) == (0, "")
    found = [LINE.fullmatch(line) for line in ran.out.splitlines()]
    assert all(found)
    assert next(one[1] for one in found if one) == "1-0"
    assert "balance=USD 1000.00" in ran.out
    every = lines(hansa("events", "--data", server.data, "--json"))
    assert [one["id"] for one in every] == [one[1] for one in found if one]
    assert set(every[0]) == {
        "id", "seq", "index", "contract", "version", "name", "time", "transaction", "data",
    }  # fmt: skip
    assert lines(hansa("events", "--url", server.url, "--from-start", "--json")) == every


def test_filters_and_places(hansa: Callable, server: Any) -> None:
    every = lines(hansa("events", "--data", server.data, "--json"))
    assert {one["contract"] for one in every} == {"members", "example_ledger"}

    def found(*words: str) -> list[dict[str, Any]]:
        return lines(hansa("events", "--data", server.data, "--json", *words))

    assert found("--contract", "members") == [one for one in every if one["contract"] == "members"]
    name = every[-1]["name"]
    assert found("--name", name) == [one for one in every if one["name"] == name]
    assert found("--after", "1-0") == found("--after", "1") == [one for one in every if one["seq"] > 1]
    assert found("--after", "4") == []


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("--after", "x"), "events.id", 2),
        (("--after", "99"), "events.beyond", 1),
        (("--contract", "nowhere"), "contract.missing", 2),
        (("--after", "1", "--from-start"), "argument.value", 2),
        (("--position", "p.json"), "argument.value", 2),
        (("--forward", "file:///tmp/x"), "forward.url", 2),
    ],
)
def test_what_is_refused(hansa: Callable, server: Any, words: tuple[str, ...], code: str, exit_code: int) -> None:
    hansa("events", "--data", server.data, *words).failed(code, exit_code)
    hansa("events", "--data", server.data, "--json", *words).failed(code, exit_code)


def test_no_node(hansa: Callable, tmp_path: Path) -> None:
    hansa("events", "--data", tmp_path).failed("folder.none")
    hansa("events", "--url", "http://127.0.0.1:1", "--follow").failed("node.unreachable")


def test_it_stays_for_those_to_come(hansa: Callable, server: Any) -> None:
    command = [sys.executable, "-m", "hansa.cli.main", "events", "--data", str(server.data), "--json"]
    with subprocess.Popen([*command, "--follow", "--after", "1"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        before = lines(hansa(*command[3:], "--after", "1"))
        assert [json.loads(process.stdout.readline()) for _ in before] == before
        call = ("call", "example_ledger", "open", "owner=eastmutual", "balance=USD 1.00", "--as", "tradewatch")
        assert hansa(*call, "--data", server.data).code == 0
        assert json.loads(process.stdout.readline())["seq"] > before[-1]["seq"]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


class Receiver:
    """A webhook on loopback that answers as a script says: a status, or None to hang up without an answer."""

    def __init__(self) -> None:
        self.script: list[int | None] = []
        self.taken: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                verdict = outer.script.pop(0) if outer.script else 204
                if verdict in (None, 204):
                    outer.taken.append(json.loads(body))
                if verdict is not None:
                    self.send_response(verdict)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?token=secret"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def ids(self) -> list[str]:
        return [one["id"].partition("/")[2] for one in self.taken]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def test_forwarding_to_a_flaky_receiver(hansa: Callable, server: Any, receiver: Receiver, tmp_path: Path) -> None:
    every = lines(hansa("events", "--data", server.data, "--json"))
    receiver.script = [503, None, 204, 500]
    position = tmp_path / "position.json"
    words = ("events", "--data", server.data, "--forward", receiver.url, "--position", position)
    ran = hansa(*words)
    assert ran.code == 0
    assert "HTTP 503; again in 0.25 s" in ran.err
    assert "secret" not in ran.err + ran.out
    once = list(dict.fromkeys(receiver.ids))
    assert once == [one["id"] for one in every]
    assert len(receiver.ids) == len(once) + 1  # the one that was taken without an answer came twice
    assert [one["data"] for one in receiver.taken[1:]] == every
    # A restart goes on behind what was acknowledged: there is nothing more.
    receiver.taken.clear()
    assert hansa(*words).out == ""
    assert receiver.taken == []
    kept = json.loads(position.read_text())
    assert (kept["ledger"], kept["contract"], kept["name"]) == (server.ledger, None, None)


def test_a_restart_goes_on_at_what_was_not_acknowledged(
    hansa: Callable, server: Any, receiver: Receiver, tmp_path: Path
) -> None:
    every = [one["id"] for one in lines(hansa("events", "--data", server.data, "--json"))]
    position = tmp_path / "position.json"
    words = ("events", "--data", server.data, "--forward", receiver.url, "--position", position, "--json")
    for _ in every[1:]:
        receiver.script = [204, 400]
        ran = hansa(*words)
        assert ran.code == 1
        assert json.loads(ran.out.splitlines()[-1])["error"]["code"] == "forward.refused"
    assert hansa(*words).code == 0
    assert receiver.ids == every


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "{}", '{"ledger": "00", "contract": "members", "name": null, "after": "1"}']
)
def test_a_position_of_something_else_is_refused(hansa: Callable, server: Any, tmp_path: Path, text: str) -> None:
    position = tmp_path / "position.json"
    position.write_text(text)
    words = ("events", "--data", server.data, "--forward", "http://127.0.0.1:1/", "--position", position)
    hansa(*words).failed("forward.position")
    assert position.read_text() == text


def test_a_position_of_another_ledger_is_refused(hansa: Callable, server: Any, tmp_path: Path) -> None:
    position = tmp_path / "position.json"
    position.write_text(json.dumps({"ledger": "00" * 32, "contract": None, "name": None, "after": "1"}))
    words = ("events", "--data", server.data, "--forward", "http://127.0.0.1:1/", "--position", position)
    hansa(*words).failed("events.ledger")


def test_a_position_that_cannot_be_kept_is_told_first(hansa: Callable, server: Any, tmp_path: Path) -> None:
    words = ("events", "--data", server.data, "--forward", "http://127.0.0.1:1/", "--position", tmp_path / "no" / "p")
    hansa(*words).failed("argument.file", 2)
