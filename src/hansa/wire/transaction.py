"""A transaction: the signed request for one action, version 0.

`read` takes an envelope apart as far as bytes alone can tell. Whether the sender is known, the time right
and the queue open is for `node.intake`; whether the ledger's state allows it, for `node.apply`.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Decoded values are dynamic: their type is what this module finds out.

import hashlib
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from hansa.wire import cbor, cose, limits
from hansa.wire.order import Key, has_key_type
from hansa.wire.problems import HansaError

VERSION: Final = 0

Precondition: TypeAlias = tuple[str, str, Key, int | None]
"""Contract, record type, key, and the seq of the record's last write; None: it must not exist."""

_Seq: TypeAlias = Annotated[int, Meta(ge=0)]


class Transaction(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """The payload. Times are milliseconds since 1970-01-01T00:00Z, by ledger time."""

    version: int
    ledger: Annotated[bytes, Meta(min_length=limits.DIGEST_BYTES, max_length=limits.DIGEST_BYTES)]
    nonce: Annotated[bytes, Meta(min_length=limits.NONCE_BYTES, max_length=limits.NONCE_BYTES)]
    not_after: Annotated[int, Meta(ge=0)]
    contract: Annotated[str, Meta(min_length=1, max_length=limits.CONTRACT_NAME_CHARS_MAX)]
    action: Annotated[str, Meta(min_length=1, max_length=limits.ACTION_NAME_CHARS_MAX)]
    arguments: dict[str, Any]
    steps_max: Annotated[int, Meta(ge=0)]
    contract_version: Annotated[str, Meta(max_length=limits.CONTRACT_VERSION_CHARS_MAX)] | None = None
    preconditions: (
        Annotated[list[tuple[str, str, Any, _Seq | None]], Meta(min_length=1, max_length=limits.PRECONDITIONS_MAX)]
        | None
    ) = None


class Signed(msgspec.Struct, frozen=True, gc=False):
    """A transaction with what its envelope says of it. `structure` is what the signature covers.

    `is_governance`: by its content type it is a member's word on governance, not a transaction in daily business.
    """

    envelope: bytes
    id: bytes
    algorithm: int
    kid: bytes
    signature: bytes
    structure: bytes
    transaction: Transaction
    is_governance: bool = False

    @property
    def validity_ms(self) -> int:
        """How far ahead of ledger time it may end."""
        return limits.GOVERNANCE_VALIDITY_MS_MAX if self.is_governance else limits.VALIDITY_MS_MAX


def read(envelope: bytes) -> Signed:
    """The transaction in an envelope, its signature not yet verified.

    Raises `HansaError`: size, form, content type, or a field missing, unknown or out of range.
    """
    if len(envelope) > limits.ENVELOPE_BYTES_MAX:
        raise HansaError("envelope.oversized", f"{len(envelope)} bytes; at most {limits.ENVELOPE_BYTES_MAX}")
    parts = cose.split(envelope)
    header = cose.read_header(parts.protected)
    if header.content_type not in (cose.TRANSACTION, cose.GOVERNANCE):
        raise HansaError(
            "envelope.content_type", f"{header.content_type[:100]!r} where {cose.TRANSACTION!r} is expected"
        )
    return Signed(
        envelope,
        hashlib.sha256(parts.structure).digest(),
        header.algorithm,
        header.kid,
        parts.signature,
        parts.structure,
        decode(parts.payload),
        header.content_type == cose.GOVERNANCE,
    )


def decode(payload: bytes) -> Transaction:
    """The transaction in a payload. Raises `HansaError` for bytes outside the format."""
    value = cbor.decode(payload)
    version = value.get("version") if isinstance(value, dict) else None
    if type(version) is int and version != VERSION:
        raise HansaError("transaction.version", f"version {version}; this node speaks {VERSION}")
    try:
        transaction = msgspec.convert(value, Transaction, builtin_types=(bytes,))
    except msgspec.ValidationError as error:
        raise HansaError("transaction.field", str(error)) from None
    for name in ("preconditions", "contract_version"):
        if value.get(name, ...) is None:
            raise HansaError("transaction.field", f"what is absent is left out, never null - at `$.{name}`")
    if not all(has_key_type(key) for _, _, key, _ in transaction.preconditions or ()):
        raise HansaError("transaction.field", "the key of a precondition is a number, text or bytes")
    return transaction


def encode(transaction: Transaction) -> bytes:
    """The payload of a transaction; fields that are None are left out."""
    fields = msgspec.structs.asdict(transaction)
    return cbor.encode({name: value for name, value in fields.items() if value is not None})


def not_after_of(envelope: bytes) -> int:
    """Until when a transaction that was accepted once counts as seen (ms)."""
    return cbor.decode_own(cose.split(envelope).payload)["not_after"]
