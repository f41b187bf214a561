"""Who is not on the list, not any more, or not yet, does not trade.

Run by `hansa contract test .`, or by pytest.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hansa.testing import Contract, Ledger, Refused
from hypothesis import given, settings
from hypothesis import strategies as st

ORDER = {"id": "o1", "buyer": "ben", "price": "USD 1.00"}
LAST = "2030-01-03"  # ledger time begins on 2030-01-01

ASKING = '''"""Another contract that goes by the list."""

from hansa.contract import Contract, Interface, Party, action, event, require, view


class AllowList(Interface, contract="allow_list"):
    @view
    def is_allowed(tx, member: Party) -> bool: ...


class Asking(Contract, version="1.0.0"):
    @action(by="member")
    def enter(tx):
        require(AllowList.is_allowed(member=tx.member), "{m} is not on the list", m=tx.member)
        event("entered")
'''


@pytest.fixture(scope="module")
def empty(new_ledger: Callable[[], Ledger]) -> Contract:
    """The list with nobody on it."""
    ledger = new_ledger()
    for keeper in ("keeper", "other"):
        ledger.member(keeper, attributes=["role:compliance"])
    for trader in ("ann", "ben"):
        ledger.member(trader)
    return ledger.deploy("contract.py", "allow_list")


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def listed(empty: Contract) -> Contract:
    """The list with Ann and Ben on it."""
    contract = forked(empty)
    for member in ("ann", "ben"):
        contract.by("keeper").admit(member=member, until=LAST, reason="papers seen")
    return contract


def test_two_on_the_list_trade(listed: Contract) -> None:
    listed.by("ann").place(**ORDER)
    listed.by("ben").fill(order="o1")
    with pytest.raises(Refused, match=r"state\.denied"):
        listed.by("ben").fill(order="o1")


def test_who_nobody_decided_about_does_not(empty: Contract) -> None:
    contract = forked(empty)
    assert contract.view.is_allowed(member="ann") is False
    with pytest.raises(Refused, match="ann is not on the list"):
        contract.by("ann").place(**ORDER)
    contract.by("keeper").admit(member="ann", until=LAST, reason="papers seen")
    with pytest.raises(Refused, match="ben is not on the list"):
        contract.by("ann").place(**ORDER)


@pytest.mark.parametrize("barred", ["ann", "ben"])
def test_who_is_barred_meanwhile_does_not(listed: Contract, barred: str) -> None:
    listed.by("ann").place(**ORDER)
    listed.by("keeper").bar(listing=barred, reason="sanctioned")
    with pytest.raises(Refused, match=f"{barred} was barred"):
        listed.by("ben").fill(order="o1")
    with pytest.raises(Refused, match=f"{barred} was barred"):
        listed.by("ann").place(**ORDER | {"id": "o2"})
    assert listed.view.is_allowed(member=barred) is False
    with pytest.raises(Refused, match=r"state\.denied"):
        listed.by("keeper").bar(listing=barred, reason="again")
    listed.by("keeper").admit(member=barred, until=LAST, reason="cleared")
    listed.by("ben").fill(order="o1")


def test_who_is_on_it_until_a_day_is_on_it_on_that_day(listed: Contract) -> None:
    listed.by("ann").place(**ORDER)
    listed.ledger.clock.advance(days=2)
    assert listed.view.is_allowed(member="ann") is True
    listed.ledger.clock.advance(days=1)
    assert listed.view.is_allowed(member="ann") is False
    with pytest.raises(Refused, match="ann was on the list until 2030-01-03"):
        listed.by("ben").fill(order="o1")
    with pytest.raises(Refused, match="ann was on the list until 2030-01-03"):
        listed.by("ann").place(**ORDER | {"id": "o2"})


@pytest.mark.parametrize(
    ("by", "action", "why", "arguments"),
    [
        ("ann", "admit", r"role\.denied", {"member": "ann", "until": LAST, "reason": "x"}),
        ("keeper", "admit", "cannot admit itself", {"member": "keeper", "until": LAST, "reason": "x"}),
        ("keeper", "admit", "2029-12-31 has passed", {"member": "ann", "until": "2029-12-31", "reason": "x"}),
        ("keeper", "admit", r"arguments\.invalid", {"member": "stranger", "until": LAST, "reason": "x"}),
        ("ann", "bar", r"role\.denied", {"listing": "ben", "reason": "a rival"}),
        ("ann", "place", "cannot buy from itself", {**ORDER, "buyer": "ann"}),
        ("ann", "place", "other is not on the list", {**ORDER, "buyer": "other"}),
        ("keeper", "place", "keeper is not on the list", ORDER),  # it is not on it by being the keeper
    ],
)
def test_what_is_refused(listed: Contract, by: str, action: str, why: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=why):
        getattr(listed.by(by), action)(**arguments)


def test_only_the_buyer_fills(listed: Contract) -> None:
    listed.by("ann").place(**ORDER)
    with pytest.raises(Refused, match=r"role\.denied"):
        listed.by("ann").fill(order="o1")


def test_other_contracts_go_by_it(listed: Contract) -> None:
    asking = listed.ledger.deploy_source("asking", ASKING)
    asking.by("ann").enter()
    listed.by("keeper").bar(listing="ann", reason="sanctioned")
    for who in ("ann", "other"):
        with pytest.raises(Refused, match=f"{who} is not on the list"):
            asking.by(who).enter()


def is_taken(act: Callable[..., Any], **arguments: Any) -> bool:
    """Whether the rules apply it."""
    try:
        act(**arguments)
    except Refused:
        return False
    return True


ACTIONS = st.sampled_from(["admit", "bar", "place", "fill", "wait"])
STEP = st.tuples(ACTIONS, st.sampled_from(["ann", "ben"]), st.integers(0, 3))


@settings(deadline=None)
@given(steps=st.lists(STEP, max_size=20))
def test_only_members_on_the_list_trade(empty: Contract, steps: list[tuple[str, str, int]]) -> None:
    contract = forked(empty)
    until, day, state = {"ann": -1, "ben": -1}, 0, "none"
    for action, who, days in steps:
        both = all(last >= day for last in until.values())
        match action:
            case "admit":
                until[who] = day + days
                last = date(2030, 1, 1) + timedelta(day + days)
                contract.by("keeper").admit(member=who, until=last, reason="x")
            case "bar":
                if is_taken(contract.by("keeper").bar, listing=who, reason="x"):
                    until[who] = -1
            case "place":
                placed = is_taken(contract.by("ann").place, **ORDER)
                assert placed is (state == "none" and both)
                state = "Placed" if placed else state
            case "fill":
                filled = is_taken(contract.by("ben").fill, order="o1")
                assert filled is (state == "Placed" and both)
                state = "Filled" if filled else state
            case _:
                contract.ledger.clock.advance(days=days)
                day += days
