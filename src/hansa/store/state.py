"""The current records and what is looked up beside them, in LMDB: derived from the journal, safe to drop.

What blocks wrote since the last `flush` lies in an overlay in memory; reads see both, ranges too, so a read
after a reply sees the block. `flush` moves the overlay into LMDB together with the place in the journal it
reaches, in one transaction. Every row has a checksum over its key and its value. Owned by the node's event loop: LMDB
transactions here never outlive a call, but for the one reader that is renewed at each flush.
"""

import errno
import os
import struct
from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lmdb
import msgspec

from hansa.store.checksum import crc32c
from hansa.store.files import FOLDER_MODE, Disk, Files
from hansa.store.journal import Location, Position
from hansa.store.overlay import Behind, IndexesOf, Overlay, Span, Spot, Stored, column
from hansa.wire import cbor, order
from hansa.wire.problems import HansaError
from hansa.wire.snapshot import RECORDS, Row
from hansa.wire.writes import Write

FORMAT: Final = 0
_FILE_NAME: Final = "data.mdb"
MAP_BYTES_FIRST: Final = 256 * 1024 * 1024
_MAP_RESERVE_BYTES: Final = 32 * 1024 * 1024
_READERS_MAX: Final = 126
"""Processes and threads that read the state at once."""
_SEQ_BUCKET_BITS: Final = 16
"""Ids are kept in buckets of 65,536 entries: a lookup probes each bucket, an insert touches the last one only,
so that a long history does not slow the writing of new ids."""

_U64: Final = struct.Struct(">Q")
_BUCKET: Final = struct.Struct(">I")
_CRC: Final = struct.Struct(">I")  # begins every row
_BLOCK: Final = struct.Struct(">QIQI")  # height, segment, offset, length
_APPLIED: Final = b"applied"
UNREADABLE: Final = ("state.unreadable", "state.corrupt")
"""The codes of a damaged state: it must be made again from the journal."""
_INDEXED: Final = b"\0"  # begins each key in the index, since LMDB takes no empty one there
_META: Final = struct.Struct("=16xI20xI92xQQ")  # LMDB's meta page: magic, page size, last page, transaction
_META_MAGIC: Final = 0xBEEFC0DE
_READ_BYTES: Final = 1024 * 1024
_DATABASES: Final[tuple[str, ...]] = ("records", "index", "ids", "window", "blocks", "meta")


class Applied(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """How far the state has got: up to which block, where the next unit of the journal starts."""

    format: int
    ledger: bytes
    size: int  # entries
    time: int  # ledger time, ms
    header: bytes  # SHA-256 of the last header
    root: bytes  # of the tree of `size`
    position: Position
    checkpoints: int  # records synced
    rows: tuple[int, ...] = ()  # checksum of each row of the tree


class BlockPlace(msgspec.Struct, frozen=True, gc=False):
    """Where the block that begins with entry `seq` lies."""

    seq: int
    height: int
    location: Location


class Entered(msgspec.Struct, frozen=True, gc=False):
    """One entry's contribution: its seq and id, until when the id counts as seen (ms), what it wrote."""

    seq: int
    id: bytes
    not_after: int
    writes: list[Write]


class State:
    """The state of one ledger. `indexes_of` says which fields to index; it follows the contracts deployed.

    Without `lock` no file is made or changed beside what is read, and nobody may write meanwhile.
    """

    def __init__(
        self,
        folder: Path,
        indexes_of: IndexesOf,
        *,
        readonly: bool = False,
        lock: bool = True,
        map_bytes: int = MAP_BYTES_FIRST,
        durable: bool = True,
    ) -> None:
        """Raises `HansaError`: `state.unreadable` if what is there is damaged, `disk.full`; OSError."""
        self.is_damaged = False
        """Whether something was read that is not what was written."""
        self._indexes_of = indexes_of
        self._file = folder / _FILE_NAME
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        _check_length(self._file)
        try:
            self._environment = lmdb.open(
                str(folder),
                mode=FOLDER_MODE,  # of the folder; files are made without the x
                map_size=max(map_bytes, _data_bytes(self._file)),
                max_dbs=len(_DATABASES),
                max_readers=_READERS_MAX,
                metasync=False,  # a crash may lose the last flush, never break the file; the journal has it
                sync=durable,
                readonly=readonly,
                lock=lock,
                create=not readonly,
                meminit=False,
            )
        except lmdb.Error as error:
            raise _meaning(error) or HansaError("state.unreadable", str(error)) from error
        try:
            self._databases = {
                name: self._environment.open_db(name.encode(), dupsort=name == "index", create=not readonly)
                for name in _DATABASES
            }
            self._reader: lmdb.Transaction[bytes] = self._environment.begin()
        except lmdb.Error as error:
            self._environment.close()
            raise _meaning(error) or HansaError("state.unreadable", str(error)) from error
        self._records, self._index, self._ids, self._window, self._blocks, self._meta = self._databases.values()
        self._new = self._overlay()
        self._flushed_records: dict[bytes, Stored] = {}
        """What the last flush moved: often asked for again, and bounded as the overlay is."""
        self._new_ids: dict[bytes, bytes] = {}
        self._new_window: dict[bytes, int] = {}
        self._new_blocks: list[BlockPlace] = []

    def applied(self) -> Applied | None:
        """How far LMDB has got; None for a new state. Raises `HansaError` `state.unreadable`."""
        try:
            data = self._look(self._meta, _APPLIED)
            if data is None:
                return None
            applied = msgspec.convert(cbor.decode(data), Applied, builtin_types=(bytes,))
        except (msgspec.ValidationError, HansaError):
            raise HansaError("state.unreadable", "the state does not say how far it has got") from None
        if applied.format != FORMAT:
            raise HansaError("state.unreadable", f"the state is in format {applied.format}")
        return applied

    def pending(self) -> int:
        """How many entries the overlay holds."""
        return len(self._new_ids)

    # Reading

    def get(self, place: bytes) -> Stored | None:
        """The record at a place (`wire.order.place`). Raises `HansaError` `state.corrupt` for a wrong checksum."""
        return self._new.get(place)

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: Behind | None = None,
        descending: bool = False,
    ) -> list[tuple[bytes, Stored]]:
        """Records in order by key or by index: see `Overlay.select`. Raises `HansaError` `state.corrupt` too."""
        return self._new.select(contract, record, field, least, most, rows, after, descending)

    def spots(self, span: Span) -> Generator[Spot]:
        """See `Overlay.spots`."""
        return self._new.spots(span)

    def in_window(self, id: bytes, not_after: int) -> int | None:
        """The seq of an entry with this id, among those whose `not_after` has not passed."""
        key = _U64.pack(not_after) + id
        seq = self._new_window.get(key)
        if seq is not None:
            return seq
        data = self._look(self._window, key)
        return None if data is None else _U64.unpack(data)[0]

    def seq_of(self, id: bytes, size: int) -> int | None:
        """The seq of the entry with this id, over all history of `size` entries."""
        for bucket in range(size >> _SEQ_BUCKET_BITS, -1, -1):
            key = _BUCKET.pack(bucket) + id
            data = self._new_ids.get(key) or self._look(self._ids, key)
            if data is not None:
                return _U64.unpack(data)[0]
        return None

    def block_of(self, seq: int) -> BlockPlace | None:
        """The block that holds the entry at `seq`, if there is one."""
        position = bisect_right(self._new_blocks, seq, key=lambda place: place.seq)
        if position:
            return self._new_blocks[position - 1]
        with self._cursor(self._blocks) as cursor:
            if not cursor.set_range(_U64.pack(seq)):
                here = cursor.last()
            else:
                here = cursor.key() == _U64.pack(seq) or cursor.prev()
            if not here:
                return None
            height, segment, offset, length = _BLOCK.unpack(self._checked(cursor.key(), cursor.value()))
            return BlockPlace(_U64.unpack(cursor.key())[0], height, Location(segment, offset, length))

    def rows(self, name: str) -> Iterator[tuple[bytes, bytes]]:
        """Everything in one of the databases, in order: for audit and tests, on a flushed state."""
        with self._reader.cursor(self._databases[name]) as cursor:
            yield from cursor

    def decisive(self, section: str) -> Iterator[Row]:
        """The rows of a section of `wire.snapshot`, in order, of what was flushed: with the others what decides.

        Raises `HansaError` `state.corrupt`.
        """
        with self._cursor(self._records if section == RECORDS else self._window) as cursor:
            for key, data in cursor:
                value = self._checked(key, data)
                yield Row(key, _U64.unpack_from(value)[0], value[_U64.size :])

    # Writing

    def apply(self, made: BlockPlace, entered: list[Entered]) -> None:
        """Takes a durable block into the overlay."""
        self._new_blocks.append(made)
        for entry in entered:
            packed = _U64.pack(entry.seq)
            self._new_ids[_BUCKET.pack(entry.seq >> _SEQ_BUCKET_BITS) + entry.id] = packed
            if entry.not_after:
                self._new_window[_U64.pack(entry.not_after) + entry.id] = entry.seq
            self._new.write(entry.seq, entry.writes)
        self._new.settle()  # block by block, so that no flush has all of it to do

    def flush(self, applied: Applied) -> None:
        """Moves the overlay into LMDB with the place it reaches; durable when this returns.

        Raises `HansaError` `disk.full` with the overlay kept, to be tried again; any other error is final.
        """
        records = [(key, _row(key, _U64.pack(s.seq) + s.value)) for key, s in sorted(self._new.records.items())]
        ids = [(key, _row(key, packed)) for key, packed in sorted(self._new_ids.items())]
        window = [(key, _row(key, _U64.pack(seq))) for key, seq in sorted(self._new_window.items())]
        need = 4 * (sum(len(k) + len(v) for k, v in records) + 128 * (len(ids) + len(window)))
        self._reader.abort()
        try:
            self._grow(need + _MAP_RESERVE_BYTES)
            while True:
                try:
                    self._write(records, ids, window, applied)
                except lmdb.MapFullError:
                    self._grow(2 * self._environment.info()["map_size"])
                else:
                    break
            self._lengthen()
        except lmdb.Error as error:
            raise self._failure(error) from error
        finally:
            self._reader = self._environment.begin()
        self._flushed_records, self._new = self._new.records, self._overlay()
        self._new_ids.clear()
        self._new_window.clear()
        self._new_blocks.clear()

    def load(self, section: str, rows: Iterable[Row]) -> None:
        """Puts rows of a section of `wire.snapshot` into a new state, which is none before `index` and `flush`.

        Raises `HansaError` `disk.full`.
        """
        packed = [(row.key, _row(row.key, _U64.pack(row.seq) + row.value)) for row in rows]
        need = 4 * sum(len(key) + len(data) for key, data in packed)

        def put(txn: "lmdb.Transaction[bytes]") -> None:
            with txn.cursor(self._records if section == RECORDS else self._window) as cursor:
                cursor.putmulti(packed)

        self._fill(need, put)

    def index(self) -> None:
        """Makes the orders by index of the records that were loaded. Raises `HansaError`: `snapshot.form`, `disk.full`.

        To be called once `indexes_of` knows the contracts.
        """

        def put(txn: "lmdb.Transaction[bytes]") -> None:
            with txn.cursor(self._records) as cursor, txn.cursor(self._index) as index:
                for place, data in cursor:
                    index.putmulti([(row, _INDEXED + key) for row, key in self._index_spots(place, data)])

        self._fill(self._environment.info()["map_size"] // 4, put)

    def _index_spots(self, place: bytes, data: bytes) -> list[Spot]:
        """Where a record stands by index."""
        try:
            contract, record, _ = place.split(b"\0", 2)
            indexes = self._indexes_of(contract.decode(), record.decode())
            if not indexes:
                return []
            table, fields = place[: len(contract) + len(record) + 2], cbor.decode_own(data[_CRC.size + _U64.size :])
            key = place[len(table) :]
            return [(column(table, indexes, name) + order.indexed_bytes(fields.get(name)), key) for name in indexes]
        except (ValueError, AttributeError, TypeError) as error:
            raise HansaError("snapshot.form", f"what stands at {place!r} is no record: {error}") from None

    def _fill(self, need: int, put: "Callable[[lmdb.Transaction[bytes]], None]") -> None:
        self._reader.abort()
        try:
            self._grow(need + _MAP_RESERVE_BYTES)
            while True:
                try:
                    with self._environment.begin(write=True) as txn:
                        put(txn)
                except lmdb.MapFullError:
                    self._grow(2 * self._environment.info()["map_size"])
                else:
                    break
        except lmdb.Error as error:
            raise self._failure(error) from error
        finally:
            self._reader = self._environment.begin()

    def settle(self) -> None:
        """Makes the last flush outlast a crash too: else the next flush does that."""
        try:
            self._environment.sync(True)
        except lmdb.Error as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Closes LMDB; what was not flushed is in the journal."""
        self._reader.abort()
        self._environment.close()

    def _write(
        self,
        records: list[tuple[bytes, bytes]],
        ids: list[tuple[bytes, bytes]],
        window: list[tuple[bytes, bytes]],
        applied: Applied,
    ) -> None:
        with self._environment.begin(write=True) as txn:
            for database, rows in ((self._records, records), (self._ids, ids), (self._window, window)):
                with txn.cursor(database) as cursor:
                    cursor.putmulti(rows)
            for (indexed, key), present in sorted(self._new.entries.items()):
                if present:
                    txn.put(indexed, _INDEXED + key, db=self._index)
                else:
                    txn.delete(indexed, _INDEXED + key, db=self._index)
            self._forget(txn, applied.time)
            for made in self._new_blocks:
                at = made.location
                key, packed = _U64.pack(made.seq), _BLOCK.pack(made.height, at.segment, at.offset, at.length)
                txn.put(key, _row(key, packed), db=self._blocks)
            encoded = cbor.encode(msgspec.to_builtins(applied, builtin_types=(bytes,)))
            txn.put(_APPLIED, _row(_APPLIED, encoded), db=self._meta)

    def _overlay(self) -> Overlay:
        return Overlay(self._indexes_of, self._flushed, self._flushed_spots, self.damage)

    def _forget(self, txn: "lmdb.Transaction[bytes]", time: int) -> None:
        """Drops ids whose time has passed: no block can hold them again."""
        bound = _U64.pack(time)
        with txn.cursor(self._window) as cursor:
            here = cursor.first()
            while here and cursor.key() < bound:
                here = cursor.delete()

    def _flushed(self, place: bytes) -> Stored | None:
        """The record at a place as it was flushed."""
        found = self._flushed_records.get(place)
        if found is not None:
            return found
        data = self._look(self._records, place)
        return None if data is None else Stored(_U64.unpack_from(data)[0], data[_U64.size :])

    def _flushed_spots(self, span: Span) -> Generator[Spot]:
        """What stands in a span as it was flushed, in order."""
        with self._cursor(self._index if span.by_index else self._records) as cursor:
            here = _seek(cursor, span.high if span.descending else span.low)
            if span.descending:
                here = cursor.prev() if here else cursor.last()
            if not here:
                return
            for row, value in cursor.iterprev() if span.descending else cursor.iternext():
                spot = (row, value[len(_INDEXED) :] if span.by_index else b"")
                if not span.low <= spot < span.high:
                    return
                if not span.by_index:
                    self._checked(row, value)  # a damaged key that has become another's would pass for that one
                yield spot

    def _look(self, database: "lmdb._Database", key: bytes) -> bytes | None:
        """The value at a key in LMDB, its checksum right."""
        try:
            data = self._reader.get(key, db=database)
        except lmdb.Error as error:
            raise self._failure(error) from error
        return None if data is None else self._checked(key, data)

    @contextmanager
    def _cursor(self, database: "lmdb._Database") -> "Generator[lmdb.Cursor[bytes]]":
        try:
            with self._reader.cursor(database) as cursor:
                yield cursor
        except lmdb.Error as error:
            raise self._failure(error) from error

    def _checked(self, key: bytes, data: bytes) -> bytes:
        """The value in a row."""
        value = data[_CRC.size :]
        if data[: _CRC.size] != _CRC.pack(crc32c(key + value)):
            raise self.damage(f"what the state holds at {key!r} does not match its checksum")
        return value

    def damage(self, detail: str) -> HansaError:
        """Notes that something was read that is not what was written; the error to raise."""
        self.is_damaged = True
        return HansaError("state.corrupt", detail)

    def _failure(self, error: lmdb.Error) -> Exception:
        failure = _meaning(error)
        return self.damage(str(error)) if failure is None else failure

    def _lengthen(self) -> None:
        """Makes the file as long as its meta page says, which LMDB does not if the last pages are free."""
        wanted = (self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"]
        if _data_bytes(self._file) < wanted:
            os.truncate(self._file, wanted)

    def _grow(self, need: int) -> None:
        """Doubles the map until `need` more bytes fit; no transaction of ours may be open."""
        info = self._environment.info()
        page = self._environment.stat()["psize"]
        size = info["map_size"]
        while (info["last_pgno"] + 1) * page + need > size:
            size *= 2
        if size != info["map_size"]:
            self._environment.set_mapsize(size)


def seal(files: Files, folder: Path) -> bytes:
    """What a closed state's file is, in a line. LMDB believes its pages, so damage at rest is looked for with this."""
    path, checksum = folder / _FILE_NAME, 0
    if not path.exists():
        return b""
    file = files.open_to_read(path)
    try:
        size = file.size()
        for begin in range(0, size, _READ_BYTES):
            checksum = crc32c(file.read(begin, _READ_BYTES), checksum)
    finally:
        file.close()
    return b"%d bytes, CRC-32C %08x\n" % (size, checksum)


def _row(key: bytes, value: bytes) -> bytes:
    """What LMDB keeps at a key: the checksum is over the key too, so that a value in another's place is noticed."""
    return _CRC.pack(crc32c(key + value)) + value


def _meaning(error: lmdb.Error) -> Exception | None:
    """What an error of LMDB means: no room, the system's own trouble, a mistake of ours; None for a damaged file."""
    if isinstance(error, lmdb.DiskError):
        return HansaError("disk.full", f"the state cannot grow: {error}")
    if error.code > 0 and error.code not in (errno.ENOENT, errno.EINVAL):
        return OSError(error.code, str(error))
    return None if error.code else error


def _check_length(file: Path) -> None:
    """Raises `HansaError` `state.unreadable` for a file shorter than its meta pages say.

    LMDB maps the file and would read beyond its end, which ends the process. What else is wrong LMDB says itself.
    """
    size = _data_bytes(file)
    if not size:
        return
    opened = Disk().open_to_read(file)
    try:
        first = opened.read(0, _META.size)
        page = _META.unpack(first)[1] if len(first) == _META.size else 0
        metas = [_META.unpack(meta) for at in (0, page) if len(meta := opened.read(at, _META.size)) == _META.size]
    finally:
        opened.close()
    last = max((last for magic, _, last, _ in metas if magic == _META_MAGIC), default=0)
    if len(metas) < 2 or size < (last + 1) * page:
        raise HansaError("state.unreadable", f"{file} is cut off: it has {size} bytes")


def _data_bytes(file: Path) -> int:
    """The size of an existing data file: the map must cover it."""
    return file.stat().st_size if file.exists() else 0


def _seek(cursor: "lmdb.Cursor[bytes]", spot: Spot) -> bool:
    """Puts a cursor on the first row that stands at a spot or behind it; whether there is one."""
    row, key = spot
    if key and cursor.set_range_dup(row, _INDEXED + key):
        return True
    return cursor.set_range(row + b"\0" if key else row)
