"""`hansa network invite`: one signed file by which somebody else can decide to run a node of a network's ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hansa.cli import node_steps, output
from hansa.cli.governance import registered, rows_of
from hansa.cli.output import Output
from hansa.cli.places import connect, signing_key
from hansa.client.governance import VERSION
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.client.client import Client
    from hansa.node.network import MemberPlace, Network, NodePlace
    from hansa.orderers.cometbft.settings import CometSettings
    from hansa.wire.invite import Invite, Node
    from hansa.wire.keys import PrivateKey

DAYS: Final = 7
"""How long an invite counts unless another time is asked for."""


@click.command()
@click.argument("root", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--member", required=True, metavar="ID", help="Whom it is for: a member, or who is to become one.")
@click.option("--as", "inviter", metavar="MEMBER", help="Whose governance key signs. By itself DIR's first member's.")
@click.option(
    "--days", type=click.IntRange(1, 30), default=DAYS, show_default=True, help="So many days the invite counts."
)
@click.option("--out", "file", type=click.Path(path_type=Path), metavar="FILE", help="By itself ID.invite.")
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@click.pass_obj
def invite(
    out: Output, root: Path, member: str, inviter: str | None, days: int, file: Path | None, force: bool
) -> None:
    """Write an invite: what somebody needs to decide whether to run a node of this network's ledger.

    It says which ledger, by what constitution, with whom, and where nodes answer, and shows the newest checkpoint as
    several members signed it; the inviting member's own node must run for that. It lets nobody in: on that members
    vote. Tell the ledger's id by another way than you send the file, so that whoever gets it can compare.
    """
    from hansa.cli import invites
    from hansa.client import invitation
    from hansa.node import network as networks
    from hansa.store.files import Disk
    from hansa.wire import invite as wire_invite
    from hansa.wire import names

    if not names.is_member(member):
        remedy = "Ids have 1 to 32 lower-case letters, digits and hyphens."
        raise HansaError("argument.value", f"{member[:60]!a} cannot be the id of a member", remedy=remedy)
    network = networks.load(Disk(), root)
    if network.topology != networks.MULTI_MEMBER:
        remedy = "Only networks of many members, over CometBFT, take nodes by invites."
        raise HansaError("argument.value", f"{root} is a network of the topology {network.topology}", remedy=remedy)
    path = Path(f"{member}.invite") if file is None else file
    output.check_writable(path, replace=force)
    by = network.members[0].id if inviter is None else node_steps.member_here(root, network, inviter).id
    signer = signing_key(root / by, by, None, governance=True)
    until = invitation.now_ms() + days * invitation.DAY_MS
    with connect(root / by, None) as node:
        made = _made(out, root, network, node, signer, by, member, until)
    output.write_file(path, wire_invite.seal(signer, made))
    fields = {"file": str(path), **invites.fields(made)}
    out.show(fields, lambda: _text(path, made))


def _made(
    out: Output,
    root: Path,
    network: "Network",
    node: "Client",
    signer: "PrivateKey",
    by: str,
    member: str,
    until: int,
) -> "Invite":
    """The invite, by what the inviter's own node says. Raises `HansaError` `invite.signer`."""
    from hansa.wire import genesis
    from hansa.wire import invite as wire

    decoded = genesis.decode(node.get_bytes("/node/genesis"))
    members = [one for one in rows_of(node, "/gov/service/members") if not one["removed"]]
    if by not in {one["id"] for one in members} or registered(node, signer.kid).spki != signer.public.spki:
        raise HansaError("invite.signer", f"{by} is no member of this ledger any more")
    rules: dict[str, Any] = node.get("/gov/service/constitution", **VERSION)
    return wire.Invite(
        key=signer.public.spki,
        name=decoded.name,
        wan=_settings(root, *next(network.nodes())).wan,
        nodes=_nodes(node),
        ledger=node.ledger(),
        member=member,
        inviter=by,
        members=[wire.Member(one["id"], one["name"], one["weight"]) for one in members],
        orderer="cometbft",
        version=wire.VERSION,
        not_after=until,
        checkpoint=_checkpoint(out, node)[: wire.CHECKPOINTS_MAX],
        constitution=wire.Constitution(rules["lock"], rules["source"]),
    )


def _settings(root: Path, member: "MemberPlace", node: "NodePlace") -> "CometSettings":
    """How a node of the network takes part. Raises `HansaError`."""
    from hansa.node import network as networks
    from hansa.node import ordering
    from hansa.store.files import Disk

    folder = networks.node_folder(root, member.id, node.id)
    found = ordering.load(Disk(), folder)
    if found is None or found.cometbft is None:
        raise HansaError("network.form", f"{folder.root} does not say how it takes part in CometBFT")
    return found.cometbft


def _nodes(node: "Client") -> "list[Node]":
    """The nodes of active members that are trusted and can be asked, as the ledger has them."""
    from hansa.client import readiness
    from hansa.wire import invite as wire

    found = [one for one in readiness.node_records(node).values() if one["state"] == readiness.TRUSTED and one["url"]]
    return [
        wire.Node(**{name: one[name] for name in ("id", "member", "url", "peer", "address")})
        for one in found[: wire.NODES_MAX]
    ]


def _checkpoint(out: Output, node: "Client") -> list[bytes]:
    """The newest checkpoint, as f + 1 members signed it, or fewer where no more do."""
    from hansa.merkle import receipt, receipts

    size = node.checkpoint().size
    found = node.receipt(size - 1, k="default", least=1)
    assert found.cosigned is not None
    if len(found.cosigned.members) < found.cosigned.k:
        out.caution(f"only {', '.join(found.cosigned.members)} signed the checkpoint that the invite shows")
    own = receipt.head_of(found.cose, found.entry)
    heads = [receipt.head_of(message, found.entry) for message in receipts.decode(found.cosigned.message)]
    return [receipt.bare(head) for head in heads if (head.size, head.root, head.time) == (own.size, own.root, own.time)]


def _text(path: Path, made: "Invite") -> str:
    return "\n".join(
        [
            f"wrote {path}: an invite for {made.member}, signed by {made.inviter}, that counts until "
            f"{output.moment(made.not_after)}",
            f"  ledger    {made.ledger.hex()}",
            "",
            "Tell them the ledger's id by another way than you send the file. Then they say:",
            f"  hansa network join DIR --invite {path.name} --ledger {made.ledger.hex()}",
        ]
    )
