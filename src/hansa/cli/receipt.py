"""`hansa receipt get` and `hansa receipt verify`: proofs that leave the ledger, and their check without it."""

import contextlib
from collections.abc import Generator, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.cli.places import Source, data_option, open_source, url_option
from hansa.client import agreement, key_chain, verification
from hansa.client.agreement import Agreement, Passed
from hansa.client.results import Cosigned
from hansa.client.verification import Pinned, Proven
from hansa.merkle import receipts
from hansa.wire import genesis as genesis_document
from hansa.wire import names
from hansa.wire.keys import public_key_from_pem
from hansa.wire.problems import HansaError
from hansa.wire.trust import BYTES_MAX

_PARTS: Final = ("entry", "envelope", "outcome")
ENDINGS: Final = (".cose", *(f".{part}" for part in _PARTS))
"""Of the files that a receipt is checked with: itself, and what it proves something about."""
SEVERAL: Final = ".receipts"
"""The ending of the file with receipts by several members, the first of which is the receipt itself."""
SHOWN_CHARS_MAX: Final = 400
"""Of what a transaction asked for, in the text for people."""
_CAUTION: Final = (
    "valid, but pinned to nothing: whoever made the genesis file could have made the receipt. "
    "Compare the ledger's id with the one you were told, or give it with --ledger."
)


class Members(click.ParamType[int | Literal["default"]]):
    """How many members must have signed: a number, or `default`."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Literal["default"]:
        """See `click.ParamType`."""
        return "default" if value == "default" else click.IntRange(1).convert(value, param, ctx)


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
@click.option(
    "--k",
    "wanted",
    type=Members(),
    metavar="K|default",
    help="Have nodes of so many members sign, and write PREFIX.receipts too; default is one more than may be bad.",
)
@data_option("The ledger's folder; its node may be stopped, without --k.")
@url_option("The node's URL, instead of the folder.")
@click.pass_obj
def get(
    out: Output,
    seq: int,
    prefix: str,
    with_key: bool,
    force: bool,
    wanted: int | Literal["default"] | None,
    data: Path,
    url: str | None,
) -> None:
    """Write PREFIX.cose (the receipt), .entry, .envelope, .outcome, and with --key PREFIX.pem.

    With --k the node has other members' nodes sign the same. Where too few do, what there is is written, with a
    caution that says who signed.
    """
    prefix = prefix_of(prefix)
    endings = [*ENDINGS, *([".pem"] if with_key else []), *([SEVERAL] if wanted else [])]
    check_free(prefix, endings, replace=force)
    fields: dict[str, Any] = {"seq": seq}
    with open_source(data, url) as source:
        found = None if wanted is None else source.cosigned(seq, wanted)
        files = {".cose": source.receipt(seq) if found is None else found.cose}
        files |= {f".{part}": source.part(seq, part) for part in _PARTS}
        if found is not None and found.cosigned is not None:
            files[SEVERAL] = found.cosigned.message
            fields |= signed(out, found.cosigned)
        if with_key:
            files[".pem"] = _key_of(source, files[".cose"])
    fields["files"] = written = write_files(prefix, files)
    by = [f"signed by {', '.join(fields['members'])}"] if "members" in fields else []
    out.show(fields, lambda: "\n".join([*by, "wrote " + ", ".join(written)]))


def signed(out: Output, found: Cosigned) -> dict[str, Any]:
    """Who signed, with a caution where too few did, or somebody another history."""
    fields: dict[str, Any] = {"k": found.k, "members": found.members, "split": found.split}
    cautions: list[str] = []
    if len(found.members) < found.k:
        cautions.append(f"{found.k} members were asked for, and only {', '.join(found.members)} signed")
    if found.split:
        told = f"{', '.join(found.split)} signed another history of this ledger, says the node, whose log has what"
        cautions.append(told)
    if cautions:
        fields["caution"] = "; ".join(cautions) + "."
        out.caution(fields["caution"])
    return fields


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
@click.option(
    "--k",
    "wanted",
    type=Members(),
    metavar="K|default",
    help="So many members must have signed the same, in PREFIX.receipts; default is one more than may be bad.",
)
@click.option("--members", metavar="A,B,C", help="Only these members count; without --k all of them must have signed.")
@click.pass_obj
def verify(
    out: Output,
    file: str,
    genesis: Path | None,
    ledger: str | None,
    key: Path | None,
    trust: Path | None,
    entry: Path | None,
    wanted: int | Literal["default"] | None,
    members: str | None,
) -> None:
    """Check a receipt offline, with the entry beside it, and the envelope and outcome if they are there.

    Give what you trust: --trust FILE or --genesis FILE with --ledger ID, or --key FILE; all that is given must agree. A
    key, a trust or a genesis file that came with a receipt proves nothing without the ledger's id. FILE may be any of
    the receipt's files. With --k or --members the signatures of several members are needed, whose keys are those of
    the genesis or trust file.
    """
    prefix = prefix_of(file)
    files = {"receipt": Path(prefix + ".cose")} | {part: Path(f"{prefix}.{part}") for part in _PARTS}
    if entry is not None:
        files["entry"] = entry
    pinned = _pinned(genesis, ledger, key, trust)
    agreed = None
    try:
        if wanted is None and members is None:
            proven = verification.verify(
                output.read_file(files["receipt"]),
                output.read_file(files["entry"]),
                pinned,
                envelope=_read_if_there(files["envelope"]),
                outcome=_read_if_there(files["outcome"]),
            )
        else:
            agreed = _agreed(files, Path(prefix + SEVERAL), pinned, wanted, members)
            proven = agreed.proven
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
    if agreed is not None:
        fields |= {"members": agreed.members, "signatures": agreed.signatures, "passed": agreed.passed}
    if fields["pinned"] == "nothing":
        fields["caution"] = _CAUTION
        out.caution(_CAUTION)
    by = [] if agreed is None else [f"members  {', '.join(agreed.members)} signed it", *map(_passed, agreed.passed)]
    out.show({"valid": True, **fields}, lambda: _text(out, proven, fields["pinned"], fields["note"], by))


def _agreed(
    files: dict[str, Path], several: Path, pinned: Pinned, wanted: int | Literal["default"] | None, asked: str | None
) -> Agreement:
    """What members have signed together: in the file of several receipts, or in the one receipt where there is none."""
    messages: list[bytes] = []
    if several.exists():
        files["receipt"] = several
        with named(several):
            messages = receipts.decode(output.read_file(several, receipts.BYTES_MAX + 1))
    members = None if asked is None else [name.strip() for name in asked.split(",")]
    return agreement.verify(
        messages or [output.read_file(files["receipt"])],
        output.read_file(files["entry"]),
        pinned,
        len(set(members or ())) if wanted is None else _k(wanted, pinned),
        members,
        envelope=_read_if_there(files["envelope"]),
        outcome=_read_if_there(files["outcome"]),
    )


def _cut(text: str) -> str:
    """A text that people can take in: a proposal's may hold the sources of contracts."""
    left = len(text) - SHOWN_CHARS_MAX
    return text if left <= 0 else f"{text[:SHOWN_CHARS_MAX]}… and {left} characters more in the envelope"


def _k(wanted: int | Literal["default"], pinned: Pinned) -> int:
    return agreement.default_k(agreement.able(pinned)) if wanted == "default" else wanted


def _passed(one: Passed) -> str:
    return f"passed   receipt {one.place + 1} counts for nothing: {one.detail}"


def prefix_of(name: str) -> str:
    """What the names of a receipt's files begin with, from that or the name of any of them."""
    return next((name.removesuffix(ending) for ending in (*ENDINGS, SEVERAL) if name.endswith(ending)), name)


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


def _text(out: Output, proven: Proven, pinned: str, keys: str, by: list[str]) -> str:
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
        *by,
    ]
    if proven.told:
        lines.append(out.style(f"clock    {genesis_document.TOLD_IN_WORDS}", fg="yellow"))
    if proven.signed is not None:
        body = proven.signed.transaction
        action = output.shown(f"{body.contract}.{body.action}")
        lines.append(f"action   {action}({_cut(output.written(body.arguments))})")
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
