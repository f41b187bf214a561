"""Every operation of the HTTP API in one table: the routes are made from it, and so is the OpenAPI description.

An operation that is not here does not exist; a query parameter that is not here is refused.
"""

from typing import Any, Final

import msgspec

from hansa.contracts.prices import INSTANT_MAX
from hansa.contracts.source import SOURCE_BYTES_MAX
from hansa.merkle import receipts
from hansa.wire import entry, genesis
from hansa.wire.limits import BATCH_ENVELOPES_MAX, JSON_INTEGER_MAX, MEMBERS_MAX, PAGE_ROWS_MAX
from hansa.wire.session import TOKEN_BYTES_MAX

JSON: Final = "application/json"
COSE: Final = "application/cose"
RECEIPTS: Final = receipts.CONTENT_TYPE
CBOR: Final = "application/cbor"
CBOR_SEQUENCE: Final = "application/cbor-seq"
PYTHON: Final = "text/x-python"
EVENT_STREAM: Final = "text/event-stream"
PROMETHEUS: Final = "text/plain"

_Schema = dict[str, Any]

SEQ_SCHEMA: Final[_Schema] = {"type": "integer", "minimum": 0, "maximum": JSON_INTEGER_MAX}
_TIME: Final[_Schema] = {**SEQ_SCHEMA, "description": "ms since 1970 UTC"}
_DIGEST: Final[_Schema] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_NAME: Final[_Schema] = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]{0,47}$"}
_ROWS: Final[_Schema] = {"type": "integer", "minimum": 1, "maximum": PAGE_ROWS_MAX, "default": 100}
_TEXT: Final[_Schema] = {"type": "string"}
_EVENT_ID: Final[_Schema] = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,15})(-(0|[1-9][0-9]?))?$"}
_ANY: Final[_Schema] = {}
_LONG: Final[_Schema] = {"type": ["integer", "string"]}
_PLAIN: Final[_Schema] = {"$ref": "#/components/schemas/Plain"}
ENGINE_ROUTES: Final = (
    "health", "status", "net_info", "blockchain", "header", "block", "commit", "validators", "consensus_params",
)  # fmt: skip
"""What is asked of an engine: nothing that changes it, or that costs it much."""
ORDERS: Final = ("ascending", "descending")
DEFAULT_K: Final = "default"
"""Instead of a number of members: as many as it takes for one honest among them."""
_RANGE: Final[dict[str, _Schema]] = {
    "index": {**_NAME, "description": "Order by this indexed field, and by key where it is equal; else by key alone."},
    "value": {**_TEXT, "description": "Only this value of the indexed field, written as a key is; absent is empty."},
    "least": {**_TEXT, "description": "From this value of the indexed field, or this key, on."},
    "most": {**_TEXT, "description": "Up to this value or key, which counts too."},
    "order": {"enum": list(ORDERS), "default": ORDERS[0]},
    "after": {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]+$",
        "description": "`next` of a page of the same query: go on behind it, in the state as it is by then.",
    },
}
_HEX: Final[_Schema] = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}


def _object(required: _Schema, optional: _Schema | None = None) -> _Schema:
    return {"type": "object", "properties": {**required, **(optional or {})}, "required": sorted(required)}


_OUTCOME: Final[_Schema] = {
    "status": {"enum": ["applied", "refused", "excluded"]},
    "code": _TEXT,
    "result": _ANY,
    "events": {"type": "array", "items": {"type": "object"}},
    "writes": _DIGEST,
    "steps": _LONG,
    "time": _LONG,
    "contract": _TEXT,
    "dialect": {"type": "integer"},
    "asserted": {
        **_TEXT,
        "description": "The user whose wish a member asserts; it signed itself. Empty: whose key it is signed.",
    },
}
_ENTRY_FIELDS: Final[_Schema] = {
    "seq": SEQ_SCHEMA,
    "kind": {"enum": list(entry.KINDS)},
    "id": _DIGEST,
    "height": SEQ_SCHEMA,
    "time": _LONG,
    "entry": _HEX,
    "envelope": _HEX,
    "outcome": _HEX,
    "decoded": _object(_OUTCOME),
}
_ROW: Final = _object(
    {
        "seq": SEQ_SCHEMA,
        "version": {**_TEXT, "description": "The contract's version that stored the value: it has the fields of that."},
        "value": {"type": "object"},
    }
)
_PAGE: Final = _object(
    {"size": SEQ_SCHEMA, "rows": {"type": "array", "items": _ROW}, "next": {"type": ["string", "null"]}}
)
_REASONS: Final[_Schema] = {
    "type": "array",
    "items": _object({"code": _TEXT, "detail": _TEXT, "remedy": _TEXT}),
}
_FAILURE: Final = _object(
    {
        "record": _NAME,
        "key": {"type": ["integer", "string"]},
        "code": _TEXT,
        "line": {"type": ["integer", "null"]},
        "message": _TEXT,
        "values": {"type": "object"},
    }
)
SESSION: Final = _object(
    {
        "user": {**_TEXT, "description": "MEMBER/PSEUDONYM"},
        "attributes": {"type": "array", "items": _TEXT},
        "issuer": _TEXT,
        "kid": _DIGEST,
        "until": _TIME,
        "held": {"type": "boolean", "description": "Whether the client holds the key; else the member's node does."},
        "seq": SEQ_SCHEMA,
    }
)
_NAMES: Final[_Schema] = {"type": "array", "items": _TEXT}
_K: Final[_Schema] = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MEMBERS_MAX}, {"const": DEFAULT_K}]}
_K_SAYS: Final = f"How many members, of those that have nodes; `{DEFAULT_K}`: f + 1 of them."
_SECRET: Final[_Schema] = {"type": "string", "minLength": 1, "maxLength": 100}
ANSWER: Final = _object(
    {"id": _DIGEST, "seq": SEQ_SCHEMA, "duplicate": {"type": "boolean"}, **_OUTCOME},
    {
        "receipt": _HEX,
        "cosigned": {
            **_object(
                {
                    "k": {"type": "integer"},
                    "members": _NAMES,
                    "missing": _NAMES,
                    "split": _NAMES,
                    "receipts": _HEX,
                }
            ),
            "description": "With `k`: what `/app/receipts/{seq}` gives with it, and who signed.",
        },
    },
)
PROBLEM: Final = _object(
    {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": _TEXT,
        "remedy": _TEXT,
    }
)


PLAIN: Final[_Schema] = {
    "description": "A value as contracts take it: JSON without fractions.",
    "anyOf": [
        {"type": ["string", "integer", "boolean", "null"]},
        {"type": "array", "items": _PLAIN},
        {"type": "object", "additionalProperties": _PLAIN},
    ],
}
_ITEM: Final[_Schema] = {"anyOf": [ANSWER, _object({"problem": PROBLEM})]}


_MESSAGE: Final[_Schema] = {
    **_object(
        {"data": {"type": "string", "contentMediaType": JSON}},
        {"id": _EVENT_ID, "event": {"enum": ["message", "heartbeat", "problem"], "default": "message"}},
    ),
    "description": "Each message of the stream.",
}


class Operation(msgspec.Struct, frozen=True):
    """One operation. `name` is the handler's; `parameters` and `query` give each parameter's schema."""

    name: str
    path: str
    summary: str
    answers: dict[str, _Schema]  # content type -> schema
    parameters: dict[str, _Schema] = {}
    query: dict[str, _Schema] = {}
    required: tuple[str, ...] = ()
    """What the query must give."""
    method: str = "GET"
    bodies: dict[str, _Schema] = {}
    statuses: tuple[int, ...] = ()
    """The refusals that this operation may give, besides 400 for a malformed request."""
    headers: dict[str, _Schema] = {}
    """What request headers say, of those that the operation reads beside the usual ones."""
    is_open: bool = False
    """Strangers may ask it from other machines: it tells next to nothing, or brings its own proof."""


_BINARY: Final[_Schema] = {"contentMediaType": "application/octet-stream"}
CONSISTENCIES: Final = ("local", "linear")
CONSISTENCY: Final[_Schema] = {
    "enum": list(CONSISTENCIES),
    "default": CONSISTENCIES[0],
    "description": "`linear`: what any node answered before is seen here; it costs one question to the order.",
}
AT_LEAST: Final[_Schema] = {
    **SEQ_SCHEMA,
    "description": "Answer when this node has the entry with this seq: what another node answered is then seen here.",
}
_CONTRACT: Final = {"contract": _NAME}
_RECORD: Final = {"contract": _NAME, "record": _NAME}
_KEY: Final = {"key": {"type": "string", "maxLength": 800}}
"""In the query: a key is any text, also one that would change the path (empty, `.`, `a/b`)."""

SUBMIT: Final = Operation(
    "submit",
    "/app/transactions",
    f"Submit one signed transaction, or a CBOR sequence of up to {BATCH_ENVELOPES_MAX}. "
    "Answers when its entry is durable; asking again with the same bytes is always safe.",
    {JSON: {"anyOf": [ANSWER, {"type": "array", "items": _ITEM}]}, CBOR: _BINARY},
    query={
        "receipt": {"type": "boolean"},
        "k": {**_K, "description": f"With `receipt=true`, by so many members, see `/app/receipts/{{seq}}`. {_K_SAYS}"},
        "wait": {"enum": ["committed", "accepted"]},
    },
    method="POST",
    bodies={COSE: _BINARY, CBOR_SEQUENCE: _BINARY},
    statuses=(202, 403, 409, 413, 415, 500, 503, 504),
    is_open=True,
)
"""Answered by `api.submit`, not by a route."""

SESSION_OPERATIONS: Final = (
    Operation(
        "register_session",
        "/app/sessions",
        "Sign in: a request for a session, signed by the session's own key, with an ID token in it (see the page on "
        "signing in). The node's member registers the key until the token ends; then it signs as any user's.",
        {JSON: SESSION},
        method="POST",
        bodies={COSE: _BINARY},
        statuses=(403, 404, 409, 413, 415, 503),
        is_open=True,
    ),
    Operation(
        "begin_asserted",
        "/app/sessions/asserted",
        "For clients that can hold no key: the node makes one. Answers with the nonce that the ID token must have, and "
        "a secret by which the session is meant from then on.",
        {JSON: _object({"session": _TEXT, "nonce": _TEXT})},
        method="POST",
        bodies={JSON: {"type": "object", "additionalProperties": False}},
        statuses=(403, 404, 413, 415, 503),
        is_open=True,
    ),
    Operation(
        "assert_token",
        "/app/sessions/asserted/token",
        "Registers the key that the node made, for whom the token names. What it signs is asserted by the member, and "
        "is no user's: `tx.user` is None, so roles that ask for a user refuse it.",
        {JSON: SESSION},
        method="POST",
        bodies={
            JSON: {
                **_object({"session": _SECRET, "token": {**_TEXT, "minLength": 1, "maxLength": TOKEN_BYTES_MAX}}),
                "additionalProperties": False,
            }
        },
        statuses=(403, 404, 409, 413, 415, 503),
        is_open=True,
    ),
    Operation(
        "assert_action",
        "/app/sessions/asserted/transactions",
        "Has the node sign and submit an action in such a session. The outcome says for whom, as `asserted`.",
        {JSON: ANSWER},
        method="POST",
        bodies={
            JSON: {
                **_object(
                    {
                        "session": _SECRET,
                        "contract": _NAME,
                        "action": _NAME,
                        "arguments": {"type": "object", "additionalProperties": _PLAIN},
                    }
                ),
                "additionalProperties": False,
            }
        },
        statuses=(403, 404, 409, 413, 415, 422, 503),
        is_open=True,
    ),
)
"""Signing in. Nodes that sign nobody in answer `session.off` to each."""

READER_OPERATIONS: Final = (
    Operation(
        "challenge",
        "/node/challenge",
        "What to sign for a token: random bytes that serve once, within a minute, and what the request for a token "
        "names beside, the ledger and the node's key. There only where the node is reached from other machines.",
        {JSON: _object({"challenge": _HEX, "ledger": _DIGEST, "node": _DIGEST})},
        statuses=(404, 429),
        is_open=True,
    ),
    Operation(
        "token",
        "/node/token",
        "A token to read with from other machines, for a challenge signed by a key of an active member, of one of its "
        "users or of a node of it. It serves here alone, for so many `seconds`, as long as its key counts.",
        {JSON: _object({"token": _TEXT, "seconds": SEQ_SCHEMA})},
        method="POST",
        bodies={COSE: _BINARY},
        statuses=(403, 404, 413, 415, 429),
        is_open=True,
    ),
)
"""Tokens to read with. Nodes that nobody reaches from other machines answer `reader.off` to each."""

REPLICA_OPERATIONS: Final = (
    Operation(
        "snapshots",
        "/node/snapshots",
        "The snapshots of the state that are kept here, the newest first: behind which block, and the digest that an "
        "entry of kind snapshot commits to.",
        {
            JSON: _object(
                {
                    "snapshots": {
                        "type": "array",
                        "items": _object(
                            {
                                "height": SEQ_SCHEMA,
                                "digest": _DIGEST,
                                "entries": SEQ_SCHEMA,
                                "time": _TIME,
                                "keys": SEQ_SCHEMA,
                                "chunks": SEQ_SCHEMA,
                                "bytes": SEQ_SCHEMA,
                            }
                        ),
                    }
                }
            )
        },
        statuses=(422,),
    ),
    Operation(
        "snapshot_manifest",
        "/node/snapshots/{height}",
        "The manifest of a snapshot, of which the SHA-256 is the digest.",
        {CBOR: _BINARY},
        {"height": SEQ_SCHEMA},
        statuses=(404, 422),
    ),
    Operation(
        "snapshot_chunk",
        "/node/snapshots/{height}/chunks/{number}",
        "A chunk of a snapshot; the manifest has its SHA-256. Check it before anything else.",
        {CBOR: _BINARY},
        {"height": SEQ_SCHEMA, "number": SEQ_SCHEMA},
        statuses=(404, 503),
    ),
    Operation(
        "blocks",
        "/node/blocks",
        "Blocks as the journal has them, write sets included, from the one that begins with the entry `from` on and "
        "none that begins at `until` or behind: about a mebibyte, one block at least. A CBOR sequence: first the "
        "hashes by which `until` entries continue the tree behind these blocks (RFC 9162 section 2.1.4; none where "
        "they end there), then each block as a byte string.",
        {CBOR_SEQUENCE: _BINARY},
        query={"from": SEQ_SCHEMA, "until": SEQ_SCHEMA},
        required=("from", "until"),
        statuses=(404, 500, 503),
    ),
)
"""What another node copies."""

OPERATIONS: Final = (
    *SESSION_OPERATIONS,
    *READER_OPERATIONS,
    *REPLICA_OPERATIONS,
    Operation(
        "transaction",
        "/app/transactions/{id}",
        "What became of a transaction, over all history. With `not_after`, says `never` once that is certain.",
        {
            JSON: _object(
                {"status": {"enum": ["committed", "pending", "not_found", "never"]}, "id": _DIGEST},
                {**_ENTRY_FIELDS, "entries": SEQ_SCHEMA},
            )
        },
        {"id": _DIGEST},
        {"not_after": _TIME},
    ),
    Operation(
        "entry",
        "/app/entries/{seq}",
        "An entry with its envelope and outcome.",
        {JSON: _object(_ENTRY_FIELDS)},
        {"seq": SEQ_SCHEMA},
        statuses=(404,),
    ),
    Operation(
        "entry_part",
        "/app/entries/{seq}/{part}",
        "The exact bytes of an entry, or of a body it commits to.",
        {CBOR: _BINARY},
        {"seq": SEQ_SCHEMA, "part": {"enum": ["entry", "envelope", "outcome", "writes"]}},
        statuses=(404,),
    ),
    Operation(
        "receipt",
        "/app/receipts/{seq}",
        "The COSE receipt (RFC 9942) for an entry. With `k`, receipts by so many members over one head, as a CBOR "
        "array of byte strings, each valid alone: the node asks other members' nodes to sign, waits some seconds, and "
        "gives what it has. The header Hansa-K says how many were asked for, Hansa-Members who signed, Hansa-Missing "
        "who else might have if that are fewer, and Hansa-Split who signed another root for the same size.",
        {COSE: _BINARY, RECEIPTS: _BINARY},
        {"seq": SEQ_SCHEMA},
        {
            "k": {**_K, "description": _K_SAYS},
        },
        statuses=(404, 409),
    ),
    Operation(
        "latest_checkpoint",
        "/app/checkpoints/latest",
        "The newest checkpoint; as COSE with `Accept: application/cose`.",
        {JSON: _object({"size": SEQ_SCHEMA, "root": _DIGEST}), COSE: _BINARY},
    ),
    Operation(
        "checkpoint",
        "/app/checkpoints/{size}",
        "This node's checkpoint of exactly this size: a stored one, or of one of the last blocks' ends.",
        {JSON: _object({"size": SEQ_SCHEMA, "root": _DIGEST}), COSE: _BINARY},
        {"size": SEQ_SCHEMA},
        statuses=(404,),
    ),
    Operation(
        "consistency",
        "/app/consistency",
        "The proof that the checkpoint of size `second` continues the tree of size `first`.",
        {COSE: _BINARY},
        query={"first": SEQ_SCHEMA, "second": SEQ_SCHEMA},
        required=("first", "second"),
        statuses=(404,),
    ),
    Operation(
        "events",
        "/app/events",
        "Events as they come, as server-sent events in the order of the ledger: all, or those of a contract or a name. "
        "`id` is SEQ-N, the event numbered N (from 0) of entry SEQ; `data` is one line of JSON with `id`, `seq`, "
        "`index`, `contract`, `version`, `name`, `time`, `transaction` and `data`, what the contract gave. Starts "
        "behind `after`, or behind the Last-Event-ID, which counts before it; `after=0` is from the beginning, without "
        "either it is from now on. `event: heartbeat` says with its id how far has been looked, at least every 15 s. "
        "`event: problem` is a problem document, and the end.",
        {EVENT_STREAM: _MESSAGE},
        query={
            "contract": _NAME,
            "name": {**_TEXT, "description": "Only events of this name."},
            "after": {**_EVENT_ID, "description": "SEQ-N, or SEQ for behind a whole entry."},
            "follow": {
                "type": "boolean",
                "default": True,
                "description": "Whether to stay; else the answer ends where the ledger ends now.",
            },
        },
        headers={"Last-Event-ID": _EVENT_ID},
        statuses=(404, 409, 503),
    ),
    Operation("contracts", "/app/contracts", "The contracts that run here.", {JSON: _object({"contracts": _ANY})}),
    Operation(
        "contract",
        "/app/contracts/{contract}",
        "What a contract declares, with JSON Schemas.",
        {JSON: _object({"contract": _NAME, "version": _TEXT, "actions": {"type": "object"}})},
        _CONTRACT,
        statuses=(404,),
    ),
    Operation(
        "source",
        "/app/contracts/{contract}/source",
        "A contract's source, as deployed.",
        {PYTHON: _TEXT},
        _CONTRACT,
        statuses=(404,),
    ),
    Operation(
        "versions",
        "/app/contracts/{contract}/versions",
        "A contract's versions, oldest first, each with the first entry that it decides about.",
        {
            JSON: _object(
                {
                    "versions": {
                        "type": "array",
                        "items": _object({"version": _TEXT, "digest": _DIGEST, "since": SEQ_SCHEMA}),
                    }
                }
            )
        },
        _CONTRACT,
        statuses=(404,),
    ),
    Operation(
        "trial",
        "/app/contracts/{contract}/trial",
        "What would come of an upgrade: why this file cannot follow at all (`problems`), and which live records could "
        "not be brought up to it or would break its rules (`failures`). A bounded number of records is tried at once; "
        "`next` goes into `after`. Nothing is changed.",
        {
            JSON: _object(
                {
                    "version": _TEXT,
                    "records": SEQ_SCHEMA,
                    "problems": {"type": "array", "items": _TEXT},
                    "failures": {"type": "array", "items": _FAILURE},
                    "next": {"type": ["string", "null"]},
                }
            )
        },
        _CONTRACT,
        method="POST",
        bodies={
            JSON: {
                **_object(
                    {"source": {**_TEXT, "minLength": 1, "maxLength": SOURCE_BYTES_MAX}},
                    {"after": {"type": ["string", "null"], "pattern": "^[A-Za-z0-9_-]+$"}},
                ),
                "additionalProperties": False,
            }
        },
        statuses=(404, 413, 422),
    ),
    Operation(
        "page",
        "/app/contracts/{contract}/records/{record}",
        "Records in the order of their keys or of an indexed field, all or from `least` up to `most`; `next` goes into "
        "`after`, `size` is the number of entries that the page was read at. Text is ordered by code point, bytes "
        "(hexadecimal here) bytewise; an absent value comes first.",
        {JSON: _PAGE},
        _RECORD,
        {"rows": _ROWS, **_RANGE},
        statuses=(404,),
    ),
    Operation(
        "record",
        "/app/contracts/{contract}/records/{record}/value",
        "The record of a key, as it is now; bytes in a key are hexadecimal.",
        {JSON: _ROW},
        _RECORD,
        _KEY,
        ("key",),
        statuses=(404,),
    ),
    Operation(
        "history",
        "/app/contracts/{contract}/records/{record}/history",
        "The values a record has had, newest first; `next` goes into `before`.",
        {JSON: _PAGE},
        _RECORD,
        {**_KEY, "rows": _ROWS, "before": SEQ_SCHEMA},
        ("key",),
        statuses=(404,),
    ),
    Operation(
        "view",
        "/app/contracts/{contract}/views/{view}",
        "What a view returns for these arguments, on so many `entries` and at the ledger `time` that a block made now "
        "would get: a deadline passes on an idle ledger too.",
        {JSON: _object({"result": _ANY, "steps": _LONG, "entries": SEQ_SCHEMA, "time": _LONG})},
        {"contract": _NAME, "view": _NAME},
        method="POST",
        bodies={JSON: {"type": "object", "additionalProperties": _PLAIN}},
        statuses=(404, 413, 422),
    ),
    Operation(
        "status",
        "/node/status",
        "How the node is.",
        {
            JSON: _object(
                {
                    "ledger": _DIGEST,
                    "state": {"enum": ["running", "refusing", "faulted"]},
                    "healthy": {"type": "boolean"},
                    "ready": {"type": "boolean"},
                    "reasons": _REASONS,
                    "warnings": _REASONS,
                    "entries": SEQ_SCHEMA,
                    "clock": {"enum": [genesis.REAL, genesis.TOLD]},
                    "now": _TIME,
                }
            )
        },
    ),
    Operation(
        "tell_time",
        "/node/clock",
        "Put the clock forward where the ledger's time is told, for demonstrations only; refused elsewhere. "
        "What is due on the way is taken when it is due. Where that is much, the answer comes before the clock is "
        "there: `now` says how far it came, and the same request again goes on. It stops when the client goes; a "
        "second one meanwhile is refused with `clock.moving`. An `Origin` that is not the node's own is refused.",
        {JSON: _object({"now": _TIME, "entries": SEQ_SCHEMA})},
        method="POST",
        bodies={JSON: _object({"time": {**_TIME, "maximum": INSTANT_MAX}})},
        statuses=(403, 409, 413, 415),
    ),
    Operation(
        "health",
        "/node/health",
        "Whether the node lives; if not, it has stopped for good, and `reasons` say why. They also say what it lives "
        "with: a key that expires, or that it misses. Strangers on other machines are told no reasons.",
        {JSON: _object({"healthy": {"type": "boolean"}, "reasons": _REASONS})},
        statuses=(503,),
        is_open=True,
    ),
    Operation(
        "ready",
        "/node/ready",
        "Whether the node takes transactions, and if not, why.",
        {JSON: _object({"ready": {"type": "boolean"}, "reasons": _REASONS})},
        statuses=(503,),
    ),
    Operation(
        "engine",
        "/node/engine/{route}",
        "What the ordering engine tells a light client of its chain, as the engine says it (CometBFT's RPC, of which "
        "nothing else is there). From other machines: for the ledger's nodes alone.",
        {JSON: {"type": "object"}},
        {"route": {"enum": list(ENGINE_ROUTES)}},
        dict.fromkeys(("height", "page", "per_page", "minHeight", "maxHeight"), SEQ_SCHEMA),
        statuses=(403, 404, 503),
    ),
    Operation(
        "metrics",
        "/node/metrics",
        "What the node counts, in Prometheus' text format; docs/reference/metrics.md explains each.",
        {PROMETHEUS: {"type": "string"}},
    ),
    Operation("version", "/node/version", "The version of Hansa.", {JSON: _object({"version": _TEXT})}),
    Operation("genesis", "/node/genesis", "The genesis document: its SHA-256 is the ledger's id.", {CBOR: _BINARY}),
    Operation(
        "trust",
        "/node/trust",
        "The trust file: the chain of key changes from genesis to a checkpoint under a current key, each with its "
        "proof. `hansa trust export` adds to it what old receipts need.",
        {CBOR: _BINARY},
        statuses=(409,),
    ),
    Operation("openapi", "/openapi.json", "This description.", {JSON: {"type": "object"}}),
    Operation(
        "problem",
        "/problems/{code}",
        "What an error code means and what to do about it.",
        {JSON: _object({"code": _TEXT, "title": _TEXT, "status": {"type": "integer"}, "remedy": _TEXT})},
        {"code": {"type": "string", "minLength": 1, "maxLength": 64}},
        statuses=(404,),
    ),
)
