"""A ledger's data folder: where everything lies, which format it is in, and that one node at a time uses it."""

import contextlib
import errno
import fcntl
import os
import pwd
import shutil
import stat
from collections.abc import Generator
from pathlib import Path
from typing import Final

from hansa.store import journal
from hansa.store.files import FOLDER_MODE, Files, read_whole, replace, trouble_told
from hansa.wire.problems import HansaError

FORMAT: Final = b"hansa ledger folder, format 0.4\n"
"""The version before the point is that of all formats; behind it every change of them counts before version 1."""
_FORMAT_NAME: Final = "format"
_SHARED: Final = Path("/tmp")  # noqa: S108 - `_own_folder` sees to whose it is
_NO_HOME: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR)
_OWN_FOLDER: Final = "Have it removed by whoever made it, or give this user a home folder that it can write to."


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
        self.snapshots = root / "snapshots"
        self.cut = root / "cut"
        self.keys = root / "keys"
        self.exclusions = root / "exclusions"
        self.earlier = root / "earlier.trust"
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
            raise HansaError("folder.foreign", f"{self.root} holds other things than a ledger")

    def check_format(self, files: Files) -> None:
        """Raises `HansaError` (`folder.none`, `folder.format`) unless this version can read the folder."""
        if not self.exists():
            raise HansaError("folder.none", f"{self.root} holds no ledger")
        with trouble_told(self.format):
            found = read_whole(files, self.format)
        if found != FORMAT:
            says = found[:80].decode(errors="replace").strip()
            told = f"{self.root} was made by another version: it says {says!r}, not {FORMAT.decode().strip()!r}"
            raise HansaError("folder.format", told)

    def create(self, files: Files, genesis: bytes, ledger: bytes) -> None:
        """Lays out an empty ledger in a new folder. The format file comes last: without it there is no ledger."""
        journal.create(files, self.journal, ledger)
        replace(files, self.genesis, genesis)
        replace(files, self.format, FORMAT)


@contextlib.contextmanager
def new_folder(files: Files, root: Path) -> Generator[Folder, None, None]:
    """A folder in the making: at the end of the block it stands at `root`, whole and durable; after an error, nowhere.

    It is made beside `root` under one name, so that what a killed process left there, keys perhaps, is found and
    removed. Raises `HansaError`: `folder.taken`, `folder.foreign`, `folder.locked` if another process is making it,
    `disk.full`, `folder.access`.
    """
    with trouble_told(root):
        root = Path(os.path.realpath(root))
        made = unfinished(root)
        descriptor = _claim(files, made)
        try:
            try:
                Folder(root).check_free()
                for left in made.iterdir():
                    shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
                yield Folder(made)
                for folder, _, _ in os.walk(made):
                    files.sync_folder(Path(folder))
                files.rename(made, root)
            except BaseException:
                shutil.rmtree(made, ignore_errors=True)
                raise
            files.sync_folder(root.parent)
        finally:
            os.close(descriptor)


def unfinished(root: Path) -> Path:
    """Where the folder of a ledger is made, until it is whole."""
    return root.with_name(f".{root.name}.new")


def _claim(files: Files, path: Path) -> int:
    """Makes a folder, or takes over what a dead process left of one; the descriptor that keeps others out."""
    while True:
        files.make_folder(path)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:  # another has finished it just now
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor)):
                os.fchmod(descriptor, FOLDER_MODE)
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            raise HansaError("folder.locked", f"{path} is being made by another process") from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


class Lock:
    """An advisory lock on a file, held while this process lives or until `release`.

    `shared` is for those who only read: they bear each other, write nothing, and take a file that is there.
    `passing`: the file goes with the lock.
    """

    def __init__(self, path: Path, *, shared: bool = False, passing: bool = False) -> None:
        self.path = path
        self._passing = passing
        while not self._take(shared):
            pass

    def _take(self, shared: bool) -> bool:
        """Whether what was locked is the file of that name, and not one that its holder has just removed."""
        path = self.path
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
        if not (path.exists() and os.path.samestat(path.stat(), os.fstat(self._descriptor))):
            os.close(self._descriptor)
            return False
        if not shared:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)
        return True

    def release(self) -> None:
        """Lets others in."""
        if self._passing:
            with contextlib.suppress(OSError):
                self.path.unlink()
        os.close(self._descriptor)


def signer_lock(kid: bytes) -> Path:
    """The lock that a checkpoint key's only user on this machine holds, wherever its folder lies.

    Two copies of a ledger that both sign would be two histories under one key. Raises `HansaError` `folder.lock`.
    """
    return _signers() / f"{kid.hex()}.lock"


def account_home() -> Path | None:
    """The home folder of this process's user as the password database says; None if it knows none."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return None


def _signers() -> Path:
    """Where the signer locks of this user lie. A service and a shell have different environments, so none decides."""
    home = account_home()
    if home is not None:
        folder = home / ".hansa" / "signers"
        try:
            folder.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
            folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        except OSError as error:
            if error.errno not in _NO_HOME:
                raise HansaError("folder.lock", f"{folder}: {error.strerror}") from None
        else:
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
    return _own_folder(_SHARED / f"hansa-{os.getuid()}")


def _own_folder(path: Path) -> Path:
    """A folder in a place where anyone may make one, if it is this user's alone."""
    try:
        path.mkdir(mode=FOLDER_MODE, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise HansaError("folder.lock", f"{path}: {error.strerror}") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != FOLDER_MODE:
        raise HansaError("folder.lock", f"{path} is not a folder of this user alone", remedy=_OWN_FOLDER)
    return path


def is_locked(path: Path) -> bool:
    """Whether some process that writes holds the lock at `path`, which is left as it is."""
    if not path.exists():
        return False
    try:
        Lock(path, shared=True).release()
    except HansaError as error:
        return error.code == "folder.locked"
    return False
