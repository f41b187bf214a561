"""One action on given records: arguments, roles, states, records, calls, and that nothing else ever happens."""

from typing import Any

import pytest
from tests.contracts.sources import action, contract, view
from tests.contracts.world import STEPS, World

from hansa.contracts import execution, program, values
from hansa.contracts.calls import Call, Caller, Execution
from hansa.contracts.guards import GUARDS
from hansa.contracts.prices import OUTPUT_BYTES_PER_STEP, RESULT_BYTES_MAX, STORED_BYTES_MAX
from hansa.wire import cbor, order, writes
from hansa.wire.limits import CHECK_STEPS_PER_BYTE
from hansa.wire.problems import HansaError

OUTER = """
class Shade(Enum):
    Red = "as blood"
class Terms(Struct):
    port: Text[1, 3]
    days: Int[0, 9] = 3
"""
SHOP = """
class Roles:
    keeper: Party = Party(attribute="licence:shop")
    owner: Party
    clerk: Party = Party(attribute="licence:clerk")
    teller: Party = Party(user="role:teller")
    engine: Party = Party(contract="engine")

class Item(Record, key="id", index=["owner"]):
    id: Text[1, 9]
    owner: Party
    price: Amount
    tags: list[Text[1, 5], 3] = []
    note: Text[0, 9] | None = None
    count: Int[0, 9] = 3
    next: Item | None = None
    teller: Party | None = None
    class States:
        Shown: "it can be bought"
        Held: "it is kept back"
        Sold: "it is gone"
    @invariant
    def cheap(item):
        require(item.price.minor <= 1000, "{price} is too much", price=item.price)
    @invariant
    def noted(item):
        require(item.note != "bad", "a bad note")

class Shelf(Record, key="number"):
    number: int
    clerk: Party
    items: list[Text[1, 9], 9] = []

@action(by="keeper", creates="Item", to="Shown")
def add(tx, item: Item, id: Text[1, 9], owner: Party, price: Amount):
    event("added", id=id)

@action(by=["owner", "clerk"], creates="Item", to="Held")
def offer(tx, item: Item, id: Text[1, 9], price: Amount):
    item.note = "offered"

@action(by="clerk", creates="Shelf")
def build(tx, shelf: Shelf, number: int):
    pass

@action(by="clerk")
def fill(tx, shelf: Shelf, item: Item):
    shelf.items.append(item.id)

@action(by="owner", on=["Shown", "Held"], to="Sold")
def sell(tx, item: Item, to: Party):
    item.owner = to

@action(by="owner", on="Shown", to=["Shown", "Held"])
def hold(tx, item: Item, really: bool):
    become(item, "Held" if really else "Shown")

@action(by="teller")
def teller_only(tx, item: Item):
    item.count = 1

@action(by=["engine", "keeper"])
def engine_only(tx, item: Item, count: int):
    item.count = count

@action(by="schedule")
def tick(tx, item: Item):
    item.count = 0

@action(by="owner")
def swap(tx, item: Item, other: Item):
    before = item.price
    item.price = other.price
    other.price = before

@action(by="member")
def touch(tx, item: Item, other: Item):
    item.count += 1
    other.count += 1

@action(by="member")
def look(tx, item: Item):
    event("seen", price=item.price)

@action(by="keeper")
def mark(tx, item: Item, note: Text[0, 20] | None, tags: list[Text[1, 5], 3] | None, count: int | None):
    item.note = note
    if tags is not None:
        item.tags = tags
    if count is not None:
        item.count = count

@action(by="keeper")
def set_price(tx, item: Item, price: Amount):
    item.price = price

@action(by="member")
def fail(tx, item: Item):
    item.count = 9
    event("gone")
    schedule(item, "tick", tx.time + Duration(days=1))
    require(1 == 2, "no")

@action(by="member")
def take(tx, text: Text[1, 3], number: Int[1, 3], flag: bool, raw: Bytes[1, 3], party: Party, user: User,
         amount: Amount, debt: SignedAmount, day: Date, at: Instant, long: Duration, shade: Shade, terms: Terms,
         texts: list[Text[1, 3], 2], map_of: dict[Text[1, 3], Amount, 2], maybe: Amount | None):
    event("took", text=text, number=number, flag=flag, raw=raw, party=party, user=user, amount=amount, debt=debt,
          day=day, at=at, long=long, shade=shade, terms=terms, texts=texts, map_of=map_of, maybe=maybe)

@view
def price_of(tx, item: Item) -> Amount:
    return item.price

@view
def small(tx, number: int) -> Int[0, 9]:
    return number

@view
def anything(tx, text: Text[0, 9]) -> Text[1, 3] | None:
    return text if text != "" else None
"""


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


@pytest.fixture
def shop() -> World:
    """The shop with two items, both alice's; carol keeps it."""
    world = World()
    world.deploy("shop", contract(SHOP, OUTER))
    world.attributes = {
        "carol": frozenset({"licence:shop", "other"}),
        "bob": frozenset({"licence:clerk"}),
        "bob/ben": frozenset({"role:teller"}),
    }
    world.take(world.call("shop", "add", {"id": "hat", "owner": "alice", "price": usd(100)}, by="carol"))
    world.take(world.call("shop", "add", {"id": "pin", "owner": "alice", "price": usd(5)}, by="carol"))
    return world


def run(world: World, name: str, arguments: dict[str, Any] | None = None, **who: Any) -> Execution:
    return world.run(world.call("shop", name, arguments, **who))


def take(world: World, name: str, arguments: dict[str, Any] | None = None, **who: Any) -> Execution:
    return world.take(world.call("shop", name, arguments, **who))


def item(world: World, id: str) -> dict[str, Any]:
    return next(found for found in world.values("shop", "Item") if found["id"] == id)


# Arguments

TAKEN = {
    "text": "abc",
    "number": 2,
    "flag": True,
    "raw": b"ab",
    "party": "bob",
    "user": "bob/ben",
    "amount": usd(5),
    "debt": usd(-5),
    "day": "2024-02-29",
    "at": 5,
    "long": -5,
    "shade": "Red",
    "terms": {"days": 1, "port": "a"},
    "texts": ["a", "b"],
    "map_of": {"b": usd(1), "aa": usd(2)},
    "maybe": None,
}


def test_arguments_of_every_type_arrive_as_they_were_given(shop: World) -> None:
    (event,) = run(shop, "take", TAKEN).events
    assert event["data"] == TAKEN


def test_every_problem_of_the_arguments_is_told_at_once(shop: World) -> None:
    arguments = {**TAKEN, "text": "", "party": "nobody", "zz": 1, "y": 2, "yy": 3, "x" * 70: 4, "terms": {}}
    del arguments["number"], arguments["maybe"]
    ran = run(shop, "take", arguments)
    assert (ran.code, ran.result["line"]) == ("arguments.invalid", None)
    assert ran.result["values"]["problems"] == [
        {"name": "text", "problem": "must have 1 to 3 characters, not 0"},
        {"name": "number", "problem": "is missing"},
        {"name": "party", "problem": "is not a member of this ledger"},
        {"name": "terms", "problem": "lacks `port`"},
        {"name": "y", "problem": "is not a parameter"},
        {"name": "yy", "problem": "is not a parameter"},
        {"name": "zz", "problem": "is not a parameter"},
        {"name": "x" * 64, "problem": "is not a parameter"},
    ]


def test_of_unknown_arguments_the_first_sixteen_are_named(shop: World) -> None:
    problems = run(shop, "take", {**TAKEN, **{f"u{n:02}": n for n in range(99)}}).result["values"]["problems"]
    assert [problem["name"] for problem in problems] == [f"u{n:02}" for n in range(16)]


def test_what_may_be_left_out_is_none_and_defaults_are_filled(shop: World) -> None:
    arguments = {name: value for name, value in TAKEN.items() if name != "maybe"} | {"terms": {"port": "b"}}
    data = run(shop, "take", arguments).events[0]["data"]
    assert (data["maybe"], data["terms"]) == (None, {"days": 3, "port": "b"})


@pytest.mark.parametrize(
    "arguments", [{"item": "\ud800"}, {"item": "hat", "\udfff": 1}, {"item": 2**70}, {"item": 1.5}]
)
def test_a_views_arguments_are_what_a_message_can_hold(shop: World, arguments: dict[str, Any]) -> None:
    assert run(shop, "price_of", arguments).code == "arguments.invalid"


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("cap", "there is no Item of this key"),
        (1, "must be text"),
        ("", "must have 1 to 9 characters, not 0"),
        ("a" * 10, "must have 1 to 9 characters, not 10"),
        (None, "must be text"),
        ({"id": "hat"}, "must be text"),
        (["hat"], "must be text"),
    ],
)
def test_a_record_is_named_by_its_key(shop: World, key: object, problem: str) -> None:
    ran = run(shop, "touch", {"item": key, "other": key})
    assert (ran.code, ran.result["values"]) == (
        "arguments.invalid",
        {"problems": [{"name": name, "problem": problem} for name in ("item", "other")]},
    )


def test_the_record_that_is_made_is_not_given(shop: World) -> None:
    ran = run(shop, "add", {"item": "tie", "id": "tie", "owner": "bob", "price": usd(1)}, by="carol")
    problem = {"name": "item", "problem": "is made by this action, not given"}
    assert (ran.code, ran.result["values"]) == ("arguments.invalid", {"problems": [problem]})


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (("nowhere", "go"), "contract.unknown"),
        (("shop", "nothing"), "action.unknown"),
        (("shop", "Item"), "action.unknown"),
        (("shop", "__init__"), "action.unknown"),
    ],
)
def test_what_is_not_there_is_told(shop: World, call: tuple[str, str], code: str) -> None:
    ran = shop.run(shop.call(*call))
    assert (ran.code, ran.steps, ran.result["line"], ran.result["contract"]) == (code, 10, None, call[0])
    assert ran.version == ("" if call[0] == "nowhere" else "1.0.0")


# Records


def test_a_record_is_made_of_arguments_role_state_and_defaults(shop: World) -> None:
    ran = take(shop, "offer", {"id": "tie", "price": usd(9)}, by="bob")
    (write,) = ran.writes
    assert (write.contract, write.record, write.key, write.previous) == ("shop", "Item", "tie", None)
    assert write.place == order.place("shop", "Item", "tie")
    assert cbor.decode(write.value) == {
        "id": "tie",
        "owner": "bob",
        "price": usd(9),
        "tags": [],
        "note": "offered",
        "count": 3,
        "next": None,
        "teller": None,
        "state": "Held",
    }
    assert write.value == cbor.encode(cbor.decode(write.value))


def test_a_record_that_exists_is_not_made_again(shop: World) -> None:
    ran = run(shop, "add", {"id": "hat", "owner": "bob", "price": usd(1)}, by="carol")
    assert (ran.code, ran.result["values"]) == ("record.exists", {"record": "Item"})


def test_the_same_record_named_twice_is_one_record(shop: World) -> None:
    take(shop, "touch", {"item": "hat", "other": "hat"})
    assert item(shop, "hat")["count"] == 5


def test_a_record_is_loaded_and_stored_once_however_often_it_is_named(shop: World) -> None:
    once = run(shop, "touch", {"item": "hat", "other": "hat"}).steps
    twice = run(shop, "touch", {"item": "hat", "other": "pin"}).steps
    place = order.place("shop", "Item", "pin")
    size = len(shop.records[place].value)
    invariants = 5 + 4  # the blocks of the two rules
    loaded, made = 20 + size // 32, 56 // 128
    assert twice - once == loaded + made - 1 + (50 + (len(place) + size) // 8) + invariants


def test_writes_come_in_the_order_of_first_naming_and_link_to_the_write_before(shop: World) -> None:
    ran = take(shop, "touch", {"item": "pin", "other": "hat"})
    assert [(w.key, w.previous) for w in ran.writes] == [("pin", 2), ("hat", 1)]
    ran = take(shop, "swap", {"item": "hat", "other": "pin"})
    assert [(w.key, w.previous) for w in ran.writes] == [("hat", 3), ("pin", 3)]


def test_a_record_that_is_only_read_is_not_written(shop: World) -> None:
    assert run(shop, "look", {"item": "hat"}).writes == []


def test_a_refused_action_leaves_no_trace(shop: World) -> None:
    before = dict(shop.records)
    ran = run(shop, "fail", {"item": "hat"})
    assert (ran.code, ran.writes, ran.events) == ("require.failed", [], [])
    assert shop.records == before


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"count": 10}, "`Item.count` must lie within 0 and 9"),
        ({"count": -1}, "`Item.count` must lie within 0 and 9"),
        ({"note": "a" * 10}, "`Item.note` must have 0 to 9 characters, not 10"),
    ],
)
def test_a_field_keeps_its_bounds(shop: World, arguments: dict[str, Any], problem: str) -> None:
    ran = run(shop, "mark", {"item": "hat", **arguments}, by="carol")
    assert (ran.code, ran.result["message"]) == ("value.bounds", problem)


def test_an_invariant_is_a_rule_about_every_record_written(shop: World) -> None:
    ran = run(shop, "set_price", {"item": "hat", "price": usd(1001)}, by="carol")
    assert (ran.code, ran.result["message"], ran.result["values"]) == (
        "invariant.failed",
        "{price} is too much",
        {"price": usd(1001)},
    )
    assert contract(SHOP, OUTER).split("\n")[ran.result["line"] - 1].strip().startswith("require(item.price")
    assert run(shop, "add", {"id": "x", "owner": "bob", "price": usd(1001)}, by="carol").code == "invariant.failed"
    assert run(shop, "mark", {"item": "hat", "note": "bad"}, by="carol").result["message"] == "a bad note"
    assert run(shop, "look", {"item": "hat"}).code == "ok"


# Who may, and when

DENIED = [
    ("add", {"id": "tie", "owner": "bob", "price": usd(1)}, {"by": "carol"}, None),
    (
        "add",
        {"id": "tie", "owner": "bob", "price": usd(1)},
        {"by": "bob"},
        {"member": "bob", "attribute": "licence:shop"},
    ),
    ("sell", {"item": "hat", "to": "bob"}, {"by": "alice"}, None),
    ("sell", {"item": "hat", "to": "bob"}, {"by": "alice", "user": "alice/ann"}, None),
    ("sell", {"item": "hat", "to": "bob"}, {"by": "bob"}, {"role": "owner", "member": "bob"}),
    ("sell", {"item": "hat", "to": "bob"}, {"by": None}, {"role": "owner"}),
    ("touch", {"item": "hat", "other": "pin"}, {"by": "stranger"}, None),
    ("touch", {"item": "hat", "other": "pin"}, {"by": None}, {}),
    ("offer", {"id": "tie", "price": usd(1)}, {"by": "bob"}, None),
    ("offer", {"id": "tie", "price": usd(1)}, {"by": "alice"}, None),
    ("teller_only", {"item": "hat"}, {"by": "bob", "user": "bob/ben"}, {"role": "teller", "member": "bob"}),
    ("teller_only", {"item": "hat"}, {"by": "bob"}, {"attribute": "role:teller"}),
    (
        "teller_only",
        {"item": "hat"},
        {"by": "alice", "user": "alice/ann"},
        {"user": "alice/ann", "attribute": "role:teller"},
    ),
    ("engine_only", {"item": "hat", "count": 1}, {"by": "carol"}, None),
    ("engine_only", {"item": "hat", "count": 1}, {"by": "alice"}, {"member": "alice", "attribute": "licence:shop"}),
    ("tick", {"item": "hat"}, {"by": None}, None),
    ("tick", {"item": "hat"}, {"by": "alice"}, {}),
]


@pytest.mark.parametrize(("action", "arguments", "who", "denied"), DENIED)
def test_who_may(
    shop: World, action: str, arguments: dict[str, Any], who: dict[str, Any], denied: dict[str, str] | None
) -> None:
    ran = run(shop, action, arguments, **who)
    assert ran.code == ("ok" if denied is None else "role.denied")
    if denied is not None:
        assert ran.result.get("values", {}) == denied


def test_a_role_with_attribute_and_field_needs_both(shop: World) -> None:
    take(shop, "build", {"number": 7}, by="bob")
    fill = {"shelf": 7, "item": "hat"}
    assert run(shop, "fill", fill, by="bob").code == "ok"
    assert run(shop, "fill", fill, by="alice").result["values"] == {"member": "alice", "attribute": "licence:clerk"}
    shop.attributes["alice"] = frozenset({"licence:clerk"})
    assert run(shop, "fill", fill, by="alice").result["values"] == {"role": "clerk", "member": "alice"}


def test_the_role_is_of_the_first_record_as_it_was(shop: World) -> None:
    take(shop, "sell", {"item": "pin", "to": "bob"})
    assert run(shop, "swap", {"item": "hat", "other": "pin"}).code == "ok"
    assert run(shop, "swap", {"item": "pin", "other": "hat"}).code == "role.denied"
    assert run(shop, "sell", {"item": "hat", "to": "bob"}, by="bob").code == "role.denied", "not made the owner first"


def test_states_are_gone_through_as_they_are_declared(shop: World) -> None:
    assert item(shop, "hat")["state"] == "Shown"
    take(shop, "hold", {"item": "hat", "really": False})
    take(shop, "hold", {"item": "hat", "really": True})
    assert item(shop, "hat")["state"] == "Held"
    ran = run(shop, "hold", {"item": "hat", "really": True})
    assert (ran.code, ran.result["values"]) == ("state.denied", {"state": "Held", "record": "Item"})
    take(shop, "sell", {"item": "hat", "to": "bob"})
    assert (item(shop, "hat")["state"], item(shop, "hat")["owner"]) == ("Sold", "bob")
    assert run(shop, "sell", {"item": "hat", "to": "bob"}, by="bob").code == "state.denied"
    assert run(shop, "sell", {"item": "hat", "to": "bob"}, by="alice").code == "role.denied", "the role is judged first"
    assert run(shop, "sell", {"item": "hat"}, by="bob").code == "arguments.invalid", "and arguments before it"


# Views


@pytest.mark.parametrize(
    ("view", "arguments", "code", "found"),
    [
        ("price_of", {"item": "hat"}, "ok", usd(100)),
        ("small", {"number": 9}, "ok", 9),
        ("small", {"number": 10}, "value.bounds", "what `small` returns must lie within 0 and 9"),
        ("anything", {"text": "abc"}, "ok", "abc"),
        ("anything", {"text": ""}, "ok", None),
        ("anything", {"text": "abcd"}, "value.bounds", "what `anything` returns must have 1 to 3 characters, not 4"),
    ],
)
def test_a_view_gives_a_plain_value_that_fits(
    shop: World, view: str, arguments: dict[str, Any], code: str, found: object
) -> None:
    ran = run(shop, view, arguments, by="stranger")
    assert (ran.code, ran.writes, ran.events) == (code, [], [])
    assert (ran.result if code == "ok" else ran.result["message"]) == found


# What is this node's own trouble, and what is a defect

HAT_AND_PIN = {"item": "hat", "other": "pin"}


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError(), OSError(), HansaError("state.corrupt"), KeyError("x")]
)
@pytest.mark.parametrize("part", ["get", "select", "is_member", "is_user", "is_paused", "versions"])
def test_what_only_this_node_suffers_never_becomes_an_outcome(error: Exception, part: str, shop: World) -> None:
    shop.deploy("seek", contract(SEEK))

    def damaged(*_: object) -> Any:
        raise error

    host: Any = shop._hosts["fast"]
    patch = pytest.MonkeyPatch()
    patch.setattr(shop if part in ("get", "select") else host, part, damaged)
    name = "look" if part == "is_paused" else "go"
    with patch.context(), pytest.raises(type(error)):
        execution.run(shop.call("seek", name, {"who": "bob", "user": "bob/ben", "key": 1}), host, shop, STEPS)
    patch.undo()


SEEK = """
class R(Record, key="id"):
    id: int
@view
def go(tx, who: Party, user: User, key: int) -> int:
    x = Sample.R.exists(key)
    for r in Sample.R.select(limit=3):
        pass
    return 1
@action(by="member")
def look(tx, who: Party, user: User, key: int):
    pass
"""


def test_a_defect_of_this_software_is_told_as_one(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise ValueError("a defect")

    monkeypatch.setitem(GUARDS, "emit", broken)  # type: ignore[arg-type]
    shop.deploy("shop", contract(SHOP, OUTER, version="1.0.1"))
    ran = execution.run(shop.call("shop", "look", {"item": "hat"}), shop._hosts["fast"], shop, STEPS)
    line = contract(SHOP, OUTER).split("\n").index('        event("seen", price=item.price)') + 1
    assert (ran.code, ran.result) == ("contract.internal", {"line": line, "version": "1.0.1", "contract": "shop"})
    assert isinstance(ran.error, ValueError)
    assert (ran.writes, ran.events) == ([], [])
    assert 0 < ran.steps < STEPS


def test_the_same_run_gives_the_same_bytes_with_a_cache_or_without(shop: World) -> None:
    cache = values.Cache(9)
    call = shop.call("shop", "touch", HAT_AND_PIN)
    runs = [shop.run(call), *(shop.run(call, cache=cache) for _ in range(3)), shop.run(call)]
    assert all(ran == runs[0] for ran in runs)
    shop.apply(runs[0])
    later = shop.call("shop", "touch", HAT_AND_PIN)
    assert shop.run(later, cache=cache) == shop.run(later)
    assert cbor.decode(shop.run(later, cache=cache).writes[0].value)["count"] == 5


def test_a_second_load_of_the_same_source_runs_the_same(shop: World) -> None:
    call = shop.call("shop", "touch", HAT_AND_PIN)
    first = shop.run(call)
    shop.programs["shop"] = []
    shop.deploy("shop", contract(SHOP, OUTER))
    assert shop.run(call) == first
    assert first.writes


# What leaves an action is known and paid for before it is written out

SHARING = """
s = "\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600\U0001f600"
for i in range(13):
    s = s + s
b = [s, s, s, s]
for i in range(8):
    b = b + b
"""


def one(source: str) -> World:
    world = World()
    world.deploy("sample", source)
    return world


def large(fields: str, body: str, parameters: str) -> str:
    record = f'class R(Record, key="k"):\n    k: Text[0, 100]\n{fields}'
    return action(body, f"r: R, k: Text[0, 100]{parameters}", record, options='by="member", creates="R"')


def test_a_record_that_would_be_gigabytes_is_refused_before_it_is_encoded(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = "\n".join(f"    f{i}: list[Text[0, 65536], 1024] = []" for i in range(40))
    world = one(large(fields, SHARING + "\n".join(f"r.f{i} = b" for i in range(40)), ""))
    monkeypatch.setattr(values, "cbor", None)
    ran = world.run(world.call("sample", "go", {"k": "1"}), steps=200_000)
    assert ran.code == "output.stored"


def test_an_action_stores_at_most_a_mebibyte() -> None:
    fields = "\n".join(f"    f{n}: Text[0, 65536] = ''" for n in range(20))
    world = one(large(fields, "\n".join(f"r.f{n} = t" for n in range(20)), ", t: Text[0, 65536]"))
    empty = len(cbor.encode({"k": "", **{f"f{n}": "" for n in range(20)}}))
    most = (STORED_BYTES_MAX - empty) // 20 - 2
    for text, code in (
        ("a" * most, "ok"),
        ("a" * (most + 1), "output.stored"),
        ("é" * (most // 2 + 1), "output.stored"),
    ):
        assert world.run(world.call("sample", "go", {"k": "", "t": text}), steps=200_000).code == code


def test_what_a_view_returns_is_bounded_and_charged() -> None:
    ran = one(view(SHARING + "return b", "list[Text[0, 65536], 1024]"))
    assert ran.run(ran.call("sample", "go"), steps=200_000).code == "output.result"
    world = one(view("return t", "list[Text[0, 65536], 1024]", "t: list[Text[0, 65536], 1024]"))
    room = RESULT_BYTES_MAX - len(cbor.encode(["a" * 61_500] * 17)) + 61_500
    full = ["a" * 61_500] * 16 + ["a" * room]
    assert len(cbor.encode(full)) == RESULT_BYTES_MAX
    ran = world.run(world.call("sample", "go", {"t": full}), steps=200_000)
    assert (ran.code, ran.result) == ("ok", full)
    full[-1] += "a"
    assert world.run(world.call("sample", "go", {"t": full}), steps=200_000).code == "output.result"


def test_what_an_action_writes_and_emits_is_paid_for_byte_by_byte() -> None:
    """So the steps of a block bound what it holds: small records under long keys, small events, large ones."""
    body = "r.t = t\nevent('x')\nevent('abc', t=t, l=['', t])\nschedule(r, 'later', tx.time + Duration(days=1))"
    source = large('    t: Text[0, 60000] = ""', body, ", t: Text[0, 9000]").replace(
        "k: Text[0, 100]", "k: Text[0, 80]"
    )
    source += '\n    @action(by="schedule")\n    def later(tx, r: R):\n        pass\n'
    world = one(source)
    for key, text in (("", ""), ("\U0010ffff" * 80, ""), ("a", "\U0010ffff" * 4_000), ("b", "x" * 9_000)):
        ran = world.run(world.call("sample", "go", {"k": key, "t": text}))
        assert ran.code == "ok", ran
        assert len(writes.encode(ran.writes)) + len(cbor.encode(ran.events)) <= ran.steps * OUTPUT_BYTES_PER_STEP


def test_ledger_time_signs_nothing() -> None:
    members = """
        class R(Record, key="id"):
            id: int
        @action(by="member", creates="R")
        def make(tx, r: R, id: int):
            pass
        @action(by=["member", "schedule"])
        def due(tx, r: R):
            event("due", by=tx.{field})
    """
    for field, found in (
        ("member", None),
        ("user", None),
        ("id", None),
        ("caller", "ok"),
        ("time", "ok"),
        ("date", "ok"),
    ):
        world = one(contract(members.format(field=field)))
        world.take(world.call("sample", "make", {"id": 1}))
        assert world.run(world.call("sample", "due", {"r": 1}, by=None)).code == (found or "tx.unsigned")
        assert world.run(world.call("sample", "due", {"r": 1})).code == "ok"


def test_the_genesis_contract_asks_its_host() -> None:
    source = contract(
        '@action(by="member")\ndef go(tx, name: Text[1, 9], text: Text[1, 9000]):\n'
        '    event("checked", version=contract_version(name, text))'
    )
    world = World()
    world.programs["members"] = [(1, program.load(source, "members", system=True))]
    world.deploy("taken", contract("pass"))
    inner = contract("pass", version="3.2.1")
    ran = world.run(world.call("members", "go", {"name": "new", "text": inner}), steps=10**6)
    assert (ran.code, ran.events[0]["data"]) == ("ok", {"version": "3.2.1"})
    assert ran.steps > CHECK_STEPS_PER_BYTE * len(inner)
    assert world.run(world.call("members", "go", {"name": "taken", "text": inner}), steps=10**6).code == "contract.name"
    assert world.run(world.call("members", "go", {"name": "new", "text": "x"}), steps=10**6).code == "contract.invalid"


def test_a_run_never_looks_at_the_caller_again(shop: World) -> None:
    """Attributes are values of the call: nothing asks for them later."""
    call = Call(
        "shop",
        "add",
        {"id": "tie", "owner": "bob", "price": usd(1)},
        Caller("zoe", None, frozenset({"licence:shop"}), frozenset()),
        0,
        9,
    )
    assert shop.run(call).code == "ok"
