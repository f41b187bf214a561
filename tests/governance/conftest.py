"""What tests of governance share: a genesis document, and a ledger that applies actions of the members contract."""

from collections.abc import Callable
from typing import Any

import pytest

from hansa.contracts.calls import Call, Caller, Execution
from hansa.contracts.execution import run
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory
from hansa.node.create import members_source
from hansa.store.overlay import Stored
from hansa.wire import cbor
from hansa.wire.genesis import Genesis, Limits, Member, Node, User
from hansa.wire.keys import PrivateKey

TIME = 1_700_000_000_000
LIBRARY = """
def sum_of(a: int, b: int) -> int:
    return a + b
"""
CONSTITUTION = """
from hansa.contract import Contract, Hash, Int, Party, Struct, Text, view

class Member(Struct):
    id: Party
    weight: Int[0, 1000000]
    attributes: list[Text[1, 64], 32]

class Vote(Struct):
    member: Party
    yes: bool

class Action(Struct):
    name: Text[1, 40]
    subject: Text[0, 100]
    member: Party | None
    attributes: list[Text[1, 64], 32]
    weight: Int[0, 1000000] | None
    digest: Hash | None

class Proposal(Struct):
    proposer: Party
    actions: list[Action, 32]
    votes: list[Vote, 1024]

class Rules(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: Proposal, members: list[Member, 1024]) -> list[Text[1, 200], 32]:
        return []

    @view
    def resolve(tx, proposal: Proposal, members: list[Member, 1024]) -> Text[4, 8]:
        return "Open"

    @view
    def apply(tx, step: Action, members: list[Member, 1024]) -> list[Action, 32]:
        return [step]
"""
"""It needs no library, and leaves all to the floor: what everyone wants."""


@pytest.fixture(scope="session")
def founding(make_key: Callable[[str, str], PrivateKey]) -> Genesis:
    """A ledger of three members, two users and two nodes, one with an engine; acme and zeta may deploy."""

    def spki(name: str, kind: str = "eddsa") -> bytes:
        return make_key(kind, name).public.spki

    def node(name: str, member: str, **more: Any) -> Node:
        keys = {"node_key": spki(f"{name} own", "es256"), "checkpoint_key": spki(f"{name} checkpoints", "es256")}
        return Node(id=name, member=member, **keys, **more)

    return Genesis(
        version=0,
        name="The test ledger",
        time=TIME,
        nonce=bytes(16),
        members=[
            Member(
                id="acme",
                name="Acme",
                keys=[spki("acme"), spki("acme second", "es256")],
                governance_keys=[spki("acme governs")],
                attributes=["b:x", "a:y"],
                weight=5,
            ),
            Member(
                id="bolt",
                name="Bolt",
                keys=[spki("bolt")],
                governance_keys=[spki("bolt governs")],
                attributes=["b:x", "b:x"],
            ),
            Member(
                id="zeta",
                name="Zeta",
                keys=[spki("zeta")],
                governance_keys=[spki("zeta governs")],
                attributes=["ledger:deployer", "zz"],
            ),
        ],
        users=[
            User(id="acme/ann", name="Ann", keys=[spki("ann")], attributes=["q", "p"]),
            User(id="bolt/ben", name="Ben", keys=[spki("ben", "es256")]),
        ],
        nodes=[
            node(
                "node-1",
                "acme",
                engine_key=spki("node-1 engine"),
                peer="ab" * 20,
                address="node-1.example:26656",
                url="https://node-1.example:8000",
            ),
            node("node-2", "bolt"),
        ],
        deployers=["acme", "zeta"],
        limits=Limits(block_entries=7, transaction_steps=500_000),
        members_contract=members_source(),
        constitution=CONSTITUTION,
        constitution_lock=60_000,
        libraries=[("sums", LIBRARY)],
    )


class Ledger:
    """The members contract with its directory; each applied action is the next entry."""

    def __init__(self, founding: Genesis) -> None:
        self.directory = Directory(governance_genesis.members_program(founding))
        self.records: dict[bytes, Stored] = {}
        self.seq = 0
        self._enter(governance_genesis.writes(founding))

    def get(self, place: bytes) -> Stored | None:
        return self.records.get(place)

    def run(self, action: str, by: str, *, steps: int = 4_000_000, **arguments: Any) -> Execution:
        """What an action gives; nothing is written."""
        caller = Caller(by, None, self.directory.attributes[by], frozenset())
        ran = run(Call("members", action, arguments, caller, TIME, self.seq), self.directory, self, steps)
        assert ran.code != "contract.internal", ran.error
        assert cbor.encode(ran.result) == cbor.encode_ordered(ran.result)
        assert cbor.encode(ran.events) == cbor.encode_ordered(ran.events)
        return ran

    def take(self, action: str, by: str, **arguments: Any) -> Execution:
        """Runs an action that must be applied, and applies it."""
        ran = self.run(action, by, **arguments)
        assert ran.code == "ok", ran
        self._enter(ran.writes)
        return ran

    def _enter(self, writes: list[Any]) -> None:
        self.directory.apply(self.seq, writes)
        for write in writes:
            self.records[write.place] = Stored(self.seq, write.value)
        self.seq += 1


@pytest.fixture
def ledger(founding: Genesis) -> Ledger:
    return Ledger(founding)
