"""COSE_Sign1 envelopes: one form only, one purpose each, taken apart without being encoded again."""

import hashlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.merkle import checkpoint, receipt
from hansa.wire import cbor, cose, keys, transaction
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Transaction

PROTECTED = bytes.fromhex("a3012603656f7468657204") + b"\x58\x20" + bytes(range(32))
SIGNATURE = bytes(range(64))


def message(*parts, tag=18):
    """A COSE_Sign1 message of any parts, encoded by another library."""
    return cbor2.dumps(cbor2.CBORTag(tag, list(parts)))


def payload():
    return transaction.encode(
        Transaction(
            version=0,
            ledger=bytes(32),
            nonce=bytes(16),
            not_after=1,
            contract="parts",
            action="add",
            arguments={},
            steps_max=1000,
        )
    )


class TestEnvelope:
    @pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 65_535, 65_536])
    def test_another_library_reads_the_same(self, signer, size):
        content = bytes(size)
        envelope = cose.seal(signer, "text/plain", content)
        tagged = cbor2.loads(envelope)
        protected, unprotected, attached, signature = tagged.value
        assert (tagged.tag, dict(unprotected), attached) == (18, {}, content)
        assert dict(cbor2.loads(protected)) == {1: signer.algorithm, 3: "text/plain", 4: signer.kid}
        assert signer.public.verify(signature, cbor2.dumps(["Signature1", protected, b"", content]))

    @pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 65_535, 65_536])
    def test_split_gives_the_parts_back(self, signer, size):
        content = bytes(size)
        protected = cose.protected_header(signer.algorithm, "text/plain", signer.kid)
        envelope = cose.join(protected, content, SIGNATURE)
        parts = cose.split(envelope)
        assert (parts.protected, parts.payload, parts.signature) == (protected, content, SIGNATURE)
        assert parts.structure == cose.signature_structure(protected, content)
        assert parts.structure == cbor2.dumps(["Signature1", protected, b"", content])
        assert cose.join(parts.protected, parts.payload, parts.signature) == envelope

    def test_the_id_is_the_digest_of_what_is_signed(self, signer):
        one = cose.seal(signer, cose.TRANSACTION, b"payload")
        protected = cose.protected_header(signer.algorithm, cose.TRANSACTION, signer.kid)
        structure = cbor2.dumps(["Signature1", protected, b"", b"payload"])
        assert cose.id_of(one) == hashlib.sha256(structure).digest()

    def test_the_id_does_not_depend_on_the_signature(self, signer):
        envelope = cose.seal(signer, cose.TRANSACTION, b"payload")
        assert cose.id_of(envelope[:-64] + bytes(64)) == cose.id_of(envelope)

    def test_the_id_depends_on_all_else(self, signer, make_key):
        other = make_key("es256", "other")
        envelopes = [
            cose.seal(signer, cose.TRANSACTION, b"payload"),
            cose.seal(signer, cose.TRANSACTION, b"payload!"),
            cose.seal(signer, cose.CHECKPOINT, b"payload"),
            cose.seal(other, cose.TRANSACTION, b"payload"),
        ]
        assert len({cose.id_of(envelope) for envelope in envelopes}) == 4

    @pytest.mark.parametrize(
        ("envelope", "code"),
        [
            pytest.param(b"", "envelope.form", id="nothing"),
            pytest.param(b"\xd2", "envelope.form", id="only the tag"),
            pytest.param(b"hello", "envelope.form", id="text"),
            pytest.param(message(PROTECTED, {}, b"", SIGNATURE)[1:], "envelope.form", id="no tag"),
            pytest.param(b"\xd2" + message(PROTECTED, {}, b"", SIGNATURE), "envelope.form", id="two tags"),
            pytest.param(b"\xd8\x12" + message(PROTECTED, {}, b"", SIGNATURE)[1:], "envelope.form", id="a long tag"),
            pytest.param(message(PROTECTED, {}, b"", SIGNATURE, tag=17), "envelope.form", id="tag 17"),
            pytest.param(message(PROTECTED, {}, b"", SIGNATURE, tag=98), "envelope.form", id="tag 98"),
            pytest.param(message(PROTECTED, {}, b""), "envelope.form", id="three parts"),
            pytest.param(message(PROTECTED, {}, b"", SIGNATURE, b""), "envelope.form", id="five parts"),
            pytest.param(message(None, {}, b"", SIGNATURE), "cbor.type", id="no header"),
            pytest.param(message({1: -7}, {}, b"", SIGNATURE), "cbor.type", id="a header that is a map"),
            pytest.param(message("text", {}, b"", SIGNATURE), "cbor.type", id="a header that is text"),
            pytest.param(
                message(PROTECTED, {4: b"kid"}, b"", SIGNATURE), "envelope.unprotected", id="an unprotected kid"
            ),
            pytest.param(message(PROTECTED, [], b"", SIGNATURE), "envelope.unprotected", id="an unprotected array"),
            pytest.param(message(PROTECTED, b"\xa0", b"", SIGNATURE), "envelope.unprotected", id="unprotected bytes"),
            pytest.param(message(PROTECTED, None, b"", SIGNATURE), "envelope.unprotected", id="no unprotected header"),
            pytest.param(message(PROTECTED, {}, None, SIGNATURE), "cbor.type", id="no payload"),
            pytest.param(message(PROTECTED, {}, "text", SIGNATURE), "cbor.type", id="a payload that is text"),
            pytest.param(message(PROTECTED, {}, {}, SIGNATURE), "cbor.type", id="a payload that is a map"),
            pytest.param(message(PROTECTED, {}, b"", None), "cbor.type", id="no signature"),
            pytest.param(message(PROTECTED, {}, b"", "x" * 64), "cbor.type", id="a signature that is text"),
            pytest.param(message(PROTECTED, {}, b"", b""), "signature.size", id="an empty signature"),
            pytest.param(message(PROTECTED, {}, b"", SIGNATURE[1:]), "signature.size", id="a short signature"),
            pytest.param(message(PROTECTED, {}, b"", SIGNATURE + b"\x00"), "signature.size", id="a long signature"),
            pytest.param(message(PROTECTED, {}, b"", SIGNATURE) + b"\x00", "cbor.trailing", id="a byte behind"),
            pytest.param(message(PROTECTED, {}, b"", SIGNATURE) * 2, "cbor.trailing", id="a message behind"),
            pytest.param(
                b"\xd2\x84\x59\x00\x01a\xa0\x40\x58\x40" + SIGNATURE, "cbor.form", id="a long head of the header"
            ),
            pytest.param(
                b"\xd2\x84\x41a\xa0\x58\x01a\x58\x40" + SIGNATURE, "cbor.form", id="a long head of the payload"
            ),
            pytest.param(
                b"\xd2\x84\x41a\xa0\x40\x59\x00\x40" + SIGNATURE, "cbor.form", id="a long head of the signature"
            ),
            pytest.param(b"\xd2\x84\x41a\xa0\x5f\x41a\xff\x58\x40" + SIGNATURE, "cbor.form", id="a payload in chunks"),
            pytest.param(
                b"\xd2\x9f\x41a\xa0\x40\x58\x40" + SIGNATURE + b"\xff", "envelope.form", id="an indefinite array"
            ),
            pytest.param(
                b"\xd2\x84\x41a\xa0\x5b\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(100),
                "cbor.truncated",
                id="a payload beyond the end",
            ),
        ],
    )
    def test_other_forms_are_refused(self, envelope, code, refused):
        with refused(code):
            cose.split(envelope)

    def test_cut_off_anywhere(self, signer):
        envelope = cose.seal(signer, cose.TRANSACTION, payload())
        for length in range(len(envelope)):
            with pytest.raises(HansaError) as caught:
                cose.split(envelope[:length])
            assert caught.value.code in {"envelope.form", "envelope.unprotected", "cbor.truncated"}


class TestHeader:
    @given(
        st.sampled_from([keys.ES256, keys.EDDSA]),
        st.text(st.characters(codec="utf-8")),
        st.binary(min_size=32, max_size=32),
    )
    def test_a_header_survives(self, algorithm, content_type, kid):
        protected = cose.protected_header(algorithm, content_type, kid)
        assert cose.read_header(protected) == cose.Header(algorithm, content_type, kid)
        assert list(cbor2.loads(protected).items()) == [(1, algorithm), (3, content_type), (4, kid)]

    @given(st.data())
    def test_a_header_has_one_form(self, data):
        protected = bytearray(cose.protected_header(keys.ES256, cose.TRANSACTION, bytes(32)))
        at = data.draw(st.integers(0, len(protected) - 1))
        protected[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
        try:
            found = cose.read_header(bytes(protected))
        except HansaError:
            return
        assert cose.protected_header(found.algorithm, found.content_type, found.kid) == protected

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({}, "envelope.header"),
            ({1: -7}, "envelope.header"),
            ({1: -7, 3: "a"}, "envelope.header"),
            ({3: "a", 1: -7, 4: bytes(32)}, "envelope.header"),
            ({1: -7, 4: bytes(32), 3: "a"}, "envelope.header"),
            ({1: -7, 2: "a", 4: bytes(32)}, "envelope.header"),
            ({1: -7, 3: "a", 5: bytes(32)}, "envelope.header"),
            ({1: -7, 3: "a", 4: bytes(32), 15: {}}, "envelope.header"),
            ({1: -35, 3: "a", 4: bytes(32)}, "envelope.header"),
            ({1: -9, 3: "a", 4: bytes(32)}, "envelope.header"),
            ({1: 7, 3: "a", 4: bytes(32)}, "envelope.header"),
            ({1: "ES256", 3: "a", 4: bytes(32)}, "envelope.header"),
            ({1: -7, 3: 60, 4: bytes(32)}, "envelope.header"),
            ({1: -7, 3: b"a", 4: bytes(32)}, "envelope.header"),
            ({1: -7, 3: None, 4: bytes(32)}, "envelope.header"),
            ({1: -7, 3: ["a"], 4: bytes(32)}, "cbor.depth"),
            ({1: -7, 3: 1.5, 4: bytes(32)}, "cbor.type"),
            ({1: -7, 3: "a", 4: "x" * 32}, "cbor.type"),
            ({1: -7, 3: "a", 4: b""}, "envelope.header"),
            ({1: -7, 3: "a", 4: bytes(31)}, "envelope.header"),
            ({1: -7, 3: "a", 4: bytes(33)}, "envelope.header"),
        ],
        ids=lambda value: repr(value)[:50],
    )
    def test_other_headers_are_refused(self, fields, code, refused):
        with refused(code):
            cose.read_header(cbor2.dumps(fields))

    @pytest.mark.parametrize(
        ("protected", "code"),
        [
            ("", "envelope.header"),
            ("a3", "envelope.header"),
            ("a301", "envelope.header"),
            ("a30126", "envelope.header"),
            ("a3012603", "cbor.truncated"),
            ("a301260361", "cbor.truncated"),
            ("a30126036161", "envelope.header"),
            ("a3012603616104", "cbor.truncated"),
            ("a30126036161045820" + "00" * 31, "cbor.truncated"),
            ("a30126036161045820" + "00" * 32 + "00", "envelope.header"),
            ("a3013806" + "036161045820" + "00" * 32, "envelope.header"),
            ("a301260361ff045820" + "00" * 32, "cbor.text"),
            ("a30126037801" + "61045820" + "00" * 32, "cbor.form"),
            ("a3012603616104590020" + "00" * 32, "cbor.form"),
            ("a2012603616104" + "5820" + "00" * 32, "envelope.header"),
            ("b803012603616104" + "5820" + "00" * 32, "envelope.header"),
            ("bf012603616104" + "5820" + "00" * 32 + "ff", "envelope.header"),
        ],
    )
    def test_other_encodings_are_refused(self, protected, code, refused):
        with refused(code):
            cose.read_header(bytes.fromhex(protected))

    def test_what_was_read_before_does_not_change_the_answer(self, make_key):
        """Headers are cached: neither signers nor purposes nor algorithms may be taken for one another."""
        expected = {
            cose.protected_header(algorithm, content_type, kid): cose.Header(algorithm, content_type, kid)
            for algorithm in (keys.ES256, keys.EDDSA)
            for content_type in (cose.TRANSACTION, cose.CHECKPOINT, "text/plain")
            for kid in (make_key("es256", "one").kid, make_key("es256", "two").kid, bytes(32))
        }
        for _ in range(3):
            assert {protected: cose.read_header(protected) for protected in expected} == expected

    def test_more_signers_than_the_cache_holds(self):
        headers = [cose.protected_header(keys.ES256, "a", number.to_bytes(32, "big")) for number in range(17_000)]
        for _ in range(2):
            found = [int.from_bytes(cose.read_header(protected).kid, "big") for protected in headers]
            assert found == list(range(17_000))

    def test_a_long_header_is_refused_before_it_is_remembered(self, signer, refused):
        header = cose.protected_header(signer.algorithm, "x" * 300, signer.kid)
        with refused("envelope.header"):
            cose.split(cose.join(header, b"", bytes(64)))

    def test_a_refused_header_stays_refused(self, refused):
        good = cose.protected_header(keys.ES256, "a", bytes(32))
        for _ in range(3):
            cose.read_header(good)
            with refused("envelope.header"):
                cose.read_header(good + b"\x00")


class TestSequence:
    def one(self, signer, content):
        return cose.seal(signer, cose.TRANSACTION, content)

    @pytest.mark.parametrize("count", [0, 1, 3, 100])
    def test_messages_in_a_row(self, signer, count):
        messages = [self.one(signer, bytes(number)) for number in range(count)]
        assert cose.split_sequence(b"".join(messages), 100) == messages

    def test_as_many_as_allowed_and_no_more(self, signer, refused):
        messages = [self.one(signer, bytes(number)) for number in range(4)]
        assert len(cose.split_sequence(b"".join(messages[:3]), 3)) == 3
        with refused("batch.count"):
            cose.split_sequence(b"".join(messages), 3)
        with refused("batch.count"):
            cose.split_sequence(messages[0], 0)

    @pytest.mark.parametrize("most", [1, 3])
    def test_what_stands_behind_the_limit_is_not_looked_at(self, signer, most, refused):
        with refused("batch.count"):
            cose.split_sequence(self.one(signer, b"") * most + b"\xff" * 100, most)

    @pytest.mark.parametrize(
        ("garbage", "code"),
        [
            ("ff", "cbor.type"),
            ("c0", "cbor.type"),
            ("d2d2", "cbor.type"),
            ("d818", "cbor.type"),
            ("f90000", "cbor.type"),
            ("1c", "cbor.form"),
            ("1800", "cbor.form"),
            ("9f00ff", "cbor.form"),
            ("a10000", "cbor.key"),
            ("81" * 17, "cbor.depth"),
            ("1bffffffffffffffff", "cbor.integer"),
            ("5b7fffffffffffffff", "cbor.truncated"),
            ("9b7fffffffffffffff", "cbor.type"),  # takes the message behind it for an item, which has a tag
        ],
    )
    def test_garbage_between_messages(self, signer, garbage, code, refused):
        one = self.one(signer, b"payload")
        with refused(code):
            cose.split_sequence(one + bytes.fromhex(garbage) + one, 10)

    @pytest.mark.parametrize("item", ["00", "40", "80", "f6", "d200", "d280", "84404040" + "40"])
    def test_another_item_is_told_apart_and_refused_alone(self, signer, item, refused):
        one, item = self.one(signer, b"payload"), bytes.fromhex(item)
        assert cose.split_sequence(one + item + one, 10) == [one, item, one]
        with refused("envelope.form" if not item.startswith(b"\xd2\x84") else "cbor.truncated"):
            cose.split(item)

    def test_cut_off_anywhere(self, signer, refused):
        one = self.one(signer, b"payload")
        for length in range(1, len(one)):
            with refused("cbor.truncated"):
                cose.split_sequence(one + one[:length], 10)

    @given(st.binary(max_size=200))
    def test_any_bytes(self, data):
        try:
            found = cose.split_sequence(data, 1000)
        except HansaError:
            return
        assert b"".join(found) == data
        assert all(found)


class TestPurpose:
    """The content type separates the domains: a signature made for one thing never counts as another."""

    def test_a_checkpoint_is_no_transaction(self, signer, refused):
        head = checkpoint.sign(bytes(32), 1, 0, hashlib.sha256(b"").digest(), signer)
        with refused("envelope.header"):
            transaction.read(receipt.bare(head))

    def test_a_transaction_is_no_checkpoint(self, signer, refused):
        with refused("receipt.header"):
            receipt.read_bare(cose.seal(signer, cose.TRANSACTION, payload()))

    @pytest.mark.parametrize("content_type", [cose.CHECKPOINT, "", "text/plain", cose.TRANSACTION.upper()])
    def test_a_payload_signed_for_another_purpose(self, signer, content_type, refused):
        with refused("envelope.content_type"):
            transaction.read(cose.seal(signer, content_type, payload()))

    def test_a_signature_does_not_move_to_another_purpose(self, signer):
        """The same key, the same payload: what was signed as one thing does not verify as the other."""
        kid, algorithm, content = signer.kid, signer.algorithm, bytes(32)
        as_transaction = cose.protected_header(algorithm, cose.TRANSACTION, kid)
        as_checkpoint = checkpoint.header(checkpoint.Bound(algorithm, kid, bytes(32), 1, 0))
        as_other = cose.protected_header(algorithm, cose.CHECKPOINT, kid)
        structures = [cose.signature_structure(p, content) for p in (as_transaction, as_checkpoint, as_other)]
        for made_for in structures:
            signature = signer.sign(made_for)
            accepted = [signer.public.verify_exactly(signature, structure) for structure in structures]
            assert accepted == [structure == made_for for structure in structures]

    def test_a_checkpoint_whose_content_type_was_exchanged(self, signer, refused):
        protected = checkpoint.header(checkpoint.Bound(signer.algorithm, signer.kid, bytes(32), 1, 0))
        other = protected.replace(cbor.encode(cose.CHECKPOINT), cbor.encode(cose.TRANSACTION))
        assert other != protected
        signature = signer.sign(cose.signature_structure(other, bytes(32)))
        with refused("receipt.header"):
            receipt.read_bare(cose.join(other, bytes(32), signature))
