"""Who a key speaks for on a ledger, and what its member may, as the ledger's own records have it."""

from hansa.client.client import Client
from hansa.wire.problems import HansaError


def owner_of(node: Client, kid: bytes) -> str | None:
    """The member or user whose key it is; None if nobody's is known. A key is registered once, ever."""
    try:
        return node.get("/app/contracts/members/records/Key/value", key=kid.hex())["value"]["owner"]
    except HansaError:
        return None


def attributes_of(node: Client, member: str) -> list[str]:
    """What a member has. Raises `HansaError`."""
    return node.get("/app/contracts/members/records/Member/value", key=member)["value"]["attributes"]
