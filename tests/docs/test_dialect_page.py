"""The files that the page of the dialect shows can be deployed."""

import hashlib
import re

import pytest
from tests.contracts.sources import action
from tests.contracts.world import World

from docs import dialect_page
from hansa.contracts import program
from hansa.contracts.declarations import Libraries

BLOCKS = re.findall(r"```python\n(.*?)```", dialect_page.page(), re.DOTALL)
FILES = [block for block in BLOCKS if "from hansa.contract" in block]
DECLARED = ("structs", "enums", "interfaces", "libraries", "functions", "roles", "records", "actions", "views")


def libraries() -> Libraries:
    """The library that is shown, by its digest."""
    digest = hashlib.sha256(dialect_page.LIBRARY.encode()).digest()
    return {digest: program.check(dialect_page.LIBRARY, "fees")}


def test_the_page_shows_a_library_and_contracts_with_all_they_can_declare() -> None:
    assert dialect_page.LIBRARY in FILES
    shown = [program.check(file, "shown", libraries()).manifest for file in FILES]
    contracts = [manifest for manifest in shown if manifest.kind == "contract"]
    assert len(shown) == 3
    assert len(contracts) == 2
    for declared in DECLARED:
        assert any(getattr(manifest, declared) for manifest in contracts), declared


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.split("\n")[0])
def test_a_file_that_is_shown_passes_the_check(file: str) -> None:
    program.check(file, "shown", libraries())


RECORD = """
class Item(Struct):
    count: int
class R(Record, key="id"):
    id: int
    items: list[Item, 9] = []
    names: list[Text[0, 9], 9] = []
"""


@pytest.mark.parametrize("piece", dialect_page.COPIES.split("\n\n"))
def test_the_copies_that_are_shown_change_the_record_or_do_not_as_it_is_said(piece: str) -> None:
    make = '@action(by="member", creates="R")\ndef make(tx, r: R, id: int, items: list[Item, 9]):\n    pass\n'
    world = World()
    world.deploy("c", action(piece, "r: R", make, RECORD))
    world.take(world.call("c", "make", {"id": 1, "items": [{"count": 1}]}))
    before = world.values("c", "R")
    world.take(world.call("c", "go", {"r": 1}))
    assert (world.values("c", "R") != before) == ("changes the record" in piece)
    assert ("changes a copy" in piece) != ("changes the record" in piece)
