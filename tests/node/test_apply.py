"""Apply: a batch makes one block, byte for byte the same everywhere, and what does not count gets no seq."""

import shutil
import time
from copy import copy
from types import SimpleNamespace

import msgspec
import pytest

from hansa.client import keys as key_files
from hansa.client import transactions
from hansa.contracts import prices
from hansa.contracts.manifest import DIALECT
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory
from hansa.node import create, reexecution
from hansa.node.apply import BLOCK_ENCODED_BYTES_MAX, FREE_BYTES_MAX, View, apply_batch, apply_genesis
from hansa.orderers import Batch
from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.store.journal import UNIT_BYTES_MAX, Location
from hansa.store.state import BlockPlace
from hansa.wire import block, cose, entry, limits, transaction
from hansa.wire.genesis import Limits
from hansa.wire.keys import EDDSA, kid_of
from hansa.wire.limits import VALIDITY_MS_MAX

SMALL_ORDER_SPKI = bytes.fromhex("302a300506032b6570032100") + bytes([1]) + bytes(31)
SMALL = Limits(block_entries=3, block_bytes=2_048, block_steps=30_000, transaction_steps=20_000)


def envelopes(prepared):
    return [getattr(one, "envelope", one) for one in prepared]


def apply(recovered, prepared, stamp=None, verified=None):
    stamp = time.time_ns() // 1_000_000 if stamp is None else stamp
    return apply_batch(
        Batch(recovered.tip.height, stamp, envelopes(prepared)),
        recovered.tip,
        recovered.state,
        recovered.directory,
        recovered.tiles,
        {} if verified is None else verified,
    )


def forged(prepared):
    return prepared.envelope[:-1] + bytes([prepared.envelope[-1] ^ 1])


def outcomes(sealed):
    return [entry.decode_outcome(item.outcome).code for item in sealed.block.items]


@pytest.fixture
def stamp():
    """The order's time, a little ahead of the ledger's."""
    return time.time_ns() // 1_000_000 + 1_000


@pytest.fixture
def applied(parts):
    """`applied(ledger, batch)` gives the block and what was skipped, from a freshly opened ledger."""

    def run(ledger, prepared, **options):
        with parts(ledger) as recovered:
            return apply(recovered, prepared, **options)

    return run


# The block


def test_a_block_goes_on_from_the_tip(ledger, parts, stamp):
    with parts(ledger) as recovered:
        tip = recovered.tip
        made = [ledger.open("a"), ledger.add("a"), ledger.add("b")]
        sealed, skipped = apply(recovered, made, stamp)
        header = sealed.block.header
        assert skipped == []
        assert outcomes(sealed) == ["ok", "ok", "arguments.invalid"]
        assert (header.ledger, header.height, header.seq, header.count) == (ledger.id, tip.height, tip.size, 3)
        assert (header.time, header.previous, header.root) == (stamp, tip.previous, recovered.tiles.root())
        assert [item.id for item in sealed.block.items] == [one.id for one in made]
        assert [item.envelope for item in sealed.block.items] == envelopes(made)
        assert [one.seq for one in sealed.entered] == [tip.size, tip.size + 1, tip.size + 2]
        assert (sealed.tip.size, sealed.tip.height) == (tip.size + 3, tip.height + 1)
        assert sealed.tip.previous == block.header_digest(header)
        assert block.decode(sealed.encoded) == sealed.block


@pytest.mark.parametrize("behind", [0, 1, 10**9])
def test_ledger_time_never_goes_back(ledger, applied, parts, behind):
    with parts(ledger) as recovered:
        last = recovered.tip.time
    sealed, _ = applied(ledger, [ledger.idle()], stamp=last - behind)
    assert sealed.block.header.time == last


def test_nothing_takes_effect_before_the_block_is_durable(ledger, parts):
    with parts(ledger) as recovered:
        apply(recovered, [ledger.open("a")])
        reading = recovered.reading()
        assert reading.tip == recovered.tip
        assert recovered.state.pending() == 0
        assert reading.find(ledger.open("a").id) is None
        assert reading.page("notes", "Note", None, 10).rows == []


def test_the_same_batch_gives_the_same_bytes_on_every_node(ledger, applied, tmp_path, stamp):
    """Another folder, another order of files on its disk, another intake: none of it stands in a block."""
    twin = copy(ledger)
    twin.folder = type(ledger.folder)(tmp_path / "twin")
    shutil.copytree(ledger.root, twin.folder.root)
    shutil.rmtree(twin.folder.state)
    batch = [
        ledger.open("a"),
        ledger.add("a", 3),
        ledger.add("a", 0),
        ledger.idle(),
        ledger.deploy("more"),
        ledger.prepare("more", "open", {"name": "b", "owner": "core"}, by="bolt"),
        ledger.prepare("notes", "say", {"z": 1, "a": 2, "\0": 3}),
    ]
    known = {one.envelope: transaction.read(one.envelope) for one in batch[::2]}
    blocks = [
        applied(ledger, batch, stamp=stamp)[0].encoded,
        applied(ledger, batch, stamp=stamp, verified=known)[0].encoded,
        applied(twin, batch, stamp=stamp)[0].encoded,
    ]
    assert blocks[1:] == blocks[:1] * 2


LONG_CHAIN = "        if amount == 0:\n            note.value = 1\n" + "".join(
    f"        elif amount == {number}:\n            note.value = 2\n" for number in range(1, 250)
)


def at_depth(frames, function):
    return at_depth(frames - 1, function) if frames else function()


@pytest.mark.parametrize("frames", [100, 500])
def test_the_depth_of_pythons_stack_does_not_decide(ledger, applied, frames, stamp):
    """Nodes, audits and tests run the same batch below other callers, and other Pythons count frames otherwise."""
    source = ledger.deploy().envelope
    text = cbor_source(source).replace("        require(amount > 0", LONG_CHAIN + "        require(amount > 0")
    deployment = ledger.deploy("deep", text)
    flat, _ = applied(ledger, [deployment], stamp=stamp)
    deep, _ = at_depth(frames, lambda: applied(ledger, [deployment], stamp=stamp))
    assert outcomes(deep) == outcomes(flat)
    assert deep.encoded == flat.encoded


def cbor_source(envelope):
    return transaction.read(envelope).transaction.arguments["source"]


def test_an_outcome_names_the_dialect(ledger, applied):
    sealed, _ = applied(ledger, [ledger.idle()])
    assert entry.decode_outcome(sealed.block.items[0].outcome).dialect == DIALECT


# What is skipped

STRANGER = key_files.generate()


def for_stranger(ledger):
    return transactions.prepare(STRANGER, ledger.id, "notes", "open", {})


def small_order(ledger):
    """Signed by a key that signs everything, which nobody registered."""
    payload = cose.split(ledger.open().envelope).payload
    return cose.join(
        cose.protected_header(EDDSA, cose.TRANSACTION, kid_of(SMALL_ORDER_SPKI)), payload, bytes([1]) + bytes(63)
    )


SKIPPED = {
    "another ledger": (
        lambda ledger, _: transactions.prepare(ledger.keys["acme"], bytes(32), "notes", "open", {}),
        "transaction.ledger",
    ),
    "a key never registered": (lambda ledger, _: for_stranger(ledger), "sender.unknown"),
    "a small-order key never registered": (lambda ledger, _: small_order(ledger), "sender.unknown"),
    "expired by 1 ms": (lambda ledger, now: ledger.idle(not_after=now - 1), "transaction.expired"),
    "expired long ago": (lambda ledger, _: ledger.idle(not_after=0), "transaction.expired"),
    "1 ms too far ahead": (
        lambda ledger, now: ledger.idle(not_after=now + VALIDITY_MS_MAX + 1),
        "transaction.too_far",
    ),
    "steps beyond the limit": (lambda ledger, _: ledger.idle(steps_max=100_001), "steps.limit"),
}


@pytest.mark.parametrize(("make", "code"), SKIPPED.values(), ids=SKIPPED)
def test_what_does_not_count_gets_no_seq(ledger, applied, stamp, make, code):
    bad = make(ledger, stamp)
    first, last = ledger.idle(), ledger.idle()
    sealed, skipped = applied(ledger, [first, bad, last], stamp=stamp)
    assert skipped == [(transaction.read(envelopes([bad])[0]).id, code)]
    assert [item.id for item in sealed.block.items] == [first.id, last.id]
    assert [one.seq for one in sealed.entered] == [sealed.block.header.seq, sealed.block.header.seq + 1]


@pytest.mark.parametrize("form", [b"", b"\xd2\x84", b"not an envelope", bytes(300)])
def test_what_is_out_of_form_is_passed_over(ledger, applied, form):
    sealed, skipped = applied(ledger, [form, ledger.idle(), form])
    assert skipped == []
    assert sealed.block.header.count == 1


@pytest.mark.parametrize("ahead", [0, VALIDITY_MS_MAX])
def test_the_ends_of_the_window_belong_to_it(ledger, applied, stamp, ahead):
    sealed, skipped = applied(ledger, [ledger.idle(not_after=stamp + ahead)], stamp=stamp)
    assert (sealed.block.header.count, skipped) == (1, [])


def test_validity_is_judged_by_the_blocks_time_not_the_clock(ledger, applied, parts):
    with parts(ledger) as recovered:
        last = recovered.tip.time
    prepared = ledger.idle(not_after=last)
    assert applied(ledger, [prepared], stamp=last - 10**6)[0].block.header.count == 1
    assert applied(ledger, [prepared], stamp=last + 1) == (None, [(prepared.id, "transaction.expired")])


def test_a_batch_in_which_nothing_counts_makes_no_block(ledger, parts):
    with parts(ledger) as recovered:
        before = recovered.tiles.root()
        prepared = ledger.idle(not_after=0)
        assert apply(recovered, [prepared]) == (None, [(prepared.id, "transaction.expired")])
        assert apply(recovered, []) == (None, [])
        assert (recovered.tiles.size, recovered.tiles.root()) == (recovered.tip.size, before)


def test_an_id_twice_in_one_batch_gets_one_entry(ledger, applied):
    prepared, other = ledger.open("a"), ledger.idle()
    sealed, skipped = applied(ledger, [prepared, other, prepared, prepared])
    assert [item.id for item in sealed.block.items] == [prepared.id, other.id]
    assert skipped == [(prepared.id, "transaction.duplicate")] * 2


def test_an_id_in_the_window_gets_no_second_entry(ledger, play, applied):
    prepared = ledger.open("a")
    play(ledger, lambda session: session.applied(prepared))
    sealed, skipped = applied(ledger, [prepared, ledger.idle()])
    assert sealed.block.header.count == 1
    assert skipped == [(prepared.id, "transaction.duplicate")]


def test_an_id_that_was_skipped_may_still_count_later(ledger, applied, stamp):
    """Skipping leaves nothing behind: what came too early is not used up."""
    prepared = ledger.idle(not_after=stamp + VALIDITY_MS_MAX + 500)
    assert applied(ledger, [prepared], stamp=stamp) == (None, [(prepared.id, "transaction.too_far")])
    assert applied(ledger, [prepared], stamp=stamp + 500)[0].block.header.count == 1


# Void batches


def fits(ledger, count, **options):
    return [ledger.idle(**options) for _ in range(count)]


def padded(ledger, total, count):
    """So many envelopes of so many bytes together."""
    made = []
    for number in range(count):
        share = (total - sum(map(len, made))) // (count - number)
        size = share
        while (excess := len(envelope := ledger.idle(data=bytes(size), steps_max=0).envelope) - share) > 0:
            size -= excess
        made.append(envelope)
    assert sum(map(len, made)) == total
    return made


BOUNDS = {
    "entries": (lambda ledger, more: fits(ledger, 3 + more, steps_max=0)),
    "bytes": (lambda ledger, more: padded(ledger, 2_048 + more, 2)),
    "steps": (lambda ledger, more: [*fits(ledger, 1, steps_max=10_000 + more), *fits(ledger, 2, steps_max=10_000)]),
}


@pytest.mark.parametrize("make", BOUNDS.values(), ids=BOUNDS)
def test_a_batch_beyond_a_bound_is_void(make_ledger, play, parts, make):
    ledger = make_ledger(SMALL, deployed=False)
    play(ledger, lambda session: session.submit(ledger.idle(steps_max=0)))
    with parts(ledger) as recovered:
        sealed, skipped = apply(recovered, make(ledger, 0))
        assert skipped == []
        assert sealed is not None
    with parts(ledger) as recovered:
        beyond = make(ledger, 1)
        sealed, skipped = apply(recovered, beyond)
        assert sealed is None
        assert skipped == [(transaction.read(envelope).id, "batch.void") for envelope in envelopes(beyond)]
        assert (recovered.tiles.size, recovered.state.pending()) == (recovered.tip.size, 0)


@pytest.mark.parametrize("options", [{"data": bytes(3_000)}, {"steps_max": 20_000}], ids=["bytes", "steps"])
def test_one_item_alone_may_be_beyond_what_a_block_shares(make_ledger, play, options):
    ledger = make_ledger(Limits(block_bytes=1_024, block_steps=10_000, transaction_steps=20_000), deployed=False)
    assert play(ledger, lambda session: session.code(ledger.idle(**options))) == "contract.unknown"


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
@pytest.mark.parametrize("position", [0, 2, 4])
def test_one_bad_signature_voids_the_batch(make_ledger, parts, position, kind):
    ledger = make_ledger(key_kind=kind)
    batch = [ledger.open("a"), *fits(ledger, 3)]
    batch.insert(position, forged(ledger.open("b")))
    with parts(ledger) as recovered:
        sealed, skipped = apply(recovered, batch)
        assert sealed is None
        assert skipped == [(transaction.read(e).id, "signature.invalid") for e in envelopes(batch)]
        assert (recovered.tiles.size, recovered.state.pending()) == (recovered.tip.size, 0)
        assert recovered.reading().page("notes", "Note", None, 1).rows == []


def test_a_bad_signature_of_a_stranger_voids_nothing(ledger, applied):
    """Nobody can say whether it is bad: there is no key to tell by."""
    prepared = for_stranger(ledger)
    sealed, skipped = applied(ledger, [forged(prepared), ledger.idle()])
    assert sealed.block.header.count == 1
    assert skipped == [(prepared.id, "sender.unknown")]


def test_a_high_s_voids_the_batch(make_ledger, applied):
    ledger = make_ledger(key_kind="p256")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    low = ledger.open("a").envelope
    high = low[:-32] + (order - int.from_bytes(low[-32:], "big")).to_bytes(32, "big")
    assert applied(ledger, [high])[0] is None
    assert applied(ledger, [low])[0].block.header.count == 1


# Keys that are registered in the batch itself


@pytest.fixture
def registering(tmp_path):
    """A ledger, a new key, and what its member signs to register it."""
    folder = Folder(tmp_path / "registering")
    id = create.create_ledger(Disk(), folder, "Keys", [create.Founder("acme", "Acme", deployer=True)])
    governing, new = key_files.load(create.governance_key(folder, "acme")), key_files.generate()
    fields = {"owner_kind": "member", "owner": "acme", "purpose": "transaction", "spki": new.public.spki}
    adding = transactions.prepare(governing, id, "members", "register_key", fields, content_type=cose.GOVERNANCE)
    return SimpleNamespace(folder=folder, id=id, new=new, adding=adding)


def begun(recovered):
    """The parts behind the genesis block, and what it wrote."""
    sealed = apply_genesis(
        recovered.document, recovered.genesis, recovered.tip.ledger, recovered.directory, recovered.tiles
    )
    recovered.state.apply(BlockPlace(0, 0, Location(0, 0, 0)), sealed.entered)
    return behind(recovered, sealed), sealed.entered[0].writes


def behind(recovered, sealed):
    return msgspec.structs.replace(recovered, tip=sealed.tip)


def test_a_key_counts_from_the_next_block_on(registering, parts):
    """Signatures are verified before anything is executed, so a key that comes with them cannot be trusted yet."""
    note = {"name": "n", "valid_from": 1, "data": ""}
    forging = transactions.prepare(registering.new, registering.id, "members", "add_reference", note)
    signing = transactions.prepare(registering.new, registering.id, "members", "add_reference", {**note, "name": "m"})
    with parts(registering) as new:
        recovered, _ = begun(new)
        sealed, skipped = apply(recovered, [registering.adding, forged(forging), signing])
        assert outcomes(sealed) == ["ok"]
        assert skipped == [(forging.id, "sender.unknown"), (signing.id, "sender.unknown")]
        recovered.state.apply(BlockPlace(1, 1, Location(0, 0, 0)), sealed.entered)
        recovered = behind(recovered, sealed)
        assert apply(recovered, [forged(forging)]) == (None, [(forging.id, "signature.invalid")])
        sealed, skipped = apply(recovered, [signing])
        assert (skipped, sealed.block.header.count) == ([], 1)


def test_an_audit_decides_about_senders_as_apply_does(registering, parts):
    note = {"name": "n", "valid_from": 1, "data": ""}
    early = transactions.prepare(registering.new, registering.id, "members", "add_reference", note)
    with parts(registering) as new:
        recovered, founding = begun(new)
        tip = recovered.tip
        first, _ = apply(recovered, [registering.adding])
        second, _ = apply(behind(recovered, first), [early])
        both = block.Block(first.block.header, [*first.block.items, *second.block.items])

        def audited(*found):
            directory = Directory(governance_genesis.members_program(recovered.genesis))
            directory.apply(0, founding)
            view, findings = View(recovered.state, directory.indexes_of), []
            for one in found:
                at = tip if one is not second.block else first.tip
                findings += reexecution._execute_block(one, at, view, directory)
            return [(finding.code, finding.where) for finding in findings]

        assert audited(first.block, second.block) == []
        assert audited(both) == [("sender.unknown", f"entry {tip.size + 1}")]


# What a block may become


def test_a_block_cannot_become_more_than_the_journal_holds():
    """From the constants: what envelopes, steps and entries allow, whatever contracts do."""
    scheduled = limits.SCHEDULED_ENTRIES_MAX * limits.SCHEDULED_STEPS_MAX + limits.GOVERNANCE_STEPS_MAX
    paid = (limits.BLOCK_STEPS_MAX + scheduled) * prices.OUTPUT_BYTES_PER_STEP
    free = (limits.BLOCK_ENTRIES_MAX + limits.SCHEDULED_ENTRIES_MAX + 1) * FREE_BYTES_MAX
    assert paid <= 96_000_000
    assert limits.BLOCK_BYTES_MAX + paid + free <= BLOCK_ENCODED_BYTES_MAX
    assert BLOCK_ENCODED_BYTES_MAX < UNIT_BYTES_MAX // 7


WRITING = (
    '''"""As much out of as little in as there can be."""

from hansa.contract import Contract, Party, Record, Text, action, event, require


class Writing(Contract, version="1.0.0"):
    class Roles:
        keeper: Party = Party(attribute="ATTRIBUTE")

    class R(Record, key="k"):
        k: Text[0, 100]
        a: list[Text[0, 65536], 16] = []

    @action(by="member", creates="R")
    def go(tx, r: R, k: Text[0, 100], n: int, m: int):
        s = "FOUR"
        for i in range(n):
            s = s + s
        for i in range(m):
            r.a = r.a + [s]
        event("e", s=s)

    @action(by="member")
    def fail(tx):
        s = "FOUR"
        for i in range(8):
            s = s + s
        require(1 == 2, "{s}", s=s)

    @action(by="keeper")
    def keep(tx):
        pass

    @action(by="member")
    def ask(tx, PARAMETERS):
        pass
'''.replace("FOUR", "\U0001f600" * 3)
    .replace("ATTRIBUTE", "a" * 64)
    .replace(
        "PARAMETERS", ", ".join(f"{'p' * 45}_{i:02}: int" for i in range(31)).replace(": int, ", ": int,\n            ")
    )
)


@pytest.fixture
def writing(make_ledger, play):
    ledger = make_ledger(Limits(transaction_steps=150_000))
    play(ledger, lambda session: session.applied(ledger.deploy("writing", WRITING)))
    return ledger


def test_what_a_block_holds_is_paid_for_by_its_steps(writing, applied):
    """Large records and events, long keys and every kind of refusal."""
    batch = [
        writing.prepare("writing", "go", {"k": "\U0010ffff" * 99 + str(n % 10), "n": n % 13, "m": m}, steps_max=150_000)
        for n, m in [(12, 16), (12, 8), (12, 4), (5, 16), (0, 16), *((n, 0) for n in range(20))]
    ]
    size = len(batch)
    batch += [
        writing.prepare("writing", "fail"),
        writing.prepare("writing", "keep", by="bolt"),
        writing.prepare("writing", "ask"),
        writing.prepare("writing", "ask", {"p" * 45 + f"_{i:02}": "x" for i in range(31)}),
        writing.prepare("writing", "ask", {"\U0010ffff" * 64 + str(i): None for i in range(20)}),
        writing.prepare("writing", "x" * 48),
        writing.prepare("members", "deploy", {"name": "\U0010ffff" * 48, "source": "x"}),
    ]
    for at in range(0, len(batch), 8):
        sealed, skipped = applied(writing, batch[at : at + 8])
        assert skipped == []
        for number, item in enumerate(sealed.block.items, at):
            outcome = entry.decode_outcome(item.outcome)
            assert (outcome.status == "applied") == (number < size and outcome.code == "ok")
            out = len(item.outcome) + len(item.writes) + 100
            assert out <= outcome.steps * prices.OUTPUT_BYTES_PER_STEP + FREE_BYTES_MAX
            assert outcome.status == "applied" or out <= FREE_BYTES_MAX


# The bounds of a block, in a running node


def test_every_block_of_a_node_keeps_the_limits_of_its_genesis(make_ledger, play):
    limits = Limits(block_entries=5, block_bytes=4_096, block_steps=9_000)
    ledger = make_ledger(limits, deployed=False)

    async def scenario(session):
        made = [ledger.idle(data=bytes(number * 13 % 900), steps_max=number % 4 * 1_000) for number in range(80)]
        await session.submit_all(made)
        blocks = {}
        for seq in range(1, session.node.status().entries):
            found = session.node.reading.at(seq)
            blocks.setdefault(found.height, []).append(found.envelope)
        assert sum(map(len, blocks.values())) == 80
        for content in blocks.values():
            assert len(content) <= limits.block_entries
            assert len(content) == 1 or sum(map(len, content)) <= limits.block_bytes
            steps = sum(transaction.read(envelope).transaction.steps_max for envelope in content)
            assert len(content) == 1 or steps <= limits.block_steps

    play(ledger, scenario)


def test_a_large_burst_is_answered_whole(ledger, play):
    async def scenario(session):
        before = session.node.status().entries
        made = [ledger.idle(by=("acme", "bolt", "core")[number % 3]) for number in range(2_500)]
        answers = await session.submit_all(made)
        assert [answer.id for answer in answers] == [one.id for one in made]
        assert sorted(answer.seq for answer in answers) == list(range(before, before + 2_500))

    play(ledger, scenario)
