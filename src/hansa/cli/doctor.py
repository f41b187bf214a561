"""`hansa doctor`: looks machine, folder and node over and names the fix for what it finds."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click
import msgspec
from click.core import ParameterSource

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import client, data_option, ledgers, running_url, url_option
from hansa.cli.progress import Progress
from hansa.cli.up import PORT
from hansa.client.client import Client
from hansa.client.next_block import NEEDED
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.doctor.check import Check

_NEEDED: Final = NEEDED | {"ledger", "state", "entries", "healthy", "detail"}
"""What the status of a node has that the checks read."""
_COLORS: Final = {"ok": "green", "warn": "yellow", "fail": "red", "unknown": "blue"}


@click.command()
@data_option()
@url_option("The node's URL, if the folder does not say it.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Where a node would listen."
)
@click.pass_context
def doctor(context: click.Context, data: Path, url: str | None, port: int) -> int:
    """Check disk, clock, ports, versions, keys and a sample of entries; nothing is changed.

    Looks at the machine alone where there is no ledger. What could not be checked is told as unknown, with the reason.
    Exits with 3 if something fails, or there is no ledger in the folder named.
    """
    from hansa.doctor.examination import examine
    from hansa.store.folder import Folder

    out: Output = context.obj
    named = context.get_parameter_source("data") is not ParameterSource.DEFAULT or "HANSA_DATA" in os.environ
    output.log_to_stderr()
    data = ledgers(data)[0]
    found = url or (running_url(data) if Folder(data).node.is_file() else None)  # a pipe would be waited for
    node = None if found is None else _reached(found)
    checks: list[Check] = []
    try:
        with Progress(out, "checks made and entries read") as progress:
            read = 0

            def tell(entries: int) -> None:
                nonlocal read
                read = entries
                progress.tell(len(checks) + read)

            for check in examine(data, port=port, named=named, url=found, node=node, tell=tell):
                checks.append(check)
                progress.tell(len(checks) + read)
    finally:
        if node is not None:
            node.close()
    failed = any(check.verdict == "fail" for check in checks)
    fields = {"healthy": not failed, "checks": [msgspec.structs.asdict(check) for check in checks]}
    out.show(fields, lambda: _text(out, checks))
    return output.UNHEALTHY if failed else output.DONE


def _reached(url: str) -> Client | None:
    """A client of a node that answers as one; none if it does not."""
    node = client(url)
    try:
        status = node.get("/node/status")
    except HansaError:
        status = None
    if isinstance(status, dict) and set(cast("dict[str, object]", status)) >= _NEEDED:
        return node
    node.close()
    return None


def _text(out: Output, checks: "list[Check]") -> str:
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        verdict = out.style(check.verdict.ljust(7), fg=_COLORS[check.verdict])
        lines.append(f"{verdict}  {check.name:{width}}  {output.shown(check.seen)}")
        if check.verdict != "ok":
            lines.append(f"{'':7}  {'':{width}}  why: {output.shown(check.why)}")
            lines.append(f"{'':7}  {'':{width}}  fix: {output.shown(check.fix)}")
    count = {verdict: sum(check.verdict == verdict for check in checks) for verdict in _COLORS}
    told = ", ".join(f"{number} {verdict}" for verdict, number in count.items() if number)
    return "\n".join([*lines, "", f"{len(checks)} checks: {told}"])
