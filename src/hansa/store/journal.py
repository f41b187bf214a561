"""The journal: append-only segments of blocks, the ledger's only truth on disk.

A unit is what one write and one sync make durable: one block or several under one CRC-32C, chained by SHA-256
to the unit before. The next unit is written only after the last is synced, so at most one unit can be torn,
and nothing valid can follow it. Segments are filled with zeros beforehand (a sync then moves no metadata) and
never used again. `Writer` is called from one thread at a time; `Scan` reads without changing anything.
"""

import hashlib
import re
import secrets
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from hansa.store.checksum import crc32c
from hansa.store.files import File, Files, is_full, read_whole, replace
from hansa.wire.problems import HansaError

FORMAT: Final = 0
SEGMENT_BYTES: Final = 64 * 1024 * 1024
SEGMENT_BYTES_FIRST: Final = 4 * 1024 * 1024
"""A ledger's first segments are small and grow fourfold, so that a trial costs no 64 MB."""
SEGMENT_HEADER_BYTES: Final = 4096
UNIT_BYTES_MAX: Final = 1 << 30
"""What one write may hold: a length beyond it is damage."""

_SEGMENT_MAGIC: Final = b"HANSAJN\0"
_SEGMENT_HEADER: Final = struct.Struct(">8sIII32sQ32sI")  # magic, crc, format, number, ledger, height, chain, salt
_SEGMENT_CRC_END: Final = 12  # magic and crc itself
_UNIT_MAGIC: Final = b"HJU\0"
_UNIT_HEADER: Final = struct.Struct(">4sIIIQ32s")  # magic, crc, type, length, height, chain
_UNIT_CRC_END: Final = 8
_UNIT_BLOCKS: Final = 1
_BLOCK_LENGTH: Final = struct.Struct(">I")
_SEGMENT_NAME: Final = re.compile(r"([0-9]{8})\.segment")
_SPARE: Final = "next.spare"
_READ_BYTES: Final = 1024 * 1024
_WRITER_PAUSE_S: Final = 0.1
"""How long a reader waits for a unit that is being written, before it takes it for torn."""
FIRST_CHAIN: Final = bytes(32)


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a unit starts: its place, the chain hash before it, and the height of its first block."""

    segment: int
    offset: int
    chain: bytes
    height: int


class Location(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Where one block's bytes lie."""

    segment: int
    offset: int
    length: int


class Broken(msgspec.Struct, frozen=True):
    """A last unit that is not whole: what a crash in mid-write leaves."""

    segment: int
    offset: int
    end: int
    reason: str


Unit: TypeAlias = tuple[Position, list[tuple[bytes, Location]]]
"""Where a unit starts, and its blocks with their locations."""

START: Final = Position(0, SEGMENT_HEADER_BYTES, FIRST_CHAIN, 0)


class Segments:
    """The segment files of a folder, opened for reading as needed and checked against their names.

    Raises `HansaError`: `journal.missing` for a gap, `journal.header`, `journal.foreign`, `journal.format`.
    """

    def __init__(self, files: Files, folder: Path, ledger: bytes) -> None:
        self._files = files
        self._folder = folder
        self.ledger = ledger
        self._open: dict[int, tuple[File, SegmentHeader]] = {}
        self.count = 0
        self.refresh()

    def refresh(self) -> None:
        """Looks for segments that were added."""
        numbers = [int(m[1]) for n in self._files.names(self._folder) if (m := _SEGMENT_NAME.fullmatch(n))]
        missing = sorted(set(range(max(numbers, default=-1) + 1)) - set(numbers))
        if missing or not numbers:
            names = ", ".join(segment_name(number) for number in missing or [0])
            raise HansaError("journal.missing", f"{names} is not in {self._folder}", segments=missing or [0])
        self.count = len(numbers)

    def file(self, number: int) -> File:
        """Segment `number`, its header checked."""
        return self._opened(number)[0]

    def header(self, number: int) -> "SegmentHeader":
        """What segment `number` says of itself."""
        return self._opened(number)[1]

    def read(self, location: Location) -> bytes:
        """The bytes of a block. Raises `HansaError` `journal.corrupt` if the segment is shorter."""
        data = self.file(location.segment).read(location.offset, location.length)
        if len(data) != location.length:
            raise HansaError("journal.corrupt", f"{segment_name(location.segment)} ends inside a block")
        return data

    def close(self) -> None:
        """Closes what is open."""
        for file, _ in self._open.values():
            file.close()
        self._open.clear()

    def _opened(self, number: int) -> "tuple[File, SegmentHeader]":
        found = self._open.get(number)
        if found is None:
            file = self._files.open_to_read(self._folder / segment_name(number))
            try:
                found = file, read_segment_header(file, number, self.ledger)
            except BaseException:
                file.close()
                raise
            self._open[number] = found
        return found


class Scan:
    """Reads units from a position on and checks each; iterate it once.

    Afterwards `position` is where the next unit goes, and `broken` tells of a torn last unit. Anything wrong
    that a crash cannot have caused raises `HansaError`: `journal.corrupt`, `journal.chain` and those of `Segments`.

    With `beside_writer` another process may be appending: a unit half written, or one written between two looks, is no
    damage. So what does not end well is read again from the last good unit, until nothing has moved on in between.
    """

    def __init__(self, segments: Segments, start: Position = START, *, beside_writer: bool = False) -> None:
        self._segments = segments
        self._beside_writer = beside_writer
        self.position = start
        self.broken: Broken | None = None

    def __iter__(self) -> Iterator[Unit]:
        """Yields where each unit starts, and its blocks with their locations."""
        before: tuple[Position, str] | None = None
        while True:
            error: HansaError | None = None
            try:
                yield from self._units()
            except HansaError as raised:
                error = raised
            if error is None and self.broken is None:
                return
            verdict = self.position, str(error or self.broken)
            if not self._beside_writer or verdict == before:
                if error is not None:
                    raise error
                return
            before, self.broken = verdict, None
            time.sleep(_WRITER_PAUSE_S)
            self._segments.refresh()

    def _units(self) -> Iterator[Unit]:
        while True:
            at = self.position
            file = self._segments.file(at.segment)
            size = file.size()
            head = file.read(at.offset, _UNIT_HEADER.size)
            if not any(head):
                if self._ends(file, size):
                    return
                continue
            reason, payload, chain = read_unit(file, at.offset, size, self._segments.header(at.segment).salt)
            if reason:
                self._mark_broken(file, size, reason)
                return
            _, _, _, length, height, _ = _UNIT_HEADER.unpack(head)
            if chain != chain_hash(at.chain, payload) or height != at.height:
                raise HansaError(
                    "journal.chain",
                    f"{_place(at.segment, at.offset)}: the unit does not follow the one before it",
                    segment=at.segment,
                    offset=at.offset,
                )
            blocks = list(_split(payload, at.segment, at.offset + _UNIT_HEADER.size))
            self.position = Position(at.segment, at.offset + _UNIT_HEADER.size + length, chain, at.height + len(blocks))
            yield at, blocks

    def _ends(self, file: File, size: int) -> bool:
        """At zeros: whether the journal ends here; if not, moves on to the next segment."""
        at = self.position
        end = _last_nonzero(file, at.offset, size)
        if at.segment + 1 < self._segments.count:
            if end is not None:
                raise _corrupt(at.segment, at.offset, "the unit's head is zeroed, and a later segment follows")
            header = self._segments.header(at.segment + 1)
            if header.chain != at.chain or header.height != at.height:
                raise HansaError(
                    "journal.chain",
                    f"{segment_name(at.segment + 1)} does not follow the unit before it",
                    segment=at.segment + 1,
                    offset=0,
                )
            self.position = Position(at.segment + 1, SEGMENT_HEADER_BYTES, at.chain, at.height)
            return False
        if end is not None:
            self._mark_broken(file, size, "the unit's head is zeroed")
        return True

    def _mark_broken(self, file: File, size: int, reason: str) -> None:
        at = self.position
        if at.segment + 1 < self._segments.count:
            raise _corrupt(at.segment, at.offset, reason + ", and a later segment follows")
        follower = _find_valid_unit(file, at.offset + 1, size, self._segments.header(at.segment).salt)
        if follower is not None:
            raise _corrupt(at.segment, at.offset, f"{reason}, and a valid unit follows at {follower}")
        end = _last_nonzero(file, at.offset, size)
        self.broken = Broken(at.segment, at.offset, at.offset if end is None else end + 1, reason)


class Writer:
    """Appends units at the end that a scan found. After any error but a full disk it refuses to go on."""

    def __init__(self, files: Files, folder: Path, ledger: bytes, end: Position) -> None:
        self._files = files
        self._folder = folder
        self._ledger = ledger
        self._faulted = False
        self._spare_faulted = False  # apart from the other, because another thread sets it
        self._spare_lock = threading.Lock()
        self.end = end
        self._file = files.open(folder / segment_name(end.segment))
        self._salt = read_segment_header(self._file, end.segment, ledger).salt
        self._size = self._file.size()
        files.unlink(folder / _SPARE)
        self._spare: File | None = None

    def append(self, blocks: Sequence[bytes]) -> list[Location]:
        """Writes one unit and returns when it is durable.

        Raises `HansaError` `disk.full` if nothing was synced yet and the same call may be made again later;
        any other failure is final, because nobody knows then what is on the disk. So is `journal.oversized`, with
        nothing written: no start would read such a unit.
        """
        if self._faulted or self._spare_faulted:
            raise HansaError("journal.faulted")
        payload_bytes = sum(_BLOCK_LENGTH.size + len(block) for block in blocks)
        if payload_bytes > UNIT_BYTES_MAX:
            self._faulted = True
            raise HansaError("journal.oversized", f"{payload_bytes} bytes in one unit; {UNIT_BYTES_MAX} are the most")
        payload = b"".join(_BLOCK_LENGTH.pack(len(block)) + block for block in blocks)
        chain = chain_hash(self.end.chain, payload)
        fields = (_UNIT_BLOCKS, len(payload), self.end.height, chain)
        length = _UNIT_HEADER.size + len(payload)
        try:
            if self.end.offset + length > self._size:
                self._roll(length)
            head = _UNIT_HEADER.pack(_UNIT_MAGIC, 0, *fields)
            crc = crc32c(payload, crc32c(head[_UNIT_CRC_END:], self._salt))
            self._file.write(self.end.offset, _UNIT_HEADER.pack(_UNIT_MAGIC, crc, *fields) + payload)
        except OSError as error:
            if is_full(error) and not self._faulted:
                raise HansaError("disk.full", f"{self._folder} cannot take {length} bytes") from error
            self._faulted = True
            raise
        self._faulted = True  # until the sync has returned, the unit's fate is unknown
        self._file.sync()
        self._faulted = False
        locations = [location for _, location in _split(payload, self.end.segment, self.end.offset + _UNIT_HEADER.size)]
        self.end = Position(self.end.segment, self.end.offset + length, chain, self.end.height + len(blocks))
        return locations

    def wants_spare(self) -> bool:
        """Whether the next segment should be prepared now: the current one is half full and none is ready."""
        return self._spare is None and self.end.offset > self._size // 2

    def prepare_spare(self, least: int = 0) -> None:
        """Makes the next segment, filled with zeros, unless one of at least `least` bytes is ready.

        May run in another thread than `append`, which waits for it where it needs the segment. Raises OSError:
        if the disk is full, nothing is lost by that and it may be tried again; any other failure is final.
        """
        with self._spare_lock:
            if self._spare is not None and self._spare.size() >= least:
                return
            path = self._folder / _SPARE
            try:
                self._spare = self._files.create_zeroed(path, max(segment_bytes(self.end.segment + 1), least))
            except OSError as error:
                self._spare_faulted = not is_full(error)
                self._files.unlink(path)
                raise

    def close(self) -> None:
        """Closes the files; nothing is pending, since every append has synced."""
        self._file.close()
        if self._spare is not None:
            self._spare.close()
            self._files.unlink(self._folder / _SPARE)

    def _roll(self, unit_bytes: int) -> None:
        """Goes on in the next segment. Its header is durable before its name is, so a name means a header."""
        self.prepare_spare(SEGMENT_HEADER_BYTES + unit_bytes)
        assert self._spare is not None
        number = self.end.segment + 1
        salt = secrets.randbits(32)
        self._spare.write(0, segment_header(number, self._ledger, self.end.height, self.end.chain, salt))
        self._faulted = True
        self._spare.sync()
        self._files.rename(self._folder / _SPARE, self._folder / segment_name(number))
        self._files.sync_folder(self._folder)
        self._faulted = False
        self._file.close()
        self._file, self._spare = self._spare, None
        self._salt, self._size = salt, self._file.size()
        self.end = Position(number, SEGMENT_HEADER_BYTES, self.end.chain, self.end.height)


class SegmentHeader(msgspec.Struct, frozen=True):
    """What a segment says of itself: the height of its first block, the chain hash before it, and its salt.

    The salt is chance, and units' checksums begin with it: so nobody can put bytes into a transaction that would pass
    for a unit where a torn one is looked at.
    """

    height: int
    chain: bytes
    salt: int


def create(files: Files, folder: Path, ledger: bytes) -> None:
    """An empty journal: its folder and first segment, durable."""
    files.make_folder(folder)
    path = folder / segment_name(0)
    temporary = folder / _SPARE
    file = files.create_zeroed(temporary, segment_bytes(0))
    try:
        file.write(0, segment_header(0, ledger, 0, FIRST_CHAIN, secrets.randbits(32)))
        file.sync()
    finally:
        file.close()
    files.rename(temporary, path)
    files.sync_folder(folder)
    files.sync_folder(folder.parent)


def settle(files: Files, folder: Path, first: int, last: int) -> None:
    """Makes durable what segments `first` to `last` hold and their names, before anyone relies on what is read.

    A process that was killed, or whose last sync failed, leaves what it wrote with the system, to be read and perhaps
    never to reach the disk.
    """
    for number in range(first, last + 1):
        file = files.open(folder / segment_name(number))
        try:
            file.settle()
        finally:
            file.close()
    files.sync_folder(folder)


def cut(files: Files, folder: Path, broken: Broken, aside: Path) -> Path:
    """Keeps the bytes of a torn unit in a new file in `aside`, durably, then zeroes them in the journal; the file."""
    file = files.open(folder / segment_name(broken.segment))
    try:
        kept = _keep(files, aside, broken, file.read(broken.offset, broken.end - broken.offset))
        for offset in range(broken.offset, broken.end, _READ_BYTES):
            file.write(offset, bytes(min(_READ_BYTES, broken.end - offset)))
        file.sync()
    finally:
        file.close()
    return kept


def segment_name(number: int) -> str:
    """The file name of a segment."""
    return f"{number:08d}.segment"


def segment_bytes(number: int) -> int:
    """The usual length of a segment; one that starts with a larger unit is longer."""
    return min(SEGMENT_BYTES_FIRST << (2 * min(number, 8)), SEGMENT_BYTES)


def segment_header(number: int, ledger: bytes, height: int, chain: bytes, salt: int) -> bytes:
    """A segment's first bytes; zeros follow up to the first unit."""
    fields = (FORMAT, number, ledger, height, chain, salt)
    crc = crc32c(_SEGMENT_HEADER.pack(_SEGMENT_MAGIC, 0, *fields)[_SEGMENT_CRC_END:])
    return _SEGMENT_HEADER.pack(_SEGMENT_MAGIC, crc, *fields)


def read_segment_header(file: File, number: int, ledger: bytes) -> SegmentHeader:
    """A segment's header, checked to belong to this place and this ledger."""
    name = segment_name(number)
    whole = file.read(0, SEGMENT_HEADER_BYTES)
    data, rest = whole[: _SEGMENT_HEADER.size], whole[_SEGMENT_HEADER.size :]
    if len(whole) < SEGMENT_HEADER_BYTES or not data.startswith(_SEGMENT_MAGIC):
        raise HansaError("journal.header", f"{name} does not begin with a segment header", segment=number)
    _, crc, version, own_number, own_ledger, height, chain, salt = _SEGMENT_HEADER.unpack(data)
    if crc != crc32c(data[_SEGMENT_CRC_END:]) or any(rest):
        raise HansaError("journal.header", f"the header of {name} is damaged", segment=number)
    if version != FORMAT:
        raise HansaError("journal.format", f"{name} is in format {version}; this version reads {FORMAT}")
    if own_ledger != ledger:
        raise HansaError("journal.foreign", f"{name} belongs to ledger {own_ledger.hex()}", segment=number)
    if own_number != number:
        raise HansaError("journal.header", f"{name} is really {segment_name(own_number)}", segment=number)
    return SegmentHeader(height, chain, salt)


def read_ledger(files: Files, folder: Path) -> bytes:
    """The ledger id that the first segment names, before anything else is known."""
    if segment_name(0) not in files.names(folder):
        raise HansaError("journal.missing", f"{segment_name(0)} is not in {folder}", segments=[0])
    file = files.open_to_read(folder / segment_name(0))
    try:
        data = file.read(0, _SEGMENT_HEADER.size)
    finally:
        file.close()
    if len(data) < _SEGMENT_HEADER.size or not data.startswith(_SEGMENT_MAGIC):
        raise HansaError("journal.header", f"{segment_name(0)} does not begin with a segment header", segment=0)
    return _SEGMENT_HEADER.unpack(data)[4]


def read_unit(file: File, offset: int, size: int, salt: int) -> tuple[str, bytes, bytes]:
    """What is wrong with the unit at `offset` (empty if nothing), its payload and its chain hash."""
    head = file.read(offset, _UNIT_HEADER.size)
    if len(head) < _UNIT_HEADER.size or not head.startswith(_UNIT_MAGIC):
        return "there is no unit header", b"", b""
    _, crc, kind, length, _, chain = _UNIT_HEADER.unpack(head)
    if length > UNIT_BYTES_MAX or offset + _UNIT_HEADER.size + length > size:
        return "the unit's length reaches beyond its segment", b"", b""
    payload = file.read(offset + _UNIT_HEADER.size, length)
    if crc32c(payload, crc32c(head[_UNIT_CRC_END:], salt)) != crc:
        return "the unit's checksum does not match its bytes", b"", b""
    if kind != _UNIT_BLOCKS:
        return f"the unit is of an unknown type, {kind}", b"", b""
    return "", payload, chain


def chain_hash(before: bytes, payload: bytes) -> bytes:
    """The chain hash of a unit: SHA-256 over the hash before and the payload."""
    digest = hashlib.sha256(before)
    digest.update(payload)
    return digest.digest()


def _split(payload: bytes, segment: int, offset: int) -> Iterator[tuple[bytes, Location]]:
    """The blocks of a unit whose payload starts at `offset`, with their locations."""
    position = 0
    while position < len(payload):
        begin = position + _BLOCK_LENGTH.size
        position = begin + int.from_bytes(payload[position:begin], "big")
        yield payload[begin:position], Location(segment, offset + begin, position - begin)
    if not position or position != len(payload):
        raise _corrupt(segment, offset, "the unit is not made of whole blocks")


def _keep(files: Files, aside: Path, broken: Broken, data: bytes) -> Path:
    """Puts what is cut into a file that was not there before: an earlier crash may have left another at this place."""
    files.make_folder(aside)
    files.sync_folder(aside.parent)
    name, number, taken = f"{segment_name(broken.segment)}-{broken.offset}", 1, files.names(aside)
    kept = aside / name
    while kept.name in taken and read_whole(files, kept) != data:
        number += 1
        kept = aside / f"{name}-{number}"
    if kept.name not in taken:
        replace(files, kept, data)
    return kept


def _find_valid_unit(file: File, offset: int, size: int, salt: int) -> int | None:
    """The offset of a whole unit anywhere behind `offset`: proof that what lies before it was once durable."""
    data = file.read(offset, size - offset)
    at = data.find(_UNIT_MAGIC)
    while at >= 0:
        if not read_unit(file, offset + at, size, salt)[0]:
            return offset + at
        at = data.find(_UNIT_MAGIC, at + 1)
    return None


def _last_nonzero(file: File, begin: int, end: int) -> int | None:
    """The offset of the last byte in [begin, end) that is not zero."""
    while end > begin:
        start = max(begin, end - _READ_BYTES)
        chunk = file.read(start, end - start).rstrip(b"\0")
        if chunk:
            return start + len(chunk) - 1
        end = start
    return None


def _place(segment: int, offset: int) -> str:
    return f"{segment_name(segment)}, byte {offset}"


def _corrupt(segment: int, offset: int, reason: str) -> HansaError:
    return HansaError("journal.corrupt", f"{_place(segment, offset)}: {reason}", segment=segment, offset=offset)
