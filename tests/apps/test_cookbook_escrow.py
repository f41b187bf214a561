"""The cookbook's escrow: the money is somewhere, goes one way, and once."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import DAY, Trial, source

SOURCES = {"escrow": source("cookbook/escrow/contract.py")}
PEOPLE = ("ann", "ben", "cat")
MEMBERS = {"bank": {"licence:bank"}, **{person: set[str]() for person in PEOPLE}}
START = 1_000


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


def opened(*, quick: bool = False) -> Trial:
    trial = Trial(SOURCES, MEMBERS, quick=quick)
    for person in PEOPLE:
        trial.done("bank", "open", owner=person, balance=usd(START))
    return trial


def deal(trial: Trial, **other: Any) -> dict[str, Any]:
    return {"id": "d1", "seller": "ben", "arbiter": "cat", "amount": usd(301), "until": trial.time + DAY, **other}


@pytest.fixture
def trial() -> Trial:
    made = opened()
    made.done("ann", "fund", **deal(made))
    return made


def balances(trial: Trial) -> list[int]:
    return [trial.record("Account", person)["balance"]["minor"] for person in PEOPLE]


def test_money_set_aside_is_nobodys(trial: Trial) -> None:
    assert balances(trial) == [699, 1000, 1000]
    trial.refused("ann", "fund", "require.failed", **deal(trial, id="d2", amount=usd(700)))


def test_the_buyer_releases_it(trial: Trial) -> None:
    trial.done("ann", "release", deal="d1")
    assert balances(trial) == [699, 1301, 1000]


def test_the_seller_refunds_it(trial: Trial) -> None:
    trial.done("ben", "refund", deal="d1")
    assert balances(trial) == [1000, 1000, 1000]


@pytest.mark.parametrize(
    ("percent", "after"), [(0, [1000, 1000]), (100, [699, 1301]), (50, [849, 1151]), (33, [901, 1099])]
)
def test_the_arbiter_divides_it_to_the_cent(trial: Trial, percent: int, after: list[int]) -> None:
    trial.done("cat", "decide", deal="d1", percent_to_seller=percent)
    assert balances(trial) == [*after, 1000]


def test_silence_gives_it_back(trial: Trial) -> None:
    assert trial.until(trial.time + DAY - 1) == []
    (came,) = trial.until(trial.time + 1)
    assert (came.code, came.events[0]["name"]) == ("ok", "escrow.expired")
    assert balances(trial) == [1000, 1000, 1000]
    trial.refused("ann", "release", "state.denied", deal="d1")


@pytest.mark.parametrize(
    ("by", "action", "arguments"),
    [("ann", "release", {}), ("ben", "refund", {}), ("cat", "decide", {"percent_to_seller": 10})],
)
def test_it_goes_once(trial: Trial, by: str, action: str, arguments: dict[str, Any]) -> None:
    trial.done(by, action, deal="d1", **arguments)
    after = balances(trial)
    trial.refused("ann", "release", "state.denied", deal="d1")
    trial.refused("ben", "refund", "state.denied", deal="d1")
    trial.refused("cat", "decide", "state.denied", deal="d1", percent_to_seller=100)
    (came,) = trial.until(trial.time + DAY)
    assert came.code == "state.denied", "what was scheduled finds nothing to do"
    assert balances(trial) == after


@pytest.mark.parametrize(
    ("by", "action"),
    [("ben", "release"), ("cat", "release"), ("ann", "refund"), ("cat", "refund"), ("bank", "release")],
)
def test_nobody_decides_for_another(trial: Trial, by: str, action: str) -> None:
    trial.refused(by, action, "role.denied", deal="d1")


@pytest.mark.parametrize("by", ["ann", "ben", "bank"])
def test_parties_do_not_judge(trial: Trial, by: str) -> None:
    trial.refused(by, "decide", "role.denied", deal="d1", percent_to_seller=100)


@pytest.mark.parametrize("percent", [-1, 101])
def test_no_more_than_all_is_divided(trial: Trial, percent: int) -> None:
    trial.refused("cat", "decide", "require.failed", deal="d1", percent_to_seller=percent)


def test_time_is_not_taken_by_anybody(trial: Trial) -> None:
    trial.refused("ann", "expire", "role.denied", deal="d1")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id": "d1"}, "record.exists"),
        ({"seller": "ann"}, "require.failed"),
        ({"arbiter": "ann"}, "require.failed"),
        ({"arbiter": "ben"}, "require.failed"),
        ({"seller": "bank"}, "record.missing"),  # no account: could never be paid
        ({"amount": usd(0)}, "require.failed"),
        ({"amount": {"minor": 5, "currency": "EUR"}}, "value.currency"),
        ({"until": 1_600_000_000_000}, "schedule.past"),
        ({"buyer": "ben"}, "arguments.invalid"),  # another's money
    ],
)
def test_what_is_not_funded(trial: Trial, wrong: dict[str, Any], code: str) -> None:
    trial.refused("ann", "fund", code, **deal(trial, id="d2") | wrong)


def test_a_seller_of_another_currency_is_refused(trial: Trial) -> None:
    trial.done("bank", "open", owner="bank", balance={"minor": 0, "currency": "EUR"})
    trial.refused("ann", "fund", "require.failed", **deal(trial, id="d2", seller="bank"))


def test_only_the_bank_opens_accounts() -> None:
    Trial(SOURCES, MEMBERS).refused("ann", "open", "role.denied", owner="ann", balance=usd(1_000_000))


@given(st.data())
def test_money_is_neither_made_nor_lost(data: st.DataObject) -> None:
    trial = opened(quick=True)
    for step in range(data.draw(st.integers(0, 15))):
        by = data.draw(st.sampled_from(PEOPLE))
        action = data.draw(st.sampled_from(["fund", "release", "refund", "decide", "wait"]))
        some = f"d{data.draw(st.integers(0, step))}"
        if action == "fund":
            seller, arbiter = data.draw(st.permutations(PEOPLE))[:2]
            amount = usd(data.draw(st.integers(0, START)))
            trial.take(by, "fund", **deal(trial, id=f"d{step}", seller=seller, arbiter=arbiter, amount=amount))
        elif action == "wait":
            trial.until(trial.time + data.draw(st.integers(1, DAY)))
        else:
            percent = {"percent_to_seller": data.draw(st.integers(0, 100))} if action == "decide" else {}
            trial.take(by, action, deal=some, **percent)
        held = sum(row["amount"]["minor"] for row in trial.records("Deal") if row["state"] == "Funded")
        assert sum(balances(trial)) + held == START * len(PEOPLE)
        assert min(balances(trial)) >= 0
    trial.until(trial.time + DAY)
    assert sum(balances(trial)) == START * len(PEOPLE), "in the end nothing stays behind"
