"""Records: touched, made, selected, migrated, judged, stored; the same by the specification and on the fast path."""

from typing import Any

import pytest
from tests.contracts.specification.sources import contract, fault, world
from tests.contracts.world import World

from hansa.contracts.calls import Execution
from hansa.wire import cbor, order

NOTES = """
class Note(Record, key="id", index=["owner", "due"]):
    id: Int[0, 9999]
    owner: Party
    due: Date | None = None
    text: Text[0, 99] = ""
    tags: list[Text[0, 9], 5] = []
    next: Note | None = None

@action(by="member")
def make(tx, id: int, owner: Party, due: Date | None):
    Main.Note.create(id=id, owner=owner, due=due)

@action(by="member")
def link(tx, note: Note, to: Note):
    note.next = to

@action(by="member")
def write(tx, note: Note, text: Text[0, 99]):
    note.text = text
"""


def notes(*more: str, made: int = 3) -> World:
    """Notes 1, 2, ... of alice, bob, carol in turn, due on days of January 2024 that go down."""
    ledger = world(NOTES + "\n".join(more))
    for id in range(1, made + 1):
        owner = ("alice", "bob", "carol")[(id - 1) % 3]
        ledger.apply(ledger.agree(ledger.call("c", "make", {"id": id, "owner": owner, "due": f"2024-01-{20 - id:02}"})))
    return ledger


def look(body: str, made: int = 3, returns: str = "int", **arguments: Any) -> Execution:
    """What a view says."""
    inside = "\n".join(f"    {line}" for line in body.splitlines())
    parameters = "".join(f", {name}: Note" for name in arguments)
    ledger = notes(f"@view\ndef look(tx{parameters}) -> {returns}:\n{inside}", made=made)
    return ledger.agree(ledger.call("c", "look", arguments))


class TestTouching:
    def test_the_first_costs_20_and_the_stored_bytes_over_32_every_other_1(self) -> None:
        once = look("return Main.Note.get(1).id")
        twice = look("return Main.Note.get(1).id + Main.Note.get(1).id")
        stored = {"id": 1, "due": "2024-01-19", "next": None, "tags": [], "text": "", "owner": "alice"}
        assert once.steps == 10 + (2 + 5) + 20 + len(cbor.encode(stored)) // 32
        assert twice.steps == once.steps + 6 + 1

    def test_a_place_without_a_record_costs_the_same(self) -> None:
        ran = look("x = 0\nif not Main.Note.exists(9) and Main.Note.find(9) is None:\n    x = 1\nreturn x")
        assert (ran.result, ran.steps) == (1, 10 + (1 + 1 + (1 + 11) + 1) + 2 + 20 + 1)

    def test_what_is_not_there(self) -> None:
        ran = look("return Main.Note.get(9).id")
        assert (ran.code, ran.result["values"]) == ("record.missing", {"record": "Note"})

    def test_a_key_fits(self) -> None:
        ran = look("x = 10000\nreturn Main.Note.get(x).id")
        assert (ran.code, ran.result["message"]) == ("value.bounds", "`Note.id` must lie within 0 and 9999")

    def test_at_most_1024(self) -> None:
        body = "x = 0\nfor i in range({}):\n    if Main.Note.exists(i):\n        x += 1\nreturn x"
        assert look(body.format(1_024)).result == 3
        assert fault(look(body.format(1_025)))[0] == "records.exceeded"

    def test_lists_of_a_record_are_made(self) -> None:
        body = "return len(Main.Note.get(1).tags)"
        ledger = notes(
            '@action(by="member")\ndef put(tx, note: Note):\n    note.tags = ["aaaaaaaaa", "b", "c", "d", "e"]',
            f"@view\ndef look(tx) -> int:\n    {body}",
        )
        place = order.place("c", "Note", 1)
        read = len(ledger.records[place].value) // 32
        empty = ledger.agree(ledger.call("c", "look")).steps - read - 56 // 128
        ledger.apply(ledger.agree(ledger.call("c", "put", {"note": 1})))
        read = len(ledger.records[place].value) // 32
        weight = 56 + 5 * 8 + (64 + 36) + 4 * (64 + 4)
        assert ledger.agree(ledger.call("c", "look")).steps == empty + read + weight // 128


class TestFields:
    def test_a_reference_is_the_record(self) -> None:
        ledger = notes("@view\ndef look(tx, note: Note) -> Text[0, 99]:\n    return note.next.text")
        assert ledger.agree(ledger.call("c", "look", {"note": 1})).code == "value.none"
        ledger.apply(ledger.agree(ledger.call("c", "link", {"note": 1, "to": 2})))
        ledger.apply(ledger.agree(ledger.call("c", "write", {"note": 2, "text": "here"})))
        assert ledger.agree(ledger.call("c", "look", {"note": 1})).result == "here"

    def test_two_handles_are_one_record(self) -> None:
        ledger = notes(
            '@action(by="member")\ndef both(tx, a: Note, b: Note):\n    a.text = "x"\n'
            '    event("e", same=a == b, text=b.text)'
        )
        data = [
            ledger.agree(ledger.call("c", "both", {"a": 1, "b": other})).events[0]["data"]  # type: ignore[misc]
            for other in (1, 2)
        ]
        assert data == [{"same": True, "text": "x"}, {"same": False, "text": ""}]

    def test_what_is_assigned_fits(self) -> None:
        ledger = notes('@action(by="member")\ndef change(tx, note: Note):\n    note.tags.append("aaaaaaaaaa")')
        ran = ledger.agree(ledger.call("c", "change", {"note": 1}))
        assert ran.result["message"] == "`Note.tags` item 0: must have 0 to 9 characters, not 10"

    def test_the_same_value_is_a_change(self) -> None:
        ledger = notes()
        (write,) = ledger.agree(ledger.call("c", "write", {"note": 2, "text": ""})).writes
        assert (write.record, write.key, write.previous) == ("Note", 2, 2)


class TestMaking:
    def test_a_place_is_taken_once(self) -> None:
        ledger = notes()
        ran = ledger.agree(ledger.call("c", "make", {"id": 1, "owner": "bob", "due": None}))
        assert (ran.code, ran.result["values"]) == ("record.exists", {"record": "Note"})

    def test_looking_before_is_no_obstacle_and_keeps_the_order(self) -> None:
        ledger = notes(
            '@action(by="member")\ndef both(tx):\n    if not Main.Note.exists(8):\n'
            "        Main.Note.create(id=7, owner=tx.member)\n        Main.Note.create(id=8, owner=tx.member)\n"
            "    Main.Note.create(id=8, owner=tx.member)"
        )
        assert fault(ledger.agree(ledger.call("c", "both")))[0] == "record.exists"
        ledger = notes(
            '@action(by="member")\ndef both(tx):\n    if not Main.Note.exists(8):\n'
            "        Main.Note.create(id=7, owner=tx.member)\n        Main.Note.create(id=8, owner=tx.member)"
        )
        assert [write.key for write in ledger.agree(ledger.call("c", "both")).writes] == [8, 7]

    def test_fields_fit_in_the_order_of_declaration(self) -> None:
        ledger = notes(
            '@action(by="member")\ndef bad(tx, text: Text[0, 200], id: int):\n'
            "    Main.Note.create(text=text, id=id, owner=tx.member)"
        )
        ran = ledger.agree(ledger.call("c", "bad", {"text": "a" * 100, "id": -1}))
        assert ran.result["message"] == "`Note.id` must lie within 0 and 9999"


SELECTS = {
    "by key": ("limit=2", [1, 2]),
    "by key from": ("least=2, limit=9", [2, 3, 4, 5]),
    "by key up to": ("most=2, limit=9", [1, 2]),
    "by key between": ("least=2, most=3, limit=9", [2, 3]),
    "one key": ("equal=4, limit=9", [4]),
    "by a field, then key": ('by="owner", limit=9', [1, 4, 2, 5, 3]),
    "one of a field": ('by="owner", equal=Main.Note.get(2).owner, limit=9', [2, 5]),
    "of a field from": ('by="owner", least=Main.Note.get(2).owner, limit=2', [2, 5]),
    "dates": ('by="due", least=Date(2024, 1, 17), limit=9', [3, 2, 1]),
    "None first": ('by="due", most=Date(2024, 1, 15), limit=9', [5]),
    "None itself": ('by="due", equal=None, limit=9', []),
}


class TestSelecting:
    @pytest.mark.parametrize(("words", "found"), SELECTS.values(), ids=SELECTS)
    def test_order_and_bounds(self, words: str, found: list[int]) -> None:
        body = (
            f"found: list[int, 9] = []\nfor note in Main.Note.select({words}):\n    found.append(note.id)\nreturn found"
        )
        assert look(body, made=5, returns="list[int, 9]").result == found

    def test_it_sees_what_this_transaction_made_and_changed(self) -> None:
        ledger = notes(
            '@action(by="member")\ndef look(tx, note: Note):\n'
            "    note.due = None\n    Main.Note.create(id=0, owner=tx.member)\n"
            '    for each in Main.Note.select(by="due", limit=3):\n        event("e", id=each.id)'
        )
        ran = ledger.agree(ledger.call("c", "look", {"note": 2}))
        assert [event["data"]["id"] for event in ran.events] == [0, 2, 3]

    def test_it_costs_50_and_touches_all_before_the_loop(self) -> None:
        none = look("x = 0\nfor note in Main.Note.select(least=7, limit=9):\n    x += 1\nreturn x")
        first = look("x = 0\nfor note in Main.Note.select(least=0, limit=9):\n    return 1\nreturn x")
        stored = {"id": 1, "due": "2024-01-19", "next": None, "tags": [], "text": "", "owner": "alice"}
        assert none.steps == 10 + (1 + 1 + (1 + 5) + 1) + 50
        assert first.steps == none.steps + 3 * (20 + len(cbor.encode(stored)) // 32) + 2

    def test_each_changed_record_of_the_type_costs_10(self) -> None:
        few, many = (
            notes(
                f'@action(by="member")\ndef look(tx, a: Note, b: Note):\n    a.text = "x"\n    {name}.text = "y"\n'
                "    for each in Main.Note.select(least=7, limit=9):\n        pass"
            )
            for name in ("a", "b")
        )
        call = few.call("c", "look", {"a": 1, "b": 2})
        stored = few.agree(call).writes[0]
        more = 50 + (len(stored.place) + len(stored.value) - 2) // 8
        assert many.agree(call).steps == few.agree(call).steps + 10 + more

    @pytest.mark.parametrize("limit", [0, 1_025])
    def test_the_limit_is_1_to_1024(self, limit: int) -> None:
        ran = look(f"for note in Main.Note.select(limit={limit} + 0):\n    return 1\nreturn 0")
        assert fault(ran)[0] == "value.range"


VERSION_1 = """
class Note(Record, key="id", index=["owner"]):
    id: int
    owner: Party
    text: Text[0, 9] = ""
    amount: Amount

@action(by="member")
def make(tx, id: int, amount: Amount):
    Main.Note.create(id=id, owner=tx.member, amount=amount, text="hello")
"""
VERSION_2 = """
class Note_1(Struct):
    id: int
    owner: Party
    text: Text[0, 9]
    amount: Amount

class Note(Record, key="id", index=["owner"]):
    id: int
    owner: Party
    text: Text[0, 3] | None = None
    amount: SignedAmount
    length: int = 0

    @migration
    def from_1(note, old: Note_1):
        note.length = len(old.text) * 100 // (len(old.text) - 1)
        note.text = old.text[:3]

@action(by="member")
def change(tx, note: Note):
    note.length += 1

@view
def look(tx, note: Note) -> int:
    return note.length
"""


class TestMigrating:
    def deployed(self) -> World:
        ledger = World()
        ledger.deploy("c", contract(VERSION_1))
        ledger.apply(ledger.agree(ledger.call("c", "make", {"id": 1, "amount": {"minor": 5, "currency": "EUR"}})))
        ledger.deploy("c", contract(VERSION_2, version="1.1.0"))
        return ledger

    def test_an_older_record_is_read_as_the_newer_type(self) -> None:
        ledger = self.deployed()
        assert ledger.agree(ledger.call("c", "look", {"note": 1})).result == 125

    def test_it_is_stored_when_it_changes(self) -> None:
        ledger = self.deployed()
        ran = ledger.agree(ledger.call("c", "change", {"note": 1}))
        assert cbor.decode(ran.writes[0].value) == {
            "id": 1,
            "owner": "alice",
            "text": "hel",
            "amount": {"minor": 5, "currency": "EUR"},
            "length": 126,
        }
        ledger.apply(ran)
        again = ledger.agree(ledger.call("c", "look", {"note": 1}))
        first = self.deployed()
        assert again.result == 126
        assert again.steps < first.agree(first.call("c", "look", {"note": 1})).steps

    def test_it_costs_10_and_the_body(self) -> None:
        first = self.deployed()
        ran = first.agree(first.call("c", "look", {"note": 1}))
        (record,) = first.records.values()
        body = 1 + (1 + 10) + (1 + 3)
        assert ran.steps == 10 + 20 + len(record.value) // 32 + 10 + body + 3


class TestCarrying:
    """Which fields the next version takes over as they are."""

    BEFORE = """
    class Kind(Enum):
        A = "a"

    class Old(Struct):
        kind: Kind
        n: int
    """
    FIRST = """
    class Note(Record, key="id"):
        id: int
        kind: Kind
        old: Old
        other: Note | None = None
        many: list[Old, 3]
        named: dict[Text[0, 3], Amount, 3]

    @action(by="member")
    def make(tx, id: int, old: Old, named: dict[Text[0, 3], Amount, 3]):
        Main.Note.create(id=id, kind=old.kind, old=old, many=[old], named=named, other=Main.Note.find(0))
    """

    def test_structs_lists_maps_enums_and_references(self) -> None:
        first = self.FIRST
        ledger = World()
        ledger.deploy("c", contract(first, self.BEFORE))
        old = {"kind": "A", "n": 1}
        named = {"x": {"minor": 1, "currency": "EUR"}}
        for id in (0, 1):
            ledger.apply(ledger.agree(ledger.call("c", "make", {"id": id, "old": old, "named": named})))
        before = self.BEFORE.replace('A = "a"', 'A = "a"\n        B = "b"').replace("n: int", "n: Int[0, 9] | None")
        then = first.replace("Amount, 3]\n\n", "SignedAmount, 5]\n\n", 1).replace("list[Old, 3]", "list[Old, 5] | None")
        then += '\n    @action(by="member")\n    def change(tx, note: Note):\n        note.many.append(note.old)\n'
        ledger.deploy("c", contract(then, before, version="1.1.0"))
        ran = ledger.agree(ledger.call("c", "change", {"note": 1}))
        assert cbor.decode(ran.writes[0].value) == {
            "id": 1,
            "old": old,
            "kind": "A",
            "many": [old, old],
            "named": named,
            "other": 0,
        }


class TestInvariants:
    PARTS = """
    class Box(Record, key="id"):
        id: int
        inside: int = 0

        @invariant
        def small(box):
            require(box.inside < 5, "{n} is too many", n=box.inside)

        @invariant
        def even(box):
            require(half(box.inside) * 2 == box.inside, "odd")

    @action(by="member")
    def make(tx, id: int, inside: int):
        box = Main.Box.create(id=id)
        box.inside = inside
    """
    BEFORE = "def half(n: int) -> int:\n    require(n >= 0, 'negative')\n    return n // 2\n".replace("'", '"')

    @pytest.mark.parametrize(
        ("inside", "code", "message"),
        [
            (4, "ok", None),
            (6, "invariant.failed", "{n} is too many"),
            (3, "invariant.failed", "odd"),
            (-2, "invariant.failed", "negative"),
        ],
    )
    def test_they_hold_of_what_is_written(self, inside: int, code: str, message: str | None) -> None:
        ledger = world(self.PARTS, self.BEFORE)
        ran = ledger.agree(ledger.call("c", "make", {"id": 1, "inside": inside}))
        assert ran.code == code
        assert message is None or ran.result["message"] == message


def test_64_schedules_in_a_transaction() -> None:
    ledger = notes(
        '@action(by="schedule")\ndef fire(tx, note: Note):\n    note.text = "due"',
        '@action(by="member")\ndef plan(tx, note: Note, n: int):\n    for i in range(n):\n'
        '        schedule(note, "fire", tx.time + Duration(days=1))',
    )
    assert len(ledger.agree(ledger.call("c", "plan", {"note": 1, "n": 64})).writes) == 64
    assert ledger.agree(ledger.call("c", "plan", {"note": 1, "n": 65})).code == "output.schedules"


class TestStoring:
    def test_50_and_the_bytes_over_8(self) -> None:
        ledger = world(
            'class A(Record, key="id"):\n    id: int\n'
            '@action(by="member", creates="A")\n'
            "def make(tx, a: A, id: int):\n    pass"
        )
        ran = ledger.agree(ledger.call("c", "make", {"id": 1}))
        (write,) = ran.writes
        assert ran.steps == 10 + 20 + 2 + 50 + (len(write.place) + len(write.value)) // 8

    def test_a_mebibyte_together(self) -> None:
        parts = (
            'class A(Record, key="id"):\n    id: int\n    text: Text[0, 65536]\n@action(by="member")\n'
            "def make(tx, n: int, text: Text[0, 65536]):\n    for id in range(n):\n"
            "        Main.A.create(id=id, text=text)"
        )
        ledger = world(parts)
        room = 65_536 - 1 - (1 + 2) - (1 + 4) - 1
        assert ledger.agree(ledger.call("c", "make", {"n": 16, "text": "a" * (room - 5)}), steps=10**6).code == "ok"
        ran = ledger.agree(ledger.call("c", "make", {"n": 16, "text": "a" * room}), steps=10**6)
        assert (ran.code, ran.result["line"]) == ("output.stored", None)

    def test_what_is_scheduled_is_stored_last(self) -> None:
        ledger = notes(
            '@action(by="schedule")\ndef fire(tx, note: Note):\n    note.text = "due"',
            '@action(by="member")\ndef plan(tx, a: Note, b: Note, at: Instant):\n    schedule(b, "fire", at)\n'
            '    schedule(a, "fire", at)\n    a.text = "planned"',
        )
        ran = ledger.agree(ledger.call("c", "plan", {"a": 1, "b": 2, "at": ledger.time + 1_000}))
        assert [(w.contract, w.record) for w in ran.writes] == [("c", "Note")] + 2 * [("members", "Schedule")]
        first, second = (cbor.decode(write.value) for write in ran.writes[1:])
        assert (first["record"], first["action"], first["due"]) == ("Note", "fire", ledger.time + 1_000)
        assert (first["id"][-2:], second["id"][-2:]) == (b"\0\0", b"\0\1")
        alone = ledger.agree(ledger.call("c", "write", {"note": 1, "text": "planned"}))
        due = sum(50 + (len(write.place) + len(write.value)) // 8 for write in ran.writes[1:])
        second_note, statements = 20 + 50 // 32, 2 * (1 + 1 + 3)
        assert ran.steps == alone.steps + due + second_note + statements
        early = ledger.agree(ledger.call("c", "plan", {"a": 1, "b": 2, "at": ledger.time + 999}))
        assert early.code == "schedule.past"
