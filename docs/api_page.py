"""Makes the page of the HTTP API from the table of operations that the routes are made from."""

import json
from typing import Any, Final

from hansa.api.governance_operations import ALL
from hansa.api.openapi import MEANINGS
from hansa.api.operations import Operation
from hansa.cli.up import PORT
from hansa.wire.problems import KINDS

EXAMPLES: Final = {
    "submit": "/app/transactions?receipt=true",
    "transaction": "/app/transactions/ID",
    "entry": "/app/entries/3",
    "entry_part": "/app/entries/3/envelope",
    "receipt": "/app/receipts/3",
    "latest_checkpoint": "/app/checkpoints/latest",
    "checkpoint": "/app/checkpoints/4",
    "consistency": "/app/consistency?first=2&second=4",
    "events": "/app/events?contract=example_ledger&after=0&follow=false",
    "register_session": "/app/sessions",
    "begin_asserted": "/app/sessions/asserted",
    "assert_token": "/app/sessions/asserted/token",
    "assert_action": "/app/sessions/asserted/transactions",
    "contracts": "/app/contracts",
    "contract": "/app/contracts/example_ledger",
    "source": "/app/contracts/example_ledger/source",
    "versions": "/app/contracts/example_ledger/versions",
    "trial": "/app/contracts/example_ledger/trial",
    "page": "/app/contracts/example_ledger/records/Title?index=owner&value=northbank&rows=10",
    "record": "/app/contracts/example_ledger/records/Title/value?key=ship",
    "history": "/app/contracts/example_ledger/records/Title/history?key=ship",
    "view": "/app/contracts/example_ledger/views/balance_of",
    "create_proposal": "/gov/members/proposals:create?api-version=2026-11-01",
    "plan_proposal": "/gov/members/proposals:plan?api-version=2026-11-01&proposer=northbank",
    "plan_standing_proposal": "/gov/members/proposals/PROPOSAL:plan?api-version=2026-11-01",
    "proposals": "/gov/members/proposals?api-version=2026-11-01&open=true",
    "proposal": "/gov/members/proposals/PROPOSAL?api-version=2026-11-01",
    "proposal_actions": "/gov/members/proposals/PROPOSAL/actions?api-version=2026-11-01",
    "withdraw_proposal": "/gov/members/proposals/PROPOSAL:withdraw?api-version=2026-11-01",
    "submit_ballot": "/gov/members/proposals/PROPOSAL/ballots/northbank:submit?api-version=2026-11-01",
    "ballot": "/gov/members/proposals/PROPOSAL/ballots/northbank?api-version=2026-11-01",
    "constitution": "/gov/service/constitution?api-version=2026-11-01",
    "service": "/gov/service/info?api-version=2026-11-01",
    "members": "/gov/service/members?api-version=2026-11-01",
    "member": "/gov/service/members/northbank?api-version=2026-11-01",
    "users": "/gov/service/users?api-version=2026-11-01&member=northbank",
    "keys": "/gov/service/keys?api-version=2026-11-01&owner=northbank",
    "deployments": "/gov/service/contracts?api-version=2026-11-01",
    "limits": "/gov/service/limits?api-version=2026-11-01",
    "references": "/gov/service/references?api-version=2026-11-01",
    "issuers": "/gov/service/issuers?api-version=2026-11-01",
    "status": "/node/status",
    "tell_time": "/node/clock",
    "challenge": "/node/challenge",
    "token": "/node/token",
    "health": "/node/health",
    "ready": "/node/ready",
    "engine": "/node/engine/status",
    "metrics": "/node/metrics",
    "version": "/node/version",
    "genesis": "/node/genesis",
    "trust": "/node/trust",
    "snapshots": "/node/snapshots",
    "snapshot_manifest": "/node/snapshots/1200",
    "snapshot_chunk": "/node/snapshots/1200/chunks/0",
    "blocks": "/node/blocks?from=0&until=4",
    "openapi": "/openapi.json",
    "problem": "/problems/state.denied",
}
"""A request for each operation, to a ledger with `example_ledger` on it; tests send them. `ID` is a
transaction's, `PROPOSAL` a proposal's. Those of signing in are not sent: `SECRET` and `TOKEN` are of whoever does."""

BODIES: Final[dict[str, Any]] = {
    "trial": {"source": 'from hansa.contract import Contract\n\n\nclass Next(Contract, version="2.0.0"):\n    pass\n'},
    "view": {"account": "northbank"},
    "plan_proposal": {"actions": [{"name": "pause_contract", "args": {"name": "example_ledger"}}]},
    "tell_time": {"time": 1_767_603_600_000},
    "begin_asserted": {},
    "assert_token": {"session": "SECRET", "token": "TOKEN"},
    "assert_action": {
        "session": "SECRET",
        "contract": "example_ledger",
        "action": "tell",
        "arguments": {"to": "eastmutual", "message": "hello"},
    },
}
"""What goes with those that take JSON."""


def page() -> str:
    """The page."""
    lines = [
        "# HTTP API",
        "",
        "What a node answers, on loopback. A running node describes the same at `/openapi.json`, with the JSON Schemas",
        "of its contracts. Refusals are RFC 9457 problem documents (`application/problem+json`) with `code` and",
        "`remedy`; [the page of codes](errors.md) has all of them. A query parameter that is not listed is refused.",
        "",
        f"Examples are requests to `http://127.0.0.1:{PORT}` where",
        "[the example ledger](../../apps/example_ledger/contract.py) is deployed.",
        "",
        "This page is made from the code by `make docs`.",
    ]
    for title, start in (("Ledger", "/app/"), ("Governance", "/gov/"), ("Node", "/node/"), ("Descriptions", "/")):
        shown = [operation for operation in ALL if _section(operation) == start]
        lines += ["", f"## {title}"]
        for operation in shown:
            lines += _operation(operation)
    lines += [
        "",
        "## Statuses",
        "",
        "Some of the codes come on the command line only.",
        "",
        "| Status | Meaning | Codes |",
        "|---|---|---|",
    ]
    for status, meaning in MEANINGS.items():
        codes = ", ".join(f"`{code}`" for code, kind in sorted(KINDS.items()) if kind.status == status)
        lines.append(f"| {status} | {meaning} | {codes} |")
    return "\n".join(lines) + "\n"


def _section(operation: Operation) -> str:
    return next(start for start in ("/app/", "/gov/", "/node/", "/") if operation.path.startswith(start))


def _operation(operation: Operation) -> list[str]:
    lines = ["", f"### `{operation.method} {operation.path}`", "", operation.summary]
    rows = [(name, "path", "yes", schema) for name, schema in operation.parameters.items()]
    given = ((name, "yes" if name in operation.required else "no", s) for name, s in operation.query.items())
    rows += [(name, "query", required, schema) for name, required, schema in given]
    if rows:
        lines += ["", "| Parameter | In | Required | What it is |", "|---|---|---|---|"]
        lines += [f"| `{name}` | {place} | {required} | {_told(schema)} |" for name, place, required, schema in rows]
    if operation.bodies:
        lines += ["", "Takes " + ", or ".join(f"`{media}`{_fields(s)}" for media, s in operation.bodies.items()) + "."]
    answers = ", or ".join(f"`{media}`{_fields(schema)}" for media, schema in operation.answers.items())
    refusals = ", ".join(str(status) for status in sorted({400, *operation.statuses}))
    lines += ["", f"Answers 200: {answers}. Else {refusals}."]
    lines += ["", "```http", f"{operation.method} {EXAMPLES[operation.name]} HTTP/1.1"]
    if operation.name in BODIES:
        lines += ["Content-Type: application/json", "", json.dumps(BODIES[operation.name])]
    elif operation.bodies:
        lines += [f"Content-Type: {next(iter(operation.bodies))}", "", "(the envelope's bytes)"]
    return [*lines, "```"]


def _told(schema: dict[str, Any]) -> str:
    """A parameter's schema in words."""
    parts: list[str] = []
    if "enum" in schema:
        parts.append(" or ".join(f"`{value}`" for value in schema["enum"]))
    elif "type" in schema:
        parts.append(str(schema["type"]))
    if "minimum" in schema:
        parts.append(f"{schema['minimum']:,} to {schema['maximum']:,}")
    if "pattern" in schema:
        parts.append(f"`{schema['pattern']}`".replace("|", "\\|"))
    if "maxLength" in schema:
        parts.append(f"at most {schema['maxLength']} characters")
    if "default" in schema:
        parts.append(f"by default `{schema['default']}`")
    told = ", ".join(parts)
    return f"{told}. {schema['description']}" if "description" in schema else told


def _fields(schema: dict[str, Any]) -> str:
    """The fields of what is sent or answered."""
    if "properties" in schema:
        return " with " + ", ".join(f"`{name}`" for name in schema["properties"])
    if "anyOf" in schema:
        return _fields(schema["anyOf"][0]) + ", or an array of such"
    return ""
