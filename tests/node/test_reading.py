"""Reading: pages, histories, receipts and proofs, and which heads a node signs."""

import asyncio
from itertools import pairwise

import pytest

from hansa.client import verification
from hansa.merkle import checkpoint as merkle_checkpoint
from hansa.merkle import receipt
from hansa.node import node as node_module
from hansa.node import reading
from hansa.node.reading import Asked
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Disk
from hansa.wire import cbor
from hansa.wire.genesis import Limits
from hansa.wire.keys import PublicKey
from hansa.wire.problems import HansaError


async def write_notes(session, names, by="acme"):
    return [await session.applied(session.ledger.open(name, owner=by)) for name in names]


def stored_heads(session):
    """Every checkpoint in the folder, as a reader from outside finds them."""
    stored = Checkpoints(Disk(), session.ledger.folder.checkpoints, session.ledger.id, writable=False)
    heads = [stored.get(number) for number in range(stored.count)]
    stored.close()
    assert None not in heads
    return heads


def keys_of(session):
    return {key.kid: key for key in (PublicKey(node.checkpoint_key) for node in session.node.parsed_genesis.nodes)}


# Pages


def names_of(page):
    return [row.value["name"] for row in page.rows]


def owned_by(member):
    return Asked(index="owner", value=member)


def read_pages(reading, rows, by_index=False):
    """All pages, one after the other."""
    found, cursor = [], None
    while True:
        if by_index:
            page = reading.page("notes", "Note", cursor, rows, owned_by("acme"))
        else:
            page = reading.page("notes", "Note", cursor, rows)
        assert len(page.rows) <= rows
        found.append(names_of(page))
        cursor = page.next
        if cursor is None:
            return found


@pytest.mark.parametrize("by_index", [False, True], ids=["by key", "by index"])
@pytest.mark.parametrize("flushed", ["nothing", "half", "all"])
@pytest.mark.parametrize("rows", [1, 3, 6, 7, 8])
def test_pages_hold_every_record_once_in_the_order_of_keys(ledger, play, rows, flushed, by_index):
    names = ["b", "a", "aa", "Z", "ü", "a\0b", "~"]

    async def scenario(session):
        for count, name in enumerate(names, 1):
            await write_notes(session, [name])
            if flushed == "all" or (flushed == "half" and count == 4):
                session.node._flush()
        pages = read_pages(session.node.reading, rows, by_index)
        assert [name for page in pages for name in page] == sorted(names, key=str.encode)
        assert all(len(page) == rows for page in pages[:-1])

    play(ledger, scenario)


@pytest.mark.parametrize("by_index", [False, True], ids=["by key", "by index"])
def test_a_cursor_stays_where_it_is_while_records_come(ledger, play, by_index):
    """New records before it do not shift it, new ones behind it are found, none is given twice."""

    async def scenario(session):
        reading = session.node.reading

        def page(cursor):
            if by_index:
                return reading.page("notes", "Note", cursor, 2, owned_by("acme"))
            return reading.page("notes", "Note", cursor, 2)

        await write_notes(session, ["b", "d", "f", "h"])
        first = page(None)
        assert names_of(first) == ["b", "d"]
        await write_notes(session, ["a", "c", "e", "z"])
        session.node._flush()
        second = page(first.next)
        assert names_of(second) == ["e", "f"]
        await session.applied(session.ledger.add("h"))
        third = page(second.next)
        assert names_of(third) == ["h", "z"]
        assert third.next is None

    play(ledger, scenario)


def test_a_record_that_moves_is_read_where_it_stands(ledger, play):
    """A cursor by index is a value and a key, not a count and not a copy; each page says which state it is of."""

    async def scenario(session):
        reading = session.node.reading
        for name, owner in (("a", "bolt"), ("b", "acme"), ("c", "core"), ("d", "bolt")):
            await write_notes(session, [name], owner)
        asked = Asked(index="owner", descending=True)
        first = reading.page("notes", "Note", None, 2, asked)
        assert (names_of(first), first.size) == (["c", "d"], 6)
        await session.applied(ledger.prepare("notes", "give", {"note": "c", "to": "acme"}))
        await session.applied(ledger.prepare("notes", "give", {"note": "b", "to": "core"}))
        second = reading.page("notes", "Note", first.next, 2, asked)
        assert (names_of(second), second.size, second.next) == (["a", "c"], 8, None)

    play(ledger, scenario)


def test_a_cursor_is_of_one_ledger(make_ledger, play, refused):
    async def scenario(session):
        await write_notes(session, ["a", "b"])
        return session.node.reading.page("notes", "Note", None, 1).next

    cursor = play(make_ledger(limits=Limits(block_entries=7)), scenario)

    async def other(session):
        assert await scenario(session) != cursor
        with refused("query.cursor"):
            session.node.reading.page("notes", "Note", cursor, 1)

    play(make_ledger(), other)


def test_keys_that_are_numbers_are_ranged_as_numbers(ledger, play):
    async def scenario(session):
        for number in (-5, 10, 9, 0, -(2**63)):
            await session.applied(ledger.prepare("notes", "seal", {"number": number}))
        for flush in (False, True):
            if flush:
                session.node._flush()
            page = session.node.reading.page("notes", "Seal", None, 10, Asked(least="-5", most="9"))
            assert [row.value["number"] for row in page.rows] == [-5, 0, 9]

    play(ledger, scenario)


def test_an_index_follows_its_field(ledger, play):
    async def scenario(session):
        def owned(by):
            return names_of(session.node.reading.page("notes", "Note", None, 10, owned_by(by)))

        await write_notes(session, ["a", "b"])
        for to, flush in (("bolt", True), ("core", False), ("acme", False), ("core", True)):
            await session.applied(ledger.prepare("notes", "give", {"note": "a", "to": to}))
            if flush:
                session.node._flush()
            owners = {by: owned(by) for by in ("acme", "bolt", "core")}
            expected = {"acme": ["b"], "bolt": [], "core": []}
            expected[to] = sorted([*expected[to], "a"])
            assert owners == expected

    play(ledger, scenario)


INDEXED = '''"""A field of every type that can be indexed."""

from hansa.contract import Bytes, Contract, Date, Duration, Enum, Instant, Int, Party, Record, Text, User, action


class Colour(Enum):
    red = "Red"
    blue = "Blue"


class Kinds(Contract, version="1.0.0"):
    class Day(Record, key="day"):
        day: Date

    class Thing(
        Record,
        key="id",
        index=["due", "at", "length", "code", "flag", "colour", "member", "user", "count", "maybe", "name", "of"],
    ):
        id: Text[1, 10]
        due: Date
        at: Instant
        length: Duration
        code: Bytes[1, 2]
        flag: bool
        colour: Colour
        member: Party
        user: User
        count: Int[0, 9]
        maybe: Date | None
        name: Text[1, 10]
        of: Day

    @action(by="member", creates="Thing")
    def put(tx, thing: Thing, id: Text[1, 10], due: Date, at: Instant, length: Duration, code: Bytes[1, 2],
            flag: bool, colour: Colour, member: Party, user: User, count: Int[0, 9], maybe: Date | None,
            name: Text[1, 10], of: Day):
        """Makes one."""
'''


def test_what_is_no_value_of_the_field_is_refused_never_compared(ledger, play, refused):
    wrong = {
        "due": ["foo", "2027-1-1", "2027-02-29", "5", "", "2027-01-01T00:00:00Z"],
        "at": ["foo", "2027-01-01", "", "1.5", "-1", str(253_402_300_800_000)],
        "length": ["3d", "", str(10**18)],
        "code": ["f", "zz", "0 0f", "0x0f"],
        "flag": ["yes", "True", "1", ""],
        "colour": ["green", "Red", "", "RED"],
        "count": ["x", "", "1.0", str(2**63)],
        "maybe": ["foo", "2027-1-1"],
        "of": ["foo", "2027-1-1", ""],
        "member": [""],
        "user": [""],
    }
    right = {
        "due": "2027-01-01",
        "at": "5",
        "length": "-5",
        "code": "0F",
        "flag": "true",
        "colour": "red",
        "count": "10",
        "maybe": "",
        "of": "2027-01-01",
        "member": "acme",
        "user": "acme/ann",
        "name": "",
    }
    names = {"member": ["No Body", "acme/ann"], "user": ["acme", "acme/Ann"]}

    async def scenario(session):
        await session.applied(ledger.deploy("kinds", INDEXED))

        def page(**asked):
            return session.node.reading.page("kinds", "Thing", None, 9, Asked(**asked)).rows

        for field, texts in wrong.items():
            for text in texts:
                for bound in ("value", "least", "most"):
                    with refused("query.value"):
                        page(index=field, **{bound: text})
        for field, text in right.items():
            assert [page(index=field, **{bound: text}) for bound in ("value", "least", "most")] == [[], [], []]
        for field, texts in names.items():
            for text in texts:
                with refused("query.value"):
                    page(index=field, value=text)
                assert page(index=field, least=text) == []
        with refused("query.value"):
            session.node.reading.page("kinds", "Day", None, 9, Asked(least="2027-1-1"))
        with refused("query.value"):
            session.node.reading.record("kinds", "Day", "2027-1-1")
        with pytest.raises(HansaError, match="'Red' is not one of red, blue"):
            page(index="colour", value="Red")

    play(ledger, scenario)


READ_REFUSALS = {
    "a page of an unknown contract": (lambda r: r.page("nowhere", "Note", None, 1), "contract.missing"),
    "a page of an unknown type": (lambda r: r.page("notes", "Nothing", None, 1), "record.type"),
    "a page behind no cursor": (lambda r: r.page("notes", "Note", "zz", 1), "query.cursor"),
    "a page by no index": (lambda r: r.page("notes", "Note", None, 1, Asked(index="value")), "query.index"),
    "a page behind another spelling": (lambda r: r.page("notes", "Note", "g0A=", 1), "query.cursor"),
    "a page of a value of no index": (lambda r: r.page("notes", "Note", None, 1, Asked(value="a")), "query.range"),
    "a page of a value and a bound": (
        lambda r: r.page("notes", "Note", None, 1, Asked(index="owner", value="acme", most="b")),
        "query.range",
    ),
    "a page of bounds that leave nothing": (
        lambda r: r.page("notes", "Seal", None, 1, Asked(least="10", most="9")),
        "query.range",
    ),
    "a page from no number on": (lambda r: r.page("notes", "Seal", None, 1, Asked(least="nine")), "query.value"),
    "a page up to half a pair": (lambda r: r.page("notes", "Note", None, 1, Asked(most="\ud800")), "query.value"),
    "a page up to a key too long": (lambda r: r.page("notes", "Note", None, 1, Asked(most="n" * 500)), "key.too_long"),
    "a record of an unknown key": (lambda r: r.record("notes", "Note", "none"), "record.unknown"),
    "a record of a key too long": (lambda r: r.record("notes", "Note", "n" * 500), "record.unknown"),
    "a record of a key that is no number": (lambda r: r.record("notes", "Seal", "one"), "query.value"),
    "a record of a number too large": (lambda r: r.record("notes", "Seal", str(2**63)), "query.value"),
    "a history of nothing": (lambda r: r.history("notes", "Note", "none", None, 1), "record.unknown"),
    "a history before an entry that did not write it": (
        lambda r: r.history("notes", "Note", "a", 0, 1),
        "record.unknown",
    ),
    "a history before the end": (lambda r: r.history("notes", "Note", "a", 99, 1), "entry.unknown"),
    "an entry beyond the end": (lambda r: r.at(3), "entry.unknown"),
    "an entry before the beginning": (lambda r: r.at(-1), "entry.unknown"),
    "a checkpoint of no stored size": (lambda r: r.checkpoint(10**9), "checkpoint.none"),
    "a checkpoint of nothing": (lambda r: r.checkpoint(0), "checkpoint.none"),
    "a receipt beyond the end": (lambda r: r.receipt(99), "entry.unknown"),
    "a proof from nothing": (lambda r: r.consistency(0, r.tip.size), "tree.range"),
    "a proof backwards": (lambda r: r.consistency(r.tip.size + 1, r.tip.size), "tree.range"),
    "a view of an unknown contract": (lambda r: r.view("nowhere", "x", {}), "contract.missing"),
    "an unknown view": (lambda r: r.view("notes", "x", {}), "view.missing"),
    "an action as a view": (lambda r: r.view("notes", "add", {}), "view.missing"),
}


@pytest.mark.parametrize(("read", "code"), READ_REFUSALS.values(), ids=READ_REFUSALS)
def test_what_is_not_there_is_named(ledger, play, refused, read, code):
    async def scenario(session):
        await write_notes(session, ["a"])
        assert session.node.status().entries == 3
        with refused(code):
            read(session.node.reading)

    play(ledger, scenario)


# Histories


@pytest.mark.parametrize("rows", [1, 2, 5, 100])
@pytest.mark.parametrize("blocks", ["each its own", "together"])
def test_a_history_walks_back_through_the_write_sets(ledger, play, gate, rows, blocks):
    async def scenario(session):
        await write_notes(session, ["a"])
        first = await session.block() if blocks == "together" else None
        futures = []
        for number in range(1, 6):
            futures.append(session.submit(ledger.add("a", number)))
            futures.append(session.submit(ledger.open(f"other {number}")))
            if first is None:
                await futures[-2]
        await session.until(lambda: first is None or session.node.status().waiting == 11)
        gate.release()
        answers = [await future for future in futures][::2]
        found, before = [], None
        while True:
            page = session.node.reading.history("notes", "Note", "a", before, rows)
            found += page.rows
            if page.next is None:
                break
            before = int(page.next)
        assert [row.value["value"] for row in found] == [15, 10, 6, 3, 1, 0]
        assert [row.seq for row in found][:-1] == [answer.seq for answer in reversed(answers)]
        assert found[0] == session.node.reading.record("notes", "Note", "a")

    play(ledger, scenario, files=gate)


def test_a_refused_action_leaves_no_trace_in_a_history(ledger, play):
    async def scenario(session):
        await write_notes(session, ["a"])
        await session.submit(ledger.add("a", -1))
        assert len(session.node.reading.history("notes", "Note", "a", None, 10).rows) == 1

    play(ledger, scenario)


# Proofs


async def make_history(session):
    """A ledger of about a hundred entries in blocks of several sizes, with a checkpoint for nearly each."""
    await write_notes(session, ["a"])
    for count in (1, 2, 3, 5, 8, 13, 1, 1, 34, 7):
        await session.submit_all([session.ledger.add("a") for _ in range(count)])
        session.node.sign_checkpoint()


def test_every_entry_has_a_receipt_that_verifies(ledger, play):
    async def scenario(session):
        await make_history(session)
        node = session.node
        pinned = verification.pin_genesis(node.genesis, ledger.id)
        for seq in range(node.status().entries):
            found = node.reading.at(seq)
            proof = node.reading.receipt(seq)
            proven = verification.verify(proof, found.entry(), pinned, envelope=found.envelope, outcome=found.outcome)
            assert (proven.ledger, proven.seq, proven.id) == (ledger.id, seq, found.id)
            assert seq < proven.size <= node.status().entries

    play(ledger, scenario)


def test_a_receipt_proves_its_own_entry_only(ledger, play, refused):
    async def scenario(session):
        await make_history(session)
        node = session.node
        pinned = verification.pin_genesis(node.genesis, ledger.id)
        for seq in (1, 5, 40):
            with refused("receipt.invalid"):
                verification.verify(node.reading.receipt(seq), node.reading.at(seq + 1).entry(), pinned)

    play(ledger, scenario)


def test_all_stored_checkpoints_are_consistent_with_each_other(ledger, play):
    async def scenario(session):
        await make_history(session)
        keys = keys_of(session)
        heads = stored_heads(session)
        assert len(heads) >= 10
        for number, first in enumerate(heads):
            assert merkle_checkpoint.verify(first, keys[first.kid])
            for second in heads[number:]:
                proof = session.node.reading.consistency(first.size, second.size)
                assert receipt.verify_consistency(proof, first, second.root, keys).size == second.size

    play(ledger, scenario)


def test_a_restarted_node_goes_on_from_the_checkpoints_before(ledger, play):
    async def first(session):
        await make_history(session)
        return stored_heads(session)

    before = play(ledger, first)

    async def second(session):
        await session.submit_all([ledger.add("a") for _ in range(5)])
        heads = stored_heads(session)
        assert heads[: len(before)] == before
        proof = session.node.reading.consistency(before[0].size, heads[-1].size)
        assert receipt.verify_consistency(proof, before[0], heads[-1].root, keys_of(session)).size == heads[-1].size

    play(ledger, second)


# What is signed


def test_an_idle_node_has_signed_its_head(ledger, play):
    async def scenario(session):
        for _ in range(3):
            await session.submit_all([ledger.idle() for _ in range(20)])
            status = session.node.status()
            assert status.checkpoint == status.entries

    play(ledger, scenario)


def test_an_idle_node_has_signed_its_head_also_where_the_last_batch_came_to_nothing(
    ledger, play, gate, clock, monkeypatch
):
    monkeypatch.setattr(node_module, "CHECKPOINT_MS", 10**9)

    async def scenario(session):
        first = await session.block()
        late = session.submit(ledger.idle(not_after=clock.now() + 1_000))
        await session.until(lambda: session.node.status().waiting == 2)
        clock.ahead = 2_000
        gate.release()
        await first
        assert (await late).code == "transaction.expired"
        await session.until(lambda: session.node.status().checkpoint == session.node.status().entries, seconds=1)

    play(ledger, scenario, files=gate, clock=clock)


def test_a_busy_node_signs_now_and_then(ledger, play, gate, monkeypatch):
    """One signature may serve many blocks: between two of them at least so much time passes."""
    monkeypatch.setattr(node_module, "CHECKPOINT_MS", 10**9)

    async def scenario(session):
        first = await session.block()
        signed = session.node.status().checkpoint
        second = session.submit(ledger.open("a"))
        await session.until(lambda: session.node.status().waiting == 2)
        gate.release()
        await first
        assert session.node.status().checkpoint == signed
        await second
        assert session.node.status().checkpoint == session.node.status().entries == signed + 2

    play(ledger, scenario, files=gate)


def test_a_head_is_signed_once(ledger, play):
    async def scenario(session):
        await write_notes(session, ["a"])
        heads = stored_heads(session)
        session.node.sign_checkpoint()
        session.node.sign_checkpoint()
        assert stored_heads(session) == heads
        assert sorted({head.size for head in heads}) == [head.size for head in heads]

    play(ledger, scenario)
    play(ledger, lambda session: session.until(lambda: True))

    async def again(session):
        sizes = [head.size for head in stored_heads(session)]
        assert sorted(set(sizes)) == sizes

    play(ledger, again)


# A journal that was changed behind the state's position


def put_in_place_of(ledger, old, new):
    """Changes bytes where they first stand in the journal; whether they stood there."""
    (segment,) = ledger.folder.journal.glob("*.segment")
    data = segment.read_bytes()
    assert len(old) == len(new)
    segment.write_bytes(data.replace(old, new, 1))
    return old in data


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_changed_bytes_of_an_entry_are_never_answered(ledger, play, refused):
    """With the state kept a start reads none of them: each part of an entry is checked when it is read."""

    async def first(session):
        await session.applied(ledger.open("a"))
        prepared = ledger.add("a", 7_777)
        await asyncio.sleep(0.003)  # a ledger time of its own
        answer = await session.applied(prepared)
        await session.applied(ledger.add("a"))
        return prepared, answer.seq, session.node.reading.at(answer.seq)

    prepared, seq, found = play(ledger, first)
    bodies = (found.envelope, found.outcome, found.writes)
    changes = [(data, flipped(data, at)) for data in bodies for at in (30, len(data) - 1)]
    changes.append((found.id, flipped(found.id, 5)))
    changes.append((cbor.encode(found.time), cbor.encode(found.time + 1)))
    for old, new in changes:
        assert put_in_place_of(ledger, old, new), old

        async def second(session):
            with refused("journal.corrupt") as caught:
                session.node.reading.at(seq)
            assert f"entry {seq} " in caught.value.detail
            assert await session.code(prepared) == "journal.corrupt"
            for other in range(session.node.reading.tip.size):
                if other != seq:
                    session.node.reading.at(other)
            with refused("journal.corrupt"):
                session.node.reading.history("notes", "Note", "a", None, 10)
            assert session.node.reading.record("notes", "Note", "a").value["value"] == 7_778
            assert session.node.status().state == "running"

        play(ledger, second)
        assert put_in_place_of(ledger, new, old)
    play(ledger, lambda session: session.submit(prepared))


def test_a_block_in_anothers_place_is_never_answered(ledger, play, refused):
    """Every entry of it is sound, and not the one that was asked for."""

    async def filled(session):
        await session.applied(ledger.open("a"))
        await session.applied(ledger.open("b"))

    play(ledger, filled)

    async def scenario(session):
        segments = session.node._parts.segments
        one, other = [session.node._parts.state.block_of(seq).location for seq in (2, 3)]
        assert one.length == other.length
        data = {place: segments.read(place) for place in (one, other)}
        with (ledger.folder.journal / "00000000.segment").open("r+b") as file:
            for place, there in ((one, data[other]), (other, data[one])):
                file.seek(place.offset)
                file.write(there)
        session.node.reading._small_block.cache_clear()  # the start has read one of them
        for seq in (2, 3):
            with refused("journal.corrupt"):
                session.node.reading.at(seq)

    play(ledger, scenario)


# Pages are bounded in bytes too

LARGE = '''"""Large records."""

from hansa.contract import Contract, Record, Text, action


class Large(Contract, version="1.0.0"):
    class R(Record, key="k", index=["kind"]):
        k: Text[1, 10]
        kind: int = 1
        text: Text[0, 65536] = ""

    @action(by="member", creates="R")
    def make(tx, r: R, k: Text[1, 10], n: int):
        s = "0123456789abcdef"
        for i in range(n):
            s = s + s
        r.text = s

    @action(by="member")
    def change(tx, r: R):
        r.kind += 0
'''


def all_pages(read):
    """The pages that `read` gives, cursor after cursor."""
    pages = [read(None)]
    while pages[-1].next is not None:
        pages.append(read(pages[-1].next))
    return pages


@pytest.mark.parametrize("flushed", [False, True], ids=["new", "flushed"])
def test_a_page_is_bounded_in_bytes(ledger, play, flushed, monkeypatch):
    """Large and small records, by key and by index: every record once, as many to a page as there is room for."""
    monkeypatch.setattr(reading, "PAGE_BYTES_MAX", 150_000)

    async def scenario(session):
        await session.applied(ledger.deploy("large", LARGE))
        sizes = [(n * 7) % 13 for n in range(70)]
        made = [
            ledger.prepare("large", "make", {"k": f"k{n:02}", "n": size}, steps_max=20_000)
            for n, size in enumerate(sizes)
        ]
        for one in made:
            await session.applied(one)
        if flushed:
            session.node._flush()
        face = session.node.reading
        for rows in (1, 40, 1_000):
            for read in (
                lambda cursor: face.page("large", "R", cursor, rows),  # noqa: B023 - called here
                lambda cursor: face.page("large", "R", cursor, rows, Asked(index="kind", value="1")),  # noqa: B023
            ):
                pages = all_pages(read)
                assert [row.value["k"] for page in pages for row in page.rows] == [f"k{n:02}" for n in range(70)]
                for page, following in pairwise(pages):
                    size, more = bytes_of(page.rows), bytes_of(page.rows + following.rows[:1])
                    assert 1 <= len(page.rows) <= rows
                    assert size <= 150_000
                    assert len(page.rows) == rows or more > 150_000

    play(ledger, scenario)


def test_a_page_holds_one_record_at_least(ledger, play, monkeypatch):
    monkeypatch.setattr(reading, "PAGE_BYTES_MAX", 10)

    async def scenario(session):
        await write_notes(session, ["a", "b", "c"])
        face = session.node.reading
        assert [len(page.rows) for page in all_pages(lambda at: face.page("notes", "Note", at, 10))] == [1, 1, 1]

    play(ledger, scenario)


def test_a_page_of_a_history_is_bounded_in_bytes(ledger, play, monkeypatch):
    monkeypatch.setattr(reading, "PAGE_BYTES_MAX", 150_000)

    async def scenario(session):
        await session.applied(ledger.deploy("large", LARGE))
        seqs = [(await session.applied(ledger.prepare("large", "make", {"k": "a", "n": 12}, steps_max=20_000))).seq]
        for _ in range(6):
            change = ledger.prepare("large", "change", {"r": "a"}, steps_max=20_000)
            seqs.append((await session.applied(change)).seq)
        pages = all_pages(
            lambda at: session.node.reading.history("large", "R", "a", None if at is None else int(at), 9)
        )
        assert [len(page.rows) for page in pages] == [2, 2, 2, 1]
        assert [row.seq for page in pages for row in page.rows] == seqs[::-1]

    play(ledger, scenario)


def bytes_of(rows):
    return sum(len(cbor.encode(row.value)) for row in rows)
