"""Never one person, never another member's, never the member's bare key.

Run by `hansa contract test .`, or by pytest.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hansa.testing import START, Contract, Ledger, Refused, amount
from hypothesis import given, settings
from hypothesis import strategies as st

MAY_PAY = ("bank/ann", "bank/ben", "rival/dan")
EVERYBODY = ("bank", "rival", "bank/cat", *MAY_PAY)
PAYMENT = {"id": "p1", "to": "rival", "amount": "USD 1.00", "purpose": "rent"}
END = START + timedelta(days=3)


@pytest.fixture(scope="module")
def empty(new_ledger: Callable[[], Ledger]) -> Contract:
    ledger = new_ledger()
    ledger.member("bank", users=["cat"])
    ledger.member("rival")
    for user in MAY_PAY:
        ledger.user(user, attributes=["may:pay"])
    return ledger.deploy("contract.py")


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def payments(empty: Contract) -> Contract:
    """Ann has proposed to pay rent."""
    contract = forked(empty)
    contract.by("bank/ann").propose(**PAYMENT)
    return contract


def test_two_persons_pay(payments: Contract) -> None:
    approved = payments.by("bank/ben").approve(payment="p1")
    assert approved.event("payment.approved") == {"id": "p1", "to": "rival", "amount": amount("USD 1.00")}
    record = payments.record("Payment", "p1")
    assert (record["payer"], record["proposer"], record["approver"]) == ("bank", "bank/ann", "bank/ben")
    with pytest.raises(Refused, match=r"state\.denied"):
        payments.by("bank/ben").approve(payment="p1")
    with pytest.raises(Refused, match=r"state\.denied"):
        payments.by("bank/ben").reject(payment="p1")


@pytest.mark.parametrize(
    ("by", "why"),
    [
        ("bank/ann", "bank/ann proposed it; another person approves"),
        ("bank/cat", r"role\.denied"),  # a person without the attribute
        ("rival/dan", r"role\.denied"),  # a person of another member
        ("bank", r"role\.denied"),  # the member's own key is nobody in particular
        ("rival", r"role\.denied"),
    ],
)
def test_others_do_not_approve(payments: Contract, by: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        payments.by(by).approve(payment="p1")
    assert payments.record("Payment", "p1")["approver"] is None


@pytest.mark.parametrize("by", ["bank", "bank/cat"])
def test_others_do_not_propose(payments: Contract, by: str) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        payments.by(by).propose(**PAYMENT | {"id": "p2"})


@pytest.mark.parametrize("by", ["bank/ann", "bank/ben"])
def test_either_stops_it(payments: Contract, by: str) -> None:
    assert payments.by(by).reject(payment="p1").event("payment.rejected") == {"id": "p1", "by": by}
    with pytest.raises(Refused, match=r"state\.denied"):
        payments.by("bank/ben").approve(payment="p1")


def test_a_proposal_ends(payments: Contract) -> None:
    payments.ledger.clock.set(END)
    with pytest.raises(Refused, match="the proposal ended at"):
        payments.by("bank/ben").approve(payment="p1")


def test_a_proposal_has_not_ended_just_before(payments: Contract) -> None:
    payments.ledger.clock.set(END - timedelta(milliseconds=1))
    payments.by("bank/ben").approve(payment="p1")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": "p1"}, r"record\.exists"),  # nobody replaces what another is about to approve
        ({"amount": "USD 0.00"}, "a payment is positive"),
        ({"to": "bank"}, "bank cannot pay itself"),
        ({"to": "stranger"}, r"arguments\.invalid"),
        ({"payer": "rival"}, r"arguments\.invalid"),
        ({"proposer": "bank/ben"}, r"arguments\.invalid"),
    ],
)
def test_what_is_not_proposed(payments: Contract, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        payments.by("bank/ann").propose(**PAYMENT | {"id": "p2"} | wrong)


STEP = st.tuples(st.sampled_from(EVERYBODY), st.sampled_from(["propose", "approve", "reject"]))


@settings(deadline=None)
@given(steps=st.lists(STEP, max_size=12))
def test_what_is_approved_was_seen_by_two_persons_of_the_payer(empty: Contract, steps: list[tuple[str, str]]) -> None:
    payments = forked(empty)
    for by, action in steps:
        with suppress(Refused):
            getattr(payments.by(by), action)(**(PAYMENT if action == "propose" else {"payment": "p1"}))
    for record in payments.records("Payment"):
        people = {record["proposer"], record["approver"]} - {None}
        assert people <= set(MAY_PAY)
        assert {person.split("/")[0] for person in people} == {record["payer"]}
        assert (len(people) == 2) is (record["state"] == "Approved")
