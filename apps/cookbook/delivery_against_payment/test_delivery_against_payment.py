"""Both legs or neither, never one alone.

Run by `hansa contract test .`, or by pytest.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hansa.testing import Contract, Ledger, Refused
from hypothesis import given, settings
from hypothesis import strategies as st

BOND, SHARE = "XS0000000001", "US0000000002"
TRADE = {"id": "t1", "buyer": "ben", "source": "ann-1", "units": 60, "price": "USD 9.00", "day": "2030-01-01"}


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


@pytest.fixture(scope="module")
def opened(new_ledger: Callable[[], Ledger]) -> Contract:
    """Ann has bonds, Ben and Eve have cash."""
    ledger = new_ledger()
    contract = ledger.deploy("contract.py")
    ledger.member("bank", attributes=["licence:bank"])
    bank = contract.by("bank")
    for owner, balance in (("ann", 0), ("ben", 1_000), ("eve", 1_000)):
        ledger.member(owner)
        bank.open_account(owner=owner, balance=usd(balance))
    for number, owner, security, units in (
        ("ann-1", "ann", BOND, 100),
        ("ben-1", "ben", BOND, 0),
        ("ben-2", "ben", SHARE, 0),
        ("eve-1", "eve", BOND, 0),
    ):
        bank.open_holding(number=number, owner=owner, security=security, units=units)
    return contract


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def trades(opened: Contract) -> Contract:
    """Ann proposes to sell Ben bonds."""
    contract = forked(opened)
    contract.by("ann").propose(**TRADE)
    return contract


def legs(trades: Contract) -> tuple[list[int], list[int]]:
    units = {row["number"]: row["units"] for row in trades.records("Holding")}
    cash = {row["owner"]: row["balance"]["minor"] for row in trades.records("Account")}
    return [units[number] for number in ("ann-1", "ben-1", "eve-1")], [cash[owner] for owner in ("ann", "ben", "eve")]


@pytest.mark.parametrize("by", ["ann", "ben"])
def test_both_legs_are_done_at_once(trades: Contract, by: str) -> None:
    trades.by("ben").affirm(trade="t1", target="ben-1")
    assert legs(trades) == ([100, 0, 0], [0, 1000, 1000])
    settled = trades.by(by).settle(trade="t1")
    assert settled.event("trade.settled") == {"id": "t1", "units": 60, "price": usd(900)}
    assert legs(trades) == ([40, 60, 0], [900, 100, 1000])
    with pytest.raises(Refused, match=r"state\.denied"):
        trades.by(by).settle(trade="t1")
    with pytest.raises(Refused, match=r"state\.denied"):
        trades.by(by).cancel(trade="t1")


def test_without_cash_no_units_move(trades: Contract) -> None:
    trades.by("ben").affirm(trade="t1", target="ben-1")
    trades.by("ann").propose(**TRADE | {"id": "t2", "units": 10, "price": "USD 2.00"})
    trades.by("ben").affirm(trade="t2", target="ben-1")
    trades.by("ben").settle(trade="t2")
    with pytest.raises(Refused, match=r"ben has USD 8\.00 of USD 9\.00"):
        trades.by("ann").settle(trade="t1")
    assert legs(trades) == ([90, 10, 0], [200, 800, 1000])


def test_the_same_units_are_not_sold_twice(trades: Contract) -> None:
    trades.by("ann").propose(**TRADE | {"id": "t2", "buyer": "eve"})
    trades.by("ben").affirm(trade="t1", target="ben-1")
    trades.by("eve").affirm(trade="t2", target="eve-1")
    trades.by("eve").settle(trade="t2")
    with pytest.raises(Refused, match="ann has 40 of 60 units"):
        trades.by("ben").settle(trade="t1")
    assert legs(trades) == ([40, 0, 60], [900, 1000, 100])


def test_it_settles_from_its_day_on(trades: Contract) -> None:
    trades.by("ann").propose(**TRADE | {"id": "t2", "day": "2030-01-02"})
    trades.by("ben").affirm(trade="t2", target="ben-1")
    with pytest.raises(Refused, match="it settles from 2030-01-02 on"):
        trades.by("ben").settle(trade="t2")
    trades.ledger.clock.set("2030-01-02")
    trades.by("ben").settle(trade="t2")


def test_what_both_agreed_to_is_left_after_days_of_grace_alone(trades: Contract) -> None:
    trades.by("ben").affirm(trade="t1", target="ben-1")
    for _ in range(3):
        with pytest.raises(Refused, match="can be cancelled after 2030-01-03"):
            trades.by("ben").cancel(trade="t1")
        trades.ledger.clock.advance(days=1)
    trades.by("ben").cancel(trade="t1")
    with pytest.raises(Refused, match=r"state\.denied"):
        trades.by("ann").settle(trade="t1")
    assert legs(trades) == ([100, 0, 0], [0, 1000, 1000])


@pytest.mark.parametrize("by", ["ann", "ben"])
def test_a_proposal_is_left_by_either(trades: Contract, by: str) -> None:
    trades.by(by).cancel(trade="t1")
    with pytest.raises(Refused, match=r"state\.denied"):
        trades.by("ben").affirm(trade="t1", target="ben-1")


@pytest.mark.parametrize(
    ("by", "action", "why", "arguments"),
    [
        ("ann", "affirm", r"role\.denied", {"target": "ben-1"}),
        ("eve", "affirm", r"role\.denied", {"target": "eve-1"}),
        ("ben", "affirm", "the holding eve-1 is not ben's", {"target": "eve-1"}),
        ("ben", "affirm", "ben-2 holds another security", {"target": "ben-2"}),
        ("ben", "settle", r"state\.denied", {}),
        ("eve", "settle", r"role\.denied", {}),
        ("eve", "cancel", r"role\.denied", {}),
    ],
)
def test_what_is_refused(trades: Contract, by: str, action: str, why: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=why):
        getattr(trades.by(by), action)(trade="t1", **arguments)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": "t1"}, r"record\.exists"),
        ({"source": "ben-1"}, "the holding ben-1 is not ann's"),
        ({"buyer": "ann"}, "ann cannot buy from itself"),
        ({"day": "2029-12-31"}, "2029-12-31 has passed"),
        ({"units": 0}, r"arguments\.invalid"),
        ({"target": "eve-1"}, r"arguments\.invalid"),
        ({"seller": "ben"}, r"arguments\.invalid"),
    ],
)
def test_what_is_not_proposed(trades: Contract, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        trades.by("ann").propose(**TRADE | {"id": "t2"} | wrong)


def test_another_currency_moves_nothing(trades: Contract) -> None:
    trades.by("ann").propose(**TRADE | {"id": "t2", "price": "EUR 0.01"})
    trades.by("ben").affirm(trade="t2", target="ben-1")
    with pytest.raises(Refused, match=r"value\.currency"):
        trades.by("ben").settle(trade="t2")
    assert legs(trades) == ([100, 0, 0], [0, 1000, 1000])


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("open_account", {"owner": "bank", "balance": "USD 0.01"}),
        ("open_holding", {"number": "x", "owner": "ann", "security": BOND, "units": 1}),
    ],
)
def test_only_the_bank_opens(trades: Contract, action: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        getattr(trades.by("ann"), action)(**arguments)
    getattr(trades.by("bank"), action)(**arguments)


AGREED = st.tuples(st.sampled_from([("ben", "ben-1"), ("eve", "eve-1")]), st.integers(1, 150), st.integers(0, 1_500))
SETTLEMENT = st.tuples(st.integers(0, 7), st.sampled_from(["ann", "buyer"]))


@settings(deadline=None)
@given(agreed=st.lists(AGREED, max_size=8), settled=st.lists(SETTLEMENT, max_size=12))
def test_units_and_cash_stay_the_same_and_move_together(
    opened: Contract, agreed: list[tuple[tuple[str, str], int, int]], settled: list[tuple[int, str]]
) -> None:
    trades = forked(opened)
    for number, ((buyer, target), units, price) in enumerate(agreed):
        trades.by("ann").propose(**TRADE | {"id": f"t{number}", "buyer": buyer, "units": units, "price": usd(price)})
        trades.by(buyer).affirm(trade=f"t{number}", target=target)
    units, cash, done = [100, 0, 0], [0, 1_000, 1_000], set[int]()
    for number, by in settled:
        if number < len(agreed):
            (buyer, _), wanted, price = agreed[number]
            at = 1 if buyer == "ben" else 2
            settle = trades.by(buyer if by == "buyer" else by).settle
            if number not in done and units[0] >= wanted and cash[at] >= price:
                settle(trade=f"t{number}")
                done.add(number)
                units[0], units[at] = units[0] - wanted, units[at] + wanted
                cash[0], cash[at] = cash[0] + price, cash[at] - price
            else:
                with pytest.raises(Refused):
                    settle(trade=f"t{number}")
        assert legs(trades) == (units, cash)
    assert (sum(units), sum(cash)) == (100, 2_000)
