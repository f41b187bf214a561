"""Looks a ledger's folder and machine over, without changing either, and says what to mend."""

import os
import platform
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, Literal

import msgspec

from hansa.client import keys as key_files
from hansa.node.clock import AHEAD_MS_MAX, BEHIND_MS_MAX
from hansa.node.create import CHECKPOINT_KEY
from hansa.node.node import RESERVE_BYTES, last_stop
from hansa.store import journal
from hansa.store.files import Disk, DiskFile, read_whole
from hansa.store.folder import Folder, is_locked, unfinished
from hansa.store.journal import Scan, Segments
from hansa.wire import block, genesis
from hansa.wire.keys import kid_of
from hansa.wire.problems import HansaError

Verdict = Literal["good", "warning", "bad", "unknown"]

_SYNCS: Final = 20
_SLOW_SYNC_MS: Final = 20.0
"""From here on every block waits noticeably for the disk."""
_DISHONEST_SYNC_MS: Final = 0.005
"""No device answers a sync faster: something between keeps what should be on it."""


class Check(msgspec.Struct, frozen=True):
    """One thing looked at: what was seen, and what to do if it is not good."""

    name: str
    verdict: Verdict
    seen: str
    fix: str = ""


def examine(root: Path) -> list[Check]:
    """All checks that can be made of a folder; those of the machine alone if there is no ledger in it."""
    folder = Folder(root)
    checks = [_python(), _disk_speed(root), _disk_space(root)]
    left = unfinished(root.absolute())
    if left.exists():
        seen = f"{left} was left by a process that was killed, or another is making it; private keys may lie in it"
        checks.append(Check("unfinished", "warning", seen, f"when nothing runs that makes it, remove {left}"))
    if not folder.exists():
        return [*checks, Check("ledger", "unknown", f"there is none in {root}", "make one with `hansa up`")]
    checks.append(_format(folder))
    if checks[-1].verdict == "good":
        checks += [_keys(folder), *_journal(folder)]
    return checks


def _python() -> Check:
    seen = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.platform == "darwin":
        return Check("python", "warning", seen, "macOS is for development; run ledgers on Linux")
    return Check("python", "good", seen)


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.absolute().parent)


def _disk_speed(root: Path) -> Check:
    """How long a sync takes: the latency of every transaction rests on it."""
    where = _existing(root)
    try:
        with tempfile.NamedTemporaryFile(dir=where, prefix=".hansa-doctor-") as named:
            file = DiskFile(named.fileno())
            file.write(0, bytes(4096 * _SYNCS))
            file.sync()
            times: list[float] = []
            for number in range(_SYNCS):
                file.write(4096 * number, os.urandom(4096))
                begun = time.perf_counter()
                file.sync()
                times.append((time.perf_counter() - begun) * 1000)
    except OSError as error:
        return Check(
            "disk sync", "bad", f"{where}: {error.strerror}", "make room, and the folder writable for this user"
        )
    middle = sorted(times)[_SYNCS // 2]
    seen = f"{middle:.2f} ms for a sync in {where}"
    if middle < _DISHONEST_SYNC_MS:
        return Check("disk sync", "warning", seen, "this looks like memory, not a disk: a power cut would lose it")
    if middle > _SLOW_SYNC_MS:
        return Check("disk sync", "warning", seen, "every answer waits for a sync; a faster disk makes faster answers")
    return Check("disk sync", "good", seen)


def _disk_space(root: Path) -> Check:
    free = Disk().free_bytes(_existing(root))
    seen = f"{free / 1e9:.1f} GB free"
    if free < RESERVE_BYTES:
        return Check(
            "disk space", "bad", seen, f"make room: below {RESERVE_BYTES // 1_000_000} MB a node takes nothing"
        )
    if free < 4 * RESERVE_BYTES:
        return Check("disk space", "warning", seen, "make room before the node stops taking transactions")
    return Check("disk space", "good", seen)


def _format(folder: Folder) -> Check:
    try:
        folder.check_format(Disk())
    except HansaError as error:
        return Check("format", "bad", error.detail, error.remedy)
    except OSError as error:
        return Check("format", "bad", f"{folder.format}: {error.strerror}", "restore a backup")
    running = is_locked(folder.lock)
    return Check("format", "good", "readable by this version" + (", a node runs over it" if running else ""))


def _keys(folder: Folder) -> Check:
    files = sorted(path for path in folder.keys.rglob("*.pem") if path.exists())
    exposed = [str(f) for f in files if f.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if exposed:
        return Check("keys", "bad", f"others can read {', '.join(exposed[:3])}", f"chmod 600 {' '.join(exposed[:3])}")
    path = folder.keys / CHECKPOINT_KEY
    fix = f"put the ledger's checkpoint key at {path}"
    try:
        signer = key_files.load(path)
    except HansaError as error:
        return Check("keys", "bad", error.detail, fix)
    known = _checkpoint_kids(folder)
    if known is not None and signer.kid not in known:
        return Check("keys", "bad", f"{path} is not a checkpoint key of this ledger", fix)
    return Check("keys", "good", f"{len(files)} key files, readable by their owner only")


def _checkpoint_kids(folder: Folder) -> set[bytes] | None:
    """The checkpoint keys that genesis names; None if it cannot be read: a node restores it from the journal."""
    try:
        document = genesis.decode(read_whole(Disk(), folder.genesis))
    except (HansaError, OSError):
        return None
    return {kid_of(node.checkpoint_key) for node in document.nodes}


def _journal(folder: Folder) -> list[Check]:
    """Whether the journal reads to its end, and whether the clock fits what stands there."""
    entries = last = 0
    try:
        segments = Segments(Disk(), folder.journal, journal.read_ledger(Disk(), folder.journal))
        try:
            scan = Scan(segments, beside_writer=True)
            for _, blocks in scan:
                header = block.decode(blocks[-1][0]).header
                entries, last = header.seq + header.count, header.time
        finally:
            segments.close()
    except HansaError as error:
        return [Check("journal", "bad", error.detail, f"`hansa audit {folder.root}` says more; then restore a backup")]
    except OSError as error:
        return [Check("journal", "bad", f"{error.filename or folder.journal}: {error.strerror}", "look at the disk")]
    running = is_locked(folder.lock)
    seen = f"{entries:,} entries in {segments.count} segment(s), every checksum right"
    if scan.broken is not None and not running:
        found = Check("journal", "warning", f"{seen}, and a torn last unit", "start the node: it keeps the rest aside")
    else:
        found = Check("journal", "good", seen)
    return [found, _clock(folder, last, running)] if entries else [found]


def _clock(folder: Folder, last_block: int, running: bool) -> Check:
    """The clock against the last block, and as at a start against the last sign of life: a block or a clean stop."""
    try:
        last_sign = max(last_block, last_stop(Disk(), folder))
    except HansaError as error:
        return Check("clock", "bad", error.detail, f"remove {folder.clock}: the node writes it again")
    now = time.time_ns() // 1_000_000
    when = f"{abs(now - last_block) / 1000:,.0f} s {'after' if now >= last_block else 'before'} the last block"
    if now < last_block - BEHIND_MS_MAX:
        return Check("clock", "bad", when, "set the clock: the node does not seal blocks in the past")
    if now > last_sign + AHEAD_MS_MAX and not running:
        return Check("clock", "warning", when, "if the clock is right, start with --accept-clock")
    return Check("clock", "good", when)
