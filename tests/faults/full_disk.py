"""A real full disk under a real server: a small tmpfs (needs root), filled by the ledger itself and by others.

Nothing acknowledged is lost, nothing is there twice, and the node goes on by itself when there is space again (D3).
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hansa.client import transactions

from .server import LOST, Client, Promises, Server

COUNTERS = ["a", "b"]
FILLER = bytes(60_000)
WAIT_S = 8.0


@dataclass
class Filled:
    """What came of the scenarios."""

    scenarios: int = 0
    acknowledged: int = 0
    notes: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.scenarios} scenarios, {self.acknowledged} transactions acknowledged, "
            f"{len(self.violations)} violations; {'; '.join(self.notes)}"
        )


@contextlib.contextmanager
def mounted(base: Path, size_mb: int) -> Iterator[Path]:
    place = base / f"small-{size_mb}"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def can_mount(base: Path) -> bool:
    try:
        with mounted(base, 1):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False
    finally:
        (base / "small-1").rmdir()


def free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def fill(path: Path, leave: int) -> None:
    """Somebody else's file that takes all but so many bytes."""
    path.write_bytes(bytes(max(0, free(path.parent) - leave)))


def until(condition: Callable[[], bool], wait_s: float = WAIT_S) -> bool:
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def run(base: Path) -> Filled:
    tally = Filled()
    for scenario in (reserve, while_running, small_ones, by_itself, start_on_full):
        with mounted(base, {reserve: 48}.get(scenario, 24)) as place:
            tally.scenarios += 1
            scenario(place, tally)
        (base / place.name).rmdir()
    return tally


@contextlib.contextmanager
def started(place: Path, tally: Filled, *options: str) -> Iterator[tuple[Server, Promises, Client]]:
    """A server on a new ledger, in the end stopped or killed, started again with space, and checked whole."""
    server = Server(place / "ledger", *options)
    try:
        assert server.ready(), "the server does not start"
        promises = Promises(place / "ledger")
        client = server.client()
        promises.deploy(client, COUNTERS)
        yield server, promises, client
    finally:
        server.kill()
    (place / "ballast").unlink(missing_ok=True)
    again = Server(place / "ledger", "--reserve-mb", "0")
    try:
        if not again.ready():
            tally.violations.append(f"{place}: the server does not start again with space")
            return
        client = again.client()
        promises.check(client, list(promises.acknowledged))
        promises.resend_unknown(client)
        promises.check_counters(client, COUNTERS)
        tally.acknowledged += len(promises.acknowledged)
        tally.violations += promises.problems
        client.close()
        again.stop()
    finally:
        again.kill()


def add(promises: Promises, client: Client) -> str:
    """One small transaction; the code of its refusal, empty if it was committed."""
    answer = promises.send(client, promises.add("a", 1))
    return "" if "seq" in answer else str(answer["code"])


def load(promises: Promises, client: Client, most: int) -> str:
    """Large transactions (each refused by the ledger, but kept) until one is not answered with an entry."""
    for number in range(most):
        arguments = {"filler": FILLER, "n": number}
        prepared = transactions.prepare(promises.key, promises.ledger, CONTRACT_NONE, "none", arguments)
        try:
            answer = promises.send(client, prepared)
        except LOST as error:
            return f"no answer ({type(error).__name__})"
        if "seq" not in answer:
            return str(answer["code"])
    return ""


CONTRACT_NONE = "nothing"


def reserve(place: Path, tally: Filled) -> None:
    """Others take the space below the reserve: intake stops, reads go on, and it resumes by itself."""
    with started(place, tally, "--reserve-mb", "20") as (_, promises, client):
        if add(promises, client):
            tally.violations.append("reserve: refused with space")
        fill(place / "ballast", 10_000_000)
        refused = until(lambda: add(promises, client) == "disk.full")
        if not refused:
            tally.violations.append("reserve: intake goes on below the reserve")
        promises.check(client, list(promises.acknowledged))
        ready = client.get_bytes("/node/ready")
        tally.notes.append(f"reserve: refused with disk.full, ready says {ready[0]}")
        (place / "ballast").unlink()
        if not until(lambda: add(promises, client) == ""):
            tally.violations.append("reserve: does not resume when there is space again")


def while_running(place: Path, tally: Filled) -> None:
    """Others take all the space at once, without reserve; the ledger goes on in the segment it has, then waits."""
    with started(place, tally, "--reserve-mb", "0") as (server, promises, client):
        fill(place / "ballast", 0)
        stopped_by = load(promises, client, 300)
        time.sleep(1.5)  # the flush of an idle node
        gone = server.process.poll()
        tally.notes.append(f"all space taken: load ended with {stopped_by!r}, the server {ended(gone)}")
        if gone is not None:
            tally.violations.append(f"all space taken: the server ended (exit code {gone}) instead of waiting")
            return
        reader = server.client()
        promises.check(reader, list(promises.acknowledged)[-20:])
        reader.close()
        (place / "ballast").unlink()
        if not until(lambda: resumed(server, promises)):
            tally.violations.append("all space taken: the server does not resume when there is space again")


def small_ones(place: Path, tally: Filled) -> None:
    """As before, but with small transactions and pauses: the journal has room for long, what is flushed has none."""
    with started(place, tally, "--reserve-mb", "0") as (server, promises, client):
        fill(place / "ballast", 0)
        refused = ""
        for _ in range(4):
            for _ in range(200):
                try:
                    refused = add(promises, client)
                except LOST as error:
                    refused = f"no answer ({type(error).__name__})"
                if refused:
                    break
            time.sleep(1.3)
            if refused or server.process.poll() is not None:
                break
        gone = server.process.poll()
        tally.notes.append(f"all space taken, small ones: {refused or 'no refusal'}, the server {ended(gone)}")
        if gone is not None:
            tally.violations.append(f"all space taken, small ones: the server ended (exit code {gone})")
            return
        (place / "ballast").unlink()
        if not until(lambda: resumed(server, promises)):
            tally.violations.append("all space taken, small ones: the server does not resume")


def by_itself(place: Path, tally: Filled) -> None:
    """The ledger itself fills the disk, a little space being kept by a file that can be removed."""
    ballast = place / "ballast"
    ballast.write_bytes(bytes(12_000_000))
    with started(place, tally, "--reserve-mb", "0") as (server, promises, client):
        stopped_by = load(promises, client, 600)
        time.sleep(1.5)
        gone = server.process.poll()
        tally.notes.append(f"filled by the ledger: load ended with {stopped_by!r}, the server {ended(gone)}")
        if gone is not None:
            tally.violations.append(f"filled by the ledger: the server ended (exit code {gone}) instead of waiting")
            return
        ballast.unlink()
        if not until(lambda: resumed(server, promises)):
            tally.violations.append("filled by the ledger: the server does not resume when there is space again")


def start_on_full(place: Path, tally: Filled) -> None:
    """Killed with a full disk under it: it should start for reading, and must start when there is space."""
    with started(place, tally, "--reserve-mb", "0") as (server, promises, client):
        for _ in range(20):
            add(promises, client)
        fill(place / "ballast", 0)
        server.kill()
        again = Server(place / "ledger", "--reserve-mb", "0")
        ready = again.ready(5)
        tally.notes.append(f"killed on a full disk: a start there {'works' if ready else 'fails'}")
        if not ready:
            tally.violations.append("killed on a full disk: the server does not start there, not even for reading")
        again.kill()


def resumed(server: Server, promises: Promises) -> bool:
    client = server.client()
    try:
        return add(promises, client) == ""
    except LOST:
        return False
    finally:
        client.close()


def ended(code: int | None) -> str:
    return "runs" if code is None else f"ended with exit code {code}"
