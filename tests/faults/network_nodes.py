"""The nodes of a network as real processes with real engines, and what may befall them: killed, frozen, wiped.

`Nodes` starts them as `hansa network up` does, one `hansa up` each. Whoever makes one ends it, also when all fails.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import httpx2

from hansa.cli import network_status, processes
from hansa.cli.network_status import HEALTHY, NetworkState
from hansa.node import certificates, ordering
from hansa.node import network as networks
from hansa.node.create import Founder
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import genesis
from hansa.wire.keys import PublicKey

PATIENCE_S = 60
"""For whatever must come; a test that waits so long has failed."""
LOOK_S = 0.1
_LOG_LINES = 15
_TWIN = """
import pathlib
from hansa.store import folder

folder.account_home = lambda: pathlib.Path({home!r})
"""
"""As if another user, with this home, did what follows."""
OWNER = "northbank"
"""The first member; it may deploy."""
MEMBERS = (OWNER, "harbourline", "eastmutual", "tradewatch")


class Nodes:
    """All nodes of one network, by name."""

    def __init__(self, root: Path, topology: networks.Topology, *, ago_s: int = 0, regions: int = 1) -> None:
        """`ago_s`: how long ago genesis lies."""
        self.root = root
        members = MEMBERS if topology == networks.MULTI_MEMBER else MEMBERS[:1]
        founders = [Founder(id, id.title(), deployer=id == OWNER) for id in members]
        each = len(MEMBERS[:3]) if topology == networks.SINGLE_MEMBER else 1
        rules = "majority" if len(members) > 1 else "single"
        then = time.time_ns() - ago_s * 10**9
        with mock.patch("time.time_ns", lambda: then) if ago_s else contextlib.nullcontext():
            self.network = networks.create(
                Disk(),
                root,
                "Faults",
                topology,
                founders,
                each,
                constitution=rules,
                lock_ms=1_000,
                regions=regions,
            )
        self.folders = {
            node.id: networks.node_folder(root, member.id, node.id) for member, node in self.network.nodes()
        }
        self.ports = {node.id: node.port for _, node in self.network.nodes()}
        self.names = list(self.folders)
        self._frozen: set[int] = set()

    def start(self, *names: str) -> None:
        """Starts these nodes, or all, if they do not run; without waiting for them."""
        for name in names or self.names:
            if processes.find(self.folders[name]) is None:
                processes.start(self.folders[name], ["--reserve-mb", "0"])

    def start_changed(self, name: str, changes: str) -> subprocess.Popen[bytes]:
        """Starts a node as `start` does, after these lines of Python."""
        return self._spawn(self.folders[name], changes)

    @staticmethod
    def _spawn(folder: Folder, changes: str) -> subprocess.Popen[bytes]:
        program = f"{changes}\nfrom hansa.cli.main import main\nmain()"
        words = [sys.executable, "-c", program, "up", "--data", str(folder.root), "--json", "--log", "json"]
        with (folder.root / processes.LOG).open("ab") as log:
            return subprocess.Popen([*words, "--reserve-mb", "0"], stdout=log, stderr=log, start_new_session=True)

    def others(self, name: str) -> list[str]:
        """All nodes but this one."""
        return [other for other in self.names if other != name]

    def pid(self, name: str) -> int:
        found = processes.find(self.folders[name])
        assert found is not None, f"{name} does not run: {self.told(name)}"
        return found.pid

    def engine(self, name: str) -> int | None:
        """The process of a node's engine; None while there is none."""
        home = os.fsencode(self.folders[name].root / ordering.ENGINE)
        for child in Path(f"/proc/{self.pid(name)}").glob("task/*/children"):
            for pid in child.read_text().split():
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                    if Path(os.fsdecode(words[0])).name in (ordering.ETCD, ordering.COMETBFT) and home in b" ".join(
                        words
                    ):
                        return int(pid)
        return None

    def kill(self, *names: str) -> None:
        """SIGKILL to nodes at once, as when a machine dies: their engines end with them."""
        for pid in [self.pid(name) for name in names]:
            os.kill(pid, signal.SIGKILL)
        assert not processes.wait_for_end([self.folders[name] for name in names], PATIENCE_S)

    def await_end(self, pid: int | None) -> None:
        """Waits until a process is gone, which is not a child of this one."""
        self.until(lambda _: not Path(f"/proc/{pid}").exists())

    def kill_engine(self, name: str) -> int:
        """SIGKILL to an engine alone; which process it was."""
        pid = self.engine(name)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        return pid

    def stop(self, *names: str) -> None:
        """Ends nodes in order."""
        for name in names:
            processes.end(self.pid(name))
        assert not processes.wait_for_end([self.folders[name] for name in names], PATIENCE_S)

    @contextlib.contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """SIGSTOP to a node and its engine: they hold their connections and say nothing."""
        pids = [pid for pid in (self.pid(name), self.engine(name)) if pid is not None]
        self._frozen.update(pids)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
            self._frozen.difference_update(pids)

    @contextlib.contextmanager
    def twin(self, folder: Folder) -> Iterator[None]:
        """Runs a copy of a node beside it, past the lock by which a user's own nodes refuse that."""
        twin = self._spawn(folder, _TWIN.format(home=str(folder.root.parent)))
        try:
            yield
        finally:
            twin.kill()
            twin.wait()

    def wipe_state(self, name: str) -> None:
        """Removes what is derived: the state, the tiles, the checkpoints. The journal stays."""
        folder = self.folders[name]
        shutil.rmtree(folder.state)
        shutil.rmtree(folder.tiles)

    def wipe_engine(self, name: str) -> None:
        """Removes what an engine has kept, but not the keys by which the others know it."""
        home = self.folders[name].root / ordering.ENGINE
        for path in home.iterdir():
            if path.name == "config" or path.suffix == ".log":
                continue
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def rpc(self, name: str) -> str:
        """The socket at which an engine of CometBFT answers."""
        words = Path(f"/proc/{self.engine(name)}/cmdline").read_text().split("\0")
        return words[words.index("--rpc.laddr") + 1].removeprefix("unix://")

    def leader(self) -> str:
        """The node whose turn it is to propose, or that etcd follows."""
        return self._etcd_leader() if self.network.orderer == ordering.ETCD else self._proposer()

    def _proposer(self) -> str:
        """As the first node's engine says, over its socket."""
        socket = httpx2.HTTPTransport(uds=self.rpc(self.names[0]))
        with httpx2.Client(transport=socket, base_url="http://engine") as client:
            state = client.get("/consensus_state").json()["result"]["round_state"]
        address = state["proposer"]["address"].lower()
        return self._voters()[address]

    def _etcd_leader(self) -> str:
        for name, folder in self.folders.items():
            settings = ordering.load(Disk(), folder)
            assert settings is not None
            assert settings.etcd is not None
            authority = folder.root / settings.authority / certificates.AUTHORITY
            context = ssl.create_default_context(cafile=authority)
            with tempfile.NamedTemporaryFile() as copy:  # it is read twice, and may be another by then
                copy.write((folder.root / ordering.ENGINE / "certificate.pem").read_bytes())
                copy.flush()
                context.load_cert_chain(copy.name)
            own = next(each for each in settings.etcd.members if each.name == name)
            with contextlib.suppress(httpx2.HTTPError), httpx2.Client(verify=context, base_url=own.clients) as client:
                told = client.post("/v3/maintenance/status", json={}).json()
                if told["header"]["member_id"] == told["leader"]:
                    return name
        raise AssertionError("no node says that it is the leader")

    def voter(self, name: str) -> str:
        """What CometBFT calls a node's voter, in hexadecimal."""
        return next(address for address, id in self._voters().items() if id == name)

    def _voters(self) -> dict[str, str]:
        """The nodes by what CometBFT calls their voters."""
        founders = genesis.decode(self.folders[self.names[0]].genesis.read_bytes()).nodes
        return {_address(PublicKey(each.engine_key).raw): each.id for each in founders}

    def state(self) -> NetworkState:
        """As `hansa network status` sees it."""
        return network_status.look(self.root, self.network)

    def until(self, holds: Callable[[NetworkState], bool]) -> NetworkState:
        """Waits for it; what is then."""
        end = time.monotonic() + PATIENCE_S
        while not holds(state := self.state()):
            logs = "\n".join(f"{name}: {self.told(name)}" for name in self.names)
            assert time.monotonic() < end, f"{state}\n{logs}"
            time.sleep(LOOK_S)
        return state

    def until_healthy(self) -> NetworkState:
        """All nodes are ready, and each sees all others."""
        return self.until(lambda state: state.state == HEALTHY and all(node.order == HEALTHY for node in state.nodes))

    def told(self, name: str) -> str:
        """The end of a node's log."""
        return "\n".join(processes.tail(self.folders[name], _LOG_LINES))

    def end(self) -> None:
        """Ends all, whatever state they are in."""
        for pid in self._frozen:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for folder in self.folders.values():
            found = processes.find(folder)
            if found is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found.pid, signal.SIGKILL)
        assert not processes.wait_for_end(self.folders.values(), PATIENCE_S)


def _address(key: bytes) -> str:
    return hashlib.sha256(key).digest()[:20].hex()
