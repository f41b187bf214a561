"""Tokens for readers: who gets one, for which challenge, how long it serves, and what a node remembers."""

import base64
from types import SimpleNamespace

import pytest

from hansa.api import readers
from hansa.api.readers import CHALLENGE_S, KEY_TOKENS_MAX, LIFE_S, Readers
from hansa.client import keys
from hansa.wire import cose, reader
from hansa.wire.problems import HansaError

ADDRESS = "10.1.2.3"
HOST = "node.example"
ANA, BEN, NODE = keys.generate(), keys.generate("p256"), keys.generate("p256")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Registered:
    """Who may read, as `Directory` says it."""

    def __init__(self):
        self.keys = {one.kid: one.public for one in (ANA, BEN)}

    def reader(self, kid, now):
        assert now == 5
        return self.keys.get(kid)


def node(key=NODE, ledger=b"l" * 32):
    return SimpleNamespace(ledger=ledger, own_key=lambda: key, ledger_time=lambda: 5, directory=Registered())


def made(**options):
    clock = Clock()
    return Readers(node(**options), frozenset({HOST}), clock), clock


def asked(at, key=ANA, *, challenge=None, ledger=b"l" * 32, node=NODE.kid, host=HOST):
    return reader.seal(key, ledger, node, host, at.challenge(ADDRESS) if challenge is None else challenge)


def code(call, *given):
    with pytest.raises(HansaError) as caught:
        call(*given)
    return caught.value.code


@pytest.mark.parametrize("key", [ANA, BEN])
def test_who_signs_a_challenge_reads_for_a_quarter_of_an_hour(key):
    at, clock = made()
    token = "Bearer " + at.enter(asked(at, key), ADDRESS)
    assert at.reader(token).kid == key.kid
    assert LIFE_S <= 15 * 60
    clock.now += LIFE_S - 1
    at.reader(token)
    clock.now += 2
    assert code(at.reader, token) == "reader.token"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        f"Bearer {'A' * 96}",
        "Bearer \xff\xfe",
        "Basic YTpi",
        "Bearer =",
        "bearer A A",
    ],
)
def test_what_is_no_token(header):
    at, _ = made()
    assert code(at.reader, header) == "reader.token"


def test_a_token_with_any_bit_changed_counts_for_nothing():
    at, _ = made()
    token = at.enter(asked(at), ADDRESS)
    for place, letter in enumerate(token):
        other = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert code(at.reader, f"Bearer {other}") == "reader.token"
    assert code(at.reader, f"Bearer {token[:-4]}") == "reader.token"


def test_a_challenge_serves_once():
    at, _ = made()
    envelope = asked(at)
    at.enter(envelope, ADDRESS)
    assert code(at.enter, envelope, ADDRESS) == "reader.challenge"


def test_a_challenge_serves_a_minute():
    at, clock = made()
    envelope = asked(at)
    clock.now += CHALLENGE_S + 1
    assert code(at.enter, envelope, ADDRESS) == "reader.challenge"


def test_a_challenge_of_nobody_serves_nothing():
    at, _ = made()
    other, _ = made()
    assert code(at.enter, asked(at, challenge=bytes(64)), ADDRESS) == "reader.challenge"
    assert code(at.enter, asked(at, challenge=other.challenge(ADDRESS)), ADDRESS) == "reader.challenge"
    token = bytes.fromhex(at.challenge(ADDRESS).hex())
    assert code(at.enter, asked(at, challenge=token[:-1] + bytes([token[-1] ^ 1])), ADDRESS) == "reader.challenge"


def test_a_challenge_is_no_token_and_a_token_no_challenge():
    at, _ = made()
    text = base64.urlsafe_b64encode(at.challenge(ADDRESS)).decode()
    assert code(at.reader, f"Bearer {text}") == "reader.token"


def test_what_is_signed_for_another_ledger_node_or_host():
    at, _ = made()
    assert code(at.enter, asked(at, ledger=b"m" * 32), ADDRESS) == "transaction.ledger"
    assert code(at.enter, asked(at, node=ANA.kid), ADDRESS) == "reader.challenge"
    assert code(at.enter, asked(at, host="evil.example"), ADDRESS) == "reader.challenge"


def test_a_token_serves_at_its_node_alone():
    at, _ = made()
    token = at.enter(asked(at), ADDRESS)
    again, _ = made()  # the same node, started again, is another one
    assert code(again.reader, f"Bearer {token}") == "reader.token"


def test_a_stranger_gets_none_and_leaves_nothing():
    at, _ = made()
    assert code(at.enter, asked(at, keys.generate()), ADDRESS) == "reader.unknown"
    envelope = asked(at)
    assert code(at.enter, envelope[:-1] + bytes([envelope[-1] ^ 1]), ADDRESS) == "reader.signature"
    forged = cose.seal(BEN, cose.READER, cose.split(envelope).payload)
    pretended = forged.replace(BEN.kid, ANA.kid)
    assert code(at.enter, pretended, ADDRESS) in ("reader.signature", "reader.unknown")
    assert not at._used
    at.enter(envelope, ADDRESS)  # a forged copy has not used it up


def test_a_token_counts_as_long_as_its_key():
    at, _ = made()
    token = "Bearer " + at.enter(asked(at), ADDRESS)
    found = at.reader(token)
    del at._node.directory.keys[ANA.kid]
    assert code(at.reader, token) == "reader.token"
    assert code(at.check, found) == "reader.token"
    assert code(at.enter, asked(at), ADDRESS) == "reader.unknown"


def test_one_address_asks_so_often(monkeypatch):
    monkeypatch.setattr(readers, "BURST", 3)
    at, clock = made()
    for _ in range(3):
        at.challenge(ADDRESS)
    assert code(at.challenge, ADDRESS) == "reader.busy"
    assert code(at.enter, b"", ADDRESS) == "reader.busy"
    at.challenge("10.9.9.9")
    clock.now += 1
    at.challenge(ADDRESS)


def test_one_key_gets_so_many_and_keeps_none_from_another():
    at, clock = made()
    for number in range(KEY_TOKENS_MAX):
        at.enter(asked_from(at, ANA, number), f"10.2.{number // 250}.{number % 250}")
    assert code(at.enter, asked_from(at, ANA, 1), "10.3.0.1") == "reader.busy"
    at.enter(asked_from(at, BEN, 2), "10.3.0.2")
    clock.now += CHALLENGE_S + 1
    at.enter(asked_from(at, ANA, 3), "10.3.0.3")
    assert len(at._used) == 1  # what can serve no more is forgotten
    assert dict(at._counts) == {ANA.kid: 1}


def asked_from(at, key, number):
    return asked(at, key, challenge=at.challenge(f"10.{4 + number // 60_000}.{number // 250}.{number % 250}"))


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(readers, "USED_MAX", 2)
    at, _ = made()
    at.enter(asked(at, ANA), ADDRESS)
    at.enter(asked(at, BEN), ADDRESS)
    assert code(at.enter, asked(at, ANA), ADDRESS) == "reader.busy"
