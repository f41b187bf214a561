"""A finding of the search as people read it: members by letters, proposals and votes in words."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Final

import msgspec

from hansa.governance.motions import Kind, State, Step
from hansa.governance.search import Finding

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Vote(msgspec.Struct, frozen=True):
    """An accepted proposal: who made it, all that is carried out, who had said what, and who is active afterwards."""

    proposer: str
    actions: list[str]
    yes: list[str]
    no: list[str]
    constitution: str
    members: list[str]


class Trace(msgspec.Struct, frozen=True):
    """How a constitution is led to a flaw: from these members on, vote by vote, and what is wrong in the end."""

    flaw: str
    constitution: str
    members: list[str]
    votes: list[Vote]
    end: str


def trace(finding: Finding) -> Trace:
    """The trace of a finding."""
    numbers = count()
    names = [_letter(next(numbers)) for _ in finding.start.members]
    first = _members(finding.start, names)
    votes: list[Vote] = []
    unheard: list[str] = []
    for passed in finding.path:
        wanted = passed.votes.wanted_by
        unheard = [name for place, name in enumerate(names) if place not in wanted]
        after = [_letter(next(numbers)) if place is None else names[place] for place in passed.result.origins]
        votes.append(
            Vote(
                names[passed.votes.proposer],
                [told(step, names) for step in passed.carried],
                [names[place] for place in sorted(passed.votes.yes)],
                [names[place] for place in sorted(passed.votes.no)],
                passed.result.state.constitution,
                _members(passed.result.state, after),
            )
        )
        unheard += [name for name in after if name not in names]
        names = after
    end = _end(finding, names, unheard)
    return Trace(finding.flaw, finding.start.constitution, first, votes, end)


def lines(found: Trace) -> list[str]:
    """A trace as lines of text."""
    made = [f"{found.flaw}: begins under {found.constitution} with {_listed(found.members)}"]
    for number, vote in enumerate(found.votes, 1):
        made.append(f"{number}. {vote.proposer} proposes to {' and to '.join(vote.actions)}")
        said = f"{_listed(vote.yes)} said yes" if vote.yes else "nobody was asked"
        if vote.no:
            said += f", {_listed(vote.no)} said no"
        made.append(f"   {said}: accepted; then {_listed(vote.members)}, under {vote.constitution}")
    return [*made, found.end]


def told(step: Step, names: Sequence[str]) -> str:
    """A step in words, behind "to"."""
    who = "" if step.member is None else names[step.member]
    match step.name:
        case "set_constitution":
            return f"set the constitution {step.constitution}"
        case "set_member":
            name = step.subject if step.is_named else ""
            return (
                f"admit a member{_kind(Kind(1 if step.weight is None else step.weight, step.attributes or (), name))}"
            )
        case "remove_member":
            return f"remove {who}"
        case "set_member_keys":
            return f"give {who} new keys"
        case "set_member_data" if step.weight is not None:
            return f"give {who} the weight {step.weight}"
        case "set_member_data":
            return f"set the attributes of {who} to {', '.join(step.attributes or ()) or 'none'}"
        case _:
            return f"{step.name} {step.subject}" if step.is_named else step.name


def _end(finding: Finding, names: Sequence[str], unheard: Sequence[str]) -> str:
    if finding.flaw == "lock-out":
        if not names:
            return "Nobody is left, so nothing can change the constitution any more."
        return "No votes can change the constitution any more, not even the yes of all."
    if finding.flaw == "no answer":
        return (
            "The constitution gives no answer there: it used up all steps that it gets, so what it does is not known."
        )
    assert finding.by is not None
    who = names[finding.by]
    does = " and to ".join(told(step, names) for step in finding.witness or ())
    if finding.flaw == "inequality":
        return f"{who} and a member that differs in nothing but its name are treated differently by a vote to {does}."
    others = [name for name in unheard if name != who]
    against = f"; {_listed(others)} did not agree" if others else ""
    if not finding.witness:
        return f"{who} alone is left{against}."
    return f"{who} alone can now have it accepted to {does}{against}."


def _letter(number: int) -> str:
    letter = _LETTERS[number % len(_LETTERS)]
    return letter if number < len(_LETTERS) else f"{letter}{number // len(_LETTERS)}"


def _members(state: State, names: Sequence[str]) -> list[str]:
    named: Mapping[str, Kind] = dict(zip(names, state.members, strict=True))
    return [f"{name}{_kind(named[name])}" for name in sorted(named)]


def _kind(kind: Kind) -> str:
    said = [f"named {kind.name}"] if kind.name else []
    said += ([f"weight {kind.weight}"] if kind.weight != 1 else []) + list(kind.attributes)
    return f" ({', '.join(said)})" if said else ""


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return " and ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known) or "nobody"
