"""Reads a state that may be damaged and compares it with another: to be run in a worker, which may die of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from hansa.store.state import Applied, State
from hansa.wire.problems import HansaError

DATABASES: Final = ("records", "index", "ids", "window", "blocks")
_DIFFERENCES_MAX: Final = 20
"""Differences of the state told by an audit; then it says how many there are."""

Difference = tuple[str, str, str]
"""The database, the key, and how they differ."""


def read_applied(_: Callable[[], None], folder: Path) -> Applied | None:
    """How far a state has got; None if it is empty. Raises `HansaError` if it holds something and does not say."""
    state = State(folder, _no_indexes, readonly=True, lock=False)
    try:
        applied = state.applied()
        if applied is None and any(next(state.rows(name), None) is not None for name in DATABASES):
            raise HansaError("state.unreadable", "it does not say how far it has got")
        return applied
    finally:
        state.close()


def compare_states(_: Callable[[], None], found: Path, expected: Path) -> list[Difference]:
    """Where a state is not the expected one; the first differences only."""
    theirs, ours = State(found, _no_indexes, readonly=True, lock=False), State(expected, _no_indexes, readonly=True)
    try:
        return [difference for name in DATABASES for difference in _compare(name, theirs, ours)][:_DIFFERENCES_MAX]
    finally:
        theirs.close()
        ours.close()


def _compare(name: str, theirs: State, ours: State) -> list[Difference]:
    differences: list[Difference] = []
    left, right = theirs.rows(name), ours.rows(name)
    a, b = next(left, None), next(right, None)
    while (a is not None or b is not None) and len(differences) < _DIFFERENCES_MAX:
        if a == b:
            a, b = next(left, None), next(right, None)
        elif a is not None and b is not None and a[0] == b[0] and name != "index":
            differences.append((name, repr(a[0]), "its value is not the one that the journal gives"))
            a, b = next(left, None), next(right, None)
        elif b is None or (a is not None and a < b):
            assert a is not None
            differences.append((name, repr(a[0]), "it should not be there"))
            a = next(left, None)
        else:
            differences.append((name, repr(b[0]), "it is missing"))
            b = next(right, None)
    return differences


def _no_indexes(contract: str, record: str) -> tuple[str, ...]:
    return ()
