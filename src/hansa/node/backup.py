"""Backups: the journal and what cannot be derived from it, in one file; and their restoration.

The journal is append-only, so a copy of what is durable is consistent while the node runs. State and rows are not in a
backup: they are rebuilt. Private keys are in it only if asked for. A restored copy that has the keys must never run
beside its original: both would sign, and the ledger would have two histories under one key.
"""

import contextlib
import gzip
import hashlib
import io
import os
import re
import tarfile
import time
import zlib
from pathlib import Path
from typing import IO, BinaryIO, Final

import msgspec

from hansa.node.recovery import open_stopped
from hansa.store import journal
from hansa.store.checkpoints import RECORD_BYTES, Checkpoints
from hansa.store.files import Disk, is_full, read_whole, replace, trouble_told
from hansa.store.folder import FORMAT as FOLDER_FORMAT
from hansa.store.folder import Folder, is_locked, new_folder, signer_lock
from hansa.store.journal import SEGMENT_HEADER_BYTES, Scan, Segments, segment_bytes, segment_name
from hansa.wire import block, genesis
from hansa.wire.keys import kid_of
from hansa.wire.problems import HansaError

FORMAT: Final = 0
_MANIFEST: Final = "manifest.json"
_SEGMENT: Final = re.compile(r"journal/([0-9]{8})\.segment")
_NAMES: Final = re.compile(
    rf"genesis\.cbor|checkpoints|earlier\.trust|{_SEGMENT.pattern}|keys(?:/[a-z0-9][a-z0-9.-]{{0,40}}){{1,3}}\.pem"
)
_MANIFEST_BYTES_MAX: Final = 16 * 1024 * 1024
"""The list of files at the front of a backup."""
_PIECE_BYTES: Final = 1024 * 1024
_DAMAGE: Final = (tarfile.TarError, EOFError, zlib.error)


class Backup(msgspec.Struct, frozen=True):
    """What a backup holds: so many entries of a ledger; `size` is the file's length in bytes."""

    ledger: str
    entries: int
    height: int
    keys: bool
    files: int
    size: int


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sha256: str
    size: int


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a backup says of itself. `made` is when, ms."""

    format: int
    ledger: str
    entries: int
    height: int
    made: int
    keys: bool
    files: dict[str, _File]


class _Version(msgspec.Struct):
    format: int


def back_up(root: Path, target: Path, *, keys: bool) -> Backup:
    """Writes a backup of the ledger in a folder, whose node may be running, to a new file.

    Raises `HansaError`: `backup.exists`, `argument.file` and `disk.full` for the new file, and those of reading the
    journal, if it is not sound.
    """
    files, folder = Disk(), Folder(root)
    folder.check_format(files)
    if target.exists():
        raise HansaError("backup.exists", f"{target} exists")
    with contextlib.ExitStack() as opened:
        with trouble_told(root):
            ledger = journal.read_ledger(files, folder.journal)
            segments = Segments(files, folder.journal, ledger)
            opened.callback(segments.close)
            scan = Scan(segments, beside_writer=True)
            entries, ends = 0, {0: SEGMENT_HEADER_BYTES}
            for _, blocks in scan:
                entries += sum(block.decode(data).header.count for data, _ in blocks)
                ends[scan.position.segment] = scan.position.offset
            contents = {"genesis.cbor": read_whole(files, folder.genesis)}
            stored = Checkpoints(files, folder.checkpoints, ledger, writable=False)
            opened.callback(stored.close)
            covered = sum(1 for n in range(stored.count) if (head := stored.get(n)) is None or head.size <= entries)
            if stored.count:
                contents["checkpoints"] = read_whole(files, folder.checkpoints)[: covered * RECORD_BYTES]
            if folder.earlier.exists():
                contents[folder.earlier.name] = read_whole(files, folder.earlier)
            if keys:
                paths = sorted(folder.keys.rglob("*.pem"))
                contents |= {str(path.relative_to(root)): path.read_bytes() for path in paths}
        manifest = _Manifest(FORMAT, ledger.hex(), entries, scan.position.height - 1, _now(), keys, {})
        temporary = target.with_name(target.name + ".tmp")
        try:
            temporary.unlink(missing_ok=True)
            _pack(temporary, manifest, contents, segments, ends)
            temporary.replace(target)
            files.sync_folder(target.absolute().parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise _unwritable(target, error) from None
    return _described(manifest, target)


def restore(source: Path, root: Path) -> Backup:
    """Makes a folder from a backup, everything checked, and rebuilds what is derived.

    Raises `HansaError`: those of `new_folder`, `argument.file` for the backup, `backup.form`, `backup.damaged`,
    `backup.running` if this user runs a node with the same checkpoint key on this machine.
    """
    Folder(root).check_free()
    with _opened(source) as packed:
        manifest = _read_manifest(source, packed)
    with new_folder(Disk(), root) as new:
        _unpack(source, manifest, new)
    return _described(manifest, source)


def _pack(
    path: Path, manifest: _Manifest, contents: dict[str, bytes], segments: Segments, ends: dict[int, int]
) -> None:
    """Writes the file, durably. The journal is taken up to its end; what is preallocated behind it holds nothing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        with (
            gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, data in contents.items():
                _add(archive, manifest, name, data)
            for number, end in ends.items():
                _add(archive, manifest, f"journal/{segment_name(number)}", segments.file(number).read(0, end))
            _add(archive, None, _MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())


def _add(archive: tarfile.TarFile, manifest: _Manifest | None, name: str, data: bytes) -> None:
    if manifest is not None:
        manifest.files[name] = _File(hashlib.sha256(data).hexdigest(), len(data))
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o600
    archive.addfile(member, io.BytesIO(data))


def _unpack(source: Path, manifest: _Manifest, folder: Folder) -> None:
    """Makes the folder of a backup, and refuses unless it is all there, whole, and the only one of its kind here."""
    files = Disk()
    try:
        with _opened(source) as packed, tarfile.open(fileobj=packed, mode="r|") as archive:
            seen = [_extract(archive, member, manifest, folder) for member in archive if member.name != _MANIFEST]
    except (*_DAMAGE, OSError) as error:
        raise HansaError("backup.damaged", f"{source}: {error}") from None
    missing = sorted({"genesis.cbor", *manifest.files} - set(seen))
    if missing:
        raise HansaError("backup.damaged", f"{source} lacks {', '.join(missing[:5])}")
    document = read_whole(files, folder.genesis)
    if genesis.ledger_id(document).hex() != manifest.ledger:
        raise HansaError("backup.damaged", "the genesis document is another ledger's")
    for node in genesis.decode(document).nodes:
        if is_locked(signer_lock(kid_of(node.checkpoint_key))):
            raise HansaError("backup.running", f"node {node.id} of this ledger runs on this machine")
    replace(files, folder.format, FOLDER_FORMAT)
    with open_stopped(folder.root) as parts:
        if parts.tip.size != manifest.entries:
            raise HansaError("backup.damaged", f"{parts.tip.size} entries where the backup names {manifest.entries}")


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, manifest: _Manifest, folder: Folder) -> str:
    """Writes one file, checked against the manifest before anything is made of it; its name."""
    expected = manifest.files.get(member.name)
    stream = archive.extractfile(member) if member.isreg() else None
    if expected is None or stream is None or not _NAMES.fullmatch(member.name) or member.size != expected.size:
        raise HansaError("backup.damaged", f"{member.name[:80]!a} does not belong into a backup")
    path, digest = folder.root / member.name, hashlib.sha256()
    segment = _SEGMENT.fullmatch(member.name)
    preallocated = 0 if segment is None else max(segment_bytes(int(segment[1])) - member.size, 0)
    with trouble_told(path):
        for parent in reversed(path.relative_to(folder.root).parents):
            (folder.root / parent).mkdir(exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            while piece := _read_piece(stream, member.name):
                digest.update(piece)
                file.write(piece)
            file.write(bytes(preallocated))
            file.flush()
            os.fsync(file.fileno())
    if digest.hexdigest() != expected.sha256:
        raise HansaError("backup.damaged", f"{member.name} is not what the backup's manifest says")
    return member.name


def _read_piece(stream: IO[bytes], name: str) -> bytes:
    try:
        return stream.read(_PIECE_BYTES)
    except (*_DAMAGE, OSError) as error:
        raise HansaError("backup.damaged", f"{name}: {error}") from None


def _opened(source: Path) -> BinaryIO:
    try:
        return gzip.open(source, "rb")  # type: ignore[return-value]
    except OSError as error:
        raise HansaError("argument.file", f"{source}: {error.strerror}") from None


def _read_manifest(source: Path, packed: BinaryIO) -> _Manifest:
    """The manifest, which stands last: a backup that was cut off has none."""
    found = b""
    try:
        with tarfile.open(fileobj=packed, mode="r|") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.name == _MANIFEST and not found else None
                if stream is not None and member.size <= _MANIFEST_BYTES_MAX:
                    found = stream.read()
        while packed.read(_PIECE_BYTES):
            pass  # to the very end, where the checksum of all this stands
        if not found:
            raise HansaError("backup.form", f"{source} has no manifest: it was cut off, or is no backup")
        version = msgspec.json.decode(found, type=_Version).format
        if version != FORMAT:
            raise HansaError("backup.form", f"{source} is in format {version}; this version reads {FORMAT}")
        return msgspec.json.decode(found, type=_Manifest)
    except (*_DAMAGE, OSError, ValueError):
        raise HansaError("backup.form", f"{source} is not a backup, or damaged") from None


def _unwritable(path: Path, error: OSError) -> HansaError:
    """Why the new backup cannot be made."""
    return HansaError("disk.full" if is_full(error) else "argument.file", f"{path}: {error.strerror}")


def _now() -> int:
    return time.time_ns() // 1_000_000


def _described(manifest: _Manifest, path: Path) -> Backup:
    return Backup(
        manifest.ledger, manifest.entries, manifest.height, manifest.keys, len(manifest.files), path.stat().st_size
    )
