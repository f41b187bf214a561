"""Names: those of guards and of Python's own, in every place that binds or reads a name; and names that look like others."""

from tests.contracts.attacks.attack import (
    Attack,
    Finding,
    acting,
    anywhere,
    attacks,
    contract,
    file,
    in_body,
    in_class,
    in_file,
    in_module,
)
from tests.contracts.attacks.syntax import ANY

STOLEN = {
    "a guard": "__add",
    "the frame": "__frame",
    "a hook": "_getattr_",
    "one underscore": "_",
    "a dunder": "__class__",
    "a function": "len",
    "a rule": "require",
    "an event": "event",
    "the context": "tx",
    "a type": "Amount",
    "Python's own type": "int",
    "a name too long": "a" * 49,
}

_REST = "class Sample(Contract, version='1.0.0'):\n    @action(by='member')\n    def go(tx):\n        pass"

_BODIES = {
    "local": "{} = 1",
    "annotated local": "{}: int = 1",
    "added to": "{} += 1",
    "loop variable": "for {} in range(3):\n    pass",
    "first loop variable": "for {}, v in enumerate([1]):\n    pass",
    "second loop variable": "for v, {} in {{'a': 1}}.items():\n    pass",
    "unpacked": "{}, y = 1, 2",
    "starred": "*{}, y = [1, 2]",
    "walrus": "x = ({} := 1)",
    "comprehension": "x = [1 for {} in [1]]",
    "parameter of a lambda": "x = lambda {}: 1",
    "positional parameter of a lambda": "x = lambda {}, /: 1",
    "nested function": "def {}():\n    pass",
    "positional parameter of a nested function": "def f({}, /):\n    pass",
    "nested class": "class {}:\n    pass",
    "imported": "import os as {}",
    "imported from": "from os import path as {}",
    "exception": "try:\n    pass\nexcept Exception as {}:\n    pass",
    "context manager": "with 'a' as {}:\n    pass",
    "captured": "match 1:\n    case {}:\n        pass",
    "captured as": "match 1:\n    case 1 as {}:\n        pass",
    "captured rest": "match [1]:\n    case [*{}]:\n        pass",
    "captured rest of a map": "match {{}}:\n    case {{**{}}}:\n        pass",
    "global": "global {}",
    "deleted": "del {}",
}
_MODULE = {
    "imported as": "from hansa.contract import Hash as {}  # !\n",
    "imported whole": "import os as {}  # !\n",
    "constant": "{} = 1  # !\n",
    "annotated constant": "{}: int = 1  # !\n",
    "library": "{} = library('a', '" + "0" * 64 + "')  # !\n",
    "struct": "class {}(Struct):  # !\n    a: int\n\n\n",
    "field of a struct": "class S(Struct):\n    {}: int  # !\n\n\n",
    "enum": "class {}(Enum):  # !\n    A = 'a'\n\n\n",
    "value of an enum": "class E(Enum):\n    {} = 'a'  # !\n\n\n",
    "interface": "class {}(Interface, contract='a'):  # !\n    @view\n    def f(tx) -> int: ...\n\n\n",
    "view of an interface": "class A(Interface, contract='a'):\n    @view\n    def {}(tx) -> int: ...  # !\n\n\n",
    "parameter of an interface": "class A(Interface, contract='a'):\n    @view\n    def f(tx, {}: int) -> int: ...  # !\n\n\n",
    "function": "def {}(a: int) -> int:  # !\n    return a\n\n\n",
    "parameter of a function": "def f({}: int) -> int:  # !\n    return 1\n\n\n",
    "positional parameter of a function": "def f({}: int, /) -> int:  # !\n    return 1\n\n\n",
    "type alias": "type {} = int  # !\n",
    "type parameter": "def f[{}](a: int) -> int:  # !\n    return 1\n\n\n",
}
_CLASS = {
    "role": "class Roles:\n    {}: Party  # !",
    "state": "class States:\n    {}: 'a'  # !",
    "record": "class {}(Record, key='id'):  # !\n    id: int",
    "field of a record": "class R(Record, key='id'):\n    id: int\n    {}: int  # !",
    "invariant": "class R(Record, key='id'):\n    id: int\n    @invariant\n    def {}(r):  # !\n        require(r.id > 0, 'a')",
    "record of an invariant": "class R(Record, key='id'):\n    id: int\n    @invariant\n    def f({}):  # !\n        require(True, 'a')",
    "record of a migration": (
        "class Old(Struct):\n    id: int\nclass R(Record, key='id'):\n    id: int\n    @migration\n"
        "    def f({}, old: Old):  # !\n        pass"
    ),
    "old record of a migration": (
        "class Old(Struct):\n    id: int\nclass R(Record, key='id'):\n    id: int\n    @migration\n"
        "    def f(r, {}: Old):  # !\n        pass"
    ),
    "nested struct": "class {}(Struct):  # !\n    a: int",
    "nested enum": "class {}(Enum):  # !\n    A = 'a'",
    "action": "@action(by='member')\ndef {}(tx):  # !\n    pass",
    "view": "@view\ndef {}(tx) -> int:  # !\n    return 1",
    "parameter": "@action(by='member')\ndef f(tx, {}: int):  # !\n    pass",
    "positional parameter": "@action(by='member')\ndef f(tx, {}: int, /):  # !\n    pass",
    "parameter before tx": "@action(by='member')\ndef f({}: int, tx):  # !\n    pass",
    "context": "@action(by='member')\ndef f({}):  # !\n    pass",
    "many parameters": "@action(by='member')\ndef f(tx, *{}):  # !\n    pass",
    "named parameters": "@action(by='member')\ndef f(tx, **{}):  # !\n    pass",
    "parameter by name only": "@action(by='member')\ndef f(tx, *, {}: int):  # !\n    pass",
    "assignment": "{} = 1  # !",
}

BEHIND_A_DOT = {"field of a struct", "field of a record"}
ALWAYS = {"a guard", "the frame", "a hook", "one underscore", "a dunder", "a name too long"}
"""What not even a field may be named, which is only ever written behind a dot."""
MAY_BE = {("the context", "context")} | {(what, place) for what in STOLEN.keys() - ALWAYS for place in BEHIND_A_DOT}
"""No attacks: places where these names may stand."""


def _stolen() -> list[Attack]:
    found: list[Attack] = []
    for what, name in STOLEN.items():
        for place, text in _BODIES.items():
            attack = in_body(f"{what} as a {place}", text.format(name))
            found.append(anywhere(attack) if place.startswith("captured") else attack)  # `_` is not Python in some
        for place, text in _MODULE.items():
            if (what, place) in MAY_BE:
                continue
            program = file(text.format(name) + _REST)
            found.append(Attack(f"{what} as a {place}", program, Finding(_marked(program), ANY)))
        for place, text in _CLASS.items():
            if (what, place) not in MAY_BE:
                program = contract(text.format(name))
                found.append(Attack(f"{what} as a {place}", program, Finding(_marked(program), ANY)))
    return attacks("who can rename a guard has none", found, source="CVE-2026-55830")


FREE = {
    **{
        place: acting(_BODIES[place].format("fine"))
        for place in ("local", "annotated local", "loop variable", "first loop variable", "second loop variable")
    },
    **{
        place: file(_MODULE[place].format("fine") + _REST)
        for place in (
            "constant",
            "struct",
            "field of a struct",
            "enum",
            "value of an enum",
            "interface",
            "view of an interface",
            "parameter of an interface",
            "function",
            "parameter of a function",
        )
    },
    **{
        place: contract(_CLASS[place].format("fine"))
        for place in (
            "role",
            "record",
            "field of a record",
            "invariant",
            "record of an invariant",
            "record of a migration",
            "old record of a migration",
            "nested struct",
            "nested enum",
            "action",
            "view",
            "parameter",
        )
    },
}
"""The same places with a name that is free: accepted, so that it is the name that is refused elsewhere."""


def _marked(program: str) -> int:
    return next(n for n, said in enumerate(program.split("\n"), 1) if said.endswith("# !"))


RESERVED = ("name.reserved",)
UNKNOWN = ("name.unknown", "name.reserved", "call.unknown")
THING = "class Thing(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0"

NAMES = [
    *_stolen(),
    *attacks(
        "a guard that can be called or read can be misused",
        *[
            in_body(f"call of {name}", f"x = {name}(1, 2)", *UNKNOWN)
            for name in ("__add", "__spent", "__enter", "__charge", "__get", "__call", "__line", "__host", "_getattr_")
        ],
        in_body("reading the frame", "x = __frame", *UNKNOWN),
        in_body("steps of the frame", "x = __frame.left", *UNKNOWN, "field.unknown"),
        in_body("refilling the frame", "__frame.left = 1000000", *UNKNOWN, "assign.target"),
        in_body("a name mangled as Python does", "x = _Sample__frame", *UNKNOWN),
        in_body("a name that a class mangles", "x = __secret", *UNKNOWN),
    ),
    *attacks(
        "one name for two things: who reads the contract sees one, Python the other",
        in_body("local named like a constant", "LIMIT = 2", "name.twice", *RESERVED, module="LIMIT = 1"),
        in_body(
            "local named like a function",
            "f = 2",
            "name.twice",
            *RESERVED,
            module="def f(a: int) -> int:\n    return a",
        ),
        in_body("local named like a struct", "S = 2", "name.twice", *RESERVED, module="class S(Struct):\n    a: int"),
        in_body(
            "loop variable named like a constant",
            "for LIMIT in range(3):\n    pass",
            "name.twice",
            *RESERVED,
            module="LIMIT = 1",
        ),
        in_body("local named like a parameter", "a = 2", "name.parameter", parameters="a: int"),
        in_body(
            "loop variable named like a parameter",
            "for a in range(3):\n    pass",
            "name.parameter",
            parameters="a: int",
        ),
        in_class(
            "parameter named like a constant",
            "@action(by='member')\ndef go(tx, LIMIT: int):  # !\n    pass",
            "name.twice",
            *RESERVED,
            module="LIMIT = 1",
        ),
        in_module("constant twice", "A = 1\nA = 2  # !", "name.twice"),
        in_module(
            "function twice",
            "def f(a: int) -> int:\n    return a\n\n\ndef f(a: int) -> int:  # !\n    return 1",
            "name.twice",
        ),
        in_module("constant and function", "f = 1\n\n\ndef f(a: int) -> int:  # !\n    return 1", "name.twice"),
        in_class(
            "action twice",
            "@action(by='member')\ndef go(tx):\n    pass\n@action(by='member')\ndef go(tx):  # !\n    pass",
            "name.twice",
        ),
        in_class(
            "action and view",
            "@action(by='member')\ndef go(tx):\n    pass\n@view\ndef go(tx) -> int:  # !\n    return 1",
            "name.twice",
        ),
        in_class("action and record", f"{THING}\n@action(by='member')\ndef Thing(tx):  # !\n    pass", "name.twice"),
        in_class(
            "parameter twice",
            "@action(by='member')\ndef go(tx, a: int, a: int):  # !\n    pass",
            "name.twice",
            "syntax.invalid",
        ),
        in_class("field twice", "class R(Record, key='id'):\n    id: int\n    id: int  # !", "name.twice"),
        in_class(
            "record and struct",
            "class R(Record, key='id'):\n    id: int\nclass R(Struct):  # !\n    a: int",
            "name.twice",
        ),
        in_class(
            "record named like a module's struct",
            "class S(Record, key='id'):  # !\n    id: int",
            "name.twice",
            module="class S(Struct):\n    a: int",
        ),
        in_class(
            "field named state beside states",
            "class States:\n    A: 'a'\nclass R(Record, key='id'):  # !\n    id: int\n    state: int\n@action(by='member', creates='R', to='A')\ndef go(tx, r: R, id: int, state: int):\n    pass",
            *RESERVED,
            "field.state",
        ),
        in_class("role named member", "class Roles:\n    member: Party = Party(attribute='a')  # !", "name.reserved"),
        in_class(
            "role named schedule", "class Roles:\n    schedule: Party = Party(attribute='a')  # !", "name.reserved"
        ),
        in_module("library named like the dialect", "event = library('a', '" + "0" * 64 + "')", *RESERVED),
        in_module("library named like a function", "len = library('a', '" + "0" * 64 + "')", *RESERVED),
        in_body("a name before it is bound", "y = x\nx = 1", "name.unset", "name.unknown"),
        in_body("a name bound on one way", "if True:\n    x = 1\ny = x  # !", "name.unset"),
        in_body("a loop variable after its loop", "for i in range(3):\n    pass\ny = i  # !", "name.unset"),
        in_body("a nested record by its bare name", "x = Thing.find(1)", "name.class", declared=THING),
        in_body("the contract's own class", "x = Sample", "name.class"),
    ),
    *attacks(
        "Python folds names by NFKC: what the reader sees, and a scan for words finds, is not what runs",
        in_body("full-width letters", "x = ｏｐｅｎ('a')", "source.ascii"),
        in_body("mathematical letters", "x = 𝓭ir()", "source.ascii"),
        in_body("bold eval", "x = 𝐞𝐯𝐚𝐥('1')", "source.ascii"),
        in_body("full-width underscores", "x = ''.＿＿class＿＿", "source.ascii"),
        in_body("a ligature", "ﬁeld = 1", "source.ascii"),
        in_body("a superscript", "xª = 1", "source.ascii"),
        in_body("Cyrillic a", "аmount = 1", "source.ascii"),
        in_body("Greek omicron", "fοr = 1", "source.ascii"),
        in_body("an Arabic digit", "x = ١", "source.ascii"),
        in_body("a full-width digit", "x = １", "source.ascii"),
        in_body("a full-width operator", "x = 1 ＋ 1", "source.ascii"),
        in_body("a zero-width joiner", "a\u200db = 1", "source.ascii"),
        in_body("a no-break space", "x =\u00a01", "source.ascii"),
        in_body("a Mongolian vowel separator", "x =\u180e1", "source.ascii"),
        in_body("a soft hyphen", "a\u00adb = 1", "source.ascii"),
        in_body("a combining accent", "e\u0301 = 1", "source.ascii"),
        in_class("a homoglyph as an action", "@action(by='member')\ndef pаy(tx):  # !\n    pass", "source.ascii"),
        in_class(
            "a homoglyph as a field", "class R(Record, key='id'):\n    id: int\n    аmount: int  # !", "source.ascii"
        ),
        in_class("a homoglyph as a role", "class Roles:\n    оwner: Party  # !", "source.ascii"),
    ),
    *attacks(
        "what is imported as another thing is another thing",
        in_file(
            "an alias of a rule",
            "from hansa.contract import Contract, action, event as require\n\n\n" + _REST + "\n",
            1,
            "import.alias",
        ),
        in_file("everything", "from hansa.contract import *\n\n\n" + _REST + "\n", 1, "import.name"),
        in_file(
            "another module",
            "from os import system\nfrom hansa.contract import Contract, action\n\n\n" + _REST + "\n",
            1,
            "import.module",
        ),
        in_file(
            "the engine",
            "from hansa.contracts.guards import GUARDS\nfrom hansa.contract import Contract, action\n\n\n"
            + _REST
            + "\n",
            1,
            "import.module",
        ),
        in_file(
            "the future",
            "from __future__ import annotations\nfrom hansa.contract import Contract, action\n\n\n" + _REST + "\n",
            1,
            "import.module",
        ),
        in_file(
            "a dunder of the dialect",
            "from hansa.contract import Contract, action, __builtins__\n\n\n" + _REST + "\n",
            1,
            "import.name",
        ),
        in_file(
            "a module of the dialect's module",
            "from hansa.contract import Contract, action, sys\n\n\n" + _REST + "\n",
            1,
            "import.name",
            source="CVE-2026-32640",
        ),
        in_file(
            "the string module",
            "from string import Formatter\nfrom hansa.contract import Contract, action\n\n\n" + _REST + "\n",
            1,
            "import.module",
            source="CVE-2024-47532, CVE-2026-76825",
        ),
        in_file(
            "the operator module",
            "import operator\nfrom hansa.contract import Contract, action\n\n\n" + _REST + "\n",
            1,
            "import.module",
            "file.statement",
            source="danthedeckie/simpleeval#199",
        ),
        in_file(
            "relative",
            "from . import guards\nfrom hansa.contract import Contract, action\n\n\n" + _REST + "\n",
            1,
            "import.module",
        ),
        in_file(
            "relative of the same name",
            "from .hansa.contract import Contract, action\n\n\n" + _REST + "\n",
            1,
            "import.module",
        ),
        in_file("nothing imported", _REST + "\n", 1, "import.missing"),
        in_file(
            "the host's function of the first contract",
            "from hansa.contract import Contract, action, contract_version\n\n\n"
            + _REST.replace("pass", "x = contract_version('a', 'b')")
            + "\n",
            7,
            "call.unknown",
            "import.name",
        ),
    ),
]
