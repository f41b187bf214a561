"""`hansa demo`: the example ledger, told so that a person who knows no cryptography can follow it."""

import shutil
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hansa.cli import output
from hansa.cli.output import Output
from hansa.store.folder import Folder

if TYPE_CHECKING:
    from hansa.cli.story import Line, Story

_WIDTH = 96


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep the ledger in this new folder.")
@click.pass_obj
def demo(out: Output, keep: Path | None) -> int:
    """Show everything in a temporary folder: transactions, receipts, three attempts to cheat, the audit."""
    from hansa.cli import story

    output.log_to_stderr()
    if keep is not None:
        Folder(keep).check_free()
    temporary = Path(tempfile.mkdtemp(prefix="hansa-demo-"))
    root = keep.absolute() if keep is not None else temporary / "ledger"
    try:
        where = f"the folder {root}" if keep else "a temporary folder"
        _say(out, "Hansa demo", f"{_OPENING} Everything happens on this machine, in {where}.")
        told = story.tell(root, lambda step: _before(out, step))
        _after(out, told)
        out.show(told, lambda: _end(told, keep))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    good = told.audit.is_sound and all(attempt.caught for attempt in told.attempts)
    return output.DONE if good else output.FAILED


def _before(out: Output, step: str) -> None:
    words = {
        "members": "making nine members and their keys",
        "deals": "signing, ordering and keeping their deals",
        "receipts": "checking a receipt for every entry",
        "cheating": "trying to cheat, three times",
        "audit": "auditing the whole ledger",
    }
    out.note(out.style(f"  ... {words[step]}", dim=True))


def _after(out: Output, told: "Story") -> None:
    people = ", ".join(member.capitalize() for member in told.members[1:])
    _say(out, "1. Members and keys", _MEMBERS.format(people=people))
    out.say(f"  {told.ledger}\n")
    _say(out, "2. The rules", _RULES.format(contract=told.contract, last=told.setup - 1))
    _say(out, "3. The ledger", "Everyone signed their own deals. Two more were tried that the rules do not allow:")
    out.say(textwrap.indent(output.table(_HEAD, [_row(line) for line in told.lines]), "  ") + "\n")
    for line in told.lines:
        if line.why:
            out.say(f"  {line.seq}: refused, because {line.why}")
    held = ", ".join(f"{owner.capitalize()} {balance}" for owner, balance in told.balances.items())
    out.say()
    _say(out, "", _AFTER_DEALS.format(held=held, owner=told.owner_of_car.capitalize()))
    _say(out, "4. Receipts", _RECEIPTS.format(entries=told.entries, bytes=told.receipt_bytes))
    _say(out, "5. Three attempts to cheat", "")
    for number, attempt in enumerate(told.attempts, 1):
        verdict = out.style("caught", fg="green") if attempt.caught else out.style("NOT CAUGHT", fg="red")
        out.say(f"  {number}. {attempt.what.capitalize()}: {verdict}.")
        for text in (attempt.why, f"{attempt.detail} [{attempt.code}]"):
            out.say(textwrap.fill(text, _WIDTH, initial_indent="     ", subsequent_indent="     "))
    out.say()
    report = told.audit
    verdict = "sound" if report.is_sound else f"{len(report.findings)} findings"
    _say(out, "6. The audit", _AUDIT.format(entries=report.entries, blocks=report.blocks, verdict=verdict))


_OPENING = "A small ledger, from a signed transaction to proof that anyone can check."
_MEMBERS = (
    "{people}, and a registry that opens their accounts. Each has a pair of keys: a secret one to sign with, and a "
    "public one by which everybody can check the signature. The first page of the ledger lists them. Its fingerprint "
    "is the ledger's name; whoever knows it cannot be shown another ledger:"
)
_RULES = (
    "The contract `{contract}` says what can be done and by whom: a payment needs cover, a sale needs ownership. It "
    "stands on the ledger too, so nobody can change the rules quietly. Accounts were opened and Alex's car was "
    "registered: entries 0 to {last}."
)
_AFTER_DEALS = "A refused deal moves nothing, but the attempt stays on record. Now {held}. The car belongs to {owner}."
_RECEIPTS = (
    "For each of the {entries} entries the ledger gave a receipt, {bytes} bytes: a chain of fingerprints from the "
    "entry up to one that stands for the whole ledger, which the ledger signed. All {entries} were checked with "
    "nothing but the receipt, the entry and the ledger's first page; no node was asked. All are valid."
)
_AUDIT = (
    "At last the whole ledger is read again from its first page, as an auditor would: {entries} entries in {blocks} "
    "blocks, every signature and fingerprint checked, every action executed again. Result: {verdict}."
)
_HEAD = ("SEQ", "FROM", "TO", "PROPERTY", "VALUE", "SIGNED BY", "OUTCOME")


def _row(line: "Line") -> list[str]:
    deal = line.deal
    people = (deal.sender.capitalize(), deal.to.capitalize())
    return [str(line.seq), *people, deal.kind, deal.value, line.signer.capitalize(), line.status]


def _end(told: "Story", keep: Path | None) -> str:
    if keep is None:
        return "Keep the ledger with `hansa demo --keep DIR`, or start your own with `hansa up`."
    return "\n".join(
        [
            f"The ledger is in {told.folder}. Try:",
            f"  hansa audit {told.folder}",
            f"  hansa receipt get {told.lines[0].seq} --data {told.folder} --out payment",
            f"  hansa receipt verify payment --genesis {told.folder}/genesis.cbor --ledger {told.ledger}",
            f"  hansa up --data {told.folder}",
        ]
    )


def _say(out: Output, title: str, text: str) -> None:
    if title:
        out.say(out.style(title, bold=True))
    if text:
        out.say(textwrap.fill(text, _WIDTH) + "\n")
