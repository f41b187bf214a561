"""The operations of `/gov`, part of the table in `api.operations`: paths and verbs are CCF's where meanings are equal.

Each needs `?api-version=`. What changes anything is a signed envelope of governance, answered as transactions are.
"""

# pyright: reportPrivateUsage=false
# One table in two files: what its rows are made of stands in the first.

from typing import Any, Final

import msgspec

from hansa.api.operations import (
    _BINARY,
    _DIGEST,
    _LONG,
    _PAGE,
    _ROW,
    _ROWS,
    _TEXT,
    ANSWER,
    AT_LEAST,
    CBOR,
    CONSISTENCY,
    COSE,
    JSON,
    OPERATIONS,
    PYTHON,
    SEQ_SCHEMA,
    SUBMIT,
    Operation,
    _object,
)
from hansa.client import proposals
from hansa.client.governance import API_VERSION
from hansa.wire import names

STATES: Final = ("Open", "Accepted", "Rejected", "Withdrawn", "Failed", "Dropped")

_Schema = dict[str, Any]
_VERSION: Final = {"api-version": {"const": API_VERSION, "type": "string"}}
_NEEDED: Final = ("api-version",)
_MEMBER: Final[_Schema] = {"type": "string", "pattern": f"^{names.MEMBER}$"}
_USER: Final[_Schema] = {"type": "string", "pattern": f"^{names.USER}$"}
_AFTER: Final[_Schema] = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]+$",
    "description": "`next` of the page before: go on behind it.",
}
_MOMENT: Final[_Schema] = {"type": ["integer", "null"], "description": "ms since 1970 UTC"}
PROPOSAL: Final[_Schema] = proposals.schema()
"""A proposal as it is written."""
_BALLOT: Final = _object({"member": _MEMBER, "yes": {"type": "boolean"}, "at": _MOMENT})
_STANDING: Final = _object(
    {
        "id": _DIGEST,
        "title": _TEXT,
        "proposer": _MEMBER,
        "state": {"enum": list(STATES)},
        "constitution": {**_DIGEST, "description": "The digest of the constitution that it was made under."},
        "ballots": {"type": "array", "items": _BALLOT},
        "opened": _MOMENT,
        "closes": _MOMENT,
        "due": {**_MOMENT, "description": "When an accepted one is carried out, while it waits for its time lock."},
        "applied": _MOMENT,
        "reason": {**_TEXT, "description": "Why it failed or was dropped; else empty."},
        "seq": {**SEQ_SCHEMA, "description": "The entry that changed it last."},
        "stale": {
            **_TEXT,
            "description": "Why the next ballot, or the end of its time lock, drops it; empty if it does not.",
        },
    }
)
_CHANGE: Final = _object(
    {
        "record": _TEXT,
        "key": _TEXT,
        "before": {"type": ["object", "null"]},
        "after": {"type": ["object", "null"]},
    },
    {
        "diff": {"type": "array", "items": _TEXT},
        "declares": {"type": "array", "items": _TEXT},
        "users": {"type": "array", "items": _USER, "description": "Those that end with a member that is removed."},
        "keys": {
            "type": "array",
            "items": _object({"kid": _DIGEST, "owner": _TEXT, "purpose": _TEXT}),
            "description": "The active keys that end with a member or user that is removed.",
        },
    },
)
_PLAN: Final = _object(
    {
        "problems": {"type": "array", "items": _TEXT, "description": "Why it may not be voted on."},
        "state": {"enum": [*STATES, None], "description": "What it is, or would be once proposed; null if refused."},
        "changes": {"type": "array", "items": _CHANGE, "description": "What would change if it were accepted now."},
        "failure": {"type": ["string", "null"], "description": "Why carrying it out would fail."},
        "floor": {"type": "array", "items": _TEXT, "description": "What no constitution can waive."},
        "waiting": {"type": "array", "items": _MEMBER, "description": "Members that have not voted."},
        "sets": {
            "type": ["array", "null"],
            "items": {"type": "array", "items": _MEMBER},
            "description": "The least sets of members whose yes would be enough; null where there are too many to try.",
        },
        "no": {
            "type": "array",
            "items": _object({"member": _MEMBER, "state": _TEXT}),
            "description": "What it would be if this member voted no next.",
        },
        "steps": {**_LONG, "description": "What the entry that carries it out would take, and its limit must allow."},
        "entries": SEQ_SCHEMA,
        "stale": {**_TEXT, "description": "Why it is out of date, and nobody needs to vote on it; else empty."},
    },
    {
        "past": {
            "type": "array",
            "items": _object({"id": _DIGEST, "title": _TEXT, "was": _TEXT, "would": _TEXT}),
            "description": "Past proposals that a changed constitution would have decided otherwise.",
        },
        "asked": {**SEQ_SCHEMA, "description": "How many past proposals it was asked about: the newest."},
    },
)


def _list(name: str, path: str, what: str, query: _Schema | None = None) -> Operation:
    return Operation(
        name,
        path,
        f"{what} In the order of their keys; `next` goes into `after`.",
        {JSON: _PAGE},
        query={**_VERSION, "rows": _ROWS, "after": _AFTER, **(query or {})},
        required=_NEEDED,
    )


def _signed(name: str, path: str, summary: str, parameters: _Schema | None = None) -> Operation:
    return Operation(
        name,
        path,
        f"{summary} Takes a signed envelope of governance and answers when its entry is durable, as transactions are "
        "answered; asking again with the same bytes is always safe.",
        {JSON: ANSWER, CBOR: _BINARY},
        parameters or {},
        {**_VERSION, "receipt": {"type": "boolean"}},
        _NEEDED,
        method="POST",
        bodies={COSE: _BINARY},
        statuses=(403, 409, 413, 415, 500, 503, 504),
        is_open=True,
    )


GOVERNANCE_OPERATIONS: Final = (
    _signed("create_proposal", "/gov/members/proposals:create", "Propose."),
    Operation(
        "plan_proposal",
        "/gov/members/proposals:plan",
        "What would come of a proposal by this member: whether it may be voted on, what it would change, who must vote "
        "yes. Nothing is written, and nobody signs: only from loopback.",
        {JSON: _PLAN},
        query={**_VERSION, "proposer": _MEMBER},
        required=(*_NEEDED, "proposer"),
        method="POST",
        bodies={JSON: {"$ref": "#/components/schemas/Proposal"}},
        statuses=(403, 404, 413, 415, 503),
    ),
    Operation(
        "plan_standing_proposal",
        "/gov/members/proposals/{id}:plan",
        "The same of a proposal that was made, as it stands: who must still vote.",
        {JSON: _PLAN},
        {"id": _DIGEST},
        _VERSION,
        _NEEDED,
        statuses=(403, 404, 503),
    ),
    Operation(
        "proposals",
        "/gov/members/proposals",
        "Proposals, in the order of their ids; `next` goes into `after`.",
        {JSON: _object({"proposals": {"type": "array", "items": _STANDING}, "next": {"type": ["string", "null"]}})},
        query={
            **_VERSION,
            "open": {"type": "boolean", "description": "Only those that may still be voted on or carried out."},
            "rows": _ROWS,
            "after": _AFTER,
        },
        required=_NEEDED,
    ),
    Operation(
        "proposal",
        "/gov/members/proposals/{id}",
        "A proposal and its votes.",
        {JSON: _STANDING},
        {"id": _DIGEST},
        _VERSION,
        _NEEDED,
        statuses=(404,),
    ),
    Operation(
        "proposal_actions",
        "/gov/members/proposals/{id}/actions",
        "What a proposal does, as it is written: what could be proposed again.",
        {JSON: _object({"actions": {"type": "array", "items": {"type": "object"}}})},
        {"id": _DIGEST},
        _VERSION,
        _NEEDED,
        statuses=(404,),
    ),
    _signed("withdraw_proposal", "/gov/members/proposals/{id}:withdraw", "Withdraw a proposal.", {"id": _DIGEST}),
    _signed(
        "submit_ballot",
        "/gov/members/proposals/{id}/ballots/{memberId}:submit",
        "Vote on a proposal.",
        {"id": _DIGEST, "memberId": _MEMBER},
    ),
    Operation(
        "ballot",
        "/gov/members/proposals/{id}/ballots/{memberId}",
        "What a member voted.",
        {JSON: _BALLOT},
        {"id": _DIGEST, "memberId": _MEMBER},
        _VERSION,
        _NEEDED,
        statuses=(404,),
    ),
    Operation(
        "constitution",
        "/gov/service/constitution",
        "The constitution that counts now; its source alone with `Accept: text/x-python`.",
        {
            JSON: _object({"version": _TEXT, "digest": _DIGEST, "lock": _LONG, "source": _TEXT, "seq": SEQ_SCHEMA}),
            PYTHON: _TEXT,
        },
        query=_VERSION,
        required=_NEEDED,
    ),
    Operation(
        "service",
        "/gov/service/info",
        "The ledger: its id, its name, how many members may vote, how many proposals are open.",
        {
            JSON: _object(
                {
                    "ledger": _DIGEST,
                    "name": _TEXT,
                    "members": SEQ_SCHEMA,
                    "constitution": _DIGEST,
                    "open": SEQ_SCHEMA,
                    "entries": SEQ_SCHEMA,
                    "time": _LONG,
                }
            )
        },
        query=_VERSION,
        required=_NEEDED,
    ),
    _list("members", "/gov/service/members", "Members, removed ones too."),
    Operation(
        "member",
        "/gov/service/members/{memberId}",
        "A member.",
        {JSON: _ROW},
        {"memberId": _MEMBER},
        _VERSION,
        _NEEDED,
        statuses=(404,),
    ),
    _list("users", "/gov/service/users", "Users.", {"member": _MEMBER}),
    _list("keys", "/gov/service/keys", "Keys of all time.", {"owner": {"anyOf": [_MEMBER, _USER]}}),
    _list("deployments", "/gov/service/contracts", "Contracts in their current version."),
    _list("limits", "/gov/service/limits", "What blocks and transactions may hold: one row."),
    _list("references", "/gov/service/references", "Reference data."),
    _list("issuers", "/gov/service/issuers", "Who signs users in for whom."),
)


def _awaiting(operation: Operation) -> Operation:
    """A read of the ledger may ask for an entry to be there first; a stream says by itself where it begins."""
    reads = operation.method == "GET" and operation.path.startswith(("/app/", "/gov/")) and operation.name != "events"
    if not (reads or operation.name in ("view", "trial")):
        return operation
    query, statuses = {**operation.query, "at_least": AT_LEAST, "consistency": CONSISTENCY}, (*operation.statuses, 503)
    return msgspec.structs.replace(operation, query=query, statuses=statuses)


ALL: Final = tuple(map(_awaiting, (SUBMIT, *OPERATIONS, *GOVERNANCE_OPERATIONS)))
"""The whole table."""
