"""One payment each, all or none, and not a cent made or lost by rounding.

Run by `hansa contract test .`, or by pytest.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hansa.testing import Contract, Ledger, Refused
from hypothesis import given, settings
from hypothesis import strategies as st

PEOPLE = ("ann", "ben", "cat", "dan")


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


@pytest.fixture(scope="module")
def empty(new_ledger: Callable[[], Ledger]) -> Contract:
    ledger = new_ledger()
    ledger.member("bank", attributes=["licence:bank"])
    ledger.member("house", attributes=["role:netting"])
    for person in PEOPLE:
        ledger.member(person)
    return ledger.deploy("contract.py")


def begun(empty: Contract, balance: int = 1_000, fee: int = 0) -> Contract:
    """A cycle on a ledger of its own, where everybody has this much."""
    netting = empty.ledger.fork().contract(empty.name)
    for owner in PEOPLE:
        netting.by("bank").open(owner=owner, balance=usd(balance))
    netting.by("bank").open(owner="house", balance=usd(0))
    netting.by("house").begin(id="c1", fee=usd(fee))
    return netting


@pytest.fixture
def netting(empty: Contract) -> Contract:
    return begun(empty)


def owe(netting: Contract, number: int, debtor: str, creditor: str, minor: int) -> None:
    netting.by(debtor).owe(id=f"k{number}", cycle="c1", creditor=creditor, amount=usd(minor))


def balances(netting: Contract) -> dict[str, int]:
    return {row["owner"]: row["balance"]["minor"] for row in netting.records("Account")}


def test_a_ring_of_debts_needs_no_money(empty: Contract) -> None:
    netting = begun(empty, balance=0)
    for number, (debtor, creditor) in enumerate(zip(PEOPLE, PEOPLE[1:] + PEOPLE[:1], strict=True)):
        owe(netting, number, debtor, creditor, 5_000)
    netting.by("house").settle(cycle="c1")
    assert set(balances(netting).values()) == {0}


def test_each_pays_or_gets_one_amount(netting: Contract) -> None:
    owe(netting, 1, "ann", "ben", 700)
    owe(netting, 2, "ben", "cat", 900)
    owe(netting, 3, "cat", "ann", 100)
    settled = netting.by("house").settle(cycle="c1")
    assert [(event.data["member"], event.data["position"]["minor"]) for event in settled.events] == [
        ("ann", -600),
        ("ben", -200),
        ("cat", 800),
    ]
    assert balances(netting) == {"ann": 400, "ben": 800, "cat": 1_800, "dan": 1_000, "house": 0}
    with pytest.raises(Refused, match=r"state\.denied"):
        netting.by("house").settle(cycle="c1")
    with pytest.raises(Refused, match="the cycle c1 is settled"):
        owe(netting, 9, "ann", "ben", 1)
    with pytest.raises(Refused, match="the cycle c1 is settled"):
        netting.by("ben").waive(claim="k1")


def test_if_one_cannot_pay_nobody_does_until_it_is_mended(netting: Contract) -> None:
    owe(netting, 1, "ann", "ben", 1_001)
    owe(netting, 2, "cat", "dan", 10)
    with pytest.raises(Refused, match=r"ann lacks USD 0\.01"):
        netting.by("house").settle(cycle="c1")
    assert balances(netting) == {**dict.fromkeys(PEOPLE, 1_000), "house": 0}
    netting.by("ben").waive(claim="k1")
    netting.by("house").settle(cycle="c1")
    assert balances(netting) == {"ann": 1_000, "ben": 1_000, "cat": 990, "dan": 1_010, "house": 0}


def test_shares_of_the_fee_sum_up_to_it(empty: Contract) -> None:
    netting = begun(empty, fee=100)
    owe(netting, 1, "ann", "ben", 1)
    owe(netting, 2, "ben", "cat", 1)
    owe(netting, 3, "cat", "ann", 1)
    netting.by("house").settle(cycle="c1")
    assert balances(netting) == {"ann": 966, "ben": 967, "cat": 967, "dan": 1_000, "house": 100}, "34 + 33 + 33"


def test_a_cycle_takes_so_many_claims_and_settles_them_all(netting: Contract) -> None:
    for number in range(100):
        owe(netting, number, "ann", "ben", 1)
    with pytest.raises(Refused, match="a cycle has at most 100 claims"):
        owe(netting, 100, "ann", "ben", 1)
    netting.by("house").settle(cycle="c1")
    assert balances(netting)["ben"] == 1_100


def test_claims_of_another_cycle_are_not_counted(netting: Contract) -> None:
    netting.by("house").begin(id="c2", fee=usd(0))
    owe(netting, 1, "ann", "ben", 100)
    netting.by("cat").owe(id="k2", cycle="c2", creditor="dan", amount=usd(100))
    netting.by("house").settle(cycle="c2")
    assert balances(netting) == {"ann": 1_000, "ben": 1_000, "cat": 900, "dan": 1_100, "house": 0}


@pytest.mark.parametrize(
    ("by", "action", "why", "arguments"),
    [
        ("ann", "owe", r"record\.exists", {"id": "k1", "creditor": "ben", "amount": "USD 0.01"}),  # replayed
        ("ann", "owe", "ann cannot owe itself", {"id": "k2", "creditor": "ann", "amount": "USD 0.01"}),
        ("ann", "owe", "a claim is positive", {"id": "k2", "creditor": "ben", "amount": "USD 0.00"}),
        ("ann", "owe", "the cycle is in USD", {"id": "k2", "creditor": "ben", "amount": "EUR 0.01"}),
        (
            "ann",
            "owe",
            r"arguments\.invalid",
            {"id": "k2", "debtor": "ben", "creditor": "ann", "amount": "USD 0.01"},
        ),
        ("ann", "settle", r"role\.denied", {}),
    ],
)
def test_what_is_refused(netting: Contract, by: str, action: str, why: str, arguments: dict[str, Any]) -> None:
    owe(netting, 1, "ann", "ben", 100)
    with pytest.raises(Refused, match=why):
        getattr(netting.by(by), action)(cycle="c1", **arguments)


def test_who_is_owed_gives_up_and_nobody_else(netting: Contract) -> None:
    owe(netting, 1, "ann", "ben", 100)
    for by in ("ann", "cat", "house"):
        with pytest.raises(Refused, match=r"role\.denied"):
            netting.by(by).waive(claim="k1")
    netting.by("ben").waive(claim="k1")
    with pytest.raises(Refused, match=r"state\.denied"):
        netting.by("ben").waive(claim="k1")
    with pytest.raises(Refused, match="nothing is owed"):
        netting.by("house").settle(cycle="c1")


def test_only_who_may_begins_a_cycle_and_opens_accounts(netting: Contract) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        netting.by("ann").begin(id="c2", fee=usd(0))
    with pytest.raises(Refused, match=r"role\.denied"):
        netting.by("ann").open(owner="bank", balance=usd(1))


def test_another_operator_does_not_settle(empty: Contract) -> None:
    netting = begun(empty)
    netting.ledger.member("rival", attributes=["role:netting"])
    owe(netting, 1, "ann", "ben", 1)
    with pytest.raises(Refused, match=r"role\.denied"):
        netting.by("rival").settle(cycle="c1")


def test_a_debtor_without_an_account_stops_it(netting: Contract) -> None:
    netting.by("bank").owe(id="k1", cycle="c1", creditor="ann", amount=usd(1))
    with pytest.raises(Refused, match=r"record\.missing"):
        netting.by("house").settle(cycle="c1")


CLAIM = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.integers(1, 600)).filter(lambda c: c[0] != c[1])


@settings(deadline=None)
@given(claims=st.lists(CLAIM, min_size=1, max_size=12), fee=st.integers(0, 50))
def test_money_is_neither_made_nor_lost_and_positions_are_what_is_owed(
    empty: Contract, claims: list[tuple[str, str, int]], fee: int
) -> None:
    netting = begun(empty, fee=fee)
    position: dict[str, int] = dict.fromkeys(PEOPLE, 0)
    for number, (debtor, creditor, minor) in enumerate(claims):
        owe(netting, number, debtor, creditor, minor)
        position[debtor] -= minor
        position[creditor] += minor
    try:
        netting.by("house").settle(cycle="c1")
    except Refused as refused:
        assert "lacks" in refused.message
        assert balances(netting) == {**dict.fromkeys(PEOPLE, 1_000), "house": 0}
        assert min(position.values()) - fee < -1_000
        return
    after = balances(netting)
    paid = {person: 1_000 + position[person] - after[person] for person in PEOPLE}
    assert (sum(paid.values()), after["house"]) == (fee, fee)
    turnover = {person: sum(minor for d, c, minor in claims if person in (d, c)) for person in PEOPLE}
    for person, share in paid.items():
        assert abs(share * sum(turnover.values()) - fee * turnover[person]) < sum(turnover.values()), "to a cent"
