"""Runs one action or view on the records a reader gives, and says what came of it.

All or nothing: a refused action has no writes and no events. What decides is the program, the arguments, the
caller, ledger time and the records read; nothing else may. The fast path of `specification`, which says the same
in plain words.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
# Values are dynamic here: their kinds were checked before.

from types import TracebackType
from typing import Any, Final

from hansa.contracts import messages
from hansa.contracts.asking import AskedHost, AskedReader, Unavailable
from hansa.contracts.calls import Call, Execution, Host, Reader
from hansa.contracts.codecs import fit, to_plain
from hansa.contracts.faults import Fault
from hansa.contracts.frame import Frame
from hansa.contracts.manifest import ANY_MEMBER, SCHEDULE, STATE_FIELD, Role
from hansa.contracts.prices import (
    CALL_STEPS,
    OUTPUT_BYTES_PER_STEP,
    RESULT_BYTES_MAX,
    STORE_STEPS,
    STORED_BYTES_MAX,
    TRANSACTION_STEPS,
)
from hansa.contracts.program import PLACE, Procedure, Program
from hansa.contracts.records import deeper, place_new, touch
from hansa.contracts.values import Cache, Context, Record, encoded_size, named_size, weigh
from hansa.wire import cbor
from hansa.wire.problems import HansaError
from hansa.wire.writes import Write, WriteSet

OK: Final = "ok"
INTERNAL: Final = "contract.internal"


def run(call: Call, host: Host[Program], reader: Reader, steps: int, cache: Cache | None = None) -> Execution:
    """One action (or view: then `result` is what it returns) within `steps`.

    Never raises for anything a contract or a caller did; what the reader or the host raises is passed on. A `cache`
    makes it faster and nothing else.
    """
    frame = Frame(call, AskedHost(host), AskedReader(reader), steps, cache)
    frame.enter = _enter
    contract = call.contract
    version = ""
    try:
        frame.charge(TRANSACTION_STEPS)
        program = _program(frame, contract)
        version = program.manifest.version
        procedure = program.actions.get(call.action) or program.views.get(call.action)
        if procedure is None:
            raise messages.action_unknown(contract, call.action)
        if procedure.returns is not None:
            _check_profile(call.arguments)
        elif frame.host.is_paused(contract):
            raise messages.contract_paused(contract)
        result = _take(frame, program, procedure, call.arguments, None)
        if procedure.returns is not None:
            return Execution(OK, result, [], [], frame.used, version)
        _check_invariants(frame)
        return Execution(OK, None, frame.events, _writes(frame), frame.used, version)
    except Fault as fault:
        line, of, at = fault.where or place_of(fault.__traceback__) or (None, contract, version)
        found: dict[str, Any] = {"line": line}
        if fault.values:
            found["values"] = fault.values
        found |= {"message": fault.message, "version": at, "contract": of}
        return Execution(fault.code, found, [], [], frame.used, version)
    except Unavailable as unavailable:
        raise unavailable.error from unavailable.error.__cause__
    except (MemoryError, RecursionError):
        raise  # how much of either there is may differ from node to node
    except Exception as error:
        line, of, at = place_of(error.__traceback__) or (None, contract, version)
        return Execution(INTERNAL, {"line": line, "version": at, "contract": of}, [], [], frame.used, version, error)


def _program(frame: Frame, contract: str) -> Program:
    versions = frame.host.versions(contract)
    if not versions:
        raise messages.contract_unknown(contract)
    return versions[-1][1]


def _enter(frame: Frame, contract: str, name: str, arguments: dict[str, Any], is_view: bool) -> Any:
    """Runs an action or view of another contract, called by the innermost one."""
    frame.charge(CALL_STEPS)
    deeper(frame)
    if contract in frame.stack:
        raise messages.call_reentrant(contract)
    program = _program(frame, contract)
    procedure = (program.views if is_view else program.actions).get(name)
    if procedure is None:
        raise messages.action_unknown(contract, name)
    if not is_view and frame.host.is_paused(contract):
        raise messages.contract_paused(contract)
    found = _take(frame, program, procedure, arguments, frame.stack[-1])
    frame.depth -= 1
    return found


def _take(frame: Frame, program: Program, procedure: Procedure, arguments: dict[str, Any], caller: str | None) -> Any:
    """One action or view of a contract, from its arguments to its next state; what a view returns, plain."""
    action = procedure.action
    contract, version = program.manifest.name, program.manifest.version
    subject: Record | None = None
    try:
        values = _bind(frame, procedure, arguments)
        if procedure.subject is not None:
            if action.creates is not None:
                values[procedure.subject] = _create(frame, procedure, values)
            subject = values[procedure.subject]
        if action.by:
            _check_role(frame, program, procedure, subject, caller)
        if action.on and subject is not None and subject.values[STATE_FIELD] not in action.on:
            raise messages.state_denied(subject.shape.name, subject.values[STATE_FIELD])
    except Fault as fault:
        fault.where = fault.where or place_of(fault.__traceback__) or (None, contract, version)
        raise
    frame.stack.append(contract)
    call = frame.call
    before = None if subject is None else subject.values.get(STATE_FIELD)
    returned = procedure.function(frame, Context(call.caller, caller, call.time, call.id), *values)
    frame.stack.pop()
    if procedure.returns is None:
        if subject is not None:
            _end_state(procedure, subject, before, program)
        return None
    try:
        size = encoded_size(returned, RESULT_BYTES_MAX)
        if size > RESULT_BYTES_MAX:
            raise messages.result_size()
        frame.charge(size // OUTPUT_BYTES_PER_STEP)
    except Fault as fault:
        fault.where = (None, contract, version)
        raise
    return to_plain(returned)


def _end_state(procedure: Procedure, subject: Record, before: str | None, program: Program) -> None:
    """The subject's state when the body has ended: the one that follows by itself, or one of those it may come to.

    The body's own `become` was checked before; it may have had the record by another name, too.
    """
    if procedure.to is not None:
        subject.values[STATE_FIELD] = procedure.to
        subject.changed = True
        return
    state = subject.values.get(STATE_FIELD)
    if state not in (procedure.action.to or (before,)):
        fault = messages.state_denied(subject.shape.name, str(state))
        fault.where = (None, program.manifest.name, program.manifest.version)
        raise fault


def _bind(frame: Frame, procedure: Procedure, arguments: dict[str, Any]) -> list[Any]:
    """The parameters' values: arguments checked (all problems at once), records loaded."""
    problems: list[dict[str, str]] = []
    values: list[Any] = []
    host, known = frame.host, 0
    for bound in procedure.parameters:
        name, wrong, value = bound.name, "", None
        if name not in arguments:
            if not (bound.is_optional or bound.is_made):
                wrong = messages.argument_missing()
        elif bound.is_made:
            known += 1
            wrong = messages.argument_made()
        else:
            known += 1
            value, codec, shape = arguments[name], bound.codec, bound.shape
            wrong = codec.problem(value, host)
            if wrong:
                pass
            elif shape is not None:
                value = touch(frame, shape, value, shape.place(value))
                if value is None:
                    wrong = messages.argument_absent(shape.name)
            else:
                if codec.from_plain is not None:
                    value = codec.from_plain(value)
                if bound.is_weighed:
                    frame.make(weigh(value))
        if wrong:
            problems.append({"name": name, "problem": wrong})
        values.append(value)
    if known < len(arguments):
        unknown = sorted(arguments.keys() - procedure.names, key=cbor.key_order)[: messages.UNKNOWN_SHOWN]
        shown = messages.NAME_CHARS_SHOWN
        problems += [{"name": name[:shown], "problem": messages.argument_unknown()} for name in unknown]
    if problems:
        raise messages.arguments_invalid(problems)
    return values


def _create(frame: Frame, procedure: Procedure, values: list[Any]) -> Record:
    """The new record: fields of the parameters' names, the creator's role, and defaults."""
    subject = procedure.subject
    assert subject is not None
    shape = procedure.parameters[subject].shape
    assert shape is not None
    made = dict(procedure.start)
    for name, position in procedure.filled:
        value = values[position]
        if type(value) is Record:
            made[name] = value.key
        else:
            made[name] = fit(frame, value, shape.codecs[name], messages.place_field(shape.name, name))
    if procedure.role is not None:
        made[procedure.role] = frame.call.caller.member
    if procedure.action.to:
        made[STATE_FIELD] = procedure.action.to[0]
    return place_new(frame, shape, made)


def _check_role(
    frame: Frame, program: Program, procedure: Procedure, subject: Record | None, caller: str | None
) -> None:
    """Who may: any of the action's roles is enough; the fault of the last is told."""
    denied: Fault | None = None
    for name in procedure.action.by:
        denied = _denial(frame, name, program.manifest.roles.get(name), subject, caller)
        if denied is None:
            return
    assert denied is not None
    raise denied


def _denial(frame: Frame, name: str, role: Role | None, subject: Record | None, caller: str | None) -> Fault | None:
    """Why whoever calls does not have a role; None if it does."""
    signer = frame.call.caller
    member = signer.member if caller is None else None
    if name == SCHEDULE:
        return None if signer.member is None and caller is None else messages.role_schedule()
    if name == ANY_MEMBER:
        return None if member is not None else messages.role_member()
    assert role is not None
    if role.contract is not None:
        return None if caller == role.contract else messages.role_contract(role.contract)
    if member is None:
        return messages.role_signer(name)
    if role.attribute is not None and role.attribute not in signer.attributes:
        return messages.role_attribute(member, role.attribute)
    if role.user is not None:
        if signer.user is None:
            return messages.role_user(role.user)
        if role.user not in signer.user_attributes:
            return messages.role_user_attribute(signer.user, role.user)
    if subject is not None and name in subject.shape.party_fields and subject.values[name] != member:
        return messages.role_record(name, member)
    return None


def _check_invariants(frame: Frame) -> None:
    frame.checks = True
    for record in list(frame.records.values()):
        if record is not None and record.changed:
            for rule in record.shape.invariants:
                deeper(frame)
                rule(frame, record)
                frame.depth -= 1


def _writes(frame: Frame) -> WriteSet:
    """The write set: changed records in the order they were first touched, then what was scheduled."""
    found: WriteSet = []
    room = STORED_BYTES_MAX
    for record in frame.records.values():
        if record is not None and record.changed:
            shape = record.shape
            if shape.is_large and named_size(record.values, shape.order, room) > room:
                raise messages.stored_size()  # before it is encoded, which might take all memory
            value = shape.dump(record.values)
            room -= len(value)
            if room < 0:
                raise messages.stored_size()
            frame.charge(STORE_STEPS + (len(record.place) + len(value)) // OUTPUT_BYTES_PER_STEP)
            found.append(Write(shape.contract, shape.name, record.key, value, record.previous, record.place))
            if frame.cache is not None:
                frame.cache.store(shape, record.place, frame.call.seq, value, record.values)
    for write in frame.schedules:
        room -= len(write.value)
        if room < 0:
            raise messages.stored_size()
        found.append(write)  # paid for when it was scheduled
    return found


def _check_profile(arguments: dict[str, Any]) -> None:
    """A view's arguments are in no transaction that was scanned; they are held to the same profile here."""
    try:
        cbor.encode(arguments)
    except HansaError as error:
        raise messages.arguments_profile(error.detail) from None


def place_of(traceback: TracebackType | None) -> tuple[int | None, str, str] | None:
    """Line, file and version of the innermost body in which a fault or error arose; None if it arose in none."""
    found: tuple[int | None, str, str] | None = None
    while traceback is not None:
        place = traceback.tb_frame.f_globals.get(PLACE)
        if place is not None:
            found = (traceback.tb_lineno, *place)
        traceback = traceback.tb_next
    return found
