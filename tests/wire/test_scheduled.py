"""The envelope of an action that ledger time takes: it is read as it was made, and anything else is refused."""

import pytest

from hansa.wire import cbor, scheduled
from hansa.wire.problems import HansaError


def test_it_is_read_as_it_was_made() -> None:
    found = scheduled.read(scheduled.envelope(b"l" * 32, 1_000, "hotel", b"b3", 25 << 16 | 2))
    assert (found.ledger, found.due, found.contract, found.key) == (b"l" * 32, 1_000, "hotel", b"b3")
    assert found.by == 25


@pytest.mark.parametrize(
    "parts", [[], ["tick", b"", 0, "hotel", b"", 0], ["scheduled", b"", "0", "hotel", b"", 0], ["scheduled", b"", 0]]
)
def test_what_is_none_is_refused(parts: list[object]) -> None:
    with pytest.raises(HansaError) as told:
        scheduled.read(cbor.encode(parts))
    assert told.value.code == "entry.form"
