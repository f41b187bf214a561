"""Who takes part in a network of CometBFT, as it stands in `orderer.json`: on every node the same but its own part."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

RETAINED: Final = 100_000
"""Blocks of CometBFT that a node keeps: as long as evidence is taken. Hansa's own log keeps everything."""

_Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]


class Validator(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A node of the network. `address` is where its engine listens to the others', as HOST:PORT.

    `peer` names the engine to others, `key` is the public key it votes with (Ed25519, both in hex). `power` is the
    weight of its vote; 0 for a node that follows without one.
    """

    name: _Name
    address: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9.:\[\]_-]+:[0-9]{1,5}\Z", max_length=260)]
    peer: Annotated[str, Meta(pattern=r"\A[0-9a-f]{40}\Z")]
    key: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    power: Annotated[int, Meta(ge=0, le=2**40)]


class CometSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a node takes part. `node` is its own name among `validators`, `home` the folder of its engine.

    `time`: genesis' time, ms since 1970 UTC; the first block has it. `wan`: patience for long distances. `listen`:
    where the engine listens if that is not the address the others know.
    """

    node: _Name
    home: Annotated[str, Meta(min_length=1)]
    time: Annotated[int, Meta(ge=0, le=2**53)]
    validators: Annotated[list[Validator], Meta(min_length=1, max_length=200)]
    listen: str = ""
    wan: bool = False
    retained: Annotated[int, Meta(ge=1)] = RETAINED

    def __post_init__(self) -> None:
        names = [each.name for each in self.validators]
        if self.node not in names:
            raise ValueError(f"{self.node} is not among the validators")
        for what in (names, [each.peer for each in self.validators], [each.key for each in self.validators]):
            if len(set(what)) < len(what):
                raise ValueError("a name or a key stands there twice")
        if not any(each.power for each in self.validators):
            raise ValueError("nobody has a vote")

    @property
    def own(self) -> Validator:
        """The node itself."""
        return next(each for each in self.validators if each.name == self.node)


def split(weights: Mapping[str, int], nodes: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Voting power of nodes, from the weights of members and the names of each member's nodes.

    Power belongs to members: one with two nodes has no more than one with three, so every weight is taken as often as
    all the counts divide. A member without nodes has no power.
    """
    whole = math.lcm(*(len(names) for names in nodes.values() if names))
    return {name: weights[member] * whole // len(names) for member, names in nodes.items() for name in names}
