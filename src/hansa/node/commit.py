"""Commit: makes blocks durable, one unit at a time.

While the disk answers faster than a thread can be woken, the event loop waits for it itself; once it is slower, a
thread waits in its place, so that a slow disk does not stop the taking in and verifying of what comes next. A full disk
is waited out with the unit held, since nothing was promised yet. Any other failure is final: the node stops, because
after a failed sync nobody knows what is on the disk.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from hansa.store.files import is_full
from hansa.store.journal import Location, Writer
from hansa.wire.problems import HansaError

DISK_RETRY_S: Final = 0.5
"""How long a node with a full disk waits before it tries again."""
FAST_S: Final = 0.001
"""A sync below this is waited for on the loop: waking a thread and being woken by it costs about half of it."""
_SMOOTHING: Final = 0.2
_FASTER_AGAIN: Final = 0.5
"""The thread is left again only when syncs are this much below the bound, so that the choice does not flutter."""


class Committer:
    """Runs `Writer.append`. All methods are called from the event loop's thread.

    `call` hands a function to the event loop. `on_full` is told when the disk is full and when it is not any more,
    `on_failed` of what failed beside any unit. `on_synced` is told the seconds of each unit, by the thread that waited.
    """

    def __init__(
        self,
        writer: Writer,
        call: Callable[[Callable[[], None]], None],
        on_full: Callable[[bool], None],
        on_failed: Callable[[BaseException], None],
        on_synced: Callable[[float], None],
    ) -> None:
        self._writer = writer
        self._call = call
        self._on_full = on_full
        self._on_failed = on_failed
        self._on_synced = on_synced
        self._sync_s = 0.0
        self._threaded = False
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commit", daemon=True)
        self._preparing: threading.Thread | None = None
        self._thread.start()

    def append(
        self,
        blocks: list[bytes],
        done: Callable[[list[Location]], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Makes blocks durable; then, on the loop, `done` with their locations, or `failed`. May call back at once."""
        if self._threaded:
            self._units.put((blocks, done, failed))
            return
        begun = time.monotonic()
        try:
            locations = self._writer.append(blocks)
        except HansaError as error:
            if error.code == "disk.full":
                self._units.put((blocks, done, failed))
            else:
                failed(error)
        except Exception as error:
            failed(error)
        else:
            self._measure(time.monotonic() - begun)
            done(locations)

    def prepare(self) -> None:
        """Has the next segment made in the background when it is time."""
        if self._writer.wants_spare() and (self._preparing is None or not self._preparing.is_alive()):
            self._preparing = threading.Thread(target=self._prepare, name="prepare", daemon=True)
            self._preparing.start()

    def stop(self) -> None:
        """Waits for the unit in hand, then closes the journal. A unit held for a full disk is given up."""
        self._stopping.set()
        self._units.put(None)
        self._thread.join()
        if self._preparing is not None:
            self._preparing.join()
        self._writer.close()

    def _measure(self, seconds: float) -> None:
        self._on_synced(seconds)
        self._sync_s += (seconds - self._sync_s) * _SMOOTHING
        self._threaded = self._sync_s > (FAST_S * _FASTER_AGAIN if self._threaded else FAST_S)

    def _run(self) -> None:
        while (unit := self._units.get()) is not None:
            blocks, done, failed = unit
            try:
                begun = time.monotonic()
                locations = self._append(blocks)
                self._measure(time.monotonic() - begun)
            except BaseException as error:
                self._call(_later(failed, error))
                return
            self._call(_later(done, locations))

    def _append(self, blocks: list[bytes]) -> list[Location]:
        full = False
        while True:
            try:
                locations = self._writer.append(blocks)
            except HansaError as error:
                if error.code != "disk.full" or self._stopping.is_set():
                    raise
                if not full:
                    full = True
                    self._call(lambda: self._on_full(True))
                self._stopping.wait(DISK_RETRY_S)
            else:
                if full:
                    self._call(lambda: self._on_full(False))
                return locations

    def _prepare(self) -> None:
        try:
            self._writer.prepare_spare()
        except BaseException as error:
            if not (isinstance(error, OSError) and is_full(error)):
                self._call(_later(self._on_failed, error))
            # On a full disk `append` will need the segment and meet the same error, where it counts.


_A = TypeVar("_A")
_Unit = tuple[list[bytes], Callable[[list[Location]], None], Callable[[BaseException], None]]


def _later(function: Callable[[_A], None], argument: _A) -> Callable[[], None]:
    return lambda: function(argument)
