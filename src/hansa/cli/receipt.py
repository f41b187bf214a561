"""`hansa receipt get` and `hansa receipt verify`: proofs that leave the ledger, and their check without it."""

from datetime import UTC, datetime
from pathlib import Path

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import DATA, Source, open_source
from hansa.client import verification
from hansa.client.verification import Pinned, Proven
from hansa.wire import names
from hansa.wire.keys import public_key_from_pem
from hansa.wire.problems import HansaError

_PARTS = ("entry", "envelope", "outcome")


@click.group()
def receipt() -> None:
    """Receipts: proof that an entry is in the ledger."""


@receipt.command()
@click.argument("seq", type=click.IntRange(0))
@click.option("--out", "prefix", required=True, metavar="PREFIX", help="Where to write, without the endings.")
@click.option(
    "--key", "with_key", is_flag=True, help="Write the checkpoint key too, for other tools. It proves nothing."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DATA,
    show_default=True,
    help="The ledger's folder; its node may be stopped.",
)
@click.option("--url", help="The node's URL, instead of the folder.")
@click.pass_obj
def get(out: Output, seq: int, prefix: str, with_key: bool, data: Path, url: str | None) -> None:
    """Write PREFIX.cose (the receipt), .entry, .envelope, .outcome, and with --key PREFIX.pem."""
    with open_source(data, url) as source:
        files = {".cose": source.receipt(seq)} | {f".{part}": source.part(seq, part) for part in _PARTS}
        if with_key:
            files[".pem"] = _key_of(source, files[".cose"])
    for ending, data_bytes in files.items():
        output.write_file(Path(prefix + ending), data_bytes)
    written = [prefix + ending for ending in files]
    out.show({"seq": seq, "files": written}, lambda: "wrote " + ", ".join(written))


@receipt.command()
@click.argument("file", metavar="PREFIX|FILE.cose")
@click.option("--genesis", type=click.Path(path_type=Path, exists=True), help="The ledger's genesis document.")
@click.option("--ledger", help="The ledger's id, 64 hexadecimal digits: what to pin.")
@click.option("--key", type=click.Path(path_type=Path, exists=True), help="A checkpoint key you trust, instead.")
@click.option("--entry", type=click.Path(path_type=Path, exists=True), help="The entry, if not beside the receipt.")
@click.pass_obj
def verify(
    out: Output, file: str, genesis: Path | None, ledger: str | None, key: Path | None, entry: Path | None
) -> None:
    """Check a receipt offline, with the entry beside it, and the envelope and outcome if they are there.

    Give what you trust: --genesis FILE with --ledger ID, or --key FILE. A key that came with a receipt proves nothing.
    """
    prefix = file.removesuffix(".cose")
    pinned = _pinned(genesis, ledger, key)
    proven = verification.verify(
        _read(Path(prefix + ".cose")),
        _read(entry or Path(prefix + ".entry")),
        pinned,
        envelope=_read_if_there(Path(prefix + ".envelope")),
        outcome=_read_if_there(Path(prefix + ".outcome")),
    )
    fields = {name: getattr(proven, name) for name in ("ledger", "seq", "size", "time", "kid", "kind", "id")}
    fields["envelope_checked"] = proven.signed is not None
    fields["outcome_checked"] = proven.outcome is not None
    out.show({"valid": True, **fields}, lambda: _text(out, proven, ledger is not None or key is not None))


def _text(out: Output, proven: Proven, is_pinned: bool) -> str:
    when = datetime.fromtimestamp(proven.time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    lines = [
        out.style("valid", fg="green")
        + f"  entry {proven.seq} is in the ledger, as of {proven.size} entries at {when}",
        f"ledger   {proven.ledger.hex()}",
    ]
    if not is_pinned:
        lines.append("         compare this id with the one you were told: the genesis file alone says nothing")
    if proven.signed is not None:
        body = proven.signed.transaction
        action = output.shown(f"{body.contract}.{body.action}")
        lines.append(f"action   {action}({output.written(body.arguments)})")
    if proven.outcome is not None:
        lines.append(f"outcome  {proven.outcome.status} {output.shown(proven.outcome.code)}")
    return "\n".join(lines)


def _pinned(genesis: Path | None, ledger: str | None, key: Path | None) -> Pinned:
    if key is not None:
        return verification.pin_key(public_key_from_pem(_read(key)))
    if genesis is None:
        raise HansaError("argument.value", "what do you trust? give --genesis FILE with --ledger ID, or --key FILE")
    return verification.pin_genesis(
        _read(genesis), None if ledger is None else names.digest_from_hex(ledger, "ledger id")
    )


def _key_of(source: Source, receipt_bytes: bytes) -> bytes:
    pinned = verification.pin_genesis(source.genesis())
    for key in pinned.keys.values():
        if key.kid in receipt_bytes:
            return key.pem()
    raise HansaError("receipt.key_unknown")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HansaError("argument.file", f"{path}: {error.strerror}") from None


def _read_if_there(path: Path) -> bytes | None:
    return _read(path) if path.exists() else None
