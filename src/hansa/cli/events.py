"""`hansa events`: prints a ledger's events, stays to wait for more, or forwards them to a webhook."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from hansa.cli import output, typed
from hansa.cli.output import Output
from hansa.cli.places import connect, data_option, url_option
from hansa.client import readable
from hansa.wire.problems import HansaError

if TYPE_CHECKING:
    from hansa.client.client import Client

_PATIENCE_S: Final = 30.0
"""Who does not follow waits no longer for a node that went away."""


@click.command()
@click.option("--contract", help="Only events of this contract.")
@click.option("--name", help="Only events of this name.")
@click.option("--after", metavar="SEQ|ID", help="Events behind this entry, or behind the event of this id (SEQ-N).")
@click.option("--from-start", is_flag=True, help="All events there are. So it is without --follow.")
@click.option("--follow", is_flag=True, help="Stay for those to come. Alone, it begins with them.")
@click.option("--forward", metavar="URL", help="POST each event to a webhook as a CloudEvent, at least once, in order.")
@click.option(
    "--position",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --forward: the file that keeps how far it has come; a restart goes on behind that.",
)
@data_option()
@url_option()
@click.pass_obj
def events(
    out: Output,
    contract: str | None,
    name: str | None,
    after: str | None,
    from_start: bool,
    follow: bool,
    forward: str | None,
    position: Path | None,
    data: Path,
    url: str | None,
) -> None:
    """Show events in the order of the ledger, each once, also over restarts of the node.

    With --json each event is a JSON document on a line of its own.
    """
    import httpx2

    from hansa.client import events as stream
    from hansa.client import forwarding

    if after is not None and from_start:
        told = "--after and --from-start are two beginnings"
        raise HansaError("argument.value", told, remedy="Leave out one or the other.")
    if position is not None and forward is None:
        told = "--position keeps how far --forward has come, and nothing is forwarded"
        raise HansaError("argument.value", told, remedy="Give --forward URL too, or leave out --position.")
    if forward is not None:
        forwarding.check_url(forward)
    start = after or (None if follow and not from_start else "0")
    kept = None if position is None else _read(position, contract, name)
    follower = stream.Follower(
        contract,
        name,
        start if kept is None else kept.after,
        follow=follow,
        ledger=None if kept is None else kept.ledger,
        patience_s=None if follow else _PATIENCE_S,
    )

    def lost(error: HansaError, pause: float) -> None:
        out.note(f"{output.shown(error.detail)}; again in {pause:g} s")

    with httpx2.Client() as receiver, connect(data, url) as reader:
        for one in reader.follow(follower, lost):
            is_event = isinstance(one, stream.Event)
            if is_event and forward is not None:
                assert follower.ledger is not None
                forwarding.deliver(receiver, forward, one, follower.ledger, on_lost=lost)
            reached = one.id if is_event else one.after
            if position is not None and reached is not None and (kept is None or kept.after != reached):
                kept = forwarding.Position(follower.ledger or "", contract, name, reached)
                output.replace_file(position, msgspec.json.encode(kept) + b"\n")
            if is_event:
                out.show(msgspec.structs.asdict(one), partial(_line, one, reader))


def _line(event: Any, node: "Client") -> str:
    declared = typed.declared(node, event.contract, event.version)
    data = readable.event_data(declared, event.name, event.data)
    named = output.shown(f"{event.contract}.{event.name}")
    return f"{output.moment(event.time)}  {event.id:>9}  {named}  {output.written(data)}".rstrip()


def _read(path: Path, contract: str | None, name: str | None) -> Any:
    """The position that a file keeps, None if there is none yet. Raises `HansaError` `forward.position`."""
    from hansa.client.forwarding import Position

    try:
        found = msgspec.json.decode(path.read_bytes(), type=Position)
    except FileNotFoundError:
        output.check_writable(path, replace=True)
        return None
    except OSError as error:
        raise HansaError("argument.file", f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise HansaError("forward.position", f"{path} holds no position") from None
    if (found.contract, found.name) != (contract, name):
        told = f"{path} keeps the position of {_which(found.contract, found.name)}, not of {_which(contract, name)}"
        raise HansaError("forward.position", told)
    return found


def _which(contract: str | None, name: str | None) -> str:
    """Which events a filter lets through."""
    of = "all contracts" if contract is None else contract
    return f"all events of {of}" if name is None else f"events {name} of {of}"
