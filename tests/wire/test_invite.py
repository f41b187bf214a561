"""Invites: one form, bounded, signed by the key in them, and told from every other message."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.wire import cbor, cose, invite, limits
from hansa.wire.problems import HansaError

NODE = {"id": "bank-1", "url": "http://127.0.0.1:8080", "peer": "", "member": "bank", "address": ""}
SOUND = {
    "wan": False,
    "name": "Test",
    "nodes": [NODE],
    "ledger": bytes(range(32)),
    "member": "southbank",
    "inviter": "bank",
    "members": [{"id": "bank", "name": "Bank", "weight": 1}],
    "orderer": "cometbft",
    "version": 0,
    "not_after": 1_900_000_000_000,
    "checkpoint": [],
    "constitution": {"lock": 1000, "source": "rules"},
}


@pytest.fixture(scope="module")
def key(make_key):
    return make_key("eddsa", "bank")


def payload(signer, **change):
    found = {"key": signer.public.spki, **SOUND, **change}
    return cbor.encode({name: value for name, value in found.items() if value is not None})


def sealed(signer, **change):
    return cose.seal(signer, cose.INVITE, payload(signer, **change))


def test_what_was_sealed_is_read(signer):
    found = invite.read(sealed(signer))
    assert invite.seal(signer, found) == sealed(signer)
    assert (found.kid, found.nodes[0].url) == (signer.kid, NODE["url"])
    assert found.constitution.digest == hashlib.sha256(b"rules").digest()


def test_the_largest_one_fits(key):
    """With as many members and nodes as it may have, and a constitution of characters of four bytes."""
    members = [{"id": f"{n:032}", "name": "𝄞" * 80, "weight": limits.WEIGHT_MAX} for n in range(limits.MEMBERS_MAX)]
    nodes = [{**NODE, "address": "x" * 250 + ":26656"} for _ in range(invite.NODES_MAX)]
    rules = {"lock": limits.LOCK_MS_MAX, "source": "𝄞" * limits.SOURCE_CHARS_MAX}
    heads = [bytes(300)] * invite.CHECKPOINTS_MAX
    change = {"members": members, "nodes": nodes, "constitution": rules, "checkpoint": heads, "inviter": f"{1:032}"}
    assert len(sealed(key, **change)) <= invite.BYTES_MAX
    assert len(invite.read(sealed(key, **change)).members) == limits.MEMBERS_MAX


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in SOUND),
        {"more": 1},
        {"wan": 0},
        {"name": ""},
        {"name": "x" * 81},
        {"nodes": []},
        {"nodes": [NODE] * (invite.NODES_MAX + 1)},
        {"nodes": [{**NODE, "more": ""}]},
        *(
            {"nodes": [{**NODE, "url": url}]}
            for url in (
                "",
                "127.0.0.1:8080",
                "file:///etc/passwd",
                "http://127.0.0.1",
                "http://127.0.0.1:8080/",
                "http://me@127.0.0.1:8080",
                "http://127.0.0.1:8080?x",
                "http://127.0.0.1:8080#x",
                "http://a b:80",
                "http://\x1b[31m:80",
                "http://127.0.0.1:8080\n",
                "http://" + "x" * 300 + ":80",
            )
        ),
        *({"nodes": [{**NODE, "peer": peer}]} for peer in ("0" * 39, "A" * 40, "g" * 40)),
        *({"nodes": [{**NODE, "address": address}]} for address in ("x", "x:", "a,b@c:1", "x:123456", "x:1\n")),
        {"ledger": b"short"},
        {"member": "../x"},
        {"member": "South"},
        {"member": "x" * 33},
        {"inviter": "trader"},
        {"members": []},
        {"members": [{"id": "bank", "name": "Bank", "weight": -1}]},
        {"orderer": "etcd"},
        {"version": 1},
        {"not_after": -1},
        {"not_after": limits.INSTANT_MAX + 1},
        {"checkpoint": [b""] * (invite.CHECKPOINTS_MAX + 1)},
        {"checkpoint": [bytes(2000)]},
        {"constitution": {"lock": 0, "source": "rules"}},
        {"constitution": {"lock": 1000, "source": ""}},
        {"constitution": {"lock": 1000, "source": "x" * (limits.SOURCE_CHARS_MAX + 1)}},
    ],
    ids=lambda change: ascii(change)[:60],
)
def test_a_payload_of_another_form(key, refused, change):
    with refused("invite.form"):
        invite.read(sealed(key, **change))


def test_one_that_nobody_would_read_is_not_sealed(key, refused):
    found = msgspec.structs.replace(invite.read(sealed(key)), name="")
    with refused("invite.form"):
        invite.seal(key, found)


def test_the_key_in_it_must_have_signed(key, make_key, refused):
    other = make_key("eddsa", "mallory")
    for envelope in (
        cose.seal(other, cose.INVITE, payload(key)),  # the header names the other
        cose.join(cose.protected_header(key.algorithm, cose.INVITE, key.kid), payload(key), other.sign(b"x")),
        cose.join(cose.protected_header(key.algorithm, cose.INVITE, other.kid), payload(key), key.sign(b"x")),
    ):
        with refused("invite.proof"):
            invite.read(envelope)


def test_a_key_of_small_order_signs_nothing(key, refused):
    spki = key.public.spki[:12] + bytes([1]) + bytes(31)
    with refused("key.invalid"):
        invite.read(sealed(key, key=spki))


@pytest.mark.parametrize("content_type", [cose.TRANSACTION, cose.GOVERNANCE, cose.EXCLUSION, cose.SESSION])
def test_what_was_signed_for_something_else_is_none(key, refused, content_type):
    with refused("invite.form"):
        invite.read(cose.seal(key, content_type, payload(key)))


@given(st.data())
def test_an_altered_one_is_refused(key, data):
    envelope = bytearray(sealed(key))
    place = data.draw(st.integers(0, len(envelope) - 1))
    envelope[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(HansaError) as caught:
        invite.read(bytes(envelope))
    assert caught.value.code in ("invite.form", "invite.proof", "key.invalid", "key.unsupported")


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data):
    with pytest.raises(HansaError) as caught:
        invite.read(data)
    assert caught.value.code == "invite.form"


def test_a_file_too_large_is_not_even_decoded(refused):
    with refused("invite.form"):
        invite.read(bytes(invite.BYTES_MAX + 1))
