"""`hansa backup` and `hansa restore`: one file that holds everything, and nothing that is not whole is taken back."""

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hansa.node.audit import audit
from hansa.wire.problems import HansaError


@pytest.fixture(scope="module")
def running(server: Any) -> Any:
    return server


@pytest.fixture(scope="module")
def made(hansa: Callable, running: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup without keys, made beside the running node."""
    file = tmp_path_factory.mktemp("backups") / "ledger.backup"
    ran = hansa("backup", file, "--data", running.data)
    assert (ran.code, ran.err) == (0, "")
    assert re.fullmatch(re.escape(f"{file}: 5 entries, ") + r"0\.[01] MB, without private keys\n", ran.out)
    return file


@pytest.fixture(scope="module")
def with_keys(hansa: Callable, running: Any, made: Path) -> Path:
    file = made.with_name("keys.backup")
    ran = hansa("backup", file, "--keys", "--data", running.data)
    assert ran.code == 0
    assert re.fullmatch(re.escape(f"{file}: 5 entries, ") + r"0\.[01] MB, with private keys\n", ran.out)
    return file


@pytest.fixture(scope="module")
def stopped(running: Any, made: Path, with_keys: Path) -> Iterator[Path]:
    """The original, stopped after the backups were made."""
    assert running.stop() == 0
    yield running.data


def contents(file: Path) -> dict[str, bytes]:
    """The files in a backup, by name."""
    with tarfile.open(file) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]


def packed(files: list[tuple[tarfile.TarInfo, bytes]], to: Path) -> Path:
    """A crafted backup of these members."""
    with gzip.open(to, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for member, data in files:
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return to


def crafted(made: Path, to: Path, change: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """A backup whose manifest and files were changed to fit each other."""
    files = contents(made)
    manifest = json.loads(files.pop("manifest.json"))
    change(manifest, files)
    for name, data in files.items():
        if name in manifest["files"]:
            manifest["files"][name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    files["manifest.json"] = json.dumps(manifest).encode()
    return packed([(tarfile.TarInfo(name), data) for name, data in files.items()], to)


# Before the original is stopped


def test_a_backup_holds_what_cannot_be_derived(made: Path, running: Any) -> None:
    found = contents(made)
    assert sorted(found) == ["checkpoints", "genesis.cbor", "journal/00000000.segment", "manifest.json"]
    assert hashlib.sha256(found["genesis.cbor"]).hexdigest() == running.ledger
    manifest = json.loads(found["manifest.json"])
    assert (manifest["ledger"], manifest["entries"], manifest["keys"]) == (running.ledger, 5, False)


def test_keys_are_in_a_backup_only_if_asked_for(with_keys: Path, running: Any) -> None:
    found = contents(with_keys)
    keys = {str(path.relative_to(running.data)) for path in (running.data / "keys").rglob("*.pem")}
    assert {name for name in found if name.startswith("keys/")} == keys
    assert len(keys) == 15


def test_a_backup_can_be_read_by_its_owner_only(made: Path, with_keys: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == stat.S_IMODE(with_keys.stat().st_mode) == 0o600


def test_a_backup_as_json(hansa: Callable, running: Any, tmp_path: Path) -> None:
    found = hansa("backup", tmp_path / "b", "--data", running.data, "--json").json
    assert found == {
        "ledger": running.ledger,
        "entries": 5,
        "height": 4,
        "keys": False,
        "files": 3,
        "size": (tmp_path / "b").stat().st_size,
    }
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_backup_is_never_overwritten(hansa: Callable, running: Any, made: Path) -> None:
    before = made.read_bytes()
    assert hansa("backup", made, "--data", running.data).failed("backup.exists") == f"{made} exists"
    assert made.read_bytes() == before


def test_a_folder_without_a_ledger(hansa: Callable, tmp_path: Path) -> None:
    assert hansa("backup", tmp_path / "b", "--data", tmp_path).failed("folder.none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("left", ["file", "link", "folder"])
def test_what_stands_where_a_backup_is_made_first_is_not_written_to(
    left: str, hansa: Callable, running: Any, tmp_path: Path
) -> None:
    """A leftover that others can read, or a link that somebody put there."""
    victim, temporary = tmp_path / "victim", tmp_path / "b.tmp"
    victim.write_text("precious")
    if left == "link":
        temporary.symlink_to(victim)
    elif left == "folder":
        temporary.mkdir()
    else:
        temporary.touch(mode=0o644)
    ran = hansa("backup", tmp_path / "b", "--keys", "--data", running.data)
    assert victim.read_text() == "precious"
    if left == "folder":
        assert ran.failed("argument.file", 2)
        return
    assert ran.code == 0
    assert not (tmp_path / "b").is_symlink()
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "victim"]


def test_a_place_that_cannot_be_written_to(hansa: Callable, running: Any, tmp_path: Path) -> None:
    assert hansa("backup", tmp_path / "none" / "b", "--data", running.data).failed("argument.file", 2)


def test_no_copy_is_made_beside_a_running_original(
    hansa: Callable, running: Any, made: Path, with_keys: Path, tmp_path: Path
) -> None:
    for file in (made, with_keys):
        ran = hansa("restore", file, "--data", tmp_path / "copy")
        assert ran.failed("backup.running") == "node node-1 of this ledger runs on this machine"
        assert list(tmp_path.iterdir()) == [], "nothing is left behind"


# After it was stopped


def test_a_restored_ledger_is_the_ledger(
    hansa: Callable, made: Path, stopped: Path, tmp_path: Path, running: Any
) -> None:
    data = tmp_path / "copy"
    ran = hansa("restore", made, "--data", data)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == (
        f"{data}: 5 entries restored and checked\n"
        f"The backup held no private keys: put them into {data}/keys before `hansa up`.\n"
    )
    assert not (data / "keys").exists()
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert (data / "journal" / "00000000.segment").read_bytes() == (
        stopped / "journal" / "00000000.segment"
    ).read_bytes()
    report = audit(data)
    assert (report.is_sound, report.ledger, report.entries) == (True, running.ledger, 5)


def test_a_restored_ledger_runs(
    hansa: Callable, with_keys: Path, stopped: Path, tmp_path: Path, start: Callable, running: Any
) -> None:
    data = tmp_path / "copy"
    found = hansa("restore", with_keys, "--data", data, "--json").json
    assert (found["entries"], found["keys"], found["ledger"]) == (5, True, running.ledger)
    for path in (data / "keys").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    again = start(data)
    try:
        assert (again.ledger, again.started["entries"], again.started["new"]) == (running.ledger, 5, False)
        words = ("call", "example_ledger", "tell", "to=northbank", "message=back")
        assert hansa(*words, "--as", "northbank", "--data", data, "--json").json["seq"] == 5
    finally:
        assert again.stop() == 0


def test_an_empty_folder_is_taken(hansa: Callable, made: Path, stopped: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    assert hansa("restore", made, "--data", tmp_path / "copy").code == 0
    assert hansa("restore", made, "--data", tmp_path / "copy").failed("folder.taken")


def test_a_folder_with_other_things_is_not_taken(hansa: Callable, made: Path, stopped: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("x")
    assert hansa("restore", made, "--data", tmp_path).failed("folder.foreign")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_killed_restore_leaves_nothing_that_the_next_does_not_remove(
    hansa: Callable, with_keys: Path, stopped: Path, tmp_path: Path
) -> None:
    data, left = tmp_path / "copy", tmp_path / ".copy.new"
    code = "import os, shutil; os.fsync = lambda _, n=[0]: n.append(0) or len(n) < 8 or os.kill(os.getpid(), 9)"
    command = f"{code}; from hansa.cli.main import main; main()"
    words = ["restore", str(with_keys), "--data", str(data)]
    done = subprocess.run([sys.executable, "-c", command, *words], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == [left]
    assert list(left.rglob("*.pem")), "it was killed too early for this test"
    assert str(left) in hansa("doctor", "--data", data).out
    assert hansa("restore", with_keys, "--data", data).code == 0
    assert list(tmp_path.iterdir()) == [data]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_backup_that_was_cut_off(share: float, hansa: Callable, made: Path, stopped: Path, tmp_path: Path) -> None:
    data = made.read_bytes()
    refused(hansa, data[: int(len(data) * share)], tmp_path, {"backup.form"})


def test_a_backup_that_lacks_its_last_bytes(hansa: Callable, made: Path, stopped: Path, tmp_path: Path) -> None:
    data = made.read_bytes()
    for cut in (9, 20, 100, 400):
        refused(hansa, data[:-cut], tmp_path, {"backup.form", "backup.damaged"})


def test_a_backup_with_a_bit_flipped(hansa: Callable, made: Path, stopped: Path, tmp_path: Path) -> None:
    """Anywhere between the head of the stream and the end of what it packs."""
    data = made.read_bytes()
    for position in range(12, len(data) - 120, len(data) // 60):
        changed = bytearray(data)
        changed[position] ^= 1 << (position % 8)
        if unpacked(bytes(changed)) != gzip.decompress(data):  # a run of zeros has several packed forms
            refused(hansa, bytes(changed), tmp_path, {"backup.form", "backup.damaged"})


def unpacked(data: bytes) -> bytes | None:
    """What a gzip stream holds; None if it is damaged."""
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return None


def refused(hansa: Callable, data: bytes, folder: Path, codes: set[str]) -> None:
    """Restoring these bytes is refused with one of the codes, and leaves nothing behind."""
    file = folder / "changed"
    file.write_bytes(data)
    ran = hansa("restore", file, "--data", folder / "copy", "--json")
    assert ran.code == 1
    assert ran.json["error"]["code"] in codes
    assert list(folder.iterdir()) == [file]


@pytest.mark.parametrize(
    "contents",
    [b"", b"not a backup", gzip.compress(b""), gzip.compress(b"x" * 10_000), bytes(2_000)],
    ids=["empty", "text", "gzip of nothing", "gzip of text", "zeros"],
)
def test_a_file_that_is_no_backup(contents: bytes, hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    refused(hansa, contents, tmp_path, {"backup.form"})


def test_a_tar_without_a_manifest(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    packed([(tarfile.TarInfo("genesis.cbor"), b"x")], tmp_path / "crafted")
    refused(hansa, (tmp_path / "crafted").read_bytes(), emptied(tmp_path), {"backup.form"})


def emptied(folder: Path) -> Path:
    for path in folder.iterdir():
        path.unlink()
    return folder


NAMES = [
    "../outside",
    "../../outside",
    "journal/../../outside",
    "/outside",
    "keys/../outside.pem",
    "keys/a/b/c/d/e.pem",
    "keys/.hidden.pem",
    "keys/A.pem",
    "keys/a.txt",
    "journal/1.segment",
    "journal/00000000.segment/x",
    "journal/next.spare",
    "state/data.mdb",
    "tiles/row-1",
    "lock",
    "format",
    "node.json",
    "genesis.cbor/x",
    "genesis.cbor\n",
    "",
    ".",
    "a" * 500,
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_do_not_belong_into_a_backup(
    name: str, hansa: Callable, made: Path, stopped: Path, tmp_path: Path
) -> None:
    def change(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
        files[name] = b"evil"
        manifest["files"][name] = {}

    data = crafted(made, tmp_path / "crafted", change).read_bytes()
    outside = set(tmp_path.parent.parent.glob("outside*"))
    refused(hansa, data, emptied(tmp_path), {"backup.damaged", "backup.form"})
    assert set(tmp_path.parent.parent.glob("outside*")) == outside
    assert not Path("/outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_only_plain_files_are_taken(kind: bytes, hansa: Callable, made: Path, stopped: Path, tmp_path: Path) -> None:
    files = contents(made)
    manifest = files.pop("manifest.json")
    members = [(tarfile.TarInfo(name), data) for name, data in files.items()]
    odd = tarfile.TarInfo("keys/node.pem")
    odd.type, odd.linkname = kind, "/etc/passwd"
    changed = json.loads(manifest)
    changed["files"]["keys/node.pem"] = {"size": 0, "sha256": hashlib.sha256(b"").hexdigest()}
    members += [(odd, b""), (tarfile.TarInfo("manifest.json"), json.dumps(changed).encode())]
    data = packed(members, tmp_path / "crafted").read_bytes()
    refused(hansa, data, emptied(tmp_path), {"backup.damaged"})


def lacking(name: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda manifest, files: files.pop(name) and None


def unnamed(name: str) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda manifest, files: manifest["files"].pop(name) and None


def other(name: str, value: Any) -> Callable[[dict[str, Any], dict[str, bytes]], None]:
    return lambda manifest, files: manifest.update({name: value})


def rotten(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    """One byte of the journal, with a manifest that fits it."""
    data = bytearray(files["journal/00000000.segment"])
    data[5_000] ^= 1
    files["journal/00000000.segment"] = bytes(data)


def shortened(manifest: dict[str, Any], files: dict[str, bytes]) -> None:
    """The last unit is gone, with a manifest that fits what is left but for the number of entries."""
    data = files["journal/00000000.segment"]
    files["journal/00000000.segment"] = data[: data.rindex(b"HJU\0")]
    del files["checkpoints"], manifest["files"]["checkpoints"]


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (lacking("genesis.cbor"), {"backup.damaged"}),
        (lacking("journal/00000000.segment"), {"backup.damaged"}),
        (lacking("checkpoints"), {"backup.damaged"}),
        (unnamed("genesis.cbor"), {"backup.damaged"}),
        (other("format", 1), {"backup.form"}),
        (other("format", None), {"backup.form"}),
        (other("ledger", "0" * 64), {"backup.damaged"}),
        (other("entries", 4), {"backup.damaged"}),
        (other("entries", 6), {"backup.damaged"}),
        (shortened, {"backup.damaged"}),
        (rotten, {"journal.corrupt"}),
    ],
)
def test_a_backup_that_does_not_fit_itself(
    change: Callable, codes: set[str], hansa: Callable, made: Path, stopped: Path, tmp_path: Path
) -> None:
    data = crafted(made, tmp_path / "crafted", change).read_bytes()
    refused(hansa, data, emptied(tmp_path), codes)


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"format": 0}', id="without files"),
        pytest.param(b'{"format": 0, "files": []}', id="files as a list"),
        pytest.param(b'{"format": 0, "files": {}, "ledger": "", "entries": 0}', id="without anything"),
        pytest.param(b'{"format": 0, "files": {"genesis.cbor": 5}, "ledger": "", "entries": 0}', id="odd file"),
    ],
)
def test_a_manifest_of_another_form(manifest: bytes, hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    members = [(tarfile.TarInfo("genesis.cbor"), b"x"), (tarfile.TarInfo("manifest.json"), manifest)]
    data = packed(members, tmp_path / "crafted").read_bytes()
    refused(hansa, data, emptied(tmp_path), {"backup.damaged", "backup.form"})


def test_a_manifest_that_says_more_than_this_version_reads(
    hansa: Callable, made: Path, stopped: Path, tmp_path: Path
) -> None:
    data = crafted(made, tmp_path / "crafted", other("segments", {"00000000.segment": 2**60})).read_bytes()
    refused(hansa, data, emptied(tmp_path), {"backup.form"})


def test_a_place_that_cannot_be_restored_to(hansa: Callable, made: Path, stopped: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert hansa("restore", made, "--data", tmp_path / "file" / "copy").failed("folder.access")


def test_a_backup_of_a_stopped_ledger_is_the_same(hansa: Callable, made: Path, stopped: Path, tmp_path: Path) -> None:
    assert hansa("backup", tmp_path / "again", "--data", stopped).code == 0
    found, before = contents(tmp_path / "again"), contents(made)
    assert {n: d for n, d in found.items() if n != "manifest.json"} == {
        n: d for n, d in before.items() if n != "manifest.json"
    }


def test_a_damaged_ledger_is_not_backed_up(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(stopped, copy)
    with (copy / "journal" / "00000000.segment").open("r+b") as file:
        file.seek(5_000)
        byte = file.read(1)[0]
        file.seek(5_000)
        file.write(bytes((byte ^ 1,)))
    assert hansa("backup", tmp_path / "b", "--data", copy).failed("journal.corrupt")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_a_backup_that_cannot_be_read(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    assert "Is a directory" in hansa("restore", tmp_path, "--data", tmp_path / "copy").failed("argument.file", 2)
    assert list(tmp_path.iterdir()) == []
    if os.geteuid():
        (tmp_path / "b").touch(mode=0)
        assert hansa("restore", tmp_path / "b", "--data", tmp_path / "copy").failed("argument.file", 2)


def test_the_codes_above_are_codes() -> None:
    for code in ("backup.form", "backup.damaged", "backup.running", "backup.exists"):
        assert HansaError(code).remedy


def test_what_a_node_was_given_of_the_time_before_it_is_kept(hansa: Callable, stopped: Path, tmp_path: Path) -> None:
    """The chain of keys that a node which came later cannot show by itself."""
    earlier = stopped / "earlier.trust"
    assert hansa("trust", "export", earlier, "--data", stopped).code == 0
    try:
        assert hansa("backup", tmp_path / "file", "--data", stopped).code == 0
        assert hansa("restore", tmp_path / "file", "--data", tmp_path / "new").code == 0
        assert (tmp_path / "new" / earlier.name).read_bytes() == earlier.read_bytes()
    finally:
        earlier.unlink()
