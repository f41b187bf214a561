"""Weighted: members vote with their weights, and no weight is enough to decide alone.

Each member has a weight, a whole number, that genesis or a vote gave it. What a proposal needs:

- Everything that is not named below (users, contracts and libraries, pauses, limits, token issuers, reference data,
  exclusion of a transaction): the yes of more than half of all weight, and of at least two members.
- Members (admitting, removing, changing attributes, weights, keys, nodes) and the constitution itself: the yes of two
  thirds of all weight, and of at least two members.
- New keys for a member that lost its own: the same among the others; the member itself is not asked. With two members
  both are needed.
- Leaving fewer than two members: the yes of all.

A ledger with one member needs its yes alone. If all that could vote have no weight, the yes of all of them is needed.
So whoever has more than a third of the weight can stop a change of the rules, and nobody can make one alone.
Silence is no yes. A proposal is rejected as soon as it can no longer get what it needs.
"""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")


class Weighted(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        """Every proposal may be voted on, but one that leaves no member at all."""
        return gov.problems(proposal, members)

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        """What the votes so far come to."""
        if gov.leaves_none(proposal, members):
            return "Rejected"
        heads = gov.by_heads(proposal, members)
        weight = gov.by_weight(proposal, members)
        if gov.leaves_one(proposal, members) or weight.all == 0:
            return gov.decided(heads, heads.all)
        two = gov.decided(heads, min(heads.all, 2))
        if gov.changes_rules(proposal) or gov.changes_members(proposal):
            return gov.both(two, gov.decided(weight, gov.two_thirds(weight.all)))
        return gov.both(two, gov.decided(weight, gov.more_than_half(weight.all)))

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        """An action brings about itself and nothing else."""
        return [step]
