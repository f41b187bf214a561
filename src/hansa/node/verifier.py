"""Verifies the signatures of large batches in processes of their own, so that more than one core can work.

Small batches are verified where they arrive: handing them over would cost more than it saves. A worker only says
whether the linked library accepts; it knows no ledger and keeps nothing. Run as a module it is the worker.

In its place comes `engines/verifier`, where that is built: it verifies Ed25519 signatures together, by the same rule
in less than half the time. Then the batches of others, at apply, go there as well.
"""

import asyncio
import os
import socket
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

import structlog

from hansa.wire.keys import Check, PublicKey, verify_each
from hansa.wire.limits import SIGNATURE_BYTES

log = structlog.get_logger()

OFFLOAD_MIN: Final = 12
"""Batches below this many signatures are verified inline."""
FRAME_MAX: Final = 128
"""Signatures handed over at once: while a worker has the next frame, the loop executes the one before."""
FRAMES_WAITING_MAX: Final = 2
"""At one worker; what comes besides waits where members take turns."""
WORKERS_MAX: Final = 4
"""Processes that verify signatures, on however many cores."""

JUDGED_S: Final = 10.0
"""A program that takes longer for a batch of others is not asked again: what it has is verified here."""
_GO: Final = {"GOMAXPROCS": "1", "GOGC": "400"}
"""A program's whole environment: it works on one frame at a time, and its garbage is small."""

_LENGTH: Final = struct.Struct(">I")
_ITEM: Final = struct.Struct(f">HI{SIGNATURE_BYTES}s")  # length of SPKI, length of message, signature
_KEYS_CACHED: Final = 16_384

Done = Callable[[list[bool]], None]


def verify_inline(checks: Sequence[Check]) -> list[bool]:
    """The library's verdicts, computed here."""
    return list(verify_each(checks))


class Verifier:
    """Hands batches to worker processes. Owned by the event loop; `stop` ends what the first batch started.

    `program`: `engines/verifier`, if it is built here.
    """

    def __init__(self, workers: int | None = None, program: Path | None = None) -> None:
        cores = os.cpu_count() or 1
        self._count = min(cores - 1, WORKERS_MAX) if workers is None else workers
        self._program = program
        self._workers: list[_Worker] = []
        self._judge: _Judge | None = None

    def room(self, waiting: int) -> int:
        """How many of `waiting` checks to hand over now: half of them, so that both sides have work, within bounds.

        0 while every worker has enough; what comes meanwhile makes the next frame larger.
        """
        if waiting < OFFLOAD_MIN or not self._count:
            return waiting
        if self._workers and all(worker.waiting >= FRAMES_WAITING_MAX for worker in self._workers):
            return 0
        return min(max(waiting // 2, OFFLOAD_MIN), FRAME_MAX)

    def verify(self, checks: list[Check], done: Done) -> None:
        """Has `done` called with a verdict for each check: at once for a few, later for more."""
        if len(checks) < OFFLOAD_MIN or not self._count:
            done(verify_inline(checks))
            return
        try:
            while len(self._workers) < self._count:
                self._workers.append(_Worker(self._program))
        except OSError as error:  # no process can be started: it goes on with those that there are, or without
            log.warning("verifier.unstarted", error=str(error))
            self._count = len(self._workers)
            if not self._workers:
                done(verify_inline(checks))
                return
        min(self._workers, key=lambda worker: worker.waiting).verify(checks, done)

    def judge(self, checks: Sequence[Check]) -> Iterable[bool]:
        """A verdict for each check, waited for: of a batch that is to be applied now."""
        if self._program is None or len(checks) < OFFLOAD_MIN:
            return verify_each(checks)
        if self._judge is None:
            try:
                self._judge = _Judge(self._program)
            except OSError as error:
                log.warning("verifier.unstarted", error=str(error))
                self._program = None  # from now on each is verified here
                return verify_each(checks)
        return self._judge.verdicts(checks)

    def stop(self) -> None:
        """Ends the workers."""
        for worker in self._workers:
            worker.stop()
        self._workers = []
        if self._judge is not None:
            self._judge.stop()
            self._judge = None


class _Worker:
    """One worker process at the other end of a socket pair. If it dies, what it had is verified inline."""

    def __init__(self, program: Path | None) -> None:
        self._process, self._socket = _started(program)
        self._socket.setblocking(False)
        ours = self._socket
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(ours, self._readable)
        self._out = bytearray()
        self._in = bytearray()
        self._jobs: deque[tuple[list[Check], Done]] = deque()
        self._dead = False

    @property
    def waiting(self) -> int:
        """How many batches it has."""
        return len(self._jobs)

    def verify(self, checks: list[Check], done: Done) -> None:
        if self._dead:
            done(verify_inline(checks))
            return
        self._jobs.append((checks, done))
        was_empty = not self._out
        self._out += _frame(checks)
        if was_empty:
            self._write()

    def stop(self) -> None:
        if not self._dead:
            self._die()
        self._process.wait(timeout=5)

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._out)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._die()
            return
        del self._out[:sent]
        if self._out:
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._die()
            return
        self._in += data
        while len(self._in) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._in)
            end = _LENGTH.size + length
            if len(self._in) < end:
                return
            verdicts = [bool(flag) for flag in self._in[_LENGTH.size : end]]
            del self._in[:end]
            _, done = self._jobs.popleft()
            done(verdicts)

    def _die(self) -> None:
        """The worker is gone: its batches are verified here, late but surely."""
        self._dead = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        while self._jobs:
            checks, done = self._jobs.popleft()
            done(verify_inline(checks))


class _Judge:
    """A program that is waited for. If it dies or stands still, all is verified inline from then on."""

    def __init__(self, program: Path) -> None:
        self._process, self._socket = _started(program)
        self._socket.settimeout(JUDGED_S)
        self._dead = False

    def verdicts(self, checks: Sequence[Check]) -> Iterable[bool]:
        if not self._dead:
            try:
                self._socket.sendall(_frame(checks))
                answer = self._read(_LENGTH.size + len(checks))
            except OSError:
                self._dead = True
                self._process.kill()
            else:
                return [flag == 1 for flag in answer[_LENGTH.size :]]
        return verify_each(checks)

    def stop(self) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait(timeout=5)

    def _read(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            data = self._socket.recv(size - len(found))
            if not data:
                raise ConnectionResetError
            found += data
        return bytes(found)


def _started(program: Path | None) -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """A worker's process, and our end of its socket. `program` stands for this module, if there is one."""
    ours, theirs = socket.socketpair()
    # -P: whatever lies in the folder where the node was started must not be taken for a module.
    command = [sys.executable, "-P", "-m", "hansa.node.verifier"] if program is None else [str(program)]
    environment: Mapping[str, str] | None = None if program is None else _GO
    try:
        process = subprocess.Popen(  # noqa: S603 - Hansa itself, or what it built
            [*command, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env=environment,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return process, ours


def _frame(checks: Sequence[Check]) -> bytes:
    frame = b"".join(
        part
        for key, signature, message in checks
        for part in (_ITEM.pack(len(key.spki), len(message), signature), key.spki, message)
    )
    return _LENGTH.pack(len(frame)) + frame


@lru_cache(_KEYS_CACHED)
def _key(spki: bytes) -> PublicKey:
    return PublicKey(spki)


def _verdicts(frame: bytes) -> bytes:
    flags = bytearray()
    position = 0
    while position < len(frame):
        spki_length, length, signature = _ITEM.unpack_from(frame, position)
        position += _ITEM.size
        spki = frame[position : position + spki_length]
        position += spki_length
        flags.append(_key(spki).verify(signature, frame[position : position + length]))
        position += length
    return bytes(flags)


def serve(connection: socket.socket) -> None:
    """The worker: answers frames until the other end closes."""
    with suppress(ConnectionError), connection, connection.makefile("rb") as stream:
        while head := stream.read(_LENGTH.size):
            (length,) = _LENGTH.unpack(head)
            frame = stream.read(length)
            if len(frame) < length:
                return
            verdicts = _verdicts(frame)
            connection.sendall(_LENGTH.pack(len(verdicts)) + verdicts)


if __name__ == "__main__":
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the node ends its workers itself
    serve(socket.socket(fileno=int(sys.argv[1])))
