"""`hansa demo`: the example ledger and a letter of credit, told so that one who knows no cryptography can follow."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from hansa.cli import output
from hansa.cli.letter import before_letter, tell_letter
from hansa.cli.output import Output
from hansa.cli.temporary import free_folder, kept_told, temporary_folder

if TYPE_CHECKING:
    from hansa.stories.example_ledger import Attempt, Holdings, Line, Story

_WIDTH = 100


@click.command()
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Keep the ledger in this new folder.")
@click.pass_obj
def demo(out: Output, keep: Path | None) -> int:
    """Show everything in a temporary folder: deals, receipts, attempts to cheat, the audit, a letter of credit."""
    from hansa.stories import example_ledger, letter_of_credit

    output.log_to_stderr()
    kept = None if keep is None else free_folder(keep.absolute())
    with temporary_folder() as scratch:
        where = "all in a temporary folder on this machine." if kept is None else "in a ledger that is kept in"
        _say(out, "Hansa demo", f"{_OPENING} {where}", str(kept or ""))
        told = example_ledger.tell(kept or scratch / "ledger", scratch, lambda step: _before(out, step))
        before_letter(out)
        letter = letter_of_credit.tell(scratch / "letter")
        out.note("")
        _after(out, told)
        tell_letter(out, letter, "7. A letter of credit")
        fields = {
            "folder": kept and str(kept),
            **msgspec.structs.asdict(told),
            "letter_of_credit": msgspec.structs.asdict(letter),
        }
        out.show(fields, lambda: _end(told, kept))
    good = told.audit.is_sound and all(attempt.caught for attempt in told.attempts)
    return output.DONE if good else output.FAILED


def _before(out: Output, step: str) -> None:
    words = {
        "deals": "making nine members, signing and keeping their deals",
        "cheating": "proving every entry, trying to cheat",
        "audit": "reading the whole ledger again",
    }
    out.note(out.style(f"  ... {words[step]}", dim=True))


def _after(out: Output, told: "Story") -> None:
    people = ", ".join(member.capitalize() for member in told.members[1:])
    _say(out, "1. Members and keys", _MEMBERS.format(people=people), told.ledger)
    owner = told.before.owner_of_car.capitalize()
    rules = _RULES.format(contract=told.contract, accounts=told.setup - 2, car=told.setup - 1, owner=owner)
    _say(out, "2. The rules", rules, _holdings("at the start", told.before))
    _say(out, "3. The deals", _DEALS, output.table(_HEAD, [_row(line) for line in told.lines]))
    for line in told.lines:
        if line.why:
            out.say(f"  {line.seq}: refused, because {line.why}")
    out.say()
    _say(out, "", _AFTER_DEALS, _holdings("at the end", told.after))
    _say(out, "4. Receipts", _RECEIPTS.format(entries=told.entries, bytes=told.receipt_bytes_max))
    _say(out, "5. Three attempts to cheat, and what the checks say", "")
    for attempt in told.attempts:
        _tell(out, attempt)
    out.say()
    report = told.audit
    verdict = "sound" if report.is_sound else f"{len(report.findings)} findings"
    _say(out, "6. The audit", _AUDIT.format(entries=report.entries, verdict=verdict))


_OPENING = "From a signed deal to proof that anyone can check,"
_MEMBERS = (
    "{people}, and a registry: each has a secret key to sign with, and a public one by which all can check the "
    "signature (here the demo made the keys, in real use each member does). The ledger's first page lists the public "
    "ones. A fingerprint is a number computed from a text; change a letter, and it is another. That of the first page "
    "is the ledger's name; whoever knows it cannot be shown another ledger:"
)
_RULES = (
    "The ledger is a list of numbered entries; entry 0 is the first page. The registry signed the next: entry 1 is "
    "the contract `{contract}`, the rules (a payment needs cover, a sale needs ownership), on record so that nobody "
    "can change them quietly; 2 to {accounts} open accounts; {car} says {owner} owns a car:"
)
_DEALS = "Whoever gives something signs; who gets it need not. The last two deals are against the rules:"
_AFTER_DEALS = "A refused deal moves nothing, but the attempt stays on record. After all the deals:"
_RECEIPTS = (
    "An entry holds fingerprints, of what was signed and of what came of it. A receipt proves that an entry is in the "
    "ledger: it leads from the entry, fingerprint by fingerprint, to one for the whole ledger up to then, which the "
    "node, the program that keeps the ledger, has signed. All {entries} entries got one ({bytes} bytes at most); all "
    "were checked with the first page alone, asking no node, and are valid."
)
_AUDIT = (
    "The attempts were made on copies; the ledger itself is untouched. Audited in its turn: {entries} entries read, "
    "every signature and fingerprint checked, every action executed again. Result: {verdict}."
)
_HEAD = ("SEQ", "FROM", "TO", "PROPERTY", "VALUE", "SIGNED BY", "OUTCOME")


def _row(line: "Line") -> list[str]:
    deal = line.deal
    people = (deal.sender.capitalize(), deal.to.capitalize())
    return [str(line.seq), *people, deal.kind, deal.value, line.signer.capitalize(), line.status]


def _holdings(when: str, holdings: "Holdings") -> str:
    people = [person.capitalize() for person in holdings.balances]
    row = [when, *holdings.balances.values(), holdings.owner_of_car.capitalize()]
    return output.table(("", *people, "The car"), [row])


def _tell(out: Output, attempt: "Attempt") -> None:
    verdict = out.style("caught", fg="green") if attempt.caught else out.style("NOT CAUGHT", fg="red")
    out.say(f" {attempt.number + '.':3} {attempt.what}: {verdict}.")
    for text in (attempt.why, f"{attempt.detail} [{attempt.code}]") if attempt.caught else ():
        out.say(textwrap.fill(text, _WIDTH, initial_indent=" " * 5, subsequent_indent=" " * 5))


def _end(told: "Story", kept: Path | None) -> str:
    if kept is None:
        return "Keep the ledger with `hansa demo --keep DIR`, or start your own with `hansa up`."
    return kept_told(kept, told.ledger, told.lines[0].seq, "payment")


def _say(out: Output, title: str, text: str, shown: str = "") -> None:
    """A section: its title, its text, and under it what is shown as it is."""
    if title:
        out.say(out.style(title, bold=True))
    if text:
        out.say("\n".join([textwrap.fill(text, _WIDTH), *([textwrap.indent(shown, "  ")] if shown else []), ""]))
