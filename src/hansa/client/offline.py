"""Signing on a machine without a network: what is to be signed leaves in a file and comes back as a signature.

The file holds the exact bytes that the signature covers (the Sig_structure of RFC 9052 section 4.4) and nothing else,
so any tool can sign it. What they say is read from them, never from a text beside them.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Arguments are dynamic: their type is what is found out here.

import hashlib
from typing import Any, Final

from hansa.client import proposals
from hansa.client.transactions import Prepared, Unsigned, read_unsigned
from hansa.client.words import moment, shown, written
from hansa.wire import cose, es256, jsonform
from hansa.wire.keys import ALGORITHM_NAMES, ES256, PublicKey, Signer
from hansa.wire.limits import ENVELOPE_BYTES_MAX, SIGNATURE_BYTES
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Transaction

BYTES_MAX: Final = ENVELOPE_BYTES_MAX
"""Of what is to be signed: what it becomes must fit an envelope."""
OPEN_DAYS: Final = 30
"""How long a proposal is open that does not say so itself, by the kernel; a test compares."""
_DAY_MS: Final = 86_400_000
"""A day of ledger time."""
_PURPOSES: Final = {cose.GOVERNANCE: "governance", cose.TRANSACTION: "a transaction"}


def read(data: bytes) -> tuple[Unsigned, Transaction]:
    """What is to be signed, and what it says. Raises `HansaError` for other bytes."""
    if len(data) > BYTES_MAX:
        raise HansaError("envelope.oversized", f"{len(data)} bytes are more than is ever signed")
    return read_unsigned(data)


def id_of(unsigned: Unsigned) -> bytes:
    """The id that it will have, and a proposal's: the SHA-256 of the bytes to be signed."""
    return hashlib.sha256(unsigned.structure).digest()


def sign(unsigned: Unsigned, signer: Signer) -> bytes:
    """The signature, 64 bytes. Raises `HansaError` `signature.key` for another key than the bytes name."""
    _check_key(unsigned, signer)
    return signer.sign(unsigned.structure)


def finish(unsigned: Unsigned, signature: bytes, key: PublicKey) -> Prepared:
    """The signed transaction, from a signature of any common form: 64 bytes, or DER for ES256; a high s is replaced.

    Raises `HansaError`: `signature.size`, `signature.key` for another key, `signature.invalid`.
    """
    _check_key(unsigned, key)
    if key.algorithm == ES256:
        is_raw = len(signature) == SIGNATURE_BYTES
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        signature = es256.raw(r, s) if is_raw and 0 < s < es256.ORDER else es256.from_der(signature)
    elif len(signature) != SIGNATURE_BYTES:
        raise HansaError("signature.size", f"{len(signature)} bytes instead of {SIGNATURE_BYTES}")
    if not key.verify_exactly(signature, unsigned.structure):
        raise HansaError("signature.invalid", "the signature is not of these bytes by this key")
    return unsigned.signed(signature)


def told(unsigned: Unsigned, body: Transaction, *, full: bool = False, is_sent: bool = False) -> list[str]:
    """What is signed, in words, line by line; with `full` sources as they stand, else by their digest.

    Of what `is_sent` already, until when it could be is nobody's concern.
    """
    header = cose.read_header(unsigned.protected)
    lines = [
        f"ledger     {body.ledger.hex()}",
        f"key        {header.kid.hex()} ({ALGORITHM_NAMES[header.algorithm]})",
        f"for        {_PURPOSES.get(header.content_type, shown(header.content_type))}",
        *([] if is_sent else [f"valid      until {moment(body.not_after)}"]),
        f"id         {id_of(unsigned).hex()}",
    ]
    arguments = body.arguments
    match (body.contract, body.action, arguments):
        case ("members", "propose", {"title": title, "steps": list() as steps, "closes": closes}):
            lines.append(f"does       proposes: {shown(title)}")
            lines.append(f"closes     {_closes(body.not_after) if closes is None else moment(closes)}")
            lines += _actions(steps, full=full)
        case ("members", "vote", {"proposal": bytes() as id, "yes": bool() as yes, "constitution": bytes() as rules}):
            lines.append(f"does       votes {'YES' if yes else 'NO'}")
            lines.append(f"proposal   {id.hex()}")
            lines.append(f"under      the constitution {rules.hex()}")
        case ("members", "withdraw", {"proposal": bytes() as id}):
            lines.append("does       withdraws a proposal")
            lines.append(f"proposal   {id.hex()}")
        case _:
            lines.append(f"does       {shown(body.contract)}.{shown(body.action)}")
            lines += [f"  {shown(name)}: {written(value)}" for name, value in arguments.items()]
    return lines


def _actions(steps: list[Any], *, full: bool) -> list[str]:
    lines: list[str] = []
    for number, action in enumerate(jsonform.plain(proposals.shown(steps))["actions"], 1):
        lines.append(f"action {number:<3} {shown(action['name'])}")
        for name, value in action["args"].items():
            if isinstance(value, str) and "\n" in value:
                digest = hashlib.sha256(value.encode()).hexdigest()
                lines.append(f"  {shown(name)}: {len(value.splitlines())} lines, SHA-256 {digest}")
                lines += [f"    {shown(line)}" for line in value.splitlines()] if full else []
            else:
                lines.append(f"  {shown(name)}: {written(value)}")
    return lines


def _check_key(unsigned: Unsigned, key: Signer | PublicKey) -> None:
    header = cose.read_header(unsigned.protected)
    if (header.algorithm, header.kid) != (key.algorithm, key.kid):
        raise HansaError("signature.key", f"it is to be signed by key {header.kid.hex()}, this is {key.kid.hex()}")


def _closes(not_after: int) -> str:
    """When a proposal closes that does not say so itself: its entry came while it was valid."""
    return f"{OPEN_DAYS} days after it is made, {moment(not_after + OPEN_DAYS * _DAY_MS)} at the latest"
