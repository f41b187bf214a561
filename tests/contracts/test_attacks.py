"""Hostile contracts: each is refused with a finding at its line, or ends in a defined outcome, and gets nowhere.

The attacks are data, in `attacks/`: `syntax`, `walks`, `names`, `text`, `declarations` and `kinds` are refused when a
file is checked; `work`, `growth`, `values`, `trust`, `arguments` and `later` run, on both implementations, in a
process of little memory. Nothing here looks at a clock: the timeout of every test bounds it.
"""

import ast
import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.attacks import arena, declarations, kinds, later, names, syntax, text, walks
from tests.contracts.attacks.attack import Attack, Finding, Outcome, contract
from tests.contracts.world import World

from hansa.contracts import program, upgrade
from hansa.contracts.diagnostics import ContractInvalid, Diagnostic
from hansa.wire import cbor
from hansa.wire.problems import HansaError

ROOT = Path(__file__).parents[2]
MEMORY_BYTES_MAX = 64 * 1024 * 1024
REFUSED: dict[str, Attack] = {
    f"{kind}: {attack.name}": attack
    for kind, found in [
        ("syntax", syntax.NODES),
        ("everywhere", syntax.EVERYWHERE),
        ("walks", walks.WALKS),
        ("names", names.NAMES),
        ("text", text.TEXTS),
        ("declarations", declarations.DECLARATIONS),
        ("kinds", kinds.KINDS),
        ("later", later.LATER),
    ]
    for attack in found
    if isinstance(attack.expect, Finding)
}
RUNNING = arena.accepted()

pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")


def findings(attack: Attack) -> list[Diagnostic]:
    """What the checker says about an attack, as people are told; a ledger refuses it too."""
    world = World()
    for name, source in attack.libraries.items():
        world.add_library(name, source)
    with pytest.raises(ContractInvalid) as first:
        program.load(attack.program, "sample", world.libraries)
    assert first.value.diagnostics
    with pytest.raises(ContractInvalid) as caught:
        program.check(attack.program, "sample", world.libraries)
    return caught.value.diagnostics


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_file_is_refused_where_it_is_hostile(name: str) -> None:
    attack = REFUSED[name]
    assert isinstance(attack.expect, Finding)
    found = findings(attack)
    for finding in found:
        assert finding.message
        assert 1 <= finding.line <= attack.program.count("\n") + 1
        finding.message.encode()
    line, codes = attack.expect.line, attack.expect.codes
    told = [f"{finding.line}: {finding.code}: {finding.message}" for finding in found]
    assert any(line in (None, f.line) and (not codes or f.code in codes) for f in found), (attack.expect, told)


@pytest.mark.parametrize("depth", [4, 5])
def test_types_that_multiply_are_no_work(depth: int) -> None:
    """Sixty fields of a struct of sixty fields ...: what is worked out for a type is worked out once, or refused."""
    structs = ["class S0(Struct):\n    a: int"]
    structs += [f"class S{n}(Struct):\n" + "\n".join(f"    a{f}: S{n - 1}" for f in range(60)) for n in range(1, depth)]
    taken = f"@action(by='member')\ndef go(tx, x: S{depth - 1}):\n    pass"
    with suppress(ContractInvalid):
        program.load(contract(taken, "\n\n\n".join(structs)), "sample")


@pytest.mark.parametrize(("name", "earlier", "later"), later.UPGRADES, ids=[name for name, _, _ in later.UPGRADES])
def test_a_version_that_would_lose_records_may_not_follow(name: str, earlier: str, later: str) -> None:
    before, now = program.check(earlier, "sample"), program.check(later, "sample")
    assert upgrade.problems(before.manifest, now.manifest), name


@pytest.mark.parametrize("name", syntax.PLACES)
def test_it_is_the_expression_that_is_refused_not_its_place(name: str) -> None:
    program.load(syntax.PLACES[name], "sample", {}, None)


@pytest.mark.parametrize("name", names.FREE)
def test_it_is_the_name_that_is_refused_not_its_place(name: str) -> None:
    program.load(names.FREE[name], "sample", {}, None)


def test_every_kind_of_node_that_python_has_is_tried() -> None:
    everything = {
        kind.__name__
        for base in (
            ast.stmt,
            ast.expr,
            ast.pattern,
            ast.operator,
            ast.unaryop,
            ast.boolop,
            ast.cmpop,
            ast.excepthandler,
        )
        for kind in base.__subclasses__()
    } | {kind.__name__ for kind in getattr(ast, "type_param", ast.type_ignore).__subclasses__()} - {"TypeIgnore"}
    old = {
        "Num",
        "Str",
        "Bytes",
        "NameConstant",
        "Ellipsis",
        "Index",
        "ExtSlice",
        "Suite",
        "AugLoad",
        "AugStore",
        "Param",
    }
    tried: set[str] = set()
    for attack in [*REFUSED.values(), *RUNNING.values()]:
        try:
            tree = ast.parse(attack.program)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        tried |= {type(node).__name__ for node in ast.walk(tree)}
    # pieces of f-strings and template strings stand in strings that the first gate refuses
    assert everything - old - tried == set()


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What came of all attacks that run, by name; `memory` has what the process took."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.contracts.attacks.arena"]
    told = tmp_path_factory.mktemp("arena") / "told"
    with told.open("w") as out:
        fight = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True)
        try:
            _, errors = fight.communicate(timeout=100)
        except subprocess.TimeoutExpired:
            fight.kill()
            _, errors = fight.communicate()
    found: dict[str, dict[str, Any]] = {}
    for line in told.read_text().splitlines():
        outcome = json.loads(line)
        found[outcome.pop("attack", "memory")] = outcome
    assert fight.returncode == 0, (list(found)[-1:], errors[-2000:])
    return found


@pytest.mark.parametrize("name", RUNNING)
def test_a_hostile_contract_ends_in_a_defined_outcome(name: str, outcomes: dict[str, dict[str, Any]]) -> None:
    expect, told = RUNNING[name].expect, outcomes[name]
    assert isinstance(expect, Outcome)
    assert told.get("code") == expect.code, told
    assert not told["differs"]
    assert not told["traces"]
    if expect.code != "ok":
        assert told["message"]
    if expect.line is not None:
        assert told["line"] == expect.line


@pytest.mark.parametrize("value", ["\ud800", "a\udfff", {"\ud800": 1}, 1.0, 2**63, {1: 1}, float("nan")], ids=repr)
def test_what_no_message_can_hold_is_never_an_argument(value: Any) -> None:
    with pytest.raises(HansaError):
        cbor.encode({"x": value})


def test_all_attacks_together_take_little_memory(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["memory"]["anonymous"] < MEMORY_BYTES_MAX
    assert outcomes["memory"]["peak"] < MEMORY_BYTES_MAX


def test_no_attack_has_anothers_name() -> None:
    refused = sum(isinstance(a.expect, Finding) for found in _all() for a in found)
    assert len(REFUSED) == refused
    assert len(RUNNING) == sum(len(found) for _, found in arena.RUNNING) - sum(
        isinstance(a.expect, Finding) for _, found in arena.RUNNING for a in found
    )


def _all() -> list[list[Attack]]:
    kept = [syntax.NODES, syntax.EVERYWHERE, walks.WALKS, names.NAMES, text.TEXTS, declarations.DECLARATIONS]
    return [*kept, kinds.KINDS, later.LATER]
