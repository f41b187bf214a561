"""Makes the page of the actions of governance from the table that proposals are read by."""

import json
from typing import Any, Final

from hansa.client.proposals import ACTIONS, ACTIONS_MAX, Action

_EXAMPLE: Final = {
    "title": "Admit New Bank",
    "actions": [
        {
            "name": "set_member",
            "args": {
                "member_id": "newbank",
                "name": "New Bank",
                "keys": [
                    {"purpose": "governance", "pem": {"file": "newbank-governance.pub.pem"}},
                    {"purpose": "transaction", "pem": {"file": "newbank.pub.pem"}},
                ],
                "attributes": ["licence:bank"],
            },
        }
    ],
}


def page() -> str:
    """The page."""
    lines = [
        "# Actions of governance",
        "",
        "What a proposal may hold: a JSON document with `actions`, 1 to "
        f"{ACTIONS_MAX} of them, carried out together or not",
        "at all, and perhaps `title` (by default what it does) and `closes` (until when it may be voted on: RFC 3339",
        "or milliseconds; 30 days by default, 90 at most). Names are CCF's where the meaning is equal.",
        "[Govern a ledger](../how-to/govern.md) shows how to propose, plan and vote.",
        "",
        "```json",
        *json.dumps(_EXAMPLE, indent=2).splitlines(),
        "```",
        "",
        'The command line, and it alone, reads `{"file": "PATH"}` in place of a text, beside the proposal\'s own file.',
        "A key is a public key: `pem`, or `spki` (its SubjectPublicKeyInfo in hexadecimal), with its `purpose` and",
        "perhaps `expires`, which only warns. The JSON Schema is in a node's `/openapi.json`, `Proposal`.",
        "",
        "This page is made from the code by `make docs`.",
    ]
    for name, action in ACTIONS.items():
        lines += _action(name, action)
    return "\n".join(lines) + "\n"


def _action(name: str, action: Action) -> list[str]:
    lines = ["", f"## `{name}`", "", action.about, "", "| Argument | Required | What it is |", "|---|---|---|"]
    for argument, declared in action.arguments.items():
        told = _told(declared.schema)
        lines.append(f"| `{argument}` | {'yes' if declared.required else 'no'} | {declared.about} {told} |")
    if action.some:
        lines += ["", "At least one of those that are not required is given."]
    return lines


def _told(found: dict[str, Any]) -> str:
    """What a value's schema says, in words."""
    match found:
        case {"type": "array", "maxItems": most}:
            return f"A list of at most {most}."
        case {"type": "integer", "minimum": least, "maximum": most}:
            return f"{least:,} to {most:,}."
        case {"type": "string", "minLength": least, "maxLength": most}:
            return f"Text of {least:,} to {most:,} characters."
        case _:
            return "A time: RFC 3339, or milliseconds since 1970 UTC."
