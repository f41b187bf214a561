"""Transactions: what an envelope must hold to be one, field by field and bit by bit."""

import hashlib

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import cbor, cose, limits, transaction
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Transaction

FIELDS = {
    "version": 0,
    "ledger": bytes(range(32)),
    "nonce": bytes(range(16)),
    "not_after": 1_900_000_000_000,
    "contract": "letters",
    "action": "issue",
    "arguments": {"amount": {"minor": 100, "currency": "EUR"}, "to": "acme"},
    "steps_max": 10_000,
}
OPTIONAL = {"contract_version": "1.2.3", "preconditions": [["letters", "Letter", "L-1", 17]]}

TEXTS = st.text(st.characters(codec="utf-8"), max_size=48)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=48)
SEQS = st.integers(0, 2**63 - 1)
RECORD_KEYS = st.integers(-(2**63), 2**63 - 1) | TEXTS | st.binary()
TRANSACTIONS = st.builds(
    Transaction,
    version=st.just(0),
    ledger=st.binary(min_size=32, max_size=32),
    nonce=st.binary(min_size=16, max_size=16),
    not_after=SEQS,
    contract=NAMES,
    action=NAMES,
    arguments=st.dictionaries(TEXTS, st.none() | SEQS | TEXTS | st.lists(SEQS)),
    steps_max=SEQS,
    contract_version=st.none() | st.text("0123456789.", max_size=32),
    preconditions=st.none() | st.lists(st.tuples(TEXTS, TEXTS, RECORD_KEYS, st.none() | SEQS), min_size=1, max_size=16),
)


def payload(**changes):
    return cbor.encode({**FIELDS, **changes})


class TestPayload:
    @given(TRANSACTIONS)
    def test_a_transaction_survives(self, made):
        assert transaction.decode(transaction.encode(made)) == made

    @pytest.mark.parametrize(
        "given", [[], ["contract_version"], ["preconditions"], ["contract_version", "preconditions"]]
    )
    def test_what_is_absent_is_left_out(self, given):
        made = Transaction(**FIELDS, **{name: OPTIONAL[name] for name in given})
        assert cbor.decode(transaction.encode(made)).keys() == {*FIELDS, *given}

    def test_every_field_arrives_as_sent(self):
        read = transaction.decode(payload(**OPTIONAL))
        expected = {**FIELDS, "contract_version": "1.2.3", "preconditions": [("letters", "Letter", "L-1", 17)]}
        assert msgspec.structs.asdict(read) == expected

    def test_what_is_optional_may_be_absent(self):
        read = transaction.decode(payload())
        assert (read.contract_version, read.preconditions) == (None, None)

    @pytest.mark.parametrize("name", FIELDS)
    def test_every_other_field_is_required(self, name, refused):
        with refused("transaction.field") as caught:
            transaction.decode(cbor.encode({key: value for key, value in FIELDS.items() if key != name}))
        assert name in caught.value.detail

    @pytest.mark.parametrize("name", ["", "Version", "steps", "signature", "x" * 100])
    def test_no_other_field_is_taken(self, name, refused):
        with refused("transaction.field"):
            transaction.decode(payload(**{name: 0}))

    @pytest.mark.parametrize(
        ("name", "others"),
        [
            ("version", [None, True, "0", b"", [], {}]),
            ("ledger", [None, 0, "0" * 32, "A" * 44, [0] * 32, bytes(31), bytes(33), b""]),
            ("nonce", [None, 0, "0" * 16, "A" * 24, [], bytes(15), bytes(17), b""]),
            ("not_after", [None, True, "1", b"1", -1, -(2**63)]),
            ("contract", [None, 0, b"letters", ["letters"], "x" * 49, "\u00e9" * 49]),
            ("action", [None, 0, b"issue", {}, "x" * 49]),
            ("arguments", [None, 0, "{}", b"\xa0", [], [["to", "acme"]]]),
            ("steps_max", [None, False, "1", b"1", -1, -(2**63)]),
            ("contract_version", [0, b"1.2.3", [1, 2, 3], "1" * 33]),
            ("preconditions", [0, "", b"", {}, []]),
        ],
    )
    def test_values_of_another_type_or_out_of_range(self, name, others, refused):
        for other in others:
            with refused("transaction.field") as caught:
                transaction.decode(payload(**{name: other}))
            assert name in caught.value.detail

    @pytest.mark.parametrize(
        ("name", "values"),
        [
            ("not_after", [0, 2**63 - 1]),
            ("steps_max", [0, 2**63 - 1]),
            ("contract", ["x", "x" * 48]),
            ("action", ["x", "x" * 48]),
            ("contract_version", ["0.0.0", "x" * 32]),
            ("arguments", [{}, {"": None}, {"x": [[]]}]),
        ],
    )
    def test_values_at_the_edges(self, name, values):
        for value in values:
            assert getattr(transaction.decode(payload(**{name: value})), name) == value

    @pytest.mark.parametrize("version", [-1, 1, 2, 2**63 - 1])
    def test_another_version(self, version, refused):
        with refused("transaction.version"):
            transaction.decode(payload(version=version))

    def test_another_version_may_have_other_fields(self, refused):
        """Who sends tomorrow's format is told to use another client, not that a field is wrong."""
        with refused("transaction.version"):
            transaction.decode(payload(version=1, priority=5))
        with refused("transaction.version"):
            transaction.decode(cbor.encode({"version": 1}))

    @pytest.mark.parametrize("value", [None, 0, "text", b"bytes", [], [FIELDS]])
    def test_what_is_no_map(self, value, refused):
        with refused("transaction.field"):
            transaction.decode(cbor.encode(value))

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "cbor.truncated"),
            (payload()[:-1], "cbor.truncated"),
            (payload() + b"\x00", "cbor.trailing"),
            (cbor2.dumps(FIELDS), "cbor.form"),  # in the order given, not in encoding order
            (cbor2.dumps(cbor2.CBORTag(24, payload())), "cbor.type"),
            (payload().replace(cbor.encode(10_000), b"\x1a\x00\x00\x27\x10"), "cbor.form"),
            (payload().replace(cbor.encode(10_000), b"\xf9\x00\x00"), "cbor.type"),
            (payload().replace(cbor.encode(10_000), b"\x1b\x80" + bytes(7)), "cbor.integer"),
            (payload().replace(cbor.encode("acme"), b"\x64acm\xff"), "cbor.text"),
        ],
        ids=["nothing", "cut off", "behind", "order", "tag", "long integer", "float", "wide integer", "not UTF-8"],
    )
    def test_other_cbor(self, data, code, refused):
        with refused(code):
            transaction.decode(data)

    def test_arguments_as_deep_as_a_message_may_be(self, refused):
        def nested(levels):
            value = 0
            for _ in range(levels):
                value = [value]
            return value

        transaction.decode(payload(arguments={"x": nested(14)}))
        with refused("cbor.depth"):
            transaction.decode(cbor2.dumps({"arguments": {"x": nested(15)}}))


class TestPreconditions:
    @pytest.mark.parametrize("key", [0, -(2**63), 2**63 - 1, "", "L-1", "\U0001f6a2", b"", b"\x00" * 32])
    @pytest.mark.parametrize("seq", [None, 0, 2**63 - 1])
    def test_forms(self, key, seq):
        read = transaction.decode(payload(preconditions=[["letters", "Letter", key, seq]]))
        assert read.preconditions == [("letters", "Letter", key, seq)]

    @pytest.mark.parametrize(
        "precondition",
        [
            [],
            ["letters", "Letter", "L-1"],
            ["letters", "Letter", "L-1", 17, 0],
            [0, "Letter", "L-1", 17],
            [None, "Letter", "L-1", 17],
            ["letters", b"Letter", "L-1", 17],
            ["letters", "Letter", None, 17],
            ["letters", "Letter", True, 17],
            ["letters", "Letter", ["L-1"], 17],
            ["letters", "Letter", {}, 17],
            ["letters", "Letter", "L-1", -1],
            ["letters", "Letter", "L-1", "17"],
            ["letters", "Letter", "L-1", False],
            ["letters", "Letter", "L-1", b""],
            {"contract": "letters"},
            "letters",
            None,
        ],
        ids=repr,
    )
    def test_other_forms(self, precondition, refused):
        for listed in ([precondition], [["letters", "Letter", "L-1", 17], precondition]):
            with refused("transaction.field"):
                transaction.decode(payload(preconditions=listed))

    def test_at_most_sixteen(self, refused):
        listed = [["letters", "Letter", number, None] for number in range(17)]
        assert len(transaction.decode(payload(preconditions=listed[:16])).preconditions) == 16
        with refused("transaction.field"):
            transaction.decode(payload(preconditions=listed))


class TestEnvelope:
    def test_what_is_read(self, signer):
        envelope = cose.seal(signer, cose.TRANSACTION, payload())
        read = transaction.read(envelope)
        assert read.envelope == envelope
        assert (read.algorithm, read.kid, read.signature) == (signer.algorithm, signer.kid, envelope[-64:])
        assert read.transaction == transaction.decode(payload())
        assert signer.public.verify(read.signature, read.structure)

    def test_the_id_is_the_digest_of_the_structure(self, signer):
        read = transaction.read(cose.seal(signer, cose.TRANSACTION, payload()))
        protected = cbor2.dumps({1: signer.algorithm, 3: cose.TRANSACTION, 4: signer.kid})
        structure = cbor2.dumps(["Signature1", protected, b"", payload()])
        assert (read.structure, read.id) == (structure, hashlib.sha256(structure).digest())

    def test_every_bit(self, signer):
        """Whatever bit is flipped: it is refused, or it is another transaction that nobody signed, or the same with a
        signature that does not count. Never the same id with the same verdict."""
        envelope = cose.seal(signer, cose.TRANSACTION, payload(**OPTIONAL))
        original = transaction.read(envelope)
        refused, others, unsigned = 0, 0, 0
        for bit in range(8 * len(envelope)):
            changed = bytearray(envelope)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                read = transaction.read(bytes(changed))
            except HansaError:
                refused += 1
                continue
            assert not signer.public.verify_exactly(read.signature, read.structure)
            if read.id == original.id:
                unsigned += 1
                assert read.signature != original.signature
            else:
                others += 1
                assert read.structure != original.structure
        assert unsigned == 8 * 64  # the bits of the signature
        assert others > 8 * (32 + 32 + 16)  # at least those of the key id, the ledger and the nonce
        assert refused > 200
        assert refused + others + unsigned == 8 * len(envelope)

    def test_the_largest_envelope(self, make_key, refused):
        signer, most = make_key("eddsa", "signer"), limits.ENVELOPE_BYTES_MAX

        def with_data(size):
            return cose.seal(signer, cose.TRANSACTION, payload(arguments={"data": bytes(size)}))

        def sealed(size):
            return with_data(size - (len(with_data(100_000)) - 100_000))

        assert len(sealed(most)) == most
        assert transaction.read(sealed(most)).kid == signer.kid
        with refused("envelope.oversized"):
            transaction.read(sealed(most + 1))

    def test_size_is_looked_at_first(self, refused):
        with refused("envelope.oversized"):
            transaction.read(b"\xff" * (limits.ENVELOPE_BYTES_MAX + 1))

    @pytest.mark.parametrize(
        "content_type", [cose.CHECKPOINT, "", "application/cbor", cose.TRANSACTION + " ", "x" * 200]
    )
    def test_another_content_type(self, signer, content_type, refused):
        with refused("envelope.content_type") as caught:
            transaction.read(cose.seal(signer, content_type, payload()))
        assert len(caught.value.detail) < 300

    def test_a_payload_that_is_no_transaction(self, signer, refused):
        with refused("transaction.field"):
            transaction.read(cose.seal(signer, cose.TRANSACTION, b"\xa0"))
        with refused("cbor.truncated"):
            transaction.read(cose.seal(signer, cose.TRANSACTION, b""))

    def test_until_when_it_counts_as_seen(self, signer):
        assert transaction.not_after_of(cose.seal(signer, cose.TRANSACTION, payload(not_after=77))) == 77
