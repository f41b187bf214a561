"""How long a node takes to join a ledger of 10^5 transactions by a snapshot: `python -m bench --only joining`.

The ledger is made by one node: each transaction makes a record of its own, with an index. The node then runs as
`hansa up` over loopback HTTP, and `node.joining.join` makes the folder of another from it: the whole journal, checked
entry by entry, the newest snapshot, and the replay behind it; k is 1. Once more with the snapshots gone, where the
state is made from write sets. Time is from the call until the folder is one that a node opens; CPU is of the joining
process. With more members the requests for their signatures come besides, for one head.
"""

import asyncio
import json
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from bench.ready import HANSA
from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.node.create import Founder, create_ledger, member_key
from hansa.node.intake import Answer
from hansa.node.joining import Joined, join
from hansa.node.node import Node, open_node
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError

ENTRIES = 100_000
EVERY, LATER = 40_000, 16
WAVE = 2_000
NOTES = '''"""Notes."""

from hansa.contract import Contract, Party, Record, Text, action


class Notes(Contract, version="1.0.0"):
    class Note(Record, key="name", index=["owner"]):
        name: Text[1, 40]
        owner: Party
        text: Text[0, 200] = "as long as what people write into such a field is, or a little longer than that"

    @action(by="member", creates="Note")
    def open(tx, note: Note, name: Text[1, 40], owner: Party):
        """Makes a note."""
'''


def joining(entries: int = ENTRIES) -> dict[str, float]:
    """All of it."""
    root = Path(tempfile.mkdtemp(prefix="hansa-bench-", dir="/var/tmp"))
    try:
        ledger = create_ledger(
            Disk(), Folder(root / "first"), "Bench", [Founder("acme", "Acme", deployer=True)], snapshots=(EVERY, LATER)
        )
        asyncio.run(_fill(root / "first", ledger, entries))
        took, cpu, found = _joined(root, "by-snapshot", ledger)
        assert found.snapshot is not None, "there was no snapshot to join by"
        size = sum(path.stat().st_size for path in (root / "first" / "journal").iterdir()) / 1e6
        snapshots = sum(path.stat().st_size for path in (root / "by-snapshot" / "snapshots").rglob("*.chunk")) / 1e6
        shutil.rmtree(root / "first" / "snapshots")
        plain_took, plain_cpu, plain = _joined(root, "by-write-sets", ledger)
        assert (plain.snapshot, plain.root) == (None, found.root)
    finally:
        shutil.rmtree(root)
    return {
        "join_1e5_s": took,
        "join_1e5_cpu_s": cpu,
        "join_1e5_entries": found.entries,
        "join_1e5_journal_mb": size,
        "join_1e5_snapshot_mb": snapshots,
        "join_1e5_write_sets_s": plain_took,
        "join_1e5_write_sets_cpu_s": plain_cpu,
    }


async def _fill(root: Path, ledger: bytes, entries: int) -> None:
    node = open_node(root)
    node.start()
    try:
        key = key_files.load(member_key(Folder(root), "acme"))
        steps = transactions.deploy_steps(NOTES)
        deploy = transactions.prepare(
            key, ledger, "members", "deploy", {"name": "notes", "source": NOTES}, steps_max=steps
        )
        await _submitted(node, [deploy.envelope])
        for begin in range(0, entries, WAVE):
            numbers = range(begin, min(begin + WAVE, entries))
            arguments = [{"name": f"note {number:08d}", "owner": "acme"} for number in numbers]
            made = [transactions.prepare(key, ledger, "notes", "open", one) for one in arguments]
            await _submitted(node, [one.envelope for one in made])
    finally:
        await node.stop()


async def _submitted(node: Node, envelopes: list[bytes]) -> None:
    loop = asyncio.get_running_loop()

    def submit(envelope: bytes) -> "asyncio.Future[Answer | HansaError]":
        answered: asyncio.Future[Answer | HansaError] = loop.create_future()
        node.submit(envelope, answered.set_result)
        return answered

    for answer in await asyncio.gather(*map(submit, envelopes)):
        if isinstance(answer, HansaError):
            raise answer


def _joined(root: Path, name: str, ledger: bytes) -> tuple[float, float, Joined]:
    """Joins by a node of its own process: how long it took, the CPU time here, and what there is then."""
    command = [*HANSA, "up", "--data", str(root / "first"), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        try:
            assert node.stdout is not None
            url = json.loads(node.stdout.readline())["url"]
            before, begun = _cpu(), time.perf_counter()
            found = join(Disk(), Folder(root / name), [url], ledger, 1)
            return time.perf_counter() - begun, _cpu() - before, found
        finally:
            node.terminate()
            node.wait()


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    print(json.dumps(joining(), indent=1))
