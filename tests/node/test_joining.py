"""Joining: what a node copies from nodes that may lie, what it believes, and that it then has what they have."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbor2
import httpx2
import jsonschema_rs
import pytest
from tests.node import inline
from tests.node.consortium import Consortium

from hansa.api.operations import REPLICA_OPERATIONS
from hansa.api.replicas import Allowance
from hansa.merkle.tree import leaf_hash
from hansa.node import joining
from hansa.node.joining import Joined, join
from hansa.node.recovery import recover
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.wire import block, cbor, entry, snapshot, writes
from hansa.wire.problems import HansaError

DATABASES = ("records", "index", "ids", "window", "blocks")
NODES = ("a-1", "b-1", "c-1", "d-1")
Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consortium]:
    """Five nodes whose state is digested every 6 entries, 2 blocks before the entry; proposals are open, and passed."""
    with pytest.MonkeyPatch.context() as patch:
        inline.install(patch)
        made = Consortium(tmp_path_factory.mktemp("several"), (6, 2))
        made.run(fill(made))
        yield made
        made.close()


async def fill(several: Consortium) -> None:
    step = {"name": "set_reference", "subject": "rates", "numbers": {"valid_from": 0}, "source": "none yet"}
    proposals = [several.governing("beta", "propose", title=f"Rates {n}", steps=[step]) for n in range(2)]
    await several.order(*proposals)
    for member in ("acme", "beta", "carl", "dora", "acme", "beta"):
        await several.order(several.envelope(member), several.envelope(member))
    for node in several.nodes.values():
        await several.until(lambda node=node: node._parts.snapshots.to_digest is None)


class Carrier:
    """The sync face of the consortium's wire. What is answered at a path may be changed, by node or of all."""

    def __init__(self, several: Consortium) -> None:
        self._several = several
        self.changes: dict[tuple[str, str], Change] = {}
        self.asked: list[httpx2.URL] = []
        self.left = 10_000  # requests until nobody answers any more

    def request(self, method: str, url: str, **asked: Any) -> httpx2.Response:
        self.left -= 1
        if self.left < 0:
            raise httpx2.ConnectError("cut")
        asked.pop("timeout")
        answer = self._several.run(self._several.wire.request(method, url, **asked))
        self.asked.append(answer.request.url)
        node = next(name for name, begin in self._several.urls.items() if url.startswith(begin))
        change = self.changes.get((node, answer.request.url.path))
        if change is None or answer.status_code != 200:
            return answer
        return httpx2.Response(200, content=change(answer.content), request=answer.request)

    def paths(self, part: str) -> list[str]:
        return [str(url) for url in self.asked if part in url.path]


@pytest.fixture
def carrier(several: Consortium, monkeypatch: pytest.MonkeyPatch) -> Iterator[Carrier]:
    monkeypatch.setattr("hansa.node.cosigning.WAIT_S", 0.3)
    monkeypatch.setattr("hansa.api.replicas.BLOCKS_BYTES", 6_000)  # a block or a few in an answer
    yield Carrier(several)
    several.cut.clear()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "joined")


def joined(several: Consortium, folder: Folder, carrier: Carrier, *nodes: str, **options: Any) -> Joined:
    urls = [several.urls[node] for node in nodes or ("a-1",)]
    return join(Disk(), folder, urls, several.ledger, transport=carrier, **options)


def refusal(several: Consortium, folder: Folder, carrier: Carrier, *nodes: str, **options: Any) -> HansaError:
    with pytest.raises(HansaError) as caught:
        joined(several, folder, carrier, *nodes, **options)
    assert not folder.exists()
    return caught.value


def rows(folder: Folder, names: tuple[str, ...] = DATABASES) -> dict[str, Any]:
    """All that a folder's state holds, once its journal was read to the end."""
    recovered = recover(Disk(), folder)
    try:
        if recovered.snapshots.to_digest is not None:  # else nothing behind it would be in LMDB
            recovered.snapshots.keep(recovered.state)
    finally:
        recovered.close()
    recovered = recover(Disk(), folder)
    try:
        assert not recovered.state.pending()
        return {name: list(recovered.state.rows(name)) for name in names} | {"tip": recovered.tip}
    finally:
        recovered.close()


def check_is_right(several: Consortium, folder: Folder, found: Joined) -> None:
    """What was joined is what the consortium has, and its state the one that write sets alone give."""
    reading = several.nodes["b-1"].reading
    header = reading.header_of(found.entries - 1)
    assert (found.root, found.height, found.entries) == (header.root.hex(), header.height, reading.tip.size)
    loaded = rows(folder)
    assert loaded["tip"] == reading.tip
    assert all(loaded[name] for name in DATABASES)
    shutil.rmtree(folder.state)
    shutil.rmtree(folder.snapshots, ignore_errors=True)
    assert rows(folder) == loaded


def committed(several: Consortium) -> int:
    """The height of the newest snapshot whose entry is there."""
    reading = several.nodes["a-1"].reading
    found = [reading.at(seq) for seq in range(reading.tip.size)]
    return max(snapshot.read(one.envelope).height for one in found if one.kind == snapshot.KIND)


def test_a_node_joins_by_a_snapshot(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    told: list[tuple[str, int, int]] = []
    found = joined(several, folder, carrier, progress=lambda *step: told.append(step))
    assert found.snapshot == committed(several)
    assert found.name == "Several"
    assert len(found.members) == 2  # f + 1 of four
    entries = [done for what, done, _ in told if what == joining.ENTRIES]
    assert entries == sorted(entries)
    assert (entries[0], entries[-1]) == (0, found.entries)
    assert (joining.CHUNKS, 0, 2) in told
    check_is_right(several, folder, found)


def test_it_hands_out_what_it_has_loaded(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    found = joined(several, folder, carrier)
    recovered = recover(Disk(), folder)
    try:
        kept = recovered.snapshots.kept
        assert kept.manifest(found.snapshot or 0) == several.nodes["b-1"].snapshots.manifest(found.snapshot or 0)
        assert kept.chunk(found.snapshot or 0, 0) == several.nodes["b-1"].snapshots.chunk(found.snapshot or 0, 0)
    finally:
        recovered.close()


def test_as_many_members_sign_as_are_wanted(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    assert len(joined(several, folder, carrier, k=4).members) == 4


def test_too_few_members(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    several.run(several.order(several.envelope()))  # of which nobody has been asked for a signature yet
    several.cut |= {"c-1", "d-1"}
    error = refusal(several, folder, carrier, k=3)
    assert error.code == "receipt.members"
    assert "acme, beta" in error.detail
    assert carrier.paths("/node/blocks") == []  # nothing was copied before


def test_another_ledger(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    with pytest.raises(HansaError) as caught:
        join(Disk(), folder, [several.urls["a-1"]], bytes(32), transport=carrier)
    assert caught.value.code == "verify.genesis"
    assert [url.path for url in carrier.asked] == ["/node/genesis"]


def test_something_older_than_what_was_seen(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    size = several.nodes["a-1"].reading.tip.size
    assert refusal(several, folder, carrier, at_least=size + 1).code == "snapshot.old"
    assert joined(several, folder, carrier, at_least=size).entries == size


def test_a_folder_that_is_taken(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    joined(several, folder, carrier)
    with pytest.raises(HansaError) as caught:
        joined(several, folder, carrier)
    assert caught.value.code == "folder.taken"


def test_what_is_kept_is_listed_and_handed_out(several: Consortium) -> None:
    async def get(path: str) -> httpx2.Response:
        return await several.wire.get(several.urls["a-1"] + path)

    kept = several.nodes["a-1"].snapshots
    listed = several.run(get("/node/snapshots")).json()["snapshots"]
    described = {operation.name: operation for operation in REPLICA_OPERATIONS}["snapshots"].answers["application/json"]
    jsonschema_rs.validator_for(described).validate({"snapshots": listed})
    assert [one["height"] for one in listed] == kept.heights()
    for one in listed:
        data = several.run(get(f"/node/snapshots/{one['height']}")).content
        assert hashlib.sha256(data).hexdigest() == one["digest"]
        chunks = snapshot.decode_manifest(data).chunks
        assert (len(chunks), sum(chunk.length for chunk in chunks)) == (one["chunks"], one["bytes"])
        for number, chunk in enumerate(chunks):
            found = several.run(get(f"/node/snapshots/{one['height']}/chunks/{number}"))
            assert hashlib.sha256(found.content).digest() == chunk.digest
            assert found.headers["content-type"] == "application/cbor"
        beyond = several.run(get(f"/node/snapshots/{one['height']}/chunks/{len(chunks)}"))
        assert (beyond.status_code, beyond.json()["code"]) == (404, "snapshot.none")


def test_so_much_is_copied_in_a_second() -> None:
    now = [0.0]
    allowance = Allowance(1_000, lambda: now[0])
    allowance.check()
    allowance.spend(2_500)
    for time in (0.0, 1.0, 1.4):
        now[0] = time
        with pytest.raises(HansaError) as caught:
            allowance.check()
        assert (caught.value.code, caught.value.fields["retry_after"]) == ("snapshot.busy", 1)
    now[0] = 1.6
    allowance.check()
    now[0] = 100.0  # what nobody took is not saved up
    allowance.check()
    allowance.spend(1_001)
    with pytest.raises(HansaError):
        allowance.check()


# Nodes that stop


def test_nodes_that_stop_in_the_middle_of_the_journal(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    carrier.left = 7
    assert refusal(several, folder, carrier).code == "node.unreachable"
    asked = carrier.paths("/node/blocks")
    assert len(asked) == 3
    carrier.left, carrier.asked = 10_000, []
    check_is_right(several, folder, joined(several, folder, carrier))
    again = carrier.paths("/node/blocks")
    assert "from=0&" in asked[0]
    assert "from=0&" not in again[0]
    assert not set(asked) & set(again)  # nothing was copied twice


def test_nodes_that_stop_in_the_middle_of_a_snapshot(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    def stop(data: bytes) -> bytes:
        raise KeyboardInterrupt

    height = committed(several)
    carrier.changes["a-1", f"/node/snapshots/{height}/chunks/1"] = stop
    with pytest.raises(KeyboardInterrupt):
        joined(several, folder, carrier)
    assert not folder.exists()
    carrier.changes.clear()
    carrier.asked.clear()
    found = joined(several, folder, carrier)
    assert carrier.paths("/chunks/0") == []
    assert len(carrier.paths("/chunks/1")) == 1
    assert found.snapshot == height
    check_is_right(several, folder, found)


def test_what_was_left_torn_or_changed_is_not_believed(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    carrier.left = 7
    refusal(several, folder, carrier)
    path = folder.journal / "00000000.segment"
    data = bytearray(path.read_bytes())
    data[len(bytes(data).rstrip(b"\0")) - 20] ^= 1  # in the last unit
    path.write_bytes(data)
    carrier.left = 10_000
    check_is_right(several, folder, joined(several, folder, carrier))


def test_another_node_goes_on_where_one_stops(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    several.cut.add("b-1")
    check_is_right(several, folder, joined(several, folder, carrier, "b-1", "c-1"))


# Nodes that lie about the state


def forged_chunk(change: Callable[[list[Any]], object]) -> Change:
    """A chunk with other rows, in the right form."""

    def changed(data: bytes) -> bytes:
        section, found = cbor2.loads(data)
        change(found)
        return cbor.encode([section, found])

    return changed


def one_value(found: list[Any]) -> None:
    found[3][2] = cbor.encode({**cbor2.loads(found[3][2]), "extra": 1})


def one_seq(found: list[Any]) -> None:
    found[0][1] += 1


@pytest.mark.parametrize(
    ("number", "change"),
    [
        pytest.param(0, one_value, id="a value"),
        pytest.param(0, one_seq, id="who wrote it last"),
        pytest.param(0, lambda found: found.pop(5), id="a key left out"),
        pytest.param(0, lambda found: found.append([b"z\0z\0z", 1, b"\xa0"]), id="a key too many"),
        pytest.param(1, lambda found: found.pop(), id="an id that may come again"),
        pytest.param(1, one_seq, id="another entry's id"),
    ],
)
def test_a_forged_state_is_not_loaded(
    several: Consortium, folder: Folder, carrier: Carrier, number: int, change: Callable[[list[Any]], object]
) -> None:
    """From one who lies alone it is made from write sets; another node has the right one."""
    for height in several.nodes["a-1"].snapshots.heights():
        carrier.changes["a-1", f"/node/snapshots/{height}/chunks/{number}"] = forged_chunk(change)
    alone = joined(several, folder, carrier, "a-1")
    assert alone.snapshot is None
    check_is_right(several, folder, alone)
    other = Folder(folder.root.with_name("other"))
    with_another = joined(several, other, carrier, "a-1", "b-1")
    assert with_another.snapshot == committed(several)
    check_is_right(several, other, with_another)


def test_a_forged_chunk_tree(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    """Chunks and manifest fit each other, and not the digest on the ledger."""
    forge = forged_chunk(one_value)
    for height in several.nodes["a-1"].snapshots.heights():
        chunk = forge(several.nodes["a-1"].snapshots.chunk(height, 0))

        def manifest(data: bytes, chunk: bytes = chunk) -> bytes:
            fields = cbor2.loads(data)
            fields["chunks"][0] = [hashlib.sha256(chunk).digest(), len(chunk)]
            return cbor.encode(fields)

        carrier.changes["a-1", f"/node/snapshots/{height}"] = manifest
        carrier.changes["a-1", f"/node/snapshots/{height}/chunks/0"] = forge
    found = joined(several, folder, carrier)
    assert found.snapshot is None
    assert carrier.paths("/chunks/") == []
    check_is_right(several, folder, found)


def test_an_old_snapshot_offered_as_the_new_one(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    kept = several.nodes["a-1"].snapshots
    while committed(several) < kept.heights()[0]:
        several.run(several.order(several.envelope()))
    height, old = kept.heights()
    carrier.changes["a-1", f"/node/snapshots/{height}"] = lambda _: kept.manifest(old)
    for number in (0, 1):
        carrier.changes["a-1", f"/node/snapshots/{height}/chunks/{number}"] = lambda _, n=number: kept.chunk(old, n)
    found = joined(several, folder, carrier)
    assert found.snapshot != height
    check_is_right(several, folder, found)


# Nodes that lie about the journal


def forged_blocks(change: Callable[[list[Any]], object], height: int = 4) -> Change:
    """What `/node/blocks` answers with another block of this height."""

    def changed(data: bytes) -> bytes:
        path, found = joining._split(data)
        for place, one in enumerate(found):
            decoded = cbor2.loads(one)
            if decoded[0][2] == height:
                change(decoded)
                found[place] = cbor.encode(decoded)
        return cbor.encode(path) + b"".join(map(cbor.byte_string, found))

    return changed


def another_write_set(decoded: list[Any]) -> None:
    decoded[1][0][4] = writes.encode([writes.make("members", "Ledger", "x", b"\xa0", None)])


def another_outcome(decoded: list[Any]) -> None:
    outcome = cbor2.loads(decoded[1][0][3])
    decoded[1][0][3] = cbor.encode({**outcome, "steps": outcome["steps"] + 1})


def another_time(decoded: list[Any]) -> None:
    decoded[0][5] += 1


def another_position(decoded: list[Any]) -> None:
    decoded[0][8] += 1


def one_less(decoded: list[Any]) -> None:
    decoded[1].pop()
    decoded[0][4] -= 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (another_write_set, "block.writes"),
        (another_outcome, "block.root"),
        (one_less, "block.root"),
        (another_time, "block.chain"),  # the next block names the header as it was
        (another_position, "block.chain"),
    ],
)
def test_a_forged_block_is_not_written(
    several: Consortium, folder: Folder, carrier: Carrier, change: Callable[[list[Any]], object], code: str
) -> None:
    carrier.changes["a-1", "/node/blocks"] = forged_blocks(change)
    assert refusal(several, folder, carrier).code == code
    check_is_right(several, folder, joined(several, folder, carrier, "a-1", "b-1"))


def test_a_history_of_its_own_is_not_written(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    """Blocks that fit each other, and lead to another head than members have signed."""

    def changed(data: bytes) -> bytes:
        path, found = joining._split(data)
        if block.decode(found[0]).header.height:
            return data
        first = cbor2.loads(found[0])
        another_outcome(first)
        item = first[1][0]
        first[0][7] = leaf_hash(entry.make(item[0], item[1], item[2], item[3]))
        return cbor.encode(path) + cbor.byte_string(cbor.encode(first))

    carrier.changes["a-1", "/node/blocks"] = changed
    error = refusal(several, folder, carrier)
    assert error.code == "block.root"
    assert "whose head was signed" in error.detail


def test_another_last_header_is_noticed_where_two_are_asked(
    several: Consortium, folder: Folder, carrier: Carrier
) -> None:
    """No signature covers it; one node alone may so lead a joiner astray until the next block."""
    last = several.nodes["a-1"].reading.tip.height - 1
    carrier.changes["a-1", "/node/blocks"] = forged_blocks(another_position, last)
    error = refusal(several, folder, carrier, "a-1", "b-1")
    assert (error.code, "1003" in error.detail) == ("block.chain", True)


def test_one_node_among_several_keeps_nobody_from_joining(
    several: Consortium, folder: Folder, carrier: Carrier
) -> None:
    last = several.nodes["a-1"].reading.tip.height - 1
    carrier.changes["c-1", "/node/blocks"] = forged_blocks(another_position, last)
    check_is_right(several, folder, joined(several, folder, carrier, "a-1", "b-1", "c-1"))


def test_headers_that_were_forged_before_do_not_stay(several: Consortium, folder: Folder, carrier: Carrier) -> None:
    """Who hands them out and then nothing leaves what the next node's blocks do not follow."""
    forged = False

    def changed(data: bytes) -> bytes:
        nonlocal forged
        if forged:
            return b""
        height = block.decode(joining._split(data)[1][-1]).header.height
        forged = height > 0
        return forged_blocks(another_position, height)(data) if forged else data

    carrier.changes["a-1", "/node/blocks"] = changed
    found = joined(several, folder, carrier, "a-1", "b-1", "c-1")
    assert len([path for path in carrier.paths("/node/blocks") if "from=0&" in path]) > 1
    check_is_right(several, folder, found)


@pytest.mark.parametrize(
    "body",
    [b"", b"\x80", b"\xff", b"\x81\x40", b"\x80\x45ab", b"\x80\x41\x00", b"\x80\xa0", b"\x00", b"\x80" + b"\x40"],
)
def test_what_is_no_answer_is_refused(several: Consortium, folder: Folder, carrier: Carrier, body: bytes) -> None:
    carrier.changes["a-1", "/node/blocks"] = lambda _: body
    assert refusal(several, folder, carrier).code.split(".")[0] in ("block", "cbor")


def test_a_busy_node_is_asked_again(
    several: Consortium, folder: Folder, carrier: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    refused = iter([True, False, True])
    before = Allowance.check

    def check(self: Allowance) -> None:
        if next(refused, False):
            raise HansaError("snapshot.busy", retry_after=1)
        before(self)

    monkeypatch.setattr(Allowance, "check", check)
    monkeypatch.setattr("time.sleep", waited.append)
    check_is_right(several, folder, joined(several, folder, carrier))
    assert waited == [1, 1]
