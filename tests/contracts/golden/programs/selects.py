"""Selecting records by key and by index, following references."""

from tests.contracts.golden.program import Call, Golden, act, do, fails, gives, lines, sample

_LOAN = """
    class Kind(Enum):
        Fixed = "fixed"
        Open = "open"
    class Loan(Record, key="id", index=["lender", "due", "kind", "size", "is_new", "note", "at"]):
        id: Text[1, 8]
        lender: Party
        due: Date
        kind: Kind
        size: int
        is_new: bool
        note: Text[0, 9] | None = None
        at: Instant
        hidden: int = 0
"""
_MAKE = """
    @action(by="member", creates="Loan")
    def make(
        tx,
        loan: Loan,
        id: Text[1, 8],
        lender: Party,
        due: Date,
        kind: Kind,
        size: int,
        is_new: bool,
        note: Text[0, 9] | None,
    ):
        loan.at = tx.time
"""


def _loan(id: str, lender: str, due: str, kind: str, size: int, is_new: bool, note: str | None = None) -> Call:
    return do("make", id=id, lender=lender, due=due, kind=kind, size=size, is_new=is_new, note=note)


_LOANS = (
    _loan("c", "bob", "2024-03-01", "Fixed", -5, True),
    _loan("a", "alice", "2024-02-29", "Open", 300, False, ""),
    _loan("e", "bob", "2025-01-01", "Open", 7, False, "x"),
    _loan("b", "carol", "2024-02-29", "Fixed", 7, True, "ab"),
    _loan("d", "alice", "1999-12-31", "Fixed", 2**40, False, "x"),
)


def _loans(name: str, parameters: str, select: str, *calls: Call) -> Golden:
    """Five loans, and a view `go` of the ids that `select` gives."""
    body = f"ids = []\n    for loan in Loan.select({select}):\n        ids.append(loan.id)\n    return ids"
    view = f"@view\ndef go(tx{parameters and ', '}{parameters}) -> list[Text[1, 8], 9]:\n    {body}"
    return sample(name, lines(_MAKE, view), *_LOANS, *calls, module=_LOAN)


_NODE = """
    class Node(Record, key="id", index=["parent"]):
        id: Int[0, 99]
        n: int = 0
        parent: Node | None = None
"""
_TREE = """
    class Person(Record, key="name"):
        name: Text[1, 9]
        age: int = 0
    class Pet(Record, key="name", index=["owner"]):
        name: Text[1, 9]
        owner: Person
        other: Person | None = None
"""
_PETS = """
@action(by="member", creates="Person")
def born(tx, person: Person, name: Text[1, 9], age: int):
    pass
@action(by="member", creates="Pet")
def buy(tx, pet: Pet, name: Text[1, 9], owner: Person):
    pet.owner = owner
@view
def age_of_owner(tx, pet: Pet) -> int:
    return pet.owner.age
"""


def _pets(name: str, inside: str, *calls: Call) -> Golden:
    return sample(
        name,
        lines(_PETS, inside),
        do("born", name="ann", age=40),
        do("born", name="ben", age=50),
        do("buy", name="rex", owner="ann"),
        *calls,
        module=_TREE,
    )


PROGRAMS = [
    _loans("by_key", "", 'by="id", limit=9', gives(["a", "b", "c", "d", "e"])),
    _loans(
        "by_key_limited",
        "n: int",
        'by="id", limit=n',
        gives(["a", "b"], n=2),
        gives(["a", "b", "c", "d", "e"], n=1024),
        fails("value.range", n=0),
        fails("value.range", n=1025),
        fails("value.range", n=-1),
    ),
    _loans(
        "by_absent_is_by_key",
        "k: Text[0, 20]",
        "least=k, limit=9",
        gives(["c", "d", "e"], k="c"),
        gives([], k="f"),
        fails("value.bounds", k=""),
    ),
    _loans(
        "by_key_between",
        "a: Text[1, 8], b: Text[1, 8]",
        'by="id", least=a, most=b, limit=9',
        gives(["b", "c"], a="b", b="c"),
        gives(["b", "c", "d"], a="aa", b="dz"),
        gives([], a="d", b="a"),
    ),
    _loans("by_key_equal", "a: Text[1, 8]", 'by="id", equal=a, limit=9', gives(["b"], a="b"), gives([], a="z")),
    _loans(
        "by_party",
        "p: Party",
        'by="lender", equal=p, limit=9',
        gives(["a", "d"], p="alice"),
        gives(["c", "e"], p="bob"),
        gives([], p="dora"),
        fails("arguments.invalid", p="nobody"),
    ),
    _loans(
        "by_date",
        "d: Date",
        'by="due", most=d, limit=9',
        gives(["d", "a", "b"], d="2024-02-29"),
        gives([], d="1990-01-01"),
        gives(["d", "a", "b", "c", "e"], d="9999-12-31"),
    ),
    _loans(
        "by_enum",
        "k: Kind",
        'by="kind", equal=k, limit=9',
        gives(["b", "c", "d"], k="Fixed"),
        gives(["a", "e"], k="Open"),
    ),
    _loans(
        "by_integer",
        "a: int",
        'by="size", least=a, limit=9',
        gives(["c", "b", "e", "a", "d"], a=-(2**63)),
        gives(["b", "e", "a", "d"], a=7),
        gives(["d"], a=301),
    ),
    _loans(
        "by_boolean",
        "a: bool",
        'by="is_new", equal=a, limit=9',
        gives(["b", "c"], a=True),
        gives(["a", "d", "e"], a=False),
    ),
    _loans(
        "by_optional",
        "t: Text[0, 9] | None",
        'by="note", equal=t, limit=9',
        gives(["c"], t=None),
        gives(["a"], t=""),
        gives(["d", "e"], t="x"),
    ),
    _loans("by_optional_absent_first", "", 'by="note", limit=9', gives(["c", "a", "b", "d", "e"])),
    _loans(
        "by_instant",
        "i: Instant",
        'by="at", least=i, limit=3',
        gives(["a", "b", "c"], i=0),
        gives([], i=1_700_000_000_001),
    ),
    _loans("by_index_limited", "n: int", 'by="due", limit=n', gives(["d", "a", "b"], n=3)),
    _loans(
        "arguments_in_source_order",
        "a: int, l: list[Text[1, 8], 2]",
        'limit=1 // a, by="id", least=l[0]',
        fails("value.division", a=0, l=[]),
        fails("index.range", a=1, l=[]),
        gives(["b"], a=1, l=["b"]),
    ),
    sample(
        "sees_its_own_changes",
        """
            @action(by="member")
            def go(tx, size: int):
                made = Loan.create(id="b", size=size)
                changed = Loan.get("a")
                changed.size = 50
                ids = []
                for loan in Loan.select(by="size", least=10, limit=9):
                    ids.append(loan.id + str(loan.size))
                event("found", ids=ids, made=made.id)
            @action(by="member", creates="Loan")
            def make(tx, loan: Loan, id: Text[1, 8], size: int):
                pass
        """,
        do("make", id="a", size=5),
        do("make", id="c", size=20),
        do("make", id="d", size=60),
        gives(None, size=30).emits("found", ids=["c20", "b30", "a50", "d60"], made="b"),
        module="""
            class Loan(Record, key="id", index=["size"]):
                id: Text[1, 8]
                size: int
        """,
    ),
    sample(
        "changed_out_of_the_range",
        """
            @action(by="member")
            def go(tx, n: int):
                changed = Loan.get("c")
                changed.size = 0
                ids = []
                for loan in Loan.select(by="size", least=10, limit=n):
                    ids.append(loan.id)
                event("found", ids=ids)
            @action(by="member", creates="Loan")
            def make(tx, loan: Loan, id: Text[1, 8], size: int):
                pass
        """,
        do("make", id="a", size=10),
        do("make", id="c", size=10),
        do("make", id="d", size=10),
        gives(None, n=2).emits("found", ids=["a", "d"]),
        gives(None, n=1).emits("found", ids=["a"]),
        module="""
            class Loan(Record, key="id", index=["size"]):
                id: Text[1, 8]
                size: int
        """,
    ),
    sample(
        "changing_what_the_loop_goes_through",
        """
            @action(by="member")
            def go(tx):
                passes = 0
                for loan in Loan.select(by="size", limit=9):
                    loan.size += 100
                    passes += 1
                event("done", passes=passes)
            @action(by="member", creates="Loan")
            def make(tx, loan: Loan, id: Text[1, 8], size: int):
                pass
            @view
            def size_of(tx, loan: Loan) -> int:
                return loan.size
        """,
        do("make", id="a", size=1),
        do("make", id="b", size=2),
        gives(None).emits("done", passes=2),
        do("size_of", loan="a").gives(101),
        do("size_of", loan="b").gives(102),
        module="""
            class Loan(Record, key="id", index=["size"]):
                id: Text[1, 8]
                size: int
        """,
    ),
    sample(
        "by_state_bytes_and_user",
        """
            class States:
                On: "on"
                Off: "off"
            class Box(Record, key="id", index=["who", "mark", "maybe"]):
                id: int
                who: User
                mark: Bytes[0, 4]
                maybe: Int[-9, 9] | None = None
            @action(by="member", creates="Box", to="On")
            def make(tx, box: Box, id: int, who: User, mark: Bytes[0, 4], maybe: Int[-9, 9] | None):
                pass
            @view
            def by_user(tx, who: User) -> list[int, 9]:
                ids = []
                for box in Sample.Box.select(by="who", equal=who, limit=9):
                    ids.append(box.id)
                return ids
            @view
            def by_mark(tx, least: Bytes[0, 4]) -> list[int, 9]:
                ids = []
                for box in Sample.Box.select(by="mark", least=least, limit=9):
                    ids.append(box.id)
                return ids
            @view
            def by_maybe(tx, least: int | None, most: int | None) -> list[int, 9]:
                ids = []
                for box in Sample.Box.select(by="maybe", least=least, most=most, limit=9):
                    ids.append(box.id)
                return ids
        """,
        do("make", id=1, who="bob/cy", mark=b"b"),
        do("make", id=2, who="alice/ann", mark=b"\xff", maybe=-1),
        do("make", id=3, who="bob/cy", mark=b"", maybe=0),
        do("by_user", who="bob/cy").gives([1, 3]),
        do("by_mark", least=b"a").gives([1, 2]),
        do("by_maybe", least=-9, most=9).gives([2, 3]),
        do("by_maybe", most=-1).gives([1, 2]),
        do("by_maybe", least=10, most=10).refused("value.bounds"),
    ),
    _pets(
        "reference_followed",
        "",
        do("age_of_owner", pet="rex").gives(40),
        do("buy", name="tom", owner="nobody").refused("arguments.invalid"),
    ),
    _pets(
        "reference_assigned",
        """
            @action(by="member")
            def go(tx, pet: Pet, to: Person):
                pet.owner = to
                pet.owner.age += 1
        """,
        gives(None, pet="rex", to="ben"),
        do("age_of_owner", pet="rex").gives(51),
    ),
    _pets(
        "optional_reference",
        """
            @action(by="member")
            def go(tx, pet: Pet, other: Text[0, 9]):
                pet.other = Person.find(other) if other != "none" else None
            @view
            def age_of_other(tx, pet: Pet) -> int:
                return pet.other.age
        """,
        do("age_of_other", pet="rex").refused("value.none"),
        gives(None, pet="rex", other="ben"),
        do("age_of_other", pet="rex").gives(50),
        gives(None, pet="rex", other="none"),
        do("age_of_other", pet="rex").refused("value.none"),
        gives(None, pet="rex", other="ben"),
        gives(None, pet="rex", other="zed"),
        do("age_of_other", pet="rex").refused("value.none"),
    ),
    _pets(
        "reference_compared",
        """
            @view
            def go(tx, pet: Pet, person: Person) -> bool:
                return pet.owner == person
        """,
        gives(True, pet="rex", person="ann"),
        gives(False, pet="rex", person="ben"),
    ),
    _pets(
        "by_reference",
        """
            @view
            def go(tx, person: Person) -> list[Text[1, 9], 9]:
                names = []
                for pet in Pet.select(by="owner", equal=person, limit=9):
                    names.append(pet.name)
                return names
        """,
        do("buy", name="tom", owner="ben"),
        do("buy", name="max", owner="ann"),
        gives(["max", "rex"], person="ann"),
        gives(["tom"], person="ben"),
    ),
    _pets(
        "made_with_a_reference",
        """
            @action(by="member")
            def go(tx, name: Text[1, 9]):
                pet = Pet.create(name=name, owner=Person.create(name=name, age=9))
                event("made", age=pet.owner.age)
        """,
        gives(None, name="tom").emits("made", age=9),
        fails("record.exists", name="ann"),
        do("age_of_owner", pet="tom").gives(9),
    ),
    _pets(
        "a_reference_shares_the_record",
        """
            @action(by="member")
            def go(tx, pet: Pet, person: Person):
                person.age = 77
                event("age", age=pet.owner.age)
        """,
        gives(None, pet="rex", person="ann").emits("age", age=77),
        gives(None, pet="rex", person="ben").emits("age", age=77),
    ),
    act(
        "references_to_its_own_type",
        "n: Int[1, 20]",
        """
            last = Node.find(99)
            for i in range(n):
                made = Node.create(id=i, n=i * i, parent=last)
                last = made
            total = 0
            for i in range(n):
                at = Node.find(i)
                if at.parent is not None:
                    total += at.parent.n
            event("total", total=total)
        """,
        gives(None, n=4).emits("total", total=5),
        module=_NODE,
    ),
    sample(
        "own_changes_at_the_bounds",
        """
            @action(by="member")
            def go(tx, a: int, b: int):
                made = Loan.create(id=str(a), size=5)
                ids: list[Text[1, 8], 9] = []
                for loan in Loan.select(by="size", least=a, most=b, limit=9):
                    ids.append(loan.id)
                made.size = -1
                event("found", ids=ids)
        """,
        gives(None, a=5, b=5).emits("found", ids=["5"]),
        gives(None, a=6, b=9).emits("found", ids=[]),
        gives(None, a=1, b=4).emits("found", ids=[]),
        module="""
            class Loan(Record, key="id", index=["size"]):
                id: Text[1, 8]
                size: int
        """,
    ),
]
