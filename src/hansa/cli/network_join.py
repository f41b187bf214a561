"""`hansa network join`: from an invite to a node that votes, in steps that can be taken again.

Nothing is asked of anybody and nothing written before the invite was shown and accepted. Then the command goes as far
as it can, and says what is to be done by others; run again, it goes on from there.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from hansa.cli import invites, node_steps, output
from hansa.cli.governance import keys_of
from hansa.cli.node_steps import Stage, start_options
from hansa.cli.output import Output
from hansa.client.client import Client
from hansa.wire import names
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.node.network import Network
    from hansa.wire.invite import Invite

TO_ADMIT: Final = "to-admit"
TO_TRUST: Final = "to-trust"
VOTES: Final = "votes"
_NAME_CHARS_MAX: Final = 80
"""As the ledger takes it."""


class Reached(msgspec.Struct, frozen=True):
    """How far a member has come: its state, and what is to be done next, in lines."""

    state: str
    todo: list[str]


@click.command()
@click.argument("root", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--invite", "file", type=click.Path(path_type=Path), metavar="FILE", help="The invite; once.")
@click.option("--ledger", metavar="ID", help="The ledger's id as you were told it by another way: no other is joined.")
@click.option("--name", metavar="NAME", help="What your organisation is called. By itself as the invite's member id.")
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keys that `hansa member key new FOLDER/` made. By itself new ones are made.",
)
@click.option("--show", is_flag=True, help="Show the invite, with the constitution's text, and do nothing else.")
@click.option("--yes", is_flag=True, help="Accept what the invite says without being asked.")
@start_options
@click.pass_obj
def join(
    out: Output,
    root: Path,
    file: Path | None,
    ledger: str | None,
    name: str | None,
    keys: Path | None,
    show: bool,
    yes: bool,
    reserve_mb: int | None,
    engine_binary: Path | None,
) -> None:
    """Join a ledger by an invite: with a member's folder of your own in DIR, keys made here, and a node.

    Shows the ledger's id, its constitution and its members first, and asks; nothing is fetched or written before.
    Members vote on who belongs to the ledger and whose node votes on its order: run the same command again after each
    vote, and it goes on.
    """
    from hansa.node import newcomer
    from hansa.store.files import Disk

    pinned = None if ledger is None else names.digest_from_hex(ledger, "ledger id")
    known = newcomer.accepted(Disk(), root)
    if known is None or show:
        if file is None:
            raise HansaError("argument.value", "which invite?", remedy="Give its file with --invite FILE.")
        invite, envelope = _read(file, pinned)
        if show:
            lines = invite.constitution.source.rstrip("\n").split("\n")
            shown = "\n".join([invites.text(out, invite), "", *map(output.shown, lines)])
            out.show({"invite": invites.fields(invite)}, shown)
            return
        _accept(out, root, invite, envelope, name, keys, engine_binary, yes=yes)
    else:
        invite = known
        _check_same(root, invite, file, pinned)
    member, node = next(_load(root).nodes())
    stage = Stage(root, member.id, node, invite.ledger, _usable(invite))
    reached = _go_on(out, stage, invite, node_steps.options_of(reserve_mb, engine_binary))
    fields = {
        "folder": str(root.absolute()),
        "node": node.id,
        "invite": invites.fields(invite),
        **msgspec.structs.asdict(reached),
    }
    out.show(fields, lambda: _text(stage, reached))


def _read(file: Path, pinned: bytes | None) -> "tuple[Invite, bytes]":
    """The invite in a file, as far as that says whether it counts. Raises `HansaError`."""
    from hansa.client import invitation
    from hansa.wire import invite as wire

    envelope = output.read_file(file, wire.BYTES_MAX + 1)
    found = wire.read(envelope)
    invitation.head_of(found)
    invitation.check_counts(found, invitation.now_ms())
    if pinned not in (None, found.ledger):
        raise HansaError("invite.ledger", f"it is to ledger {found.ledger.hex()}, not the one that --ledger says")
    return found, envelope


def _check_same(root: Path, known: "Invite", file: Path | None, pinned: bytes | None) -> None:
    """Raises `HansaError` unless a folder was joined by such an invite, and is of the ledger that is meant."""
    from hansa.wire import invite as wire

    given = known if file is None else wire.read(output.read_file(file, wire.BYTES_MAX + 1))
    if given.ledger != known.ledger or pinned not in (None, known.ledger):
        raise HansaError("invite.ledger", f"{root} is of ledger {known.ledger.hex()}", remedy="Give another folder.")
    if given.member != known.member:
        told = f"{root} is {known.member}'s, the invite is for {given.member}"
        raise HansaError("argument.value", told, remedy="Give another folder.")


def _accept(
    out: Output,
    root: Path,
    invite: "Invite",
    envelope: bytes,
    name: str | None,
    keys: Path | None,
    engine_binary: Path | None,
    *,
    yes: bool,
) -> None:
    """Shows the invite and asks; then the genesis document is fetched and checked, and the folder laid out."""
    from hansa.client import invitation
    from hansa.node import network as networks
    from hansa.node import newcomer
    from hansa.orderers import engines
    from hansa.store.files import Disk

    if out.json and not yes:
        raise HansaError("argument.value", "with --json nobody is asked", remedy="Give --yes, too.")
    called = invite.member if name is None else name
    if not 1 <= len(called) <= _NAME_CHARS_MAX:
        told = f"the name of a member has 1 to {_NAME_CHARS_MAX} characters, not {len(called)}"
        raise HansaError("argument.value", told, remedy="Give another --name, or none.")
    nodes = _usable(invite)
    networks.check_free(root)
    engines.find(invite.orderer, engine_binary)
    own = None if keys is None else newcomer.held(keys)
    out.say(invites.text(out, invite))
    if not yes:
        out.say("\nNothing was fetched or written yet. What it says is checked against the ledger when you say yes.")
        click.confirm("Join this ledger?", abort=True, err=True)
    document = invitation.document_of(invite, nodes)
    invitation.check_document(invite, document)
    newcomer.settle(Disk(), root, invite, envelope, document, own or newcomer.generated(), called)
    out.note(f"the genesis document is that of the ledger, and {root} is laid out")


def _usable(invite: "Invite") -> list[str]:
    """The URLs of nodes that this version may ask. Raises `HansaError` `peers.url` if there is none."""
    from hansa.node import peers

    found = peers.askable(node.url for node in invite.nodes)
    if not found:
        peers.check(invite.nodes[0].url)
    return found


def _load(root: Path) -> "Network":
    from hansa.node import network as networks
    from hansa.store.files import Disk

    return networks.load(Disk(), root)


def _go_on(out: Output, stage: Stage, invite: "Invite", options: list[str]) -> Reached:
    """Goes as far as it can."""
    from hansa.client import invitation

    with stage.ask_others() as others:
        if not _is_admitted(stage, others):
            return Reached(TO_ADMIT, _admission(stage, invite))
    node_steps.register(out, stage)
    head = invitation.head_of(invite)
    node_steps.copy(out, stage, 0 if head is None else head.size)
    url = node_steps.start(out, stage, options)
    found = node_steps.say_ready(out, stage, url, invite)
    if found["state"] == node_steps.PENDING:
        return Reached(TO_TRUST, _trust(stage))
    found = node_steps.await_power(stage, url)
    at = shlex.quote(str(stage.root))
    return Reached(VOTES, [f"It votes, with a power of {found['power']}: hansa network status {at}"])


def _is_admitted(stage: Stage, others: Client) -> bool:
    """Whether the ledger has the member, with the governance key that lies here."""
    kid = stage.key.kid.hex()
    return any((one["kid"], one["status"]) == (kid, "active") for one in keys_of(others, stage.member))


def _admission(stage: Stage, invite: "Invite") -> list[str]:
    from hansa.node import newcomer

    path = shlex.quote(str(stage.root / stage.member / newcomer.ADMISSION))
    return [
        f"{stage.member} is no member of the ledger yet, with the keys that lie here. Give {path}",
        f"to a member, such as {invite.inviter}; it has public keys only. They propose it, and vote:",
        f"  hansa proposal new {newcomer.ADMISSION} --as {invite.inviter}",
        f"Then come back: hansa network join {shlex.quote(str(stage.root))}",
    ]


def _trust(stage: Stage) -> list[str]:
    data = shlex.quote(str(stage.root / stage.member))
    return [
        "It has everything and votes on nothing yet. Propose that it is trusted, and have members vote:",
        f"  hansa proposal new --action trust_node node_id={stage.node.id} --as {stage.member} --data {data}",
        f"Then come back: hansa network join {shlex.quote(str(stage.root))}",
    ]


def _text(stage: Stage, reached: Reached) -> str:
    folder = stage.root / stage.member
    return "\n".join([f"{folder}: {stage.member} and its node {stage.node.id}", "", *reached.todo])
