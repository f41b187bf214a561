"""Bids are secret, bound to who made them, and paid for; nobody gains by silence.

Run by `hansa contract test .`, or by pytest.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hansa.testing import START, Answer, Contract, Ledger, Refused
from hansa.wire.genesis import Limits
from hypothesis import given, settings
from hypothesis import strategies as st

BIDDERS = ("ann", "ben", "cat")
SALT = "0123456789abcdef"
MONEY, DEPOSIT, LEAST = 1_000, 50, 100
COMMIT_UNTIL, REVEAL_UNTIL = START + timedelta(days=1), START + timedelta(days=2)
TERMS = {"payee": "sam-1", "what": "a ship", "least": "USD 1.00", "deposit": "USD 0.50"}
LOT = {"id": "l1", **TERMS, "commit_until": COMMIT_UNTIL, "reveal_until": REVEAL_UNTIL}


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def digest(account: str, minor: int, lot: str = "l1", salt: str = SALT) -> bytes:
    return hashlib.sha256(f"{lot}/{account}/{minor}/{salt}".encode()).digest()


def opened_on(ledger: Ledger) -> Contract:
    """Sam offers a lot; he and three bidders have ten dollars each."""
    contract = ledger.deploy("contract.py")
    ledger.member("bank", attributes=["licence:bank"])
    for owner in ("sam", *BIDDERS):
        ledger.member(owner)
        contract.by("bank").open(number=f"{owner}-1", owner=owner, balance=usd(MONEY))
    contract.by("sam").offer(**LOT)
    return contract


@pytest.fixture(scope="module")
def opened(new_ledger: Callable[[], Ledger]) -> Contract:
    return opened_on(new_ledger())


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def auction(opened: Contract) -> Contract:
    return forked(opened)


def commit(auction: Contract, by: str, minor: int) -> None:
    auction.by(by).commit(lot="l1", account=f"{by}-1", digest=digest(f"{by}-1", minor))


def reveal(auction: Contract, by: str, minor: int) -> Answer:
    return auction.by(by).reveal(bid=f"l1/{by}-1", amount=usd(minor), salt=SALT)


def balances(auction: Contract) -> list[int]:
    found = {row["number"]: row["balance"]["minor"] for row in auction.records("Account")}
    return [found[f"{owner}-1"] for owner in ("sam", *BIDDERS)]


def state(auction: Contract) -> str:
    return auction.record("Lot", "l1")["state"]


def test_the_highest_bid_wins_and_pays(auction: Contract) -> None:
    for by, minor in zip(BIDDERS, (300, 500, 400), strict=True):
        commit(auction, by, minor)
    assert balances(auction) == [1000, 950, 950, 950], "the deposits say nothing of the bids"
    auction.ledger.clock.set(COMMIT_UNTIL)
    reveal(auction, "ann", 300)
    assert balances(auction) == [1000, 700, 950, 950]
    reveal(auction, "ben", 500)
    assert balances(auction) == [1000, 1000, 500, 950], "who is outbid has it back at once"
    reveal(auction, "cat", 400)
    (came,) = auction.ledger.clock.set(REVEAL_UNTIL)
    assert came.event("lot.sold") == {"id": "l1", "to": "ben", "price": usd(500)}
    assert (balances(auction), state(auction)) == ([1500, 1000, 500, 1000], "Sold")


@pytest.mark.parametrize("order", [("ann", "ben"), ("ben", "ann")])
def test_of_equal_bids_the_one_committed_first_wins(auction: Contract, order: tuple[str, str]) -> None:
    commit(auction, "ann", 300)
    commit(auction, "ben", 300)
    auction.ledger.clock.set(COMMIT_UNTIL)
    for by in order:
        reveal(auction, by, 300)
    auction.ledger.clock.set(REVEAL_UNTIL)
    assert balances(auction)[:3] == [1300, 700, 1000]


def test_who_does_not_reveal_loses_the_deposit(auction: Contract) -> None:
    commit(auction, "ann", 300)
    commit(auction, "ben", 900)
    auction.ledger.clock.set(COMMIT_UNTIL)
    reveal(auction, "ann", 300)
    auction.ledger.clock.set(REVEAL_UNTIL)
    assert (balances(auction)[:3], state(auction)) == ([1350, 700, 950], "Sold")
    with pytest.raises(Refused, match="bids were revealed until"):
        reveal(auction, "ben", 900)


def test_without_a_bid_shown_nothing_is_sold(auction: Contract) -> None:
    commit(auction, "ann", 300)
    (came,) = auction.ledger.clock.set(REVEAL_UNTIL)
    assert came.event("lot.unsold") == {"id": "l1"}
    assert (balances(auction)[:2], state(auction)) == ([1050, 950], "Unsold")


def test_what_another_committed_is_of_no_use(auction: Contract) -> None:
    """Ben copies Ann's digest, and when Ann has shown her bid shows the same."""
    commit(auction, "ann", 300)
    auction.by("ben").commit(lot="l1", account="ben-1", digest=digest("ann-1", 300))
    auction.ledger.clock.set(COMMIT_UNTIL)
    reveal(auction, "ann", 300)
    with pytest.raises(Refused, match="this is not the bid that was committed"):
        reveal(auction, "ben", 300)
    with pytest.raises(Refused, match=r"role\.denied"):
        auction.by("ben").reveal(bid="l1/ann-1", amount=usd(300), salt=SALT)
    auction.ledger.clock.set(REVEAL_UNTIL)
    assert balances(auction)[:3] == [1350, 700, 950]


def test_a_bid_is_for_one_lot(auction: Contract) -> None:
    auction.by("sam").offer(**LOT | {"id": "l2"})
    auction.by("ann").commit(lot="l2", account="ann-1", digest=digest("ann-1", 300, lot="l1"))
    auction.ledger.clock.set(COMMIT_UNTIL)
    with pytest.raises(Refused, match="this is not the bid that was committed"):
        auction.by("ann").reveal(bid="l2/ann-1", amount=usd(300), salt=SALT)


def test_nobody_changes_a_bid_after_seeing_others(auction: Contract) -> None:
    commit(auction, "ann", 300)
    commit(auction, "ben", 200)
    with pytest.raises(Refused, match=r"record\.exists"):
        commit(auction, "ben", 999)
    with pytest.raises(Refused, match="keep yours secret"):
        reveal(auction, "ann", 300)
    auction.ledger.clock.set(COMMIT_UNTIL)
    with pytest.raises(Refused, match="bids were committed until"):
        commit(auction, "cat", 999)
    reveal(auction, "ann", 300)
    with pytest.raises(Refused, match="this is not the bid that was committed"):
        reveal(auction, "ben", 301)
    with pytest.raises(Refused, match=r"state\.denied"):
        reveal(auction, "ann", 300)


@pytest.mark.parametrize(
    ("minor", "salt", "why"),
    [
        (MONEY + 1, SALT, "does not cover the bid"),
        (LEAST - 1, SALT, "the lot is sold for USD 1.00 at least"),
        (300, "short", r"arguments\.invalid"),  # others could guess it
    ],
)
def test_a_bid_that_cannot_be_shown(auction: Contract, minor: int, salt: str, why: str) -> None:
    auction.by("ann").commit(lot="l1", account="ann-1", digest=digest("ann-1", minor, salt=salt))
    auction.ledger.clock.set(COMMIT_UNTIL)
    with pytest.raises(Refused, match=why):
        auction.by("ann").reveal(bid="l1/ann-1", amount=usd(minor), salt=salt)
    auction.ledger.clock.set(REVEAL_UNTIL)
    assert balances(auction)[:2] == [1050, 950]


@pytest.mark.parametrize("by", ["ann", "sam"])
def test_nobody_ends_it_early(auction: Contract, by: str) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        auction.by(by).finish(lot="l1")


def test_it_is_late_even_where_the_end_has_to_wait() -> None:
    """A block takes a bounded number of what is due, here one: another lot's end comes first."""
    ledger = Ledger(folder=Path(__file__).parent, limits=Limits(scheduled_entries=1))
    auction = opened_on(ledger)
    auction.by("sam").offer(**LOT | {"id": "l0"})
    commit(auction, "ann", 300)
    ledger.clock.ms += 2 * 86_400_000
    with pytest.raises(Refused, match="bids were revealed until"):
        reveal(auction, "ann", 300)


@pytest.mark.parametrize(
    ("by", "account", "why"),
    [
        ("ann", "ben-1", "ben-1 is not ann's account"),
        ("sam", "sam-1", "sam sells it"),
        ("ann", "none", r"arguments\.invalid"),
    ],
)
def test_who_does_not_bid(auction: Contract, by: str, account: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        auction.by(by).commit(lot="l1", account=account, digest=digest(account, 300))


def test_who_has_no_deposit_does_not_bid(auction: Contract) -> None:
    auction.by("bank").open(number="ann-2", owner="ann", balance=usd(DEPOSIT - 1))
    with pytest.raises(Refused, match=r"USD 0\.49 does not cover the deposit"):
        auction.by("ann").commit(lot="l1", account="ann-2", digest=digest("ann-2", 300))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": "l1"}, r"record\.exists"),
        ({"id": "a/b"}, "an id has no slash"),
        ({"payee": "ann-1"}, "ann-1 is not sam's account"),
        ({"deposit": usd(0)}, "the deposit is positive"),
        ({"deposit": usd(LEAST + 1)}, "at most the least price"),
        ({"least": "EUR 1.00"}, "sam-1 is in another currency"),
        ({"commit_until": START}, "committing ends before revealing does"),
        ({"reveal_until": COMMIT_UNTIL}, "committing ends before revealing does"),
    ],
)
def test_what_is_not_offered(auction: Contract, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        auction.by("sam").offer(**LOT | {"id": "l2"} | wrong)


def test_only_the_bank_opens_accounts_and_without_a_slash(auction: Contract) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        auction.by("ann").open(number="ann-9", owner="ann", balance="USD 0.01")
    with pytest.raises(Refused, match="a number has no slash"):
        auction.by("bank").open(number="a/b", owner="ann", balance="USD 0.01")


def test_a_lot_takes_so_many_bids_and_ledger_time_can_end_it(auction: Contract) -> None:
    """The end runs within the steps of what is scheduled, with every bid that a lot takes."""
    for number in range(51):
        auction.by("bank").open(number=f"x{number}", owner="ann", balance=usd(DEPOSIT))
    for number in range(50):
        auction.by("ann").commit(lot="l1", account=f"x{number}", digest=digest("x", number))
    with pytest.raises(Refused, match="a lot takes at most 50 bids"):
        auction.by("ann").commit(lot="l1", account="x50", digest=digest("x", 0))
    (came,) = auction.ledger.clock.set(REVEAL_UNTIL)
    assert (came.code, balances(auction)[0]) == ("ok", MONEY + 50 * DEPOSIT)


BID = st.tuples(st.sampled_from(BIDDERS), st.integers(50, 1_100))


@settings(deadline=None)
@given(
    bids=st.lists(BID, max_size=3, unique_by=lambda bid: bid[0]),
    shown=st.lists(st.tuples(st.sampled_from(BIDDERS), st.booleans()), max_size=6),
)
def test_money_is_neither_made_nor_lost_and_the_best_shown_bid_wins(
    opened: Contract, bids: list[tuple[str, int]], shown: list[tuple[str, bool]]
) -> None:
    auction = forked(opened)
    total, made, seen = MONEY * 4, dict(bids), list[str]()
    for by, minor in bids:
        commit(auction, by, minor)
    auction.ledger.clock.set(COMMIT_UNTIL)
    for by, is_true in shown:
        may = is_true and by in made and by not in seen and LEAST <= made[by] <= MONEY
        if may:
            reveal(auction, by, made[by])
            seen.append(by)
        else:
            with pytest.raises(Refused):
                reveal(auction, by, made.get(by, 0) + (not is_true))
        held = sum(row["held"]["minor"] for row in auction.records("Bid"))
        assert (sum(balances(auction)) + held, min(balances(auction)) >= 0) == (total, True)
    auction.ledger.clock.set(REVEAL_UNTIL)
    expected: dict[str, int] = dict.fromkeys(BIDDERS, MONEY)
    for by in made:
        expected[by] -= DEPOSIT * (by not in seen)
    if seen:
        winner = max(seen, key=lambda by: (made[by], -list(made).index(by)))
        expected[winner] -= made[winner]
    assert (balances(auction)[1:], sum(balances(auction))) == (list(expected.values()), total)
    assert state(auction) == ("Sold" if seen else "Unsold")
