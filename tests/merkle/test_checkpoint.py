"""Checkpoints: what a signature binds, in a header that has one form only."""

import cbor2
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.merkle import checkpoint
from hansa.merkle.checkpoint import Bound
from hansa.wire import cose, keys
from hansa.wire.problems import HansaError

LEDGER = bytes(range(32))
ROOT = bytes(range(32, 64))
KID = bytes(range(64, 96))
SIZE, TIME = 1_000_000, 1_900_000_000_000

NUMBERS = st.integers(0, 2**63 - 1)
DIGESTS = st.binary(min_size=32, max_size=32)
BOUNDS = st.builds(
    Bound,
    algorithm=st.sampled_from([keys.ES256, keys.EDDSA]),
    kid=DIGESTS,
    ledger=DIGESTS,
    size=NUMBERS,
    time=NUMBERS,
    told=st.booleans(),
)


def fields(**changes):
    """The header as a map in encoding order, with changes to the profile's own map."""
    profile = {"size": SIZE, "time": TIME, "ledger": LEDGER, **changes}
    return {1: keys.ES256, 3: cose.CHECKPOINT, 4: KID, 395: 1, "hansa.v1": profile}


@pytest.fixture
def head(signer):
    return checkpoint.sign(LEDGER, SIZE, TIME, ROOT, signer)


class TestHeader:
    def test_another_library_makes_the_same(self):
        assert checkpoint.header(Bound(keys.ES256, KID, LEDGER, SIZE, TIME)) == cbor2.dumps(fields())

    def test_a_told_clock_stands_in_it(self):
        told = {"size": SIZE, "time": TIME, "clock": "told", "ledger": LEDGER}
        made = checkpoint.header(Bound(keys.ES256, KID, LEDGER, SIZE, TIME, told=True))
        assert made == cbor2.dumps({**fields(), "hansa.v1": told})

    @given(BOUNDS)
    def test_what_is_bound_survives(self, bound):
        protected = checkpoint.header(bound)
        assert checkpoint.read_header(protected) == bound
        assert cbor2.loads(protected)[395] == 1

    @given(BOUNDS)
    def test_keys_stand_in_encoding_order(self, bound):
        read = cbor2.loads(checkpoint.header(bound))
        for labels in (list(read), list(read["hansa.v1"])):
            assert [cbor2.dumps(label) for label in labels] == sorted(cbor2.dumps(label) for label in labels)

    @pytest.mark.parametrize("size", [0, 23, 24, 255, 256, 65_535, 65_536, 2**32, 2**63 - 1])
    def test_numbers_of_every_length(self, size):
        bound = Bound(keys.EDDSA, KID, LEDGER, size, size)
        assert checkpoint.read_header(checkpoint.header(bound)) == bound

    def test_every_bit_binds_something_else_or_is_refused(self):
        bound = Bound(keys.ES256, KID, LEDGER, SIZE, TIME)
        protected = checkpoint.header(bound)
        read_as_another = 0
        for bit in range(8 * len(protected)):
            changed = bytearray(protected)
            changed[bit // 8] ^= 1 << bit % 8
            try:
                read = checkpoint.read_header(bytes(changed))
            except HansaError:
                continue
            read_as_another += 1
            assert read != bound
            assert checkpoint.header(read) == changed
        assert read_as_another >= 1 + 256 + 256  # the algorithm, the key id, the ledger; besides most of size and time

    def test_cut_off_anywhere(self):
        protected = cbor2.dumps(fields())
        for length in range(len(protected)):
            with pytest.raises(HansaError) as caught:
                checkpoint.read_header(protected[:length])
            assert caught.value.code in {"receipt.header", "cbor.truncated"}

    @pytest.mark.parametrize(
        "other",
        [
            {},
            {1: keys.ES256, 3: cose.CHECKPOINT, 4: KID},
            {**fields(), 1: -35},
            {**fields(), 1: 7},
            {**fields(), 3: cose.TRANSACTION},
            {**fields(), 3: ""},
            {**fields(), 3: 60},
            {**fields(), 4: KID[1:]},
            {**fields(), 4: KID + b"\x00"},
            {**fields(), 4: "k" * 32},
            {**fields(), 395: 2},
            {**fields(), 395: True},
            {label: value for label, value in fields().items() if label != 395},
            {label: value for label, value in fields().items() if label != "hansa.v1"},
            {**fields(), "hansa.v1": None},
            {**fields(), "hansa.v1": {}},
            {**fields(), "more": 0},
            dict(reversed(fields().items())),
            fields(ledger=LEDGER[1:]),
            fields(ledger=LEDGER + b"\x00"),
            fields(ledger="l" * 32),
            fields(ledger=None),
            fields(size=-1),
            fields(size="1"),
            fields(size=None),
            fields(size=b"\x01"),
            fields(size=True),
            fields(time=-1),
            fields(time="1"),
            fields(more=0),
            {**fields(), "hansa.v1": {"ledger": LEDGER, "size": SIZE, "time": TIME}},
            {**fields(), "hansa.v1": {"size": SIZE, "time": TIME, "clock": "real", "ledger": LEDGER}},
            {**fields(), "hansa.v1": {"size": SIZE, "time": TIME, "clock": None, "ledger": LEDGER}},
            {**fields(), "hansa.v1": {"size": SIZE, "time": TIME, "ledger": LEDGER, "clock": "told"}},
            {**fields(), "hansa.v2": fields()["hansa.v1"]},
        ],
        ids=lambda other: ", ".join(f"{label}: {value!r:.20}" for label, value in list(other.items())[-2:]),
    )
    def test_other_headers_are_refused(self, other, refused):
        with refused("receipt.header"):
            checkpoint.read_header(cbor2.dumps(other))

    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            (cbor2.dumps(SIZE), b"\x1b" + SIZE.to_bytes(8, "big"), "cbor.form"),
            (cbor2.dumps(SIZE), b"\x1b\x80" + bytes(7), "cbor.integer"),
            (cbor2.dumps(SIZE), b"\xf9\x00\x00", "cbor.type"),
            (cbor2.dumps(SIZE), b"\xc2\x41\x01", "cbor.type"),
            (cbor2.dumps(SIZE), b"\x80", "cbor.depth"),
            (cbor2.dumps(TIME), b"\x1b\xff" + bytes(7), "cbor.integer"),
            (b"\xa5\x01", b"\xb8\x05\x01", "receipt.header"),
            (b"\xa5\x01", b"\xbf\x01", "receipt.header"),
            (b"\x19\x01\x8b\x01", b"\x19\x01\x8b\x18\x01", "receipt.header"),
            (b"\x04\x58\x20", b"\x04\x59\x00\x20", "receipt.header"),
            (b"ledger\x58\x20", b"ledger\x59\x00\x20", "receipt.header"),
        ],
        ids=lambda part: part if isinstance(part, str) else part.hex()[:20],
    )
    def test_other_encodings_are_refused(self, old, new, code, refused):
        protected = cbor2.dumps(fields())
        assert protected.count(old) == 1
        with refused(code):
            checkpoint.read_header(protected.replace(old, new))

    def test_something_behind(self, refused):
        with refused("receipt.header"):
            checkpoint.read_header(cbor2.dumps(fields()) + b"\x00")


class TestSignature:
    def test_what_is_signed(self, head, signer):
        assert (head.ledger, head.size, head.time, head.root) == (LEDGER, SIZE, TIME, ROOT)
        assert (head.algorithm, head.kid) == (signer.algorithm, signer.kid)
        protected = cbor2.dumps({**fields(), 1: signer.algorithm, 4: signer.kid})
        assert checkpoint.protected_header(head) == protected
        assert signer.public.verify(head.signature, cbor2.dumps(["Signature1", protected, b"", ROOT]))

    def test_it_counts(self, head, signer):
        assert checkpoint.verify(head, signer.public)

    def test_it_counts_with_no_other_key(self, head, make_key):
        for kind in ("es256", "eddsa"):
            assert not checkpoint.verify(head, make_key(kind, "other").public)

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("ledger", bytes(32)),
            ("size", SIZE + 1),
            ("size", SIZE - 1),
            ("time", TIME + 1),
            ("root", bytes(32)),
            ("kid", bytes(32)),
            ("signature", bytes(64)),
            ("signature", b""),
        ],
    )
    def test_every_field_is_bound(self, head, signer, field, value):
        assert not checkpoint.verify(msgspec.structs.replace(head, **{field: value}), signer.public)

    def test_the_algorithm_is_bound(self, head, signer):
        other = keys.EDDSA if signer.algorithm == keys.ES256 else keys.ES256
        assert not checkpoint.verify(msgspec.structs.replace(head, algorithm=other), signer.public)

    def test_a_signer_that_goes_by_another_name(self, signer, make_key):
        """The signature is good and the header is what was signed, but it names another key or algorithm."""

        class Pretender:
            sign = staticmethod(signer.sign)

            def __init__(self, algorithm, kid):
                self.algorithm, self.kid = algorithm, kid

        other = keys.EDDSA if signer.algorithm == keys.ES256 else keys.ES256
        for algorithm, kid in ((signer.algorithm, make_key("es256", "other").kid), (other, signer.kid)):
            head = checkpoint.sign(LEDGER, SIZE, TIME, ROOT, Pretender(algorithm, kid))
            structure = cose.signature_structure(checkpoint.protected_header(head), ROOT)
            assert signer.public.verify(head.signature, structure)
            assert not checkpoint.verify(head, signer.public)

    def test_a_key_of_the_other_algorithm_under_the_same_kid(self, head, signer, make_key):
        """A kid is a name, not a proof: the key itself decides."""
        other = make_key("eddsa" if signer.algorithm == keys.ES256 else "es256", "other")
        assert not checkpoint.verify(msgspec.structs.replace(head, kid=other.kid), other.public)

    def test_signers_in_turn(self, make_key):
        """The start of the header is cached: signers must not be taken for one another."""
        signers = [make_key(kind, name) for kind in ("es256", "eddsa") for name in "abc"]
        for _ in range(2):
            heads = [checkpoint.sign(LEDGER, 1, 2, ROOT, signer) for signer in signers]
            verdicts = [[checkpoint.verify(head, signer.public) for signer in signers] for head in heads]
            assert verdicts == [[head is other for other in heads] for head in heads]

    def test_more_signers_than_the_cache_holds(self):
        bounds = [Bound(keys.ES256, number.to_bytes(32, "big"), LEDGER, 1, 2) for number in range(100)]
        for _ in range(2):
            assert [checkpoint.read_header(checkpoint.header(bound)) for bound in bounds] == bounds
