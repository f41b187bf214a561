"""Has the state digested by a process beside the node, one state at a time, while the node goes on.

The process is started for each: between two digests there is none. All methods are called on the node's event loop.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

from hansa.store.files import Disk
from hansa.store.folder import Folder
from hansa.store.snapshots import Snapshots
from hansa.wire.problems import HansaError

_NULL: Final = asyncio.subprocess.DEVNULL
_PIPE: Final = asyncio.subprocess.PIPE

Taken: TypeAlias = "bytes | HansaError"
"""The manifest of a snapshot that is on the disk, or why there is none."""


class Digester:
    """`done` is told the block's height and what came of it; but not after `stop`."""

    def __init__(self, folder: Folder, done: Callable[[int, Taken], None]) -> None:
        self._folder = folder
        self._done = done
        self._task: asyncio.Task[None] | None = None
        self._is_stopped = False

    @property
    def is_busy(self) -> bool:
        """Whether one is being taken."""
        return self._task is not None

    def begin(self, height: int) -> None:
        """Begins to digest the state that LMDB holds, which stands behind block `height`, unless one is at it."""
        if self._task is None and not self._is_stopped:
            self._task = asyncio.get_running_loop().create_task(self._take(height))

    async def stop(self) -> None:
        """Ends it: a next start begins anew."""
        self._is_stopped = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _take(self, height: int) -> None:
        found: Taken
        try:
            await take_beside(self._folder.state, self._folder.snapshots, height)
            found = Snapshots(Disk(), self._folder.snapshots).manifest(height)
        except HansaError as error:
            found = error
        except OSError as error:  # it could not even be started, or what it wrote cannot be read
            found = HansaError("snapshot.failed", str(error))
        self._task = None
        self._done(height, found)


async def take_beside(state: Path, kept: Path, height: int) -> None:
    """Runs `state_digest` as a process. Raises `HansaError` with what went wrong there; `OSError`.

    Where it is cancelled, the process has ended.
    """
    # -P: whatever lies in the folder where the node was started must not be taken for a module.
    command = [sys.executable, "-P", "-m", "hansa.node.state_digest", str(state), str(kept), str(height)]
    process = await asyncio.create_subprocess_exec(*command, stdin=_NULL, stdout=_PIPE, stderr=_PIPE)
    try:
        said, errors = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if said:
        code, _, detail = said.decode(errors="replace").partition(" ")
        raise HansaError(code, detail.strip())
    if process.returncode:
        last = errors.decode(errors="replace").strip().rpartition("\n")[2]
        raise HansaError("snapshot.failed", last or f"its process ended with {process.returncode}")
