"""Records: made, found, changed, shared by handles; keys and fields of every type."""

from tests.contracts.golden.program import Call, Golden, act, do, fails, gives, lines, sample

_BOX = """
    class Box(Record, key="id"):
        id: Text[1, 8]
        n: Int[0, 100] = 0
        note: Text[0, 9] | None = None
        items: list[Int[0, 9], 3] = []
        names: dict[Text[1, 3], int, 2] = {}
"""
_MAKE = """
    @action(by="member", creates="Box")
    def make(tx, box: Box, id: Text[1, 8], n: Int[0, 200]):
        pass
    @view
    def n_of(tx, box: Box) -> int:
        return box.n
"""


def _boxes(name: str, inside: str, *calls: Call) -> Golden:
    """A program that begins with a box `a` of 5."""
    return sample(name, lines(_MAKE, inside), do("make", id="a", n=5), *calls, module=_BOX)


_KEYED = """
    class Box(Record, key="key"):
        key: KEY
        n: int = 0
    @action(by="member", creates="Box")
    def make(tx, box: Box, key: KEY):
        box.n = 7
    @view
    def n_of(tx, box: Box) -> int:
        return box.n
    @view
    def has(tx, key: KEY) -> bool:
        return Sample.Box.exists(key)
    @view
    def go(tx) -> list[KEY, 9]:
        found = []
        for box in Sample.Box.select(by="key", limit=9):
            found.append(box.key)
        return found
"""


def _keyed(name: str, type_: str, *keys: object, wrong: object, module: str = "") -> Golden:
    """Records under keys of a type, in the order given, and a key that does not fit."""
    return sample(
        f"keyed_by_{name}",
        _KEYED.replace("KEY", type_),
        *(do("make", key=key) for key in reversed(keys)),
        do("make", key=keys[0]).refused("record.exists"),
        do("n_of", box=keys[-1]).gives(7),
        do("has", key=keys[0]).gives(True),
        do("has", key=wrong).refused("arguments.invalid"),
        do("n_of", box=wrong).refused("arguments.invalid"),
        gives(list(keys)),
        module=module,
    )


PROGRAMS = [
    _boxes(
        "made_by_declaration",
        "",
        do("make", id="a", n=6).refused("record.exists"),
        do("n_of", box="a").gives(5),
        do("n_of", box="b").refused("arguments.invalid"),
        do("n_of", box="").refused("arguments.invalid"),
        do("n_of", box=1).refused("arguments.invalid"),
        do("n_of").refused("arguments.invalid"),
        do("make", box="b", id="b", n=1).refused("arguments.invalid"),
        do("make", id="b").refused("arguments.invalid"),
    ),
    _boxes(
        "fields_are_held_when_made_by_declaration",
        "",
        do("make", id="b", n=101).refused("value.bounds"),
        do("n_of", box="b").refused("arguments.invalid"),
        do("make", id="b", n=100),
        do("n_of", box="b").gives(100),
    ),
    _boxes(
        "made_in_a_body",
        """
            @action(by="member")
            def go(tx, id: Text[0, 20], n: int):
                box = Box.create(n=n, id=id)
                event("made", id=box.id, n=box.n, note=box.note)
        """,
        gives(None, id="b", n=7).emits("made", id="b", n=7, note=None),
        fails("record.exists", id="a", n=7),
        fails("value.bounds", id="", n=7),
        fails("value.bounds", id="c", n=101),
        do("n_of", box="b").gives(7),
    ),
    _boxes(
        "made_and_left",
        """
            @action(by="member")
            def go(tx, id: Text[1, 8], n: int):
                Box.create(id=id, n=n)
        """,
        gives(None, id="b", n=7),
        fails("record.exists", id="b", n=7),
        do("n_of", box="b").gives(7),
    ),
    _boxes(
        "made_twice_in_a_body",
        """
            @action(by="member")
            def go(tx, x: Text[1, 8], y: Text[1, 8]):
                a = Box.create(id=x)
                b = Box.create(id=y)
                event("made", a=a.id, b=b.id)
        """,
        fails("record.exists", x="b", y="b"),
        do("n_of", box="b").refused("arguments.invalid"),
        gives(None, x="b", y="c"),
        do("n_of", box="c").gives(0),
    ),
    _boxes(
        "create_evaluates_in_source_order",
        """
            @action(by="member")
            def go(tx, a: int, l: list[int, 2]):
                box = Box.create(n=1 // a, id=str(l[0]))
                event("made", id=box.id)
        """,
        fails("value.division", a=0, l=[]),
        fails("index.range", a=1, l=[]),
        gives(None, a=1, l=[5]).emits("made", id="5"),
    ),
    _boxes(
        "get",
        """
            @view
            def go(tx, id: Text[0, 20]) -> int:
                return Box.get(id).n
        """,
        gives(5, id="a"),
        fails("record.missing", id="b"),
        fails("value.bounds", id=""),
        fails("value.bounds", id="0123456789"),
    ),
    _boxes(
        "find",
        """
            @view
            def go(tx, id: Text[0, 20]) -> int:
                box = Box.find(id)
                if box is None:
                    return -1
                return box.n
        """,
        gives(5, id="a"),
        gives(-1, id="b"),
        fails("value.bounds", id=""),
    ),
    _boxes(
        "find_used_without_a_look",
        """
            @view
            def go(tx, id: Text[1, 8]) -> int:
                return Box.find(id).n
        """,
        gives(5, id="a"),
        fails("value.none", id="b"),
    ),
    _boxes(
        "exists",
        """
            @view
            def go(tx, id: Text[0, 20]) -> bool:
                return Box.exists(id)
        """,
        gives(True, id="a"),
        gives(False, id="b"),
        fails("value.bounds", id=""),
    ),
    _boxes(
        "changed",
        """
            @action(by="member")
            def go(tx, box: Box, n: int):
                box.n = n
                event("was", n=box.n)
        """,
        gives(None, box="a", n=9).emits("was", n=9),
        do("n_of", box="a").gives(9),
        fails("value.bounds", box="a", n=101),
        do("n_of", box="a").gives(9),
        fails("arguments.invalid", box="b", n=1),
    ),
    _boxes(
        "changed_by_a_sum",
        """
            @action(by="member")
            def go(tx, box: Box, n: int):
                box.n += n
                box.n *= 2
        """,
        gives(None, box="a", n=9),
        do("n_of", box="a").gives(28),
        fails("value.bounds", box="a", n=-30),
        fails("value.bounds", box="a", n=30),
        do("n_of", box="a").gives(28),
    ),
    _boxes(
        "assigned_the_same_is_written",
        """
            @action(by="member")
            def go(tx, box: Box):
                box.n = box.n
        """,
        gives(None, box="a"),
        gives(None, box="a"),
    ),
    _boxes(
        "only_read_is_not_written",
        """
            @action(by="member")
            def go(tx, box: Box):
                event("n", n=box.n)
        """,
        gives(None, box="a").emits("n", n=5),
    ),
    _boxes(
        "handles_share_the_record",
        """
            @action(by="member")
            def go(tx, box: Box, id: Text[1, 8]):
                other = Box.get(id)
                other.n = 50
                third = box
                third.n += 1
                event("n", n=box.n, same=box == other)
        """,
        gives(None, box="a", id="a").emits("n", n=51, same=True),
        do("make", id="b", n=1),
        gives(None, box="a", id="b").emits("n", n=52, same=False),
        do("n_of", box="b").gives(50),
    ),
    _boxes(
        "one_record_as_two_parameters",
        """
            @action(by="member")
            def go(tx, x: Box, y: Box):
                x.n = x.n - 1
                y.n = y.n + 3
        """,
        gives(None, x="a", y="a"),
        do("n_of", box="a").gives(7),
    ),
    _boxes(
        "made_is_found_at_once",
        """
            @action(by="member")
            def go(tx, id: Text[1, 8]):
                had = Box.exists(id)
                made = Box.create(id=id, n=3)
                event("made", had=had, has=Box.exists(id), n=Box.get(id).n, same=made == Box.get(id))
        """,
        gives(None, id="b").emits("made", had=False, has=True, n=3, same=True),
        fails("record.exists", id="b"),
    ),
    _boxes(
        "refused_leaves_no_trace",
        """
            @action(by="member")
            def go(tx, box: Box, n: int):
                made = Box.create(id="b")
                box.n = 99
                event("made", id=made.id)
                require(n > 0, "no")
        """,
        fails("require.failed", box="a", n=0).silent(),
        do("n_of", box="a").gives(5),
        do("n_of", box="b").refused("arguments.invalid"),
        gives(None, box="a", n=1),
        do("n_of", box="a").gives(99),
    ),
    _boxes(
        "lists_in_fields",
        """
            @action(by="member")
            def go(tx, box: Box, i: int):
                box.items.append(i)
                box.items[0] += 1
            @view
            def items(tx, box: Box) -> list[int, 9]:
                return box.items
        """,
        gives(None, box="a", i=4),
        gives(None, box="a", i=0),
        do("items", box="a").gives([6, 0]),
        fails("value.bounds", box="a", i=-1),
        gives(None, box="a", i=9),
        fails("value.bounds", box="a", i=1),
        do("items", box="a").gives([7, 0, 9]),
    ),
    _boxes(
        "maps_in_fields",
        """
            @action(by="member")
            def go(tx, box: Box, k: Text[0, 9]):
                box.names[k] = box.names.get(k, 0) + 1
            @action(by="member")
            def drop(tx, box: Box, k: Text[0, 9]):
                box.names.pop(k)
            @view
            def names_of(tx, box: Box) -> dict[Text[0, 9], int, 9]:
                return box.names
        """,
        gives(None, box="a", k="y"),
        gives(None, box="a", k="y"),
        gives(None, box="a", k="x"),
        do("names_of", box="a").gives({"x": 1, "y": 2}),
        fails("value.bounds", box="a", k="z"),
        fails("value.bounds", box="a", k=""),
        do("drop", box="a", k="y"),
        do("drop", box="a", k="y").refused("key.missing"),
        do("names_of", box="a").gives({"x": 1}),
    ),
    _boxes(
        "fields_are_copied_out",
        """
            @action(by="member")
            def go(tx, box: Box):
                items = box.items
                items.append(7)
                event("n", inside=box.items, outside=items)
        """,
        gives(None, box="a").emits("n", inside=[], outside=[7]),
    ),
    _boxes(
        "optional_fields",
        """
            @action(by="member")
            def go(tx, box: Box, note: Text[0, 20] | None):
                box.note = note
            @view
            def note_of(tx, box: Box) -> int:
                return len(box.note)
        """,
        do("note_of", box="a").refused("value.none"),
        gives(None, box="a", note="abc"),
        do("note_of", box="a").gives(3),
        fails("value.bounds", box="a", note="0123456789"),
        gives(None, box="a"),
        do("note_of", box="a").refused("value.none"),
    ),
    _boxes(
        "handles_in_conditions",
        """
            @action(by="member")
            def go(tx, x: Box, y: Box, first: bool):
                box = x if first else y
                box.n = 77
        """,
        do("make", id="b", n=1),
        gives(None, x="a", y="b", first=False),
        do("n_of", box="a").gives(5),
        do("n_of", box="b").gives(77),
    ),
    _boxes(
        "absent_is_remembered",
        """
            @action(by="member")
            def go(tx, id: Text[1, 8]):
                before = Box.find(id)
                if before is None:
                    made = Box.create(id=id)
                    event("made", id=made.id, after=Box.exists(id))
        """,
        gives(None, id="b").emits("made", id="b", after=True),
        gives(None, id="b").silent(),
    ),
    sample(
        "fields_assigned_before_the_end",
        """
            class Box(Record, key="id"):
                id: Text[1, 8]
                size: int
                shape: Text[1, 9]
            @action(by="member", creates="Box")
            def go(tx, box: Box, id: Text[1, 8], big: bool):
                box.size = 5
                if big:
                    box.shape = "big"
                else:
                    box.shape = "small"
                event("made", size=box.size, shape=box.shape)
        """,
        gives(None, id="a", big=True).emits("made", size=5, shape="big"),
        gives(None, id="b", big=False).emits("made", size=5, shape="small"),
    ),
    sample(
        "the_role_fills_the_creator",
        """
            class Roles:
                owner: Party
            class Box(Record, key="id"):
                id: Text[1, 8]
                owner: Party
            @action(by="owner", creates="Box")
            def go(tx, box: Box, id: Text[1, 8]):
                event("made", owner=box.owner)
        """,
        gives(None, id="a").emits("made", owner="alice"),
        gives(None, id="b").by("bob").emits("made", owner="bob"),
        gives(None, id="c").by("carol/dan").emits("made", owner="carol"),
        fails("arguments.invalid", id="d", owner="bob"),
    ),
    sample(
        "two_record_types_with_one_key",
        """
            class Left(Record, key="id"):
                id: int
                n: int = 1
            class Right(Record, key="id"):
                id: int
                n: int = 2
            @action(by="member")
            def go(tx, id: int):
                l = Sample.Left.create(id=id)
                r = Sample.Right.create(id=id)
                event("made", total=l.n + r.n)
        """,
        gives(None, id=1).emits("made", total=3),
        fails("record.exists", id=1),
    ),
    act(
        "fields_of_every_type",
        "d: Date, i: Instant, p: Party, u: User, h: Hash",
        """
            every = Every.create(
                id=1,
                amount=Amount(5, "USD"), signed=SignedAmount(-5, "USD"),
                blob=h, date=d, when=i, how_long=Duration(hours=1), party=p, person=u, yes=True,
                kind=Kind.B, terms=Terms(n=3), list_of=[Terms(n=4)], map_of={p: [1, 2]}
            )
            event(
                "made", id=every.id, terms=every.terms, list_of=every.list_of, map_of=every.map_of, kind=every.kind,
                date=every.date, how_long=every.how_long, nothing=every.nothing
            )
        """,
        gives(None, d="2024-02-29", i=5, p="bob", u="bob/cy", h=bytes(32)).emits(
            "made",
            id=1,
            terms={"n": 3},
            list_of=[{"n": 4}],
            map_of={"bob": [1, 2]},
            kind="B",
            date="2024-02-29",
            how_long=3_600_000,
            nothing=None,
        ),
        module="""
            class Kind(Enum):
                A = "a"
                B = "b"
            class Terms(Struct):
                n: int
            class Every(Record, key="id"):
                id: int
                amount: Amount
                signed: SignedAmount
                blob: Bytes[0, 40]
                date: Date
                when: Instant
                how_long: Duration
                party: Party
                person: User
                yes: bool
                kind: Kind
                terms: Terms
                list_of: list[Terms, 3]
                map_of: dict[Party, list[int, 3], 3]
                nothing: Amount | None = None
        """,
    ),
    sample(
        "defaults_of_every_kind",
        """
            class Kind(Enum):
                A = "a"
            class Box(Record, key="id"):
                id: int
                text: Text[0, 9] = "t"
                number: Int[-5, 5] = -3
                flag: bool = True
                kind: Kind = Kind.A
                none: Date | None = None
                some: int | None = 4
                items: list[int, 3] = []
                names: dict[Text[1, 3], int, 2] = {}
            @action(by="member", creates="Box")
            def go(tx, box: Box, id: int):
                event(
                    "made", text=box.text, number=box.number, flag=box.flag, kind=box.kind, none=box.none,
                    some=box.some, items=box.items, names=box.names
                )
        """,
        gives(None, id=1).emits(
            "made", text="t", number=-3, flag=True, kind="A", none=None, some=4, items=[], names={}
        ),
    ),
    _keyed("text", "Text[1, 20]", "A", "a", "aa", "b", "\u00e9", wrong=""),
    _keyed("integer", "Int[-300, 300]", -300, -1, 0, 1, 256, wrong=301),
    _keyed("bytes", "Bytes[0, 4]", b"", b"\x00", b"\x00\x00", b"a", b"\xff", wrong=bytes(5)),
    _keyed("party", "Party", "alice", "bob", "carol", wrong="nobody"),
    _keyed("user", "User", "alice/ann", "alice/ben", "bob/cy", wrong="alice/zed"),
    _keyed("date", "Date", "0999-12-31", "2023-12-31", "2024-01-01", wrong="2023-02-29"),
    _keyed(
        "enum",
        "Kind",
        "Large",
        "Small",
        wrong="Medium",
        module="""
            class Kind(Enum):
                Small = "up to one"
                Large = "more"
        """,
    ),
]
