"""The disk: filesystems that never sync or lie elsewhere, syncs too fast and too slow, no room."""

import os

import pytest
from tests.faults.faulty import FaultyFiles, nth

from hansa.doctor import disk
from hansa.doctor.machine import Machine, Room
from hansa.node.node import RESERVE_BYTES
from hansa.store.files import Disk


class Timed(Disk):
    """A disk whose sync takes so long by the machine's stopwatch."""

    def __init__(self, machine, *sync_ms):
        self.machine = machine
        self.sync_ms = list(sync_ms)
        self.syncs = 0

    def create_zeroed(self, path, size):
        return _Timed(super().create_zeroed(path, size), self)


class _Timed:
    def __init__(self, file, files):
        self.file = file
        self.files = files

    def write(self, offset, data):
        self.file.write(offset, data)

    def sync(self):
        files = self.files
        files.machine.ticks += files.sync_ms[min(files.syncs, len(files.sync_ms) - 1)] / 1000
        files.syncs += 1

    def close(self):
        self.file.close()


def mounted(machine, root, kind, options="rw"):
    line = f"40 27 0:50 / {root} {options},relatime - {kind} what {options}\n"
    machine.tell("proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n" + line)
    return disk.filesystem(machine, root)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [("ext4", "ok"), ("xfs", "ok"), ("tmpfs", "fail"), ("ramfs", "fail"), ("nfs4", "fail"), ("cifs", "fail"),
     ("9p", "fail"), ("overlay", "warn"), ("fuse.sshfs", "warn")],
)  # fmt: skip
def test_the_filesystem(machine, tmp_path, kind, verdict):
    found = mounted(machine, tmp_path, kind)
    assert found.verdict == verdict
    assert found.seen.startswith(f"{kind} at {tmp_path}")


@pytest.mark.parametrize("option", ["nobarrier", "barrier=0", "ro"])
def test_mount_options(machine, tmp_path, option):
    assert mounted(machine, tmp_path, "ext4", f"rw,{option}").verdict == "fail"


def test_a_filesystem_that_is_not_told(machine, tmp_path):
    machine.tell("proc/self/mountinfo", None)
    assert disk.filesystem(machine, tmp_path).verdict == "unknown"
    machine.tell("proc/self/mountinfo", "no such line\n\n")
    assert disk.filesystem(machine, tmp_path).verdict == "unknown"


def test_a_mount_whose_name_has_a_blank_and_one_that_hides_another(machine, tmp_path):
    place = tmp_path / "my disk"
    place.mkdir()
    written = str(place).replace(" ", "\\040")
    lines = [f"{n} 27 0:{n} / {written} rw - {kind} x rw" for n, kind in ((40, "ext4"), (41, "tmpfs"))]
    machine.tell("proc/self/mountinfo", "27 1 254:0 / / rw - ext4 /dev/vda rw\n" + "\n".join(lines))
    assert disk.filesystem(machine, place / "not" / "there").seen == f"tmpfs at {place}, which is memory"


@pytest.mark.parametrize("write", [lambda name: name, lambda name: "".join(f"\\{b:03o}" for b in name.encode())])
def test_a_mount_whose_name_is_not_ascii(machine, tmp_path, write):
    """The kernel writes some bytes of a name in octal, and all others as they are."""
    place = tmp_path / "gr\u00fc\u00dfe\u00a0\u6e2f"
    place.mkdir()
    path = machine.proc / "self" / "mountinfo"
    line = f"40 27 0:50 / {tmp_path}/{write(place.name)} rw - tmpfs x rw\n"
    path.write_text("27 1 254:0 / / rw - ext4 /dev/vda rw\n" + line, "utf-8")
    assert disk.filesystem(machine, place).seen == f"tmpfs at {place}, which is memory"


@pytest.mark.parametrize(
    ("sync_ms", "verdict", "said"),
    [((0.0001,), "fail", "too fast for any device"), ((0.1,), "ok", "p50 0.100 ms"), ((19,), "ok", ""),
     ((25,), "warn", "p50 25.000 ms"), ((1, 400, 1), "warn", "it stalls")],
)  # fmt: skip
def test_syncs(machine, tmp_path, sync_ms, verdict, said):
    found = disk.sync(machine, Timed(machine, *sync_ms), tmp_path)
    assert found.verdict == verdict
    assert said in found.seen
    assert list(tmp_path.iterdir()) == []


def test_a_slow_disk_says_what_to_expect_and_is_not_waited_for(machine, tmp_path):
    files = Timed(machine, 125)
    found = disk.sync(machine, files, tmp_path)
    assert files.syncs == 1 + disk.SYNC_SECONDS_MAX * 8
    assert "about 8 a second" in found.why


@pytest.mark.parametrize(("rotational", "verdict"), [("1", "warn"), ("0", "ok")])
@pytest.mark.parametrize("partition", [False, True])
def test_a_rotating_disk_that_answers_at_once(machine, tmp_path, rotational, verdict, partition):
    device = machine.device(tmp_path)
    machine.tell(f"sys/dev/block/{device}/{'partition' if partition else 'queue/rotational'}", rotational)
    if partition:
        machine.tell("sys/dev/block/queue/rotational", rotational)
    assert disk.sync(machine, Timed(machine, 0.2), tmp_path).verdict == verdict
    assert disk.sync(machine, Timed(machine, 8), tmp_path).verdict == "ok"


@pytest.mark.parametrize("plan", [nth("sync", 3), nth("write", 5)])
def test_a_disk_that_gives_an_error(machine, tmp_path, plan):
    found = disk.sync(machine, FaultyFiles(plan), tmp_path)
    assert found.verdict == "fail"
    assert os.strerror(5) in found.seen


def test_a_file_in_the_folders_place(machine, tmp_path):
    (tmp_path / "file").write_text("x")
    assert disk.sync(machine, Disk(), tmp_path / "file").verdict == "fail"


def test_the_folder_is_left_as_it_is_to_its_time_of_change(machine, tmp_path):
    if disk._nameless(tmp_path) is None:
        pytest.skip("no files without a name here")
    os.utime(tmp_path, ns=(0, 0))
    before = tmp_path.stat()
    assert disk.sync(machine, Disk(), tmp_path).verdict in ("ok", "fail"), "the stopwatch stands"
    assert tmp_path.stat() == before


def test_where_every_file_has_a_name_nothing_is_left_either(machine, tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "_nameless", lambda _: None)
    assert disk.sync(machine, Timed(machine, 0.1), tmp_path).verdict == "ok"
    assert list(tmp_path.iterdir()) == []


def test_syncs_that_are_turned_off(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", "/usr/lib/libeatmydata.so")
    assert disk.sync(machine, Disk(), tmp_path).verdict == "fail"


@pytest.mark.parametrize(
    ("room", "verdict"),
    [
        (Room(RESERVE_BYTES - 1, 9_999), "fail"),
        (Room(RESERVE_BYTES, 9_999), "warn"),
        (Room(4 * RESERVE_BYTES - 1, None), "warn"),
        (Room(1 << 40, None), "ok"),
        (Room(1 << 40, 1_000), "ok"),
        (Room(1 << 40, 999), "fail"),
    ],
)
def test_room(machine, tmp_path, room, verdict):
    machine.room = lambda _: room
    assert disk.space(machine, tmp_path / "not" / "there").verdict == verdict


def test_this_machine_is_asked_for_its_room(tmp_path):
    assert Machine().room(tmp_path).bytes_free > 0
