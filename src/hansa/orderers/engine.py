"""An ordering engine as a child process of its node: one life, one log file, started again when it dies.

Called by `etcd` and `cometbft`, on the node's running loop. It never talks to an engine and reads nothing of what it
writes: whether an engine is well is its orderer's to say. Under Linux an engine ends with its node however that ends;
elsewhere one that was left behind by a killed node keeps its folder locked until somebody ends it.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import structlog

from hansa.store.files import FILE_MODE
from hansa.wire.problems import HansaError

log = structlog.get_logger()

PAUSE_FIRST_S: Final = 0.25
"""Between a death and the next start; doubled at each death until the engine has lived for `STEADY_S`."""
PAUSE_LONGEST_S: Final = 10.0
"""The longest such pause: an engine whose trouble has gone is soon there again."""
STEADY_S: Final = 30.0
"""After so long a life a death counts as the first again."""
SHAKY_S: Final = 3.0
"""Before that, one that was started again after a death does not count as well."""
PATIENCE_S: Final = 10.0
"""How long an engine may take to end when it is asked to; then it is killed."""
LOG_BYTES_MAX: Final = 16 * 1024 * 1024
"""A longer log is put aside as `NAME.log.old` at the next start."""

# prctl(PR_SET_PDEATHSIG, SIGKILL), then becomes the engine: the request outlives exec. What runs between fork and exec
# in a process with threads may hang, so this is a process of its own for a moment. A parent that died before the
# request was made sends nothing any more, hence the look at who it is.
_BOUND: Final = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the node is gone")
try:
    os.execv(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""


class Engine:
    """One engine. `log_file` takes what it prints; its folder must exist.

    `environment` is all that it is given beside PATH: etcd and CometBFT take settings out of variables, and what is set
    outside would change them. `died` is called with the exit code (negative: the signal) at each death that was not
    asked for, before the pause; it must not raise.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log_file: Path,
        *,
        environment: Mapping[str, str] | None = None,
        died: Callable[[int], None] | None = None,
    ) -> None:
        self._command = [str(part) for part in command]
        self._name = Path(self._command[0]).name
        self._log_file = log_file
        self._environment = {"PATH": os.defpath, **(environment or {})}
        self._died = died
        self._process: asyncio.subprocess.Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._has_died = False
        self._born_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process that lives now; None between a death and the next start, and when it was stopped."""
        return self._process.pid if self._process is not None else None

    @property
    def is_shaky(self) -> bool:
        """Whether it died, and what was started in its place has not lived for long: it may do so again and again."""
        return self._has_died and time.monotonic() - self._born_at < SHAKY_S

    async def start(self) -> None:
        """Starts it and keeps it alive until `stop`. Raises `HansaError` `engine.start` if it is no program."""
        if not os.access(self._command[0], os.X_OK):
            raise HansaError("engine.start", f"{self._command[0]} is not a program that this account may run")
        self._process = await self._born()
        self._supervisor = asyncio.create_task(self._supervise(self._process))

    def kill(self) -> None:
        """Ends it at once, for one that hangs; it is started again as after any death."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self, patience: float = PATIENCE_S) -> None:
        """Asks it to end, waits `patience` seconds, then kills it. Returns when it is gone; again is no error."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(patience):
                await process.wait()
        except TimeoutError:
            log.warning("engine.killed", engine=self._name, pid=process.pid, seconds=patience)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _supervise(self, process: asyncio.subprocess.Process) -> None:
        pause = PAUSE_FIRST_S
        while True:
            born = self._born_at = time.monotonic()
            code = await process.wait()
            self._process = None
            self._has_died = True
            if time.monotonic() - born > STEADY_S:
                pause = PAUSE_FIRST_S
            log.warning("engine.died", engine=self._name, code=code, log=str(self._log_file))
            if self._died is not None:
                self._died(code)
            while self._process is None:
                await asyncio.sleep(pause)
                pause = min(pause * 2, PAUSE_LONGEST_S)
                try:
                    self._process = process = await self._born()
                except OSError as error:  # no memory, no descriptor: it may be better later
                    log.warning("engine.unstarted", engine=self._name, error=str(error))

    async def _born(self) -> asyncio.subprocess.Process:
        """A new process; none is left behind when this is cancelled meanwhile, which uvloop would do."""
        spawning = asyncio.ensure_future(self._spawn())
        try:
            return await asyncio.shield(spawning)
        except asyncio.CancelledError:
            process = await spawning
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise

    async def _spawn(self) -> asyncio.subprocess.Process:
        """A process group of its own: Ctrl-C is for the node, which ends its engine in order."""
        descriptor = _open_log(self._log_file)
        bound = [sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid())] if sys.platform == "linux" else []
        try:
            return await asyncio.create_subprocess_exec(
                *bound,
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                env=self._environment,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)


def _open_log(path: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES_MAX:
            path.replace(path.with_name(path.name + ".old"))
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE)
