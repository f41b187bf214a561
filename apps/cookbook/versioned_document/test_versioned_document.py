"""In force is what all parties signed the digest of, and nothing else.

Run by `hansa contract test .`, or by pytest.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hansa.testing import Contract, Ledger, Refused
from hypothesis import given, settings
from hypothesis import strategies as st

PEOPLE = ("ann", "ben", "cat")


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


@pytest.fixture(scope="module")
def begun(new_ledger: Callable[[], Ledger]) -> Contract:
    """Ann has begun a document of hers and Ben's."""
    ledger = new_ledger()
    for person in PEOPLE:
        ledger.member(person)
    contract = ledger.deploy("contract.py")
    contract.by("ann").begin(id="terms", parties=["ann", "ben"], digest=digest("one"))
    return contract


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def documents(begun: Contract) -> Contract:
    return forked(begun)


def states(documents: Contract) -> list[str]:
    return [row["state"] for row in documents.records("Version")]


def in_force(documents: Contract) -> str | None:
    return documents.record("Document", "terms")["in_force"]


def agree(documents: Contract, by: str, number: int, text: str) -> None:
    documents.by(by).agree(version=f"terms/{number}", digest=digest(text))


def test_a_version_is_in_force_when_all_have_agreed(documents: Contract) -> None:
    agree(documents, "ben", 1, "one")
    assert in_force(documents) is None
    agreed = documents.by("ann").agree(version="terms/1", digest=digest("one"))
    assert agreed.event("document.in_force") == {"version": "terms/1", "digest": digest("one")}
    assert in_force(documents) == "terms/1"
    assert documents.record("Version", "terms/1")["agreed"] == ["ben", "ann"]


def test_the_old_version_stays_in_force_until_all_agree_to_the_new_one(documents: Contract) -> None:
    for by in ("ann", "ben"):
        agree(documents, by, 1, "one")
    documents.by("ann").propose(document="terms", digest=digest("two"))
    agree(documents, "ann", 2, "two")
    assert (in_force(documents), states(documents)) == ("terms/1", ["InForce", "Proposed"])
    agree(documents, "ben", 2, "two")
    assert (in_force(documents), states(documents)) == ("terms/2", ["Replaced", "InForce"])
    assert documents.record("Version", "terms/1")["digest"] == digest("one"), "what was before stays to be read"


def test_a_text_exchanged_while_one_signs_is_not_agreed_to(documents: Contract) -> None:
    documents.by("ann").propose(document="terms", digest=digest("worse"))
    with pytest.raises(Refused, match=r"state\.denied"):
        agree(documents, "ben", 1, "one")
    with pytest.raises(Refused, match="the digest is not this version's"):
        agree(documents, "ben", 2, "one")
    assert states(documents) == ["Replaced", "Proposed"]


@pytest.mark.parametrize("by", ["ann", "ben"])
def test_nobody_agrees_twice_or_for_another(documents: Contract, by: str) -> None:
    agree(documents, by, 1, "one")
    with pytest.raises(Refused, match=f"{by} has agreed already"):
        agree(documents, by, 1, "one")
    with pytest.raises(Refused, match="cat is no party to it"):
        agree(documents, "cat", 1, "one")
    assert states(documents) == ["Proposed"]


def test_what_is_in_force_is_not_agreed_to_again(documents: Contract) -> None:
    for by in ("ann", "ben"):
        agree(documents, by, 1, "one")
    with pytest.raises(Refused, match=r"state\.denied"):
        agree(documents, "ann", 1, "one")


def test_only_the_author_proposes_and_something_new(documents: Contract) -> None:
    with pytest.raises(Refused, match=r"role\.denied"):
        documents.by("ben").propose(document="terms", digest=digest("two"))
    with pytest.raises(Refused, match="that is version 1 already"):
        documents.by("ann").propose(document="terms", digest=digest("one"))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"id": "terms"}, r"record\.exists"),
        ({"parties": []}, "somebody has to agree"),
        ({"parties": ["ann", "ann"]}, "ann is named twice"),  # one would count as two
        ({"parties": ["stranger"]}, r"arguments\.invalid"),
        ({"digest": b"short"}, r"arguments\.invalid"),
        ({"author": "ben"}, r"arguments\.invalid"),
    ],
)
def test_what_is_not_begun(documents: Contract, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        documents.by("ann").begin(**{"id": "new", "parties": ["ben"], "digest": digest("one")} | wrong)


STEP = st.tuples(st.sampled_from(PEOPLE), st.integers(0, 4), st.integers(0, 4))


@settings(deadline=None)
@given(steps=st.lists(STEP, max_size=20))
def test_one_version_at_most_is_in_force_and_all_agreed_to_it(
    begun: Contract, steps: list[tuple[str, int, int]]
) -> None:
    documents = forked(begun)
    texts = ["zero", "one", "two", "three", "four"]
    for by, version, text in steps:
        with suppress(Refused):
            if version == 0:
                documents.by(by).propose(document="terms", digest=digest(texts[text]))
            else:
                agree(documents, by, version, texts[text])
        rows = documents.records("Version")
        assert [row["id"] for row in rows if row["state"] == "InForce"] == [id for id in [in_force(documents)] if id]
        for row in rows:
            if row["state"] != "Replaced":
                assert (sorted(row["agreed"]) == ["ann", "ben"]) is (row["state"] == "InForce")
        assert sum(row["state"] == "Proposed" for row in rows) <= 1
