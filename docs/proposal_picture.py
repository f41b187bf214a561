"""The picture of a proposal's states, for people: what the contract `members` declares, in the words of its effects.

In the contract most arrows are taken by what the ledger itself runs behind a ballot (`compare`, `tally`, `fail`), and a
picture of these would show how it is made. The tests hold each arrow here against what is declared there.
"""

from hansa.contracts.diagram import Arrow, States, Taken

_MEMBER = "a member"
_PROPOSER = "its proposer"
_LEDGER = "the ledger"


def of(declared: States) -> States:
    """The states of a proposal as people meet them, with the contract's own words for each."""
    arrows = (
        _arrow(None, "Open", ("propose", _MEMBER)),
        _arrow("Open", "Accepted", ("enough said yes", _LEDGER)),
        _arrow("Open", "Rejected", ("cannot pass", _LEDGER)),
        _arrow("Open", "Withdrawn", ("withdraw", _PROPOSER)),
        _arrow("Open", "Dropped", ("out of time or date", _LEDGER)),
        _arrow("Accepted", "Withdrawn", ("withdraw", _PROPOSER)),
        _arrow("Accepted", "Dropped", ("out of date", _LEDGER)),
        _arrow("Accepted", "Failed", ("impossible", _LEDGER)),
    )
    stays = {"Open": (Taken("vote", _MEMBER),)}
    return States(declared.contract, declared.record, declared.states, arrows, stays, (), ())


def _arrow(source: str | None, target: str, taken: tuple[str, str]) -> Arrow:
    return Arrow(source, target, (Taken(*taken),))
