"""`hansa status`: how the node is, in one sentence, and its numbers."""

import time
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.client.next_block import NextBlock, next_block
from hansa.wire import genesis
from hansa.wire.problems import HansaError

_UNITS_S: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


@click.command()
@data_option()
@url_option()
@click.pass_obj
def status(out: Output, data: Path, url: str | None) -> int:
    """Show how the node is, and why there is no new block if none comes.

    Exits with 3 if it does not run, does not answer, or takes no transactions.
    """
    try:
        with connect(data, url) as node:
            told: dict[str, Any] = node.get("/node/status")
            found = {"url": node.url, **told}
    except HansaError as error:
        if not error.code.startswith("node."):
            raise
        out.error(error)
        return output.UNHEALTHY
    block = next_block(found)
    out.show({**found, "next_block": msgspec.structs.asdict(block)}, lambda: _text(out, found, block))
    return output.DONE if found["ready"] else output.UNHEALTHY


def _text(out: Output, found: dict[str, Any], block: NextBlock) -> str:
    when = output.moment(int(found["time"]))
    lines = [
        out.style(sentence(found, _now_s(found)), fg="green" if found["ready"] else "red"),
        *(f"  also: {_reason(reason)}" for reason in found["reasons"][1:]),
        *(out.style(f"  warning: {_reason(warning)}", fg="yellow") for warning in found["warnings"]),
        "",
        f"ledger      {output.shown(found['name'])}  {found['ledger']}",
        f"url         {found['url']}",
        f"entries     {found['entries']:,}  in {found['height'] + 1:,} blocks, the last at {when}",
        f"checkpoint  size {found['checkpoint']:,}",
        f"orderer     {output.shown(found['orderer'])}",
        f"waiting     {found['waiting']:,}",
        f"next block  {_when(block)}",
    ]
    if found["clock"] == genesis.TOLD:
        lines.append(f"clock       {output.moment(int(found['now']))}; {genesis.TOLD_IN_WORDS}")
    return "\n".join(lines)


def _when(block: NextBlock) -> str:
    """When the next block comes; what keeps the node from taking transactions stands above already."""
    if block.state == "none":
        return "none, until that is mended"
    return output.shown(f"{block.why}. {block.fix}" if block.fix else block.why)


def _now_s(found: dict[str, Any]) -> float:
    """The time by which the ledger's is judged: this machine's, but where the ledger's time is told."""
    return int(found["now"]) / 1000 if found["clock"] == genesis.TOLD else time.time()


def sentence(found: dict[str, Any], now_s: float) -> str:
    """How a node is, from its status, in one sentence; if it takes no transactions, also what to do."""
    if not found["ready"]:
        so = "takes no transactions" if found["healthy"] else "has stopped for good"
        return f"The node {so}: {_reason(found['reasons'][0])}"
    count = found["entries"]
    entries = f"{count:,} {'entry' if count == 1 else 'entries'}, the last one {_ago(now_s, int(found['time']))}"
    waiting = f"; {found['waiting']:,} transactions wait" if found["waiting"] else ""
    warned = f"; {output.shown(found['warnings'][0]['detail'])}" if found["warnings"] else ""
    return f"The node is ready: {entries}{waiting}{warned}."


def _reason(reason: dict[str, Any]) -> str:
    return output.shown(f"{reason['detail']} [{reason['code']}]. {reason['remedy']}")


def _ago(now_s: float, time_ms: int) -> str:
    """How long ago a ledger time was by this machine's clock; the time itself where that lies ahead of it."""
    passed_s = int(now_s - time_ms / 1000)
    if passed_s < 0:
        return f"at {output.moment(time_ms)}"
    for unit, size in _UNITS_S:
        if passed_s >= size:
            return f"{passed_s // size:,} {unit} ago"
    return "just now"
