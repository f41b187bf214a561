"""What tests of scheduled actions share: a contract whose actions ledger time takes, and blocks made without a disk."""

import time
from contextlib import contextmanager

import msgspec

from hansa.client import keys as key_files
from hansa.contracts import schedules
from hansa.node import apply as apply_module
from hansa.node.apply import View, apply_batch
from hansa.node.create import NODE_KEY
from hansa.orderers import Batch
from hansa.store.journal import Location
from hansa.store.state import BlockPlace
from hansa.wire import entry, tick
from hansa.wire.limits import INTEGER_MAX

SECOND = 1_000

JOBS = '''"""Jobs that ledger time does."""

from hansa.contract import Contract, Duration, Int, Record, Text, action, event, become, require, schedule


class Jobs(Contract, version="1.0.0"):
    class Job(Record, key="name"):
        """A job and what became of it."""

        class States:
            Open: "to be done"
            Done: "done"

        name: Text[1, 40]
        runs: int = 0
        left: Int[0, 100] = 0

    class Seen(Record, key="name"):
        """The order in which they came."""

        name: Text[1, 10]
        names: list[Text[1, 40], 300] = []

    @action(by="member", creates="Seen")
    def watch(tx, seen: Seen, name: Text[1, 10]):
        """Begins the list."""

    @action(by="member", creates="Job", to="Open")
    def plan(tx, job: Job, name: Text[1, 40], then: Text[1, 10], ahead: int):
        """Plans a job."""
        if then == "work":
            schedule(job, "work", tx.time + Duration(milliseconds=ahead))
        elif then == "fail":
            schedule(job, "fail", tx.time + Duration(milliseconds=ahead))
        elif then == "spin":
            schedule(job, "spin", tx.time + Duration(milliseconds=ahead))
        elif then == "again":
            job.left = 3
            schedule(job, "again", tx.time + Duration(milliseconds=ahead))

    @action(by="member", on="Open", to="Open")
    def also(tx, job: Job, ahead: int, times: Int[1, 5]):
        """The same thing more than once."""
        for i in range(times):
            schedule(job, "work", tx.time + Duration(milliseconds=ahead))

    @action(by="member", on="Open", to="Done")
    def close(tx, job: Job):
        """Nothing is to be done any more."""

    @action(by="member")
    def read(tx, job: Job, runs: int):
        """Sees whether it ran."""
        require(job.runs == runs, "{runs} runs", runs=job.runs)

    @action(by="schedule", on="Open")
    def work(tx, job: Job):
        """Done by ledger time."""
        job.runs = job.runs + 1
        seen = Jobs.Seen.find("all")
        if seen is not None:
            seen.names.append(job.name)
        event("worked", name=job.name, at=tx.time)

    @action(by="schedule")
    def fail(tx, job: Job):
        """Never succeeds."""
        job.runs = job.runs + 1
        require(job.runs == 0, "no")

    @action(by="schedule")
    def spin(tx, job: Job):
        """Needs more steps than there are."""
        for i in range(1000000):
            job.runs = i

    @action(by="schedule")
    def again(tx, job: Job):
        """Schedules itself until nothing is left."""
        job.runs = job.runs + 1
        if job.left > 0:
            job.left = job.left - 1
            schedule(job, "again", tx.time + Duration(seconds=1))
'''


class Chain:
    """Blocks made one behind the other on a ledger's parts, as a node makes them, but for the disk."""

    def __init__(self, ledger, recovered, cache=None):
        self.ledger, self.parts, self.tip = ledger, recovered, recovered.tip
        self.cache = cache
        self.blocks = []

    @property
    def time(self):
        return self.tip.time

    def block(self, *prepared, at=None):
        """The block of a batch at a ledger time; None if nothing counted."""
        parts, envelopes = self.parts, [getattr(one, "envelope", one) for one in prepared]
        batch = Batch(self.tip.height, self.tip.time if at is None else at, envelopes)
        sealed, self.skipped = apply_batch(batch, self.tip, parts.state, parts.directory, parts.tiles, {}, self.cache)
        if sealed is not None:
            header = sealed.block.header
            parts.state.apply(BlockPlace(header.seq, header.height, Location(0, header.height, 1)), sealed.entered)
            self.tip = sealed.tip
            self.blocks.append(sealed)
        return sealed

    def value(self, contract, record, key):
        return msgspec.structs.replace(self.parts).reading().record(contract, record, key).value

    def due(self):
        """What the state says is to come."""
        view = View(self.parts.state, self.parts.directory.indexes_of)
        return [schedules.read(found.value) for found in apply_module.due(view, INTEGER_MAX, 1_000)]

    def plan(self, name, ahead, then="work", contract="jobs", **options):
        arguments = {"name": name, "then": then, "ahead": ahead}
        return self.ledger.prepare(contract, "plan", arguments, **options)


def kinds(sealed):
    return [item.kind for item in sealed.block.items]


def codes(sealed):
    return [entry.decode_outcome(item.outcome).code for item in sealed.block.items]


def worked(sealed):
    """The jobs that ledger time did, in order."""
    outcomes = [entry.decode_outcome(item.outcome) for item in sealed.block.items]
    return [event["data"]["name"] for outcome in outcomes for event in outcome.events if event["name"] == "worked"]


def chain_of(ledger, parts, **options):
    @contextmanager
    def opened():
        with parts(ledger) as recovered:
            chain = Chain(ledger, recovered, **options)
            now = max(chain.tip.time, time.time_ns() // 1_000_000)
            made = chain.block(ledger.deploy("jobs", JOBS), at=now)
            assert codes(made) == ["ok"]
            yield chain

    return opened()


def own_tick(ledger, tip, *, key=None, id=None, size=None):
    signer = key or key_files.load(ledger.folder.keys / NODE_KEY)
    return tick.seal(signer, id or ledger.id, tip.size if size is None else size)
