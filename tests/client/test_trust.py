"""A ledger whose history was rewritten, or that is another one, is not answered from; what was seen is kept."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.client.inprocess import URL, InProcess

from hansa.client import Client, HansaError, Receipt, Refused, Unproven, pin_genesis, split_view, verify
from hansa.client.memory import Memory
from hansa.merkle import receipt
from hansa.merkle.checkpoint import Checkpoint
from hansa.node.create import Founder, create_ledger, member_key
from hansa.store.files import Disk
from hansa.store.folder import Folder

REFUSED = ("members", "set_reference", {"reference": "none", "valid_from": 1, "data": ""})
"""An action that has its entry and changes nothing."""


class World:
    """Copies of one ledger, of which one runs at a time, behind a URL that stays; what it answers can be altered."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.id = create_ledger(Disk(), Folder(root / "a"), "Trust", [Founder("acme", "Acme", deployer=True)])
        self.key = member_key(Folder(root / "a"), "acme")
        self.node = InProcess(root / "a")
        self.altered: dict[str, Callable[[httpx2.Response], httpx2.Response]] = {}
        self.asked: list[str] = []

    def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
        path = url.removeprefix(URL).partition("?")[0]
        self.asked.append(f"{method} {path}")
        answer = self.node.request(method, url, **more)
        return self.altered.get(path, lambda answer: answer)(answer)

    def copy(self, to: str) -> None:
        """Another copy of the ledger as it is now; its node goes on."""
        self.node.close()
        shutil.copytree(self.root / "a", self.root / to)
        self.node = InProcess(self.root / "a")

    def use(self, which: str) -> None:
        """The node of another copy answers from now on."""
        self.node.close()
        self.node = InProcess(self.root / which)

    def client(self, **options: Any) -> Client:
        return Client(URL, self.key, transport=self, **{"patient": False, **options})

    def add(self, count: int = 1) -> None:
        """Entries, which no client with a memory sees."""
        with self.client() as client:
            for _ in range(count):
                with pytest.raises(Refused):
                    client.call(*REFUSED)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.node.close()


def changed(at: int) -> Callable[[httpx2.Response], httpx2.Response]:
    """Changes one bit of a body."""

    def change(answer: httpx2.Response) -> httpx2.Response:
        body = bytearray(answer.content)
        body[at] ^= 1
        return httpx2.Response(answer.status_code, content=bytes(body))

    return change


# What is remembered


def test_the_last_checkpoint_is_remembered(world: World, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    for size in (1, 3, 6):
        with world.client(memory=memory) as client:
            head = client.checkpoint()
        assert (head.size, head.ledger) == (size, world.id.hex())
        kept = json.loads(memory.read_text())
        assert (kept["format"], bytes.fromhex(kept["checkpoint"])) == ("hansa.memory.0", head.cose)
        world.add(2 if size == 1 else 3)
    assert {path.name for path in tmp_path.iterdir()} == {"world", "memory.json"}  # nothing else is left
    assert world.asked.count("GET /app/consistency") >= 2


def test_a_memory_pins_the_ledger(world: World, tmp_path: Path, refused: Callable) -> None:
    memory = tmp_path / "memory.json"
    with world.client(memory=memory) as client:
        client.checkpoint()
        assert client.ledger() == world.id
    with refused("memory.ledger"):
        world.client(memory=memory, ledger="ab" * 32)
    create_ledger(Disk(), Folder(world.root / "b"), "Trust", [Founder("acme", "Acme", deployer=True)])
    world.use("b")
    with world.client(memory=memory) as client, refused("node.ledger"):
        client.status()


@pytest.mark.parametrize("more", [1, 2, 4])
def test_a_fork_is_found_before_anything_is_answered_or_sent(
    more: int, world: World, tmp_path: Path, refused: Callable
) -> None:
    """The copies have the same keys, and went on differently: to fewer, as many, and more entries."""
    memory = tmp_path / "memory.json"
    world.add()
    world.copy("b")
    world.add(2)
    with world.client(memory=memory) as client:
        client.checkpoint()
    kept = memory.read_bytes()
    world.use("b")
    world.add(more)
    world.asked.clear()
    code = "ledger.shrunken" if more == 1 else "ledger.forked"
    with world.client(memory=memory) as client:
        for ask in (client.status, client.checkpoint, lambda: client.call(*REFUSED)):
            with refused(code) as caught:
                ask()
            heads = [receipt.read_bare(caught.value.fields[name]) for name in ("remembered", "shown")]
            assert [head.size for head in heads] == [4, 2 + more]
            proof = memory.with_name("memory.json.split-view")
            assert caught.value.fields["proof"] == proof.read_bytes()
            assert str(proof) in caught.value.detail
            told = split_view.verify(proof.read_bytes(), world.id)
            assert [str(signer) for signer in told.equivocated] == ["node-1 of acme"]
            # The smaller head is of a later time than the larger one that was seen before.
            assert [pair.how for pair in told.contradictions] == [{1: "time", 2: "root", 4: "history"}[more]]
    assert not [asked for asked in world.asked if asked.startswith("POST")]
    assert memory.read_bytes() == kept
    world.use("a")
    with world.client(memory=memory) as client:
        assert client.checkpoint().size == 4


def test_a_fork_is_told_also_where_the_proof_cannot_be_kept(world: World, tmp_path: Path, refused: Callable) -> None:
    memory = tmp_path / "memory.json"
    memory.with_name("memory.json.split-view").mkdir()
    world.copy("b")
    world.add()
    with world.client(memory=memory) as client:
        client.checkpoint()
    world.use("b")
    world.add()
    with world.client(memory=memory) as client, refused("ledger.forked") as caught:
        client.checkpoint()
    assert split_view.verify(caught.value.fields["proof"], world.id).equivocated
    assert {path.name for path in tmp_path.iterdir()} == {"world", "memory.json", "memory.json.split-view"}


def test_a_fork_is_found_within_the_life_of_a_client(world: World, refused: Callable) -> None:
    world.add()
    world.copy("b")
    world.add()
    with world.client() as client:
        assert client.checkpoint().size == 3
        world.use("b")
        world.add(3)
        with refused("ledger.forked"):
            client.checkpoint()
        with refused("ledger.forked"):
            client.receipt(4)
        with pytest.raises(Unproven) as caught:
            client.call(*REFUSED, wait="receipt")
        assert (caught.value.cause.code, caught.value.answer.seq) == ("ledger.forked", 5)


def test_a_node_behind_the_others_is_passed_over(world: World, tmp_path: Path, refused: Callable) -> None:
    behind = {
        path: world.node.request("GET", URL + path, headers={"accept": "application/cose"})
        for path in ("/node/status", "/app/checkpoints/latest")
    }

    class Two:
        def request(self, method: str, url: str, **more: Any) -> httpx2.Response:
            if url.startswith("http://behind"):
                path = url.removeprefix("http://behind")
                return behind.get(path) or world.request(method, URL + path, **more)
            return world.request(method, url, **more)

    memory = tmp_path / "memory.json"
    world.add()
    with world.client(memory=memory) as client:
        client.checkpoint()
    with Client(["http://behind", URL], memory=memory, transport=Two()) as client:
        assert client.status().entries == 2
        assert client.url == URL
    with Client("http://behind", memory=memory, transport=Two()) as client, refused("ledger.shrunken"):
        client.status()


# The file


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"null",
        b'{"format": "hansa.memory.0"}',
        b'{"format": "hansa.memory.0", "checkpoint": "zz"}',
        b'{"format": "hansa.memory.0", "checkpoint": "d284"}',
        b'{"format": "hansa.memory.1", "checkpoint": ""}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_memory_is_refused_and_left(data: bytes, tmp_path: Path, refused: Callable) -> None:
    file = tmp_path / "memory.json"
    file.write_bytes(data)
    with refused("memory.file") as caught:
        Client(URL, memory=file)
    assert str(file) in caught.value.detail
    assert file.read_bytes() == data


def test_what_another_thread_kept_meanwhile_is_compared_with(tmp_path: Path) -> None:
    """Else of two heads that each continue the one before, but not each other, the later would stay unseen."""
    memory = Memory(tmp_path / "memory.json")
    first, second, third = (Checkpoint(bytes(32), n, n, bytes(32), -8, bytes(32), bytes(64)) for n in (1, 2, 3))
    assert memory.keep(None, first)
    assert not memory.keep(None, second)
    assert memory.last == first
    assert memory.keep(memory.last, third)
    assert memory.keep(memory.last, second)
    assert memory.last == third == Memory(tmp_path / "memory.json").last


def test_a_memory_cut_anywhere_is_refused(world: World, tmp_path: Path, refused: Callable) -> None:
    file = tmp_path / "memory.json"
    with world.client(memory=file) as client:
        client.checkpoint()
    data = file.read_bytes().rstrip()
    for length in range(1, len(data)):
        file.write_bytes(data[:length])
        with refused("memory.file"):
            Client(URL, memory=file)


def test_a_memory_that_nobody_signed_is_refused(world: World, tmp_path: Path, refused: Callable) -> None:
    """Before anything is compared with it: whoever can write the file could else choose what counts as a fork."""
    file = tmp_path / "memory.json"
    with world.client(memory=file) as client:
        client.checkpoint()
    kept = json.loads(file.read_text())
    message = bytearray.fromhex(kept["checkpoint"])
    message[-1] ^= 1
    file.write_text(json.dumps({**kept, "checkpoint": message.hex()}))
    before = file.read_bytes()
    world.add()
    with world.client(memory=file) as client:
        for ask in (client.checkpoint, client.status, lambda: client.call(*REFUSED)):
            with refused("memory.file"):
                ask()
    assert file.read_bytes() == before


def test_a_memory_that_cannot_be_kept_is_told(world: World, tmp_path: Path, refused: Callable) -> None:
    with world.client(memory=tmp_path / "none" / "memory.json") as client, refused("memory.file"):
        client.checkpoint()
    with refused("memory.file"):
        world.client(memory=tmp_path)


# What a node shows


def test_a_checkpoint_with_another_signature_is_none(world: World, refused: Callable) -> None:
    world.altered["/app/checkpoints/latest"] = changed(-1)
    with world.client() as client, refused("checkpoint.invalid"):
        client.checkpoint()
    world.altered["/app/checkpoints/latest"] = changed(0)
    with world.client() as client, refused("node.foreign"):
        client.checkpoint()


def test_a_genesis_document_of_another_ledger_is_none(world: World, refused: Callable) -> None:
    world.altered["/node/genesis"] = changed(-1)
    with world.client(ledger=world.id.hex()) as client, refused("node.foreign"):
        client.checkpoint()


def test_a_consistency_proof_that_is_none_is_no_fork(world: World, refused: Callable) -> None:
    with world.client() as client:
        client.checkpoint()
        world.add()
        world.altered["/app/consistency"] = lambda _: httpx2.Response(200, content=b"\xd2\x84")
        with refused("node.foreign"):
            client.checkpoint()
        other = world.node.request("GET", URL + "/app/consistency", params={"first": 2, "second": 2})
        world.altered["/app/consistency"] = lambda _: other
        with refused("node.foreign"):
            client.checkpoint()
        world.altered.clear()
        assert client.checkpoint().size == 2


def test_a_receipt_is_verified_and_can_be_by_others(world: World) -> None:
    world.add(3)
    with world.client(ledger=world.id.hex()) as client:
        assert client.checkpoint().size == 4
        found: Receipt = client.receipt(2)  # older than what is remembered
        document = client.get_bytes("/node/genesis")
        assert client.checkpoint().size == 4
    proven = verify(
        found.cose, found.entry, pin_genesis(document, world.id), envelope=found.envelope, outcome=found.outcome
    )
    assert proven == found.proven
    assert (proven.seq, proven.signer) == (2, "acme")


@pytest.mark.parametrize("part", ["/app/receipts/1", "/app/entries/1/entry", "/app/entries/1/outcome"])
def test_a_receipt_that_does_not_verify_is_none(part: str, world: World) -> None:
    world.add()
    world.altered[part] = changed(-1)
    with world.client() as client, pytest.raises(HansaError) as caught:
        client.receipt(1)
    assert caught.value.code in ("receipt.invalid", "verify.outcome")


def test_the_receipt_of_another_entry_is_none(world: World, refused: Callable) -> None:
    """With all that belongs to it: each part is good, and none is what was asked for."""
    world.add(2)
    for path in ("/app/receipts/{}", *(f"/app/entries/{{}}/{part}" for part in ("entry", "envelope", "outcome"))):
        other = world.node.request("GET", URL + path.format(2), headers={"accept": "application/cose"})
        world.altered[path.format(1)] = lambda _, other=other: other
    with world.client() as client:
        assert client.receipt(2).proven.seq == 2
        with refused("receipt.invalid") as caught:
            client.receipt(1)
    assert "entry 2, not 1" in caught.value.detail


def test_a_receipt_that_is_waited_for_comes_with_its_answer_or_says_so(world: World) -> None:
    world.altered["/app/receipts/1"] = changed(-1)

    def spoil(answer: httpx2.Response) -> httpx2.Response:
        at = answer.content.rindex(b"\x58\x40") + 2  # the receipt's signature
        return changed(at)(answer)

    world.altered["/app/transactions"] = spoil
    with world.client() as client, pytest.raises(Unproven) as caught:
        client.call(*REFUSED, wait="receipt")
    assert (caught.value.code, caught.value.cause.code) == ("answer.unproven", "receipt.invalid")
    assert (caught.value.answer.seq, caught.value.answer.status) == (1, "refused")
