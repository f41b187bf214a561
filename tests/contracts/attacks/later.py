"""What comes later: scheduled actions, new versions of a contract, libraries that are not the ones that were read."""

import hashlib

from tests.contracts.attacks.attack import Attack, Finding, Take, attacks, contract, file, runs

BASE = """
class T(Record, key="id"):
    id: Int[0, 9]
    n: int = 0
@action(by="member", creates="T")
def make(tx, t: T, id: Int[0, 9]):
    pass
@action(by="schedule")
def tick(tx, t: T):
    t.n += 1
@action(by="member")
def go(tx, t: T):
"""
MADE = Take("make", {"id": 1})
GO = Take("go", {"t": 1})
AGAIN = """
class T(Record, key="id"):
    id: Int[0, 9]
    n: int = 0
@action(by="member", creates="T")
def make(tx, t: T, id: Int[0, 9]):
    pass
@action(by="schedule")
def tick(tx, t: T):
"""


def _scheduling(name: str, body: str, code: str, *takes: Take) -> Attack:
    lines = "\n".join("    " + line for line in body.split("\n"))
    return runs(name, contract(BASE.strip("\n") + "\n" + lines), code, MADE, *(takes or (GO,)))


def _ticking(name: str, body: str, code: str, *takes: Take) -> Attack:
    lines = "\n".join("    " + line for line in body.split("\n"))
    return runs(name, contract(AGAIN.strip("\n") + "\n" + lines), code, MADE, *takes)


OLD = "class T(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0\n@action(by='member', creates='T')\ndef make(tx, t: T, id: Int[0, 9]):\n    pass"
EARLY = Take("make", {"id": 1}, on_earlier=True)
WAS = "class Old(Struct):\n    id: Int[0, 9]\n    n: int"
TAIL = "\n@action(by='member')\ndef go(tx, t: T):\n    event('n', n=t.n)"


def _migrating(name: str, body: str, code: str, *takes: Take) -> Attack:
    lines = "\n".join("        " + line for line in body.split("\n"))
    text = f"class T(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0\n    @migration\n    def from_old(t, old: Old):\n{lines}{TAIL}"
    return runs(name, contract(text, WAS, "2.0.0"), code, EARLY, *(takes or (GO,)), earlier=contract(OLD))


def _next(
    name: str, declared: str, module: str = "", version: str = "2.0.0", earlier: str = OLD
) -> tuple[str, str, str]:
    """A second version that would leave stored records without meaning."""
    return name, contract(earlier), contract(declared, module, version)


def digest(library: str) -> str:
    return hashlib.sha256(library.encode()).hexdigest()


CALENDAR = file(
    "LIMIT = 5\n\n\nclass Day(Struct):\n    n: Int[0, 9]\n\n\ndef double(n: int) -> int:\n    return n + n\n\n\ndef fall(n: int) -> int:\n    return fall(n + 1)\n\n\ndef spin(n: int) -> int:\n    for i in range(99999):\n        n2 = n + i\n    return n\n\n\ndef check(n: int) -> int:\n    require(n > 5, 'no {n}', n=n)\n    return n"
)


def _using(name: str, body: str, code: str, takes: tuple[Take, ...] = (Take(),)) -> Attack:
    lines = "\n".join("    " + line for line in body.split("\n"))
    text = contract(
        f"@action(by='member')\ndef go(tx):\n{lines}", f"calendar = library('calendar', '{digest(CALENDAR)}')"
    )
    return runs(name, text, code, *takes, libraries={"calendar": CALENDAR})


def _misusing(name: str, body: str, *codes: str, module: str = "", libraries: dict[str, str] | None = None) -> Attack:
    lines = "\n".join("    " + line for line in body.split("\n"))
    text = contract(
        f"@action(by='member')\ndef go(tx):\n{lines}", module or f"calendar = library('calendar', '{digest(CALENDAR)}')"
    )
    line = next((n for n, said in enumerate(text.split("\n"), 1) if said.endswith("# !")), 0) or next(
        n for n, said in enumerate(text.split("\n"), 1) if "library(" in said
    )
    return Attack(name, text, Finding(line, frozenset(codes)), libraries=libraries or {"calendar": CALENDAR})


EVIL = CALENDAR.replace("return n + n", "return n - n")

LATER = [
    *attacks(
        "what comes due can be made to come due for ever, or before now",
        _scheduling("now", "schedule(t, 'tick', tx.time)", "schedule.past"),
        _scheduling("before", "schedule(t, 'tick', tx.time - Duration(days=1))", "schedule.past"),
        _scheduling("at the beginning of time", "schedule(t, 'tick', Date(1970, 1, 1).start())", "schedule.past"),
        _scheduling("within a second", "schedule(t, 'tick', tx.time + Duration(milliseconds=999))", "schedule.past"),
        _scheduling("in a second", "schedule(t, 'tick', tx.time + Duration(milliseconds=1000))", "ok"),
        _scheduling("at the end of time", "schedule(t, 'tick', Date(9999, 12, 31).start())", "ok"),
        _scheduling(
            "after the end of time", "schedule(t, 'tick', Date(9999, 12, 31).start() + Duration(days=1))", "value.range"
        ),
        _scheduling(
            "a thousand times",
            "for i in range(9999):\n    schedule(t, 'tick', tx.time + Duration(days=1))",
            "output.schedules",
            Take("go", {"t": 1}, steps=50_000),
        ),
        _scheduling(
            "a million times",
            "for i in range(9999999):\n    schedule(t, 'tick', tx.time + Duration(days=1))",
            "output.schedules",
            Take("go", {"t": 1}, steps=100_000_000),
        ),
        _scheduling(
            "a record that is refused in the end",
            "schedule(t, 'tick', tx.time + Duration(days=1))\nrequire(False, 'no')",
            "require.failed",
        ),
        _ticking(
            "one that schedules itself again",
            "schedule(t, 'tick', tx.time + Duration(milliseconds=1000))",
            "ok",
            Take("tick", {"t": 1}, by=None, later=5_000),
        ),
        _ticking(
            "one that schedules itself twice",
            "schedule(t, 'tick', tx.time + Duration(milliseconds=1000))\nschedule(t, 'tick', tx.time + Duration(milliseconds=1000))",
            "output.schedules",
            Take("tick", {"t": 1}, by=None, later=5_000),
        ),
        _ticking(
            "one that schedules itself at once",
            "schedule(t, 'tick', tx.time)",
            "schedule.past",
            Take("tick", {"t": 1}, by=None),
        ),
        _ticking(
            "a scheduled one that never ends",
            "for i in range(99999):\n    t.n += 1",
            "steps.exceeded",
            Take("tick", {"t": 1}, by=None),
        ),
        _ticking("one that a member takes", "t.n += 1", "role.denied", Take("tick", {"t": 1})),
        _ticking(
            "one for a record that is not there", "t.n += 1", "arguments.invalid", Take("tick", {"t": 2}, by=None)
        ),
    ),
    *attacks(
        "a migration runs whenever an old record is touched, on everyone's steps",
        _migrating("an endless migration", "for i in range(99999):\n    t.n = i", "steps.exceeded"),
        _migrating("a migration that faults", "t.n = 1 // old.n", "value.division"),
        _migrating("a migration out of bounds", f"t.n = {2**63 - 1} + 1", "value.bounds"),
        _migrating(
            "a migration that grows",
            "x = 'aaaaaaaaaaaaaaaa'\nfor i in range(64):\n    x = x + x\n    t.n = len(x)",
            "value.size",
        ),
        _migrating("a migration that doubles at each touch", "t.n = old.n * 2 + 1", "ok", GO, GO),
    ),
    *attacks(
        "a library is code that somebody else wrote",
        _using("as it was read", "event('x', x=calendar.double(2))", "ok"),
        _using("a library that calls itself without end", "x = calendar.fall(1)", "call.depth"),
        _using("a library that never ends", "x = calendar.spin(1)", "steps.exceeded"),
        _using("a library that refuses", "x = calendar.check(1)", "require.failed"),
        _using("its structs and constants", "d = calendar.Day(n=calendar.LIMIT)\nevent('d', d=d)", "ok"),
        runs(
            "a function of the contract that takes the library's name",
            contract(
                "@action(by='member')\ndef go(tx):\n    require(calendar.double(2) == 4, 'another ran')",
                f"calendar = library('calendar', '{digest(CALENDAR)}')\n\n\ndef calendar__double(n: int) -> int:\n    return n - n",
            ),
            "ok",
            libraries={"calendar": CALENDAR},
        ),
        _using("its struct out of bounds", "d = calendar.Day(n=calendar.LIMIT * 2)", "value.bounds"),
        _misusing(
            "another of the same name",
            "event('x', x=calendar.double(2))",
            "library.unknown",
            libraries={"calendar": EVIL},
        ),
        _misusing(
            "another of the same digest's first half",
            "pass",
            "library.unknown",
            module=f"calendar = library('calendar', '{digest(CALENDAR)[:32] + '0' * 32}')",
        ),
        _misusing(
            "one that shadows the dialect",
            "pass",
            "name.reserved",
            module=f"require = library('calendar', '{digest(CALENDAR)}')",
        ),
        _misusing(
            "one that shadows the context",
            "pass",
            "name.reserved",
            module=f"tx = library('calendar', '{digest(CALENDAR)}')",
        ),
        _misusing("a local that shadows it", "calendar = 1  # !", "name.twice", "name.reserved", "name.class"),
        _misusing("the library as a value", "x = calendar  # !", "name.class"),
        _misusing("what it does not have", "x = calendar.triple(1)  # !", "name.unknown"),
        _misusing("what it has of Python", "x = calendar.__builtins__  # !", "name.unknown"),
        _misusing("its function as a value", "x = calendar.double  # !", "name.unknown"),
        _misusing("its constant assigned", "calendar.LIMIT = 9  # !", "name.class"),
        _misusing("its struct's field assigned", "calendar.Day.n = 9  # !", "name.class"),
    ),
]

UPGRADES: list[tuple[str, str, str]] = [
    _next("another key", "class T(Record, key='n'):\n    id: Int[0, 9]\n    n: Int[0, 9]"),
    _next("another type of the key", "class T(Record, key='id'):\n    id: Text[0, 9]\n    n: int = 0"),
    _next("another index", "class T(Record, key='id', index=['n']):\n    id: Int[0, 9]\n    n: int = 0"),
    _next("a record type that is gone", "class U(Record, key='id'):\n    id: Int[0, 9]"),
    _next("a new field without a default", "class T(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0\n    m: int"),
    _next(
        "a field of another type without a default", "class T(Record, key='id'):\n    id: Int[0, 9]\n    n: Text[0, 9]"
    ),
    _next("the same version", OLD, version="1.0.0"),
    _next("a lower version", OLD, version="0.9.9"),
    _next("a version that is lower as a number, higher as a text", OLD, version="0.10.0", earlier=OLD),
    _next(
        "a migration from what it never was",
        "class T(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0\n    @migration\n    def f(t, old: Old):\n"
        "        t.n = old.secret",
        "class Old(Struct):\n    id: Int[0, 9]\n    n: int\n    secret: int",
    ),
    _next(
        "a migration from another type",
        "class T(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0\n    @migration\n    def f(t, old: Old):\n"
        "        t.n = len(old.n)",
        "class Old(Struct):\n    id: Int[0, 9]\n    n: Text[0, 9]",
    ),
    _next(
        "a state that is gone",
        "class States:\n    A: 'a'\nclass T(Record, key='id'):\n    id: Int[0, 9]\n"
        "@action(by='member', creates='T', to='A')\ndef make(tx, t: T, id: Int[0, 9]):\n    pass",
        earlier="class States:\n    A: 'a'\n    B: 'b'\nclass T(Record, key='id'):\n    id: Int[0, 9]\n"
        "@action(by='member', creates='T', to='A')\ndef make(tx, t: T, id: Int[0, 9]):\n    pass",
    ),
    _next(
        "states for what had none",
        "class States:\n    A: 'a'\nclass T(Record, key='id'):\n    id: Int[0, 9]\n    n: int = 0\n"
        "@action(by='member', creates='T', to='A')\ndef make(tx, t: T, id: Int[0, 9]):\n    pass",
    ),
]
"""Versions that are contracts, and may not follow the ones before them: name, the one before, the next."""
