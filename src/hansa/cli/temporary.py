"""Folders for ledgers that a command makes: one that goes with it, or a new one that is kept."""

import contextlib
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from hansa.store.files import trouble_told
from hansa.store.folder import Folder
from hansa.wire.problems import HansaError


def free_folder(folder: Path) -> Path:
    """The folder to keep the ledger in, of which at most the last part is made."""
    with trouble_told(folder):
        if not folder.parent.is_dir():
            remedy = "Make that folder first, or name a new folder in one that there is."
            raise HansaError("folder.access", f"there is no folder {folder.parent}", remedy=remedy)
        Folder(folder).check_free()
    return folder


def kept_told(folder: Path, ledger: str, seq: int, prefix: str) -> str:
    """What can be done with a ledger that a story left in `folder`; entry `seq` is one to prove, as `prefix`."""
    kept = str(folder)
    commands = [
        ("audit", kept),
        ("receipt", "get", str(seq), "--data", kept, "--out", prefix),
        ("receipt", "verify", prefix, "--genesis", str(Folder(folder).genesis), "--ledger", ledger),
        ("up", "--data", kept),
    ]
    return "\n".join([f"The ledger is in {kept}. Try:", *(f"  hansa {shlex.join(words)}" for words in commands)])


@contextlib.contextmanager
def temporary_folder(prefix: str = "hansa-demo-", where: Path | None = None) -> Generator[Path, None, None]:
    """A folder for keys and copies, removed at the end, also when SIGTERM, SIGHUP or Ctrl-C is what ends it.

    It lies in `where`, by itself where the system keeps temporary files.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    heard = [number for number in numbers if before[number] != signal.SIG_IGN]

    def ignore() -> None:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)

    def stop(number: int, _: object) -> None:
        ignore()  # a second signal must not stop the cleaning up
        sys.exit(128 + number)

    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=where))
    try:
        for number in heard:
            if number != signal.SIGINT:  # Python turns it into KeyboardInterrupt
                signal.signal(number, stop)
        yield folder
    finally:
        ignore()
        shutil.rmtree(folder, ignore_errors=True)
        for number in heard:
            signal.signal(number, before[number])
