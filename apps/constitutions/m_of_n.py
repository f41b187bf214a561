"""M of N: a fixed number of members decides, however many there are. The number stands below as NEEDED.

What a proposal needs, counted among the active members, each with one vote:

- Everything that is not named below (users, contracts and libraries, pauses, limits, token issuers, reference data,
  exclusion of a transaction): the yes of NEEDED members; of all, if there are fewer than that.
- Members (admitting, removing, changing attributes, weights, keys, nodes) and the constitution itself: the yes of two
  thirds, and of NEEDED members at least; of all, if there are fewer than that.
- New keys for a member that lost its own: the same among the others; the member itself is not asked. With two
  members both are needed.
- Leaving fewer than two members: the yes of all.

NEEDED is at least 2: with 1, every member would decide alone.
Silence is no yes. A proposal is rejected as soon as it can no longer get what it needs.
"""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")

NEEDED = 2


class MOfN(Contract, version="1.0.0"):
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
        if gov.leaves_one(proposal, members):
            return gov.decided(votes, votes.all)
        if gov.changes_rules(proposal) or gov.changes_members(proposal):
            return gov.decided(votes, min(votes.all, max(NEEDED, gov.two_thirds(votes.all))))
        return gov.decided(votes, min(votes.all, NEEDED))

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        """An action brings about itself and nothing else."""
        return [step]
