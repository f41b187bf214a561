"""What lies in a ledger's folder: its format, its journal, what was left behind, and whether the clock fits."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hansa.doctor import clock
from hansa.doctor.check import Check
from hansa.doctor.machine import Machine
from hansa.node.node import last_stop
from hansa.store import journal
from hansa.store.files import Disk, read_whole
from hansa.store.folder import Folder, is_locked, unfinished
from hansa.store.journal import Position, Scan, Segments
from hansa.wire import block, genesis
from hansa.wire.block import Header
from hansa.wire.problems import HansaError

JOURNAL_S_MAX: Final = 20.0
"""How long the journal is read from its beginning; a segment that is begun then is left."""
_JOURNAL_WHY: Final = "The journal is the truth that everything else is made from; no node starts over a damaged one."


Tell = Callable[[int], None]
"""Told how many entries of the journal have been read."""


def leftovers(root: Path) -> list[Check]:
    """What processes left that were killed."""
    found: list[Check] = []
    left = unfinished(root.absolute())
    if left.exists():
        found.append(
            Check(
                "unfinished", "warn", f"{left} was left by a process that was killed, or another is making it",
                "Private keys may lie in it.", f"When nothing runs that makes it: `rm -r {left}`",
            )
        )  # fmt: skip
    folder = Folder(root)
    if folder.node.exists() and not folder.node.is_file():
        found.append(
            Check(
                "node file", "warn", f"{folder.node} is not a file", "Commands that look for a node there may wait.",
                f"Remove {folder.node}",
            )
        )  # fmt: skip
    elif folder.node.exists() and not is_running(folder):
        found.append(
            Check(
                "node file", "warn", f"{folder.node} says that a node runs{_process(folder.node)}, and none does",
                "The node was killed. Other commands look for it in vain, or ask whatever took its port since.",
                f"Start the node, or `rm {folder.node}`",
            )
        )  # fmt: skip
    if folder.cut.is_dir() and any(folder.cut.iterdir()):
        found.append(
            Check(
                "cut", "warn", f"{folder.cut} holds bytes that a start cut off the journal's torn end",
                "They were never answered for; what a client sent then may be among them.",
                f"Keep them until nobody misses a transaction, then `rm -r {folder.cut}`",
            )
        )  # fmt: skip
    return found


def is_running(folder: Folder) -> bool:
    """Whether a node runs over the folder. What stands in the lock's place and is no file is not opened."""
    return folder.lock.is_file() and is_locked(folder.lock)


def no_file(folder: Folder) -> Path | None:
    """What stands in a file's place and is none: a pipe, say, which whoever opens it would wait for."""
    with contextlib.suppress(OSError):
        for path in sorted(folder.state.iterdir()) if folder.state.is_dir() else ():
            if not path.is_file():
                return path
        for path in sorted(folder.root.iterdir()):
            if path != folder.node and path.exists() and not path.is_file() and not path.is_dir():
                return path
    return None


def _process(path: Path) -> str:
    try:
        return f" as process {int(json.loads(path.read_text())['pid'])}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def format_of(folder: Folder) -> Check:
    """Whether this version can read the folder, and whether a node uses it."""
    name, why = "format", "Formats of version 0 change, and a version of Hansa reads its own only."
    try:
        folder.check_format(Disk())
    except HansaError as error:
        return Check(name, "fail", error.detail, why, error.remedy)
    except OSError as error:
        return Check(name, "fail", f"{folder.format}: {error.strerror}", why, "Restore a backup.")
    owner = folder.root.stat().st_uid
    if owner != os.getuid() and not os.access(folder.root, os.W_OK):
        return Check(
            name, "fail", f"{folder.root} is another user's", "A node writes into it.", "Run as the user who owns it."
        )
    running = is_running(folder)
    return Check(name, "ok", "readable by this version" + (", a node runs over it" if running else ""))


def id_of(folder: Folder) -> str | None:
    """The ledger's id in hexadecimal, as its journal has it; None if that cannot be read."""
    try:
        return journal.read_ledger(Disk(), folder.journal).hex()
    except (HansaError, OSError):
        return None


def journal_and_clock(machine: Machine, folder: Folder, tell: Tell) -> tuple[int | None, list[Check]]:
    """Whether the journal reads to its end, and the clock fits what stands there; how many entries (None: unread).

    A journal too long for `JOURNAL_S_MAX` is left then, but for its last segment.
    """
    name, entries, last, reached, left = "journal", 0, 0, 0, 0
    begun = machine.stopwatch()
    try:
        segments = Segments(Disk(), folder.journal, journal.read_ledger(Disk(), folder.journal))
        try:
            scan = Scan(segments, beside_writer=True)
            for at, header in _units(scan, tell):
                entries, last = header.seq + header.count, header.time
                if at.segment > reached and at.segment < segments.count - 1:
                    reached = at.segment
                    if machine.stopwatch() - begun > JOURNAL_S_MAX:
                        left = reached
                        break
            if left:
                number = segments.count - 1
                head = segments.header(number)
                start = Position(number, journal.SEGMENT_HEADER_BYTES, head.chain, head.height)
                scan = Scan(segments, start, beside_writer=True)
                for _, header in _units(scan, tell):
                    entries, last = header.seq + header.count, header.time
        finally:
            segments.close()
    except HansaError as error:
        fix = f"`hansa audit {folder.root}` says more; then restore a backup"
        return None, [Check(name, "fail", error.detail, _JOURNAL_WHY, fix)]
    except OSError as error:
        seen = f"{error.filename or folder.journal}: {error.strerror}"
        fix = "Look at the disk; if it is damaged, restore a backup."
        return None, [Check(name, "fail", seen, _JOURNAL_WHY, fix)]
    running = is_running(folder)
    seen = f"{entries:,} entries in {segments.count} segment(s), every checksum right"
    if left:
        seen += f" of the first {left} and the last: {JOURNAL_S_MAX:.0f} s were up; `hansa audit` reads all"
    if scan.broken is not None and not running:
        why = "A write was cut off; nobody had an answer for it yet."
        found = Check(name, "warn", f"{seen}, and a torn last unit", why, "Start the node: it keeps the rest aside.")
    else:
        found = Check(name, "ok", seen)
    return entries, [found, _clock(machine, folder, last, running)] if entries else [found]


def _units(scan: Scan, tell: Tell) -> Iterator[tuple[Position, Header]]:
    """Where each unit of the journal starts, with the header of its last block; `tell` is told the entries up to it."""
    for at, blocks in scan:
        header = block.decode(blocks[-1][0]).header
        tell(header.seq + header.count)
        yield at, header


def _clock(machine: Machine, folder: Folder, last_block: int, running: bool) -> Check:
    if _is_told(folder):
        stands = datetime.fromtimestamp(last_block // 1000, UTC).isoformat()
        return Check(
            "clock", "ok", f"this ledger's time is told, and not this machine's; its last block is of {stands}"
        )
    try:
        last_sign = max(last_block, last_stop(Disk(), folder))
    except HansaError as error:
        why = "A start compares the clock with the last stop that stands there."
        return Check("clock", "fail", error.detail, why, f"`rm {folder.clock}`: the node writes it again")
    return clock.against_ledger(machine, last_block, last_sign, running=running)


def _is_told(folder: Folder) -> bool:
    """Whether genesis says that the ledger's time is told; no if it cannot be read, which is told elsewhere."""
    try:
        return genesis.decode(read_whole(Disk(), folder.genesis)).is_told
    except (HansaError, OSError):
        return False
