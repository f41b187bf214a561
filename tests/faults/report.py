"""Runs the long fault suites, one progress line each, and writes what came of them to `tests/faults/report.md`.

`make faults`, or `python -m tests.faults.report [--scale N] [--only NAME,...]`. `--scale 4` is four times as long.
Root is needed for the full disk (it mounts a tmpfs) and to install strace where it is missing; without root those
suites are skipped and the report says so. The exit code is 1 if a suite found a violation.
"""

import argparse
import math
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import lmdb

import hansa
from hansa.node.network import Topology

from . import (
    crashes,
    enumeration,
    full_disk,
    kill_sweep,
    network_batches,
    network_certificates,
    network_clocks,
    network_disk,
    network_faults,
    rot,
    strace_sweep,
    workload,
    world,
)
from .network_faults import Fault
from .network_links import Links
from .network_load import Clients
from .network_nodes import Nodes

LIMITS_S = {("too_many_killed", "resumes"): 10.0, ("cut_in_halves", "resumes"): 30.0}
"""What a network may take at most; it is no test's to assert, as machines differ."""
REPORT = Path(__file__).with_name("report.md")


@dataclass
class Result:
    """What a suite came to."""

    counts: str
    violations: list[str] = field(default_factory=list)
    skipped: bool = False
    seconds: float = 0.0


def crash_states(scale: int) -> Result:
    total = crashes.Tally()
    for seed in range(4 * scale):
        with enumeration.conditions(seed) as base:
            recorded = enumeration.record(base, seed)
            tally = enumeration.crashes(recorded, base, 3_000, seed, random_max=10, torn_max=24)
        add(total, tally)
        tell(f"seed {seed}: {tally}")
    return Result(str(total), total.violations)


def crash_states_in_recovery(scale: int) -> Result:
    total = crashes.Tally()
    for seed in range(4 * scale):
        with enumeration.conditions(seed) as base:
            recorded = enumeration.record(base, seed)
            tally = enumeration.crashes_while_recovering(recorded, base, 200, 2_000)
        add(total, tally)
        tell(f"seed {seed}: {tally}")
    return Result(str(total), total.violations)


def crash_states_in_long_recovery(scale: int) -> Result:
    total = crashes.Tally()
    for seed in range(scale):
        with enumeration.conditions(seed, replay_flush_entries=8) as base:
            recorded = enumeration.record(base, seed)
            tally = enumeration.crashes_while_recovering(recorded, base, 100, 1_500, violations_max=100_000)
        add(total, tally)
        tell(f"seed {seed}: {tally}")
    return Result(str(total), total.violations)


def power_failures_after_restart(scale: int) -> Result:
    total = crashes.Tally()
    for seed in range(scale):
        with enumeration.conditions(seed) as base:
            recorded = enumeration.record(base, seed)
            tally = enumeration.power_failures_after_restart(recorded, base, 40, 3_000, violations_max=100_000)
        add(total, tally)
        tell(f"seed {seed}: {tally}")
    return Result(str(total), total.violations)


def kills(scale: int) -> Result:
    with workload.scratch() as base:
        tally, problems = kill_sweep.sweep(base / "ledger", 60 * scale, seed=scale)
    return Result(str(tally), problems)


def strace_suite(what: str, calls: tuple[str, ...], *, threaded: bool, step: int) -> Callable[[int], Result]:
    def run(scale: int) -> Result:
        try:
            strace_sweep.install()
        except (OSError, strace_sweep.subprocess.CalledProcessError) as error:
            return Result(f"skipped: no strace ({error})", skipped=True)
        with workload.scratch() as base:
            tally = strace_sweep.sweep(base, what, calls, threaded=threaded, step=max(1, step // scale), tell=tell)
        return Result(str(tally), tally.violations)

    return run


def disk(scale: int) -> Result:
    with workload.scratch() as base:
        if not full_disk.can_mount(base):
            return Result("skipped: a tmpfs cannot be mounted (no root?)", skipped=True)
        tally = full_disk.run(base)
    return Result(str(tally), tally.violations)


def state_rot(scale: int) -> Result:
    with enumeration.conditions() as base:
        recorded = enumeration.record(base)
        image = world.read_image(recorded.ledger.folder.root)
        tally = rot.recover_each(image, recorded.run, range(10 * scale))
    sound = ("ok", "hansa.wire.problems.HansaError")
    bad = [f"{kind}: {about} ({count} times)" for (kind, about), count in sorted(tally.items()) if about not in sound]
    return Result(f"{tally.total()} damaged states, {sum(tally[k] for k in tally if k[1] in sound)} mended", bad)


def network(topology: Topology, faults: Sequence[Fault], times: int = 2) -> Callable[[int], Result]:
    def run(scale: int) -> Result:
        with workload.scratch() as base, network_faults.begun(base / "net", topology) as clients:
            return endured(clients, [fault for _ in range(times * scale) for fault in faults])

    return run


def small_disk(topology: Topology) -> Callable[[int], Result]:
    def run(scale: int) -> Result:
        with workload.scratch() as base:
            if not full_disk.can_mount(base):
                return Result("skipped: a tmpfs cannot be mounted (no root?)", skipped=True)
            nodes = Nodes(base / "net", topology)
            with network_disk.small(nodes), network_faults.at_work(nodes) as clients:
                return endured(clients, [network_disk.disk_full] * scale)

    return run


def idleness(_: int) -> Result:
    counts: list[str] = []
    with workload.scratch() as base:
        for topology in ("multi-member", "single-member"):
            told = network_clocks.idle(base / topology, topology)
            counts.append(f"{topology}: {', '.join(f'{what} {seconds:.1f} s' for what, seconds in told.items())}")
    return Result("; ".join(counts))


def partitions(faults: Sequence[Callable[..., network_faults.Seconds]], regions: int = 1) -> Callable[[int], Result]:
    def run(scale: int) -> Result:
        with workload.scratch() as base:
            nodes = Nodes(base / "net", "multi-member", regions=regions)
            links = Links(nodes)
            try:
                with network_faults.at_work(nodes) as clients:
                    return endured(clients, [partial(fault, links=links) for fault in faults] * scale)
            finally:
                links.close()

    return run


def endured(clients: Clients, faults: Sequence[Fault]) -> Result:
    """One fault after the other; the longest of what was measured of each."""
    longest: dict[str, dict[str, float]] = {}
    violations: list[str] = []
    for fault in faults:
        name = (fault.func if isinstance(fault, partial) else fault).__name__
        told = network_faults.run(fault, clients)
        tell(f"{name}: {', '.join(f'{what} {seconds:.1f} s' for what, seconds in told.items())}")
        seen = longest.setdefault(name, told)
        longest[name] = {what: max(seconds, seen[what]) for what, seconds in told.items()}
        violations = clients.check()
    parts = [
        f"{name.replace('_', ' ')}: {', '.join(f'{what} {seconds:.1f} s' for what, seconds in told.items())}"
        for name, told in longest.items()
    ]
    counts = (
        f"{len(faults)} faults, {len(clients.seqs)} transactions acknowledged, {clients.unknown} unknown at first "
        f"({clients.late} of {clients.again} sent again had come through), {clients.read} linear reads, "
        f"longest of each: {'; '.join(parts)}"
    )
    late = [
        f"{name.replace('_', ' ')}: {what} after {seconds:.1f} s, which is over {LIMITS_S[name, what]:.0f}"
        for name, told in longest.items()
        for what, seconds in told.items()
        if seconds > LIMITS_S.get((name, what), math.inf)
    ]
    return Result(counts, violations + late)


SUITES: dict[str, tuple[str, Callable[[int], Result]]] = {
    "crash": ("Crash states of a run", crash_states),
    "recovery": ("Crash states of recoveries from crashes", crash_states_in_recovery),
    "long-recovery": ("The same, recovery flushing on its way", crash_states_in_long_recovery),
    "restart": ("A power failure after a kill and a restart", power_failures_after_restart),
    "kill": ("kill -9 of a server under load", kills),
    "strace-kill": (
        "A kill at every system call that changes the disk",
        strace_suite("signal=KILL", strace_sweep.CALLS, threaded=False, step=1),
    ),
    "strace-kill-thread": (
        "The same, with the commit thread",
        strace_suite("signal=KILL", ("pwrite64", "fdatasync", "rename"), threaded=True, step=2),
    ),
    "strace-eio": (
        "EIO from every sync and write, LMDB's too",
        strace_suite("error=EIO", ("fdatasync", "fsync", "pwrite64", "writev"), threaded=False, step=2),
    ),
    "strace-enospc": (
        "ENOSPC from every write and sync, LMDB's too",
        strace_suite("error=ENOSPC", ("pwrite64", "writev", "fdatasync"), threaded=False, step=2),
    ),
    "disk": ("A real full disk under a server", disk),
    "rot": ("Damaged pages of the state", state_rot),
    "cometbft": ("Four members' nodes over CometBFT", network("multi-member", network_faults.COMETBFT)),
    "etcd": ("Three nodes of one member over etcd", network("single-member", network_faults.ETCD)),
    "partitions": ("Partitions and distance between four members' nodes", partitions(network_faults.PARTITIONS)),
    "clocks-cometbft": (
        "A clock an hour off, and signatures on which libraries differ, among four members' nodes",
        network("multi-member", [network_clocks.clock_off, network_batches.odd_signatures], 1),
    ),
    "clocks-etcd": (
        "A clock an hour off among three nodes of one",
        network("single-member", [network_clocks.clock_off], 1),
    ),
    "idle": ("Networks that were idle for two hours", idleness),
    "disk-cometbft": ("A full disk under one of four members' nodes", small_disk("multi-member")),
    "disk-etcd": ("A full disk under one of three nodes of one", small_disk("single-member")),
    "certificates": (
        "A year of certificates of three nodes, then all expired",
        network("single-member", [network_certificates.year_of_renewals], 1),
    ),
    "regions": (
        "Four members' nodes in four regions, 300 ms apart, with 5 % loss",
        partitions([network_faults.far_apart], regions=4),
    ),
    "equivocation": ("One of four members votes twice", partitions([network_faults.votes_twice])),
}


def add(total: crashes.Tally, tally: crashes.Tally) -> None:
    total.generated += tally.generated
    total.distinct += tally.distinct
    total.checked += tally.checked
    total.cut += tally.cut
    total.sizes |= tally.sizes
    total.violations += tally.violations


def tell(text: str) -> None:
    print(f"    {text}", flush=True)


def run(names: list[str], scale: int) -> dict[str, Result]:
    results: dict[str, Result] = {}
    for number, name in enumerate(names, 1):
        title, suite = SUITES[name]
        print(f"[{number}/{len(names)}] {title}", flush=True)
        begun = time.monotonic()
        try:
            result = suite(scale)
        except Exception as error:
            result = Result("did not finish", [f"{type(error).__name__}: {error}"])
        result.seconds = time.monotonic() - begun
        results[name] = result
        print(f"    {result.counts}\n    {len(result.violations)} violations, {result.seconds:.0f} s", flush=True)
    return results


def written(results: dict[str, Result], command: str, begun: datetime) -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    lines = [
        "# Fault suites: report",
        "",
        f"- Date: {begun:%Y-%m-%d %H:%M} UTC",
        f"- Command: `{command}`",
        f"- Hansa {hansa.__version__}, Python {platform.python_version()}, LMDB {'.'.join(map(str, lmdb.version()))}",
        f"- Machine: {platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"{memory} GiB, {'root' if os.geteuid() == 0 else 'not root'}",
        f"- {sum(result.seconds for result in results.values()):.0f} s in all",
        "",
        "A violation is anything acknowledged that is lost, changed or there twice, a root that differs, or a ledger",
        "that does not recover by itself or not in time. Each suite is described in the module that it runs.",
        "",
        "| Suite | Counts | Violations | s |",
        "|---|---|---|---|",
    ]
    for name, result in results.items():
        title = SUITES[name][0]
        lines.append(
            f"| {title} (`{name}`) | {result.counts} | {'-' if result.skipped else len(result.violations)} "
            f"| {result.seconds:.0f} |"
        )
    for name, result in results.items():
        if result.violations:
            lines += ["", f"## Violations: {SUITES[name][0]}", "", *[f"- {text}" for text in result.violations[:20]]]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.report", description=__doc__)
    parser.add_argument("--scale", type=int, default=1, help="how many times as long as usual")
    parser.add_argument("--only", default="", help=f"suites, by comma: {', '.join(SUITES)}")
    parser.add_argument("--output", type=Path, default=REPORT)
    given = parser.parse_args()
    names = given.only.split(",") if given.only else list(SUITES)
    begun = datetime.now(UTC)
    results = run(names, max(1, given.scale))
    command = " ".join(["python -m tests.faults.report", *sys.argv[1:]])
    given.output.write_text(written(results, command, begun))
    print(f"written to {given.output}")
    return 1 if any(result.violations for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
