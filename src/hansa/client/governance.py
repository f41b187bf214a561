"""Proposing, voting and withdrawing: what a member does with a governance key, and what it reads about proposals.

An envelope signed here has the content type of governance and addresses the contract `members`; it is sent, and sent
again, as every transaction is.
"""

from typing import Any, Final, Literal

import msgspec

from hansa.client import proposals, submission, transactions
from hansa.client.asking import ask
from hansa.client.exchange import Operation, Query, Reply, json_of
from hansa.client.results import Answer, Wait
from hansa.client.session import Session
from hansa.client.transactions import Prepared
from hansa.wire import cose, names
from hansa.wire.limits import CHECK_STEPS_PER_BYTE, GOVERNANCE_STEPS_MAX
from hansa.wire.problems import HansaError

API_VERSION: Final = "2026-11-01"
"""The version of `/gov` that is spoken here, by clients and nodes."""
VERSION: Final[Query] = {"api-version": API_VERSION}
CONTRACT: Final = "members"
STEPS: Final = 200_000
"""What a proposal or ballot takes at most, but for the files that it carries or puts in force."""
_PATH: Final = "/gov/members/proposals"
_PAGE_ROWS: Final = 1_000


class Ballot(msgspec.Struct, frozen=True):
    """What a member said of a proposal, and when, by ledger time (ms)."""

    member: str
    yes: bool
    at: int


class Proposal(msgspec.Struct, frozen=True):
    """A proposal as it stands. Times are ms since 1970 UTC, by ledger time.

    `constitution` is the digest of that under which it was made. `closes` is when it is dropped if it is still open;
    `due` when an accepted one is carried out, while it waits for its time lock; `applied` when it was. `reason` says
    why it failed or was dropped, `stale` why the next ballot, or the end of its time lock, drops it; else they are
    empty. `seq` is the entry that changed it last.
    """

    id: str
    title: str
    proposer: str
    state: Literal["Open", "Accepted", "Rejected", "Withdrawn", "Failed", "Dropped"]
    constitution: str
    ballots: list[Ballot]
    opened: int
    closes: int
    due: int | None
    applied: int | None
    reason: str
    seq: int
    stale: str = ""


class _Page(msgspec.Struct, frozen=True):
    proposals: list[Proposal]
    next: str | None


def propose(
    session: Session, proposal: Any, wait: Wait, *, not_after: int | None = None, steps_max: int | None = None
) -> Operation[Answer]:
    """See `Client.propose`."""
    written = proposals.read(proposal)
    arguments = {"title": written.title, "steps": written.steps, "closes": written.closes}
    steps = steps_for(written.steps) if steps_max is None else steps_max
    return (yield from take(session, "propose", arguments, wait, steps_max=steps, not_after=not_after))


def vote(
    session: Session,
    proposal: str | bytes,
    yes: bool,
    wait: Wait,
    *,
    not_after: int | None = None,
    steps_max: int | None = None,
) -> Operation[Answer]:
    """See `Client.vote`."""
    arguments, steps = yield from ballot(session, proposal, yes)
    steps = steps if steps_max is None else steps_max
    return (yield from take(session, "vote", arguments, wait, steps_max=steps, not_after=not_after))


def withdraw(
    session: Session, proposal: str | bytes, wait: Wait, *, not_after: int | None = None, steps_max: int | None = None
) -> Operation[Answer]:
    """See `Client.withdraw`."""
    arguments = {"proposal": id_bytes(proposal)}
    return (yield from take(session, "withdraw", arguments, wait, steps_max=steps_max, not_after=not_after))


def take(
    session: Session,
    action: str,
    arguments: dict[str, Any],
    wait: Wait,
    *,
    not_after: int | None = None,
    steps_max: int | None = None,
) -> Operation[Answer]:
    """Signs an action of the contract `members` as governance, sends it, and waits."""
    steps = STEPS if steps_max is None else steps_max
    made = yield from prepare(session, action, arguments, steps_max=steps, not_after=not_after)
    return (yield from submission.submit(session, made.envelope, wait))


def prepare(
    session: Session, action: str, arguments: dict[str, Any], *, steps_max: int = STEPS, not_after: int | None = None
) -> Operation[Prepared]:
    """An envelope of governance, signed and ready to send."""
    ledger = yield from submission.ledger(session)
    limit = (yield from submission.limit(session)) if not_after is None else not_after
    return transactions.prepare(
        session.signer,
        ledger,
        CONTRACT,
        action,
        arguments,
        steps_max=steps_max,
        not_after=limit,
        content_type=cose.GOVERNANCE,
    )


def ballot(session: Session, proposal: str | bytes, yes: bool) -> Operation[tuple[dict[str, Any], int]]:
    """The arguments of a vote on a proposal under the constitution that it was made under, and the steps it needs."""
    found = yield from read(session, proposal)
    answer = yield from ask(session, f"{_PATH}/{found.id}/actions", json_of, query=VERSION)
    return ballot_on(found, answer["actions"], yes=yes)


def ballot_on(proposal: Proposal, actions: list[Any], *, yes: bool) -> tuple[dict[str, Any], int]:
    """The arguments of a vote on a proposal with these actions, and the steps that it takes at most."""
    id, rules = bytes.fromhex(proposal.id), bytes.fromhex(proposal.constitution)
    arguments = {"proposal": id, "yes": yes, "constitution": rules}
    return arguments, steps_for(proposals.read({"actions": actions}).steps)


def steps_for(steps: list[proposals.Step]) -> int:
    """The steps that it takes at most to propose these, or to carry them out."""
    return min(GOVERNANCE_STEPS_MAX, STEPS + sum(len(step["source"]) for step in steps) * (CHECK_STEPS_PER_BYTE + 10))


def read(session: Session, proposal: str | bytes) -> Operation[Proposal]:
    """See `Client.proposal`."""
    return (yield from ask(session, f"{_PATH}/{id_bytes(proposal).hex()}", _proposal, query=VERSION))


def every(session: Session, *, is_open: bool) -> Operation[list[Proposal]]:
    """See `Client.proposals`."""
    found: list[Proposal] = []
    query: dict[str, str | int] = {**VERSION, "rows": _PAGE_ROWS, "open": "true" if is_open else "false"}
    while True:
        page = yield from ask(session, _PATH, _page, query=query)
        found += page.proposals
        if page.next is None:
            return sorted(found, key=lambda one: (one.opened, one.id))
        query["after"] = page.next


def id_bytes(proposal: str | bytes) -> bytes:
    """A proposal's id as bytes. Raises `HansaError` `request.digest`."""
    return proposal if isinstance(proposal, bytes) else names.digest_from_hex(proposal, "proposal id")


def _proposal(reply: Reply) -> Proposal:
    return _decoded(reply, Proposal)


def _page(reply: Reply) -> _Page:
    return _decoded(reply, _Page)


def _decoded(reply: Reply, type: type[Any]) -> Any:
    try:
        return msgspec.json.decode(reply.body, type=type)
    except (ValueError, RecursionError):
        raise HansaError("node.foreign", "what came does not describe proposals") from None
