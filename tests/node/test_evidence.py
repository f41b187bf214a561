"""What the order proves of a voter becomes an entry, the same on every node, and stands like any other."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.consortium import TIME, Consortium

from hansa.client import verification
from hansa.node.audit import audit
from hansa.orderers import Batch, Misbehavior
from hansa.wire import entry, evidence


@pytest.fixture
def several(tmp_path: Path) -> Iterator[Consortium]:
    made = Consortium(tmp_path)
    yield made
    made.close()


def misbehavior(several: Consortium) -> tuple[Misbehavior, ...]:
    """Of a node of beta, and of a voter that the ledger does not know."""
    known = hashlib.sha256(several.engine_keys["b-1"].public.raw).digest()[:20]
    return Misbehavior(7, known), Misbehavior(5, bytes(range(20)))


async def proved(several: Consortium, position: int) -> int:
    """What was proved at a position of the order; the seq of its first entry, once every node has it."""
    seq = several.nodes["a-1"].reading.tip.size
    several.deliver(Batch(position, TIME + position, [], misbehavior(several)), several.nodes)
    await several.until(lambda: all(node.reading.tip.size == seq + 2 for node in several.nodes.values()))
    return seq


def test_it_is_an_entry_on_every_node(several: Consortium) -> None:
    several.run(several.order(several.envelope()))
    seq = several.run(proved(several, 100))
    nodes = list(several.nodes.values())
    whose = [{"node": "b-1", "member": "beta"}, None]
    for at, one in enumerate(misbehavior(several), seq):
        found = nodes[0].reading.at(at)
        assert (found.kind, found.time, found.writes) == (entry.EVIDENCE, TIME + 100, b"\x80")
        assert evidence.read(found.envelope) == evidence.Evidence(several.ledger, one.height, "members", one.key, at)
        assert entry.decode_outcome(found.outcome).result == whose[at - seq]
        assert found.id == hashlib.sha256(found.envelope).digest()
        assert {node.reading.at(at) for node in nodes} == {found}
    assert len({node.reading.checkpoint().root for node in nodes}) == 1
    pinned = verification.pin_genesis(several.document, several.ledger)
    shown = nodes[0].reading.at(seq)
    made = nodes[1].reading.receipt(seq)
    proven = verification.verify(made, shown.entry(), pinned, envelope=shown.envelope, outcome=shown.outcome)
    assert (proven.kind, proven.id) == ("evidence", shown.id)
    again = several.run(proved(several, 200))  # the same once more is another entry
    assert nodes[0].reading.at(again).id != shown.id
    assert several.run(several.order(several.envelope())) == again + 2
    several.stop()
    folder = several.folders["b-1"]
    report = audit(folder.root)
    assert (report.findings, report.entries) == ([], again + 3)
    shutil.rmtree(folder.state)
    several.start()
    assert several.nodes["b-1"].reading.at(seq) == shown
