"""Veto holder: the members decide, and nothing happens without those who hold a veto.

A member holds a veto by the attribute `governance:veto`; there may be one such member, several, or none. What a
proposal needs, counted among the active members, each with one vote:

- Everything that is not named below (users, contracts and libraries, pauses, limits, token issuers, reference data,
  exclusion of a transaction): the yes of more than half, and of every veto holder.
- Members (admitting, removing, changing attributes, weights, keys, nodes; so giving and taking a veto too) and the
  constitution itself: the yes of two thirds, and of every veto holder.
- New keys for a member that lost its own: two thirds of the others, and every other veto holder; the member itself
  is not asked. If it holds a veto: all others, for its no cannot be counted then. With two members both are needed.
- Leaving fewer than two members: the yes of all.

A veto is not a no within a time: what holders did not say yes to does not happen, so none is too late with its veto.
Silence is no yes. A proposal is rejected as soon as a holder says no, or it can no longer get what it needs.
"""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")

VETO = "governance:veto"


class VetoHolder(Contract, version="1.0.0"):
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
        if gov.leaves_one(proposal, members) or gov.restores_one_with(proposal, members, VETO):
            return gov.decided(votes, votes.all)
        holders = gov.by_heads_with(proposal, members, VETO)
        agreed = gov.decided(holders, holders.all)
        if gov.changes_rules(proposal) or gov.changes_members(proposal):
            return gov.both(agreed, gov.decided(votes, gov.two_thirds(votes.all)))
        return gov.both(agreed, gov.decided(votes, gov.more_than_half(votes.all)))

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        """An action brings about itself and nothing else."""
        return [step]
