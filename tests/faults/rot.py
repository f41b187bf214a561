"""Damage to the state's file, page by page: derived, so whatever is wrong with it, the ledger must open.

Each case is recovered in a child process, because LMDB reads through a memory map: some damage is a signal. The
children are forked from a small process of their own: from one that has run ten thousand tests each would take as
long as its memory is large, and would stand still with any lock that another thread held.
"""

import faulthandler
import gc
import os
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from . import enumeration
from .crashes import check
from .workload import Run
from .world import PAGE, STATE_FILE, Image, materialise

KINDS = ("zeros", "ones", "noise", "flips", "shortened")


def damaged(data: bytes, kind: str, page: int, chance: Random) -> bytes:
    """The file with one page gone bad, or cut off before it."""
    at = page * PAGE
    match kind:
        case "zeros":
            bad = bytes(PAGE)
        case "ones":
            bad = b"\xff" * PAGE
        case "noise":
            bad = chance.randbytes(PAGE)
        case "flips":
            changed = bytearray(data[at : at + PAGE])
            for _ in range(3):
                changed[chance.randrange(PAGE)] ^= 1 << chance.randrange(8)
            bad = bytes(changed)
        case _:
            return data[:at]
    return data[:at] + bad + data[at + PAGE :]


def cases(data: bytes, seeds: Iterable[int], kinds: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for seed in seeds:
        chance = Random(seed)
        for kind in kinds:
            for page in range(len(data) // PAGE):
                yield kind, damaged(data, kind, page, chance)


def recover_each(
    image: Image, run: Run, seeds: Iterable[int], kinds: tuple[str, ...] = KINDS
) -> Counter[tuple[str, str]]:
    """What came of each case: "ok", an exception's name, a signal, or what `check` found wrong after recovery."""
    small = subprocess.run(
        [sys.executable, "-m", "tests.faults.rot"],
        input=pickle.dumps((image, run.blocks, list(seeds), kinds)),
        stdout=subprocess.PIPE,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    return pickle.loads(small.stdout)


def _recover_each(
    image: Image, blocks: list[bytes], seeds: list[int], kinds: tuple[str, ...]
) -> Counter[tuple[str, str]]:
    tally: Counter[tuple[str, str]] = Counter()
    run = Run(blocks)
    with enumeration.conditions() as base:
        place = base / "whole"
        materialise(image, place)
        check(place, run, len(run.ids))  # what the children need to know is worked out once, before they are forked
        gc.freeze()
        place = base / "rot"
        for kind, data in cases(image[STATE_FILE], seeds, kinds):
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            materialise({**image, STATE_FILE: data}, place)
            tally[kind, in_child(place, run)] += 1
    return tally


def in_child(place: Path, run: Run) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            faulthandler.disable()
            os.close(reader)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                check(place, run, len(run.ids))
                about = "ok"
            except AssertionError as error:
                about = f"silent: {error}"
            except BaseException as error:
                about = f"{type(error).__module__}.{type(error).__name__}"
            os.write(writer, about.encode()[:500])
        finally:
            os._exit(0)
    os.close(writer)
    about = os.read(reader, 1000).decode()
    os.close(reader)
    _, status = os.waitpid(child, 0)
    return about if status == 0 else f"signal {status & 127}"


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(_recover_each(*pickle.load(sys.stdin.buffer))))
