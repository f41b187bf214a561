"""The cookbook's auction: bids are secret, bound to who made them, and paid for; nobody gains by silence."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import DAY, HOUR, Trial, source

SOURCES = {"auction": source("cookbook/auction/contract.py")}
BIDDERS = ("ann", "ben", "cat")
MEMBERS = {"bank": {"licence:bank"}, "sam": set[str](), **{bidder: set[str]() for bidder in BIDDERS}}
SALT = "0123456789abcdef"
START, DEPOSIT, LEAST = 1_000, 50, 100


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def digest(account: str, minor: int, lot: str = "l1", salt: str = SALT) -> bytes:
    return hashlib.sha256(f"{lot}/{account}/{minor}/{salt}".encode()).digest()


def lot(trial: Trial, **other: Any) -> dict[str, Any]:
    times = {"commit_until": trial.time + DAY, "reveal_until": trial.time + 2 * DAY}
    terms = {"id": "l1", "payee": "sam-1", "what": "a ship", "least": usd(LEAST), "deposit": usd(DEPOSIT)}
    return {**terms, **times, **other}


def opened(*, quick: bool = False) -> Trial:
    trial = Trial(SOURCES, MEMBERS, quick=quick)
    for owner in ("sam", *BIDDERS):
        trial.done("bank", "open", number=f"{owner}-1", owner=owner, balance=usd(START))
    trial.done("sam", "offer", **lot(trial))
    return trial


@pytest.fixture
def trial() -> Trial:
    return opened()


def commit(trial: Trial, by: str, minor: int) -> None:
    trial.done(by, "commit", lot="l1", account=f"{by}-1", digest=digest(f"{by}-1", minor))


def reveal(trial: Trial, by: str, minor: int) -> Any:
    return trial.take(by, "reveal", bid=f"l1/{by}-1", amount=usd(minor), salt=SALT)


def balances(trial: Trial) -> list[int]:
    return [trial.record("Account", f"{owner}-1")["balance"]["minor"] for owner in ("sam", *BIDDERS)]


def state(trial: Trial) -> str:
    return trial.record("Lot", "l1")["state"]


def test_the_highest_bid_wins_and_pays(trial: Trial) -> None:
    for by, minor in zip(BIDDERS, (300, 500, 400), strict=True):
        commit(trial, by, minor)
    assert balances(trial) == [1000, 950, 950, 950], "the deposits say nothing of the bids"
    trial.until(trial.time + DAY)
    assert reveal(trial, "ann", 300).code == "ok"
    assert balances(trial) == [1000, 700, 950, 950]
    assert reveal(trial, "ben", 500).code == "ok"
    assert balances(trial) == [1000, 1000, 500, 950], "who is outbid has it back at once"
    assert reveal(trial, "cat", 400).code == "ok"
    (came,) = trial.until(trial.time + DAY)
    assert came.events == [{"name": "lot.sold", "data": {"id": "l1", "to": "ben", "price": usd(500)}}]
    assert (balances(trial), state(trial)) == ([1500, 1000, 500, 1000], "Sold")


@pytest.mark.parametrize("order", [("ann", "ben"), ("ben", "ann")])
def test_of_equal_bids_the_one_committed_first_wins(trial: Trial, order: tuple[str, str]) -> None:
    commit(trial, "ann", 300)
    commit(trial, "ben", 300)
    trial.until(trial.time + DAY)
    for by in order:
        assert reveal(trial, by, 300).code == "ok"
    trial.until(trial.time + DAY)
    assert balances(trial)[:3] == [1300, 700, 1000]


def test_who_does_not_reveal_loses_the_deposit(trial: Trial) -> None:
    commit(trial, "ann", 300)
    commit(trial, "ben", 900)
    trial.until(trial.time + DAY)
    reveal(trial, "ann", 300)
    trial.until(trial.time + DAY)
    assert (balances(trial)[:3], state(trial)) == ([1350, 700, 950], "Sold")
    late = reveal(trial, "ben", 900)
    assert late.code == "require.failed"


def test_without_a_bid_shown_nothing_is_sold(trial: Trial) -> None:
    commit(trial, "ann", 300)
    trial.until(trial.time + 2 * DAY)
    assert (balances(trial)[:2], state(trial)) == ([1050, 950], "Unsold")


def test_what_another_committed_is_of_no_use(trial: Trial) -> None:
    """Mallory copies Ann's digest, and when Ann has shown her bid shows the same."""
    commit(trial, "ann", 300)
    trial.done("ben", "commit", lot="l1", account="ben-1", digest=digest("ann-1", 300))
    trial.until(trial.time + DAY)
    reveal(trial, "ann", 300)
    trial.refused("ben", "reveal", "require.failed", bid="l1/ben-1", amount=usd(300), salt=SALT)
    trial.refused("ben", "reveal", "role.denied", bid="l1/ann-1", amount=usd(300), salt=SALT)
    trial.until(trial.time + DAY)
    assert balances(trial)[:3] == [1350, 700, 950]


def test_a_bid_is_for_one_lot(trial: Trial) -> None:
    trial.done("sam", "offer", **lot(trial, id="l2"))
    trial.done("ann", "commit", lot="l2", account="ann-1", digest=digest("ann-1", 300, lot="l1"))
    trial.until(trial.time + DAY)
    trial.refused("ann", "reveal", "require.failed", bid="l2/ann-1", amount=usd(300), salt=SALT)


def test_nobody_changes_a_bid_after_seeing_others(trial: Trial) -> None:
    commit(trial, "ann", 300)
    commit(trial, "ben", 200)
    trial.refused("ben", "commit", "record.exists", lot="l1", account="ben-1", digest=digest("ben-1", 999))
    trial.refused("ann", "reveal", "require.failed", bid="l1/ann-1", amount=usd(300), salt=SALT)
    trial.until(trial.time + DAY)
    trial.refused("cat", "commit", "require.failed", lot="l1", account="cat-1", digest=digest("cat-1", 999))
    assert reveal(trial, "ann", 300).code == "ok"
    trial.refused("ben", "reveal", "require.failed", bid="l1/ben-1", amount=usd(301), salt=SALT)
    trial.refused("ann", "reveal", "state.denied", bid="l1/ann-1", amount=usd(300), salt=SALT)


@pytest.mark.parametrize(
    ("minor", "salt", "code"),
    [(1_001, SALT, "require.failed"), (LEAST - 1, SALT, "require.failed"), (300, "short", "arguments.invalid")],
)
def test_a_bid_that_cannot_be_shown(trial: Trial, minor: int, salt: str, code: str) -> None:
    """More than one has, less than the least price, a salt that others could guess."""
    trial.done("ann", "commit", lot="l1", account="ann-1", digest=digest("ann-1", minor, salt=salt))
    trial.until(trial.time + DAY)
    trial.refused("ann", "reveal", code, bid="l1/ann-1", amount=usd(minor), salt=salt)
    trial.until(trial.time + DAY)
    assert balances(trial)[:2] == [1050, 950]


@pytest.mark.parametrize("by", ["ann", "sam"])
def test_nobody_ends_it_early(trial: Trial, by: str) -> None:
    trial.refused(by, "finish", "role.denied", lot="l1")


def test_it_is_late_even_where_the_end_has_to_wait(trial: Trial) -> None:
    commit(trial, "ann", 300)
    trial.world.time += 2 * DAY
    trial.refused("ann", "reveal", "require.failed", bid="l1/ann-1", amount=usd(300), salt=SALT)


@pytest.mark.parametrize(
    ("by", "account", "code"),
    [("ann", "ben-1", "require.failed"), ("sam", "sam-1", "require.failed"), ("ann", "none", "arguments.invalid")],
)
def test_who_does_not_bid(trial: Trial, by: str, account: str, code: str) -> None:
    """From another's account, on what one sells oneself, from none."""
    trial.refused(by, "commit", code, lot="l1", account=account, digest=digest(account, 300))


def test_who_has_no_deposit_does_not_bid(trial: Trial) -> None:
    trial.done("bank", "open", number="ann-2", owner="ann", balance=usd(DEPOSIT - 1))
    trial.refused("ann", "commit", "require.failed", lot="l1", account="ann-2", digest=digest("ann-2", 300))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id": "l1"}, "record.exists"),
        ({"id": "a/b"}, "require.failed"),
        ({"payee": "ann-1"}, "require.failed"),
        ({"deposit": usd(0)}, "require.failed"),
        ({"deposit": usd(LEAST + 1)}, "require.failed"),
        ({"least": {"minor": LEAST, "currency": "EUR"}}, "require.failed"),
        ({"commit_until": 1_700_000_000_000}, "require.failed"),
        ({"reveal_until": 1_700_000_000_000 + HOUR}, "require.failed"),
    ],
)
def test_what_is_not_offered(trial: Trial, wrong: dict[str, Any], code: str) -> None:
    trial.refused("sam", "offer", code, **lot(trial, id="l2") | wrong)


def test_only_the_bank_opens_accounts_and_without_a_slash(trial: Trial) -> None:
    trial.refused("ann", "open", "role.denied", number="ann-9", owner="ann", balance=usd(1))
    trial.refused("bank", "open", "require.failed", number="a/b", owner="ann", balance=usd(1))


def test_a_lot_takes_so_many_bids_and_ledger_time_can_end_it() -> None:
    """The end runs within the steps of what is scheduled, with every bid that a lot takes."""
    trial = opened(quick=True)
    for number in range(51):
        trial.done("bank", "open", number=f"x{number}", owner="ann", balance=usd(DEPOSIT))
    for number in range(50):
        trial.done("ann", "commit", lot="l1", account=f"x{number}", digest=digest("x", number))
    trial.refused("ann", "commit", "require.failed", lot="l1", account="x50", digest=digest("x", 0))
    (came,) = trial.until(trial.time + 2 * DAY)
    assert (came.code, came.steps <= 20_000, balances(trial)[0]) == ("ok", True, START + 50 * DEPOSIT)


BID = st.tuples(st.sampled_from(BIDDERS), st.integers(50, 1_100))


@given(
    bids=st.lists(BID, max_size=3, unique_by=lambda bid: bid[0]),
    shown=st.lists(st.tuples(st.sampled_from(BIDDERS), st.booleans()), max_size=6),
)
def test_money_is_neither_made_nor_lost_and_the_best_shown_bid_wins(
    bids: list[tuple[str, int]], shown: list[tuple[str, bool]]
) -> None:
    trial = opened(quick=True)
    total, made, seen = START * 4, dict(bids), list[str]()
    for by, minor in bids:
        commit(trial, by, minor)
    trial.until(trial.time + DAY)
    for by, is_true in shown:
        ran = reveal(trial, by, made.get(by, 0) + (not is_true))
        may = is_true and by in made and by not in seen and LEAST <= made[by] <= START
        assert (ran.code == "ok") is may
        seen += [by] if may else []
        held = sum(row["held"]["minor"] for row in trial.records("Bid"))
        assert (sum(balances(trial)) + held, min(balances(trial)) >= 0) == (total, True)
    trial.until(trial.time + DAY)
    expected = dict.fromkeys(BIDDERS, START)
    for by in made:
        expected[by] -= DEPOSIT * (by not in seen)
    if seen:
        winner = max(seen, key=lambda by: (made[by], -list(made).index(by)))
        expected[winner] -= made[winner]
    assert (balances(trial)[1:], sum(balances(trial))) == (list(expected.values()), total)
    assert state(trial) == ("Sold" if seen else "Unsold")
