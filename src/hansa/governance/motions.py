"""Governance in small: who is active under which constitution, and what the steps of a proposal make of it.

The search goes through states of this form. Names, keys and contracts are left out: no constitution can tell members
by their names, only by weight and attributes, so members that have these in common are one *kind*, and states that
differ only in who is who are one state.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

RULES: Final = "set_constitution"
ADMIT: Final = "set_member"
REMOVE: Final = "remove_member"
DATA: Final = "set_member_data"
KEYS: Final = "set_member_keys"
POWER: Final = (RULES, ADMIT, REMOVE, DATA, KEYS)
"""The actions that decide who has a say: the constitution, and membership."""
ORDINARY: Final = (
    "set_user",
    "remove_user",
    "set_user_data",
    "set_contract",
    "set_library",
    "pause_contract",
    "resume_contract",
    "set_limits",
    "set_jwt_issuer",
    "remove_jwt_issuer",
    "set_reference",
    "exclude_transaction",
)
"""The others. Whatever they do, they change no state of this form."""


class Kind(msgspec.Struct, frozen=True, order=True):
    """What a constitution can tell members by."""

    weight: int = 1
    attributes: tuple[str, ...] = ()


class State(msgspec.Struct, frozen=True):
    """The constitution in force, by its name, and the active members, in the order of their kinds."""

    constitution: str
    members: tuple[Kind, ...]


class Step(msgspec.Struct, frozen=True):
    """One action. `member` is a place in `State.members`; `attributes` are None where they stay as they are."""

    name: str
    member: int | None = None
    weight: int | None = None
    attributes: tuple[str, ...] | None = None
    constitution: str = ""

    def plain(self) -> dict[str, Any]:
        """As a constitution is given it."""
        return {
            "name": self.name,
            "subject": "newcomer" if self.member is None else identity(self.member),
            "member": None if self.member is None else identity(self.member),
            "attributes": list(self.attributes or ()),
            "weight": self.weight,
            "digest": bytes(32) if self.constitution else None,
        }


def identity(place: int) -> str:
    """The name by which a constitution knows the member at a place."""
    return f"member-{place}"


def step_of(plain: Mapping[str, Any]) -> Step:
    """The step that `apply` gave back. One that has a weight changes attributes only if it has some."""
    member = plain["member"]
    attributes = tuple(sorted(set(plain["attributes"])))
    return Step(
        plain["name"],
        None if member is None else int(member.rpartition("-")[2]),
        plain["weight"],
        None if not attributes and plain["weight"] is not None else attributes,
    )


class Result(msgspec.Struct, frozen=True):
    """The state after a proposal, and where each of its members stood before; None for one that came in."""

    state: State
    origins: tuple[int | None, ...]


def carried_out(state: State, steps: Iterable[Step]) -> Result | None:
    """What steps make of a state, in their order; None if one of them is about a member that is gone by then."""
    members: dict[int, Kind] = dict(enumerate(state.members))
    constitution = state.constitution
    newcomers: list[Kind] = []
    for step in steps:
        if step.member is not None and step.member not in members:
            return None
        match step.name:
            case "set_constitution":
                constitution = step.constitution
            case "set_member":
                newcomers.append(Kind(1 if step.weight is None else step.weight, step.attributes or ()))
            case "remove_member" if step.member is not None:
                del members[step.member]
            case "set_member_data" if step.member is not None:
                before = members[step.member]
                members[step.member] = Kind(
                    before.weight if step.weight is None else step.weight,
                    before.attributes if step.attributes is None else step.attributes,
                )
            case _:
                pass
    after: list[tuple[Kind, int | None]] = [(kind, place) for place, kind in members.items()]
    after += [(kind, None) for kind in newcomers]
    after.sort(key=lambda one: one[0])
    return Result(State(constitution, tuple(kind for kind, _ in after)), tuple(place for _, place in after))


class Vocabulary(msgspec.Struct, frozen=True):
    """What steps are made of: weights and attributes that move the constitutions, and the constitutions themselves.

    A ledger begins with the first of these. `ordinary` are the actions besides `POWER` that proposals are made of.
    """

    weights: tuple[int, ...]
    attributes: tuple[str, ...]
    constitutions: tuple[str, ...]
    ordinary: tuple[str, ...]

    def kinds(self) -> list[Kind]:
        """What a newcomer may be: of each weight, or with one of the attributes."""
        plain = [Kind(weight) for weight in self.weights]
        return plain + [Kind(1, (attribute,)) for attribute in self.attributes]

    def steps(self, state: State, about: Sequence[int]) -> list[Step]:
        """Every step there is about these members, and every one that is about none."""
        made = [Step(RULES, constitution=name) for name in self.constitutions]
        made += [Step(ADMIT, weight=kind.weight, attributes=kind.attributes) for kind in self.kinds()]
        made += [Step(name) for name in self.ordinary]
        for place in about:
            kind = state.members[place]
            made += [Step(REMOVE, place), Step(KEYS, place)]
            made += [Step(DATA, place, weight=weight) for weight in self.weights if weight != kind.weight]
            made += [Step(DATA, place, attributes=_toggled(kind, attribute)) for attribute in self.attributes]
        return made

    def starts(self, members: int) -> list[State]:
        """Where so many members may begin, under the first constitution.

        All are equal; or one has an attribute, or another weight than the others.
        """
        firsts = [Kind(), *(kind for kind in self.kinds() if kind != Kind())]
        return [State(self.constitutions[0], tuple(sorted([first, *[Kind()] * (members - 1)]))) for first in firsts]


def _toggled(kind: Kind, attribute: str) -> tuple[str, ...]:
    return tuple(sorted(set(kind.attributes) ^ {attribute}))
