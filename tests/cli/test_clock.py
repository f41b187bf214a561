"""`hansa up --clock` and `hansa clock`: time is told where a ledger was made for it, and shown as such."""

import json
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


def post(url: str, body: bytes, kind: str = "application/json", host: str | None = None) -> tuple[int, Any]:
    """What `POST /node/clock` answers."""
    headers = {"content-type": kind, **({"host": host} if host else {})}
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


def test_the_route_answers_as_described(told: Any) -> None:
    (operation,) = (one for one in OPERATIONS if one.path == "/node/clock")
    status, answer = post(told.url, b'{"time": 1800000000000}')
    assert status == 200
    jsonschema_rs.validator_for(operation.answers["application/json"]).validate(answer)
    assert answer["now"] == 1_800_000_000_000
    status, problem = post(told.url, b'{"time": 1800000000000}'.replace(b"18", b"17"))
    assert (status, problem["code"]) == (409, "clock.backward")


def test_a_real_ledger_is_told_nothing(server: Any, hansa: Callable, start: Callable, tmp_path: Path) -> None:
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
