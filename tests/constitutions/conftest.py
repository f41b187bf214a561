"""What tests of constitutions share: the presets loaded once, and questions put to them on both interpreters."""

from collections.abc import Iterable
from typing import Any

import pytest
from tests.constitutions.pin import LIBRARY, files
from tests.contracts.world import World

from hansa.contracts.calls import Execution
from hansa.governance.sequel import TALLY_STEPS

DAILY = {"pause_contract", "set_reference", "remove_user"}
ABOUT_A_MEMBER = {"remove_member", "set_member_data", "set_member_keys"}
STEPS = 100_000


class Presets:
    """A ledger in memory with every constitution of the project on it, by the names of their files."""

    def __init__(self) -> None:
        self.world = World(members="abcdefgh", users=())
        self.world.add_library("governance", LIBRARY.read_text("utf-8"))
        for file in files():
            self.world.deploy(file.stem, file.read_text("utf-8"))

    def ask(self, constitution: str, view: str, *, on_both: bool = True, **arguments: Any) -> Any:
        """What a view says; `on_both` interpreters, which must agree. AssertionError if it faults."""
        call = self.world.call(constitution, view, arguments, by=None)
        ran = self.world.agree(call, steps=STEPS) if on_both else self.world.run(call, steps=STEPS)
        assert ran.code == "ok", ran
        return ran.result

    def count(self, constitution: str, names: Iterable[str], **arguments: Any) -> Execution:
        """What `resolve` gives where there are members of these names too, with the steps of the kernel."""
        known, self.world.members = self.world.members, {*self.world.members, *names}
        try:
            call = self.world.call(constitution, "resolve", arguments, by=None)
            return self.world.run(call, steps=TALLY_STEPS)
        finally:
            self.world.members = known


@pytest.fixture(scope="session")
def presets() -> Presets:
    return Presets()


def act(text: str) -> dict[str, Any]:
    """An action as a constitution sees it: `remove_member c`, or its name alone."""
    name, _, subject = text.partition(" ")
    member = subject if name in ABOUT_A_MEMBER else None
    return {"name": name, "subject": subject, "member": member, "attributes": [], "weight": None, "digest": None}


def votes(yes: str, no: str = "") -> list[dict[str, Any]]:
    """The votes of members that are called by one letter each."""
    return [{"member": one, "yes": True} for one in yes] + [{"member": one, "yes": False} for one in no]
