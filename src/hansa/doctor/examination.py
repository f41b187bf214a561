"""All checks in their order: the machine's, then those of the ledger in a folder, then those of the node over it."""

import sys
from collections.abc import Iterator
from pathlib import Path

from hansa.client.next_block import NextBlock, next_block
from hansa.doctor import clock, disk, keys, ledger, ports, resources, sample, versions
from hansa.doctor.check import Check
from hansa.doctor.machine import Machine
from hansa.doctor.sample import Node, Sampled
from hansa.store.files import Disk, Files
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError


def examine(
    root: Path,
    *,
    port: int,
    named: bool = True,
    url: str | None = None,
    node: Node | None = None,
    machine: Machine | None = None,
    files: Files | None = None,
    tell: ledger.Tell = lambda _: None,
) -> Iterator[Check]:
    """All checks that can be made, each as soon as it is.

    `named`: whether somebody said that there is a ledger in `root`, so that none is a fault. `node` runs over it, at
    `url`; without one, `port` is where it would listen. `tell` is told how far the journal has been read.
    """
    asked, disks, folder = machine or Machine(), files or Disk(), Folder(root)
    watch = clock.Watch(asked)
    yield versions.python(sys.version_info[:2], word_bits=64 if sys.maxsize > 1 << 32 else 32)
    yield versions.libraries(asked)
    yield resources.processor(asked)
    yield resources.memory(asked)
    yield resources.open_files(asked)
    yield disk.filesystem(asked, root)
    yield disk.sync(asked, disks, root)
    yield disk.space(asked, root)
    yield clock.kept_right(asked)
    yield from ledger.leftovers(root)
    if folder.exists():
        other = None if node is None else _other_ledger(folder, url or "", node)
        if other is not None:
            yield other
        yield from _ledger(asked, folder, root, None if other else node, tell)
    else:
        yield _no_ledger(root, named)
    yield from _node(asked, root, port, url, node)
    yield watch.check()


def _no_ledger(root: Path, named: bool) -> Check:
    why = "Without a ledger, the machine alone was looked at."
    fix = f"`hansa up --data {root}` makes one; or name the right folder with --data."
    return Check("ledger", "fail" if named else "unknown", f"there is none in {root}", why, fix)


def _other_ledger(folder: Folder, url: str, node: Node) -> Check | None:
    """What to say if the node's ledger is not the folder's: neither then says anything of the other."""
    own = ledger.id_of(folder)
    try:
        found = node.get("/node/status")["ledger"]
    except HansaError:
        return None
    if own is None or found == own:
        return None
    seen = f"{url} runs over ledger {found}, and {folder.root} holds {own}"
    why = "What one of them says is nothing that the other could be checked with: the folder is looked at alone."
    return Check("same ledger", "fail", seen, why, "Name the folder and the node of one ledger with --data and --url.")


def _ledger(machine: Machine, folder: Folder, root: Path, node: Node | None, tell: ledger.Tell) -> Iterator[Check]:
    found = ledger.format_of(folder)
    yield found
    if found.verdict != "ok":
        return
    yield from keys.private(machine, folder)
    entries, of_journal = ledger.journal_and_clock(machine, folder, tell)
    yield from of_journal
    sampled, told = _sampled(folder, root, node, entries)
    yield from keys.known(folder, None if sampled is None else dict(sampled.keys))
    yield told


def _sampled(folder: Folder, root: Path, node: Node | None, entries: int | None) -> tuple[Sampled | None, Check]:
    """The sample, and the verdict on it. `entries` stand in the journal; None if it cannot be read."""
    name, running = "sample audit", ledger.is_running(folder)
    why = "Entries taken by chance are proven, to see that the ledger holds what it answered for."
    if entries is None:
        return None, Check(name, "unknown", "the journal cannot be read", why, "Mend the journal first, as told above.")
    if not entries:
        return None, Check(name, "unknown", "the ledger is empty", why, "Start its node: it writes the first entry.")
    if running and node is None:
        fix = "Wait until it answers, without --url if that names another; `hansa status` says how it is."
        return None, Check(name, "unknown", "no node that answers is the one over this folder", why, fix)
    odd = None if running else ledger.no_file(folder)
    if odd is not None:
        fix = f"Remove {odd}; if a file stood there, restore a backup."
        if odd.parent == folder.state:
            fix = f"Remove {folder.state}, and start the node: it makes the state again from the journal."
        return None, Check(name, "fail", f"{odd} is not a file", why, fix)
    sampled: Sampled | None = None
    try:
        sampled = sample.of_running(node) if running and node is not None else sample.of_stopped(folder)
        told = sample.check(root, sampled, running=running)
    except HansaError as error:
        told = Check(name, "unknown" if running else "fail", error.detail, why, error.remedy)
    except OSError as error:
        fix = "Look at its permissions and at the disk."
        told = Check(name, "unknown", f"{error.filename}: {error.strerror}", why, fix)
    if not running and entries <= sample.WHOLE_MAX:
        told = sample.whole(root)
    return sampled, told


def _node(machine: Machine, root: Path, port: int, url: str | None, node: Node | None) -> Iterator[Check]:
    name, why = "node", "Nobody can submit or read while no node answers."
    if url is None:
        yield ports.free(machine, port)
        yield Check(name, "unknown", f"none runs over {root}", why, f"Start it: `hansa up --data {root}`")
        return
    if node is not None:
        yield ports.reached_from(machine, url)
    yield from _answer(url, node, why)


def _answer(url: str, node: Node | None, why: str) -> Iterator[Check]:
    name = "node"
    if node is None:
        yield Check(name, "fail", f"{url} does not answer as a node does", why, "Look at its log, and start it again.")
        return
    try:
        found = node.get("/node/status")
    except HansaError as error:
        yield Check(name, "fail", error.detail, why, error.remedy)
        return
    if found["healthy"]:
        yield Check(name, "ok", f"{found['state']} at {url}, {found['entries']:,} entries")
    else:
        fix = "Start it again once that is mended."
        yield Check(name, "fail", f"{found['state']} at {url}: {found['detail']}", why, fix)
    yield _next_block(next_block(found))


def _next_block(found: NextBlock) -> Check:
    """Why there is no new block, if none comes: who is missing, what to do."""
    name, why = "next block", "What waits has its entry only in a block; nothing is lost meanwhile."
    if not found.fix:
        return Check(name, "ok", found.why)
    return Check(name, "fail" if found.state == "none" else "warn", found.why, why, found.fix)
