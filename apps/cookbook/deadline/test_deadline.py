"""In time or not, to the millisecond; more time is the creditor's to give.

Run by `hansa contract test .`, or by pytest.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hansa.testing import START, Contract, Ledger, Refused
from hansa.wire.genesis import Limits
from hypothesis import given, settings
from hypothesis import strategies as st

DAY = timedelta(days=1)
DUE = START + DAY
DUTY = {"id": "d1", "creditor": "ben", "what": "deliver", "due": DUE}
PROOF = bytes(32)


def promised_on(ledger: Ledger) -> Contract:
    """Ann owes Ben something until tomorrow."""
    for member in ("ann", "ben", "eve"):
        ledger.member(member)
    contract = ledger.deploy("contract.py")
    contract.by("ann").promise(**DUTY)
    return contract


@pytest.fixture(scope="module")
def promised(new_ledger: Callable[[], Ledger]) -> Contract:
    return promised_on(new_ledger())


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def deadline(promised: Contract) -> Contract:
    return forked(promised)


def state(deadline: Contract) -> str:
    return deadline.record("Duty", "d1")["state"]


def test_what_is_done_in_time_stays_done(deadline: Contract) -> None:
    deadline.ledger.clock.set(DUE - timedelta(milliseconds=1))
    done = deadline.by("ann").perform(duty="d1", proof=PROOF)
    assert done.event("duty.done") == {"id": "d1", "proof": PROOF}
    (came,) = deadline.ledger.clock.set(DUE)
    assert (came.code, state(deadline)) == ("state.denied", "Done")


def test_what_is_not_lapses_by_itself(deadline: Contract) -> None:
    (came,) = deadline.ledger.clock.set(DUE)
    assert came.event("duty.lapsed") == {"id": "d1", "debtor": "ann"}
    with pytest.raises(Refused, match=r"state\.denied"):
        deadline.by("ann").perform(duty="d1", proof=PROOF)
    with pytest.raises(Refused, match=r"state\.denied"):
        deadline.by("ben").extend(duty="d1", due=DUE + DAY)


def test_it_is_late_even_where_the_lapse_has_to_wait() -> None:
    """A block takes a bounded number of what is due, here one: what comes late must not give more time."""
    ledger = Ledger(folder=Path(__file__).parent, limits=Limits(scheduled_entries=1))
    deadline = promised_on(ledger)
    for number in range(2):
        deadline.by("eve").promise(**DUTY | {"id": f"d0{number}"})  # by their keys they lapse before d1
    ledger.clock.ms += 86_400_000
    with pytest.raises(Refused, match="it was due at"):
        deadline.by("ann").perform(duty="d1", proof=PROOF)
    with pytest.raises(Refused, match="it was due at"):
        deadline.by("ben").extend(duty="d1", due=DUE + DAY)
    ledger.clock.advance(seconds=0)
    assert state(deadline) == "Lapsed"


def test_the_creditor_gives_more_time(deadline: Contract) -> None:
    deadline.by("ben").extend(duty="d1", due=DUE + DAY)
    (early,) = deadline.ledger.clock.set(DUE)
    assert (early.code, state(deadline)) == ("require.failed", "Open")
    deadline.ledger.clock.set(DUE + DAY - timedelta(milliseconds=1))
    assert state(deadline) == "Open"
    deadline.ledger.clock.set(DUE + DAY)
    assert state(deadline) == "Lapsed"


@pytest.mark.parametrize(
    ("by", "action", "why", "arguments"),
    [
        ("ben", "perform", r"role\.denied", {"proof": PROOF}),
        ("ann", "perform", r"arguments\.invalid", {"proof": b"short"}),
        ("ann", "extend", r"role\.denied", {"due": DUE + DAY}),  # nobody gives itself more time
        ("eve", "extend", r"role\.denied", {"due": DUE + DAY}),
        ("ben", "extend", "more time is after", {"due": DUE}),
        ("ben", "extend", "more time is after", {"due": START + DAY / 24}),  # nor less to another
        ("ben", "lapse", r"role\.denied", {}),
    ],
)
def test_what_is_refused(deadline: Contract, by: str, action: str, why: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=why):
        getattr(deadline.by(by), action)(duty="d1", **arguments)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": "d1"}, r"record\.exists"),
        ({"creditor": "ann"}, "ann cannot owe itself"),
        ({"due": START}, r"schedule\.past"),
        ({"debtor": "ben"}, r"arguments\.invalid"),  # nobody promises for another
    ],
)
def test_what_is_not_promised(deadline: Contract, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        deadline.by("ann").promise(**DUTY | {"id": "d2"} | wrong)


@settings(deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(["perform", "extend", "wait"]), st.integers(1, 30)), max_size=10))
def test_it_is_done_before_it_is_due_or_lapses_when_it_is(promised: Contract, steps: list[tuple[str, int]]) -> None:
    deadline = forked(promised)
    due, expected = DUE, "Open"
    for action, hours in steps:
        if action == "wait":
            deadline.ledger.clock.advance(hours=hours)
            expected = "Lapsed" if expected == "Open" and deadline.ledger.clock.now >= due else expected
        elif expected != "Open":
            with pytest.raises(Refused, match=r"state\.denied"):
                deadline.by("ann").perform(duty="d1", proof=PROOF)
            with pytest.raises(Refused, match=r"state\.denied"):
                deadline.by("ben").extend(duty="d1", due=due + timedelta(hours=hours))
        elif action == "perform":
            deadline.by("ann").perform(duty="d1", proof=PROOF)
            expected = "Done"
        else:
            due += timedelta(hours=hours)
            deadline.by("ben").extend(duty="d1", due=due)
        assert state(deadline) == expected
