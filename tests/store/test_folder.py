"""`store.folder`: one node at a time, one format, and that a ledger is there whole or not at all."""

import errno
import fcntl
import os
import shutil
import subprocess
import sys

import pytest

from faults.faulty import FaultyFiles, nth
from hansa.store import folder as folder_module
from hansa.store import journal
from hansa.store.checkpoints import Checkpoints
from hansa.store.files import Disk
from hansa.store.folder import FORMAT, Folder, Lock, is_locked, new_folder, signer_lock, unfinished
from hansa.store.rows import Rows
from hansa.store.state import State
from hansa.wire.problems import HansaError


def test_create_lays_out_a_ledger(disk, tmp_path, ledger_id):
    folder = Folder(tmp_path / "ledger")
    with pytest.raises(HansaError) as none:
        folder.check_format(disk)
    assert none.value.code == "folder.none"
    with new_folder(disk, folder.root) as new:
        new.create(disk, b"genesis", ledger_id)
        assert not folder.exists()
    assert folder.exists()
    folder.check_format(disk)
    assert folder.genesis.read_bytes() == b"genesis"
    assert folder.format.read_bytes() == FORMAT
    assert journal.read_ledger(disk, folder.journal) == ledger_id
    assert list(tmp_path.iterdir()) == [folder.root]


def test_the_format_comes_last(disk, tmp_path, ledger_id):
    """Whatever fails before it, there is no ledger; and only then the folder gets its name."""
    named = []

    class Spy(type(disk)):
        def rename(self, old, new):
            named.append(new.name)
            super().rename(old, new)

    with new_folder(Spy(), tmp_path / "ledger") as new:
        new.create(Spy(), b"genesis", ledger_id)
    assert named == ["00000000.segment", "genesis.cbor", "format", "ledger"]


# A folder in the making


def make(files, root):
    with new_folder(files, root) as new:
        (new.root / "keys").mkdir()
        new.create(files, b"genesis", b"1" * 32)


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_whatever_fails_in_the_making_nothing_is_left(tmp_path, code):
    """At every operation on the disk; an empty folder that was there stays, and the next attempt succeeds."""
    root, fired = tmp_path / "ledger", set()
    for kind in ("make_folder", "open", "write", "sync", "rename", "sync_folder"):
        number = 0
        while True:
            root.mkdir()
            files = FaultyFiles(nth(kind, number, code))
            try:
                make(files, root)
            except HansaError as error:
                assert error.code == ("disk.full" if code == errno.ENOSPC else "folder.access")
            else:
                assert not files.fired
            assert [path.name for path in tmp_path.iterdir()] == ["ledger"]
            if files.fired and list(root.iterdir()):  # the name stands already, and is not known to be durable
                assert files.fired == [("sync_folder", tmp_path.name)]
            shutil.rmtree(root)
            if not files.fired:
                break
            fired.add(kind)
            number += 1
    assert len(fired) == 6
    make(Disk(), root)
    assert Folder(root).exists()


def test_what_a_killed_process_left_is_removed_first(tmp_path):
    """Killed at every operation on the disk: the folder is there whole or not, and the next attempt goes through."""
    root, whole = tmp_path / "ledger", 0
    for number in range(200):
        child = os.fork()
        if not child:
            count = [0]

            def plan(*_, count=count, number=number):
                if count[0] == number:
                    os._exit(9)
                count[0] += 1
                return 0

            try:
                make(FaultyFiles(plan), root)
            finally:
                os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) == 0:
            break
        if root.exists():
            whole += 1
            assert Folder(root).exists()
            with pytest.raises(HansaError) as error:
                make(Disk(), root)
            assert error.value.code == "folder.taken"
        else:
            make(Disk(), root)
        assert [path.name for path in tmp_path.iterdir()] == ["ledger"]
        assert (root / "keys").is_dir()
        shutil.rmtree(root)
    assert number > 20
    assert whole


def test_a_folder_that_another_process_makes_is_left_alone(tmp_path):
    root = tmp_path / "ledger"
    code = (
        "import sys, pathlib; from hansa.store.files import Disk; from hansa.store.folder import new_folder\n"
        "with new_folder(Disk(), pathlib.Path(sys.argv[1])) as new:\n"
        "    (new.root / 'key').write_text('x'); print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(HansaError) as error:
            make(Disk(), root)
        assert error.value.code == "folder.locked"
        assert (unfinished(root) / "key").exists()
        process.kill()
    make(Disk(), root)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ledger"]


@pytest.mark.parametrize("there", ["ledger", "things", "file"])
def test_what_stands_there_is_never_replaced(tmp_path, there):
    """Also if it came while the folder was made."""
    root = tmp_path / "ledger"
    with pytest.raises(HansaError) as error, new_folder(Disk(), root):
        if there == "file":
            root.write_text("x")
        else:
            root.mkdir()
            (root / ("format" if there == "ledger" else "things")).write_bytes(FORMAT)
    assert error.value.code == "folder.access"
    with pytest.raises(HansaError) as error:
        make(Disk(), root)
    assert error.value.code == ("folder.taken" if there == "ledger" else "folder.foreign")
    assert [path.name for path in tmp_path.iterdir()] == ["ledger"]


def test_a_link_to_an_empty_folder_is_followed(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "far")
    make(Disk(), tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert Folder(tmp_path / "far").exists()


def test_what_a_ledger_holds_is_for_its_owner(tmp_path):
    """However open the folder that was there, and the umask."""
    root = tmp_path / "ledger"
    root.mkdir(mode=0o755)
    before = os.umask(0)
    try:
        make(Disk(), root)
        State(root / "state", lambda *_: ()).close()
        rows = Rows(Disk(), root / "tiles")
        rows.write([(0, 0, bytes(32))])
        rows.close()
        Checkpoints(Disk(), root / "checkpoints", bytes(32)).close()
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (root, *root.rglob("*")) if path.name != "keys"}
    assert {"data.mdb", "lock.mdb", "row-1", "checkpoints", "00000000.segment", "format"} <= set(modes)
    for path in root.rglob("*"):
        if path.name != "keys":
            assert modes[path.name] == (0o700 if path.is_dir() else 0o600), path
    assert modes["ledger"] == 0o700


@pytest.mark.parametrize("found", [b"", b"hansa ledger folder, format 1\n", FORMAT[:-1], FORMAT + b"\n", b"\xff" * 500])
def test_another_format_is_refused(disk, tmp_path, found):
    folder = Folder(tmp_path)
    folder.format.write_bytes(found)
    with pytest.raises(HansaError) as error:
        folder.check_format(disk)
    assert error.value.code == "folder.format"


def test_a_second_lock_is_refused(tmp_path):
    path = tmp_path / "deep" / "lock"
    assert not is_locked(path)
    first = Lock(path)
    assert is_locked(path)
    with pytest.raises(HansaError) as error:
        Lock(path)
    assert error.value.code == "folder.locked"
    assert str(os.getpid()) in error.value.detail
    first.release()
    assert path.exists()
    assert not is_locked(path)
    Lock(path).release()


def test_a_shared_lock_bears_others_of_its_kind_and_writes_nothing(tmp_path):
    path = tmp_path / "lock"
    with pytest.raises(HansaError) as error:
        Lock(path, shared=True)
    assert error.value.code == "folder.lock"
    path.write_bytes(b"5\n")
    first, second = Lock(path, shared=True), Lock(path, shared=True)
    assert not is_locked(path)
    with pytest.raises(HansaError) as error:
        Lock(path)
    assert error.value.code == "folder.locked"
    assert path.read_bytes() == b"5\n"
    first.release()
    second.release()
    alone = Lock(path)
    with pytest.raises(HansaError) as error:
        Lock(path, shared=True)
    assert error.value.code == "folder.locked"
    alone.release()


def test_a_folder_is_free_if_there_is_nothing_in_it(tmp_path):
    Folder(tmp_path).check_free()
    Folder(tmp_path / "new").check_free()
    (tmp_path / "file").write_bytes(b"x")
    for path, code in ((tmp_path, "folder.foreign"), (tmp_path / "file", "folder.foreign")):
        with pytest.raises(HansaError) as error:
            Folder(path).check_free()
        assert error.value.code == code
    (tmp_path / "format").write_bytes(FORMAT)
    with pytest.raises(HansaError) as error:
        Folder(tmp_path).check_free()
    assert error.value.code == "folder.taken"


def test_another_process_is_refused_and_a_dead_one_is_not(tmp_path):
    path = tmp_path / "lock"
    hold = (
        "import sys, pathlib; from hansa.store.folder import Lock; "
        "lock = Lock(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(HansaError) as error:
            Lock(path)
        assert error.value.code == "folder.locked"
        assert str(process.pid) in error.value.detail
        process.kill()
    Lock(path).release()


def test_a_lock_is_not_inherited(tmp_path):
    lock = Lock(tmp_path / "lock")
    assert not os.get_inheritable(lock._descriptor)
    lock.release()


def test_a_lock_that_is_a_link_or_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "lock").symlink_to(tmp_path / "target")
    with pytest.raises(HansaError) as error:
        Lock(tmp_path / "lock")
    assert error.value.code == "folder.lock"
    assert (tmp_path / "target").read_bytes() == b"precious"
    with pytest.raises(HansaError) as error:
        Lock(tmp_path / "target" / "lock")
    assert error.value.code == "folder.lock"


# Signer locks


def test_signer_lock_is_one_for_a_key(own_home, monkeypatch):
    """Whatever the environment says: a service and a shell have different ones."""
    lock = signer_lock(b"\1" * 32)
    assert lock.parent == own_home / ".hansa" / "signers"
    assert lock.parent.stat().st_mode & 0o777 == 0o700
    for name in ("XDG_RUNTIME_DIR", "TMPDIR", "HOME"):
        monkeypatch.setenv(name, "/somewhere")
    assert signer_lock(b"\1" * 32) == lock != signer_lock(b"\2" * 32)


@pytest.mark.parametrize("home", [None, "missing", "file"])
def test_without_a_home_signer_locks_lie_in_a_folder_of_this_users_own(tmp_path, monkeypatch, home):
    (tmp_path / "file").write_text("x")
    (tmp_path / "shared").mkdir()
    monkeypatch.setattr(folder_module, "account_home", lambda: home and tmp_path / home)
    monkeypatch.setattr(folder_module, "_SHARED", tmp_path / "shared")
    own = tmp_path / "shared" / f"hansa-{os.getuid()}"
    for _ in range(2):
        assert signer_lock(b"\1" * 32).parent == own
    assert own.stat().st_mode & 0o777 == 0o700
    own.chmod(0o755)
    with pytest.raises(HansaError) as error:
        signer_lock(b"\1" * 32)
    assert error.value.code == "folder.lock"
    own.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    own.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HansaError) as error:
        signer_lock(b"\1" * 32)
    assert error.value.code == "folder.lock"


def test_a_folder_of_somebody_else_holds_no_signer_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_module, "account_home", lambda: None)
    monkeypatch.setattr(folder_module, "_SHARED", tmp_path)
    signer_lock(b"\1" * 32)
    uid = os.getuid()
    (tmp_path / f"hansa-{uid}").rename(tmp_path / f"hansa-{uid + 1}")
    monkeypatch.setattr(folder_module.os, "getuid", lambda: uid + 1)
    with pytest.raises(HansaError) as error:
        signer_lock(b"\1" * 32)
    assert error.value.code == "folder.lock"


def test_a_passing_lock_takes_its_file_along(tmp_path, refused):
    path = tmp_path / "lock"
    first = Lock(path, passing=True)
    with refused("folder.locked"):
        Lock(path, passing=True)
    first.release()
    assert not path.exists()
    second = Lock(path, passing=True)
    with refused("folder.locked"):
        Lock(path, passing=True)
    second.release()


def test_a_lock_on_a_file_that_was_just_removed_is_none(tmp_path, monkeypatch):
    """Between opening and locking its holder may have removed it: then the next one locks another file."""
    path = tmp_path / "lock"
    holder = Lock(path, passing=True)
    flock, released = fcntl.flock, []

    def release_first(descriptor, operation):
        if not released:
            released.append(True)
            holder.release()
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", release_first)
    lock = Lock(path, passing=True)
    assert os.path.samestat(path.stat(), os.fstat(lock._descriptor))
    lock.release()
