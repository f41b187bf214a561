"""The figures of `hansa bench`: what this machine does, in about the time that was asked for.

A temporary ledger, a real node in a process of its own, loopback, every answer after its block's sync. Each round runs
every kind of load once, in shuffled order, behind a short run that is not counted; the median over the rounds counts.
"""

import http.client
import platform
import random
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from hansa.bench.ledger import Ledger
from hansa.client import verification
from hansa.contracts import execution
from hansa.contracts.calls import Call, Caller
from hansa.contracts.ledger import Ledger as InMemory
from hansa.doctor import resources
from hansa.doctor.disk import existing, mount_of
from hansa.doctor.machine import Machine

ROUNDS: Final = 3
SINGLE: Final = 64
BATCH: Final = 8
PER_REQUEST: Final = 100
ACCOUNTS: Final = 2_000
SIGNED_PER_S: Final = 18_000
"""How many transfers are signed for a second of load: running out is an error, so there are more than can be used."""
RUN_S_MIN: Final = 0.2
"""A run is no shorter, however little time is left."""
WARM_UP_S: Final = 0.5
"""A run that is not counted is no longer."""
RESTARTS_SHARE: Final = 2
"""A node that was killed takes longer to start than one that was stopped: so many times as long is left for it."""
REST_S: Final = 3.0
"""What is left besides for receipts, for checking them and for a contract's action alone."""
RECEIPTS: Final = 300
VERIFIED: Final = 200
EXECUTED: Final = 2_000
STEPS: Final = 10_000
TIME: Final = 1_700_000_000_000

Tell = Callable[[str], None]
"""Told what is being done."""


class Figure(msgspec.Struct, frozen=True):
    """One figure over the rounds, and the reference machine's where it was measured there."""

    name: str
    meaning: str
    unit: str
    median: float
    least: float
    most: float
    measurements: int
    """How often it was measured; once has no least and most of its own."""
    reference: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the reference machine's figure; None where it has none."""
        return self.median / self.reference if self.reference else None


class Bench(msgspec.Struct, frozen=True):
    """What was measured, and on what. `transfers` were answered as applied; `entries` is what the ledger then held."""

    machine: dict[str, str]
    seconds: float
    rounds: int
    transfers: int
    entries_before: int
    entries: int
    figures: list[Figure]


def measure(
    seconds: float, where: Path | None = None, tell: Tell = lambda _: None, *, accounts: int = ACCOUNTS
) -> Bench:
    """Measures for about so many seconds; the ledger lies in a temporary folder in `where` and goes at the end."""
    begun, found = time.monotonic(), dict[str, list[float]]()
    tell(f"making a ledger with {accounts:,} accounts")
    with Ledger(accounts, where) as ledger:
        machine = described(ledger.root)
        found["start_s"] = [ledger.start()]
        before = entries = _entries(ledger)
        rest = ROUNDS * (RESTARTS_SHARE * found["start_s"][0]) + REST_S
        transfers = _loads(ledger, Allowance(begun + seconds - rest), found, tell)
        entries = _entries(ledger)
        tell("receipts")
        found["receipt_ms"] = [receipt_ms(ledger, entries, RECEIPTS) for _ in range(ROUNDS)]
        found["verify_receipt_us"] = _verification(ledger, entries)
        found["memory_mb"] = [ledger.memory_mb()] if platform.system() == "Linux" else []
        tell("restarts after kill -9")
        found["restart_s"] = [_restarted(ledger) for _ in range(ROUNDS)]
        entries = _entries(ledger)
        ledger.stop()
    tell("a contract's action alone")
    found["action_us"] = [_action_us() for _ in range(ROUNDS)]
    figures = [_figure(name, values) for name, values in found.items() if values]
    return Bench(machine, time.monotonic() - begun, ROUNDS, transfers, before, entries, figures)


_MEANINGS: Final[Mapping[str, tuple[str, str, str]]] = {
    # name: what it is, unit, the project's own figure of the same
    "start_s": ("from the command until the node answers, on a stopped ledger", "s", ""),
    "single_64_per_second": ("transfers, one a request, 64 connections", "a second", "single_64_per_second"),
    "single_64_p50_ms": ("latency of these, median", "ms", "single_64_p50_ms"),
    "single_64_p99_ms": ("latency of these, 99 of 100", "ms", "single_64_p99_ms"),
    "single_8_per_second": ("transfers, one a request, 8 connections", "a second", "single_8_per_second"),
    "single_8_p50_ms": ("latency of these, median", "ms", "single_8_p50_ms"),
    "single_8_p99_ms": ("latency of these, 99 of 100", "ms", "single_8_p99_ms"),
    "batch_8_per_second": ("transfers, 100 a request, 8 connections", "a second", "batch_8_per_second"),
    "batch_8_p50_ms": ("latency of these requests, median", "ms", "batch_8_p50_ms"),
    "batch_8_p99_ms": ("latency of these requests, 99 of 100", "ms", "batch_8_p99_ms"),
    "receipt_ms": ("a receipt for any entry, over HTTP", "ms", "receipt_ms"),
    "verify_receipt_us": ("a receipt checked offline, with its entry", "us", ""),
    "memory_mb": ("anonymous memory of the node and its workers, after the load", "MB", ""),
    "restart_s": ("ready after kill -9, with all of this in the ledger", "s", ""),
    "action_us": ("a transfer's action executed, guarded and metered, CPU", "us", ""),
}


def _figure(name: str, values: list[float]) -> Figure:
    meaning, unit, same = _MEANINGS[name]
    return Figure(
        name, meaning, unit, statistics.median(values), min(values), max(values), len(values), reference().get(same)
    )


def reference() -> dict[str, float]:
    """The figures of the project's own benchmark on its reference machine."""
    return msgspec.json.decode(Path(__file__).with_name("reference.json").read_bytes(), type=dict[str, float])


def described(root: Path) -> dict[str, str]:
    """What was measured on."""
    machine = Machine()
    mount = mount_of(machine, existing(root))
    cores = [line for line in (machine.text(machine.proc / "cpuinfo") or "").splitlines() if line[:9] == "processor"]
    return {
        "processor": resources.model(machine),
        "cores": str(len(cores) or "unknown"),
        "filesystem": "unknown" if mount is None else mount.shown,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


class Allowance:
    """How long each run may last so that all end in time; what a run takes besides is learnt from those before.

    `end` is a time of the monotonic clock in seconds.
    """

    def __init__(self, end: float) -> None:
        self._end = end
        self._lasted = self._took = 0.0

    def seconds(self, runs: int, now: float) -> float:
        """For the next of so many runs that are left."""
        share = self._lasted / self._took if self._took else 0.5  # signing takes about as long again
        return max(RUN_S_MIN, (self._end - now) / runs * share)

    def ran(self, lasted: float, took: float) -> None:
        """A run lasted so long, and took so long with what belongs to it."""
        self._lasted += lasted
        self._took += took


def _loads(ledger: Ledger, allowance: Allowance, found: dict[str, list[float]], tell: Tell) -> int:
    """All rounds of the load; how many transfers were applied."""
    runs = {"single_64": (SINGLE, 1), "single_8": (BATCH, 1), "batch_8": (BATCH, PER_REQUEST)}
    signed, transfers, left = ledger.root / "signed", 0, len(runs) * (ROUNDS + 1)
    for number in range(ROUNDS + 1):
        is_warm_up = not number
        for name in random.sample(list(runs), len(runs)):
            connections, per_request = runs[name]
            begun = time.monotonic()
            lasts = allowance.seconds(left, begun)
            lasts = min(lasts, WARM_UP_S) if is_warm_up else lasts
            tell(f"warming up, {name}" if is_warm_up else f"round {number} of {ROUNDS}, {name}")
            ledger.sign(
                int(SIGNED_PER_S * lasts * (2 if per_request > 1 else 1)) + 2 * connections * per_request, signed
            )
            run = ledger.load(connections, lasts, signed, per_request)
            transfers += int(run["transactions"])
            allowance.ran(lasts, time.monotonic() - begun)
            left -= 1
            for field in ("per_second", "p50_ms", "p99_ms"):
                if not is_warm_up:
                    found.setdefault(f"{name}_{field}", []).append(run[field])
    return transfers


def _get(ledger: Ledger, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", ledger.port)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return data
    finally:
        connection.close()


def _entries(ledger: Ledger) -> int:
    return int(msgspec.json.decode(_get(ledger, "/node/status"))["entries"])


def receipt_ms(ledger: Ledger, entries: int, count: int = 1_000) -> float:
    """Median time of a receipt for an entry anywhere in the history, as a client on the same machine sees it."""
    chance, times = random.Random(1), list[float]()  # noqa: S311 - which entry is no secret
    connection = http.client.HTTPConnection("127.0.0.1", ledger.port)
    for _ in range(count):
        begun = time.perf_counter()
        connection.request("GET", f"/app/receipts/{chance.randrange(entries)}")
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - begun)
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}")
    connection.close()
    return statistics.median(times) * 1000


def _verification(ledger: Ledger, entries: int) -> list[float]:
    """CPU of checking one receipt with its entry, in us, by round."""
    seq = entries - 1
    receipt, entry = _get(ledger, f"/app/receipts/{seq}"), _get(ledger, f"/app/entries/{seq}/entry")
    pinned = verification.pin_genesis(_get(ledger, "/node/genesis"))
    times: list[float] = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(VERIFIED):
            verification.verify(receipt, entry, pinned)
        times.append((time.process_time() - begun) / VERIFIED * 1e6)
    return times


def _restarted(ledger: Ledger) -> float:
    ledger.kill()
    return ledger.start()


def _action_us() -> float:
    """CPU of a transfer's action in memory, in us."""
    ledger, owner = InMemory(members={"alice"}), Caller("alice", None, frozenset(), frozenset())
    ledger.deploy("transfer", Path(__file__).with_name("transfer_contract.py").read_text())
    ledger.seq += 1
    for id in ("a", "b"):
        arguments = {"id": id, "owner": "alice", "balance": 10**8}
        ledger.apply(execution.run(Call("transfer", "open", arguments, owner, TIME, 1), ledger, ledger, STEPS))
    call = Call("transfer", "pay", {"account": "a", "to": "b", "amount": 1}, owner, TIME, 1)
    begun = time.process_time()
    for _ in range(EXECUTED):
        if execution.run(call, ledger, ledger, STEPS).code != execution.OK:
            raise RuntimeError("a transfer was refused")
    return (time.process_time() - begun) / EXECUTED * 1e6
