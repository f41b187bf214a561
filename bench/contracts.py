"""What contracts cost: `python -m bench.contracts [--rounds 21]`; no server, no signatures, one process.

Raw against guarded: see `bench.raw`. Both run in turn within every round, on the same objects; a ratio is taken within
a round, and the median over the rounds counts. Times are CPU time of this process. Merged into the results by
`python -m bench --only contracts`, which says what is reached.
"""

import argparse
import gc
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contracts.growth import measure_all

from bench import hostile
from bench.raw import Raw
from hansa.contracts import execution, program
from hansa.contracts.calls import Call, Caller, Execution
from hansa.contracts.ledger import Ledger
from hansa.contracts.values import Cache
from hansa.node.apply import View
from hansa.store.journal import Location, Position
from hansa.store.state import FORMAT, Applied, BlockPlace, Entered, State

TRANSFER = Path(__file__).parent.parent / "apps" / "example_ledger" / "contract.py"
LETTER = Path(__file__).with_name("letter_of_credit_contract.py")
STEPS = 100_000
TIME = 1_700_000_000_000
RUNS = 300
"""Of one configuration in a round: long enough for the clock, short enough that a round sees one machine."""
STEPS_SHOWN = 10_000
"""What ends sooner is not told of: most of it is how a run begins and ends."""
LINES = 300
RECORDS, PAGE = 10_000, 1_000
INDEXED = """
from hansa.contract import Contract, Date, Record, Text, action


class Many(Contract, version="1.0.0"):
    class Deal(Record, key="id", index=["day"]):
        id: int
        day: Date
        note: Text[0, 80] = "as agreed between the parties"

    @action(by="member", creates="Deal")
    def note(tx, deal: Deal, id: int, day: Date):
        pass
"""


def contracts(rounds: int) -> dict[str, float]:
    """All of it."""
    return against_raw(rounds) | front_end(rounds) | in_order(rounds) | steps(rounds)


# Raw and guarded


def against_raw(rounds: int) -> dict[str, float]:
    """A payment and two steps of a letter of credit, raw and guarded; what decoding saved by the cache makes."""
    results: dict[str, float] = {}
    for name, (call, ledger, raw, changed) in _cases().items():
        cache = Cache(100)
        runs = {
            "raw": lambda raw=raw, call=call, ledger=ledger, changed=changed: raw.run(call, ledger, changed),
            "guarded": lambda call=call, ledger=ledger: execution.run(call, ledger, ledger, STEPS),
            "cached": lambda call=call, ledger=ledger, cache=cache: execution.run(call, ledger, ledger, STEPS, cache),
            "uncached": lambda call=call, ledger=ledger, cache=cache: _missing(call, ledger, cache),
            "codec": lambda raw=raw, call=call, ledger=ledger, changed=changed: raw.codec(call, ledger, changed),
        }
        same = [(found.code, found.writes, found.events) for found in (runs["raw"](), runs["guarded"]())]
        if same[0] != same[1]:
            raise RuntimeError(same)
        found = interleaved(runs, rounds)
        results |= {
            f"{name}_vs_raw": _ratio(found["guarded"], found["raw"]),
            # Both without what is the host's work alone: places, reading, decoding, encoding.
            f"{name}_vs_raw_without_codec": _ratio(
                _less(found["guarded"], found["codec"]), _less(found["raw"], found["codec"])
            ),
            f"{name}_us": statistics.median(found["guarded"]),
            f"{name}_raw_us": statistics.median(found["raw"]),
            f"{name}_cache_hit": _ratio(found["cached"], found["guarded"]),
            f"{name}_cache_miss": _ratio(found["uncached"], found["guarded"]),
        }
    return results


def _missing(call: Call, ledger: Ledger, cache: Cache) -> Execution:
    cache.clear()
    return execution.run(call, ledger, ledger, STEPS, cache)


def _cases() -> dict[str, tuple[Call, Ledger, Raw, tuple[int, ...]]]:
    """What is run, on which ledger, and which of its records it changes."""
    registrar, alice, bob = _caller("reg", "role:registrar"), _caller("alice"), _caller("bob")
    bank = _caller("bank", "licence:bank")
    accounts = _ledger("example", TRANSFER)
    for member in ("alice", "bob"):
        _apply(accounts, _call("example", "open", {"owner": member, "balance": _euro(10**9)}, registrar))
    letters = _ledger("letter", LETTER)
    request = {
        "id": "LC-2026-0017",
        "beneficiary": "bob",
        "issuer": "bank",
        "amount": _euro(10**8),
        "expiry": "2026-12-31",
        "place": "Rotterdam, at the counters of the issuer",
    }
    _apply(letters, _call("letter", "request", request, alice))
    _apply(letters, _call("letter", "issue", {"lc": request["id"]}, bank))
    documents = [bytes([number]) * 32 for number in range(3)]
    present = _call("letter", "present", {"lc": request["id"], "claim": _euro(5_000), "documents": documents}, bob)
    presented = _ledger("letter", LETTER)
    presented.records, presented.seq = dict(letters.records), letters.seq
    _apply(presented, present)
    pay = _call("example", "pay", {"account": "alice", "to": "bob", "amount": _euro(125)}, alice)
    examine = _call("letter", "examine", {"lc": request["id"], "complying": True}, bank)
    of_letters = Raw(LETTER, letters.programs["letter"][0][1])
    return {
        "transfer": (pay, accounts, Raw(TRANSFER, accounts.programs["example"][0][1]), (0, 1)),
        "letter_present": (present, letters, of_letters, (0,)),
        "letter_examine": (examine, presented, of_letters, (0,)),
    }


def _ledger(name: str, path: Path) -> Ledger:
    ledger = Ledger(members={"alice", "bob", "bank", "reg"})
    ledger.deploy(name, path.read_text())
    ledger.seq += 1
    return ledger


def _caller(member: str, *attributes: str) -> Caller:
    return Caller(member, None, frozenset(attributes), frozenset())


def _call(contract: str, action: str, arguments: dict[str, Any], caller: Caller) -> Call:
    return Call(contract, action, arguments, caller, TIME, 1)


def _euro(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def _apply(ledger: Ledger, call: Call) -> None:
    ran = execution.run(call, ledger, ledger, STEPS)
    if ran.code != execution.OK:
        raise RuntimeError(ran)
    ledger.apply(ran)


# The front end


def front_end(rounds: int) -> dict[str, float]:
    """A realistic file checked and compiled; and what a character costs in the worst file of those at the limit."""
    text = realistic(LINES)
    found = interleaved({"file": lambda: program.load(text, "letter")}, rounds, runs_each=1)["file"]
    worst = 0.0
    for name, source in hostile.files():
        us = statistics.median(
            interleaved({"f": lambda source=source: program.load(source, "hostile")}, 3, runs_each=1)["f"]
        ) / len(source)
        print(f"front end, {name:16} {us:6.2f} us a character", flush=True)
        worst = max(worst, us)
    return {"front_end_300_lines_ms": statistics.median(found) / 1000, "front_end_worst_us_a_character": worst}


def realistic(lines: int) -> str:
    """The letter of credit, its steps repeated under other names until it has so many lines."""
    text, *steps = LETTER.read_text().split("    @action")
    number = 0
    while text.count("\n") < lines:
        step = steps[number % len(steps)].rstrip().replace("    def ", f"    def s{number}_", 1)
        text += f"    @action{step}\n\n"
        number += 1
    return text


# Records in order


def in_order(rounds: int) -> dict[str, float]:
    """Ten thousand records read by index, a thousand a page, from LMDB through the view that a contract reads."""
    with _state({"many": INDEXED}) as (ledger, state):
        caller = _caller("alice")
        calls = (
            _call("many", "note", {"id": number * 7919 % RECORDS, "day": _day(number * 31 % 365)}, caller)
            for number in range(RECORDS)
        )
        _fill(ledger, state, calls)

        def read() -> None:
            view, after, rows = View(state, _indexes_of(ledger)), None, 0
            while page := view.select("many", "Deal", "day", None, None, PAGE, after):
                rows += len(page)
                key, stored = page[-1]
                day = ledger.programs["many"][0][1].shapes["Deal"].load(stored.value)[0]["day"]
                after = (b"\x01" + day.encode(), key)
            if rows != RECORDS:
                raise RuntimeError(rows)

        found = interleaved({"read": read}, rounds, runs_each=1)["read"]
    return {"records_10000_by_index_ms": statistics.median(found) / 1000}


def _day(number: int) -> str:
    return f"2026-{number // 31 + 1:02d}-{number % 28 + 1:02d}"


# Steps


def steps(rounds: int) -> dict[str, float]:
    """CPU for 100,000 steps: of payments, and of the worst that people thought of; `contracts_worst` searches on."""
    call, ledger, _, _ = _cases()["transfer"]
    taken = execution.run(call, ledger, ledger, STEPS).steps
    found = interleaved({"pay": lambda: execution.run(call, ledger, ledger, STEPS)}, rounds)["pay"]
    results = {"steps_100000_payments_ms": statistics.median(found) / taken * STEPS / 1000}
    measured = {name: _loop_ms(body) for name, body in hostile.LOOPS.items()} | {
        made.name: made.seconds * 1000 / made.steps * STEPS
        for made in measure_all(0, 1, "seconds")
        if made.steps >= STEPS_SHOWN
    }
    for name, ms in sorted(measured.items(), key=lambda item: item[1]):
        print(f"100,000 steps, {name:34} {ms:7.1f} ms", flush=True)
    return results | {"steps_100000_worst_ms": max(measured.values())}


def _loop_ms(body: str) -> float:
    caller = _caller("alice")
    with _state({"hostile": hostile.loop(body)}) as (ledger, state):
        _fill(ledger, state, (_call("hostile", "make", {"a": number}, caller) for number in range(1_100)))
        call = _call("hostile", "take", {"r": 1, "n": 10**6, "m": _euro(100_000)}, caller)
        best = []
        for _ in range(3):
            view = View(state, _indexes_of(ledger))
            begun = time.process_time()
            ran = execution.run(call, ledger, view, STEPS)
            best.append((time.process_time() - begun) * 1000 / ran.steps * STEPS)
            if ran.error is not None:
                raise RuntimeError(body) from ran.error
    return statistics.median(best)


# A state in LMDB


@contextmanager
def _state(sources: dict[str, str]) -> Iterator[tuple[Ledger, State]]:
    """Contracts deployed in memory, and a state beside them for their records."""
    ledger = Ledger(members={"alice", "bob", "bank", "reg"})
    for name, source in sources.items():
        ledger.deploy(name, source)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        state = State(Path(folder) / "state", _indexes_of(ledger), durable=False)
        try:
            yield ledger, state
        finally:
            state.close()


def _indexes_of(ledger: Ledger) -> Callable[[str, str], tuple[str, ...]]:
    def find(contract: str, record: str) -> tuple[str, ...]:
        versions = ledger.programs.get(contract)
        declared = None if versions is None else versions[-1][1].manifest.records.get(record)
        return () if declared is None else declared.indexes

    return find


def _fill(ledger: Ledger, state: State, calls: Iterator[Call]) -> None:
    """Applies calls as entries of one block, and leaves them to LMDB alone."""
    view, entered = View(state, _indexes_of(ledger)), []
    for seq, call in enumerate(calls, 1):
        ran = execution.run(call, ledger, view, STEPS)
        if ran.code != execution.OK:
            raise RuntimeError(ran)
        view.write(seq, ran.writes)
        entered.append(Entered(seq, seq.to_bytes(32, "big"), 0, ran.writes))
    state.apply(BlockPlace(1, 1, Location(0, 0, 0)), entered)
    zero = bytes(32)
    size = len(entered) + 1
    position = Position(0, 0, zero, 2)
    applied = Applied(
        format=FORMAT,
        ledger=zero,
        size=size,
        time=TIME,
        header=zero,
        root=zero,
        position=position,
        checkpoints=0,
    )
    state.flush(applied)
    state.flush(applied)  # what the last one moved is kept in memory


# Measuring


def interleaved(runs: dict[str, Callable[[], Any]], rounds: int, runs_each: int = RUNS) -> dict[str, list[float]]:
    """CPU time of each in every round, us a run."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        gc.collect()
        for name, run in runs.items():
            begun = time.process_time()
            for _ in range(runs_each):
                run()
            found[name].append((time.process_time() - begun) / runs_each * 1e6)
    return found


def _ratio(over: list[float], under: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def _less(whole: list[float], part: list[float]) -> list[float]:
    return [a - b for a, b in zip(whole, part, strict=True)]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=21)
    for name, value in contracts(parser.parse_args().rounds).items():
        print(f"{name:36} {value:10.3f}")


if __name__ == "__main__":
    main()
