"""A client compares what the nodes of several members show: what is proven is told from what was only not shown."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from tests.client.consortium import NAMES, Consortium, Nodes, Shows, found
from tests.client.test_trust import World

from hansa.client import AsyncClient, Client, Comparison, split_view
from hansa.wire.keys import PrivateKey

URLS = [f"http://{name}" for name in NAMES]


@pytest.fixture(scope="module")
def consortium(make_key: Callable[[str, str], PrivateKey]) -> Consortium:
    return found(make_key, "Compare")


@pytest.fixture
def compared(consortium: Consortium) -> Callable[..., Comparison]:
    """`compared(acme=(size, forks at), ...)`: what a client finds; `Shows` may be given instead."""

    def compare(kept: dict[str, bytes] | None = None, **sides: Any) -> Comparison:
        nodes = {
            f"http://{name}": shown
            if isinstance(shown, Shows)
            else Shows(consortium.document, consortium.view(name, shown[1]), shown[0])
            for name, shown in sides.items()
        }
        with Client(list(nodes), ledger=consortium.ledger.hex(), transport=Nodes(nodes), patient=False) as client:
            told = client.compare(kept)
        if told.proof is not None:
            assert split_view.verify(told.proof, consortium.ledger) == told.split
        assert (told.proof is None) == (told.split is None) == (told.verdict != "split")
        return told

    return compare


def refuses(_: bytes) -> None:
    return None


@pytest.mark.parametrize("sizes", [(7, 7, 7), (7, 8, 12), (12, 8, 1), (4, 16, 8)])
def test_honest_nodes_at_any_sizes(compared: Callable[..., Comparison], sizes: tuple[int, ...]) -> None:
    told = compared(**{name: (size, 20) for name, size in zip(NAMES, sizes, strict=True)})
    assert (told.verdict, told.unproven, told.views) == ("agree", [], [URLS])
    assert [(head.size, head.node, head.member) for head in told.heads] == [
        (size, f"node-{name}", name) for size, name in zip(sizes, NAMES, strict=True)
    ]


@pytest.mark.parametrize("sizes", [(7, 7, 7), (7, 8, 12), (8, 9, 16), (12, 9, 8), (8, 8, 9)])
def test_one_member_shows_another_history(compared: Callable[..., Comparison], sizes: tuple[int, ...]) -> None:
    told = compared(acme=(sizes[0], 20), birch=(sizes[1], 5), corn=(sizes[2], 20))
    assert (told.verdict, told.unproven) == ("split", [])
    assert told.views == [[URLS[0], URLS[2]], [URLS[1]]]
    assert told.split is not None
    assert len(told.split.contradictions) == 2
    assert told.split.equivocated == []
    assert {signer.member for signer in told.split.signers} == set(NAMES)


def test_a_kept_head_shows_that_one_node_equivocates(
    consortium: Consortium, compared: Callable[..., Comparison]
) -> None:
    kept = {"kept.cose": consortium.view("birch").bare(6)}
    told = compared(kept, birch=(9, 5))
    assert told.split is not None
    assert [str(signer) for signer in told.split.equivocated] == ["node-birch of birch"]
    told = compared(kept, birch=(9, 20))
    assert (told.verdict, told.views) == ("agree", [["http://birch", "kept.cose"]])


def test_who_is_behind_shows_it_once_it_has_come_further(
    consortium: Consortium, compared: Callable[..., Comparison]
) -> None:
    """The node that shows another history need not help: the other's own signatures at its size are enough."""
    evil = Shows(
        consortium.document,
        consortium.view("birch", 5),
        9,
        {"/app/consistency": refuses, "/app/receipts": refuses, "/app/entries": refuses},
    )
    told = compared(acme=(8, 20), birch=evil)
    assert (told.verdict, told.proof) == ("unknown", None)
    assert "http://birch" in told.unproven[0]
    told = compared(acme=Shows(consortium.document, consortium.view("acme"), 8, grows=4), birch=evil)
    assert told.split is not None
    assert [signer.member for signer in told.split.signers] == ["birch", "acme"]


def test_an_honest_node_that_does_not_answer_agrees_once_the_other_shows_it(
    consortium: Consortium, compared: Callable[..., Comparison]
) -> None:
    slow = Shows(consortium.document, consortium.view("birch"), 9, {"/app/consistency": refuses})
    assert compared(acme=(8, 20), birch=slow).verdict == "unknown"
    ahead = Shows(consortium.document, consortium.view("acme"), 8, grows=3)
    assert compared(acme=ahead, birch=slow).verdict == "agree"


def test_what_two_do_not_show_follows_from_a_third(consortium: Consortium, compared: Callable[..., Comparison]) -> None:
    kept = {f"kept-{size}": consortium.view("corn").bare(size) for size in (5, 6)}
    assert compared(kept, acme=(7, 20)).verdict == "agree"
    (told,) = compared(kept, acme=(5, 20)).unproven[:1]
    assert "kept-6" in told


def test_forged_answers_accuse_nobody(consortium: Consortium, compared: Callable[..., Comparison]) -> None:
    def changed(body: bytes) -> bytes:
        return body[:-1] + bytes([body[-1] ^ 1])

    for path in ("/app/consistency", "/app/receipts", "/app/entries"):
        altered = {path: changed} | ({} if path == "/app/consistency" else {"/app/consistency": refuses})
        honest = Shows(consortium.document, consortium.view("birch"), 9, altered)
        assert compared(acme=(7, 20), birch=honest).verdict == "unknown"
    forged = Shows(consortium.document, consortium.view("birch", 3), 9, {"/app/checkpoints": changed})
    told = compared(acme=(7, 20), birch=forged)
    assert (told.verdict, told.heads[1].problem) == ("unknown", "checkpoint.invalid")


def test_a_foreign_ledger_and_nobody_there(
    consortium: Consortium, make_key: Callable[[str, str], PrivateKey], refused: Callable[..., Any]
) -> None:
    other = found(make_key, "Elsewhere")
    shows = {
        "http://acme": Shows(consortium.document, consortium.view("acme"), 7),
        "http://else": Shows(other.document, other.view("acme"), 7),
        "http://claims": Shows(consortium.document, other.view("birch"), 7),
    }
    urls = [*shows, "http://gone"]
    with Client(urls, ledger=consortium.ledger.hex(), transport=Nodes(shows), patient=False) as client:
        told = client.compare({"theirs": other.view("corn").bare(7), "none": b"no checkpoint"})
    assert (told.verdict, told.views) == ("unknown", [["http://acme"]])
    assert [head.problem for head in told.heads] == [
        "",
        "node.ledger",
        "node.ledger",
        "node.unreachable",
        "receipt.key_unknown",
        "envelope.form",
    ]
    with Client("http://gone", transport=Nodes({}), patient=False) as client, refused("node.unreachable"):
        client.compare()
    with Client("http://acme", transport=Nodes(shows), patient=False) as client, refused("argument.value"):
        client.compare({"http://acme": b""})


def test_it_is_the_same_with_async(consortium: Consortium) -> None:
    shows = {
        "http://acme": Shows(consortium.document, consortium.view("acme"), 7),
        "http://corn": Shows(consortium.document, consortium.view("corn", 5), 9),
    }

    class Awaited(Nodes):
        async def request(self, method: str, url: str, **more: Any) -> httpx2.Response:  # type: ignore[override]
            return super().request(method, url, **more)

    async def ask() -> Comparison:
        async with AsyncClient(list(shows), ledger=consortium.ledger.hex(), transport=Awaited(shows)) as client:
            return await client.compare()

    with Client(list(shows), ledger=consortium.ledger.hex(), transport=Nodes(shows)) as client:
        assert msgspec.structs.asdict(asyncio.run(ask())) == msgspec.structs.asdict(client.compare())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "world")
    yield made
    made.node.close()


def test_what_is_remembered_is_compared_with_a_real_node(world: World, tmp_path: Path) -> None:
    memory = tmp_path / "memory.json"
    world.add(2)
    world.copy("b")
    world.add(2)
    with world.client(memory=memory) as client:
        assert client.checkpoint().size == 5
        assert client.compare().verdict == "agree"
    world.use("b")
    world.add(6)
    with world.client(memory=memory) as client:
        told = client.compare()
    assert told.split is not None
    assert [pair.how for pair in told.split.contradictions] == ["history"]
    assert [head.source for head in told.heads] == ["http://node", "the memory"]
