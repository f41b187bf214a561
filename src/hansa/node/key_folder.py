"""The private keys that a node finds in its key folder: of each kind as many files as there are, old and new.

A node that runs looks again when the ledger's keys change, and while it misses one. Which of them sign, the ledger
says: a key that was retired signs nothing any more, whether its file lies there or not.
"""

from pathlib import Path
from typing import Final

import structlog

from hansa.client import keys as key_files
from hansa.store.folder import Folder, Lock, signer_lock
from hansa.wire.keys import PrivateKey
from hansa.wire.problems import HansaError

log = structlog.get_logger()

CHECKPOINT: Final = "checkpoint"
NODE: Final = "node"
FILES_MAX: Final = 100
"""Files of one kind that are looked at, by name."""


class KeyFolder:
    """The node's keys by kid, until `release` with the locks that keep other nodes from signing with the same ones."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder.keys
        self._locks: list[Lock] = []
        self.checkpoint: dict[bytes, PrivateKey] = {}
        self.node: dict[bytes, PrivateKey] = {}

    def open(self) -> None:
        """Reads the files. Raises `HansaError`: `key.file` (none of a kind too), `key.exposed`, `folder.locked`."""
        for kind, held in self._held():
            for path in self._paths(kind) or [self._folder / f"{kind}.pem"]:
                try:
                    self._take(path, held)
                except HansaError as error:
                    if error.code != "key.file":
                        raise
                    kept = "`hansa backup --keys` keeps it. No node runs without it."
                    remedy = f"Put the ledger's own {kind}.pem there; {kept}"
                    raise HansaError(error.code, error.detail, remedy=remedy) from None

    def look_again(self) -> None:
        """Takes in files that were put there meanwhile. One that cannot be used is told of, and left alone."""
        for kind, held in self._held():
            for path in self._paths(kind):
                known = len(held)
                try:
                    self._take(path, held)
                    if len(held) > known:
                        log.info("key.taken", path=str(path))
                except HansaError as error:
                    log.warning("key.passed_over", code=error.code, path=str(path))

    def release(self) -> None:
        """Lets other nodes have the keys."""
        for lock in self._locks:
            lock.release()
        self._locks = []

    def _held(self) -> tuple[tuple[str, dict[bytes, PrivateKey]], ...]:
        return (CHECKPOINT, self.checkpoint), (NODE, self.node)

    def _paths(self, kind: str) -> list[Path]:
        return sorted(self._folder.glob(f"{kind}*.pem"))[:FILES_MAX]

    def _take(self, path: Path, held: dict[bytes, PrivateKey]) -> None:
        key = key_files.load(path)
        if key.kid in held:
            return
        if held is self.checkpoint:
            self._locks.append(_only_signer(key))
        held[key.kid] = key


def _only_signer(key: PrivateKey) -> Lock:
    """The lock that keeps a second node from signing with the same key. Raises `HansaError` `folder.locked`."""
    try:
        return Lock(signer_lock(key.kid), passing=True)
    except HansaError as error:
        if error.code != "folder.locked":
            raise
        told = f"a node with the same checkpoint key runs over another copy of this ledger: {error.detail}"
        remedy = "Stop that node first, and keep one copy: two would sign two histories under one key."
        raise HansaError(error.code, told, remedy=remedy) from None
