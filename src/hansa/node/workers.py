"""A process beside this one that runs functions for it: for work on another core, and for reading what may be damaged.

Started afresh, never forked, so it shares nothing but what it is sent. If it dies, its caller is told and nothing else
happens: a damaged database must end a worker, not an audit.
"""

import contextlib
import logging
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Literal, NoReturn

import structlog

from hansa.wire.problems import HansaError

START: Final[Literal["spawn", "forkserver"]] = "spawn"
"""How the process is started. Tests, which start hundreds, have them forked from one that has imported all."""
_FINISHED = "finished"
_FAILED = "failed"
_SIGNAL = "signal"


class Lost(Exception):
    """The worker died over a call, or the call failed; the text says which."""


class Worker:
    """One worker process; starts with the first call. One call at a time."""

    def __init__(self) -> None:
        self._process: Any = None
        self.pipe: Connection | None = None

    def begin(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Starts a call. The function's first argument is a callable that sends a signal; see `wait_for_signal`.

        Raises `Lost`.
        """
        if self.pipe is None:
            context = multiprocessing.get_context(START)
            self.pipe, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            self._process = process  # only now: what a signal kept from starting cannot be stopped
            theirs.close()
        try:
            self.pipe.send((function, arguments))
        except ConnectionError:
            self._die()

    def wait_for_signal(self) -> None:
        """Returns when the function has sent its signal. Raises `Lost` if it failed before."""
        self._receive(_SIGNAL)

    def result(self) -> Any:
        """What the function gave. Raises `Lost`."""
        return self._receive(_FINISHED)

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a function and gives its result. Raises `Lost`."""
        self.begin(function, *arguments)
        return self.result()

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            assert self.pipe is not None
            self.pipe.close()
        self._process, self.pipe = None, None

    def _receive(self, wanted: str) -> Any:
        assert self.pipe is not None
        while True:
            try:
                kind, value = self.pipe.recv()
            except (EOFError, ConnectionError):
                self._die()
            if kind == _FAILED:
                raise Lost(value)
            if kind == wanted:
                return value

    def _die(self) -> NoReturn:
        self.stop()
        raise Lost("the process that was at it died") from None


def _serve(pipe: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the caller ends this process
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # results say it all
    with contextlib.suppress(EOFError, ConnectionError):  # the caller is gone
        while True:
            function, arguments = pipe.recv()
            pipe.send(_run(pipe, function, arguments))


def _run(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[str, Any]:
    try:
        return _FINISHED, function(lambda: pipe.send((_SIGNAL, None)), *arguments)
    except HansaError as error:
        return _FAILED, error.detail
    except Exception as error:
        return _FAILED, f"{type(error).__name__}: {error}"
