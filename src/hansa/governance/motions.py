"""Governance in small: who is active under which constitution, and what the steps of a proposal make of it.

The search goes through states of this form. Keys and contracts are left out, and names too, but for those that a
constitution's text has: it can tell members by weight and attributes, and by the subject of an action. Members that
have these in common are one *kind*, and states that differ only in who is who are one state.
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
NEED_TWO: Final = frozenset(
    {*POWER, "set_user", "set_user_data", "set_jwt_issuer", "exclude_transaction", "trust_node", "retire_node"}
)
"""The actions for which the kernel asks for the yes of two; a test compares."""
FOLLOW: Final = frozenset({DATA, "set_user_data", "remove_user", "pause_contract", "resume_contract"})
"""The actions that the kernel lets follow from others; a test compares."""
NEWCOMER: Final = "newcomer"
"""The name of a member that comes in, if no text names it."""
SOMETHING: Final = "something"
"""What ordinary actions are about, if no text names it."""
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
    "trust_node",
    "retire_node",
)
"""The others. Whatever they do, they change no state of this form."""


class Kind(msgspec.Struct, frozen=True, order=True):
    """What a constitution can tell members by; `name` is empty for one that its text does not name."""

    weight: int = 1
    attributes: tuple[str, ...] = ()
    name: str = ""


class State(msgspec.Struct, frozen=True):
    """The constitution in force, by its name, and the active members, in the order of their kinds."""

    constitution: str
    members: tuple[Kind, ...]


class Step(msgspec.Struct, frozen=True):
    """One action. `member` is a place in `State.members`; `attributes` are None where they stay as they are.

    `subject` is the name of a newcomer or of anything else that is no member, `digest` that of a new constitution.
    """

    name: str
    member: int | None = None
    weight: int | None = None
    attributes: tuple[str, ...] | None = None
    subject: str = ""
    constitution: str = ""
    digest: bytes = b""

    @property
    def is_named(self) -> bool:
        """Whether it is about somebody or something that texts name."""
        return self.subject not in ("", NEWCOMER, SOMETHING)

    def plain(self, names: Sequence[str]) -> dict[str, Any]:
        """As a constitution is given it, where members have these names."""
        return {
            "name": self.name,
            "subject": self.subject if self.member is None else names[self.member],
            "member": None if self.member is None else names[self.member],
            "attributes": list(self.attributes or ()),
            "weight": self.weight,
            "digest": self.digest or None,
        }


def names_of(state: State) -> list[str]:
    """The names by which a constitution knows the members of a state."""
    return [kind.name or f"member-{place}" for place, kind in enumerate(state.members)]


def step_of(plain: Mapping[str, Any], names: Sequence[str]) -> Step:
    """A step that `apply` added: its subject says whom it is about, or else its member."""
    about = {plain["subject"], plain["member"]}
    place = next((place for place, name in enumerate(names) if name in about), None)
    attributes = tuple(sorted(set(plain["attributes"])))
    return Step(plain["name"], place, plain["weight"], attributes, "" if place is not None else plain["subject"])


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
                name = step.subject if step.is_named else ""
                if name in {kind.name for kind in (*state.members, *newcomers)} - {""}:
                    return None
                newcomers.append(Kind(1 if step.weight is None else step.weight, step.attributes or (), name))
            case "remove_member" if step.member is not None:
                del members[step.member]
            case "set_member_data" if step.member is not None:
                before = members[step.member]
                members[step.member] = Kind(
                    before.weight if step.weight is None else step.weight,
                    before.attributes if step.attributes is None else step.attributes,
                    before.name,
                )
            case _:
                pass
    after: list[tuple[Kind, int | None]] = [(kind, place) for place, kind in members.items()]
    after += [(kind, None) for kind in newcomers]
    after.sort(key=lambda one: one[0])
    return Result(State(constitution, tuple(kind for kind, _ in after)), tuple(place for _, place in after))


class Vocabulary(msgspec.Struct, frozen=True):
    """What steps are made of: weights, attributes and names that move the constitutions, and the constitutions.

    These with their digests; a ledger begins with the first of them. `digests` are others that their text has.
    `ordinary` are the actions besides `POWER` that proposals are made of. `unseen` says what is not tried.
    """

    weights: tuple[int, ...]
    attributes: tuple[str, ...]
    names: tuple[str, ...]
    constitutions: dict[str, bytes]
    digests: tuple[bytes, ...]
    ordinary: tuple[str, ...]
    unseen: tuple[str, ...] = ()

    def kinds(self) -> list[Kind]:
        """What a newcomer may be: of each weight, or with one of the attributes or names."""
        plain = [Kind(weight) for weight in self.weights]
        plain += [Kind(1, (attribute,)) for attribute in self.attributes]
        return plain + [Kind(1, (), name) for name in self.names]

    def rules(self) -> list[Step]:
        """Every change of the constitution: with a digest that texts have, the first is set anew."""
        made = [Step(RULES, constitution=name, digest=digest) for name, digest in self.constitutions.items()]
        first = next(iter(self.constitutions))
        return made + [Step(RULES, constitution=first, digest=digest) for digest in self.digests]

    def others(self) -> list[Step]:
        """Every ordinary action, about nothing that texts name, and about what they do."""
        return [Step(name, subject=subject) for name in self.ordinary for subject in (SOMETHING, *self.names)]

    def steps(self, state: State, about: Sequence[int]) -> list[Step]:
        """Every step there is about these members, and every one that is about none."""
        made = self.rules()
        made += [Step(ADMIT, None, kind.weight, kind.attributes, kind.name or NEWCOMER) for kind in self.kinds()]
        made += self.others()
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
        begins = next(iter(self.constitutions))
        return [State(begins, tuple(sorted([first, *[Kind()] * (members - 1)]))) for first in firsts]


def _toggled(kind: Kind, attribute: str) -> tuple[str, ...]:
    return tuple(sorted(set(kind.attributes) ^ {attribute}))
