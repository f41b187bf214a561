"""COSE_Sign1 (RFC 9052) in the one form the ledger uses: tagged, unprotected header empty, signatures of 64 bytes.

The content type in the protected header says what a signature is for, so one made for a transaction never
counts as another message. `split` and `signature_structure` work on bytes as received: nothing is encoded
again before it is hashed or verified.
"""

import hashlib
from functools import lru_cache
from typing import Final

import msgspec

from hansa.wire import cbor
from hansa.wire.keys import ALGORITHM_NAMES, EDDSA, ES256, Signer
from hansa.wire.limits import HEADER_BYTES_MAX, SIGNATURE_BYTES
from hansa.wire.problems import HansaError

TRANSACTION: Final = "application/vnd.hansa.transaction+cbor"
CHECKPOINT: Final = "application/vnd.hansa.checkpoint+cbor"
GOVERNANCE: Final = "application/vnd.hansa.governance+cbor"
TICK: Final = "application/vnd.hansa.tick+cbor"
EXCLUSION: Final = "application/vnd.hansa.exclusion+cbor"
SESSION: Final = "application/vnd.hansa.session+cbor"
INVITE: Final = "application/vnd.hansa.invite+cbor"
READER: Final = "application/vnd.hansa.reader+cbor"

SIGN1_TAG: Final = b"\xd2"  # tag 18
_SIGN1_START: Final = b"\xd2\x84"  # tag 18, array of 4
_EMPTY_MAP: Final = b"\xa0"
_SIGNATURE_HEAD: Final = b"\x58\x40"
_TBS_START: Final = b"\x84\x6aSignature1"
_NO_AAD: Final = b"\x40"
ALGORITHM_BYTES: Final = {ES256: b"\x26", EDDSA: b"\x27"}
_HEADERS_CACHED: Final = 16_384


class Header(msgspec.Struct, frozen=True, gc=False):
    """The protected header of an envelope."""

    algorithm: int
    content_type: str
    kid: bytes


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """A COSE_Sign1 message taken apart, its parts as received; `structure` is what its signature covers."""

    protected: bytes
    payload: bytes
    signature: bytes
    structure: bytes


def split(envelope: bytes) -> Envelope:
    """The parts of an envelope. Raises `HansaError` unless it is exactly one message in the ledger's form."""
    if not envelope.startswith(_SIGN1_START):
        raise HansaError("envelope.form", "a message starts with CBOR tag 18 and an array of four")
    protected_at, protected_end = cbor.byte_string_span(envelope, 2)
    if protected_end - protected_at > HEADER_BYTES_MAX:
        raise HansaError("envelope.header", f"the header has at most {HEADER_BYTES_MAX} bytes")
    if envelope[protected_end : protected_end + 1] != _EMPTY_MAP:
        raise HansaError("envelope.unprotected")
    payload_at, payload_end = cbor.byte_string_span(envelope, protected_end + 1)
    signature_at, end = cbor.byte_string_span(envelope, payload_end)
    if end - signature_at != SIGNATURE_BYTES:
        raise HansaError("signature.size", f"{end - signature_at} bytes instead of {SIGNATURE_BYTES}")
    if end != len(envelope):
        raise HansaError("cbor.trailing", f"the message ends at byte {end} of {len(envelope)}")
    # The byte strings stand in the envelope as they stand in the structure, heads included.
    structure = b"".join((_TBS_START, envelope[2:protected_end], _NO_AAD, envelope[protected_end + 1 : payload_end]))
    return Envelope(
        envelope[protected_at:protected_end], envelope[payload_at:payload_end], envelope[signature_at:], structure
    )


def split_sequence(data: bytes, most: int) -> list[bytes]:
    """The messages of a CBOR sequence (RFC 8742), each still to be checked by `split`.

    Raises `HansaError`: `batch.count` for more than `most`, and a `cbor.*` code where no message can be told
    from the next.
    """
    found: list[bytes] = []
    position = 0
    while position < len(data):
        if len(found) == most:
            raise HansaError("batch.count", f"more than {most} messages")
        start = position + (data[position : position + 1] == SIGN1_TAG)
        end = cbor.item_end(data, start)
        found.append(data[position:end])
        position = end
    return found


def protected_header(algorithm: int, content_type: str, kid: bytes) -> bytes:
    """The protected header of an envelope: labels 1 (alg), 3 (content type), 4 (kid), in that order."""
    return (
        b"\xa3\x01"
        + ALGORITHM_BYTES[algorithm]
        + b"\x03"
        + cbor.encode_ordered(content_type)
        + b"\x04"
        + cbor.byte_string(kid)
    )


@lru_cache(_HEADERS_CACHED)
def read_header(protected: bytes) -> Header:
    """The protected header, which has one form only. Cached: a signer's header is the same in each message."""
    algorithm = {value: key for key, value in ALGORITHM_BYTES.items()}.get(protected[2:3])
    if algorithm is None or not protected.startswith(b"\xa3\x01"):
        raise HansaError(
            "envelope.header", f"the header starts with label 1 and one of {', '.join(ALGORITHM_NAMES.values())}"
        )
    if protected[3:4] != b"\x03":
        raise HansaError("envelope.header", "label 3, the content type, comes second")
    end = cbor.item_end(protected, 4, 0)
    content_type = cbor.decode(protected[4:end])
    if not isinstance(content_type, str):
        raise HansaError("envelope.header", "the content type is text")
    if protected[end : end + 1] != b"\x04":
        raise HansaError("envelope.header", "label 4, the key id, comes third")
    kid, end = cbor.read_byte_string(protected, end + 1)
    if len(kid) != 32 or end != len(protected):
        raise HansaError("envelope.header", "the key id has 32 bytes and nothing follows it")
    return Header(algorithm, content_type, kid)


def signature_structure(protected: bytes, payload: bytes) -> bytes:
    """What is signed (RFC 9052 section 4.4), with an empty external_aad."""
    return _TBS_START + cbor.byte_string(protected) + _NO_AAD + cbor.byte_string(payload)


def split_structure(structure: bytes) -> tuple[bytes, bytes]:
    """The protected header and the payload of what is signed, as `signature_structure` makes it.

    Raises `HansaError` `envelope.form` for anything else.
    """
    if not structure.startswith(_TBS_START):
        raise HansaError("envelope.form", "these bytes are not what a COSE_Sign1 signature covers")
    protected, at = cbor.read_byte_string(structure, len(_TBS_START))
    if structure[at : at + 1] != _NO_AAD:
        raise HansaError("envelope.form", "the external_aad is not empty")
    payload, end = cbor.read_byte_string(structure, at + 1)
    if end != len(structure):
        raise HansaError("cbor.trailing", f"the structure ends at byte {end} of {len(structure)}")
    return protected, payload


def id_of(envelope: bytes) -> bytes:
    """The id of a message that `split` accepts: the SHA-256 of what is signed, so the signature is no part of it."""
    return hashlib.sha256(split(envelope).structure).digest()


def seal(signer: Signer, content_type: str, payload: bytes) -> bytes:
    """The signed envelope around `payload`."""
    protected = protected_header(signer.algorithm, content_type, signer.kid)
    return join(protected, payload, signer.sign(signature_structure(protected, payload)))


def join(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """The envelope of these parts."""
    return (
        _SIGN1_START
        + cbor.byte_string(protected)
        + _EMPTY_MAP
        + cbor.byte_string(payload)
        + _SIGNATURE_HEAD
        + signature
    )
