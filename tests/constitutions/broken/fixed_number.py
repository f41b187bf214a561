"""Broken: always three yes, however few are left; and three may leave one."""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "d4300853bceb04fd973910b0cbe99bb97f4b8c7aa6206a3b7cd3a66d0d5ac5d7")

NEEDED = 3


class FixedNumber(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        return gov.problems(proposal, members)

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        if gov.leaves_none(proposal, members):
            return "Rejected"
        if gov.is_only(proposal, ["remove_member"]):
            return gov.decided(gov.by_heads(proposal, members), gov.more_than_half(len(members)))
        return gov.decided(gov.by_heads(proposal, members), NEEDED)

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        return [step]
