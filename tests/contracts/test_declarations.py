"""Declarations: each rule has lines that break it alone, all findings are told at once, and what is sound is read."""

import textwrap

import pytest
from tests.contracts import sources
from tests.contracts.broken_declarations import FILES, MEMBERS, OUTER, THING
from tests.contracts.sources import at_marks, codes, contract, findings
from tests.contracts.world import World

from hansa.contracts import program
from hansa.contracts.manifest import (
    Action,
    AmountType,
    BoolType,
    BytesType,
    DateType,
    DurationType,
    Enum,
    EnumType,
    Field,
    Function,
    InstantType,
    Interface,
    IntType,
    Invariant,
    ListType,
    Manifest,
    MapType,
    Migration,
    OptionalType,
    Parameter,
    PartyType,
    RecordType,
    ReferenceType,
    Role,
    Struct,
    StructType,
    TextType,
    Type,
    UserType,
)

BROKEN = [
    *((contract(text), code) for text, code in MEMBERS),
    *((contract("pass", text), code) for text, code in OUTER),
    *FILES,
]
"""Whole files with a mark, each with its code."""


@pytest.mark.parametrize(("marked", "code"), BROKEN)
def test_a_broken_declaration_is_found_at_its_place(marked: str, code: str) -> None:
    source, (place,) = at_marks(marked)
    assert [(d.code, (d.line, d.column)) for d in findings(source)] == [(code, place)]


@pytest.mark.parametrize(
    "members", ['@action(by="member")\ndef go[T](tx):\n    pass', 'class R[T](Record, key="id"):\n    id: int']
)
def test_type_parameters_are_refused(members: str) -> None:
    assert codes(contract(members)) in (["type.unknown"], ["syntax.invalid"]), "as this Python reads them, or not"


def test_a_file_uses_at_most_sixteen_libraries() -> None:
    world = World()
    digests = [world.add_library("tools", f"A = {n}\n") for n in range(17)]
    used = "\n".join(f'a{n} = library("tools", "{digest}")' for n, digest in enumerate(digests))
    (found,) = findings(contract("pass", used), world.libraries)
    assert (found.code, found.line) == ("library.count", sources.HEAD.count("\n") + 17)
    assert codes(contract("pass", used.rpartition("\n")[0]), world.libraries) == []


def test_all_findings_are_told_at_once() -> None:
    text = textwrap.dedent(
        """
        from hansa.contract import Contract, Flaot, Record, action, view
        import os
        class C(Contract, version="one"):
            x = 1
            class Roles:
                a: int
            class R(Record, key="it"):
                id: Text[3, 1]
            @action(by="nobody")
            def go(self, a):
                return x / 2
            @view
            def see(tx, tx2: float):
                while True: pass
        """
    ).lstrip("\n")
    assert codes(text) == [
        "import.name",
        "file.statement",
        "contract.version",
        "contract.statement",
        "role.form",
        "record.key",
        "import.missing",
        "type.bounds",
        "action.by",
        "parameter.context",
        "parameter.type",
        "view.returns",
        "type.unknown",
    ]


@pytest.mark.parametrize(
    ("members", "hint"),
    [
        ('class R(Record, key="idd"):\n    id: int', "did you mean `id`?"),
        ('class R(Record, key="q"):\n    id: int\n    name: int', "there is `id`, `name`"),
        ('class R(Record, key="id", index=["nam"]):\n    id: int\n    name: int', "did you mean `name`?"),
        ('class Roles:\n    owner: Party\n@action(by="onwer")\ndef go(tx):\n    pass', "did you mean `owner`?"),
        ('@action(by="x")\ndef go(tx):\n    pass', ""),
        ('@action(by="member", create="R")\ndef go(tx):\n    pass', "did you mean `creates`?"),
        (THING + '@action(by="member", creates="Thin")\ndef go(tx, t: Thing):\n    pass', "did you mean `Thing`?"),
        ("class R(Recrod):\n    id: int", "did you mean `Record`?"),
        ("class R:\n    id: int", "Contract, Record, Struct, Enum or Interface"),
        ("@action()\ndef go(tx):\n    pass", '@action(by="member") for anyone'),
        ('@action(by="schedule")\ndef go(tx):\n    pass', "def name(tx, record: Record):"),
        ("@view\ndef go(tx):\n    return 1", "def name(tx, ...) -> Type:"),
    ],
)
def test_a_finding_says_what_to_write_instead(members: str, hint: str) -> None:
    assert findings(contract(members))[0].hint == hint


@pytest.mark.parametrize(
    ("annotation", "hint"),
    [
        ("str", "text says its length: `Text[1, 80]`"),
        ("Text", "text says its length: `Text[1, 80]`"),
        ("list[int]", "a list says what it holds, and how many at most: `list[int, 10]`"),
        ("dict[User, int]", "a map says what it holds, and how many at most: `dict[Text[1, 20], int, 10]`"),
        ("Optional[int]", "what may be None is `T | None`"),
        ("float", "there are whole numbers, `int`, and `Amount` for money"),
    ],
)
def test_a_type_that_is_none_is_told_once_and_what_to_write(annotation: str, hint: str) -> None:
    members = f"""
        class R(Record, key="id", index=["x"]):
            id: Int[0, 9]
            x: {annotation}
            y: {annotation} = 1
        @action(by="member", creates="R")
        def go(tx, r: R, id: Int[0, 9], x: {annotation}):
            r.x = x
    """
    found = findings(contract(members.replace(', index=["x"]', "").replace(f"            y: {annotation} = 1\n", "")))
    assert [(d.code, d.hint) for d in found] == [("type.unknown", hint)] * 2


@pytest.mark.parametrize("annotation", ["str", "Text", "Bytes", "Int", "float", "Nothing"])
def test_a_type_of_a_key_that_is_none_is_told_once(annotation: str) -> None:
    assert codes(contract(f"class R(Record, key='id'):\n    id: {annotation}")) == ["type.unknown"]


def test_what_a_wrong_type_leaves_open_is_not_told_too() -> None:
    members = """
        class Roles:
            owner: Party
        class R(Record, key="id", index=["x"]):
            id: Nothing
            owner: Prty
            x: Nothing = 1
            class States:
                A: "a"
        @action(by="owner", creates="R", to="A")
        def go(tx, r: S, id: int):
            pass
        @view
        def see(tx, r: R) -> Nothing:
            return r.x
    """
    assert codes(contract(members)) == ["type.unknown"] * 5


def test_what_the_front_end_says_of_frequent_slips() -> None:
    assert [d.code for d in findings(f"import math\n{contract('pass')}")] == ["file.statement"]
    (found,) = findings(contract("class R(Record):\n    id: int"))
    assert found.message == "a record has a key"
    (found,) = findings(contract("def f(a: int) -> int:\n    return a"))
    assert found.hint == "a function of values alone stands before the class"
    (found,) = findings(contract("pass", 'class I(Interface, contract="a"):\n    @action(by="x")\n    def f(tx): ...'))
    assert found.hint == "without `by` here: `@action`"


@pytest.mark.parametrize(
    ("field", "hint"),
    [
        ("Int[0, 9] = 10", "0 to 9 fit"),
        ("Text[1, 2] = 'abc'", "it has 3 characters, 1 to 2 fit"),
        ("Kind = 'A'", "name one of its values: `Kind.Name`"),
        ("int = None", "what may be None is `T | None`"),
        ("Amount = 1", "only text, numbers, booleans, enums, `[]`, `{}` and None can be defaults"),
    ],
)
def test_a_default_that_does_not_fit_is_told_why(field: str, hint: str) -> None:
    (found,) = findings(contract("pass", f"class Kind(Enum):\n    A = 'a'\nclass S(Struct):\n    x: {field}"))
    assert (found.code, found.hint) == ("field.default", hint)


def test_a_misspelt_import_is_told_the_nearest() -> None:
    (found,) = findings("from hansa.contract import Contract, Partty\nclass C(Contract, version='1.0.0'):\n    pass")
    assert (found.code, found.hint, found.column) == ("import.name", "did you mean `Party`?", 37)


def test_a_name_that_is_not_imported_is_told_once_with_its_import() -> None:
    text = "class C(Contract, version='1.0.0'):\n    @action(by='member')\n    def go(tx):\n"
    text += "        event('x')\n        event('y')"
    found = findings(text)
    assert [(d.code, d.line, d.hint) for d in found] == [
        ("import.missing", 1, "from hansa.contract import Contract"),
        ("import.missing", 2, "from hansa.contract import action"),
        ("import.missing", 4, "from hansa.contract import event"),
    ]
    assert codes(f"from hansa.contract import Contract, action, event\n{text}") == []


def test_nothing_in_a_declaration_is_executed() -> None:
    text = "class C(Contract, version=[][0]):\n    class Roles:\n        x: Party = Party(attribute=1 // 0)"
    assert codes(f"from hansa.contract import Contract, Party\n{text}") == ["contract.version", "role.form"]


KINDS = """
class Shade(Enum):
    Red = "as blood"
class Point(Struct):
    x: int
"""


@pytest.mark.parametrize(
    ("annotation", "type_"),
    [
        ("int", IntType(-(2**63), 2**63 - 1)),
        ("bool", BoolType()),
        ("Int[-5, 7]", IntType(-5, 7)),
        ("Int[-9223372036854775808, 9223372036854775807]", IntType(-(2**63), 2**63 - 1)),
        ("Int[3, 3]", IntType(3, 3)),
        ("Text[0, 65536]", TextType(0, 65536)),
        ("Bytes[0, 65536]", BytesType(0, 65536)),
        ("Hash", BytesType(32, 32)),
        ("Party", PartyType()),
        ("User", UserType()),
        ("Amount", AmountType()),
        ("SignedAmount", AmountType(signed=True)),
        ("Date", DateType()),
        ("Instant", InstantType()),
        ("Duration", DurationType()),
        ("Shade", EnumType("Shade")),
        ("Point", StructType("Point")),
        ("list[Text[1, 2], 1024]", ListType(TextType(1, 2), 1024)),
        ("list[list[int, 2] | None, 2]", ListType(OptionalType(ListType(IntType(), 2)), 2)),
        ("dict[Text[1, 100], Amount, 1024]", MapType(TextType(1, 100), AmountType(), 1024)),
        ("dict[Shade, list[Point, 2], 2]", MapType(EnumType("Shade"), ListType(StructType("Point"), 2), 2)),
        ("dict[User, bool, 1] | None", OptionalType(MapType(UserType(), BoolType(), 1))),
        ("Thing", ReferenceType("Thing")),
    ],
)
@pytest.mark.parametrize("is_nested", [True, False])
def test_types_are_read(annotation: str, type_: Type, is_nested: bool) -> None:
    go = f'@action(by="member")\ndef go(tx, a: {annotation}):\n    pass'
    source = contract(KINDS + THING + go) if is_nested else contract(go, KINDS + THING)
    assert [p.type for p in program.check(source, "sample").manifest.actions["go"].parameters] == [type_]


@pytest.mark.parametrize(
    ("annotation", "default", "value"),
    [
        ("int", "-5", -5),
        ("Int[1, 5]", "5", 5),
        ("Int[1, 5]", "FIVE", 5),
        ("bool", "True", True),
        ("Text[0, 3]", "''", ""),
        ("Text[1, 3]", "'é√💡'", "é√💡"),
        ("int | None", "None", None),
        ("int | None", "7", 7),
        *((f"{type_} | None", "None", None) for type_ in ("Amount", "Party", "Hash", "Date", "Instant", "Point")),
        ("Shade", "Shade.Red", "Red"),
        ("list[Amount, 3]", "[]", []),
        ("list[int, 3] | None", "[]", []),
        ("dict[Party, Point, 3]", "{}", {}),
        ("Thing | None", "None", None),
    ],
)
def test_defaults_are_read(annotation: str, default: str, value: object) -> None:
    lines = f'{THING}\nclass R(Record, key="id"):\n    id: int\n    x: {annotation} = {default}'
    manifest = program.check(contract(lines, f"FIVE = 5\n{KINDS}"), "sample").manifest
    field = manifest.records["R"].fields["x"]
    assert (field.required, field.default, type(field.default)) == (False, value, type(value))


WHOLE = '''
"""What the file is for."""
from hansa.contract import Contract, Enum, Int, Interface, Party
from hansa.contract import Record, Struct, Text, action, invariant, migration, view
LIMIT = -3
class Bank(Interface, contract="bank"):
    @action
    def pay(tx, to: Party): ...
    @view
    def has(tx, who: Party) -> bool: ...
def twice(n: int) -> int:
    """Doubles."""
    return n + n
class Shop(Contract, version="12.0.3"):
    """Not the description: that is the file's."""
    class Roles:
        """Who is who."""
        keeper: Party = Party(attribute="licence:shop")
        clerk: Party = Party(user="role:clerk")
        engine: Party = Party(contract="settlement")
        owner: Party
    class States:
        Open: "for sale"
        Sold: "no more"
    class Shade(Enum):
        Red = "as blood"
    class Old(Struct):
        """What an item was."""
        id: Text[1, 9]
        owner: Party
        state: Text[1, 48]
    class Item(Record, key="id", index=["owner"]):
        """A thing for sale."""
        id: Text[1, 9]
        owner: Party
        price: Int[0, 9] = 3
        next: Item | None = None
        @invariant
        def cheap(item):
            pass
        @migration
        def from_1(item, old: Old):
            pass
    class Empty(Record, key="n"):
        n: int
        class States:
            New: "just made"
    @action(by=["keeper", "owner"], creates="Item", to="Open")
    def add(tx, item: Item, id: Text[1, 9], owner: Party):
        """Puts a thing up."""
        pass
    @action(by="owner", on="Open", to=["Sold", "Open"])
    def sell(tx, item: Item):
        become(item, "Sold")
    @view
    def price(tx, other: Empty, item: Item) -> Int[0, 9] | None:
        return item.price
'''.lstrip("\n").replace("view\nLIMIT", "become, view\nLIMIT")


def test_a_whole_file_is_read() -> None:
    checked = program.check(WHOLE, "shop")
    item = RecordType(
        "Item",
        "id",
        {
            "id": Field("id", TextType(1, 9), True, None, 33),
            "owner": Field("owner", PartyType(), True, None, 34),
            "price": Field("price", IntType(0, 9), False, 3, 35),
            "next": Field("next", OptionalType(ReferenceType("Item")), False, None, 36),
        },
        ("owner",),
        {"Open": "for sale", "Sold": "no more"},
        (Invariant("cheap", "item", 38),),
        Migration("item", "old", "Old", 41),
        "A thing for sale.",
        31,
    )
    empty = RecordType(
        "Empty", "n", {"n": Field("n", IntType(), True, None, 44)}, (), {"New": "just made"}, (), None, "", 43
    )
    old = Struct(
        "Old",
        {
            "id": Field("id", TextType(1, 9), True, None, 28),
            "owner": Field("owner", PartyType(), True, None, 29),
            "state": Field("state", TextType(1, 48), True, None, 30),
        },
        "What an item was.",
        26,
    )
    add = Action(
        "add",
        ("keeper", "owner"),
        "Item",
        (),
        ("Open",),
        (
            Parameter("item", ReferenceType("Item"), 48),
            Parameter("id", TextType(1, 9), 48),
            Parameter("owner", PartyType(), 48),
        ),
        None,
        "Puts a thing up.",
        48,
    )
    sell = Action(
        "sell",
        ("owner",),
        None,
        ("Open",),
        ("Sold", "Open"),
        (Parameter("item", ReferenceType("Item"), 52),),
        None,
        "",
        52,
    )
    price = Action(
        "price",
        (),
        None,
        (),
        (),
        (Parameter("other", ReferenceType("Empty"), 55), Parameter("item", ReferenceType("Item"), 55)),
        OptionalType(IntType(0, 9)),
        "",
        55,
    )
    who = Parameter("who", PartyType(), 9)
    assert checked.manifest == Manifest(
        kind="contract",
        name="shop",
        version="12.0.3",
        doc="What the file is for.",
        title="Shop",
        roles={
            "keeper": Role("keeper", "licence:shop", None, None, 17),
            "clerk": Role("clerk", None, "role:clerk", None, 18),
            "engine": Role("engine", None, None, "settlement", 19),
            "owner": Role("owner", None, None, None, 20),
        },
        structs={"Old": old},
        enums={"Shade": Enum("Shade", {"Red": "as blood"}, 24)},
        records={"Item": item, "Empty": empty},
        actions={"add": add, "sell": sell},
        views={"price": price},
        functions={"twice": Function("twice", (Parameter("n", IntType(), 10),), IntType(), "Doubles.", 10)},
        interfaces={
            "Bank": Interface(
                "Bank",
                "bank",
                {"pay": (Parameter("to", PartyType(), 7),)},
                {"has": Function("has", (who,), BoolType(), "", 9)},
                5,
            )
        },
        libraries={},
        constants={"LIMIT": -3},
    )
    assert sorted(checked.bodies) == ["Item", "Item.cheap", "add", "price", "sell", "twice"]
    assert add.subject == add.parameters[0]
    assert price.subject == price.parameters[0]
    assert (price.is_view, add.is_view) == (True, False)


MONEY = """
from hansa.contract import Enum, Int, Struct
TOP = 9
class Base(Enum):
    Act365 = "365 days"
class Terms(Struct):
    base: Base
    rate: Int[0, 9] = 1
def rate_of(terms: Terms) -> Int[0, 9]:
    return terms.rate
""".lstrip("\n")


def test_what_a_library_declares_has_its_alias_before_it() -> None:
    world = World()
    digest = world.add_library("money", MONEY)
    source = contract(
        "class R(Record, key='id'):\n    id: int\n    terms: list[m.Terms, 2]\n    base: m.Base = m.Base.Act365\n"
        "    top: int = m.TOP",
        f'm = library("money", "{digest}")',
    )
    checked = program.check(source, "sample", world.libraries)
    manifest = checked.manifest
    assert manifest.libraries["m"].digest.hex() == digest
    assert (manifest.libraries["m"].name, checked.libraries["m"].manifest.kind) == ("money", "library")
    assert manifest.structs["m.Terms"].fields["base"].type == EnumType("m.Base")
    assert manifest.functions["m.rate_of"].parameters[0].type == StructType("m.Terms")
    fields = manifest.records["R"].fields
    assert fields["terms"].type == ListType(StructType("m.Terms"), 2)
    assert (fields["base"].type, fields["base"].default, fields["top"].default) == (EnumType("m.Base"), "Act365", 9)


def test_a_library_is_found_by_its_digest_whatever_name_it_was_deployed_by() -> None:
    """Else whoever deploys somebody's file first, under another name, keeps everyone from it."""
    world = World()
    digest = world.add_library("money", MONEY)
    other = world.add_library("money", MONEY.replace("9", "8"))
    assert digest != other
    for name, written, expected in [
        ("money", digest, []),
        ("money", other, []),
        ("purse", digest, []),
        ("money", "0" * 64, ["library.unknown"]),
    ]:
        assert codes(contract("pass", f'm = library("{name}", "{written}")'), world.libraries) == expected


def test_a_contract_is_no_library() -> None:
    """What is registered as a library was checked as one, so this is the world's to keep; a file says what it is."""
    assert program.check(MONEY, "money").manifest.kind == "library"
    assert program.check(MONEY, "money").manifest.version == "0.0.0"
    assert program.check(contract("pass"), "sample").manifest.kind == "contract"


def test_libraries_use_libraries() -> None:
    world = World()
    inner = world.add_library("money", MONEY)
    outer = world.add_library(
        "loans",
        f'from hansa.contract import Int, Struct, library\nm = library("money", "{inner}")\n'
        "class Loan(Struct):\n    terms: m.Terms\n"
        "def rate(loan: Loan) -> Int[0, 9]:\n    return m.rate_of(loan.terms)\n",
    )
    members = "@view\ndef go(tx, loan: l.Loan) -> int:\n    return l.rate(loan) + l.rate(loan=loan) + loan.terms.rate"
    source = contract(members, f'l = library("loans", "{outer}")')
    manifest = program.check(source, "sample", world.libraries).manifest
    assert manifest.structs["l.Loan"].fields["terms"].type == StructType("l.m.Terms")
    world.deploy("sample", source)
    ran = world.run(world.call("sample", "go", {"loan": {"terms": {"base": "Act365", "rate": 3}}}))
    assert (ran.code, ran.result) == ("ok", 9)


@pytest.mark.parametrize("name", ["m", "m__rate_of", "f0"])
def test_an_own_name_never_meets_a_librarys(name: str) -> None:
    world = World()
    digest = world.add_library("money", MONEY)
    outer = f'm = library("money", "{digest}")\ndef {name}(n: int) -> int:\n    return 100'
    source = contract("@view\ndef go(tx, t: m.Terms) -> int:\n    return m.rate_of(t)", outer)
    if name == "m":
        assert codes(source, world.libraries) == ["name.twice"]
    else:
        world.deploy("sample", source)
        assert world.run(world.call("sample", "go", {"t": {"base": "Act365"}})).result == 1
