"""Runs one action or view of a program on the records a reader gives, and says what came of it.

All or nothing: a refused action has no writes and no events. What decides is the program, the arguments, the
caller, ledger time and the records read; nothing else may.
"""

from types import TracebackType
from typing import Any, Final, Protocol

import msgspec

from hansa.contracts import meter
from hansa.contracts.codecs import Codec, misfit
from hansa.contracts.meter import BYTES_PER_STEP, OUTPUT_BYTES_PER_STEP, Fault, Frame, Host
from hansa.contracts.program import FILE_NAME, Procedure, Program
from hansa.contracts.values import Context, Record, Shape, encoded_size, named_size, to_plain
from hansa.wire import cbor
from hansa.wire.problems import HansaError
from hansa.wire.writes import Write, WriteSet

OK: Final = "ok"
INTERNAL: Final = "contract.internal"
_DEFECTS: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError, ValueError)
"""What a defect of ours raises on every node alike. Anything else, such as damage in the state or a lack of memory,
is this node's alone: it never becomes an outcome, it ends the node."""
_UNKNOWN_SHOWN: Final = 16  # arguments that no parameter takes, in an outcome
_NAME_SHOWN: Final = 64  # characters of the name of each


class Caller(msgspec.Struct, frozen=True, gc=False):
    """Who signed: a member, the user who acted for it (None if the member's own key signed), its attributes."""

    member: str
    user: str | None
    attributes: frozenset[str]


class Found(Protocol):
    """A record as the reader gives it."""

    @property
    def seq(self) -> int:
        """The entry that wrote it last."""
        ...

    @property
    def value(self) -> bytes:
        """Its bytes."""
        ...


class Reader(Protocol):
    """Where records come from: the state as it is just before this transaction."""

    def get(self, place: bytes) -> Found | None:
        """The record at a place (`wire.order.place`); None if there is none."""
        ...


class Execution(msgspec.Struct, frozen=True, gc=False):
    """What came of it. `error` is the unexpected exception behind `contract.internal`, to be logged loudly."""

    code: str
    result: Any
    events: list[dict[str, Any]]
    writes: WriteSet
    steps: int
    error: Exception | None = None


def run(
    program: Program,
    procedure: Procedure,
    arguments: dict[str, Any],
    caller: Caller,
    time: int,
    reader: Reader,
    host: Host,
    steps: int,
) -> Execution:
    """One action (or view: then `result` is what it returns) within `steps`.

    `arguments` are plain values. Never raises for anything a contract or a caller did; what the reader or the host
    raises is passed on.
    """
    frame = Frame(steps, host)
    try:
        frame.charge(meter.TRANSACTION_STEPS)
        call = _Call(program, procedure, frame, reader, caller)
        values = call.bind(arguments)
        returned = procedure.function(frame, Context(caller.member, caller.user, time), *values)
        if procedure.returns is not None:
            return Execution(OK, _returned(frame, procedure.returns, returned), [], [], frame.used)
        return Execution(OK, None, frame.events, call.writes(), frame.used)
    except Fault as fault:
        result: dict[str, Any] = {"line": _line(fault.__traceback__)}
        if fault.values:
            result["values"] = fault.values
        result["message"] = fault.message
        return Execution(fault.code, result, [], [], frame.used)
    except _DEFECTS as error:
        return Execution(INTERNAL, {"line": _line(error.__traceback__)}, [], [], frame.used, error)


class _Call:
    """The records of one call, each at most once, however often it is named."""

    __slots__ = ("_caller", "_contract", "_frame", "_procedure", "_reader", "_records")

    def __init__(self, program: Program, procedure: Procedure, frame: Frame, reader: Reader, caller: Caller) -> None:
        self._contract = program.manifest.name
        self._procedure = procedure
        self._frame = frame
        self._reader = reader
        self._caller = caller
        self._records: dict[bytes, Record] = {}

    def bind(self, arguments: dict[str, Any]) -> list[Any]:
        """The parameters' values: arguments checked (all problems at once), records loaded or made, the role held."""
        procedure = self._procedure
        if procedure.action.role is None:
            _check_profile(arguments)
        problems: list[dict[str, str]] = []
        values: list[Any] = []
        for position, bound in enumerate(procedure.parameters):
            name, wrong, value = bound.name, "", None
            if position == procedure.created:
                if name in arguments:
                    wrong = "is made by this action, not given"
            elif name not in arguments:
                if not bound.is_optional:
                    wrong = "is missing"
            elif bound.shape is not None:
                wrong, value = self._load(bound.shape, arguments[name])
            else:
                value = arguments[name]
                wrong = misfit(bound.codec, value, self._frame.host.is_member)
                if not wrong and bound.codec.from_plain is not None:
                    value = bound.codec.from_plain(value)
            if wrong:
                problems.append({"name": name, "problem": wrong})
            values.append(value)
        if not arguments.keys() <= procedure.names:
            unknown = sorted(arguments.keys() - procedure.names, key=cbor.key_order)[:_UNKNOWN_SHOWN]
            problems += [{"name": name[:_NAME_SHOWN], "problem": "is not a parameter"} for name in unknown]
        if problems:
            raise Fault("arguments.invalid", "the arguments do not fit", {"problems": problems})
        if procedure.created is not None:
            shape = procedure.parameters[procedure.created].shape
            assert shape is not None
            given = {b.name: value for b, value in zip(procedure.parameters, values, strict=True) if b.shape is None}
            values[procedure.created] = self._create(shape, given)
        self._check_role(values)
        return values

    def _load(self, shape: Shape, key: Any) -> tuple[str, Record | None]:
        """The existing record of a key, or what is wrong with the key."""
        wrong = shape.key_problem(key)
        if wrong:
            return wrong, None
        place = shape.place(key)
        found = self._records.get(place)
        if found is None:
            self._frame.charge(meter.LOAD_STEPS)
            stored = self._reader.get(place)
            if stored is None:
                return f"there is no {shape.name} of this key", None
            self._frame.charge(len(stored.value) // BYTES_PER_STEP)
            found = shape.load(key, place, stored.value, stored.seq)
            self._records[place] = found
        return "", found

    def _create(self, shape: Shape, given: dict[str, Any]) -> Record:
        """The new record: fields of the parameters' names, the creator's role, and defaults."""
        filled: dict[str, Any] = {}
        for field in shape.type.fields.values():
            if field.name in given:
                value = given[field.name]
                wrong = misfit(shape.codecs[field.name], value, self._frame.host.is_member)
                if wrong:
                    raise Fault("value.bounds", f"`{shape.name}.{field.name}` {wrong}")
                filled[field.name] = value
            elif field.name == self._procedure.action.role and field.name in shape.party_fields:
                filled[field.name] = self._caller.member
            elif not field.required:
                filled[field.name] = field.default
        key = filled[shape.type.key]
        place = shape.place(key)
        self._frame.charge(meter.LOAD_STEPS)
        if place in self._records or self._reader.get(place) is not None:
            raise Fault("record.exists", "there is a {record} of this key already", {"record": shape.name})
        ordered = {name: filled[name] for name in shape.order if name in filled}
        record = Record(shape, key, place, ordered, None)
        record.changed = True
        self._records[place] = record
        return record

    def _check_role(self, values: list[Any]) -> None:
        """Who may: by an attribute of the member, and by the field of the role's name in the first record."""
        role, attribute = self._procedure.role, self._procedure.attribute
        if role is None:
            return
        member = self._caller.member
        if attribute is not None and attribute not in self._caller.attributes:
            denied = {"member": member, "attribute": attribute}
            raise Fault("role.denied", "{member} has no attribute {attribute}", denied)
        if self._procedure.subject is not None:
            record: Record = values[self._procedure.subject]
            if role in record.shape.party_fields and record.values[role] != member:
                denied = {"role": role, "member": member}
                raise Fault("role.denied", "{member} is not the {role} of this record", denied)

    def writes(self) -> WriteSet:
        """The write set: changed records in the order they were first named."""
        found: WriteSet = []
        frame, room = self._frame, meter.STORED_BYTES_MAX
        for record in self._records.values():
            if record.changed:
                shape = record.shape
                if shape.bytes_most > meter.STORED_BYTES_MAX and named_size(frame, record.values, room) > room:
                    raise _stores_too_much()  # before it is encoded, which might take all memory
                value = shape.dump(record)
                room -= len(value)
                if room < 0:
                    raise _stores_too_much()
                frame.charge(meter.STORE_STEPS + (len(record.place) + len(value)) // OUTPUT_BYTES_PER_STEP)
                found.append(Write(self._contract, shape.name, record.key, value, record.previous, record.place))
        return found


def _stores_too_much() -> Fault:
    return Fault("output.stored", f"an action stores at most {meter.STORED_BYTES_MAX} bytes")


def _returned(frame: Frame, type_: Codec, value: Any) -> Any:
    """The plain form of what a view returned, checked against what it declares, and charged."""
    wrong = type_.problem(value)
    if wrong:
        raise Fault("value.bounds", f"what the view returns {wrong}")
    size = encoded_size(frame, value, meter.RESULT_BYTES_MAX)
    if size > meter.RESULT_BYTES_MAX:
        raise Fault("output.result", f"a view returns at most {meter.RESULT_BYTES_MAX} bytes")
    frame.charge(size // OUTPUT_BYTES_PER_STEP)
    return to_plain(value)


def _check_profile(arguments: dict[str, Any]) -> None:
    """A view's arguments are in no transaction that was scanned; they are held to the same profile here."""
    try:
        cbor.encode(arguments)
    except HansaError as error:
        raise Fault("arguments.invalid", error.detail) from None


def _line(traceback: TracebackType | None) -> int | None:
    """The line of the contract file where a fault arose; None if it arose before the body."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == FILE_NAME:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
