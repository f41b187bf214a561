"""A frame counts down to nothing and no further; what is made is charged and bounded."""

from typing import Any

import pytest

from hansa.contracts.calls import NOBODY, Call
from hansa.contracts.faults import Fault
from hansa.contracts.frame import Frame
from hansa.contracts.prices import MADE_BYTES_MAX, MADE_BYTES_PER_STEP


def framed(steps: int) -> Frame:
    nobody: Any = None  # nothing here asks the host or the reader
    return Frame(Call("c", "a", {}, NOBODY, 0, 1), nobody, nobody, steps, None)


def test_steps_are_counted_down_and_never_below_nothing() -> None:
    frame = framed(5)
    frame.charge(5)
    assert (frame.left, frame.used) == (0, 5)
    with pytest.raises(Fault) as caught:
        frame.charge(1)
    assert (caught.value.code, frame.left, frame.used) == ("steps.exceeded", 0, 5)


def test_what_is_made_is_charged_by_128_bytes() -> None:
    frame = framed(10)
    frame.make(MADE_BYTES_PER_STEP - 1)
    assert (frame.used, frame.made) == (0, 127)
    frame.make(9 * MADE_BYTES_PER_STEP)
    assert (frame.used, frame.made) == (9, 127 + 9 * 128)
    with pytest.raises(Fault) as caught:
        frame.make(2 * MADE_BYTES_PER_STEP)
    assert (caught.value.code, frame.used) == ("steps.exceeded", 10)


def test_a_transaction_makes_sixteen_mebibytes_and_no_more() -> None:
    frame = framed(10**9)
    frame.make(MADE_BYTES_MAX)
    with pytest.raises(Fault) as caught:
        frame.make(1)
    assert caught.value.code == "value.made"
