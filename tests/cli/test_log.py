"""The log: its two forms, and that no secret of a caller is ever in it, nor in the metrics."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from hansa.cli import log
from hansa.client import keys, transactions
from hansa.contracts.calls import Execution
from hansa.node import isolated, isolation
from hansa.wire.problems import HansaError

SECRET = "Zx9marker"
"""Stands wherever a caller may say something."""


class Stderr:
    """What has been written to standard error."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Stderr]:
    yield Stderr(capsys)
    structlog.reset_defaults()
    logging.basicConfig(handlers=[], force=True)


def fail(secret: str) -> None:
    raise KeyError(secret)


def lines(text: Stderr) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.getvalue().splitlines()]


def test_json_is_the_form_where_nobody_looks(stderr: Stderr) -> None:
    log.to_stderr()
    structlog.get_logger().warning("receipt.none", seq=2**60, code="disk.full")
    (found,) = lines(stderr)
    assert list(found) == ["time", "level", "event", "seq", "code"]
    assert found["time"].endswith("Z")
    assert (found["level"], found["event"], found["seq"]) == ("warning", "receipt.none", str(2**60))


def test_plain_where_it_is_asked_for(stderr: Stderr) -> None:
    log.to_stderr("plain")
    structlog.get_logger().warning("receipt.none", seq=5)
    assert "receipt.none" in stderr.getvalue()
    assert not stderr.getvalue().startswith("{")


@pytest.mark.parametrize("form", log.FORMS)
def test_a_failure_is_told_by_its_type_and_way_alone(stderr: Stderr, form: str) -> None:
    log.to_stderr(form)
    logger = structlog.get_logger()
    try:
        fail(SECRET)
    except KeyError as error:
        logger.error("contract.internal", exc_info=error)  # noqa: TRY400 - as `node` does
        logger.exception("listener.failed")
        logger.error("node.faulted", exc_info=sys.exc_info())
    assert SECRET not in stderr.getvalue()
    assert stderr.getvalue().count("KeyError") == 3
    assert stderr.getvalue().count("tests/cli/test_log.py:") == 6
    assert stderr.getvalue().count(" fail") >= 3
    if form == "json":
        assert all(found["failure"] == "KeyError" and len(found["way"]) == 2 for found in lines(stderr))


def test_expected_failures_say_what_they_are(stderr: Stderr) -> None:
    log.to_stderr()
    structlog.get_logger().error("node.faulted", exc_info=HansaError("journal.corrupt", "entry 5"))
    structlog.get_logger().error("node.faulted", exc_info=OSError(5, "Input/output error", SECRET))
    assert [found["failure"] for found in lines(stderr)] == [
        "journal.corrupt: entry 5",
        "OSError: Input/output error",
    ]


def test_a_defect_of_the_worker_that_runs_contracts_is_told_as_it_tells_it(stderr: Stderr) -> None:
    log.to_stderr()
    try:
        fail(SECRET)
    except KeyError as error:
        done = isolated._done(Execution("contract.internal", None, [], [], 0, "1.0.0", error))
    assert SECRET not in done.defect
    structlog.get_logger().error("contract.internal", exc_info=isolation._execution(done).error)
    (found,) = lines(stderr)
    assert found["failure"].startswith("KeyError at tests/cli/test_log.py:")
    assert found["failure"].endswith(" fail")


def test_libraries_log_the_same_way_without_what_they_were_given(stderr: Stderr) -> None:
    log.to_stderr()
    log.take_libraries()
    try:
        fail(SECRET)
    except KeyError:
        logging.getLogger("uvicorn.error").exception("Exception in %s\n", SECRET)
    logging.getLogger("asyncio").error("Exception in callback f(%r)", SECRET)
    logging.getLogger("asyncio").error(f"Exception in callback f({SECRET!r})")
    logging.getLogger("uvicorn.error").warning("too many")
    logging.getLogger("uvicorn.error").warning("%s task(s) and %s", 2, SECRET)
    logging.getLogger("uvicorn.error").warning("%s task(s)", 2)
    logging.getLogger("uvicorn.error").info("nothing")
    assert SECRET not in stderr.getvalue()
    assert [(found["event"], found["library"], found["detail"]) for found in lines(stderr)] == [
        ("library.error", "uvicorn.error", "Exception in %s"),
        ("library.error", "asyncio", ""),
        ("library.error", "asyncio", ""),
        ("library.warning", "uvicorn.error", "too many"),
        ("library.warning", "uvicorn.error", "%s task(s) and %s"),
        ("library.warning", "uvicorn.error", "2 task(s)"),
    ]


TRAP = """from hansa.contract import Contract, Record, Text, action, event, require, view


class Trap(Contract, version="1.0.0"):
    class Thing(Record, key="name"):
        name: Text[1, 100]

    @action(by="member", creates="Thing")
    def make(tx, thing: Thing, name: Text[1, 100], count: int):
        require(name != "", "no {name}", name=name)
        event("made", name=name, share=10 // count)

    @view
    def of(tx, name: Text[1, 100], count: int) -> Text[1, 100]:
        require(count > 0, "none of {name}", name=name)
        return name
"""


def test_no_secret_is_in_the_log_or_the_metrics_of_a_node(tmp_path: Path) -> None:
    """Whatever is sent: actions applied and refused, faults, users, views, bad bodies, paths, headers, forgeries."""
    data, file = tmp_path / "data", tmp_path / "log"
    command = [sys.executable, "-m", "hansa.cli.main", "up", "--data", str(data), "--port", "0", "--json"]
    with file.open("w") as stderr:
        process = subprocess.Popen([*command, "--reserve-mb", "0"], stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        assert process.stdout is not None
        started = json.loads(process.stdout.readline())
        key, ledger = keys.load(data / "keys" / "members" / "northbank.pem"), bytes.fromhex(started["ledger"])

        def prepared(contract: str, action: str, arguments: dict[str, Any], **options: Any) -> bytes:
            return transactions.prepare(key, ledger, contract, action, arguments, **options).envelope

        deployed = {"name": "trap", "source": TRAP}
        steps = transactions.deploy_steps(TRAP)
        envelopes = [
            prepared("members", "deploy", deployed, steps_max=steps),
            prepared("trap", "make", {"name": SECRET, "count": 2}),
            prepared("trap", "make", {"name": SECRET, "count": 2}),
            prepared("trap", "make", {"name": f"{SECRET}2", "count": 0}),
            prepared("trap", "make", {"name": SECRET * 50, "count": 1}),
            prepared("trap", SECRET, {SECRET: SECRET}),
            prepared(SECRET.lower(), "make", {}),
            prepared("trap", "make", {"name": SECRET, "count": 1}, steps_max=10**9),
            prepared("members", "add_user", {"id": f"northbank/{SECRET}", "name": SECRET}),
        ]
        forged = envelopes[1][:-1] + bytes([envelopes[1][-1] ^ 1])
        with httpx2.Client(base_url=started["url"], timeout=10) as client:
            answers = []
            for body in (*envelopes, forged, SECRET.encode(), envelopes[1] + SECRET.encode()):
                kind = {"content-type": "application/cose", "user-agent": SECRET}
                answers.append(client.post("/app/transactions", content=body, headers=kind))
            for count in (1, 0, "x"):
                answers.append(client.post("/app/contracts/trap/views/of", json={"name": SECRET, "count": count}))
            for path in ("", "/app/entries/", "/app/contracts/", "/app/events?name=", "/app/events?after="):
                with client.stream("GET", f"{path}/{SECRET}" if not path else path + SECRET) as answer:
                    answers.append(answer)
            answers.append(client.post("/app/contracts/trap/trial", json={"source": SECRET}))
            seen = sum(SECRET in one.text for one in answers if one.is_stream_consumed)
            assert seen >= 3  # the marker does come through the node
            metrics = client.get("/node/metrics").text
        assert SECRET.lower() not in metrics.lower()
    finally:
        process.terminate()
        assert process.wait(10) == 0
        assert process.stdout is not None
        process.stdout.close()
    told = file.read_text()
    assert SECRET.lower() not in told.lower()
    assert key.kid.hex() not in told
    assert [json.loads(line)["event"] for line in told.splitlines()] == ["node.started", "node.stopped"]
