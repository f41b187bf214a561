"""Transactions as a client makes them: signed, valid for ten minutes, and never twice the same."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from hansa.client import transactions
from hansa.wire import cbor, cose, transaction
from hansa.wire.keys import PrivateKey

LEDGER = bytes(range(32))
ARGUMENTS = {"to": "bob", "amount": {"minor": 5, "currency": "USD"}, "raw": b"\x00", "list": [1, None, True]}


def test_what_is_prepared_says_what_was_asked_for(signer: PrivateKey) -> None:
    made = transactions.prepare(
        signer,
        LEDGER,
        "shop",
        "pay",
        ARGUMENTS,
        steps_max=77,
        not_after=1_234,
        contract_version="1.0.0",
        preconditions=[("shop", "Item", "hat", 5), ("shop", "Item", 7, None)],
    )
    signed = transaction.read(made.envelope)
    body = signed.transaction
    assert (body.version, body.ledger, body.contract, body.action) == (0, LEDGER, "shop", "pay")
    assert (body.arguments, body.steps_max, body.not_after, body.contract_version) == (ARGUMENTS, 77, 1_234, "1.0.0")
    assert body.preconditions == [("shop", "Item", "hat", 5), ("shop", "Item", 7, None)]
    assert (made.id, made.not_after) == (signed.id, 1_234)
    assert (signed.kid, signed.algorithm) == (signer.kid, signer.algorithm)


def test_the_signature_verifies_and_is_for_a_transaction_only(signer: PrivateKey) -> None:
    made = transactions.prepare(signer, LEDGER, "shop", "pay", ARGUMENTS)
    signed = transaction.read(made.envelope)
    assert signer.public.verify_exactly(signed.signature, signed.structure)
    assert cose.read_header(cose.split(made.envelope).protected).content_type == cose.TRANSACTION
    as_checkpoint = cose.protected_header(signer.algorithm, cose.CHECKPOINT, signer.kid)
    structure = cose.signature_structure(as_checkpoint, cose.split(made.envelope).payload)
    assert not signer.public.verify_exactly(signed.signature, structure)


def test_the_id_does_not_depend_on_the_signature(signer: PrivateKey) -> None:
    made = transactions.prepare(signer, LEDGER, "shop", "pay", ARGUMENTS)
    assert cose.id_of(made.envelope) == cose.id_of(made.envelope[:-1] + bytes((made.envelope[-1] ^ 1,))) == made.id


def test_no_two_transactions_are_the_same(signer: PrivateKey) -> None:
    made = [transactions.prepare(signer, LEDGER, "shop", "pay", {}, not_after=1) for _ in range(20)]
    assert len({each.id for each in made}) == 20
    assert len({transaction.read(each.envelope).transaction.nonce for each in made}) == 20


def test_a_transaction_waits_ten_minutes_for_its_block(signer: PrivateKey) -> None:
    before = time.time_ns() // 1_000_000
    made = transactions.prepare(signer, LEDGER, "shop", "pay", {})
    after = time.time_ns() // 1_000_000
    assert before + 600_000 <= made.not_after <= after + 600_000
    assert transaction.read(made.envelope).transaction.steps_max == 10_000


def test_what_is_left_out_is_not_in_the_payload(signer: PrivateKey) -> None:
    payload = cbor.decode(cose.split(transactions.prepare(signer, LEDGER, "shop", "pay", {}).envelope).payload)
    assert set(payload) == {
        "version",
        "ledger",
        "nonce",
        "not_after",
        "contract",
        "action",
        "arguments",
        "steps_max",
    }


def test_high_s_is_never_sent(make_key: Callable[[str, str], PrivateKey]) -> None:
    """Every other ES256 signature has a high s before it is normalised."""
    key = make_key("es256", "many")
    half = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
    for _ in range(20):
        signature = transactions.prepare(key, LEDGER, "shop", "pay", {}).envelope[-32:]
        assert int.from_bytes(signature, "big") <= half


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"a": 1.5}, "cbor.type"),
        ({"a": 2**63}, "cbor.integer"),
        ({"a": {1: 2}}, "cbor.key"),
        ({"a": {1, 2}}, "cbor.type"),
        ({"a": "\ud800"}, "cbor.text"),
        ({1: "a"}, "cbor.key"),
    ],
)
def test_arguments_that_have_no_encoding_are_refused(
    arguments: dict[Any, Any], code: str, signer: PrivateKey, refused: Callable
) -> None:
    with refused(code):
        transactions.prepare(signer, LEDGER, "shop", "pay", arguments)


def test_arguments_that_are_nested_too_deeply_are_refused(signer: PrivateKey, refused: Callable) -> None:
    deep: list[Any] = []
    for _ in range(20):
        deep = [deep]
    with refused("cbor.depth"):
        transactions.prepare(signer, LEDGER, "shop", "pay", {"a": deep})
