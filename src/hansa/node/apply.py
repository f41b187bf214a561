"""Apply: executes an ordered batch, deterministically, and makes its block. The same on every node.

What does not count is skipped without a seq: bad form, signature or ledger, a key never registered, a time outside
the window, an id already seen. Everything else becomes an entry, applied or refused. Nothing here waits, reads a
clock, or touches a disk; the block takes effect when `commit` says that it is durable.
"""

from typing import Any, Final

import msgspec
import structlog

from hansa.contracts import execution, prices
from hansa.contracts.calls import Call, Caller, Execution
from hansa.contracts.values import Cache
from hansa.contracts.manifest import DIALECT
from hansa.governance import genesis as governance_genesis
from hansa.governance.directory import Directory, Sender
from hansa.merkle.tiles import Tiles
from hansa.merkle.tree import leaf_hash
from hansa.orderers import Batch
from hansa.store.overlay import IndexesOf, Overlay
from hansa.store.state import UNREADABLE, Entered, State
from hansa.wire import block, entry, names, order, transaction, writes
from hansa.wire.block import Block, Header, Item
from hansa.wire.genesis import Genesis, Limits
from hansa.wire.limits import BLOCK_BYTES_MAX, BLOCK_ENTRIES_MAX, BLOCK_STEPS_MAX, VALIDITY_MS_MAX
from hansa.wire.problems import HansaError
from hansa.wire.transaction import Signed, Transaction

log = structlog.get_logger()

FREE_BYTES_MAX: Final = 16 * 1024
"""What an entry may hold beside its envelope that no step pays for: a refusal, digests, the outcome's own fields."""
BLOCK_ENCODED_BYTES_MAX: Final = (
    BLOCK_BYTES_MAX + BLOCK_STEPS_MAX * prices.OUTPUT_BYTES_PER_STEP + BLOCK_ENTRIES_MAX * FREE_BYTES_MAX
)
"""No block is larger, whatever contracts do (about 66 MiB): its envelopes, what steps paid for, what they need not."""


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


class View(Overlay):
    """The state as an action sees it: what this block wrote before, above what is durable.

    A `contracts.execution.Reader`. The state MUST stay as it is while it is in use.
    """

    __slots__ = ()

    def __init__(self, state: State, indexes_of: IndexesOf) -> None:
        super().__init__(indexes_of, state.get, state.spots, state.damage)


def apply_batch(
    batch: Batch,
    tip: Tip,
    state: State,
    directory: Directory,
    tiles: Tiles,
    verified: dict[bytes, Signed],
) -> tuple[Sealed | None, list[tuple[bytes, str]]]:
    """The block of a batch, None if nothing in it counts, and the ids skipped with the code of the reason.

    `verified` has, by envelope, what this node verified already and MUST know to have no entry yet; the rest is
    verified here, exactly, and looked up. A key registered in this batch counts from the next one on: nothing is
    executed whose signature was not verified.
    Tiles and directory move on with the entries: after this returns, the block MUST become durable or the
    process end.
    """
    given = [one for envelope in batch.envelopes if (one := _read(envelope, verified, directory)) is not None]
    void = _void_reason(batch, given, directory.limits)
    if void:
        log.error("batch.void", index=batch.index, reason=void)
        return None, [(one.signed.id, void) for one in given]
    time = max(tip.time, batch.stamp)
    view = View(state, directory.indexes_of)
    items: list[Item] = []
    entered: list[Entered] = []
    skipped: list[tuple[bytes, str]] = []
    seen: set[bytes] = set()
    for one in given:
        signed, sender = one.signed, one.sender
        body = signed.transaction
        skip = skip_reason(signed, sender, tip, time, directory)
        if not skip and (
            signed.id in seen or (not one.verified and state.in_window(signed.id, body.not_after) is not None)
        ):
            skip = "transaction.duplicate"
        if skip or sender is None:
            skipped.append((signed.id, skip))
            continue
        seen.add(signed.id)
        seq = tip.size + len(items)
        ran = execute(body, sender, time, seq, view, directory)
        view.write(seq, ran.writes)
        directory.apply(seq, ran.writes)
        item = make_item(entry.TRANSACTION, signed.id, signed.envelope, ran, time)
        tiles.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
        items.append(item)
        entered.append(Entered(seq, signed.id, body.not_after, ran.writes))
    if not items:
        return None, skipped
    return seal(tip, time, items, entered, tiles), skipped


def apply_genesis(document: bytes, genesis: Genesis, ledger: bytes, directory: Directory, tiles: Tiles) -> Sealed:
    """Block 0, which holds the genesis entry alone."""
    written = governance_genesis.writes(genesis)
    directory.apply(0, written)
    version = directory.programs[governance_genesis.CONTRACT].manifest.version
    ran = Execution(execution.OK, None, [], written, 0, version)
    item = make_item(entry.GENESIS, ledger, document, ran, genesis.time)
    tiles.append(leaf_hash(entry.make(item.kind, item.id, item.envelope, item.outcome)))
    tip = Tip(ledger, 0, 0, genesis.time, block.GENESIS_PREVIOUS)
    return seal(tip, genesis.time, [item], [Entered(0, ledger, 0, written)], tiles)


def execute(
    body: Transaction, sender: Sender, time: int, seq: int, view: View, directory: Directory
) -> Execution:
    """Runs a transaction's action on `view`, as entry `seq`."""
    program = directory.programs.get(body.contract)
    if program is not None:
        version = program.manifest.version
        if body.contract_version is not None and body.contract_version != version:
            return _refused(body, "contract.version", "version {version} runs here", version, version=version)
        if body.action in program.views:
            return _refused(body, "action.unknown", "{action} is a view", version, action=body.action)
    failed = _failed_precondition(body, view, "" if program is None else program.manifest.version)
    if failed is not None:
        return failed
    attributes = directory.attributes.get(sender.member, frozenset())
    of_user = frozenset[str]() if sender.user is None else directory.attributes.get(sender.user, frozenset())
    caller = Caller(sender.member, sender.user, attributes, of_user)
    call = Call(body.contract, body.action, body.arguments, caller, time, seq)
    ran = execution.run(call, directory, view, body.steps_max, view.cache)
    if ran.error is not None:
        log.error("contract.internal", contract=body.contract, action=body.action, exc_info=ran.error)
    return ran


def make_item(kind: entry.Kind, id: bytes, envelope: bytes, ran: Execution, time: int) -> Item:
    """The item of one entry: its outcome and write set encoded."""
    written = writes.encode(ran.writes) if ran.writes else writes.EMPTY
    outcome = entry.encode_outcome(
        status=entry.APPLIED if ran.code == execution.OK else entry.REFUSED,
        code=ran.code,
        result=ran.result,
        events=ran.events,
        writes=writes.digest(written),
        steps=ran.steps,
        time=time,
        contract=ran.version,
        dialect=DIALECT,
    )
    return Item(kind, id, envelope, outcome, written)


def seal(tip: Tip, time: int, items: list[Item], entered: list[Entered], tiles: Tiles) -> Sealed:
    """The block of these items, whose leaves are in `tiles` already."""
    header = Header(block.VERSION, tip.ledger, tip.height, tip.size, len(items), time, tip.previous, tiles.root())
    made = Block(header, items)
    return Sealed(made, block.encode(made), entered, tip_after(header))


def tip_after(header: Header) -> Tip:
    """The tip behind a block."""
    return Tip(header.ledger, header.height + 1, header.seq + header.count, header.time, block.header_digest(header))


def _read(envelope: bytes, verified: dict[bytes, Signed], directory: Directory) -> Given | None:
    """The transaction in an envelope, None for bad form."""
    known = verified.get(envelope)
    try:
        signed = transaction.read(envelope) if known is None else known
    except HansaError:
        return None
    return Given(signed, directory.senders.get(signed.kid), known is not None)


def _void_reason(batch: Batch, given: list[Given], limits: Limits) -> str:
    """Why none of a batch counts, empty if it does.

    Whoever builds a batch keeps its bounds and verifies what goes in, so a batch that breaks them is nobody's
    honest work; refusing it whole at its first bad signature bounds what it can cost everyone.
    """
    size = sum(len(envelope) for envelope in batch.envelopes)
    steps = sum(one.signed.transaction.steps_max for one in given)
    if not is_within_limits(len(batch.envelopes), size, steps, limits):
        return "batch.void"
    for one in given:
        signed, sender = one.signed, one.sender
        if one.verified or sender is None or sender.key.algorithm != signed.algorithm:
            continue
        if not sender.key.verify_exactly(signed.signature, signed.structure):
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
    if sender is None or sender.key.algorithm != signed.algorithm:
        return "sender.unknown"
    if body.steps_max > directory.steps_most(sender, body.contract):
        return "steps.limit"
    if body.not_after < time:
        return "transaction.expired"
    if body.not_after > time + VALIDITY_MS_MAX:
        return "transaction.too_far"
    return ""


def _failed_precondition(body: Transaction, view: View, version: str) -> Execution | None:
    for contract, record, key, expected in body.preconditions or ():
        known = names.is_contract(contract) and names.is_identifier(record) and order.is_key(key)
        found = view.get(order.place(contract, record, key)) if known else None
        actual = None if found is None else found.seq
        if actual != expected:
            message = "{record} was last written by entry {seq}"
            return _refused(body, "precondition.failed", message, version, seq=actual, record=record[:64])
    return None


def _refused(body: Transaction, code: str, message: str, version: str, **values: Any) -> Execution:
    """A refusal before a contract ran; `values` are named in encoding order."""
    result = {"line": None, "values": values, "message": message, "version": version, "contract": body.contract}
    return Execution(code, result, [], [], 0, version)
