"""Statements of exclusion: one form, bounded, and signed for nothing else."""

import pytest

from hansa.client import keys
from hansa.wire import cbor, cose, exclusion, transaction
from hansa.wire.exclusion import REASON_CHARS_MAX
from hansa.wire.problems import HansaError

LEDGER, ID = bytes(32), bytes(range(32))
SOUND = {"id": ID, "ledger": LEDGER, "reason": "why", "version": 0}


@pytest.fixture(scope="module", params=["ed25519", "p256"])
def key(request):
    return keys.generate(request.param)


def test_what_is_sealed_is_read(key):
    found = exclusion.read(exclusion.seal(key, LEDGER, ID, "why"))
    assert (found.ledger, found.id, found.reason, found.kid) == (LEDGER, ID, "why", key.kid)
    assert key.public.verify_exactly(found.signature, found.structure)


def test_who_signs_makes_no_difference_to_the_digest(key):
    other = keys.generate("ed25519")
    digests = {exclusion.read(exclusion.seal(signer, LEDGER, ID, "why")).digest for signer in (key, other)}
    assert len(digests) == 1
    assert exclusion.read(exclusion.seal(key, LEDGER, ID, "else")).digest not in digests


def test_the_longest_reason_fits(key):
    assert exclusion.read(exclusion.seal(key, LEDGER, ID, "𝄞" * REASON_CHARS_MAX)).reason == "𝄞" * REASON_CHARS_MAX


@pytest.mark.parametrize(
    "change",
    [
        {"id": b"short"},
        {"id": ID.hex()},
        {"ledger": None},
        {"reason": ""},
        {"reason": "x" * (REASON_CHARS_MAX + 1)},
        {"version": 1},
        {"version": False},
        {"more": 1},
    ],
)
def test_another_payload_is_none(key, change):
    envelope = cose.seal(key, cose.EXCLUSION, cbor.encode({**SOUND, **change}))
    with pytest.raises(HansaError) as caught:
        exclusion.read(envelope)
    assert caught.value.code == "exclusion.form"


@pytest.mark.parametrize("missing", SOUND)
def test_every_field_is_needed(key, missing):
    payload = cbor.encode({name: value for name, value in SOUND.items() if name != missing})
    with pytest.raises(HansaError) as caught:
        exclusion.read(cose.seal(key, cose.EXCLUSION, payload))
    assert caught.value.code == "exclusion.form"


def test_a_signature_for_one_thing_is_none_for_another(key):
    for kind in (cose.TRANSACTION, cose.TICK, cose.CHECKPOINT):
        with pytest.raises(HansaError) as caught:
            exclusion.read(cose.seal(key, kind, cbor.encode(SOUND)))
        assert caught.value.code == "envelope.content_type"
    with pytest.raises(HansaError) as caught:
        transaction.read(exclusion.seal(key, LEDGER, ID, "why"))
    assert caught.value.code == "envelope.content_type"


def test_what_is_too_large_is_not_looked_at(key):
    with pytest.raises(HansaError) as caught:
        exclusion.read(bytes(exclusion.ENVELOPE_BYTES_MAX + 1))
    assert caught.value.code == "envelope.oversized"


def test_those_that_go_together_say_the_same(key):
    one, other = (exclusion.seal(key, LEDGER, ID, reason) for reason in ("why", "else"))
    assert len(exclusion.read_all(one + one)) == 2
    for data in (one + other, b""):
        with pytest.raises(HansaError) as caught:
            exclusion.read_all(data)
        assert caught.value.code == "exclusion.form"
