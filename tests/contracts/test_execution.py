"""One action on given records: arguments, roles, records, what is written, and that nothing else ever happens."""

from collections.abc import Callable
from typing import Any

import pytest

from hansa.contracts import values
from hansa.contracts.execution import Caller, run
from hansa.contracts.meter import OUTPUT_BYTES_PER_STEP, RESULT_BYTES_MAX, STORED_BYTES_MAX
from hansa.wire import cbor, order, writes
from hansa.wire.problems import HansaError

SHOP = """
class Roles:
    keeper: Party = Party(attribute="licence:shop")
    owner: Party
    clerk: Party = Party(attribute="licence:clerk")

class Item(Record, key="id", index=["owner"]):
    id: Text[1, 9]
    owner: Party
    price: Amount
    tags: list[Text[1, 5], 3] = []
    note: Text[0, 9] | None = None
    count: Int[0, 9] = 3

class Shelf(Record, key="number"):
    number: int
    clerk: Party
    items: list[Text[1, 9], 9] = []

@action(by="keeper", creates="Item")
def add(tx, item: Item, id: Text[1, 9], owner: Party, price: Amount):
    event("added", id=id)

@action(by="owner", creates="Item")
def offer(tx, item: Item, id: Text[1, 9], price: Amount):
    item.note = "offered"

@action(by="clerk", creates="Shelf")
def build(tx, shelf: Shelf, number: int):
    pass

@action(by="clerk")
def fill(tx, shelf: Shelf, item: Item):
    shelf.items += [item.id]

@action(by="owner")
def sell(tx, item: Item, to: Party):
    item.owner = to

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
def mark(tx, item: Item, note: Text[0, 9] | None, tags: list[Text[1, 5], 3] | None, count: int | None):
    item.note = note
    if tags is not None:
        item.tags = tags
    if count is not None:
        item.count = count

@action(by="member")
def fail(tx, item: Item):
    item.count = 9
    event("gone")
    require(1 == 2, "no")

@action(by="member")
def take(tx, text: Text[1, 3], number: Int[1, 3], flag: bool, raw: Bytes[1, 3], digest: Hash, party: Party,
         amount: Amount, texts: list[Text[1, 3], 2], amounts: list[Amount, 2], maybe: Amount | None):
    event("took", text=text, number=number, flag=flag, raw=raw, digest=digest, party=party, amount=amount,
          texts=texts, amounts=amounts, maybe=maybe)

@view
def price_of(tx, item: Item) -> Amount:
    return item.price

@view
def small(tx, number: int) -> Int[0, 9]:
    return number

@view
def anything(tx, text: Text[0, 9]) -> Text[1, 3] | None:
    return text
"""
SHOPKEEPER = {"attributes": ("licence:shop",)}
CLERK = {"attributes": ("licence:clerk",)}


def usd(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "USD"}


@pytest.fixture
def shop(declared: Callable[[str], str], bench: type) -> Any:
    """The shop with two items, both alice's."""
    made = bench(declared(SHOP))
    made.take("add", {"id": "hat", "owner": "alice", "price": usd(100)}, by="carol", **SHOPKEEPER)
    made.take("add", {"id": "pin", "owner": "alice", "price": usd(5)}, by="carol", **SHOPKEEPER)
    return made


# Arguments

TAKEN = {
    "text": "abc",
    "number": 2,
    "flag": True,
    "raw": b"ab",
    "digest": bytes(32),
    "party": "bob",
    "amount": usd(5),
    "texts": ["a", "b"],
    "amounts": [usd(1)],
    "maybe": None,
}


def test_arguments_of_every_type_arrive_as_they_were_given(shop: Any) -> None:
    (event,) = shop.run("take", TAKEN).events
    assert event["data"] == TAKEN


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("text", "", "must have 1 to 3 characters, not 0"),
        ("text", "abcd", "must have 1 to 3 characters, not 4"),
        ("text", 1, "must be text"),
        ("text", b"ab", "must be text"),
        ("text", None, "must be text"),
        ("number", 0, "must lie within 1 and 3"),
        ("number", 4, "must lie within 1 and 3"),
        ("number", True, "must be a whole number"),
        ("number", "2", "must be a whole number"),
        ("number", 2.0, "must be a whole number"),
        ("flag", 1, "must be true or false"),
        ("flag", None, "must be true or false"),
        ("raw", b"", "must have 1 to 3 bytes, not 0"),
        ("raw", b"abcd", "must have 1 to 3 bytes, not 4"),
        ("raw", "ab", "must be bytes"),
        ("digest", bytes(31), "must have 32 to 32 bytes, not 31"),
        ("party", "nobody", "is not a member of this ledger"),
        ("party", "Bob", "must be the name of a member"),
        ("party", "", "must be the name of a member"),
        ("party", "bob\n", "must be the name of a member"),
        ("party", 1, "must be the name of a member"),
        ("amount", 5, "must have `minor` (whole minor units) and `currency`, nothing else"),
        ("amount", {"minor": 5}, "must have `minor` (whole minor units) and `currency`, nothing else"),
        ("amount", {"currency": "USD"}, "must have `minor` (whole minor units) and `currency`, nothing else"),
        ("amount", {**usd(5), "x": 1}, "must have `minor` (whole minor units) and `currency`, nothing else"),
        ("amount", {"minor": 5, "x": 1}, "must have `minor` (whole minor units) and `currency`, nothing else"),
        ("amount", [5, "USD"], "must have `minor` (whole minor units) and `currency`, nothing else"),
        ("amount", usd(-1), "`minor` must be a whole number, not negative"),
        ("amount", {"minor": True, "currency": "USD"}, "`minor` must be a whole number, not negative"),
        ("amount", {"minor": "5", "currency": "USD"}, "`minor` must be a whole number, not negative"),
        ("amount", {"minor": 5, "currency": "usd"}, "`currency` must be three capital letters"),
        ("amount", {"minor": 5, "currency": "US"}, "`currency` must be three capital letters"),
        ("amount", {"minor": 5, "currency": 840}, "`currency` must be three capital letters"),
        ("texts", "ab", "must be a list"),
        ("texts", ["a", "b", "c"], "must have at most 2 items, not 3"),
        ("texts", ["a", ""], "item 1: must have 1 to 3 characters, not 0"),
        ("texts", ["a", 1], "item 1: must be text"),
        ("texts", {"a": "b"}, "must be a list"),
        ("amounts", [usd(1), usd(-1)], "item 1: `minor` must be a whole number, not negative"),
        ("maybe", usd(-1), "`minor` must be a whole number, not negative"),
        ("maybe", False, "must have `minor` (whole minor units) and `currency`, nothing else"),
    ],
)
def test_an_argument_that_does_not_fit_is_refused(shop: Any, name: str, value: object, problem: str) -> None:
    ran = shop.run("take", {**TAKEN, name: value})
    assert ran.code == "arguments.invalid"
    assert ran.result["values"] == {"problems": [{"name": name, "problem": problem}]}
    assert ran.result["line"] is None


def test_every_problem_of_the_arguments_is_told_at_once(shop: Any) -> None:
    arguments = {**TAKEN, "text": "", "party": "nobody", "zz": 1, "y": 2, "yy": 3, "x" * 70: 4}
    del arguments["number"], arguments["maybe"]
    ran = shop.run("take", arguments)
    assert (ran.code, ran.steps) == ("arguments.invalid", 10)
    assert ran.result["values"]["problems"] == [
        {"name": "text", "problem": "must have 1 to 3 characters, not 0"},
        {"name": "number", "problem": "is missing"},
        {"name": "party", "problem": "is not a member of this ledger"},
        {"name": "y", "problem": "is not a parameter"},
        {"name": "yy", "problem": "is not a parameter"},
        {"name": "zz", "problem": "is not a parameter"},
        {"name": "x" * 64, "problem": "is not a parameter"},
    ]


def test_what_may_be_left_out_is_none(shop: Any) -> None:
    arguments = {name: value for name, value in TAKEN.items() if name != "maybe"}
    assert shop.run("take", arguments).events[0]["data"]["maybe"] is None


@pytest.mark.parametrize(("annotation", "value"), [("Party | None", "nobody"), ("list[Party, 3]", ["bob", "nobody"])])
def test_a_party_is_a_member_wherever_it_stands(
    annotation: str, value: object, acting: Callable[..., str], bench: type
) -> None:
    assert bench(acting("pass", f"who: {annotation}")).run(arguments={"who": value}).code == "arguments.invalid"


def test_an_amount_beyond_64_bits_is_refused(shop: Any) -> None:
    assert shop.run("take", {**TAKEN, "amount": usd(2**63)}).code == "arguments.invalid"


@pytest.mark.parametrize("arguments", [{"item": "\ud800"}, {"item": "hat", "\udfff": 1}])
def test_surrogates_are_refused(shop: Any, arguments: dict[str, Any]) -> None:
    assert shop.run("price_of", arguments).code == "arguments.invalid"


# Records


def test_a_record_is_made_of_arguments_role_and_defaults(shop: Any) -> None:
    ran = shop.take("offer", {"id": "tie", "price": usd(9)}, by="bob")
    (write,) = ran.writes
    assert (write.contract, write.record, write.key, write.previous) == ("sample", "Item", "tie", None)
    assert write.place == order.place("sample", "Item", "tie")
    value = cbor.decode(write.value)
    assert value == {
        "id": "tie",
        "owner": "bob",
        "price": usd(9),
        "tags": [],
        "note": "offered",
        "count": 3,
    }
    assert write.value == cbor.encode(value)


def test_a_record_that_exists_is_not_made_again(shop: Any) -> None:
    ran = shop.run("add", {"id": "hat", "owner": "bob", "price": usd(1)}, **SHOPKEEPER)
    assert (ran.code, ran.result["values"]) == ("record.exists", {"record": "Item"})


def test_a_record_that_does_not_exist_cannot_be_named(shop: Any) -> None:
    ran = shop.run("swap", {"item": "cap", "other": "cup"})
    assert ran.code == "arguments.invalid"
    assert ran.result["values"]["problems"] == [
        {"name": "item", "problem": "there is no Item of this key"},
        {"name": "other", "problem": "there is no Item of this key"},
    ]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        (1, "must be text"),
        ("", "must have 1 to 9 characters, not 0"),
        ("a" * 10, "must have 1 to 9 characters, not 10"),
        (None, "must be text"),
        ({"id": "hat"}, "must be text"),
        (["hat"], "must be text"),
    ],
)
def test_the_key_of_a_record_has_the_type_of_its_field(shop: Any, key: object, problem: str) -> None:
    ran = shop.run("look", {"item": key})
    assert (ran.code, ran.result["values"]) == (
        "arguments.invalid",
        {"problems": [{"name": "item", "problem": problem}]},
    )


def test_the_record_that_is_made_is_not_given(shop: Any) -> None:
    ran = shop.run("add", {"item": "tie", "id": "tie", "owner": "bob", "price": usd(1)}, **SHOPKEEPER)
    problem = {"name": "item", "problem": "is made by this action, not given"}
    assert (ran.code, ran.result["values"]) == ("arguments.invalid", {"problems": [problem]})


def test_the_same_record_named_twice_is_one_record(shop: Any) -> None:
    ran = shop.take("touch", {"item": "hat", "other": "hat"})
    (write,) = ran.writes
    assert cbor.decode(write.value)["count"] == 5
    assert shop.run("swap", {"item": "hat", "other": "hat"}).code == "ok"


def test_a_record_is_loaded_once_however_often_it_is_named(shop: Any) -> None:
    once = shop.run("touch", {"item": "hat", "other": "hat"}).steps
    twice = shop.run("touch", {"item": "hat", "other": "pin"}).steps
    place = order.place("sample", "Item", "pin")
    size = len(shop.records[place].value)
    assert twice - once == (20 + size // 32) + (50 + (len(place) + size) // 8), "loaded and stored"


def test_writes_come_in_the_order_of_first_naming_and_link_to_the_write_before(shop: Any) -> None:
    ran = shop.take("touch", {"item": "pin", "other": "hat"})
    assert [(w.key, w.previous) for w in ran.writes] == [("pin", 2), ("hat", 1)]
    ran = shop.take("swap", {"item": "hat", "other": "pin"})
    assert [(w.key, w.previous) for w in ran.writes] == [("hat", 3), ("pin", 3)]


def test_a_record_that_is_only_read_is_not_written(shop: Any) -> None:
    assert shop.run("look", {"item": "hat"}).writes == []


def test_a_refused_action_leaves_no_trace(shop: Any) -> None:
    before = dict(shop.records)
    ran = shop.run("fail", {"item": "hat"})
    assert (ran.code, ran.writes, ran.events) == ("require.failed", [], [])
    assert shop.records == before
    assert shop.run("look", {"item": "hat"}).code == "ok"


def test_records_of_one_key_in_two_tables_are_two(shop: Any) -> None:
    shop.take("build", {"number": 7}, by="carol", **CLERK)
    ran = shop.take("fill", {"shelf": 7, "item": "hat"}, by="carol", **CLERK)
    assert [(w.record, w.key) for w in ran.writes] == [("Shelf", 7)]
    assert [value.get("items") for value in shop.values()] == [None, None, ["hat"]]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"count": 10}, "`Item.count` must lie within 0 and 9"),
        ({"count": -1}, "`Item.count` must lie within 0 and 9"),
    ],
)
def test_a_field_keeps_its_bounds(shop: Any, arguments: dict[str, Any], problem: str) -> None:
    ran = shop.run("mark", {"item": "hat", **arguments}, **SHOPKEEPER)
    assert (ran.code, ran.result["message"]) == ("value.bounds", problem)


@pytest.mark.parametrize(
    ("field", "expression"),
    [
        ("number", "'a'"),
        ("number", "True"),
        ("number", "None"),
        ("number", "10"),
        ("number", "9223372036854775807 * 2"),
        ("text", "1"),
        ("text", "''"),
        ("text", "'abcd'"),
        ("flag", "1"),
        ("amount", "1"),
        ("amount", "None"),
        ("party", "'No Name'"),
        ("party", "1"),
        ("digest", "raw + raw"),
        ("raw", "'a'"),
        ("numbers", "[1, 2, 3]"),
        ("numbers", "[1, 'a']"),
        ("numbers", "[[1]]"),
        ("numbers", "None"),
        ("maybe", "'abcd'"),
    ],
)
def test_what_is_assigned_has_the_type_of_its_field(
    field: str, expression: str, declared: Callable[[str], str], bench: type
) -> None:
    source = declared(
        f"""
class R(Record, key="id"):
    id: int
    number: Int[0, 9]
    text: Text[1, 3]
    flag: bool
    amount: Amount
    party: Party
    digest: Hash
    raw: Bytes[1, 3]
    numbers: list[int, 2] = []
    maybe: Text[1, 3] | None = None
@action(by="member", creates="R")
def go(tx, r: R, id: int, number: Int[0, 9], text: Text[1, 3], flag: bool, amount: Amount, party: Party, digest: Hash,
       raw: Bytes[1, 3]):
    r.{field} = {expression}
"""
    )
    arguments = {
        "id": 1,
        "number": 1,
        "text": "a",
        "flag": True,
        "amount": usd(1),
        "party": "bob",
        "digest": bytes(32),
        "raw": b"a",
    }
    ran = bench(source).run(arguments=arguments)
    assert ran.code == ("value.type" if expression == "raw + raw" else "value.bounds")
    if ran.code == "value.bounds":
        assert ran.result["message"].startswith(f"`R.{field}` ")


@pytest.mark.parametrize(
    ("parameter", "value"), [("Text[1, 9]", "abcd"), ("int", 1), ("Text[1, 3] | None", None), ("Text[0, 3]", "")]
)
def test_an_argument_that_does_not_fit_the_field_of_its_name_is_refused(
    parameter: str, value: object, declared: Callable[[str], str], bench: type
) -> None:
    source = declared(
        f"""
class R(Record, key="id"):
    id: int
    text: Text[1, 3]
@action(by="member", creates="R")
def go(tx, r: R, id: int, text: {parameter}):
    pass
"""
    )
    assert bench(source).run(arguments={"id": 1, "text": value}).code == "value.bounds"


ROLE_FIELD = """
class Roles:
    clerk: Party = Party(attribute="licence:clerk")
class R(Record, key="id"):
    id: int
    {role}: {type}
@action(by="{role}", creates="R")
def make(tx, r: R, id: int):
    pass
@action(by="member")
def use(tx, r: R):
    event("used", value=r.{role})
"""


@pytest.mark.parametrize("role", ["member", "clerk"])
@pytest.mark.parametrize("type_", ["Int[0, 9]", "Text[1, 2]", "Hash", "bool", "Amount", "list[Int[0, 9], 3]"])
def test_the_role_fills_no_field_of_another_type(
    role: str, type_: str, declared: Callable[[str], str], bench: type, codes: Callable[..., list[str]]
) -> None:
    source = declared(ROLE_FIELD.format(role=role, type=type_))
    if codes(source):
        return
    made = bench(source)
    ran = made.run("make", {"id": 1}, attributes=("licence:clerk",))
    assert ran.code == "value.bounds"


@pytest.mark.parametrize("role", ["member", "clerk"])
def test_the_role_fills_a_field_that_takes_it(role: str, declared: Callable[[str], str], bench: type) -> None:
    made = bench(declared(ROLE_FIELD.format(role=role, type="Party")))
    made.take("make", {"id": 1}, by="bob", attributes=("licence:clerk",))
    assert made.values() == [{"id": 1, role: "bob"}]


def test_a_record_parameter_fills_no_field(declared: Callable[[str], str], codes: Callable[..., list[str]]) -> None:
    source = declared(
        """
        class R(Record, key="id"):
            id: int
            r: Text[1, 3]
        @action(by="member", creates="R")
        def go(tx, r: R, id: int):
            pass
        """
    )
    assert codes(source) == ["record.incomplete"]


PARTIES = """
class R(Record, key="id"):
    id: int
    owner: Party
    others: list[Party, 3] = []
    heir: Party | None = None
@action(by="member", creates="R")
def make(tx, r: R, id: int, owner: Text[1, 9]):
    pass
@action(by="member")
def name(tx, r: R, who: Text[1, 9]):
    {field}
"""


@pytest.mark.parametrize("field", ["r.owner = who", "r.others = [who]", "r.heir = who"])
def test_a_party_in_a_record_is_a_member(field: str, declared: Callable[[str], str], bench: type) -> None:
    made = bench(declared(PARTIES.format(field=field)))
    assert made.run("make", {"id": 1, "owner": "nobody"}).code == "value.bounds"
    made.take("make", {"id": 1, "owner": "bob"})
    assert made.run("name", {"r": 1, "who": "carol"}).code == "ok"
    assert made.run("name", {"r": 1, "who": "nobody"}).code == "value.bounds"


def test_assigning_a_list_is_charged_by_its_length(declared: Callable[[str], str], bench: type) -> None:
    """It is checked item by item, each time."""
    source = declared(
        """
        class R(Record, key="id"):
            id: int
            items: list[int, 9] = []
        @action(by="member", creates="R")
        def go(tx, r: R, id: int, items: list[int, 9]):
            r.items = items
        """
    )
    few, many = (bench(source).run("go", {"id": 1, "items": [0] * n}) for n in (1, 9))
    assert many.steps == few.steps + 8 + 1, "and its 8 bytes more are stored"


@pytest.mark.parametrize("error", [MemoryError(), RecursionError(), OSError(), HansaError("state.corrupt")])
def test_what_only_this_node_suffers_never_becomes_an_outcome(error: Exception, shop: Any) -> None:
    class Damaged:
        def get(self, place: bytes) -> Any:
            raise error

    procedure, caller = shop.program.actions["touch"], Caller("alice", None, frozenset())
    with pytest.raises(type(error)):
        run(shop.program, procedure, {"item": "hat", "other": "pin"}, caller, 0, Damaged(), shop, 1_000)


def test_an_action_stores_at_most_a_mebibyte(declared: Callable[[str], str], bench: type) -> None:
    fields = "\n".join(f"    f{n}: Text[0, 65536] = ''" for n in range(20))
    half = "\n".join(f"    r.f{n} = text" for n in range(20))
    source = declared(
        f"""
class R(Record, key="id"):
    id: int
{fields}
@action(by="member", creates="R")
def make(tx, r: R, id: int):
    pass
@action(by="member")
def grow(tx, r: R, text: Text[0, 65536]):
{half}
"""
    )
    made = bench(source)
    made.take("make", {"id": 1})
    most = (STORED_BYTES_MAX - len(cbor.encode({"id": 1, **{f"f{n}": "" for n in range(20)}}))) // 20 - 2
    assert made.run("grow", {"r": 1, "text": "a" * most}, steps=200_000).code == "ok"
    assert made.run("grow", {"r": 1, "text": "a" * (most + 1)}, steps=200_000).code == "output.stored"
    assert made.run("grow", {"r": 1, "text": "é" * (most // 2 + 1)}, steps=200_000).code == "output.stored", "bytes"


# Roles


@pytest.mark.parametrize(
    ("action", "arguments", "by", "attributes", "denied"),
    [
        ("add", {"id": "tie", "owner": "bob", "price": usd(1)}, "carol", ("licence:shop",), None),
        ("add", {"id": "tie", "owner": "bob", "price": usd(1)}, "carol", ("licence:shop", "other"), None),
        (
            "add",
            {"id": "tie", "owner": "bob", "price": usd(1)},
            "carol",
            (),
            {"member": "carol", "attribute": "licence:shop"},
        ),
        (
            "add",
            {"id": "tie", "owner": "bob", "price": usd(1)},
            "carol",
            ("licence:shop2", "licence"),
            {"member": "carol", "attribute": "licence:shop"},
        ),
        ("sell", {"item": "hat", "to": "bob"}, "alice", (), None),
        ("sell", {"item": "hat", "to": "bob"}, "bob", (), {"role": "owner", "member": "bob"}),
        ("sell", {"item": "hat", "to": "bob"}, "bob", ("licence:shop",), {"role": "owner", "member": "bob"}),
        ("touch", {"item": "hat", "other": "pin"}, "stranger", (), None),
        ("build", {"number": 1}, "bob", ("licence:clerk",), None),
        ("build", {"number": 1}, "bob", (), {"member": "bob", "attribute": "licence:clerk"}),
    ],
)
def test_who_may(
    shop: Any, action: str, arguments: dict[str, Any], by: str, attributes: tuple[str, ...], denied: dict | None
) -> None:
    ran = shop.run(action, arguments, by=by, attributes=attributes)
    assert ran.code == ("ok" if denied is None else "role.denied")
    if denied is not None:
        assert ran.result["values"] == denied


def test_a_role_with_attribute_and_field_needs_both(shop: Any) -> None:
    shop.take("build", {"number": 7}, by="carol", **CLERK)
    assert shop.run("fill", {"shelf": 7, "item": "hat"}, by="carol", **CLERK).code == "ok"
    ran = shop.run("fill", {"shelf": 7, "item": "hat"}, by="carol")
    assert (ran.code, ran.result["values"]) == ("role.denied", {"member": "carol", "attribute": "licence:clerk"})
    ran = shop.run("fill", {"shelf": 7, "item": "hat"}, by="bob", **CLERK)
    assert (ran.code, ran.result["values"]) == ("role.denied", {"role": "clerk", "member": "bob"})


def test_the_role_is_of_the_first_record(shop: Any) -> None:
    shop.take("sell", {"item": "pin", "to": "bob"})
    assert shop.run("swap", {"item": "hat", "other": "pin"}, by="alice").code == "ok"
    assert shop.run("swap", {"item": "pin", "other": "hat"}, by="alice").code == "role.denied"


def test_the_role_is_judged_before_the_action(shop: Any) -> None:
    """Bob cannot make himself the owner first."""
    assert shop.run("sell", {"item": "hat", "to": "bob"}, by="bob").code == "role.denied"


def test_a_user_acts_for_its_member(shop: Any) -> None:
    assert shop.run("sell", {"item": "hat", "to": "bob"}, by="alice", user="alice/ann").code == "ok"


def test_arguments_are_judged_before_the_role(shop: Any) -> None:
    assert shop.run("sell", {"item": "hat"}, by="bob").code == "arguments.invalid"


# Views


def test_a_view_gives_a_plain_value_and_writes_nothing(shop: Any) -> None:
    ran = shop.run("price_of", {"item": "hat"}, by="stranger")
    assert (ran.code, ran.result, ran.writes, ran.events) == ("ok", usd(100), [], [])


@pytest.mark.parametrize(
    ("view", "arguments", "expected"),
    [
        ("small", {"number": 9}, 9),
        ("small", {"number": 10}, "what the view returns must lie within 0 and 9"),
        ("anything", {"text": "abc"}, "abc"),
        ("anything", {"text": "abcd"}, "what the view returns must have 1 to 3 characters, not 4"),
    ],
)
def test_what_a_view_returns_fits_what_it_declares(
    shop: Any, view: str, arguments: dict[str, Any], expected: object
) -> None:
    ran = shop.run(view, arguments)
    if isinstance(expected, str) and " " in expected:
        assert (ran.code, ran.result["message"]) == ("value.bounds", expected)
    else:
        assert (ran.code, ran.result) == ("ok", expected)


# Determinism


def test_the_same_run_gives_the_same_bytes(shop: Any) -> None:
    first, second = (shop.run("touch", {"item": "hat", "other": "pin"}) for _ in range(2))
    assert first == second


def test_a_second_load_of_the_same_source_runs_the_same(shop: Any, declared: Callable[[str], str], bench: type) -> None:
    again = bench(declared(SHOP)).program
    caller = Caller("alice", None, frozenset())
    first, second = (
        run(program, program.actions["touch"], {"item": "hat", "other": "pin"}, caller, 1, shop, shop, 1_000)
        for program in (shop.program, again)
    )
    assert first == second
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


def test_a_record_that_would_be_gigabytes_is_refused_before_it_is_encoded(
    acting: Callable[..., str], bench: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = "\n".join(f"    f{i}: list[Text[0, 65536], 1024] = []" for i in range(40))
    record = f'class R(Record, key="k"):\n    k: int\n{fields}'
    body = SHARING + "\n".join(f"r.f{i} = b" for i in range(40))
    made = bench(acting(body, "r: R, k: int", record).replace('by="member"', 'by="member", creates="R"'))
    monkeypatch.setattr(values, "cbor", None)
    ran = made.run("go", {"k": 1}, steps=200_000)
    assert ran.code == "output.stored"
    assert ran.steps < 100_000, "charged for what was looked at, no more"


def test_a_record_that_may_be_long_is_charged_for_each_item_looked_at(acting: Callable[..., str], bench: type) -> None:
    def price(most: int) -> int:
        record = f'class R(Record, key="k"):\n    k: int\n    f: list[Text[0, {most}], 1024] = []'
        source = acting("r.f = ['a', 'b', 'c']", "r: R, k: int", record)
        return bench(source.replace('by="member"', 'by="member", creates="R"')).run("go", {"k": 1}).steps

    assert price(1_000) == price(100) + 3


def test_what_a_view_returns_is_bounded_and_charged(viewing: Callable[..., str], bench: type) -> None:
    ran = bench(viewing(SHARING + "return b", "list[Text[0, 65536], 1024]")).run(steps=200_000)
    assert ran.code == "output.result"
    assert ran.steps < 100_000

    source = viewing("return t", "list[Text[0, 65536], 1024]", "t: list[Text[0, 65536], 1024]")
    room = RESULT_BYTES_MAX - len(cbor.encode(["a" * 61_500] * 17)) + 61_500
    full = ["a" * 61_500] * 16 + ["a" * room]
    assert len(cbor.encode(full)) == RESULT_BYTES_MAX
    ran = bench(source).run(arguments={"t": full}, steps=200_000)
    assert (ran.code, ran.result) == ("ok", full)
    assert ran.steps == bench(source).run(arguments={"t": []}).steps + 17 + RESULT_BYTES_MAX // OUTPUT_BYTES_PER_STEP
    full[-1] += "a"
    assert bench(source).run(arguments={"t": full}, steps=200_000).code == "output.result"


def test_what_an_action_writes_and_emits_is_paid_for_byte_by_byte(acting: Callable[..., str], bench: type) -> None:
    """So the steps of a block bound what it holds: small records under long keys, small events, large ones."""
    record = 'class R(Record, key="k"):\n    k: Text[0, 100]\n    t: Text[0, 60000] = ""'
    source = acting(
        "r.t = t\nevent('x')\nevent('abc', t=t, l=[1, None, t])", "r: R, k: Text[0, 100], t: Text[0, 9000]", record
    )
    made = bench(source.replace('by="member"', 'by="member", creates="R"'))
    for key, text in (("", ""), ("\U0010ffff" * 100, ""), ("a", "\U0010ffff" * 4_000), ("b", "x" * 9_000)):
        ran = made.run("go", {"k": key, "t": text})
        assert ran.code == "ok"
        assert len(writes.encode(ran.writes)) + len(cbor.encode(ran.events)) <= ran.steps * OUTPUT_BYTES_PER_STEP
