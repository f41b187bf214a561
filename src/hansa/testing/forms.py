"""Runs a call on both forms of a contract: as it is written, and guarded and metered as nodes run it.

They must give the very same, to the last step and byte. `node.apply` is handed `Forms.run` where a node hands in
`contracts.execution.run`.
"""

from collections.abc import Sequence
from typing import Any, Final

from hansa.contracts import execution, program
from hansa.contracts.calls import Call, Execution, Host, Reader
from hansa.contracts.checked import Checked
from hansa.contracts.declarations import Libraries
from hansa.contracts.program import Program
from hansa.contracts.specification import transaction
from hansa.contracts.tracing import Lines
from hansa.contracts.values import Cache
from hansa.governance.genesis import CONTRACT
from hansa.wire import cbor, writes

_COMPARED: Final = ("code", "steps", "result", "events", "writes", "version")


class Disagreement(AssertionError):
    """The two forms of a contract gave different outcomes: a defect of Hansa. `written` and `guarded` are they."""

    def __init__(self, call: Call, differing: Sequence[str], written: Execution, guarded: Execution) -> None:
        self.call = call
        self.written = written
        self.guarded = guarded
        super().__init__(
            f"{call.contract}.{call.action}: its two forms differ in {', '.join(differing)}: a defect of Hansa\n"
            f"as written: {_outcome(written)}\n"
            f"guarded:    {_outcome(guarded)}"
        )


class Defect(AssertionError):
    """Running a contract ended in `contract.internal`: a defect of Hansa; what went wrong is the cause."""


class Forms:
    """Both forms of every file deployed. `lines`: what lines were reached; `files`: the checked files by SHA-256."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self.files: dict[bytes, Checked] = {}

    def take(self, name: str, source: str, libraries: Libraries) -> Checked:
        """Makes a file's written form known, before it is deployed. Raises `ContractInvalid` with all findings."""
        checked = program.check(source, name, libraries, system=name == CONTRACT)
        return self.files.setdefault(checked.digest, checked)

    def run(self, call: Call, host: Host[Program], reader: Reader, steps: int, cache: Cache | None = None) -> Execution:
        """What a call gives on both forms. Raises `Disagreement`, `Defect`."""
        written = transaction.run(call, Written(host, self.files), reader, steps, self.lines)
        guarded = execution.run(call, host, reader, steps, cache)
        differing = [part for part in _COMPARED if _bytes(written, part) != _bytes(guarded, part)]
        if differing:
            raise Disagreement(call, differing, written, guarded)
        if guarded.error is not None:
            raise Defect(f"{call.contract}.{call.action}: {type(guarded.error).__name__}") from guarded.error
        return guarded


class Written:
    """A ledger as the specification asks it: contracts come as they are written. `files`: by the SHA-256 of each."""

    def __init__(self, host: Host[Program], files: dict[bytes, Checked]) -> None:
        self._host = host
        self._files = files
        self.is_member = host.is_member
        self.is_user = host.is_user
        self.is_paused = host.is_paused
        self.contract_version = host.contract_version
        self.library_digest = host.library_digest
        self.key_id = host.key_id

    def versions(self, contract: str) -> Sequence[tuple[int, Checked]]:
        """See `contracts.calls.Host`."""
        return [(since, self._files[loaded.digest]) for since, loaded in self._host.versions(contract)]


def _bytes(ran: Execution, part: str) -> bytes:
    """A part of an outcome as bytes: True and 1 are equal, and are not the same."""
    value: Any = getattr(ran, part)
    return writes.encode(value) if part == "writes" else cbor.encode_ordered(value)


def _outcome(ran: Execution) -> str:
    parts = {part: getattr(ran, part) for part in _COMPARED}
    return ", ".join(f"{name}={value!r}" for name, value in parts.items()) + (f", {ran.error!r}" if ran.error else "")
