"""Declarations that break one rule each: lines with `$` where the finding stands, and its code."""

from typing import Final

THING: Final = """
class Thing(Record, key="id"):
    id: Int[0, 9]
"""
OWNED: Final = """
class Roles:
    owner: Party
class Thing(Record, key="id"):
    id: Int[0, 9]
    owner: Party
"""
STATED: Final = """
class Thing(Record, key="id"):
    id: Int[0, 9]
    class States:
        Open: "it is open"
        Shut: "it is shut"
"""
GO: Final = '@action(by="member")\ndef go(tx):\n    pass\n'
DIGITS: Final = "ab" * 32


def _record(lines: str) -> str:
    return 'class R(Record, key="id"):\n    id: int\n    ' + lines


def _go(parameters: str, options: str = 'by="member"', returns: str = "") -> str:
    return f"@action({options})\n$def go({parameters}){returns}:\n    pass\n"


MEMBERS: Final[list[tuple[str, str]]] = [
    ("$x = 1", "contract.statement"),
    ("$x: int", "contract.statement"),
    ("$...", "contract.statement"),
    ("'not at the head'\n$'another'", "contract.statement"),
    ("$from hansa.contract import Text", "contract.statement"),
    ("$if True:\n    pass", "contract.statement"),
    ("$async def go(tx):\n    pass", "contract.statement"),
    ("$for x in []:\n    pass", "contract.statement"),
    ("$lambda: 1", "contract.statement"),
    ("$del x", "contract.statement"),
    # Names
    (THING + THING.replace("class", "$class"), "name.twice"),
    (GO + GO.replace("def", "$def"), "name.twice"),
    ("class Roles:\n    a: Party\n    $a: Party", "name.twice"),
    (_record("$id: int"), "name.twice"),
    (_record('class States:\n        A: "a"\n        $A: "b"'), "name.twice"),
    (THING + '@action(by="member")\n$def Thing(tx):\n    pass', "name.twice"),
    (GO.replace("tx", "tx, a: int, a: int").replace("def", "$def"), "name.twice"),
    ("$class _R(Record, key='id'):\n    id: int", "name.reserved"),
    ("$class Record(Record, key='id'):\n    id: int", "name.reserved"),
    ("$class int(Record, key='id'):\n    id: Hash", "name.reserved"),
    (f"$class {'R' * 49}(Record, key='id'):\n    id: int", "name.reserved"),
    (_record("$_x: int"), "name.reserved"),
    (_record(f"${'x' * 49}: int"), "name.reserved"),
    ("$class R(Record, key='id'):\n    id: int\n    state: int\n    class States:\n        A: 'a'", "name.reserved"),
    (_record("class States:\n        $_A: 'a'"), "name.reserved"),
    ("class Roles:\n    $member: Party", "name.reserved"),
    ("class Roles:\n    $schedule: Party", "name.reserved"),
    ("class Roles:\n    $tx: Party", "name.reserved"),
    ("class Roles:\n    $__r: Party", "name.reserved"),
    ('@action(by="member")\n$def require(tx):\n    pass', "name.reserved"),
    ('@action(by="member")\n$def __add(tx):\n    pass', "name.reserved"),
    ('@action(by="member")\ndef go(tx, $event: int):\n    pass', "name.reserved"),
    ('@action(by="member")\ndef go(tx, tx_: int, $__frame: int):\n    pass', "name.reserved"),
    (THING + '@action(by="member")\ndef go(tx, $Thing: int):\n    pass', "name.reserved"),
    (_record("@invariant\n    $def id(r):\n        pass"), "name.reserved"),
    (_record("@invariant\n    $def _x(r):\n        pass"), "name.reserved"),
    (
        _record("@invariant\n    def ok(r):\n        pass\n    @invariant\n    $def ok(r):\n        pass"),
        "name.reserved",
    ),
    (_record("@invariant\n    def ok($tx):\n        pass"), "name.reserved"),
    # Roles
    ("@x\n$class Roles:\n    pass", "class.base"),
    ("$class Roles(Enum):\n    pass", "class.base"),
    ("$class Roles(x=1):\n    pass", "class.base"),
    ("class Roles:\n    $x = 1", "role.form"),
    ("class Roles:\n    $def x(): pass", "role.form"),
    ("class Roles:\n    $x.y: Party", "role.form"),
    ("class Roles:\n    x: $Text", "role.form"),
    ("class Roles:\n    x: Party = $1", "role.form"),
    ('class Roles:\n    x: Party = $Party("a")', "role.form"),
    ("class Roles:\n    x: Party = $Party()", "role.form"),
    ('class Roles:\n    x: Party = $Party(attribute="")', "role.form"),
    ("class Roles:\n    x: Party = $Party(attribute=1)", "role.form"),
    ("class Roles:\n    x: Party = $Party(attribute='" + "a" * 65 + "')", "role.form"),
    ('class Roles:\n    x: Party = $Party(attribute="a", user="b")', "role.form"),
    ('class Roles:\n    x: Party = $Party(contract="No Name")', "role.form"),
    ('class Roles:\n    x: Party = $Party(**{"attribute": "a"})', "role.form"),
    ('class Roles:\n    x: Party = $Amount(attribute="a")', "role.form"),
    # States
    (_record("$class States:\n        pass"), "state.form"),
    (_record("class States:\n        $A = C = 'a'\n        B: 'b'"), "state.form"),
    (_record("class States:\n        $A = 1\n        B: 'b'"), "state.form"),
    (_record("class States:\n        $A, C = 'a'\n        B: 'b'"), "state.form"),
    (_record("class States:\n        A = 'a'\n        $A: 'b'"), "name.twice"),
    (_record("class States:\n        $A: 'a' = 1\n        B: 'b'"), "state.form"),
    (_record("class States:\n        $A: Party\n        B: 'b'"), "state.form"),
    (_record("$class States(Enum):\n        A: 'a'"), "class.base"),
    ("class States:\n    Open: 'it is open'\n" + THING + GO.replace("def", "$def"), "state.unused"),
    (STATED + _go("tx, t: Thing", 'by="member", on="Opne"'), "action.state"),
    (STATED + _go("tx, t: Thing", 'by="member", to="Gone"'), "action.state"),
    (THING + _go("tx, t: Thing", 'by="member", on="Open"'), "action.state"),
    (STATED + _go("tx, t: Thing, id: int", 'by="member", creates="Thing"'), "action.state"),
    (
        STATED + _go("tx, t: Thing, id: int", 'by="member", creates="Thing", to="Open", on="Shut"'),
        "action.state",
    ),
    # Records
    ("$class R:\n    id: int", "class.base"),
    (THING + "$class R(Thing):\n    id: int", "class.base"),
    ("$class R(Record, Record, key='id'):\n    id: int", "class.base"),
    ("$class R(x.Record, key='id'):\n    id: int", "class.base"),
    ("$class D(Contract, version='1.0.0'):\n    pass", "class.base"),
    ("$class I(Interface, contract='a'):\n    pass", "class.base"),
    ("@$x\nclass R(Record, key='id'):\n    id: int", "class.decorator"),
    ("class R(Record, key='id', $color='red'):\n    id: int", "record.option"),
    ("class R(Record, key='id', $index='id'):\n    id: int", "record.option"),
    ("class R(Record, key='id', $index=[1]):\n    id: int", "record.option"),
    ("class R(Record, key='id', $index=('id',)):\n    id: int", "record.option"),
    ("class R(Record, key='id', $metaclass='type'):\n    id: int", "record.option"),
    ("class R(Record, key='id', $**x):\n    id: int", "record.option"),
    ("$class R(Record):\n    id: int", "record.key"),
    ("$class R(Record, key='other'):\n    id: int", "record.key"),
    *[
        (f"$class R(Record, key='id'):\n    id: {type_}", "record.key")
        for type_ in (
            *("bool", "Amount", "list[int, 3]", "int | None", "int = 1", "Text[1, 101]", "Bytes[1, 401]"),
            *("dict[Text[1, 2], int, 3]", "SignedAmount"),
        )
    ],
    ("$class R(Record, key='id', index=['x']):\n    id: int", "record.index"),
    ("$class R(Record, key='id', index=['id', 'id']):\n    id: int", "record.index"),
    *[
        (f"$class R(Record, key='id', index=['x']):\n    id: int\n    x: {type_}", "record.index")
        for type_ in ("Text[0, 101]", "Bytes[0, 401] | None", "Amount", "list[int, 2]")
    ],
    ("$" + _record("".join(f"f{i}: int\n    " for i in range(64))), "record.fields"),
    (_record("$x = 1"), "field.form"),
    (_record("$def x(): pass"), "field.form"),
    (_record("$x.y: int"), "field.form"),
    (_record("$x[0]: int"), "field.form"),
    (_record("$(x): int"), "field.form"),
    # Structs and enums
    ("$class S(Struct):\n    pass", "struct.fields"),
    ("$class S(Struct, key='x'):\n    x: int", "class.base"),
    (THING + "class S(Struct):\n    y: int\n    x: $Thing", "field.type"),
    ("class S(Struct):\n    y: int\n    x: $S", "type.unknown"),
    ("class S(Struct):\n    y: int\n    x: $T\nclass T(Struct):\n    x: int", "type.unknown"),
    ("$class E(Enum):\n    pass", "enum.form"),
    ("$class E(Enum, x=1):\n    A = 'a'", "class.base"),
    ("class E(Enum):\n    $A: int\n    B = 'b'", "enum.form"),
    ("class E(Enum):\n    $A = 1\n    B = 'b'", "enum.form"),
    ("class E(Enum):\n    $A = C = 'a'\n    B = 'b'", "enum.form"),
    ("class E(Enum):\n" + "".join(f"    V{i} = 'v'\n" for i in range(64)) + "    $V64 = 'v'", "enum.count"),
    # Defaults
    *[
        (_record(f"x: {type_} = ${default}"), "field.default")
        for type_, default in [
            *(("int", each) for each in ('"1"', "True", "1 + 1", "1.0", "x", "None", "[]", str(2**63))),
            *(("Int[1, 5]", each) for each in ("0", "6")),
            *(("Text[1, 3]", each) for each in ('""', '"abcd"', "1")),
            *(("list[int, 3]", each) for each in ("[1]", "None", "list()", "{}")),
            *(("dict[Text[1, 2], int, 3]", each) for each in ("{'a': 1}", "[]", "None")),
            *(("Party", '"alice"'), ("Amount", "0"), ("Amount", 'Amount(0, "USD")'), ("bool", "1")),
            *(("Text[1, 3] | None", '"abcd"'), ("Bytes[0, 3]", '""'), ("list[int, 3] | None", "[1]")),
        ]
    ],
    ("class E(Enum):\n    A = 'a'\n" + _record("x: E = $E.B"), "field.default"),
    ("class E(Enum):\n    A = 'a'\nclass F(Enum):\n    A = 'a'\n" + _record("x: E = $F.A"), "field.default"),
    # Invariants and migrations
    (_record("@invariant\n    $def ok(r, s):\n        pass"), "invariant.form"),
    (_record("@invariant\n    $def ok(r: int):\n        pass"), "invariant.form"),
    (_record("@invariant\n    $def ok(r) -> bool:\n        pass"), "invariant.form"),
    (_record("@migration\n    $def up(r):\n        pass"), "migration.form"),
    (_record("@migration\n    $def up(r, old):\n        pass"), "migration.form"),
    (_record("@migration\n    $def up(r, old: int):\n        pass"), "migration.form"),
    (
        "class O(Struct):\n    id: int\n"
        + _record(
            "@migration\n    def up(r, old: O):\n        pass\n    @migration\n    $def down(r, old: O):\n        pass"
        ),
        "name.twice",
    ),
    # Actions and views
    ("$def go(tx):\n    pass", "action.decorator"),
    ("@action\n$def go(tx):\n    pass", "action.decorator"),
    ("@view()\n$def go(tx) -> int:\n    return 1", "action.decorator"),
    ("@staticmethod\n$def go(tx):\n    pass", "action.decorator"),
    ('@x.action(by="member")\n$def go(tx):\n    pass', "action.decorator"),
    ('@view\n@action(by="member")\n$def go(tx):\n    pass', "action.decorator"),
    ('@action($"member", by="member")\ndef go(tx):\n    pass', "action.option"),
    ('@action(by="member", $color="red")\ndef go(tx):\n    pass', "action.option"),
    ('@action(by="member", $**x)\ndef go(tx):\n    pass', "action.option"),
    (THING + '@action(by="member", $creates=Thing)\ndef go(tx):\n    pass', "action.option"),
    (STATED + '@action(by="member", $on=[])\ndef go(tx, t: Thing):\n    pass', "action.option"),
    (STATED + '@action(by="member", $on=["Open", "Open"])\ndef go(tx, t: Thing):\n    pass', "action.option"),
    ("@$action()\ndef go(tx):\n    pass", "action.by"),
    ('@$action(by="")\ndef go(tx):\n    pass', "action.by"),
    ('@$action(by="nobody")\ndef go(tx):\n    pass', "action.by"),
    ("class Roles:\n    owner: Party\n" + _go("tx", 'by="owner"'), "action.by"),
    ("class Roles:\n    id: Party\n" + THING + _go("tx, thing: Thing", 'by="id"'), "action.by"),
    (_go("tx", 'by="schedule"'), "action.by"),
    (THING + _go("tx, t: Thing, n: int", 'by="schedule"'), "action.by"),
    (THING + _go("tx, id: int", 'by="member", creates="Thing"'), "action.creates"),
    (THING + '@action(by="member", $creates="Thnig")\ndef go(tx, t: Thing):\n    pass', "action.creates"),
    (
        THING
        + THING.replace("Thing", "Other")
        + _go("tx, o: Other, thing: Thing, id: int", 'by="member", creates="Thing"'),
        "action.creates",
    ),
    ('@action(by="member")\n$def go(tx) -> int:\n    return 1', "action.returns"),
    (THING + '@action(by="schedule")\ndef go(tx, t: Thing):\n    x = $tx.member', "name.context"),
    (THING + '@action(by="schedule")\ndef go(tx, t: Thing):\n    x = $tx.user', "name.context"),
    (THING + '@action(by="schedule")\ndef go(tx, t: Thing):\n    x = $tx.id', "name.context"),
    ("@view\n$def go(tx):\n    return 1", "view.returns"),
    (THING + "@view\n$def go(tx, t: Thing) -> Thing:\n    return t", "view.returns"),
    # Parameters
    (_go("tx, a: int = 1"), "parameter.form"),
    (_go("tx, *a"), "parameter.form"),
    (_go("tx, **a"), "parameter.form"),
    (_go("tx, *, a: int"), "parameter.form"),
    (_go(""), "parameter.context"),
    (_go("self"), "parameter.context"),
    (_go("tx: int"), "parameter.context"),
    ('@action(by="member")\ndef go(tx, $a):\n    pass', "parameter.type"),
    (THING + '@action(by="member")\ndef go(tx, $a: Thing | None):\n    pass', "parameter.type"),
    (_go("tx, " + ",\n".join(f"p{i}: int" for i in range(32))), "parameter.count"),
    # Types
    *[
        (f'@action(by="member")\ndef go(tx, a: ${annotation}):\n    pass', code)
        for code, annotations in {
            "type.unknown": (
                *("str", "float", "bytes", "dict", "list", "Text", "Int", "Bytes", "Sample", "None", "1", "'int'"),
                *("int | bool", "None | int", "int()", "hansa.Text[1, 2]", "Text[1]", "Text[1:2]", "Text[1, 2, 3]"),
                *("list[int]", "Party[1, 2]", "Amount[1, 2]", "Hash[1, 2]", "int[1, 2]", "dict[int, 2]", "dict[int]"),
                *("lambda: 1", "[int for x in y]", "Optional[int, 2]"),
            ),
            "type.bounds": (
                *("Text[2, 1]", "Text[-1, 1]", "Text[0, 65537]", "Text[a, b]", "Text['1', '2']", "Text[True, 2]"),
                *("Text[0, 1 + 1]", "Bytes[0, 65537]", "Bytes[-1, 3]", "Int[0, 9223372036854775808]", "Int[1, 0]"),
                "Int[-9223372036854775809, 0]",
            ),
            "type.list": ("list[int, 0]", "list[int, 1025]", "list[int, n]", "list[int, True]"),
            "type.map": (
                *("dict[int, int, 2]", "dict[Text[1, 101], int, 2]", "dict[Date, int, 2]", "dict[Party, int, 0]"),
                *("dict[Party, int, 1025]", "dict[Party | None, int, 2]", "dict[list[Party, 1], int, 2]"),
            ),
            "type.optional": ("int | None | None",),
            "type.depth": (
                "list[list[list[list[list[list[int, 2], 2], 2], 2], 2], 2]",
                "list[list[list[list[list[int | None, 2], 2], 2], 2], 2]",
            ),
        }.items()
        for annotation in annotations
    ],
    ('@action(by="member")\ndef go(tx, a: list[$str, 2]):\n    pass', "type.unknown"),
    ('@action(by="member")\ndef go(tx, a: dict[Party, $Text[2, 1], 2]):\n    pass', "type.bounds"),
    (THING + '@action(by="member")\ndef go(tx, t: $list[Thing, 2]):\n    pass', "type.list"),
    (THING + '@action(by="member")\ndef go(tx, t: $dict[Party, Thing, 2]):\n    pass', "type.map"),
    (
        "class A(Struct):\n    x: list[list[list[int, 2], 2], 2]\n"
        "class B(Struct):\n    x: A\n$class C(Struct):\n    x: B",
        "type.depth",
    ),
    (
        "class A(Struct):\n"
        + "".join(f"    f{i}: int\n" for i in range(64))
        + "$class B(Struct):\n"
        + "".join(f"    f{i}: A\n" for i in range(17)),
        "type.size",
    ),
]
"""Lines of a contract's class."""

OUTER: Final[list[tuple[str, str]]] = [
    ("$x: int = 1", "file.statement"),
    ("$if 1:\n    pass", "file.statement"),
    ("$async def f():\n    pass", "file.statement"),
    ("$import hansa", "file.statement"),
    ("$a = b = 1", "file.statement"),
    ("$a, b = 1, 2", "file.statement"),
    ("a = 1\n$from hansa.contract import Text", "file.statement"),
    ("$from os import path", "import.module"),
    ("$from . import x", "import.module"),
    ("$from hansa import contract", "import.module"),
    ("$from .hansa.contract import Text", "import.module"),
    ("$from __future__ import annotations", "import.module"),
    ("from hansa.contract import $*", "import.name"),
    ("from hansa.contract import $Float", "import.name"),
    ("from hansa.contract import $__builtins__", "import.name"),
    ("from hansa.contract import $Text as Int", "import.alias"),
    ("a = 1\n$a = 2", "name.twice"),
    ("$_a = 2", "name.reserved"),
    ("$len = 2", "name.reserved"),
    ("a = $1.5", "constant.value"),
    ("a = $None", "constant.value"),
    ("a = $[1]", "constant.value"),
    ("a = $1 + 1", "constant.value"),
    (f"a = ${2**255}", "constant.value"),
    (f"a = $-{2**255}", "constant.value"),
    ("a = $library()", "library.form"),
    ("a = $library('tools')", "library.form"),
    ("a = $library('tools', 'abc')", "library.form"),
    (f"a = $library('No Name', '{DIGITS}')", "library.form"),
    (f"a = $library('tools', '{DIGITS.upper()}')", "library.form"),
    (f"a = $library('tools', digest='{DIGITS}')", "library.form"),
    (f"a = $library('tools', '{DIGITS}')", "library.unknown"),
    ("$class S:\n    x: int", "class.base"),
    # Functions
    ("@$view\ndef f(a: int) -> int:\n    return a", "function.decorator"),
    ("$def f(a: int):\n    return a", "function.returns"),
    ("def f($a) -> int:\n    return 1", "parameter.type"),
    ("def f($tx: int) -> int:\n    return 1", "name.reserved"),
    (THING + "$def f(t: Thing) -> int:\n    return 1", "function.records"),
    (THING + "$def f(t: int) -> Thing:\n    return t", "function.records"),
    # Interfaces
    ("$class I(Interface):\n    pass", "interface.form"),
    ("$class I(Interface, name='a'):\n    pass", "interface.form"),
    ("$class I(Interface, contract=1):\n    pass", "interface.form"),
    ("class I(Interface, $contract='No Name'):\n    pass", "interface.form"),
    ("class I(Interface, contract='a'):\n    $x: int", "interface.form"),
    ("class I(Interface, contract='a'):\n    @action\n    $def go(tx):\n        x = 1", "interface.form"),
    ("class I(Interface, contract='a'):\n    $def go(tx):\n        ...", "interface.form"),
    ("class I(Interface, contract='a'):\n    @view\n    $def go(tx):\n        ...", "interface.form"),
    ("class I(Interface, contract='a'):\n    @action\n    $def go(tx) -> int:\n        ...", "interface.form"),
    (
        THING + "class I(Interface, contract='a'):\n    @action\n    $def go(tx, t: Thing):\n        ...",
        "interface.form",
    ),
    ("class I(Interface, contract='a'):\n    @action\n    $def len(tx):\n        ...", "name.twice"),
    ("class I(Interface, contract='a'):\n    @action\n    $def go(self):\n        ...", "parameter.context"),
]
"""Lines before a contract's class."""

FILES: Final[list[tuple[str, str]]] = [
    ("$", "file.class"),
    ("$'a doc alone'", "file.class"),
    ("$from hansa.contract import Text", "file.class"),
    ("$from hansa.contract import Record\nN = 1\nclass R(Record, key='id'):\n    id: int", "file.class"),
    ("$from hansa.contract import Interface\nN = 1\nclass I(Interface, contract='a'):\n    pass", "file.class"),
    *[
        (f"from hansa.contract import Contract\n{text}", code)
        for text, code in [
            ("$'a'\nclass C(Contract, version='1.0.0'):\n    pass", "file.statement"),
            ("class C(Contract, version='1.0.0'):\n    pass\n$from hansa.contract import Text", "file.statement"),
            ("class C(Contract, version='1.0.0'):\n    pass\n$x = 1", "file.statement"),
            (
                "class C(Contract, version='1.0.0'):\n    pass\n$class D(Contract, version='1.0.0'):\n    pass",
                "file.statement",
            ),
            ("$class C(Contract):\n    pass", "contract.version"),
            ("class C(Contract, $version=1):\n    pass", "contract.version"),
            ("class C(Contract, $version='1.0'):\n    pass", "contract.version"),
            ("class C(Contract, $version='1.0.00'):\n    pass", "contract.version"),
            ("class C(Contract, $version='1.0.0\\n'):\n    pass", "contract.version"),
            ("class C(Contract, $version='1.0.1234567890'):\n    pass", "contract.version"),
            ("class C(Contract, version='1.0.0', $metaclass=type):\n    pass", "contract.version"),
            ("class C(Contract, version='1.0.0', $**x):\n    pass", "contract.version"),
            ("@$x\nclass C(Contract, version='1.0.0'):\n    pass", "class.decorator"),
            ("class C(Contract, version='1.0.0'):\n    $...", "contract.statement"),
        ]
    ],
    ("class C($Contract, version='1.0.0'):\n    pass", "import.missing"),
    *[
        (
            f"from hansa.contract import Contract, view\nclass C(Contract, version='1.0.0'):\n    @view\n"
            f"    def go(tx, a: {annotation}) -> int:\n        return 1",
            "import.missing",
        )
        for annotation in ("$Amount", "$Party", "$Hash", "$Text[1, 2]", "$Int[1, 2]", "list[$Party, 2]")
    ],
]
"""Whole files."""
