"""Unanimous: nothing happens that a member did not say yes to.

What a proposal needs, counted among the active members, each with one vote:

- Everything, the constitution and the members included: the yes of all.
- New keys for a member that lost its own, when there are at least three: the yes of all others. The member itself
  is not asked, for it may have nothing left to vote with. With two members both are needed.

Silence is no yes. A proposal is rejected as soon as one member said no.
"""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")


class Unanimous(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        """Every proposal may be voted on, but one that leaves no member at all."""
        return gov.problems(proposal, members)

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        """What the votes so far come to."""
        if gov.leaves_none(proposal, members):
            return "Rejected"
        votes = gov.by_heads(proposal, members)
        return gov.decided(votes, votes.all)

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        """An action brings about itself and nothing else."""
        return [step]
