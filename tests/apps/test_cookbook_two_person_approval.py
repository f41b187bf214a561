"""The cookbook's two-person approval: never one person, never another member's, never the member's bare key."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import DAY, Trial, source

SOURCES = {"two_person_approval": source("cookbook/two_person_approval/contract.py")}
MEMBERS = {
    "bank": set[str](),
    "rival": set[str](),
    "bank/ann": {"may:pay"},
    "bank/ben": {"may:pay"},
    "bank/cat": set[str](),
    "rival/dan": {"may:pay"},
}
PAYMENT = {"id": "p1", "to": "rival", "amount": {"minor": 100, "currency": "USD"}, "purpose": "rent"}


@pytest.fixture
def trial() -> Trial:
    made = Trial(SOURCES, MEMBERS)
    made.done("bank/ann", "propose", **PAYMENT)
    return made


def test_two_persons_pay(trial: Trial) -> None:
    ran = trial.done("bank/ben", "approve", payment="p1")
    assert ran.events[0]["data"] == {"id": "p1", "to": "rival", "amount": PAYMENT["amount"]}
    record = trial.record("Payment", "p1")
    assert (record["payer"], record["proposer"], record["approver"]) == ("bank", "bank/ann", "bank/ben")
    trial.refused("bank/ben", "approve", "state.denied", payment="p1")
    trial.refused("bank/ben", "reject", "state.denied", payment="p1")


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ("bank/ann", "require.failed"),  # the same person
        ("bank/cat", "role.denied"),  # a person without the attribute
        ("rival/dan", "role.denied"),  # a person of another member
        ("bank", "role.denied"),  # the member's own key is nobody in particular
        ("rival", "role.denied"),
    ],
)
def test_others_do_not_approve(trial: Trial, by: str, code: str) -> None:
    trial.refused(by, "approve", code, payment="p1")
    assert trial.record("Payment", "p1")["approver"] is None


@pytest.mark.parametrize("by", ["bank", "bank/cat"])
def test_others_do_not_propose(trial: Trial, by: str) -> None:
    trial.refused(by, "propose", "role.denied", **PAYMENT | {"id": "p2"})


@pytest.mark.parametrize("by", ["bank/ann", "bank/ben"])
def test_either_stops_it(trial: Trial, by: str) -> None:
    assert trial.done(by, "reject", payment="p1").events[0]["data"] == {"id": "p1", "by": by}
    trial.refused("bank/ben", "approve", "state.denied", payment="p1")


def test_who_lost_the_attribute_meanwhile_does_not_approve(trial: Trial) -> None:
    trial.world.attributes["bank/ben"] = frozenset()
    trial.refused("bank/ben", "approve", "role.denied", payment="p1")


def test_a_proposal_ends(trial: Trial) -> None:
    proposed = trial.time
    trial.until(proposed + 3 * DAY)
    trial.refused("bank/ben", "approve", "require.failed", payment="p1")
    again = Trial(SOURCES, MEMBERS)
    again.done("bank/ann", "propose", **PAYMENT)
    again.until(proposed + 3 * DAY - 1)
    again.done("bank/ben", "approve", payment="p1")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id": "p1"}, "record.exists"),  # nobody replaces what another is about to approve
        ({"amount": {"minor": 0, "currency": "USD"}}, "require.failed"),
        ({"to": "bank"}, "require.failed"),
        ({"to": "stranger"}, "arguments.invalid"),
        ({"payer": "rival"}, "arguments.invalid"),
        ({"proposer": "bank/ben"}, "arguments.invalid"),
    ],
)
def test_what_is_not_proposed(trial: Trial, wrong: dict[str, Any], code: str) -> None:
    trial.refused("bank/ann", "propose", code, **PAYMENT | {"id": "p2"} | wrong)


STEP = st.tuples(st.sampled_from(sorted(MEMBERS)), st.sampled_from(["propose", "approve", "reject"]))


@given(st.lists(STEP, max_size=12))
def test_what_is_approved_was_seen_by_two_persons_of_the_payer(steps: list[tuple[str, str]]) -> None:
    trial = Trial(SOURCES, MEMBERS, quick=True)
    for by, action in steps:
        trial.take(by, action, **(PAYMENT if action == "propose" else {"payment": "p1"}))
    for record in trial.records("Payment"):
        people = {record["proposer"], record["approver"]} - {None}
        assert people <= {person for person, has in MEMBERS.items() if "may:pay" in has}
        assert {person.split("/")[0] for person in people} == {record["payer"]}
        assert (len(people) == 2) is (record["state"] == "Approved")
