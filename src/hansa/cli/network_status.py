"""How a network is: every node asked at once, and what follows for the whole."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.cli import output, processes
from hansa.client.client import Client
from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.node import network as networks
from hansa.node.network import MemberPlace, Network, NodePlace
from hansa.wire.problems import HansaError

STOPPED: Final = "stopped"
STARTING: Final = "starting"
READY: Final = "ready"
REFUSING: Final = "refusing"
SILENT: Final = "silent"
FOREIGN: Final = "foreign"

HEALTHY: Final = "healthy"
DEGRADED: Final = "degraded"
HALTED: Final = "halted"
DIVERGED: Final = "diverged"


class _Seen(msgspec.Struct, frozen=True):
    """What a node said of itself, and the newest checkpoint that it gave."""

    state: "NodeState"
    head: Checkpoint | None = None


class NodeState(msgspec.Struct, frozen=True):
    """How one node is. `size` and `root` are those of its newest checkpoint, 0 and empty where it gave none.

    `order` is how the ordering is, as this node sees it: healthy, degraded, halted or diverged; empty if it told none.
    """

    id: str
    member: str
    folder: str
    url: str
    state: str
    entries: int = 0
    size: int = 0
    root: str = ""
    order: str = ""
    reason: str = ""
    remedy: str = ""
    warnings: list[str] = []


class NetworkState(msgspec.Struct, frozen=True):
    """How a network is; `sentence` says it to people, and what to do if it is not healthy."""

    name: str
    topology: str
    orderer: str
    ledger: str
    state: str
    sentence: str
    tolerance: str
    nodes: list[NodeState]


def look(root: Path, network: Network) -> NetworkState:
    """Asks every node."""
    places = list(network.nodes())
    with ThreadPoolExecutor(len(places)) as pool:
        seen = list(pool.map(partial(_see, root, network), *zip(*places, strict=True)))
    found = [one.state for one in seen]
    state, sentence = whole(root, network, found, _disagreement(seen))
    return NetworkState(
        network.name,
        network.topology,
        network.orderer,
        network.ledger,
        state,
        sentence,
        network.tolerance(),
        found,
    )


def _see(root: Path, network: Network, member: MemberPlace, node: NodePlace) -> _Seen:
    folder = networks.node_folder(root, member.id, node.id)
    process = processes.find(folder)
    url = f"http://127.0.0.1:{node.port}" if process is None or process.url is None else process.url

    def told(state: str, head: Checkpoint | None = None, **fields: Any) -> _Seen:
        if head is not None:
            fields |= {"size": head.size, "root": head.root.hex()}
        return _Seen(NodeState(node.id, member.id, str(folder.root), url, state, **fields), head)

    if process is None:
        reason = "there is no folder of it" if not folder.exists() else "it does not run"
        return told(STOPPED, reason=reason, remedy=f"Start it: `hansa network up {root}`.")
    if process.url is None:
        return told(STARTING, reason="it is starting", remedy="Come back in a moment.")
    try:
        with Client(url, patient=False) as client:
            status: dict[str, Any] = client.get("/node/status")
            head = _head(client)
    except HansaError as error:
        return told(SILENT, reason=f"process {process.pid} does not answer: {error.detail}", remedy=error.remedy)
    if status["ledger"] != network.ledger:
        remedy = "Put back the folder that `hansa network new` made."
        return told(FOREIGN, reason=f"it keeps another ledger, {status['ledger']}", remedy=remedy)
    codes = [one["code"] for one in (*status["reasons"], *status["warnings"])]
    orders = [code.partition(".")[2] for code in codes if code.startswith("orderer.")]
    reason = next(iter(status["reasons"]), {"detail": "", "remedy": ""})
    return told(
        READY if status["ready"] else REFUSING,
        head,
        entries=status["entries"],
        order=next(iter(orders), HEALTHY),
        warnings=[f"{one['detail']} [{one['code']}]" for one in status["warnings"]],
        reason=reason["detail"],
        remedy=reason["remedy"],
    )


def _head(client: Client) -> Checkpoint | None:
    """A node's newest checkpoint; None where it has signed none yet."""
    try:
        return receipt.read_bare(client.get_bytes("/app/checkpoints/latest", accept="application/cose"))
    except HansaError:
        return None


def _disagreement(seen: list[_Seen]) -> str:
    """Which nodes' checkpoints are not of one history, in words; empty if all are, or too few answer to tell.

    Of two sizes, the node with the larger proves that it goes on from the smaller; one that cannot is told too.
    """
    heads = [(one.state, one.head) for one in seen if one.head is not None]
    if not heads:
        return ""
    latest, last = max(heads, key=lambda pair: pair[1].size)
    for state, head in heads:
        if not _agree(latest.url, head, last):
            return f"{state.id} and {latest.id} have different histories below entry {head.size}"
    return ""


def _agree(url: str, first: Checkpoint, second: Checkpoint) -> bool:
    """Whether the second checkpoint, of the node at `url`, goes on from the first."""
    if first.size == second.size:
        return first.root == second.root
    try:
        with Client(url, patient=False) as client:
            proof = client.get_bytes("/app/consistency", first=first.size, second=second.size)
        return receipt.is_continued(proof, first, second)
    except HansaError as error:
        if error.code.startswith("node."):  # it has just stopped: the next look tells
            return True
        raise


def whole(root: Path, network: Network, found: list[NodeState], disagreement: str) -> tuple[str, str]:
    """The state of the whole, and the sentence on it."""
    ready = sum(one.state == READY for one in found)
    absent = [one.id for one in found if one.state not in (READY, REFUSING)]
    missing = ", ".join(absent or [one.id for one in found if one.state != READY])
    up = f"`hansa network up {root}`"
    if disagreement or any(one.state == FOREIGN for one in found):
        told = disagreement or f"{missing} keep another ledger"
        return DIVERGED, f"Diverged: {told}. Rely on nothing new, keep every folder, and compare by `hansa audit`."
    if all(one.state == STOPPED for one in found):
        return STOPPED, f"No node runs: {up} starts them."
    if ready == len(found):
        entries = max(one.entries for one in found)
        nodes = "1 node is" if ready == 1 else f"{ready} nodes are"
        return HEALTHY, f"Healthy: {nodes} ready, all with one history of {entries:,} entries."
    starts = f" {up} starts what stopped." if any(one.state == STOPPED for one in found) else ""
    if not network.goes_on_with(ready):
        return HALTED, f"Halted: without {missing} nothing new is ordered; what there is can be read.{starts}"
    return DEGRADED, f"Degraded: {ready} of {len(found)} nodes are ready; it goes on without {missing}.{starts}"


def fit(*, enough: bool, alone: bool) -> Callable[[NodeState], bool]:
    """Whether a node is as well as it can be while `enough` nodes run to order anything, but, if `alone`, not all."""

    def is_fit(node: NodeState) -> bool:
        if not enough:
            return node.state in (READY, REFUSING)
        return node.state == READY and (alone or node.order == HEALTHY)

    return is_fit


def text(out: output.Output, state: NetworkState) -> str:
    """The whole in one sentence, and a line for each node."""
    color = {HEALTHY: "green", DEGRADED: "yellow"}.get(state.state, "red")
    rows = [[one.id, one.state, f"{one.entries:,}", str(one.size), one.root[:16], one.url] for one in state.nodes]
    lines = [
        out.style(output.shown(state.sentence), fg=color),
        *(output.shown(f"  {one.id}: {one.reason}. {one.remedy}") for one in state.nodes if one.state != READY),
        *(output.shown(f"  {one.id} warns: {warning}") for one in state.nodes for warning in one.warnings),
        "",
        output.table(("NODE", "STATE", "ENTRIES", "CHECKPOINT", "ROOT", "URL"), rows),
        "",
        f"network     {output.shown(state.name)}, {state.topology} over {state.orderer}; {state.tolerance}",
        f"ledger      {state.ledger}",
    ]
    return "\n".join(lines)
