"""Receipts by several members: who is asked, what counts, and what is said where it is not enough."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.node.consortium import TIME, Consortium

from hansa.client import AsyncClient, agreement, key_chain, verification
from hansa.client import keys as key_files
from hansa.client.results import Answer, Receipt, Refused
from hansa.merkle import checkpoint, receipt, receipts, tree
from hansa.node import cosigning, peers
from hansa.node import node as node_module
from hansa.orderers import Batch
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import cbor
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    made = Consortium(tmp_path_factory.mktemp("several"))
    yield made
    made.close()


@pytest.fixture
def several(shared: Consortium, monkeypatch: pytest.MonkeyPatch) -> Iterator[Consortium]:
    """The five nodes with a new entry, nobody cut off; each node has what every other has."""
    monkeypatch.setattr(cosigning, "WAIT_S", 0.3)
    shared.run(shared.order(shared.envelope()))
    yield shared
    shared.cut.clear()
    shared.answers.clear()
    shared.asked.clear()


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Consortium]:
    """Five nodes of a test's own, which may go their own ways."""
    made = Consortium(tmp_path)
    yield made
    made.close()


def newest(several: Consortium) -> int:
    return several.nodes["a-1"].reading.tip.size - 1


async def ask(several: Consortium, path: str, node: str = "a-1", **query: Any) -> httpx2.Response:
    return await several.wire.get(several.urls[node] + path, params=query)


def receipts_of(several: Consortium, k: int | str, node: str = "a-1") -> httpx2.Response:
    return several.run(ask(several, f"/app/receipts/{newest(several)}", node, k=k))


def signed_by(several: Consortium, answer: httpx2.Response) -> list[str]:
    """The nodes whose keys are under the receipts, each of which is verified by itself."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == receipts.CONTENT_TYPE
    entry = several.nodes["b-1"].reading.at(newest(several)).entry()
    pinned = verification.pin_genesis(several.document, several.ledger)
    found = [verification.verify(one, entry, pinned) for one in receipts.decode(answer.content)]
    assert len({(one.size, one.time, one.seq) for one in found}) == 1
    names = {key.kid: node for node, key in several.checkpoint_keys.items()}
    return [names[one.kid] for one in found]


def test_every_member_signs_once(several: Consortium) -> None:
    answer = receipts_of(several, 4)
    nodes = signed_by(several, answer)
    assert nodes[0] == "a-1"
    assert sorted(nodes) == ["a-1", "b-1", "c-1", "d-1"]
    assert sorted(answer.headers["hansa-members"].split(", ")) == ["acme", "beta", "carl", "dora"]
    assert answer.headers["hansa-k"] == "4"
    assert not {"hansa-missing", "hansa-split"} & set(answer.headers)


def test_by_default_one_of_those_who_sign_is_honest(several: Consortium) -> None:
    answer = receipts_of(several, "default")
    assert (answer.headers["hansa-k"], len(signed_by(several, answer))) == ("2", 2)


def test_one_member_needs_nobody(several: Consortium) -> None:
    assert signed_by(several, receipts_of(several, 1, "c-1")) == ["c-1"]
    assert [url for url in several.asked if "/checkpoints/" in url] == []


@pytest.mark.parametrize("k", [0, 501, "x", "", -1])
def test_what_is_no_number_of_members_is_refused(several: Consortium, k: int | str) -> None:
    answer = receipts_of(several, k)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.query")


def test_more_members_than_have_nodes_are_refused(several: Consortium) -> None:
    answer = receipts_of(several, 5)
    assert (answer.status_code, answer.json()["code"]) == (409, "receipt.k")
    assert "members" not in answer.json()  # whoever hands in may be a stranger


def test_what_is_no_entry_has_no_receipts(several: Consortium) -> None:
    answer = several.run(ask(several, "/app/receipts/99999", k=2))
    assert (answer.status_code, answer.json()["code"]) == (404, "entry.unknown")


def test_without_k_there_is_one_receipt_as_ever(several: Consortium) -> None:
    answer = several.run(ask(several, f"/app/receipts/{newest(several)}"))
    assert answer.headers["content-type"] == "application/cose"
    assert not [name for name in answer.headers if name in ("hansa-k", "hansa-members")]


def test_who_does_not_answer_is_named(several: Consortium) -> None:
    several.cut |= {"c-1", "d-1"}
    answer = receipts_of(several, 4)
    assert sorted(signed_by(several, answer)) == ["a-1", "b-1"]
    assert answer.headers["hansa-members"] == "acme, beta"
    assert answer.headers["hansa-missing"] == "carl, dora"
    several.cut.clear()
    assert len(signed_by(several, receipts_of(several, 4))) == 4  # asked again, and only those that had not answered
    assert len([url for url in several.asked if "1003/app/checkpoints/" in url]) == 1


def test_two_nodes_of_one_member_count_once(several: Consortium) -> None:
    several.cut |= {"b-1", "c-1", "d-1"}
    answer = receipts_of(several, 2)
    assert signed_by(several, answer) == ["a-1"]
    assert (answer.headers["hansa-members"], answer.headers["hansa-missing"]) == ("acme", "beta, carl, dora")
    assert [url for url in several.asked if "1002/app/checkpoints/" in url]  # the other node of acme answered too


def test_what_is_there_is_not_asked_for_again(several: Consortium) -> None:
    receipts_of(several, 4)
    several.asked.clear()
    assert len(signed_by(several, receipts_of(several, 3))) == 3
    older = several.run(ask(several, "/app/receipts/0", k=4))
    assert len(receipts.decode(older.content)) == 4
    assert [url for url in several.asked if "/checkpoints/" in url] == []


def test_a_node_that_is_behind_is_waited_for(apart: Consortium, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has asked already when the block comes there: the answer has it all the same."""
    monkeypatch.setattr(cosigning, "WAIT_S", 20.0)

    async def scene() -> httpx2.Response:
        batch = Batch(7, TIME + 7, [apart.envelope()])
        apart.deliver(batch, ["a-1", "b-1"])
        await apart.until(lambda: all(apart.nodes[name].reading.tip.size == 2 for name in ("a-1", "b-1")))
        assert apart.nodes["d-1"].reading.tip.size == 1
        waiting = apart._runner.get_loop().create_task(ask(apart, "/app/receipts/1", k=3))
        await apart.until(lambda: any("1005/app/checkpoints/2" in url for url in apart.asked))
        assert not waiting.done()
        apart.deliver(batch, ["d-1"])
        return await waiting

    answer = apart.run(scene())
    assert sorted(signed_by(apart, answer)) == ["a-1", "b-1", "d-1"]


def test_another_root_is_a_split_view_and_counts_for_nobody(apart: Consortium) -> None:
    async def scene() -> None:
        apart.deliver(Batch(7, TIME + 7, [apart.envelope()]), ["a-1", "a-2", "b-1", "c-1"])
        apart.deliver(Batch(7, TIME + 7, [apart.envelope("beta")]), ["d-1"])
        await apart.until(lambda: all(node.reading.tip.size == 2 for node in apart.nodes.values()))

    apart.run(scene())
    answer = receipts_of(apart, 4)
    assert sorted(signed_by(apart, answer)) == ["a-1", "b-1", "c-1"]
    assert (answer.headers["hansa-split"], answer.headers["hansa-missing"]) == ("dora", "dora")


def head_of(several: Consortium, key: PrivateKey, **changes: Any) -> bytes:
    """The newest head as somebody signs it who changes it."""
    own = several.nodes["a-1"].checkpoint_at(newest(several) + 1)
    fields = {name: changes.get(name, getattr(own, name)) for name in ("ledger", "size", "time", "root", "told")}
    told = fields.pop("told")
    return receipt.bare(checkpoint.sign(*fields.values(), key, told=told))


def spoiled(message: bytes) -> bytes:
    return message[:-1] + bytes([message[-1] ^ 1])


@pytest.mark.parametrize(
    "change", ["forged", "foreign key", "another ledger", "another size", "another time", "told", "garbage", "refusal"]
)
def test_what_does_not_count_is_passed_over(several: Consortium, change: str) -> None:
    key = several.checkpoint_keys["d-1"]
    answers = {
        "forged": lambda: spoiled(head_of(several, key)),
        "foreign key": lambda: head_of(several, key_files.generate("p256")),
        "another ledger": lambda: head_of(several, key, ledger=bytes(32)),
        "another size": lambda: head_of(several, key, size=1),
        "another time": lambda: head_of(several, key, time=TIME),
        "told": lambda: head_of(several, key, told=True),
        "garbage": lambda: b"\xd2" * 100,
        "refusal": lambda: b"{}",
    }
    several.answers["d-1"] = httpx2.Response(404 if change == "refusal" else 200, content=answers[change]())
    answer = receipts_of(several, 4)
    assert sorted(signed_by(several, answer)) == ["a-1", "b-1", "c-1"]
    assert answer.headers["hansa-missing"] == "dora"
    assert "hansa-split" not in answer.headers


def test_what_somebody_else_signed_with_another_root_is_no_split(several: Consortium) -> None:
    """Else whoever sits at a peer's port could accuse any member."""
    message = spoiled(head_of(several, several.checkpoint_keys["d-1"], root=bytes(32)))
    several.answers["d-1"] = httpx2.Response(200, content=message)
    assert "hansa-split" not in receipts_of(several, 4).headers
    several.answers["d-1"] = httpx2.Response(
        200, content=head_of(several, several.checkpoint_keys["d-1"], root=bytes(32))
    )
    assert receipts_of(several, 4).headers["hansa-split"] == "dora"


def test_a_retired_key_counts_no_more(apart: Consortium) -> None:
    former, key = apart.checkpoint_keys["d-1"], apart.make_key("d-1")
    common = {"owner_kind": "node", "owner": "d-1", "expires": None}

    async def scene() -> None:
        change = apart.governing("dora", "register_key", purpose="checkpoint", spki=key.public.spki, **common)
        await apart.order(change)
        await apart.order(apart.envelope())

    apart.run(scene())
    apart.answers["d-1"] = httpx2.Response(200, content=head_of(apart, former))
    assert receipts_of(apart, 4).headers["hansa-missing"] == "dora"
    del apart.answers["d-1"]
    found = receipts.decode(receipts_of(apart, 4).content)
    entry = apart.nodes["a-1"].reading.at(newest(apart)).entry()
    assert key.kid in [receipt.head_of(one, entry).kid for one in found]


# What a node signs when it is asked


def checkpoint_of(several: Consortium, size: int, node: str = "b-1") -> httpx2.Response:
    return several.run(ask(several, f"/app/checkpoints/{size}", node))


def test_a_recent_block_is_signed_once_and_stored_nowhere(several: Consortium, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the node does not sign by itself, as of many that come quickly."""
    node = several.nodes["b-1"]
    monkeypatch.setattr(node, "sign_checkpoint", lambda: None)
    size = several.run(several.order(several.envelope(), several.envelope())) + 1
    several.run(several.order(several.envelope()))
    stored = node._parts.checkpoints.count
    first, again = checkpoint_of(several, size), checkpoint_of(several, size)
    assert (first.status_code, first.json()) == (200, again.json())
    assert first.json()["root"] == node.reading.header_of(size - 1).root.hex()
    assert (node._parts.checkpoints.count, node.reading.stored_checkpoint(size)) == (stored, None)
    inside = checkpoint_of(several, size - 1)
    assert (inside.status_code, inside.json()["code"]) == (404, "checkpoint.none")
    assert inside.json()["detail"] == f"no block ends at {size - 1} entries"


def test_only_recent_blocks_are_signed(several: Consortium, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_module, "RECENT_BLOCKS", 2)
    node = several.nodes["b-1"]
    monkeypatch.setattr(node.reading, "stored_checkpoint", lambda size: None)
    monkeypatch.setattr(node, "_asked", {})
    for _ in range(3):
        several.run(several.order(several.envelope()))
    size = node.reading.tip.size
    assert [checkpoint_of(several, size - back).status_code for back in range(4)] == [200, 200, 404, 404]
    several.run(several.order(several.envelope()))
    assert checkpoint_of(several, size + 1).status_code == 200
    assert sorted(node._asked) == [size, size + 1]


def test_nothing_is_signed_that_is_not_there(several: Consortium) -> None:
    for size in (0, several.nodes["b-1"].reading.tip.size + 1, 2**40):
        answer = checkpoint_of(several, size)
        assert (answer.status_code, answer.json()["code"]) == (404, "checkpoint.none")


def test_a_removed_member_does_not_count(several: Consortium, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = several.nodes["a-1"].directory
    monkeypatch.delitem(directory.members, "dora")
    several.cut.add("c-1")
    answer = receipts_of(several, 3)
    assert sorted(signed_by(several, answer)) == ["a-1", "b-1"]
    assert answer.headers["hansa-missing"] == "carl"
    assert receipts_of(several, 4).json()["code"] == "receipt.k"


# The file


def test_the_peers_are_read_as_they_were_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert peers.load(Disk(), folder) == []
    urls = ["http://127.0.0.1:1", "http://[::1]:2", "http://localhost:3", "https://192.0.2.7:4", "https://a.example:5"]
    peers.save(Disk(), folder, urls)
    assert peers.load(Disk(), folder) == urls


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1", "https://u:p@a.example:1", "https://a.example:1/x", "ftp://127.0.0.1:1",
        "http://10.0.0.1:1", "http://127.0.0.1", "http://u@127.0.0.1:1", "http://127.0.0.1:1/x",
        "http://127.0.0.1.example:1", "http://127.0.0.1:x", "127.0.0.1:1", "http://[::1:2", "http://127.0.0.1:1?x",
    ],
)  # fmt: skip
def test_without_tls_only_loopback_is_taken(tmp_path: Path, url: str) -> None:
    with pytest.raises(HansaError) as caught:
        peers.save(Disk(), Folder(tmp_path), [url])
    assert caught.value.code == "peers.url"
    (tmp_path / "peers.json").write_text(f'{{"version": 0, "peers": ["{url}"]}}')
    with pytest.raises(HansaError) as caught:
        peers.load(Disk(), Folder(tmp_path))
    assert caught.value.code == "peers.url"


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1, "peers": []}', '{"version": 0, "peers": [1]}', "{" * 9_999])
def test_what_is_no_such_file_is_said_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "peers.json").write_text(text)
    with pytest.raises(HansaError) as caught:
        peers.load(Disk(), Folder(tmp_path))
    assert caught.value.code == "peers.form"


# What clients make of it


async def receipt_by(several: Consortium, seq: int, k: Any, node: str, least: int | None = None) -> Receipt:
    url, id = several.urls[node], several.ledger.hex()
    async with AsyncClient(url, ledger=id, transport=several.wire, patient=False) as client:
        return await client.receipt(seq, k=k, least=least)


def test_a_client_has_the_receipts_of_k_members(several: Consortium) -> None:
    seq = newest(several)
    found = several.run(receipt_by(several, seq, 4, "c-1"))
    assert (found.proven.seq, found.proven.size) == (seq, seq + 1)
    assert found.cosigned is not None
    assert (found.cosigned.k, found.cosigned.members) == (4, ["acme", "beta", "carl", "dora"])
    assert len(receipts.decode(found.cosigned.message)) == 4
    assert found.cose == receipts.decode(found.cosigned.message)[0]
    fewer = several.run(receipt_by(several, seq, "default", "b-1")).cosigned
    assert fewer is not None
    assert (fewer.k, len(fewer.members)) == (2, 2)
    assert several.run(receipt_by(several, seq, None, "b-1")).cosigned is None


def test_a_client_that_gets_too_few_is_told_who_signed(several: Consortium, refused: Callable[..., Any]) -> None:
    several.cut |= {"a-1", "c-1"}
    other = head_of(several, several.checkpoint_keys["d-1"], root=bytes(32))
    several.answers["d-1"] = httpx2.Response(200, content=other)
    with refused("receipt.members") as caught:
        several.run(receipt_by(several, newest(several), 3, "b-1"))
    assert caught.value.fields == {"members": ["acme", "beta"], "k": 3, "split": ["dora"]}
    assert caught.value.detail.endswith("; the node says that dora signed another history")
    with refused("receipt.members"):
        several.run(receipt_by(several, newest(several), 4, "b-1", least=3))
    found = several.run(receipt_by(several, newest(several), 4, "b-1", least=2)).cosigned
    assert found is not None
    assert (found.k, found.members, found.split) == (4, ["acme", "beta"], ["dora"])


# With the answer to a submission


def submit(several: Consortium, query: str, *bodies: bytes, node: str = "a-1", **headers: str) -> httpx2.Response:
    kind = "application/cose" if len(bodies) == 1 else "application/cbor-seq"
    url = f"{several.urls[node]}/app/transactions{query}"
    content = b"".join(bodies)
    return several.run(several.wire.post(url, content=content, headers={"content-type": kind, **headers}))


@pytest.mark.parametrize(("query", "k", "signed"), [("&k=4", 4, 4), ("&k=default", 2, 2), ("&k=1", 1, 1)])
def test_a_submission_is_answered_with_receipts_by_k_members(
    several: Consortium, query: str, k: int, signed: int
) -> None:
    envelope = several.envelope()
    fields = submit(several, f"?receipt=true{query}", envelope).json()
    found = fields["cosigned"]
    assert (found["k"], len(found["members"]), found["missing"], found["split"]) == (k, signed, [], [])
    entry = several.nodes["a-1"].reading.at(fields["seq"])
    assert entry.envelope == envelope
    pinned = verification.pin_genesis(several.document, several.ledger)
    agreed = agreement.verify(receipts.decode(bytes.fromhex(found["receipts"])), entry.entry(), pinned, k)
    assert agreed.members == sorted(found["members"])
    assert not [url for url in several.asked if "/checkpoints/" in url] or k > 1


def test_a_submission_that_too_few_sign_has_its_entry_and_says_so(several: Consortium) -> None:
    several.cut |= {"c-1", "d-1"}
    fields = submit(several, "?receipt=true&k=4", several.envelope()).json()
    assert fields["seq"] == newest(several)
    found = fields["cosigned"]
    assert (found["k"], found["members"], found["missing"]) == (4, ["acme", "beta"], ["carl", "dora"])


def test_every_item_of_a_batch_has_its_receipts(several: Consortium) -> None:
    bodies = [several.envelope(), several.envelope("beta")]
    items = submit(several, "?receipt=true&k=3", *bodies, b"\x40", accept="application/cbor").content
    first, second, problem = cbor.decode(items)
    assert (problem["problem"]["code"], second["seq"]) == ("envelope.form", first["seq"] + 1)
    pinned = verification.pin_genesis(several.document, several.ledger)
    for one in (first, second):
        entry = several.nodes["a-1"].reading.at(one["seq"]).entry()  # it answered; another may not be as far
        found = agreement.verify(receipts.decode(one["cosigned"]["receipts"]), entry, pinned, 3)
        assert found.members == sorted(one["cosigned"]["members"])
    assert list(first) == ["id", "seq", "outcome", "receipt", "cosigned", "duplicate"]  # as RFC 8949 has it


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?k=2", "request.query"), ("?receipt=false&k=2", "request.query"), ("?receipt=true&k=0", "request.query"),
        ("?receipt=true&k=2&wait=accepted", "request.query"), ("?receipt=true&k=501", "request.query"),
        ("?receipt=true&k=x", "request.query"), ("?receipt=true&k=2&k=2", "request.query"),
        ("?receipt=true&k=5", "receipt.k"),
    ],
)  # fmt: skip
def test_what_nobody_can_sign_is_not_submitted(several: Consortium, query: str, code: str) -> None:
    before = newest(several)
    assert submit(several, query, several.envelope()).json()["code"] == code
    assert submit(several, query, several.envelope(), several.envelope()).json()["code"] == code
    assert (newest(several), several.nodes["a-1"].status().waiting) == (before, 0)


def test_a_batch_has_a_bound_of_receipts(several: Consortium) -> None:
    before = newest(several)
    answer = submit(several, "?receipt=true&k=4", *[b"\x40"] * 251)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.query")
    assert submit(several, "?receipt=true&k=4", *[b"\x40"] * 250).status_code == 200
    assert newest(several) == before


def test_a_client_waits_for_k_members(several: Consortium, refused: Callable[..., Any]) -> None:
    """`Unproven` says that it has its entry, whatever else; `least` takes what there is."""

    async def scene(k: Any, least: int | None) -> Answer:
        url, id = several.urls["a-1"], several.ledger.hex()
        async with AsyncClient(url, ledger=id, transport=several.wire, patient=False) as client:
            with pytest.raises(Refused) as caught:  # by the rules, which is an entry like any other
                await client.submit(several.envelope(), wait="receipt", k=k, least=least)
            return caught.value.answer

    found = several.run(scene(4, None)).receipt
    assert found is not None
    assert found.cosigned is not None
    assert found.cosigned.members == ["acme", "beta", "carl", "dora"]
    assert len([url for url in several.asked if "/app/receipts/" in url]) == 0  # it came with the answer
    several.cut |= {"c-1", "d-1"}
    with refused("answer.unproven") as caught:
        several.run(scene(4, None))
    assert caught.value.fields["cause"] == "receipt.members"
    assert caught.value.fields["seq"] == newest(several)
    found = several.run(scene(4, 1)).receipt
    assert found is not None
    assert found.cosigned is not None
    assert (found.cosigned.k, found.cosigned.members) == (4, ["acme", "beta"])
    for wrong in ({"k": 2}, {"wait": "receipt", "least": 1}, {"wait": "accepted", "k": 2}):
        with refused("argument.value"):
            several.run(AsyncClient(several.urls["a-1"], transport=several.wire).submit(several.envelope(), **wrong))


def test_a_node_that_makes_up_members_convinces_nobody(several: Consortium, refused: Callable[..., Any]) -> None:
    """What it says of who signed is not looked at."""
    seq = newest(several)
    own = several.nodes["b-1"].reading.receipt(seq)
    stranger = several.nodes["b-1"].checkpoint_at(seq + 1)
    signed = checkpoint.sign(stranger.ledger, seq + 1, stranger.time, stranger.root, key_files.generate("p256"))
    made_up = several.nodes["b-1"].reading.receipt_under(seq, signed)
    body = receipts.encode([own, own, made_up])

    async def lie(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.startswith("/app/receipts/"):
            return httpx2.Response(200, content=body, headers={"hansa-members": "acme, beta, carl"})
        return await several.wire.get(str(request.url))

    async def scene() -> None:
        wire = httpx2.AsyncClient(transport=httpx2.MockTransport(lie))
        async with AsyncClient(several.urls["b-1"], ledger=several.ledger.hex(), transport=wire) as client:
            await client.receipt(seq, k=2)

    with refused("receipt.members") as caught:
        several.run(scene())
    assert caught.value.fields["members"] == ["beta"]


def test_a_client_follows_a_change_of_keys(apart: Consortium) -> None:
    """The newest head is that of the change, which the former key has signed; then comes one under the next key."""
    key = apart.make_key("d-1")
    common = {"owner_kind": "node", "owner": "d-1", "expires": None}
    change = apart.governing("dora", "register_key", purpose="checkpoint", spki=key.public.spki, **common)
    for envelope in (change, apart.envelope()):
        seq = apart.run(apart.order(envelope))
        found = apart.run(receipt_by(apart, seq, 4, "a-1"))
        assert found.cosigned is not None
        assert found.cosigned.members == ["acme", "beta", "carl", "dora"]
    trusted = key_chain.pin_trust(apart.run(ask(apart, "/node/trust")).content, apart.ledger)
    entry = apart.nodes["a-1"].reading.at(seq).entry()
    messages = receipts.decode(found.cosigned.message)
    kids = [one.kid for one in agreement.verify(messages, entry, trusted, 4).signatures]
    assert key.kid in kids
    former = receipt.inclusion(
        receipt.read_bare(head_of(apart, apart.checkpoint_keys["d-1"])),
        seq,
        tree.inclusion_path(seq, seq + 1, apart.nodes["a-1"].reading._tiles.node),
    )
    assert [one.code for one in agreement.count([found.cose, former], entry, trusted).passed] == ["receipt.span"]
