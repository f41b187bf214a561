"""Whether one's own node has what the others have: what its member says on the ledger before others vote on it.

Believes no other node by its URL: a checkpoint counts for the member whose node signed it, by the records of the ledger
as one's own node has them, which ran all of it.
"""

from collections.abc import Sequence
from typing import Any, Final

from hansa.client.client import Client
from hansa.client.exchange import COSE
from hansa.merkle import checkpoint, receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire.keys import PublicKey
from hansa.wire.limits import PAGE_ROWS_MAX
from hansa.wire.problems import HansaError

TRUSTED: Final = "Trusted"
"""The state of a node that signs for its member."""


def newest(own: Client, signer: str) -> Checkpoint | None:
    """The newest checkpoint of one's own node, if the node `signer` signed it; None before it has signed one."""
    try:
        head = receipt.read_bare(own.get_bytes("/app/checkpoints/latest", accept=COSE))
    except HansaError as error:
        if error.code != "checkpoint.none":
            raise
        return None
    return head if _signer(own, head) == signer else None


def agreeing(own: Client, head: Checkpoint, urls: Sequence[str], wanted: int, *, besides: str) -> set[str]:
    """The members but one whose trusted nodes at these URLs signed the same head; once so many did, no more are asked.

    Raises `HansaError` `ledger.forked` for a node of the ledger that signed another root for this size.
    """
    found: set[str] = set()
    for url in urls:
        if len(found) >= wanted:
            break
        try:
            with Client(url, ledger=head.ledger.hex(), patient=False) as node:
                path = f"/app/checkpoints/{head.size}"
                other = receipt.read_bare(node.get_bytes(path, accept=COSE, at_least=head.size - 1))
        except HansaError:
            continue  # who does not answer says nothing
        name = _signer(own, other)
        if name is None or (other.ledger, other.size) != (head.ledger, head.size):
            continue
        record = node_record(own, name)
        if record["state"] != TRUSTED or record["member"] == besides:
            continue
        if (other.root, other.time) != (head.root, head.time):
            told = f"{name} at {url} signed another history of {head.size} entries than one's own node"
            raise HansaError("ledger.forked", told, own=receipt.bare(head), shown=receipt.bare(other))
        found.add(record["member"])
    return found


def node_records(node: Client) -> dict[str, dict[str, Any]]:
    """The records of all nodes that the ledger has, by id."""
    found: dict[str, dict[str, Any]] = {}
    query: dict[str, str | int] = {"rows": PAGE_ROWS_MAX}
    while True:
        page = node.get("/app/contracts/members/records/Node", **query)
        found |= {row["value"]["id"]: row["value"] for row in page["rows"]}
        if page["next"] is None:
            return found
        query["after"] = page["next"]


def node_record(node: Client, name: str) -> dict[str, Any]:
    """A node's record, its id and state among it. Raises `HansaError` `record.unknown`."""
    return node.get("/app/contracts/members/records/Node/value", key=name)["value"]


def _signer(own: Client, head: Checkpoint) -> str | None:
    """The node that signed a head, by the ledger's records; None where it is none of them, or did not sign it."""
    try:
        key = own.get("/app/contracts/members/records/Key/value", key=head.kid.hex())["value"]
    except HansaError as error:
        if error.code != "record.unknown":
            raise
        return None
    is_good = key["purpose"] == "checkpoint" and checkpoint.verify(head, PublicKey(bytes.fromhex(key["spki"])))
    return key["owner"] if is_good else None
