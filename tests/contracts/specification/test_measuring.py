"""What leaves is measured as it will be encoded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.contracts import messages
from hansa.contracts.faults import Fault
from hansa.contracts.specification.measuring import Room, measure, measure_fields
from hansa.contracts.specification.values import Amount, Date, Duration, to_plain
from hansa.wire import cbor

INTEGERS = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    INTEGERS,
    st.text(max_size=300),
    st.binary(max_size=300),
    st.builds(Amount, INTEGERS, st.just("EUR")),
    st.builds(Duration, INTEGERS),
    st.just(Date(2024, 1, 1)),
)
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=30) | st.dictionaries(st.text(max_size=30), v, max_size=5)
)


@given(st.dictionaries(st.text(max_size=30), VALUES, max_size=5))
def test_the_measure_is_the_length_of_the_encoding(fields: dict[str, Any]) -> None:
    length = len(cbor.encode(to_plain(fields)))
    room = Room(length, messages.events_size)
    measure_fields(room, fields)
    assert room.taken == length
    with pytest.raises(Fault) as caught:
        measure_fields(Room(length - 1, messages.events_size), fields)
    assert caught.value.code == "output.events"


def test_an_integer_beyond_64_bits_does_not_leave() -> None:
    with pytest.raises(Fault) as caught:
        measure(Room(100, messages.events_size), [2**63])
    assert caught.value.code == "value.range"


def test_the_walk_ends_where_the_room_does() -> None:
    """So the number behind it is not reached."""
    with pytest.raises(Fault) as caught:
        measure(Room(5, messages.result_size), ["abcde", 2**63])
    assert caught.value.code == "output.result"
