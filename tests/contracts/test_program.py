"""A loaded contract: the same source gives the same program, and nothing runs while it is loaded."""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hansa.contracts import program
from hansa.contracts.diagnostics import FINDINGS_MAX, ContractInvalid
from hansa.node.create import members_source

APPS = Path(__file__).parents[2] / "apps"
CONTRACTS = sorted([*APPS.glob("*/contract.py"), *APPS.parent.glob("bench/*_contract.py")])


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
        program.load(members_source(), "members")
    assert {d.code for d in caught.value.diagnostics} == {"call.unknown"}


def test_loading_twice_gives_the_same_program(acting: Callable[..., str]) -> None:
    source = acting("x = 1 + a\nevent('e', x=x)", "a: int")
    first, second = program.load(source, "sample"), program.load(source, "sample")
    assert first.manifest == second.manifest
    assert first.digest == second.digest == hashlib.sha256(source.encode()).digest()
    code, again = first.actions["go"].function.__code__, second.actions["go"].function.__code__
    assert (code.co_code, code.co_consts, code.co_names) == (again.co_code, again.co_consts, again.co_names)


def test_two_programs_share_nothing(acting: Callable[..., str]) -> None:
    source = acting("pass")
    first, second = program.load(source, "sample"), program.load(source, "sample")
    assert first.actions["go"].function.__globals__ is not second.actions["go"].function.__globals__


def test_a_body_sees_no_builtins(acting: Callable[..., str]) -> None:
    function = program.load(acting("x = 1"), "sample").actions["go"].function
    assert function.__globals__["__builtins__"] == {}
    assert function.__builtins__ == {}
    assert function.__defaults__ is None
    assert function.__closure__ is None


def test_checking_does_not_compile(acting: Callable[..., str]) -> None:
    manifest, bodies = program.check(acting("x = 1"), "other")
    assert (manifest.name, list(bodies)) == ("other", ["go"])


@pytest.mark.parametrize("expression", ["1 is None", "'a' is not None"])
def test_nothing_that_is_loaded_makes_python_warn(expression: str, acting: Callable[..., str]) -> None:
    """With warnings as errors, as here, the warning leaves `load` as a SyntaxError."""
    try:
        program.load(acting(f"x = {expression}"), "sample")
    except ContractInvalid as invalid:
        assert invalid.diagnostics


def _filled(line: Callable[[int], str], size: int = 50_000) -> str:
    lines: list[str] = []
    while size > 0:
        lines.append(line(len(lines)))
        size -= len(lines[-1])
    return "".join(lines)


HALF = 25_000
LARGE = {
    "unknown names": lambda: (
        _filled(lambda i: f"    a{i:x}q = 0\n", HALF)
        + _filled(lambda i: "    x = " + " + ".join(f"b{i * 9 + j:x}q" for j in range(9)) + "\n", HALF)
    ),
    "unset names": lambda: _filled(lambda i: f"    x = a{i:x}\n    a{i:x} = 0\n"),
    "names": lambda: _filled(lambda i: f"    a{i:x} = 0\n"),
    "branches": lambda: _filled(lambda i: f"    if c:\n        a{i:x} = 0\n    else:\n        a{i:x} = 1\n"),
    "unknown calls": lambda: _filled(lambda i: f"    x = leng{i:x}()\n"),
    "unused values": lambda: _filled(lambda i: "    1\n"),
    "brackets": lambda: _filled(lambda i: "    x = " + "[" * 31 + "]" * 31 + "\n"),
    "calls": lambda: _filled(lambda i: "    x = " + "abs(" * 31 + "1" + ")" * 31 + "\n"),
    "sums": lambda: _filled(lambda i: "    x = " + "+".join("1" * 90) + "\n"),
    "strings": lambda: _filled(lambda i: f"    x = '{i}'\n"),
    "loops": lambda: _filled(
        lambda i: "".join(f"{' ' * (4 + n)}for i{n} in [1]:\n" for n in range(8)) + " " * 12 + "pass\n"
    ),
    "rules": lambda: _filled(lambda i: "    require(c, 'x {a}', a=1)\n"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_large_file_is_checked_in_about_a_second(kind: str, acting: Callable[..., str]) -> None:
    """Time grows with the length alone: what took 25 seconds once is far from the bound, and so is a busy machine."""
    source = acting("    x = 0\n" + LARGE[kind](), "c: bool")
    for examine in (program.check, program.load):
        began = time.monotonic()
        try:
            examine(source, "sample")
        except ContractInvalid as invalid:
            assert len(invalid.diagnostics) <= FINDINGS_MAX + 1
        assert time.monotonic() - began < 8
