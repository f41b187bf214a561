"""The request for a token: one form, one content type, small."""

import msgspec
import pytest

from hansa.client import keys
from hansa.wire import cbor, cose, reader
from hansa.wire.problems import HansaError

KEY = keys.from_seed(bytes(range(32)))
LEDGER, NODE = b"l" * 32, b"n" * 32


def sealed(**changes):
    made = {"host": "node.example", "node": NODE, "ledger": LEDGER, "version": 0, "challenge": b"c"} | changes
    return cose.seal(KEY, cose.READER, cbor.encode(made))


def test_what_is_sealed_is_read_and_signed():
    found = reader.read(reader.seal(KEY, LEDGER, NODE, "node.example", b"challenge"))
    assert msgspec.structs.asdict(found.request) == {
        "host": "node.example", "node": NODE, "ledger": LEDGER, "version": 0, "challenge": b"challenge",
    }  # fmt: skip
    assert found.header.kid == KEY.kid
    assert KEY.public.verify(found.envelope.signature, found.envelope.structure)


@pytest.mark.parametrize(
    "changes",
    [{"host": ""}, {"host": "a" * 254}, {"node": b"short"}, {"ledger": b""}, {"version": 1}, {"challenge": b"c" * 129},
     {"challenge": b""}, {"more": 1}],
)  # fmt: skip
def test_another_form_is_refused(changes):
    with pytest.raises(HansaError) as caught:
        reader.read(sealed(**changes))
    assert caught.value.code == "reader.form"


def test_what_was_signed_for_something_else_is_no_request():
    payload = cbor.encode({"host": "h", "node": NODE, "ledger": LEDGER, "version": 0, "challenge": b"c"})
    with pytest.raises(HansaError) as caught:
        reader.read(cose.seal(KEY, cose.SESSION, payload))
    assert caught.value.code == "envelope.content_type"


def test_it_is_small():
    with pytest.raises(HansaError) as caught:
        reader.read(sealed() + bytes(reader.ENVELOPE_BYTES_MAX))
    assert caught.value.code == "reader.form"
