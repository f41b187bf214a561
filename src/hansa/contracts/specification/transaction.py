"""A transaction is one action or view, from its arguments to what it wrote.

In this order: 10 steps are charged; the contract, in the version that decides about this entry, and its action are
found, and the contract is not paused; arguments are bound; the record that the action creates is made; who may take it
is checked, then the state; the body runs; the new state is set. At the end come the invariants of every record that was
made or changed, and then these records are stored. All or nothing: whatever faults, nothing is written and no event
stays.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the static checker has seen to their kinds.

import sys
from collections.abc import Sequence
from typing import Any, Final

from hansa.contracts import manifest as declared
from hansa.contracts import messages, prices
from hansa.contracts.calls import Call, Execution, Host, Reader
from hansa.contracts.checked import Checked
from hansa.contracts.faults import Fault
from hansa.contracts.manifest import ANY_MEMBER, SCHEDULE, STATE_FIELD, Action, Manifest, Parameter, RecordType
from hansa.contracts.specification import records, statements
from hansa.contracts.specification.fitting import default_of, fit, from_plain, plain_misfit
from hansa.contracts.specification.machine import (
    Context,
    Frame,
    Machine,
    Outside,
    ask,
    charge,
    deepen,
    key_of,
    leave,
    make,
)
from hansa.contracts.specification.measuring import Room, measure
from hansa.contracts.specification.observer import Observer
from hansa.contracts.specification.values import Record, is_container, to_plain, weigh
from hansa.wire import cbor
from hansa.wire.problems import HansaError

OK: Final = "ok"
INTERNAL: Final = "contract.internal"
_PYTHON_FRAMES: Final = 100_000
"""64 bodies in each other, each with its statements and expressions in each other."""


def run(call: Call, host: Host[Checked], reader: Reader, steps: int, observer: Observer | None = None) -> Execution:
    """One action, or view (then `result` is what it returns), within so many steps.

    A fault's result has its `line` in the innermost body (None where none runs), the `values` that fill the holes of
    its `message`, and the `version` and `contract` of that body; in a library its digest and name. Never raises for
    what a contract or a caller did; what the reader or the host raises is passed on.
    """
    machine = Machine(host, reader, call, steps, steps, statements.run_body, call_contract, observer=observer)
    version = ""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _PYTHON_FRAMES))
    try:
        charge(machine, prices.TRANSACTION_STEPS)
        file = current(machine, call.contract)
        if file is None:
            raise messages.contract_unknown(call.contract)
        version = file.manifest.version
        machine.frames.append(Frame(file, call.contract, version, Context(None)))
        manifest = file.manifest
        action = manifest.actions.get(call.action) or manifest.views.get(call.action)
        if action is None:
            raise messages.action_unknown(call.contract, call.action)
        if action.is_view:
            check_profile(call.arguments)
        else:
            check_paused(machine, call.contract)
        result = take(machine, action, call.arguments)
        if action.is_view:
            return Execution(OK, result, [], [], used(machine), version)
        records.check_invariants(machine)
        writes = records.store(machine)
        return Execution(OK, None, machine.events, writes, used(machine), version)
    except Fault as fault:
        found: dict[str, Any] = {"line": machine.frame.line if machine.frames else None}
        if fault.values:
            found["values"] = fault.values
        found |= {"message": fault.message, **innermost(machine)}
        return Execution(fault.code, found, [], [], used(machine), version)
    except Outside as outside:
        raise outside.cause from None
    except (MemoryError, RecursionError):
        raise  # how much of either there is may differ from node to node
    except Exception as defect:
        found = {"line": machine.frame.line if machine.frames else None, **innermost(machine)}
        return Execution(INTERNAL, found, [], [], used(machine), version, defect)
    finally:
        sys.setrecursionlimit(limit)


def used(machine: Machine) -> int:
    """The steps charged so far."""
    return machine.limit - machine.left


def innermost(machine: Machine) -> dict[str, str]:
    """The version and the contract, or digest and library, of the innermost body; before there is one, the contract
    called, and no version.
    """
    if not machine.frames:
        return {"version": "", "contract": machine.call.contract}
    return {"version": machine.frame.version, "contract": machine.frame.contract}


def current(machine: Machine, contract: str) -> Checked | None:
    """A contract in the version that decides about this entry: the last that is in force by then."""
    versions: Sequence[tuple[int, Checked]] = ask(machine.host.versions, contract)
    if not any(since <= machine.call.seq for since, _ in versions):
        return None
    return versions[records.version_at(versions, machine.call.seq)][1]


def check_profile(arguments: dict[str, Any]) -> None:
    """The arguments of a view stand in no message that was checked; they could, else `arguments.invalid`."""
    try:
        cbor.encode(arguments)
    except HansaError as error:
        raise messages.arguments_profile(error.detail) from None


def check_paused(machine: Machine, contract: str) -> None:
    """No action of a contract that its members have paused is taken, whoever takes or calls it: `contract.paused`. Its
    views go on. Costs nothing.
    """
    if ask(machine.host.is_paused, contract):
        raise messages.contract_paused(contract)


def take(machine: Machine, action: Action, arguments: dict[str, Any]) -> Any:
    """An action or view of the contract of the innermost frame, from its arguments to its new state.

    When the body has ended the subject is in the one state of `to`, or in one of several, or where it was; else
    `state.denied`: by another name the body could have had it become any.

    What a view returns fits its type where it is returned; encoded it has at most 1 MiB, else `output.result`, and
    costs 1 step for every 8 bytes.
    """
    frame = machine.frame
    frame.name, frame.returns = action.name, action.returns
    frame.locals = bind(machine, action, arguments)
    if action.creates is not None:
        create_subject(machine, action, frame.file.manifest.records[action.creates])
    subject: Record | None = None if action.subject is None else frame.locals[action.subject.name]
    if not action.is_view:
        check_role(machine, action, subject)
        if subject is not None and action.on and subject.fields[STATE_FIELD] not in action.on:
            raise messages.state_denied(subject.type.name, subject.fields[STATE_FIELD])
    before = None if subject is None else subject.fields.get(STATE_FIELD)
    machine.running.append(frame.contract)
    returned = machine.run_body(machine, frame.file.bodies[action.name])
    machine.running.pop()
    frame.line = None
    if action.is_view:
        room = Room(prices.RESULT_BYTES_MAX, messages.result_size)
        measure(room, returned)
        charge(machine, room.taken // prices.OUTPUT_BYTES_PER_STEP)
        return to_plain(returned)
    if subject is not None:
        if len(action.to) == 1:
            records.set_state(subject, action.to[0])
        elif subject.fields.get(STATE_FIELD) not in (action.to or (before,)):
            raise messages.state_denied(subject.type.name, str(subject.fields.get(STATE_FIELD)))
    return None


def bind(machine: Machine, action: Action, arguments: dict[str, Any]) -> dict[str, Any]:
    """The values of the parameters, in the order in which they are declared.

    An argument fits its type; one that is optional may be missing, and is None. A record is given by its key: the key
    fits the type of the key field, and the record is touched. The record that the action creates is not given. Names
    that are no parameters are named too. All problems together are `arguments.invalid`. Binding a list, map or struct
    makes it, with all that is in it.
    """
    problems: list[dict[str, str]] = []
    values: dict[str, Any] = {}
    for parameter in action.parameters:
        if parameter is action.subject and action.creates is not None:
            problem, value = (messages.argument_made() if parameter.name in arguments else ""), None
        elif parameter.name in arguments:
            problem, value = bind_one(machine, parameter, arguments[parameter.name])
        else:
            optional = isinstance(parameter.type, declared.OptionalType)
            problem, value = ("" if optional else messages.argument_missing()), None
        if problem:
            problems.append({"name": parameter.name, "problem": problem})
        values[parameter.name] = value
    unknown = sorted(arguments.keys() - values.keys(), key=cbor.key_order)
    for name in unknown[: messages.UNKNOWN_SHOWN]:
        problems.append({"name": name[: messages.NAME_CHARS_SHOWN], "problem": messages.argument_unknown()})
    if problems:
        raise messages.arguments_invalid(problems)
    return values


def bind_one(machine: Machine, parameter: Parameter, plain: Any) -> tuple[str, Any]:
    """What is wrong with an argument, and its value."""
    frame = machine.frame
    file = frame.file.manifest
    problem = plain_misfit(machine, file, parameter.type, plain)
    if problem:
        return problem, None
    record = records.reference_of(parameter.type)
    if record is not None and plain is not None:
        found = records.touch(machine, frame.file, frame.contract, file.records[record], key_of(plain))
        return ("" if found is not None else messages.argument_absent(record)), found
    value = from_plain(file, parameter.type, plain)
    if is_container(value):
        make(machine, weigh(value))
    return "", value


def create_subject(machine: Machine, action: Action, type: RecordType) -> None:
    """`creates=`: the record that the action makes, its first record parameter.

    Each field, in the order in which they are declared, gets the argument of the same name, which fits it; or, where it
    is the creator's, the member that signed; or its default; or else nothing, and the body assigns it. The creator's
    field is that of the first role of `by` which is a Party field of the record and no parameter; but only if all roles
    of `by` are a signer's. Then its place is touched, and must be free (`record.exists`). Its state is that of `to`.
    """
    frame = machine.frame
    file = frame.file.manifest
    assert action.subject is not None
    creator = creator_field(action, file, type)
    fields: dict[str, Any] = {}
    for field in type.fields.values():
        if field.name in frame.locals and field.name != action.subject.name:
            place = messages.place_field(type.name, field.name)
            fitted = fit(machine, file, field.type, frame.locals[field.name], place)
            fields[field.name] = fitted.key if isinstance(fitted, Record) else fitted
        elif field.name == creator:
            fields[field.name] = machine.call.caller.member
        elif not field.required:
            fields[field.name] = default_of(file, field)
    state = action.to[0] if action.to else None
    record = records.put_record(machine, frame.file, frame.contract, type, fields, state)
    frame.locals[action.subject.name] = record


def creator_field(action: Action, file: Manifest, type: RecordType) -> str | None:
    """The field of a created record that names its creator."""
    for name in action.by:
        role = file.roles.get(name)
        if name == SCHEDULE or (role is not None and role.contract is not None):
            return None
    parameters = {parameter.name for parameter in action.parameters}
    for name in action.by:
        if name not in parameters and is_party_field(type, name):
            return name
    return None


def is_party_field(type: RecordType, name: str) -> bool:
    """Whether a record has a field of this name that is a Party, or None."""
    field = type.fields.get(name)
    if field is None:
        return False
    party = declared.PartyType()
    return field.type in (party, declared.OptionalType(party))


def check_role(machine: Machine, action: Action, subject: Record | None) -> None:
    """An action is taken by who has any role of `by`, tried in order; else `role.denied` says why not the last."""
    denied: Fault | None = None
    for name in action.by:
        denied = role_problem(machine, name, subject)
        if denied is None:
            return
    assert denied is not None
    raise denied


def role_problem(machine: Machine, name: str, subject: Record | None) -> Fault | None:
    """Who has a role, and what is said to others.

    `member`: any member that signed directly (no contract called). `schedule`: ledger time. A role with `contract=`:
    that contract calls. Any other: a member signed directly, and has the attribute of the role; the user that signed
    for it has the user attribute; and if the subject has a Party field of the role's name, that is the member.
    """
    caller, calling = machine.call.caller, machine.frame.context
    assert calling is not None
    signer = caller.member if calling.caller is None else None
    if name == ANY_MEMBER:
        return None if signer is not None else messages.role_member()
    if name == SCHEDULE:
        due = caller.member is None and calling.caller is None
        return None if due else messages.role_schedule()
    role = machine.frame.file.manifest.roles[name]
    if role.contract is not None:
        return None if calling.caller == role.contract else messages.role_contract(role.contract)
    if signer is None:
        return messages.role_signer(name)
    if role.attribute is not None and role.attribute not in caller.attributes:
        return messages.role_attribute(signer, role.attribute)
    if role.user is not None:
        if caller.user is None:
            return messages.role_user(role.user)
        if role.user not in caller.user_attributes:
            return messages.role_user_attribute(caller.user, role.user)
    if subject is not None and is_party_field(subject.type, name) and subject.fields.get(name) != signer:
        return messages.role_record(name, signer)
    return None


def call_contract(machine: Machine, contract: str, word: str, view: bool, arguments: dict[str, Any]) -> Any:
    """An action or view of another contract, in this transaction: on the same records, which are stored at its end."""
    caller = machine.frame
    deepen(machine)
    if contract in machine.running:
        raise messages.call_reentrant(contract)
    file = current(machine, contract)
    if file is None:
        raise messages.contract_unknown(contract)
    action = (file.manifest.views if view else file.manifest.actions).get(word)
    if action is None:
        raise messages.action_unknown(contract, word)
    if not view:
        check_paused(machine, contract)
    machine.frames.append(Frame(file, contract, file.manifest.version, Context(caller.contract)))
    result = take(machine, action, arguments)
    leave(machine)
    return result
