"""Requests for sessions: signed by the session's own key, for one ledger and a while, in one form."""

import base64
import hashlib
import re
from pathlib import Path

import pycddl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import cbor, cose, session
from hansa.wire.problems import HansaError

LEDGER = bytes(range(32))
NOW = 1_900_000_000_000
CDDL = Path(__file__).parents[2] / "docs" / "reference" / "wire.cddl"


@pytest.fixture(scope="module")
def key(make_key):
    return make_key("es256", "session")


def payload(signer, **change):
    usual = {"key": signer.public.spki, "token": "a.b.c", "ledger": LEDGER, "version": 0, "not_after": NOW}
    return {name: value for name, value in {**usual, **change}.items() if value is not None}


def test_what_was_sealed_is_read(signer):
    found = session.read(session.seal(signer, LEDGER, "a.b.c", NOW), LEDGER, NOW)
    assert (found.key, found.token, found.not_after) == (signer.public.spki, "a.b.c", NOW)


def test_the_nonce_is_the_digest_of_the_key_without_padding(key):
    nonce = session.nonce_of(key.public.spki)
    assert base64.urlsafe_b64decode(nonce + "=") == hashlib.sha256(key.public.spki).digest()
    assert len(nonce) == 43


def test_it_is_as_the_wire_format_says(signer):
    envelope = session.seal(signer, LEDGER, "a.b.c", NOW)
    cddl = re.sub(r"bytes \.cbor (\{[^}]*\}|[a-z-]+)", "bytes", CDDL.read_text())
    cddl = re.sub(r"int64 = .*", "int64 = int", cddl)
    parts = cose.split(envelope)
    for rule, data in (
        ("session-envelope", envelope),
        ("session-header", parts.protected),
        ("session", parts.payload),
    ):
        pycddl.Schema(f"root = {rule}\n{cddl}").validate_cbor(data)


@pytest.mark.parametrize(
    "change",
    [
        {"key": None},
        {"token": None},
        {"token": ""},
        {"token": b"a.b.c"},
        {"token": "a" * (session.TOKEN_BYTES_MAX + 1)},
        {"ledger": b"short"},
        {"version": 1},
        {"not_after": -1},
        {"not_after": None},
        {"more": 1},
    ],
    ids=str,
)
def test_a_payload_of_another_form(key, refused, change):
    envelope = cose.seal(key, cose.SESSION, cbor.encode(payload(key, **change)))
    with refused("session.form"):
        session.read(envelope, LEDGER, NOW)


@pytest.mark.parametrize(
    ("change", "ledger", "now", "code"),
    [
        ({}, bytes(32), NOW, "transaction.ledger"),
        ({}, LEDGER, NOW + 1, "session.form"),
        ({}, LEDGER, NOW - 3_600_001, "session.form"),
        ({"key": b"\x00" * 91}, LEDGER, NOW, "key.unsupported"),
    ],
)
def test_what_is_not_for_here_and_now(key, refused, change, ledger, now, code):
    with refused(code):
        session.read(cose.seal(key, cose.SESSION, cbor.encode(payload(key, **change))), ledger, now)


def test_another_key_than_the_one_in_it(key, make_key, refused):
    envelope = cose.seal(make_key("es256", "mallory"), cose.SESSION, cbor.encode(payload(key)))
    with refused("session.proof"):
        session.read(envelope, LEDGER, NOW)


def test_a_key_that_may_not_be_registered(key, refused):
    """A point of small order: it would verify many messages by one signature."""
    weak = bytes.fromhex("302a300506032b6570032100") + b"\x01" + bytes(31)
    with refused("key.invalid"):
        session.read(cose.seal(key, cose.SESSION, cbor.encode(payload(key, key=weak))), LEDGER, NOW)


@pytest.mark.parametrize("kind", [cose.TRANSACTION, cose.GOVERNANCE, cose.TICK, cose.CHECKPOINT, cose.EXCLUSION])
def test_what_was_signed_for_something_else(key, refused, kind):
    with refused("envelope.content_type"):
        session.read(cose.seal(key, kind, cbor.encode(payload(key))), LEDGER, NOW)


@given(at=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_each_bit_counts(make_key, at, bit):
    envelope = bytearray(session.seal(make_key("es256", "session"), LEDGER, "a.b.c", NOW))
    envelope[at % len(envelope)] ^= 1 << bit
    with pytest.raises(HansaError):
        session.read(bytes(envelope), LEDGER, NOW)
