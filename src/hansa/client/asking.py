"""Asks what may be asked again: of one node after the other, as long as it is worth it."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from hansa.client import trust
from hansa.client.exchange import JSON, READ_S, Operation, Pause, Query, Reply, Request, exchange, within
from hansa.client.session import Session, Tries
from hansa.wire.problems import HansaError

_Found = TypeVar("_Found")

TELL_S: Final = 35.0
"""How long a node may take to put a told clock forward as far as it does in one request."""
_LOST: Final = ("node.silent", "node.foreign", "answer.late")
"""Ends of a request that another try may end better."""


def ask(
    session: Session,
    path: str,
    read: Callable[[Reply], _Found],
    *,
    query: Query | None = None,
    body: bytes | None = None,
    kind: str = JSON,
    accept: str = "*/*",
    wait_s: float = READ_S,
) -> Operation[_Found]:
    """What `read` finds in the answer of a route; POST with a `body` of this kind, else GET.

    `read` raises `HansaError` for bytes that are not what was asked for: they are asked for again.
    """

    def find(node: str, wait_s: float) -> Operation[_Found]:
        reply = yield from exchange(_request(node, path, query, body, kind, accept, wait_s))
        try:
            return read(reply)
        except HansaError as error:
            raise _Garbled(error) from None

    return (yield from persist(session, find, wait_s))


def tell(session: Session, time: int) -> Operation[None]:
    """Has a told clock put forward to `time` (ms), in as many requests as that takes: a node goes so far in each."""
    reached = (-1, -1)
    while reached[0] < time:
        before, reached = reached, (yield from ask(session, "/node/clock", _reached, body=_time(time), wait_s=TELL_S))
        if reached <= before:
            raise HansaError("node.foreign", f"{session.node} does not put its clock forward")


def _time(time: int) -> bytes:
    return msgspec.json.encode({"time": time})


class _Reached(msgspec.Struct, frozen=True):
    now: int
    entries: int


def _reached(reply: Reply) -> tuple[int, int]:
    """How far the clock has come, and how many entries there are."""
    try:
        found = msgspec.json.decode(reply.body, type=_Reached)
    except (ValueError, RecursionError):
        raise HansaError("node.foreign") from None
    return found.now, found.entries


def persist(
    session: Session, find: Callable[[str, float], Operation[_Found]], wait_s: float = READ_S
) -> Operation[_Found]:
    """Runs `find(node, seconds to wait)` on a node of the ledger; where that fails, on the next one or again.

    Raises the last `HansaError`.
    """
    tries = Tries(session)
    while True:
        node = session.node
        try:
            yield from within(lambda: tries.left_s, trust.admit(session, node))
            return (yield from within(lambda: tries.left_s, find(node, wait_s)))
        except _Garbled as garbled:
            error, is_lost = garbled.error, True
        except HansaError as refused:
            error, is_lost = refused, refused.code in _LOST
        pause = tries.pause_after(error, is_lost=is_lost)
        if pause is None:
            raise error
        session.failed(node)
        if pause:
            yield Pause(pause)


class _Garbled(Exception):
    """An answer that cannot be read, and why."""

    def __init__(self, error: HansaError) -> None:
        self.error = error


def _request(
    node: str, path: str, query: Query | None, body: bytes | None, kind: str, accept: str, wait_s: float
) -> Request:
    method = "GET" if body is None else "POST"
    headers = {"accept": accept} | ({} if body is None else {"content-type": kind})
    return Request(method, node, path, query or {}, body, headers, wait_s)
