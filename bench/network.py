"""Networks beside one process: `python -m bench --only network`.

Three ledgers with the same contract, accounts and signers: one process that orders for itself (solo), three nodes of
one member over etcd, four nodes of four members over CometBFT. All nodes run on this machine and each executes
everything. Each round starts one network after the other, in shuffled order, and loads it in two ways, through all of
its nodes: requests of many transfers, each when the last is answered, and single transfers at a fixed rate, a latency
counted from when its transfer was due. Ratios are taken within a round.
CPU is user and system time of all processes of the network, from the kernel's accounting, over transfers and nodes:
what a node spends on a transfer, its engine apart from the rest.
"""

import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

import hansa.bench.ledger
from hansa.bench.ledger import STEPS_MAX, load, sign
from hansa.bench.processes import children, cpu_seconds, start_node
from hansa.client import keys, transactions
from hansa.node import network as networks
from hansa.node.create import Founder, member_key
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire.keys import PrivateKey

CONTRACT = Path(hansa.bench.ledger.__file__).with_name("transfer_contract.py")
ACCOUNTS = 2_000
PER_REQUEST, CONNECTIONS = 100, 24
RATE, RATE_CONNECTIONS = 20, 48
"""Single transfers a second; and enough connections that one is always free."""
WARM_S = 1.5
"""Load in batches before what is measured: it starts the processes that verify, and fills what is cached."""
SIGNED_PER_S = {"solo": 40_000, "etcd": 12_000, "cometbft": 10_000}
"""How many transfers are signed for a second of load in batches: more than can be used up."""
SHAPES: dict[str, tuple[networks.Topology, int, int]] = {
    "solo": (networks.DEV, 4, 1),
    "etcd": (networks.SINGLE_MEMBER, 1, 3),
    "cometbft": (networks.MULTI_MEMBER, 4, 1),
}
"""By orderer: the topology, its members, and the nodes of each."""
READY_S = 120
HANSA = [sys.executable, "-m", "hansa.cli.main"]


class Running(msgspec.Struct, frozen=True):
    """A network that takes transactions: its ledger, the keys that own accounts, its nodes' ports and processes."""

    orderer: str
    ledger: bytes
    owners: list[Path]
    ports: list[int]
    pids: list[int]


def network(rounds: int, seconds: float) -> dict[str, float]:
    """All of it."""
    measured: dict[str, list[dict[str, float]]] = {}
    root = Path(tempfile.mkdtemp(prefix="hansa-bench-", dir="/var/tmp"))
    first: list[float] = []
    try:
        for orderer in SHAPES:
            make(root / orderer, orderer)
        for number in range(rounds):
            first.append(first_commit(root / "new"))
            print(f"round {number + 1} first commit {first[-1]:.1f} s", flush=True)
            for orderer in random.sample(list(SHAPES), len(SHAPES)):
                with up(root / orderer, orderer) as running:
                    found = measure(running, seconds, root / "signed")
                measured.setdefault(orderer, []).append(found)
                print(f"round {number + 1} {orderer:9}{told(found)}", flush=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    results = {"network_first_commit_s": statistics.median(first)}
    for orderer, runs in measured.items():
        for name in runs[0]:
            results[f"{orderer}_{name}"] = statistics.median(run[name] for run in runs)
            if orderer != "solo" and not name.endswith("engine_cpu_us"):
                ratios = [run[name] / alone[name] for run, alone in zip(runs, measured["solo"], strict=True)]
                results[f"{orderer}_{name}_vs_solo"] = statistics.median(ratios)
    return results


def told(found: dict[str, float]) -> str:
    """One line of figures."""
    return (
        f" {found['batch_per_second']:7.0f}/s  p50 {found['batch_p50_ms']:6.0f} ms"
        f"  cpu of a node {found['batch_app_cpu_us']:5.0f} + {found['batch_engine_cpu_us']:5.0f} us"
        f" | at {RATE}/s p50 {found['paced_p50_ms']:6.1f}  p99 {found['paced_p99_ms']:6.1f} ms"
        f"  cpu {found['paced_app_cpu_us']:6.0f} + {found['paced_engine_cpu_us']:6.0f} us"
    )


def make(root: Path, orderer: str) -> None:
    """A network with the contract and its accounts, stopped."""
    topology, members, nodes = SHAPES[orderer]
    founders = [Founder(f"m{i}", f"m{i}", deployer=not i) for i in range(members)]
    networks.create(Disk(), root, "Bench", topology, founders, nodes, constitution="majority", lock_ms=10_000)
    with up(root, orderer) as running:
        loaded = [keys.load(path) for path in running.owners]
        source = CONTRACT.read_text()
        deployment = {"name": "transfer", "source": source}
        steps = transactions.deploy_steps(source)
        send(running, [call(running, loaded[0], "members", "deploy", deployment, steps)])
        for start in range(0, ACCOUNTS, 500):
            send(running, [_open(running, loaded, number) for number in range(start, start + 500)])


def _open(running: Running, loaded: list[PrivateKey], number: int) -> bytes:
    owner = number % len(loaded)
    arguments = {"id": f"a{number}", "owner": f"m{owner}", "balance": 1_000_000_000}
    return call(running, loaded[owner], "transfer", "open", arguments, STEPS_MAX)


def call(running: Running, key: PrivateKey, contract: str, action: str, arguments: dict[str, Any], steps: int) -> bytes:
    """The envelope of one transaction."""
    return transactions.prepare(key, running.ledger, contract, action, arguments, steps_max=steps).envelope


def send(running: Running, envelopes: list[bytes]) -> None:
    """Sends transactions to the first node; raises `RuntimeError` unless all are applied."""
    headers = {"content-type": "application/cbor-seq", "accept": "application/cbor"}
    url = f"http://127.0.0.1:{running.ports[0]}/app/transactions"
    request = urllib.request.Request(url, b"".join(envelopes), headers)
    with urllib.request.urlopen(request, timeout=READY_S) as answer:
        body = answer.read()
    if body.count(b"gapplied") != len(envelopes):
        raise RuntimeError(repr(body[:400]))


@contextmanager
def up(root: Path, orderer: str) -> Iterator[Running]:
    """A network while it runs. Its nodes are children of this process, and end with it however it ends."""
    found = networks.load(Disk(), root)
    places = list(found.nodes())
    processes: list[subprocess.Popen[str]] = []
    try:
        processes += [start_node(networks.node_folder(root, member.id, node.id).root) for member, node in places]
        ports = [_listening(process) for process in processes]
        _await_ready(ports)
        ledger = bytes.fromhex(found.ledger)
        members = [member.id for member in found.members]
        owners = [member_key(Folder(root / member), member) for member in members]
        yield Running(orderer, ledger, owners, ports, [process.pid for process in processes])
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.communicate(timeout=READY_S)


def _listening(process: "subprocess.Popen[str]") -> int:
    assert process.stdout is not None
    return int(json.loads(process.stdout.readline())["url"].rsplit(":", 1)[1])


def _await_ready(ports: list[int]) -> None:
    """Waits until all nodes are ready, and still are when they have looked for each other."""
    end = time.monotonic() + READY_S
    times = 0
    while times < 2:
        if time.monotonic() > end:
            raise RuntimeError("the nodes do not become ready")
        time.sleep(1)
        times = times + 1 if all(map(_is_ready, ports)) else 0


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/node/ready", timeout=READY_S):
            return True
    except urllib.error.HTTPError:
        return False


def measure(running: Running, seconds: float, signed: Path) -> dict[str, float]:
    """Both ways of loading it."""
    nodes = len(running.pids)
    found: dict[str, float] = {}
    ways = {
        "batch": (CONNECTIONS, PER_REQUEST, 0, int(SIGNED_PER_S[running.orderer] * seconds)),
        "paced": (RATE_CONNECTIONS, 1, RATE, int(RATE * seconds) + RATE_CONNECTIONS),
    }
    sign(running.ledger, running.owners, ACCOUNTS, int(SIGNED_PER_S[running.orderer] * WARM_S), signed)
    load(running.ports, CONNECTIONS, WARM_S, signed, PER_REQUEST)
    for way, (connections, batch, rate, count) in ways.items():
        sign(running.ledger, running.owners, ACCOUNTS, count, signed)
        time.sleep(1)
        before = cpu(running)
        run = load(running.ports, connections, seconds, signed, batch, rate)
        time.sleep(1)  # nodes that nobody asked apply the last blocks, too
        spent = (after - begun for after, begun in zip(cpu(running), before, strict=True))
        used = [each / run["transactions"] / nodes for each in spent]
        told_of = ("p50_ms", "p99_ms") if rate else ("per_second", "p50_ms", "p99_ms")
        found |= {f"{way}_{name}": run[name] for name in told_of}
        found |= {f"{way}_app_cpu_us": used[0] * 1e6, f"{way}_engine_cpu_us": used[1] * 1e6}
    return found


def cpu(running: Running) -> tuple[float, float]:
    """The CPU of all nodes so far, without their engines, and that of their engines; in seconds."""
    engines = [child for pid in running.pids for child in children(pid) if _program(child) == running.orderer]
    of_engines = sum(map(cpu_seconds, engines))
    return sum(map(cpu_seconds, running.pids)) - of_engines, of_engines


def _program(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def first_commit(root: Path) -> float:
    """From `hansa network new` of four members to the first entry, by the commands that people use; in seconds."""
    begun = time.perf_counter()
    try:
        _hansa("network", "new", str(root), "--topology", "multi-member", "--members", "4", "--yes")
        _hansa("network", "up", str(root))
        member = json.loads((root / "network.json").read_text())["members"][0]["id"]
        action = ["--action", "set_contract", "name=transfer", f"source={CONTRACT}"]
        _hansa("proposal", "new", *action, "--as", member, "--data", str(root / member))
        return time.perf_counter() - begun
    finally:
        if networks.path_of(root).exists():
            _hansa("network", "destroy", str(root), "--yes")


def _hansa(*words: str) -> None:
    done = subprocess.run([*HANSA, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"hansa {' '.join(words)}: {done.stderr[-2000:]}")
