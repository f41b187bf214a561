"""`hansa up --clock` and `hansa clock`: time is told where a ledger was made for it, and shown as such."""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import jsonschema_rs
import pytest

from hansa.api.operations import OPERATIONS
from hansa.wire.genesis import TOLD_IN_WORDS

BEGIN = 1_767_603_600_000  # 2026-01-05T09:00:00Z
HOUR = 3_600_000
EXAMPLE = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"


@pytest.fixture(scope="module")
def told(start: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A running ledger whose time began on 5 January 2026."""
    folder = tmp_path_factory.mktemp("told") / "data"
    running = start(folder, "--clock", "2026-01-05T09:00:00Z", "--reserve-mb", "0")
    try:
        yield running
    finally:
        assert running.stop() == 0


BELL = '''"""Repeats itself."""

from hansa.contract import Contract, Duration, Record, Text, action, schedule


class Bells(Contract, version="1.0.0"):
    class Bell(Record, key="name"):
        """A bell."""

        name: Text[1, 40]

    @action(by="member", creates="Bell")
    def hang(tx, bell: Bell, name: Text[1, 40]):
        """It rings from now on."""
        schedule(bell, "ring", tx.time + Duration(hours=1))

    @action(by="schedule")
    def ring(tx, bell: Bell):
        """Rings, and will."""
        schedule(bell, "ring", tx.time + Duration(hours=1))
'''
FAR = b'{"time": 253402300799999}'


def post(url: str, body: bytes, kind: str = "application/json", **more: str) -> tuple[int, Any]:
    """What `POST /node/clock` answers."""
    headers = {"content-type": kind, **more}
    asked = urllib.request.Request(f"{url}/node/clock", body, headers, method="POST")
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def test_it_is_told_and_shown_everywhere(told: Any, hansa: Callable, tmp_path: Path) -> None:
    assert told.started["clock"] == "told"
    here = ("--data", told.data)
    assert hansa("clock", "set", "2026-02-01", *here, "--json").json == {
        "clock": "told",
        "now": 1_769_904_000_000,
        "entries": 1,
    }
    shown = hansa("clock", "advance", "1h30m", *here)
    assert shown.out == f"2026-02-01 01:30:00 UTC, 1 entries; {TOLD_IN_WORDS}\n"
    assert hansa("clock", "show", *here).out == shown.out
    assert f"clock       2026-02-01 01:30:00 UTC; {TOLD_IN_WORDS}\n" in hansa("status", *here).out
    assert hansa("contract", "deploy", EXAMPLE, "--as", "northbank", *here).code == 0
    called = hansa("call", "example_ledger", "tell", "to=northbank", "message=hello", "--as", "eastmutual", *here)
    assert called.code == 0, called
    assert hansa("receipt", "get", "2", "--out", tmp_path / "r", *here).code == 0
    genesis = told.data / "genesis.cbor"
    verified = hansa("receipt", "verify", tmp_path / "r", "--genesis", genesis, "--ledger", told.ledger)
    assert f"\nclock    {TOLD_IN_WORDS}\n" in verified.out
    assert "time     2026-02-01 01:30:00 UTC\n" in verified.out
    as_json = hansa("receipt", "verify", tmp_path / "r", "--genesis", genesis, "--ledger", told.ledger, "--json")
    assert as_json.json["clock"] == "told"


def test_it_goes_forward_only(told: Any, hansa: Callable) -> None:
    assert hansa("clock", "set", "2026-01-06", "--data", told.data).failed("clock.backward")
    assert hansa("clock", "set", "yesterday", "--data", told.data).failed("argument.value", 2)


def test_the_route_takes_json_with_one_time_alone(told: Any) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        status, problem = post(told.url, b'{"time": 1999999999999}', kind)
        assert (status, problem["code"]) == (415, "request.content_type"), kind
    for body in (
        b"",
        b"{}",
        b'{"time": "1"}',
        b'{"time": 1.5}',
        b'{"time": -1}',
        b'{"time": 1, "more": 2}',
        b"[]",
        b'{"time": 253402300800000}',
    ):
        status, problem = post(told.url, body)
        assert (status, problem["code"]) == (400, "request.json"), body
    status, problem = post(told.url, b'{"time": 1999999999999}', host="elsewhere.example")
    assert (status, problem["code"]) == (400, "request.host")


def test_a_page_of_another_site_is_refused(told: Any) -> None:
    for origin in ("https://elsewhere.example", "null", "http://127.0.0.1:1", ""):
        status, problem = post(told.url, b'{"time": 1999999999999}', origin=origin)
        assert (status, problem["code"]) == (403, "request.origin"), origin
    assert post(told.url, b'{"time": 0}', origin=told.url)[1]["code"] == "clock.backward"


@pytest.fixture
def ringing(start: Callable[..., Any], hansa: Callable, tmp_path: Path) -> Iterator[Any]:
    """A ledger with told time on which something is due every hour, for ever."""
    running = start(tmp_path / "data", "--clock", "2026-01-05T09:00:00Z", "--reserve-mb", "0", "--log", "json")
    try:
        (tmp_path / "bells.py").write_text(BELL)
        here = ("--as", "northbank", "--data", running.data)
        for words in (("contract", "deploy", tmp_path / "bells.py"), ("call", "bells", "hang", "name=it")):
            ran = hansa(*words, *here)
            assert ran.code == 0, ran
        yield running
    finally:
        running.stop()


def leave(running: Any) -> None:
    """Has the clock put to the year 9999, and goes away."""
    with socket.create_connection(("127.0.0.1", int(running.url.rsplit(":", 1)[1]))) as line:
        head = f"POST /node/clock HTTP/1.1\r\nhost: {running.url.removeprefix('http://')}\r\n"
        head += f"content-type: application/json\r\ncontent-length: {len(FAR)}\r\n\r\n"
        line.sendall(head.encode() + FAR)


def status_of(running: Any) -> dict[str, Any]:
    with urllib.request.urlopen(f"{running.url}/node/status") as answer:
        return json.load(answer)


def test_nothing_goes_on_when_the_asker_has_gone(ringing: Any) -> None:
    for _ in range(3):
        leave(ringing)
    for _ in range(40):
        before = status_of(ringing)["entries"]
        time.sleep(0.3)
        if status_of(ringing)["entries"] == before:
            break
    else:
        pytest.fail("the ledger grows and grows")
    assert before < 2_000  # three askers, and each had a part at most


def test_one_request_goes_so_far_and_says_where_it_is(ringing: Any) -> None:
    first = status_of(ringing)["entries"]
    status, reached = post(ringing.url, FAR)
    assert status == 200
    assert BEGIN < reached["now"] < 253_402_300_799_999
    assert reached["entries"] > first
    assert status_of(ringing)["now"] == reached["now"]
    assert post(ringing.url, FAR)[1]["now"] > reached["now"]


def test_an_orderly_stop_ends_an_advance_without_an_error_in_the_log(ringing: Any) -> None:
    answers: list[tuple[int, Any]] = []

    def ask() -> None:
        while not answers or answers[-1][0] == 200:
            answers.append(post(ringing.url, FAR))

    asking = threading.Thread(target=ask)
    asking.start()
    while not answers:  # it runs
        time.sleep(0.01)
    ringing.process.terminate()
    _, log = ringing.process.communicate(timeout=60)
    asking.join(10)
    assert ringing.process.returncode == 0
    assert [line for line in map(json.loads, log.splitlines()) if line["level"] != "info"] == []


def test_the_route_answers_as_described(told: Any) -> None:
    (operation,) = (one for one in OPERATIONS if one.path == "/node/clock")
    status, answer = post(told.url, b'{"time": 1800000000000}')
    assert status == 200
    jsonschema_rs.validator_for(operation.answers["application/json"]).validate(answer)
    assert answer["now"] == 1_800_000_000_000
    status, problem = post(told.url, b'{"time": 1800000000000}'.replace(b"18", b"17"))
    assert (status, problem["code"]) == (409, "clock.backward")


def test_a_real_ledger_is_told_nothing(server: Any, hansa: Callable) -> None:
    here = ("--data", server.data)
    assert hansa("clock", "set", "2100-01-01", *here).failed("clock.real")
    assert hansa("clock", "advance", "3d", *here).failed("clock.real")
    shown = hansa("clock", "show", *here, "--json").json
    assert shown["clock"] == server.started["clock"] == "real"
    assert TOLD_IN_WORDS not in hansa("clock", "show", *here).out + hansa("status", *here).out
    status, problem = post(server.url, b'{"time": 4102444800000}')
    assert (status, problem["code"]) == (409, "clock.real")


def test_an_ordinary_ledger_gets_no_told_clock(hansa: Callable, start: Callable, tmp_path: Path) -> None:
    ordinary = start(tmp_path / "data")
    assert ordinary.stop() == 0
    ran = hansa("up", "--data", tmp_path / "data", "--port", "0", "--reserve-mb", "0", "--clock", "2026-01-05")
    assert "real time" in ran.failed("clock.real")
    assert hansa("audit", tmp_path / "data").code == 0


def test_a_told_ledger_goes_on_where_it_stood(start: Callable, hansa: Callable, tmp_path: Path) -> None:
    first = start(tmp_path / "data", "--clock", "2026-01-05T09:00:00Z", "--reserve-mb", "0")
    assert hansa("clock", "advance", "40d", "--data", tmp_path / "data").code == 0
    assert first.stop() == 0
    for options in ((), ("--clock", "2026-01-05T09:00:00Z", "--reserve-mb", "0")):
        again = start(tmp_path / "data", *options)
        assert again.started["now"] == BEGIN + 40 * 86_400_000
        assert again.stop() == 0
    audited = hansa("audit", tmp_path / "data")
    assert audited.code == 0
    assert f"note         {TOLD_IN_WORDS}\n" in audited.out


def test_a_time_that_has_begun_is_not_told_again_by_up(
    start: Callable[..., Any], hansa: Callable, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    assert start(folder, "--clock", "2026-01-05T09:00:00Z", "--reserve-mb", "0").stop() == 0
    detail = hansa("up", "--data", folder, "--port", "0", "--clock", "2026-03-01").failed("argument.value", 2)
    assert detail == "--clock 2026-03-01 is for a new ledger; the time of this one began at 2026-01-05 09:00:00 UTC"
    again = start(folder, "--clock", "2026-01-05T09:00:00Z", "--reserve-mb", "0")
    assert (again.started["new"], again.started["now"]) == (False, BEGIN)
    assert again.stop() == 0


def test_a_backup_of_a_told_ledger_is_restored_as_one(ringing: Any, start: Callable, hansa: Callable) -> None:
    """It goes on at the time of its last block, and what comes due is taken."""
    assert hansa("clock", "advance", "150m", "--data", ringing.data).code == 0
    file, copy = ringing.data.with_name("backup"), ringing.data.with_name("copy")
    assert hansa("backup", file, "--keys", "--data", ringing.data).code == 0
    entries = status_of(ringing)["entries"]
    assert ringing.stop() == 0
    assert hansa("restore", file, "--data", copy).code == 0
    again = start(copy)
    try:
        assert (again.started["clock"], again.started["ledger"]) == ("told", ringing.ledger)
        found = status_of(again)
        assert (found["entries"], found["now"]) == (entries, BEGIN + 2 * HOUR)  # it rang at one hour and at two
        assert hansa("clock", "advance", "1h", "--data", copy).code == 0
        assert status_of(again)["entries"] == entries + 2  # it rang, by a tick
    finally:
        assert again.stop() == 0
    audited = hansa("audit", copy)
    assert audited.code == 0
    assert f"note         {TOLD_IN_WORDS}\n" in audited.out
