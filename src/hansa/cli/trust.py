"""`hansa trust export` and `hansa trust show`: the ledger's keys over its life, for verifiers without a network."""

import time
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import Source, data_option, open_source, running_url, url_option
from hansa.cli.receipt import prefix_of
from hansa.client import key_chain
from hansa.client.verification import Pinned
from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.wire import names
from hansa.wire import trust as trust_file
from hansa.wire.problems import HansaError
from hansa.wire.trust import BYTES_MAX, Linked

TRIES: Final = 20
"""So often a node that runs is asked whether it has a checkpoint under its new key."""
PAUSE_S: Final = 0.25
"""Between two such questions."""


@click.group()
def trust() -> None:
    """The ledger's checkpoint keys over its life, as one file: for checking receipts years later, offline."""


@trust.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--receipt",
    "receipts",
    multiple=True,
    metavar="PREFIX|FILE",
    help="A receipt that somebody holds, with its entry beside it: it can be checked with the file whatever key signed "
    "it. May be repeated.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@data_option("The ledger's folder; its node may be stopped.")
@url_option("The node's URL, instead of the folder.")
@click.pass_obj
def export(out: Output, file: Path, receipts: tuple[str, ...], force: bool, data: Path, url: str | None) -> None:
    """Write what a verifier needs who has the ledger's id alone: genesis, every change of keys, and the proofs.

    Check it with `hansa trust show FILE --ledger ID`, and receipts with `hansa receipt verify --trust FILE`.
    """
    output.check_writable(file, replace=force)
    heads = [_head(name) for name in receipts]
    with open_source(data, url) as source:
        made = _with_receipts(source, heads, waits=(url or running_url(data)) is not None)
    pinned = key_chain.pin_trust(made)  # what would not convince a verifier is not written
    output.write_file(file, made)
    fields = {"file": str(file), "bytes": len(made), "receipts": len(heads), **_fields(pinned)}
    out.show(fields, lambda: f"wrote {file}\n{_text(pinned)}")


@trust.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True))
@click.option("--ledger", help="The ledger's id, 64 hexadecimal digits: what to pin.")
@click.pass_obj
def show(out: Output, file: Path, ledger: str | None) -> None:
    """Verify a trust file, and show the checkpoint keys and the sizes for which each counts."""
    id = None if ledger is None else names.digest_from_hex(ledger, "ledger id")
    pinned = key_chain.pin_trust(output.read_file(file, BYTES_MAX), id)
    if ledger is None:
        out.caution("pinned to nothing: compare the ledger's id with the one you were told, or give it with --ledger.")
    out.show({"pinned": ledger is not None, **_fields(pinned)}, lambda: _text(pinned))


def _head(name: str) -> Checkpoint:
    """The checkpoint that a receipt is under, whose root follows from the entry. Raises `HansaError`."""
    prefix = prefix_of(name)
    message, entry = (output.read_file(Path(prefix + ending)) for ending in (".cose", ".entry"))
    try:
        return receipt.head_of(message, entry)
    except HansaError as error:
        raise HansaError(error.code, f"{prefix}: {error.detail}", remedy=error.remedy) from None


def _with_receipts(source: Source, heads: list[Checkpoint], *, waits: bool) -> bytes:
    """The trust file with the checkpoints of these receipts linked to its head."""
    data = _current(source, TRIES if waits else 1)
    if not heads:
        return data
    made = trust_file.decode(data)
    size = receipt.read_bare(made.head).size
    links = {head.size: Linked(receipt.bare(head), source.consistency(head.size, size)) for head in heads}
    return trust_file.encode(msgspec.structs.replace(made, receipts=[links[size] for size in sorted(links)]))


def _current(source: Source, tries: int) -> bytes:
    """The trust file, once there is a checkpoint under a current key: a second after a change there is."""
    while True:
        tries -= 1
        try:
            return source.trust()
        except HansaError as error:
            if error.code != "trust.current" or not tries:
                raise
        time.sleep(PAUSE_S)


def _fields(pinned: Pinned) -> dict[str, Any]:
    head = pinned.head
    assert head is not None
    keys = [{"kid": kid.hex(), **msgspec.structs.asdict(span)} for kid, span in pinned.sizes.items()]
    return {
        "ledger": head.ledger.hex(),
        "size": head.size,
        "root": head.root.hex(),
        "time": head.time,
        "kid": head.kid.hex(),
        "keys": keys,
    }


def _text(pinned: Pinned) -> str:
    head = pinned.head
    assert head is not None
    lines = [
        f"ledger  {head.ledger.hex()}",
        f"as of   {head.size:,} entries at {output.moment(head.time)}, root {head.root.hex()}",
    ]
    for kid, span in pinned.sizes.items():
        until = "from there on" if span.last is None else f"to {span.last:,}"
        lines.append(f"key     {kid.hex()} of {span.node}: sizes {span.first:,} {until}")
    return "\n".join(lines)
