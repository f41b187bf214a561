"""What an attack is, and the shortest ways to write one down.

An attack is a hostile program with what must come of it: a finding when it is checked, or an outcome when it runs.
The line that a finding must name is the one marked `# !`, else the first line of what the attack brings. Pure data;
`test_attacks` and `arena` use it.
"""

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

MARK = "# !"
DIALECT = frozenset(
    [
        "Amount",
        "Bytes",
        "Contract",
        "Date",
        "Duration",
        "Enum",
        "Hash",
        "Instant",
        "Int",
        "Interface",
        "Party",
        "Record",
        "SignedAmount",
        "Struct",
        "Text",
        "User",
        "action",
        "become",
        "event",
        "invariant",
        "library",
        "migration",
        "require",
        "schedule",
        "sha256",
        "view",
    ]
)
"""What a contract file may import; `contract` imports what it uses of them."""
STEPS = 20_000


@dataclass(frozen=True)
class Finding:
    """Refused when it is checked: at this line (None: where it is differs between Pythons), with any one of these codes."""

    line: int | None
    codes: frozenset[str]


@dataclass(frozen=True)
class Take:
    """One action or view to run. Without `by`, ledger time runs it. `steps` is what it may use at most."""

    action: str = "go"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    by: str | None = "alice"
    user: str | None = None
    attributes: frozenset[str] = frozenset()
    user_attributes: frozenset[str] = frozenset()
    contract: str = "sample"
    steps: int = STEPS
    later: int = 0  # ms after the call before
    on_earlier: bool = False  # taken while the version before still runs


@dataclass(frozen=True)
class Outcome:
    """Accepted, and its last call ends with this code (`line` of the fault, if that is what matters); those before
    it are applied. `result` is compared if it is given."""

    code: str
    takes: tuple[Take, ...] = (Take(),)
    line: int | None = None
    result: Any = ...


@dataclass(frozen=True)
class Attack:
    """A hostile program. `why` says what it would do, `source` where such an escape was published.

    `contracts` stand on the ledger beside it, `libraries` too, `earlier` is its own version before.
    """

    name: str
    program: str
    expect: Finding | Outcome
    why: str = ""
    source: str = ""
    contracts: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    earlier: str | None = None


def attacks(why: str, *found: Attack | Iterable[Attack], source: str = "") -> list[Attack]:
    """Attacks of one kind."""
    flat = [a for one in found for a in ([one] if isinstance(one, Attack) else one)]
    return [replace(a, why=a.why or why, source=a.source or source) for a in flat]


def file(declarations: str) -> str:
    """A file of these declarations, with the import of all that they use."""
    declarations = _plain(declarations)
    used = sorted(DIALECT & set(re.findall(r"\w+", declarations)))
    lines = [f"from hansa.contract import {', '.join(used[i : i + 15])}" for i in range(0, len(used), 15)]
    return "\n".join(lines) + "\n\n\n" + declarations + "\n"


def contract(declared: str, module: str = "", version: str = "1.0.0") -> str:
    """A contract file whose class holds these lines, after these of the module."""
    declared = textwrap.indent(_plain(declared), "    ")
    before = _plain(module) + "\n\n\n" if module else ""
    return file(f'{before}class Sample(Contract, version="{version}"):\n{declared}')


def acting(body: str, parameters: str = "", declared: str = "", module: str = "", by: str = '"member"') -> str:
    """A contract file with one action `go` of this body."""
    head = f"def go(tx, {parameters}):" if parameters else "def go(tx):"
    body = textwrap.indent(_plain(body), "    ")
    before = _plain(declared) + "\n\n" if declared else ""
    return contract(f"{before}@action(by={by})\n{head}\n{body}", module)


def viewing(body: str, returns: str, parameters: str = "", declared: str = "", module: str = "") -> str:
    """A contract file with one view `go` of this body."""
    head = f"def go(tx, {parameters})" if parameters else "def go(tx)"
    body = textwrap.indent(_plain(body), "    ")
    before = _plain(declared) + "\n\n" if declared else ""
    return contract(f"{before}@view\n{head} -> {returns}:\n{body}", module)


def in_body(name: str, body: str, *codes: str, **how: Any) -> Attack:
    """Refused for what the body of an action says. `how`: what `acting` takes, `source`, `why`."""
    told = {key: how.pop(key) for key in ("source", "why") if key in how}
    program = acting(body, **how)
    return Attack(name, program, Finding(_line(program, _plain(body)), frozenset(codes)), **told)


def anywhere(attack: Attack) -> Attack:
    """Refused, at whatever line the parser of this Python gave up."""
    assert isinstance(attack.expect, Finding)
    return replace(attack, expect=replace(attack.expect, line=None))


def in_class(name: str, declared: str, *codes: str, module: str = "", **told: str) -> Attack:
    """Refused for what the contract's class declares."""
    program = contract(declared, module)
    return Attack(name, program, Finding(_line(program, _plain(declared)), frozenset(codes)), **told)


def in_module(name: str, module: str, *codes: str, **told: str) -> Attack:
    """Refused for what stands beside the contract's class."""
    program = contract('@action(by="member")\ndef go(tx):\n    pass', module)
    return Attack(name, program, Finding(_line(program, _plain(module)), frozenset(codes)), **told)


def in_file(name: str, program: str, line: int, *codes: str, **told: str) -> Attack:
    """Refused for the file's text, which is taken as it stands."""
    return Attack(name, program, Finding(line, frozenset(codes)), **told)


def runs(name: str, program: str, code: str, *takes: Take, **told: Any) -> Attack:
    """Accepted; the last call ends with this code."""
    of_outcome = {key: told.pop(key) for key in ("line", "result") if key in told}
    return Attack(name, program, Outcome(code, takes or (Take(),), **of_outcome), **told)


def does(name: str, body: str, code: str, **how: Any) -> Attack:
    """Accepted; the action `go` of this body ends with this code."""
    told = {k: how.pop(k) for k in ("source", "why", "line", "result", "contracts", "libraries") if k in how}
    takes = how.pop("takes", (Take(arguments=how.pop("arguments", {}), steps=how.pop("steps", STEPS)),))
    return runs(name, acting(body, **how), code, *takes, **told)


def _plain(lines: str) -> str:
    return textwrap.dedent(lines).strip("\n")


def _line(program: str, brought: str) -> int:
    lines = program.split("\n")
    marked = [number for number, line in enumerate(lines, 1) if line.endswith(MARK)]
    if marked:
        return marked[0]
    first = next(line.strip() for line in brought.split("\n") if line.strip())
    return max(number for number, line in enumerate(lines, 1) if line.strip() == first)
