"""Reading from a node that knows its readers: the token for it, and whether it is a node of the ledger at all.

Every operation on a node that is spoken to by TLS is driven through `reading`. It gets a token where one is asked for,
by signing the node's challenge with the client's key. Where certificates count by node keys (see `connections`), the
node's key must stand in the genesis document that the ledger's id pins, or be told by a node that was found good, or
nothing else is asked. Until then such a node has got a signature that serves at no other node, and no question.
"""

from typing import Any, Final, TypeVar

import msgspec

from hansa.client.connections import host, is_secured, origin
from hansa.client.exchange import COSE, Heard, Operation, Reply, Request, address, exchange, json_of
from hansa.client.session import Session
from hansa.wire import genesis, keys, names, reader
from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError

CHALLENGE: Final = "/node/challenge"
TOKEN: Final = "/node/token"  # noqa: S105 - a path
_KEY: Final = "/app/contracts/members/records/Key/value"
"""Where a node tells a key that was registered."""
_UNAUTHORIZED: Final = 401

_Result = TypeVar("_Result")


class _Challenge(msgspec.Struct, frozen=True):
    challenge: str
    ledger: str
    node: str


class _Token(msgspec.Struct, frozen=True):
    token: str


def reading(session: Session, operation: Operation[_Result]) -> Operation[_Result]:
    """The operation, whose requests to nodes with TLS carry a token where one is asked for."""
    heard: Heard = None
    while True:
        try:
            step = operation.send(heard)
        except StopIteration as done:
            return done.value
        if isinstance(step, Request) and is_secured(step.node):
            heard = yield from _read(session, step)
        else:
            heard = yield step


def authorization(session: Session, node: str) -> dict[str, str]:
    """The header that shows the token for a node, if there is one."""
    token = session.tokens.get(node)
    return {} if token is None else {"authorization": f"Bearer {token}"}


def is_refused(session: Session, status: int) -> bool:
    """Whether an answer with this status may be another one with a new token."""
    return status == _UNAUTHORIZED and session.has_signer


def met(session: Session, node: str) -> Operation[None]:
    """Sees to it that a node with TLS is one of the ledger's, once. Raises `HansaError` as `enter`."""
    if is_secured(node) and session.certificates.by_keys and node not in session.proven:
        yield from enter(session, node)
        yield from _prove(session, node)
        session.proven.add(node)


def enter(session: Session, node: str) -> Operation[None]:
    """Gets a token for a node. Raises `HansaError`: `reader.*`, `node.ledger`, `tls.unregistered`, `argument.value`."""
    if not session.has_signer:
        raise HansaError("reader.token", f"{address(node)} tells nothing to who has no key")
    challenge, ledger, kid = yield from _challenged(node)
    if ledger != (session.ledger or ledger):
        assert session.ledger is not None
        raise HansaError("node.ledger", f"{address(node)} keeps ledger {ledger.hex()}, not {session.ledger.hex()}")
    shown = session.certificates.shown.get(origin(node))
    if shown is not None and shown.kid != kid:  # it passes on what another node asks
        raise HansaError("tls.unregistered", f"{address(node)} shows another key than it says it has")
    envelope = reader.seal(session.signer, ledger, kid, host(node), challenge)
    reply = yield from exchange(Request("POST", node, TOKEN, body=envelope, headers={"content-type": COSE}))
    try:
        session.tokens[node] = msgspec.json.decode(reply.body, type=_Token).token
    except (ValueError, RecursionError):
        raise HansaError("node.foreign", f"{address(node)} gives no token") from None


def ledger_of(node: str) -> Operation[bytes]:
    """The id of a node's ledger, as it tells strangers with a challenge."""
    _, ledger, _ = yield from _challenged(node)
    return ledger


def _challenged(node: str) -> Operation[tuple[bytes, bytes, bytes]]:
    """What a node gives to sign: a challenge, its ledger's id, and the kid of its key."""
    reply = yield from exchange(Request("GET", node, CHALLENGE))
    try:
        told = msgspec.json.decode(reply.body, type=_Challenge)
        challenge = bytes.fromhex(told.challenge)
        return challenge, names.digest_from_hex(told.ledger, "ledger id"), names.digest_from_hex(told.node, "key")
    except (ValueError, RecursionError, HansaError):
        raise HansaError("node.foreign", f"{address(node)} gives no challenge") from None


def _read(session: Session, request: Request) -> Operation[Reply | HansaError]:
    """What comes of a request to a node with TLS."""
    node = request.node
    try:
        yield from met(session, node)
        reply = yield from _sent(session, request)
        if is_refused(session, reply.status):
            yield from enter(session, node)
            reply = yield from _sent(session, request)
    except HansaError as error:
        if error.code.startswith("tls."):
            session.leave(node)
        return error
    return reply


def _sent(session: Session, request: Request) -> Operation[Reply]:
    """The reply to a request with what token there is, whatever it says."""
    heard = yield msgspec.structs.replace(request, headers={**request.headers, **authorization(session, request.node)})
    if isinstance(heard, HansaError):
        raise heard
    assert heard is not None
    return heard


def _prove(session: Session, node: str) -> Operation[None]:
    """Raises `HansaError` `tls.unregistered` unless the key that a node shows is one of the ledger's nodes'."""
    key = session.certificates.shown.get(origin(node))
    if key is None:  # a transport that was given sees to its certificates itself
        return
    headers = authorization(session, node)
    reply = yield from exchange(Request("GET", node, "/node/genesis", headers=headers))
    if genesis.ledger_id(reply.body) != session.ledger:
        raise HansaError("tls.unregistered", f"{address(node)} gives another genesis document than the ledger's")
    founding = {keys.kid_of(one.node_key) for one in genesis.decode(reply.body).nodes}
    if key.kid not in founding and not (yield from _is_told(session, key)):
        raise HansaError("tls.unregistered", f"{address(node)} shows the key {key.kid.hex()}")


def _is_told(session: Session, key: PublicKey) -> Operation[bool]:
    """Whether a node that was found good says that a key is a node's, and counts."""
    for node in sorted(session.proven):
        request = Request("GET", node, _KEY, {"key": key.kid.hex()}, headers=authorization(session, node))
        try:
            found: Any = json_of((yield from exchange(request)))["value"]
            if (found["spki"], found["purpose"], found["status"]) == (key.spki.hex(), "node", "active"):
                return True
        except (HansaError, KeyError, TypeError):  # the next one may know more
            continue
    return False
