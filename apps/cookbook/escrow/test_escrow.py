"""The money is somewhere, goes one way, and once.

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

PEOPLE = ("ann", "ben", "cat")
MONEY = 1_000
UNTIL = START + timedelta(days=1)
DEAL = {"id": "d1", "seller": "ben", "arbiter": "cat", "amount": "USD 3.01", "until": UNTIL}


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


@pytest.fixture(scope="module")
def opened(new_ledger: Callable[[], Ledger]) -> Contract:
    """Everybody has ten dollars."""
    ledger = new_ledger()
    contract = ledger.deploy("contract.py")
    ledger.member("bank", attributes=["licence:bank"])
    for person in PEOPLE:
        ledger.member(person)
        contract.by("bank").open(owner=person, balance=usd(MONEY))
    return contract


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def escrow(opened: Contract) -> Contract:
    """Ann has set money aside for Ben; Cat is to judge."""
    contract = forked(opened)
    contract.by("ann").fund(**DEAL)
    return contract


def balances(escrow: Contract) -> list[int]:
    return [escrow.view.balance_of(account=person)["minor"] for person in PEOPLE]


def test_money_set_aside_is_nobodys(escrow: Contract) -> None:
    assert balances(escrow) == [699, 1000, 1000]
    with pytest.raises(Refused, match=r"USD 6\.99 does not cover USD 7\.00"):
        escrow.by("ann").fund(**DEAL | {"id": "d2", "amount": "USD 7.00"})


def test_the_buyer_releases_it(escrow: Contract) -> None:
    released = escrow.by("ann").release(deal="d1")
    assert released.event("escrow.released") == {"id": "d1", "to": "ben", "amount": amount("USD 3.01")}
    assert balances(escrow) == [699, 1301, 1000]


def test_the_seller_refunds_it(escrow: Contract) -> None:
    escrow.by("ben").refund(deal="d1")
    assert balances(escrow) == [1000, 1000, 1000]


@pytest.mark.parametrize(
    ("percent", "after"), [(0, [1000, 1000]), (100, [699, 1301]), (50, [849, 1151]), (33, [901, 1099])]
)
def test_the_arbiter_divides_it_to_the_cent(escrow: Contract, percent: int, after: list[int]) -> None:
    escrow.by("cat").decide(deal="d1", percent_to_seller=percent)
    assert balances(escrow) == [*after, 1000]


def test_silence_gives_it_back(escrow: Contract) -> None:
    assert escrow.ledger.clock.set(UNTIL - timedelta(milliseconds=1)) == []
    (came,) = escrow.ledger.clock.set(UNTIL)
    assert came.event("escrow.expired") == {"id": "d1", "amount": amount("USD 3.01")}
    assert balances(escrow) == [1000, 1000, 1000]
    with pytest.raises(Refused, match=r"state\.denied"):
        escrow.by("ann").release(deal="d1")


@pytest.mark.parametrize(
    ("by", "action", "arguments"),
    [("ann", "release", {}), ("ben", "refund", {}), ("cat", "decide", {"percent_to_seller": 10})],
)
def test_it_goes_once(escrow: Contract, by: str, action: str, arguments: dict[str, Any]) -> None:
    getattr(escrow.by(by), action)(deal="d1", **arguments)
    after = balances(escrow)
    with pytest.raises(Refused, match=r"state\.denied"):
        escrow.by("ann").release(deal="d1")
    with pytest.raises(Refused, match=r"state\.denied"):
        escrow.by("ben").refund(deal="d1")
    with pytest.raises(Refused, match=r"state\.denied"):
        escrow.by("cat").decide(deal="d1", percent_to_seller=100)
    (came,) = escrow.ledger.clock.set(UNTIL)
    assert came.code == "state.denied", "what was scheduled finds nothing to do"
    assert balances(escrow) == after


@pytest.mark.parametrize(
    ("by", "action"),
    [("ben", "release"), ("cat", "release"), ("ann", "refund"), ("cat", "refund"), ("bank", "release")],
)
def test_nobody_decides_for_another(escrow: Contract, by: str, action: str) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        getattr(escrow.by(by), action)(deal="d1")


@pytest.mark.parametrize("by", ["ann", "ben", "bank"])
def test_parties_do_not_judge(escrow: Contract, by: str) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        escrow.by(by).decide(deal="d1", percent_to_seller=100)


@pytest.mark.parametrize("percent", [-1, 101])
def test_no_more_than_all_is_divided(escrow: Contract, percent: int) -> None:
    with pytest.raises(Refused, match="a percentage is 0 to 100"):
        escrow.by("cat").decide(deal="d1", percent_to_seller=percent)


def test_time_is_not_taken_by_anybody(escrow: Contract) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        escrow.by("ann").expire(deal="d1")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": "d1"}, r"record\.exists"),
        ({"seller": "ann"}, "ann cannot sell to itself"),
        ({"arbiter": "ann"}, "ann cannot judge its own deal"),
        ({"arbiter": "ben"}, "ben cannot judge its own deal"),
        ({"seller": "bank"}, r"record\.missing"),  # no account: could never be paid
        ({"amount": "USD 0.00"}, "the amount is positive"),
        ({"amount": "EUR 0.05"}, r"value\.currency"),
        ({"until": START}, r"schedule\.past"),
        ({"buyer": "ben"}, r"arguments\.invalid"),  # another's money
    ],
)
def test_what_is_not_funded(escrow: Contract, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        escrow.by("ann").fund(**DEAL | {"id": "d2"} | wrong)


def test_a_seller_of_another_currency_is_refused(escrow: Contract) -> None:
    escrow.by("bank").open(owner="bank", balance="EUR 0.00")
    with pytest.raises(Refused, match="bank takes another currency"):
        escrow.by("ann").fund(**DEAL | {"id": "d2", "seller": "bank"})


def test_only_the_bank_opens_accounts(escrow: Contract) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        escrow.by("ann").open(owner="bank", balance="USD 10000.00")


@settings(deadline=None)
@given(data=st.data())
def test_money_is_neither_made_nor_lost(opened: Contract, data: st.DataObject) -> None:
    escrow = forked(opened)
    clock = escrow.ledger.clock
    for step in range(data.draw(st.integers(0, 15))):
        by = escrow.by(data.draw(st.sampled_from(PEOPLE)))
        action = data.draw(st.sampled_from(["fund", "release", "refund", "decide", "wait"]))
        some = f"d{data.draw(st.integers(0, step))}"
        if action == "wait":
            clock.advance(milliseconds=data.draw(st.integers(1, 86_400_000)))
        elif action == "fund":
            seller, arbiter = data.draw(st.permutations(PEOPLE))[:2]
            terms = {"id": f"d{step}", "seller": seller, "arbiter": arbiter, "until": clock.now + timedelta(days=1)}
            with suppress(Refused):
                by.fund(**terms, amount=usd(data.draw(st.integers(0, MONEY))))
        else:
            percent = {"percent_to_seller": data.draw(st.integers(0, 100))} if action == "decide" else {}
            with suppress(Refused):
                getattr(by, action)(deal=some, **percent)
        held = sum(row["amount"]["minor"] for row in escrow.records("Deal") if row["state"] == "Funded")
        now = balances(escrow)
        assert sum(now) + held == MONEY * len(PEOPLE)
        assert min(now) >= 0
    clock.advance(days=1)
    assert sum(balances(escrow)) == MONEY * len(PEOPLE), "in the end nothing stays behind"
