"""Governance as of a block: who the members, users and nodes were, which keys counted, and by which rules.

Read from a state that was made from the journal up to there and nothing else: that of an audit.
"""

from typing import Any, Final

import msgspec

from hansa.node.apply import Tip
from hansa.node.recovery import members_records
from hansa.store.state import State
from hansa.wire import cbor

_TYPES: Final = ("Member", "User", "Node", "Key", "Deployment", "Constitution", "Limits")


class Governance(msgspec.Struct, frozen=True):
    """What the members contract's records say behind block `height`; each row has a record's fields, bytes in hex.

    What ends with another record without being written is marked: a user is `removed` with its member, and each key
    says by `removed` whether the member or user that it was for is. Keys of nodes go on without their member.
    """

    height: int
    entries: int
    time: int
    members: list[dict[str, Any]]
    users: list[dict[str, Any]]
    nodes: list[dict[str, Any]]
    keys: list[dict[str, Any]]
    contracts: list[dict[str, Any]]
    constitution: dict[str, Any] | None
    limits: dict[str, int]


def as_of(state: State, tip: Tip) -> Governance:
    """Governance behind the last block of a state, which ends at `tip`."""
    rows: dict[str, list[dict[str, Any]]] = {record: [] for record in _TYPES}
    for _, record, value in members_records(state, _TYPES):
        fields: dict[str, Any] = cbor.decode_own(value)
        for name, field in fields.items():
            fields[name] = field.hex() if isinstance(field, bytes) else field
        rows[record].append(fields)
    for record, found in rows.items():
        key = {"Key": "kid", "Deployment": "name"}.get(record, "id")
        found.sort(key=lambda row: str(row.get(key)))
    _mark_removed(rows)
    limits = rows["Limits"][0] if rows["Limits"] else dict[str, Any]()
    return Governance(
        tip.height - 1,
        tip.size,
        tip.time,
        rows["Member"],
        rows["User"],
        rows["Node"],
        rows["Key"],
        rows["Deployment"],
        next(iter(rows["Constitution"]), None),
        {name: value for name, value in limits.items() if name not in ("scope", "changed")},
    )


def _mark_removed(rows: dict[str, list[dict[str, Any]]]) -> None:
    """Marks users and keys that count no more because their member, or the user itself, was removed."""
    removed = {row["id"] for row in rows["Member"] if row["removed"]}
    for user in rows["User"]:
        user["removed"] = user["removed"] or user["member"] in removed
    removed |= {user["id"] for user in rows["User"] if user["removed"]}
    for key in rows["Key"]:
        key["removed"] = key["owner_kind"] != "node" and key["owner"] in removed
