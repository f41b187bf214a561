"""Searches what constitutions can be led to: every state that votes can reach, breadth first, up to renaming of equals.

It starts from so many members, equal but for one, and takes every proposal of one or two steps that some votes
get accepted. It finds:

*lock-out*: a reachable state in which no votes, the yes of all active members included, can change the constitution, at
once or after other proposals.

*take-over*: a member comes to have *sole power* against the will of another. One has it alone in a state: it is the
only member; or it makes a proposal that changes the constitution or membership (other than leaving itself), and that is
accepted by no other yes than its own, the others silent or saying no. It is against their will where one begins with
sole power over others; or gets it by a proposal that another member, who was active before, did not say yes to (or
make); or by one with which others come in, who could say nothing. So members may hand all power to one, if all say so.

*inequality*: members of one kind are treated differently, by their place in a list, or by what `apply` adds. The
merging of states assumes that it does not matter, so a search that finds this promises nothing else.

*no answer*: a constitution used up the steps that the kernel gives it. What it says then is not known, so the search
ends there.

Pure: how far it is goes to a callback. A vote that was cast before members changed counts here as one cast now. What
it does not do: lost or stolen keys (but it takes new keys for another member as power), more members than it was asked
for, more than two actions in a proposal but the removal of all others, and what the vocabulary does not have.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Literal

import msgspec

from hansa.contracts.program import Program
from hansa.governance.assembly import Assembly, Constitutions, Votes
from hansa.governance.motions import ADMIT, NEWCOMER, REMOVE, Result, State, Step, Vocabulary

DEPTH: Final = 6
"""So many accepted proposals from the start, if not said otherwise."""

Flaw = Literal["lock-out", "take-over", "inequality", "no answer"]
Progress = Callable[[int, int, int], None]
"""Told the depth, how many states were examined, and how many are known."""


class Passed(msgspec.Struct, frozen=True):
    """A proposal that was accepted: the state before, its steps, what `apply` made of them, the votes, the outcome."""

    before: State
    steps: tuple[Step, ...]
    carried: tuple[Step, ...]
    votes: Votes
    result: Result


class Finding(msgspec.Struct, frozen=True):
    """A flaw: the proposals that lead to the state in which it shows, from a start on.

    `witness` is what one member does alone there, as it is carried out, `by` that member; both None for a lock-out or
    no answer, and nothing where one member is left.
    """

    flaw: Flaw
    start: State
    path: tuple[Passed, ...]
    state: State
    by: int | None = None
    witness: tuple[Step, ...] | None = None


class Report(msgspec.Struct, frozen=True):
    """What a search saw: how many states there are, and how often constitutions were asked.

    `findings` has the shortest of each flaw under each constitution, `found` how many there were of each flaw.
    """

    fewest: int
    members: int
    depth: int
    floor: bool
    states: int
    asked: int
    findings: tuple[Finding, ...]
    found: dict[Flaw, int]


def search(
    programs: Mapping[str, Program],
    vocabulary: Vocabulary,
    *,
    members: int,
    fewest: int = 1,
    depth: int = DEPTH,
    floor: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Searches from `fewest` to `members` members on, who begin under the first constitution of the vocabulary."""
    return _Search(Constitutions(programs), vocabulary, (fewest, members), depth, floor, progress).run()


class _Search:
    def __init__(
        self,
        constitutions: Constitutions,
        vocabulary: Vocabulary,
        members: tuple[int, int],
        depth: int,
        floor: bool,
        progress: Progress | None,
    ) -> None:
        self._constitutions = constitutions
        self._vocabulary = vocabulary
        self._fewest, self._members = members
        self._depth = depth
        self._floor = floor
        self._progress = progress
        self._ways: dict[State, Passed | None] = {}
        """Every state that was reached, and the first way into it; None where it is a start."""
        self._rulers: dict[State, dict[int, tuple[Step, ...]]] = {}
        self._stuck: list[State] = []
        self._findings: dict[tuple[Flaw, str], Finding] = {}
        self._found: dict[Flaw, int] = {"lock-out": 0, "take-over": 0, "inequality": 0, "no answer": 0}

    def run(self) -> Report:
        queue: deque[tuple[int, State]] = deque()
        state = self._vocabulary.starts(self._fewest)[0]
        for count in range(self._fewest, self._members + 1):
            for start in self._vocabulary.starts(count):
                if start not in self._ways and not self._constitutions.exhausted:
                    state = start
                    self._ways[start] = None
                    queue.append((0, start))
                    if count > 1:
                        self._note_rulers(start)
        examined = 0
        while queue and not self._constitutions.exhausted:
            depth, state = queue.popleft()
            if self._progress is not None:
                self._progress(depth, examined, len(self._ways))
            examined += 1
            assembly = self._assembly(state)
            if not self._can_change_rules(assembly):
                self._stuck.append(state)
            if depth < self._depth:
                queue.extend((depth + 1, reached) for reached in self._expand(assembly))
        if self._constitutions.exhausted:
            self._note("no answer", state)
        else:
            for locked in self._locked():
                self._note("lock-out", locked)
        findings = tuple(self._findings.values())
        asked = self._constitutions.asked
        return Report(
            self._fewest, self._members, self._depth, self._floor, len(self._ways), asked, findings, self._found
        )

    def _assembly(self, state: State) -> Assembly:
        return Assembly(self._constitutions, state, floor=self._floor)

    # Ways from a state

    def _expand(self, assembly: Assembly) -> Iterator[State]:
        """The new states that votes lead to from here; take-overs on the way are noted."""
        state = assembly.state
        for steps in self._proposals(assembly):
            result = assembly.result(steps)
            if result is None or result.state == state or len(result.state.members) > self._members:
                continue
            reached = result.state
            is_new = reached not in self._ways
            if not is_new and not self._rulers_of(reached):
                continue
            votes = assembly.together(steps)
            if votes is None:
                continue
            passed = Passed(state, steps, assembly.carried(steps) or (), votes, result)
            if is_new:
                self._ways[reached] = passed
                yield reached
            self._judge(assembly, passed)

    def _proposals(self, assembly: Assembly) -> Iterator[tuple[Step, ...]]:
        """Every proposal of one step or two, up to renaming of equal members; and those that leave one of several."""
        state, vocabulary = assembly.state, self._vocabulary
        firsts = [step for step in vocabulary.steps(state, assembly.firsts()) if step.name not in vocabulary.ordinary]
        for step in firsts:
            yield (step,)
        seconds = vocabulary.steps(state, assembly.firsts(most=2))
        for step in firsts:
            for other in seconds:
                yield (step, other)
        if len(assembly.places) > 3:  # of fewer, one is left by two steps
            for last in assembly.firsts():
                yield tuple(Step(REMOVE, place) for place in assembly.places if place != last)

    def _judge(self, assembly: Assembly, passed: Passed) -> None:
        """Notes a take-over if a proposal gives sole power against somebody's will."""
        result = passed.result
        for place, witness in self._rulers_of(result.state).items():
            before = result.origins[place]
            if before is not None and before in self._rulers_over_others(assembly.state):
                continue
            others = [other for other in assembly.places if other != before]
            against = passed if None in result.origins[:place] + result.origins[place + 1 :] else None
            for other in others:
                if against is None:
                    votes = assembly.together(passed.steps, frozenset(assembly.places) - {other})
                    against = None if votes is None else msgspec.structs.replace(passed, votes=votes)
            if against is not None:
                self._note("take-over", result.state, against, place, witness)

    # Power

    def _rulers_over_others(self, state: State) -> dict[int, tuple[Step, ...]]:
        return self._rulers_of(state) if len(state.members) > 1 else {}

    def _rulers_of(self, state: State) -> dict[int, tuple[Step, ...]]:
        """The members that have sole power, each with a proposal that shows it; the only member with none."""
        if state not in self._rulers:
            self._rulers[state] = {0: ()} if len(state.members) == 1 else self._find_rulers(self._assembly(state))
        return self._rulers[state]

    def _find_rulers(self, assembly: Assembly) -> dict[int, tuple[Step, ...]]:
        found: dict[int, tuple[Step, ...]] = {}
        firsts = assembly.firsts()
        for place in assembly.places:
            is_first = place in firsts
            steps = self._vocabulary.steps(assembly.state, [place, *assembly.firsts(but=place)])
            singles = [(step,) for step in steps if assembly.has_power((step,), place)]
            if shown := self._shown_alone(assembly, place, singles, patiently=is_first):
                found[place] = shown
            elif is_first:  # the others of its kind can do the same
                samples = _sampled(steps)
                pairs = [(one, two) for one in samples for two in samples if assembly.has_power((one, two), place)]
                shown = self._shown_alone(assembly, place, pairs, patiently=False) or ()
                equals = [other for other in assembly.places if shown and assembly.are_equal(place, other)]
                found |= {other: tuple(_renamed(step, place, other) for step in shown) for other in equals}
        self._check_equality(assembly)
        return found

    def _shown_alone(
        self, assembly: Assembly, place: int, proposals: list[tuple[Step, ...]], *, patiently: bool
    ) -> tuple[Step, ...] | None:
        for steps in proposals:
            if assembly.alone(steps, place, patiently=False) or (
                patiently and assembly.alone(steps, place, patiently=True)
            ):
                return assembly.carried(steps)
        return None

    def _check_equality(self, assembly: Assembly) -> None:
        """Notes where members of one kind differ: in what they can do alone, or others without them, or in what comes.

        What comes is what `apply` adds.
        """
        newcomer = Step(ADMIT, weight=1, attributes=(), subject=NEWCOMER)
        for step in [*self._vocabulary.others(), *self._vocabulary.rules(), newcomer]:
            steps = (step,)
            hit = {step.member for step in assembly.carried(steps) or ()}
            said: dict[object, tuple[bool, bool, bool]] = {}
            for place in assembly.places:
                rest = [other for other in assembly.places if other != place]
                alone = assembly.accepted(steps, place, [place], []) is not None
                without = assembly.accepted(steps, rest[-1], rest[::-1], [place]) is not None
                found = (alone, without, place in hit)
                if said.setdefault(assembly.state.members[place], found) != found:
                    self._note("inequality", assembly.state, None, place, steps)
                    return

    # Locks

    def _can_change_rules(self, assembly: Assembly) -> bool:
        return any(assembly.together((step,)) is not None for step in self._vocabulary.rules())

    def _locked(self) -> list[State]:
        """The states in which the rules cannot be changed, nor in any that can be reached from there."""
        locked = list(self._stuck)
        ways = {state: list(self._leads_to(state)) for state in locked}
        has_changed = True
        while has_changed:
            still = [state for state in locked if not any(self._is_free(other, locked) for other in ways[state])]
            has_changed = len(still) < len(locked)
            locked = still
        return locked

    def _leads_to(self, state: State) -> Iterator[State]:
        assembly = self._assembly(state)
        for steps in self._proposals(assembly):
            result = assembly.result(steps)
            if result is not None and result.state != state and assembly.together(steps) is not None:
                yield result.state

    def _is_free(self, state: State, locked: list[State]) -> bool:
        if state in self._ways:
            return state not in locked
        return self._can_change_rules(self._assembly(state))

    # Findings

    def _note_rulers(self, start: State) -> None:
        for place, witness in self._rulers_of(start).items():
            self._note("take-over", start, None, place, witness)

    def _note(
        self,
        flaw: Flaw,
        state: State,
        last: Passed | None = None,
        by: int | None = None,
        witness: tuple[Step, ...] | None = None,
    ) -> None:
        self._found[flaw] += 1
        path = [] if last is None else [last]
        before = state if last is None else last.before
        while (way := self._ways.get(before)) is not None:
            path.insert(0, way)
            before = way.before
        finding = Finding(flaw, before, tuple(path), state, by, witness)
        known = self._findings.get((flaw, state.constitution))
        if known is None or len(path) < len(known.path):
            self._findings[flaw, state.constitution] = finding


def _sampled(steps: list[Step]) -> list[Step]:
    """One step of each name about each subject: weights and attributes given are as good as each other here."""
    taken: dict[object, Step] = {}
    for step in steps:
        taken.setdefault((step.name, step.member, step.subject, step.digest), step)
    return list(taken.values())


def _renamed(step: Step, one: int, other: int) -> Step:
    """The step with two members in each other's place."""
    swapped = {one: other, other: one}
    return step if step.member is None else msgspec.structs.replace(step, member=swapped.get(step.member, step.member))
