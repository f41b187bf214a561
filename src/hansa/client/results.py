"""What the client's operations give back, as frozen values, and the two ends of a call that are no failure of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from hansa.client import readable
from hansa.client.arguments import Schema
from hansa.client.values import event_data
from hansa.client.verification import Proven
from hansa.client.words import filled
from hansa.wire import entry
from hansa.wire.problems import KINDS, HansaError

Wait: TypeAlias = Literal["accepted", "committed", "receipt"]
"""What a call waits for: that a node has taken the transaction, that its entry is durable, that a receipt proves it."""


Several: TypeAlias = int | Literal["default"] | None
"""By how many members a receipt is to be: so many; f + 1 of those that have nodes; or by the one node that is asked."""


class Cosigned(msgspec.Struct, frozen=True):
    """Receipts by several members as one message (`hansa.merkle.receipts`), of which `k` were asked for.

    `members` have signed the same head, as was verified. Of those in `split` the node only says that they have signed
    another history: it keeps what they signed in its log.
    """

    message: bytes
    k: int
    members: Sequence[str]
    split: Sequence[str]


class Receipt(msgspec.Struct, frozen=True):
    """A verified receipt and all that it proves something about, as bytes.

    `cose` is the COSE receipt (RFC 9942); these four, the genesis document and the ledger's id are what another needs
    to verify it without a node (`hansa.client.verify`, `hansa receipt verify`). `proven` is what was found.

    Where it was asked for by several members, `cosigned` has the receipts of all; `cose` is the first that counts.
    """

    cose: bytes
    entry: bytes
    envelope: bytes
    outcome: bytes
    proven: Proven
    cosigned: Cosigned | None = None


class Answer(msgspec.Struct, frozen=True):
    """What became of a transaction.

    `id` is its id, 64 hexadecimal digits. `status` is applied, refused or excluded, or accepted if nothing more was
    waited for or found out: then `seq` is None and nothing else is known yet. `code` says why it was refused, `result`
    with what; `events` have a `name` and `data` each, and a `contract` if another than the one called emitted them.
    Values in these are plain, as the ledger has them: bytes, integers, text, lists, maps. `message` and `typed_events`
    show them by what the contracts declare, as far as the client that got the answer had asked for that: it has of each
    `contract` that it called.
    `steps` were used; `time` is the ledger time of its block, in ms since 1970 UTC. `duplicate`: its entry was there
    before this answer was asked for, as it is where an answer was lost on the way. Until `not_after` (ms) has passed,
    what was accepted may still get its entry. `outcome` has the exact bytes (CBOR, `hansa.wire.entry.Outcome`) that the
    entry commits to, empty before there is one. `receipt` is there if it was waited for. `envelope` has the signed
    bytes of what was accepted, so that `client.resolve` can find out what became of it; else it is empty. `asserted`
    names the user for whom the member's node signed, empty where whose key it is signed.
    """

    id: str
    seq: int | None
    status: Literal["accepted", "applied", "refused", "excluded"]
    code: str
    result: Any
    events: list[dict[str, Any]]
    steps: int
    time: int
    duplicate: bool
    not_after: int
    outcome: bytes
    receipt: Receipt | None = None
    envelope: bytes = b""
    contract: str = ""
    declared: Mapping[str, Schema] = {}
    asserted: str = ""

    def __repr__(self) -> str:
        told = f"{self.status} {self.code}".rstrip()
        return f"<answer {self.id[:16]}... seq {self.seq} {told}, {'with' if self.receipt else 'no'} receipt>"

    @property
    def message(self) -> str:
        """Why it was refused, with the values put in; empty if it does not say."""
        return filled(readable.refusal(self.declared, self.contract, self.result))

    @property
    def typed_events(self) -> list[dict[str, Any]]:
        """Its `events` with their data typed as their contracts declare: see `values.typed`."""
        found: list[dict[str, Any]] = []
        for event in self.events:
            of = self.declared.get(event.get("contract", self.contract))
            found.append({**event, "data": event_data(of, event["name"], event["data"])})
        return found


class Refused(HansaError):
    """The ledger's rules refused a transaction, which has its entry (`answer.seq`) and changed nothing.

    `code` is the outcome's; `message` says why.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.message = answer.message
        known = answer.code in KINDS  # a newer node may have codes of its own
        super().__init__(answer.code if known else "node.newer", self.message, id=answer.id, seq=answer.seq)
        self.code = answer.code


class Unknown(HansaError):
    """No answer came: the transaction may have its entry or not.

    Sign nothing new for the same purpose: `client.resolve` asks, and sends these same bytes again. `id` in
    hexadecimal, `not_after` in ms since 1970 UTC: once ledger time has passed it, there is a certain answer.
    """

    def __init__(self, id: str, not_after: int, envelope: bytes, cause: HansaError) -> None:
        self.id = id
        self.not_after = not_after
        self.envelope = envelope
        super().__init__("answer.unknown", cause.detail, id=id, not_after=not_after, cause=cause.code)


class Unproven(HansaError):
    """The transaction has its entry, as `answer` says, but no receipt came that verifies.

    `cause` says why: where its code is `ledger.forked`, the entry is in a history that is not the one seen before.
    """

    def __init__(self, answer: Answer, cause: HansaError) -> None:
        self.answer = answer
        self.cause = cause
        super().__init__(
            "answer.unproven",
            f"the transaction has its entry, {answer.seq}, but no good receipt came: {cause.detail}",
            id=answer.id,
            seq=answer.seq,
            cause=cause.code,
        )


class Lookup(msgspec.Struct, frozen=True):
    """What a node knows of a transaction: committed, with its `answer`; pending; not_found as of now; or never.

    `never`: its time has passed without an entry, it has no effect and never will. That is the word of the one node
    that answered, which reads its own ledger and clock; `resolve` asks every node, and this machine's clock too.
    """

    id: str
    status: Literal["committed", "pending", "not_found", "never"]
    answer: Answer | None = None


class Row(msgspec.Struct, frozen=True):
    """A record's value, typed as its contract declares: see `values.typed`.

    `seq` is the entry that wrote it, `version` the contract's version that did: it has the fields of that one.
    """

    seq: int
    version: str
    value: dict[str, Any]


class Page(msgspec.Struct, frozen=True):
    """Some rows, and where the next page begins (None: nowhere)."""

    rows: list[Row]
    next: str | None


class Head(msgspec.Struct, frozen=True):
    """A checkpoint that was verified, and that continues the one remembered: so many entries under this root.

    `ledger` and `root` in hexadecimal, `time` in ms since 1970 UTC; `cose` is the signed message.
    """

    ledger: str
    size: int
    root: str
    time: int
    cose: bytes


def answer_of(id: bytes, seq: int, outcome: bytes, *, not_after: int, duplicate: bool) -> Answer:
    """The answer for an entry, with the exact bytes of its outcome."""
    decoded = entry.decode_outcome(outcome)
    return Answer(
        id=id.hex(),
        seq=seq,
        status=decoded.status,
        code=decoded.code,
        result=decoded.result,
        events=decoded.events,
        steps=decoded.steps,
        time=decoded.time,
        duplicate=duplicate,
        not_after=not_after,
        outcome=outcome,
        asserted=decoded.asserted,
    )


def explained(answer: Answer, contract: str, schemas: Mapping[str, Schema]) -> Answer:
    """The answer to a call of a contract, with what is known of all contracts that it has something from."""
    of = {contract, readable.speaker(answer.result, contract), *(e.get("contract", contract) for e in answer.events)}
    declared = {name: schemas[name] for name in sorted(of) if name in schemas}
    return msgspec.structs.replace(answer, contract=contract, declared=declared)


def accepted(id: bytes, not_after: int, envelope: bytes) -> Answer:
    """The answer for what a node has taken into its queue."""
    return Answer(id.hex(), None, "accepted", "", None, [], 0, 0, False, not_after, b"", envelope=envelope)


def checked(answer: Answer) -> Answer:
    """The answer itself. Raises `Refused` if the rules refused."""
    if answer.status in (entry.REFUSED, entry.EXCLUDED):
        raise Refused(answer)
    return answer
