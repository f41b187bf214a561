"""`hansa receipt get` and `hansa receipt verify`: proofs that leave the ledger, and their check without it."""

import contextlib
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import Source, data_option, open_source, url_option
from hansa.client import key_chain, verification
from hansa.client.verification import Pinned, Proven
from hansa.wire import genesis as genesis_document
from hansa.wire import names
from hansa.wire.keys import public_key_from_pem
from hansa.wire.problems import HansaError
from hansa.wire.trust import BYTES_MAX

_PARTS: Final = ("entry", "envelope", "outcome")
ENDINGS: Final = (".cose", *(f".{part}" for part in _PARTS))
"""Of the files that a receipt is checked with: itself, and what it proves something about."""
_CAUTION: Final = (
    "valid, but pinned to nothing: whoever made the genesis file could have made the receipt. "
    "Compare the ledger's id with the one you were told, or give it with --ledger."
)


@click.group()
def receipt() -> None:
    """Receipts: proof that an entry is in the ledger."""


@receipt.command()
@click.argument("seq", type=click.IntRange(0))
@click.option("--out", "prefix", required=True, metavar="PREFIX", help="Where to write, without the endings.")
@click.option(
    "--key", "with_key", is_flag=True, help="Write the checkpoint key too, for other tools. It proves nothing."
)
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@data_option("The ledger's folder; its node may be stopped.")
@url_option("The node's URL, instead of the folder.")
@click.pass_obj
def get(out: Output, seq: int, prefix: str, with_key: bool, force: bool, data: Path, url: str | None) -> None:
    """Write PREFIX.cose (the receipt), .entry, .envelope, .outcome, and with --key PREFIX.pem."""
    prefix = prefix_of(prefix)
    check_free(prefix, [*ENDINGS, *([".pem"] if with_key else [])], replace=force)
    with open_source(data, url) as source:
        files = {".cose": source.receipt(seq)} | {f".{part}": source.part(seq, part) for part in _PARTS}
        if with_key:
            files[".pem"] = _key_of(source, files[".cose"])
    written = write_files(prefix, files)
    out.show({"seq": seq, "files": written}, lambda: "wrote " + ", ".join(written))


@receipt.command()
@click.argument("file", metavar="PREFIX|FILE")
@click.option("--genesis", type=click.Path(path_type=Path, exists=True), help="The ledger's genesis document.")
@click.option("--ledger", help="The ledger's id, 64 hexadecimal digits: what to pin.")
@click.option("--key", type=click.Path(path_type=Path, exists=True), help="A checkpoint key you trust.")
@click.option(
    "--trust",
    type=click.Path(path_type=Path, exists=True),
    help="A trust file, instead of the genesis document: it says which keys came after it.",
)
@click.option("--entry", type=click.Path(path_type=Path, exists=True), help="The entry, if not beside the receipt.")
@click.pass_obj
def verify(
    out: Output,
    file: str,
    genesis: Path | None,
    ledger: str | None,
    key: Path | None,
    trust: Path | None,
    entry: Path | None,
) -> None:
    """Check a receipt offline, with the entry beside it, and the envelope and outcome if they are there.

    Give what you trust: --trust FILE or --genesis FILE with --ledger ID, or --key FILE; all that is given must agree. A
    key, a trust or a genesis file that came with a receipt proves nothing without the ledger's id. FILE may be any of
    the receipt's files.
    """
    prefix = prefix_of(file)
    files = {"receipt": Path(prefix + ".cose")} | {part: Path(f"{prefix}.{part}") for part in _PARTS}
    if entry is not None:
        files["entry"] = entry
    pinned = _pinned(genesis, ledger, key, trust)
    try:
        proven = verification.verify(
            output.read_file(files["receipt"]),
            output.read_file(files["entry"]),
            pinned,
            envelope=_read_if_there(files["envelope"]),
            outcome=_read_if_there(files["outcome"]),
        )
    except HansaError as error:
        part = error.fields.get("part")
        if part is None:
            raise
        of = f"{files[str(part)]} is no {part}" if error.code == f"{part}.form" else str(files[str(part)])
        raise HansaError(error.code, f"{of}: {error.detail}", part=part) from None
    fields: dict[str, Any] = {
        name: getattr(proven, name) for name in ("ledger", "seq", "size", "time", "kid", "kind", "id")
    }
    fields["signer"] = proven.signer
    fields["clock"] = genesis_document.TOLD if proven.told else genesis_document.REAL
    if proven.scheduled is not None:
        due = proven.scheduled
        fields["scheduled"] = {"contract": due.contract, "key": due.key, "by": due.by, "due": due.due}
    fields["envelope_checked"] = proven.signed is not None or proven.scheduled is not None
    fields["outcome_checked"] = proven.outcome is not None
    fields["asserted"] = None if proven.outcome is None else proven.outcome.asserted
    fields["pinned"] = " and ".join(["ledger"] * (ledger is not None) + ["key"] * (key is not None)) or "nothing"
    fields["trust"] = None if pinned.head is None else {"size": pinned.head.size, "time": pinned.head.time}
    fields["note"] = _note(pinned)
    if fields["pinned"] == "nothing":
        fields["caution"] = _CAUTION
        out.caution(_CAUTION)
    out.show({"valid": True, **fields}, lambda: _text(out, proven, fields["pinned"], fields["note"]))


def prefix_of(name: str) -> str:
    """What the names of a receipt's files begin with, from that or the name of any of them."""
    return next((name.removesuffix(ending) for ending in ENDINGS if name.endswith(ending)), name)


def check_free(prefix: str, endings: Iterable[str] = ENDINGS, *, replace: bool) -> None:
    """Refuses early what cannot be written. Raises `HansaError` `argument.exists` or `argument.file`."""
    for ending in endings:
        output.check_writable(Path(prefix + ending), replace=replace)


def write_files(prefix: str, files: Mapping[str, bytes]) -> list[str]:
    """Writes a receipt's files by their endings; their names. Raises `HansaError` `argument.file`."""
    for ending, data in files.items():
        output.write_file(Path(prefix + ending), data)
    return [prefix + ending for ending in files]


def _note(pinned: Pinned) -> str:
    """What is known of the ledger's keys, in words."""
    if pinned.head is not None:
        changes = sum(span.last is not None for span in pinned.sizes.values())
        changed = "never changed" if not changes else "changed once" if changes == 1 else f"changed {changes} times"
        return f"{changed} as of {pinned.head.size} entries at {output.moment(pinned.head.time)}"
    return (
        "of the genesis document; they may have changed since: a trust file says so"
        if pinned.signers
        else "the key given"
    )


def _text(out: Output, proven: Proven, pinned: str, keys: str) -> str:
    valid = (
        out.style("valid, but pinned to nothing", fg="yellow")
        if pinned == "nothing"
        else out.style("valid", fg="green")
    )
    lines = [
        f"{valid}  entry {proven.seq} is in the ledger, as of {proven.size} entries at {output.moment(proven.time)}",
        f"ledger   {proven.ledger.hex()}",
        f"pinned   {pinned}" + (", not the ledger's id" if pinned == "key" else ""),
        f"keys     {keys}",
    ]
    if proven.told:
        lines.append(out.style(f"clock    {genesis_document.TOLD_IN_WORDS}", fg="yellow"))
    if proven.signed is not None:
        body = proven.signed.transaction
        action = output.shown(f"{body.contract}.{body.action}")
        lines.append(f"action   {action}({output.written(body.arguments)})")
        lines.append(f"signed   by {proven.signer or f'the key {proven.signed.kid.hex()}'}")
    if proven.scheduled is not None:
        due = proven.scheduled
        of = f"an action of {output.shown(due.contract)} on the record {output.key_text(due.key)}"
        lines.append(f"action   {of}, scheduled by entry {due.by}, due {output.moment(due.due)}")
    if proven.outcome is not None:
        lines.append(f"outcome  {proven.outcome.status} {output.shown(proven.outcome.code)}")
        if proven.outcome.asserted:
            lines.append(f"asserted for {output.shown(proven.outcome.asserted)}, who did not sign")
        lines.append(f"time     {output.moment(proven.outcome.time)}")
    return "\n".join(lines)


def _pinned(genesis: Path | None, ledger: str | None, key: Path | None, trust: Path | None) -> Pinned:
    """What is trusted: all that was given, and it must agree."""
    id = None if ledger is None else names.digest_from_hex(ledger, "ledger id")
    public = None
    if key is not None:
        with named(key):
            public = public_key_from_pem(output.read_file(key))
    if trust is not None:
        if genesis is not None:
            told = "--trust and --genesis both say what is trusted"
            raise HansaError("argument.value", told, remedy="Give one of the two: the trust file has the document.")
        with named(trust):
            pinned = key_chain.pin_trust(output.read_file(trust, BYTES_MAX), id)
            return pinned if public is None else verification.both(pinned, public)
    if genesis is not None:
        with named(genesis):
            pinned = verification.pin_genesis(output.read_file(genesis), id)
            return pinned if public is None else verification.both(pinned, public)
    if public is None:
        told = "nothing is given that you trust, so nothing can be proven"
        raise HansaError(
            "argument.value", told, remedy="Give --trust or --genesis FILE with --ledger ID, or --key FILE."
        )
    return verification.pin_key(public, id)


@contextlib.contextmanager
def named(path: Path) -> Generator[None, None, None]:
    """Puts a file's name before what is wrong with it."""
    try:
        yield
    except HansaError as error:
        if error.code.startswith("argument."):
            raise
        raise HansaError(error.code, f"{path}: {error.detail}", remedy=error.remedy, **error.fields) from None


def _key_of(source: Source, receipt_bytes: bytes) -> bytes:
    pinned = key_chain.pin_trust(source.trust())
    for key in pinned.keys.values():
        if key.kid in receipt_bytes:
            return key.pem()
    raise HansaError("receipt.key_unknown")


def _read_if_there(path: Path) -> bytes | None:
    return output.read_file(path) if path.exists() else None
