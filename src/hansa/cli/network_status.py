"""How a network is: every node asked at once, and what follows for the whole."""

import contextlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from hansa.cli import output, processes
from hansa.cli.node_steps import RETIRED
from hansa.client import readiness
from hansa.client.client import Client
from hansa.client.readiness import TRUSTED
from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.node import network as networks
from hansa.node import peers
from hansa.node.network import MemberPlace, Network, NodePlace
from hansa.orderers import DEGRADED, DIVERGED, HALTED, HEALTHY
from hansa.wire.problems import HansaError

ANSWER_S: Final = 3.0
"""How long a node may take to answer: one that stands still is told of soon."""
STOPPED: Final = "stopped"
STARTING: Final = "starting"
READY: Final = "ready"
REFUSING: Final = "refusing"
SILENT: Final = "silent"
FOREIGN: Final = "foreign"
_ASKED_AT_ONCE: Final = 16
"""Nodes elsewhere that are asked at once."""


class _Seen(msgspec.Struct, frozen=True):
    """What a node said of itself, and the newest checkpoint that it gave."""

    state: "NodeState"
    head: Checkpoint | None = None


class NodeState(msgspec.Struct, frozen=True):
    """How one node is. `size` and `root` are those of its newest checkpoint, 0 and empty where it gave none.

    `order` is how the ordering is, as this node sees it: healthy, degraded, halted or diverged; empty if it told none.
    `standing` is what the ledger says of it, Pending, Trusted or Retired, and `power` what its vote counts there; empty
    and 0 where no node told. `folder` is empty for a node that is not in this network's folder.
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
    standing: str = ""
    power: int = 0

    @property
    def counts(self) -> bool:
        """Whether the network is less without it: not while it is pending, nor when it was retired."""
        return self.standing in ("", TRUSTED)


class NetworkState(msgspec.Struct, frozen=True):
    """How a network is; `sentence` says it to people, and what to do if it is not healthy.

    `placement`: which nodes stand in which region, and what that means; empty if all are in one.
    """

    name: str
    topology: str
    orderer: str
    ledger: str
    state: str
    sentence: str
    tolerance: str
    nodes: list[NodeState]
    placement: str = ""


def look(root: Path, network: Network) -> NetworkState:
    """Asks every node, those of the ledger that lie elsewhere too."""
    places = list(network.nodes())
    with ThreadPoolExecutor(max(len(places), _ASKED_AT_ONCE)) as pool:
        seen = list(pool.map(partial(_see, root, network), *zip(*places, strict=True)))
        records = _records(network, seen)
        elsewhere = [row for id, row in records.items() if all(id != place.id for _, place in places)]
        askable = set(peers.askable(row["url"] for row in elsewhere))
        others = [row for row in elsewhere if row["state"] != RETIRED and row["url"] in askable]
        seen += pool.map(partial(_see_elsewhere, network), others)
    seen = [_Seen(_with_record(one.state, records.get(one.state.id)), one.head) for one in seen]
    found = [one.state for one in seen]
    state, sentence = whole(root, network, found, _disagreement(seen))
    return NetworkState(
        network.name,
        network.topology,
        network.orderer,
        network.ledger,
        state,
        sentence,
        _tolerance(network, records),
        found,
        network.placement(),
    )


def _records(network: Network, seen: list[_Seen]) -> dict[str, dict[str, Any]]:
    """The ledger's records of all nodes, from the node that has most entries; none where none can be asked."""
    asked = sorted((one.state for one in seen if one.state.entries), key=lambda state: -state.entries)
    for state in asked:
        with contextlib.suppress(HansaError), Client(state.url, ledger=network.ledger, patient=False) as client:
            return readiness.node_records(client)
    return {}


def _with_record(state: NodeState, record: dict[str, Any] | None) -> NodeState:
    if record is None:
        return state
    return msgspec.structs.replace(state, standing=record["state"], power=record["power"])


def _tolerance(network: Network, records: dict[str, dict[str, Any]]) -> str:
    powers: Counter[str] = Counter()
    for row in records.values():
        powers[row["member"]] += row["power"]
    return networks.tolerance_by([*powers.values()]) if powers.total() else network.tolerance()


def _see(root: Path, network: Network, member: MemberPlace, node: NodePlace) -> _Seen:
    """How a node is that lies in the network's folder."""
    folder = networks.node_folder(root, member.id, node.id)
    process = processes.find(folder)
    url = f"http://127.0.0.1:{node.port}" if process is None or process.url is None else process.url
    state = NodeState(node.id, member.id, str(folder.root), url, STOPPED)
    if process is None and node.retired:
        return _Seen(msgspec.structs.replace(state, standing=RETIRED, reason="it was retired"))
    if process is None:
        reason = "there is no folder of it" if not folder.exists() else "it does not run"
        told = {"reason": reason, "remedy": f"Start it: `hansa network up {root}`."}
        return _Seen(msgspec.structs.replace(state, **told))
    if process.url is None:
        told = {"reason": "it is starting", "remedy": "Come back in a moment."}
        return _Seen(msgspec.structs.replace(state, state=STARTING, **told))
    return _ask(network, state, f"process {process.pid}")


def _see_elsewhere(network: Network, record: dict[str, Any]) -> _Seen:
    """How a node of the ledger is that lies elsewhere, by what it answers."""
    return _ask(network, NodeState(record["id"], record["member"], "", record["url"], SILENT), "it")


def _ask(network: Network, state: NodeState, who: str) -> _Seen:
    try:
        with Client(state.url, timeout_s=ANSWER_S, patient=False) as client:
            status: dict[str, Any] = client.get("/node/status")
            head = _head(client)
    except HansaError as error:
        told = {"reason": f"{who} does not answer: {error.detail}", "remedy": error.remedy}
        return _Seen(msgspec.structs.replace(state, state=SILENT, **told))
    if status["ledger"] != network.ledger:
        remedy = "Put back the folder that `hansa network new` made." if state.folder else "Ask its member."
        told = {"reason": f"it keeps another ledger, {status['ledger']}", "remedy": remedy}
        return _Seen(msgspec.structs.replace(state, state=FOREIGN, **told))
    codes = [one["code"] for one in (*status["reasons"], *status["warnings"])]
    orders = [code.partition(".")[2] for code in codes if code.startswith("orderer.")]
    reason = next(iter(status["reasons"]), {"detail": "", "remedy": ""})
    asked = msgspec.structs.replace(
        state,
        state=READY if status["ready"] else REFUSING,
        entries=status["entries"],
        size=0 if head is None else head.size,
        root="" if head is None else head.root.hex(),
        order=next(iter(orders), HEALTHY),
        warnings=[f"{one['detail']} [{one['code']}]" for one in status["warnings"]],
        reason=reason["detail"],
        remedy=reason["remedy"],
    )
    return _Seen(asked, head)


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


def whole(root: Path, network: Network, every: list[NodeState], disagreement: str) -> tuple[str, str]:
    """The state of the whole, and the sentence on it."""
    found = [one for one in every if one.counts] or [one for one in every if one.standing != RETIRED] or every
    ready = sum(one.state == READY for one in found)
    absent = [one.id for one in found if one.state not in (READY, REFUSING)]
    missing = ", ".join(absent or [one.id for one in found if one.state != READY])
    up = f"`hansa network up {root}`"
    if disagreement or any(one.state == FOREIGN for one in found):
        told = disagreement or f"{missing} keep another ledger"
        return DIVERGED, f"Diverged: {told}. Rely on nothing new, keep every folder, and compare by `hansa audit`."
    if all(one.standing == RETIRED for one in found):
        return STOPPED, "Every node of this folder was retired."
    if all(one.state == STOPPED for one in found):
        return STOPPED, f"No node runs: {up} starts them."
    if ready == len(found):
        entries = max(one.entries for one in found)
        nodes = "1 node is" if ready == 1 else f"{ready} nodes are"
        return HEALTHY, f"Healthy: {nodes} ready, all with one history of {entries:,} entries."
    starts = f" {up} starts what stopped." if any(one.state == STOPPED for one in found) else ""
    if not _goes_on(network, found, ready):
        return HALTED, f"Halted: without {missing} nothing new is ordered; what there is can be read.{starts}"
    return DEGRADED, f"Degraded: {ready} of {len(found)} nodes are ready; it goes on without {missing}.{starts}"


def _goes_on(network: Network, found: list[NodeState], ready: int) -> bool:
    """Whether the nodes that are ready are enough to order, by their power where the ledger told it."""
    total = sum(one.power for one in found)
    if not total:
        return network.goes_on_with(ready)
    return 3 * sum(one.power for one in found if one.state == READY) > 2 * total


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
    rows = [
        [one.id, one.state, one.standing, str(one.power), f"{one.entries:,}", str(one.size), one.root[:16], one.url]
        for one in state.nodes
    ]
    troubled = [one for one in state.nodes if one.state != READY and one.standing != RETIRED]
    lines = [
        out.style(output.shown(state.sentence), fg=color),
        *(output.shown(f"  {one.id}: {one.reason}. {one.remedy}") for one in troubled),
        *(output.shown(f"  {one.id} warns: {warning}") for one in state.nodes for warning in one.warnings),
        "",
        output.table(("NODE", "STATE", "STANDING", "POWER", "ENTRIES", "CHECKPOINT", "ROOT", "URL"), rows),
        "",
        f"network     {output.shown(state.name)}, {state.topology} over {state.orderer}; {state.tolerance}",
        f"ledger      {state.ledger}",
        *([f"regions     {output.shown(state.placement)}"] if state.placement else []),
    ]
    return "\n".join(lines)
