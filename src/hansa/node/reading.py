"""Reading a ledger: entries, receipts, proofs, records and their history. Only what is durable is ever seen here.

Works on the parts of an open ledger, running or stopped. Owned by the event loop; no read outlives its call.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

import msgspec

from hansa.contracts import calendar, execution, trial
from hansa.contracts.calls import NOBODY, Call, Execution
from hansa.contracts.manifest import (
    BoolType,
    BytesType,
    DateType,
    DurationType,
    EnumType,
    InstantType,
    IntType,
    Manifest,
    OptionalType,
    PartyType,
    RecordType,
    TextType,
    Type,
    UserType,
    stored_type,
)
from hansa.contracts.operations import plain
from hansa.contracts.prices import DURATION_MAX, INSTANT_MAX
from hansa.contracts.program import Program, load
from hansa.contracts.trial import Failure
from hansa.governance.directory import Directory
from hansa.merkle import receipt, tree
from hansa.merkle.checkpoint import Checkpoint
from hansa.merkle.tiles import Tiles
from hansa.merkle.tree import leaf_hash
from hansa.node.apply import Tip, View
from hansa.store.checkpoints import Checkpoints
from hansa.store.journal import Location, Segments
from hansa.store.overlay import Behind, Stored
from hansa.store.state import BlockPlace, State
from hansa.wire import block, cbor, entry, names, order, trust, writes
from hansa.wire.block import Block, Header
from hansa.wire.limits import INTEGER_MAX, INTEGER_MIN, PAGE_BYTES_MAX, PAGE_ROWS_MAX, TRANSACTION_STEPS_DEFAULT
from hansa.wire.order import Key
from hansa.wire.problems import HansaError
from hansa.wire.trust import Change, Trust

_BLOCKS_CACHED: Final = 32
_BLOCK_CACHED_BYTES_MAX: Final = 1024 * 1024
"""Larger blocks are decoded again for each slice, so that the cache stays small."""
_LAST_BLOCK_BYTES_MAX: Final = 16 * 1024 * 1024
"""Of larger blocks one is remembered, and none beyond this: who reads on finds the next entries in it."""
HISTORY_ROWS_MAX: Final = 100
"""Values of a record's history at once: each is a read of the journal."""
FAILURES_MAX: Final = 100
"""Records that fail when an upgrade is tried, told at once."""
TRIAL_RECORDS_MAX: Final = 5_000
"""Records that an upgrade is tried on at once."""
TRIAL_STEPS_MAX: Final = 500_000
"""Of an upgrade that is tried: what is told, and looked at, at once; it holds up the node meanwhile."""
_PART_ROWS: Final = 32
"""Rows read at a time: records may be large, and how large is known only when they are read."""
_QUERY_BYTES: Final = 8
"""Of the digest by which a cursor knows its query: enough against mistakes, and who forges one reads what all may."""
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_SPANS: Final[dict[type[Type], tuple[int, int]]] = {
    InstantType: (0, INSTANT_MAX),
    DurationType: (-DURATION_MAX, DURATION_MAX),
}


class Found(msgspec.Struct, frozen=True, gc=False):
    """An entry with its bodies. `time` is the ledger time of its block (ms), `writes` the encoded write set."""

    seq: int
    height: int
    time: int
    kind: entry.Kind
    id: bytes
    envelope: bytes
    outcome: bytes
    writes: bytes

    def entry(self) -> bytes:
        """The leaf: what a receipt is for."""
        return entry.make(self.kind, self.id, self.envelope, self.outcome)


class Row(msgspec.Struct, frozen=True, gc=False):
    """A record as read: its value as a map, the seq of the entry that wrote it, and the contract's version then.

    What a later version changed shows when the record is next touched, so its fields are those of `version`.
    """

    seq: int
    value: dict[str, Any]
    version: str


class Page(msgspec.Struct, frozen=True, gc=False):
    """Rows in order, the number of entries they were read at, and where to go on (None: at the end)."""

    rows: list[Row]
    size: int
    next: str | None


class Asked(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Which records pages are of, and their order: by key, or by an indexed field. Values are text from outside.

    `value` is the one value of the field that counts; `least` and `most` are the first and the last value or key.
    """

    index: str | None = None
    value: str | None = None
    least: str | None = None
    most: str | None = None
    descending: bool = False


_ALL: Final = Asked()

_ReadPart: TypeAlias = Callable[[Behind | None, int], list[tuple[bytes, Stored]]]
"""Up to so many records in order behind a position, with their keys."""


class Trial(msgspec.Struct, frozen=True):
    """What would come of an upgrade: why it cannot be at all, and which of the `records` looked at would fail.

    `next`: where to go on, None if all were looked at.
    """

    version: str
    records: int
    problems: list[str]
    failures: list[Failure]
    next: str | None


class Reading:
    """The readable face of a ledger's parts."""

    def __init__(
        self,
        segments: Segments,
        state: State,
        tiles: Tiles,
        checkpoints: Checkpoints,
        directory: Directory,
        tip: Tip,
    ) -> None:
        self._segments = segments
        self._state = state
        self._tiles = tiles
        self._checkpoints = checkpoints
        self._directory = directory
        self._load_once = lru_cache(1)(self._load)
        self._small_block = lru_cache(_BLOCKS_CACHED)(self._read_block)
        self._last_block = lru_cache(1)(self._read_block)
        self.tip = tip
        """The end of what is durable; `node` moves it on."""

    # Entries

    def at(self, seq: int) -> Found:
        """The entry at a seq. Raises `HansaError`: `entry.unknown`, `journal.corrupt`."""
        place = self._place(seq)
        leaf = self._tiles.node(0, seq)
        try:
            found = _found(seq, place, self._block(place.location), leaf)
        except HansaError:
            found = None
        if found is None:
            raise _changed(seq)
        return found[0]

    def header_of(self, seq: int) -> Header:
        """The header of the block with the entry at a seq. Raises `HansaError`: `entry.unknown`, `journal.corrupt`."""
        return self._block(self._place(seq).location).header

    def stretch(self, seq: int, most: int) -> list[tuple[Found, entry.Outcome]]:
        """Up to `most` entries from `seq` on, all of one block, with their outcomes.

        Raises `HansaError` `journal.corrupt`.
        """
        place = self._place(seq)
        found: list[tuple[Found, entry.Outcome]] = []
        try:
            decoded = self._block(place.location)
            for at in range(seq, min(seq + most, place.seq + len(decoded.items), self.tip.size)):
                one = _found(at, place, decoded, self._tiles.node(0, at))
                if one is None:
                    break
                found.append(one)
            else:
                if found:
                    return found
        except HansaError:
            pass
        raise _changed(seq + len(found))

    def blocks(self, seq: int, until: int, most: int) -> tuple[list[bytes], list[bytes]]:
        """Whole blocks from the one that begins with entry `seq` on, and the path by which `until` entries go on there.

        They have `most` bytes together, or are one; none begins behind `until` entries. The path is the proof of RFC
        9162 section 2.1.4, empty where they end there. Nothing is checked: whoever copies a ledger does that. Raises
        `HansaError`: `tree.range`, `journal.corrupt`.
        """
        if not 0 <= seq < until <= self.tip.size:
            raise HansaError("tree.range", f"there are {self.tip.size} entries here", size=self.tip.size)
        found: list[bytes] = []
        length = 0
        while seq < until:
            place = self._place(seq)
            if place.seq != seq:
                raise HansaError("tree.range", f"no block begins with entry {seq}", seq=seq)
            if found and length + place.location.length > most:
                break
            found.append(self._segments.read(place.location))
            length += place.location.length
            seq += block.entries_of(found[-1])
        path = tree.consistency_path(seq, until, self._tiles.node) if seq < until else []
        return found, path

    def find(self, id: bytes) -> int | None:
        """The seq of the entry with this id, over all history; None if there is none."""
        seq = self._state.seq_of(id, self.tip.size)
        return seq if seq is not None and seq < self.tip.size else None

    # Proofs

    def last_checkpoint(self) -> Checkpoint | None:
        """The newest stored checkpoint, if there is one."""
        return self._checkpoints.last()

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        """The newest stored checkpoint, or the one of exactly `size`. Raises `HansaError` `checkpoint.none`."""
        found = self._checkpoints.last() if size is None else self.stored_checkpoint(size)
        if found is None:
            raise HansaError("checkpoint.none", size=size)
        return found

    def stored_checkpoint(self, size: int) -> Checkpoint | None:
        """The stored checkpoint of exactly `size`, if there is one."""
        found = self._checkpoints.covering(size - 1)
        return found if found is not None and found.size == size else None

    def recent_end(self, size: int, blocks: int) -> Header:
        """The header of the block that ends at `size`, if it is one of the last so many.

        Raises `HansaError`: `checkpoint.none`, `tiles.differ` if the tree has another root there, `journal.corrupt`.
        """
        if not 0 < size <= self.tip.size:
            raise HansaError("checkpoint.none", f"the ledger has {self.tip.size} entries here", size=size)
        place = self._place(size - 1)
        if size < self.tip.size and self._place(size).height == place.height:
            raise HansaError("checkpoint.none", f"no block ends at {size} entries", size=size)
        if place.height < self.tip.height - blocks:
            told = f"none is stored for {size} entries, and it is signed for the last {blocks} blocks only"
            raise HansaError("checkpoint.none", told, size=size)
        header = self._block(place.location).header
        if tree.root_of(0, size, self._tiles.node) != header.root:
            raise HansaError("tiles.differ", f"the hashes below {size} do not give the block's root")
        return header

    def receipt(self, seq: int) -> bytes:
        """The receipt for an entry, under the first stored checkpoint that covers it.

        Or, if the key of that one counts no more, under the newest, so that whoever gets it needs no chain of keys.
        Its path is checked against what was signed. Raises `HansaError`: `entry.unknown`, `checkpoint.none`,
        `tiles.differ`.
        """
        self._place(seq)
        head = self._covering(seq)
        keys = self._directory.checkpoint_keys
        newest = self._checkpoints.last() if head.kid not in keys else None
        return self.receipt_under(seq, head if newest is None or newest.kid not in keys else newest)

    def trust(self, earlier: Sequence[Change] = ()) -> Trust:
        """What an offline verifier needs from the ledger's id alone: see `wire.trust`. With no receipts' checkpoints.

        `earlier`: the first changes as another node gave them, as this one was not there; see the module of that name.
        Raises `HansaError`: `trust.current`, `trust.late`, `checkpoint.none`, `journal.corrupt`, `tiles.differ`.
        """
        changes: list[Change] = []
        last = 0
        for number, seq in enumerate(self._directory.checkpoint_changes()):
            if number < len(earlier) and leaf_hash(earlier[number].entry) == self._tiles.node(0, seq):
                changes.append(earlier[number])
                last = receipt.head_of(earlier[number].receipt, earlier[number].entry).size
                continue
            found, head = self.at(seq), self._covering(seq)
            span = self._directory.checkpoint_spans.get(head.kid)
            if span is None or span.first > seq:
                raise HansaError("trust.late")
            proof = self.consistency(last, head.size) if last not in (0, head.size) else None
            parts = found.entry(), found.envelope, found.outcome, found.writes
            changes.append(Change(*parts, self.receipt_under(seq, head), proof))
            last = head.size
        head = self.checkpoint()
        if head.kid not in self._directory.checkpoint_keys:
            raise HansaError("trust.current")
        return Trust(
            version=trust.VERSION,
            genesis=self.at(0).envelope,
            changes=changes,
            head=receipt.bare(head),
            consistency=self.consistency(last, head.size) if last else None,
            receipts=[],
        )

    def _covering(self, seq: int) -> Checkpoint:
        found = self._checkpoints.covering(seq)
        if found is None:
            raise HansaError("checkpoint.none", f"no stored checkpoint covers entry {seq}", size=None)
        return found

    def receipt_under(self, seq: int, head: Checkpoint) -> bytes:
        """The receipt for an entry under a checkpoint that covers it. Raises `HansaError` `tiles.differ`."""
        path = tree.inclusion_path(seq, head.size, self._tiles.node)
        if tree.root_from_inclusion(seq, head.size, self._tiles.node(0, seq), path) != head.root:
            raise HansaError("tiles.differ", f"the hashes around entry {seq} do not give the checkpoint's root")
        return receipt.inclusion(head, seq, path)

    def consistency(self, first: int, second: int) -> bytes:
        """The proof that the checkpoint of size `second` continues the tree of size `first`."""
        head = self.checkpoint(second)
        path = tree.consistency_path(first, second, self._tiles.node)
        if not tree.is_consistent(first, second, tree.root_of(0, first, self._tiles.node), head.root, path):
            raise HansaError("tiles.differ", f"the hashes below {second} do not give the checkpoint's root")
        return receipt.consistency(head, first, path)

    # Records

    def record(self, contract: str, record: str, key: str) -> Row:
        """A record by its key as text. Raises `HansaError` `record.unknown`."""
        stored = self._state.get(order.place(contract, record, self._key(contract, record, key)))
        if stored is None:
            raise _no_record(contract, record, key)
        return self._row(contract, stored.seq, stored.value)

    def page(self, contract: str, record: str, cursor: str | None, rows: int, asked: Asked = _ALL) -> Page:
        """Records in order behind `cursor`, which the page before gave and which holds for the same query only.

        Each page is of the state as it is then: a record that moves meanwhile may come twice or not at all.
        """
        type_ = self._check_table(contract, record)
        least, most = _bounds(self.program(contract).manifest, type_, asked)
        query = _query([self.tip.ledger, contract, record, asked.index, least, most, asked.descending])

        def read(after: Behind | None, count: int) -> list[tuple[bytes, Stored]]:
            return self._state.select(contract, record, asked.index, least, most, count, after, asked.descending)

        return self._page(contract, read, asked.index, query, cursor, rows)

    def every(self, contract: str, record: str, asked: Asked = _ALL) -> Iterator[Row]:
        """All records in order, read page by page."""
        page = self.page(contract, record, None, PAGE_ROWS_MAX, asked)
        yield from page.rows
        while page.next is not None:
            page = self.page(contract, record, page.next, PAGE_ROWS_MAX, asked)
            yield from page.rows

    def history(self, contract: str, record: str, key: str, before: int | None, rows: int) -> Page:
        """The values a record has had, newest first, older than entry `before` if given.

        Walks the write sets backwards: each write names the one before it.
        """
        typed = self._key(contract, record, key)
        stored = self._state.get(order.place(contract, record, typed))
        if stored is None:
            raise _no_record(contract, record, key)
        seq: int | None = stored.seq
        if before is not None:
            seq = self._previous(before, contract, record, typed)
        found: list[Row] = []
        size = 0
        while seq is not None and len(found) < min(rows, HISTORY_ROWS_MAX):
            write = self._write(seq, contract, record, typed)
            size += len(write.value)
            if found and size > PAGE_BYTES_MAX:
                break
            found.append(self._row(contract, seq, write.value))
            seq = write.previous
        return Page(found, self.tip.size, str(found[-1].seq) if seq is not None and found else None)

    # Contracts

    def program(self, contract: str) -> Program:
        """A deployed contract. Raises `HansaError` `contract.missing`."""
        program = self._directory.programs.get(contract)
        if program is None:
            raise HansaError("contract.missing", f"there is no contract {contract[:60]!a}")
        return program

    def version_at(self, contract: str, seq: int) -> str:
        """The version of a contract that decided about entry `seq`; there MUST have been one."""
        versions = (program for since, program in reversed(self._directory.versions(contract)) if since <= seq)
        return next(versions).manifest.version

    def view(self, contract: str, view: str, arguments: dict[str, Any], time: int | None = None) -> Execution:
        """Runs a view on the durable state, within the steps of one transaction; nobody signed for it.

        `time`: its ledger time in ms. Where a node runs that is what a block made now would get, so that a deadline
        passes on an idle ledger too; by default, for a ledger at rest, that of the last block.
        """
        program = self.program(contract)
        if view not in program.views:
            raise HansaError("view.missing", f"{contract} has no view {view!r}", views=sorted(program.views))
        call = Call(contract, view, arguments, NOBODY, self.tip.time if time is None else time, self.tip.size)
        reader = View(self._state, self._directory.indexes_of)
        return execution.run(call, self._directory, reader, TRANSACTION_STEPS_DEFAULT)

    def draft(self, directory: Directory) -> View:
        """The durable state with room for what might be written above it, which nobody else sees.

        `directory` is that of the draft. It MUST not be read any more once the state has moved on.
        """
        return View(self._state, directory.indexes_of)

    def trial(self, contract: str, source: str, cursor: str | None = None) -> Trial:
        """Tries a next version of a contract on its live records, from behind `cursor` on, a bounded number at a time.

        Each is tried in the state as it is then. Raises `HansaError`: `contract.missing`, `query.cursor`,
        `contract.invalid` for a file with findings or of a library.
        """
        before = self.program(contract)
        program = self._load_once(contract, source, before)
        if program.manifest.kind != "contract":
            raise HansaError("contract.invalid", "this is a library: no records are of it")
        version, problems = program.manifest.version, trial.problems(before, program)
        query = _query(["trial", self.tip.ledger, contract, before.digest, program.digest])
        behind = _behind(query, cursor)
        if problems:
            return Trial(version, 0, problems, [], None)
        first = "" if behind is None else behind[0].decode("ascii", "replace")
        found: list[Failure] = []
        count = spent = 0
        for name in sorted(name for name in before.shapes if name >= first):
            after = (b"", behind[1]) if behind is not None and name == first else None
            while page := self._state.select(contract, name, None, None, None, _PART_ROWS, after):
                stored = [row for _, row in page]
                tried = trial.attempts(
                    program, name, stored, self._directory, self.tip.time, self.tip.size + 1, TRANSACTION_STEPS_DEFAULT
                )
                for (key, _), (steps, failure) in zip(page, tried, strict=True):
                    count, spent, after = count + 1, spent + steps, (b"", key)
                    if failure is not None:
                        found.append(failure)
                    if count == TRIAL_RECORDS_MAX or len(found) == FAILURES_MAX or spent >= TRIAL_STEPS_MAX:
                        return Trial(version, count, [], found, _cursor(query, (name.encode(), key)))
        return Trial(version, count, [], found, None)

    def _load(self, contract: str, source: str, before: Program) -> Program:
        return load(source, contract, self._directory.libraries, before.checked)

    def _place(self, seq: int) -> BlockPlace:
        place = self._state.block_of(seq) if 0 <= seq < self.tip.size else None
        if place is None:
            raise HansaError("entry.unknown", f"the ledger has {self.tip.size} entries, 0 to {self.tip.size - 1}")
        return place

    def _block(self, location: Location) -> Block:
        if location.length <= _BLOCK_CACHED_BYTES_MAX:
            return self._small_block(location)
        return (self._last_block if location.length <= _LAST_BLOCK_BYTES_MAX else self._read_block)(location)

    def _read_block(self, location: Location) -> Block:
        return block.decode(self._segments.read(location))

    def _check_table(self, contract: str, record: str) -> RecordType:
        program = self.program(contract)
        shape = program.shapes.get(record)
        if shape is None:
            raise HansaError("record.type", f"{contract} has no record type {record!r}", types=sorted(program.shapes))
        return shape.type

    def _key(self, contract: str, record: str, key: str) -> Key:
        type_ = self._check_table(contract, record)
        typed = typed_key(self.program(contract).manifest, type_.fields[type_.key].type, key)
        if typed is None or not order.is_key(typed):
            raise _no_record(contract, record, key)
        return typed

    def _write(self, seq: int, contract: str, record: str, key: Key) -> writes.Write:
        for write in writes.decode(self.at(seq).writes):
            if (write.contract, write.record, write.key) == (contract, record, key):
                return write
        raise HansaError("record.unknown", f"entry {seq} did not write this {record}")

    def _previous(self, seq: int, contract: str, record: str, key: Key) -> int | None:
        return self._write(seq, contract, record, key).previous

    def _row(self, contract: str, seq: int, value: bytes) -> Row:
        """A record's value as entry `seq` wrote it; a contract's records are written by no other."""
        return Row(seq, cbor.decode_own(value), self.version_at(contract, seq))

    def _page(
        self, contract: str, read: _ReadPart, index: str | None, query: bytes, cursor: str | None, rows: int
    ) -> Page:
        """Rows from behind `cursor`: at least one, and as many as the page's rows and bytes allow."""
        rows, after = max(1, min(rows, PAGE_ROWS_MAX)), _behind(query, cursor)
        found: list[Row] = []
        size = 0
        count = min(rows + 1, _PART_ROWS)
        while part := read(after, count):
            for key, stored in part:
                size += len(stored.value)
                if found and (len(found) == rows or size > PAGE_BYTES_MAX):
                    return Page(found, self.tip.size, None if after is None else _cursor(query, after))
                row = self._row(contract, stored.seq, stored.value)
                found.append(row)
                after = (b"" if index is None else order.indexed_bytes(row.value.get(index)), key)
            if len(part) < count:
                break
        return Page(found, self.tip.size, None)


def typed_key(manifest: Manifest, type_: Type, text: str) -> int | str | bytes | bool | None:
    """A key or indexed value of a declared type from its text form; bytes are hexadecimal, absent is empty.

    Raises `HansaError` `query.value` for text that is none, as what is compared with it would be wrong. A number or
    text beyond the field's bounds, and the beginning of a name, are values: a span may begin or end there.
    """
    try:
        text.encode()  # a lone surrogate is no text
        match type_:
            case OptionalType():
                return None if text == "" else typed_key(manifest, type_.item, text)
            case IntType() | InstantType() | DurationType() if _INTEGER.fullmatch(text):
                least, most = _SPANS.get(type(type_), (INTEGER_MIN, INTEGER_MAX))
                if least <= int(text) <= most:
                    return int(text)
            case BytesType() if _HEX.fullmatch(text):
                return bytes.fromhex(text)
            case BoolType():
                return {"true": True, "false": False}[text]
            case TextType():
                return text
            case DateType() if calendar.is_date(text):
                return text
            case EnumType() if text in manifest.enums[type_.enum].values:
                return text
            case PartyType() | UserType() if text:
                return text
            case _:
                pass
    except (ValueError, KeyError):
        pass
    raise _no_value(manifest, type_, text)


def _no_value(manifest: Manifest, type_: Type, text: str) -> HansaError:
    return HansaError("query.value", f"{text[:80]!a} is not {_value_of(manifest, type_)}")


def _value_of(manifest: Manifest, type_: Type) -> str:
    """What a value of a type is, for who wrote something else."""
    match type_:
        case IntType():
            return "a whole number of 64 bits"
        case InstantType():
            return "a time in milliseconds since 1970, before the year 10000"
        case DurationType():
            return "a length of time in milliseconds, at most ten thousand years"
        case BytesType():
            return "hexadecimal, such as 00ff"
        case BoolType():
            return "true or false"
        case DateType():
            return "a date such as 2030-01-31"
        case EnumType():
            return f"one of {', '.join(manifest.enums[type_.enum].values)}"
        case PartyType():
            return "the name of a member"
        case UserType():
            return "the name of a user"
        case _:
            return "a value of this field"


def _changed(seq: int) -> HansaError:
    return HansaError("journal.corrupt", f"what the journal holds of entry {seq} is not what was written")


def _found(seq: int, place: BlockPlace, decoded: Block, leaf: bytes) -> tuple[Found, entry.Outcome] | None:
    """An entry of a block and its outcome; None unless all is what the tree's leaf, and the block's place, commit to.

    A start reads only what lies behind the state, so older bytes were last checked when they were written.
    """
    header = decoded.header
    index = seq - place.seq
    if (header.seq, header.height) != (place.seq, place.height) or index >= len(decoded.items):
        return None
    item = decoded.items[index]
    found = Found(seq, header.height, header.time, item.kind, item.id, item.envelope, item.outcome, item.writes)
    if leaf_hash(found.entry()) != leaf:
        return None
    outcome = entry.decode_outcome(item.outcome)
    fits = (outcome.time, outcome.writes) == (header.time, writes.digest(item.writes))
    return (found, outcome) if fits else None


def _no_record(contract: str, record: str, key: str) -> HansaError:
    return HansaError("record.unknown", f"{contract} has no {record} {key[:80]!a}")


def _bounds(manifest: Manifest, type_: RecordType, asked: Asked) -> tuple[bytes | None, bytes | None]:
    """The encoded bounds. Raises `HansaError`: `query.index`, `query.value`, `query.range`, `key.too_long`."""
    if asked.index is not None and asked.index not in type_.indexes:
        raise HansaError("query.index", f"{type_.name} has no index on {asked.index!r}", indexes=list(type_.indexes))
    if asked.value is not None and (asked.index is None or asked.least is not None or asked.most is not None):
        raise HansaError("query.range", "`value` asks for one value of an index, and `least` and `most` for a span")
    declared = stored_type(manifest, type_.fields[asked.index or type_.key].type)
    if asked.value:
        _check_name(manifest, declared, asked.value)

    def encoded(text: str | None) -> bytes | None:
        value = None if text is None else typed_key(manifest, declared, text)
        if asked.index is not None:
            return None if text is None else order.indexed_bytes(value)
        return None if value is None else order.key_bytes(value)

    if asked.value is not None:
        value = encoded(asked.value)
        return value, value
    least, most = encoded(asked.least), encoded(asked.most)
    if least is not None and most is not None and least > most:
        raise HansaError("query.range", "`least` is beyond `most`")
    return least, most


def _check_name(manifest: Manifest, type_: Type, text: str) -> None:
    """Refuses the one value of an index that no member or user is called by; the bound of a span may be any text."""
    bare = plain(type_)
    match bare:
        case PartyType() if not names.is_member(text):
            raise _no_value(manifest, bare, text)
        case UserType() if not names.is_user(text):
            raise _no_value(manifest, bare, text)
        case _:
            pass


def _query(named: list[Any]) -> bytes:
    """What a cursor knows its query by."""
    return hashlib.sha256(cbor.encode(named)).digest()[:_QUERY_BYTES]


def _cursor(query: bytes, after: Behind) -> str:
    """Where a page of a query ended, as text that stands in a URL as it is."""
    return base64.urlsafe_b64encode(cbor.encode([query, *after])).rstrip(b"=").decode()


def _behind(query: bytes, cursor: str | None) -> Behind | None:
    """What `_cursor` was made of. Raises `HansaError` `query.cursor` for anything that it did not make."""
    if cursor is None:
        return None
    try:
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        _, value, key = msgspec.convert(cbor.decode(data), tuple[bytes, bytes, bytes], builtin_types=(bytes,))
        if _cursor(query, (value, key)) == cursor:  # there is no second spelling
            return value, key
    except (ValueError, msgspec.ValidationError, HansaError):
        pass
    raise HansaError("query.cursor")
