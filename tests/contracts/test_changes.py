"""What a next version declares otherwise, in words."""

from hansa.contracts import program
from hansa.contracts.changes import changes

BEFORE = '''"""A shop."""

from hansa.contract import (
    Amount, Bytes, Contract, Date, Enum, Instant, Int, Party, Record, SignedAmount, Struct, Text, action, view
)


class Kind(Enum):
    New = "never used"


class Box(Struct):
    width: Int[1, 9]


class Shop(Contract, version="1.0.0"):
    class Roles:
        owner: Party = Party(attribute="role:owner")
        clerk: Party = Party(user="may:sell")

    class Thing(Record, key="id", index=["day"]):
        id: Text[1, 40]
        day: Date
        boxes: list[Box, 5]
        old: Bytes[1, 4] | None = None

        class States:
            Offered = "it can be had"
            Sold = "it is gone"

    @action(by="owner", creates="Thing", to="Offered")
    def offer(tx, thing: Thing, id: Text[1, 40], day: Date, boxes: list[Box, 5]):
        pass

    @action(by="clerk", on="Offered", to="Sold")
    def sell(tx, thing: Thing, price: Amount, at: Instant | None):
        pass

    @view
    def day_of(tx, thing: Thing) -> Date:
        return thing.day
'''


def manifest(source):
    return program.check(source, "shop").manifest


def test_nothing_is_otherwise():
    assert changes(manifest(BEFORE), manifest(BEFORE.replace("pass", "thing.day = thing.day"))) == []


def test_everything_is_new():
    assert changes(None, manifest(BEFORE)) == [
        "+ role clerk: users with may:sell",
        "+ role owner: members with role:owner",
        "+ record Thing: key id, index day",
        "+ field Thing.boxes: list[Box, 5]",
        "+ field Thing.day: Date",
        "+ field Thing.id: Text[1, 40]",
        "+ field Thing.old: Bytes[1, 4] | None = None",
        "+ state Thing.Offered: it can be had",
        "+ state Thing.Sold: it is gone",
        "+ struct Box: width: Int[1, 9]",
        "+ enum Kind: New",
        "+ action offer: (thing: Thing, id: Text[1, 40], day: Date, boxes: list[Box, 5]) by owner to Offered",
        "+ action sell: (thing: Thing, price: Amount, at: Instant | None) by clerk on Offered to Sold",
        "+ view day_of: (thing: Thing) returns Date",
    ]


def test_what_is_gone_new_and_another():
    after = BEFORE
    for old, new in (
        ('"role:owner"', '"role:seller"'),
        ("boxes: list[Box, 5]\n", 'boxes: list[Box, 6]\n        note: Text[0, 9] = ""\n'),
        ("        old: Bytes[1, 4] | None = None\n", ""),
        ('            Sold = "it is gone"\n', '            Sold = "it is gone"\n            Lost = "nobody knows"\n'),
        ("price: Amount", "price: SignedAmount"),
        ("def day_of(", "def date_of("),
        ('New = "never used"', 'New = "never used"\n    Used = "by somebody"'),
    ):
        assert old in after
        after = after.replace(old, new, 1)
    assert changes(manifest(BEFORE), manifest(after)) == [
        "~ role owner: members with role:owner -> members with role:seller",
        "~ field Thing.boxes: list[Box, 5] -> list[Box, 6]",
        "+ field Thing.note: Text[0, 9] = ''",
        "- field Thing.old",
        "+ state Thing.Lost: nobody knows",
        "~ enum Kind: New -> New, Used",
        "~ action sell: (thing: Thing, price: Amount, at: Instant | None) by clerk on Offered to Sold -> "
        "(thing: Thing, price: SignedAmount, at: Instant | None) by clerk on Offered to Sold",
        "+ view date_of: (thing: Thing) returns Date",
        "- view day_of",
    ]
