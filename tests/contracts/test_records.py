"""Records while a contract runs: found, made, ranged over, scheduled for; and contracts that call each other."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contracts.sources import contract
from tests.contracts.world import TIME, World

from hansa.contracts import prices, schedules
from hansa.contracts.calls import Execution
from hansa.wire import cbor

NOTES = """
class Note(Record, key="id", index=["rank", "owner", "next", "done"]):
    id: int
    rank: int | None
    owner: Party = "x"
    next: Note | None = None
    done: bool = False
"""
NOTES = NOTES.replace(' = "x"', "")
ACTIONS = """
@action(by="member")
def make(tx, id: int, rank: int | None, owner: Party):
    Note.create(id=id, rank=rank, owner=owner)
@action(by="member")
def change(tx, changes: dict[Text[1, 9], int, 99], made: dict[Text[1, 9], int, 99], least: int | None, most: int | None,
           limit: int, by_rank: bool):
    for name, rank in changes.items():
        note = Note.get(int(name))
        note.rank = rank if rank >= 0 else None
    for name, rank in made.items():
        Note.create(id=int(name), rank=rank if rank >= 0 else None, owner=tx.member)
    found = []
    if by_rank:
        for note in Note.select(by="rank", least=least, most=most, limit=limit):
            found.append(note.id)
    else:
        for note in Note.select(least=least, most=most, limit=limit):
            found.append(note.id)
    event("found", ids=found)
@view
def of(tx, owner: Party, limit: int) -> list[int, 99]:
    found = []
    for note in Note.select(by="owner", equal=owner, limit=limit):
        found.append(note.id)
    return found
@view
def all_of(tx, limit: int | None) -> int:
    n = 0
    for note in Note.select(limit=limit):
        n += 1
    return n
@view
def looked(tx, id: int) -> list[bool, 4]:
    found = Note.find(id)
    return [Note.exists(id), found is None, found == Note.find(id)]
@view
def got(tx, id: int) -> int | None:
    return Note.get(id).rank
@action(by="member")
def twice(tx, id: int):
    first = Note.find(id)
    made = Note.create(id=id, rank=1, owner=tx.member)
    made.rank += 1
    event("same", same=made == Note.get(id), rank=Note.get(id).rank, found=first is None)
    Note.create(id=id, rank=1, owner=tx.member)
@action(by="member")
def chain(tx, note: Note, other: Note):
    note.next = other
    note.next.next = note
    event("round", ids=[note.next.id, note.next.next.id, note.next.next.next.id], same=note.next.next == note)
@view
def leading_to(tx, note: Note) -> list[int, 99]:
    found = []
    for other in Note.select(by="next", equal=note, limit=9):
        found.append(other.id)
    for other in Note.select(by="done", least=True, limit=9):
        found.append(-other.id)
    return found
@action(by="member")
def many(tx, count: int):
    for i in range(count):
        Note.create(id=i, rank=i, owner=tx.member)
@action(by="schedule")
def due(tx, note: Note):
    note.done = True
@action(by="member")
def plan(tx, note: Note, at: list[Instant, 99]):
    for each in at:
        schedule(note, "due", each)
"""


@pytest.fixture
def world() -> World:
    made = World()
    made.deploy("notes", contract(ACTIONS, NOTES))
    return made


def run(world: World, name: str, **arguments: Any) -> Execution:
    return world.run(world.call("notes", name, arguments))


def fill(world: World, ranks: dict[int, int | None]) -> None:
    for id, rank in ranks.items():
        world.take(world.call("notes", "make", {"id": id, "rank": rank, "owner": "bob" if id % 2 else "carol"}))


RANKS = st.integers(-1, 6)
BOUND = st.none() | st.integers(0, 6)
IDS = st.integers(0, 12)


def shown(found: dict[int, int]) -> dict[str, int]:
    return {str(id): rank for id, rank in found.items()}


@settings(max_examples=60)
@given(
    stored=st.dictionaries(IDS, RANKS, max_size=8),
    changed=st.dictionaries(IDS, RANKS, max_size=4),
    made=st.dictionaries(IDS, RANKS, max_size=4),
    least=BOUND,
    most=BOUND,
    limit=st.integers(1, 9),
    by_rank=st.booleans(),
)
def test_a_range_is_in_order_and_sees_what_was_just_written(
    stored: dict[int, int], changed: dict[int, int], made: dict[int, int], least: int | None, most: int | None,
    limit: int, by_rank: bool,
) -> None:  # fmt: skip
    """Against a plain model: all records, sorted, cut off."""
    changed = {id: rank for id, rank in changed.items() if id in stored}
    made = {id: rank for id, rank in made.items() if id not in stored}
    least, most = (least, most) if by_rank else (least or 0, 12 if most is None else most)
    world = World()
    world.deploy("notes", contract(ACTIONS, NOTES))
    fill(world, {id: rank if rank >= 0 else None for id, rank in stored.items()})
    ran = run(
        world, "change", changes=shown(changed), made=shown(made), least=least, most=most, limit=limit, by_rank=by_rank
    )
    now = {**stored, **changed, **made}

    def rank_of(id: int) -> int:
        return now[id] if by_rank else id

    low, high = -1 if least is None else least, -1 if most is None else most
    expected = sorted((max(rank_of(id), -1), id) for id in now if low <= max(rank_of(id), -1) <= high)
    assert ran.code == "ok", ran
    assert ran.events[0]["data"]["ids"] == [id for _, id in expected[:limit]]


def test_a_range_of_one_value_and_its_limit(world: World) -> None:
    fill(world, {5: 1, 1: 2, 3: 1, 2: 0, 9: 1})
    assert run(world, "of", owner="bob", limit=9).result == [1, 3, 5, 9]
    assert run(world, "of", owner="bob", limit=2).result == [1, 3]
    assert run(world, "of", owner="carol", limit=1).result == [2]
    assert run(world, "of", owner="alice", limit=1).result == []
    assert run(world, "all_of", limit=1_024).result == 5
    for limit, code in ((0, "value.range"), (1_025, "value.range"), (-1, "value.range"), (None, "value.none")):
        assert run(world, "all_of", limit=limit).code == code


def test_a_range_is_charged_by_what_it_gives_and_what_was_changed(world: World) -> None:
    fill(world, {1: 1, 2: 2, 3: 3})
    few, all_ = run(world, "all_of", limit=1).steps, run(world, "all_of", limit=3).steps
    size = len(cbor.encode({"id": 1, "rank": 1, "owner": "bob", "next": None, "done": False}))
    assert all_ - few == 2 * (prices.TOUCH_STEPS + size // 32 + 3), "each row is touched, and each pass is a block"
    empty = {"changes": {}, "made": {}, "least": 1, "most": 1, "limit": 1, "by_rank": False}
    one, two = (run(world, "change", **{**empty, "changes": {"2": 5, **more}}).steps for more in ({}, {"3": 5}))
    stored = (len(b"notes\0Note\0") + 8 + size + 2) // 8
    body = two - one - prices.SELECT_CHANGED_STEPS - prices.TOUCH_STEPS - size // 32 - prices.STORE_STEPS
    assert 0 < body - stored < 20


def test_finding_looks_and_getting_needs(world: World) -> None:
    fill(world, {1: 7, 2: None})
    assert run(world, "looked", id=1).result == [True, False, True]
    assert run(world, "looked", id=9).result == [False, True, True]
    assert run(world, "got", id=1).result == 7
    assert run(world, "got", id=2).result is None
    ran = run(world, "got", id=9)
    assert (ran.code, ran.result["values"]) == ("record.missing", {"record": "Note"})


def test_what_is_made_is_found_and_not_made_twice(world: World) -> None:
    ran = run(world, "twice", id=4)
    assert (ran.code, ran.result["values"]) == ("record.exists", {"record": "Note"})


def test_references_lead_round_to_the_same_record(world: World) -> None:
    fill(world, {1: 1, 2: 2})
    ran = world.take(world.call("notes", "chain", {"note": 1, "other": 2}))
    assert ran.events[0]["data"] == {"ids": [2, 1, 2], "same": True}
    assert [found["next"] for found in world.values("notes", "Note")] == [2, 1]
    world.take(world.call("notes", "due", {"note": 2}, by=None))
    assert run(world, "leading_to", note=1).result == [2, -2]


def test_a_transaction_touches_so_many_records_and_no_more(world: World) -> None:
    for count, code in ((prices.RECORDS_MAX, "ok"), (prices.RECORDS_MAX + 1, "records.exceeded")):
        ran = world.run(world.call("notes", "many", {"count": count}), steps=10**6)
        assert (ran.code, len(ran.writes)) == (code, count if code == "ok" else 0)


def test_what_is_scheduled_stands_in_the_state(world: World) -> None:
    fill(world, {1: 1})
    ran = run(world, "plan", note=1, at=[TIME + 1_000, TIME + 5_000])
    assert ran.code == "ok"
    found = [schedules.read(write.value) for write in ran.writes]
    assert [(w.contract, w.record, w.previous) for w in ran.writes] == [("members", "Schedule", None)] * 2
    assert [(d.due, d.record, d.action, d.contract) for d in found] == [
        (TIME + 1_000, "Note", "due", "notes"),
        (TIME + 5_000, "Note", "due", "notes"),
    ]
    assert found[0].id < found[1].id
    assert schedules.key_of(world.programs["notes"][0][1].shapes["Note"].type.fields["id"].type, found[0].key) == 1


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ([TIME + 999], "schedule.past"),
        ([0], "schedule.past"),
        ([TIME + 1_000] * prices.SCHEDULES_MAX, "ok"),
        ([TIME + 1_000] * (prices.SCHEDULES_MAX + 1), "output.schedules"),
    ],
)
def test_schedules_lie_ahead_and_are_few(world: World, at: list[int], code: str) -> None:
    fill(world, {1: 1})
    ran = run(world, "plan", note=1, at=at)
    assert (ran.code, len(ran.writes)) == (code, len(at) if code == "ok" else 0)


# Calls between contracts

BANK = """
class Roles:
    engine: Party = Party(contract="shop")
    owner: Party
class Account(Record, key="owner"):
    owner: Party
    amount: Amount
    @invariant
    def bounded(account):
        require(account.amount.minor <= 500, "too rich")
@action(by="member", creates="Account")
def open(tx, account: Account, owner: Party, amount: Amount):
    pass
@action(by=["engine", "owner"])
def pay(tx, account: Account, to: Account, amount: Amount):
    require(amount.minor != 13, "no {n}", n=amount.minor)
    account.amount -= amount
    to.amount += amount
    event("paid", by=tx.member, via=tx.caller)
@action(by="owner")
def owners_only(tx, account: Account):
    pass
@view
def balance(tx, account: Account, closely: bool) -> Amount:
    return account.amount
@view
def odd(tx, number: int) -> int:
    return number
"""
SHOP = """
class Bank(Interface, contract="bank"):
    @action
    def pay(tx, account: Party, to: Party, amount: Amount): ...
    @action
    def owners_only(tx, account: Party): ...
    @action
    def missing(tx): ...
    @view
    def balance(tx, account: Party, closely: bool) -> Amount: ...
    @view
    def odd(tx, number: Int[0, 9]) -> Int[0, 5]: ...
class Nowhere(Interface, contract="nowhere"):
    @action
    def go(tx): ...
class Loop(Interface, contract="back"):
    @action
    def back(tx, times: int): ...
"""
CALLS = """
@action(by="member")
def buy(tx, to: Party, amount: Amount):
    Bank.pay(account=tx.member, to=to, amount=amount)
    event("bought", left=Bank.balance(account=tx.member, closely=True))
@action(by="member")
def forbidden(tx):
    Bank.owners_only(account=tx.member)
@action(by="member")
def missing(tx):
    Bank.missing()
@action(by="member")
def nowhere(tx):
    Nowhere.go()
@action(by="member")
def again(tx, times: int):
    Loop.back(times=times)
@view
def odd(tx, number: int) -> int:
    return Bank.odd(number=number)
"""
BACKS = """
class Roles:
    front: Party = Party(contract="shop")
@action(by="front")
def back(tx, times: int):
    Shop.again(times=times)
"""
BACK = """
class Shop(Interface, contract="shop"):
    @action
    def again(tx, times: int): ...
"""


@pytest.fixture
def town() -> World:
    """A bank, where alice and bob have an account, and a shop that may move what is in them."""
    made = World()
    made.deploy("bank", contract(BANK))
    made.deploy("shop", contract(CALLS, SHOP))
    made.deploy("back", contract(BACKS, BACK))
    for owner, minor in (("alice", 300), ("bob", 300)):
        made.take(made.call("bank", "open", {"owner": owner, "amount": {"minor": minor, "currency": "EUR"}}))
    return made


def call(town: World, name: str, on: str = "shop", **arguments: Any) -> Execution:
    return town.run(town.call(on, name, arguments))


def eur(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


def test_a_contract_acts_through_another_and_sees_what_came_of_it(town: World) -> None:
    ran = town.take(town.call("shop", "buy", {"to": "bob", "amount": eur(100)}))
    assert ran.events == [
        {"data": {"by": "alice", "via": "shop"}, "name": "paid", "contract": "bank"},
        {"data": {"left": eur(200)}, "name": "bought"},
    ]
    assert [(w.contract, w.key) for w in ran.writes] == [("bank", "alice"), ("bank", "bob")]
    assert [found["amount"] for found in town.values("bank", "Account")] == [eur(200), eur(400)]


@pytest.mark.parametrize(
    ("name", "arguments", "code", "contract_", "message"),
    [
        ("buy", {"to": "bob", "amount": eur(301)}, "value.range", "bank", "an Amount would be negative"),
        ("buy", {"to": "bob", "amount": eur(201)}, "invariant.failed", "bank", "too rich"),
        ("buy", {"to": "bob", "amount": eur(13)}, "require.failed", "bank", "no {n}"),
        ("buy", {"to": "carol", "amount": eur(1)}, "arguments.invalid", "bank", "the arguments do not fit"),
        ("forbidden", {}, "role.denied", "bank", "a {role} must sign this action itself"),
        ("missing", {}, "action.unknown", "shop", None),
        ("nowhere", {}, "contract.unknown", "shop", None),
        ("again", {"times": 1}, "call.reentrant", "back", "{contract} is running already"),
        ("odd", {"number": 5}, "ok", "", None),
        ("odd", {"number": 6}, "call.result", "shop", "what `bank.odd` returned must lie within 0 and 5"),
        ("odd", {"number": 10}, "value.bounds", "shop", "`Bank.odd.number` must lie within 0 and 9"),
    ],
)
def test_a_fault_ends_all_wherever_it_arose(
    town: World, name: str, arguments: dict[str, Any], code: str, contract_: str, message: str | None
) -> None:
    ran = call(town, name, **arguments)
    assert (ran.code, ran.writes, ran.events) == (code, [], [])
    if code != "ok":
        assert ran.result["contract"] == contract_
        assert ran.version == "1.0.0"
        assert message is None or ran.result["message"] == message
        assert (ran.result["line"] is None) == (code in ("arguments.invalid", "role.denied"))


def test_who_signed_has_no_role_through_a_contract(town: World) -> None:
    """Alice may pay from her own account; through another contract than the engine she may not."""
    assert call(town, "pay", "bank", account="alice", to="bob", amount=eur(1)).code == "ok"
    town.deploy("thief", contract(CALLS, SHOP))
    assert call(town, "buy", "thief", to="bob", amount=eur(1)).code == "role.denied"


DEEP = """
def down(n: int) -> int:
    if n == 0:
        return 0
    return down(n - 1) + 1
"""


@pytest.mark.parametrize(("levels", "code"), [(63, "ok"), (64, "call.depth"), (2**62, "call.depth")])
def test_functions_call_each_other_so_deep_and_no_deeper(levels: int, code: str) -> None:
    world = World()
    world.deploy("sample", contract("@view\ndef go(tx, n: int) -> int:\n    return down(n)", DEEP))
    ran = world.run(world.call("sample", "go", {"n": levels}))
    assert ran.code == code
    assert code != "ok" or ran.result == levels


def test_depth_is_given_back() -> None:
    world = World()
    body = "x = 0\n    for i in range(200):\n        x = down(3)\n    return x"
    world.deploy("sample", contract(f"@view\ndef go(tx) -> int:\n    {body}", DEEP))
    assert world.run(world.call("sample", "go")).result == 3
