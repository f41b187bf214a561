"""Entries and outcomes: one shape each, and digests that bind what is handed out beside them."""

import hashlib

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import cbor, entry
from hansa.wire.entry import Entry, Outcome

DIGESTS = st.binary(min_size=32, max_size=32)
TEXTS = st.text(st.characters(codec="utf-8"))
INTEGERS = st.integers(-(2**63), 2**63 - 1)
RESULTS = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXTS | st.binary(),
    lambda items: st.lists(items, max_size=4) | st.dictionaries(TEXTS, items, max_size=4),
    max_leaves=8,
)

OUTCOME = {
    "status": "applied",
    "code": "",
    "result": {"paid": 100, "to": "acme"},
    "events": [{"name": "Paid", "amount": 100}],
    "writes": bytes(range(32)),
    "steps": 17,
    "time": 1_900_000_000_000,
    "contract": "1.0.0",
    "dialect": 0,
}


def in_order(value):
    """`value` with its maps in encoding order, as `encode_outcome` wants them."""
    return cbor.decode(cbor.encode(value))


class TestEntry:
    @given(st.sampled_from(entry.KINDS), DIGESTS, st.binary(), st.binary())
    def test_an_entry_is_four_items(self, kind, id, envelope, outcome):
        made = entry.make(kind, id, envelope, outcome)
        digests = hashlib.sha256(envelope).digest(), hashlib.sha256(outcome).digest()
        assert made == cbor2.dumps([kind, id, *digests])
        assert entry.decode(made) == Entry(kind, id, *digests)

    def test_known_bytes(self):
        made = entry.make(entry.TRANSACTION, bytes(32), b"", b"")
        empty = "5820e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert made.hex() == "84" + "6b7472616e73616374696f6e" + "5820" + "00" * 32 + empty + empty

    @pytest.mark.parametrize(
        "value",
        [
            None,
            {},
            [],
            ["transaction", bytes(32), bytes(32)],
            ["transaction", bytes(32), bytes(32), bytes(32), bytes(32)],
            [0, bytes(32), bytes(32), bytes(32)],
            [b"transaction", bytes(32), bytes(32), bytes(32)],
            ["transaction", "0" * 32, bytes(32), bytes(32)],
            ["transaction", bytes(32), None, bytes(32)],
            ["transaction", bytes(31), bytes(32), bytes(32)],
            ["transaction", bytes(32), bytes(33), bytes(32)],
            ["transaction", bytes(32), bytes(32), b""],
            ["transaction", bytes(31), bytes(31), bytes(31)],
        ],
        ids=lambda value: repr(value)[:60],
    )
    def test_other_forms(self, value, refused):
        with refused("entry.form"):
            entry.decode(cbor.encode(value))

    def test_other_cbor(self, refused):
        made = entry.make(entry.GENESIS, bytes(32), b"", b"")
        with refused("cbor.trailing"):
            entry.decode(made + b"\x00")
        for length in range(len(made)):
            with refused("cbor.truncated"):
                entry.decode(made[:length])


COUNTS = st.integers(0, 2**63 - 1)


class TestOutcome:
    @given(
        st.fixed_dictionaries(
            {
                "status": st.sampled_from(["applied", "refused"]),
                "code": TEXTS,
                "result": RESULTS.map(in_order),
                "events": st.lists(st.dictionaries(TEXTS, RESULTS, max_size=3).map(in_order), max_size=3),
                "writes": DIGESTS,
                "steps": COUNTS,
                "time": COUNTS,
                "contract": TEXTS,
                "dialect": COUNTS,
            }
        )
    )
    def test_an_outcome_survives_in_its_one_encoding(self, fields):
        encoded = entry.encode_outcome(**fields)
        assert encoded == cbor.encode(fields)
        assert entry.decode_outcome(encoded) == Outcome(**fields)

    @given(asserted=TEXTS, code=st.sampled_from(["ok", "role.denied"]))
    def test_for_whom_a_member_asserts_is_left_out_where_it_does_not(self, asserted, code):
        fields = {**in_order(OUTCOME), "asserted": asserted, "code": code}
        encoded = entry.encode_outcome(**fields)
        assert encoded == cbor.encode({name: value for name, value in fields.items() if name != "asserted" or value})
        assert entry.decode_outcome(encoded) == Outcome(**fields)
        assert entry.is_applied(encoded) == (code == "ok")

    def test_an_empty_assertion_is_not_the_one_form(self, refused):
        with refused("outcome.form"):
            entry.decode_outcome(cbor.encode({**OUTCOME, "asserted": ""}))

    @pytest.mark.parametrize("name", OUTCOME)
    def test_every_field_is_required(self, name, refused):
        with refused("outcome.form"):
            entry.decode_outcome(cbor.encode({key: value for key, value in OUTCOME.items() if key != name}))

    def test_no_other_field_is_taken(self, refused):
        with refused("outcome.form"):
            entry.decode_outcome(cbor.encode({**OUTCOME, "signature": b""}))

    @pytest.mark.parametrize(
        ("name", "others"),
        [
            ("status", ["", "Applied", "unknown", 0, None]),
            ("code", [0, None, b""]),
            ("events", [None, {}, "", [0], [[]]]),
            ("writes", [None, "0" * 32, 0]),
            ("steps", [None, True, "17"]),
            ("time", [None, False, b""]),
            ("contract", [None, 1]),
            ("dialect", [None, "0"]),
        ],
    )
    def test_values_of_another_type(self, name, others, refused):
        for other in others:
            with refused("outcome.form"):
                entry.decode_outcome(cbor.encode({**OUTCOME, name: other}))

    @pytest.mark.parametrize("value", [None, [], "applied", list(OUTCOME.values())], ids=lambda value: repr(value)[:20])
    def test_what_is_no_map(self, value, refused):
        with refused("outcome.form"):
            entry.decode_outcome(cbor.encode(value))

    def test_fields_in_another_order(self, refused):
        with refused("cbor.form"):
            entry.decode_outcome(cbor2.dumps(OUTCOME))
