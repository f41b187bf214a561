"""`hansa verify`: checks a proof that somebody hands over, offline: that of a split view, or a receipt."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from hansa.cli import output, receipt
from hansa.cli.output import Output
from hansa.client import key_chain, split_view, verification
from hansa.client.split_view import HISTORY, Contradicting, Signed, Signer, SplitView
from hansa.client.verification import Pinned
from hansa.wire import names
from hansa.wire import split_view as wire
from hansa.wire.problems import HansaError
from hansa.wire.trust import BYTES_MAX


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--ledger", help="The ledger's id, 64 hexadecimal digits: what to pin.")
@click.option("--genesis", type=click.Path(path_type=Path, exists=True), help="The ledger's genesis document.")
@click.option(
    "--trust",
    type=click.Path(path_type=Path, exists=True),
    help="A trust file of your own, if the ledger's keys changed: it says which came after genesis.",
)
@click.pass_context
def verify(context: click.Context, file: str, ledger: str | None, genesis: Path | None, trust: Path | None) -> None:
    """Check a proof offline: a receipt, or what `hansa compare` wrote, and say whose signatures show it.

    Give what you trust: the ledger's id with --ledger, a genesis document, or a trust file; all that is given must
    agree. None of them may come from whoever hands over the proof. `hansa receipt verify` can do more for receipts.
    """
    out: Output = context.obj
    path = Path(file)
    if file.endswith(receipt.ENDINGS) or (not path.exists() and Path(f"{file}.cose").exists()):
        context.invoke(receipt.verify, file=file, genesis=genesis, ledger=ledger, key=None, trust=trust, entry=None)
        return
    data = output.read_file(path, wire.BYTES_MAX + 1)
    id, trusted = _trusted(None if ledger is None else names.digest_from_hex(ledger, "ledger id"), genesis, trust)
    with receipt.named(path):
        found = split_view.verify(data, id, trusted)
    is_pinned = id is not None or trusted is not None
    if not is_pinned:
        out.caution("pinned to nothing: compare the ledger's id with the one you were told, or give it with --ledger.")
    out.show({"valid": True, "pinned": is_pinned, **fields(found)}, lambda: _text(out, found))


def fields(found: SplitView) -> dict[str, Any]:
    """What is proven, for machines."""
    return {
        "ledger": found.ledger,
        "contradictions": [
            {"how": pair.how, "first": _signed(pair.first), "second": _signed(pair.second), "before": pair.before}
            for pair in found.contradictions
        ],
        "signers": [_signer(signer) for signer in found.signers],
        "equivocated": [_signer(signer) for signer in found.equivocated],
    }


def lines(found: SplitView) -> list[str]:
    """What is proven, for people."""
    told = [line for number, pair in enumerate(found.contradictions, 1) for line in _pair(number, pair)]
    if found.equivocated:
        told.append(
            f"shown    {', '.join(map(str, found.equivocated))} signed both of two heads that cannot both be true"
        )
    if any(not pair.is_one_key for pair in found.contradictions):
        told.append(
            "open     of two signers that contradict each other at least one has signed what is false; the heads do "
            "not say which. Ask more members' nodes"
        )
    told += [
        f"caution  the key {signer.kid.hex()} of {signer} was replaced since: whoever has got hold of it could have "
        "signed"
        for signer in found.signers
        if signer.is_former
    ]
    return told


def _trusted(ledger: bytes | None, genesis: Path | None, trust: Path | None) -> tuple[bytes | None, Pinned | None]:
    """The ledger's id and what a trust file says, as far as they were given; all must agree."""
    if trust is not None and genesis is not None:
        told = "--trust and --genesis both say what is trusted"
        raise HansaError("argument.value", told, remedy="Give one of the two: the trust file has the document.")
    if trust is not None:
        with receipt.named(trust):
            return ledger, key_chain.pin_trust(output.read_file(trust, BYTES_MAX), ledger)
    if genesis is not None:
        with receipt.named(genesis):
            return verification.pin_genesis(output.read_file(genesis), ledger).ledger, None
    return ledger, None


def _text(out: Output, found: SplitView) -> str:
    count = len(found.contradictions)
    pairs = "two signed heads of one ledger that" if count == 1 else f"{count} pairs of signed heads that"
    first = f"{out.style('valid', fg='green')}    a split view: {pairs} cannot both be true"
    return "\n".join([first, f"ledger   {found.ledger.hex()}", *lines(found)])


def _pair(number: int, pair: Contradicting) -> Iterable[str]:
    yield f"pair {number:<3} {_head(pair.first)}"
    yield f"         {_head(pair.second)}"
    if pair.how == HISTORY:
        assert pair.before is not None
        yield f"         and with these, that the first {pair.first.size:,} of them have the root {pair.before.hex()}"


def _head(signed: Signed) -> str:
    when = output.moment(signed.time)
    return f"{signed.signer} signed {signed.size:,} entries at {when}, root {signed.root.hex()}"


def _signed(signed: Signed) -> dict[str, Any]:
    return {"size": signed.size, "time": signed.time, "root": signed.root, **_signer(signed.signer)}


def _signer(signer: Signer) -> dict[str, Any]:
    return {"kid": signer.kid, "node": signer.node, "member": signer.member, "former": signer.is_former}
