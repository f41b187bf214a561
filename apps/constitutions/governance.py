"""Governance: what a constitution is given, and how votes are counted.

A constitution uses this library by its digest, so nobody can change how votes are counted without changing the
constitution. Nothing here decides; what a proposal needs stands in the constitution itself.
"""

from hansa.contract import Hash, Int, Party, Struct, Text


class Member(Struct):
    """An active member."""

    id: Party
    weight: Int[0, 1000000]
    attributes: list[Text[1, 64], 32]


class Vote(Struct):
    """What a member said to a proposal; it says it once."""

    member: Party
    yes: bool


class Action(Struct):
    """One thing that a proposal does: its name, whom or what it is about, and what it gives.

    `member` is the existing member that it is about, `digest` the SHA-256 of the source that it carries.
    """

    name: Text[1, 40]
    subject: Text[0, 100] = ""
    member: Party | None = None
    attributes: list[Text[1, 64], 32] = []
    weight: Int[0, 1000000] | None = None
    digest: Hash | None = None


class Proposal(Struct):
    """What is voted on. The votes of members that were removed meanwhile are not among them."""

    proposer: Party
    actions: list[Action, 32]
    votes: list[Vote, 1024]


class Tally(Struct):
    """Votes that count, by heads or by weight: for, against, and all that there can be."""

    yes: int
    no: int
    all: int


def changes_rules(proposal: Proposal) -> bool:
    """Whether it changes the constitution."""
    for step in proposal.actions:
        if step.name == "set_constitution":
            return True
    return False


def changes_members(proposal: Proposal) -> bool:
    """Whether it changes who belongs to the ledger, with what weight and attributes, or whose keys and nodes speak."""
    for step in proposal.actions:
        if step.name in ["set_member", "remove_member", "set_member_data", "set_member_keys"]:
            return True
        if step.name in ["trust_node", "retire_node"]:
            return True
    return False


def is_only(proposal: Proposal, names: list[Text[1, 40], 32]) -> bool:
    """Whether all that it does is among these actions."""
    for step in proposal.actions:
        if step.name not in names:
            return False
    return True


def leaves_one(proposal: Proposal, members: list[Member, 1024]) -> bool:
    """Whether it leaves fewer than two of the members that are here now."""
    left = len(members)
    for step in proposal.actions:
        if step.name == "remove_member":
            left -= 1
    return len(members) > 1 and left < 2


def leaves_none(proposal: Proposal, members: list[Member, 1024]) -> bool:
    """Whether it leaves no member at all, not even one that comes in with it."""
    left = len(members)
    for step in proposal.actions:
        if step.name == "remove_member":
            left -= 1
        if step.name == "set_member":
            return False
    return left < 1


def problems(proposal: Proposal, members: list[Member, 1024]) -> list[Text[1, 200], 32]:
    """What no vote can make good."""
    if leaves_none(proposal, members):
        return ["no member would be left, and nobody could ever vote again"]
    return []


def restored(proposal: Proposal, members: list[Member, 1024]) -> Party | None:
    """The member that gets new keys, if the proposal does nothing else and there are at least two others.

    It may have lost the keys that it would vote with: so it is not asked, and its vote is not counted.
    """
    if len(proposal.actions) == 1 and len(members) > 2 and proposal.actions[0].name == "set_member_keys":
        return proposal.actions[0].member
    return None


def has(member: Party, attribute: Text[1, 64], members: list[Member, 1024]) -> bool:
    """Whether an active member has an attribute."""
    for one in members:
        if one.id == member:
            return attribute in one.attributes
    return False


def restores_one_with(proposal: Proposal, members: list[Member, 1024], attribute: Text[1, 64]) -> bool:
    """Whether it gives new keys, and does nothing else, to a member that has an attribute."""
    member = restored(proposal, members)
    return member is not None and has(member, attribute, members)


def yes(votes: list[Vote, 1024]) -> int:
    """How many said yes."""
    count = 0
    for vote in votes:
        if vote.yes:
            count += 1
    return count


def no(votes: list[Vote, 1024]) -> int:
    """How many said no."""
    return len(votes) - yes(votes)


def counting(proposal: Proposal, members: list[Member, 1024]) -> list[Vote, 1024]:
    """The votes that count: all but that of a member which is given new keys."""
    skipped = restored(proposal, members)
    if skipped is None:
        return proposal.votes
    kept: list[Vote, 1024] = []
    for vote in proposal.votes:
        if vote.member != skipped:
            kept.append(vote)
    return kept


def by_heads(proposal: Proposal, members: list[Member, 1024]) -> Tally:
    """The votes, each as one."""
    votes = counting(proposal, members)
    can_vote = len(members) if restored(proposal, members) is None else len(members) - 1
    return Tally(yes=yes(votes), no=no(votes), all=can_vote)


def by_weight(proposal: Proposal, members: list[Member, 1024]) -> Tally:
    """The votes, each by the weight that its member has now."""
    skipped = restored(proposal, members)
    weights: dict[Party, int, 1024] = {}
    everything = 0
    for one in members:
        if one.id != skipped:
            weights[one.id] = one.weight
            everything += one.weight
    for_it = 0
    against = 0
    for vote in proposal.votes:
        if vote.member in weights:
            if vote.yes:
                for_it += weights[vote.member]
            else:
                against += weights[vote.member]
    return Tally(yes=for_it, no=against, all=everything)


def by_heads_with(proposal: Proposal, members: list[Member, 1024], attribute: Text[1, 64]) -> Tally:
    """The votes of the members that have an attribute, each as one."""
    skipped = restored(proposal, members)
    having: dict[Party, bool, 1024] = {}
    for one in members:
        if one.id != skipped and attribute in one.attributes:
            having[one.id] = True
    for_it = 0
    against = 0
    for vote in proposal.votes:
        if vote.member in having:
            if vote.yes:
                for_it += 1
            else:
                against += 1
    return Tally(yes=for_it, no=against, all=len(having))


def without(tally: Tally, part: Tally) -> Tally:
    """The votes of all but some."""
    return Tally(yes=tally.yes - part.yes, no=tally.no - part.no, all=tally.all - part.all)


def more_than_half(all: int) -> int:
    """The least whole number that is more than half."""
    return all // 2 + 1


def two_thirds(all: int) -> int:
    """The least whole number that is two thirds or more."""
    return (2 * all + 2) // 3


def three_quarters(all: int) -> int:
    """The least whole number that is three quarters or more."""
    return (3 * all + 3) // 4


def decided(tally: Tally, needed: int) -> Text[4, 8]:
    """Accepted when so many said yes, Rejected when so many no longer can, Open until then."""
    if tally.yes >= needed:
        return "Accepted"
    if tally.all - tally.no < needed:
        return "Rejected"
    return "Open"


def both(one: Text[4, 8], other: Text[4, 8]) -> Text[4, 8]:
    """Accepted when both are, Rejected when one is."""
    if one == "Rejected" or other == "Rejected":
        return "Rejected"
    if one == "Accepted" and other == "Accepted":
        return "Accepted"
    return "Open"
