"""What tests of contracts share: sources made of a body, and a bench with a state to run them on."""

import textwrap
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from hansa.contracts import program
from hansa.contracts.diagnostics import ContractInvalid, Diagnostic
from hansa.contracts.execution import Caller, Execution, run
from hansa.contracts.meter import Fault
from hansa.contracts.program import Program
from hansa.store.overlay import Stored
from hansa.wire import cbor, entry

IMPORTS = (
    "from hansa.contract import (Amount, Bytes, Contract, Hash, Int, Party, Record, Text, action, contract_version, "
    "event, require, sha256, view)"
)
HEAD = f'{IMPORTS}\n\n\nclass Sample(Contract, version="1.2.3"):\n'
TIME = 1_700_000_000_000


class Bench:
    """One contract with the records it has written: each applied action is the next entry."""

    def __init__(
        self, source: str, *, system: bool = False, members: Iterable[str] = ("alice", "bob", "carol")
    ) -> None:
        self.program: Program = program.load(source, "sample", system=system)
        self.records: dict[bytes, Stored] = {}
        self.members = set(members)
        self.seq = 1

    # contracts.meter.Host

    def is_member(self, name: str) -> bool:
        return name in self.members

    def contract_version(self, name: str, source: str) -> str:
        if name == "taken":
            raise Fault("contract.name", "`{name}` is taken", {"name": name})
        return program.load(source, name).manifest.version

    # contracts.execution.Reader

    def get(self, place: bytes) -> Stored | None:
        return self.records.get(place)

    def run(
        self,
        name: str = "go",
        arguments: dict[str, Any] | None = None,
        *,
        by: str = "alice",
        user: str | None = None,
        attributes: Iterable[str] = (),
        steps: int = 100_000,
    ) -> Execution:
        """What an action or view gives, with the checks that hold of every run; nothing is written."""
        procedure = self.program.actions.get(name) or self.program.views[name]
        caller = Caller(by, user, frozenset(attributes))
        ran = run(self.program, procedure, arguments or {}, caller, TIME, self, self, steps)
        assert ran.code != "contract.internal", ran.error
        assert 0 <= ran.steps <= steps
        if ran.code != "ok" or name in self.program.views:
            assert (ran.writes, ran.events) == ([], []), "what is refused, and a view, leaves no trace"
        assert cbor.encode(ran.result) == cbor.encode_ordered(ran.result), "maps come in encoding order"
        assert cbor.encode(ran.events) == cbor.encode_ordered(ran.events), "maps come in encoding order"
        assert entry.decode_outcome(outcome_of(ran)).code == ran.code, "a node can read again what it has written"
        return ran

    def take(self, name: str = "go", arguments: dict[str, Any] | None = None, **options: Any) -> Execution:
        """Runs an action that must be applied, and applies it."""
        ran = self.run(name, arguments, **options)
        assert ran.code == "ok", ran
        for write in ran.writes:
            self.records[write.place] = Stored(self.seq, write.value)
        self.seq += 1
        return ran

    def values(self) -> list[dict[str, Any]]:
        """The values of all records, in the order of their places."""
        return [cbor.decode(stored.value) for _, stored in sorted(self.records.items())]


def outcome_of(ran: Execution) -> bytes:
    """The outcome as a node would encode it."""
    return entry.encode_outcome(
        status="applied" if ran.code == "ok" else "refused",
        code=ran.code,
        result=ran.result,
        events=ran.events,
        writes=bytes(32),
        steps=ran.steps,
        time=TIME,
        contract="1.2.3",
        dialect=0,
    )


@pytest.fixture(scope="session")
def bench() -> type[Bench]:
    """`bench(source)`: a contract ready to run."""
    return Bench


@pytest.fixture(scope="session")
def declared() -> Callable[[str], str]:
    """A contract file whose class holds these lines."""

    def make(lines: str) -> str:
        return HEAD + textwrap.indent(textwrap.dedent(lines).strip("\n"), "    ") + "\n"

    return make


@pytest.fixture(scope="session")
def acting(declared: Callable[[str], str]) -> Callable[..., str]:
    """A contract file with one action `go` of this body, taken by any member; its parameters as they are written."""

    def make(body: str, parameters: str = "", records: str = "") -> str:
        body = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        head = f"def go(tx, {parameters}):" if parameters else "def go(tx):"
        return declared(f'{textwrap.dedent(records)}\n@action(by="member")\n{head}\n{body}')

    return make


@pytest.fixture(scope="session")
def viewing(declared: Callable[[str], str]) -> Callable[..., str]:
    """A contract file with one view `go` of this body."""

    def make(body: str, returns: str, parameters: str = "", records: str = "") -> str:
        body = textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
        head = f"def go(tx, {parameters})" if parameters else "def go(tx)"
        return declared(f"{textwrap.dedent(records)}\n@view\n{head} -> {returns}:\n{body}")

    return make


@pytest.fixture(scope="session")
def findings() -> Callable[..., list[Diagnostic]]:
    """The findings about a contract file; none if it can be deployed."""

    def find(source: str, *, system: bool = False) -> list[Diagnostic]:
        try:
            program.check(source, "sample", system=system)
        except ContractInvalid as invalid:
            assert invalid.code == "contract.invalid"
            with pytest.raises(ContractInvalid) as first:
                program.load(source, "sample", system=system)
            assert first.value.code == "contract.invalid", "a ledger refuses what people are told about"
            return invalid.diagnostics
        program.load(source, "sample", system=system)
        return []

    return find


@pytest.fixture(scope="session")
def codes(findings: Callable[..., list[Diagnostic]]) -> Callable[..., list[str]]:
    """The codes of the findings about a contract file, in order of place."""
    return lambda source, **options: [found.code for found in findings(source, **options)]
