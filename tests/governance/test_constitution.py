"""What is a constitution: told apart from every other file, with words for all that is wrong."""

import hashlib
import re
from typing import Any

import pytest

from hansa.contracts import program
from hansa.contracts.faults import Fault
from hansa.governance import constitution
from hansa.node import shipped

GOVERNANCE = shipped.library()
MAJORITY = f'''"""More than half."""

from hansa.contract import Contract, Text, library, view

gov = library("governance", "{hashlib.sha256(GOVERNANCE.encode()).hexdigest()}")


class Majority(Contract, version="1.2.3"):
    @view
    def validate(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> list[Text[1, 200], 32]:
        return []

    @view
    def resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024]) -> Text[4, 8]:
        return "Accepted" if 2 * gov.yes(proposal.votes) > len(members) else "Open"

    @view
    def apply(tx, step: gov.Action, members: list[gov.Member, 1024]) -> list[gov.Action, 32]:
        return [step]
'''
_STRUCTS = GOVERNANCE[GOVERNANCE.index("class Member") : GOVERNANCE.index("class Tally")]
_YES = GOVERNANCE[GOVERNANCE.index("def yes") : GOVERNANCE.index("def no")]
OWN = re.sub(
    r"\b(?:gov\.)?(Member|Vote|Action|Proposal)\b",
    r"My\1",
    MAJORITY.replace(MAJORITY.split("\n")[4], _STRUCTS + _YES)
    .replace("gov.yes", "yes")
    .replace("Contract, Text, library, view", "Contract, Hash, Int, Party, Struct, Text, view"),
)
APPLY = MAJORITY[MAJORITY.index("def apply") :]
CHANGED = {
    "another parameter": (
        APPLY,
        APPLY.replace("step", "act"),
        ["`apply` takes `act`, `members`; it must take `step`, `members`"],
    ),
    "another order": (
        "resolve(tx, proposal: gov.Proposal, members: list[gov.Member, 1024])",
        "resolve(tx, members: list[gov.Member, 1024], proposal: gov.Proposal)",
        ["`resolve` takes `members`, `proposal`; it must take `proposal`, `members`"],
    ),
    "fewer members": (
        "step: gov.Action, members: list[gov.Member, 1024]",
        "step: gov.Action, members: list[gov.Member, 10]",
        [
            "`members` of `apply` is a list of at most 10, each a struct, `gov.Member`; "
            "it must be a list of at most 1024, each a struct, `Member`"
        ],
    ),
    "another struct": (
        APPLY,
        APPLY.replace("step: gov.Action", "step: gov.Vote").replace("[step]", "[]"),
        [
            "`step` of `apply`, `gov.Vote`, has `member`, `yes`; "
            "it must have `attributes`, `digest`, `member`, `name`, `subject`, `weight`"
        ],
    ),
    "another result": (
        "-> Text[4, 8]",
        "-> Text[4, 80]",
        ["what `resolve` returns is `Text[4, 80]`; it must be `Text[4, 8]`"],
    ),
    "another view": (
        "    @view\n    def apply",
        "    @view\n    def more(tx) -> bool:\n        return True\n\n    @view\n    def apply",
        ["it declares `more`; a constitution has three views, and no others"],
    ),
    "a view fewer": (
        "def apply",
        "def applied",
        [
            "it declares `applied`; a constitution has three views, and no others",
            "the view `apply` is missing",
        ],
    ),
    "an action": (
        "    @view\n    def apply",
        '    @action(by="member")\n    def act(tx):\n        pass\n\n    @view\n    def apply',
        ["it declares `act`; a constitution has three views, and no actions"],
    ),
    "a record and a role": (
        "    @view\n    def validate",
        '    class Roles:\n        one: Party = Party(attribute="x")\n\n    class Box(Record, key="id"):\n'
        "        id: Text[1, 9]\n\n    @view\n    def validate",
        [
            "it declares `one`; a constitution has three views, and no roles",
            "it declares `Box`; a constitution has three views, and no record types",
        ],
    ),
    "an interface": (
        "class Majority",
        'class Other(Interface, contract="other"):\n    @view\n    def n(tx) -> Text[1, 9]: ...\n\n\nclass Majority',
        ["it declares `Other`; a constitution has three views, and no interfaces"],
    ),
}


def checked(source: str, name: str = "constitution") -> list[str]:
    """The problems of a file, whatever it uses imported."""
    words = "Contract, Hash, Int, Interface, Party, Record, Struct, Text, action, library, view"
    source = source.replace("Contract, Text, library, view", words)
    library = program.check(GOVERNANCE, "governance")
    return constitution.problems(program.check(source, name, {library.digest: library}).manifest)


def test_a_constitution() -> None:
    assert checked(MAJORITY) == []


def test_its_structs_may_be_its_own() -> None:
    assert "library(" not in OWN
    assert checked(OWN) == []
    assert checked(OWN.replace("yes: bool", "yes: Int[0, 1]").replace("if vote.yes", "if vote.yes == 1")) == [
        f"`yes` of an item of `votes` of `proposal` of `{view}` is `Int[0, 1]`; it must be `bool`"
        for view in ("validate", "resolve")
    ]


@pytest.mark.parametrize(("old", "new", "problems"), CHANGED.values(), ids=CHANGED)
def test_what_is_none_is_told_in_words(old: str, new: str, problems: list[str]) -> None:
    assert MAJORITY.count(old) == 1
    assert checked(MAJORITY.replace(old, new)) == problems


def test_other_files_are_none() -> None:
    assert checked(GOVERNANCE) == ["it is a library; a constitution is a contract"]
    assert checked(MAJORITY, "majority") == ["it is named `majority`; a constitution is named `constitution`"]


def test_what_a_file_can_make_long_is_cut() -> None:
    named = "".join(f"    {'x' * 44}{n:02}: int = 0\n" for n in range(60))
    (first, _, *_) = checked(OWN.replace("    yes: bool\n", f"    yes: bool\n{named}"))
    assert " and 54 more; it must have `member`, `yes`" in first
    assert len(first) < 700


def test_the_ledgers_own_contract_asks_for_its_version(ledger: Any) -> None:
    """In the ledger: with the libraries that are there, and whatever constitution was in force before."""
    directory = ledger.directory
    with pytest.raises(Fault, match=r"contract\.invalid"):
        directory.contract_version("constitution", MAJORITY)  # its library is not on the ledger
    source = {"name": "governance", "source": GOVERNANCE}
    ledger.take("deploy_library", "acme" if "ledger:deployer" in directory.attributes["acme"] else "zeta", **source)
    assert directory.contract_version("constitution", MAJORITY) == "1.2.3"
    assert directory.contract_version("constitution", OWN.replace("1.2.3", "0.0.1")) == "0.0.1"
    for wrong, code, told in (
        (MAJORITY.replace("-> Text[4, 8]", "-> Text[4, 9]"), "constitution.invalid", "what `resolve` returns is"),
        (MAJORITY + "x = 1", "contract.invalid", "the file has findings"),
        (GOVERNANCE, "constitution.invalid", "it is a library"),
    ):
        with pytest.raises(Fault) as fault:
            directory.contract_version("constitution", wrong)
        assert (fault.value.code, fault.value.message[: len(told)]) == (code, told)
