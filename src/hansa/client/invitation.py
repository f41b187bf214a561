"""What an invite says, held against the ledger: first its genesis document, later the node that has run all of it.

An invite counts for nothing beyond what is checked here: whoever made it chose its key, its nodes and the ledger's
name. `document_of` and `check_node` ask nodes, the rest is pure.
"""

import time
from collections.abc import Sequence
from typing import Any, Final

from hansa.client.client import Client
from hansa.merkle import checkpoint, receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import genesis
from hansa.wire.genesis import Genesis
from hansa.wire.invite import DAYS_MAX, Invite
from hansa.wire.keys import PublicKey, kid_of
from hansa.wire.problems import HansaError

DAY_MS: Final = 24 * 60 * 60 * 1000
"""A day, in ms: invites count for so many."""
_ASKED_MAX: Final = 8
"""Nodes that are asked for the document: who sends an invite shall not have its reader knock at many doors."""
_SLACK_MS: Final = 60 * 60 * 1000
"""By so much clocks may differ where an invite claims to count for as long as one can."""


def head_of(invite: Invite) -> Checkpoint | None:
    """The tree head that an invite shows, with the first signature; None if it shows none.

    Raises `HansaError` `invite.form` unless all that it shows are of one head of its ledger.
    """
    heads = _heads(invite)
    if any((one.ledger, one.size, one.root, one.time) != _what(invite, heads[0]) for one in heads):
        raise HansaError("invite.form", "its checkpoints are not all of one head of its ledger")
    return heads[0] if heads else None


def _what(invite: Invite, head: Checkpoint) -> tuple[bytes, int, bytes, int]:
    return invite.ledger, head.size, head.root, head.time


def _heads(invite: Invite) -> list[Checkpoint]:
    try:
        return [receipt.read_bare(message) for message in invite.checkpoint]
    except HansaError as error:
        raise HansaError("invite.form", f"a checkpoint in it: {error.detail}") from None


def check_counts(invite: Invite, now: int) -> None:
    """Raises `HansaError` unless an invite counts at `now` (ms): `invite.expired`, `invite.form` for one too long."""
    if invite.not_after < now:
        raise HansaError("invite.expired")
    if invite.not_after > now + DAYS_MAX * DAY_MS + _SLACK_MS:
        raise HansaError("invite.form", f"it says that it counts for more than {DAYS_MAX} days")


def now_ms() -> int:
    """The time by this machine's clock, ms since 1970 UTC."""
    return time.time_ns() // 1_000_000


def document_of(invite: Invite, nodes: Sequence[str]) -> bytes:
    """The genesis document, from the first of these nodes (URLs) that has it; nothing else of it is held against it.

    Raises `HansaError` `invite.nodes` with what is wrong with each.
    """
    problems: list[str] = []
    for url in nodes[:_ASKED_MAX]:
        try:
            with Client(url, ledger=invite.ledger.hex(), patient=False) as node:
                found = node.get_bytes("/node/genesis")
            if genesis.ledger_id(found) == invite.ledger:
                return found
            problems.append(f"{url} gives another document")
        except HansaError as error:
            problems.append(error.detail)
    raise HansaError("invite.nodes", "; ".join(problems), problems=problems)


def check_document(invite: Invite, document: bytes) -> Genesis:
    """Holds an invite against a genesis document that is to be its ledger's; the document, decoded.

    Keys that the document does not know may have been registered since: `check_node` finds out. Raises `HansaError`:
    `invite.ledger` for another document, `invite.signer`, `invite.history`, or as `genesis.decode`.
    """
    found = genesis.ledger_id(document)
    if found != invite.ledger:
        raise HansaError("invite.ledger", f"this is the genesis document of ledger {found.hex()}")
    decoded = genesis.decode(document)
    if decoded.name != invite.name:
        raise HansaError("invite.ledger", f"the ledger is called {decoded.name!a}, the invite calls it {invite.name!a}")
    owners = _owners(decoded)
    owner = owners.get(invite.kid)
    if owner not in (None, (invite.inviter, "governance")):
        raise HansaError("invite.signer", f"the key {invite.kid.hex()} is the {owner[1]} key of {owner[0]}")  # type: ignore[index]
    signing = {kid_of(node.checkpoint_key): PublicKey(node.checkpoint_key) for node in decoded.nodes}
    for head in _heads(invite):
        key = signing.get(head.kid)
        if key is not None and not checkpoint.verify(head, key):
            raise HansaError("invite.history", f"a checkpoint in it is not signed by the key {head.kid.hex()}")
    return decoded


def _owners(document: Genesis) -> dict[bytes, tuple[str, str]]:
    """Whose key each of a genesis document is, and what for, by kid."""
    found: dict[bytes, tuple[str, str]] = {}
    for member in document.members:
        found |= {kid_of(spki): (member.id, "transaction") for spki in member.keys}
        found |= {kid_of(spki): (member.id, "governance") for spki in member.governance_keys}
    for user in document.users:
        found |= {kid_of(spki): (user.id, "transaction") for spki in user.keys}
    for node in document.nodes:
        found |= {kid_of(node.node_key): (node.id, "node"), kid_of(node.checkpoint_key): (node.id, "checkpoint")}
    return found


def check_node(invite: Invite, node: Client) -> None:
    """Holds an invite against what one's own node has found by running the ledger itself.

    Its signer must be a governance key of the inviter, who is a member; the ledger's history must have the tree head
    that it shows. Raises `HansaError`: `invite.signer`, `invite.history`, or why the node cannot be asked.
    """
    key = _key(node, invite.kid)
    said = {"owner": invite.inviter, "purpose": "governance", "spki": invite.key.hex()}
    if key is None or any(key[name] != value for name, value in said.items()):
        raise HansaError("invite.signer", f"{invite.inviter} has no governance key {invite.kid.hex()}")
    members = node.get("/app/contracts/members/records/Member/value", key=invite.inviter)["value"]
    if key["status"] == "revoked" or members["removed"]:
        raise HansaError("invite.signer", f"{invite.inviter}'s key, or {invite.inviter} itself, counts no more")
    for head in _heads(invite):
        signer = _key(node, head.kid)
        if signer is None or signer["purpose"] != "checkpoint" or not _signed(head, signer["spki"]):
            raise HansaError("invite.history", f"a checkpoint in it is not signed by a node's key, {head.kid.hex()}")
    head = head_of(invite)
    if head is not None:
        _check_history(head, node)


def _signed(head: Checkpoint, spki: str) -> bool:
    return checkpoint.verify(head, PublicKey(bytes.fromhex(spki)))


def _key(node: Client, kid: bytes) -> dict[str, Any] | None:
    try:
        return node.get("/app/contracts/members/records/Key/value", key=kid.hex())["value"]
    except HansaError as error:
        if error.code != "record.unknown":
            raise
        return None


def _check_history(head: Checkpoint, node: Client) -> None:
    """Raises `HansaError` `invite.history` unless a node's newest checkpoint continues a head."""
    last = receipt.read_bare(node.get_bytes("/app/checkpoints/latest", accept="application/cose"))
    if last.size < head.size:
        raise HansaError("invite.history", f"the ledger has {last.size} entries; the invite shows {head.size}")
    if last.size == head.size:
        is_same = last.root == head.root
    else:
        proof = node.get_bytes("/app/consistency", first=head.size, second=last.size)
        is_same = receipt.is_continued(proof, head, last)
    if not is_same:
        raise HansaError("invite.history", f"of the first {head.size} entries the invite shows another root")
