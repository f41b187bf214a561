"""How a node takes part in a network of CometBFT, as it stands in its `orderer.json`.

Who else takes part, where, and with what power is for the ledger to say: see `orderers.Seat`.
"""

from typing import Annotated, Final, TypeAlias

import msgspec
from msgspec import Meta

RETAINED: Final = 100_000
"""Blocks of CometBFT that a node keeps: as long as evidence is taken. Hansa's own log keeps everything."""

_Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]
_Address: TypeAlias = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9.:\[\]_-]+:[0-9]{1,5}\Z", max_length=260)]
_Peer: TypeAlias = Annotated[str, Meta(pattern=r"\A[0-9a-f]{40}@[A-Za-z0-9.:\[\]_-]+:[0-9]{1,5}\Z", max_length=301)]


class CometSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """How a node takes part. `node` is its own id, `home` the folder of its engine, `listen` where this listens.

    `addresses`: where the engines of other nodes are reached from here, by the nodes' ids, where the ledger says
    otherwise. `peers`: engines, as PEER@HOST:PORT, to go to besides, for a node that begins with a ledger too old to
    know anybody who is still there. `wan`: patience for long distances.
    """

    node: _Name
    home: Annotated[str, Meta(min_length=1)]
    listen: _Address
    addresses: Annotated[dict[_Name, _Address], Meta(max_length=200)] = {}
    peers: Annotated[list[_Peer], Meta(max_length=200)] = []
    wan: bool = False
    retained: Annotated[int, Meta(ge=1)] = RETAINED
