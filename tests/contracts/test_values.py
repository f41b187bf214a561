"""Records as they are stored: every value comes back, and the bytes are the one encoding."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hansa.contracts import program
from hansa.contracts.program import Program
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
