"""Hostile contracts: each is refused with findings or ends in a defined outcome, at once, and gets nowhere.

The classes are those of `reference/contracts.md`, sections 4 and 7: walks over attributes, frames of generators and
tracebacks, shadowed guards, C-level crashes, bombs of time and memory, and everything Python has beyond the dialect.
"""

import builtins
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from hansa.contracts import names, program
from hansa.contracts.diagnostics import ContractInvalid

SECONDS_MAX = 2.0
BYTES_MAX = 32 * 1024 * 1024

NAMES = sorted({*dir(builtins), "become"} - {*names.BUILTINS, "True", "False", "None"})

# Bodies that must not get past the checker.
REFUSED = {
    # Walks over attributes
    "class of a tuple": "x = ().__class__.__bases__[0].__subclasses__()",
    "class of text": "x = ''.__class__.__mro__[1]",
    "class of a number": "x = (1).__class__",
    "class of a list": "x = [].__class__.__base__",
    "class of a field": "x = tx.member.__class__",
    "class of tx": "x = tx.__class__",
    "dict of tx": "x = tx.__dict__",
    "slots of tx": "x = tx.__slots__",
    "values of a record": "x = t.values",
    "shape of a record": "x = t.shape.codecs",
    "changed of a record": "t.changed = 1 == 2",
    "class of a record": "x = t.__class__.__init__.__globals__",
    "assigning to tx": "tx.member = 'bob'",
    "assigning to an amount": "m.minor = 999",
    "method of text": "x = ''.join(['a'])",
    "format of text": "x = '{0.__class__}'.format(1)",
    "format_map of text": "x = '{a.__class__}'.format_map(1)",
    "append to a list": "[].append(1)",
    "sort of a list": "x = [2, 1].sort()",
    "encode of text": "x = 'a'.encode()",
    "to_bytes of a number": "x = (1).to_bytes(9999999, 'big')",
    "bit_length of a number": "x = (1).bit_length()",
    # Functions of Python
    **{f"call of {name}": f"x = {name}('a')" for name in NAMES},
    "name of builtins": "x = __builtins__",
    "name of the module": "x = __name__",
    "name of the file": "x = __file__",
    "name of the loader": "x = __loader__",
    "name of the class cell": "x = __class__",
    "index of builtins": "x = __builtins__['eval']",
    # Guards by their names
    **{
        f"call of {name}": f"x = {name}(1, 2)"
        for name in ["__add", "__spent", "__truth", "__emit", "__refuse", "__set_field", "__iterate", "__call_len"]
    },
    "reading the frame": "x = __frame",
    "steps of the frame": "x = __frame.left",
    "refilling the frame": "__frame.left = 1000000",
    "assigning the frame": "__frame = 1",
    "looping over the frame": "for __frame in range(3):\n    pass",
    "assigning a guard": "__add = 1",
    "assigning spent": "__spent = 1",
    "assigning a builtin": "len = 1",
    "looping over a builtin": "for len in [1]:\n    pass",
    "assigning require": "require = 1",
    "assigning event": "event = 1",
    "assigning tx": "tx = 1",
    "assigning an underscore": "_ = 1",
    # Functions, classes, scopes
    "lambda": "x = lambda: 1",
    "lambda called": "x = (lambda: 1)()",
    "nested def": "def f():\n    return 1",
    "nested async def": "async def f():\n    return 1",
    "nested class": "class C:\n    pass",
    "nested class with a metaclass": "class C(metaclass=type):\n    pass",
    "list comprehension": "x = [i for i in [1]]",
    "set comprehension": "x = {i for i in [1]}",
    "dict comprehension": "x = {i: i for i in [1]}",
    "generator": "x = (i for i in [1])",
    "generator frame": "x = (i for i in [1]).gi_frame.f_back.f_globals",
    "comprehension that shadows": "x = [__frame for __frame in [1]]",
    "nested comprehension": "x = [[j for j in [i]] for i in [1]]",
    "yield": "yield 1",
    "yield in an expression": "x = yield",
    "yield from": "yield from [1]",
    "await": "x = await 1",
    "async for": "async for i in [1]:\n    pass",
    "async with": "async with 'a':\n    pass",
    "walrus": "x = (y := 1)",
    "walrus on a guard": "if (__spent := 1) == 1:\n    pass",
    "walrus in a condition": "if (y := 1) == 1:\n    pass",
    "global": "global x\nx = 1",
    "nonlocal": "nonlocal x\nx = 1",
    "del of a local": "x = 1\ndel x",
    "del of a field": "del t.note",
    "del of a guard": "del __spent",
    # Statements
    "assert": "assert 1 == 2, 'no'",
    "try": "try:\n    x = 1 // 0\nexcept Exception:\n    pass",
    "try that catches all": "try:\n    pass\nexcept:\n    pass",
    "try finally": "try:\n    pass\nfinally:\n    pass",
    "except group": "try:\n    pass\nexcept* ValueError:\n    pass",
    "traceback of an exception": "try:\n    x = 1\nexcept Exception as e:\n    x = e.__traceback__.tb_frame",
    "raise": "raise",
    "raise of an exception": "raise 'a'",
    "while": "while 1 == 1:\n    pass",
    "with": "with 'a' as x:\n    pass",
    "break": "for i in range(3):\n    break",
    "continue": "for i in range(3):\n    continue",
    "for else": "for i in range(3):\n    pass\nelse:\n    pass",
    "match": "match 1:\n    case 1:\n        pass",
    "match on a class": "match 'a':\n    case str():\n        pass",
    "match that captures": "match [1]:\n    case [__frame]:\n        pass",
    "import": "import os",
    "import as": "import os as len",
    "import from": "from os import system",
    "import of a dotted name": "import os.path",
    "import of everything": "from os import *",
    "relative import": "from . import x",
    "annotated assignment": "x: int = 1",
    "annotation alone": "x: int",
    "chained assignment": "x = y = 1",
    "unpacking": "x, y = 1, 2",
    "unpacking with a star": "x, *y = [1, 2]",
    "unpacking in a loop": "for x, y in [[1, 2]]:\n    pass",
    "assigning an index": "x = [1]\nx[0] = 2",
    "assigning a slice": "x = [1]\nx[:] = [2]",
    "assigning a field of a field": "t.price.minor = 1",
    "a bare value": "x = 1\nx",
    "a bare call": "len('a')",
    # Expressions
    "f-string bomb": "x = f'{1:1000000000}'",
    "f-string": "x = f'{tx}'",
    "f-string with an attribute": "x = f'{tx.__class__}'",
    "nested f-string": "x = f'{f\"{1}\"}'",
    "bytes": "x = b'abc'",
    "raw text": "x = r'abc'",
    "unicode text": "x = u'abc'",
    "float": "x = 1.5",
    "float by exponent": "x = 1e400",
    "complex": "x = 1j",
    "ellipsis": "x = ...",
    "tuple": "x = (1, 2)",
    "empty tuple": "x = ()",
    "dict": "x = {}",
    "dict with a key": "x = {1: 2}",
    "set": "x = {1}",
    "star in a list": "x = [*[1]]",
    "star in a call": "x = max(*[1, 2])",
    "double star in a call": "x = max(**{})",
    "slice": "x = [1][0:1]",
    "slice with a step": "x = [1][::-1]",
    "index by a tuple": "x = [1][0, 1]",
    "matrix product": "x = 1 @ 2",
    "matrix product assigned": "x = 1\nx @= 2",
    "power": "x = 9 ** 9 ** 9",
    "power assigned": "x = 9\nx **= 9",
    "shift": "x = 1 << 100000000",
    "right shift": "x = 1 >> 1",
    "division": "x = 1 / 2",
    "bits": "x = 1 | 2 & 3 ^ 4",
    "inversion": "x = ~1",
    "plus sign": "x = +1",
    "chained comparison": "x = 1 < 2 < 3",
    "identity": "x = 1 is 1",
    "a record as a value": "x = t",
    "a record in a list": "x = [t]",
    "a record in an event": "event('x', t=t)",
    "tx as a value": "x = tx",
    "tx in an event": "event('x', t=tx)",
    "keyword in a call": "x = len(obj='a')",
    "backquotes": "x = `1`",
    "print statement": "print 'a'",
    "exec statement": "exec 'a'",
    "format in a rule": "require(1 == 1, 'a {x.__class__}', x=1)",
    "conversion in a rule": "require(1 == 1, 'a {x!r}', x=1)",
    "width in a rule": "require(1 == 1, 'a {x:1000000000}', x=1)",
    "index in a rule": "require(1 == 1, 'a {x[0]}', x=1)",
    "braces in a rule": "require(1 == 1, 'a {{x}', x=1)",
    "computed text in a rule": "require(1 == 1, 'a' + 'b')",
    "computed name of an event": "event('a' + 'b')",
    "huge number": "x = " + "9" * 79,
    "number of many digits": "x = " + "9" * 90,
}

# Declarations that must not get past the reader: lines of the class.
REFUSED_DECLARATIONS = {
    "default argument": '@action(by="member")\ndef go(tx, a: int = 1):\n    pass',
    "default that calls": '@action(by="member")\ndef go(tx, a: int = __import__("os")):\n    pass',
    "star argument": '@action(by="member")\ndef go(tx, *a):\n    pass',
    "double star argument": '@action(by="member")\ndef go(tx, **a):\n    pass',
    "keyword only": '@action(by="member")\ndef go(tx, *, a: int):\n    pass',
    "positional only": '@action(by="member")\ndef go(tx, a: int, /):\n    pass',
    "positional only that shadows": '@action(by="member")\ndef go(tx, __frame, /):\n    pass',
    "parameter that shadows the frame": '@action(by="member")\ndef go(tx, __frame: int):\n    pass',
    "parameter that shadows a guard": '@action(by="member")\ndef go(tx, __spent: int):\n    pass',
    "parameter that shadows len": '@action(by="member")\ndef go(tx, len: int):\n    pass',
    "parameter twice": '@action(by="member")\ndef go(tx, a: int, a: int):\n    pass',
    "action that shadows a guard": '@action(by="member")\ndef __add(tx):\n    pass',
    "action that shadows require": '@action(by="member")\ndef require(tx):\n    pass',
    "decorator that calls": '@__import__("os").system("true")\ndef go(tx):\n    pass',
    "second decorator": '@print\n@action(by="member")\ndef go(tx):\n    pass',
    "decorator option that calls": '@action(by=__import__("os"))\ndef go(tx):\n    pass',
    "annotation that calls": '@action(by="member")\ndef go(tx, a: __import__("os")):\n    pass',
    "annotation that walks": '@action(by="member")\ndef go(tx, a: int.__class__):\n    pass',
    "return annotation that calls": '@view\ndef go(tx) -> __import__("os"):\n    return 1',
    "annotation of many optionals": '@action(by="member")\ndef go(tx, a: int' + " | None" * 19 + "):\n    pass",
    "async action": '@action(by="member")\nasync def go(tx):\n    pass',
    "static method": "@staticmethod\ndef go(tx):\n    pass",
    "property": "@property\ndef go(tx):\n    return 1",
    "constructor": "def __init__(self):\n    pass",
    "subclass hook": "def __init_subclass__(cls):\n    pass",
    "class body that runs": "__import__('os').system('true')",
    "class body that loops": "for i in range(10):\n    pass",
    "class body that assigns": "x = [].__class__",
    "class body that imports": "import os",
    "class body with a lambda": "f = lambda: 1",
    "slots": "__slots__ = ['a']",
    "record with a method": 'class R(Record, key="id"):\n    id: int\n    def f(self): pass',
    "record with a default that calls": 'class R(Record, key="id"):\n    id: int\n    a: int = int("1")',
    "record with a shared default": 'class R(Record, key="id"):\n    id: int\n    a: list[int, 3] = [[]] * 3',
    "record with a metaclass": 'class R(Record, metaclass=type, key="id"):\n    id: int',
    "record of a record": 'class R(R2, key="id"):\n    id: int\nclass R2(Record, key="id"):\n    id: int',
    "record with a field that shadows": 'class R(Record, key="id"):\n    id: int\n    __class__: int',
    "record with a computed key": 'class R(Record, key="i" + "d"):\n    id: int',
    "role that calls": "class Roles:\n    a: Party = print('a')",
    "role with a computed attribute": "class Roles:\n    a: Party = Party(attribute='a' + 'b')",
    "nested contract": 'class C(Contract, version="1.0.0"):\n    pass',
    "type alias": "type X = int",
}

# Bodies that are contracts: they end with this code, soon.
ENDING = {
    "endless loop": ("for i in range(9223372036854775807):\n    pass", "steps.exceeded"),
    "loops in loops": ("for i in range(99999):\n    for j in range(99999):\n        pass", "steps.exceeded"),
    "squaring": ("x = 3\nfor i in range(64):\n    x = x * x", "value.range"),
    "negative squaring": ("x = -3\nfor i in range(64):\n    x = -(x * x)", "value.range"),
    "adding up": (
        "x = 57896044618658097711785492504343953926634992332820282019728792003956564819967\nx += 1",
        "value.range",
    ),
    "doubling text": ("x = 'aaaaaaaaaaaaaaaa'\nfor i in range(64):\n    x = x + x", "value.size"),
    "doubling a list": ("x = [1, 2]\nfor i in range(64):\n    x = x + x", "value.size"),
    "multiplying text": ("x = 'a' * 1000000000", "value.type"),
    "multiplying a list": ("x = [0] * 1000000000", "value.type"),
    "formatting text": ("x = '%1000000000d' % 1", "value.type"),
    "formatting text with a list": ("x = '%s' % [1]", "value.type"),
    "index of text": ("x = 'abc'[0]", "value.type"),
    "index far out": ("x = [1][9223372036854775807]", "index.range"),
    "index by a boolean": ("x = [1][1 == 1]", "value.type"),
    "division by zero": ("x = 1 // 0", "value.division"),
    "remainder by zero": ("x = 1 % 0", "value.division"),
    "range by zero": ("for i in range(1, 9, 0):\n    pass", "value.division"),
    "range beyond 64 bits": ("for i in range(9223372036854775808):\n    pass", "value.range"),
    "loop over text": ("for i in 'abc':\n    pass", "value.type"),
    "loop over a number": ("for i in 9:\n    pass", "value.type"),
    "loop over a list that grows": ("x = [1]\nfor i in x:\n    x = x + [i]", "ok"),
    "one is not true": ("require(1 == (1 == 1), 'no')", "require.failed"),
    "a number as a condition": ("if 1:\n    pass", "value.type"),
    "text as a condition": ("require('yes', 'no')", "value.type"),
    "a list as a condition": ("require([1], 'no')", "value.type"),
    "none as a condition": ("require(None, 'no')", "value.type"),
    "a comparison of kinds": ("x = 1 < 'a'", "value.type"),
    "a comparison of lists": ("x = [1] < [2]", "value.type"),
    "negative money": ("x = Amount(0 - 1, 'USD')", "value.range"),
    "money of another currency": ("x = Amount(1, 'USD') + Amount(1, 'EUR')", "value.currency"),
    "money beyond 64 bits": ("x = Amount(9223372036854775807, 'USD') * 2", "value.range"),
    "money times money": ("x = Amount(1, 'USD') * Amount(1, 'USD')", "value.type"),
    "a currency of many letters": ("x = Amount(1, '" + "U" * 99 + "')", "value.currency"),
    "a number beyond 64 bits in an event": ("event('e', x=9223372036854775808)", "value.range"),
    "a number beyond 64 bits in a refusal": ("require(1 == 2, 'no', x=9223372036854775808)", "value.range"),
    "many events": ("for i in range(1000):\n    event('e')", "output.events"),
    "a large event": ("x = 'aaaaaaaaaaaaaaaa'\nfor i in range(12):\n    x = x + x\nevent('e', x=x)", "output.events"),
    "names of an object in an event": ("event('e', __class__=1, __init__=2)", "ok"),
    "lookup in a large list": (
        "x = [1]\nfor i in range(10):\n    x = x + x\nfor i in range(999999):\n    y = 2 in x",
        "steps.exceeded",
    ),
    "comparing large lists": (
        "x = [1]\nfor i in range(10):\n    x = x + x\nfor i in range(999999):\n    y = x == x",
        "steps.exceeded",
    ),
    "comparing shared lists": (
        "x = [1, 1, 1, 1, 1, 1, 1]\nfor i in range(6):\n    x = [x, x, x, x, x, x, x]\ny = x == x",
        "steps.exceeded",
    ),
    "comparing deep lists": ("x = [1]\nfor i in range(40):\n    x = [x, x, x]\ny = x == x", "value.size"),
    "keywords as names": ("match = 1\ntype = match\ncase = type\nsoft = case\nevent('e', match=match)", "ok"),
    "a long chain of additions": ("x = 1" + " + 1" * 40, "ok"),
    "strings side by side": ("x = 'a' 'b' 'c'\nevent('e', x=x)", "ok"),
    "a hash in a string": ("x = '# not a comment'\nevent('e', x=x)", "ok"),
    "none everywhere": ("x = None == None\ny = None in [None]\nevent('e', x=x, y=y)", "ok"),
}


@pytest.fixture(autouse=True)
def soon() -> Iterator[None]:
    """No attack takes long or much memory, whatever comes of it."""
    tracemalloc.start()
    begun = time.monotonic()
    yield
    seconds, (_, peak) = time.monotonic() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < SECONDS_MAX
    assert peak < BYTES_MAX


PARAMETERS = "t: Thing, m: Amount"
RECORDS = """
class Thing(Record, key="id"):
    id: int
    price: Amount
    note: Text[0, 9] = ""
"""


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_hostile_bodies_are_refused(name: str, acting: Callable[..., str]) -> None:
    refuse(acting(REFUSED[name], PARAMETERS, RECORDS))


@pytest.mark.parametrize("name", REFUSED_DECLARATIONS)
def test_hostile_declarations_are_refused(name: str, declared: Callable[[str], str]) -> None:
    refuse(declared(REFUSED_DECLARATIONS[name]))


@pytest.mark.parametrize(
    "lines", ['@action(by="member")\ndef go[T](tx):\n    pass', 'class R[T](Record, key="id"):\n    id: int']
)
def test_type_parameters_are_refused(lines: str, declared: Callable[[str], str]) -> None:
    refuse(declared(lines))


def refuse(source: str) -> None:
    with pytest.raises(ContractInvalid) as caught:
        program.load(source, "sample")
    for found in caught.value.diagnostics:
        assert found.message
        assert 1 <= found.line <= source.count("\n") + 1


@pytest.mark.parametrize("name", ENDING)
def test_hostile_bodies_end_in_a_defined_outcome(name: str, acting: Callable[..., str], bench: type) -> None:
    body, code = ENDING[name]
    source = acting(body)
    ran = bench(source).run(steps=20_000)
    assert ran.code == code
    if code != "ok":
        assert ran.result["message"]


def test_there_are_sixty_attacks_at_least() -> None:
    assert len(REFUSED) + len(REFUSED_DECLARATIONS) + len(ENDING) > 200


NESTED = "x = [1]\nfor i in range({depth}):\n    x = [x]\n"
BOMB = "x = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nfor i in range({depth}):\n    x = [x, x, x, x, x, x, x, x, x, x]\n"
USES = {
    "event": "event('e', x=x)",
    "require": "require(1 == 2, 'no', x=x)",
    "equal": "y = x == x",
    "in": "y = x in [x]",
    "field": "t.items = x",
}
LISTING = """
class Thing(Record, key="id"):
    id: int
    items: list[int, 9] = []
@action(by="member", creates="Thing")
def make(tx, thing: Thing, id: int):
    pass
"""


@pytest.mark.parametrize("use", USES)
def test_a_list_nested_beyond_the_stack_ends_in_a_defined_outcome(
    use: str, acting: Callable[..., str], bench: type
) -> None:
    made = bench(acting(NESTED.format(depth=1_500) + USES[use], "t: Thing", LISTING))
    made.take("make", {"id": 1})
    assert made.run(arguments={"t": 1}).code != "ok"


@pytest.mark.parametrize("use", ["event", "require"])
def test_what_leaves_a_contract_can_be_decoded(use: str, acting: Callable[..., str], bench: type) -> None:
    ran = bench(acting(NESTED.format(depth=20) + USES[use])).run()
    assert ran.code != "ok"


@pytest.mark.parametrize("use", ["event", "require"])
def test_what_leaves_a_contract_may_be_nested_as_deep_as_messages_may(
    use: str, acting: Callable[..., str], bench: type
) -> None:
    ran = bench(acting(NESTED.format(depth=5) + USES[use])).run()
    assert ran.code == ("ok" if use == "event" else "require.failed")


def test_a_refusal_is_bounded(acting: Callable[..., str], bench: type) -> None:
    ran = bench(acting(BOMB.format(depth=4) + USES["require"])).run()
    assert ran.code != "require.failed"


def test_refusing_a_large_event_is_charged(acting: Callable[..., str], bench: type) -> None:
    small = bench(acting(BOMB.format(depth=1) + USES["event"])).run()
    large = bench(acting(BOMB.format(depth=4) + USES["event"])).run()
    assert (small.code, large.code) == ("ok", "output.events")
    assert large.steps > small.steps + 1_000


def test_a_list_written_out_is_bounded_too(acting: Callable[..., str]) -> None:
    refuse(acting("x = [\n" + "1, 1, 1, 1, 1, 1, 1, 1, 1, 1,\n" * 110 + "]\nevent('e', n=len(x))"))


def test_the_name_of_an_event_is_bounded(acting: Callable[..., str], bench: type) -> None:
    """It is counted with the rest of the event: 64 of these would be three megabytes."""
    name = "\n".join(["x" * 100] * 500)
    once, often = (bench(acting(f"for i in range({n}):\n    event('''{name}''')")).run() for n in (1, 64))
    assert (once.code, often.code) == ("ok", "output.events")
    assert once.steps > len(name) // 32
