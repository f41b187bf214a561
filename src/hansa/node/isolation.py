"""Isolation: a node's contracts run in a process beside it, which may compute and nothing else.

`Isolation.run` stands in for `contracts.execution.run` and gives the very same. It protects what the node's process
has at hand, its keys and files above all, from a contract that breaks out of the dialect; it does not make the
outcome true that such a contract then reports. If the process dies, no outcome is known: `Lost`, and the node stops.
"""

import contextlib
import os
import socket
import struct
import subprocess
import sys
from typing import Any, Final

import msgspec
import structlog

from hansa.contracts.calls import Call, Execution, Host
from hansa.contracts.program import Program
from hansa.contracts.values import Cache
from hansa.node.apply import View
from hansa.node.isolated import TOLD, Begin, Channel, Done, Failed, Get, Ready, Row, Run, Select, Silent, encode
from hansa.node.recovery import members_records
from hansa.node.workers import Lost
from hansa.wire import cbor, order, writes
from hansa.wire.problems import HansaError

log = structlog.get_logger()

DATA_BYTES: Final = 512 * 1024 * 1024
"""Memory of the worker beyond what it starts with; what a contract makes is bounded far below."""
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
"""A message of the worker: several times what a transaction can store, emit and return."""
SILENCE_S: Final = 300
"""How long it may take over one thing: far more than any number of steps, or any file to check, takes."""
_SECOND: Final = struct.pack("ll", 1, 0)
_ENVIRONMENT: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV")
"""What the worker needs of the environment, with what is for Python; the rest may hold secrets."""

_answer: Final = msgspec.msgpack.Decoder(Ready | Get | Select | Done | Failed).decode


class Defect(Exception):
    """An unexpected exception in the worker behind `contract.internal`: its type and way as text, and nothing else."""


class Isolation:
    """The worker, from `__init__` to `stop`. Raises `HansaError` `contract.isolation` if it cannot start."""

    def __init__(self, members: str, data_bytes: int = DATA_BYTES) -> None:
        """`members` is the source of the members contract, from genesis."""
        ours, theirs = socket.socketpair()
        # -P: whatever lies in the folder where the node was started must not be taken for a module.
        command = [sys.executable, "-P", "-m", "hansa.node.isolated", str(theirs.fileno()), str(data_bytes)]
        kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT or name.startswith("PYTHON")}
        null = subprocess.DEVNULL
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=null, stdout=null, env=kept)  # noqa: S603
        theirs.close()
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, _SECOND)
        self._socket = ours
        self._channel = Channel(ours, most=ANSWER_BYTES_MAX, silence=SILENCE_S)
        self._members = members
        self._has_begun = False
        try:
            ready = self._await_ready()
        except Lost as lost:
            raise HansaError("contract.isolation", str(lost)) from None
        self.is_filtered = ready.is_filtered
        """Whether the kernel keeps it from everything but computing; else the limits alone do what they can."""
        log.info("contracts.isolated", process=self._process.pid, filtered=ready.is_filtered)
        if not ready.is_filtered:
            log.warning("contracts.unfiltered", detail="this system has no seccomp filter: limits alone hold contracts")

    def run(self, call: Call, host: Host[Program], reader: View, steps: int, cache: Cache | None = None) -> Execution:
        """See `contracts.execution.run`. What it wrote MUST take effect. Raises `Lost` if nobody can say what comes."""
        del cache  # the worker has its own
        try:
            if not self._has_begun:
                records = members_records(reader, TOLD)
                self._send(encode(Begin(self._members, records)))
                self._await_ready()
                self._has_begun = True
            self._send(encode(Run(call, steps, _foreseen(call, host, reader))))
            while True:
                match self._receive():
                    case Get(place):
                        found = reader.get(place)
                        self._send(encode(None if found is None else Row(found.seq, found.value)))
                    case Select(contract, record, field, least, most, rows, after):
                        page = reader.select(contract, record, field, least, most, rows, after)
                        self._send(encode([(key, Row(found.seq, found.value)) for key, found in page]))
                    case Done() as done:
                        return _execution(done)
                    case Failed(reason):
                        raise self._lost(reason)
                    case Ready():
                        raise self._lost("it spoke out of turn")
        except Exception:
            self.stop()  # it is in the middle of something
            raise

    def stop(self) -> None:
        """Ends the worker."""
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def _await_ready(self) -> Ready:
        found = self._receive()
        if isinstance(found, Ready):
            return found
        raise self._lost(found.reason if isinstance(found, Failed) else "it spoke out of turn")

    def _send(self, message: bytes) -> None:
        try:
            self._channel.send(message)
        except (OSError, Silent) as error:
            raise self._lost(str(error)) from error

    def _receive(self) -> Ready | Get | Select | Done | Failed:
        try:
            return _answer(self._channel.receive())
        except (OSError, EOFError, Silent, msgspec.DecodeError) as error:
            raise self._lost(str(error)) from error

    def _lost(self, reason: str) -> Lost:
        """Ends the worker; what to raise."""
        with contextlib.suppress(subprocess.TimeoutExpired):  # it may be about to end, and how says more
            ended = self._process.wait(1)
            reason = f"signal {-ended}" if ended < 0 else f"exit {ended}, {reason}"
        self.stop()
        return Lost(f"the process that runs contracts ended: {reason}")


def _foreseen(call: Call, host: Host[Program], reader: View) -> dict[bytes, Row | None]:
    """The records that the arguments name: asking for each would cost a turn between the processes."""
    versions = host.versions(call.contract)
    procedure = versions[-1][1].actions.get(call.action) if versions else None
    found: dict[bytes, Row | None] = {}
    for bound in () if procedure is None else procedure.parameters:
        key = call.arguments.get(bound.name)
        if bound.shape is not None and order.is_key(key):
            place = bound.shape.place(key)
            stored = reader.get(place)
            found[place] = None if stored is None else Row(stored.seq, stored.value)
    return found


def _execution(done: Done) -> Execution:
    """What the worker says, in the form that every node's outcomes have. Raises `HansaError`, `ValidationError`."""
    result, events = msgspec.convert(cbor.decode(done.output), tuple[Any, list[dict[str, Any]]], builtin_types=(bytes,))
    error = Defect(done.defect) if done.defect else None
    return Execution(done.code, result, events, writes.decode(done.writes), done.steps, done.version, error)
