"""What a version must keep of the one before, each problem in words; and records that live on through versions."""

from typing import Any

import pytest
from tests.contracts.sources import codes, contract
from tests.contracts.world import World

from hansa.contracts import program, upgrade
from hansa.contracts.values import Cache
from hansa.wire import cbor

KINDS = """
class Shade(Enum):
    Red = "as blood"
    Blue = "as the sky"
class Terms(Struct):
    port: Text[1, 3]
    days: int
class Old(Struct):
    id: Text[1, 9]
    rank: int
    price: Amount
    shade: Shade
    terms: Terms
    next: Text[1, 9] | None
    state: Text[1, 48]
"""
FIELDS = """
    id: Text[1, 9]
    rank: int
    price: Amount
    shade: Shade
    terms: Terms
    next: Item | None = None
"""
STATES = """
    class States:
        Open: "it is open"
        Shut: "it is shut"
"""
MIGRATION = """
    @migration
    def from_old(item, old: Old):
        pass
"""


NUMBERED = FIELDS.replace("price: Amount", "price: int")
UNPRICED = FIELDS.replace("    price: Amount\n", "")
KINDS_UNPRICED = KINDS.replace("    price: Amount\n", "")
KINDS_DAYLESS = KINDS.replace("    days: int\n", "", 1)


def version(
    number: str,
    fields: str = FIELDS,
    states: str = STATES,
    kinds: str = KINDS,
    head: str = 'key="id", index=["rank"]',
    more: str = "",
) -> str:
    return contract("pass", f"{kinds}class Item(Record, {head}):{fields}{states}{more}", version=number)


def problems(now: str, before: str = version("1.2.3")) -> list[str]:
    return upgrade.problems(program.check(before, "shop").manifest, program.check(now, "shop").manifest)


FINE = {
    "nothing but the number": version("1.2.4"),
    "a number that is greater as numbers go": version("1.10.0"),
    "another bound": version("2.0.0", FIELDS.replace("Text[1, 9]", "Text[1, 20]")),
    "a field with a default": version("2.0.0", FIELDS + "    note: Text[0, 9] = ''\n"),
    "a field that is gone": version("2.0.0", UNPRICED),
    "a field that may be absent now": version("2.0.0", FIELDS.replace("price: Amount", "price: Amount | None")),
    "an amount that may be negative now": version("2.0.0", FIELDS.replace("price: Amount", "price: SignedAmount")),
    "one more state": version("2.0.0", states=STATES + '        Gone: "it is gone"\n'),
    "one more value": version("2.0.0", kinds=KINDS.replace('    Blue', '    Green = "as grass"\n    Blue')),
    "a migration": version("2.0.0", more=MIGRATION),
    "the key kept instead of the record": version("2.0.0", FIELDS.replace("Item | None", "Text[1, 9] | None")),
}  # fmt: skip


@pytest.mark.parametrize("what", FINE)
def test_what_a_version_may_change(what: str) -> None:
    assert problems(FINE[what]) == []


KEY = "the key and the indexes of `Item` stay as they are"
GIVE = "is new or changed: give it a default, or write a migration"
WRONG = {
    "the same number": (version("1.2.3"), ["version 1.2.3 must be higher than 1.2.3"]),
    "a lower number": (version("1.1.99"), ["version 1.1.99 must be higher than 1.2.3"]),
    "no such record": (contract("pass", version="2.0.0"), ["the record `Item` is gone: its records would be lost"]),
    "another key": (version("2.0.0", head='key="rank", index=["id"]'), [KEY]),
    "an index more": (version("2.0.0", head='key="id", index=["rank", "shade"]'), [KEY]),
    "an index less": (version("2.0.0", head='key="id"'), [KEY]),
    "a key of another type": (
        version("2.0.0", FIELDS.replace("id: Text[1, 9]", "id: Bytes[1, 9]")),
        ["`Item.id` is a key or indexed: its type stays, and its bounds only widen", f"`Item.id` {GIVE}"],
    ),
    "an index of another type": (
        version("2.0.0", FIELDS.replace("rank: int", "rank: bool = True")),
        ["`Item.rank` is a key or indexed: its type stays, and its bounds only widen"],
    ),
    "a state less": (version("2.0.0", states=STATES.replace("Shut", "Gone")), ["the state `Shut` of `Item` is gone"]),
    "no states": (
        version("2.0.0", states=""),
        ["the state `Open` of `Item` is gone", "the state `Shut` of `Item` is gone"],
    ),
    "a field without default": (version("2.0.0", FIELDS + "    note: Text[0, 9]\n"), [f"`Item.note` {GIVE}"]),
    "a field of another type": (version("2.0.0", NUMBERED), [f"`Item.price` {GIVE}"]),
    "a struct of other fields": (version("2.0.0", kinds=KINDS_DAYLESS), [f"`Item.terms` {GIVE}"]),
    "an enum of fewer values": (
        version("2.0.0", kinds=KINDS.replace('    Blue = "as the sky"\n', "")),
        [f"`Item.shade` {GIVE}"],
    ),
    "a migration without the state": (
        version("2.0.0", kinds=KINDS.replace("    state: Text[1, 48]\n", ""), more=MIGRATION),
        ["`Old` must have `state: Text[1, 48]`, as the records of `Item` before"],
    ),
    "a migration from fewer fields": (
        version("2.0.0", UNPRICED, kinds=KINDS_UNPRICED, more=MIGRATION),
        ["`Old` must have exactly the fields of the version before of `Item`"],
    ),
    "a migration from a field of another type": (
        version("2.0.0", NUMBERED, kinds=KINDS.replace("price: Amount", "price: int"), more=MIGRATION),
        ["`Old.price` must be as `Item.price` was in the version before"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_a_version_must_keep(what: str) -> None:
    now, expected = WRONG[what]
    assert problems(now) == expected


def test_a_record_that_had_no_states_gets_none() -> None:
    before = version("1.0.0", states="")
    assert problems(version("2.0.0"), before) == ["`Item` had no states: declare a new record"]


def test_an_optional_field_does_not_become_one_that_is_there() -> None:
    before = version("1.0.0", FIELDS.replace("rank: int", "rank: int\n    note: int | None = None"))
    assert problems(version("2.0.0", FIELDS.replace("rank: int", "rank: int\n    note: int")), before) == [
        f"`Item.note` {GIVE}"
    ]


# Records through versions

FIRST = """
class Item(Record, key="id", index=["rank"]):
    id: int
    rank: int
    price: Amount
    next: Item | None = None
    class States:
        Open: "it is open"
        Shut: "it is shut"
"""
SECOND = """
class First(Struct):
    id: int
    rank: int
    price: Amount
    next: int | None
    state: Text[1, 48]
class Item(Record, key="id", index=["rank"]):
    id: int
    rank: int
    cents: Int[0, 999]
    next: Item | None = None
    words: list[Text[1, 9], 3] = []
    class States:
        Open: "it is open"
        Shut: "it is shut"
        Old: "it was made before"
    @migration
    def from_first(item, old: First):
        item.cents = old.price.minor
        item.words.append(old.state)
        if old.state == "Open":
            become(item, "Old")
"""
THIRD = SECOND[SECOND.index("class Item") : SECOND.index("    @migration")].replace(
    "cents: Int[0, 999]", "cents: Int[0, 5000]"
) + ("    note: Text[0, 9] = 'new'\n    @invariant\n    def noted(item):\n        require(item.note != '', 'a note')\n")
MAKE = """
@action(by="member")
def make(tx, id: int, state: bool, price: Amount):
    if state:
        Item.create(id=id, rank=id, price=price, state="Open")
    else:
        Item.create(id=id, rank=id, price=price, state="Shut")
"""
LOOK = """
@view
def look(tx, item: Item) -> dict[Text[1, 9], int, 9]:
    return {"cents": item.cents, "words": len(item.words)}
@view
def state_of(tx, item: Item) -> list[Text[1, 48], 9]:
    return item.words + ["Old" if item.state == "Old" else "not old"]
@action(by="member")
def touch(tx, item: Item):
    item.rank += 1
@view
def ranks(tx) -> list[int, 9]:
    found = []
    for item in Item.select(by="rank", least=0, limit=9):
        found.append(item.cents)
    return found
"""


@pytest.fixture
def world() -> World:
    """Items of the first version, the second version deployed."""
    made = World()
    made.deploy("shop", contract(MAKE, FIRST))
    for id, state, minor in ((1, True, 700), (2, False, 300), (3, True, 1_000)):
        made.take(made.call("shop", "make", {"id": id, "state": state, "price": {"minor": minor, "currency": "EUR"}}))
    made.deploy("shop", contract(LOOK, SECOND, version="2.0.0"))
    return made


def see(world: World, name: str, **arguments: Any) -> Any:
    call = world.call("shop", name, arguments)
    ran = world.run(call)
    cached = [world.run(call, cache=world.cache) for _ in range(2)]
    assert cached == [ran, ran]
    return ran.result if ran.code == "ok" else ran.code


def test_a_record_of_the_version_before_is_brought_up_when_it_is_touched(world: World) -> None:
    assert see(world, "look", item=1) == {"cents": 700, "words": 1}
    assert see(world, "state_of", item=1) == ["Open", "Old"]
    assert see(world, "state_of", item=2) == ["Shut", "not old"]
    assert see(world, "ranks") == "value.bounds", "the third is beyond the new bounds"
    stored = {place: found.value for place, found in world.records.items()}
    world.take(world.call("shop", "touch", {"item": 1}))
    changed = [cbor.decode(found.value) for place, found in world.records.items() if stored[place] != found.value]
    assert changed == [{"id": 1, "next": None, "rank": 2, "cents": 700, "state": "Old", "words": ["Open"]}], (
        "reading writes nothing; writing stores the new form, of the one that was touched"
    )


def test_what_does_not_fit_the_new_type_is_a_fault_where_it_is_touched(world: World) -> None:
    more = LOOK + "@view\ndef cents(tx, id: int) -> int:\n    return Item.get(id).cents\n"
    source = contract(more, THIRD.replace("Int[0, 5000]", "Int[0, 500]"), version="3.0.0")
    world.deploy("shop", source)
    line = source.split("\n").index("        return Item.get(id).cents") + 1
    for name, arguments, at in (("look", {"item": 1}, None), ("cents", {"id": 1}, line)):
        ran = world.run(world.call("shop", name, arguments))
        assert (ran.code, ran.result["message"]) == ("value.bounds", "`Item.cents` must lie within 0 and 500")
        assert (ran.result["line"], ran.result["version"]) == (at, "3.0.0"), "in binding it is no line's"


def test_records_go_through_all_versions_they_missed(world: World) -> None:
    world.take(world.call("shop", "touch", {"item": 2}))
    world.deploy("shop", contract(LOOK, THIRD, version="3.0.0"))
    assert upgrade.problems(*(p.manifest for _, p in world.programs["shop"][1:])) == []
    assert see(world, "look", item=1) == {"cents": 700, "words": 1}
    assert see(world, "look", item=2) == {"cents": 300, "words": 1}
    assert see(world, "look", item=3) == "value.bounds", "it does not skip the version that it does not fit"
    ran = world.take(world.call("shop", "touch", {"item": 1}))
    assert cbor.decode(ran.writes[0].value) == {
        "id": 1, "next": None, "note": "new", "rank": 2, "cents": 700, "state": "Old", "words": ["Open"],
    }  # fmt: skip


def test_each_version_missed_is_charged(world: World) -> None:
    before = world.run(world.call("shop", "look", {"item": 2})).steps
    world.deploy("shop", contract(LOOK, THIRD, version="3.0.0"))
    fields_and_items = 1  # the one word in the only list
    assert world.run(world.call("shop", "look", {"item": 2})).steps == before + 10 + fields_and_items


def test_a_cache_outlives_a_version(world: World) -> None:
    cache = Cache(9)
    world.run(world.call("shop", "look", {"item": 2}), cache=cache)
    world.deploy("shop", contract(LOOK, THIRD, version="3.0.0"))
    call = world.call("shop", "look", {"item": 2})
    assert world.run(call, cache=cache) == world.run(call)


def test_a_migrations_body_may_fail_at_its_line() -> None:
    world = World()
    world.deploy("shop", contract(MAKE, FIRST))
    world.take(world.call("shop", "make", {"id": 1, "state": True, "price": {"minor": 7, "currency": "EUR"}}))
    source = contract(LOOK, SECOND.replace("old.price.minor", "old.price.minor // 0"), version="2.0.0")
    world.deploy("shop", source)
    ran = world.run(world.call("shop", "look", {"item": 1}))
    line = source.split("\n").index("        item.cents = old.price.minor // 0") + 1
    assert (ran.code, ran.result["line"], ran.result["version"]) == ("value.division", line, "2.0.0")


def test_the_programs_here_are_contracts() -> None:
    for source in (contract(MAKE, FIRST), contract(LOOK, SECOND), contract(LOOK, THIRD)):
        assert codes(source) == []
