"""Operator: one member keeps daily business going, the others decide about everything else and can veto it.

A member is an operator by the attribute `governance:operator`; there may be one, several, or none. What a proposal
needs, counted among the active members, each with one vote:

- Daily business, proposed by an operator: nothing more, it is accepted at once. Daily business is pausing a contract,
  setting reference data, and removing a user; and no proposal that does anything besides.
- Everything that is not named here (daily business that another member proposes; users, contracts and libraries,
  resuming a contract, limits, token issuers, exclusion of a transaction): the yes of more than half of all members,
  and of more than half of those that are no operators. That is the members' veto: no number of operators outvotes it.
  Where all are operators, all are counted as any other members.
- Members (admitting, removing, changing attributes, weights, keys, nodes; so making operators too) and the constitution
  itself: the yes of two thirds of all members, and of two thirds of those that are no operators.
- New keys for a member that lost its own: the same among the others; the member itself is not asked. All others, if
  they are all operators: else these would get hold of the members' veto. With two members both are needed.
- Leaving fewer than two members: the yes of all.

Resuming a contract is not daily business, so that an operator cannot undo a pause that the members voted. Making users
is not, because whoever has a user's key acts for the member of this user.
Silence is no yes. A proposal is rejected as soon as it can no longer get what it needs.
"""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")

OPERATOR = "governance:operator"


class Operator(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        """Every proposal may be voted on, but one that leaves no member at all."""
        return gov.problems(proposal, members)

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        """What the votes so far come to."""
        if gov.leaves_none(proposal, members):
            return "Rejected"
        is_daily = gov.is_only(proposal, ["pause_contract", "set_reference", "remove_user"])
        if is_daily and gov.has(proposal.proposer, OPERATOR, members):
            return "Accepted"
        votes = gov.by_heads(proposal, members)
        if gov.leaves_one(proposal, members):
            return gov.decided(votes, votes.all)
        others = gov.without(votes, gov.by_heads_with(proposal, members, OPERATOR))
        if others.all == 0 and gov.restored(proposal, members) is not None:
            return gov.decided(votes, votes.all)
        if others.all == 0:
            others = votes
        if gov.changes_rules(proposal) or gov.changes_members(proposal):
            return gov.both(
                gov.decided(votes, gov.two_thirds(votes.all)), gov.decided(others, gov.two_thirds(others.all))
            )
        return gov.both(
            gov.decided(votes, gov.more_than_half(votes.all)), gov.decided(others, gov.more_than_half(others.all))
        )

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        """An action brings about itself and nothing else."""
        return [step]
