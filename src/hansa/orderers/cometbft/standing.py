"""How the ordering is, in words, from what a node sees of its engine; pure.

Connections alone do not tell: blocks reach a node through others too. So where fewer than two thirds of the votes are
in reach, the order counts as halted until a block was decided all the same, which `orderer` tries out.
"""

from typing import Final

import msgspec

from hansa.orderers import DEGRADED, HALTED, HEALTHY, Standing
from hansa.orderers.cometbft.rpc import View
from hansa.orderers.cometbft.settings import CometSettings

SILENCE_S: Final = 10.0
"""For how long an engine may say nothing, or order nothing though something waits, before that is told."""
MOVING_S: Final = 5.0
"""For how long after a block its order counts as going on."""
SETTLED_S: Final = 2.0
"""How long after a node was lost a block may still be decided with its vote."""

_WAIT: Final = "Wait; if it lasts, look at the engine's log, engine.log in the engine's folder."
_LOOK: Final = "Look at the engine's log, engine.log in the engine's folder."
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


def missing(settings: CometSettings, view: View) -> list[str]:
    """The names of the nodes that the engine has no connection to."""
    return [each.name for each in settings.validators if each != settings.own and each.peer not in view.peers]


def is_cut_off(settings: CometSettings, facts: Facts) -> bool:
    """Whether too few votes are in reach, and nothing has been decided in spite of that."""
    if facts.view is None:
        return False
    lost = set(missing(settings, facts.view))
    power = sum(each.power for each in settings.validators)
    if sum(each.power for each in settings.validators if each.name in lost) * 3 < power:
        return False
    return facts.decided is None or facts.decided < facts.lost + SETTLED_S


def judge(settings: CometSettings, facts: Facts) -> Standing:
    """Healthy, degraded, or halted, and why."""
    view = facts.view
    if facts.now - facts.viewed > SILENCE_S:
        return Standing(HALTED, facts.ended or "its engine does not answer", _LOOK)
    if view is None:
        return Standing(DEGRADED, facts.ended or "its engine is starting", _WAIT)
    lost = missing(settings, view)
    names = f"no connection to {', '.join(lost)}"
    if is_cut_off(settings, facts):
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
