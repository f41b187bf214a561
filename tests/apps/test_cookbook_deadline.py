"""The cookbook's deadline: in time or not, to the millisecond; more time is the creditor's to give."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import DAY, HOUR, Trial, source

SOURCES = {"deadline": source("cookbook/deadline/contract.py")}
MEMBERS = {"ann": set[str](), "ben": set[str](), "eve": set[str]()}
PROOF = bytes(32)


@pytest.fixture
def trial() -> Trial:
    made = Trial(SOURCES, MEMBERS)
    made.done("ann", "promise", **duty(made))
    return made


def duty(trial: Trial, **other: Any) -> dict[str, Any]:
    return {"id": "d1", "creditor": "ben", "what": "deliver", "due": trial.time + DAY, **other}


def state(trial: Trial) -> str:
    return trial.record("Duty", "d1")["state"]


def test_what_is_done_in_time_stays_done(trial: Trial) -> None:
    trial.until(trial.time + DAY - 1)
    trial.done("ann", "perform", duty="d1", proof=PROOF)
    (came,) = trial.until(trial.time + 1)
    assert (came.code, state(trial)) == ("state.denied", "Done")


def test_what_is_not_lapses_by_itself(trial: Trial) -> None:
    (came,) = trial.until(trial.time + DAY)
    assert came.events == [{"name": "duty.lapsed", "data": {"id": "d1", "debtor": "ann"}}]
    trial.refused("ann", "perform", "state.denied", duty="d1", proof=PROOF)
    trial.refused("ben", "extend", "state.denied", duty="d1", due=trial.time + DAY)


def test_it_is_late_even_where_the_lapse_has_to_wait(trial: Trial) -> None:
    """A block takes a bounded number of what is due: what comes late must not give more time."""
    trial.world.time += DAY
    trial.refused("ann", "perform", "require.failed", duty="d1", proof=PROOF)
    trial.refused("ben", "extend", "require.failed", duty="d1", due=trial.time + DAY)
    trial.until(trial.time)
    assert state(trial) == "Lapsed"


def test_the_creditor_gives_more_time(trial: Trial) -> None:
    first = trial.time + DAY
    trial.done("ben", "extend", duty="d1", due=first + DAY)
    (early,) = trial.until(first)
    assert (early.code, state(trial)) == ("require.failed", "Open")
    trial.until(first + DAY - 1)
    assert state(trial) == "Open"
    trial.until(first + DAY)
    assert state(trial) == "Lapsed"


@pytest.mark.parametrize(
    ("by", "action", "code", "arguments"),
    [
        ("ben", "perform", "role.denied", {"proof": PROOF}),
        ("ann", "perform", "arguments.invalid", {"proof": b"short"}),
        ("ann", "extend", "role.denied", {"due": 1_700_500_000_000}),  # nobody gives itself more time
        ("eve", "extend", "role.denied", {"due": 1_700_500_000_000}),
        ("ben", "extend", "require.failed", {"due": 1_700_000_000_000 + DAY}),
        ("ben", "extend", "require.failed", {"due": 1_700_000_000_000 + HOUR}),  # nor less to another
        ("ben", "lapse", "role.denied", {}),
    ],
)
def test_what_is_refused(trial: Trial, by: str, action: str, code: str, arguments: dict[str, Any]) -> None:
    trial.refused(by, action, code, duty="d1", **arguments)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id": "d1"}, "record.exists"),
        ({"creditor": "ann"}, "require.failed"),
        ({"due": 1_700_000_000_000}, "schedule.past"),
        ({"debtor": "ben"}, "arguments.invalid"),  # nobody promises for another
    ],
)
def test_what_is_not_promised(trial: Trial, wrong: dict[str, Any], code: str) -> None:
    trial.refused("ann", "promise", code, **duty(trial, id="d2") | wrong)


@given(st.lists(st.tuples(st.sampled_from(["perform", "extend", "wait"]), st.integers(1, 30)), max_size=10))
def test_it_is_done_before_it_is_due_or_lapses_when_it_is(steps: list[tuple[str, int]]) -> None:
    trial = Trial(SOURCES, MEMBERS, quick=True)
    trial.done("ann", "promise", **duty(trial, due=trial.time + 10 * HOUR))
    due, expected = trial.time + 10 * HOUR, "Open"
    for action, hours in steps:
        if action == "perform":
            ran = trial.take("ann", "perform", duty="d1", proof=PROOF)
            assert (ran.code == "ok") is (expected == "Open")
            expected = "Done" if expected == "Open" else expected
        elif action == "extend":
            ran = trial.take("ben", "extend", duty="d1", due=due + hours * HOUR)
            assert (ran.code == "ok") is (expected == "Open")
            due += hours * HOUR if ran.code == "ok" else 0
        else:
            trial.until(trial.time + hours * HOUR)
            expected = "Lapsed" if expected == "Open" and trial.time >= due else expected
        assert state(trial) == expected
