"""Verification without a node: what is proven is said, and each thing that is changed is named by its code."""

import dataclasses
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from hansa.client import verification
from hansa.client.verification import Pinned, Proven
from hansa.merkle import checkpoint, receipt
from hansa.merkle.tree import leaf_hash
from hansa.wire import cbor, cose, entry, transaction
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError


@pytest.fixture(scope="module")
def ledger(history: Callable[[str], Any]) -> Any:
    return history("one ledger")


@pytest.fixture(scope="module")
def another(history: Callable[[str], Any]) -> Any:
    return history("another ledger")


@pytest.fixture(scope="module")
def pinned(ledger: Any) -> Pinned:
    return verification.pin_genesis(ledger.document, ledger.ledger)


def check(proof: Any, pinned: Pinned) -> Proven:
    return verification.verify(proof.receipt, proof.entry, pinned, envelope=proof.envelope, outcome=proof.outcome)


@pytest.mark.parametrize("seq", range(7))
def test_every_entry_is_proven(seq: int, ledger: Any, pinned: Pinned) -> None:
    proven = check(ledger.proofs[seq], pinned)
    assert (proven.ledger, proven.seq, proven.size) == (ledger.ledger, seq, 7)
    assert (proven.time, proven.kid) == (1_700_000_000_005, ledger.checkpoint_key.kid)
    assert proven.outcome == entry.decode_outcome(ledger.proofs[seq].outcome)
    assert proven.outcome.steps == seq
    if seq:
        assert proven.signed == transaction.read(ledger.proofs[seq].envelope)
        assert (proven.kind, proven.id) == ("transaction", cose.id_of(ledger.proofs[seq].envelope))
    else:
        assert (proven.kind, proven.id, proven.signed) == ("genesis", ledger.ledger, None)


def test_a_receipt_of_another_clock(ledger: Any, pinned: Pinned, refused: Callable) -> None:
    """What it says of its time must be what the genesis document says of the ledger's."""
    with refused("verify.clock"):
        check(ledger.proofs[1], msgspec.structs.replace(pinned, told=True))


def test_the_entry_alone_is_proven_without_its_bodies(ledger: Any, pinned: Pinned) -> None:
    proof = ledger.proofs[3]
    proven = verification.verify(proof.receipt, proof.entry, pinned)
    assert (proven.seq, proven.signed, proven.outcome) == (3, None, None)
    assert verification.verify(proof.receipt, proof.entry, pinned, envelope=proof.envelope).signed is not None
    assert verification.verify(proof.receipt, proof.entry, pinned, outcome=proof.outcome).outcome is not None


def test_a_pinned_key_proves_for_any_ledger(ledger: Any) -> None:
    trusted = verification.pin_key(ledger.checkpoint_key.public)
    assert trusted.ledger is None
    assert check(ledger.proofs[2], trusted).ledger == ledger.ledger


def test_what_is_pinned_are_the_checkpoint_keys_of_the_document(ledger: Any, pinned: Pinned) -> None:
    assert list(pinned.keys) == [ledger.checkpoint_key.kid]
    assert pinned.ledger == ledger.ledger
    assert verification.pin_genesis(ledger.document).ledger == ledger.ledger, "the id follows from the document"


def test_who_signed_is_named_and_its_signature_checked(ledger: Any, pinned: Pinned, refused: Callable) -> None:
    proof = ledger.proofs[3]
    assert check(proof, pinned).signer == "acme"
    assert check(proof, verification.pin_key(ledger.checkpoint_key.public)).signer is None, "a key names nobody"
    forged = proof.envelope[:-1] + bytes((proof.envelope[-1] ^ 1,))
    lying = entry.make(entry.TRANSACTION, cose.id_of(forged), forged, proof.outcome)
    head = checkpoint.sign(ledger.ledger, 1, 5, leaf_hash(lying), ledger.checkpoint_key)
    with refused("signature.invalid"):
        verification.verify(receipt.inclusion(head, 0, []), lying, pinned, envelope=forged)


def test_a_key_and_a_ledger_must_agree(ledger: Any, another: Any, pinned: Pinned, refused: Callable) -> None:
    key = ledger.checkpoint_key.public
    assert check(ledger.proofs[1], verification.pin_key(key, ledger.ledger)).seq == 1
    assert check(ledger.proofs[1], verification.both(pinned, key)).signer == "acme"
    with refused("verify.ledger"):
        check(ledger.proofs[1], verification.pin_key(key, another.ledger))
    with refused("verify.key"):
        verification.both(pinned, another.checkpoint_key.public)


# Refusals, each by its code


def test_the_genesis_document_of_another_ledger(ledger: Any, another: Any, refused: Callable) -> None:
    with refused("verify.genesis") as caught:
        verification.pin_genesis(another.document, ledger.ledger)
    assert another.ledger.hex() in caught.value.detail


def test_a_genesis_document_with_one_byte_changed(ledger: Any, refused: Callable) -> None:
    changed = ledger.document[:-1] + bytes((ledger.document[-1] ^ 1,))
    with refused("verify.genesis"):
        verification.pin_genesis(changed, ledger.ledger)


def test_a_document_that_is_no_genesis(refused: Callable) -> None:
    with refused("genesis.form"):
        verification.pin_genesis(cbor.encode({"version": 0}))


def test_the_receipt_of_another_ledger(ledger: Any, another: Any, refused: Callable) -> None:
    with refused("receipt.key_unknown"):
        check(another.proofs[1], verification.pin_genesis(ledger.document, ledger.ledger))


def test_the_same_key_for_another_ledger(ledger: Any, another: Any, refused: Callable) -> None:
    """A key that signs for two ledgers must not let one's receipts pass for the other's."""
    both = Pinned({another.checkpoint_key.kid: another.checkpoint_key.public}, ledger.ledger)
    with refused("verify.ledger") as caught:
        check(another.proofs[1], both)
    assert another.ledger.hex() in caught.value.detail


@pytest.mark.parametrize(
    ("part", "code"), [("envelope", "verify.envelope"), ("outcome", "verify.outcome"), ("entry", "receipt.invalid")]
)
def test_parts_swapped_between_entries(part: str, code: str, ledger: Any, pinned: Pinned, refused: Callable) -> None:
    swapped = dataclasses.replace(ledger.proofs[1], **{part: getattr(ledger.proofs[2], part)})
    with refused(code) as caught:
        check(swapped, pinned)
    assert caught.value.fields["part"] == ("receipt" if part == "entry" else part), "what is signed comes first"


def test_a_receipt_for_another_entry(ledger: Any, pinned: Pinned, refused: Callable) -> None:
    with refused("receipt.invalid"):
        check(dataclasses.replace(ledger.proofs[1], receipt=ledger.proofs[2].receipt), pinned)


def test_an_entry_whose_id_is_not_its_envelopes(ledger: Any, refused: Callable) -> None:
    """Such an entry can only come from a ledger that lies; its own signature does not help it."""
    proof = ledger.proofs[1]
    lying = entry.make(entry.TRANSACTION, bytes(32), proof.envelope, proof.outcome)
    head = checkpoint.sign(ledger.ledger, 1, 5, leaf_hash(lying), ledger.checkpoint_key)
    signed = receipt.inclusion(head, 0, [])
    assert verification.verify(signed, lying, verification.pin_key(ledger.checkpoint_key.public)).id == bytes(32)
    with refused("verify.id"):
        check(dataclasses.replace(proof, receipt=signed, entry=lying), verification.pin_genesis(ledger.document))


def test_an_envelope_that_is_no_transaction(ledger: Any, refused: Callable) -> None:
    lying = entry.make(entry.TRANSACTION, bytes(32), b"no envelope", b"no outcome")
    head = checkpoint.sign(ledger.ledger, 1, 5, leaf_hash(lying), ledger.checkpoint_key)
    signed, trusted = receipt.inclusion(head, 0, []), verification.pin_genesis(ledger.document)
    with refused("envelope.form"):
        verification.verify(signed, lying, trusted, envelope=b"no envelope")
    with refused("outcome.form"):
        verification.verify(signed, lying, trusted, outcome=b"no outcome")


def test_a_receipt_signed_by_a_key_that_is_not_pinned(
    ledger: Any, make_key: Callable[[str, str], PrivateKey], refused: Callable
) -> None:
    with refused("receipt.key_unknown") as caught:
        check(ledger.proofs[1], verification.pin_key(make_key("es256", "a stranger").public))
    assert ledger.checkpoint_key.kid.hex() in caught.value.detail


def test_a_key_of_another_algorithm_does_not_verify(ledger: Any, signer: PrivateKey, refused: Callable) -> None:
    """The kid in the receipt picks the key: one that lies about its kid gains nothing."""
    with refused("receipt.invalid"):
        check(ledger.proofs[1], Pinned({ledger.checkpoint_key.kid: signer.public}, None))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (b"", "entry.form"),
        (b"nothing", "entry.form"),
        (cbor.encode(["transaction", bytes(32), bytes(32)]), "entry.form"),
        (cbor.encode(["transaction", bytes(31), bytes(32), bytes(32)]), "entry.form"),
        (cbor.encode({"kind": "transaction"}), "entry.form"),
    ],
)
def test_bytes_that_are_no_entry(wrong: bytes, code: str, ledger: Any, pinned: Pinned, refused: Callable) -> None:
    with refused(code):
        verification.verify(ledger.proofs[1].receipt, wrong, pinned)


@pytest.mark.parametrize("wrong", [b"", b"nothing", b"\xd2\x84", b"\xd2\x84\x40\xa0\xf6\x40", bytes(20_000)])
def test_bytes_that_are_no_receipt(wrong: bytes, ledger: Any, pinned: Pinned, refused: Callable) -> None:
    with pytest.raises(HansaError) as caught:
        verification.verify(wrong, ledger.proofs[1].entry, pinned)
    assert (caught.value.code, caught.value.fields["part"]) == ("receipt.form", "receipt")


def test_a_transaction_is_no_receipt(ledger: Any, pinned: Pinned, refused: Callable) -> None:
    with refused("receipt.form"):
        verification.verify(ledger.proofs[1].envelope, ledger.proofs[1].entry, pinned)


@pytest.mark.parametrize("part", ["receipt", "entry", "envelope", "outcome"])
def test_no_bit_of_any_part_can_be_changed(part: str, ledger: Any, pinned: Pinned) -> None:
    """Each byte of each part, one bit of it: nothing of what is handed out can be changed unnoticed."""
    proof = ledger.proofs[4]
    whole = getattr(proof, part)
    for position in range(len(whole)):
        changed = bytearray(whole)
        changed[position] ^= 1 << (position % 8)
        with pytest.raises(HansaError):
            check(dataclasses.replace(proof, **{part: bytes(changed)}), pinned)


@pytest.mark.parametrize("part", ["receipt", "entry", "envelope", "outcome"])
def test_no_part_can_be_cut_or_extended(part: str, ledger: Any, pinned: Pinned) -> None:
    proof = ledger.proofs[4]
    whole = getattr(proof, part)
    for changed in (whole[:-1], whole + b"\0", whole[1:], whole + whole):
        with pytest.raises(HansaError):
            check(dataclasses.replace(proof, **{part: changed}), pinned)
