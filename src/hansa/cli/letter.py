"""The letter of credit as people read it: `hansa app run letter-of-credit`, and the end of `hansa demo`."""

import textwrap
from datetime import UTC, datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from hansa.cli import output
from hansa.cli.output import Output
from hansa.client import money
from hansa.wire import entry

if TYPE_CHECKING:
    from hansa.stories.letter_of_credit import Step, Story

_WIDTH: Final = 100
_HEAD: Final = ("DATE", "ENTRY", "SIGNED BY", "WHAT", "OUTCOME")
_COLUMN: Final = 38
_OPENING: Final = (
    "{applicant} asks {issuer} for a standby letter of credit in favour of {beneficiary}; {adviser} advises and "
    "confirms it. Amount, parties and dates are those of three SWIFT messages ({messages}), read strictly; the days "
    "before the issue and what comes after the first demand are the story's own. The contract keeps the rules of "
    "ISP98. By its message the letter goes on for a year at a time until 2031 unless notice is given; here notice is "
    "given. The calendar of business days is from {publisher}, no party to the letter. The ledger's clock was told "
    "these dates, which is for demonstrations only. Entries that are left out set the ledger up, or are those by which "
    "its time goes on."
)
_PROOFS: Final = (
    "{count} receipts were checked with the ledger's first page alone, asking no node: {proofs}. Each says that time "
    "was told."
)
_STANDING: Final = "In the end {id} is {state}: {drawn} of {amount} were paid."


def before_letter(out: Output) -> None:
    """Says on stderr that the letter of credit comes next."""
    out.note(out.style("  ... four members and a letter of credit, from April 2026 to April 2027", dim=True))


def tell_letter(out: Output, told: "Story", title: str) -> None:
    """The letter of credit for people."""
    applicant, issuer, adviser, beneficiary, publisher = told.members
    opening = _OPENING.format(
        applicant=applicant,
        issuer=issuer,
        adviser=adviser,
        beneficiary=beneficiary,
        publisher=publisher,
        messages=", ".join(f"MT {name[5:8]}" for name in told.messages),
    )
    out.say(out.style(title, bold=True))
    out.say(f"{textwrap.fill(opening, _WIDTH)}\n")
    out.say(textwrap.indent(output.table(_HEAD, [_row(step) for step in told.steps]), "  "))
    out.say()
    for step in told.steps:
        if step.why:
            why = f"{step.seq}: refused, because {output.shown(step.why)}"
            out.say(textwrap.fill(why, _WIDTH, initial_indent="  ", subsequent_indent="      "))
    out.say()
    standing = told.standing
    drawn, amount = money.written(standing.drawn), money.written(standing.amount)
    ending = _STANDING.format(id=standing.id, state=standing.state, drawn=drawn, amount=amount)
    proofs = " and ".join(f"of {proof.what} (entry {proof.seq}, signed by {proof.signer})" for proof in told.proofs)
    out.say(textwrap.fill(f"{ending} {_PROOFS.format(count=len(told.proofs), proofs=proofs)}", _WIDTH))
    out.say()
    out.say(textwrap.indent(_beside(told), "  "))
    out.say()
    out.say(textwrap.fill(f"Left column: {told.process.source}", _WIDTH, break_on_hyphens=False))
    out.say(textwrap.fill(told.process.not_compared, _WIDTH))
    out.say()


def _beside(told: "Story") -> str:
    """The paper process, as its source tells it, beside what was signed here until the letter was there."""
    left = [line for text in told.process.paper for line in textwrap.wrap(text, _COLUMN)]
    ours = [f"{number} {text}" for number, text in enumerate(told.process.ours, 1)]
    right = [line for text in ours for line in textwrap.wrap(text, _WIDTH - _COLUMN - 4, subsequent_indent="  ")]
    head = ("PAPER, BY THE SOURCE", f"HERE: {len(ours)} SIGNED ACTIONS UNTIL THE BENEFICIARY HAS IT")
    return output.table(head, list(zip_longest(left, right, fillvalue="")))


def _row(step: "Step") -> list[str]:
    date = datetime.fromtimestamp(step.time / 1000, UTC).date().isoformat()
    what = f"{step.what} ({step.message})" if step.message else step.what
    return [date, str(step.seq), step.by, what, "applied" if step.status == entry.APPLIED else step.status]
