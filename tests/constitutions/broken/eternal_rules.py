"""Broken: a majority, but the rules can never be changed again."""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "6ce5aeaf149e122781c4bc554fce91b94ac22344c4adfd5ddaa8639dbe42121d")


class EternalRules(Contract, version="1.0.0"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        if gov.changes_rules(proposal):
            return ["these rules are for ever"]
        return gov.problems(proposal, members)

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        if gov.leaves_none(proposal, members):
            return "Rejected"
        votes = gov.by_heads(proposal, members)
        if gov.leaves_one(proposal, members):
            return gov.decided(votes, votes.all)
        return gov.decided(votes, gov.more_than_half(votes.all))

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        return [step]
