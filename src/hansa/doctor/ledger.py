"""What lies in a ledger's folder: its format, its journal, what was left behind, and whether the clock fits."""

import json
import os
from pathlib import Path
from typing import Final

from hansa.doctor import clock
from hansa.doctor.check import Check
from hansa.doctor.machine import Machine
from hansa.node.node import last_stop
from hansa.store import journal
from hansa.store.files import Disk
from hansa.store.folder import Folder, is_locked, unfinished
from hansa.store.journal import Scan, Segments
from hansa.wire import block
from hansa.wire.problems import HansaError

_JOURNAL_WHY: Final = "The journal is the truth that everything else is made from; no node starts over a damaged one."


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
    if folder.node.exists() and not is_locked(folder.lock):
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
    running = is_locked(folder.lock)
    return Check(name, "ok", "readable by this version" + (", a node runs over it" if running else ""))


def journal_and_clock(machine: Machine, folder: Folder) -> tuple[int | None, list[Check]]:
    """Whether the journal reads to its end, and the clock fits what stands there; how many entries (None: unread)."""
    name, entries, last = "journal", 0, 0
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
        fix = f"`hansa audit {folder.root}` says more; then restore a backup"
        return None, [Check(name, "fail", error.detail, _JOURNAL_WHY, fix)]
    except OSError as error:
        seen = f"{error.filename or folder.journal}: {error.strerror}"
        fix = "Look at the disk; if it is damaged, restore a backup."
        return None, [Check(name, "fail", seen, _JOURNAL_WHY, fix)]
    running = is_locked(folder.lock)
    seen = f"{entries:,} entries in {segments.count} segment(s), every checksum right"
    if scan.broken is not None and not running:
        why = "A write was cut off; nobody had an answer for it yet."
        found = Check(name, "warn", f"{seen}, and a torn last unit", why, "Start the node: it keeps the rest aside.")
    else:
        found = Check(name, "ok", seen)
    return entries, [found, _clock(machine, folder, last, running)] if entries else [found]


def _clock(machine: Machine, folder: Folder, last_block: int, running: bool) -> Check:
    try:
        last_sign = max(last_block, last_stop(Disk(), folder))
    except HansaError as error:
        why = "A start compares the clock with the last stop that stands there."
        return Check("clock", "fail", error.detail, why, f"`rm {folder.clock}`: the node writes it again")
    return clock.against_ledger(machine, last_block, last_sign, running=running)
