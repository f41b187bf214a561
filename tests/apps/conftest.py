"""What tests of the example applications share: a contract file with a state of its own, run as a node would."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hansa.contracts import program
from hansa.contracts.calls import Call, Caller, Execution
from hansa.contracts.execution import run
from hansa.store.overlay import Stored
from hansa.wire import cbor

APPS = Path(__file__).parents[2] / "apps"
TIME = 1_700_000_000_000


class App:
    """An application's contract and its records; `attributes` are those of each member."""

    def __init__(self, name: str, attributes: dict[str, set[str]]) -> None:
        self.program = program.load((APPS / name / "contract.py").read_text("utf-8"), name)
        self.attributes = attributes
        self.records: dict[bytes, Stored] = {}
        self.seq = 1

    def is_member(self, name: str) -> bool:
        return name in self.attributes

    def is_paused(self, contract: str) -> bool:
        return False

    def versions(self, contract: str) -> list[tuple[int, Any]]:
        return [(0, self.program)]

    def get(self, place: bytes) -> Stored | None:
        return self.records.get(place)

    def take(self, by: str, name: str, **arguments: Any) -> Execution:
        """Takes an action (or asks a view) and keeps what it wrote, if it was applied."""
        caller = Caller(by, None, frozenset(self.attributes[by]), frozenset())
        call = Call(self.program.manifest.name, name, arguments, caller, TIME, self.seq)
        ran = run(call, self, self, 10_000)  # type: ignore[arg-type]
        assert ran.code != "contract.internal", ran.error
        for write in ran.writes:
            self.records[write.place] = Stored(self.seq, write.value)
        self.seq += 1
        return ran

    def record(self, table: str, key: str) -> dict[str, Any]:
        """The value of a record."""
        return cbor.decode(self.records[self.program.shapes[table].table + key.encode()].value)


@pytest.fixture(scope="session")
def app() -> Callable[..., App]:
    """`app("example_ledger", {"alice": set()})`: an application among these members."""
    return App
