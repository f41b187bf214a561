"""What `linearizability` lets pass, and what it finds: a check of faults that finds none says nothing by itself."""

import math
from random import Random

import pytest

from .linearizability import Operation, violations

OPEN = math.inf


def history(*operations):
    return [Operation("r", value, begun, ended, found) for value, begun, ended, found in operations]


@pytest.mark.parametrize(
    "sound",
    [
        history(),
        history((1, 0, 1, 0), (None, 2, 3, 1)),
        history((1, 0, 4, 0), (None, 1, 2, 1), (2, 3, 5, 1)),  # at once: seen before it was answered
        history((1, 0, OPEN, 0), (None, 1, 2, 0), (None, 8, 9, 1)),  # unknown, and came late
        history((1, 0, OPEN, 0), (2, 1, OPEN, 0), (3, 5, 6, 1), (None, 7, 8, 3), (None, 9, 10, 2)),
        history((1, 0, OPEN, 0), (None, 1, 2, 0)),  # unknown, and never came
    ],
)
def test_what_can_have_happened(sound):
    assert violations(sound) == []


@pytest.mark.parametrize(
    "wrong",
    [
        history((1, 0, 1, 0), (None, 2, 3, 0)),  # a stale read
        history((1, 0, 1, 0), (2, 2, 3, 0)),  # a lost write
        history((None, 0, 1, 1), (1, 2, 3, 0)),  # seen before it began
        history((1, 0, OPEN, 0), (None, 1, 2, 1), (None, 3, 4, 0)),  # it happened, and then it had not
        history((1, 0, 9, 0), (2, 0, 9, 0)),  # both first
        history((None, 0, 1, 7)),  # from nowhere
        history((1, 0, OPEN, 0), (2, 1, 2, 1), (3, 3, 4, 2), (None, 5, 6, 1)),  # it happened twice
    ],
)
def test_what_cannot(wrong):
    assert violations(wrong) == ["register r: " + f"{len(wrong)} operations that no order explains"]


def drawn(chance, count):
    """A history as a right register gives it, with many at once, and some of which nothing was heard."""
    held, made = 0, []
    for number in range(1, count + 1):
        at = number + chance.uniform(0, 0.5)
        value = number if chance.random() < 0.6 else None
        is_open = chance.random() < 0.1
        happens = not is_open or chance.random() < 0.5
        begun, ended = at - chance.uniform(0, 3), OPEN if is_open else at + chance.uniform(0, 3)
        made.append(Operation("r", value, begun, ended, held))
        if happens and value is not None:
            held = value
    return made


@pytest.mark.parametrize("seed", range(20))
def test_a_long_history_passes_and_one_answer_from_long_ago_in_it_does_not(seed):
    chance = Random(seed)
    made = drawn(chance, 400)
    assert violations(made) == []
    closed = [one for one in made if not one.is_open]
    closed[-1].found = closed[100].found
    assert violations(made) != []
