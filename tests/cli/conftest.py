"""What tests of the commands share: a way to run one, and a real server over a ledger with the example contract."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hansa.cli.main import main

EXAMPLE = Path(__file__).parents[2] / "apps" / "example_ledger" / "contract.py"
STOP_S = 5
ESCAPE = "\x1b"


@dataclass(frozen=True)
class Ran:
    """A command that has run: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    def failed(self, code: str, exit_code: int = 1) -> str:
        """Checks that the command failed with this problem, told in two lines or as one document; its detail."""
        assert self.code == exit_code, self
        if self.out:
            found = self.json["error"]
            assert (found["code"], self.err) == (code, "")
            assert found["title"]
            assert found["remedy"]
            return found["detail"]
        told = re.fullmatch(r"error: (.+) \[([a-z_.]+)\]\nhint: (.+)\n", self.err)
        assert told is not None, self.err
        assert told[2] == code
        return told[1]


def run(*words: object) -> Ran:
    """Runs `hansa` with these words in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    ran = Ran(ended.value.code, out.getvalue(), err.getvalue())  # type: ignore[arg-type]
    assert isinstance(ran.code, int)
    assert "Traceback" not in ran.out + ran.err
    assert "node.defect" not in ran.out + ran.err, ran.err
    assert ESCAPE not in ran.out + ran.err, "no colours where nobody looks"
    return ran


def run_process(*words: object, **environment: str) -> Ran:
    """Runs `hansa` with these words in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "hansa.cli.main", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


class Server:
    """`hansa up` in a process of its own, over a folder."""

    def __init__(self, data: Path, *options: str, program: Sequence[str] = ("-m", "hansa.cli.main")) -> None:
        command = [sys.executable, *program, "up", "--data", str(data), "--port", "0", "--json"]
        self.process = subprocess.Popen(
            [*command, *(options or ("--reserve-mb", "0"))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.before = []  # what comes ahead of the document, which should be nothing
        while not (line := self.process.stdout.readline()).startswith("{"):
            assert line, self.process.stderr and self.process.stderr.read()
            self.before.append(line)
        self.started: dict[str, Any] = json.loads(line)
        self.data = data
        self.url: str = self.started["url"]
        self.ledger: str = self.started["ledger"]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and waits; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_S)
        finally:
            self.process.kill()
            self.process.communicate()


@pytest.fixture(scope="session", autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Temporary files of these tests, and of the servers they start, lie in a folder of their own."""
    temporary = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        patch.setattr(tempfile, "tempdir", str(temporary))
        patch.delenv("NO_COLOR", raising=False)
        yield


@pytest.fixture(scope="session")
def hansa() -> Callable[..., Ran]:
    """`hansa("status", "--data", folder)`: a command run in this process."""
    return run


@pytest.fixture(scope="session")
def hansa_process() -> Callable[..., Ran]:
    """A command run in a process of its own."""
    return run_process


@pytest.fixture(scope="session")
def start() -> type[Server]:
    """`start(folder)`: a server; whoever starts it stops it."""
    return Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running ledger: the example contract (entry 1), accounts of northbank and harbourline (2, 3), a ship (4)."""
    running = Server(tmp_path_factory.mktemp("server") / "data")
    try:
        data = ("--data", running.data)
        registrar = ("--as", "tradewatch", *data)
        for words in (
            ("contract", "deploy", EXAMPLE, "--as", "northbank", *data),
            ("call", "example_ledger", "open", "owner=northbank", "balance=USD 1000.00", *registrar),
            ("call", "example_ledger", "open", "owner=harbourline", "balance=USD 5.00", *registrar),
            ("call", "example_ledger", "register", "thing=ship", "owner=northbank", *registrar),
        ):
            ran = run(*words)
            assert (ran.code, ran.err) == (0, ""), ran
        yield running
    finally:
        assert running.stop() == 0
