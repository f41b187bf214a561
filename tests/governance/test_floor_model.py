"""What the search takes for the floor is what the kernel does: both put the same proposals to the same votes.

The search has the floor once more, in small (`Assembly` with `floor=True`), so that it can go through a million states.
Here it and the ledger decide side by side, under constitutions that say the same to all, from one member to three.
"""

from typing import Any

import pytest
from tests.governance.house import (
    House,
    remove_member,
    set_constitution,
    set_member,
    set_reference,
    set_weight,
)
from tests.governance.test_floor import ALWAYS, FAULTS, rules

from hansa.contracts import program
from hansa.governance.assembly import Assembly, Constitutions
from hansa.governance.motions import ADMIT, DATA, NEWCOMER, REMOVE, RULES, Kind, State, Step
from hansa.testing.answers import Refused
from hansa.testing.ledger import Ledger

MORE = 'Action(name="set_member_data", subject="{}", member=None, attributes=[], weight=7, digest=None)'
BODIES = {
    "accepts": {"resolve": ALWAYS},
    "rejects": {"resolve": 'return "Rejected"'},
    "faults": {"resolve": FAULTS},
    "objects": {"resolve": ALWAYS, "validate": 'return ["no"]'},
    "lets nothing happen": {"resolve": ALWAYS, "apply": "return []"},
    "has weights follow": {"resolve": ALWAYS, "apply": f"return [step, {MORE.format('member-0')}]"},
    "has a removal follow": {"apply": f"return [step, {MORE.format('member-0').replace('set_member_data', REMOVE)}]"},
}
NEW = "made anew"
RATES = Step("set_reference", subject="rates")


def proposals(count: int, source: str) -> list[tuple[tuple[Step, ...], list[dict[str, Any]]]]:
    """What is proposed, as the search has it and as the ledger does."""
    found: list[tuple[tuple[Step, ...], list[dict[str, Any]]]] = [
        ((RATES,), [set_reference()]),
        ((Step(RULES, constitution=NEW),), [set_constitution(source)]),
        ((Step(RULES, constitution=NEW), RATES), [set_constitution(source), set_reference()]),
        ((Step(DATA, 0, weight=5), RATES), [set_weight("member-0", 5), set_reference()]),
        ((Step(ADMIT, weight=1, attributes=(), subject=NEWCOMER),), [set_member(NEWCOMER)]),
    ]
    for most in range(max(count - 1, 1), count + 1):
        gone = range(count - most, count)
        found.append((tuple(Step(REMOVE, place) for place in gone), [remove_member(f"member-{n}") for n in gone]))
    return found


def ballots(count: int) -> list[tuple[list[int], list[int]]]:
    """Who says yes, and then who says no: of none, one and so on, with the rest silent or against."""
    found: list[tuple[list[int], list[int]]] = []
    for yes in range(count + 1):
        found.append((list(range(yes)), []))
        if yes < count:
            found.append((list(range(yes)), list(range(yes, count))))
    return found


class Two:
    """The same members under the same constitution, in the search's form and on a ledger."""

    def __init__(self, count: int, **bodies: str) -> None:
        self.source = rules(**bodies)
        self.names = [f"member-{place}" for place in range(count)]
        loaded = program.load(self.source, "constitution")
        state = State("made", (Kind(),) * count)
        self.assembly = Assembly(Constitutions({"made": loaded, NEW: loaded}), state, floor=True)
        self._house: House | None = None

    def of_search(self, steps: tuple[Step, ...], yes: list[int], no: list[int]) -> list[str] | None:
        """Who is a member after the proposal by the first one; None if it is not carried out."""
        result = self.assembly.result(steps)
        if result is None or self.assembly.accepted(steps, 0, yes, no) is None:
            return None
        return sorted(NEWCOMER if place is None else self.names[place] for place in result.origins)

    def of_ledger(self, steps: list[dict[str, Any]], yes: list[int], no: list[int]) -> list[str] | None:
        here = self._house or House(Ledger(founders=self.names, constitution=self.source))
        self._house = here
        try:
            id = here.ledger.propose(self.names[0], *steps)
        except Refused as refused:
            assert "the constitution objects" in str(refused)
            return None
        for place, is_yes in [*((place, True) for place in yes), *((place, False) for place in no)]:
            if here.state(id) == "Open":
                here.ledger.vote(self.names[place], id, is_yes)
        if here.state(id) == "Accepted":
            here.ledger.clock.advance(hours=1)
        if here.state(id) == "Accepted+":
            self._house = None
            return sorted(here.members())
        if here.state(id) == "Open":
            here.ledger.govern(self.names[0], "withdraw", {"proposal": id})
        return None


@pytest.mark.parametrize(
    ("name", "count"),
    [
        *((name, 2) for name in BODIES),
        *((name, count) for name in ("accepts", "has weights follow") for count in (1, 3)),
        ("rejects", 3),
    ],
)
def test_the_floor_of_the_search_is_the_kernels(name: str, count: int) -> None:
    two = Two(count, **BODIES[name])
    for steps, written in proposals(count, two.source.replace("1.0.0", "1.0.1")):
        for yes, no in ballots(count):
            assert two.of_search(steps, yes, no) == two.of_ledger(written, yes, no), (steps, yes, no)
