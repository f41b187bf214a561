"""Apply: executes an ordered batch, deterministically, and makes its block. The same on every node.

What does not count is skipped without a seq: bad form, signature or ledger, a key never registered, a time outside
the window, an id already seen. Everything else becomes an entry, applied or refused. Nothing here waits, reads a
clock, or touches a disk; the block takes effect when `commit` says that it is durable.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias

import msgspec
import structlog

from hansa.contracts import execution, messages, prices, schedules
from hansa.contracts.calls import NOBODY, Call, Caller, Execution
from hansa.contracts.manifest import DIALECT, ReferenceType
from hansa.contracts.values import Cache
from hansa.governance import exclusion as governance_exclusion
from hansa.governance import genesis as governance_genesis
from hansa.governance import sequel
from hansa.governance.directory import Directory, Sender
from hansa.merkle.tiles import Tiles
from hansa.merkle.tree import leaf_hash
from hansa.node.workers import Lost
from hansa.orderers import Batch, Misbehavior
from hansa.store.overlay import IndexesOf, Overlay, Span, Spot, Stored
from hansa.store.state import Entered
from hansa.wire import block, entry, evidence, names, order, scheduled, snapshot, tick, transaction, writes
from hansa.wire.block import Block, Header, Item
from hansa.wire.exclusion import Statement
from hansa.wire.genesis import Genesis, Limits
from hansa.wire.keys import Check, verify_each
from hansa.wire.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_ENTRIES_MAX,
    BLOCK_STEPS_MAX,
    GOVERNANCE_STEPS_MAX,
    SCHEDULED_ENTRIES_MAX,
    SCHEDULED_STEPS_MAX,
)
from hansa.wire.problems import HansaError
from hansa.wire.tick import Tick
from hansa.wire.transaction import Signed, Transaction

log = structlog.get_logger()

_NO_ATTRIBUTES: Final = frozenset[str]()
_GOVERNOR: Final = frozenset({governance_genesis.GOVERNOR})
FREE_BYTES_MAX: Final = 16 * 1024
"""What an entry may hold beside its envelope that no step pays for: a refusal, digests, the outcome's own fields."""
BLOCK_ENCODED_BYTES_MAX: Final = (
    BLOCK_BYTES_MAX
    + (BLOCK_STEPS_MAX + SCHEDULED_ENTRIES_MAX * SCHEDULED_STEPS_MAX + GOVERNANCE_STEPS_MAX)
    * prices.OUTPUT_BYTES_PER_STEP
    + (BLOCK_ENTRIES_MAX + SCHEDULED_ENTRIES_MAX + 2) * FREE_BYTES_MAX
)
"""No block is larger, whatever contracts do (about 130 MiB): its envelopes, what steps paid for, what they need not."""


Run: TypeAlias = Callable[..., Execution]
"""`governance.sequel.run`, or what stands in for it and gives the very same."""
Judge: TypeAlias = Callable[[list[Check]], Iterable[bool]]
"""Says of each check whether a library accepts. What it accepts MUST be good by the exact rule."""
KERNEL_SCHEDULED_STEPS: Final = 200_000
"""What ledger time may use for an action of the contract `members`: no limit of the ledger must stop governance."""
RIPEN: Final = "ripen"
"""The action of `members` behind which an accepted proposal is carried out: one in a block at most, as it may take as
much as all transactions of it together.
"""
FIRST_DUE_MAX: Final = 256
"""So many of each kind that comes before all others are looked at for a block, more than it can take."""
_FIRST_PAGE: Final = 4
EXCLUDED: Final = "transaction.excluded"
_NONE_EXCLUDED: Final[Mapping[bytes, Sequence[Statement]]] = MappingProxyType({})


class Given(msgspec.Struct, frozen=True, gc=False):
    """One transaction of a batch, and who sent it: as of the state before the batch, for signature and action alike."""

    signed: Signed
    sender: Sender | None
    verified: bool  # the signature, before


class Tip(msgspec.Struct, frozen=True, gc=False):
    """The end of the chain that the next block goes on from. `size` is the number of entries."""

    ledger: bytes
    height: int  # of the next block
    size: int
    time: int
    previous: bytes  # digest of the last header


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """A block made from a batch: its bytes, what each entry wrote, and the tip behind it."""

    block: Block
    encoded: bytes
    entered: list[Entered]
    tip: Tip


class Base(Protocol):
    """What apply asks of the state before a batch: `store.state.State`, or one in memory (`hansa.testing`)."""

    def get(self, place: bytes) -> Stored | None:
        """The record at a place."""
        ...

    def spots(self, span: Span) -> Generator[Spot]:
        """What stands in a span, in order."""
        ...

    def damage(self, detail: str) -> HansaError:
        """The error of an order that names a record which is not there."""
        ...

    def in_window(self, id: bytes, not_after: int) -> int | None:
        """The seq of an entry with this id, among those whose `not_after` has not passed."""
        ...


class View(Overlay):
    """The state as an action sees it: what this block wrote before, above what is durable.

    A `contracts.calls.Reader`. The state MUST stay as it is while it is in use. `cache` is handed to what runs on it
    by `run`.
    """

    __slots__ = ("cache", "run")

    def __init__(self, state: Base, indexes_of: IndexesOf, cache: Cache | None = None, run: Run = sequel.run) -> None:
        super().__init__(indexes_of, state.get, state.spots, state.damage)
        self.cache = cache
        self.run = run


def apply_batch(
    batch: Batch,
    tip: Tip,
    state: Base,
    directory: Directory,
    tiles: Tiles,
    verified: dict[bytes, Signed],
    cache: Cache | None = None,
    run: Run = sequel.run,
    exclusions: Mapping[bytes, Sequence[Statement]] = _NONE_EXCLUDED,
    digested: bytes | None = None,
    judge: Judge = verify_each,
) -> tuple[Sealed | None, list[tuple[bytes, str]]]:
    """The block of a batch, None if nothing in it counts, and the ids skipped with the code of the reason.

    `verified` has, by envelope, what this node verified already and MUST know to have no entry yet; the rest is
    verified here, exactly (what `judge` does not accept, once more), and looked up. A key registered in this batch
    counts from the next one on: nothing is executed whose signature was not verified. What is due by ledger time comes
    first; a tick counts only with it. Then comes what the order proved. What enough members exclude (`exclusions`, by
    id) gets its entry and is not run. `digested` is the envelope of the snapshot whose entry this block has to end
    with, if it is such a block; no block is made for that alone.
    Tiles and directory move on with the entries: after this returns, the block MUST become durable or the
    process end.
    """
    read = [_read(envelope, verified, directory) for envelope in batch.envelopes]
    given = [one for one in read if isinstance(one, Given)]
    void = _void_reason(batch, given, directory.limits, judge)
    if void:
        log.error("batch.void", position=batch.position, reason=void)
        return None, [(one.signed.id, void) for one in given]
    making = _Making(tip, max(tip.time, batch.stamp), View(state, directory.indexes_of, cache, run), directory, tiles)
    _take_due(making, [one for one in read if isinstance(one, Tick)], exclusions)
    for one in batch.misbehavior:
        proof = evidence_envelope(one, tip.ledger, making.seq)
        making.take(entry.EVIDENCE, evidence.id_of(proof), proof, 0, _proved(one.key, directory))
    skipped: list[tuple[bytes, str]] = []
    seen: set[bytes] = set()
    for one in given:
        signed, sender = one.signed, one.sender
        body = signed.transaction
        skip = skip_reason(signed, sender, tip, making.time, directory)
        if not skip and (
            signed.id in seen or (not one.verified and state.in_window(signed.id, body.not_after) is not None)
        ):
            skip = "transaction.duplicate"
        if skip or sender is None:
            skipped.append((signed.id, skip))
            continue
        seen.add(signed.id)
        try:
            ran = excluded(exclusions.get(signed.id, ()), tip.ledger, signed.id, body.contract, directory)
            if ran is None:
                ran = execute(signed, sender, making.time, making.seq, making.view, directory)
            making.take(kind_of(signed), signed.id, signed.envelope, body.not_after, ran)
        except HansaError:  # a record cannot be read: whatever was run
            raise
        except Exception as error:
            raise _fatal(error, signed.id, body.contract) from error
    if not making.items:
        return None, skipped
    if digested is not None:
        making.take(entry.SNAPSHOT, snapshot.id_of(digested), digested, 0, _DONE)
    return seal(tip, batch.position, making.time, making.items, making.entered, tiles), skipped


class _Making:
    """A block while it is made: what each entry wrote counts for those behind it."""

    __slots__ = ("_tiles", "directory", "entered", "items", "time", "tip", "view")

    def __init__(self, tip: Tip, time: int, view: View, directory: Directory, tiles: Tiles) -> None:
        self.tip = tip
        self._tiles = tiles
        self.time = time
        self.view = view
        self.directory = directory
        self.items: list[Item] = []
        self.entered: list[Entered] = []

    @property
    def seq(self) -> int:
        """The number of the next entry."""
        return self.tip.size + len(self.items)

    def take(self, kind: entry.Kind, id: bytes, envelope: bytes, not_after: int, ran: Execution) -> None:
        """Adds an entry."""
        seq = self.seq
        self.view.write(seq, ran.writes)
        self.directory.apply(seq, ran.writes)
        item = make_item(kind, id, envelope, ran, self.time)
        self._tiles.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
        self.items.append(item)
        self.entered.append(Entered(seq, id, not_after, ran.writes))


def _take_due(making: _Making, ticks: list[Tick], exclusions: Mapping[bytes, Sequence[Statement]]) -> None:
    """Takes what is due, and the tick that had it looked at, if it was one."""
    tip, directory = making.tip, making.directory
    if not directory.has_schedules:
        return
    for found in due(making.view, making.time, directory.limits.scheduled_entries):
        envelope = scheduled_envelope(tip.ledger, found.value)
        id = scheduled.id_of(envelope)
        contract = schedules.read(found.value).contract
        stopped = excluded(exclusions.get(id, ()), tip.ledger, id, contract, directory)
        try:
            ran = execute_scheduled(found, making.time, making.seq, making.view, directory, stopped)
            making.take(entry.SCHEDULED, id, envelope, 0, ran)
        except HansaError:
            raise
        except Exception as error:
            raise _fatal(error, id, contract) from error
    ticked = next((one for one in ticks if is_tick(one, tip, directory)), None) if making.items else None
    if ticked is not None:
        making.take(entry.TICK, ticked.id, ticked.envelope, 0, _DONE)


def apply_genesis(document: bytes, genesis: Genesis, ledger: bytes, directory: Directory, tiles: Tiles) -> Sealed:
    """Block 0, which holds the genesis entry alone."""
    written = governance_genesis.writes(genesis)
    directory.apply(0, written)
    version = directory.programs[governance_genesis.CONTRACT].manifest.version
    ran = Execution(execution.OK, None, [], written, 0, version)
    item = make_item(entry.GENESIS, ledger, document, ran, genesis.time)
    tiles.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
    tip = Tip(ledger, 0, 0, genesis.time, block.GENESIS_PREVIOUS)
    return seal(tip, 0, genesis.time, [item], [Entered(0, ledger, 0, written)], tiles)


def execute(signed: Signed, sender: Sender, time: int, seq: int, view: View, directory: Directory) -> Execution:
    """Runs a transaction's action on `view`, as entry `seq`."""
    ran = _execute(signed, sender, time, seq, view, directory)
    return msgspec.structs.replace(ran, asserted=sender.asserted) if sender.asserted else ran


def _execute(signed: Signed, sender: Sender, time: int, seq: int, view: View, directory: Directory) -> Execution:
    body = signed.transaction
    if signed.kid not in directory.senders:  # an entry before it in its block has ended its key
        return _refusal(body.contract, "sender.revoked", "the key that signed it counts no more", "", {})
    program = directory.programs.get(body.contract)
    if sender.asserted and body.contract == governance_genesis.CONTRACT:
        return _refusal(body.contract, "sender.asserted", "no member asserts anything here", "", {})
    if program is not None:
        version = program.manifest.version
        if body.contract_version is not None and body.contract_version != version:
            values = {"version": version}
            return _refusal(body.contract, "contract.version", "version {version} runs here", version, values)
        if body.action in program.views:
            return _refusal(body.contract, "action.unknown", "{action} is a view", version, {"action": body.action})
    failed = _failed_precondition(body, view, "" if program is None else program.manifest.version)
    if failed is not None:
        return failed
    attributes = directory.attributes.get(sender.member, _NO_ATTRIBUTES)
    if signed.is_governance:
        attributes |= _GOVERNOR
    person = sender.person
    of_user = _NO_ATTRIBUTES if person is None else directory.user_attributes.get(person, _NO_ATTRIBUTES)
    caller = Caller(sender.member, person, attributes, of_user)
    call = Call(body.contract, body.action, body.arguments, caller, time, seq, signed.id)
    ran = view.run(call, directory, view, body.steps_max, view.cache)
    _tell_defect(call, ran)
    return ran


def _tell_defect(call: Call, ran: Execution) -> None:
    if ran.error is not None:
        log.error("contract.internal", contract=call.contract, action=call.action, exc_info=ran.error)


def due(view: View, time: int, rows: int) -> list[Stored]:
    """What ledger time has reached, up to so many: in order of (due, contract, key, sequence), but governance first.

    These are the ends of proposals' time locks, then of their ballots: however much others have come due before them,
    it cannot hold back what members decided. Behind the end of a time lock nothing is taken in the same block.
    """
    first = [row for record in schedules.FIRST for row in _first_due(view, record, time)]
    keys = {key for key, _ in first}
    rest = _select_due(view, time, rows) if len(first) < rows else []
    taken = [stored for _, stored in [*first, *(row for row in rest if row[0] not in keys)]][:rows]
    for number, stored in enumerate(taken, 1):
        one = schedules.read(stored.value)
        if (one.contract, one.action) == (governance_genesis.CONTRACT, RIPEN):
            return taken[:number]
    return taken


def next_due(view: View, until: int) -> Stored | None:
    """What comes due next, until then; None if nothing does."""
    return next((stored for _, stored in _select_due(view, until, 1)), None)


def _select_due(view: View, time: int, rows: int) -> list[tuple[bytes, Stored]]:
    first, last = order.indexed_bytes(0), order.indexed_bytes(time)
    return view.select(schedules.CONTRACT, schedules.RECORD, schedules.FIELD, first, last, rows)


def _first_due(view: View, record: str, time: int) -> list[tuple[bytes, Stored]]:
    """What is due of a record of `schedules.FIRST`, in order.

    It is looked for backwards from `time`, to the last that was taken: they are taken in order. Of very many the
    oldest are left to come in their turn with all others.
    """
    least, most = schedules.first_bounds(record, time)
    found: list[tuple[bytes, Stored]] = []
    after: tuple[bytes, bytes] | None = None
    while len(found) < FIRST_DUE_MAX:
        page = view.select(schedules.CONTRACT, schedules.RECORD, None, least, most, _FIRST_PAGE, after, descending=True)
        for key, stored in page:
            if schedules.read(stored.value).due is None:
                return found[::-1]
            found.append((key, stored))
        if len(page) < _FIRST_PAGE:
            break
        after = (b"", page[-1][0])
    return found[::-1]


def kind_of(signed: Signed) -> entry.Kind:
    """The kind of a signed entry."""
    return entry.GOVERNANCE if signed.is_governance else entry.TRANSACTION


def scheduled_envelope(ledger: bytes, value: bytes) -> bytes:
    """The envelope of what a schedule's record says."""
    found = schedules.read(value)
    return scheduled.envelope(ledger, found.at, found.contract, found.key, found.sequence)


def evidence_envelope(proved: Misbehavior, ledger: bytes, seq: int) -> bytes:
    """The envelope of what the order proved, as entry `seq`."""
    return evidence.envelope(ledger, proved.height, proved.key, seq)


def _proved(key: bytes, directory: Directory) -> Execution:
    """What comes of evidence: whose node it is, as of then, if the ledger knows the voter."""
    node = directory.voter(key)
    result = None if node is None else {"node": node.id, "member": node.member}
    return Execution(execution.OK, result, [], [], 0, "")


def evidence_item(
    envelope: bytes, ledger: bytes, seq: int, position: int, time: int, directory: Directory
) -> Item | None:
    """The item of evidence as entry `seq`, in the block at a position of the order; None if it has no place there.

    That the order proved it, an entry cannot show.
    """
    found = evidence.read(envelope)
    if (found.ledger, found.sequence) != (ledger, seq) or not 0 < found.height <= position:
        return None
    return make_item(entry.EVIDENCE, evidence.id_of(envelope), envelope, _proved(found.key, directory), time)


def execute_scheduled(
    stored: Stored, time: int, seq: int, view: View, directory: Directory, stopped: Execution | None = None
) -> Execution:
    """Runs what was due as its contract, as entry `seq`, unless it is `stopped`: excluded.

    It is not tried again, whatever comes of it; but where a contract is paused, an hour later.
    """
    found = schedules.read(stored.value)
    program = directory.programs[found.contract]
    procedure = program.actions.get(found.action)
    subject = None if procedure is None else procedure.action.subject
    if stopped is not None:
        ran = stopped
    elif directory.is_paused(found.contract):  # whatever version will run when it is resumed
        fault = messages.contract_paused(found.contract)
        ran = _refusal(found.contract, fault.code, fault.message, program.manifest.version, fault.values)
    elif subject is None or subject.type != ReferenceType(found.record):  # the version that runs now is another
        version, values = program.manifest.version, {"action": found.action, "record": found.record}
        message = "the contract has no {action} of {record} any more"
        ran = _refusal(found.contract, "action.unknown", message, version, values)
    else:
        type_ = program.shapes[found.record].type
        arguments = {subject.name: schedules.key_of(type_.fields[type_.key].type, found.key)}
        call = Call(found.contract, found.action, arguments, NOBODY, time, seq)
        is_kernel = found.contract == governance_genesis.CONTRACT
        steps = KERNEL_SCHEDULED_STEPS if is_kernel else directory.limits.scheduled_steps
        ran = view.run(call, directory, view, steps, view.cache)
        _tell_defect(call, ran)
    is_paused = ran.code == schedules.PAUSED
    mark = schedules.postponed(found, time, stored.seq) if is_paused else schedules.taken(found, stored.seq)
    return msgspec.structs.replace(ran, writes=[*ran.writes, mark])


def excluded(
    statements: Sequence[Statement], ledger: bytes, id: bytes, contract: str, directory: Directory
) -> Execution | None:
    """What stands for running a transaction that enough members exclude; None if they are not enough."""
    if not statements:
        return None
    try:
        found = governance_exclusion.enough(statements, ledger, id, directory)
    except HansaError as error:
        log.warning("exclusion.ignored", transaction=id.hex(), reason=error.detail)
        return None
    values = {"reason": found[0].reason, "statement": found[0].digest}
    ran = _refusal(contract, EXCLUDED, "members excluded it: {reason}", "", values)
    return msgspec.structs.replace(ran, writes=[governance_exclusion.write(found)])


def _fatal(error: Exception, id: bytes, contract: str) -> HansaError:
    """What stops the node where no outcome of what was run can be known: it names it, so that it can be excluded.

    How much memory there is, or whether the interpreter crashes, may differ from node to node.
    """
    reason = str(error) if isinstance(error, Lost) else type(error).__name__  # what it says may hold what it was given
    log.error("contract.fatal", transaction=id.hex(), contract=contract, reason=reason)
    return HansaError(
        "contract.fatal",
        f"transaction {id.hex()} of contract {contract}: {reason}",
        remedy=f"Start the node again. If it stops here again, members exclude it: hansa tx exclude {id.hex()}",
    )


_DONE: Final = Execution(execution.OK, None, [], [], 0, "")
"""What comes of an entry that runs nothing: a tick, a snapshot."""


_STATUSES: Final[dict[str, entry.Status]] = {execution.OK: entry.APPLIED, EXCLUDED: entry.EXCLUDED}


def tick_item(one: Tick, tip: Tip, time: int, directory: Directory) -> Item | None:
    """The item of a tick behind `tip` at ledger time `time`; None if it does not count there."""
    return make_item(entry.TICK, one.id, one.envelope, _DONE, time) if is_tick(one, tip, directory) else None


def snapshot_item(digested: bytes, time: int) -> Item:
    """The item of the snapshot with this envelope, in a block of ledger time `time`."""
    return make_item(entry.SNAPSHOT, snapshot.id_of(digested), digested, _DONE, time)


def is_tick(one: Tick, tip: Tip, directory: Directory) -> bool:
    """Whether a tick counts behind `tip`: made just there, by a node of this ledger."""
    key = directory.node_keys.get(one.kid)
    if (one.ledger, one.size) != (tip.ledger, tip.size) or key is None or key.algorithm != one.algorithm:
        return False
    return key.verify_exactly(one.signature, one.structure)


def make_item(kind: entry.Kind, id: bytes, envelope: bytes, ran: Execution, time: int) -> Item:
    """The item of one entry: its outcome and write set encoded."""
    written = writes.encode(ran.writes) if ran.writes else writes.EMPTY
    outcome = entry.encode_outcome(
        status=_STATUSES.get(ran.code, entry.REFUSED),
        code=ran.code,
        result=ran.result,
        events=ran.events,
        writes=writes.digest(written),
        steps=ran.steps,
        time=time,
        contract=ran.version,
        dialect=DIALECT,
        asserted=ran.asserted,
    )
    return Item(kind, id, envelope, outcome, written)


def seal(tip: Tip, position: int, time: int, items: list[Item], entered: list[Entered], tiles: Tiles) -> Sealed:
    """The block of these items, whose leaves are in `tiles` already, from the batch at `position`."""
    count, root = len(items), tiles.root()
    header = Header(block.VERSION, tip.ledger, tip.height, tip.size, count, time, tip.previous, root, position)
    made = Block(header, items)
    return Sealed(made, block.encode(made), entered, tip_after(header))


def tip_after(header: Header) -> Tip:
    """The tip behind a block."""
    return Tip(header.ledger, header.height + 1, header.seq + header.count, header.time, block.header_digest(header))


def _read(envelope: bytes, verified: dict[bytes, Signed], directory: Directory) -> Given | Tick | None:
    """The transaction or tick in an envelope, None for bad form."""
    known = verified.get(envelope)
    try:
        signed = transaction.read(envelope) if known is None else known
    except HansaError as error:
        return _read_tick(envelope) if error.code == "envelope.content_type" else None
    return Given(signed, directory.senders.get(signed.kid), known is not None)


def _read_tick(envelope: bytes) -> Tick | None:
    try:
        return tick.read(envelope)
    except HansaError:
        return None


def _void_reason(batch: Batch, given: list[Given], limits: Limits, judge: Judge) -> str:
    """Why none of a batch counts, empty if it does.

    Whoever builds a batch keeps its bounds and verifies what goes in, so a batch that breaks them is nobody's
    honest work; refusing it whole at its first bad signature bounds what it can cost everyone.
    """
    size = sum(len(envelope) for envelope in batch.envelopes)
    steps = sum(one.signed.transaction.steps_max for one in given)
    if not is_within_limits(len(batch.envelopes), size, steps, limits):
        return "batch.void"
    checks = [
        (one.sender.key, one.signed.signature, one.signed.structure)
        for one in given
        if not one.verified and one.sender is not None and one.sender.key.algorithm == one.signed.algorithm
    ]
    for (key, signature, structure), accepted in zip(checks, judge(checks), strict=True):
        if not accepted and not key.verify_exactly(signature, structure):
            return "signature.invalid"
    return ""


def is_within_limits(count: int, size: int, steps: int, limits: Limits) -> bool:
    """Whether a batch of so many transactions, bytes and steps counts; one alone always does."""
    return count <= limits.block_entries and (
        count == 1 or (size <= limits.block_bytes and steps <= limits.block_steps)
    )


def skip_reason(signed: Signed, sender: Sender | None, tip: Tip, time: int, directory: Directory) -> str:
    """The code for which a transaction gets no entry, duplicates aside; empty if it gets one."""
    body = signed.transaction
    if body.ledger != tip.ledger:
        return "transaction.ledger"
    if sender is None:
        return directory.refusal(signed.kid)
    if sender.key.algorithm != signed.algorithm:
        return "sender.unknown"
    if not sender.may_sign(signed):
        return "sender.purpose"
    if sender.until is not None and sender.until <= time:  # RFC 7519 section 4.1.4
        return "sender.expired"
    if body.steps_max > directory.steps_most(sender, body.contract):
        return "steps.limit"
    if body.not_after < time:
        return "transaction.expired"
    if body.not_after > time + signed.validity_ms:
        return "transaction.too_far"
    return ""


def _failed_precondition(body: Transaction, view: View, version: str) -> Execution | None:
    for contract, record, key, expected in body.preconditions or ():
        known = names.is_contract(contract) and names.is_identifier(record) and order.is_key(key)
        found = view.get(order.place(contract, record, key)) if known else None
        actual = None if found is None else found.seq
        if actual != expected:
            message, values = "{record} was last written by entry {seq}", {"seq": actual, "record": record[:64]}
            return _refusal(body.contract, "precondition.failed", message, version, values)
    return None


def _refusal(contract: str, code: str, message: str, version: str, values: dict[str, Any]) -> Execution:
    """A refusal before a contract ran; `values` come in encoding order."""
    result = {"line": None, "values": values, "message": message, "version": version, "contract": contract}
    return Execution(code, result, [], [], 0, version)
