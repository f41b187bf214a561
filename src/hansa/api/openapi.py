"""The OpenAPI 3.1 description, made from the table of operations and the contracts that run here."""

from collections.abc import Sequence
from typing import Any, Final

import hansa
from hansa.api.governance_operations import ALL, PROPOSAL
from hansa.api.operations import PLAIN, PROBLEM, Operation
from hansa.contracts.manifest import Manifest
from hansa.contracts.schema import arguments_schema, definitions, event_schemas, record_schema, type_schema

_PROBLEM_TYPE: Final = "application/problem+json"
MEANINGS: Final = {
    202: "Accepted; not yet durable",
    400: "The request is malformed",
    401: "Strangers on other machines are told nothing: show a token",
    403: "The sender or its signature does not count",
    404: "There is no such thing",
    409: "It has happened already",
    413: "Too large",
    415: "The content type is not one of those taken here",
    422: "Understood, but it cannot be done",
    429: "Too many requests from there; come back after Retry-After",
    500: "The node is broken",
    503: "Not now; come back after Retry-After",
    504: "No answer in time: the outcome is unknown, ask again with the same bytes",
}

_SCHEMES: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Of /node/token: by a registered key, for 15 minutes.",
    },
    "node": {"type": "mutualTLS", "description": "By the registered key of another node of the ledger."},
}
_SECURITY: Final[list[dict[str, list[str]]]] = [{"token": []}, {"node": []}, {}]
"""One of the two from other machines; on loopback nothing is asked for."""


def document(manifests: Sequence[Manifest]) -> dict[str, Any]:
    """The whole description; each contract's argument and record schemas are among the components."""
    paths: dict[str, Any] = {}
    for operation in ALL:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Hansa node", "version": hansa.__version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {"Plain": PLAIN, "Problem": PROBLEM, "Proposal": PROPOSAL, **_contract_schemas(manifests)},
            "securitySchemes": _SCHEMES,
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": [
            *({"name": n, "in": "path", "required": True, "schema": s} for n, s in operation.parameters.items()),
            *(
                {"name": n, "in": "query", "required": n in operation.required, "schema": s}
                for n, s in operation.query.items()
            ),
            *({"name": n, "in": "header", "required": False, "schema": s} for n, s in operation.headers.items()),
        ],
        "responses": {
            "200": {"description": "Done", "content": {t: {"schema": s} for t, s in operation.answers.items()}},
            **{str(status): _refusal(status) for status in sorted(_statuses(operation))},
        },
        "security": [{}] if operation.is_open else _SECURITY,
    }
    if operation.bodies:
        content = {media: {"schema": schema} for media, schema in operation.bodies.items()}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _statuses(operation: Operation) -> set[int]:
    return {400, *operation.statuses} | (set() if operation.is_open else {401})


def _refusal(status: int) -> dict[str, Any]:
    media = _PROBLEM_TYPE if status >= 400 else "application/json"
    schema = {"$ref": "#/components/schemas/Problem"} if status >= 400 else {"type": "object"}
    # A node that is not ready says why in the form of its route, everything else is a problem document.
    content = {media: {"schema": schema}, "application/json": {"schema": {"type": "object"}}}
    return {"description": MEANINGS[status], "content": content}


def _contract_schemas(manifests: Sequence[Manifest]) -> dict[str, Any]:
    """A component for each record, struct, enum, the arguments of each action and view, what each view returns, events.

    All events of a contract are one, since their names may be of any characters.
    """
    found: dict[str, Any] = {}
    for manifest in manifests:
        at = f"#/components/schemas/{manifest.name}."
        for name, schema in definitions(manifest, at).items():
            found[f"{manifest.name}.{name}"] = schema
        for record in manifest.records.values():
            found[f"{manifest.name}.{record.name}"] = record_schema(record, manifest, at)
        for action in (*manifest.actions.values(), *manifest.views.values()):
            found[f"{manifest.name}.{action.name}.arguments"] = arguments_schema(action, manifest, at)
        for view in manifest.views.values():
            if view.returns is not None:
                found[f"{manifest.name}.{view.name}.result"] = type_schema(view.returns, manifest, at)
        if manifest.said.events:
            found[f"{manifest.name}.events"] = {
                "oneOf": [_event(name, data) for name, data in event_schemas(manifest, at).items()]
            }
    return found


def _event(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """The schema of an event, as outcomes and the stream of events have it."""
    properties = {"name": {"const": name}, "data": data}
    return {"type": "object", "properties": properties, "required": ["name", "data"]}
