"""A client follows the changes of a ledger's checkpoint keys by itself, and is not led back to a former one."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.client.inprocess import URL
from tests.client.test_trust import World, changed

from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.merkle import checkpoint, receipt
from hansa.node.create import CHECKPOINT_KEY, governance_key
from hansa.store.folder import Folder
from hansa.wire import cose


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.node.close()


def rotate(world: World, number: int) -> bytes:
    """Another checkpoint key for the node, and an entry behind that; the key's id."""
    folder = Folder(world.root / "a")
    made = key_files.generate("p256")
    key_files.save(made, folder.keys / f"checkpoint-{number}.pem")
    arguments = {"owner_kind": "node", "owner": "node-1", "purpose": "checkpoint", "expires": None}
    arguments["spki"] = made.public.spki
    envelope = transactions.prepare(
        key_files.load(governance_key(folder, "acme")),
        world.id,
        "members",
        "register_key",
        arguments,
        steps_max=200_000,
        content_type=cose.GOVERNANCE,
    ).envelope
    answer = world.node.request(
        "POST", f"{URL}/app/transactions", content=envelope, headers={"content-type": "application/cose"}
    )
    assert answer.json()["status"] == "applied", answer.json()
    world.add()
    return made.kid


def test_checkpoints_and_receipts_go_on_through_changes(world: World, tmp_path: Path) -> None:
    world.add()
    with world.client(memory=tmp_path / "memory.json") as client:
        first = client.checkpoint()
        for number in range(3):
            kid = rotate(world, number)
            head = client.checkpoint()
            assert receipt.read_bare(head.cose).kid == kid
            assert head.size > first.size
            assert client.receipt(head.size - 1).proven.kid == kid
            assert client.receipt(0).proven.kid == kid, "an old entry has its receipt under the current key"
        assert world.asked.count("GET /node/trust") == 3
    with world.client(memory=tmp_path / "memory.json") as client:  # what it remembers is under a key of no genesis
        assert client.checkpoint().size == head.size


def test_a_client_that_comes_after_the_changes_learns_them(world: World) -> None:
    kids = [rotate(world, number) for number in range(2)]
    with world.client() as client:
        assert client.receipt(1).proven.kid == kids[-1]
        client.checkpoint()
        assert world.asked.count("GET /node/trust") == 1


def test_a_receipt_from_before_is_good_once_it_is_linked(world: World) -> None:
    """As a node would give it that keeps receipts: under the first checkpoint that covered the entry."""
    world.add()
    old = world.node.request("GET", f"{URL}/app/receipts/1", headers={"accept": "application/cose"}).content
    rotate(world, 1)
    world.altered["/app/receipts/1"] = lambda _: httpx2.Response(200, content=old)
    with world.client() as client:
        client.checkpoint()
        assert client.receipt(1).proven.size == 2
        assert client.receipt(1).proven.has_changed


def test_an_altered_chain_is_not_believed(world: World, refused: Callable[..., Any]) -> None:
    rotate(world, 1)
    world.altered["/node/trust"] = changed(-40)
    with world.client() as client, refused("trust.chain"):
        client.checkpoint()


def test_who_has_a_former_key_shows_no_other_history(world: World, tmp_path: Path, refused: Callable[..., Any]) -> None:
    """The thief has the whole folder as it was before the change, with the key, and goes on from there alone."""
    world.add()
    world.copy("b")
    rotate(world, 1)
    with world.client(memory=tmp_path / "memory.json") as client:
        size = client.checkpoint().size
    world.use("b")
    for more in (1, 4):
        world.add(more)
        with world.client(memory=tmp_path / "memory.json") as client, refused("ledger.forked"):
            client.checkpoint()
    with world.client() as client:
        assert client.checkpoint().size > size, "who remembers nothing has nothing to hold against it"


def test_a_head_under_a_former_key_is_refused_by_who_knows_better(world: World, refused: Callable[..., Any]) -> None:
    old = key_files.load(world.root / "a" / "keys" / CHECKPOINT_KEY)
    rotate(world, 1)
    with world.client() as client:
        head = receipt.read_bare(client.checkpoint().cose)
        forged = checkpoint.sign(world.id, head.size + 1, head.time, bytes(32), old)
        world.altered["/app/checkpoints/latest"] = lambda _: httpx2.Response(200, content=receipt.bare(forged))
        with refused("receipt.span"):
            client.checkpoint()
