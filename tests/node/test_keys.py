"""The node's keys over its life: each is changed while transactions come, and none of them fails."""

import asyncio
import shutil

from hansa.client import key_chain, transactions
from hansa.client import keys as key_files
from hansa.merkle import checkpoint
from hansa.node.create import CHECKPOINT_KEY, NODE_KEY, governance_key
from hansa.store.checkpoints import RECORD_BYTES
from hansa.wire import cose, trust

NODE = "node-1"
DAY_MS = 86_400_000


def govern(ledger, action, arguments, signer=None):
    """A governance transaction of acme."""
    key = signer or key_files.load(governance_key(ledger.folder, "acme"))
    return transactions.prepare(
        key, ledger.id, "members", action, arguments, steps_max=200_000, content_type=cose.GOVERNANCE
    )


def register(ledger, public, purpose, *, kind="node", owner=NODE, expires=None):
    arguments = {"owner_kind": kind, "owner": owner, "purpose": purpose, "spki": public.spki, "expires": expires}
    return govern(ledger, "register_key", arguments)


def new_file(ledger, name):
    """A new key in the node's key folder."""
    made = key_files.generate("p256")
    key_files.save(made, ledger.folder.keys / f"{name}.pem")
    return made


async def rotate(session, name):
    """The node's next checkpoint key, and an entry behind it, whose block it signs."""
    made = new_file(session.ledger, f"checkpoint-{name}")
    answer = await session.applied(register(session.ledger, made.public, "checkpoint"))
    await session.submit(session.ledger.idle())
    return made, answer.seq


def head_at(node, size):
    return node.reading.checkpoint(size)


def spans_of(node):
    return {kid: (span.node, span.first, span.last) for kid, span in node.directory.checkpoint_spans.items()}


def test_the_old_key_signs_the_block_of_its_change_and_the_new_one_the_next(ledger, play):
    old = key_files.load(ledger.folder.keys / CHECKPOINT_KEY)

    async def scenario(session):
        new, seq = await rotate(session, "2")
        session.node.sign_checkpoint()
        at_change, behind = head_at(session.node, seq + 1), head_at(session.node, seq + 2)
        assert checkpoint.verify(at_change, old.public)
        assert checkpoint.verify(behind, new.public)
        assert session.node.status().warnings == []

    play(ledger, scenario)


def test_every_key_is_changed_under_load_and_no_commit_fails(ledger, play):
    """Checkpoint, node, governance and transaction keys, while transactions of another member keep coming."""
    keys = {name: key_files.generate() for name in ("governance", "transaction")}
    first = {
        "governance": key_files.load(governance_key(ledger.folder, "acme")),
        "transaction": ledger.keys["acme"],
        "node": key_files.load(ledger.folder.keys / NODE_KEY),
    }

    async def scenario(session):
        node, codes, done = session.node, [], asyncio.Event()

        async def load():
            while not done.is_set():
                codes.append(await session.code(ledger.add("a", 1, by="bolt")))

        await session.applied(ledger.open("a"))
        loads = [asyncio.ensure_future(load()) for _ in range(4)]
        for number in range(3):
            await rotate(session, str(number))
        node_key = new_file(ledger, "node-2")
        await session.applied(register(ledger, node_key.public, "node"))
        await session.applied(govern(ledger, "retire_key", {"key": first["node"].kid}))
        for purpose in ("transaction", "governance"):
            made = keys[purpose]
            await session.applied(register(ledger, made.public, purpose, kind="member", owner="acme"))
        ledger.keys["acme"] = keys["transaction"]
        await session.applied(ledger.add("a", 1))  # both count now
        for purpose in ("transaction", "governance"):
            retire = govern(ledger, "retire_key", {"key": first[purpose].kid}, signer=keys["governance"])
            await session.applied(retire)
        await session.applied(ledger.add("a", 1))
        done.set()
        await asyncio.gather(*loads)
        assert set(codes) == {"ok"}
        assert len(codes) > 10
        ledger.keys["acme"] = first["transaction"]
        assert await session.code(ledger.add("a", 1)) == "sender.revoked"
        assert node.own_key().kid == node_key.kid
        assert node.status().warnings == []
        node.sign_checkpoint()
        return key_chain.pin_trust(trust.encode(node.reading.trust()), ledger.id)

    pinned = play(ledger, scenario)
    assert [span.last is None for span in pinned.sizes.values()] == [False, False, False, True]


def test_a_node_whose_key_is_missing_goes_on_without_receipts_and_takes_it_when_it_comes(ledger, play, refused):
    made = key_files.generate("p256")

    async def scenario(session):
        node = session.node
        answer = await session.applied(register(ledger, made.public, "checkpoint"))
        last = node.status().checkpoint
        assert last == answer.seq + 1, "the key before signed the block of the change"
        await session.applied(ledger.open("a"))
        node.sign_checkpoint()
        status = node.status()
        assert (status.checkpoint, status.ready, status.healthy) == (last, True, True)
        assert [warning.code for warning in status.warnings] == ["key.checkpoint"]
        with refused("checkpoint.none"):
            node.reading.receipt(answer.seq + 1)
        with refused("trust.current"):
            node.reading.trust()
        key_files.save(made, ledger.folder.keys / "checkpoint-late.pem")
        await session.until(lambda: node.status().checkpoint == node.status().entries)
        assert node.status().warnings == []
        assert node.reading.checkpoint().kid == made.kid

    play(ledger, scenario)


def test_a_restart_with_former_keys_alone_orders_without_receipts(ledger, play):
    async def change(session):
        await rotate(session, "2")

    play(ledger, change)
    (ledger.folder.keys / "checkpoint-2.pem").unlink()

    async def scenario(session):
        before = session.node.status().checkpoint
        await session.applied(ledger.open("a"))
        status = session.node.status()
        assert status.ready
        assert status.checkpoint == before
        assert [warning.code for warning in status.warnings] == ["key.checkpoint"]

    play(ledger, scenario)


def test_a_change_whose_checkpoint_was_lost_is_signed_by_the_old_key_at_the_start(ledger, play):
    """As after a crash between the block and its checkpoint: nothing signed under the new key comes before it."""

    async def change(session):
        new, seq = await rotate(session, "2")
        return new, seq

    new, seq = play(ledger, change)
    path = ledger.folder.checkpoints
    path.write_bytes(path.read_bytes()[: -2 * RECORD_BYTES])
    shutil.rmtree(ledger.folder.state)  # which remembers how many there were

    async def scenario(session):
        node = session.node
        assert head_at(node, seq + 1).kid != new.kid
        assert node.reading.checkpoint().kid == new.kid
        key_chain.pin_trust(trust.encode(node.reading.trust()), ledger.id)

    play(ledger, scenario)


def test_the_last_checkpoint_key_of_a_node_is_not_ended_but_by_the_next(ledger, play):
    old = key_files.load(ledger.folder.keys / CHECKPOINT_KEY)

    async def scenario(session):
        for action in ("retire_key", "revoke_key"):
            assert await session.code(govern(ledger, action, {"key": old.kid})) == "require.failed"
        await rotate(session, "2")
        spans = spans_of(session.node)
        assert await session.code(govern(ledger, "retire_key", {"key": old.kid})) == "require.failed"
        assert await session.code(govern(ledger, "revoke_key", {"key": old.kid})) == "ok"
        assert spans_of(session.node) == spans, "to revoke it later changes nothing of what it signed"
        return spans

    spans = play(ledger, scenario)

    async def again(session):
        assert spans_of(session.node) == spans, "a restart tells the same spans from the state"

    play(ledger, again)


def test_every_kind_of_key_warns_at_its_stages(ledger, play):
    """Whoever's it is and whatever for: at 30, 14, 7 and 1 days. One that is retired warns no more."""
    user = {"id": "acme/una", "name": "Una", "attributes": []}
    kinds = [
        ("member", "acme", "governance"),
        ("member", "acme", "transaction"),
        ("user", "acme/una", "transaction"),
        ("node", NODE, "node"),
        ("node", NODE, "checkpoint"),
    ]

    async def scenario(session):
        node = session.node
        await session.applied(govern(ledger, "set_own_user", user))
        for kind, owner, purpose in kinds:
            for days in (31, 30, 14, 7, 1):
                public = key_files.generate().public if purpose != "checkpoint" else key_files.generate("p256").public
                end = node.ledger_time() + days * DAY_MS
                await session.applied(register(ledger, public, purpose, kind=kind, owner=owner, expires=end))
                told = [one.detail for one in node.status().warnings if one.code == "key.expires"]
                mine = [one.partition(" expires in ")[2] for one in told if f"{purpose} key" in one and owner in one]
                unit = "day" if days == 1 else "days"
                assert (f"{days} {unit}" in mine) is (days <= 30), (kind, purpose, days)
                if purpose == "checkpoint":
                    assert len(mine) == (days <= 30), "the one before is retired by it"
            assert node.gauges().expiry_days <= 1
        assert node.status().healthy

    play(ledger, scenario)


def test_a_key_that_expires_warns_and_stops_nothing(ledger, play):
    async def scenario(session):
        node, now = session.node, session.node.ledger_time()
        for days in (40, 29, -2):
            public = key_files.generate().public
            end = now + days * DAY_MS
            await session.applied(register(ledger, public, "transaction", kind="member", owner="acme", expires=end))
        status = node.status()
        assert (status.ready, status.healthy, status.reasons) == (True, True, [])
        told = [warning.detail.partition(" of ")[2] for warning in status.warnings]
        assert told == ["acme expired 2 days ago and goes on counting", "acme expires in 29 days"]
        assert -2.1 < node.gauges().expiry_days <= -2

    play(ledger, scenario)
