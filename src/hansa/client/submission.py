"""A transaction's way to its answer: signed once, sent until it is certain what became of it, or said to be unknown.

Whatever fails on the way, the same bytes are sent again, never others: an id has at most one entry, ever. What is told
as a refusal is one only if no answer was lost before it and the ledger has no entry of the id.
"""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, Literal

import msgspec

from hansa.client import proofs, schemas, transactions, trust, values
from hansa.client.asking import persist
from hansa.client.exchange import (
    CBOR,
    COSE,
    READ_S,
    Operation,
    Pause,
    Query,
    Reply,
    Request,
    address,
    exchange,
    json_of,
    within,
)
from hansa.client.proofs import Given
from hansa.client.results import (
    Answer,
    Lookup,
    Refused,
    Several,
    Unknown,
    Wait,
    accepted,
    answer_of,
    checked,
    explained,
)
from hansa.client.session import Session, Tries
from hansa.client.status import status
from hansa.client.transactions import STEPS_MAX, Prepared
from hansa.wire import cbor, entry, names, transaction
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Precondition

_SUBMIT_S: Final = 35.0
"""Longer than a node lets a submission wait, so that its own answer comes first."""
_PATH: Final = "/app/transactions"
_QUERIES: Final[dict[Wait, Query]] = {
    "accepted": {"wait": "accepted"},
    "committed": {},
    "receipt": {"receipt": "true"},
}
_LOST: Final = ("node.silent", "node.foreign", "answer.late", "node.defect")
"""Ends of a submission that may have been taken, whatever else is said."""
_STALE: Final = ("arguments.invalid", "action.unknown", "contract.unknown", "contract.version")
"""Refusals that may come of arguments made by the schema of a version that runs no more."""
_CERTAIN: Final = ("committed", "never")
"""What a lookup may say that no later one takes back."""
_SKEW_MS: Final = 60_000
"""So far may this machine's clock be ahead of the ledger's time: `never` is not believed before."""


class _Cosigned(msgspec.Struct, frozen=True):
    """Receipts by several members, of an answer."""

    receipts: bytes
    split: list[str]


class _Taken(msgspec.Struct, frozen=True):
    """The answer to a submission, as CBOR."""

    id: bytes
    seq: int
    outcome: bytes
    duplicate: bool
    receipt: bytes | None = None
    cosigned: _Cosigned | None = None


class _Committed(msgspec.Struct, frozen=True):
    """The answer to a lookup, as JSON; of `outcome` there are the exact bytes, in hexadecimal."""

    id: str
    status: Literal["committed", "pending", "not_found", "never"]
    seq: int = 0
    outcome: str = ""
    envelope: str = ""


class _Sent(msgspec.Struct, frozen=True):
    """One transaction on its way, to a contract."""

    contract: str
    envelope: bytes
    id: bytes
    not_after: int
    wait: Wait
    k: Several
    least: int | None

    @property
    def query(self) -> Query:
        """What the node is to wait for."""
        return _QUERIES[self.wait] if self.k is None else {**_QUERIES[self.wait], "k": self.k}


def prepare(
    session: Session,
    contract: str,
    action: str,
    arguments: Mapping[str, Any],
    *,
    steps_max: int = STEPS_MAX,
    contract_version: str | None = None,
    preconditions: Sequence[Precondition] | None = None,
    not_after: int | None = None,
) -> Operation[Prepared]:
    """See `Client.prepare`."""
    signer = session.signer
    schema = yield from schemas.arguments(session, contract, "actions", action, contract_version)
    plain = values.plain(schema, arguments)
    if session.ledger is None:
        yield from ledger(session)
    assert session.ledger is not None
    return transactions.prepare(
        signer,
        session.ledger,
        contract,
        action,
        plain,
        steps_max=steps_max,
        not_after=(yield from limit(session)) if not_after is None else not_after,
        contract_version=contract_version,
        preconditions=None if preconditions is None else list(preconditions),
    )


def limit(session: Session) -> Operation[int | None]:
    """See `Client.not_after`. That time is told must stand in the genesis document: else a node could choose."""
    if session.told is None:
        yield from ledger(session)
    if not session.told:
        return None
    found = yield from status(session)
    pinned = yield from persist(session, lambda node, _: trust.pinned(session, node))
    if not pinned.told:
        raise HansaError("node.foreign", f"{address(session.node)} says that time is told, which it is not")
    return found.now + transactions.VALID_MS


def ledger(session: Session) -> Operation[bytes]:
    """See `Client.ledger`."""
    return (yield from persist(session, lambda node, _: trust.meet(session, node)))


def call(
    session: Session,
    contract: str,
    action: str,
    arguments: Mapping[str, Any],
    wait: Wait,
    k: Several = None,
    least: int | None = None,
    **options: Any,
) -> Operation[Answer]:
    """See `Client.call`. `options` are those of `prepare`."""
    _check_wait(wait, k, least)
    made = yield from prepare(session, contract, action, arguments, **options)
    try:
        return (yield from submit(session, made.envelope, wait, k, least))
    except Refused as refused:
        if refused.code in _STALE:
            session.schemas.pop(contract, None)
        raise


def _check_wait(wait: Wait, k: Several, least: int | None) -> None:
    if wait not in _QUERIES:
        raise HansaError("argument.value", f"`wait` is one of {', '.join(_QUERIES)}, not {wait!a}")
    if (k is not None and wait != "receipt") or (least is not None and k is None):
        told = "`k` is for a receipt, and `least` for one with `k`"
        raise HansaError("argument.value", told, remedy='Give wait="receipt", too, and `k`.')


def submit(
    session: Session,
    envelope: bytes,
    wait: Wait = "committed",
    k: Several = None,
    least: int | None = None,
    lost: HansaError | None = None,
) -> Operation[Answer]:
    """See `Client.submit`. `lost` is what became of an answer before."""
    _check_wait(wait, k, least)
    signed = transaction.read(envelope)
    sent = _Sent(signed.transaction.contract, envelope, signed.id, signed.transaction.not_after, wait, k, least)
    tries = Tries(session, submits=True)
    refused: HansaError | None = None
    while True:
        node = session.node
        sending = False
        try:
            yield from within(lambda: tries.left_s, trust.admit(session, node))
            sending = True
            reply = yield from exchange(_request(node, sent, tries.left_s))
            taken = _read(sent, reply)
        except HansaError as error:
            failure, is_lost = error, _may_have_an_entry(error)
        else:
            if not isinstance(taken, HansaError):
                return (yield from _finished(session, sent, taken))
            failure, is_lost = taken, True
        if is_lost and sending:
            lost = lost or failure
        if refused is None and not is_lost and failure.code != "node.unreachable":
            refused = failure
        pause = tries.pause_after(failure, is_lost=is_lost)
        if pause is None:
            return (yield from _asked(session, sent, refused or failure, lost))
        session.failed(node)
        if pause:
            yield Pause(pause)


def resolve(
    session: Session,
    unknown: Unknown | Answer,
    wait: Wait = "committed",
    k: Several = None,
    least: int | None = None,
) -> Operation[Answer]:
    """See `Client.resolve`."""
    _check_wait(wait, k, least)
    if isinstance(unknown, Answer):
        if unknown.status != "accepted":
            raise HansaError("argument.value", f"what became of {unknown.id} is known: {unknown.status}")
        told = HansaError("answer.unknown", "it was accepted, and nothing more is known")
        unknown = Unknown(unknown.id, unknown.not_after, unknown.envelope, told)
    contract = transaction.read(unknown.envelope).transaction.contract
    sent = _Sent(contract, unknown.envelope, bytes.fromhex(unknown.id), unknown.not_after, wait, k, least)
    found = yield from _look_everywhere(session, sent)
    if found is not None and found.status in _CERTAIN:
        return (yield from _found(session, sent, found))
    return (yield from submit(session, unknown.envelope, wait, k, least, unknown))


def look_up(session: Session, id: str | bytes, not_after: int | None = None) -> Operation[Lookup]:
    """See `Client.transaction`."""
    wanted = id if isinstance(id, bytes) else names.digest_from_hex(id, "transaction id")

    def find(node: str, wait_s: float) -> Operation[_Committed]:
        return _look(node, wanted, not_after, wait_s)

    found = yield from persist(session, find)
    if found.status != "committed":
        return Lookup(found.id, found.status)
    outcome = bytes.fromhex(found.outcome)
    answer = answer_of(wanted, found.seq, outcome, not_after=not_after or 0, duplicate=True)
    return Lookup(found.id, found.status, _explained(session, answer, found.envelope))


def _request(node: str, sent: _Sent, left_s: float) -> Request:
    headers = {"accept": CBOR, "content-type": COSE}
    return Request("POST", node, _PATH, sent.query, sent.envelope, headers, max(0.0, min(left_s, _SUBMIT_S)))


def _may_have_an_entry(error: HansaError) -> bool:
    """Whether a submission that ended so may have been taken.

    A status of 500 and above with a code that no node of this version has may be a gateway's, which has passed the
    transaction on. A node that refuses at once for a reason that passes says when to come again; else what it had taken
    ends so.
    """
    if error.code in _LOST:
        return True
    if error.code == "node.newer":
        answered = error.fields.get("answered")
        return isinstance(answered, int) and answered >= 500
    return error.code != "node.unreachable" and error.kind.status >= 500 and "retry_after" not in error.fields


def _read(sent: _Sent, reply: Reply) -> _Taken | HansaError | None:
    """The answer in a reply, None if it is that the transaction was accepted; or why it is no answer to this one."""
    try:
        if sent.wait == "accepted":
            id = bytes.fromhex(json_of(reply)["id"])
            taken = None
        else:
            taken = msgspec.convert(cbor.decode(reply.body), _Taken, builtin_types=(bytes,))
            entry.decode_outcome(taken.outcome)
            id = taken.id
    except (HansaError, ValueError, KeyError, TypeError):
        return HansaError("node.foreign", "what came is no answer to a transaction")
    if id != sent.id:
        return HansaError("node.foreign", f"what came is the answer to {id.hex()[:64]}")
    return taken


def _finished(session: Session, sent: _Sent, taken: _Taken | None) -> Operation[Answer]:
    if taken is None:
        return accepted(sent.id, sent.not_after, sent.envelope)
    answer = answer_of(sent.id, taken.seq, taken.outcome, not_after=sent.not_after, duplicate=taken.duplicate)
    answer = explained(answer, sent.contract, session.schemas)
    if sent.wait == "receipt":
        several = taken.cosigned
        given = Given(taken.receipt) if several is None else Given(taken.receipt, several.receipts, several.split)
        answer = yield from proofs.prove(session, answer, sent.envelope, taken.outcome, given, sent.k, sent.least)
    return checked(answer)


def _explained(session: Session, answer: Answer, envelope: str) -> Answer:
    """The answer with what it says explained, if a node gave the transaction that it is the answer to."""
    try:
        signed = transaction.read(bytes.fromhex(envelope))
    except (HansaError, ValueError):
        return answer
    return explained(answer, signed.transaction.contract, session.schemas) if signed.id.hex() == answer.id else answer


def _asked(session: Session, sent: _Sent, failure: HansaError, lost: HansaError | None) -> Operation[Answer]:
    """What became of a transaction that is not sent again. Raises the failure if it is certain to have no entry."""
    if lost is None and failure.code == "node.unreachable":
        raise failure
    found = yield from _look_everywhere(session, sent)
    if found is not None and (found.status == "committed" or (found.status == "never" and lost is not None)):
        return (yield from _found(session, sent, found))
    if lost is None and (found is None or found.status != "pending"):
        raise failure
    raise Unknown(sent.id.hex(), sent.not_after, sent.envelope, lost or failure)


def _found(session: Session, sent: _Sent, found: _Committed) -> Operation[Answer]:
    if found.status == "never":
        told = "its time has passed without an entry: it has no effect and never will"
        raise HansaError("transaction.expired", told, id=found.id, not_after=sent.not_after)
    outcome = bytes.fromhex(found.outcome)
    return (yield from _finished(session, sent, _Taken(sent.id, found.seq, outcome, True)))


def _look_everywhere(session: Session, sent: _Sent) -> Operation[_Committed | None]:
    """That it is committed, of the first node that says so; else pending, else never, else None.

    Every node is asked before `never` is believed of one: its clock may be wrong, or it may lie.
    """
    best: _Committed | None = None
    nodes = list(session.nodes)
    for node in nodes:
        end = time.monotonic() + session.look_s / len(nodes)
        try:
            found = yield from within(partial(_left_s, end), _look_at(session, node, sent))
        except HansaError:  # the reason why the answer was lost is told, not this one
            continue
        if found.status == "committed":
            return found
        if found.status == "pending" or (found.status == "never" and best is None):
            best = found
    return best


def _left_s(end: float) -> float:
    return end - time.monotonic()


def _look_at(session: Session, node: str, sent: _Sent) -> Operation[_Committed]:
    """What a node says of a transaction; `never` rests on its clock, and where time is real on this machine's, too.

    That time is told stands in the genesis document, so no node can make its own clock the only one.
    """
    yield from trust.admit(session, node)
    found = yield from _look(node, sent.id, sent.not_after, READ_S)
    if found.status == "never" and time.time_ns() // 1_000_000 < sent.not_after + _SKEW_MS:
        pinned = yield from trust.pinned(session, node)
        if not pinned.told:
            return msgspec.structs.replace(found, status="not_found")
    return found


def _look(node: str, id: bytes, not_after: int | None, wait_s: float) -> Operation[_Committed]:
    query: Query = {} if not_after is None else {"not_after": not_after}
    reply = yield from exchange(Request("GET", node, f"{_PATH}/{id.hex()}", query, wait_s=wait_s))
    try:
        found = msgspec.json.decode(reply.body, type=_Committed)
        if found.status == "committed":
            entry.decode_outcome(bytes.fromhex(found.outcome))
    except (HansaError, ValueError, RecursionError):
        raise HansaError("node.foreign", f"{address(node)} does not say what became of a transaction") from None
    if found.id != id.hex():
        raise HansaError("node.foreign", f"{address(node)} answers about another transaction")
    return found
