"""`make fuzz`: many generated ledgers on both implementations, and the smallest program on which they differ.

python -m tests.contracts.fuzz [--programs 20000] [--seed N] [--processes 2]
"""

import argparse
import gc
import multiprocessing
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from tests.contracts import agreement
from tests.contracts.choices import seeded
from tests.contracts.grammar import Invoke, Step, generate

from hansa.contracts.diagnostics import ContractInvalid

_CHUNK = 50


class Played(NamedTuple):
    """What came of some programs."""

    programs: int
    codes: Counter[str]
    used: Counter[str]
    findings: Counter[str]
    failing: list[int]  # seeds


def play_seeds(seeds: range) -> Played:
    """What comes of the programs of these seeds. Syntax trees are many and short-lived: they are collected once."""
    gc.disable()
    try:
        return _played(seeds)
    finally:
        gc.enable()
        gc.collect()


def _played(seeds: range) -> Played:
    codes: Counter[str] = Counter()
    used: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    failing: list[int] = []
    for seed in seeds:
        generated = generate(seeded(seed))
        try:
            codes += agreement.play(generated.steps)
            used.update(generated.used)
        except ContractInvalid as invalid:
            findings[invalid.diagnostics[0].code] += 1
        except Exception:
            failing.append(seed)
    return Played(len(seeds), codes, used, findings, failing)


def together(parts: Iterator[Played]) -> Iterator[Played]:
    """The sum so far, after each part."""
    total = Played(0, Counter(), Counter(), Counter(), [])
    for part in parts:
        total = Played(*(one + other for one, other in zip(total, part, strict=True)))
        yield total


def show(steps: list[Step]) -> str:
    """Steps for people."""
    return "\n".join(
        f"--- {step}" if isinstance(step, Invoke) else f"--- {type(step).__name__} {step.name}\n{step.source}"
        for step in steps
    )


def explained(steps: list[Step]) -> str:
    """How the implementations differ on steps."""
    try:
        agreement.play(steps)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "they agree"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**40))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print(f"seed {options.seed}: the same again with --seed {options.seed}")
    began = time.monotonic()
    end = options.seed + options.programs
    chunks = [range(at, min(at + _CHUNK, end)) for at in range(options.seed, end, _CHUNK)]
    total = Played(0, Counter(), Counter(), Counter(), [])
    with multiprocessing.Pool(options.processes) as pool:
        for total in together(pool.imap_unordered(play_seeds, chunks)):
            print(
                f"\r{total.programs} programs, {total.codes.total()} calls, {time.monotonic() - began:.0f} s",
                end="",
                flush=True,
            )
            if total.failing:
                break
    print(f"\nconstructs: {_listed(total.used)}\noutcomes: {_listed(total.codes)}\nfindings: {_listed(total.findings)}")
    if not total.failing:
        return 0
    seed = min(total.failing)
    print(f"\nthe implementations differ on seed {seed}; making it small ...", flush=True)
    steps = agreement.shrunk(generate(seeded(seed)).steps)
    print(f"{show(steps)}\n{explained(steps)}")
    return 1


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"


if __name__ == "__main__":
    sys.exit(main())
