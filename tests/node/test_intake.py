"""Intake: what is refused before it is ordered, each by its code, and leaves no entry."""

import gc
import hashlib
import time
import tracemalloc

import cbor2
import msgspec
import pytest

from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.node.create import CHECKPOINT_KEY, NODE_KEY
from hansa.node.intake import Answer
from hansa.wire import cbor, cose, limits, transaction
from hansa.wire.genesis import Limits
from hansa.wire.keys import EDDSA, ES256, kid_of
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Transaction

MINUTE_MS = 60_000
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SMALL_ORDER_SPKI = bytes.fromhex("302a300506032b6570032100") + bytes([1]) + bytes(31)  # the neutral point


def now():
    return time.time_ns() // 1_000_000


def body(ledger, /, **changes):
    """The fields of a transaction that would be applied, as a map."""
    made = Transaction(
        version=0,
        ledger=ledger.id,
        nonce=bytes(16),
        not_after=now() + 10 * MINUTE_MS,
        contract="notes",
        action="open",
        arguments={"name": "a", "owner": "acme"},
        steps_max=10_000,
    )
    fields = {name: value for name, value in msgspec.structs.asdict(made).items() if value is not None}
    return {name: value for name, value in {**fields, **changes}.items() if value is not ...}


def sign(ledger, payload, *, key=None, content_type=cose.TRANSACTION):
    """An envelope around any payload, soundly signed."""
    return cose.seal(key or ledger.keys["acme"], content_type, payload)


def loose(value):
    """CBOR with no rule kept: maps stay as they are, floats and tags pass."""
    return cbor2.dumps(value)


def deep(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


def encoded(ledger, arguments):
    """A payload whose arguments are these bytes."""
    return cbor.encode(body(ledger, arguments={"x": "MARK"})).replace(b"\xa1\x61x\x64MARK", arguments)


def parts_of(envelope):
    parts = cose.split(envelope)
    return parts.protected, parts.payload, parts.signature


@pytest.fixture
def refusal(play):
    """The code by which a node refuses an envelope; it must refuse at once or later, and make no entry of it."""

    def code_of(ledger, envelope, **options):
        async def scenario(session):
            before = session.node.status().entries
            answer = await session.submit(envelope)
            assert not isinstance(answer, Answer)
            assert session.node.status().entries == before
            assert await session.code(ledger.idle()) == "contract.unknown"  # the node goes on
            return answer.code

        return play(ledger, scenario, **options)

    return code_of


# The envelope


def behind_header(envelope):
    """Where the protected header ends and the unprotected one stands."""
    return cbor.byte_string_span(envelope, 2)[1]


def with_unprotected(envelope, unprotected):
    at = behind_header(envelope)
    assert envelope[at : at + 1] == b"\xa0"
    return envelope[:at] + unprotected + envelope[at + 1 :]


ENVELOPES = {
    "nothing": (lambda _: b"", "envelope.form"),
    "no tag": (lambda e: e[1:], "envelope.form"),
    "another tag": (lambda e: b"\xd1" + e[1:], "envelope.form"),
    "an array of five": (lambda e: e[:1] + b"\x85" + e[2:] + b"\xa0", "envelope.form"),
    "a JSON document": (lambda _: b'{"contract": "notes"}', "envelope.form"),
    "a protected header that is no byte string": (lambda e: e[:2] + b"\xa0" + e[2:], "cbor.type"),
    "an unprotected header with a field": (lambda e: with_unprotected(e, b"\xa1\x01\x26"), "envelope.unprotected"),
    "cut off after the tag": (lambda e: e[:2], "cbor.truncated"),
    "cut off in the header": (lambda e: e[:20], "cbor.truncated"),
    "cut off after the header": (lambda e: e[: behind_header(e)], "envelope.unprotected"),
    "cut off in the payload": (lambda e: e[:-100], "cbor.truncated"),
    "cut off before the signature": (lambda e: e[:-66], "cbor.truncated"),
    "cut off in the signature": (lambda e: e[:-1], "cbor.truncated"),
    "a byte behind": (lambda e: e + b"\0", "cbor.trailing"),
    "twice": (lambda e: e + e, "cbor.trailing"),
    "a signature of 63 bytes": (lambda e: e[:-65] + b"\x3f" + e[-63:], "signature.size"),
    "a signature of none": (lambda e: e[:-66] + b"\x40", "signature.size"),
    "a signature's length in three bytes": (lambda e: e[:-66] + b"\x59\x00\x40" + e[-64:], "cbor.form"),
    "a payload of indefinite length": (lambda e: with_unprotected(e, b"\xa0\x5f"), "cbor.form"),
}


@pytest.mark.parametrize(("change", "code"), ENVELOPES.values(), ids=ENVELOPES)
def test_an_envelope_out_of_form_is_refused(ledger, refusal, change, code):
    assert refusal(ledger, change(ledger.open().envelope)) == code


def test_no_beginning_of_an_envelope_passes(ledger, play):
    async def scenario(session):
        envelope = ledger.open().envelope
        answers = [await session.code(envelope[:length]) for length in range(len(envelope))]
        assert set(answers) == {"envelope.form", "cbor.truncated", "envelope.unprotected"}
        assert await session.code(envelope) == "ok"

    play(ledger, scenario)


def sized(ledger, length, **options):
    """An envelope of exactly so many bytes."""
    data = length
    while (excess := len(envelope := ledger.idle(data=bytes(data), **options).envelope) - length) > 0:
        data -= excess
    assert len(envelope) == length
    return envelope


@pytest.mark.parametrize("more", [1, 1024, limits.ENVELOPE_BYTES_MAX])
def test_an_oversized_envelope_is_refused(ledger, refusal, more):
    assert refusal(ledger, sized(ledger, limits.ENVELOPE_BYTES_MAX + more)) == "envelope.oversized"


def test_an_envelope_of_the_greatest_size_passes(ledger, play):
    envelope = sized(ledger, limits.ENVELOPE_BYTES_MAX)
    assert play(ledger, lambda session: session.code(envelope)) == "contract.unknown"


# The protected header


def test_the_algorithm_of_the_header_is_the_keys(ledger, refusal):
    _, payload, signature = parts_of(ledger.open().envelope)
    kid = ledger.keys["acme"].kid
    header = cose.protected_header(ES256, cose.TRANSACTION, kid)
    assert refusal(ledger, cose.join(header, payload, signature)) == "sender.algorithm"


HEADERS = {
    "no map": lambda p: b"\x00",
    "empty": lambda p: b"",
    "a fourth label": lambda p: b"\xa4" + p[1:] + b"\x05\x00",
    "an unknown algorithm": lambda p: p.replace(b"\x01\x27", b"\x01\x28", 1),
    "labels out of order": lambda p: b"\xa3" + p[3:] + p[1:3],
    "a byte behind": lambda p: p + b"\x00",
    "a short kid": lambda p: p[:-34] + b"\x58\x1f" + p[-31:],
    "a content type that is a number": lambda p: b"\xa3\x01\x27\x03\x18\x3c" + p[-35:],
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_a_header_out_of_form_is_refused(ledger, refusal, change):
    protected, payload, signature = parts_of(ledger.open().envelope)
    assert change(protected) != protected
    assert refusal(ledger, cose.join(change(protected), payload, signature)) == "envelope.header"


@pytest.mark.parametrize("content_type", [cose.CHECKPOINT, "application/json", "", cose.TRANSACTION + " "])
def test_a_signature_made_for_another_purpose_is_refused(ledger, refusal, content_type):
    envelope = sign(ledger, cbor.encode(body(ledger)), content_type=content_type)
    assert refusal(ledger, envelope) == "envelope.content_type"


# The payload

PAYLOADS = {
    "nothing": (lambda _: b"", "cbor.truncated"),
    "no map": (lambda _: b"\x80", "transaction.field"),
    "cut off": (lambda ledger: cbor.encode(body(ledger))[:-1], "cbor.truncated"),
    "a byte behind": (lambda ledger: cbor.encode(body(ledger)) + b"\0", "cbor.trailing"),
    "keys out of order": (lambda ledger: loose(dict(sorted(body(ledger).items(), reverse=True))), "cbor.form"),
    "a key twice": (lambda ledger: encoded(ledger, b"\xa2\x61a\x00\x61a\x00"), "cbor.form"),
    "a key that is a number": (lambda ledger: encoded(ledger, b"\xa1\x01\x00"), "cbor.key"),
    "a number in two bytes": (lambda ledger: encoded(ledger, b"\xa1\x61a\x18\x01"), "cbor.form"),
    "a number beyond 64 bits": (lambda ledger: encoded(ledger, b"\xa1\x61a\x1b\x80" + bytes(7)), "cbor.integer"),
    "a negative one beyond 64 bits": (lambda ledger: encoded(ledger, b"\xa1\x61a\x3b\x80" + bytes(7)), "cbor.integer"),
    "a float": (lambda ledger: encoded(ledger, b"\xa1\x61a" + loose(1.5)), "cbor.type"),
    "a bignum": (lambda ledger: encoded(ledger, b"\xa1\x61a" + loose(2**70)), "cbor.type"),
    "undefined": (lambda ledger: encoded(ledger, b"\xa1\x61a\xf7"), "cbor.type"),
    "a tag": (lambda ledger: encoded(ledger, b"\xa1\x61a\xc1\x00"), "cbor.type"),
    "indefinite length": (lambda ledger: encoded(ledger, b"\xa1\x61a\x9f\xff"), "cbor.form"),
    "text that is not UTF-8": (lambda ledger: encoded(ledger, b"\xa1\x61a\x61\xff"), "cbor.text"),
    "text with a surrogate": (lambda ledger: encoded(ledger, b"\xa1\x61a\x63\xed\xa0\x80"), "cbor.text"),
    "an array longer than the envelope": (
        lambda ledger: encoded(ledger, b"\xa1\x61a\x9a\xff\xff\xff\xff"),
        "cbor.truncated",
    ),
    "nested 17 deep": (lambda ledger: encoded(ledger, loose({"a": deep(15)})), "cbor.depth"),
    "nested 10,000 deep": (lambda ledger: encoded(ledger, b"\xa1\x61a" + b"\x81" * 10_000 + b"\x00"), "cbor.depth"),
}


@pytest.mark.parametrize(("make", "code"), PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_out_of_form_is_refused(ledger, refusal, make, code):
    assert refusal(ledger, sign(ledger, make(ledger))) == code


def test_a_payload_nested_16_deep_passes(ledger, play):
    envelope = sign(ledger, cbor.encode(body(ledger, contract="nowhere", arguments={"a": deep(14)})))
    assert play(ledger, lambda session: session.code(envelope)) == "contract.unknown"


FIELDS = {
    "a field too many": {"extra": 1},
    "no ledger": {"ledger": ...},
    "no nonce": {"nonce": ...},
    "no steps_max": {"steps_max": ...},
    "a nonce of 15 bytes": {"nonce": bytes(15)},
    "a nonce that is text": {"nonce": "a" * 16},
    "a ledger id of 31 bytes": {"ledger": bytes(31)},
    "a negative time": {"not_after": -1},
    "a time that is text": {"not_after": "0"},
    "negative steps": {"steps_max": -1},
    "steps that are true": {"steps_max": True},
    "arguments that are a list": {"arguments": []},
    "a contract that is bytes": {"contract": b"notes"},
    "no contract's name": {"contract": ""},
    "no action's name": {"action": ""},
    "a long contract name": {"contract": "n" * 49},
    "a long action name": {"action": "n" * 49},
    "a long version": {"contract_version": "1" * 33},
    "no preconditions in the list": {"preconditions": []},
    "17 preconditions": {"preconditions": [["notes", "Note", "a", None]] * 17},
    "a precondition of three parts": {"preconditions": [["notes", "Note", "a"]]},
    "a precondition of five parts": {"preconditions": [["notes", "Note", "a", 0, 0]]},
    "a negative seq": {"preconditions": [["notes", "Note", "a", -1]]},
    "a key that is true": {"preconditions": [["notes", "Note", True, 0]]},
    "a key that is null": {"preconditions": [["notes", "Note", None, 0]]},
    "a key that is a list": {"preconditions": [["notes", "Note", ["a"], 0]]},
}


@pytest.mark.parametrize("changes", FIELDS.values(), ids=FIELDS)
def test_a_field_out_of_range_is_refused(ledger, refusal, changes):
    assert refusal(ledger, sign(ledger, cbor.encode(body(ledger, **changes)))) == "transaction.field"


@pytest.mark.parametrize("version", [1, -1, 2**63 - 1])
def test_another_format_is_refused(ledger, refusal, version):
    assert refusal(ledger, sign(ledger, cbor.encode(body(ledger, version=version)))) == "transaction.version"


# Ledger, sender, time, steps


def test_a_transaction_for_another_ledger_is_refused(ledger, make_ledger, refusal):
    other = make_ledger(key_kind="p256")
    assert refusal(ledger, transactions.prepare(ledger.keys["acme"], other.id, "notes", "open", {}).envelope) == (
        "transaction.ledger"
    )


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_stranger_is_refused(ledger, refusal, kind):
    stranger = transactions.prepare(key_files.generate(kind), ledger.id, "notes", "open", {})
    assert refusal(ledger, stranger.envelope) == "sender.unknown"


@pytest.mark.parametrize("file", [NODE_KEY, CHECKPOINT_KEY])
def test_a_key_registered_for_another_purpose_is_no_sender(ledger, refusal, file):
    key = key_files.load(ledger.folder.keys / file)
    assert refusal(ledger, transactions.prepare(key, ledger.id, "notes", "open", {}).envelope) == "sender.unknown"


def test_a_small_order_key_which_nobody_registered_is_a_stranger(ledger, refusal):
    """Such a key signs everything: R the neutral point, s zero. It must not get as far as that."""
    kid = kid_of(SMALL_ORDER_SPKI)
    header = cose.protected_header(EDDSA, cose.TRANSACTION, kid)
    forged = cose.join(header, cbor.encode(body(ledger)), bytes([1]) + bytes(63))
    assert refusal(ledger, forged) == "sender.unknown"


@pytest.mark.parametrize(
    ("ahead", "code"),
    [
        (-1, "transaction.expired"),
        (-(10**9), "transaction.expired"),
        (0, "contract.unknown"),
        (limits.VALIDITY_MS_MAX, "contract.unknown"),
        (limits.VALIDITY_MS_MAX + 1, "transaction.too_far"),
        (2**63 - 1 - 10**15, "transaction.too_far"),
    ],
)
def test_not_after_lies_between_now_and_an_hour_ahead(ledger, play, clock, monkeypatch, ahead, code):
    frozen = now() + 1_000  # ledger time is behind
    monkeypatch.setattr(clock, "now", lambda: frozen)
    prepared = ledger.idle(not_after=frozen + ahead)
    assert play(ledger, lambda session: session.code(prepared), clock=clock) == code


def test_ledger_time_decides_where_the_clock_is_behind_it(ledger, play, clock):
    async def scenario(session):
        clock.ahead = MINUTE_MS
        await session.applied(ledger.open())
        clock.ahead = 0
        assert await session.code(ledger.idle(not_after=now() + MINUTE_MS // 2)) == "transaction.expired"
        assert await session.code(ledger.idle(not_after=now() + limits.VALIDITY_MS_MAX)) == "contract.unknown"

    play(ledger, scenario, clock=clock)


@pytest.mark.parametrize(("steps", "code"), [(100_000, "contract.unknown"), (100_001, "steps.limit")])
def test_steps_max_is_at_most_the_ledgers_limit(ledger, play, steps, code):
    assert play(ledger, lambda session: session.code(ledger.idle(steps_max=steps))) == code


def test_smaller_limits_in_genesis_are_enforced(make_ledger, play):
    ledger = make_ledger(Limits(transaction_bytes=600, transaction_steps=50), deployed=False)

    async def scenario(session):
        assert await session.code(sized(ledger, 600, steps_max=50)) == "contract.unknown"
        assert await session.code(sized(ledger, 601, steps_max=50)) == "envelope.oversized"
        assert await session.code(ledger.idle(steps_max=51)) == "steps.limit"

    play(ledger, scenario)


# Signatures


def high_s(envelope):
    s = P256_ORDER - int.from_bytes(envelope[-32:], "big")
    return envelope[:-32] + s.to_bytes(32, "big")


def with_s(envelope, s):
    return envelope[:-32] + s.to_bytes(32, "big")


FORGERIES = {
    "a bit of r": lambda e, _: e[:-64] + bytes([e[-64] ^ 1]) + e[-63:],
    "a bit of s": lambda e, _: e[:-1] + bytes([e[-1] ^ 1]),
    "zeros": lambda e, _: e[:-64] + bytes(64),
    "ones": lambda e, _: e[:-64] + b"\xff" * 32 + bytes(32),
    "another transaction's": lambda e, other: e[:-64] + other[-64:],
    "another member's": lambda e, other: e[:-64] + other[-64:],
}


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_signature_that_does_not_verify_is_refused(make_ledger, refusal, forge, kind):
    ledger = make_ledger(key_kind=kind)
    other = ledger.open(by="bolt" if forge is FORGERIES["another member's"] else "acme").envelope
    assert refusal(ledger, forge(ledger.open().envelope, other)) == "signature.invalid"


def test_a_high_s_is_refused_and_named(make_ledger, play):
    ledger = make_ledger(key_kind="p256")

    async def scenario(session):
        low = ledger.open().envelope
        assert await session.code(high_s(low)) == "signature.high_s"
        assert await session.code(low) == "ok"

    play(ledger, scenario)


@pytest.mark.parametrize(
    ("s", "code"),
    [(0, "signature.invalid"), (P256_ORDER // 2 + 1, "signature.high_s"), (P256_ORDER, "signature.high_s")],
)
def test_an_s_out_of_range_is_refused(make_ledger, refusal, s, code):
    ledger = make_ledger(key_kind="p256")
    assert refusal(ledger, with_s(ledger.open().envelope, s)) == code


def test_many_signatures_at_once_get_the_same_verdicts(ledger, play):
    """Enough to be verified in a worker process."""

    async def scenario(session):
        sound = [ledger.open(f"n{i}").envelope for i in range(60)]
        sent = [e if i % 3 else e[:-1] + bytes([e[-1] ^ 1]) for i, e in enumerate(sound)]
        answers = await session.submit_all(sent)
        assert [getattr(a, "code", "entered") for a in answers] == [
            "entered" if i % 3 else "signature.invalid" for i in range(60)
        ]

    play(ledger, scenario)


# What intake keeps


def test_headers_of_strangers_are_not_kept(ledger, play):
    """A header is read before its signer is known: remembering it would let anyone fill the memory."""

    async def scenario(session):
        tracemalloc.start()
        try:
            for number in range(20):
                header = cose.protected_header(EDDSA, f"text/{number}" + "x" * 200_000, bytes(32))
                assert isinstance(await session.submit(cose.join(header, b"", bytes(64))), HansaError)
            session.told.clear()
            header = None
            gc.collect()
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 1_000_000

    play(ledger, scenario)


def test_the_id_is_that_of_what_is_signed(ledger, play):
    async def scenario(session):
        prepared = ledger.open()
        answer = await session.applied(prepared)
        parts = cose.split(prepared.envelope)
        structure = cose.signature_structure(parts.protected, parts.payload)
        assert answer.id == prepared.id == hashlib.sha256(structure).digest()
        assert transaction.read(session.node.reading.at(answer.seq).envelope).id == prepared.id

    play(ledger, scenario)
