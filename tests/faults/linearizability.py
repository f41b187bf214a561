"""Whether what clients saw of registers can have happened one thing after the other, each while it was asked.

After Wing and Gong (Testing and Verifying Concurrent Objects, 1993), with states that were met before left out, as
Lowe did; a register is checked for itself (Herlihy and Wing, 1990: linearizability is local). An operation whose
outcome is unknown has no end: it may have happened at any time since it began, or never.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass
class Operation:
    """One that puts `value` into a register, or reads it if there is none, and tells what was in it.

    `begun` and `ended` are of one clock; `found` counts only once it has ended.
    """

    register: str
    value: int | None
    begun: float
    ended: float = math.inf
    found: int = 0

    @property
    def is_open(self) -> bool:
        return self.ended == math.inf


def violations(operations: Iterable[Operation]) -> list[str]:
    """The registers whose history cannot have happened. All begin with 0, and no value is written twice."""
    found: defaultdict[str, list[Operation]] = defaultdict(list)
    for one in operations:
        found[one.register].append(one)
    return [
        f"register {name}: {len(history)} operations that no order explains"
        for name, history in sorted(found.items())
        if not _can_happen(history)
    ]


def _can_happen(history: list[Operation]) -> bool:
    # What is open and was never seen by another may as well not have happened: what comes behind it did not see it.
    seen = {one.found for one in history if not one.is_open}
    kept = [one for one in history if not one.is_open or one.value in seen]
    kept.sort(key=lambda one: one.begun)
    closed = sum(1 << at for at, one in enumerate(kept) if not one.is_open)
    met: set[tuple[int, int]] = set()
    paths = [_next(kept, 0, 0)]
    if not closed:
        return True
    while paths:
        for done, value in paths[-1]:
            if done & closed == closed:
                return True
            if (done, value) not in met:
                met.add((done, value))
                paths.append(_next(kept, done, value))
                break
        else:
            paths.pop()
    return False


def _next(history: list[Operation], done: int, value: int) -> Iterator[tuple[int, int]]:
    """What may come next: those that had begun before any other of the rest ended; what is known first."""
    first = (~done & (done + 1)).bit_length() - 1
    rest: list[tuple[int, Operation]] = []
    end = math.inf
    for at in range(first, len(history)):
        one = history[at]
        if one.begun > end:
            break
        if not done >> at & 1:
            rest.append((at, one))
            end = min(end, one.ended)
    for at, one in sorted(rest, key=lambda each: each[1].is_open):
        if one.begun <= end and (one.is_open or one.found == value):
            yield done | 1 << at, value if one.value is None else one.value
