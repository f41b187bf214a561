"""Why there is no new block, from what a node says of itself: who is missing or what is wrong, and what to do.

Nothing here asks anybody: the order's standing and all that keeps a node from taking transactions stand in its status.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

LATE_MS: Final = 10_000
"""An order that stands makes a block of what waits in less, also where its leader was just lost."""
NEEDED: Final = frozenset({"reasons", "warnings", "waiting", "now", "time", "orderer"})
"""What a status must have for this; one of another version may lack it."""


class NextBlock(msgspec.Struct, frozen=True):
    """When the next block comes.

    `state`: `idle` where nothing waits for one, `coming`, `degraded` where it comes without somebody, `late` where
    transactions wait and the last block is long ago, `none` where no transactions are taken. `why` is a clause that
    says so, `fix` what to do, empty where nothing is to be done.
    """

    state: Literal["idle", "coming", "degraded", "late", "none"]
    why: str
    fix: str = ""


def next_block(status: Mapping[str, Any]) -> NextBlock:
    """What `GET /node/status` says about the next block, by the node's own clock."""
    if status["reasons"]:
        first = status["reasons"][0]
        return NextBlock("none", first["detail"], first["remedy"])
    warnings = {warning["code"]: warning for warning in reversed(status["warnings"])}
    missing, silent = warnings.get("orderer.degraded"), warnings.get("key.node")
    waiting, passed_ms = status["waiting"], status["now"] - status["time"]
    wait = f"{waiting:,} {'transaction waits' if waiting == 1 else 'transactions wait'}"
    if waiting and passed_ms >= LATE_MS:
        order = missing["detail"] if missing else f"the order ({status['orderer']}) says that it is well"
        again = "Ask again in a moment: the first after a rest takes one. If it stays so, look at the node's log."
        why = f"{wait}, the last block is {passed_ms // 1000:,} s old, and {order}"
        return NextBlock("late", why, missing["remedy"] if missing else again)
    if missing:
        return NextBlock("degraded", f"it comes without somebody: {missing['detail']}", missing["remedy"])
    if waiting:
        return NextBlock("coming", f"{wait} for it")
    if silent:
        return NextBlock("idle", f"no transaction waits for one, and {_clause(silent['detail'])}", silent["remedy"])
    return NextBlock("idle", "no transaction waits for one")


def _clause(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
