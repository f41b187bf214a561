"""A node that began with a snapshot goes on as all others do: everything that decides stands in the snapshot.

Whatever was done before (schedules, open proposals, votes, keys that came and went, sessions, ids that may not come
again) and whatever comes after, in whichever blocks and at whichever ledger time: the bytes of each block are the same.
"""

import shutil
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.node.chain import JOBS
from tests.node.conftest import Ledger, run

from hansa.client import keys as key_files
from hansa.client import proposals, transactions
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory
from hansa.merkle.tiles import Tiles
from hansa.merkle.tree import leaf_hash
from hansa.node import joining
from hansa.node.apply import apply_batch
from hansa.node.recovery import recover
from hansa.node.state_digest import Digesting
from hansa.orderers import Batch
from hansa.store.files import Disk
from hansa.store.journal import Location, Position
from hansa.store.state import FORMAT, Applied, BlockPlace, State
from hansa.wire import entry, snapshot

MINUTE, HOUR = 60_000, 3_600_000
ISSUER = {
    "name": "set_jwt_issuer",
    "args": {
        "issuer_id": "acme-issuer", "member_id": "acme", "issuer": "https://issuer.example/v2.0", "tenant": "t",
        "audience": "hansa", "algorithms": ["RS256"],
        "rules": [{"claim": "groups", "value": "payers", "attribute": "may:pay"}],
    },
}  # fmt: skip


class Twin:
    """A ledger's state, made block by block as a node makes it, but for the disk."""

    def __init__(self, directory, state, tiles, tip):
        self.directory, self.state, self.tiles, self.tip = directory, state, tiles, tip

    def block(self, at, envelopes):
        """The bytes of the block of a batch, None if there is none; and what was skipped, with the reasons."""
        batch = Batch(self.tip.height, at, envelopes)
        sealed, skipped = apply_batch(batch, self.tip, self.state, self.directory, self.tiles, {})
        if sealed is not None:
            header = sealed.block.header
            self.state.apply(BlockPlace(header.seq, header.height, Location(0, header.height, 1)), sealed.entered)
            self.tip = sealed.tip
        return sealed, skipped

    def flush(self):
        tip = self.tip
        applied = Applied(
            format=FORMAT, ledger=tip.ledger, size=tip.size, time=tip.time, header=tip.previous,
            root=self.tiles.root(), position=Position(0, 1, bytes(32), tip.height), checkpoints=0,
        )  # fmt: skip
        self.state.flush(applied)

    def decisive(self):
        self.flush()
        return {name: list(self.state.rows(name)) for name in ("records", "index", "window")}


def twin_of(first, leaves, genesis, path):
    """Another that begins with the snapshot of the first, as it stands now, and has nothing else from it."""
    first.flush()
    digesting = Digesting(first.state, first.tip.height - 1)
    chunks = list(digesting.chunks())
    manifest = snapshot.decode_manifest(digesting.manifest())
    directory = Directory(governance_genesis.members_program(genesis))
    state = State(path, directory.indexes_of, durable=False)
    joining.load(state, directory, manifest, lambda number: chunks[number])
    tiles = Tiles(0, lambda *_: b"")
    for leaf in leaves:
        tiles.append(leaf)
    twin = Twin(directory, state, tiles, first.tip)
    twin.flush()
    return twin


@pytest.fixture(scope="module")
def base(template, tmp_path_factory):
    """A ledger with both contracts, and an issuer that signs users of acme in: a folder to copy."""
    root, id = template(None, "ed25519", True)
    folder = tmp_path_factory.mktemp("twins") / "base"
    shutil.copytree(root, folder)
    ledger = Ledger(folder, id)
    steps = proposals.read({"title": "issuers", "actions": [ISSUER]}).steps

    async def scenario(session):
        await session.applied(ledger.deploy("jobs", JOBS))
        await session.applied(ledger.prepare("jobs", "watch", {"name": "all"}))
        proposed = await session.applied(ledger.propose(*steps))
        digest = session.node.directory.constitution
        for by in ("acme", "bolt", "core"):
            vote = {"proposal": proposed.id, "yes": True, "constitution": digest}
            await session.submit(ledger.govern("vote", vote, by=by))
        assert session.node.reading.record("members", "Issuer", "acme-issuer")
        for name in ("a", "b"):
            await session.applied(ledger.open(name))

    run(ledger, scenario)
    return ledger


names = st.sampled_from(["a", "b", "c", "d"])
members = st.sampled_from(["acme", "bolt", "core"])
aheads = st.integers(0, 3 * HOUR)
deeds = st.one_of(
    st.tuples(st.just("open"), names),
    st.tuples(st.just("add"), names, st.integers(-1, 5)),
    st.tuples(st.just("give"), names, members),
    st.tuples(st.just("plan"), st.sampled_from(["j1", "j2", "j3"]), st.sampled_from(["work", "fail", "again"]), aheads),
    st.tuples(st.just("also"), st.sampled_from(["j1", "j2", "j3"]), aheads),
    st.tuples(st.just("propose"), members),
    st.tuples(st.just("vote"), members, st.integers(0, 3), st.booleans()),
    st.tuples(st.just("again"), st.integers(0, 30)),
    st.tuples(st.just("session"), st.integers(0, 2), st.integers(1, 2 * HOUR)),
    st.tuples(st.just("as user"), st.integers(0, 2), names),
    st.tuples(st.just("revoke"), st.integers(0, 2)),
)
steps = st.sampled_from([0, 1, MINUTE, HOUR // 2, HOUR])
"""Of ledger time, from block to block."""
blocks = st.lists(st.tuples(steps, st.lists(deeds, min_size=1, max_size=6)), min_size=1, max_size=8)


class Doing:
    """Signs what is to be done, at a ledger time; what was signed before may come again."""

    def __init__(self, ledger, digest):
        self.ledger, self.digest = ledger, digest
        self.sent, self.proposed = [], []
        self.sessions = [key_files.generate("ed25519") for _ in range(3)]

    def envelopes(self, at, wanted):
        return [self.envelope(at, *deed) for deed in wanted]

    def envelope(self, at, name, *rest):
        ledger, late = self.ledger, {"not_after": at + HOUR // 2}
        governing = {"not_after": at + HOUR, "steps_max": 300_000}  # several in one block
        match name, *rest:
            case "open", key:
                made = ledger.open(key, **late)
            case "add", key, amount:
                made = ledger.add(key, amount, by="acme/ann", **late)
            case "give", key, to:
                made = ledger.prepare("notes", "give", {"note": key, "to": to}, **late)
            case "plan", key, then, ahead:
                arguments = {"name": key, "then": then, "ahead": ahead}
                made = ledger.prepare("jobs", "plan", arguments, by="bolt", **late)
            case "also", key, ahead:
                made = ledger.prepare("jobs", "also", {"job": key, "ahead": ahead, "times": 2}, **late)
            case "propose", by:
                step = {"name": "set_reference", "subject": f"r{len(self.proposed)}", "numbers": {"valid_from": 0}}
                made = ledger.propose({**step, "source": "none"}, by=by, **governing)
                self.proposed.append(made.id)
            case "vote", by, number, yes:
                proposal = self.proposed[number % len(self.proposed)] if self.proposed else bytes(32)
                vote = {"proposal": proposal, "yes": yes, "constitution": self.digest}
                made = ledger.govern("vote", vote, by=by, **governing)
            case "again", number if self.sent:
                return self.sent[number % len(self.sent)]
            case "session", number, length:
                pseudonym, spki = bytes([number]) * 16, self.sessions[number].public.spki
                arguments = {
                    "issuer": "acme-issuer", "spki": spki, "pseudonym": pseudonym,
                    "token": b"t" * 32, "until": at + length, "attributes": ["may:pay"], "held": True,
                }  # fmt: skip
                made = ledger.prepare("members", "register_session", arguments, **late)
            case "as user", number, key:
                arguments = {"name": key, "owner": "acme"}
                made = transactions.prepare(self.sessions[number], ledger.id, "notes", "open", arguments, **late)
            case "revoke", number:
                made = ledger.govern("revoke_key", {"key": self.sessions[number].public.kid}, **governing)
            case _:
                made = ledger.idle(**late)
        self.sent.append(made.envelope)
        return made.envelope


@settings(max_examples=25, derandomize=True, suppress_health_check=list(HealthCheck), print_blob=False)
@given(before=blocks, after=blocks)
def test_who_began_with_a_snapshot_goes_on_as_all(base, before, after):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "ledger"
        shutil.copytree(base.root, root)
        ledger = Ledger(root, base.id)
        recovered = recover(Disk(), ledger.folder)
        twin = None
        try:
            first = Twin(recovered.directory, recovered.state, recovered.tiles, recovered.tip)
            reading = recovered.reading()
            leaves = [leaf_hash(reading.at(seq).entry()) for seq in range(first.tip.size)]
            doing = Doing(ledger, recovered.directory.constitution)
            clock = max(first.tip.time, time.time_ns() // 1_000_000)
            for ahead, wanted in before:
                clock += ahead
                sealed, _ = first.block(clock, doing.envelopes(clock, wanted))
                leaves += made_leaves(sealed)
            twin = twin_of(first, leaves, recovered.genesis, Path(folder) / "twin")
            assert twin.decisive() == first.decisive()
            for ahead, wanted in after:
                clock += ahead
                envelopes = doing.envelopes(clock, wanted)
                ours, skipped = first.block(clock, envelopes)
                theirs, passed = twin.block(clock, envelopes)
                assert skipped == passed
                assert (ours and ours.encoded) == (theirs and theirs.encoded)
            assert twin.decisive() == first.decisive()
        finally:
            recovered.close()
            if twin is not None:
                twin.state.close()


def made_leaves(sealed):
    items = [] if sealed is None else sealed.block.items
    return [leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)) for item in items]
