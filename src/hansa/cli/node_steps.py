"""The steps by which a member's node comes to vote: registered, given the ledger, started, level, said to be ready.

`hansa network join` and `hansa network node add` take them. Each looks on the ledger whether it was taken already, so
that all can be gone through again; a vote is between them and the last.
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import msgspec

from hansa.cli import processes
from hansa.cli.output import Output
from hansa.cli.places import signing_key
from hansa.cli.progress import Progress
from hansa.client import agreement, key_chain, readiness, transactions
from hansa.client.client import Client
from hansa.client.governance import CONTRACT, STEPS
from hansa.client.readiness import TRUSTED
from hansa.client.words import shown
from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import cose
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.client.results import Answer
    from hansa.node.network import MemberPlace, Network, NodePlace
    from hansa.store.folder import Folder
    from hansa.wire.invite import Invite
    from hansa.wire.keys import PrivateKey

PENDING: Final = "Pending"
RETIRED: Final = "Retired"
_STALL_S: Final = 90.0
"""How long a node may come no further before the command gives it up."""
_POWER_S: Final = 60.0
"""How long it may take until a trusted node has power: it moves in steps of a second each."""
_LOOK_S: Final = 0.25
"""How often is looked how far a node has come."""

_Found = TypeVar("_Found")
_Command = TypeVar("_Command", bound=Callable[..., Any])


def start_options(command: _Command) -> _Command:
    """The options of commands that start nodes; `options_of` takes what they give."""
    reserve = click.option("--reserve-mb", type=click.IntRange(0), help="Free disk below which a node's intake stops.")
    binary = click.option(
        "--engine-binary",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The ordering engine's program, instead of what `hansa engines build` made.",
    )
    return reserve(binary(command))


def options_of(reserve_mb: int | None, engine_binary: Path | None) -> list[str]:
    """The options of `hansa up` for a node."""
    options = [] if reserve_mb is None else ["--reserve-mb", str(reserve_mb)]
    return options + ([] if engine_binary is None else ["--engine-binary", str(engine_binary.absolute())])


class Stage(msgspec.Struct, frozen=True):
    """A member's node in a network's folder, and the nodes of others (URLs) that it begins with."""

    root: Path
    member: str
    node: "NodePlace"
    ledger: bytes
    others: list[str]

    @property
    def folder(self) -> "Folder":
        """The node's."""
        from hansa.node.network import node_folder

        return node_folder(self.root.absolute(), self.member, self.node.id)

    @property
    def key(self) -> "PrivateKey":
        """The governance key of the member. Raises `HansaError`."""
        return signing_key(self.root / self.member, self.member, None, governance=True)

    def ask_others(self) -> Client:
        """A client of the others."""
        return Client(self.others, ledger=self.ledger.hex(), patient=False)


def member_here(root: Path, network: "Network", member: str) -> "MemberPlace":
    """A member whose folder is in a network's. Raises `HansaError` `argument.value`."""
    found = next((one for one in network.members if one.id == member), None)
    if found is None:
        remedy = f"Its members are {', '.join(one.id for one in network.members)}."
        raise HansaError("argument.value", f"there is no member {member[:60]!a} in {root}", remedy=remedy)
    return found


def govern(node: Client, key: "PrivateKey", action: str, arguments: dict[str, Any]) -> "Answer":
    """Takes an action of governance with a member's key, and waits for its entry. Raises `HansaError`, `Refused`."""
    terms: transactions.Terms = {
        "steps_max": STEPS,
        "not_after": node.not_after(),
        "content_type": cose.GOVERNANCE,
    }
    made = transactions.prepare(key, node.ledger(), CONTRACT, action, arguments, **terms)
    return node.submit(made.envelope)


def record_of(node: Client, id: str) -> dict[str, Any] | None:
    """The record of a node; None if it is not registered."""
    try:
        return readiness.node_record(node, id)
    except HansaError as error:
        if error.code != "record.unknown":
            raise
        return None


def register(out: Output, stage: Stage) -> None:
    """Has the ledger know the node, with its keys. Raises `HansaError`, `network.retired` for one that was retired."""
    from hansa.client import keys as key_files
    from hansa.node.create import CHECKPOINT_KEY, NODE_KEY
    from hansa.node.ordering import ENGINE
    from hansa.orderers.cometbft.home import make_keys
    from hansa.wire.keys import spki_of_ed25519

    with stage.ask_others() as others:
        found = record_of(others, stage.node.id)
        if found is None:
            engine = make_keys(stage.folder.root / ENGINE)
            arguments = {
                "id": stage.node.id,
                "node_key": key_files.load(stage.folder.keys / NODE_KEY).public.spki,
                "checkpoint_key": key_files.load(stage.folder.keys / CHECKPOINT_KEY).public.spki,
                "engine_key": spki_of_ed25519(engine.key),
                "peer": engine.peer,
                "address": f"127.0.0.1:{stage.node.engine_ports['peers']}",
                "url": f"http://127.0.0.1:{stage.node.port}",
            }
            govern(others, stage.key, "register_node", arguments)
            out.note(f"{stage.node.id} is registered: the others' engines let it in")
        elif found["state"] == RETIRED:
            raise HansaError("network.retired", f"{stage.node.id} was retired, and comes back no more")


def copy(out: Output, stage: Stage, at_least: int) -> None:
    """Has the node's folder hold the ledger, `at_least` so many entries of it, unless it does. Raises `HansaError`."""
    from hansa.node import joining
    from hansa.store.files import Disk

    if stage.folder.exists():
        return
    shown: dict[str, Progress] = {}
    with contextlib.ExitStack() as bars:

        def tell(what: str, done: int, total: int) -> None:
            if what not in shown:
                bars.close()
                shown[what] = bars.enter_context(Progress(out, what))
            shown[what].tell(done, total)

        made = joining.join(Disk(), stage.folder, stage.others, stage.ledger, progress=tell, at_least=at_least)
    state = "" if made.snapshot is None else f", with the state of the snapshot behind block {made.snapshot:,}"
    out.note(f"{stage.node.id} has {made.entries:,} entries under a root that {', '.join(made.members)} signed{state}")


def start(out: Output, stage: Stage, options: Iterable[str]) -> str:
    """Starts the node unless it runs, and waits until it has what the others have now; its URL. Raises `HansaError`."""
    folder = stage.folder
    if processes.find(folder) is None:
        pid = processes.start(folder, options)
        out.note(f"{stage.node.id} starts")
    else:
        pid = None
    with stage.ask_others() as others:
        goal = others.status().entries

    def url() -> str | None:
        if pid is not None and processes.has_ended(pid):
            raise _not_level(stage, processes.last_error(folder) or "it has ended")
        found = processes.find(folder)
        return None if found is None else found.url

    where = _wait(stage, url, lambda: 0, "it does not come up")
    entries = 0

    def level() -> bool | None:
        nonlocal entries
        url()
        entries = own.status().entries
        progress.tell(entries, goal)
        return True if entries >= goal else None

    with Client(where, ledger=stage.ledger.hex(), patient=False) as own, Progress(out, "entries") as progress:
        _wait(stage, level, lambda: entries, "it comes no further")
    out.note(f"{stage.node.id} has all {entries:,} entries")
    return where


def say_ready(out: Output, stage: Stage, url: str, invite: "Invite | None") -> dict[str, Any]:
    """Has the member say on the ledger that its node is ready, once it is so; the node's record.

    What it goes by is its own node's: the invite is held against that first. Raises `HansaError`: as
    `invitation.check_node`, `ledger.forked`, `network.start` where too few other members show the same.
    """
    from hansa.client import invitation
    from hansa.node import peers

    with Client(url, ledger=stage.ledger.hex(), patient=False) as own:
        head = _wait(stage, lambda: readiness.newest(own, stage.node.id), lambda: 0, "it signs no checkpoint")
        if invite is not None:
            invitation.check_node(invite, own)
        nodes = readiness.node_records(own)
        found = nodes[stage.node.id]
        trusted = [one for one in nodes.values() if one["state"] == TRUSTED and one["member"] != stage.member]
        urls = peers.askable([*(one["url"] for one in trusted), *stage.others])
        if found["state"] == PENDING and found["ready"] is None:
            members = _agreeing(stage, own, head, urls, {one["member"] for one in trusted})
            govern(own, stage.key, "node_is_ready", {"node": stage.node.id, "checkpoint": receipt.bare(head)})
            out.note(
                f"{stage.node.id} signed the checkpoint of {head.size:,} entries that {members} signed; it is ready"
            )
        _keep_earlier(out, stage, urls)
        return readiness.node_record(own, stage.node.id)


def _agreeing(stage: Stage, own: Client, head: Checkpoint, urls: list[str], others: set[str]) -> str:
    """Other members, as many as include an honest one, whose nodes signed the head of the node, too; in words."""
    wanted = agreement.default_k(others)
    found = sorted(readiness.agreeing(own, head, urls, wanted, besides=stage.member))
    if len(found) < wanted:
        told = f"{', '.join(found) or 'nobody'} of {wanted} members showed the same {head.size} entries"
        raise _not_level(stage, told)
    return ", ".join(found)


def _keep_earlier(out: Output, stage: Stage, urls: list[str]) -> None:
    """Has the node given the chain of keys from before it came, so that it can show it; verified from genesis on.

    Nothing of that is needed to order, so what fails is only told.
    """
    from hansa.store.files import Disk, replace

    if stage.folder.earlier.exists():
        return
    problems: list[str] = []
    for url in urls:
        try:
            with Client(url, ledger=stage.ledger.hex(), patient=False) as node:
                found = node.get_bytes("/node/trust")
            key_chain.pin_trust(found, stage.ledger)
            replace(Disk(), stage.folder.earlier, found)
        except HansaError as error:
            problems.append(error.detail)
        else:
            return
    out.caution(f"no node gave the chain of keys, which {stage.node.id} then cannot show: {'; '.join(problems)}")


def await_power(stage: Stage, url: str) -> dict[str, Any]:
    """The record of a trusted node once it has power to vote with. Raises `HansaError` `network.start`."""
    with Client(url, ledger=stage.ledger.hex(), patient=False) as own:

        def powerful() -> dict[str, Any] | None:
            found = readiness.node_record(own, stage.node.id)
            return found if found["power"] else None

        return _wait(stage, powerful, lambda: 0, "it is trusted, and has no power to vote with", _POWER_S)


def await_no_power(stage: Stage) -> None:
    """Waits until a retired node votes on nothing any more. Raises `HansaError` `network.start`."""
    with stage.ask_others() as others:

        def powerless() -> bool | None:
            return True if not readiness.node_record(others, stage.node.id)["power"] else None

        _wait(stage, powerless, lambda: 0, "it is retired, and still has power", _POWER_S)


def _wait(
    stage: Stage,
    look: Callable[[], _Found | None],
    reached: Callable[[], int],
    why: str,
    stall_s: float = _STALL_S,
) -> _Found:
    """What `look` finds, in the end; it may take its time while `reached` grows. A node may be silent for a moment."""
    last, end = reached(), time.monotonic() + stall_s
    while True:
        try:
            found = look()
        except HansaError as error:
            if error.code not in ("node.silent", "node.unreachable"):
                raise
            found = None
        if found is not None:
            return found
        if reached() > last:
            last, end = reached(), time.monotonic() + stall_s
        if time.monotonic() > end:
            raise _not_level(stage, why)
        time.sleep(_LOOK_S)


def _not_level(stage: Stage, why: str) -> HansaError:
    told = f"{stage.node.id}: {shown(why)}; its log is {stage.folder.root / processes.LOG}"
    return HansaError("network.start", told)
