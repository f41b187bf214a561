"""Makes signed transactions: the nonce and the time limit come in here, the rest is the caller's."""

import secrets
import time
from typing import Any, Final, TypedDict, Unpack

import msgspec

from hansa.wire import cose, transaction
from hansa.wire.keys import PublicKey, Signer
from hansa.wire.limits import CHECK_STEPS_PER_BYTE, NONCE_BYTES
from hansa.wire.transaction import Precondition, Transaction

VALID_MS: Final = 10 * 60 * 1000
"""How long a new transaction may wait for its block."""
STEPS_MAX: Final = 10_000
"""What a call may take where nobody says otherwise: several times what a usual action takes.

It is room taken in a block, used or not: there is room for 400 such calls, and for 40 at the usual limit of a ledger.
"""
_DEPLOY_STEPS: Final = 20_000
"""What a deployment takes at most, but for the checking of the file."""


def deploy_steps(source: str) -> int:
    """The steps that deploying or upgrading a contract, or deploying a library, takes at most."""
    return _DEPLOY_STEPS + CHECK_STEPS_PER_BYTE * len(source)


class Prepared(msgspec.Struct, frozen=True):
    """A signed transaction: what to send, which contract it calls, and what to ask for if the answer is lost."""

    contract: str
    id: bytes
    envelope: bytes
    not_after: int


class Unsigned(msgspec.Struct, frozen=True):
    """A transaction that is still to be signed, by the key with this kid: the parts of its envelope."""

    contract: str
    protected: bytes
    payload: bytes
    not_after: int

    @property
    def structure(self) -> bytes:
        """The exact bytes to be signed (RFC 9052 section 4.4); their SHA-256 is the transaction's id."""
        return cose.signature_structure(self.protected, self.payload)

    def signed(self, signature: bytes) -> Prepared:
        """The transaction with its signature: 64 bytes, r and s with s low for ES256."""
        envelope = cose.join(self.protected, self.payload, signature)
        return Prepared(self.contract, cose.id_of(envelope), envelope, self.not_after)


class Terms(TypedDict, total=False):
    """What a transaction may say beside its action; `unsigned` has what it says else."""

    steps_max: int
    not_after: int | None
    nonce: bytes | None
    contract_version: str | None
    preconditions: list[Precondition] | None
    content_type: str


def prepare(
    signer: Signer, ledger: bytes, contract: str, action: str, arguments: dict[str, Any], **terms: Unpack[Terms]
) -> Prepared:
    """A transaction signed and ready to send; sending it twice has one effect."""
    made = unsigned(signer, ledger, contract, action, arguments, **terms)
    return made.signed(signer.sign(made.structure))


def unsigned(
    key: Signer | PublicKey,
    ledger: bytes,
    contract: str,
    action: str,
    arguments: dict[str, Any],
    *,
    steps_max: int = STEPS_MAX,
    not_after: int | None = None,
    nonce: bytes | None = None,
    contract_version: str | None = None,
    preconditions: list[Precondition] | None = None,
    content_type: str = cose.TRANSACTION,
) -> Unsigned:
    """A transaction that this key is still to sign.

    `nonce`: random unless given, and MUST be another for each: what is equal to the last byte is the same transaction.
    """
    limit = time.time_ns() // 1_000_000 + VALID_MS if not_after is None else not_after
    body = Transaction(
        version=transaction.VERSION,
        ledger=ledger,
        nonce=secrets.token_bytes(NONCE_BYTES) if nonce is None else nonce,
        not_after=limit,
        contract=contract,
        action=action,
        arguments=arguments,
        steps_max=steps_max,
        contract_version=contract_version,
        preconditions=preconditions,
    )
    return Unsigned(
        contract, cose.protected_header(key.algorithm, content_type, key.kid), transaction.encode(body), limit
    )


def read_unsigned(structure: bytes) -> tuple[Unsigned, Transaction]:
    """What is to be signed, from its exact bytes, and what it says. Raises `HansaError` for bytes that are no such."""
    protected, payload = cose.split_structure(structure)
    cose.read_header(protected)
    body = transaction.decode(payload)
    return Unsigned(body.contract, protected, payload, body.not_after), body
