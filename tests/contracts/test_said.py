"""What a manifest says of events and refusals: the types of what they carry, by one rule over all places."""

import textwrap
from typing import Any

import pytest
from tests.contracts.world import World

from hansa.contracts import program
from hansa.contracts.manifest import (
    AmountType,
    Carried,
    DateType,
    DurationType,
    EnumType,
    InstantType,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    PartyType,
    Said,
    StateType,
    StructType,
    UserType,
)
from hansa.contracts.operations import BOOL, BYTES, INT, TEXT
from hansa.contracts.prices import LIST_ITEMS_MAX, MAP_ITEMS_MAX

HEAD = """\
from hansa.contract import (Amount, Bytes, Contract, Date, Duration, Enum, Instant, Int, Party, Record, SignedAmount,
    Struct, Text, User, action, event, invariant, require, view)


class Kind(Enum):
    One = "one"


class Port(Struct):
    at: Instant


def early(at: Instant) -> bool:
    require(at.milliseconds > 0, "{at} is too early", at=at)
    return True


class Sample(Contract, version="1.0.0"):
    class Stay(Record, key="id"):
        class States:
            Open: "open"
        id: Text[1, 9]
        until: Instant
        @invariant
        def ends(stay):
            require(stay.until.milliseconds > 0, "{id} ends at {until}", until=stay.until, id=stay.id)
"""


def read(lines: str) -> Manifest:
    return program.check(HEAD + textwrap.indent(textwrap.dedent(lines).strip("\n"), "    ") + "\n", "sample").manifest


def emitted(*bodies: str) -> dict[str, Any]:
    """What is said of the event `e` of a contract whose actions have these bodies, one each."""
    actions = [
        f"""
@action(by="member")
def a{number}(tx, stay: Stay, at: Instant, by: Duration, day: Date, price: Amount, owed: SignedAmount, who: Party,
        user: User, data: Bytes[1, 4], n: Int[0, 9], text: Text[1, 9], port: Port, kind: Kind, maybe: Instant | None,
        many: list[Instant, 3], days: dict[Text[1, 9], Date, 3], flag: bool):
{textwrap.indent(body, "    ")}
"""
        for number, body in enumerate(bodies)
    ]
    carried = read("".join(actions)).said.events["e"]
    assert set(carried.always) <= set(carried.fields)
    return {name: (type_, name in carried.always) for name, type_ in carried.fields.items()}


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("at", InstantType()),
        ("stay.until", InstantType()),
        ("tx.time", InstantType()),
        ("at + by", InstantType()),
        ("at - at", DurationType()),
        ("day.add_days(1)", DateType()),
        ("price", AmountType()),
        ("price - owed", AmountType(signed=True)),
        ("who", PartyType()),
        ("user", UserType()),
        ("tx.user", OptionalType(UserType())),
        ("maybe", OptionalType(InstantType())),
        ("at if flag else None", OptionalType(InstantType())),
        ("n + 1", INT),
        ("text", TEXT),
        ("data", BYTES),
        ("flag", BOOL),
        ("kind", EnumType("Kind")),
        ("port", StructType("Port")),
        ("stay.state", StateType("Stay")),
        ("many", ListType(InstantType(), LIST_ITEMS_MAX)),
        ("days", MapType(TEXT, DateType(), MAP_ITEMS_MAX)),
        ("[text]", ListType(TEXT, LIST_ITEMS_MAX)),
        ("None", None),
        ("[]", None),
        ("{}", None),
    ],
)
def test_a_field_has_the_kind_of_its_expression_without_bounds(value: str, type_: Any) -> None:
    assert emitted(f'event("e", x={value})') == {"x": (type_, True)}


@pytest.mark.parametrize(
    ("first", "second", "type_"),
    [
        ("at", "tx.time", InstantType()),
        ("at", "maybe", OptionalType(InstantType())),
        ("at", "None", OptionalType(InstantType())),
        ("None", "None", None),
        ("[]", "many", ListType(InstantType(), LIST_ITEMS_MAX)),
        ("{}", "days", MapType(TEXT, DateType(), MAP_ITEMS_MAX)),
        ("n", "n + 1", INT),
        ("at", "by", None),
        ("at", "n", None),
        ("at", "text", None),
        ("price", "owed", None),
        ("many", "days", None),
        ("many", "[day]", None),
        ("port", "kind", None),
    ],
)
def test_at_several_places_a_field_is_of_one_kind_or_has_no_type(first: str, second: str, type_: Any) -> None:
    one, other = f'event("e", x={first})', f'event("e", x={second})'
    assert emitted(one, other) == emitted(other, one) == emitted(f"{one}\n{other}") == {"x": (type_, True)}
    again = {"x": (None if type_ is None and first != "None" else type_, True)}
    assert emitted(one, other, one) == again  # what is of two kinds once stays so


def test_a_field_that_stands_at_some_places_only_is_not_always_there() -> None:
    assert emitted('event("e", x=at, y=n)', 'if flag:\n    event("e", y=n, z=day)') == {
        "x": (InstantType(), False),
        "y": (INT, True),
        "z": (DateType(), False),
    }


def test_refusals_are_known_by_their_text_wherever_they_stand() -> None:
    said = read(
        """
        @action(by="member")
        def go(tx, at: Instant, n: int):
            require(early(at), "no")
            require(n > 0, "{n} of {at}", n=n, at=at)
            event("went")
        @view
        def when(tx, n: int, late: Instant | None) -> int:
            require(n > 0, "{n} of {at}", n=n, at=late)
            return n
        """
    ).said
    assert said == Said(
        events={"went": Carried({}, ())},
        refusals={
            "{n} of {at}": Carried({"n": INT, "at": OptionalType(InstantType())}, ("n", "at")),
            "{at} is too early": Carried({"at": InstantType()}, ("at",)),
            "{id} ends at {until}": Carried({"until": InstantType(), "id": TEXT}, ("until", "id")),
        },
    )


def test_what_a_library_refuses_with_is_the_library_s() -> None:
    world = World()
    inner = world.add_library(
        "inner",
        """
from hansa.contract import Instant, Struct, require
class Span(Struct):
    start: Instant
def check(span: Span) -> bool:
    require(span.start.milliseconds > 0, "{span} is too early", span=span)
    return True
""",
    )
    outer = world.add_library(
        "outer",
        f"""
from hansa.contract import Instant, library
inner = library("inner", "{inner}")
def check(at: Instant) -> bool:
    return inner.check(inner.Span(start=at))
""",
    )
    quiet = world.add_library("quiet", "def twice(n: int) -> int:\n    return 2 * n\n")
    loaded = world.deploy(
        "trip",
        f"""
from hansa.contract import Contract, Instant, action, library, require
outer = library("outer", "{outer}")
quiet = library("quiet", "{quiet}")
class Trip(Contract, version="1.0.0"):
    @action(by="member")
    def go(tx, at: Instant):
        require(outer.check(at), "no")
""",
    )
    span = Carried({"span": StructType("Span")}, ("span",))
    deepest = Said(refusals={"{span} is too early": span})
    assert loaded.manifest.said == Said(libraries={"outer": Said(libraries={"inner": deepest})})
