"""The cookbook's allow-list: who is not on it, not any more, or not yet, does not trade."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import DAY, Trial, source

SOURCES = {"allow_list": source("cookbook/allow_list/contract.py")}
MEMBERS = {"keeper": {"role:compliance"}, "other": {"role:compliance"}, "ann": set[str](), "ben": set[str]()}
ORDER = {"id": "o1", "buyer": "ben", "price": {"minor": 100, "currency": "USD"}}
LAST = "2023-11-16"

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


@pytest.fixture
def trial() -> Trial:
    made = Trial({**SOURCES, "asking": ASKING}, MEMBERS)
    for member in ("ann", "ben"):
        made.done("keeper", "admit", member=member, until=LAST, reason="papers seen")
    return made


def test_two_on_the_list_trade(trial: Trial) -> None:
    trial.done("ann", "place", **ORDER)
    trial.done("ben", "fill", order="o1")
    trial.refused("ben", "fill", "state.denied", order="o1")


def test_who_nobody_decided_about_does_not() -> None:
    trial = Trial(SOURCES, MEMBERS)
    assert trial.ask("is_allowed", member="ann") is False
    assert trial.refused("ann", "place", "require.failed", **ORDER) == "{m} is not on the list"
    trial.done("keeper", "admit", member="ann", until=LAST, reason="papers seen")
    trial.refused("ann", "place", "require.failed", **ORDER)


@pytest.mark.parametrize("barred", ["ann", "ben"])
def test_who_is_barred_meanwhile_does_not(trial: Trial, barred: str) -> None:
    trial.done("ann", "place", **ORDER)
    trial.done("keeper", "bar", listing=barred, reason="sanctioned")
    assert trial.refused("ben", "fill", "require.failed", order="o1") == "{m} was barred"
    assert trial.ask("is_allowed", member=barred) is False
    trial.refused("keeper", "bar", "state.denied", listing=barred, reason="again")
    trial.done("keeper", "admit", member=barred, until=LAST, reason="cleared")
    trial.done("ben", "fill", order="o1")


def test_who_is_on_it_until_a_day_is_on_it_on_that_day(trial: Trial) -> None:
    trial.done("ann", "place", **ORDER)
    trial.until(trial.time + 2 * DAY)
    assert trial.ask("is_allowed", member="ann") is True
    trial.until(trial.time + DAY)
    assert trial.ask("is_allowed", member="ann") is False
    trial.refused("ben", "fill", "require.failed", order="o1")
    trial.refused("ann", "place", "require.failed", **ORDER | {"id": "o2"})


@pytest.mark.parametrize(
    ("by", "action", "code", "arguments"),
    [
        ("ann", "admit", "role.denied", {"member": "ann", "until": LAST, "reason": "x"}),
        ("keeper", "admit", "require.failed", {"member": "keeper", "until": LAST, "reason": "x"}),
        ("keeper", "admit", "require.failed", {"member": "ann", "until": "2023-11-13", "reason": "x"}),
        ("keeper", "admit", "arguments.invalid", {"member": "stranger", "until": LAST, "reason": "x"}),
        ("ann", "bar", "role.denied", {"listing": "ben", "reason": "a rival"}),
        ("ann", "place", "require.failed", {**ORDER, "buyer": "ann"}),
        ("ann", "place", "require.failed", {**ORDER, "buyer": "other"}),
        ("keeper", "place", "require.failed", ORDER),  # the keeper is not on it by being the keeper
    ],
)
def test_what_is_refused(trial: Trial, by: str, action: str, code: str, arguments: dict[str, Any]) -> None:
    trial.refused(by, action, code, **arguments)


def test_only_the_buyer_fills(trial: Trial) -> None:
    trial.done("ann", "place", **ORDER)
    trial.refused("ann", "fill", "role.denied", order="o1")


def test_a_keeper_who_lost_the_role_keeps_nothing(trial: Trial) -> None:
    trial.world.attributes["keeper"] = frozenset()
    trial.refused("keeper", "bar", "role.denied", listing="ann", reason="x")


def test_other_contracts_go_by_it(trial: Trial) -> None:
    trial.done("ann", "enter", of="asking")
    trial.done("keeper", "bar", listing="ann", reason="sanctioned")
    trial.refused("ann", "enter", "require.failed", of="asking")
    trial.refused("other", "enter", "require.failed", of="asking")


ACTIONS = st.sampled_from(["admit", "bar", "place", "fill", "wait"])
STEP = st.tuples(ACTIONS, st.sampled_from(["ann", "ben"]), st.integers(0, 3))


@given(st.lists(STEP, max_size=20))
def test_only_members_on_the_list_trade(steps: list[tuple[str, str, int]]) -> None:
    trial = Trial(SOURCES, MEMBERS, quick=True)
    until, day, state = {"ann": -1, "ben": -1}, 0, "none"
    for action, who, days in steps:
        both = all(last >= day for last in until.values())
        match action:
            case "admit":
                until[who] = day + days
                last = (date(2023, 11, 14) + timedelta(day + days)).isoformat()
                trial.done("keeper", "admit", member=who, until=last, reason="x")
            case "bar":
                if trial.take("keeper", "bar", listing=who, reason="x").code == "ok":
                    until[who] = -1
            case "place":
                ran = trial.take("ann", "place", **ORDER)
                assert (ran.code == "ok") is (state == "none" and both)
                state = "Placed" if ran.code == "ok" else state
            case "fill":
                ran = trial.take("ben", "fill", order="o1")
                assert (ran.code == "ok") is (state == "Placed" and both)
                state = "Filled" if ran.code == "ok" else state
            case _:
                trial.until(trial.time + days * DAY)
                day += days
