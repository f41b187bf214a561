"""The same contract source run raw: what guards, metering and the checks of binding are measured against.

A body is taken out of its class and compiled by CPython as it stands, against what a programmer who trusts everybody
would write: amounts with plain operators, records as objects with attributes, `require`, `event` and `become` as plain
functions.

What raw does, in the order of the real thing and with its own functions on the same host objects: finds the procedure,
loads each record (its place, the reader, `Shape.load`), runs the body, and encodes the records that the action changes
into a write set (`Shape.dump`, `Write`) and an `Execution`. What it leaves out: steps, bounds of values, currencies,
whether arguments fit their types and whom they name, roles, states, invariants, versions and migrations, which records
were changed, and every limit on what leaves. The bench compares what both wrote and emitted.
"""

import ast
import operator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hansa.contracts.calls import Call, Execution
from hansa.contracts.codecs import Amount, to_plain
from hansa.contracts.ledger import Ledger
from hansa.contracts.manifest import STATE_FIELD, ReferenceType
from hansa.contracts.program import Program
from hansa.contracts.values import Context
from hansa.wire.writes import Write


class Refused(Exception):
    """A `require` that does not hold."""


def _equip() -> None:
    """Gives amounts the operators that a raw body uses. Guards use none of them, so what is guarded stays as it is."""
    for name in ("add", "sub"):
        combine = getattr(operator, name)
        setattr(Amount, f"__{name}__", lambda a, b, combine=combine: Amount(combine(a.minor, b.minor), a.currency))
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        compare = getattr(operator, name)
        setattr(Amount, f"__{name}__", lambda a, b, compare=compare: compare(a.minor, b.minor))


class _Record:
    """A record: its fields are its attributes."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__ = values


def _require(holds: bool, message: str, **values: Any) -> None:
    if not holds:
        raise Refused(message, values)


def _become(record: Any, state: str) -> None:
    record.state = state


class Raw:
    """One contract's actions, raw."""

    def __init__(self, path: Path, program: Program) -> None:
        _equip()
        self._program = program
        self._events: list[dict[str, Any]] = []
        self._namespace: dict[str, Any] = {
            "Amount": Amount,
            "require": _require,
            "event": self._event,
            "become": _become,
        }
        self._actions: dict[str, tuple[Any, ...]] = {}
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name in program.actions:
                self._actions[node.name] = self._compiled(node)

    def _event(self, name: str, **values: Any) -> None:
        self._events.append({"data": {key: to_plain(value) for key, value in values.items()}, "name": name})

    def _compiled(self, node: ast.FunctionDef) -> tuple[Any, ...]:
        node.decorator_list = []
        for argument in node.args.args:
            argument.annotation = None
        exec(compile(ast.Module([node], []), "<raw>", "exec"), self._namespace)
        procedure = self._program.actions[node.name]
        takes = [
            (p.name, self._program.shapes[p.type.record] if isinstance(p.type, ReferenceType) else None, b.codec)
            for p, b in zip(procedure.action.parameters, procedure.parameters, strict=True)
        ]
        return self._namespace[node.name], takes, procedure.to

    def run(self, call: Call, ledger: Ledger, changed: Sequence[int]) -> Execution:
        """What `execution.run` does for an action that is allowed; `changed`: the places of the records that change."""
        events = self._events = []
        body, takes, to = self._actions[call.action]
        values, found = _loaded(takes, call, ledger)
        body(Context(call.caller, None, call.time), *values)
        if to is not None:
            setattr(values[0], STATE_FIELD, to)
        writes = [_write(*found[number]) for number in changed]
        return Execution("ok", None, events, writes, 0, self._program.manifest.version)

    def codec(self, call: Call, ledger: Ledger, changed: Sequence[int]) -> None:
        """What of `run` is the host's work alone, and the same in both: records loaded, and encoded again."""
        _, takes, _ = self._actions[call.action]
        _, found = _loaded(takes, call, ledger)
        for number in changed:
            _write(*found[number])


def _loaded(takes: Sequence[Any], call: Call, ledger: Ledger) -> tuple[list[Any], list[Any]]:
    """The body's arguments; and the records among them, with what writing them takes."""
    values: list[Any] = []
    found: list[Any] = []
    for name, shape, codec in takes:
        value = call.arguments[name]
        if shape is None:
            values.append(value if codec.from_plain is None else codec.from_plain(value))
        else:
            place = shape.place(value)
            stored = ledger.get(place)
            record = _Record(shape.load(stored.value)[0])
            values.append(record)
            found.append((shape, value, place, record, stored.seq))
    return values, found


def _write(shape: Any, key: Any, place: bytes, record: _Record, seq: int) -> Write:
    return Write(shape.contract, shape.name, key, shape.dump(record.__dict__), seq, place)
