"""Declarations that run, recurse, or say two things: classes are read, never executed."""

from tests.contracts.attacks.attack import attacks, contract, in_body, in_class, in_file, in_module

ACT = "@action(by='member')\ndef go(tx):\n    pass"
THING = "class Thing(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0"
STATES = "class States:\n    Open: 'open'\n    Paid: 'paid'"
STATED = f"{STATES}\n{THING}\n@action(by='member', creates='Thing', to='Open')\ndef make(tx, t: Thing, id: Int[0, 9]):\n    pass\n"
DIGEST = "0" * 64
_NESTED = "class A(Struct):\n    a: list[int, 1]\n\n\nclass B(Struct):\n    a: list[A, 1]\n\n\nclass C(Struct):\n    a: list[B, 1]"
FILE = ("file.statement", "contract.statement", "constant.value")

DECLARATIONS = [
    *attacks(
        "what stands outside functions would run when the file is loaded",
        in_module("a call", "__import__('os').system('true')", *FILE),
        in_module("a print", "print('a')", *FILE),
        in_module("a loop", "for i in range(10):\n    pass", *FILE),
        in_module("a condition", "if True:\n    A = 1", *FILE),
        in_module("a try", "try:\n    A = 1\nexcept Exception:\n    pass", *FILE),
        in_module("an assert", "assert True", *FILE),
        in_module("a bare text after the docstring", "A = 1\n'text'  # !", *FILE),
        in_module("a computed constant", "A = 1 + 1", *FILE),
        in_module("a constant from a constant", "A = 1\nB = A  # !", *FILE),
        in_module("a constant list", "A = [1]", *FILE),
        in_module("a constant float", "A = 1.5", *FILE, "type.unknown"),
        in_module("a constant None", "A = None", *FILE),
        in_module("a constant beyond 256 bits", f"A = {2**255}", "number.range", *FILE),
        in_module("two constants", "A = B = 1", *FILE),
        in_module("unpacked constants", "A, B = 1, 2", *FILE),
        in_module("a constant added to", "A = 1\nA += 1  # !", *FILE),
        in_module("a constant's item", "A = 1\nA[0] = 1  # !", *FILE),
        in_module(
            "a subclass that runs a hook",
            "class A(Struct):\n    def __init_subclass__(cls):  # !\n        pass",
            "field.form",
        ),
        in_module("all", "__all__ = ['a']", *FILE, "name.reserved"),
        in_module("a type alias", "type X = int", *FILE, "syntax.invalid", "syntax.outside"),
        in_module("an async function", "async def f(a: int) -> int:\n    return a", *FILE),
        in_class("a call in the class", "__import__('os').system('true')", *FILE),
        in_class("a loop in the class", "for i in range(10):\n    pass", *FILE),
        in_class("an import", "import os", *FILE),
        in_class("an assignment", "x = [].__class__", *FILE),
        in_class("a constant", "A = 1", *FILE),
        in_class("slots", "__slots__ = ['a']", *FILE),
        in_class("a docstring in the middle", f"{ACT}\n'text'  # !", *FILE),
        in_class("a lambda", "f = lambda: 1", *FILE),
        in_class("a library in the class", f"a = library('a', '{DIGEST}')", *FILE),
        in_class(
            "a record with a method",
            "class R(Record, key='id'):\n    id: int\n    def f(self): pass  # !",
            "field.form",
        ),
        in_class(
            "a record that computes", "class R(Record, key='id'):\n    id: int\n    print('a')  # !", "field.form"
        ),
        in_class("states that compute", "class States:\n    A: 'a'\n    B: 'b' + 'c'  # !", "state.form"),
        in_class("states assigned", "class States:\n    A = B = 'a'  # !", "state.form"),
        in_class("roles that compute", "class Roles:\n    a: Party = print('a')  # !", "role.form"),
    ),
    *attacks(
        "a base, keyword, metaclass or decorator is called by Python with the class",
        in_file("no base", contract(ACT).replace('(Contract, version="1.0.0")', ""), 4, "class.base"),
        in_file(
            "another base",
            contract(ACT).replace("(Contract,", "(object,").replace("Contract, action", "Contract, action"),
            4,
            "file.class",
            "class.base",
        ),
        in_file("two bases", contract(ACT).replace("(Contract,", "(Contract, object,"), 4, "file.class", "class.base"),
        in_file(
            "a metaclass", contract(ACT).replace("(Contract,", "(Contract, metaclass=type,"), 4, "contract.version"
        ),
        in_file(
            "bases from a list", contract(ACT).replace("(Contract,", "(*[Contract],"), 4, "file.class", "class.base"
        ),
        in_file(
            "keywords from a map",
            contract(ACT).replace('version="1.0.0"', '**{"version": "1.0.0"}'),
            4,
            "contract.version",
        ),
        in_file("a decorator", contract(ACT).replace("class Sample", "@print\nclass Sample"), 4, "class.decorator"),
        in_file("a computed version", contract(ACT).replace('"1.0.0"', '"1.0" + ".0"'), 4, "contract.version"),
        in_file("a version with other digits", contract(ACT).replace('"1.0.0"', '"1.0.０"'), 4, "contract.version"),
        in_file("a version of leading zeros", contract(ACT).replace('"1.0.0"', '"1.0.00"'), 4, "contract.version"),
        in_file("a version with a line end", contract(ACT).replace('"1.0.0"', '"1.0.0\\n"'), 4, "contract.version"),
        in_file("a huge version", contract(ACT).replace('"1.0.0"', '"1.0.' + "9" * 60 + '"'), 4, "contract.version"),
        in_file(
            "two contracts",
            contract(ACT) + "\n\nclass Other(Contract, version='1.0.0'):\n    pass\n",
            10,
            "file.statement",
        ),
        in_file("something after the contract", contract(ACT) + "\n\nA = 1\n", 10, "file.class", "file.statement"),
        in_class(
            "a contract in the contract",
            "class C(Contract, version='1.0.0'):\n    pass",
            "class.base",
            "contract.statement",
        ),
        in_class(
            "an interface in the contract",
            "class C(Interface, contract='a'):\n    pass",
            "class.base",
            "contract.statement",
        ),
        in_class(
            "a record with a metaclass", "class R(Record, key='id', metaclass=type):\n    id: int", "record.option"
        ),
        in_class("a record of a record", f"{THING}\nclass R(Thing, key='id'):  # !\n    id: int", "class.base"),
        in_class(
            "a struct of a struct", "class R(Pair):\n    c: int", "class.base", module="class Pair(Struct):\n    a: int"
        ),
        in_class(
            "a record with a decorator", "@print  # !\nclass R(Record, key='id'):\n    id: int", "class.decorator"
        ),
        in_class(
            "roles with a base",
            "class Roles(Record, key='a'):\n    a: Party",
            "role.form",
            "name.reserved",
            "class.base",
        ),
        in_class("states with a metaclass", "class States(metaclass=type):\n    A: 'a'", "class.base", "state.form"),
        in_class(
            "a record with type parameters",
            "class R[T](Record, key='id'):\n    id: int",
            "type.unknown",
            "syntax.invalid",
            "syntax.outside",
        ),
        in_class(
            "an action with type parameters",
            "@action(by='member')\ndef go[T](tx):  # !\n    pass",
            "type.unknown",
            "syntax.invalid",
            "syntax.outside",
        ),
        in_class(
            "a decorator that calls", "@__import__('os').system('true')\ndef go(tx):  # !\n    pass", "action.decorator"
        ),
        in_class("a second decorator", f"@print\n{ACT.replace('def go(tx):', 'def go(tx):  # !')}", "action.decorator"),
        in_class(
            "an action and a view",
            "@view\n@action(by='member')\ndef go(tx) -> int:  # !\n    return 1",
            "action.decorator",
        ),
        in_class(
            "an action twice",
            "@action(by='member')\n@action(by='member')\ndef go(tx):  # !\n    pass",
            "action.decorator",
        ),
        in_class("an action called twice", "@action(by='member')()\ndef go(tx):  # !\n    pass", "action.decorator"),
        in_class("an action not called", "@action\ndef go(tx):  # !\n    pass", "action.by", "action.decorator"),
        in_class("a view called", "@view()\ndef go(tx) -> int:  # !\n    return 1", "action.decorator"),
        in_class("an action by place", "@action('member')\ndef go(tx):\n    pass", "action.option"),
        in_class("an option from a map", "@action(**{'by': 'member'})\ndef go(tx):\n    pass", "action.option"),
        in_class(
            "an option twice",
            "@action(by='member', by='schedule')\ndef go(tx):  # !\n    pass",
            "action.by",
            "syntax.invalid",
        ),
        in_class("no decorator", "def go(tx):\n    pass", "action.decorator"),
        in_class("a static method", "@staticmethod\ndef go(tx):  # !\n    pass", "action.decorator"),
        in_class("a property", "@property\ndef go(tx):  # !\n    return 1", "action.decorator"),
        in_class("a constructor", "def __init__(self):\n    pass", "action.decorator", "name.reserved"),
        in_class(
            "a destructor",
            "@action(by='member')\ndef __del__(tx):  # !\n    pass",
            "name.reserved",
            source="huggingface/smolagents#2395",
        ),
        in_class(
            "an attribute hook",
            "@view\ndef __getattr__(tx) -> int:  # !\n    return 1",
            "name.reserved",
            source="huggingface/smolagents#2395",
        ),
        in_class(
            "an async action",
            "@action(by='member')\nasync def go(tx):  # !\n    pass",
            "action.decorator",
            "contract.statement",
            "syntax.outside",
        ),
        in_class(
            "an action of the host's own decorator",
            "@__export('sample')\ndef go(tx):  # !\n    pass",
            "action.decorator",
            source="xian-technology/xian-contracting tests",
        ),
    ),
    *attacks(
        "parameters bind in ways that guards do not see",
        in_class("a default", "@action(by='member')\ndef go(tx, a: int = 1):  # !\n    pass", "parameter.form"),
        in_class(
            "a default that is shared",
            "@action(by='member')\ndef go(tx, a: list[int, 3] = []):  # !\n    pass",
            "parameter.form",
        ),
        in_class("many", "@action(by='member')\ndef go(tx, *a: int):  # !\n    pass", "parameter.form"),
        in_class(
            "many unpacked",
            "@action(by='member')\ndef go(tx, *a: *int):  # !\n    pass",
            "parameter.form",
            "syntax.invalid",
        ),
        in_class("named", "@action(by='member')\ndef go(tx, **a: int):  # !\n    pass", "parameter.form"),
        in_class("by name only", "@action(by='member')\ndef go(tx, *, a: int):  # !\n    pass", "parameter.form"),
        in_class(
            "by place only",
            "@action(by='member')\ndef go(tx, a: int, /):  # !\n    pass",
            "parameter.form",
            source="CVE-2026-55830",
        ),
        in_class(
            "the context by place only",
            "@action(by='member')\ndef go(tx, /):  # !\n    pass",
            "parameter.form",
            source="CVE-2026-55830",
        ),
        in_class("no context", "@action(by='member')\ndef go():  # !\n    pass", "parameter.context", "parameter.form"),
        in_class("a context with a type", "@action(by='member')\ndef go(tx: int):  # !\n    pass", "parameter.context"),
        in_class("no type", "@action(by='member')\ndef go(tx, a):  # !\n    pass", "parameter.type"),
        in_class(
            "a hundred",
            "@action(by='member')\ndef go(tx,  # !\n"
            + "".join(f"    a{n}: int,\n" for n in range(300))
            + "):\n    pass",
            "parameter.count",
        ),
        in_class(
            "a type comment",
            "@action(by='member')\ndef go(tx, a):  # type: (int) -> None  # !\n    pass",
            "parameter.type",
        ),
    ),
    *attacks(
        "an annotation is an expression, and a text in one is a program",
        in_class("a text", "class R(Record, key='id'):\n    id: int\n    a: 'int'  # !", "type.unknown"),
        in_class(
            "a text that calls",
            "class R(Record, key='id'):\n    id: int\n    a: '__import__(\"os\")'  # !",
            "type.unknown",
        ),
        in_class(
            "a text in a list",
            "class R(Record, key='id'):\n    id: int\n    a: list['int', 3]  # !",
            "type.unknown",
            "type.list",
        ),
        in_class("None", "class R(Record, key='id'):\n    id: int\n    a: None  # !", "type.unknown", "type.optional"),
        in_class(
            "None first",
            "class R(Record, key='id'):\n    id: int\n    a: None | int  # !",
            "type.unknown",
            "type.optional",
        ),
        in_class(
            "a union",
            "class R(Record, key='id'):\n    id: int\n    a: int | Date  # !",
            "type.unknown",
            "type.optional",
        ),
        in_class(
            "an optional of an optional",
            "class R(Record, key='id'):\n    id: int\n    a: int | None | None  # !",
            "type.optional",
        ),
        in_class(
            "typing's optional", "class R(Record, key='id'):\n    id: int\n    a: Optional[int]  # !", "type.unknown"
        ),
        in_class("Python's text", "class R(Record, key='id'):\n    id: int\n    a: str  # !", "type.unknown"),
        in_class(
            "Python's list without bounds",
            "class R(Record, key='id'):\n    id: int\n    a: list[int]  # !",
            "type.unknown",
        ),
        in_class("a float", "class R(Record, key='id'):\n    id: int\n    a: float  # !", "type.unknown"),
        in_class("any", "class R(Record, key='id'):\n    id: int\n    a: object  # !", "type.unknown"),
        in_class("an attribute", "class R(Record, key='id'):\n    id: int\n    a: int.__class__  # !", "type.unknown"),
        in_class(
            "a type in a list display", "class R(Record, key='id'):\n    id: int\n    a: [int]  # !", "type.unknown"
        ),
        in_class("an action", f"{ACT}\nclass R(Record, key='id'):\n    id: int\n    a: go  # !", "type.unknown"),
        in_class("a contract", "class R(Record, key='id'):\n    id: int\n    a: Sample  # !", "type.unknown"),
        in_class(
            "a type subscripted twice",
            "class R(Record, key='id'):\n    id: int\n    a: list[int, 3][0]  # !",
            "type.unknown",
            "type.list",
        ),
        in_class(
            "bounds of a type without",
            "class R(Record, key='id'):\n    id: int\n    a: Amount[0, 5]  # !",
            "type.unknown",
        ),
        in_class(
            "bounds that are names", "class R(Record, key='id'):\n    id: int\n    a: Text[0, N]  # !", "type.bounds"
        ),
        in_class(
            "bounds the wrong way", "class R(Record, key='id'):\n    id: int\n    a: Text[5, 1]  # !", "type.bounds"
        ),
        in_class(
            "bounds below nothing", "class R(Record, key='id'):\n    id: int\n    a: Text[-1, 1]  # !", "type.bounds"
        ),
        in_class(
            "bounds that are true",
            "class R(Record, key='id'):\n    id: int\n    a: Int[False, True]  # !",
            "type.bounds",
        ),
        in_class(
            "bounds beyond 64 bits",
            f"class R(Record, key='id'):\n    id: int\n    a: Int[0, {2**63}]  # !",
            "type.bounds",
        ),
        in_class(
            "text beyond all bounds",
            "class R(Record, key='id'):\n    id: int\n    a: Text[0, 65537]  # !",
            "type.bounds",
        ),
        in_class(
            "bytes beyond all bounds",
            "class R(Record, key='id'):\n    id: int\n    a: Bytes[0, 65537]  # !",
            "type.bounds",
        ),
        in_class("three bounds", "class R(Record, key='id'):\n    id: int\n    a: Int[0, 1, 2]  # !", "type.unknown"),
        in_class("a slice for bounds", "class R(Record, key='id'):\n    id: int\n    a: Int[0:1]  # !", "type.unknown"),
        in_class(
            "a list of too many",
            "class R(Record, key='id'):\n    id: int\n    a: list[int, 1025]  # !",
            "type.list",
            "type.bounds",
        ),
        in_class(
            "a list of none",
            "class R(Record, key='id'):\n    id: int\n    a: list[int, 0]  # !",
            "type.list",
            "type.bounds",
        ),
        in_class(
            "a map of too many",
            "class R(Record, key='id'):\n    id: int\n    a: dict[Party, int, 1025]  # !",
            "type.map",
            "type.bounds",
        ),
        in_class(
            "a map by numbers", "class R(Record, key='id'):\n    id: int\n    a: dict[int, int, 9]  # !", "type.map"
        ),
        in_class(
            "a map by lists",
            "class R(Record, key='id'):\n    id: int\n    a: dict[list[int, 2], int, 9]  # !",
            "type.map",
        ),
        in_class(
            "a map by a long text",
            "class R(Record, key='id'):\n    id: int\n    a: dict[Text[0, 101], int, 9]  # !",
            "type.map",
        ),
        in_class(
            "a map by an optional",
            "class R(Record, key='id'):\n    id: int\n    a: dict[Party | None, int, 9]  # !",
            "type.map",
            "type.optional",
        ),
        in_class(
            "too deep",
            "class R(Record, key='id'):\n    id: int\n    a: list[list[list[list[list[list[list[int, 1], 1], 1], 1], 1], 1], 1]  # !",
            "type.depth",
        ),
        in_class(
            "too deep through structs",
            "class R(Record, key='id'):\n    id: int\n    a: list[C, 1]  # !",
            "type.depth",
            module=_NESTED,
        ),
        in_class(
            "a record in a list",
            f"{THING}\nclass R(Record, key='id'):\n    id: int\n    a: list[Thing, 3]  # !",
            "field.type",
            "type.list",
            "type.record",
        ),
        in_class(
            "a record in a map",
            f"{THING}\nclass R(Record, key='id'):\n    id: int\n    a: dict[Party, Thing, 3]  # !",
            "field.type",
            "type.map",
            "type.record",
        ),
        in_module(
            "a record in a struct",
            "class Pair(Struct):\n    a: Thing  # !",
            "type.unknown",
            "field.type",
            "type.record",
        ),
        in_class(
            "a state as a type", f"{STATED}class R(Record, key='id'):\n    id: int\n    a: States  # !", "type.unknown"
        ),
    ),
    *attacks(
        "a declaration that contains itself is endless",
        in_module("a struct of itself", "class S(Struct):\n    a: S  # !", "type.unknown"),
        in_module("a struct of itself, or none", "class S(Struct):\n    a: S | None = None  # !", "type.unknown"),
        in_module("a struct of a list of itself", "class S(Struct):\n    a: list[S, 3] = []  # !", "type.unknown"),
        in_module(
            "two structs of each other",
            "class S(Struct):\n    a: T | None = None  # !\n\n\nclass T(Struct):\n    a: S | None = None",
            "type.unknown",
        ),
        in_class(
            "a struct of what comes later",
            "class S(Struct):\n    a: Later  # !\nclass Later(Struct):\n    a: int",
            "type.unknown",
        ),
        in_class("a record keyed by a record", f"{THING}\nclass R(Record, key='t'):  # !\n    t: Thing", "record.key"),
        in_class("a record keyed by itself", "class R(Record, key='r'):  # !\n    r: R", "record.key", "type.unknown"),
    ),
    *attacks(
        "a key or index that does not fit, or is not there",
        in_class("no key", "class R(Record):\n    id: int", "record.key"),
        in_class("a key that is no field", "class R(Record, key='other'):\n    id: int", "record.key"),
        in_class("a key from a list", "class R(Record, key=['id']):\n    id: int", "record.key", "record.option"),
        in_class("a key of 101 characters", "class R(Record, key='id'):\n    id: Text[0, 101]", "record.key"),
        in_class("a key of 401 bytes", "class R(Record, key='id'):\n    id: Bytes[0, 401]", "record.key"),
        in_class("a key that may be none", "class R(Record, key='id'):\n    id: int | None = None", "record.key"),
        in_class("a key that is a list", "class R(Record, key='id'):\n    id: list[int, 2]", "record.key"),
        in_class("a key that is money", "class R(Record, key='id'):\n    id: Amount", "record.key"),
        in_class("a key that is true or false", "class R(Record, key='id'):\n    id: bool", "record.key"),
        in_class("a key with a default", "class R(Record, key='id'):\n    id: int = 5", "record.key", "field.default"),
        in_class("an index that is no field", "class R(Record, key='id', index=['a']):\n    id: int", "record.index"),
        in_class(
            "an index twice", "class R(Record, key='id', index=['a', 'a']):\n    id: int\n    a: int", "record.index"
        ),
        in_class(
            "an index over a list",
            "class R(Record, key='id', index=['a']):\n    id: int\n    a: list[int, 2] = []",
            "record.index",
        ),
        in_class(
            "an index over money", "class R(Record, key='id', index=['a']):\n    id: int\n    a: Amount", "record.index"
        ),
        in_class(
            "an index over a long text",
            "class R(Record, key='id', index=['a']):\n    id: int\n    a: Text[0, 101]",
            "record.index",
        ),
        in_class("an unknown option", "class R(Record, key='id', unique=['id']):\n    id: int", "record.option"),
        in_class(
            "a thousand fields",
            "class R(Record, key='id'):\n    id: int\n" + "".join(f"    a{n}: int\n" for n in range(1000)),
            "record.fields",
        ),
        in_module(
            "a struct of a thousand fields",
            "class S(Struct):\n" + "".join(f"    a{n}: int\n" for n in range(1000)),
            "record.fields",
            "struct.fields",
        ),
        in_module(
            "an enum of a thousand values",
            "class E(Enum):\n"
            + "".join(f"    A{n} = 'a'\n" for n in range(64))
            + "    B = 'b'  # !\n"
            + "".join(f"    C{n} = 'a'\n" for n in range(900)),
            "enum.count",
        ),
        in_module("an enum of none", "class E(Enum):\n    pass", "enum.form"),
        in_module("an enum of numbers", "class E(Enum):\n    A = 1  # !", "enum.form"),
        in_module("an enum with a method", "class E(Enum):\n    A = 'a'\n    def f(self): pass  # !", "enum.form"),
        in_module("an enum value twice", "class E(Enum):\n    A = 'a'\n    A = 'b'  # !", "name.twice"),
        in_module("a struct of nothing", "class S(Struct):\n    pass", "struct.fields", "field.form"),
        in_class(
            "a default of another type",
            "class R(Record, key='id'):\n    id: int\n    a: int = 'a'  # !",
            "field.default",
        ),
        in_class(
            "a default out of bounds",
            "class R(Record, key='id'):\n    id: int\n    a: Int[0, 5] = 6  # !",
            "field.default",
        ),
        in_class(
            "a default of true for a number",
            "class R(Record, key='id'):\n    id: int\n    a: int = True  # !",
            "field.default",
        ),
        in_class(
            "a default of money",
            "class R(Record, key='id'):\n    id: int\n    a: Amount = Amount(0, 'USD')  # !",
            "field.default",
        ),
        in_class(
            "a default list of one",
            "class R(Record, key='id'):\n    id: int\n    a: list[int, 3] = [1]  # !",
            "field.default",
        ),
        in_class(
            "a default that is repeated",
            "class R(Record, key='id'):\n    id: int\n    a: list[int, 3] = [0] * 3  # !",
            "field.default",
        ),
        in_class(
            "a default of a map that is a list",
            "class R(Record, key='id'):\n    id: int\n    a: dict[Party, int, 3] = []  # !",
            "field.default",
        ),
    ),
    *attacks(
        "a role that anyone has, or that no rule decides",
        in_class("a role of another type", "class Roles:\n    a: User  # !", "role.form"),
        in_class("a role of a function", "class Roles:\n    a: Party = Party()  # !", "role.form"),
        in_class(
            "a role of two contracts",
            "class Roles:\n    a: Party = Party(contract='a', contract='b')  # !",
            "role.form",
            "syntax.invalid",
        ),
        in_class("a role of an unknown rule", "class Roles:\n    a: Party = Party(key='x')  # !", "role.form"),
        in_class("a role by place", "class Roles:\n    a: Party = Party('x')  # !", "role.form"),
        in_class("an empty attribute", "class Roles:\n    a: Party = Party(attribute='')  # !", "role.form"),
        in_class("an empty contract", "class Roles:\n    a: Party = Party(contract='')  # !", "role.form"),
        in_class(
            "a role of a contract that cannot be",
            "class Roles:\n    a: Party = Party(contract='../x')  # !",
            "role.form",
        ),
        in_class("an action by nobody known", "@action(by='boss')\ndef go(tx):\n    pass", "action.by"),
        in_class("an action by nobody", "@action(by=[])\ndef go(tx):\n    pass", "action.by"),
        in_class("an action by an empty name", "@action(by='')\ndef go(tx):\n    pass", "action.by"),
        in_class(
            "an action by the same role twice", "@action(by=['member', 'member'])\ndef go(tx):\n    pass", "action.by"
        ),
        in_class(
            "a role bound by a field that is not there",
            f"class Roles:\n    owner: Party\n{THING}\n@action(by='owner')\ndef go(tx, t: Thing):  # !\n    pass",
            "action.by",
        ),
        in_class(
            "a role bound by a field of another type",
            "class Roles:\n    owner: Party\nclass R(Record, key='id'):\n    id: int\n    owner: Text[0, 9]\n@action(by='owner')\ndef go(tx, r: R):  # !\n    pass",
            "action.by",
        ),
        in_class(
            "a role bound by no record",
            "class Roles:\n    owner: Party\n@action(by='owner')\ndef go(tx):  # !\n    pass",
            "action.by",
        ),
        in_class(
            "a role bound by a field that may be none",
            "class Roles:\n    owner: Party\nclass R(Record, key='id'):\n    id: int\n    owner: Party | None = None\n@action(by='owner')\ndef go(tx, r: R):\n    owner = r.owner\n    owner.x = 1  # !",
            "field.unknown",
            "assign.target",
        ),
    ),
    *attacks(
        "states that lead nowhere, or that a record is not in",
        in_class(
            "a state that is not declared",
            f"{STATED}@action(by='member', on='Gone')\ndef go(tx, t: Thing):  # !\n    pass",
            "action.state",
            "state.unknown",
        ),
        in_class("no subject", f"{STATED}@action(by='member', on='Open')\ndef go(tx):  # !\n    pass", "action.state"),
        in_class(
            "to without states",
            f"{THING}\n@action(by='member', to='Open')\ndef go(tx, t: Thing):  # !\n    pass",
            "state.unknown",
            "action.state",
        ),
        in_class(
            "creating into two",
            f"{STATES}\n{THING}\n@action(by='member', creates='Thing', to=['Open', 'Paid'])\ndef make(tx, t: Thing, id: Int[0, 9]):  # !\n    become(t, 'Open')",
            "action.state",
        ),
        in_class(
            "creating into none",
            f"{STATED}@action(by='member', creates='Thing')\ndef more(tx, t: Thing, id: Int[0, 9]):  # !\n    pass",
            "action.state",
        ),
        in_class(
            "creating what is given",
            f"{THING}\n@action(by='member', creates='Other')  # !\ndef make(tx, t: Thing):\n    pass",
            "action.creates",
        ),
        in_class(
            "creating without a subject",
            f"{THING}\n@action(by='member', creates='Thing')\ndef make(tx, id: int):  # !\n    pass",
            "action.creates",
        ),
        in_class(
            "creating without a key",
            f"{THING}\n@action(by='member', creates='Thing')\ndef make(tx, t: Thing):  # !\n    pass",
            "action.key",
        ),
        in_class(
            "creating with the state on",
            f"{STATED}@action(by='member', creates='Thing', on='Open', to='Open')\ndef more(tx, t: Thing, id: Int[0, 9]):  # !\n    pass",
            "action.state",
        ),
        in_class(
            "a field without a value on one way",
            "class R(Record, key='id'):\n    id: int\n    a: int\n@action(by='member', creates='R')\ndef make(tx, r: R, id: int):  # !\n    if id > 1:\n        r.a = 1",
            "record.incomplete",
        ),
        in_class(
            "a field read before it is there",
            "class R(Record, key='id'):\n    id: int\n    a: int\n@action(by='member', creates='R')\ndef make(tx, r: R, id: int):\n    r.a = r.a + 1  # !",
            "field.unset",
        ),
        in_class(
            "no state on one way",
            f"{STATED}@action(by='member', on='Open', to=['Open', 'Paid'])\ndef go(tx, t: Thing):  # !\n    if t.n > 1:\n        become(t, 'Paid')",
            "state.undecided",
        ),
        in_class(
            "another state than declared",
            f"{STATED}@action(by='member', on='Open', to='Open')\ndef go(tx, t: Thing):\n    become(t, 'Paid')  # !",
            "become.state",
            "state.unknown",
        ),
        in_class(
            "a state that is computed",
            f"{STATED}@action(by='member', on='Open', to='Open')\ndef go(tx, t: Thing, s: Text[0, 9]):\n    become(t, s)  # !",
            "become.state",
            "call.form",
        ),
        in_class(
            "a state of a record without states",
            "class R(Record, key='id'):\n    id: int\n@action(by='member')\ndef go(tx, r: R):\n    become(r, 'Open')  # !",
            "become.state",
            "become.record",
            "state.unknown",
        ),
        in_class("a state without words", "class States:\n    A: 1  # !", "state.form"),
        in_class("states of nothing", f"class States:\n    pass\n{THING}", "state.form"),
    ),
    *attacks(
        "a library or interface that is not what the reader thinks",
        in_module("a digest too short", "a = library('a', 'abc')", "library.form"),
        in_module("a digest in capitals", "a = library('a', '" + "A" * 64 + "')", "library.form"),
        in_module("a digest of other letters", "a = library('a', '" + "g" * 64 + "')", "library.form"),
        in_module("a digest that is computed", "a = library('a', '0' * 64)", "library.form"),
        in_module("no digest", "a = library('a')", "library.form"),
        in_module("a name by word", f"a = library(name='a', digest='{DIGEST}')", "library.form"),
        in_module("a name with a way", f"a = library('../a', '{DIGEST}')", "library.form", "library.unknown"),
        in_module("a digest that no library has", f"a = library('a', '{DIGEST}')", "library.unknown"),
        in_body("a library loaded in a body", f"a = library('a', '{DIGEST}')", "call.unknown"),
        in_module(
            "an interface of no contract", "class A(Interface):\n    @view\n    def f(tx) -> int: ...", "interface.form"
        ),
        in_module(
            "an interface with a body",
            "class A(Interface, contract='a'):\n    @view\n    def f(tx) -> int:  # !\n        return 1",
            "interface.form",
        ),
        in_module(
            "an interface with options",
            "class A(Interface, contract='a'):\n    @action(by='member')\n    def f(tx): ...  # !",
            "interface.form",
            "action.decorator",
        ),
        in_module("an interface with a field", "class A(Interface, contract='a'):\n    x: int  # !", "interface.form"),
        in_module(
            "an interface of a name that cannot be",
            "class A(Interface, contract='../a'):\n    @view\n    def f(tx) -> int: ...",
            "interface.form",
        ),
        in_module(
            "an interface with a record",
            "class A(Interface, contract='a'):\n    @action\n    def f(tx, t: Thing): ...  # !",
            "type.unknown",
            "interface.form",
            "parameter.type",
        ),
        in_file(
            "a library with an action",
            "from hansa.contract import action\n\n\n@action(by='member')\ndef f(tx):\n    pass\n",
            5,
            "function.decorator",
            "action.decorator",
            "import.name",
            "function.returns",
            "name.context",
        ),
    ),
]
