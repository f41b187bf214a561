"""What a node shows of its ledger is checked here against what is pinned and what is remembered, one node at a time.

A signed head (a checkpoint, or what a receipt proves) counts once its signature is good under a key of the ledger and
it is of one history with the last one remembered, by a consistency proof (RFC 9162 section 2.1.4, in the form of RFC
9942). The keys are those of the genesis document; the first head under another one has the chain of key changes asked
for, which is verified from genesis (`key_chain`) and kept. What does not fit is never remembered.
"""

import contextlib
from typing import Any

from hansa.client import key_chain, readers, split_view, verification
from hansa.client.exchange import COSE, Operation, Request, address, exchange, json_of
from hansa.client.session import Session
from hansa.client.verification import Pinned
from hansa.merkle import checkpoint, receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import genesis, names
from hansa.wire import split_view as wire_split_view
from hansa.wire.problems import HansaError
from hansa.wire.split_view import Contradiction


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
    found = yield from _said(session, node)
    if session.ledger is None:
        session.ledger = found
    elif found != session.ledger:
        raise HansaError("node.ledger", f"{address(node)} keeps ledger {found.hex()}, not {session.ledger.hex()}")
    if not session.remembers:
        session.admitted.add(node)
    return found


def _said(session: Session, node: str) -> Operation[bytes]:
    """The ledger id that a node says."""
    try:
        reply = yield from exchange(Request("GET", node, "/node/status"))
    except HansaError as error:
        if error.code != "reader.token":
            raise
        return (yield from readers.ledger_of(node))  # to who signs in, and has no key yet that reads
    try:
        status = json_of(reply)
        session.told = status.get("clock") == genesis.TOLD
        return names.digest_from_hex(status["ledger"], "ledger id")
    except (KeyError, TypeError, AttributeError, HansaError):
        raise HansaError("node.foreign", f"{address(node)} does not say which ledger it keeps") from None


def pinned(session: Session, node: str) -> Operation[Pinned]:
    """What is known of the keys that sign the ledger's checkpoints, at first from its genesis document."""
    if session.pinned is None:
        if session.ledger is None:
            yield from meet(session, node)
        reply = yield from exchange(Request("GET", node, "/node/genesis"))
        if genesis.ledger_id(reply.body) != session.ledger:
            raise HansaError("node.foreign", f"{address(node)} gives another genesis document than its ledger's")
        found = verification.pin_genesis(reply.body, session.ledger)
        session.genesis = reply.body
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
        yield from _continues(session, node, first, second, found)
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
        yield from _continues(session, node, last, head, (yield from pinned(session, node)))
        return
    newest = yield from latest(session, node)  # of a node that has the last one: an older receipt is no older ledger
    if newest.size < last.size:
        told = f"{address(node)} has {newest.size} entries; there were {last.size} before"
        raise _accusation(session, "ledger.shrunken", told, last, newest, split_view.contradiction(last, newest))
    trusted = yield from pinned(session, node)
    yield from _continues(session, node, last, newest, trusted)
    yield from _continues(session, node, head, newest, trusted)


def _continues(session: Session, node: str, first: Checkpoint, second: Checkpoint, trusted: Pinned) -> Operation[None]:
    try:
        yield from check_continues(session, node, first, second, trusted)
    except Parted as parted:
        raise _accusation(session, "ledger.forked", parted.told, first, second, parted.proof) from None


class Parted(Exception):
    """A node shows a head that does not continue another, in words; `proof` if what it signed shows that."""

    def __init__(self, told: str, proof: Contradiction | None) -> None:
        self.told = told
        self.proof = proof


def check_continues(
    session: Session, node: str, first: Checkpoint, second: Checkpoint, trusted: Pinned
) -> Operation[None]:
    """Checks that the head `second`, which the node has, continues `first`, which is no larger.

    Raises `Parted` if it does not, or the node does not show it; `HansaError` if it cannot be asked.
    """
    alone = split_view.contradiction(first, second)
    if alone is not None:
        how = "two roots" if first.root != second.root else "two times"
        told = f"{how} of {first.size} entries" if first.size == second.size else "ledger time went back"
        raise Parted(told, alone)
    if first.size == second.size:
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
        proof = yield from _history(session, node, first, trusted)
        raise Parted(f"{told}: {error.detail}", proof) from None


def _history(session: Session, node: str, first: Checkpoint, trusted: Pinned) -> Operation[Contradiction | None]:
    """The pair of `first` and what the node signs for the entry behind it, if they contradict each other."""
    try:
        entry = yield from exchange(Request("GET", node, f"/app/entries/{first.size}/entry"))
        signed = yield from exchange(Request("GET", node, f"/app/receipts/{first.size}", headers={"accept": COSE}))
        pair = Contradiction(receipt.bare(first), signed.body, entry.body)
        split_view.Judge(trusted, session.genesis).judge(pair)
    except HansaError:  # what is not signed shows nothing
        return None
    return pair


def _accusation(
    session: Session, code: str, told: str, first: Checkpoint, second: Checkpoint, pair: Contradiction | None
) -> HansaError:
    """Both signed heads, and what proves a split view if anything does: whoever holds it can show what was signed."""
    fields: dict[str, Any] = {"remembered": receipt.bare(first), "shown": receipt.bare(second)}
    if pair is not None:
        fields["proof"] = wire_split_view.encode(session.genesis, [pair])
        path = None
        with contextlib.suppress(HansaError):  # that it cannot be kept there is the lesser trouble
            path = session.memory.accuse(fields["proof"])
        told += "; what it signed proves it" if path is None else f"; {path} proves it"
    elif code == "ledger.forked":
        told += "; nothing that it signed proves it yet"
    return HansaError(code, told, **fields)
