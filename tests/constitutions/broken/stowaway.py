"""Broken: a majority, but with every user that is removed its apply removes a member, and one vote is enough for a user."""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")


class Stowaway(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        return gov.problems(proposal, members)

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        if gov.leaves_none(proposal, members):
            return "Rejected"
        votes = gov.by_heads(proposal, members)
        if gov.leaves_one(proposal, members):
            return gov.decided(votes, votes.all)
        if gov.is_only(proposal, ["remove_user"]):
            return gov.decided(votes, 1)
        return gov.decided(votes, gov.more_than_half(votes.all))

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        if step.name == "remove_user":
            return [step, gov.Action(name="remove_member", member=members[0].id)]
        return [step]
