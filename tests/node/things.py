"""Contracts that use what an isolated run must carry over: the corpus of `test_isolation` and `test_exclusion`."""

LIBRARY = '''"""Sums."""

from hansa.contract import Contract


def double(number: int) -> int:
    """Twice as much."""
    return number + number
'''

THINGS = '''"""Things with parts, counted by another contract."""

from hansa.contract import Amount, Bytes, Contract, Duration, Interface, Party, Record, Struct, Text
from hansa.contract import action, event, invariant, library, require, schedule, view

sums = library("sums", "DIGEST")


class Tally(Interface, contract="tally"):
    @action
    def count(tx, name: Text[1, 20], number: int):
        ...

    @view
    def counted(tx, name: Text[1, 20]) -> int:
        ...


class Things(Contract, version="1.0.0"):
    class Roles:
        keeper: Party = Party(attribute="role:keeper")

    class Part(Struct):
        name: Text[1, 20]
        weight: int

    class Thing(Record, key="name", index=["owner", "weight"]):
        name: Text[1, 20]
        owner: Party
        weight: int = 0
        price: Amount | None = None
        parts: list[Part, 8] = []
        seal: Bytes[0, 8] | None = None
        done: bool = False

        @invariant
        def light(thing):
            require(thing.weight <= 1000, "{name} is too heavy", name=thing.name)

    @action(by="member", creates="Thing")
    def make(tx, thing: Thing, name: Text[1, 20], owner: Party):
        event("made", name=name, owner=owner, user=tx.user, at=tx.time, id=tx.id)

    @action(by="member")
    def load(tx, thing: Thing, part: Part, price: Amount | None):
        thing.parts.append(part)
        thing.weight = thing.weight + sums.double(part.weight)
        thing.price = price
        Tally.count(name=thing.name, number=part.weight)
        event("loaded", name=thing.name, parts=thing.parts, counted=Tally.counted(name=thing.name))

    @action(by="member")
    def sweep(tx, owner: Party, least: int, most: int):
        total = 0
        for thing in Things.Thing.select(by="weight", least=least, most=most, limit=50):
            thing.weight = thing.weight + 1
            total = total + thing.weight
        for thing in Things.Thing.select(by="owner", equal=owner, limit=50):
            thing.owner = tx.member
        event("swept", total=total)

    @action(by="member")
    def later(tx, thing: Thing):
        schedule(thing, "finish", tx.time + Duration(seconds=1))

    @action(by="schedule")
    def finish(tx, thing: Thing):
        thing.done = True
        event("finished", name=thing.name)

    @action(by="keeper")
    def keep(tx, thing: Thing):
        thing.weight = 0

    @action(by="member")
    def spin(tx, turns: int):
        done = 0
        for turn in range(turns):
            done = done + turn
        event("spun", done=done)

    @action(by="member")
    def fill(tx, count: int):
        text = "𝄞"
        for turn in range(14):
            text = text + text
        texts: list[Text[0, 65536], 1024] = []
        for turn in range(count):
            texts.append(text + ".")
        event("filled", count=len(texts))

    @view
    def weight_of(tx, thing: Thing) -> int:
        return thing.weight
'''

TALLY = '''"""Counts for others."""

from hansa.contract import Contract, Party, Record, Text, action, event, view


class Tally(Contract, version="1.0.0"):
    class Roles:
        things: Party = Party(contract="things")

    class Count(Record, key="name"):
        name: Text[1, 20]
        number: int = 0

    @action(by="things")
    def count(tx, name: Text[1, 20], number: int):
        found = Tally.Count.find(name)
        if found is None:
            Tally.Count.create(name=name, number=number)
        else:
            found.number = found.number + number

    @view
    def counted(tx, name: Text[1, 20]) -> int:
        return Tally.Count.get(name).number
'''

TALLY_NEXT = TALLY.replace("1.0.0", "1.1.0").replace("number: int = 0\n", "number: int = 0\n        twice: int = 7\n")
