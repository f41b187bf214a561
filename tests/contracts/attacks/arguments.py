"""Arguments as anyone may sign them: of wrong shape, too many, too deep, not what they seem."""

from typing import Any

from tests.contracts.attacks.attack import Attack, Take, attacks, contract, runs

MODULE = "class P(Struct):\n    a: Int[0, 9]\n    b: list[Text[0, 3], 3] = []\n\n\nclass K(Enum):\n    One = 'one'"
ONE = {
    "text": "Text[1, 3]",
    "int": "Int[0, 9]",
    "whole": "int",
    "bool": "bool",
    "bytes": "Bytes[1, 3]",
    "hash": "Hash",
    "party": "Party",
    "user": "User",
    "amount": "Amount",
    "signed": "SignedAmount",
    "date": "Date",
    "instant": "Instant",
    "duration": "Duration",
    "enum": "K",
    "struct": "P",
    "list": "list[Int[0, 9], 3]",
    "map": "dict[Text[1, 3], int, 3]",
    "parties": "dict[Party, int, 3]",
    "maybe": "Int[0, 9] | None",
}
USD: dict[str, Any] = {"minor": 1, "currency": "USD"}
DEEP: Any = 1
for _ in range(14):
    DEEP = [DEEP]
DEEP_MAP: Any = 1
for _ in range(14):
    DEEP_MAP = {"a": DEEP_MAP}


def _of(kind: str) -> str:
    return contract(
        f"@action(by='member')\ndef go(tx, x: {ONE[kind]}):\n    event('x', x=x)", MODULE if ONE[kind] in "PK" else ""
    )


def _bad(kind: str, **values: Any) -> list[Attack]:
    """Each refused as arguments that do not fit."""
    return [
        runs(f"{kind}: {name.replace('_', ' ')}", _of(kind), "arguments.invalid", Take(arguments={"x": value}))
        for name, value in values.items()
    ]


def _unsendable(kind: str, **values: Any) -> list[Attack]:
    """What no transaction can hold, because its bytes are scanned; a view's arguments come without that scan."""
    module = MODULE if ONE[kind] in "PK" else ""
    view = contract(f"@view\ndef go(tx, x: {ONE[kind]}) -> bool:\n    return True", module)
    return [
        runs(f"{kind}: {name.replace('_', ' ')}", view, "arguments.invalid", Take(arguments={"x": value}))
        for name, value in values.items()
    ]


def _good(kind: str, **values: Any) -> list[Attack]:
    return [
        runs(f"{kind}: {name.replace('_', ' ')}", _of(kind), "ok", Take(arguments={"x": value}))
        for name, value in values.items()
    ]


KEYED = "class T(Record, key='id'):\n    id: {}\n    n: int = 0\n@action(by='member', creates='T')\ndef make(tx, t: T, id: {}):\n    pass\n@action(by='member')\ndef go(tx, t: T):\n    t.n += 1"


def _key(name: str, type_: str, code: str, made: Any, given: Any = None) -> Attack:
    """The first call makes a record of this key, the second takes another key for it."""
    takes = (Take("make", {"id": made}),) if given is None else (Take("make", {"id": made}), Take("go", {"t": given}))
    return runs(name, contract(KEYED.format(type_, type_)), code, *takes)


ARGUMENTS = [
    *attacks(
        "a value of another kind that Python takes for the same",
        *_bad(
            "int",
            true=True,
            false=False,
            a_float=1.0,
            a_text="1",
            bytes_=b"1",
            none=None,
            below=-1,
            above=10,
            of_64_bits=2**63,
            of_200_bits=2**200,
            a_list=[1],
            a_map={"a": 1},
        ),
        *_bad(
            "whole", of_64_bits=2**63, below_64_bits=-(2**63) - 1, true=True, nan=float("nan"), infinite=float("inf")
        ),
        *_good("whole", the_highest=2**63 - 1, the_lowest=-(2**63)),
        *_bad("bool", one=1, nothing=0, none=None, a_text="true"),
        *_bad(
            "text",
            nothing="",
            long="aaaa",
            a_number=1,
            bytes_=b"a",
            none=None,
            a_list=["a"],
            four_of_a_plane_beyond="\U0001f600" * 4,
        ),
        *_good("text", three_of_a_plane_beyond="\U0001f600" * 3, right_to_left="\u202ea", combining="e\u0301"),
        *_bad("bytes", a_text="a", nothing=b"", long=b"aaaa", numbers=[1, 2], a_buffer=bytearray(b"a")),
        *_bad("hash", short=b"a" * 31, long=b"a" * 33, a_text="a" * 64),
        *_bad(
            "party",
            nobody="mallory",
            nothing="",
            in_capitals="ALICE",
            with_a_space="alice ",
            with_a_null="alice\0",
            a_user="alice/ann",
            none=None,
            a_number=1,
        ),
        *_bad("user", nobody="alice/mallory", a_member="alice", nothing=""),
        *_bad(
            "amount",
            a_number=1,
            a_text="1.00",
            negative={"minor": -1, "currency": "USD"},
            of_64_bits={"minor": 2**63, "currency": "USD"},
            a_float={"minor": 1.0, "currency": "USD"},
            true={"minor": True, "currency": "USD"},
            small_letters={"minor": 1, "currency": "usd"},
            no_currency={"minor": 1},
            no_minor={"currency": "USD"},
            more={**USD, "scale": 2},
            other_letters={"minor": 1, "currency": "UЅD"},
            line_end={"minor": 1, "currency": "USD\n"},
            nothing={},
            a_list=[1, "USD"],
        ),
        *_good("signed", negative={"minor": -1, "currency": "USD"}),
        *_bad("signed", the_lowest_of_64_bits={"minor": -(2**63), "currency": "USD"}),
        *_bad(
            "date",
            the_30th_of_february="2000-02-30",
            other_order="01-02-2000",
            short="2000-1-1",
            a_week="2000-W01-1",
            year_0="0000-01-01",
            with_time="2000-01-01T00:00",
            Arabic="٢٠٠٠-01-01",
            a_number=20000101,
            with_a_line_end="2000-01-01\n",
            five_digits="10000-01-01",
            basic="20000101",
        ),
        *_bad("instant", before=-1, after=253_402_300_800_000, a_text="1", a_float=1.0, true=True),
        *_bad("duration", long=315_576_000_000_001, short=-315_576_000_000_001, true=True),
        *_bad("enum", nobody="Two", what_it_says="one", a_number=0, a_dunder="__class__", none=None),
        *_bad(
            "struct",
            nothing={},
            more={"a": 1, "c": 1},
            of_another_kind={"a": "1"},
            a_list=[1],
            inside={"a": 1, "b": ["aaaa"]},
            too_many_inside={"a": 1, "b": ["a"] * 4},
            a_dunder={"a": 1, "__class__": 1},
            none=None,
            key_of_a_number={"a": 1, 1: 1},
        ),
        *_good("struct", without_a_default={"a": 1}),
        *_bad(
            "list",
            too_many=[1] * 4,
            of_another_kind=["a"],
            one_none=[None],
            a_map={"a": 1},
            a_text="123",
            deep=DEEP,
            a_hundred_thousand=[1] * 100_000,
            of_lists=[[1]],
        ),
        *_bad(
            "map",
            too_many={"a": 1, "b": 1, "c": 1, "d": 1},
            of_another_kind={"a": "b"},
            a_list=["a"],
            a_long_key={"aaaa": 1},
            an_empty_key={"": 1},
            a_key_of_a_number={1: 1},
            deep=DEEP_MAP,
            none_within={"a": None},
            a_hundred_thousand={str(n): 1 for n in range(100_000)},
        ),
        *_bad("parties", nobody={"mallory": 1}, a_user={"alice/ann": 1}),
        *_good("maybe", none=None),
    ),
    *attacks(
        "a surrogate is in no message and in no order",
        *_unsendable("text", surrogate="\ud800", the_other="a\udfff", a_pair_apart="\ud83d\ude00"),
        *_unsendable("party", surrogate="\ud800"),
        *_unsendable("enum", surrogate="\ud800"),
        *_unsendable("map", surrogate={"\ud800": 1}, keys_of_two_kinds={"a": 1, 1: 1}),
        *_unsendable("struct", surrogate={"a": 1, "\ud800": 1}),
        runs(
            "a surrogate as an argument's name",
            contract("@view\ndef go(tx, x: int) -> int:\n    return x"),
            "arguments.invalid",
            Take(arguments={"x": 1, "\ud800": 1}),
        ),
        runs("a surrogate as an action", _of("int"), "action.unknown", Take("\ud800", {"x": 1})),
        runs("a surrogate as a contract", _of("int"), "contract.unknown", Take("go", {"x": 1}, contract="\ud800")),
    ),
    *attacks(
        "more, less or other than was declared",
        runs("nothing", _of("int"), "arguments.invalid", Take()),
        runs("one too many", _of("int"), "arguments.invalid", Take(arguments={"x": 1, "y": 1})),
        runs("the context", _of("int"), "arguments.invalid", Take(arguments={"x": 1, "tx": {"member": "bob"}})),
        runs(
            "a hundred thousand",
            _of("int"),
            "arguments.invalid",
            Take(arguments={"x": 1, **{f"a{n}": n for n in range(100_000)}}),
        ),
        runs(
            "names of an object",
            _of("int"),
            "arguments.invalid",
            Take(arguments={"x": 1, "__class__": 1, "self": 1, "__frame": 1}),
        ),
        runs("a name with a hole", _of("int"), "arguments.invalid", Take(arguments={"x": 1, "{0.__class__}": 1})),
        runs("an optional left out", _of("maybe"), "ok", Take()),
        runs("no such action", _of("int"), "action.unknown", Take("stop", {"x": 1})),
        runs("a method of the host", _of("int"), "action.unknown", Take("__init__", {"x": 1})),
        runs(
            "a record type as an action", contract(KEYED.format("int", "int")), "action.unknown", Take("T", {"id": 1})
        ),
        runs(
            "an invariant as an action",
            contract(
                "class T(Record, key='id'):\n    id: int\n    @invariant\n    def low(t):\n        require(t.id < 3, 'no')\n@action(by='member')\ndef go(tx):\n    pass"
            ),
            "action.unknown",
            Take("low", {"t": {"id": 1}}),
        ),
        runs(
            "a migration's name as an action", contract(KEYED.format("int", "int")), "action.unknown", Take("T.low", {})
        ),
        runs(
            "a function as an action",
            contract("@action(by='member')\ndef go(tx):\n    pass", "def f(a: int) -> int:\n    return a"),
            "action.unknown",
            Take("f", {"a": 1}),
        ),
        runs("no such contract", _of("int"), "contract.unknown", Take("go", {"x": 1}, contract="nowhere")),
        runs(
            "a contract's name with a way", _of("int"), "contract.unknown", Take("go", {"x": 1}, contract="../sample")
        ),
        runs("an empty contract", _of("int"), "contract.unknown", Take("go", {"x": 1}, contract="")),
        runs("steps for less than the arguments", _of("int"), "steps.exceeded", Take(arguments={"x": 1}, steps=9)),
    ),
    *attacks(
        "a key that is another's, or none",
        runs(
            "the same key again",
            contract(KEYED.format("int", "int")),
            "record.exists",
            Take("make", {"id": 1}),
            Take("make", {"id": 1}),
        ),
        _key("a key that is not there", "int", "arguments.invalid", 1, 2),
        _key("true for one", "int", "arguments.invalid", 1, True),
        _key("a float for one", "int", "arguments.invalid", 1, 1.0),
        _key("a key beyond 64 bits", "int", "arguments.invalid", 1, 2**63),
        _key("the highest key", "int", "ok", 2**63 - 1, 2**63 - 1),
        _key("the lowest key", "int", "ok", -(2**63), -(2**63)),
        _key("an empty text", "Text[0, 100]", "ok", "", ""),
        _key("a text with a null", "Text[0, 100]", "ok", "a\0b", "a\0b"),
        _key("a text that only begins with another", "Text[0, 100]", "arguments.invalid", "a\0b", "a"),
        _key("a hundred characters of four bytes", "Text[0, 100]", "ok", "\U0001f600" * 100, "\U0001f600" * 100),
        _key("another form of the same letters", "Text[0, 100]", "arguments.invalid", "\u00e9", "e\u0301"),
        _key("a text out of its bounds", "Text[0, 3]", "arguments.invalid", "a", "aaaa"),
        _key("bytes of zeros", "Bytes[0, 400]", "ok", b"\0" * 400, b"\0" * 400),
        _key("bytes of less zeros", "Bytes[0, 400]", "arguments.invalid", b"\0\0", b"\0"),
        _key("a list for a key", "int", "arguments.invalid", 1, [1]),
        _key("a map for a key", "int", "arguments.invalid", 1, {"id": 1}),
        _key("the first date", "Date", "ok", "0001-01-01", "0001-01-01"),
        runs(
            "a record for another's",
            contract(
                "class A(Record, key='id'):\n    id: int\nclass B(Record, key='id'):\n    id: int\n@action(by='member', creates='A')\ndef make(tx, a: A, id: int):\n    pass\n@action(by='member')\ndef go(tx, b: B):\n    pass"
            ),
            "arguments.invalid",
            Take("make", {"id": 1}),
            Take("go", {"b": 1}),
        ),
        runs(
            "the record that is made, given",
            contract(KEYED.format("int", "int")),
            "arguments.invalid",
            Take("make", {"t": 1, "id": 1}),
        ),
        runs(
            "one record twice",
            contract(
                "class T(Record, key='id'):\n    id: int\n    n: int = 9\n@action(by='member', creates='T')\ndef make(tx, t: T, id: int):\n    pass\n@action(by='member')\ndef go(tx, a: T, b: T):\n    a.n -= 5\n    b.n += 5\n    require(a == b, 'two')\n    require(a.n == 9, 'money')"
            ),
            "ok",
            Take("make", {"id": 1}),
            Take("go", {"a": 1, "b": 1}),
        ),
        runs(
            "a key made in the body out of bounds",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n@action(by='member')\ndef go(tx):\n    t = Sample.T.create(id=10)"
            ),
            "value.bounds",
        ),
        runs(
            "a key looked up out of bounds",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n@action(by='member')\ndef go(tx, n: int):\n    t = Sample.T.find(n)"
            ),
            "value.bounds",
            Take(arguments={"n": 10}),
        ),
        runs(
            "a record made twice in one body",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n@action(by='member')\ndef go(tx):\n    t = Sample.T.create(id=1)\n    u = Sample.T.create(id=1)"
            ),
            "record.exists",
        ),
        runs(
            "a record that is missing",
            contract(
                "class T(Record, key='id'):\n    id: Int[0, 9]\n@action(by='member')\ndef go(tx):\n    t = Sample.T.get(1)"
            ),
            "record.missing",
        ),
    ),
]
