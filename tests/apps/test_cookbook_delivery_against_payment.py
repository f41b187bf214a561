"""The cookbook's delivery against payment: both legs or neither, never one alone."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import DAY, Trial, source

SOURCES = {"delivery_against_payment": source("cookbook/delivery_against_payment/contract.py")}
MEMBERS = {"bank": {"licence:bank"}, "ann": set[str](), "ben": set[str](), "eve": set[str]()}
BOND, SHARE = "XS0000000001", "US0000000002"
TODAY, TOMORROW = "2023-11-14", "2023-11-15"


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def opened(*, quick: bool = False) -> Trial:
    trial = Trial(SOURCES, MEMBERS, quick=quick)
    for owner, balance in (("ann", 0), ("ben", 1_000), ("eve", 1_000)):
        trial.done("bank", "open_account", owner=owner, balance=usd(balance))
    for number, owner, security, units in (
        ("ann-1", "ann", BOND, 100),
        ("ben-1", "ben", BOND, 0),
        ("ben-2", "ben", SHARE, 0),
        ("eve-1", "eve", BOND, 0),
    ):
        trial.done("bank", "open_holding", number=number, owner=owner, security=security, units=units)
    return trial


def trade(**other: Any) -> dict[str, Any]:
    terms = {"id": "t1", "buyer": "ben", "source": "ann-1", "units": 60, "price": usd(900), "day": TODAY}
    return {**terms, **other}


@pytest.fixture
def trial() -> Trial:
    made = opened()
    made.done("ann", "propose", **trade())
    return made


def legs(trial: Trial) -> tuple[list[int], list[int]]:
    units = [trial.record("Holding", number)["units"] for number in ("ann-1", "ben-1", "eve-1")]
    return units, [trial.record("Account", owner)["balance"]["minor"] for owner in ("ann", "ben", "eve")]


@pytest.mark.parametrize("by", ["ann", "ben"])
def test_both_legs_are_done_at_once(trial: Trial, by: str) -> None:
    trial.done("ben", "affirm", trade="t1", target="ben-1")
    assert legs(trial) == ([100, 0, 0], [0, 1000, 1000])
    trial.done(by, "settle", trade="t1")
    assert legs(trial) == ([40, 60, 0], [900, 100, 1000])
    trial.refused(by, "settle", "state.denied", trade="t1")
    trial.refused(by, "cancel", "state.denied", trade="t1")


def test_without_cash_no_units_move(trial: Trial) -> None:
    trial.done("ben", "affirm", trade="t1", target="ben-1")
    trial.done("ann", "propose", **trade(id="t2", units=10, price=usd(200)))
    trial.done("ben", "affirm", trade="t2", target="ben-1")
    trial.done("ben", "settle", trade="t2")
    trial.refused("ann", "settle", "require.failed", trade="t1")
    assert legs(trial) == ([90, 10, 0], [200, 800, 1000])


def test_the_same_units_are_not_sold_twice(trial: Trial) -> None:
    trial.done("ann", "propose", **trade(id="t2", buyer="eve"))
    trial.done("ben", "affirm", trade="t1", target="ben-1")
    trial.done("eve", "affirm", trade="t2", target="eve-1")
    trial.done("eve", "settle", trade="t2")
    trial.refused("ben", "settle", "require.failed", trade="t1")
    assert legs(trial) == ([40, 0, 60], [900, 1000, 100])


def test_it_settles_from_its_day_on(trial: Trial) -> None:
    trial.done("ann", "propose", **trade(id="t2", day=TOMORROW))
    trial.done("ben", "affirm", trade="t2", target="ben-1")
    trial.refused("ben", "settle", "require.failed", trade="t2")
    trial.until(trial.time + DAY)
    trial.done("ben", "settle", trade="t2")


def test_what_both_agreed_to_is_left_after_days_of_grace_alone(trial: Trial) -> None:
    trial.done("ben", "affirm", trade="t1", target="ben-1")
    for _ in range(3):
        trial.refused("ben", "cancel", "require.failed", trade="t1")
        trial.until(trial.time + DAY)
    trial.done("ben", "cancel", trade="t1")
    trial.refused("ann", "settle", "state.denied", trade="t1")
    assert legs(trial) == ([100, 0, 0], [0, 1000, 1000])


@pytest.mark.parametrize("by", ["ann", "ben"])
def test_a_proposal_is_left_by_either(trial: Trial, by: str) -> None:
    trial.done(by, "cancel", trade="t1")
    trial.refused("ben", "affirm", "state.denied", trade="t1", target="ben-1")


@pytest.mark.parametrize(
    ("by", "action", "code", "arguments"),
    [
        ("ann", "affirm", "role.denied", {"target": "ben-1"}),
        ("eve", "affirm", "role.denied", {"target": "eve-1"}),
        ("ben", "affirm", "require.failed", {"target": "eve-1"}),
        ("ben", "affirm", "require.failed", {"target": "ben-2"}),  # another security
        ("ben", "settle", "state.denied", {}),
        ("eve", "settle", "role.denied", {}),
        ("eve", "cancel", "role.denied", {}),
    ],
)
def test_what_is_refused(trial: Trial, by: str, action: str, code: str, arguments: dict[str, Any]) -> None:
    trial.refused(by, action, code, trade="t1", **arguments)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id": "t1"}, "record.exists"),
        ({"source": "ben-1"}, "require.failed"),  # another's holding
        ({"buyer": "ann"}, "require.failed"),
        ({"day": "2023-11-13"}, "require.failed"),
        ({"units": 0}, "arguments.invalid"),
        ({"target": "eve-1"}, "arguments.invalid"),
        ({"seller": "ben"}, "arguments.invalid"),
    ],
)
def test_what_is_not_proposed(trial: Trial, wrong: dict[str, Any], code: str) -> None:
    trial.refused("ann", "propose", code, **trade(id="t2") | wrong)


def test_another_currency_moves_nothing(trial: Trial) -> None:
    trial.done("ann", "propose", **trade(id="t2", price={"minor": 1, "currency": "EUR"}))
    trial.done("ben", "affirm", trade="t2", target="ben-1")
    trial.refused("ben", "settle", "value.currency", trade="t2")


@pytest.mark.parametrize(
    ("action", "arguments"),
    [
        ("open_account", {"owner": "bank", "balance": usd(1)}),
        ("open_holding", {"number": "x", "owner": "ann", "security": BOND, "units": 1}),
    ],
)
def test_only_the_bank_opens(action: str, arguments: dict[str, Any]) -> None:
    opened().refused("ann", action, "role.denied", **arguments)
    opened().done("bank", action, **arguments)


TRADE = st.tuples(st.sampled_from([("ben", "ben-1"), ("eve", "eve-1")]), st.integers(1, 150), st.integers(0, 1_500))
SETTLEMENT = st.tuples(st.integers(0, 7), st.sampled_from(["ann", "buyer"]))


@given(st.lists(TRADE, max_size=8), st.lists(SETTLEMENT, max_size=12))
def test_units_and_cash_stay_the_same_and_move_together(
    trades: list[tuple[tuple[str, str], int, int]], settled: list[tuple[int, str]]
) -> None:
    trial = opened(quick=True)
    for number, ((buyer, target), units, price) in enumerate(trades):
        trial.done("ann", "propose", **trade(id=f"t{number}", buyer=buyer, units=units, price=usd(price)))
        trial.done(buyer, "affirm", trade=f"t{number}", target=target)
    units, cash, done = [100, 0, 0], [0, 1_000, 1_000], set[int]()
    for number, by in settled:
        if number < len(trades):
            (buyer, _), wanted, price = trades[number]
            at = 1 if buyer == "ben" else 2
            may = number not in done and units[0] >= wanted and cash[at] >= price
            ran = trial.take(buyer if by == "buyer" else by, "settle", trade=f"t{number}")
            assert (ran.code == "ok") is may
            if may:
                done.add(number)
                units[0], units[at] = units[0] - wanted, units[at] + wanted
                cash[0], cash[at] = cash[0] + price, cash[at] - price
        assert legs(trial) == (units, cash)
    assert (sum(units), sum(cash)) == (100, 2_000)
