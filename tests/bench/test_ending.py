"""However a bench is ended, it leaves no node running, and no folder of keys where it can still do something."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hansa.bench import ledger
from hansa.bench.processes import children

COMMAND = [sys.executable, "-m", "hansa.cli.main", "bench", "--seconds", "3600"]
WAIT_S = 120


def until(found: Callable[[], object]) -> None:
    """Waits until it is so."""
    end = time.monotonic() + WAIT_S
    while not found():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.05)


def nodes(pid: int) -> list[int]:
    """The children of a process that are nodes."""
    return [child for child in children(pid) if b"\0up\0" in Path(f"/proc/{child}/cmdline").read_bytes()]


def signers(pid: int) -> list[int]:
    """The children that are the bench itself, forked."""
    own = Path(f"/proc/{pid}/cmdline").read_bytes()
    return [child for child in children(pid) if Path(f"/proc/{child}/cmdline").read_bytes() == own]


def lives(pid: int) -> bool:
    """Whether a process runs: one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([*COMMAND, "--in", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("part", ["set-up", "load"])
@pytest.mark.skipif(sys.platform != "linux", reason="children are looked up in /proc")
def test_a_signal(bench: subprocess.Popen[bytes], tmp_path: Path, number: int, part: str) -> None:
    until(lambda: list(tmp_path.glob("hansa-bench-*/**/*.pem")))
    if part == "load":
        until(lambda: nodes(bench.pid))
    running = children(bench.pid)
    bench.send_signal(number)
    assert bench.wait(WAIT_S) == 128 + number
    assert list(tmp_path.iterdir()) == []
    until(lambda: not any(map(lives, running)))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", [nodes, signers])
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_child_ends_with_a_bench_that_is_killed(
    bench: subprocess.Popen[bytes], kind: Callable[[int], list[int]]
) -> None:
    """Signers would wait for ever to hand over what they signed."""
    until(lambda: kind(bench.pid))
    running = kind(bench.pid)
    bench.kill()
    bench.wait(WAIT_S)
    until(lambda: not any(map(lives, running)))


def test_a_ledger_whose_set_up_ends_early_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "create_ledger", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ledger.Ledger(70, tmp_path)
    assert os.listdir(tmp_path) == []
