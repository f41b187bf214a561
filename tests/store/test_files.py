"""`store.files`: what the operating system does with our bytes, and that no error is swallowed."""

import errno
import os

import pytest

from hansa.store import files as files_module
from hansa.store.files import read_whole, replace


def test_written_bytes_are_read_again(disk, tmp_path):
    file = disk.open(tmp_path / "a", create=True)
    file.write(5, b"hello")
    assert file.size() == 10
    assert file.read(0, 10) == b"\0\0\0\0\0hello"
    assert file.read(7, 100) == b"llo"
    assert file.read(10, 5) == b""
    file.write(6, b"E")
    file.sync()
    file.close()
    again = disk.open_to_read(tmp_path / "a")
    assert again.read(5, 5) == b"hEllo"
    with pytest.raises(OSError, match="Bad file descriptor"):
        again.write(0, b"x")
    again.close()


def test_truncate_cuts_and_extends(disk, tmp_path):
    file = disk.open(tmp_path / "a", create=True)
    file.write(0, b"0123456789")
    file.truncate(4)
    assert file.size() == 4
    file.truncate(8)
    assert file.read(0, 9) == b"0123\0\0\0\0"
    file.close()


def test_open_without_create_wants_a_file(disk, tmp_path):
    with pytest.raises(FileNotFoundError):
        disk.open(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        disk.open_to_read(tmp_path / "none")
    with pytest.raises(FileNotFoundError):
        read_whole(disk, tmp_path / "none")


def test_descriptors_are_not_inherited(disk, tmp_path):
    for file in (disk.open(tmp_path / "a", create=True), disk.open_to_read(tmp_path / "a")):
        assert not os.get_inheritable(file._descriptor)
        file.close()


def test_create_zeroed_is_zero_also_over_an_old_file(disk, tmp_path, monkeypatch):
    monkeypatch.setattr(files_module, "_ZEROS", bytes(1000))
    (tmp_path / "a").write_bytes(b"x" * 5000)
    file = disk.create_zeroed(tmp_path / "a", 2500)
    assert file.size() == 2500
    assert file.read(0, 2500) == bytes(2500)
    file.write(2499, b"y")
    assert file.size() == 2500
    file.close()


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_create_zeroed_closes_what_it_cannot_fill(disk, tmp_path, monkeypatch, call):
    closed = []
    close = os.close

    def fail(*_):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, call, fail)
    monkeypatch.setattr(os, "close", lambda d: (closed.append(d), close(d)))
    with pytest.raises(OSError, match="full"):
        disk.create_zeroed(tmp_path / "a", 100)
    assert len(closed) == 1


def test_short_writes_and_reads_are_gone_on_with(disk, tmp_path, monkeypatch):
    """The system may take or give less than asked for (a signal, a nearly full disk)."""
    pwrite, pread = os.pwrite, os.pread
    monkeypatch.setattr(os, "pwrite", lambda d, data, at: pwrite(d, data[:3], at))
    monkeypatch.setattr(os, "pread", lambda d, length, at: pread(d, min(length, 2), at))
    file = disk.open(tmp_path / "a", create=True)
    file.write(1, b"0123456789")
    assert file.read(0, 50) == b"\x000123456789"
    file.close()


def test_errors_come_through(disk, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.EIO, "broken")

    file = disk.open(tmp_path / "a", create=True)
    for call in ("pwrite", "pread", "fdatasync", "ftruncate", "fstat"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(OSError, match="broken"):
                {
                    "pwrite": lambda: file.write(0, b"x"),
                    "pread": lambda: file.read(0, 1),
                    "fdatasync": file.sync,
                    "ftruncate": lambda: file.truncate(0),
                    "fstat": file.size,
                }[call]()
    file.close()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="broken"):
        disk.sync_folder(tmp_path)


def test_names(disk, tmp_path):
    assert disk.names(tmp_path / "none") == []
    disk.make_folder(tmp_path / "a" / "b")
    disk.make_folder(tmp_path / "a" / "b")
    for name in ("2", "1", "3"):
        disk.open(tmp_path / "a" / name, create=True).close()
    assert disk.names(tmp_path / "a") == ["1", "2", "3", "b"]
    disk.rename(tmp_path / "a" / "1", tmp_path / "a" / "3")
    disk.unlink(tmp_path / "a" / "2")
    disk.unlink(tmp_path / "a" / "2")
    disk.sync_folder(tmp_path / "a")
    assert disk.names(tmp_path / "a") == ["3", "b"]
    assert disk.names(tmp_path / "a" / "3") == []
    assert disk.free_bytes(tmp_path) > 0


def test_replace_puts_the_new_whole(disk, tmp_path):
    replace(disk, tmp_path / "a", b"one")
    replace(disk, tmp_path / "a", b"two, longer")
    assert read_whole(disk, tmp_path / "a") == b"two, longer"
    assert disk.names(tmp_path) == ["a"]


@pytest.mark.parametrize("call", ["pwrite", "fdatasync"])
def test_replace_that_fails_leaves_the_old(disk, tmp_path, monkeypatch, call):
    replace(disk, tmp_path / "a", b"old")

    def fail(*_):
        raise OSError(errno.EIO, "broken")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(OSError, match="broken"):
            replace(disk, tmp_path / "a", b"new")
    assert read_whole(disk, tmp_path / "a") == b"old"
    replace(disk, tmp_path / "a", b"new")  # what was left behind is in nobody's way
    assert read_whole(disk, tmp_path / "a") == b"new"


def test_replace_syncs_the_file_before_its_name_and_then_the_folder(disk, tmp_path):
    order = []

    class Spy(type(disk)):
        def open(self, path, *, create=False):
            file = super().open(path, create=create)

            class SpyFile:
                def write(self, offset, data):
                    order.append("write")
                    file.write(offset, data)

                def sync(self):
                    order.append("sync")
                    file.sync()

                def close(self):
                    file.close()

            return SpyFile()

        def rename(self, old, new):
            order.append("rename")
            super().rename(old, new)

        def sync_folder(self, path):
            order.append("sync_folder")
            super().sync_folder(path)

    replace(Spy(), tmp_path / "a", b"new")
    assert order == ["write", "sync", "rename", "sync_folder"]
