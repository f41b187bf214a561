"""`store.folder`: one node at a time, one format, and that a ledger is there whole or not at all."""

import os
import subprocess
import sys

import pytest

from hansa.store import folder as folder_module
from hansa.store import journal
from hansa.store.folder import FORMAT, Folder, Lock, is_locked, signer_lock
from hansa.wire.problems import HansaError


def test_create_lays_out_a_ledger(disk, tmp_path, ledger_id):
    folder = Folder(tmp_path / "ledger")
    with pytest.raises(HansaError) as none:
        folder.check_format(disk)
    assert none.value.code == "folder.none"
    assert not folder.exists()
    folder.create(disk, b"genesis", ledger_id)
    assert folder.exists()
    folder.check_format(disk)
    assert folder.genesis.read_bytes() == b"genesis"
    assert folder.format.read_bytes() == FORMAT
    assert journal.read_ledger(disk, folder.journal) == ledger_id
    assert folder.root.stat().st_mode & 0o777 == 0o700
    with pytest.raises(HansaError) as taken:
        folder.create(disk, b"another", ledger_id)
    assert taken.value.code == "folder.taken"
    assert folder.genesis.read_bytes() == b"genesis"


def test_the_format_comes_last(disk, tmp_path, ledger_id):
    """Whatever fails before it, there is no ledger."""
    synced = []

    class Spy(type(disk)):
        def rename(self, old, new):
            synced.append(new.name)
            super().rename(old, new)

    Folder(tmp_path / "ledger").create(Spy(), b"genesis", ledger_id)
    assert synced == ["00000000.segment", "genesis.cbor", "format"]


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


def test_signer_lock_is_one_for_a_key(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert signer_lock(b"\1" * 32) == signer_lock(b"\1" * 32) != signer_lock(b"\2" * 32)
    assert signer_lock(b"\1" * 32).is_relative_to(tmp_path)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setattr(folder_module.tempfile, "gettempdir", lambda: str(tmp_path / "t"))
    assert signer_lock(b"\1" * 32).is_relative_to(tmp_path / "t")
