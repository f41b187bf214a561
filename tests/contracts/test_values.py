"""Records as they are stored: every value comes back, and the bytes are the one encoding."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.contracts import program
from hansa.contracts.codecs import Amount
from hansa.contracts.meter import Frame
from hansa.contracts.program import Program
from hansa.contracts.values import encoded_size, named_size
from hansa.wire import cbor

FIELDS = """
class Thing(Record, key="id"):
    id: {key}
    zeta: Text[0, 9] = "z"
    a: int = 0
    flag: bool = False
    money: Amount | None = None
    list_of: list[Amount, 3] = []
    party: Party | None = None
    digest: Hash | None = None

class Plain(Record, key="id"):
    id: int
    b: int = 1
    aa: Text[0, 9] = ""

@action(by="member", creates="Thing")
def make(tx, thing: Thing, id: {key}, zeta: Text[0, 9], a: int, flag: bool, money: Amount | None,
         list_of: list[Amount, 3], party: Party | None, digest: Hash | None):
    pass

@action(by="member", creates="Plain")
def plain(tx, plain_one: Plain, id: int):
    pass

@action(by="member")
def change(tx, thing: Thing):
    thing.a = thing.a
"""
MONEY = st.builds(dict, minor=st.integers(0, 2**63 - 1), currency=st.text("ABC", min_size=3, max_size=3))
VALUES = st.fixed_dictionaries(
    {
        "zeta": st.text(st.characters(codec="utf-8"), max_size=9),
        "a": st.integers(-(2**63), 2**63 - 1),
        "flag": st.booleans(),
        "money": st.none() | MONEY,
        "list_of": st.lists(MONEY, max_size=3),
        "party": st.none() | st.sampled_from(["alice", "bob"]),
        "digest": st.none() | st.binary(min_size=32, max_size=32),
    }
)


@pytest.fixture(scope="module")
def things(declared: Callable[[str], str]) -> Program:
    return program.load(declared(FIELDS.format(key="int")), "sample")


@given(values=VALUES)
def test_a_record_comes_back_as_it_was_stored(
    values: dict[str, Any], bench: type, declared: Callable[[str], str]
) -> None:
    made = bench(declared(FIELDS.format(key="int")))
    made.take("make", {"id": 7, **values})
    (stored,) = made.records.values()
    assert cbor.decode(stored.value) == {"id": 7, **values}
    assert stored.value == cbor.encode({"id": 7, **values})
    made.take("change", {"thing": 7})
    (again,) = made.records.values()
    assert again.value == stored.value


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
    ],
)
def test_every_key_finds_its_record_again(type_: str, key: object, bench: type, declared: Callable[[str], str]) -> None:
    made = bench(declared(FIELDS.format(key=type_)))
    values = {"zeta": "", "a": 1, "flag": True, "list_of": []}
    made.take("make", {"id": key, **values})
    assert made.run("make", {"id": key, **values}).code == "record.exists"
    (write,) = made.take("change", {"thing": key}).writes
    assert (write.key, write.previous) == (key, 1)


def test_defaults_are_stored_too(bench: type, declared: Callable[[str], str]) -> None:
    made = bench(declared(FIELDS.format(key="int")))
    made.take("plain", {"id": 3})
    (stored,) = made.records.values()
    assert stored.value == cbor.encode({"id": 3, "b": 1, "aa": ""})


def test_what_one_record_holds_is_not_shared_with_another(bench: type, declared: Callable[[str], str]) -> None:
    """The default list of a record type is one object; growing it in one record must not be seen in the next."""
    source = declared(
        """
        class Thing(Record, key="id"):
            id: int
            items: list[int, 9] = []
        @action(by="member", creates="Thing")
        def make(tx, thing: Thing, id: int):
            thing.items += [id]
        """
    )
    made = bench(source)
    for number in (1, 2, 3):
        made.take("make", {"id": number})
    assert made.values() == [{"id": n, "items": [n]} for n in (1, 2, 3)]


def test_lists_have_value_semantics(acting: Callable[..., str], bench: type) -> None:
    body = """
        a = [1, 2]
        b = a
        a += [3]
        c = [a, a]
        a = a + [4]
        event("e", a=a, b=b, c=c)
        """
    (event,) = bench(acting(body)).run().events
    assert event["data"] == {"a": [1, 2, 3, 4], "b": [1, 2], "c": [[1, 2, 3], [1, 2, 3]]}


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=300) | st.binary(max_size=300),
    lambda items: st.lists(items, max_size=30),
    max_leaves=40,
)


@given(values=st.dictionaries(st.text(max_size=40), PLAIN, max_size=30))
def test_a_size_is_that_of_the_encoding(values: dict[str, Any]) -> None:
    frame = Frame(10_000, None)  # type: ignore[arg-type] - nothing here asks the host
    assert named_size(frame, values, 1 << 30) == len(cbor.encode(values))


@pytest.mark.parametrize("minor", [0, 23, 24, 256, 65_536, 2**32, 2**63 - 1])
def test_the_size_of_an_amount_is_that_of_its_map(minor: int) -> None:
    frame = Frame(0, None)  # type: ignore[arg-type]
    assert encoded_size(frame, Amount(minor, "EUR"), 0) == len(cbor.encode({"minor": minor, "currency": "EUR"}))


def test_a_size_is_counted_no_further_than_there_is_room() -> None:
    """A list of lists of lists that share their items would be a gigabyte of text: it takes a few items to know."""
    shared: list[Any] = ["x" * 1_000] * 1_024
    for _ in range(3):
        shared = [shared] * 1_024
    frame = Frame(10_000, None)  # type: ignore[arg-type]
    assert encoded_size(frame, shared, 100_000) > 100_000
    assert frame.used == 4 * 1_024, "each list looked into is charged by its length"
