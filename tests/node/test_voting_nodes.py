"""Four members' nodes over real engines: one more comes and votes, one is retired, and all have one history."""

import asyncio
import shutil
import signal
from os import kill

import pytest
from tests.node.conftest import end_workers
from tests.orderers.clusters import free_ports
from tests.orderers.cometbft import networks as engines
from tests.orderers.replicas import until

from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.node import network as networks
from hansa.node import ordering
from hansa.node.audit import audit
from hansa.node.create import CHECKPOINT_KEY, NODE_KEY, Founder, governance_key
from hansa.node.node import open_node
from hansa.orderers import HEALTHY
from hansa.orderers.cometbft import orderer
from hansa.orderers.cometbft.home import UNSIGNED_HEIGHTS, make_keys
from hansa.orderers.cometbft.settings import CometSettings
from hansa.store import folder as folders
from hansa.store.files import Disk
from hansa.store.folder import Folder, new_folder
from hansa.wire import cose, entry
from hansa.wire.keys import spki_of_ed25519
from hansa.wire.limits import VOTE_POWER
from hansa.wire.problems import HansaError

MEMBERS = "abcd"


class Net:
    """A network of four members in a folder, whose nodes run in this process."""

    def __init__(self, root):
        self.root = root / "net"
        founders = [Founder(name, name.upper()) for name in MEMBERS]
        network = networks.create(
            Disk(), self.root, "Net", networks.MULTI_MEMBER, founders, 1, constitution="majority", lock_ms=1_000
        )
        self.ledger = bytes.fromhex(network.ledger)
        self.folders = {f"{name}-1": networks.node_folder(self.root, name, f"{name}-1") for name in MEMBERS}
        self.keys = {name: key_files.load(governance_key(Folder(self.root / name), name)) for name in MEMBERS}
        self.nodes = {}

    def begin(self, id):
        folder = self.folders[id]
        made = ordering.load(Disk(), folder)
        with pytest.MonkeyPatch.context() as patch:
            home = self.root.parent / f"home of {id}"
            home.mkdir(exist_ok=True)
            patch.setattr(folders, "account_home", lambda: home)
            make = ordering.maker(Disk(), folder, made, engines.binary())
            self.nodes[id] = open_node(folder.root, reserve_bytes=0, orderer=make, id=id)
        self.nodes[id].start()

    async def end(self, id):
        node = self.nodes.pop(id)
        await node.stop()
        end_workers(node)

    async def govern(self, by, action, **arguments):
        """A member's governance key signs, and any node that runs takes it; its outcome and id."""
        made = transactions.prepare(
            self.keys[by],
            self.ledger,
            "members",
            action,
            arguments,
            steps_max=1_000_000,
            content_type=cose.GOVERNANCE,
        )
        node = next(iter(self.nodes.values()))
        told = asyncio.get_running_loop().create_future()
        while True:
            try:
                node.submit(made.envelope, lambda answer: told.done() or told.set_result(answer))
            except HansaError as error:
                assert error.code == "orderer.halted"
                await asyncio.sleep(0.1)
            else:
                break
        outcome = entry.decode_outcome((await told).outcome)
        assert (outcome.status, outcome.code) == ("applied", "ok"), outcome
        return made.id

    async def decide(self, step):
        """Has three members vote for a step."""
        id = await self.govern("a", "propose", title="A step", steps=[step], closes=None)
        digest = next(iter(self.nodes.values())).directory.constitution
        for name in "abc":
            await self.govern(name, "vote", proposal=id, yes=True, constitution=digest)

    def powers(self):
        """What each node has for the powers of all, which is one thing."""
        every = (node.directory.nodes.values() for node in self.nodes.values())
        found = [{one.id: one.power for one in nodes if one.power} for nodes in every]
        return found[0] if all(one == found[0] for one in found) else None

    async def engine_powers(self, id):
        found = (await self.nodes[id]._orderer._rpc._ask("validators", {})).result["validators"]
        return {each["address"]: int(each["voting_power"]) for each in found}

    async def voting(self, powers):
        """Waits until the ledger and every engine have these powers, in force two heights on."""
        await until(lambda: self.powers() == powers, 60)
        some = next(iter(self.nodes.values())).directory.nodes
        wanted = {_address(some[id].engine_key): power for id, power in powers.items()}
        for _ in range(10):
            await self.moved()
            if all([await self.engine_powers(id) == wanted for id in self.nodes]):
                return
        raise AssertionError("the engines have other powers")

    async def moved(self):
        """One more entry on every node."""
        size = max(node.reading.tip.size for node in self.nodes.values())
        await self.govern("a", "set_own_user", id="a/ann", name=f"Ann {size}", attributes=[])
        await self.together()

    async def together(self):
        await until(lambda: len({node.reading.tip.previous for node in self.nodes.values()}) == 1, 60)

    async def healthy(self):
        await until(lambda: all(node._orderer.standing().state == HEALTHY for node in self.nodes.values()), 60)

    def make_node(self, member, id):
        """The folder of another node of a member, with new keys; what registers it."""
        port, api = free_ports(2)
        folder = self.folders[id] = Folder(self.root / member / id)
        first = self.folders[f"{member}-1"]
        own = {name: key_files.generate("p256") for name in (NODE_KEY, CHECKPOINT_KEY)}
        with new_folder(Disk(), folder.root) as new:
            for name, key in own.items():
                key_files.save(key, new.keys / name)
            new.create(Disk(), first.genesis.read_bytes(), self.ledger)
        keys = make_keys(folder.root / ordering.ENGINE)
        address = f"127.0.0.1:{port}"
        comet = CometSettings(node=id, home=ordering.ENGINE, listen=address)
        ordering.save(Disk(), folder, ordering.Ordering(ordering.VERSION, id, ordering.COMETBFT, api, cometbft=comet))
        return {
            "id": id,
            "node_key": own[NODE_KEY].public.spki,
            "checkpoint_key": own[CHECKPOINT_KEY].public.spki,
            "engine_key": spki_of_ed25519(keys.key),
            "peer": keys.peer,
            "address": address,
            "url": f"http://127.0.0.1:{api}",
        }


def _address(engine_key):
    return engines.validator(engine_key[-32:])


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        patch.setattr(orderer, "LOOK_S", 0.2)
        made = Net(tmp_path_factory.mktemp("net"))
        made.run = runner.run

        async def begin():
            for id in made.folders:
                made.begin(id)
            await made.healthy()

        async def end():
            for id in list(made.nodes):
                await made.end(id)

        runner.run(begin())
        yield made
        runner.run(end())


def test_a_second_node_of_a_member_comes_is_trusted_and_votes(net):
    """One life of one network: the tests of this page go on from one another."""

    async def life():
        await net.voting(dict.fromkeys(("a-1", "b-1", "c-1", "d-1"), VOTE_POWER))

        registered = net.make_node("a", "a-2")
        net.begin("a-2")
        fifth = net.nodes["a-2"]
        await until(lambda: fifth._orderer._view is not None)
        assert not fifth._orderer._view.peers  # nobody lets in what is not registered
        await net.end("a-2")
        net.begin("a-2")  # nor does the ledger know its keys, as far as it has come here
        fifth = net.nodes["a-2"]
        waiting = net.nodes.pop("a-2")
        await net.govern("a", "register_node", **registered)
        net.nodes["a-2"] = waiting
        await net.together()
        assert "a-2" not in {one.id for one in fifth.directory.signers()}

        size = fifth.reading.tip.size
        fifth.sign_checkpoint()
        await net.govern("a", "node_is_ready", node="a-2", checkpoint=bytes(100))
        assert fifth.checkpoint_at(size).root == net.nodes["a-1"].checkpoint_at(size).root
        await net.decide({"name": "trust_node", "subject": "a-2"})
        half = VOTE_POWER // 2
        await net.voting({"a-1": half, "a-2": half, "b-1": VOTE_POWER, "c-1": VOTE_POWER, "d-1": VOTE_POWER})
        assert registered["url"] in net.nodes["b-1"].peers

        await net.end("d-1")  # 2,520 of 3,360 are left: without the 420 of the fifth these are not two thirds
        for _ in range(2):
            await net.moved()
        net.begin("d-1")
        await net.together()

    net.run(life())


def test_a_replay_over_steps_of_powers_ends_where_the_others_are(net):
    async def life():
        await net.healthy()
        powers = net.powers()
        victim = net.nodes["b-1"]
        kill(victim._orderer._engine.pid, signal.SIGKILL)
        await net.moved()
        await net.end("b-1")
        shutil.rmtree(net.folders["b-1"].root / ordering.ENGINE / "data")  # every height is asked for again
        shutil.rmtree(net.folders["b-1"].state)  # and the directory comes out of the journal
        net.begin("b-1")
        renewed = net.folders["b-1"].root / ordering.ENGINE / "renewed"
        await until(lambda: not renewed.exists(), 60)
        await net.healthy()
        await net.voting(powers)
        for _ in range(UNSIGNED_HEIGHTS // 2):  # its engine says nothing for so many heights: it forgot what it signed
            await net.moved()

    net.run(life())


def test_a_retired_node_loses_its_power_and_the_others_go_on(net):
    async def life():
        gone = net.nodes["d-1"]
        await net.govern("d", "retire_own_node", node="d-1")
        await until(lambda: gone.status().warnings and gone.status().warnings[0].code == "node.retired")
        await net.end("d-1")
        half = VOTE_POWER // 2
        await net.voting({"a-1": half, "a-2": half, "b-1": VOTE_POWER, "c-1": VOTE_POWER})
        assert net.nodes["a-1"].directory.cosigners() == ["a", "b", "c"]
        await net.healthy()

    net.run(life())


def test_what_they_kept_is_sound(net):
    async def life():
        await net.together()
        for id in list(net.nodes):
            await net.end(id)

    net.run(life())
    found = [audit(folder.root) for id, folder in net.folders.items() if id != "d-1"]
    assert {one.root for one in found} == {found[0].root}
