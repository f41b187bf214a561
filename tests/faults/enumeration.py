"""The crash enumerations: a recorded run, and what may be left of it by a crash, by a crash in recovery after that,
and by a power failure after a mere kill and a restart.

The tests in `tests/store` run a part of each; `HANSA_CRASH_STATES` says how many states they check (0: all).
`report` runs many runs of each.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from . import workload
from .crashes import Crash, Tally, check_all, chosen, crashes_in_recovery, enumerate_states
from .workload import Ahead, Asked, Ledger, Prepared, Run, read_run, session
from .world import Recorder, Rename, StateFlush, Write, materialise, read_image, recorded_state

STATES = int(os.environ.get("HANSA_CRASH_STATES", "-1"))
CREATION_OPS = 20
"""Operations in the log before the ledger can be opened at all."""


@dataclass
class Recorded:
    """A run with its log: from the making of the ledger to its clean stop."""

    ledger: Ledger
    recorder: Recorder
    run: Run


def states_of(default: int) -> int:
    """How many states a test checks."""
    return default if STATES < 0 else STATES or 1 << 60


def waves(ledger: Ledger, seed: int) -> Iterator[list[Prepared]]:
    """About 45 transactions in 16 blocks, some of them refused; some blocks larger than a segment for odd seeds."""
    chance = Random(seed)
    yield [ledger.deploy()]
    yield [ledger.open(name) for name in "abc"]
    for number in range(14):
        wave = [ledger.add(chance.choice("abc"), chance.randrange(4)) for _ in range(1 + number % 5)]
        if seed % 2 and number in (4, 11):
            wave.append(ledger.any("nothing", {"filler": chance.randbytes(20_000)}))
        yield wave


def scheduling_waves(ledger: Ledger, clock: Ahead) -> Iterator[list[Prepared]]:
    """The same with what ledger time takes: it goes on by 400 ms with each wave, and what is due comes first."""
    yield [ledger.deploy(workload.SCHEDULING)]
    yield [ledger.open(name) for name in "abc"]
    for number in range(12):
        clock.ahead += 400
        wave = [ledger.later("abc"[(number + at) % 3]) for at in range(number % 4)]
        yield [*wave, ledger.add("abc"[number % 3], number % 2)]


@contextmanager
def conditions(seed: int = 0, replay_flush_entries: int = 50_000) -> Iterator[Path]:
    """Small segments, flushes and tiles, no log, a scratch folder."""
    segment_bytes = (16_384, 12_288, 9_000, 20_000)[seed % 4]
    flush_entries = (10, 4, 17, 7)[seed % 4]
    with (
        workload.quiet(),
        workload.remembered(),
        workload.small(segment_bytes, flush_entries, 2 if seed % 3 else 1, replay_flush_entries),
        workload.scratch() as base,
    ):
        yield base


def record(base: Path, seed: int = 0, deaf: tuple[tuple[str, str], ...] = (), *, scheduling: bool = False) -> Recorded:
    """Makes a ledger and runs the workload on it, every operation written down and every answer with it."""
    root = base / "ledger"
    recorder = Recorder(root, deaf=deaf)
    with recorded_state(recorder):
        ledger = Ledger(root, recorder)
        asked = Asked(on_answer=lambda answer: recorder.promise(answer.seq + 1))
        clock = Ahead()
        asking = scheduling_waves(ledger, clock) if scheduling else waves(ledger, seed)
        asyncio.run(session(ledger, recorder, asking, asked, clock=clock))
    run = read_run(root)
    assert scheduling or len(asked.acknowledged) == len(run.ids) - 1
    for answer in asked.acknowledged:
        assert (run.ids[answer.seq], run.outcomes[answer.seq]) == (answer.id, answer.outcome)
    if not deaf:
        assert recorder.world_at(len(recorder.log)).latest() == read_image(root), "the model is not what the disk has"
    return Recorded(ledger, recorder, run)


def crashes(recorded: Recorded, base: Path, most: int, seed: int = 0, random_max: int = 0, torn_max: int = 12) -> Tally:
    """A power failure at any point of the run."""
    tally = Tally()
    states = enumerate_states(recorded.recorder, tally, torn_max, Random(seed), random_max)
    check_all(chosen(states, most), recorded.run, base, tally)
    return tally


def crashes_while_recovering(
    recorded: Recorded, base: Path, firsts: int, most: int, torn_max: int = 3, violations_max: int = 20
) -> Tally:
    """A power failure, and another one at any point of the recovery from it."""
    tally = Tally()
    states = enumerate_states(recorded.recorder, Tally())
    pool = [again for crash in chosen(states, firsts) for again in crashes_in_recovery(crash, base, tally, torn_max)]
    check_all(chosen(pool, most), recorded.run, base, tally, violations_max)
    return tally


def power_failures_after_restart(
    recorded: Recorded, base: Path, restarts: int, most: int, torn_max: int = 2, violations_max: int = 20
) -> Tally:
    """The process is killed, but the system lives: what was written is seen by the node that starts again, synced or
    not. That node serves what it found, takes two more transactions, and then the power fails.
    """
    tally = Tally()
    log = recorded.recorder.log
    cuts = [i for i, op in enumerate(log, 1) if isinstance(op, Write | Rename | StateFlush) and i > CREATION_OPS + 2]
    pools: list[tuple[Run, list[Crash]]] = []
    for number in range(min(restarts, len(cuts))):
        cut = cuts[number * len(cuts) // min(restarts, len(cuts))]
        pools.append(restarted(recorded, base, cut, tally, torn_max))
    each = max(1, most // max(1, len(pools)))
    for run, states in pools:
        check_all(chosen(states, each), run, base, tally, violations_max)
        if len(tally.violations) >= violations_max:
            break
    return tally


def restarted(recorded: Recorded, base: Path, cut: int, tally: Tally, torn_max: int) -> tuple[Run, list[Crash]]:
    """A kill after so many operations and a restart; the run that came of it, and its crash states."""
    world = recorded.recorder.world_at(cut)
    place = base / "restarted"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    materialise(world.latest(), place)
    shutil.copytree(recorded.ledger.folder.keys, place / "keys")
    recorder = Recorder(place, world)
    asked = Asked(on_answer=lambda answer: recorder.promise(answer.seq + 1))
    name = f"after-{cut}"
    more = [[recorded.ledger.open(name)], [recorded.ledger.add(name)]]

    async def main() -> None:
        node = await session(
            recorded.ledger,
            recorder,
            more,
            asked,
            stop=False,
            opened=lambda node: recorder.promise(node.reading.tip.size),
            root=place,
        )
        await workload.abandon(node)

    with recorded_state(recorder):
        asyncio.run(main())
    states = enumerate_states(recorder, tally, torn_max)
    for state in states:
        state.about = f"{state.about}; killed after operation {cut} of the run before, then started again"
    return read_run(place), states
