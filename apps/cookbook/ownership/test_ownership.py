"""One owner, both sides agree, nothing is sold twice.

Run by `hansa contract test .`, or by pytest.
"""

from collections.abc import Callable

import pytest
from hansa.testing import Contract, Ledger, Refused
from hypothesis import given, settings
from hypothesis import strategies as st

PEOPLE = ("alex", "jim", "katie")


@pytest.fixture(scope="module")
def registered(new_ledger: Callable[[], Ledger]) -> Contract:
    """Alex owns a ship."""
    ledger = new_ledger()
    ledger.member("registry", attributes=["role:registrar"])
    for member in PEOPLE:
        ledger.member(member)
    contract = ledger.deploy("contract.py")
    contract.by("registry").register(thing="ship", owner="alex")
    return contract


def forked(contract: Contract) -> Contract:
    """The same on a ledger of its own."""
    return contract.ledger.fork().contract(contract.name)


@pytest.fixture
def titles(registered: Contract) -> Contract:
    return forked(registered)


def test_a_thing_passes_when_both_have_said_so(titles: Contract) -> None:
    titles.by("alex").offer(title="ship", to="jim")
    assert titles.view.owner_of(title="ship") == "alex"
    passed = titles.by("jim").accept(title="ship")
    assert passed.event("title.passed") == {"thing": "ship", "giver": "alex", "taker": "jim"}
    assert titles.record("Title", "ship") == {"thing": "ship", "owner": "jim", "offered": "jim", "state": "Held"}
    with pytest.raises(Refused, match=r"role\.denied"):
        titles.by("alex").offer(title="ship", to="katie")


@pytest.mark.parametrize("by", ["alex", "jim"])
def test_an_offer_is_taken_back_or_declined(titles: Contract, by: str) -> None:
    titles.by("alex").offer(title="ship", to="jim")
    titles.by(by).withdraw(title="ship")
    with pytest.raises(Refused, match=r"role\.denied"):
        titles.by("jim").accept(title="ship")
    with pytest.raises(Refused, match=r"state\.denied"):
        titles.by("alex").accept(title="ship")
    titles.by("alex").offer(title="ship", to="katie")
    titles.by("katie").accept(title="ship")


def test_nothing_is_sold_twice(titles: Contract) -> None:
    titles.by("alex").offer(title="ship", to="jim")
    with pytest.raises(Refused, match=r"state\.denied"):
        titles.by("alex").offer(title="ship", to="katie")
    with pytest.raises(Refused, match=r"role\.denied"):
        titles.by("katie").accept(title="ship")
    titles.by("jim").accept(title="ship")
    with pytest.raises(Refused, match=r"state\.denied"):
        titles.by("jim").accept(title="ship")


@pytest.mark.parametrize(
    ("by", "action", "why", "arguments"),
    [
        ("alex", "register", r"role\.denied", {"thing": "car", "owner": "alex"}),
        ("registry", "register", r"record\.exists", {"thing": "ship", "owner": "jim"}),
        ("registry", "register", r"arguments\.invalid", {"thing": "car", "owner": "stranger"}),
        ("alex", "offer", "alex owns the ship already", {"title": "ship", "to": "alex"}),
        ("jim", "offer", r"role\.denied", {"title": "ship", "to": "jim"}),
        ("alex", "accept", r"state\.denied", {"title": "ship"}),
        ("katie", "withdraw", r"role\.denied", {"title": "ship"}),
    ],
)
def test_what_is_refused(titles: Contract, by: str, action: str, why: str, arguments: dict[str, str]) -> None:
    with pytest.raises(Refused, match=why):
        getattr(titles.by(by), action)(**arguments)


PERSON = st.sampled_from(PEOPLE)
STEP = st.tuples(PERSON, PERSON, st.sampled_from(["offer", "withdraw", "accept"]))


@settings(deadline=None)
@given(steps=st.lists(STEP, max_size=20))
def test_a_thing_has_one_owner_whom_only_an_accepted_offer_changes(
    registered: Contract, steps: list[tuple[str, str, str]]
) -> None:
    titles = forked(registered)
    owner, offered = "alex", None
    for by, to, action in steps:
        may = {
            "offer": by == owner and offered is None and to != owner,
            "withdraw": offered is not None and by in (owner, offered),
            "accept": offered is not None and by == offered,
        }[action]
        take = getattr(titles.by(by), action)
        arguments = {"title": "ship", "to": to} if action == "offer" else {"title": "ship"}
        if may:
            take(**arguments)
            owner, offered = (by, None) if action == "accept" else (owner, to if action == "offer" else None)
        else:
            with pytest.raises(Refused):
                take(**arguments)
        assert titles.view.owner_of(title="ship") == owner
