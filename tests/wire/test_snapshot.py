"""Snapshots on the wire: one form for one state, and nothing else is read as one."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import cbor, snapshot
from hansa.wire.problems import HansaError
from hansa.wire.snapshot import BEGIN, RECORDS, WINDOW, Chunk, Manifest, Row

LEDGER, DIGEST, HEADER = (bytes([number]) * 32 for number in (1, 2, 3))
VALUE = cbor.encode({"name": "a"})

keys = st.binary(min_size=1, max_size=30)
rows = st.dictionaries(keys, st.integers(0, 2**40), min_size=1, max_size=40).map(
    lambda found: [Row(key, seq, VALUE) for key, seq in sorted(found.items())]
)


@pytest.fixture
def refused():
    def refuse(code, call, *arguments):
        with pytest.raises(HansaError) as caught:
            call(*arguments)
        assert caught.value.code == code

    return refuse


def named(data):
    return Chunk(hashlib.sha256(data).digest(), len(data))


def manifest(**changes):
    fields = {
        "version": 0, "ledger": LEDGER, "height": 7, "header": HEADER, "size": 30, "time": 5, "keys": 2,
        "chunks": [Chunk(DIGEST, 100)],
    }  # fmt: skip
    return Manifest(**{**fields, **changes})


def read(data, after=BEGIN):
    return snapshot.decode_chunk(data, named(data), after)


def test_an_envelope_survives_and_its_digest_is_the_id():
    envelope = snapshot.envelope(LEDGER, 7, DIGEST, 12)
    found = snapshot.read(envelope)
    assert (found.ledger, found.height, found.digest, found.keys) == (LEDGER, 7, DIGEST, 12)
    assert snapshot.id_of(envelope) == hashlib.sha256(envelope).digest()


@pytest.mark.parametrize(
    "fields",
    [
        ["tick", LEDGER, 7, DIGEST, 12],
        ["snapshot", LEDGER[1:], 7, DIGEST, 12],
        ["snapshot", LEDGER, -1, DIGEST, 12],
        ["snapshot", LEDGER, 7, DIGEST + b"x", 12],
        ["snapshot", LEDGER, 7, DIGEST, None],
        ["snapshot", LEDGER, 7, DIGEST, 12, 0],
        ["snapshot", LEDGER, 7, DIGEST],
        {"kind": "snapshot"},
    ],
)
def test_another_form_is_no_envelope(fields, refused):
    refused("entry.form", snapshot.read, cbor.encode(fields))


def test_a_manifest_survives_and_its_entry_commits_to_its_bytes():
    data = snapshot.encode_manifest(manifest())
    assert snapshot.decode_manifest(data) == manifest()
    found = snapshot.read(snapshot.envelope_of(data))
    assert (found.ledger, found.height, found.keys, found.digest) == (LEDGER, 7, 2, hashlib.sha256(data).digest())


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 1},
        {"ledger": b""},
        {"height": -1},
        {"size": 0},
        {"keys": -1},
        {"time": None},
        {"chunks": [[DIGEST, 0]]},
        {"chunks": [[DIGEST, snapshot.CHUNK_BYTES_MAX + 1]]},
        {"chunks": [[DIGEST, 1, 1]]},
        {"chunks": [[b"", 1]]},
        {"path": "../../etc"},
    ],
)
def test_another_form_is_no_manifest(changes, refused):
    fields = cbor.decode(snapshot.encode_manifest(manifest()))
    refused("snapshot.form", snapshot.decode_manifest, cbor.encode({**fields, **changes}))


def test_what_is_no_cbor_or_too_long_is_no_manifest(refused):
    whole = snapshot.encode_manifest(manifest())
    refused("snapshot.form", snapshot.decode_manifest, whole[:-1])
    refused("snapshot.form", snapshot.decode_manifest, whole + b"\0")
    refused("snapshot.form", snapshot.decode_manifest, bytes(snapshot.MANIFEST_BYTES_MAX + 1))


@given(rows)
def test_rows_survive_their_chunks(given_rows):
    (chunk,) = [data for data, _ in snapshot.chunks(RECORDS, given_rows)]
    assert read(chunk) == (RECORDS, given_rows)
    window = [Row(hashlib.sha256(row.key).digest() + bytes(8), row.seq) for row in given_rows]
    window.sort(key=lambda row: row.key)
    ((data, count),) = snapshot.chunks(WINDOW, window)
    assert read(data, (RECORDS, b"z")) == (WINDOW, window)
    assert count == len(window)


def test_a_chunk_ends_with_the_row_by_which_it_is_full(monkeypatch):
    monkeypatch.setattr(snapshot, "CHUNK_BYTES", 20)
    some = [Row(bytes([number]) * 5, number, cbor.encode(bytes(size))) for number, size in enumerate((9, 0, 40, 1, 1))]
    made = list(snapshot.chunks(RECORDS, some))
    assert [count for _, count in made] == [2, 1, 2]  # 5 + 10, + 6: 21; 5 + 42: 47; 5 + 2, + 7: 14
    after, found = BEGIN, []
    for data, _ in made:
        section, part = read(data, after)
        found += part
        after = section, part[-1].key
    assert found == some


def test_no_rows_are_no_chunk():
    assert list(snapshot.chunks(RECORDS, [])) == []


@pytest.mark.parametrize(
    "value",
    [
        [RECORDS, []],
        ["index", [[b"a", 1, VALUE]]],
        [RECORDS, [[b"a", 1]]],
        [RECORDS, [[b"a", -1, VALUE]]],
        [RECORDS, [[b"a", True, VALUE]]],
        [RECORDS, [["a", 1, VALUE]]],
        [RECORDS, [[b"a" * 600, 1, VALUE]]],
        [RECORDS, [[b"b", 1, VALUE], [b"a", 1, VALUE]]],
        [RECORDS, [[b"a", 1, VALUE], [b"a", 1, VALUE]]],
        [WINDOW, [[bytes(39), 1]]],
        [WINDOW, [[bytes(40), 1, VALUE]]],
        [RECORDS, [[b"a", 1, VALUE]], 0],
        [RECORDS, {"a": 1}],
        [RECORDS],
        RECORDS,
    ],
)
def test_another_form_is_no_chunk(value, refused):
    refused("snapshot.form", read, cbor.encode(value))


def test_a_value_that_is_no_item_is_refused(refused):
    refused("cbor.trailing", read, cbor.encode([RECORDS, [[b"a", 1, VALUE + b"\0"]]]))


def test_a_chunk_goes_on_behind_the_one_before(refused):
    ((data, _),) = snapshot.chunks(RECORDS, [Row(b"b", 1, VALUE)])
    assert read(data, (RECORDS, b"a"))[0] == RECORDS
    refused("snapshot.form", read, data, (RECORDS, b"b"))
    refused("snapshot.form", read, data, (WINDOW, b"a"))


@given(rows, st.data())
def test_no_changed_byte_is_read(given_rows, data):
    ((chunk, _),) = snapshot.chunks(RECORDS, given_rows)
    at = data.draw(st.integers(0, len(chunk) - 1))
    changed = chunk[:at] + bytes([chunk[at] ^ data.draw(st.integers(1, 255))]) + chunk[at + 1 :]
    with pytest.raises(HansaError) as caught:
        snapshot.decode_chunk(changed, named(chunk), BEGIN)
    assert caught.value.code == "snapshot.chunk"
    with pytest.raises(HansaError):
        snapshot.decode_chunk(chunk[:-1], named(chunk), BEGIN)
