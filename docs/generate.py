"""Makes the pages that follow from the code: codes, commands, API, settings, dialect and others; `make docs` runs it.

So it does the pictures of the states of our applications.

A test makes them again and compares, so they cannot fall behind.
"""

import json
from pathlib import Path

import click

from docs import (
    actions_page,
    api_page,
    dialect_page,
    findings_page,
    proposal_picture,
    python_page,
    settings_page,
    vectors,
)
from hansa.cli.main import COMMON, cli
from hansa.contracts import program
from hansa.contracts.diagram import States, state_machines
from hansa.contracts.drawing import svg
from hansa.governance.genesis import CONTRACT
from hansa.node.create import members_source
from hansa.node.metrics import METRICS
from hansa.node.tally import ENTRIES, SECONDS
from hansa.wire.problems import KINDS

FOLDER = Path(__file__).parent / "reference"
STATES = Path(__file__).parent / "how-to" / "states"
PROPOSAL = Path(__file__).parent / "tutorial" / "proposal.svg"
APPS = Path(__file__).parents[1] / "apps"
GROUPS = {
    "cbor": "Deterministic CBOR",
    "envelope": "Envelopes",
    "signature": "Signatures",
    "sender": "Senders",
    "transaction": "Transactions",
    "exclusion": "Exclusions",
    "proposal": "Proposals",
    "constitution": "Constitutions",
    "batch": "Batches",
    "steps": "Steps",
    "queue": "The queue",
    "answer": "Answers",
    "request": "Requests",
    "query": "Queries",
    "argument": "Arguments of commands",
    "calendar": "Calendars",
    "contract": "Contracts",
    "upgrade": "Versions of contracts",
    "action": "Actions",
    "arguments": "Arguments of actions",
    "precondition": "Preconditions",
    "require": "Rules",
    "invariant": "Rules that always hold",
    "role": "Roles",
    "record": "Records",
    "records": "Records together",
    "value": "Values",
    "index": "Lists",
    "call": "Calls",
    "tx": "Who signed",
    "schedule": "Schedules",
    "output": "What an action gives out",
    "view": "Views",
    "entry": "Entries",
    "events": "Events",
    "forward": "Forwarded events",
    "outcome": "Outcomes",
    "writes": "Write sets",
    "block": "Blocks",
    "genesis": "Genesis",
    "snapshot": "Snapshots",
    "ledger": "The ledger",
    "memory": "What a client remembers",
    "tree": "The tree",
    "checkpoint": "Checkpoints",
    "receipt": "Receipts",
    "verify": "Verification",
    "trust": "Trust files",
    "split": "Split views",
    "audit": "Audit",
    "swift": "SWIFT messages",
    "key": "Keys",
    "reader": "Reading from other machines",
    "tls": "Certificates",
    "session": "Signing in",
    "token": "ID tokens",
    "issuer": "Issuers of ID tokens",
    "node": "The node",
    "clock": "The clock",
    "engine": "Ordering engines",
    "folder": "The data folder",
    "journal": "The journal",
    "disk": "The disk",
    "tiles": "The tree's rows",
    "state": "The state",
    "backup": "Backups",
    "network": "Networks",
    "invite": "Invites",
    "orderer": "The order",
    "read": "Reads that wait",
    "peers": "Other nodes that sign",
}


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    made, keys = vectors.make()
    document = {
        "note": "Test keys and messages of the wire format, version 0; bytes in hexadecimal. Never use these keys.",
        "keys": keys,
        "vectors": [{"name": v.name, "rule": v.rule, "note": v.note, "bytes": v.data.hex()} for v in made],
    }
    return {
        "errors.md": errors(),
        "commands.md": commands(),
        "dialect.md": dialect_page.page(),
        "metrics.md": metrics(),
        "findings.md": findings_page.page(),
        "settings.md": settings_page.page(),
        "api.md": api_page.page(),
        "governance-actions.md": actions_page.page(),
        "client.md": python_page.client_page(),
        "testing.md": python_page.testing_page(),
        "wire-vectors.json": json.dumps(document, indent=1) + "\n",
    }


def states() -> dict[str, list[States]]:
    """The state machines of every application that has some, by its name."""
    files = [APPS / "letter_of_credit" / "contract.py", *sorted((APPS / "cookbook").glob("*/contract.py"))]
    checked = {file.parent.name: program.check(file.read_text("utf-8"), file.parent.name) for file in files}
    found = {name: state_machines(each.manifest) for name, each in checked.items()}
    return {name: machines for name, machines in found.items() if machines}


def proposal() -> States:
    """The states of a proposal, for the tutorial on governing."""
    manifest = program.check(members_source(), CONTRACT, system=True).manifest
    return proposal_picture.of(next(each for each in state_machines(manifest) if each.record == "Proposal"))


def errors() -> str:
    """The page of error codes."""
    lines = [
        "# Error codes",
        "",
        "Every expected failure has a stable code. Over HTTP it comes as an RFC 9457 problem document with the status",
        "below; on the command line in two lines, `error:` and `hint:`. A node serves each of these as",
        "`GET /problems/CODE`. Codes with status 200 are outcomes: the transaction has an entry, and the entry says",
        "*refused*.",
        "",
        "This page is made from the code by `make docs`.",
    ]
    for prefix, title in GROUPS.items():
        found = {code: kind for code, kind in KINDS.items() if code.split(".")[0] == prefix}
        lines += ["", f"## {title}", "", "| Code | Status | What happened | What to do |", "|---|---|---|---|"]
        lines += [f"| `{code}` | {k.status} | {k.title} | {k.remedy} |" for code, k in sorted(found.items())]
    return "\n".join(lines) + "\n"


def commands() -> str:
    """The page of commands."""
    lines = [
        "# Commands",
        "",
        "Every command takes `--json` (one JSON document on stdout, also for errors), `--quiet` and `--no-color`",
        "(so does the environment variable `NO_COLOR`), anywhere on the line. Exit codes: 0 done, 1 failed, 2 wrong",
        "usage, 3 unhealthy, 4 refused by the rules of the ledger. `HANSA_DATA` names the default data folder.",
        "",
        "This page is made from the code by `make docs`.",
    ]
    with click.Context(cli, info_name="hansa") as context:
        for name in cli.list_commands(context):
            command = cli.get_command(context, name)
            assert command is not None
            lines += _command(command, f"hansa {name}", context)
    return "\n".join(lines) + "\n"


def metrics() -> str:
    """The page of metrics."""
    lines = [
        "# Metrics",
        "",
        "A node serves these at `GET /node/metrics` in Prometheus' text format. Counters and histograms begin with the",
        "process. No label holds a name that a user chose, so there are never more series than this page suggests.",
        "",
        "This page is made from the code by `make docs`.",
        "",
        "| Metric | Type | Label | Meaning |",
        "|---|---|---|---|",
    ]
    for metric in METRICS:
        label = f"`{metric.label}`" if metric.label else ""
        lines.append(f"| `{metric.name}` | {metric.type} | {label} | {metric.help} |")
    lines += [
        "",
        f"Bounds of `hansa_block_entries`: {', '.join(map(str, ENTRIES))}. Bounds of the histograms of seconds:",
        f"{', '.join(map(str, SECONDS))}.",
        "",
        "`family` is the first word of an error's code, such as `queue` of `queue.full`: see [error codes](errors.md).",
    ]
    return "\n".join(lines) + "\n"


def _command(command: click.Command, path: str, parent: click.Context) -> list[str]:
    with click.Context(command, info_name=path.rsplit(maxsplit=1)[-1], parent=parent) as context:
        if isinstance(command, click.Group):
            inner: list[str] = []
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                inner += _command(found, f"{path} {name}", context)
            return inner
        usage = " ".join(command.collect_usage_pieces(context))
        lines = [
            "",
            f"## `{path}`",
            "",
            "```text",
            f"{path} {usage}".strip(),
            "```",
            "",
            _paragraphs(command.help or ""),
        ]
        shown = {"--help", *COMMON}  # at the top of the page, once for all
        options = [p for p in command.get_params(context) if isinstance(p, click.Option) and shown.isdisjoint(p.opts)]
        if options:
            lines += ["", "| Option | Meaning |", "|---|---|"]
            lines += [f"| `{_option(option)}` | {_meaning(option)} |" for option in options]
        return lines


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _option(option: click.Option) -> str:
    words = ", ".join(option.opts)
    if option.is_flag:
        return words
    if isinstance(option.type, click.Choice):
        return words + " " + r"\|".join(map(str, option.type.choices))  # as in a table
    return f"{words} {option.metavar or option.type.name.removesuffix(' range').upper()}"


def _meaning(option: click.Option) -> str:
    default = settings_page.default_of(option) if option.show_default and not option.is_flag else ""
    return (option.help or "") + (f" Default: {default}." if default else "")


def main() -> None:
    """Writes the pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
        print(f"wrote {FOLDER.name}/{name}")
    STATES.mkdir(exist_ok=True)
    for name, machines in states().items():
        (STATES / f"{name}.svg").write_text(svg(machines), "utf-8")
        print(f"wrote {STATES.name}/{name}.svg")
    PROPOSAL.write_text(svg([proposal()]), "utf-8")
    print(f"wrote {PROPOSAL.parent.name}/{PROPOSAL.name}")


if __name__ == "__main__":
    main()
