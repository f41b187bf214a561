"""A ledger's folder: each check by itself, what is wrong named with why and what to do, and nothing changed."""

import os
import shutil
import subprocess
import time
from types import SimpleNamespace

import pytest
from tests.doctor.conftest import Faulty
from tests.node.conftest import FOUNDERS, Ledger

from hansa.client import keys as key_files
from hansa.doctor import keys, sample
from hansa.doctor import ledger as found_ledger
from hansa.doctor.examination import examine
from hansa.node.clock import AHEAD_MS_MAX, BEHIND_MS_MAX
from hansa.node.create import CHECKPOINT_KEY, NODE_KEY, create_ledger
from hansa.store.files import Disk
from hansa.store.folder import Folder, Lock
from hansa.store.rows import row_name

HOUR_MS = 3_600_000
MACHINE = [
    "python", "libraries", "processor", "memory", "open files", "filesystem", "disk sync", "disk space", "clock sync",
]  # fmt: skip
KEYS = ["checkpoint key", "node key", "keys"]
LEDGER = ["format", "key access", "journal", "clock", *KEYS, "sample audit"]
NODE = ["port", "node", "clock steady"]


class Unsynced(Disk):
    """Takes no time."""

    def create_zeroed(self, path, size):
        file = super().create_zeroed(path, 0)
        return SimpleNamespace(write=file.write, sync=lambda: None, close=file.close)


def examined(root, machine=None, **options):
    for one in examine(root, port=0, machine=machine, files=Unsynced(), **options):
        assert one.seen
        assert bool(one.fix) == bool(one.why) == (one.verdict != "ok")
        yield one


def checks(root, machine=None, **options):
    return {one.name: one for one in examined(root, machine, **options)}


def check(root, name, machine=None, **options):
    """The first check of a name; those behind it are not made."""
    return next(one for one in examined(root, machine, **options) if one.name == name)


def contents(root):
    return {str(p): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def test_a_sound_ledger_is_good_and_left_as_it_is(ledger):
    before = contents(ledger.root.parent)
    found = checks(ledger.root)
    assert list(found) == [*MACHINE, *LEDGER, *NODE]
    assert {found[name].verdict for name in LEDGER} == {"ok"}
    assert contents(ledger.root.parent) == before


def test_a_new_ledger_has_nothing_to_compare(make_ledger):
    ledger = make_ledger(deployed=False)
    found = checks(ledger.root)
    assert "clock" not in found
    assert found["journal"].seen == "0 entries in 1 segment(s), every checksum right"
    assert found["keys"].verdict == "unknown"
    assert found["checkpoint key"].verdict == "ok"


@pytest.mark.parametrize(("named", "verdict"), [(True, "fail"), (False, "unknown")])
def test_no_ledger(tmp_path, named, verdict):
    for root in (tmp_path, tmp_path / "deep" / "deeper"):
        found = checks(root, named=named)
        assert list(found) == [*MACHINE, "ledger", *NODE]
        assert found["ledger"].verdict == verdict
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["another", "empty", "folder"])
def test_a_format_that_cannot_be_read(ledger, kind):
    ledger.folder.format.unlink()
    if kind == "folder":
        ledger.folder.format.mkdir()
    else:
        ledger.folder.format.write_bytes(b"hansa ledger folder, format 9\n" if kind == "another" else b"")
    found = checks(ledger.root)
    assert found["format"].verdict == "fail"
    assert "journal" not in found


def test_a_running_node_is_seen(ledger, play):
    async def scenario(session):
        found = checks(ledger.root)
        assert "a node runs over it" in found["format"].seen
        assert found["journal"].verdict == "ok"
        assert found["sample audit"].verdict == "unknown", "it does not answer: there is no URL"

    play(ledger, scenario)
    assert "a node runs" not in check(ledger.root, "format").seen


# Keys


def test_keys_that_others_can_read(ledger):
    path = ledger.folder.keys / "members" / "acme.pem"
    path.chmod(0o640)
    found = check(ledger.root, "key access")
    assert (found.verdict, f"chmod 600 {path}" in found.fix) == ("fail", True)
    path.chmod(0o600)
    assert check(ledger.root, "key access").verdict == "ok"


@pytest.mark.parametrize("where", ["keys/checkpoint.key", "keys/members/acme.pem~", "old/key.txt", "copy"])
def test_a_copy_of_a_key_by_any_name(ledger, where):
    path = ledger.root / where
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"# saved\n" + (ledger.folder.keys / CHECKPOINT_KEY).read_bytes())
    path.chmod(0o644)
    found = check(ledger.root, "key access")
    assert (found.verdict, str(path) in found.seen) == ("fail", True)
    path.chmod(0o600)
    assert check(ledger.root, "key access").verdict == "ok"


@pytest.mark.parametrize("name", [".", "keys", "keys/members"])
@pytest.mark.parametrize(
    ("mode", "root_mode", "verdict"),
    [(0o777, 0o700, "fail"), (0o775, 0o750, "fail"), (0o755, 0o755, "ok")],
)
def test_a_folder_of_keys_that_others_can_write_into(ledger, name, mode, root_mode, verdict):
    ledger.root.chmod(root_mode)
    (ledger.root / name).chmod(mode)
    (ledger.folder.keys / CHECKPOINT_KEY).chmod(0o640)  # one does not hide the other
    found = checks(ledger.root)
    assert found["key access"].verdict == "fail"
    assert ("key folders" in found) == (verdict == "fail")
    if verdict == "fail":
        assert f"chmod 700 {ledger.root / name}" in found["key folders"].fix


def test_a_group_that_cannot_reach_the_folder_of_keys(ledger):
    """What a umask of 002 gives: the ledger's own folder keeps the group out."""
    ledger.root.chmod(0o700)
    ledger.folder.keys.chmod(0o775)
    assert "key folders" not in checks(ledger.root)


def test_files_beyond_those_that_are_searched(ledger, monkeypatch):
    monkeypatch.setattr(keys, "SEARCHED_MAX", 1)
    assert "only the first 1 were searched" in check(ledger.root, "key access").seen


def test_keys_of_another_user(ledger, machine):
    machine.user = lambda: os.getuid() + 1
    assert check(ledger.root, "key access", machine).verdict == "fail"


@pytest.mark.parametrize("name", [CHECKPOINT_KEY, NODE_KEY])
@pytest.mark.parametrize("damage", ["gone", "no key", "another"])
def test_a_nodes_key_that_is_not_the_ledgers(ledger, name, damage):
    path = ledger.folder.keys / name
    path.unlink()
    if damage == "no key":
        path.write_bytes(b"no key")
        path.chmod(0o600)
    elif damage == "another":
        key_files.save(key_files.generate("p256"), path)
    found = checks(ledger.root)
    assert found["checkpoint key" if name == CHECKPOINT_KEY else "node key"].verdict == "fail"
    assert found["keys"].verdict == {"gone": "ok", "no key": "fail", "another": "warn"}[damage]


def test_a_key_that_the_ledger_does_not_know(ledger):
    path = ledger.folder.keys / "members" / "stranger.pem"
    key_files.save(key_files.generate(), path)
    found = check(ledger.root, "keys")
    assert (found.verdict, str(path) in found.seen) == ("warn", True)


def test_keys_in_a_git_work_tree(ledger, machine):
    if shutil.which("git") is None:
        pytest.skip("no git here")
    assert "keys and git" not in checks(ledger.root)
    work = ledger.root.parent
    subprocess.run(["git", "init", "-q", str(work)], check=True)
    found = check(ledger.root, "keys and git")
    assert (found.verdict, f"'{ledger.root.name}/' >> .gitignore" in found.fix) == ("warn", True)
    (work / ".gitignore").write_text(f"{ledger.root.name}/\n")
    assert check(ledger.root, "keys and git").verdict == "ok"
    machine.git_ignores = lambda _: None
    assert check(ledger.root, "keys and git", machine).verdict == "unknown"


# The journal and what hangs on it


def test_a_changed_byte_of_the_journal_is_named(history):
    segment = history.folder.journal / "00000001.segment"
    data = bytearray(segment.read_bytes())
    data[6_000] ^= 1
    segment.write_bytes(data)
    found = checks(history.root)
    assert found["journal"].verdict == "fail"
    assert "00000001.segment, byte " in found["journal"].seen
    assert f"hansa audit {history.root}" in found["journal"].fix
    assert found["sample audit"].verdict == "unknown"


@pytest.mark.parametrize("name", ["journal", "journal/00000000.segment", "genesis.cbor", "keys", "state", "tiles"])
@pytest.mark.parametrize("kind", ["missing", "folder", "file"])
def test_whatever_is_missing_or_misplaced_it_goes_on(ledger, name, kind):
    path = ledger.root / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "file":
        path.write_bytes(b"x")
    found = checks(ledger.root)
    if name.startswith("journal"):
        assert found["journal"].verdict == "fail"
    elif name == "keys":
        assert found["checkpoint key"].verdict == "fail"
    else:
        assert found["journal"].verdict == "ok"


def test_a_torn_last_unit_is_no_damage(ledger, parts):
    with parts(ledger) as recovered:
        end = recovered.end
    segment = ledger.folder.journal / f"{end.segment:08d}.segment"
    data = bytearray(segment.read_bytes())
    data[end.offset : end.offset + 4] = b"HJU\0"
    segment.write_bytes(data)
    found = check(ledger.root, "journal")
    assert (found.verdict, found.fix) == ("warn", "Start the node: it keeps the rest aside.")


# The sample


def short(monkeypatch):
    """Makes every ledger a long one: a sample is taken of it."""
    monkeypatch.setattr(sample, "WHOLE_MAX", 0)


def test_a_sample_of_a_long_ledger(history, monkeypatch):
    short(monkeypatch)
    found = check(history.root, "sample audit")
    assert found.verdict == "ok"
    assert f"of {sample.of_stopped(history.folder).size:,} entries" in found.seen
    assert "none executed again" in found.seen


def test_a_short_ledger_is_audited_whole(ledger):
    found = check(ledger.root, "sample audit")
    assert (found.verdict, "executed again" in found.seen) == ("ok", True)


@pytest.mark.parametrize("long", [False, True])
def test_a_damaged_state_is_noticed(ledger, monkeypatch, long):
    if long:
        short(monkeypatch)
    data = ledger.folder.state / "data.mdb"
    found = bytearray(data.read_bytes())
    at = found.find(b"Acme")
    assert at > 0
    while at >= 0:
        found[at] ^= 1
        at = found.find(b"Acme", at)
    data.write_bytes(found)
    assert check(ledger.root, "sample audit").verdict == "fail"


def test_a_pipe_in_the_states_place_is_not_waited_for(ledger):
    path = ledger.folder.state / "data.mdb"
    path.unlink()
    os.mkfifo(path)
    found = check(ledger.root, "sample audit")
    assert (found.verdict, found.seen) == ("fail", f"{path} is not a file")


PIPES = {
    "node.json": "node file", "lock": "sample audit", "keys/checkpoint.pem": "checkpoint key",
    "keys/node.pem": "node key", "keys/members/acme.pem": "keys", "keys/more.pem": "keys",
    "genesis.cbor": "sample audit", "clock.json": "clock",
    "format": "format", "journal/00000000.segment": "journal", "checkpoints": "sample audit",
    "state.seal": "sample audit", "exclusions": "sample audit", "other": "sample audit",
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", PIPES)
def test_a_pipe_in_any_place_is_told_and_not_waited_for(ledger, name):
    path = ledger.root / name
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o600)
    found = check(ledger.root, PIPES[name])
    assert found.verdict in ("warn", "fail")
    assert str(path) in found.seen


def test_a_damaged_tree_is_noticed(history, monkeypatch):
    short(monkeypatch)
    row = history.folder.tiles / row_name(0)
    data = bytearray(row.read_bytes())
    for number in range(0, len(data), 32):
        data[number] ^= 1
    row.write_bytes(data)
    found = check(history.root, "sample audit")
    assert found.verdict == "fail"
    assert found.seen == "the tree's hashes do not give the root that the state has seen"


def test_a_finding_stops_no_more_than_it_must(ledger):
    """A sample that finds much says the first of it."""
    folder = Folder(ledger.root)
    shutil.copytree(folder.state, ledger.root / "was")
    sampled = sample.of_stopped(folder)
    assert sampled.findings == []
    told = sample.check(ledger.root, sample.Sampled(10, 3, 0, ["entry 2: wrong", "entry 1: wrong"], []), running=False)
    assert (told.verdict, told.seen) == ("fail", "entry 2: wrong; entry 1: wrong")
    assert sample.check(ledger.root, sample.Sampled(10, 3, 3, [], []), running=True).verdict == "unknown"


# The clock


@pytest.mark.parametrize(
    ("ahead_ms", "verdict"),
    [
        (HOUR_MS, "ok"),
        (0, "ok"),
        (-BEHIND_MS_MAX - HOUR_MS, "fail"),
        (AHEAD_MS_MAX - HOUR_MS, "ok"),
        (AHEAD_MS_MAX + HOUR_MS, "warn"),
    ],
)
def test_the_clock_against_the_ledger(ledger, machine, ahead_ms, verdict):
    machine.ahead_ms = ahead_ms
    assert check(ledger.root, "clock", machine).verdict == verdict


def test_an_idle_ledger_that_was_stopped_lately(ledger, machine):
    """As at a start: a clean stop is a sign of life too, and a node that runs needs no word about its start."""
    machine.ahead_ms = AHEAD_MS_MAX + HOUR_MS
    stopped = time.time_ns() // 1_000_000 + AHEAD_MS_MAX
    ledger.folder.clock.write_text(f'{{"stopped": {stopped}}}')
    assert check(ledger.root, "clock", machine).verdict == "ok"


def test_a_running_node_needs_no_word_about_its_start(ledger, play, machine):
    async def scenario(session):
        machine.ahead_ms = AHEAD_MS_MAX + HOUR_MS
        assert check(ledger.root, "clock", machine).verdict == "ok"

    play(ledger, scenario)


@pytest.mark.parametrize("ahead_ms", [-BEHIND_MS_MAX - HOUR_MS, 0, AHEAD_MS_MAX + HOUR_MS])
def test_the_clock_of_a_ledger_whose_time_is_told(tmp_path, machine, play, ahead_ms):
    root = tmp_path / "told"
    told = Ledger(root, create_ledger(Disk(), Folder(root), "Told", FOUNDERS, clock=1_800_000_000_000))

    async def scenario(session):
        pass

    play(told, scenario)
    machine.ahead_ms = ahead_ms
    found = check(root, "clock", machine)
    assert (found.verdict, "2027-01-15T08:00:00+00:00" in found.seen) == ("ok", True)


# A node of another ledger


class Answering:
    """A node as far as its status goes."""

    def __init__(self, ledger):
        self.ledger = ledger

    def get(self, path, **_):
        assert path == "/node/status", "nothing else is asked of another ledger's node"
        rest = {"healthy": True, "reasons": [], "warnings": [], "waiting": 0, "now": 1, "time": 1, "orderer": "solo"}
        return {"ledger": self.ledger, "state": "running", "entries": 7, "detail": "", **rest}


def test_a_node_of_another_ledger_is_named_and_asked_no_more(ledger, play):
    def look(**options):
        return checks(ledger.root, url="http://127.0.0.1:1", node=Answering("ab" * 32), **options)

    found = look()
    assert (found["same ledger"].verdict, ledger.id.hex() in found["same ledger"].seen) == ("fail", True)
    assert {found[name].verdict for name in (*KEYS, "sample audit")} == {"ok"}, "the folder's own"

    async def scenario(session):
        found = look()
        assert found["same ledger"].verdict == "fail"
        assert found["sample audit"].verdict == "unknown"

    play(ledger, scenario)


# A long journal


class Slow(Faulty):
    """Every look at the stopwatch is a second later."""

    def stopwatch(self):
        self.ticks += 1
        return self.ticks


def test_a_journal_is_read_for_so_long_and_then_its_last_segment(tmp_path, history, monkeypatch):
    told = []
    whole = check(history.root, "journal", tell=told.append)
    assert told == sorted(told)
    assert f"{told[-1]:,} entries" in whole.seen
    monkeypatch.setattr(found_ledger, "JOURNAL_S_MAX", 0.5)
    segments = len(list(history.folder.journal.glob("*.segment")))
    assert segments > 2, "else there is nothing to leave"
    found = checks(history.root, Slow(tmp_path / "machine"))
    assert found["journal"].seen.startswith(whole.seen)
    assert "of the first 1 and the last" in found["journal"].seen
    assert found["clock"].verdict == "ok"
    first = history.folder.journal / "00000000.segment"
    data = bytearray(first.read_bytes())
    data[len(data.rstrip(b"\0")) - 1] ^= 1
    first.write_bytes(data)
    assert check(history.root, "journal", Slow(tmp_path / "again")).verdict == "fail", "a segment is read whole"


# What was left


def test_what_a_killed_process_left(ledger):
    left = ledger.root.with_name(f".{ledger.root.name}.new")
    left.mkdir()
    found = check(ledger.root, "unfinished")
    assert (found.verdict, str(left) in found.fix) == ("warn", True)


@pytest.mark.parametrize("text", ['{"url": "http://127.0.0.1:1", "pid": 1}', "no JSON", "[]", '{"pid": "x"}'])
def test_a_node_file_without_a_node(ledger, text):
    ledger.folder.node.write_text(text)
    found = check(ledger.root, "node file")
    assert (found.verdict, ("process 1" in found.seen) == ("url" in text)) == ("warn", True)
    lock = Lock(ledger.folder.lock)
    try:
        assert "node file" not in checks(ledger.root)
    finally:
        lock.release()


def test_bytes_that_were_cut_off(ledger):
    ledger.folder.cut.mkdir()
    assert "cut" not in checks(ledger.root)
    (ledger.folder.cut / "some").write_bytes(b"x")
    assert check(ledger.root, "cut").verdict == "warn"
