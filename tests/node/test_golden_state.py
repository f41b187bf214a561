"""The golden programs come to the same where records lie in the state of a node: LMDB, and what is above it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.golden import corpus, running
from tests.contracts.golden.program import MEMBERS, USERS
from tests.contracts.world import FAST, World

from hansa.contracts.calls import Execution
from hansa.node.apply import View
from hansa.store.journal import Location, Position
from hansa.store.state import FORMAT, Applied, BlockPlace, Entered, State

PROGRAMS = {name: golden for name, golden in corpus.programs().items() if name.startswith(("selects.", "examples."))}


class Kept(World):
    """A ledger whose records lie in the state of a node: each call a block, each fourth block moved into LMDB."""

    def __init__(self, folder: Path) -> None:
        super().__init__(members=MEMBERS, users=USERS)
        self.attributes = {**MEMBERS, **USERS}
        self.state = State(folder, self._indexes_of, durable=False)
        self.view = View(self.state, self._indexes_of)

    def _indexes_of(self, contract: str, record: str) -> tuple[str, ...]:
        versions = self.programs.get(contract)
        declared = versions[-1][1].manifest.records.get(record) if versions else None
        return declared.indexes if declared else ()

    def get(self, place: bytes) -> Any:
        return self.view.get(place)

    def select(self, *range: Any) -> Any:
        return self.view.select(*range)

    def apply(self, ran: Execution) -> None:
        seq = self.seq
        super().apply(ran)
        location = Location(0, seq, 1)
        self.state.apply(BlockPlace(seq, seq, location), [Entered(seq, seq.to_bytes(32, "big"), 0, ran.writes)])
        if seq % 4 == 0:
            self.state.flush(_applied(seq, self.time))
        self.view = View(self.state, self._indexes_of)


def _applied(seq: int, time: int) -> Applied:
    nothing = bytes(32)
    return Applied(
        format=FORMAT, ledger=nothing, size=seq + 1, time=time, header=nothing, root=nothing,
        position=Position(0, seq + 1, nothing, seq + 1), checkpoints=0,
    )  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_state_of_a_node_gives_the_same(name: str, tmp_path: Path) -> None:
    expected = json.loads((Path(running.__file__).parent / "expected.json").read_text(encoding="utf-8"))
    world = Kept(tmp_path / "state")
    try:
        assert running.outcome(PROGRAMS[name], FAST, world=world) == expected[name]
    finally:
        world.state.close()
