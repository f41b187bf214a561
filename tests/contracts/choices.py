"""Where a generated program's choices come from: a seed, or hypothesis, which can then make a failing one smaller.

The first option of every choice is the simplest, so that less is chosen as hypothesis shrinks.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies

T = TypeVar("T")


class Choices:
    """Choices made by one function that gives an integer within two bounds."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer

    def pick(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def chance(self, percent: int) -> bool:
        return self.integer(0, 99) >= 100 - percent

    def sample(self, options: Sequence[T], least: int, most: int) -> list[T]:
        """Different ones of the options, in their order."""
        count = self.integer(least, min(most, len(options)))
        left = list(range(len(options)))
        return [options[i] for i in sorted(left.pop(self.integer(0, len(left) - 1)) for _ in range(count))]


def seeded(seed: int) -> Choices:
    draw = random.Random(seed).random
    return Choices(lambda least, most: least + int(draw() * (most - least + 1)))


def drawn(data: Any) -> Choices:
    """Choices that hypothesis makes (`data` of `strategies.data()`)."""
    return Choices(lambda least, most: data.draw(strategies.integers(least, most)))
