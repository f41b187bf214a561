"""What a node shows of its ledger is checked here against what is pinned and what is remembered, one node at a time.

A signed head (a checkpoint, or what a receipt proves) counts once its signature is good under a key of the ledger and
it is of one history with the last one remembered, by a consistency proof (RFC 9162 section 2.1.4, in the form of RFC
9942). The keys are those of the genesis document; the first head under another one has the chain of key changes asked
for, which is verified from genesis (`key_chain`) and kept. What does not fit is never remembered.
"""

from typing import Any

from hansa.client import key_chain, verification
from hansa.client.exchange import COSE, Operation, Request, address, exchange, json_of
from hansa.client.session import Session
from hansa.client.verification import Pinned
from hansa.merkle import checkpoint, receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import genesis, names
from hansa.wire.problems import HansaError


def admit(session: Session, node: str) -> Operation[None]:
    """Sees to it that a node is of the session's ledger, and with a memory, that it continues what is remembered.

    Raises `HansaError`: `node.ledger`, `ledger.forked`, `ledger.shrunken`, or why the node cannot be asked.
    """
    if node in session.admitted or (session.ledger is None and len(session.nodes) == 1 and not session.remembers):
        return
    yield from meet(session, node)
    if session.remembers:
        head = yield from latest(session, node)
        yield from follow(session, node, head)
        session.admitted.add(node)


def meet(session: Session, node: str) -> Operation[bytes]:
    """The ledger id of a node, which becomes the session's if it has none yet. Raises `HansaError` `node.ledger`."""
    reply = yield from exchange(Request("GET", node, "/node/status"))
    try:
        status = json_of(reply)
        found = names.digest_from_hex(status["ledger"], "ledger id")
        session.told = status.get("clock") == genesis.TOLD
    except (KeyError, TypeError, AttributeError, HansaError):
        raise HansaError("node.foreign", f"{address(node)} does not say which ledger it keeps") from None
    if session.ledger is None:
        session.ledger = found
    elif found != session.ledger:
        raise HansaError("node.ledger", f"{address(node)} keeps ledger {found.hex()}, not {session.ledger.hex()}")
    if not session.remembers:
        session.admitted.add(node)
    return found


def pinned(session: Session, node: str) -> Operation[Pinned]:
    """What is known of the keys that sign the ledger's checkpoints, at first from its genesis document."""
    if session.pinned is None:
        if session.ledger is None:
            yield from meet(session, node)
        reply = yield from exchange(Request("GET", node, "/node/genesis"))
        if genesis.ledger_id(reply.body) != session.ledger:
            raise HansaError("node.foreign", f"{address(node)} gives another genesis document than its ledger's")
        found = verification.pin_genesis(reply.body, session.ledger)
        last = session.memory.last
        if last is not None and last.kid not in found.keys:
            found = yield from _learn(session, node, found)
            if last.kid not in found.keys:  # as where a former key goes on from before it was changed
                told = f"{address(node)} has never had the key under which {last.size} entries were seen before"
                raise HansaError("ledger.forked", told, remembered=receipt.bare(last))
        if last is not None and not ((key := found.keys.get(last.kid)) and checkpoint.verify(last, key)):
            raise HansaError("memory.file", "what it remembers is not signed by a checkpoint key of the ledger")
        session.pinned = found
    return session.pinned


def knowing(session: Session, node: str, head: Checkpoint) -> Operation[Pinned]:
    """What is known of the ledger's keys once what can be learnt of those behind `head` is; it may be of other keys."""
    found = yield from pinned(session, node)
    if head.kid not in found.keys:
        found = session.pinned = yield from _learn(session, node, found)
    span = found.sizes.get(head.kid)
    if found.head is None or span is None or span.last is None or head.size in found.roots:
        return found
    if span.first <= head.size <= span.last:
        asked = {"first": head.size, "second": found.head.size}
        reply = yield from exchange(Request("GET", node, "/app/consistency", asked))
        found = session.pinned = key_chain.link(found, head, reply.body)
    return found


def _learn(session: Session, node: str, known: Pinned) -> Operation[Pinned]:
    """The chain of key changes as a node has it, verified; it continues what is remembered."""
    reply = yield from exchange(Request("GET", node, "/node/trust"))
    found, last = key_chain.pin_trust(reply.body, known.ledger), session.memory.last
    if found.head is not None and last is not None and last.kid in found.keys:
        first, second = sorted((last, found.head), key=lambda head: head.size)
        yield from _continues(node, first, second, found)
    return found


def latest(session: Session, node: str) -> Operation[Checkpoint]:
    """The newest checkpoint of a node, its signature checked."""
    yield from pinned(session, node)
    request = Request("GET", node, "/app/checkpoints/latest", headers={"accept": COSE})
    reply = yield from exchange(request)
    try:
        head = receipt.read_bare(reply.body)
    except HansaError as error:
        raise HansaError("node.foreign", f"{address(node)} gives no checkpoint: {error.detail}") from None
    trusted = yield from knowing(session, node, head)
    key = trusted.keys.get(head.kid)
    if key is None:
        raise HansaError("receipt.key_unknown", f"signed by key {head.kid.hex()}, which is not pinned")
    if head.ledger != trusted.ledger or not checkpoint.verify(head, key):
        raise HansaError("checkpoint.invalid", f"the newest of {address(node)}")
    verification.check_counts(trusted, head.kid, head.size, head.root)
    return head


def follow(session: Session, node: str, head: Checkpoint) -> Operation[None]:
    """Checks that a signed head and the last one remembered are of one history, and remembers the later one.

    Raises `HansaError`: `ledger.forked`, `ledger.shrunken`, `memory.file`.
    """
    while True:
        last = session.memory.last
        if last is not None:
            yield from _agree(session, node, last, head)
        if session.memory.keep(last, head):
            return


def _agree(session: Session, node: str, last: Checkpoint, head: Checkpoint) -> Operation[None]:
    if head.size >= last.size:
        yield from _continues(node, last, head, (yield from pinned(session, node)))
        return
    newest = yield from latest(session, node)  # of a node that has the last one: an older receipt is no older ledger
    if newest.size < last.size:
        told = f"{address(node)} has {newest.size} entries; there were {last.size} before"
        raise HansaError("ledger.shrunken", told, **_evidence(last, newest))
    trusted = yield from pinned(session, node)
    yield from _continues(node, last, newest, trusted)
    yield from _continues(node, head, newest, trusted)


def _continues(node: str, first: Checkpoint, second: Checkpoint, trusted: Pinned) -> Operation[None]:
    if first.size == second.size:
        if first.root != second.root:
            raise HansaError("ledger.forked", f"two roots of {first.size} entries", **_evidence(first, second))
        return
    request = Request("GET", node, "/app/consistency", {"first": first.size, "second": second.size})
    reply = yield from exchange(request)
    try:
        sizes = receipt.sizes_of(reply.body)
    except HansaError as error:
        raise HansaError("node.foreign", f"{address(node)} gives no consistency proof: {error.detail}") from None
    if sizes != (first.size, second.size):
        raise HansaError("node.foreign", f"{address(node)} gives the consistency proof of other sizes")
    try:
        receipt.verify_consistency(reply.body, first, second.root, trusted.keys)
    except HansaError as error:
        told = f"{address(node)} does not show that its {second.size} entries begin with the {first.size} seen before"
        raise HansaError("ledger.forked", f"{told}: {error.detail}", **_evidence(first, second)) from None


def _evidence(first: Checkpoint, second: Checkpoint) -> dict[str, Any]:
    """Both signed heads: whoever holds them can show what was signed."""
    return {"remembered": receipt.bare(first), "shown": receipt.bare(second)}
