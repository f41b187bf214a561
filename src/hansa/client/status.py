"""How a node says it is."""

import msgspec

from hansa.client.asking import ask
from hansa.client.exchange import Operation, Reply
from hansa.client.session import Session
from hansa.wire.problems import HansaError


class Status(msgspec.Struct, frozen=True):
    """How a node is: `state` is running, refusing or faulted, `trouble` the code of what keeps it from more.

    `time` is that of the last block, `now` the node's clock, both in ms; `clock` is `told` where whoever runs the node
    tells it, for demonstrations only, else `real`.
    """

    ledger: str
    name: str
    state: str
    trouble: str
    detail: str
    entries: int
    height: int
    time: int
    waiting: int
    checkpoint: int
    clock: str
    now: int


def status(session: Session) -> Operation[Status]:
    """See `Client.status`."""
    return (yield from ask(session, "/node/status", _read))


def _read(reply: Reply) -> Status:
    try:
        return msgspec.json.decode(reply.body, type=Status)
    except ValueError:
        raise HansaError("node.foreign", "what came does not say how a node is") from None
