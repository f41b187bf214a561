"""Broken: counts the votes that are there, so the first yes decides."""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")


class PresentVotes(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        return gov.problems(proposal, members)

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        if gov.leaves_none(proposal, members):
            return "Rejected"
        if gov.yes(proposal.votes) > gov.no(proposal.votes):
            return "Accepted"
        return "Open"

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        return [step]
