"""What the node's tests share: small ledgers, sessions with a running node, a disk that waits and a clock that is set.

`make_ledger` gives a new ledger with three members and the contract below deployed; `play` runs a scenario on its
node and fails if anything went wrong behind the scenario's back.
"""

import asyncio
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from hansa.client import keys, transactions
from hansa.node.clock import Clock
from hansa.node.create import Founder, create_ledger, governance_key, member_key, user_key
from hansa.node.intake import Answer
from hansa.node.node import open_node
from hansa.node.recovery import recover
from hansa.store import journal
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import cose, entry
from hansa.wire.limits import GOVERNANCE_STEPS_MAX
from hansa.wire.problems import HansaError

# A busy machine is no failure: pytest-timeout bounds each test instead.
settings.register_profile("hansa", deadline=None)
settings.load_profile("hansa")

SOURCE = '''"""Notes that count."""

from hansa.contract import Contract, Party, Record, Text, action, event, require, view


class Notes(Contract, version="1.0.0"):
    class Roles:
        keeper: Party = Party(attribute="role:keeper")

    class Note(Record, key="name", index=["owner"]):
        """A number under a name."""

        name: Text[1, 100]
        owner: Party
        value: int = 0

    class Seal(Record, key="number"):
        """A record whose key is a number."""

        number: int
        text: Text[0, 20] = ""

    @action(by="member", creates="Note")
    def open(tx, note: Note, name: Text[1, 100], owner: Party):
        """Makes a note."""
        event("opened", name=name)

    @action(by="member", creates="Seal")
    def seal(tx, made: Seal, number: int):
        """Makes a seal."""

    @action(by="member")
    def add(tx, note: Note, amount: int):
        """Counts on."""
        require(amount > 0, "{amount} is no step forward", amount=amount)
        note.value = note.value + amount
        event("added", name=note.name, value=note.value)

    @action(by="member")
    def give(tx, note: Note, to: Party):
        """Hands a note over."""
        note.owner = to

    @action(by="keeper")
    def keep(tx, note: Note):
        """Only keepers may."""
        note.value = 0

    @action(by="member")
    def say(tx, to: Party, text: Text[1, 10], number: int):
        """Does nothing but check its arguments."""

    @view
    def value_of(tx, note: Note) -> int:
        """What a note has counted."""
        return note.value
'''

FOUNDERS = [
    Founder("acme", "Acme", ["role:keeper"], ["ann"], deployer=True),
    Founder("bolt", "Bolt"),
    Founder("core", "Core"),
]


class Ledger:
    """A ledger's folder and all the keys in it."""

    def __init__(self, root: Path, id: bytes) -> None:
        self.root = root
        self.folder = Folder(root)
        self.id = id
        self.keys = {name: keys.load(member_key(self.folder, name)) for name in ("acme", "bolt", "core")}
        self.governance = {name: keys.load(governance_key(self.folder, name)) for name in ("acme", "bolt", "core")}
        self.keys["acme/ann"] = keys.load(user_key(self.folder, "acme", "ann"))

    def prepare(self, contract, action, arguments=None, *, by="acme", **options):
        """A signed transaction of a member or user."""
        return transactions.prepare(self.keys[by], self.id, contract, action, arguments or {}, **options)

    def govern(self, action, arguments, *, by="acme", steps_max=GOVERNANCE_STEPS_MAX, **options):
        """A signed entry of governance of a member."""
        options = {"content_type": cose.GOVERNANCE, "steps_max": steps_max, **options}
        return transactions.prepare(self.governance[by], self.id, "members", action, arguments, **options)

    def propose(self, *steps, by="acme", title="A proposal", **options):
        return self.govern("propose", {"title": title, "steps": list(steps)}, by=by, **options)

    def deploy(self, name="notes", source=SOURCE, **options):
        options.setdefault("steps_max", transactions.deploy_steps(source))
        return self.prepare("members", "deploy", {"name": name, "source": source}, **options)

    def upgrade(self, name, source, **options):
        options.setdefault("steps_max", transactions.deploy_steps(source))
        return self.prepare("members", "upgrade", {"deployment": name, "source": source}, **options)

    def open(self, name="a", owner="acme", **options):
        return self.prepare("notes", "open", {"name": name, "owner": owner}, **options)

    def add(self, name="a", amount=1, **options):
        return self.prepare("notes", "add", {"note": name, "amount": amount}, **options)

    def idle(self, by="acme", **arguments):
        """A transaction that gets an entry and changes nothing."""
        options = {name: arguments.pop(name) for name in ("not_after", "steps_max") if name in arguments}
        return self.prepare("nowhere", "nothing", arguments, by=by, **options)


class Session:
    """A running node and the ledger's keys to ask it with."""

    def __init__(self, node, ledger: Ledger, gate=None) -> None:
        self.node = node
        self.ledger = ledger
        self.gate = gate
        self.told = []  # everything that listeners were told, in order

    def submit(self, prepared):
        """Submits; the future has what the listener was told, or the refusal at once."""
        future = asyncio.get_running_loop().create_future()

        def listener(answer):
            self.told.append(answer)
            assert not future.done()  # a listener is told once
            future.set_result(answer)

        try:
            self.node.submit(getattr(prepared, "envelope", prepared), listener)
        except HansaError as error:
            assert not future.done()  # whoever is refused at once is not told again
            future.set_result(error)
        return future

    async def submit_all(self, prepared):
        return await asyncio.gather(*[self.submit(one) for one in prepared])

    async def code(self, prepared):
        """The code of the refusal or of the outcome."""
        answer = await self.submit(prepared)
        return answer.code if isinstance(answer, HansaError) else entry.decode_outcome(answer.outcome).code

    async def applied(self, prepared):
        """Submits what must be applied; its answer."""
        answer = await self.submit(prepared)
        assert isinstance(answer, Answer), answer
        assert entry.decode_outcome(answer.outcome).status == "applied", entry.decode_outcome(answer.outcome)
        return answer

    async def hold(self):
        """From now on no block becomes durable. Makes one entry first, by which a thread waits for the disk."""
        await self.submit(self.ledger.idle())
        self.gate.hold()

    async def block(self):
        """Holds a block of one idle transaction, so that what comes now queues; the future of its answer."""
        await self.hold()
        first = self.submit(self.ledger.idle())
        await self.until(lambda: self.gate.held)
        return first

    async def until(self, condition, seconds=5):
        """Lets the node work until something is so."""
        for turn in range(20 + int(seconds / 0.005)):
            if condition():
                return
            await asyncio.sleep(0 if turn < 20 else 0.005)
        raise AssertionError("it did not come to that")


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """Ledgers to copy, by limits and kind of key: making one and deploying costs more than copying it."""
    made = {}

    def make(limits, key_kind, deployed):
        wanted = (limits, key_kind, deployed)
        if wanted not in made:
            root = tmp_path_factory.mktemp("template") / "ledger"
            id = create_ledger(Disk(), Folder(root), "Test", FOUNDERS, key_kind=key_kind, limits=limits)
            if deployed:
                ledger = Ledger(root, id)
                run(ledger, lambda session: session.applied(ledger.deploy()))
            made[wanted] = root, id
        return made[wanted]

    return make


@pytest.fixture
def make_ledger(template, tmp_path):
    """`make_ledger(limits=..., key_kind="p256")`; `deployed=False` leaves the contract out and block 0 unwritten."""
    count = 0

    def make(limits=None, key_kind="ed25519", deployed=True):
        nonlocal count
        count += 1
        source, id = template(limits, key_kind, deployed)
        shutil.copytree(source, tmp_path / f"ledger-{count}")
        return Ledger(tmp_path / f"ledger-{count}", id)

    return make


@pytest.fixture
def ledger(make_ledger):
    return make_ledger()


SECOND = SOURCE.replace("class Notes", "class Later")


@pytest.fixture(scope="session")
def history_template(tmp_path_factory):
    """See `history`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "SEGMENT_BYTES_FIRST", 32 * 1024)
        root = tmp_path_factory.mktemp("history") / "ledger"
        ledger = Ledger(root, create_ledger(Disk(), Folder(root), "History", FOUNDERS))

        async def first(session):
            await session.applied(ledger.deploy())
            for name, owner in (("a", "acme"), ("b", "bolt"), ("c", "core")):
                await session.applied(ledger.open(name, owner))
            for number in (-5, 0, 7):
                await session.applied(ledger.prepare("notes", "seal", {"number": number}, by="bolt"))
            for amount in (1, 2, 0, 4):  # 0 is refused
                await session.submit(ledger.add("a", amount, by="acme/ann"))
            await session.submit(ledger.prepare("notes", "keep", {"note": "a"}, by="bolt"))  # refused: no keeper
            await session.applied(ledger.prepare("notes", "give", {"note": "a", "to": "core"}, by="bolt"))
            await session.applied(ledger.deploy("later", SECOND))
            await session.applied(ledger.prepare("later", "open", {"name": "z", "owner": "core"}, by="core"))
            await session.submit_all([ledger.idle(by="bolt") for _ in range(40)])

        async def second(session):
            await session.submit_all([ledger.add("b", number, by="core") for number in range(1, 250)])
            for name in ("z", "y"):
                await session.submit(ledger.prepare("later", "add", {"note": name, "amount": 5}))
            await session.applied(ledger.add("c", 100))
            for _ in range(3):
                await session.submit(ledger.idle())

        run(ledger, first)
        run(ledger, second)
    return ledger


@pytest.fixture
def history(history_template, tmp_path):
    """A stopped ledger with more than 256 entries in several segments, and two runs of its node.

    Entries: genesis 0, the contract 1, notes a, b, c 2 to 4, seals 5 to 7, a counts on 8 to 11 (10 is refused), a
    refused keeper 12, a given to core 13, a second contract 14 and its note 15, idle ones 16 to 55, b counts on 56 to
    304, in the second contract 305 and 306 (refused), c counts on 307, idle ones 308 to 310.
    """
    shutil.copytree(history_template.root, tmp_path / "history")
    return Ledger(tmp_path / "history", history_template.id)


def end_workers(node):
    """Ends the worker processes that a stopped node has left; how many there were."""
    left = node._verifier._workers
    for worker in left:
        asyncio.get_running_loop().remove_reader(worker._socket)
        worker._socket.close()
        worker._process.kill()
        worker._process.wait()
    return len(left)


def run(ledger, scenario, *, stop=True, **options):
    async def main():
        problems = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: problems.append(context))
        node = open_node(ledger.root, **{"reserve_bytes": 0, **options})
        node.start()
        gate = options.get("files")
        try:
            result = await scenario(Session(node, ledger, gate))
        finally:
            if isinstance(gate, Gate):
                gate.release()
            if stop:
                try:
                    await node.stop()
                except BaseException:
                    for lock in node._locks:
                        lock.release()  # one failed test must not fail those behind it
                    raise
            left = end_workers(node)
        assert problems == []
        assert left == 0  # a stop ends the processes
        return result

    return asyncio.run(main())


@pytest.fixture
def play():
    """`play(ledger, scenario, files=..., clock=...)` gives what the scenario returned; the node is stopped after."""
    return run


@pytest.fixture
def parts():
    """`with parts(ledger) as recovered`: the parts of a ledger that no node runs, as a node would hold them."""

    @contextmanager
    def opened(ledger):
        recovered = recover(Disk(), ledger.folder)
        try:
            yield recovered
        finally:
            recovered.close()

    return opened


class SetClock(Clock):
    """The machine's clock, set wrong by `ahead` ms."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def now(self) -> int:
        return super().now() + self.ahead


@pytest.fixture
def clock():
    return SetClock()


class Gate(Disk):
    """A disk whose journal is a little slow, so that a thread waits for it, and can be made to wait for longer.

    Between `hold` and `release` no block becomes durable; `held` says whether one is on its way. A thread waits only
    behind the first slow block: use `Session.hold` and `Session.block`.
    """

    def __init__(self) -> None:
        self.open_gate = threading.Event()
        self.open_gate.set()
        self.held = False

    def hold(self) -> None:
        self.open_gate.clear()

    def release(self) -> None:
        self.open_gate.set()

    def open(self, path, *, create=False):
        file = super().open(path, create=create)
        return GatedFile(file, self) if path.suffix == ".segment" else file


class GatedFile:
    def __init__(self, file, gate) -> None:
        self._file, self._gate = file, gate

    def __getattr__(self, name):
        return getattr(self._file, name)

    def sync(self):
        self._gate.held = not self._gate.open_gate.is_set()
        threading.Event().wait(0.01)
        self._gate.open_gate.wait()
        self._gate.held = False
        self._file.sync()


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def refused():
    """`with refused("clock.ahead"): ...` passes only if the block raises a `HansaError` of exactly this code."""

    @contextmanager
    def expect(code):
        with pytest.raises(HansaError) as caught:
            yield caught
        assert caught.value.code == code

    return expect
