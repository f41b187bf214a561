"""Runs the benchmarks: `python -m bench [--rounds 7] [--seconds 10] [--history 1000000] [--only PART]`.

Each round runs every configuration once, in shuffled order, PostgreSQL among them; a ratio is taken within a round,
and the median over the rounds counts. Writes src/hansa/bench/reference.json, a flat map, and prints the table.
"""

import argparse
import json
import platform
import random
import signal
import statistics
import time
from pathlib import Path

import hansa.bench
from bench.contracts import contracts
from bench.joining import joining
from bench.network import network
from bench.postgres import Postgres
from bench.proofs import SIZES, proofs
from bench.ready import ready
from hansa.bench.figures import receipt_ms
from hansa.bench.ledger import Ledger
from hansa.client import keys

RESULTS = Path(hansa.bench.__file__).with_name("reference.json")
"""Ships in the wheel: `hansa bench` shows its own figures beside these."""
PARTS = ("postgres", "history", "receipts", "contracts", "ready", "sweep", "proofs", "network", "joining")
CONTRACT_ROUNDS = 21
PROOF_ROUNDS = 11
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64, 128)
SINGLE, BATCH = 64, 8
PER_REQUEST = 100
SIGNED_PER_S = 18_000
"""How many transfers are signed for a second of load: more than can be used up, since running out is an error."""
GOALS = {
    "single_vs_postgres": (0.8, 0.6),
    "batch_vs_postgres": (1.5, 1.1),
    "p50_vs_postgres": (2.5, 3.5),
    "single_cpu_vs_postgres": (0.7, None),
    "batch_cpu_vs_postgres": (0.55, None),
    "restart_1e6_s": (3, None),
    "up_new_s": (3, None),
    "up_1e5_s": (3, None),
    "status_cpu_ms": (300, None),
    "receipt_ms": (1, None),
    "throughput_1e6_vs_empty": (0.85, None),
    "rss_anon_1e6_mb": (500, None),
    "transfer_vs_raw": (2.5, 3.5),
    "letter_present_vs_raw": (2.5, 3.5),
    "letter_examine_vs_raw": (2.5, 3.5),
    "front_end_300_lines_ms": (100, None),
    "records_10000_by_index_ms": (100, None),
    "cometbft_batch_per_second": (3_000, None),
    "cometbft_paced_p50_ms": (150, None),
    "etcd_batch_per_second": (5_000, None),
    "etcd_paced_p50_ms": (20, None),
    "network_first_commit_s": (30, None),
    "join_1e5_s": (30, None),
}
LOWER_IS_BETTER = {
    "p50_vs_postgres",
    "single_cpu_vs_postgres",
    "batch_cpu_vs_postgres",
    "restart_1e6_s",
    "up_new_s",
    "up_1e5_s",
    "status_cpu_ms",
    "receipt_ms",
    "rss_anon_1e6_mb",
    "transfer_vs_raw",
    "letter_present_vs_raw",
    "letter_examine_vs_raw",
    "front_end_300_lines_ms",
    "records_10000_by_index_ms",
    "cometbft_paced_p50_ms",
    "etcd_paced_p50_ms",
    "network_first_commit_s",
    "join_1e5_s",
}


def against_postgres(rounds: int, seconds: float) -> dict[str, float]:
    """The paired rounds: transfers, latency and CPU beside PostgreSQL's."""
    measured: dict[str, list[dict[str, float]]] = {}
    with Ledger(where=Path("/var/tmp")) as ledger, Postgres() as postgres:
        signed = ledger.root / "signed"
        print(postgres.version(), flush=True)
        ledger.start()
        runs = {
            "postgres_64": lambda: postgres.load(SINGLE, seconds),
            "postgres_8": lambda: postgres.load(BATCH, seconds),
            "single_64": lambda: ledger.load(SINGLE, seconds, signed, 1),
            "single_8": lambda: ledger.load(BATCH, seconds, signed, 1),
            "batch_8": lambda: ledger.load(BATCH, seconds, signed, PER_REQUEST),
        }
        for number in range(rounds):
            for name in random.sample(list(runs), len(runs)):
                if not name.startswith("postgres"):
                    ledger.sign(int(SIGNED_PER_S * seconds * (2 if name == "batch_8" else 1)), signed)
                    time.sleep(1)
                found = runs[name]()
                measured.setdefault(name, []).append(found)
                print(
                    f"round {number + 1} {name:12} {found['per_second']:9.0f}/s  p50 {found['p50_ms']:7.2f} ms  "
                    f"cpu {found['cpu_us']:6.1f} us",
                    flush=True,
                )
        ledger.stop()

    def ratio(a: str, b: str, field: str) -> float:
        return statistics.median(x[field] / y[field] for x, y in zip(measured[a], measured[b], strict=True))

    results = {
        "single_vs_postgres": ratio("single_64", "postgres_64", "per_second"),
        "batch_vs_postgres": ratio("batch_8", "postgres_64", "per_second"),
        "p50_vs_postgres": ratio("single_8", "postgres_8", "p50_ms"),
        "single_cpu_vs_postgres": ratio("single_64", "postgres_64", "cpu_us"),
        "batch_cpu_vs_postgres": ratio("batch_8", "postgres_64", "cpu_us"),
    }
    for name, found in measured.items():
        for field in ("per_second", "p50_ms", "p99_ms", "cpu_us"):
            results[f"{name}_{field}"] = statistics.median(run[field] for run in found)
    return results


def sweep(rounds: int, seconds: float) -> dict[str, float]:
    """Throughput and latency by the number of connections, each with one transaction at a time."""
    with Ledger() as ledger:
        signed = ledger.root / "signed"
        ledger.start()
        found: dict[int, list[dict[str, float]]] = {}
        for number in range(rounds):
            for connections in random.sample(CONNECTIONS, len(CONNECTIONS)):
                ledger.sign(int(SIGNED_PER_S * seconds), signed)
                time.sleep(1)
                run = ledger.load(connections, seconds, signed, 1)
                found.setdefault(connections, []).append(run)
                print(f"sweep round {number + 1}: {connections:3} connections {run['per_second']:9.0f}/s", flush=True)
        ledger.stop()
    return {
        f"sweep_{connections}_{field}": statistics.median(run[field] for run in runs)
        for connections, runs in sorted(found.items())
        for field in ("per_second", "p50_ms", "p99_ms")
    }


def with_history(entries: int, rounds: int, seconds: float) -> dict[str, float]:
    """What a long history costs: throughput beside an empty ledger, restart after a kill, receipts, memory."""
    with Ledger(where=Path("/var/tmp")) as empty, Ledger(where=Path("/var/tmp")) as full:
        signed = full.root / "signed"
        made = _build(full, entries)
        memory = full.memory_mb()
        receipt = receipt_ms(full, made)
        full.kill()
        restarts = []
        for _ in range(3):
            restarts.append(full.start())
            full.sign(40_000, signed)
            full.load(BATCH, 1, signed, PER_REQUEST)
            full.kill()
        ratios = []
        for number in range(rounds):
            found: dict[str, float] = {}
            for ledger, name in random.sample([(empty, "empty"), (full, "full")], 2):
                ledger.start()
                ledger.sign(int(SIGNED_PER_S * seconds * 2), signed)
                time.sleep(1)
                found[name] = ledger.load(BATCH, seconds, signed, PER_REQUEST)["per_second"]
                ledger.stop()
            ratios.append(found["full"] / found["empty"])
            print(f"history round {number + 1}: {found}", flush=True)
    return {
        "restart_1e6_s": statistics.median(restarts),
        "receipt_ms": receipt,
        "throughput_1e6_vs_empty": statistics.median(ratios),
        "rss_anon_1e6_mb": memory,
        "history_entries": made,
    }


def receipts(entries: int) -> dict[str, float]:
    """What a receipt takes, alone."""
    with Ledger(where=Path("/var/tmp")) as ledger:
        found = receipt_ms(ledger, _build(ledger, entries))
        ledger.stop()
    return {"receipt_ms": found}


def _build(ledger: Ledger, entries: int) -> int:
    """Starts a ledger and loads it with at least so many transactions; how many there are."""
    ledger.start()
    print(f"building a history of {entries:,} entries", flush=True)
    made = 0
    while made < entries:
        ledger.sign(200_000, ledger.root / "signed")
        made += int(ledger.load(BATCH, 10, ledger.root / "signed", PER_REQUEST)["transactions"])
    return made


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--history", type=int, default=1_000_000)
    parser.add_argument("--only", choices=list(PARTS), help="one part; the other results stay as they are")
    options = parser.parse_args()
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # ends it as Ctrl-C does, with the folders and the keys in them
    results: dict[str, float] = {}
    if options.only in (None, "postgres", "history"):
        results |= {"rounds": options.rounds, "seconds": options.seconds}
    if options.only in (None, "postgres"):
        results |= against_postgres(options.rounds, options.seconds)
    if options.only in (None, "history"):
        results |= with_history(options.history, options.rounds, options.seconds)
    if options.only == "receipts":
        results |= receipts(options.history)
    if options.only in (None, "ready"):
        results |= ready()
    if options.only in (None, "sweep"):
        results |= sweep(options.rounds, options.seconds)
    if options.only in (None, "proofs"):
        results |= proofs(SIZES, PROOF_ROUNDS, keys.generate("p256"))
    if options.only in (None, "contracts"):
        results |= contracts(CONTRACT_ROUNDS)
    if options.only in (None, "network"):
        results |= network(options.rounds, options.seconds)
    if options.only in (None, "joining"):
        results |= joining()
    before = json.loads(RESULTS.read_text()) if options.only and RESULTS.exists() else {}
    RESULTS.write_text(json.dumps(before | results, indent=1, sort_keys=True) + "\n")
    print(f"\n{platform.platform()}, Python {platform.python_version()}")
    for name, (goal, floor) in GOALS.items():
        if name in results:
            reached = results[name] <= goal if name in LOWER_IS_BETTER else results[name] >= goal
            mark = "reached" if reached else "missed"
            print(f"{name:26} {results[name]:10.3f}   goal {goal:<6} floor {floor or '-':<6} {mark}")


if __name__ == "__main__":
    main()
