"""Broken: all must agree, but everybody may leave when it likes, the last one too."""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")


class LeavingMember(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        return []

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        if gov.is_only(proposal, ["remove_member"]) and len(proposal.actions) == 1:
            if proposal.actions[0].member == proposal.proposer:
                return "Accepted"
        votes = gov.by_heads(proposal, members)
        return gov.decided(votes, votes.all)

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        return [step]
