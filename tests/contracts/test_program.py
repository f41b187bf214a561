"""A loaded file: the same source gives the same program, nothing runs while it is loaded, and it is loaded soon."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.contracts.sources import action, contract
from tests.contracts.world import World

from hansa.contracts import program
from hansa.contracts.diagnostics import FINDINGS_MAX, ContractInvalid
from hansa.node.create import members_source

APPS = Path(__file__).parents[2] / "apps"
CONTRACTS = sorted([*APPS.glob("*/contract.py"), *APPS.parent.glob("bench/*_contract.py")])
THING = """
class Thing(Record, key="id"):
    id: int
    @invariant
    def fine(thing):
        require(thing.id != 3, "no")
"""


@pytest.mark.parametrize("path", CONTRACTS, ids=lambda path: path.parent.name)
def test_the_contracts_of_this_project_are_contracts(path: Path) -> None:
    loaded = program.load(path.read_text("utf-8"), "app")
    assert loaded.actions
    assert set(loaded.actions) == set(loaded.manifest.actions)
    assert set(loaded.views) == set(loaded.manifest.views)


def test_there_are_contracts_to_check() -> None:
    assert APPS / "example_ledger" / "contract.py" in CONTRACTS


def test_only_genesis_may_load_the_members_contract() -> None:
    assert program.load(members_source(), "members", system=True).manifest.name == "members"
    with pytest.raises(ContractInvalid) as caught:
        program.check(members_source(), "members")
    assert {d.code for d in caught.value.diagnostics} == {"source.size"}  # it alone may be as long
    kernel_only = action("event('e', kid=key_id(b))", "b: Bytes[1, 32]")
    with pytest.raises(ContractInvalid) as caught:
        program.check(kernel_only, "members")
    assert {d.code for d in caught.value.diagnostics} == {"call.unknown"}


def test_loading_twice_gives_the_same_program_and_shares_nothing() -> None:
    source = action("x = 1 + a\nevent('e', x=x)", "t: Thing, a: int", outer=THING)
    first, second = program.load(source, "sample"), program.load(source, "sample")
    assert first.manifest == second.manifest
    assert first.digest == second.digest == hashlib.sha256(source.encode()).digest()
    of, again = first.actions["go"].function, second.actions["go"].function
    code, other = of.__code__, again.__code__
    assert (code.co_code, code.co_consts, code.co_names) == (other.co_code, other.co_consts, other.co_names)
    assert of.__globals__ is not again.__globals__
    assert first.shapes["Thing"] is not second.shapes["Thing"]


def test_a_body_sees_no_builtins() -> None:
    world = World()
    digest = world.add_library("tools", "def one() -> int:\n    return 1\n")
    loaded = world.deploy(
        "sample", action("x = l.one()", "t: Thing", outer=f'l = library("tools", "{digest}")\n{THING}')
    )
    inside = loaded.actions["go"].function
    for function in (inside, inside.__globals__["__f0"], loaded.shapes["Thing"].invariants[0]):
        assert function.__globals__["__builtins__"] == {}
        assert function.__builtins__ == {}
        assert function.__defaults__ is None
        assert function.__closure__ is None


def test_checking_does_not_compile() -> None:
    checked = program.check(action("x = 1"), "other")
    assert (checked.manifest.name, list(checked.bodies)) == ("other", ["go"])


@pytest.mark.parametrize("body", ["x = 1 == 1", "x = 'a' == 'b'", "x = [1][0:1]", "x = 1 if 1 == 1 else 2"])
def test_nothing_that_is_loaded_makes_python_warn(body: str) -> None:
    """With warnings as errors, as here, a warning would leave `load` as a SyntaxError."""
    program.load(action(body), "sample")


def test_rules_of_records_never_replace_each_other() -> None:
    """However their names are joined: `A.b__c` and `A__b.c`."""
    rule = 'class {}(Record, key="id"):\n    id: int\n    @invariant\n    def {}(r):\n        require({}, "{}")\n'
    outer = rule.format("A", "b__c", "r.id != 1", "first") + rule.format("A__b", "c", "r.id != 2", "second")
    world = World()
    world.deploy("sample", action("A.create(id=a)\nA__b.create(id=b)", "a: int, b: int", outer=outer))
    for a, b, message in ((1, 9, "first"), (9, 2, "second"), (2, 1, None)):
        ran = world.run(world.call("sample", "go", {"a": a, "b": b}))
        assert (ran.code, message is None or ran.result["message"]) == (
            "ok" if message is None else "invariant.failed",
            message is None or message,
        )


def test_a_library_is_loaded_as_a_program_too() -> None:
    loaded = program.load("A = 1\ndef one() -> int:\n    return A\n", "tools")
    assert (loaded.manifest.kind, loaded.actions, list(loaded.functions)) == ("library", {}, ["one"])


def _filled(line: Callable[[int], str], size: int = 24_000) -> str:
    lines: list[str] = []
    while size > 0:
        lines.append(line(len(lines)))
        size -= len(lines[-1])
    return "".join(lines)


HALF = 12_000
SECONDS_MAX = 8
BROKEN = {
    "unknown names": {"name.unknown"},
    "unset names": {"name.unset"},
    "unknown calls": {"call.unknown"},
    "unused values": {"statement.value"},
    "unclear lists": {"type.unclear"},
}
"""What the large files are refused for, those that are."""
BODIES = {
    "unknown names": lambda: (
        _filled(lambda i: f"    a{i:x}q = 0\n", HALF)
        + _filled(lambda i: "    x = " + " + ".join(f"b{i * 9 + j:x}q" for j in range(9)) + "\n", HALF)
    ),
    "unset names": lambda: _filled(lambda i: f"    x = a{i:x}\n    a{i:x} = 0\n"),
    "names": lambda: _filled(lambda i: f"    a{i:x} = 0\n"),
    "branches": lambda: _filled(lambda i: f"    if c:\n        a{i:x} = 0\n    else:\n        a{i:x} = 1\n"),
    "unknown calls": lambda: _filled(lambda i: f"    x = leng{i:x}()\n"),
    "unused values": lambda: _filled(lambda i: "    1\n"),
    "brackets": lambda: _filled(lambda i: "    y = " + " + ".join(["[[[[[1]]]]]"] * 12) + "\n"),
    "calls": lambda: _filled(lambda i: "    x = " + "abs(" * 31 + "1" + ")" * 31 + "\n"),
    "sums": lambda: _filled(lambda i: "    x = " + "+".join("1" * 90) + "\n"),
    "paths": lambda: "    p = [[1]]\n" + _filled(lambda i: "    p[0][0] = p[0][0] + 1\n"),
    "maps": lambda: "    m = {'a': {'a': {'a': 1}}}\n" + _filled(lambda i: "    m['a']['a']['a'] += 1\n"),
    "unclear lists": lambda: _filled(lambda i: f"    a{i:x} = []\n"),
    "loops": lambda: _filled(
        lambda i: "".join(f"{' ' * (4 + n)}for i{n} in [1]:\n" for n in range(8)) + " " * 12 + "pass\n"
    ),
    "rules": lambda: _filled(lambda i: "    require(c, 'x {a}', a=1)\n"),
}
FILES = {
    "functions": lambda: _filled(lambda i: f"def f{i:x}(n: int) -> int:\n    return n\n"),
    "structs in structs": lambda: (
        "class S0(Struct):\n    x: int\n"
        + _filled(lambda i: f"class S{i + 1:x}(Struct):\n    x: S0\n    y: list[int, 3] = []\n")
    ),
    "records": lambda: _filled(
        lambda i: f'class R{i:x}(Record, key="k"):\n    k: int\n    m: dict[Text[1, 9], int, 9]\n'
    ),
    "enums": lambda: _filled(lambda i: f"class E{i:x}(Enum):\n    A = 'a'\n    B = 'b'\n"),
    "constants": lambda: _filled(lambda i: f"C{i:x} = {i}\n"),
}


def _soon(source: str) -> set[str]:
    """The codes of what is wrong with a file, found in time."""
    told: set[str] = set()
    for examine in (program.check, program.load):
        began = time.process_time()
        try:
            examine(source, "sample")
        except ContractInvalid as invalid:
            assert len(invalid.diagnostics) <= FINDINGS_MAX + 1
            told |= {found.code for found in invalid.diagnostics}
        assert time.process_time() - began < SECONDS_MAX
    return told - {"findings.more"}


@pytest.mark.parametrize("kind", BODIES)
def test_a_large_body_is_checked_soon(kind: str) -> None:
    """Time grows with the length alone: what took 25 seconds once is far from the bound, and so is a busy machine."""
    source = contract(f'@action(by="member")\ndef go(tx, c: bool):\n    x = 0\n{BODIES[kind]()}')
    assert _soon(source) == BROKEN.get(kind, set())


@pytest.mark.parametrize("kind", FILES)
def test_a_large_file_is_checked_soon(kind: str) -> None:
    assert _soon(contract("pass", FILES[kind]())) == BROKEN.get(kind, set())
