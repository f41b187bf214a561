"""The cookbook's ownership: one owner, both sides agree, nothing is sold twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import Trial, source

SOURCES = {"ownership": source("cookbook/ownership/contract.py")}
PEOPLE = ("alex", "jim", "katie")
MEMBERS = {"registry": {"role:registrar"}, **{person: set[str]() for person in PEOPLE}}


@pytest.fixture
def trial() -> Trial:
    made = Trial(SOURCES, MEMBERS)
    made.done("registry", "register", thing="ship", owner="alex")
    return made


def test_a_thing_passes_when_both_have_said_so(trial: Trial) -> None:
    trial.done("alex", "offer", title="ship", to="jim")
    assert trial.ask("owner_of", title="ship") == "alex"
    ran = trial.done("jim", "accept", title="ship")
    assert ran.events[0]["data"] == {"thing": "ship", "giver": "alex", "taker": "jim"}
    assert trial.record("Title", "ship") == {"thing": "ship", "owner": "jim", "offered": "jim", "state": "Held"}
    trial.refused("alex", "offer", "role.denied", title="ship", to="katie")


@pytest.mark.parametrize("by", ["alex", "jim"])
def test_an_offer_is_taken_back_or_declined(trial: Trial, by: str) -> None:
    trial.done("alex", "offer", title="ship", to="jim")
    trial.done(by, "withdraw", title="ship")
    trial.refused("jim", "accept", "role.denied", title="ship")
    trial.refused("alex", "accept", "state.denied", title="ship")
    trial.done("alex", "offer", title="ship", to="katie")
    trial.done("katie", "accept", title="ship")


def test_nothing_is_sold_twice(trial: Trial) -> None:
    trial.done("alex", "offer", title="ship", to="jim")
    trial.refused("alex", "offer", "state.denied", title="ship", to="katie")
    trial.refused("katie", "accept", "role.denied", title="ship")
    trial.done("jim", "accept", title="ship")
    trial.refused("jim", "accept", "state.denied", title="ship")


def test_what_is_refused(trial: Trial) -> None:
    trial.refused("alex", "register", "role.denied", thing="car", owner="alex")
    trial.refused("registry", "register", "record.exists", thing="ship", owner="jim")
    trial.refused("registry", "register", "arguments.invalid", thing="car", owner="stranger")
    trial.refused("alex", "offer", "require.failed", title="ship", to="alex")
    trial.refused("jim", "offer", "role.denied", title="ship", to="jim")
    trial.refused("alex", "accept", "state.denied", title="ship")
    trial.refused("katie", "withdraw", "role.denied", title="ship")


PERSON = st.sampled_from(PEOPLE)
STEP = st.tuples(PERSON, PERSON, st.sampled_from(["offer", "withdraw", "accept"]))


@given(st.lists(STEP, max_size=20))
def test_a_thing_has_one_owner_whom_only_an_accepted_offer_changes(steps: list[tuple[str, str, str]]) -> None:
    trial = Trial(SOURCES, MEMBERS, quick=True)
    trial.done("registry", "register", thing="ship", owner="alex")
    owner, offered = "alex", None
    for by, to, action in steps:
        may = {
            "offer": by == owner and offered is None and to != owner,
            "withdraw": offered is not None and by in (owner, offered),
            "accept": by == offered,
        }[action]
        ran = trial.take(by, action, title="ship", **({"to": to} if action == "offer" else {}))
        assert (ran.code == "ok") is may
        if may:
            owner, offered = (by, None) if action == "accept" else (owner, to if action == "offer" else None)
        assert trial.record("Title", "ship")["owner"] == owner
