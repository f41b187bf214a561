"""An assembly: the members of one state, who put a proposal to their constitution and vote on it.

The constitution's three views are run as the kernel runs them: `validate` at the proposal, `resolve` right after it and
after each vote until it decides, `apply` for each action of what was accepted. With the *floor*, what the kernel
holds against any constitution holds here too; without it the constitution stands alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, Final, Literal

import msgspec

from hansa.contracts import execution
from hansa.contracts.calls import NOBODY, Call
from hansa.contracts.ledger import Ledger
from hansa.contracts.program import Program
from hansa.governance.motions import (
    FOLLOW,
    NEED_TWO,
    POWER,
    REMOVE,
    RULES,
    Result,
    State,
    Step,
    carried_out,
    names_of,
    step_of,
)
from hansa.governance.sequel import TALLY_STEPS

Decision = Literal["Open", "Accepted", "Rejected"]

FEWEST: Final = 2
"""The floor: so many yes it takes at least to change who has a say; and with fewer members, one alone has it."""


class Votes(msgspec.Struct, frozen=True):
    """Who made a proposal, and who had said what when it was decided, in this order."""

    proposer: int
    yes: tuple[int, ...]
    no: tuple[int, ...]

    @property
    def wanted_by(self) -> frozenset[int]:
        """The members by whose will it was decided so."""
        return frozenset({self.proposer, *self.yes})


class Constitutions:
    """Constitutions by name, to be asked with the steps that the kernel gives them.

    `asked`: how often one was; `exhausted`: the views that ran out of steps, which are not asked again.
    """

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._ledger = Ledger()
        self._ledger.programs |= {name: [(0, loaded)] for name, loaded in programs.items()}
        self.asked = 0
        self.exhausted: set[tuple[str, str]] = set()

    def ask(self, name: str, view: str, arguments: dict[str, Any]) -> Any:
        """What a view says; None if it faults."""
        if (name, view) in self.exhausted:
            return None
        self.asked += 1
        call = Call(name, view, arguments, NOBODY, 0, self._ledger.seq)
        ran = execution.run(call, self._ledger, self._ledger, TALLY_STEPS)
        if ran.code == "steps.exceeded":
            self.exhausted.add((name, view))
        return ran.result if ran.code == execution.OK else None


class Assembly:
    """The members of a state in session. What was asked once is not asked again."""

    def __init__(self, constitutions: Constitutions, state: State, *, floor: bool) -> None:
        self.state = state
        self.places = range(len(state.members))
        self._constitutions = constitutions
        self._floor = floor
        self._names = names_of(state)
        self._members = [
            {"id": name, "weight": kind.weight, "attributes": list(kind.attributes)}
            for name, kind in zip(self._names, state.members, strict=True)
        ]
        self._carried: dict[Step, tuple[Step, ...] | None] = {}
        self._valid: dict[tuple[tuple[Step, ...], int], bool] = {}
        self._decisions: dict[tuple[tuple[Step, ...], Votes], Decision] = {}

    def result(self, steps: Sequence[Step]) -> Result | None:
        """The state that a proposal leads to if it is accepted; None if it fails. On the floor a member remains."""
        carried = self.carried(steps)
        result = None if carried is None else carried_out(self.state, carried)
        is_empty = result is not None and not result.state.members
        return None if self._floor and is_empty else result

    def carried(self, steps: Sequence[Step]) -> tuple[Step, ...] | None:
        """What is carried out of these steps, as `apply` says; None if it fails.

        On the floor new rules are its own, and only some things may follow from others.
        """
        if self._floor and _is_only_rules(steps):
            return tuple(steps)
        every: tuple[Step, ...] = ()
        for step in steps:
            if step not in self._carried:
                self._carried[step] = self._apply(step)
            if (brought := self._carried[step]) is None:
                return None
            every += brought
        return every

    def has_power(self, steps: Sequence[Step], by: int) -> bool:
        """Whether a proposal would change the constitution or membership, other than that `by` itself leaves."""
        carried = self.carried(steps) or ()
        return any(step.name in POWER and (step.name, step.member) != (REMOVE, by) for step in carried)

    def accepted(self, steps: tuple[Step, ...], proposer: int, yes: Sequence[int], no: Sequence[int]) -> Votes | None:
        """Who had voted when it was accepted, if it is when these vote in this order, yes before no; else None."""
        if not self._is_valid(steps, proposer) or self.result(steps) is None:
            return None
        cast = Votes(proposer, (), ())
        decision = self._decide(steps, cast)
        for place in yes:
            if decision == "Open":
                cast = Votes(proposer, (*cast.yes, place), ())
                decision = self._decide(steps, cast)
        for place in no:
            if decision == "Open":
                cast = Votes(proposer, cast.yes, (*cast.no, place))
                decision = self._decide(steps, cast)
        return cast if decision == "Accepted" and not self._fails(steps, cast) else None

    def alone(self, steps: tuple[Step, ...], place: int, *, patiently: bool) -> Votes | None:
        """How a member gets a proposal accepted by its yes alone: at once, or, patiently, while others say no."""
        others = [other for other in self.places if other != place] if patiently else []
        return self.accepted(steps, place, [place], others)

    def together(self, steps: tuple[Step, ...], within: frozenset[int] | None = None) -> Votes | None:
        """A way in which members, all or these, get a proposal accepted; None if no votes of theirs can.

        All their yes are tried first, then every other way, the rest silent or saying no; of more than two steps only
        the first.
        """
        able = sorted(within if within is not None else self.places)
        rest = [place for place in self.places if place not in able]
        is_long = len(steps) > 2
        for proposer in able[:: len(able) - 1 or 1] if is_long else able:
            for no in ([], rest) if rest else ([],):
                if found := self.accepted(steps, proposer, able, no):
                    return found
        if is_long:
            return None
        about = frozenset(step.member for step in steps if step.member is not None)
        for yes in self._choices(able, about):
            against = [place for place in self.places if place not in yes]
            for proposer in able:
                for no in ([], against):
                    if found := self.accepted(steps, proposer, yes, no):
                        return found
        return None

    def are_equal(self, one: int, other: int) -> bool:
        """Whether two members are of one kind."""
        return self.state.members[one] == self.state.members[other]

    def firsts(self, but: int | None = None, most: int = 1) -> list[int]:
        """One member of each kind, or `most` of each; and not the one at `but`."""
        taken: dict[Any, list[int]] = {}
        for place in self.places:
            if place != but:
                taken.setdefault(self.state.members[place], []).append(place)
        return [place for places in taken.values() for place in places[:most]]

    def _choices(self, able: Sequence[int], about: frozenset[int]) -> Iterator[tuple[int, ...]]:
        """Every way to choose among members, equal ones that the proposal is not about being one as the other."""
        groups: dict[Any, list[int]] = {}
        for place in able:
            groups.setdefault(place if place in about else self.state.members[place], []).append(place)
        grouped = list(groups.values())
        for counts in product(*(range(len(group) + 1) for group in grouped)):
            yield tuple(place for group, count in zip(grouped, counts, strict=True) for place in group[:count])

    def _is_valid(self, steps: tuple[Step, ...], proposer: int) -> bool:
        if self._floor and _is_only_rules(steps):
            return True
        key = (steps, proposer)
        if key not in self._valid:
            arguments = {"proposal": self._plain(steps, Votes(proposer, (), ())), "members": self._members}
            self._valid[key] = self._constitutions.ask(self.state.constitution, "validate", arguments) == []
        return self._valid[key]

    def _apply(self, step: Step) -> tuple[Step, ...] | None:
        plain = step.plain(self._names)
        found = self._constitutions.ask(self.state.constitution, "apply", {"step": plain, "members": self._members})
        itself = [(one["name"], one["subject"]) == (plain["name"], plain["subject"]) for one in found or ()]
        if sum(itself) != 1:
            return None
        if self._floor and any(one["name"] not in FOLLOW for one, same in zip(found, itself, strict=True) if not same):
            return None
        return tuple(step if same else step_of(one, self._names) for same, one in zip(itself, found, strict=True))

    def _decide(self, steps: tuple[Step, ...], votes: Votes) -> Decision:
        key = (steps, votes)
        if key not in self._decisions:
            arguments = {"proposal": self._plain(steps, votes), "members": self._members}
            said = self._constitutions.ask(self.state.constitution, "resolve", arguments)
            found: Decision = said if said in ("Accepted", "Rejected") else "Open"
            self._decisions[key] = self._on_floor(steps, votes, found) if self._floor else found
        return self._decisions[key]

    def _on_floor(self, steps: tuple[Step, ...], votes: Votes, said: Decision) -> Decision:
        """F1: the yes of all accepts, so nothing is rejected before a no. F2, F3: what needs two is not done by one."""
        count = len(self.state.members)
        if len(votes.yes) == count:
            return "Accepted"
        if said == "Rejected" and not votes.no:
            return "Open"
        needs_two = count >= FEWEST and any(step.name in NEED_TWO for step in steps)
        return "Open" if said == "Accepted" and needs_two and len(votes.yes) < FEWEST else said

    def _fails(self, steps: Sequence[Step], votes: Votes) -> bool:
        """Whether the floor keeps what was accepted from being carried out: it has failed then, and nobody votes on.

        F2 for what follows, F3: fewer than two are left by the yes of all alone.
        """
        count, carried = len(self.state.members), self.carried(steps) or ()
        if not self._floor or len(votes.yes) == count:
            return False
        needs_two = count >= FEWEST and any(step.name in NEED_TWO for step in carried if step not in steps)
        removals = sum(step.name == REMOVE for step in steps)
        return (needs_two and len(votes.yes) < FEWEST) or (removals > 0 and count - removals < FEWEST)

    def _plain(self, steps: Sequence[Step], votes: Votes) -> dict[str, Any]:
        cast = [(place, True) for place in votes.yes] + [(place, False) for place in votes.no]
        return {
            "proposer": self._names[votes.proposer],
            "actions": [step.plain(self._names) for step in steps],
            "votes": [{"member": self._names[place], "yes": is_yes} for place, is_yes in cast],
        }


def _is_only_rules(steps: Sequence[Step]) -> bool:
    return len(steps) == 1 and steps[0].name == RULES
