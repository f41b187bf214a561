"""Records as they are stored: every value comes back, the bytes are the one encoding, and sizes are known before."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.sources import action, contract
from tests.contracts.world import World

from hansa.contracts.calls import NOBODY, Caller
from hansa.contracts.codecs import Amount
from hansa.contracts.faults import Fault
from hansa.contracts.values import Cache, Context, encoded_size, named_size, weigh
from hansa.wire import cbor

OUTER = """
class Shade(Enum):
    Red = "as blood"
class Terms(Struct):
    port: Text[0, 9]
    paid: Amount | None = None
"""
FIELDS = {
    "zeta": "Text[0, 9]",
    "a": "int",
    "flag": "bool",
    "money": "Amount | None",
    "debt": "SignedAmount",
    "list_of": "list[Amount, 3]",
    "party": "Party | None",
    "user": "User | None",
    "digest": "Hash | None",
    "day": "Date",
    "at": "Instant",
    "long": "Duration",
    "shade": "Shade",
    "terms": "Terms",
    "map_of": "dict[Text[0, 9], list[Terms, 2], 3]",
}
MEMBERS = (
    'class Thing(Record, key="id"):\n    id: {key}\n'
    + "".join(f"    {name}: {type_}\n" for name, type_ in FIELDS.items())
    + '@action(by="member", creates="Thing")\ndef make(tx, thing: Thing, id: {key},\n'
    + ",\n".join(f"    {name}: {type_}" for name, type_ in FIELDS.items())
    + "):\n    pass\n"
    + '@action(by="member")\ndef change(tx, thing: Thing):\n    thing.a = thing.a\n'
)
MONEY = st.builds(dict, minor=st.integers(0, 2**63 - 1), currency=st.text("ABC", min_size=3, max_size=3))
TEXT = st.text(st.characters(codec="utf-8"), max_size=9)
TERMS = st.fixed_dictionaries({"port": TEXT, "paid": st.none() | MONEY})
VALUES = st.fixed_dictionaries(
    {
        "zeta": TEXT,
        "a": st.integers(-(2**63), 2**63 - 1),
        "flag": st.booleans(),
        "money": st.none() | MONEY,
        "debt": st.builds(dict, minor=st.integers(-(2**63) + 1, 2**63 - 1), currency=st.just("EUR")),
        "list_of": st.lists(MONEY, max_size=3),
        "party": st.none() | st.sampled_from(["alice", "bob"]),
        "user": st.none() | st.just("alice/ann"),
        "digest": st.none() | st.binary(min_size=32, max_size=32),
        "day": st.dates().map(str),
        "at": st.integers(0, 253_402_300_799_999),
        "long": st.integers(-315_576_000_000_000, 315_576_000_000_000),
        "shade": st.just("Red"),
        "terms": TERMS,
        "map_of": st.dictionaries(TEXT, st.lists(TERMS, max_size=2), max_size=3),
    }
)
PLAIN_VALUES = {
    "zeta": "", "a": 1, "flag": True, "debt": {"minor": 0, "currency": "EUR"}, "list_of": [], "day": "2024-01-01",
    "at": 0, "long": 0, "shade": "Red", "terms": {"port": ""}, "map_of": {},
}  # fmt: skip


@settings(max_examples=50)
@given(values=VALUES)
def test_a_record_comes_back_as_it_was_stored(values: dict[str, Any]) -> None:
    world = World()
    world.deploy("sample", contract(MEMBERS.format(key="int"), OUTER))
    world.take(world.call("sample", "make", {"id": 7, **values}))
    (stored,) = world.records.values()
    assert stored.value == cbor.encode({"id": 7, **values})
    world.take(world.call("sample", "change", {"thing": 7}))
    (again,) = world.records.values()
    assert (again.value, again.seq) == (stored.value, 2)


@pytest.mark.parametrize(
    ("type_", "key"),
    [
        ("int", -(2**63)),
        ("int", 2**63 - 1),
        ("Text[0, 100]", ""),
        ("Text[0, 100]", "💡" * 100),
        ("Text[0, 100]", "a/b\0c"),
        ("Bytes[0, 400]", b""),
        ("Bytes[0, 400]", b"\xff" * 400),
        ("Hash", bytes(32)),
        ("Party", "alice"),
        ("User", "alice/ann"),
        ("Date", "2024-02-29"),
        ("Shade", "Red"),
    ],
)
def test_every_key_finds_its_record_again(type_: str, key: object) -> None:
    world = World()
    world.deploy("sample", contract(MEMBERS.format(key=type_), OUTER))
    world.take(world.call("sample", "make", {"id": key, **PLAIN_VALUES}))
    assert world.run(world.call("sample", "make", {"id": key, **PLAIN_VALUES})).code == "record.exists"
    (write,) = world.take(world.call("sample", "change", {"thing": key})).writes
    assert (write.key, write.previous) == (key, 1)


def test_what_one_record_holds_is_not_shared_with_another() -> None:
    """The default list of a record type is one object; growing it in one record must not be seen in the next."""
    world = World()
    record = 'class Thing(Record, key="id"):\n    id: int\n    items: list[int, 9] = []\n'
    record += "    counts: dict[Text[1, 2], int, 9] = {}"
    body = "z.items.append(id)\nz.counts['a'] = id"
    world.deploy("sample", action(body, "z: Thing, id: int", record, options='by="member", creates="Thing"'))
    for number in (1, 2, 3):
        world.take(world.call("sample", "go", {"id": number}))
    assert world.values("sample", "Thing") == [{"id": n, "items": [n], "counts": {"a": n}} for n in (1, 2, 3)]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=300) | st.binary(max_size=300),
    lambda items: st.lists(items, max_size=5) | st.dictionaries(st.text(max_size=30), items, max_size=4),
    max_leaves=8,
)


@settings(max_examples=50)
@given(values=st.dictionaries(st.text(max_size=40), PLAIN, max_size=8))
def test_a_size_is_that_of_the_encoding(values: dict[str, Any]) -> None:
    assert named_size(values, sorted(values, key=cbor.key_order), 1 << 30) == len(cbor.encode(values))


@settings(max_examples=50)
@given(values=st.dictionaries(st.text(max_size=40), PLAIN, max_size=8), room=st.integers(0, 500))
def test_a_size_beyond_the_room_is_beyond_it(values: dict[str, Any], room: int) -> None:
    exact = len(cbor.encode(values))
    found = named_size(values, sorted(values, key=cbor.key_order), room)
    assert found == exact if exact <= room else found > room


@pytest.mark.parametrize("minor", [0, 23, 24, 256, 65_536, 2**32, 2**63 - 1, -1, -24, -25, -(2**63) + 1])
def test_the_size_of_an_amount_is_that_of_its_map(minor: int) -> None:
    assert encoded_size(Amount(minor, "EUR"), 99) == len(cbor.encode({"minor": minor, "currency": "EUR"}))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1])
def test_a_number_that_leaves_fits_64_bits(number: int) -> None:
    with pytest.raises(Fault) as caught:
        encoded_size([{"a": number}], 99)
    assert caught.value.code == "value.range"


def test_a_size_is_counted_no_further_than_there_is_room() -> None:
    """A list of lists of lists that share their items would be a gigabyte of text: it takes a few items to know."""
    shared: list[Any] = ["x" * 1_000] * 1_024
    for _ in range(6):
        shared = [shared] * 1_024
    assert encoded_size(shared, 100_000) > 100_000


@pytest.mark.parametrize(
    ("value", "bytes_"),
    [
        (None, 0),
        (7, 0),
        (True, 0),
        ("", 64),
        ("é💡", 64 + 8),
        (b"ab", 66),
        (Amount(1, "EUR"), 64),
        ([], 56),
        ([1, "a"], 56 + 16 + 68),
        ({}, 232),
        ({"a": 1, "b": ["c"]}, 232 + 128 + 68 + 68 + 56 + 8 + 68),
    ],
)
def test_what_values_weigh(value: Any, bytes_: int) -> None:
    assert weigh(value) == bytes_


def test_who_signed_and_when() -> None:
    signed = Context(Caller("alice", "alice/ann", frozenset(), frozenset()), "bank", 1_700_000_000_000, b"i" * 32)
    assert (signed.member, signed.user, signed.caller, signed.time) == ("alice", "alice/ann", "bank", 1_700_000_000_000)
    assert signed.id == b"i" * 32
    assert signed.date == "2023-11-14"
    for field in ("member", "user", "id"):
        with pytest.raises(Fault) as caught:
            getattr(Context(NOBODY, None, 0, b""), field)
        assert caught.value.code == "tx.unsigned"


class Counting:
    """A shape that counts how often it decodes."""

    def __init__(self) -> None:
        self.loads = 0

    def load(self, value: bytes) -> tuple[dict[str, Any], int]:
        self.loads += 1
        return {"v": value}, 5


class Found:
    def __init__(self, seq: int, value: bytes) -> None:
        self.seq = seq
        self.value = value


def test_a_cache_decodes_a_record_once_while_it_stays_the_same() -> None:
    cache, shape = Cache(2), Counting()
    load: Any = cache.load
    first = load(shape, b"p", Found(1, b"x"))
    assert load(shape, b"p", Found(1, b"x")) == first == ({"v": b"x"}, 5)
    assert load(shape, b"p", Found(1, b"x"))[0] is not first[0], "the values are the caller's own"
    assert shape.loads == 1
    for found, loads in ((Found(2, b"x"), 2), (Found(2, b"y"), 3), (Found(2, b"y"), 3)):
        load(shape, b"p", found)
        assert shape.loads == loads
    load(Counting(), b"p", Found(2, b"y"))
    load(shape, b"p", Found(2, b"y"))
    assert shape.loads == 4, "another version of the type is another"


def test_a_cache_stays_small() -> None:
    cache, shape = Cache(2), Counting()
    load: Any = cache.load
    for place in (b"a", b"b", b"c"):
        load(shape, place, Found(1, b"x"))
    load(shape, b"c", Found(1, b"x"))
    assert shape.loads == 3
    load(shape, b"a", Found(1, b"x"))
    assert shape.loads == 4, "forgotten with the rest when there was one too many"
    for _ in range(2):
        load(shape, b"large", Found(1, bytes(2_049)))
    assert shape.loads == 6, "large ones are not kept"
    cache.clear()
    load(shape, b"a", Found(1, b"x"))
    assert shape.loads == 7
