"""An entry, the leaf of the tree, and the outcome it commits to.

An entry holds digests only: a receipt for it discloses nothing, and the envelope and outcome handed out
beside it prove themselves by their hash. `node.apply` makes entries; `merkle` only sees their bytes.
"""

import hashlib
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from hansa.wire import cbor
from hansa.wire.limits import DIGEST_BYTES
from hansa.wire.problems import HansaError

GENESIS: Final = "genesis"
TRANSACTION: Final = "transaction"
GOVERNANCE: Final = "governance"
SCHEDULED: Final = "scheduled"
TICK: Final = "tick"
EVIDENCE: Final = "evidence"
SNAPSHOT: Final = "snapshot"
KINDS: Final = (GENESIS, TRANSACTION, GOVERNANCE, SCHEDULED, TICK, EVIDENCE, SNAPSHOT)
"""The kinds this version writes."""
SIGNED: Final = frozenset({TRANSACTION, GOVERNANCE})
"""The kinds whose envelope is a transaction that somebody signed."""

Kind: TypeAlias = Literal["genesis", "transaction", "governance", "scheduled", "tick", "evidence", "snapshot"]
Digest: TypeAlias = Annotated[bytes, Meta(min_length=DIGEST_BYTES, max_length=DIGEST_BYTES)]
Count: TypeAlias = Annotated[int, Meta(ge=0)]

Status: TypeAlias = Literal["applied", "refused", "excluded"]

APPLIED: Final = "applied"
REFUSED: Final = "refused"
EXCLUDED: Final = "excluded"


_DIGEST_HEAD: Final = b"\x58\x20"
_STARTS: Final = {kind: b"\x84" + cbor.encode(kind) + _DIGEST_HEAD for kind in KINDS}
"""The CBOR before the first digest: an entry always has this one shape."""


class Entry(msgspec.Struct, frozen=True, gc=False, array_like=True, forbid_unknown_fields=True):
    """What stands at one seq.

    `id` is the ledger id for genesis, the SHA-256 of what is signed for transaction, governance and tick, of the
    envelope for scheduled, evidence and snapshot.
    """

    kind: Kind
    id: Digest
    envelope_digest: Digest
    outcome_digest: Digest


class Outcome(msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What executing a transaction gave.

    `writes` is the SHA-256 of the write set, `time` the ledger time in ms, `contract` the version that ran
    (empty if none did). A refused outcome has a `result` that says why, and the digest of the empty write set; what
    ledger time took writes that it did, whatever came of it.
    An excluded one was not executed: members said so, and its write set holds their statements.
    `asserted` names the user for whom a member's node signed; empty where whose key it is signed, and then left out of
    the encoded form.
    """

    status: Status
    code: str
    result: Any
    events: list[dict[str, Any]]
    writes: Digest
    steps: Count
    time: Count
    contract: str
    dialect: Count
    asserted: Annotated[str, Meta(min_length=1)] = ""


def make(kind: Kind, id: bytes, envelope: bytes, outcome: bytes) -> bytes:
    """The encoded entry of these bytes."""
    sha256 = hashlib.sha256
    return b"".join(
        (_STARTS[kind], id, _DIGEST_HEAD, sha256(envelope).digest(), _DIGEST_HEAD, sha256(outcome).digest())
    )


def decode(data: bytes) -> Entry:
    """The entry that `data` encodes. Raises `HansaError` `entry.form` for anything else."""
    try:
        return msgspec.convert(cbor.decode(data), Entry, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("entry.form", str(error)) from None


def encode_outcome(
    *,
    status: Status,
    code: str,
    result: Any,
    events: list[dict[str, Any]],
    writes: bytes,
    steps: int,
    time: int,
    contract: str,
    dialect: int,
    asserted: str = "",
) -> bytes:
    """The bytes of an `Outcome` of these fields. Result and events come in encoding order."""
    return cbor.encode_ordered(
        {
            "code": code,
            "time": time,
            "steps": steps,
            "events": events,
            "result": result,
            "status": status,
            "writes": writes,
            "dialect": dialect,
            **({"asserted": asserted} if asserted else {}),
            "contract": contract,
        }
    )


_APPLIED_STARTS: Final = tuple(count + cbor.encode("code") + cbor.encode("ok") for count in (b"\xa9", b"\xaa"))
"""An outcome's nine or ten fields begin with its code, which is this one for what was applied and nothing else."""


def is_applied(outcome: bytes) -> bool:
    """Whether an outcome that this node made says that its transaction was applied; not decoded."""
    return outcome.startswith(_APPLIED_STARTS)


def decode_outcome(data: bytes) -> Outcome:
    """The outcome that `data` encodes. Raises `HansaError` `outcome.form` for anything else."""
    try:
        return msgspec.convert(cbor.decode(data), Outcome, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("outcome.form", str(error)) from None
