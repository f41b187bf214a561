"""`hansa doctor`: looks folder and machine over and names the fix for what it finds."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import data_option, running_url
from hansa.client.client import Client
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.node.doctor import Check


@click.command()
@data_option()
@click.pass_obj
def doctor(out: Output, data: Path) -> int:
    """Check disk, clock, keys, folder and node. Exits with 3 if something is bad, or there is no ledger."""
    from hansa.node.doctor import Check as Seen
    from hansa.node.doctor import examine
    from hansa.store.folder import Folder

    checks = examine(data)
    url = running_url(data)
    if url is None:
        checks.append(Seen("node", "unknown", f"none runs over {data}", "start it with `hansa up`"))
    else:
        try:
            with Client(url, patient=False) as node:
                found = node.get("/node/status")
            good = found["state"] == "running"
            seen = f"{found['state']} at {url}" + ("" if good else f": {output.shown(found['detail'])}")
            checks.append(Seen("node", "good" if good else "bad", seen, "" if good else "see `hansa status`"))
        except HansaError as error:
            checks.append(Seen("node", "bad", error.detail, error.remedy))
    out.show({"checks": checks}, lambda: _text(out, checks))
    bad = any(check.verdict == "bad" for check in checks)
    return output.UNHEALTHY if bad or not Folder(data).exists() else output.DONE


def _text(out: Output, checks: "list[Check]") -> str:
    colors = {"good": "green", "warning": "yellow", "bad": "red", "unknown": "blue"}
    lines: list[str] = []
    for check in checks:
        lines.append(f"{out.style(check.verdict.ljust(8), fg=colors[check.verdict])} {check.name:10}  {check.seen}")
        if check.fix:
            lines.append(f"{'':8} {'':10}  -> {check.fix}")
    return "\n".join(lines)
