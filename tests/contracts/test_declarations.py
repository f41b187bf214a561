"""Declarations: each rule has a file that breaks it alone, all findings are told at once, and what is sound is read."""

import ast
import inspect
import textwrap
from collections.abc import Callable

import pytest

from hansa.contracts import declarations, program
from hansa.contracts.diagnostics import Diagnostic
from hansa.contracts.manifest import (
    Action,
    AmountType,
    BoolType,
    BytesType,
    Field,
    IntType,
    ListType,
    Manifest,
    OptionalType,
    Parameter,
    PartyType,
    RecordType,
    ReferenceType,
    Role,
    TextType,
    Type,
)

RECORD = """
class Thing(Record, key="id"):
    id: Int[0, 9]
"""

# The lines of a class, and the only finding about them: its code and line, counted from the first line given.
BROKEN = [
    ("x = 1", "contract.statement", 1),
    ("x: int", "contract.statement", 1),
    ("...", "contract.statement", 1),
    ("'not at the head'\n'another'", "contract.statement", 2),
    ("from hansa.contract import Text", "contract.statement", 1),
    ("if True:\n    pass", "contract.statement", 1),
    ("async def go(tx):\n    pass", "contract.statement", 1),
    ("for x in []:\n    pass", "contract.statement", 1),
    ("lambda: 1", "contract.statement", 1),
    ("del x", "contract.statement", 1),
    # Names
    (RECORD + RECORD, "name.twice", 4),
    ('@view\ndef go(tx) -> int:\n    return 1\n@action(by="member")\ndef go(tx):\n    pass', "name.twice", 5),
    ("class Roles:\n    a: Party\n    a: Party", "name.twice", 3),
    ("class Roles:\n    pass\nclass Roles:\n    pass", "name.twice", 3),
    ('class R(Record, key="id"):\n    id: int\n    id: int', "name.twice", 3),
    ('@action(by="member")\ndef Thing(tx):\n    pass' + RECORD, "name.twice", 2),
    ('class _R(Record, key="id"):\n    id: int', "name.reserved", 1),
    ('class Record(Record, key="id"):\n    id: int', "name.reserved", 1),
    ('class int(Record, key="id"):\n    id: Hash', "name.reserved", 1),
    (f'class {"R" * 49}(Record, key="id"):\n    id: int', "name.reserved", 1),
    ('class R(Record, key="id"):\n    id: int\n    _x: int', "name.reserved", 3),
    ('class R(Record, key="id"):\n    id: int\n    len: int', "name.reserved", 3),
    (f'class R(Record, key="id"):\n    id: int\n    {"x" * 49}: int', "name.reserved", 3),
    ("class Roles:\n    member: Party", "name.reserved", 2),
    ("class Roles:\n    tx: Party", "name.reserved", 2),
    ("class Roles:\n    __r: Party", "name.reserved", 2),
    ('@action(by="member")\ndef require(tx):\n    pass', "name.reserved", 2),
    ('@action(by="member")\ndef __add(tx):\n    pass', "name.reserved", 2),
    ('@action(by="member")\ndef go(tx, event: int):\n    pass', "name.reserved", 2),
    ('@action(by="member")\ndef go(tx, tx_: int, __frame: int):\n    pass', "name.reserved", 2),
    # Roles
    ("@x\nclass Roles:\n    pass", "class.decorator", 1),
    ("class Roles:\n    x = 1", "role.form", 2),
    ("class Roles:\n    def x(): pass", "role.form", 2),
    ("class Roles:\n    x.y: Party", "role.form", 2),
    ("class Roles:\n    x: Text", "role.form", 2),
    ("class Roles:\n    x: Party = 1", "role.form", 2),
    ('class Roles:\n    x: Party = Party("a")', "role.form", 2),
    ("class Roles:\n    x: Party = Party()", "role.form", 2),
    ('class Roles:\n    x: Party = Party(attribute="")', "role.form", 2),
    ("class Roles:\n    x: Party = Party(attribute=1)", "role.form", 2),
    ('class Roles:\n    x: Party = Party(attribute="' + "a" * 65 + '")', "role.form", 2),
    ('class Roles:\n    x: Party = Party(attribute="a", other="b")', "role.form", 2),
    ('class Roles:\n    x: Party = Party(**{"attribute": "a"})', "role.form", 2),
    ('class Roles:\n    x: Party = Amount(attribute="a")', "role.form", 2),
    # Records
    ("class R:\n    id: int", "record.base", 1),
    ("class R(Thing):\n    id: int" + RECORD, "record.base", 1),
    ('class R(Record, Record, key="id"):\n    id: int', "record.base", 1),
    ('class R(x.Record, key="id"):\n    id: int', "record.base", 1),
    ('@x\nclass R(Record, key="id"):\n    id: int', "class.decorator", 1),
    ('class R(Record, key="id", color="red"):\n    id: int', "record.option", 1),
    ('class R(Record, key="id", index="id"):\n    id: int', "record.option", 1),
    ('class R(Record, key="id", index=[1]):\n    id: int', "record.option", 1),
    ('class R(Record, key="id", index=("id",)):\n    id: int', "record.option", 1),
    ('class R(Record, key="id", metaclass="type"):\n    id: int', "record.option", 1),
    ('class R(Record, key="id", **x):\n    id: int', "record.option", 1),
    ("class R(Record):\n    id: int", "record.key", 1),
    ('class R(Record, key="other"):\n    id: int', "record.key", 1),
    ('class R(Record, key="id"):\n    id: bool', "record.key", 1),
    ('class R(Record, key="id"):\n    id: Amount', "record.key", 1),
    ('class R(Record, key="id"):\n    id: list[int, 3]', "record.key", 1),
    ('class R(Record, key="id"):\n    id: int | None', "record.key", 1),
    ('class R(Record, key="id"):\n    id: int = 1', "record.key", 1),
    ('class R(Record, key="id"):\n    id: Text[1, 101]', "record.key", 1),
    ('class R(Record, key="id"):\n    id: Bytes[1, 401]', "record.key", 1),
    ('class R(Record, key="id", index=["x"]):\n    id: int', "record.index", 1),
    ('class R(Record, key="id", index=["id", "id"]):\n    id: int', "record.index", 1),
    ('class R(Record, key="id", index=["x"]):\n    id: int\n    x: Text[0, 101]', "record.index", 1),
    ('class R(Record, key="id", index=["x"]):\n    id: int\n    x: Bytes[0, 401] | None', "record.index", 1),
    ('class R(Record, key="id", index=["x"]):\n    id: int\n    x: Amount', "record.index", 1),
    ('class R(Record, key="id", index=["x"]):\n    id: int\n    x: list[int, 2]', "record.index", 1),
    ('class R(Record, key="id"):\n    id: int\n' + "".join(f"    f{i}: int\n" for i in range(64)), "record.fields", 1),
    ('class R(Record, key="id"):\n    id: int\n    x = 1', "field.form", 3),
    ('class R(Record, key="id"):\n    id: int\n    def x(): pass', "field.form", 3),
    ('class R(Record, key="id"):\n    id: int\n    x.y: int', "field.form", 3),
    ('class R(Record, key="id"):\n    id: int\n    x[0]: int', "field.form", 3),
    ('class R(Record, key="id"):\n    id: int\n    other: Thing' + RECORD, "field.type", 3),
    # Defaults
    *[
        (f'class R(Record, key="id"):\n    id: int\n    x: {type_} = {default}', "field.default", 3)
        for type_, default in [
            ("int", '"1"'),
            ("int", "True"),
            ("int", "1 + 1"),
            ("int", "1.0"),
            ("int", "x"),
            ("int", "None"),
            ("int", str(2**63)),
            ("int", str(-(2**63) - 1)),
            ("Int[1, 5]", "0"),
            ("Int[1, 5]", "6"),
            ("Int[-5, -1]", "-6"),
            ("bool", "1"),
            ("Text[1, 3]", '""'),
            ("Text[1, 3]", '"abcd"'),
            ("Text[1, 3]", "1"),
            ("Text[1, 3] | None", '"abcd"'),
            ("Bytes[0, 3]", '""'),
            ("Party", '"alice"'),
            ("Amount", "0"),
            ("Amount", 'Amount(0, "USD")'),
            ("list[int, 3]", "[1]"),
            ("list[int, 3]", "None"),
            ("list[int, 3]", "list()"),
            ("list[int, 3] | None", "[1]"),
            ("int", "[]"),
        ]
    ],
    # Functions
    ("def go(tx):\n    pass", "action.decorator", 1),
    ("@action\ndef go(tx):\n    pass", "action.decorator", 1),
    ("@view()\ndef go(tx) -> int:\n    return 1", "action.decorator", 1),
    ("@staticmethod\ndef go(tx):\n    pass", "action.decorator", 1),
    ('@x.action(by="member")\ndef go(tx):\n    pass', "action.decorator", 1),
    ('@view\n@action(by="member")\ndef go(tx):\n    pass', "action.decorator", 3),
    ('@action("member", by="member")\ndef go(tx):\n    pass', "action.option", 1),
    ('@action(by="member", on="Paid")\ndef go(tx):\n    pass', "action.option", 1),
    ('@action(by="member", **x)\ndef go(tx):\n    pass', "action.option", 1),
    ('@action(by="member", creates=Thing)\ndef go(tx):\n    pass' + RECORD, "action.option", 1),
    ("@action()\ndef go(tx):\n    pass", "action.by", 1),
    ('@action(by="")\ndef go(tx):\n    pass', "action.by", 1),
    ('@action(by="nobody")\ndef go(tx):\n    pass', "action.by", 1),
    ('class Roles:\n    owner: Party\n@action(by="owner")\ndef go(tx):\n    pass', "action.by", 4),
    (
        'class Roles:\n    id: Party\n@action(by="id")\ndef go(tx, thing: Thing):\n    pass' + RECORD,
        "action.by",
        4,
    ),
    ('@action(by="member", creates="Thing")\ndef go(tx, id: int):\n    pass' + RECORD, "action.creates", 2),
    (
        '@action(by="member", creates="Thing")\ndef go(tx, o: Other, thing: Thing, id: int):\n    pass'
        + RECORD
        + RECORD.replace("Thing", "Other"),
        "action.creates",
        2,
    ),
    ('@action(by="member")\ndef go(tx) -> int:\n    pass', "action.returns", 2),
    ("@view\ndef go(tx):\n    return 1", "view.returns", 2),
    # Parameters
    ('@action(by="member")\ndef go(tx, a: int = 1):\n    pass', "parameter.form", 2),
    ('@action(by="member")\ndef go(tx, *a):\n    pass', "parameter.form", 2),
    ('@action(by="member")\ndef go(tx, **a):\n    pass', "parameter.form", 2),
    ('@action(by="member")\ndef go(tx, *, a: int):\n    pass', "parameter.form", 2),
    ('@action(by="member")\ndef go(tx, *, a: int = 1):\n    pass', "parameter.form", 2),
    ('@action(by="member")\ndef go():\n    pass', "parameter.context", 2),
    ('@action(by="member")\ndef go(self):\n    pass', "parameter.context", 2),
    ('@action(by="member")\ndef go(tx: int):\n    pass', "parameter.context", 2),
    ('@action(by="member")\ndef go(tx, a):\n    pass', "parameter.type", 2),
    (
        '@action(by="member")\ndef go(tx, ' + ",\n".join(f"p{i}: int" for i in range(32)) + "):\n    pass",
        "parameter.count",
        2,
    ),
    # Types
    *[
        (f'@action(by="member")\ndef go(tx, a: {annotation}):\n    pass', code, 2)
        for annotation, code in [
            ("str", "type.unknown"),
            ("float", "type.unknown"),
            ("bytes", "type.unknown"),
            ("dict", "type.unknown"),
            ("list", "type.unknown"),
            ("Text", "type.unknown"),
            ("Int", "type.unknown"),
            ("Bytes", "type.unknown"),
            ("Sample", "type.unknown"),
            ("None", "type.unknown"),
            ("1", "type.unknown"),
            ("'int'", "type.unknown"),
            ("int | bool", "type.unknown"),
            ("None | int", "type.unknown"),
            ("int()", "type.unknown"),
            ("hansa.Text[1, 2]", "type.unknown"),
            ("Text[1]", "type.unknown"),
            ("Text[1:2]", "type.unknown"),
            ("Text[1, 2, 3]", "type.unknown"),
            ("list[int]", "type.unknown"),
            ("Party[1, 2]", "type.unknown"),
            ("Amount[1, 2]", "type.unknown"),
            ("Hash[1, 2]", "type.unknown"),
            ("int[1, 2]", "type.unknown"),
            ("dict[int, 2]", "type.unknown"),
            ("Optional[int, 2]", "type.unknown"),
            ("(yield)", "type.unknown"),
            ("lambda: 1", "type.unknown"),
            ("[int for x in y]", "type.unknown"),
            ("Text[2, 1]", "type.bounds"),
            ("Text[-1, 1]", "type.bounds"),
            ("Text[0, 65537]", "type.bounds"),
            ("Text[a, b]", "type.bounds"),
            ("Text['1', '2']", "type.bounds"),
            ("Text[True, 2]", "type.bounds"),
            ("Text[0, 1 + 1]", "type.bounds"),
            ("Bytes[0, 65537]", "type.bounds"),
            ("Bytes[-1, 3]", "type.bounds"),
            ("Int[0, 9223372036854775808]", "type.bounds"),
            ("Int[-9223372036854775809, 0]", "type.bounds"),
            ("Int[1, 0]", "type.bounds"),
            ("list[int, 0]", "type.list"),
            ("list[int, 1025]", "type.list"),
            ("list[int, n]", "type.list"),
            ("list[int, True]", "type.list"),
            ("list[list[int, 2], 2]", "type.list"),
            ("int | None | None", "type.optional"),
            ("list[str, 2]", "type.unknown"),
            ("list[Text[2, 1], 2]", "type.bounds"),
        ]
    ],
    ('@action(by="member")\ndef go(tx, t: list[Thing, 2]):\n    pass' + RECORD, "type.list", 2),
    ('@action(by="member")\ndef go(tx, t: list[list[int, 2] | None, 2]):\n    pass', "type.list", 2),
    ('@action(by="member")\ndef go(tx, t: Thing | None):\n    pass' + RECORD, "type.optional", 2),
]

IMPORT = "from hansa.contract import Contract\n"

# Whole files, with the only finding about them; where none is written, they import `Contract` first.
FILES = [
    ("x = 1\nclass C(Contract, version='1.0.0'):\n    pass", "file.statement", 1),
    (
        "'doc'\nfrom hansa.contract import Contract\n'a'\nclass C(Contract, version='1.0.0'):\n    pass",
        "file.statement",
        3,
    ),
    ("class C(Contract, version='1.0.0'):\n    pass\nfrom hansa.contract import Text", "file.statement", 3),
    ("import hansa\nclass C(Contract, version='1.0.0'):\n    pass", "file.statement", 1),
    ("class C(Contract, version='1.0.0'):\n    pass\nprint(1)", "file.statement", 3),
    ("class C(Contract, version='1.0.0'):\n    pass\nif 1:\n    pass", "file.statement", 3),
    ("def f():\n    pass\nclass C(Contract, version='1.0.0'):\n    pass", "file.statement", 1),
    ("async def f():\n    pass\nclass C(Contract, version='1.0.0'):\n    pass", "file.statement", 1),
    ("class C(Contract, version='1.0.0'):\n    pass\nclass D(Contract, version='1.0.0'):\n    pass", "file.class", 0),
    ("", "file.class", 1),
    ("'a doc alone'", "file.class", 1),
    ("from hansa.contract import Text", "file.class", 1),
    ("from hansa import contract\nclass C(Contract, version='1.0.0'):\n    pass", "import.module", 1),
    ("from os import path\nclass C(Contract, version='1.0.0'):\n    pass", "import.module", 1),
    ("from . import x\nclass C(Contract, version='1.0.0'):\n    pass", "import.module", 1),
    ("from .hansa.contract import Text\nclass C(Contract, version='1.0.0'):\n    pass", "import.module", 1),
    ("from __future__ import annotations\nclass C(Contract, version='1.0.0'):\n    pass", "import.module", 1),
    ("from hansa.contract import *\nclass C(Contract, version='1.0.0'):\n    pass", "import.name", 1),
    ("from hansa.contract import Float\nclass C(Contract, version='1.0.0'):\n    pass", "import.name", 1),
    ("from hansa.contract import __builtins__\nclass C(Contract, version='1.0.0'):\n    pass", "import.name", 1),
    ("from hansa.contract import Text as Int\nclass C(Contract, version='1.0.0'):\n    pass", "import.alias", 1),
    ("class C(version='1.0.0'):\n    pass", "contract.base", 1),
    ("class C(object, version='1.0.0'):\n    pass", "contract.base", 1),
    ("class C(Contract, object, version='1.0.0'):\n    pass", "contract.base", 1),
    ("class C(hansa.Contract, version='1.0.0'):\n    pass", "contract.base", 1),
    ("class C(Contract):\n    pass", "contract.version", 1),
    ("class C(Contract, version=1):\n    pass", "contract.version", 1),
    ("class C(Contract, version='1.0'):\n    pass", "contract.version", 1),
    ("class C(Contract, version='1.0.0\\n'):\n    pass", "contract.version", 1),
    ("class C(Contract, version='1.0.1234567890'):\n    pass", "contract.version", 1),
    ("class C(Contract, version='1.0.0', metaclass=type):\n    pass", "contract.version", 1),
    ("class C(Contract, version='1.0.0', **x):\n    pass", "contract.version", 1),
    ("@x\nclass C(Contract, version='1.0.0'):\n    pass", "class.decorator", 1),
    ("class C(Contract, version='1.0.0'):\n    ...", "contract.statement", 2),
    *[
        (
            f"from hansa.contract import Contract, view\nclass C(Contract, version='1.0.0'):\n    @view\n"
            f"    def go(tx, a: {annotation}) -> int:\n        return 1",
            "import.missing",
            4,
        )
        for annotation in ("Amount", "Party", "Hash", "Text[1, 2]", "Int[1, 2]", "Bytes[1, 2]", "list[Party, 2]")
    ],
]


@pytest.mark.parametrize(("lines", "code", "line"), BROKEN)
def test_a_broken_declaration_is_found_at_its_line(
    lines: str, code: str, line: int, declared: Callable[[str], str], findings: Callable[..., list[Diagnostic]]
) -> None:
    before = declared("pass").count("\n") - 1
    lines = lines.strip("\n")
    assert [(d.code, d.line - before) for d in findings(declared(lines))] == [(code, line)]


@pytest.mark.parametrize(("text", "code", "line"), FILES)
def test_a_broken_file_is_found_at_its_line(
    text: str, code: str, line: int, findings: Callable[..., list[Diagnostic]]
) -> None:
    if "(Contract" in text and "import Contract" not in text:
        text, line = f"{IMPORT}{text}", line + 1
    assert [(d.code, d.line) for d in findings(text)] == [(code, line)]


def test_every_rule_has_a_file_that_breaks_it() -> None:
    tree = ast.parse(inspect.getsource(declarations))
    notes = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_note(node)]
    rules = {node.args[1].value for node in notes if isinstance(node.args[1], ast.Constant)}
    assert len(rules) > 25
    assert rules == {code for _, code, _ in BROKEN + FILES}


def _is_note(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == "_note"


def test_all_findings_are_told_at_once(codes: Callable[..., list[str]]) -> None:
    text = textwrap.dedent(
        """
        import os
        from hansa.contract import Contract, Flaot, Record, action, view
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
        "file.statement",
        "import.name",
        "contract.version",
        "contract.statement",
        "role.form",
        "record.key",
        "import.missing",
        "type.bounds",
        "action.by",
        "parameter.context",
        "parameter.type",
        "action.returns",
        "name.unknown",
        "syntax.outside",
        "view.returns",
        "view.returns",
        "type.unknown",
        "syntax.outside",
    ]


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        ('class R(Record, key="idd"):\n    id: int', "did you mean `id`?"),
        ('class R(Record, key="q"):\n    id: int\n    name: int', "there is `id`, `name`"),
        ('class R(Record, key="id", index=["nam"]):\n    id: int\n    name: int', "did you mean `name`?"),
        ('class Roles:\n    owner: Party\n@action(by="onwer")\ndef go(tx):\n    pass', "did you mean `owner`?"),
        ('@action(by="x")\ndef go(tx):\n    pass', ""),
        ('@action(by="member", create="R")\ndef go(tx):\n    pass', "did you mean `creates`?"),
        ('@action(by="member", creates="Thin")\ndef go(tx):\n    pass' + RECORD, "did you mean `Thing`?"),
    ],
)
def test_a_misspelt_word_is_told_the_nearest(
    lines: str, hint: str, declared: Callable[[str], str], findings: Callable[..., list[Diagnostic]]
) -> None:
    assert findings(declared(lines))[0].hint == hint


def test_a_misspelt_import_is_told_the_nearest(findings: Callable[..., list[Diagnostic]]) -> None:
    (found,) = findings("from hansa.contract import Contract, Partty\nclass C(Contract, version='1.0.0'):\n    pass")
    assert (found.code, found.hint, found.column) == ("import.name", "did you mean `Party`?", 37)


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
        ("Amount", AmountType()),
        ("list[Text[1, 2], 1024]", ListType(TextType(1, 2), 1024)),
        ("list[Amount, 1]", ListType(AmountType(), 1)),
        ("list[int | None, 2]", ListType(OptionalType(IntType()), 2)),
        ("list[Party, 2] | None", OptionalType(ListType(PartyType(), 2))),
        ("Amount | None", OptionalType(AmountType())),
        ("Thing", ReferenceType("Thing")),
    ],
)
def test_types_are_read(annotation: str, type_: Type, declared: Callable[[str], str]) -> None:
    lines = f'@action(by="member")\ndef go(tx, a: {annotation}):\n    pass' + RECORD
    manifest, _ = program.check(declared(lines), "sample")
    assert [p.type for p in manifest.actions["go"].parameters] == [type_]


@pytest.mark.parametrize(
    ("annotation", "default", "value"),
    [
        ("int", "-5", -5),
        ("Int[1, 5]", "5", 5),
        ("bool", "True", True),
        ("Text[0, 3]", "''", ""),
        ("Text[1, 3]", "'é√💡'", "é√💡"),
        ("int | None", "None", None),
        ("int | None", "7", 7),
        ("Amount | None", "None", None),
        ("Party | None", "None", None),
        ("Hash | None", "None", None),
        ("list[Amount, 3]", "[]", []),
        ("list[int, 3] | None", "[]", []),
    ],
)
def test_defaults_are_read(annotation: str, default: str, value: object, declared: Callable[[str], str]) -> None:
    lines = f'class R(Record, key="id"):\n    id: int\n    x: {annotation} = {default}'
    manifest, _ = program.check(declared(lines), "sample")
    field = manifest.records["R"].fields["x"]
    assert (field.required, field.default, type(field.default)) == (False, value, type(value))


def test_a_whole_file_is_read() -> None:
    text = textwrap.dedent(
        '''
        """What the file is for."""
        from hansa.contract import Contract, Int, Party
        from hansa.contract import Record, Text, action, view
        class Shop(Contract, version="12.0.3"):
            """Not the description: that is the file's."""
            class Roles:
                """Who is who."""
                keeper: Party = Party(attribute="licence:shop")
                owner: Party
            class Item(Record, key="id", index=["owner", "price"]):
                """A thing for sale."""
                id: Text[1, 9]
                owner: Party
                price: Int[0, 9] = 3
            class Empty(Record, key="n"):
                n: int
            @action(by="keeper", creates="Item")
            def add(tx, item: Item, id: Text[1, 9], owner: Party):
                """Puts a thing up."""
                pass
            @view
            def price(tx, other: Empty, item: Item) -> Int[0, 9] | None:
                return item.price
        '''
    ).lstrip("\n")
    manifest, bodies = program.check(text, "shop")
    item = RecordType(
        "Item",
        "id",
        {
            "id": Field("id", TextType(1, 9), True, None, 12),
            "owner": Field("owner", PartyType(), True, None, 13),
            "price": Field("price", IntType(0, 9), False, 3, 14),
        },
        ("owner", "price"),
        "A thing for sale.",
        10,
    )
    empty = RecordType("Empty", "n", {"n": Field("n", IntType(), True, None, 16)}, (), "", 15)
    add = Action(
        "add",
        "keeper",
        "Item",
        (
            Parameter("item", ReferenceType("Item"), 18),
            Parameter("id", TextType(1, 9), 18),
            Parameter("owner", PartyType(), 18),
        ),
        None,
        "Puts a thing up.",
        18,
    )
    price = Action(
        "price",
        None,
        None,
        (Parameter("other", ReferenceType("Empty"), 22), Parameter("item", ReferenceType("Item"), 22)),
        OptionalType(IntType(0, 9)),
        "",
        22,
    )
    assert manifest == Manifest(
        "shop",
        "12.0.3",
        "What the file is for.",
        {"keeper": Role("keeper", "licence:shop", 8), "owner": Role("owner", None, 9)},
        {"Item": item, "Empty": empty},
        {"add": add},
        {"price": price},
    )
    assert sorted(bodies) == ["add", "price"]
    assert add.subject == add.parameters[0]
    assert price.subject == price.parameters[0]


def test_nothing_in_a_declaration_is_executed(codes: Callable[..., list[str]]) -> None:
    text = "class C(Contract, version=[][0]):\n    class Roles:\n        x: Party = Party(attribute=1 // 0)"
    assert codes(f"from hansa.contract import Contract, Party\n{text}") == ["contract.version", "role.form"]


def test_declarations_must_be_imported(codes: Callable[..., list[str]]) -> None:
    text = "class C(Contract, version='1.0.0'):\n    @action(by='member')\n    def go(tx):\n        event('x')"
    assert codes(text) == ["import.missing"] * 3
    assert codes(f"from hansa.contract import Contract, action, event\n{text}") == []


def test_a_name_that_is_not_imported_is_told_once(
    declared: Callable[[str], str], codes: Callable[..., list[str]]
) -> None:
    text = declared('@action(by="member")\ndef go(tx):\n    event("a")\n    event("b")')
    assert codes(text.replace("event, ", "", 1)) == ["import.missing"]
