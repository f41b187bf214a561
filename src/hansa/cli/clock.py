"""`hansa clock`: tells the time of a ledger that was made for it, and of no other."""

from pathlib import Path
from typing import Any

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.client import Client
from hansa.client.arguments import duration, moment
from hansa.wire import genesis
from hansa.wire.limits import INSTANT_MAX
from hansa.wire.problems import HansaError


@click.group()
def clock() -> None:
    """The told clock of a ledger made by `hansa up --clock TIME`: for demonstrations only."""


@clock.command()
@data_option()
@url_option()
@click.pass_obj
def show(out: Output, data: Path, url: str | None) -> None:
    """Show the node's clock, and whether the ledger's time is real or told."""
    with connect(data, url) as node:
        _show(out, node)


@clock.command(name="set")
@click.argument("time")
@data_option()
@url_option()
@click.pass_obj
def set_(out: Output, time: str, data: Path, url: str | None) -> None:
    """Put the clock forward to TIME, such as 2026-01-31T12:00:00Z. What is due on the way is taken when it is due."""
    at = told_time(time)
    with connect(data, url) as node:
        node.tell_time(at)
        _show(out, node)


@clock.command()
@click.argument("length")
@data_option()
@url_option()
@click.pass_obj
def advance(out: Output, length: str, data: Path, url: str | None) -> None:
    """Put the clock forward by LENGTH, such as 3d or 1h30m. What is due on the way is taken when it is due."""
    by = duration(length)
    with connect(data, url) as node:
        found = node.get("/node/status")
        if found["clock"] != genesis.TOLD:
            raise HansaError("clock.real")
        node.tell_time(_checked(int(found["now"]) + by, length))
        _show(out, node)


def told_time(text: str) -> int:
    """The time (ms) that a ledger is told. Raises `HansaError` `argument.value`."""
    return _checked(moment(text), text)


def _checked(time: int, text: str) -> int:
    if not 0 <= time <= INSTANT_MAX:
        told = f"{text[:60]!a}: ledger time lies within the years 1970 to 9999"
        raise HansaError("argument.value", told, remedy="Give a time within them.")
    return time


def _show(out: Output, node: Client) -> None:
    found: dict[str, Any] = node.get("/node/status")
    fields = {name: found[name] for name in ("clock", "now", "entries")}
    told = f"; {genesis.TOLD_IN_WORDS}" if found["clock"] == genesis.TOLD else ""
    out.show(fields, lambda: f"{output.moment(int(found['now']))}, {found['entries']:,} entries{told}")
