"""Enumerates what a crash may leave on the disk and has every such state recovered and checked.

`enumerate_states` goes through all cut points of a recorded run; `check` is what must hold of a folder after
recovery: nothing promised is missing, nothing is there twice, everything is what it was.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

from hansa.contracts import schedules
from hansa.merkle import checkpoint as merkle_checkpoint
from hansa.node.reading import Reading
from hansa.node.recovery import Recovered, recover
from hansa.store.files import Disk, Files
from hansa.store.folder import Folder
from hansa.store.journal import Scan
from hansa.wire import order
from hansa.wire.keys import PublicKey
from hansa.wire.limits import INTEGER_MAX
from hansa.wire.problems import HansaError

from .workload import CONTRACT, Run
from .world import STATE_FILE, Image, Recorder, materialise, read_image, recorded_state, variants, world_of


@dataclass
class Crash:
    """One state of the disk: after how many operations, what came through, what had been promised by then."""

    cut: int
    about: str
    promised: int
    image: Image


@dataclass
class Tally:
    """What an enumeration came to."""

    generated: int = 0
    distinct: int = 0
    checked: int = 0
    cut: int = 0  # recoveries that cut a torn unit
    sizes: set[int] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.generated} crash states, {self.distinct} distinct, {self.checked} recovered and checked "
            f"({self.cut} with a torn unit cut, {len(self.sizes)} different sizes), {len(self.violations)} violations"
        )


def close(parts: Recovered) -> None:
    for part in (parts.state, parts.rows, parts.checkpoints, parts.segments):
        part.close()


def enumerate_states(
    recorder: Recorder, tally: Tally, torn_max: int = 12, chance: Random | None = None, random_max: int = 0
) -> list[Crash]:
    """Every distinct crash state of a recorded run, with the most that had been promised when it can arise."""
    found: dict[frozenset[tuple[str, bytes]], Crash] = {}
    for cut, world in recorder.worlds():
        for about, image in variants(world, torn_max, chance, random_max):
            tally.generated += 1
            key = frozenset(image.items())
            known = found.get(key)
            if known is None:
                found[key] = Crash(cut, about, world.promised, image)
            elif world.promised > known.promised:
                known.cut, known.about, known.promised = cut, about, world.promised
    tally.distinct += len(found)
    return list(found.values())


def chosen(states: list[Crash], most: int) -> list[Crash]:
    """`most` of the states, evenly over the run."""
    if len(states) <= most:
        return states
    return [states[i * len(states) // most] for i in range(most)]


def check(root: Path, run: Run, promised: int, files: Files | None = None) -> int:
    """Recovers the ledger in a folder and checks it whole; its size. Raises `AssertionError` with what is wrong."""
    parts = recover(files or Disk(), Folder(root))
    try:
        size = parts.tip.size
        assert size >= promised, f"{promised} entries were promised, {size} are there"
        assert size in run.roots, f"the ledger ends inside a block, at {size}"
        blocks, expected = run.roots[size]
        assert parts.tip.height == blocks
        assert size == 0 or parts.tiles.root() == expected, "the root is another"
        check_journal(parts, run, blocks)
        check_index(parts, run, size)
        check_tree(parts, run, size)
        return size
    finally:
        close(parts)


def check_journal(parts: Recovered, run: Run, blocks: int) -> None:
    scan = Scan(parts.segments)
    found = [data for _, unit in scan for data, _ in unit]
    assert scan.broken is None, "the journal is still torn after recovery"
    assert scan.position == parts.end
    assert found == run.blocks[:blocks], "the journal's blocks are not what was written"


def check_index(parts: Recovered, run: Run, size: int) -> None:
    """Each entry is found by its id, once, as it was answered; the records are those of this size."""
    reading = Reading(parts.segments, parts.state, parts.tiles, parts.checkpoints, parts.directory, parts.tip)
    for seq in range(size):
        assert reading.find(run.ids[seq]) == seq, f"entry {seq} is not found by its id"
        found = reading.at(seq)
        assert (found.id, found.outcome) == (run.ids[seq], run.outcomes[seq]), f"entry {seq} is another"
    assert all(reading.find(id) is None for id in run.ids[size : size + 3])
    assert len(list(parts.state.rows("ids"))) + len(parts.state._new_ids) == size
    if size:
        first, last = order.indexed_bytes(0), order.indexed_bytes(INTEGER_MAX)
        due = parts.state.select(schedules.CONTRACT, schedules.RECORD, schedules.FIELD, first, last, 1000)
        assert sorted(stored.value for _, stored in due) == run.due(size), "something else is to come"
    page = parts.state.select(CONTRACT, "Count", None, None, None, 1000)
    assert tuple((key, stored.seq, stored.value) for key, stored in page) == run.counts(size), "other records"
    if CONTRACT in parts.directory.programs:
        odd = parts.state.select(CONTRACT, "Count", "odd", b"\x01\x01", b"\x01\x01", 1000)
        assert [key for key, _ in odd] == run.odd(size), "the index is not of these records"


def check_tree(parts: Recovered, run: Run, size: int) -> None:
    assert [parts.tiles.node(0, seq) for seq in range(size)] == run.leaves[:size], "the tree's leaves are others"
    for row, expected in enumerate(run.rows(size)):
        assert parts.rows.read(row, 0, len(expected) // 32) == expected, f"row {row} of the tree is another"
    before = 0
    for number in range(parts.checkpoints.count):
        head = parts.checkpoints.get(number)
        assert head is not None, f"checkpoint {number} is damaged"
        assert before < head.size <= size, f"checkpoint {number} has size {head.size} after {before}, of {size}"
        assert head.root == run.roots[head.size][1], f"checkpoint {number} has another root"
        assert is_signed(head, parts.directory.checkpoint_keys[head.kid].spki)
        before = head.size


@cache
def is_signed(head: merkle_checkpoint.Checkpoint, spki: bytes) -> bool:
    """Whether a checkpoint is good; each stands in hundreds of states."""
    return merkle_checkpoint.verify(head, PublicKey(spki))


def check_crash(crash: Crash, run: Run, place: Path, tally: Tally, *, creation: bool = True) -> None:
    """Has one state recovered twice: the second time nothing changes. What is wrong is noted in the tally."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    materialise(crash.image, place)
    tally.checked += 1
    about = f"after operation {crash.cut} ({crash.about}), {crash.promised} promised"
    try:
        try:
            size = check(place, run, crash.promised)
        except HansaError as error:
            if creation and error.code == "folder.none" and not crash.promised:
                return  # the ledger was still being made: there is none yet
            raise
        tally.sizes.add(size)
        tally.cut += any((place / "cut").iterdir()) if (place / "cut").is_dir() else 0
        once = read_image(place)
        assert check(place, run, crash.promised) == size, "a second recovery finds another size"
        again = read_image(place)
        once.pop(STATE_FILE, None), again.pop(STATE_FILE, None)
        assert once == again, f"a second recovery changes {[p for p in again if again[p] != once.get(p)]}"
    except Exception as error:
        tally.violations.append(f"{about}: {type(error).__name__}: {error}")


def check_all(states: Iterable[Crash], run: Run, base: Path, tally: Tally, violations_max: int = 20) -> None:
    for number, crash in enumerate(states):
        check_crash(crash, run, base / f"state-{number % 64}", tally)
        if len(tally.violations) >= violations_max:
            return


def crashes_in_recovery(crash: Crash, base: Path, tally: Tally, torn_max: int = 3) -> Iterator[Crash]:
    """The states that a second crash may leave while the first is being recovered from."""
    place = base / "recovered"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    materialise(crash.image, place)
    recorder = Recorder(place, world_of(crash.image))
    try:
        with recorded_state(recorder):
            close(recover(recorder, Folder(place)))
    except HansaError as error:
        if error.code != "folder.none":
            raise
        return
    for again in enumerate_states(recorder, tally, torn_max=torn_max):
        about = f"{crash.about}; in recovery, after its operation {again.cut}: {again.about}"
        yield Crash(crash.cut, about, crash.promised, again.image)
