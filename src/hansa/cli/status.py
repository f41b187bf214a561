"""`hansa status`: how the node is, in one sentence, and its numbers."""

from pathlib import Path
from typing import Any

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.wire import genesis
from hansa.wire.problems import HansaError


@click.command()
@data_option()
@url_option()
@click.pass_obj
def status(out: Output, data: Path, url: str | None) -> int:
    """Show how the node is. Exits with 3 if it does not run, does not answer, or takes no transactions."""
    try:
        with connect(data, url) as node:
            found: dict[str, Any] = {"url": node.url, **node.get("/node/status")}
    except HansaError as error:
        if not error.code.startswith("node."):
            raise
        out.error(error)
        return output.UNHEALTHY
    healthy = found["state"] == "running"
    out.show(found, lambda: _text(out, found))
    return output.DONE if healthy else output.UNHEALTHY


def _text(out: Output, found: dict[str, Any]) -> str:
    when = output.moment(int(found["time"]))
    lines = [
        f"ledger      {output.shown(found['name'])}  {found['ledger']}",
        f"url         {found['url']}",
        f"entries     {found['entries']:,}  in {found['height'] + 1:,} blocks, the last at {when}",
        f"checkpoint  size {found['checkpoint']:,}",
        f"waiting     {found['waiting']:,}",
    ]
    if found["clock"] == genesis.TOLD:
        lines.append(f"clock       {output.moment(int(found['now']))}; {genesis.TOLD_IN_WORDS}")
    lines.append("")
    if found["state"] == "running":
        lines.append(out.style("The node runs and takes transactions.", fg="green"))
    else:
        reason = output.shown(f"{found['detail']} [{found['trouble']}]")
        lines.append(out.style(f"The node takes no transactions: {reason}", fg="red"))
    return "\n".join(lines)
