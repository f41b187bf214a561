"""How the ordering is, in words, from what a node sees of its engine; pure.

Connections alone do not tell: blocks reach a node through others too. So where fewer than two thirds of the votes are
in reach, the order counts as halted until a block was decided all the same, which `orderer` tries out.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from hansa.orderers import DEGRADED, HALTED, HEALTHY, Seat, Standing
from hansa.orderers.cometbft.rpc import View

SILENCE_S: Final = 10.0
"""For how long an engine may say nothing, or order nothing though something waits, before that is told."""
MOVING_S: Final = 5.0
"""For how long after a block its order counts as going on."""
SETTLED_S: Final = 2.0
"""How long after a node was lost a block may still be decided with its vote."""
STARTING_S: Final = 5.0
"""For how long after its start an engine is still finding the others: then it is no news that some are missing."""

_WAIT: Final = "Wait; if it lasts, look at the engine's log, engine.log in the engine's folder."
_LOOK: Final = "Look at the engine's log, engine.log in the engine's folder."
_UNSEATED: Final = "others let this node in no more, or not yet: as far as is known here, it is no node of the ledger"
_SEAT: Final = "Have its member register it; if it was retired, stop it."
_PEERS: Final = "Have those nodes started, or look at the network between them and this one."


class Facts(msgspec.Struct, frozen=True):
    """What is seen, all times in seconds of one steady clock.

    `view`: what the engine said last, at `viewed`; None if it has just been started. `ended`: how the one before it
    ended. `lost`: since when the same peers are missing. `decided`: when a block was decided last. `waiting`: since
    when the oldest batch that was handed in waits.
    """

    now: float
    viewed: float
    view: View | None = None
    ended: str = ""
    lost: float = 0.0
    decided: float | None = None
    waiting: float | None = None
    began: float = 0.0


def missing(own: str, seats: Sequence[Seat], view: View) -> list[Seat]:
    """The trusted nodes that the engine of node `own` has no connection to."""
    return [each for each in seats if each.is_trusted and each.name != own and each.peer not in view.peers]


def is_cut_off(own: str, seats: Sequence[Seat], facts: Facts) -> bool:
    """Whether too few votes are in reach, and nothing has been decided in spite of that."""
    if facts.view is None:
        return False
    lost = missing(own, seats, facts.view)
    if sum(each.power for each in lost) * 3 < sum(each.power for each in seats):
        return False
    return facts.decided is None or facts.decided < facts.lost + SETTLED_S


def judge(own: str, seats: Sequence[Seat], facts: Facts) -> Standing:
    """Healthy, degraded, or halted, and why. `seats` are those of the network, `own` the name of the node's own."""
    view = facts.view
    if facts.now - facts.viewed > SILENCE_S:
        return Standing(HALTED, facts.ended or "its engine does not answer", _LOOK)
    if view is None:
        return Standing(DEGRADED, facts.ended or "its engine is starting", _WAIT)
    lost = [each.name for each in missing(own, seats, view)]
    names = f"no connection to {', '.join(lost)}"
    if is_cut_off(own, seats, facts):
        if all(each.name != own for each in seats):
            return Standing(HALTED, _UNSEATED, _SEAT)
        if facts.now - facts.began < STARTING_S:
            return Standing(HALTED, f"its engine is starting: {names} yet", _WAIT)
        return Standing(HALTED, f"{names}: more than two thirds of the votes are needed", _PEERS)
    moving = facts.decided is not None and facts.now - facts.decided < MOVING_S
    waits = facts.now - facts.waiting if facts.waiting is not None else 0.0
    if not moving and waits > SILENCE_S:
        reason = f"a batch waits for {int(waits)} s and there is no block" + (f"; {names}" if lost else "")
        return Standing(HALTED, reason, _PEERS if lost else _LOOK)
    if view.catching_up:
        return Standing(DEGRADED, f"this node catches up: its engine is at height {view.height}", _WAIT)
    if lost:
        return Standing(DEGRADED, names, _PEERS)
    return Standing(HEALTHY)
