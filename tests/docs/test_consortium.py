"""The tutorial on governing: its picture is what the contract `members` declares, and is told in words too."""

from docs.generate import PROPOSAL, proposal
from tests.docs.pages import ROOT

from hansa.contracts import program
from hansa.contracts.diagram import described, state_machines
from hansa.contracts.drawing import svg
from hansa.governance.genesis import CONTRACT
from hansa.node.create import members_source


def test_the_picture_of_a_proposal_is_fresh_and_told_in_words() -> None:
    shown = proposal()
    assert PROPOSAL.read_text("utf-8") == svg([shown]), "run `make docs`"
    page = (ROOT / "docs" / "tutorial" / "consortium.md").read_text("utf-8")
    assert f"![{' '.join(described(shown))}](proposal.svg)" in page


def test_each_arrow_of_it_is_one_that_the_contract_declares() -> None:
    manifest = program.check(members_source(), CONTRACT, system=True).manifest
    (declared,) = [each for each in state_machines(manifest) if each.record == "Proposal"]
    shown = proposal()
    assert shown.states == declared.states
    allowed = {(arrow.source, arrow.target) for arrow in declared.arrows}
    assert {(arrow.source, arrow.target) for arrow in shown.arrows} <= allowed | {(None, "Open")}
    assert {arrow.target for arrow in shown.arrows} == set(declared.states), "each state can be come to"
