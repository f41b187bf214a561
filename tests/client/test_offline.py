"""Signing away from the network: the bytes that leave, the signature that comes back."""

import hashlib

import cbor2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from hansa.client import offline, transactions
from hansa.node.create import members_source
from hansa.wire import cose, es256
from hansa.wire.limits import INSTANT_MAX


@pytest.fixture
def unsigned(signer):
    arguments = {"proposal": bytes(32), "yes": True}
    return transactions.unsigned(
        signer,
        bytes(32),
        "members",
        "vote",
        arguments,
        not_after=INSTANT_MAX,
        content_type=cose.GOVERNANCE,
    )


def other_forms(signer, structure):
    """Signatures as other tools make them, from the same key: both halves of s, bare and as DER."""
    private = serialization.load_pem_private_key(signer.pem(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        return [private.sign(structure)]
    r, s = decode_dss_signature(private.sign(structure, ec.ECDSA(hashes.SHA256())))
    low, high = min(s, es256.ORDER - s), max(s, es256.ORDER - s)
    bare = [r.to_bytes(32, "big") + one.to_bytes(32, "big") for one in (low, high)]
    return [*bare, encode_dss_signature(r, low), encode_dss_signature(r, high)]


def test_the_bytes_to_be_signed_are_those_of_the_standard(signer, unsigned):
    kind, protected, aad, payload = cbor2.loads(unsigned.structure)
    assert (kind, aad, payload) == ("Signature1", b"", unsigned.payload)
    assert dict(cbor2.loads(protected)) == {1: signer.algorithm, 3: cose.GOVERNANCE, 4: signer.kid}


def test_what_is_read_is_what_was_prepared(unsigned):
    again, body = offline.read(unsigned.structure)
    assert again == unsigned
    assert (body.contract, body.action, body.arguments) == ("members", "vote", {"proposal": bytes(32), "yes": True})


def test_a_signature_made_here_or_by_other_tools_gives_the_same_id(signer, unsigned):
    signatures = [offline.sign(unsigned, signer), *other_forms(signer, unsigned.structure)]
    assert len(signatures) == (5 if signer.algorithm == -7 else 2)
    for signature in signatures:
        made = offline.finish(unsigned, signature, signer.public)
        assert made.id == hashlib.sha256(unsigned.structure).digest()
        parts = cose.split(made.envelope)
        assert parts.structure == unsigned.structure
        assert signer.public.verify(parts.signature, parts.structure), "a high s would be refused"
        assert cose.id_of(made.envelope) == made.id


def test_another_key_neither_signs_nor_finishes(signer, unsigned, make_key, refused):
    other = make_key("eddsa", "another")
    with refused("signature.key"):
        offline.sign(unsigned, other)
    with refused("signature.key"):
        offline.finish(unsigned, other.sign(unsigned.structure), other.public)
    with refused("signature.invalid"):
        offline.finish(unsigned, signer.sign(unsigned.structure + b"."), signer.public)


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65), b"\x30\x06\x02\x01\x00\x02\x01\x00"])
def test_what_is_no_signature(signer, unsigned, signature, refused):
    is_form = len(signature) == 64 and signer.algorithm == -8
    with refused("signature.invalid" if is_form else "signature.size"):
        offline.finish(unsigned, signature, signer.public)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: b"", "envelope.form"),
        (lambda data: data[1:], "envelope.form"),
        (lambda data: data[:-1], "cbor.truncated"),
        (lambda data: data + b"\x00", "cbor.trailing"),
        (lambda data: cbor2.dumps(["Signature1", cbor2.loads(data)[1], b"x", cbor2.loads(data)[3]]), "envelope.form"),
        (lambda data: cbor2.dumps(["Signature1", b"\xa0", b"", cbor2.loads(data)[3]]), "envelope.header"),
        (lambda data: cbor2.dumps(["Signature1", cbor2.loads(data)[1], b"", b"\xa0"]), "transaction.field"),
        (lambda data: data + bytes(offline.BYTES_MAX), "envelope.oversized"),
    ],
)
def test_other_bytes_are_refused(unsigned, change, code, refused):
    with refused(code):
        offline.read(change(unsigned.structure))


def test_how_long_a_proposal_is_open_is_what_the_kernel_says():
    assert f"\nOPEN_DAYS = {offline.OPEN_DAYS}\n" in members_source()
