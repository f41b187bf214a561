"""A disk that remembers what a crash may still take: the model behind the crash enumeration, and its recorder.

`Recorder` is a `Files` on a real folder that also writes down every operation. `World` replays such a log and knows,
at any point of it, what is durable and what is not: file contents before `sync`, names before `sync_folder`, the last
flush of LMDB (which is not behind `Files`, and whose `metasync` is off). `variants` then lists what may be found on
the disk after a crash at that point, each as an image: file contents by path.

The model is POSIX's, not a file system's: unsynced writes may be lost one by one, torn at any sector, reordered across
files; a name may be lost although its file was synced. Real file systems are kinder.
"""

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise
from pathlib import Path
from random import Random

from hansa.node import recovery
from hansa.store.files import Disk, File
from hansa.store.folder import unfinished
from hansa.store.state import Applied, State

SECTOR = 512
PAGE = 4096
STATE_FILE = "state/data.mdb"
NOT_RECORDED = ("state", "keys", "lock", "node.json")
"""What lies in a ledger's folder but is not written through `Files`."""


@dataclass(frozen=True, slots=True)
class Write:
    inode: int
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    inode: int
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    inode: int


@dataclass(frozen=True, slots=True)
class Link:
    """A new name in a folder; `inode` -1 is a folder."""

    folder: str
    name: str
    inode: int


@dataclass(frozen=True, slots=True)
class Rename:
    folder: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Unlink:
    folder: str
    name: str


@dataclass(frozen=True, slots=True)
class SyncFolder:
    folder: str


@dataclass(frozen=True, slots=True)
class StateFlush:
    """LMDB committed: its file as it is now; None after the state was removed."""

    data: bytes | None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something was promised to somebody: the entries below `size` were answered or served."""

    size: int


DataOp = Write | Truncate
NameOp = Link | Rename | Unlink
Op = Write | Truncate | Sync | Link | Rename | Unlink | SyncFolder | StateFlush | Mark
Image = dict[str, bytes]
DIR = -1


def describe(op: Op) -> str:
    match op:
        case Write(inode, offset, data):
            return f"write(#{inode}, {offset}, {len(data)} bytes)"
        case StateFlush(data):
            return f"state({'gone' if data is None else len(data)})"
        case _:
            return repr(op)


@dataclass(slots=True)
class World:
    """What is durable, and what is pending, in the order in which it was asked for."""

    data: dict[int, bytes] = field(default_factory=dict)
    names: dict[str, dict[str, int]] = field(default_factory=lambda: {"": {}})
    state: bytes | None = None
    pending: list[DataOp] = field(default_factory=list)
    pending_names: list[NameOp] = field(default_factory=list)
    pending_state: list[StateFlush] = field(default_factory=list)
    promised: int = 0

    def copy(self) -> "World":
        return World(
            dict(self.data),
            {folder: dict(names) for folder, names in self.names.items()},
            self.state,
            list(self.pending),
            list(self.pending_names),
            list(self.pending_state),
            self.promised,
        )

    def apply(self, op: Op) -> None:
        match op:
            case Write() | Truncate():
                self.pending.append(op)
            case Sync(inode):
                now = [p for p in self.pending if p.inode == inode]
                self.pending = [p for p in self.pending if p.inode != inode]
                _write_all(self.data, now)
            case Link() | Rename() | Unlink():
                self.pending_names.append(op)
            case SyncFolder(folder):
                now_names = [p for p in self.pending_names if p.folder == folder]
                self.pending_names = [p for p in self.pending_names if p.folder != folder]
                _name_all(self.names, now_names)
            case StateFlush():
                # With metasync off, a commit makes the one before it durable.
                if self.pending_state:
                    self.state = self.pending_state[-1].data
                self.pending_state = [op]
            case Mark(size):
                self.promised = max(self.promised, size)

    def image(self, writes: list[DataOp], names: list[NameOp], state: list[StateFlush]) -> Image | None:
        """What lies there if of all that is pending only this came through; None if that cannot be."""
        tree = {folder: dict(entries) for folder, entries in self.names.items()}
        if not _name_all(tree, names):
            return None
        touched = {op.inode for op in writes}
        data = {inode: self.data.get(inode, b"") for inode in touched}
        _write_all(data, writes)
        found: Image = {}
        _walk(tree, "", lambda path, inode: found.__setitem__(path, data.get(inode, self.data.get(inode, b""))))
        snapshot = state[-1].data if state else self.state
        if snapshot is not None:
            found[STATE_FILE] = snapshot
        return found

    def latest(self) -> Image:
        """What a process sees that starts now: everything, durable or not."""
        found = self.image(self.pending, self.pending_names, self.pending_state)
        assert found is not None
        return found

    def settled(self) -> "World":
        """This world after everything pending was written out."""
        world = self.copy()
        _write_all(world.data, world.pending)
        _name_all(world.names, world.pending_names)
        if world.pending_state:
            world.state = world.pending_state[-1].data
        world.pending, world.pending_names, world.pending_state = [], [], []
        return world


def world_of(image: Image) -> World:
    """A world in which exactly this lies on the disk, durably."""
    world = World()
    for inode, (path, data) in enumerate(sorted(image.items())):
        if path == STATE_FILE:
            world.state = data
            continue
        folder = ""
        *parents, name = path.split("/")
        for parent in parents:
            world.names[folder][parent] = DIR
            folder = f"{folder}/{parent}".lstrip("/")
            world.names.setdefault(folder, {})
        world.names[folder][name] = inode
        world.data[inode] = data
    return world


def variants(
    world: World, torn_max: int = 12, chance: Random | None = None, random_max: int = 0
) -> Iterator[tuple[str, Image]]:
    """What may be on the disk after a crash now, each with a description. The same image may come twice.

    With `chance`, so many more in which all that is pending came through or not by chance, sector by sector.
    """
    data = list(_data_variants(world.pending, torn_max))
    names = list(_name_variants(world.pending_names))
    states = [("state kept", world.pending_state)] + ([("state lost", [])] if world.pending_state else [])
    whole = [data[0]] + ([data[1]] if len(data) > 1 else [])
    chosen = [(d, n, s) for d in whole for n in names for s in states]
    chosen += [(d, names[0], states[0]) for d in data]
    chosen += [(d, n, states[-1]) for d in data for n in (names[0], names[-1])]
    for (about, writes), (about_names, name_ops), (about_state, state) in chosen:
        image = world.image(writes, name_ops, state)
        if image is not None:
            yield f"{about}; {about_names}; {about_state}", image
    for number in range(random_max if chance is not None and world.pending else 0):
        assert chance is not None
        writes = [piece for op in world.pending for piece in _by_chance(op, chance)]
        image = world.image(writes, chance.choice(names)[1], chance.choice(states)[1])
        if image is not None:
            yield f"by chance, {number}", image


def _data_variants(pending: list[DataOp], torn_max: int) -> Iterator[tuple[str, list[DataOp]]]:
    yield "all writes", pending
    if not pending:
        return
    yield "no write", []
    for i in range(len(pending)) if len(pending) > 1 else ():
        yield f"without {describe(pending[i])}", pending[:i] + pending[i + 1 :]
        yield f"only {describe(pending[i])}", [pending[i]]
    inodes = sorted({op.inode for op in pending})[:4]
    for count in range(1, len(inodes)):
        for kept in combinations(inodes, count):
            yield f"files {kept} only", [op for op in pending if op.inode in kept]
    last = max((i for i, op in enumerate(pending) if isinstance(op, Write)), default=None)
    if last is None:
        return
    write = pending[last]
    assert isinstance(write, Write)
    before, after = pending[:last], pending[last + 1 :]
    for about, pieces in _torn(write, torn_max):
        yield f"{describe(write)} {about}", [*before, *pieces, *after]


def _torn(write: Write, most: int) -> Iterator[tuple[str, list[DataOp]]]:
    """The ways in which one write may have come through in part."""
    end = write.offset + len(write.data)
    sectors = list(range(write.offset // SECTOR * SECTOR + SECTOR, end, SECTOR))
    pages = [at for at in sectors if at % PAGE == 0]
    yield "zero-filled", [replace(write, data=bytes(len(write.data)))]
    for at in sorted({*_evenly(sectors, most), *_evenly(pages, most)}):
        head = replace(write, data=write.data[: at - write.offset])
        tail = replace(write, offset=at, data=write.data[at - write.offset :])
        yield f"torn at {at}", [head]
        yield f"torn at {at}, the end only", [tail]
        yield f"torn at {at}, then zeros", [head, replace(tail, data=bytes(len(tail.data)))]
    for at in _evenly(sectors, most // 2):
        stop = min(at + SECTOR, end)
        if stop < end:
            head = replace(write, data=write.data[: at - write.offset])
            yield (
                f"without the sector at {at}",
                [head, replace(write, offset=stop, data=write.data[stop - write.offset :])],
            )


def _by_chance(op: DataOp, chance: Random) -> Iterator[DataOp]:
    if isinstance(op, Truncate) or chance.random() < 0.4:
        if chance.random() < 0.8:
            yield op
        return
    end = op.offset + len(op.data)
    bounds = [op.offset, *range(op.offset // SECTOR * SECTOR + SECTOR, end, SECTOR), end]
    for begin, stop in pairwise(bounds):
        came = chance.random()
        if came < 0.5:
            yield replace(op, offset=begin, data=op.data[begin - op.offset : stop - op.offset])
        elif came < 0.6:
            yield replace(op, offset=begin, data=bytes(stop - begin))


def _name_variants(pending: list[NameOp]) -> Iterator[tuple[str, list[NameOp]]]:
    yield "all names", pending
    if not pending:
        return
    for i in range(1, len(pending)):
        yield f"the first {i} names", pending[:i]
        yield f"without {describe(pending[i])}", pending[:i] + pending[i + 1 :]
    if len(pending) > 1:
        yield f"without {describe(pending[0])}", pending[1:]
    yield "no name", []


def _evenly(values: list[int], most: int) -> list[int]:
    if len(values) <= most:
        return values
    return [values[i * len(values) // most] for i in range(most)]


def _write_all(data: dict[int, bytes], ops: list[DataOp]) -> None:
    for op in ops:
        content = data.get(op.inode, b"")
        if isinstance(op, Truncate):
            data[op.inode] = content[: op.size].ljust(op.size, b"\0")
        elif op.data:
            content = content.ljust(op.offset, b"\0")
            data[op.inode] = content[: op.offset] + op.data + content[op.offset + len(op.data) :]


def _name_all(tree: dict[str, dict[str, int]], ops: list[NameOp]) -> bool:
    """Applies name operations; False if one cannot be without another that was lost."""
    for op in ops:
        entries = tree.setdefault(op.folder, {})
        match op:
            case Link(folder, name, inode):
                entries[name] = inode
                if inode == DIR:
                    tree.setdefault(f"{folder}/{name}".lstrip("/"), {})
            case Rename(_, old, new):
                if old not in entries:
                    return False
                entries[new] = entries.pop(old)
            case Unlink(_, name):
                if name not in entries:
                    return False
                del entries[name]
    return True


def _walk(tree: dict[str, dict[str, int]], folder: str, tell) -> None:
    for name, inode in tree.get(folder, {}).items():
        path = f"{folder}/{name}".lstrip("/")
        if inode == DIR:
            _walk(tree, path, tell)
        else:
            tell(path, inode)


def materialise(image: Image, root: Path) -> None:
    """Puts an image into an empty folder."""
    for folder in {path.rpartition("/")[0] for path in image}:
        os.makedirs(f"{root}/{folder}", exist_ok=True)
    for path, data in image.items():
        with open(f"{root}/{path}", "wb", buffering=0) as file:
            file.write(data)


def read_image(root: Path) -> Image:
    """What lies in a ledger's folder as far as `Files` and LMDB wrote it."""
    found: Image = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = f"{folder}/{name}".removeprefix(f"{root}/")
            if path.split("/")[0] not in NOT_RECORDED or path == STATE_FILE:
                with open(f"{folder}/{name}", "rb", buffering=0) as file:
                    found[path] = file.read()
    return found


class Recorder:
    """`Files` on a real folder under `root`, writing down in `log` what is done; safe to use from several threads.

    `world` is what lay there when it began, pending operations included: with those a recorder goes on where a
    killed process was, whose writes the system has but the disk does not. `deaf` names operations that are done
    but not written down, to plant bugs: `("sync", ".segment")` is a journal whose sync claims and does nothing.

    A folder in the making counts as the ledger's own from its first file on: that is harder than it is, since in truth
    nothing of it is seen before all of it is durable.
    """

    def __init__(self, root: Path, world: World | None = None, deaf: tuple[tuple[str, str], ...] = ()) -> None:
        self.root = root
        self._unfinished = unfinished(root)
        self.base = world.copy() if world is not None else World()
        self.log: list[Op] = []
        self._deaf = deaf
        self._disk = Disk()
        self._lock = threading.RLock()
        now = self.base.copy().settled()
        self._names = now.names
        self._next = max([*now.data, *(i for names in now.names.values() for i in names.values())], default=0) + 1

    # What a crash may lose

    def note(self, kind: str, name: str, op: Op) -> None:
        if not any(kind == deaf and name.endswith(end) for deaf, end in self._deaf):
            self.log.append(op)

    def promise(self, size: int) -> None:
        """The entries below `size` have been answered, served or signed for."""
        with self._lock:
            self.log.append(Mark(size))

    def state_committed(self) -> None:
        """LMDB committed, or was removed."""
        with self._lock:
            file = self.root / STATE_FILE
            self.log.append(StateFlush(file.read_bytes() if file.exists() else None))

    def worlds(self) -> Iterator[tuple[int, World]]:
        """The world after so many operations; the same object, moved on."""
        world = self.base.copy()
        yield 0, world
        for number, op in enumerate(self.log, 1):
            world.apply(op)
            yield number, world

    def world_at(self, cut: int) -> World:
        """The world after so many operations, to keep."""
        return next(world for number, world in self.worlds() if number == cut)

    # Files

    def open(self, path: Path, *, create: bool = False) -> File:
        with self._lock:
            file = self._disk.open(path, create=create)
            return _Recorded(self, file, self._inode(path, create=create), path.name, self._lock)

    def open_to_read(self, path: Path) -> File:
        return self._disk.open_to_read(path)

    def create_zeroed(self, path: Path, size: int) -> File:
        file = self.open(path, create=True)
        file.truncate(0)
        file.write(0, bytes(size))
        file.sync()
        return file

    def make_folder(self, path: Path) -> None:
        with self._lock:
            self._disk.make_folder(path)
            if path in (self.root, self._unfinished):
                return
            folder, name = self._place(path)
            if name not in self._names.setdefault(folder, {}):
                self._names[folder][name] = DIR
                self._names.setdefault(f"{folder}/{name}".lstrip("/"), {})
                self.note("make_folder", name, Link(folder, name, DIR))

    def rename(self, old: Path, new: Path) -> None:
        with self._lock:
            self._disk.rename(old, new)
            if old == self._unfinished:
                return
            (folder, name), (other, new_name) = self._place(old), self._place(new)
            assert folder == other, "the model knows renames inside a folder only"
            self._names[folder][new_name] = self._names[folder].pop(name)
            self.note("rename", new_name, Rename(folder, name, new_name))

    def unlink(self, path: Path) -> None:
        with self._lock:
            self._disk.unlink(path)
            folder, name = self._place(path)
            if self._names.get(folder, {}).pop(name, None) is not None:
                self.note("unlink", name, Unlink(folder, name))

    def sync_folder(self, path: Path) -> None:
        with self._lock:
            self._disk.sync_folder(path)
            if path in (self.root, self._unfinished):
                self.note("sync_folder", path.name, SyncFolder(""))
            elif path.is_relative_to(self.root) or path.is_relative_to(self._unfinished):
                folder, name = self._place(path)
                self.note("sync_folder", name, SyncFolder(f"{folder}/{name}".lstrip("/")))

    def names(self, path: Path) -> list[str]:
        return self._disk.names(path)

    def free_bytes(self, path: Path) -> int:
        return self._disk.free_bytes(path)

    def _place(self, path: Path) -> tuple[str, str]:
        relative = path.relative_to(self._unfinished if path.is_relative_to(self._unfinished) else self.root)
        return ("" if len(relative.parts) == 1 else str(relative.parent)), relative.name

    def _inode(self, path: Path, *, create: bool) -> int:
        folder, name = self._place(path)
        inode = self._names.setdefault(folder, {}).get(name)
        if inode is None:
            assert create, f"{path} is unknown to the recorder"
            inode, self._next = self._next, self._next + 1
            self._names[folder][name] = inode
            self.note("link", name, Link(folder, name, inode))
        return inode


class _Recorded:
    """A file whose writes are written down."""

    def __init__(self, recorder: Recorder, file: File, inode: int, name: str, lock: threading.RLock) -> None:
        self._recorder = recorder
        self._file = file
        self._inode = inode
        self._name = name
        self._lock = lock

    def read(self, offset: int, length: int) -> bytes:
        return self._file.read(offset, length)

    def write(self, offset: int, data: bytes) -> None:
        with self._lock:
            self._file.write(offset, data)
            self._recorder.note("write", self._name, Write(self._inode, offset, bytes(data)))

    def sync(self) -> None:
        with self._lock:
            self._file.sync()
            self._recorder.note("sync", self._name, Sync(self._inode))

    def settle(self) -> None:
        self.sync()

    def size(self) -> int:
        return self._file.size()

    def truncate(self, size: int) -> None:
        with self._lock:
            self._file.truncate(size)
            self._recorder.note("truncate", self._name, Truncate(self._inode, size))

    def close(self) -> None:
        self._file.close()


class recorded_state:
    """While this is entered, flushes of LMDB and its removal are written down by `recorder` too."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __enter__(self) -> None:
        recorder, flush, fresh = self._recorder, State.flush, recovery._fresh_state
        self._restore = flush, fresh

        def recorded_flush(state: State, applied: Applied) -> None:
            flush(state, applied)
            recorder.state_committed()

        def recorded_fresh(*arguments):
            made = fresh(*arguments)
            with recorder._lock:
                recorder.log.append(StateFlush(None))
            return made

        State.flush = recorded_flush
        recovery._fresh_state = recorded_fresh

    def __exit__(self, *_: object) -> None:
        State.flush, recovery._fresh_state = self._restore
