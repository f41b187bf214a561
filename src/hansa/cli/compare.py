"""`hansa compare`: whether the nodes of several members show one ledger, and the proof if they do not."""

import json
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from hansa.cli import output, verify
from hansa.cli.output import Output
from hansa.cli.places import client, remote_options
from hansa.client import split_view
from hansa.client.comparing import Comparison, Shown
from hansa.wire.problems import HansaError

PROOF: Final = Path("split-view.cbor")
_KEPT_BYTES_MAX: Final = 64 * 1024
"""Far more than a checkpoint or a memory takes: a larger file is another one."""
_COLORS: Final = {"agree": "green", "split": "red", "unknown": "yellow"}
_WORDS: Final = {
    "agree": "They agree: all that is shown is of one history.",
    "split": "A split view: heads were signed that cannot both be true.",
    "unknown": "Not known: no contradiction is proven, and not everything was shown.",
}


@click.command()
@click.argument("urls", nargs=-1, required=True, metavar="URL...")
@click.option("--ledger", help="The ledger's id, 64 hexadecimal digits: what to pin.")
@click.option(
    "--head",
    "heads",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A checkpoint that somebody kept, or a client's memory: compared like a node's. May be repeated.",
)
@click.option(
    "--out",
    "proof",
    type=click.Path(path_type=Path),
    default=PROOF,
    show_default=True,
    help="Where to write the proof, if there is one.",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@remote_options
@click.pass_obj
def compare(
    out: Output, urls: tuple[str, ...], ledger: str | None, heads: tuple[Path, ...], proof: Path, force: bool
) -> int:
    """Compare the newest checkpoints of several members' nodes, and prove it if they show different ledgers.

    Exits with 1 for a split view, whose proof is written for `hansa verify`, and with 3 if something was not shown: a
    node that does not answer proves nothing. Without --ledger, the ledger that the first node shows is taken.
    """
    if len(urls) + len(heads) < 2:
        told = "one head alone is compared with nothing"
        raise HansaError("argument.value", told, remedy="Give two URLs, or one and --head FILE.")
    output.check_writable(proof, replace=force)
    kept = {str(path): _kept(path) for path in heads}
    with client(urls, ledger) as nodes:
        found = nodes.compare(kept)
    if ledger is None:
        out.caution(f"pinned to nothing: the ledger {found.ledger} is the first node's word. Give it with --ledger.")
    if found.proof is not None:
        output.write_file(proof, found.proof)
    fields: dict[str, Any] = {
        "verdict": found.verdict,
        "ledger": found.ledger,
        "pinned": ledger is not None,
        "heads": [msgspec.structs.asdict(one) for one in found.heads],
        "views": found.views,
        "unproven": found.unproven,
        "split": None if found.split is None else verify.fields(found.split),
        "proof": None if found.proof is None else str(proof),
    }
    out.show(fields, lambda: _text(out, found, proof))
    return {"agree": output.DONE, "split": output.FAILED, "unknown": output.UNHEALTHY}[found.verdict]


def _kept(path: Path) -> bytes:
    """The checkpoint in a file: the COSE message itself, or what a client remembers (`client.memory`)."""
    data = output.read_file(path, _KEPT_BYTES_MAX)
    if not data.startswith(b"{"):
        return data
    try:
        return bytes.fromhex(json.loads(data)["checkpoint"])
    except (ValueError, KeyError, TypeError):
        raise HansaError("memory.file", f"{path} is neither a checkpoint nor a client's memory") from None


def _text(out: Output, found: Comparison, proof: Path) -> str:
    lines = [out.style(_WORDS[found.verdict], fg=_COLORS[found.verdict]), "", f"ledger   {found.ledger}", ""]
    lines.append(output.table(("SOURCE", "ENTRIES", "LAST", "SIGNED BY", "ROOT"), [_row(one) for one in found.heads]))
    lines.append("")
    if len(found.views) > 1:
        lines += [f"view {number:<3} {', '.join(view)}" for number, view in enumerate(found.views, 1)]
    lines += [f"open     {output.shown(told)}" for told in found.unproven]
    if found.unproven:
        lines.append("         That proves nothing against anybody. Run it again, or ask more members' nodes.")
    if found.split is not None and found.proof is not None:
        lines += [*verify.lines(found.split), f"proof    {proof}, for `hansa verify {proof} {_by(found.proof)}`"]
    return "\n".join(lines).rstrip()


def _by(proof: bytes) -> str:
    """By what the proof is verified: the ledger's id is enough while its keys are those of genesis."""
    try:
        return f"--ledger {split_view.verify(proof).ledger.hex()}"
    except HansaError:
        return "--trust FILE` with a trust file of one's own, since keys were changed: `hansa trust export FILE"


def _row(one: Shown) -> tuple[str, ...]:
    if one.problem:
        return one.source, "-", "-", "-", f"[{one.problem}]"
    signer = f"{one.node} of {one.member}" if one.member else one.node or one.kid[:16]
    return one.source, f"{one.size:,}", output.moment(one.time), signer, one.root[:16]
