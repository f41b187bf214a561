"""Doctor: each check by itself, what is wrong named with what to do, and nothing changed."""

import os
import platform
import shutil
import time
from types import SimpleNamespace

import pytest

from hansa.client import keys as key_files
from hansa.node import doctor
from hansa.node.clock import AHEAD_MS_MAX, BEHIND_MS_MAX
from hansa.node.create import CHECKPOINT_KEY
from hansa.node.doctor import examine
from hansa.node.node import RESERVE_BYTES

HOUR_MS = 3_600_000


def check(root, name):
    """The check of this name; what is not good says what to do."""
    checks = examine(root)
    for one in checks:
        assert one.seen
        assert bool(one.fix) == (one.verdict != "good")
    (found,) = [one for one in checks if one.name == name]
    return found


def contents(root):
    return {str(p): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_a_sound_ledger_is_good_and_left_as_it_is(ledger):
    before = contents(ledger.root)
    found = {one.name: one.verdict for one in examine(ledger.root)}
    assert list(found) == ["python", "disk sync", "disk space", "format", "keys", "journal", "clock"]
    assert {found[name] for name in ("format", "keys", "journal", "clock")} == {"good"}
    assert contents(ledger.root) == before


def test_a_new_ledger_has_no_clock_to_compare(make_ledger):
    ledger = make_ledger(deployed=False)
    assert [one.name for one in examine(ledger.root)][-2:] == ["keys", "journal"]
    assert check(ledger.root, "journal").seen == "0 entries in 1 segment(s), every checksum right"


def test_no_ledger(tmp_path):
    for root in (tmp_path, tmp_path / "deep" / "deeper"):
        found = check(root, "ledger")
        assert (found.verdict, found.fix) == ("unknown", "make one with `hansa up`")
    assert list(tmp_path.iterdir()) == []


def test_the_platform(ledger, monkeypatch):
    assert platform.python_version() in check(ledger.root, "python").seen
    monkeypatch.setattr(doctor, "sys", SimpleNamespace(platform="darwin"))
    assert check(ledger.root, "python").verdict == "warning"


@pytest.mark.parametrize(
    ("sync_ms", "verdict"), [(0.0001, "warning"), (1.0, "good"), (19.0, "good"), (25.0, "warning")]
)
def test_the_disk(ledger, monkeypatch, sync_ms, verdict):
    now = 0.0

    def tick():
        nonlocal now
        now += sync_ms / 1000
        return now

    monkeypatch.setattr(doctor, "time", SimpleNamespace(perf_counter=tick, time_ns=time.time_ns))
    assert check(ledger.root, "disk sync").verdict == verdict


def test_a_disk_that_takes_nothing(ledger, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(doctor.DiskFile, "sync", full)
    found = check(ledger.root, "disk sync")
    assert found.verdict == "bad"
    assert "No space left on device" in found.seen


def test_a_file_in_the_folders_place(tmp_path):
    (tmp_path / "file").write_text("x")
    assert check(tmp_path / "file", "disk sync").verdict == "bad"


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(RESERVE_BYTES - 1, "bad"), (RESERVE_BYTES, "warning"), (4 * RESERVE_BYTES - 1, "warning"), (1 << 40, "good")],
)
def test_free_space(ledger, monkeypatch, free, verdict):
    monkeypatch.setattr(doctor.Disk, "free_bytes", lambda *_: free)
    assert check(ledger.root, "disk space").verdict == verdict


@pytest.mark.parametrize("kind", ["another", "empty", "folder"])
def test_a_format_that_cannot_be_read(ledger, kind):
    ledger.folder.format.unlink()
    if kind == "folder":
        ledger.folder.format.mkdir()
    else:
        ledger.folder.format.write_bytes(b"hansa ledger folder, format 9\n" if kind == "another" else b"")
    assert [one.name for one in examine(ledger.root)][-1] == "format"
    assert check(ledger.root, "format").verdict == "bad"


def test_a_running_node_is_seen(ledger, play):
    async def scenario(session):
        assert "a node runs over it" in check(ledger.root, "format").seen
        assert check(ledger.root, "journal").verdict == "good"

    play(ledger, scenario)
    assert "a node runs" not in check(ledger.root, "format").seen


def test_keys_that_others_can_read(ledger):
    path = ledger.folder.keys / "members" / "acme.pem"
    path.chmod(0o640)
    found = check(ledger.root, "keys")
    assert (found.verdict, found.fix) == ("bad", f"chmod 600 {path}")
    os.chmod(path, 0o600)
    assert check(ledger.root, "keys").verdict == "good"


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"no key")])
def test_a_checkpoint_key_that_cannot_sign(ledger, damage):
    path = ledger.folder.keys / CHECKPOINT_KEY
    damage(path)
    found = check(ledger.root, "keys")
    assert found.verdict == "bad"
    assert str(path) in found.fix


def test_a_checkpoint_key_of_another_ledger(ledger):
    path = ledger.folder.keys / CHECKPOINT_KEY
    path.unlink()
    key_files.save(key_files.generate("p256"), path)
    found = check(ledger.root, "keys")
    assert found.verdict == "bad"
    assert "not a checkpoint key of this ledger" in found.seen


def test_a_changed_byte_of_the_journal_is_named(history):
    segment = history.folder.journal / "00000001.segment"
    data = bytearray(segment.read_bytes())
    data[6_000] ^= 1
    segment.write_bytes(data)
    found = check(history.root, "journal")
    assert found.verdict == "bad"
    assert "00000001.segment, byte " in found.seen
    assert f"hansa audit {history.root}" in found.fix


@pytest.mark.parametrize("name", ["journal", "journal/00000000.segment", "genesis.cbor", "keys", "state", "tiles"])
@pytest.mark.parametrize("kind", ["missing", "folder", "file"])
def test_whatever_is_missing_or_misplaced_it_goes_on(ledger, name, kind):
    path = ledger.root / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.write_bytes(b"x")
    verdicts = {one.name: one.verdict for one in examine(ledger.root)}
    if name.startswith("journal"):
        assert verdicts["journal"] == "bad"
    if name == "keys":
        assert verdicts["keys"] == "bad"


def test_a_torn_last_unit_is_no_damage(ledger, parts):
    with parts(ledger) as recovered:
        end = recovered.end
    segment = ledger.folder.journal / f"{end.segment:08d}.segment"
    data = bytearray(segment.read_bytes())
    data[end.offset : end.offset + 4] = b"HJU\0"
    segment.write_bytes(data)
    found = check(ledger.root, "journal")
    assert (found.verdict, found.fix) == ("warning", "start the node: it keeps the rest aside")


@pytest.mark.parametrize(
    ("ahead_ms", "verdict"),
    [
        (HOUR_MS, "good"),
        (0, "good"),
        (-BEHIND_MS_MAX - HOUR_MS, "bad"),
        (AHEAD_MS_MAX - HOUR_MS, "good"),
        (AHEAD_MS_MAX + HOUR_MS, "warning"),
    ],
)
def test_the_clock_against_the_ledger(ledger, monkeypatch, ahead_ms, verdict):
    set_ahead(monkeypatch, ahead_ms)
    assert check(ledger.root, "clock").verdict == verdict


def set_ahead(monkeypatch, ahead_ms):
    clock = SimpleNamespace(perf_counter=time.perf_counter, time_ns=lambda: time.time_ns() + ahead_ms * 1_000_000)
    monkeypatch.setattr(doctor, "time", clock)


def test_an_idle_ledger_that_was_stopped_lately(ledger, monkeypatch):
    """As at a start: a clean stop is a sign of life too, and a node that runs needs no word about its start."""
    set_ahead(monkeypatch, AHEAD_MS_MAX + HOUR_MS)
    stopped = time.time_ns() // 1_000_000 + AHEAD_MS_MAX
    ledger.folder.clock.write_text(f'{{"stopped": {stopped}}}')
    assert check(ledger.root, "clock").verdict == "good"


def test_a_running_node_needs_no_word_about_its_start(ledger, play, monkeypatch):
    async def scenario(session):
        set_ahead(monkeypatch, AHEAD_MS_MAX + HOUR_MS)
        assert check(ledger.root, "clock").verdict == "good"

    play(ledger, scenario)
