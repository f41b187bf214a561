"""Kills a process at every single system call by which it changes the disk, and fails those calls one by one.

`strace -e inject=CALL:signal=KILL:when=N`, for N = 1, 2, ... until none fires any more, over `traced`; after each, the
folder is recovered and compared with what had been answered. LMDB's own calls are among them. This kills processes,
not machines: what was written is there. Losing it is the business of `enumeration`.
"""

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hansa.node.recovery import recover
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError

from . import crashes, workload
from .traced import FAULTED

CALLS = ("pwrite64", "write", "writev", "fdatasync", "fsync", "rename", "unlink", "ftruncate", "mkdir", "openat")
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)")
_ROOT = Path(__file__).resolve().parents[2]
_RUN_S_MAX = 30
KILLED = (-9, 137)
"""What the end of strace itself says of its child. With `--seccomp-bpf` strace 6.1 injects no signals."""


@dataclass
class Swept:
    """What a sweep came to: runs in which the injection fired, by call."""

    fired: dict[str, int] = field(default_factory=dict)
    creation: int = 0
    faulted: int = 0
    finished: int = 0
    sizes: set[int] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        points = ", ".join(f"{call} {count}" for call, count in self.fired.items())
        return (
            f"{sum(self.fired.values())} injections ({points}), {self.creation} before there was a ledger, "
            f"{self.faulted} ended faulted, {self.finished} finished, {len(self.sizes)} different sizes, "
            f"{len(self.violations)} violations"
        )


def install() -> None:
    """strace, from Debian's packages if it is not there."""
    if shutil.which("strace") is None:
        subprocess.run(["apt-get", "install", "-y", "--no-install-recommends", "strace"], check=True)


def traced(base: Path, options: list[str], *, threaded: bool) -> tuple[int, Path, Path]:
    """One run of the workload under strace in an empty folder: its exit code, the ledger, the answers."""
    place = base / "traced"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    command = ["strace", "-f", "-qq", "-o", str(place / "calls"), *options]
    command += [sys.executable, "-m", f"{__package__}.traced", str(place / "ledger"), str(place / "acks")]
    command += ["--thread"] * threaded
    done = subprocess.run(command, check=False, cwd=_ROOT, capture_output=True, timeout=_RUN_S_MAX)
    return done.returncode, place / "ledger", place / "acks"


def sweep(
    base: Path,
    what: str,
    calls: tuple[str, ...] = CALLS,
    *,
    threaded: bool = False,
    step: int = 1,
    tell: Callable[[str], None] = lambda _: None,
) -> Swept:
    """Injects `what` (such as `signal=KILL`, `error=EIO`) at every `step`th occurrence of each call."""
    tally = Swept()
    for call in calls:
        numbers = created(base, threaded=threaded) if call == "openat" else every(step)
        for number in numbers:
            options = ["-e", f"trace={call}", "-e", f"inject={call}:{what}:when={number}"]
            code, ledger, acks = traced(base, options, threaded=threaded)
            log = (ledger.parent / "calls").read_text(errors="replace")
            if not (code in KILLED if "KILL" in what else "(INJECTED)" in log):
                if call == "openat":
                    continue
                break
            tally.fired[call] = tally.fired.get(call, 0) + 1
            about = f"{what} at {call} {number}{', threaded' if threaded else ''}"
            try:
                judge(ledger, acks, code, tally, killed="KILL" in what)
            except Exception as error:
                tally.violations.append(f"{about}: {type(error).__name__}: {error}")
        tell(f"{call} {tally.fired.get(call, 0)}")
    return tally


def every(step: int) -> Iterator[int]:
    number = 1
    while True:
        yield number
        number += step


def created(base: Path, *, threaded: bool) -> list[int]:
    """Which of its thread's `openat` calls make files in the ledger."""
    _, ledger, _ = traced(base, ["-e", "trace=openat"], threaded=threaded)
    counts: dict[str, int] = {}
    found: set[int] = set()
    for line in (ledger.parent / "calls").read_text(errors="replace").splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        thread, _, arguments = match.groups()
        counts[thread] = counts.get(thread, 0) + 1
        if "O_CREAT" in arguments and str(ledger) in arguments:
            found.add(counts[thread])
    return sorted(found)


def judge(ledger: Path, acks: Path, code: int, tally: Swept, *, killed: bool) -> None:
    """Recovers what is left and compares it with the answers given. Raises for whatever is wrong."""
    assert not killed or code in KILLED
    tally.faulted += code == FAULTED
    tally.finished += code == 0
    lines = acks.read_text().splitlines(keepends=True) if acks.exists() else []
    answered = [line.split() for line in lines if line.endswith("\n")]
    promised = max((int(seq) for seq, *_ in answered), default=-1) + 1
    with workload.quiet(), workload.small(), workload.remembered():
        try:
            crashes.close(recover(Disk(), Folder(ledger)))
        except HansaError as error:
            if error.code == "folder.none" and not answered:
                tally.creation += 1
                return
            raise
        run = workload.read_run(ledger)
        assert len(run.ids) == len(set(run.ids)), "an entry is there twice"
        size = crashes.check(ledger, run, promised)
        tally.sizes.add(size)
        for seq, id, outcome in answered:
            assert run.ids[int(seq)].hex() == id, f"entry {seq} is another"
            assert hashlib.sha256(run.outcomes[int(seq)]).hexdigest() == outcome, f"entry {seq} has another outcome"
