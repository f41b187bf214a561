"""The cookbook's versioned document: in force is what all parties signed the digest of, and nothing else."""

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.apps.trial import Trial, source

SOURCES = {"versioned_document": source("cookbook/versioned_document/contract.py")}
PEOPLE = ("ann", "ben", "cat")
MEMBERS = {person: set[str]() for person in PEOPLE}


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture
def trial() -> Trial:
    made = Trial(SOURCES, MEMBERS)
    made.done("ann", "begin", id="terms", parties=["ann", "ben"], digest=digest("one"))
    return made


def states(trial: Trial) -> list[str]:
    return [row["state"] for row in trial.records("Version")]


def agree(trial: Trial, by: str, number: int, text: str) -> None:
    trial.done(by, "agree", version=f"terms/{number}", digest=digest(text))


def test_a_version_is_in_force_when_all_have_agreed(trial: Trial) -> None:
    agree(trial, "ben", 1, "one")
    assert trial.record("Document", "terms")["in_force"] is None
    ran = trial.done("ann", "agree", version="terms/1", digest=digest("one"))
    assert ran.events[0]["data"] == {"version": "terms/1", "digest": digest("one")}
    assert trial.record("Document", "terms")["in_force"] == "terms/1"
    assert trial.record("Version", "terms/1")["agreed"] == ["ben", "ann"]


def test_the_old_version_stays_in_force_until_all_agree_to_the_new_one(trial: Trial) -> None:
    for by in ("ann", "ben"):
        agree(trial, by, 1, "one")
    trial.done("ann", "propose", document="terms", digest=digest("two"))
    agree(trial, "ann", 2, "two")
    assert (trial.record("Document", "terms")["in_force"], states(trial)) == ("terms/1", ["InForce", "Proposed"])
    agree(trial, "ben", 2, "two")
    assert (trial.record("Document", "terms")["in_force"], states(trial)) == ("terms/2", ["Replaced", "InForce"])
    assert trial.record("Version", "terms/1")["digest"] == digest("one"), "and what was before stays to be read"


def test_a_text_exchanged_while_one_signs_is_not_agreed_to(trial: Trial) -> None:
    trial.done("ann", "propose", document="terms", digest=digest("worse"))
    trial.refused("ben", "agree", "state.denied", version="terms/1", digest=digest("one"))
    trial.refused("ben", "agree", "require.failed", version="terms/2", digest=digest("one"))
    assert states(trial) == ["Replaced", "Proposed"]


@pytest.mark.parametrize("by", ["ann", "ben"])
def test_nobody_agrees_twice_or_for_another(trial: Trial, by: str) -> None:
    agree(trial, by, 1, "one")
    trial.refused(by, "agree", "require.failed", version="terms/1", digest=digest("one"))
    trial.refused("cat", "agree", "require.failed", version="terms/1", digest=digest("one"))
    assert states(trial) == ["Proposed"]


def test_what_is_in_force_is_not_agreed_to_again(trial: Trial) -> None:
    for by in ("ann", "ben"):
        agree(trial, by, 1, "one")
    trial.refused("ann", "agree", "state.denied", version="terms/1", digest=digest("one"))


def test_only_the_author_proposes_and_something_new(trial: Trial) -> None:
    trial.refused("ben", "propose", "role.denied", document="terms", digest=digest("two"))
    trial.refused("ann", "propose", "require.failed", document="terms", digest=digest("one"))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id": "terms"}, "record.exists"),
        ({"parties": []}, "require.failed"),
        ({"parties": ["ann", "ann"]}, "require.failed"),  # one would count as two
        ({"parties": ["stranger"]}, "arguments.invalid"),
        ({"digest": b"short"}, "arguments.invalid"),
        ({"author": "ben"}, "arguments.invalid"),
    ],
)
def test_what_is_not_begun(trial: Trial, wrong: dict[str, Any], code: str) -> None:
    trial.refused("ann", "begin", code, **{"id": "new", "parties": ["ben"], "digest": digest("one")} | wrong)


STEP = st.tuples(st.sampled_from(PEOPLE), st.integers(0, 4), st.integers(0, 4))


@given(st.lists(STEP, max_size=20))
def test_one_version_at_most_is_in_force_and_all_agreed_to_it(steps: list[tuple[str, int, int]]) -> None:
    trial = Trial(SOURCES, MEMBERS, quick=True)
    trial.done("ann", "begin", id="terms", parties=["ann", "ben"], digest=digest("0"))
    for by, version, text in steps:
        if version == 0:
            trial.take(by, "propose", document="terms", digest=digest(str(text)))
        else:
            trial.take(by, "agree", version=f"terms/{version}", digest=digest(str(text)))
        versions = {row["id"]: row for row in trial.records("Version")}
        in_force = [id for id, row in versions.items() if row["state"] == "InForce"]
        assert in_force == [id for id in [trial.record("Document", "terms")["in_force"]] if id]
        for row in versions.values():
            if row["state"] != "Replaced":
                assert (sorted(row["agreed"]) == ["ann", "ben"]) is (row["state"] == "InForce")
        assert sum(row["state"] == "Proposed" for row in versions.values()) <= 1
