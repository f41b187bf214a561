"""What follows from a proposal or a ballot within its own entry: it is compared, counted, and carried out.

`run` stands where `contracts.execution.run` does. For the contract `members` it goes on after the action: each further
action that ledger time would take runs on the state with what the entry wrote before it, and all that was written
becomes one write set. What is refused while a proposal is carried out undoes that alone: the proposal is `Failed`.
`node.apply`, the audit, the isolated worker and ledgers in memory all run it, so all come to the same bytes.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from hansa.contracts import execution
from hansa.contracts.calls import NOBODY, Call, Execution, Found, Host, Reader
from hansa.contracts.program import Program
from hansa.contracts.values import Cache
from hansa.governance.genesis import CONTRACT
from hansa.wire import cbor, order
from hansa.wire.limits import GOVERNANCE_STEPS_MAX
from hansa.wire.writes import Write, WriteSet

Run: TypeAlias = Callable[[Call, Host[Program], Reader, int, Cache | None], Execution]

PROPOSAL: Final = "Proposal"
TALLY_STEPS: Final = 1_000_000
"""What counting votes may use: a constitution that asks for more has given no answer, and the ballot stands."""
_EXCEEDED: Final = "steps.exceeded"


class _Row(msgspec.Struct, frozen=True, gc=False):
    """A record that this entry wrote: a `contracts.calls.Found`."""

    seq: int
    value: bytes


class _Draft:
    """A `contracts.calls.Reader`: what this entry wrote so far, above what was there before it."""

    def __init__(self, reader: Reader, seq: int, writes: WriteSet) -> None:
        self._reader = reader
        self._seq = seq
        self._writes = {write.place: write for write in writes}

    def get(self, place: bytes) -> Found | None:
        """See `contracts.calls.Reader`."""
        write = self._writes.get(place)
        return self._reader.get(place) if write is None else _Row(self._seq, write.value)

    def select(
        self,
        contract: str,
        record: str,
        field: str | None,
        least: bytes | None,
        most: bytes | None,
        rows: int,
        after: tuple[bytes, bytes] | None = None,
    ) -> Sequence[tuple[bytes, Found]]:
        """See `contracts.calls.Reader`."""
        own = [write for write in self._writes.values() if (write.contract, write.record) == (contract, record)]
        found = self._reader.select(contract, record, field, least, most, rows + len(own), after)
        if not own:
            return found
        table = order.table(contract, record)
        kept = [(self._spot(field, key, row.value), key, row) for key, row in found if table + key not in self._writes]
        for write in own:
            key = order.key_bytes(write.key)
            spot = self._spot(field, key, write.value)
            value = spot[0] if field is not None else key
            if (least is None or least <= value) and (most is None or value <= most):
                bound = None if after is None else (after if field is not None else (b"", after[1]))
                if bound is None or spot > bound:
                    kept.append((spot, key, _Row(self._seq, write.value)))
        return [(key, row) for _, key, row in sorted(kept, key=_by_spot)[:rows]]

    def _spot(self, field: str | None, key: bytes, value: bytes) -> tuple[bytes, bytes]:
        return (b"" if field is None else order.indexed_bytes(cbor.decode_own(value)[field]), key)


def _by_spot(row: tuple[tuple[bytes, bytes], bytes, Found]) -> tuple[bytes, bytes]:
    return row[0]


class _Entry:
    """An entry while it goes on: what it wrote, said and used so far."""

    def __init__(self, call: Call, host: Host[Program], reader: Reader, cache: Cache | None, run: Run) -> None:
        self._call = call
        self._host = host
        self._reader = reader
        self._cache = cache
        self._run = run
        self.writes: WriteSet = []
        self.events: list[dict[str, Any]] = []
        self.steps = 0

    def take(self, ran: Execution) -> None:
        """Takes in what a run wrote: of a record that was written before, the last value counts."""
        self.steps += ran.steps
        if ran.code != execution.OK:
            return
        self.events += ran.events
        places = {write.place: number for number, write in enumerate(self.writes)}
        for write in ran.writes:
            number = places.get(write.place)
            if number is None:
                self.writes.append(write)
            else:
                self.writes[number] = msgspec.structs.replace(write, previous=self.writes[number].previous)

    def follow(self, action: str, id: bytes, steps: int) -> Execution:
        """Runs an action that ledger time takes on a proposal, and takes it in."""
        draft = _Draft(self._reader, self._call.seq, self.writes)
        subject = self._subject(action)
        call = Call(CONTRACT, action, {subject: id}, NOBODY, self._call.time, self._call.seq)
        ran = self._run(call, self._host, draft, max(steps, 0), self._cache)
        self.take(ran)
        return ran

    def proposal(self, id: bytes) -> dict[str, Any]:
        """A proposal as it is now."""
        found = _Draft(self._reader, self._call.seq, self.writes).get(order.place(CONTRACT, PROPOSAL, id))
        assert found is not None, "it was written"
        return cbor.decode_own(found.value)

    def mark(self) -> tuple[WriteSet, int]:
        """What there is so far, to come back to."""
        return list(self.writes), len(self.events)

    def back(self, mark: tuple[WriteSet, int]) -> None:
        """Forgets what was written and said since; the steps stay used."""
        self.writes = mark[0]
        del self.events[mark[1] :]

    def _subject(self, action: str) -> str:
        return self._host.versions(CONTRACT)[-1][1].actions[action].action.parameters[0].name


def run(
    call: Call,
    host: Host[Program],
    reader: Reader,
    steps: int,
    cache: Cache | None = None,
    plain: Run = execution.run,
) -> Execution:
    """See `contracts.execution.run`; `plain` runs one action.

    What a signed entry may use bounds all of it: with too few steps the whole entry is refused, or a stingy voter
    could make a proposal fail. Only where more cannot be given is the proposal what fails.
    """
    ran = plain(call, host, reader, steps, cache)
    if call.contract != CONTRACT or ran.code != execution.OK:
        return ran
    waiting = [write.key for write in ran.writes if write.record == PROPOSAL and _is_waiting(write)]
    if not waiting:
        return ran
    made = _Entry(call, host, reader, cache, plain)
    made.take(ran)
    limit = steps if call.caller.member is not None else steps + GOVERNANCE_STEPS_MAX
    for id in waiting:
        assert isinstance(id, bytes)
        refused = _follow(made, id, limit, may_fail=limit >= GOVERNANCE_STEPS_MAX)
        if refused is not None:
            return msgspec.structs.replace(refused, events=[], writes=[], steps=min(made.steps, limit))
    return Execution(execution.OK, None, made.events, made.writes, made.steps, ran.version)


def _is_waiting(write: Write) -> bool:
    value = cbor.decode_own(write.value)
    is_ripe = value["state"] == "Accepted" and value["due"] is None and value["applied"] is None
    return value["state"] == "Open" or is_ripe


def _follow(made: _Entry, id: bytes, limit: int, *, may_fail: bool) -> Execution | None:
    """Goes on with one proposal; the refusal of the whole entry, None if it stands."""
    before = made.proposal(id)["state"]
    ran = made.follow("compare", id, limit - made.steps)
    if ran.code != execution.OK:
        return ran
    if made.proposal(id)["state"] == "Dropped":
        return None
    left = limit - made.steps
    ran = made.follow("tally", id, min(left, TALLY_STEPS))
    if ran.code == _EXCEEDED and left < TALLY_STEPS and not may_fail:
        return ran
    if ran.code != execution.OK:  # the constitution gave no answer
        if before == "Open":
            made.events.append(_event("proposal.unresolved", id, ran))
            return None
        return _fail(made, id, ran, limit)
    now = made.proposal(id)
    if now["state"] != "Accepted" or now["due"] is not None:
        return None
    mark = made.mark()
    refused = _carry_out(made, id, limit)
    if refused is None:
        return None
    if refused.code == _EXCEEDED and not may_fail:
        return refused
    made.back(mark)
    return _fail(made, id, refused, limit)


def _carry_out(made: _Entry, id: bytes, limit: int) -> Execution | None:
    """Does all that an accepted proposal says; the first refusal, None if all is done."""
    ran = made.follow("begin", id, limit - made.steps)
    if ran.code != execution.OK:
        return ran
    for doing in made.proposal(id)["todo"]:
        ran = made.follow("do_" + doing["act"]["name"], id, limit - made.steps)
        if ran.code != execution.OK:
            return ran
    ran = made.follow("finish", id, limit - made.steps)
    return None if ran.code == execution.OK else ran


def _fail(made: _Entry, id: bytes, why: Execution, limit: int) -> Execution | None:
    """Has a proposal fail. That it does costs little, and is paid for by nobody where nothing is left."""
    made.events.append(_event("proposal.failed", id, why))
    used = made.steps
    ran = made.follow("fail", id, _FAIL_STEPS)
    made.steps = min(used + ran.steps, max(limit, used))
    return None if ran.code == execution.OK else ran


_FAIL_STEPS: Final = 1_000_000
"""Far more than it takes to write a proposal once more."""


def _event(name: str, id: bytes, why: Execution) -> dict[str, Any]:
    """An event that says what was refused, in encoding order."""
    result: dict[str, Any] = why.result
    values, message = result.get("values", {}), str(result.get("message", ""))
    data = {"id": id, "code": why.code, "values": values, "message": message}
    return {"data": data, "name": name}
