"""The cookbook's netting: one payment each, all or none, and not a cent made or lost by rounding."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import Trial, source

SOURCES = {"netting": source("cookbook/netting/contract.py")}
PEOPLE = ("ann", "ben", "cat", "dan")
MEMBERS = {"bank": {"licence:bank"}, "house": {"role:netting"}, **{person: set[str]() for person in PEOPLE}}


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def opened(balance: int = 1_000, fee: int = 0, *, quick: bool = False) -> Trial:
    trial = Trial(SOURCES, MEMBERS, quick=quick)
    for owner in PEOPLE:
        trial.done("bank", "open", owner=owner, balance=usd(balance))
    trial.done("bank", "open", owner="house", balance=usd(0))
    trial.done("house", "begin", id="c1", fee=usd(fee))
    return trial


def owe(trial: Trial, number: int, debtor: str, creditor: str, minor: int) -> None:
    trial.done(debtor, "owe", id=f"k{number}", cycle="c1", creditor=creditor, amount=usd(minor))


def balances(trial: Trial) -> dict[str, int]:
    return {row["owner"]: row["balance"]["minor"] for row in trial.records("Account")}


def test_a_ring_of_debts_needs_no_money() -> None:
    trial = opened(balance=0)
    for number, (debtor, creditor) in enumerate(zip(PEOPLE, PEOPLE[1:] + PEOPLE[:1], strict=True)):
        owe(trial, number, debtor, creditor, 5_000)
    trial.done("house", "settle", cycle="c1")
    assert set(balances(trial).values()) == {0}


def test_each_pays_or_gets_one_amount() -> None:
    trial = opened()
    owe(trial, 1, "ann", "ben", 700)
    owe(trial, 2, "ben", "cat", 900)
    owe(trial, 3, "cat", "ann", 100)
    ran = trial.done("house", "settle", cycle="c1")
    assert [(event["data"]["member"], event["data"]["position"]["minor"]) for event in ran.events] == [
        ("ann", -600),
        ("ben", -200),
        ("cat", 800),
    ]
    assert balances(trial) == {"ann": 400, "ben": 800, "cat": 1_800, "dan": 1_000, "house": 0}
    trial.refused("house", "settle", "state.denied", cycle="c1")
    trial.refused("ann", "owe", "require.failed", id="k9", cycle="c1", creditor="ben", amount=usd(1))
    trial.refused("ben", "waive", "require.failed", claim="k1")


def test_if_one_cannot_pay_nobody_does_until_it_is_mended() -> None:
    trial = opened()
    owe(trial, 1, "ann", "ben", 1_001)
    owe(trial, 2, "cat", "dan", 10)
    assert trial.refused("house", "settle", "require.failed", cycle="c1") == "{m} lacks {a}"
    trial.done("ben", "waive", claim="k1")
    trial.done("house", "settle", cycle="c1")
    assert balances(trial) == {"ann": 1_000, "ben": 1_000, "cat": 990, "dan": 1_010, "house": 0}


def test_shares_of_the_fee_sum_up_to_it() -> None:
    trial = opened(fee=100)
    owe(trial, 1, "ann", "ben", 1)
    owe(trial, 2, "ben", "cat", 1)
    owe(trial, 3, "cat", "ann", 1)
    trial.done("house", "settle", cycle="c1")
    assert balances(trial) == {"ann": 966, "ben": 967, "cat": 967, "dan": 1_000, "house": 100}, "34 + 33 + 33"


def test_a_cycle_takes_so_many_claims_and_settles_them_all() -> None:
    trial = opened(quick=True)
    for number in range(100):
        owe(trial, number, "ann", "ben", 1)
    trial.refused("ann", "owe", "require.failed", id="k100", cycle="c1", creditor="ben", amount=usd(1))
    ran = trial.done("house", "settle", cycle="c1")
    assert (balances(trial)["ben"], ran.steps <= 10_000) == (1_100, True)


def test_claims_of_another_cycle_are_not_counted() -> None:
    trial = opened()
    trial.done("house", "begin", id="c2", fee=usd(0))
    owe(trial, 1, "ann", "ben", 100)
    trial.done("cat", "owe", id="k2", cycle="c2", creditor="dan", amount=usd(100))
    trial.done("house", "settle", cycle="c2")
    assert balances(trial) == {"ann": 1_000, "ben": 1_000, "cat": 900, "dan": 1_100, "house": 0}


@pytest.mark.parametrize(
    ("by", "action", "code", "arguments"),
    [
        ("ann", "owe", "record.exists", {"id": "k1", "creditor": "ben", "amount": usd(1)}),  # replayed
        ("ann", "owe", "require.failed", {"id": "k2", "creditor": "ann", "amount": usd(1)}),
        ("ann", "owe", "require.failed", {"id": "k2", "creditor": "ben", "amount": usd(0)}),
        ("ann", "owe", "require.failed", {"id": "k2", "creditor": "ben", "amount": {"minor": 1, "currency": "EUR"}}),
        ("ann", "owe", "arguments.invalid", {"id": "k2", "debtor": "ben", "creditor": "ann", "amount": usd(1)}),
        ("ann", "settle", "role.denied", {}),
    ],
)
def test_what_is_refused(by: str, action: str, code: str, arguments: dict[str, Any]) -> None:
    trial = opened()
    owe(trial, 1, "ann", "ben", 100)
    trial.refused(by, action, code, cycle="c1", **arguments)


def test_who_is_owed_gives_up_and_nobody_else() -> None:
    trial = opened()
    owe(trial, 1, "ann", "ben", 100)
    for by in ("ann", "cat", "house"):
        trial.refused(by, "waive", "role.denied", claim="k1")
    trial.done("ben", "waive", claim="k1")
    trial.refused("ben", "waive", "state.denied", claim="k1")
    trial.refused("house", "settle", "require.failed", cycle="c1")


def test_only_operators_begin_and_settle_their_own() -> None:
    trial = opened()
    trial.refused("ann", "begin", "role.denied", id="c2", fee=usd(0))
    trial.refused("ann", "open", "role.denied", owner="bank", balance=usd(1))


def test_a_debtor_without_an_account_stops_it() -> None:
    trial = opened()
    trial.done("bank", "owe", id="k1", cycle="c1", creditor="ann", amount=usd(1))
    trial.refused("house", "settle", "record.missing", cycle="c1")


CLAIM = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.integers(1, 600)).filter(lambda c: c[0] != c[1])


@given(st.lists(CLAIM, min_size=1, max_size=12), st.integers(0, 50))
def test_money_is_neither_made_nor_lost_and_positions_are_what_is_owed(
    claims: list[tuple[str, str, int]], fee: int
) -> None:
    trial = opened(fee=fee, quick=True)
    position = dict.fromkeys(PEOPLE, 0)
    for number, (debtor, creditor, minor) in enumerate(claims):
        owe(trial, number, debtor, creditor, minor)
        position[debtor] -= minor
        position[creditor] += minor
    ran = trial.take("house", "settle", cycle="c1")
    after = balances(trial)
    assert sum(after.values()) == 4_000
    if ran.code == "ok":
        paid = {person: 1_000 + position[person] - after[person] for person in PEOPLE}
        assert (sum(paid.values()), after["house"]) == (fee, fee)
        turnover = {p: sum(minor for d, c, minor in claims if p in (d, c)) for p in PEOPLE}
        for person, share in paid.items():
            assert abs(share * sum(turnover.values()) - fee * turnover[person]) < sum(turnover.values()), "to a cent"
    else:
        assert (ran.code, after) == ("require.failed", {**dict.fromkeys(PEOPLE, 1_000), "house": 0})
        assert min(position.values()) - fee < -1_000
