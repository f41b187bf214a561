"""`store.journal`: what was written is read again, from anywhere; what is damaged is refused, and where is said."""

import errno
import struct
import threading

import pytest

from hansa.store import journal
from hansa.store.checksum import crc32c
from hansa.store.files import Disk, read_whole
from hansa.store.journal import (
    SEGMENT_HEADER_BYTES,
    START,
    Location,
    Position,
    Scan,
    Segments,
    Writer,
    segment_header,
    segment_name,
)
from hansa.wire.problems import HansaError

OTHER = bytes(32)
UNIT_HEADER_BYTES = 56


def block(number, size=40):
    return bytes([1 + number % 255]) * size


@pytest.fixture
def small(monkeypatch):
    """Segments with room for a few hundred bytes."""
    monkeypatch.setattr(journal, "SEGMENT_BYTES_FIRST", SEGMENT_HEADER_BYTES + 400)
    monkeypatch.setattr(journal, "SEGMENT_BYTES", SEGMENT_HEADER_BYTES + 400)


@pytest.fixture
def folder(disk, tmp_path, ledger_id, small):
    journal.create(disk, tmp_path / "journal", ledger_id)
    return tmp_path / "journal"


def write(disk, folder, ledger, units, end=START):
    """Appends units; where each of their blocks lies, and where the journal ends."""
    writer = Writer(disk, folder, ledger, end)
    locations = [writer.append(unit) for unit in units]
    end = writer.end
    writer.close()
    return locations, end


def scanned(disk, folder, ledger, start=START):
    segments = Segments(disk, folder, ledger)
    scan = Scan(segments, start)
    units = [(at, blocks) for at, blocks in scan]
    segments.close()
    return scan, units


def refused(disk, folder, ledger, start=START):
    with pytest.raises(HansaError) as error:
        scanned(disk, folder, ledger, start)
    return error.value


UNITS = [
    [block(1)],
    [block(2), block(3, 60)],
    [block(4, 200)],
    [block(5, 10)],
    [block(6), b"", block(7)],
    [block(8, 300)],
]


# Round trips


def test_an_empty_journal(disk, folder, ledger_id):
    assert disk.names(folder) == [segment_name(0)]
    assert journal.read_ledger(disk, folder) == ledger_id
    scan, units = scanned(disk, folder, ledger_id)
    assert (units, scan.position, scan.broken) == ([], START, None)


def test_units_are_read_again_over_several_segments(disk, folder, ledger_id):
    locations, end = write(disk, folder, ledger_id, UNITS)
    assert disk.names(folder) == [segment_name(i) for i in range(4)]
    scan, units = scanned(disk, folder, ledger_id)
    assert scan.broken is None
    assert scan.position == end
    assert [[data for data, _ in blocks] for _, blocks in units] == UNITS
    assert [[location for _, location in blocks] for _, blocks in units] == locations
    assert [at.height for at, _ in units] == [0, 1, 3, 4, 5, 8]
    assert end.height == 9
    segments = Segments(disk, folder, ledger_id)
    for unit, places in zip(UNITS, locations, strict=True):
        assert [segments.read(place) for place in places] == unit
    segments.close()


def test_scanning_goes_on_from_any_unit(disk, folder, ledger_id):
    write(disk, folder, ledger_id, UNITS)
    _, units = scanned(disk, folder, ledger_id)
    for number, (at, _) in enumerate(units):
        scan, rest = scanned(disk, folder, ledger_id, at)
        # A position may stand at the end of a segment; the unit then begins the next one.
        assert [blocks for _, blocks in rest] == [blocks for _, blocks in units[number:]]
        assert scan.broken is None


def test_writing_goes_on_where_a_scan_ended(disk, folder, ledger_id):
    end = START
    for unit in UNITS:
        _, end = write(disk, folder, ledger_id, [unit], end)
        scan, _ = scanned(disk, folder, ledger_id)
        assert scan.position == end
    _, units = scanned(disk, folder, ledger_id)
    assert [[data for data, _ in blocks] for _, blocks in units] == UNITS


def test_a_unit_larger_than_a_segment_gets_a_longer_one(disk, folder, ledger_id):
    units = [[block(1)], [block(2, 5000)], [block(3)], [block(4, 9000), block(5, 9000)]]
    locations, end = write(disk, folder, ledger_id, units)
    assert end.segment == 3
    assert (folder / segment_name(1)).stat().st_size == SEGMENT_HEADER_BYTES + UNIT_HEADER_BYTES + 4 + 5000
    assert locations[1] == [Location(1, SEGMENT_HEADER_BYTES + UNIT_HEADER_BYTES + 4, 5000)]
    scan, found = scanned(disk, folder, ledger_id)
    assert scan.position == end
    assert [[data for data, _ in blocks] for _, blocks in found] == units


def test_a_first_unit_larger_than_the_first_segment_leaves_that_empty(disk, folder, ledger_id):
    _, end = write(disk, folder, ledger_id, [[block(1, 5000)]])
    assert end.segment == 1
    scan, found = scanned(disk, folder, ledger_id)
    assert [[data for data, _ in blocks] for _, blocks in found] == [[block(1, 5000)]]
    assert scan.position == end


def test_a_prepared_spare_is_used_or_replaced_by_a_longer_one(disk, folder, ledger_id):
    writer = Writer(disk, folder, ledger_id, START)
    assert writer.wants_spare()  # the header alone is half of so small a segment
    writer.append([block(1)])
    writer.prepare_spare()
    writer.prepare_spare()
    assert disk.names(folder) == [segment_name(0), "next.spare"]
    assert not writer.wants_spare()
    writer.append([block(2, 6000)])
    assert disk.names(folder) == [segment_name(0), segment_name(1)]
    assert (folder / segment_name(1)).stat().st_size > 6000
    writer.prepare_spare()
    writer.append([block(3)])
    end = writer.end
    writer.close()
    assert disk.names(folder) == [segment_name(i) for i in range(3)]
    scan, units = scanned(disk, folder, ledger_id)
    assert (len(units), scan.position) == (3, end)


def test_an_old_spare_is_no_segment(disk, folder, ledger_id):
    (folder / "next.spare").write_bytes(b"left over")
    write(disk, folder, ledger_id, UNITS)
    assert len(scanned(disk, folder, ledger_id)[1]) == len(UNITS)
    assert "next.spare" not in disk.names(folder)


def test_segments_grow_fourfold():
    mb = 1024 * 1024
    assert [journal.segment_bytes(i) for i in (0, 1, 2, 3, 100)] == [4 * mb, 16 * mb, 64 * mb, 64 * mb, 64 * mb]


def test_several_blocks_of_a_unit_split_again_and_an_empty_unit_is_nothing(disk, folder, ledger_id):
    locations, _ = write(disk, folder, ledger_id, [[b"", b"a", b""]])
    assert [place.length for place in locations[0]] == [0, 1, 0]
    _, units = scanned(disk, folder, ledger_id)
    assert [data for data, _ in units[0][1]] == [b"", b"a", b""]


# The writer and errors


class Failing:
    """A file of the journal whose next call of a kind fails."""

    def __init__(self, file, fail):
        self._file, self._fail = file, fail

    def __getattr__(self, name):
        call = getattr(self._file, name)

        def called(*arguments):
            number = self._fail.pop(name, None)
            if number is not None:
                raise OSError(number, "planted")
            return call(*arguments)

        return called


def failing_disk(disk, fail):
    class FailingDisk(type(disk)):
        def open(self, path, *, create=False):
            return Failing(super().open(path, create=create), fail)

        def create_zeroed(self, path, size):
            number = fail.pop("create_zeroed", None)
            if number is not None:
                path.write_bytes(b"in part")
                raise OSError(number, "planted")
            return Failing(super().create_zeroed(path, size), fail)

        def rename(self, old, new):
            number = fail.pop("rename", None)
            if number is not None:
                raise OSError(number, "planted")
            super().rename(old, new)

        def sync_folder(self, path):
            number = fail.pop("sync_folder", None)
            if number is not None:
                raise OSError(number, "planted")
            super().sync_folder(path)

    return FailingDisk()


@pytest.mark.parametrize(
    ("call", "rolls"),
    [
        ("write", False),
        ("sync", False),
        ("create_zeroed", True),
        ("write", True),
        ("sync", True),
        ("rename", True),
        ("sync_folder", True),
    ],
)
def test_an_io_error_is_final(disk, folder, ledger_id, call, rolls):
    fail = {}
    writer = Writer(failing_disk(disk, fail), folder, ledger_id, START)
    writer.append([block(1)])
    fail[call] = errno.EIO
    with pytest.raises(OSError, match="planted"):
        writer.append([block(2, 350 if rolls else 10)])
    assert not fail
    for _ in range(2):
        with pytest.raises(HansaError) as error:
            writer.append([block(3)])
        assert error.value.code == "journal.faulted"
    writer.close()
    scan, units = scanned(disk, folder, ledger_id)
    assert [data for data, _ in units[0][1]] == [block(1)]
    assert scan.broken is None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize(("call", "rolls"), [("write", False), ("create_zeroed", True), ("write", True)])
def test_a_full_disk_is_not_final_while_nothing_was_synced(disk, folder, ledger_id, call, rolls, number):
    fail = {}
    writer = Writer(failing_disk(disk, fail), folder, ledger_id, START)
    writer.append([block(1)])
    unit = [block(2, 350 if rolls else 10)]
    for _ in range(3):
        fail[call] = number
        with pytest.raises(HansaError) as error:
            writer.append(unit)
        assert error.value.code == "disk.full"
    writer.append(unit)
    writer.append([block(3)])
    end = writer.end
    writer.close()
    scan, units = scanned(disk, folder, ledger_id)
    assert [[data for data, _ in blocks] for _, blocks in units] == [[block(1)], unit, [block(3)]]
    assert scan.position == end
    assert "next.spare" not in disk.names(folder)


@pytest.mark.parametrize(("call", "rolls"), [("sync", False), ("sync", True), ("rename", True), ("sync_folder", True)])
def test_a_full_disk_after_the_sync_began_is_final(disk, folder, ledger_id, call, rolls):
    fail = {}
    writer = Writer(failing_disk(disk, fail), folder, ledger_id, START)
    writer.append([block(1)])
    fail[call] = errno.ENOSPC
    with pytest.raises((HansaError, OSError)):
        writer.append([block(2, 350 if rolls else 10)])
    with pytest.raises(HansaError) as error:
        writer.append([block(2, 10)])
    assert error.value.code == "journal.faulted"
    writer.close()


def test_a_unit_that_could_not_be_read_is_not_written(disk, folder, ledger_id, monkeypatch):
    monkeypatch.setattr(journal, "UNIT_BYTES_MAX", 300)
    writer = Writer(disk, folder, ledger_id, START)
    writer.append([block(1, 292), block(2, 0)])
    before = {name: (folder / name).read_bytes() for name in disk.names(folder)}
    for unit, code in (([block(3, 293), block(4, 0)], "journal.oversized"), ([block(5)], "journal.faulted")):
        with pytest.raises(HansaError) as error:
            writer.append(unit)
        assert error.value.code == code
    assert {name: (folder / name).read_bytes() for name in disk.names(folder)} == before
    writer.close()
    _, units = scanned(disk, folder, ledger_id)
    assert len(units) == 1


# Beside a writer


class Moving(Disk):
    """A disk on which something happens after so many reads."""

    def __init__(self, number, happens):
        self.left, self.happens = number, happens

    def open_to_read(self, path):
        file, disk = super().open_to_read(path), self

        class File:
            def __getattr__(self, name):
                return getattr(file, name)

            def read(self, offset, length):
                data = file.read(offset, length)
                disk.left -= 1
                if disk.left == 0:
                    disk.happens()
                return data

        return File()


def follow(disk, folder, ledger, number, *, torn, beside_writer):
    """Scans UNITS while, after so many reads, the writer finishes a unit that was `torn` at first and writes two more.

    What was scanned, where it ended, and whether it came to that.
    """
    writer = Writer(disk, folder, ledger, START)
    for unit in UNITS[:3]:
        writer.append(unit)
    place = folder / segment_name(writer.end.segment), writer.end.offset
    if torn:
        with place[0].open("r+b") as file:
            file.seek(place[1])
            file.write(b"HJU\0" + b"half a unit")

    def go_on():
        for unit in UNITS[3:]:
            writer.append(unit)

    moving = Moving(number, go_on)
    segments = Segments(moving, folder, ledger)
    try:
        scan = Scan(segments, beside_writer=beside_writer)
        found = [[data for data, _ in blocks] for _, blocks in scan]
        return found, scan, moving.left <= 0
    finally:
        segments.close()
        writer.close()


@pytest.mark.parametrize("torn", [False, True])
def test_a_scan_beside_a_writer_takes_no_unit_in_the_making_for_damage(
    disk, tmp_path, ledger_id, small, monkeypatch, torn
):
    """Whenever the writer moves on: the scan ends behind a whole unit. A torn one is told only if it stays."""
    monkeypatch.setattr(journal, "_WRITER_PAUSE_S", 0)
    lengths, number, happened = set(), 0, True
    while happened:
        number += 1
        folder = tmp_path / str(number)
        journal.create(disk, folder, ledger_id)
        found, scan, happened = follow(disk, folder, ledger_id, number, torn=torn, beside_writer=True)
        assert found == UNITS[: len(found)]
        assert len(found) >= 3
        assert scan.broken is None or (torn and len(found) == 3)
        lengths.add(len(found))
    assert number > 10
    assert len(UNITS) in lengths


def test_a_scan_that_reads_on_is_needed(disk, tmp_path, ledger_id, small):
    """The same without: sound journals are called broken or corrupt."""
    bad = 0
    for number in range(1, 40):
        folder = tmp_path / str(number)
        journal.create(disk, folder, ledger_id)
        try:
            _, scan, _ = follow(disk, folder, ledger_id, number, torn=False, beside_writer=False)
            bad += scan.broken is not None
        except HansaError as error:
            bad += error.code in ("journal.corrupt", "journal.chain")
    assert bad


def test_a_scan_beside_a_thread_that_keeps_appending(disk, scratch, ledger_id, monkeypatch):
    monkeypatch.setattr(journal, "_WRITER_PAUSE_S", 0.001)
    monkeypatch.setattr(journal, "SEGMENT_BYTES_FIRST", 256 * 1024)
    folder, done = scratch / "journal", threading.Event()
    journal.create(disk, folder, ledger_id)
    writer = Writer(disk, folder, ledger_id, START)

    def keep_appending():
        number = 0
        while not done.is_set() and number < 20_000:
            writer.append([block(number, 5_000 * (number % 7))])
            number += 1

    thread = threading.Thread(target=keep_appending)
    thread.start()
    try:
        heights = []
        while len(heights) < 15 or (heights[-1] == heights[0] and thread.is_alive()):
            segments = Segments(disk, folder, ledger_id)
            scan = Scan(segments, beside_writer=True)
            for _ in scan:
                pass
            segments.close()
            heights.append(scan.position.height)
    finally:
        done.set()
        thread.join()
        writer.close()
    assert heights == sorted(heights)
    assert heights[-1] > heights[0]


@pytest.mark.parametrize("damage", ["a unit", "the tail"])
def test_real_damage_is_told_beside_a_writer_too(disk, folder, ledger_id, damage):
    locations, end = write(disk, folder, ledger_id, UNITS)
    at = locations[1][0] if damage == "a unit" else None
    name, offset = (at.segment, at.offset) if at else (end.segment, end.offset)
    with (folder / segment_name(name)).open("r+b") as file:
        file.seek(offset)
        file.write(b"HJU\0 damage")
    segments = Segments(disk, folder, ledger_id)
    scan = Scan(segments, beside_writer=True)
    if at:
        with pytest.raises(HansaError) as error:
            list(scan)
        assert error.value.code == "journal.corrupt"
    else:
        assert len(list(scan)) == len(UNITS)
        assert scan.broken is not None
    segments.close()


# What is refused


def test_no_segment_at_all(disk, tmp_path, ledger_id):
    with pytest.raises(HansaError) as error:
        Segments(disk, tmp_path, ledger_id)
    assert error.value.code == "journal.missing"
    assert error.value.fields["segments"] == [0]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_missing_segment_is_named(disk, folder, ledger_id, missing):
    write(disk, folder, ledger_id, UNITS)
    (folder / segment_name(missing)).unlink()
    error = refused(disk, folder, ledger_id)
    assert error.code == "journal.missing"
    assert segment_name(missing) in error.detail
    assert error.fields["segments"] == [missing]


def test_swapped_segments_are_refused(disk, folder, ledger_id):
    write(disk, folder, ledger_id, UNITS)
    (folder / segment_name(1)).rename(folder / "x")
    (folder / segment_name(2)).rename(folder / segment_name(1))
    (folder / "x").rename(folder / segment_name(2))
    error = refused(disk, folder, ledger_id)
    assert error.code == "journal.header"
    assert segment_name(1) in error.detail
    assert segment_name(2) in error.detail
    assert error.fields["segment"] == 1


def test_a_copy_in_another_segments_place_is_refused(disk, folder, ledger_id):
    write(disk, folder, ledger_id, UNITS)
    (folder / segment_name(3)).write_bytes((folder / segment_name(2)).read_bytes())
    error = refused(disk, folder, ledger_id)
    assert (error.code, error.fields["segment"]) == ("journal.header", 3)


@pytest.mark.parametrize("foreign", [0, 2])
def test_a_foreign_segment_is_refused(disk, tmp_path, folder, ledger_id, foreign):
    write(disk, folder, ledger_id, UNITS)
    journal.create(disk, tmp_path / "other", OTHER)
    write(disk, tmp_path / "other", OTHER, UNITS)
    (folder / segment_name(foreign)).write_bytes((tmp_path / "other" / segment_name(foreign)).read_bytes())
    error = refused(disk, folder, ledger_id)
    assert error.code == "journal.foreign"
    assert segment_name(foreign) in error.detail
    assert OTHER.hex() in error.detail


def test_a_segment_of_the_same_ledger_with_another_history_is_refused(disk, tmp_path, folder, ledger_id):
    write(disk, folder, ledger_id, UNITS)
    journal.create(disk, tmp_path / "fork", ledger_id)
    write(disk, tmp_path / "fork", ledger_id, [[block(9)], *UNITS[1:]])
    (folder / segment_name(2)).write_bytes((tmp_path / "fork" / segment_name(2)).read_bytes())
    error = refused(disk, folder, ledger_id)
    assert (error.code, error.fields["segment"]) == ("journal.chain", 2)


def test_a_segment_of_an_older_copy_is_refused(disk, folder, ledger_id):
    """A middle segment from a backup made before it was full: units are missing in front of the next segment."""
    _, end = write(disk, folder, ledger_id, UNITS[:3])
    before = (folder / segment_name(end.segment)).read_bytes()
    write(disk, folder, ledger_id, [[block(5, 10)], [block(6, 300)]], end)
    (folder / segment_name(end.segment)).write_bytes(before)
    error = refused(disk, folder, ledger_id)
    assert error.code == "journal.chain"
    assert segment_name(end.segment + 1) in error.detail


@pytest.mark.parametrize("number", [0, 2])
def test_a_damaged_segment_header_is_refused(disk, folder, ledger_id, number):
    write(disk, folder, ledger_id, UNITS)
    path = folder / segment_name(number)
    whole = path.read_bytes()
    for at in range(96):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x40]) + whole[at + 1 :])
        error = refused(disk, folder, ledger_id)
        assert error.code == "journal.header"
        assert segment_name(number) in error.detail
    for length in (SEGMENT_HEADER_BYTES - 1, 96, 95, 1, 0):
        path.write_bytes(whole[:length])
        error = refused(disk, folder, ledger_id)
        assert error.code == "journal.header"
    if number == 0:
        with pytest.raises(HansaError) as first:
            journal.read_ledger(disk, folder)
        assert first.value.code == "journal.header"


def test_another_format_is_refused(disk, folder, ledger_id, monkeypatch):
    write(disk, folder, ledger_id, UNITS)
    monkeypatch.setattr(journal, "FORMAT", 1)
    header = segment_header(2, ledger_id, 4, b"\1" * 32, 5)
    monkeypatch.undo()
    path = folder / segment_name(2)
    path.write_bytes(header + path.read_bytes()[len(header) :])
    error = refused(disk, folder, ledger_id)
    assert error.code == "journal.format"
    assert segment_name(2) in error.detail


def test_reading_a_block_beyond_its_segment_is_refused(disk, folder, ledger_id):
    segments = Segments(disk, folder, ledger_id)
    with pytest.raises(HansaError) as error:
        segments.read(Location(0, SEGMENT_HEADER_BYTES + 390, 11))
    assert error.value.code == "journal.corrupt"
    segments.close()


def test_a_start_with_another_chain_or_height_is_refused(disk, folder, ledger_id):
    write(disk, folder, ledger_id, UNITS)
    for start in (
        Position(0, SEGMENT_HEADER_BYTES, b"\1" * 32, 0),
        Position(0, SEGMENT_HEADER_BYTES, journal.FIRST_CHAIN, 1),
    ):
        error = refused(disk, folder, ledger_id, start)
        assert error.code == "journal.chain"
        assert segment_name(0) in error.detail


def test_a_unit_of_an_unknown_type_is_not_read_as_blocks(disk, folder, ledger_id):
    """A later version may write other units; this one must neither skip them nor take them for its own."""
    _, end = write(disk, folder, ledger_id, [[block(1)]])
    payload = b"something else"
    fields = (2, len(payload), end.height, journal.chain_hash(end.chain, payload))
    head = struct.pack(">4sIIIQ32s", b"HJU\0", 0, *fields)
    segments = Segments(disk, folder, ledger_id)
    crc = crc32c(payload, crc32c(head[8:], segments.header(0).salt))
    segments.close()
    unit = struct.pack(">4sIIIQ32s", b"HJU\0", crc, *fields) + payload
    file = disk.open(folder / segment_name(0))
    file.write(end.offset, unit)
    file.close()
    scan, units = scanned(disk, folder, ledger_id)
    assert len(units) == 1
    assert "type, 2" in scan.broken.reason


# Every byte


def pieces(disk, folder, ledger):
    """What each byte of the journal is: segment, offset, kind, and the number of the unit it belongs to."""
    _, units = scanned(disk, folder, ledger)
    count = len(disk.names(folder))
    owner = {}
    for number, (_, blocks) in enumerate(units):
        first = blocks[0][1]
        begin = first.offset - 4 - UNIT_HEADER_BYTES
        end = blocks[-1][1].offset + blocks[-1][1].length
        owner |= {(first.segment, offset): number for offset in range(begin, end)}
    for segment in range(count):
        for offset in range((folder / segment_name(segment)).stat().st_size):
            kind = "header" if offset < SEGMENT_HEADER_BYTES else "unit" if (segment, offset) in owner else "zeros"
            yield segment, offset, kind, owner.get((segment, offset), -1)


@pytest.mark.parametrize("flip", [0x01, 0x80, 0xFF])
def test_a_flipped_byte_is_never_accepted(disk, scratch, small, ledger_id, flip):
    """Every byte of a journal of several segments.

    Refused by code and segment, or, from the last unit on, reported as broken with all before it intact.
    """
    folder = scratch / "journal"
    journal.create(disk, folder, ledger_id)
    _, end = write(disk, folder, ledger_id, UNITS[:5])
    _, whole = scanned(disk, folder, ledger_id)
    last, last_segment = len(whole) - 1, end.segment
    assert last_segment == 2
    files = {number: disk.open(folder / segment_name(number)) for number in range(last_segment + 1)}
    tally = dict.fromkeys(("refused", "broken"), 0)
    for segment, offset, kind, unit in list(pieces(disk, folder, ledger_id)):
        if 100 < offset < SEGMENT_HEADER_BYTES and offset % 50:
            continue  # all these are the header's zeros
        (byte,) = files[segment].read(offset, 1)
        files[segment].write(offset, bytes([byte ^ flip]))
        where = f"{segment_name(segment)}, byte {offset} ({kind})"
        try:
            scan, units = scanned(disk, folder, ledger_id)
        except HansaError as error:
            tally["refused"] += 1
            assert error.code in ("journal.header", "journal.format", "journal.corrupt", "journal.chain"), where
            assert segment_name(segment) in error.detail, where
        else:
            tally["broken"] += 1
            assert segment == last_segment, f"{where} is accepted"
            assert unit == last or kind == "zeros", f"{where} is accepted"
            assert scan.broken is not None, f"{where} is accepted"
            assert scan.broken.segment == segment, where
            assert scan.broken.offset <= offset < scan.broken.end, where
            assert units == whole[: last if unit == last else last + 1], where
        files[segment].write(offset, bytes([byte]))
    for file in files.values():
        file.close()
    assert scanned(disk, folder, ledger_id)[1] == whole
    assert tally["refused"] > 1000
    assert tally["broken"] > 200


def test_a_segment_cut_anywhere(disk, scratch, small, ledger_id):
    """Shortened files: behind the last unit harmless, inside it broken, before it refused."""
    folder = scratch / "journal"
    journal.create(disk, folder, ledger_id)
    _, end = write(disk, folder, ledger_id, UNITS[:5])
    _, whole = scanned(disk, folder, ledger_id)
    last = whole[-1]
    for number in range(end.segment + 1):
        path = folder / segment_name(number)
        data = path.read_bytes()
        used = max(
            b.offset + b.length for _, blocks in whole for _, b in blocks if b.segment == number
        )  # fmt: skip
        for length in range(0, len(data), 3):
            path.write_bytes(data[:length])
            try:
                scan, units = scanned(disk, folder, ledger_id)
            except HansaError as error:
                assert error.code in ("journal.header", "journal.corrupt", "journal.chain")
                assert f"{number:08d}" in error.detail or f"{number + 1:08d}" in error.detail
                assert length < used
            else:
                if length >= used:
                    assert (units, scan.broken) == (whole, None)
                elif number == end.segment and length >= last[0].offset:
                    assert units == whole[:-1]
                    assert scan.broken is not None or length == last[0].offset
                else:
                    # Only a cut exactly between two units of the last segment leaves no trace in the journal:
                    # then state, rows or checkpoints must know of more.
                    assert number == end.segment
                    assert length == scan.position.offset
                    assert scan.broken is None
        path.write_bytes(data)


# Torn units


def test_a_torn_last_unit_is_cut_and_kept(disk, folder, ledger_id, tmp_path):
    _, end = write(disk, folder, ledger_id, [[block(1, 5)], [block(2, 5)]])
    _, after = write(disk, folder, ledger_id, [[block(9, 100)]], end)
    path = folder / segment_name(0)
    data = bytearray(path.read_bytes())
    data[end.offset + 100 : end.offset + 140] = bytes(40)
    path.write_bytes(data)
    torn = bytes(data[end.offset : after.offset])
    scan, units = scanned(disk, folder, ledger_id)
    assert len(units) == 2
    assert scan.position == end
    assert (scan.broken.segment, scan.broken.offset, scan.broken.end) == (0, end.offset, after.offset)
    kept = journal.cut(disk, folder, scan.broken, tmp_path / "cut")
    assert read_whole(disk, kept) == torn
    scan, units = scanned(disk, folder, ledger_id)
    assert (len(units), scan.position, scan.broken) == (2, end, None)
    _, later = write(disk, folder, ledger_id, [[block(10)]], end)
    scan, units = scanned(disk, folder, ledger_id)
    assert (len(units), scan.position, scan.broken) == (3, later, None)


@pytest.mark.parametrize("zeroed", [(0, 4), (0, 56), (0, 300), (8, 20), (60, 61)])
def test_a_damaged_unit_before_a_whole_one_is_refused(disk, folder, ledger_id, zeroed):
    """Such a thing no crash leaves, because a unit is written only after the one before it is synced."""
    _, end = write(disk, folder, ledger_id, [[block(1, 30)]])
    _, middle = write(disk, folder, ledger_id, [[block(2, 60)]], end)
    write(disk, folder, ledger_id, [[block(3, 60)]], middle)
    path = folder / segment_name(0)
    data = bytearray(path.read_bytes())
    first, stop = (end.offset + at for at in zeroed)
    stop = min(stop, middle.offset)
    data[first:stop] = bytes(stop - first)
    path.write_bytes(data)
    error = refused(disk, folder, ledger_id)
    assert error.code == "journal.corrupt"
    assert str(middle.offset) in error.detail
    assert (error.fields["segment"], error.fields["offset"]) == (0, end.offset)


def forged_unit():
    """Bytes that a member may put into a transaction's arguments, and that are a unit but for the segment's salt."""
    payload = b"anything"
    fields = (1, len(payload), 10**9, bytes(32))
    head = struct.pack(">4sIIIQ32s", b"HJU\0", 0, *fields)
    return struct.pack(">4sIIIQ32s", b"HJU\0", crc32c(payload, crc32c(head[8:])), *fields) + payload


def test_a_torn_unit_that_holds_what_looks_like_a_unit_is_still_only_torn(disk, folder, ledger_id):
    """An ordinary crash in mid-write: the first sectors of the unit did not reach the disk, the later ones did."""
    _, end = write(disk, folder, ledger_id, UNITS[:1])
    write(disk, folder, ledger_id, [[b"an envelope that carries " + forged_unit()]], end)
    file = disk.open(folder / segment_name(0))
    file.write(end.offset, bytes(UNIT_HEADER_BYTES))
    file.close()
    scan, units = scanned(disk, folder, ledger_id)
    assert len(units) == 1
    assert scan.broken is not None


@pytest.mark.parametrize("name", ["old.segment", "00000001 (copy).segment", "0000000x.segment"])
def test_other_files_in_the_folder_are_no_segments(disk, folder, ledger_id, name):
    write(disk, folder, ledger_id, UNITS)
    (folder / name).write_bytes(b"what a person or a backup tool left there")
    try:
        _, units = scanned(disk, folder, ledger_id)
    except HansaError:
        return
    assert len(units) == len(UNITS)
