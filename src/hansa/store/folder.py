"""A ledger's data folder: where everything lies, which format it is in, and that one node at a time uses it."""

import fcntl
import os
import tempfile
from pathlib import Path
from typing import Final

from hansa.store import journal
from hansa.store.files import Files, read_whole, replace
from hansa.wire.problems import HansaError

FORMAT: Final = b"hansa ledger folder, format 0\n"
_FORMAT_NAME: Final = "format"


class Folder:
    """The paths of one data folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.format = root / _FORMAT_NAME
        self.genesis = root / "genesis.cbor"
        self.journal = root / "journal"
        self.tiles = root / "tiles"
        self.state = root / "state"
        self.seal = root / "state.seal"
        self.checkpoints = root / "checkpoints"
        self.cut = root / "cut"
        self.keys = root / "keys"
        self.clock = root / "clock.json"
        self.node = root / "node.json"
        self.lock = root / "lock"

    def exists(self) -> bool:
        """Whether there is a ledger here."""
        return self.format.exists()

    def check_free(self) -> None:
        """Raises `HansaError` (`folder.taken`, `folder.foreign`) unless a ledger can be made here."""
        if self.exists():
            raise HansaError("folder.taken", f"{self.root} already holds a ledger")
        if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
            raise HansaError("folder.foreign", f"{self.root} holds other things")

    def check_format(self, files: Files) -> None:
        """Raises `HansaError` (`folder.none`, `folder.format`) unless this version can read the folder."""
        if not self.exists():
            raise HansaError("folder.none", f"{self.root} holds no ledger")
        found = read_whole(files, self.format)
        if found != FORMAT:
            raise HansaError("folder.format", f"{self.root} says {found[:80].decode(errors='replace').strip()!r}")

    def create(self, files: Files, genesis: bytes, ledger: bytes) -> None:
        """Lays out an empty ledger. The format file comes last: without it there is no ledger."""
        files.make_folder(self.root, 0o700)
        files.sync_folder(self.root.parent)
        if self.exists():
            raise HansaError("folder.taken", f"{self.root} already holds a ledger")
        journal.create(files, self.journal, ledger)
        replace(files, self.genesis, genesis)
        replace(files, self.format, FORMAT)


class Lock:
    """An advisory lock on a file, held while this process lives or until `release`.

    `shared` is for those who only read: they bear each other, write nothing, and take a file that is there.
    """

    def __init__(self, path: Path, *, shared: bool = False) -> None:
        self.path = path
        try:
            if not shared:
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_RDONLY if shared else os.O_RDWR | os.O_CREAT
            self._descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise HansaError("folder.lock", f"{path}: {error.strerror}") from None
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise HansaError("folder.locked", f"{path} is held by process {holder or 'unknown'}") from None
        if not shared:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Lets others in. The file stays: removing it would let two processes lock two files of one name."""
        os.close(self._descriptor)


def signer_lock(kid: bytes) -> Path:
    """The lock that a checkpoint key's only user on this machine holds, wherever its folder lies.

    Two copies of a ledger that both sign would be two histories under one key.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    base = Path(runtime) if runtime and Path(runtime).is_dir() else Path(tempfile.gettempdir())
    return base / f"hansa-{os.getuid()}" / f"{kid.hex()}.lock"


def is_locked(path: Path) -> bool:
    """Whether some process that writes holds the lock at `path`, which is left as it is."""
    if not path.exists():
        return False
    try:
        Lock(path, shared=True).release()
    except HansaError as error:
        return error.code == "folder.locked"
    return False
