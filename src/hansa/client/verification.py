"""Verifies a receipt without a node: with the receipt, the entry, and the keys that the verifier has pinned.

What is pinned is the ledger's id, the SHA-256 of its genesis document; the document then says which keys sign
checkpoints, and a trust file which came after them (`key_chain`). A key file can be pinned instead, if it came by a way
the verifier trusts, never if it came with the receipt. What a receipt proves is that the entry is in the ledger; the
envelope and outcome are what it is about.
"""

import contextlib
import hashlib
from collections.abc import Generator, Mapping

import msgspec

from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import cbor, cose, entry, genesis, scheduled, transaction
from hansa.wire.entry import Entry, Outcome
from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError
from hansa.wire.scheduled import Scheduled
from hansa.wire.transaction import Signed


class Signer(msgspec.Struct, frozen=True):
    """A member or user of a genesis document, with one of its keys."""

    name: str
    key: PublicKey


class Owner(msgspec.Struct, frozen=True):
    """Whose a checkpoint key is: a node, and the member that runs it."""

    node: str
    member: str


class Sizes(msgspec.Struct, frozen=True):
    """The sizes of the tree for which a node's checkpoint key counts; `last` is None while it is the current one."""

    node: str
    first: int
    last: int | None


class Pinned(msgspec.Struct, frozen=True):
    """What a verifier trusts: checkpoint keys by kid, and the ledger they speak for (None: any).

    `signers` are the members and users that the ledger began with, by kid, `owners` those of the checkpoint keys: empty
    for a key that was pinned alone, which nothing says the owner of. `told`: whether the genesis document says
    that whoever runs the ledger tells its time; None without one.

    With a verified chain of key changes there is `head`, a checkpoint under a current key, `sizes` of every key by
    kid, and `roots` by size: those of which it was shown that the head continues them. Without one, `head` is None:
    the keys of genesis count for every size, and may have changed since.
    """

    keys: Mapping[bytes, PublicKey]
    ledger: bytes | None
    signers: Mapping[bytes, Signer] = {}
    told: bool | None = None
    head: Checkpoint | None = None
    sizes: Mapping[bytes, Sizes] = {}
    roots: Mapping[int, bytes] = {}
    owners: Mapping[bytes, Owner] = {}


class Proven(msgspec.Struct, frozen=True):
    """What was proven. `signed` and `outcome` are None if their bytes were not given.

    `has_changed` is whether the ledger's checkpoint keys changed after genesis; None where nothing said so.
    `scheduled` is what ledger time took, if it was no transaction. `signer` is who signed, by the genesis document:
    None without one, or if the key was registered later. `told`: every time here is one that whoever runs the ledger
    told it, for demonstrations only.
    """

    ledger: bytes
    seq: int
    size: int
    time: int
    kid: bytes
    kind: str
    id: bytes
    signed: Signed | None
    outcome: Outcome | None
    signer: str | None = None
    scheduled: Scheduled | None = None
    told: bool = False
    has_changed: bool | None = None


def pin_genesis(document: bytes, ledger: bytes | None = None) -> Pinned:
    """Trust in a ledger: its genesis document, checked against the id that was pinned.

    Raises `HansaError` `verify.genesis` if the document is another ledger's.
    """
    try:
        cbor.decode(document)
    except HansaError:
        remedy = "Give the ledger's genesis document: DIR/genesis.cbor, from any member."
        raise HansaError("genesis.form", "this is no genesis document", remedy=remedy) from None
    found = genesis.ledger_id(document)
    if ledger is not None and found != ledger:
        raise HansaError("verify.genesis", f"the document is that of ledger {found.hex()}")
    decoded = genesis.decode(document)
    nodes = [(PublicKey(node.checkpoint_key), Owner(node.id, node.member)) for node in decoded.nodes]
    signers = [Signer(who.id, PublicKey(key)) for who in (*decoded.members, *decoded.users) for key in who.keys]
    signers += [Signer(who.id, PublicKey(key)) for who in decoded.members for key in who.governance_keys]
    by_kid = {signer.key.kid: signer for signer in signers}
    owners = {key.kid: owner for key, owner in nodes}
    return Pinned({key.kid: key for key, _ in nodes}, found, by_kid, decoded.is_told, owners=owners)


def pin_key(key: PublicKey, ledger: bytes | None = None) -> Pinned:
    """Trust in one checkpoint key, for one ledger or (None) whatever ledger it signs for."""
    return Pinned({key.kid: key}, ledger)


def both(ledger: Pinned, key: PublicKey) -> Pinned:
    """Trust in a ledger and one of its checkpoint keys. Raises `HansaError` `verify.key` if they do not agree."""
    if ledger.keys.get(key.kid) is None:
        who = "the genesis document does not name" if ledger.head is None else "the ledger has never had"
        raise HansaError("verify.key", f"{who} the key {key.kid.hex()}")
    return msgspec.structs.replace(ledger, keys={key.kid: key})


def verify(
    receipt_bytes: bytes,
    entry_bytes: bytes,
    pinned: Pinned,
    *,
    envelope: bytes | None = None,
    outcome: bytes | None = None,
) -> Proven:
    """Checks that the entry is in the pinned ledger, and that envelope and outcome are the ones it commits to.

    What is signed comes first, so that the part that is named is the part that is wrong. Raises `HansaError` with the
    field `part` (receipt, entry, envelope or outcome): the codes of `merkle.receipt.verify_inclusion`, `entry.form`,
    `verify.ledger`, `verify.clock`, `receipt.span`, `receipt.unlinked`, `verify.envelope`, `verify.outcome`,
    `verify.id`, `signature.invalid`.
    """
    with _part("receipt", "receipt.form"):
        try:
            proven = receipt.verify_inclusion(receipt_bytes, entry_bytes, pinned.keys)
        except HansaError as error:
            if error.code == "receipt.invalid":  # with what is no entry at all, the receipt is not to blame
                _read_entry(entry_bytes)
            raise
        if pinned.ledger is not None and proven.ledger != pinned.ledger:
            raise HansaError("verify.ledger", f"it is for ledger {proven.ledger.hex()}, which is not the one pinned")
        if pinned.told not in (None, proven.told):
            raise HansaError("verify.clock")
        check_counts(pinned, proven.kid, proven.size, proven.root)
    decoded = _read_entry(entry_bytes)
    signed = signer = decoded_outcome = due = None
    if envelope is not None:
        with _part("envelope", "envelope.form"):
            if hashlib.sha256(envelope).digest() != decoded.envelope_digest:
                raise HansaError("verify.envelope")
            if decoded.kind in entry.SIGNED:
                signed = transaction.read(envelope)
                if signed.id != decoded.id:
                    raise HansaError("verify.id")
                signer = _signer(signed, pinned)
            elif decoded.id != _id_of(decoded.kind, envelope):
                raise HansaError("verify.id")
            elif decoded.kind == entry.SCHEDULED:
                due = scheduled.read(envelope)
    if outcome is not None:
        with _part("outcome", "outcome.form"):
            if hashlib.sha256(outcome).digest() != decoded.outcome_digest:
                raise HansaError("verify.outcome")
            decoded_outcome = entry.decode_outcome(outcome)
    return Proven(
        proven.ledger,
        proven.seq,
        proven.size,
        proven.time,
        proven.kid,
        decoded.kind,
        decoded.id,
        signed,
        decoded_outcome,
        signer,
        due,
        proven.told,
        None if pinned.head is None else any(span.last is not None for span in pinned.sizes.values()),
    )


def check_counts(pinned: Pinned, kid: bytes, size: int, root: bytes) -> None:
    """Checks that a head that was signed by this key counts, by what is known of the ledger's keys.

    A former key may be in other hands by now. So it counts only for a size of its time, and only where it was shown
    that the ledger went on from that very root. Raises `HansaError`: `receipt.span`, `receipt.unlinked`.
    """
    if pinned.head is None:
        return
    span = pinned.sizes[kid]
    if size < span.first or (span.last is not None and size > span.last):
        until = "now" if span.last is None else str(span.last)
        raise HansaError("receipt.span", f"key {kid.hex()} signs for the sizes {span.first} to {until}, not for {size}")
    known = pinned.roots.get(size)
    if known != root and (known is not None or span.last is not None):
        told = "another root is" if known is not None else "it is not"
        raise HansaError("receipt.unlinked", f"size {size} under the key {kid.hex()}: {told} part of the history")


@contextlib.contextmanager
def _part(name: str, form: str) -> Generator[None, None, None]:
    """Names the part that is wrong; bytes that are not even CBOR are no such part."""
    try:
        yield
    except HansaError as error:
        if "part" in error.fields:
            raise
        code = form if error.code.startswith("cbor.") else error.code
        raise HansaError(code, error.detail, part=name) from None


def _read_entry(data: bytes) -> Entry:
    with _part("entry", "entry.form"):
        return entry.decode(data)


def _id_of(kind: entry.Kind, envelope: bytes) -> bytes:
    """The id of an entry of another kind than a transaction's; see `wire.entry.Entry`."""
    return cose.id_of(envelope) if kind == entry.TICK else hashlib.sha256(envelope).digest()


def _signer(signed: Signed, pinned: Pinned) -> str | None:
    """Who signed, if genesis knows the key: then the signature is checked too. Raises `signature.invalid`."""
    found = pinned.signers.get(signed.kid)
    if found is None:
        return None
    if found.key.algorithm != signed.algorithm or not found.key.verify_exactly(signed.signature, signed.structure):
        raise HansaError("signature.invalid", f"it is not signed by {found.name}, whose key it names")
    return found.name
