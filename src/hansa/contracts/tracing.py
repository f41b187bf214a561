"""What a run did, step by step, for people: which line, with which values, for how many steps.

`Trace` and `Lines` watch the specification's interpreter (`specification.observer`); whoever runs it hands one in:
`hansa contract trace` and `hansa.testing`. Nothing here decides anything, and no node uses it.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the static checker has seen to their kinds.

import ast
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from hansa.contracts import calendar, schedules
from hansa.contracts.calls import Execution
from hansa.contracts.checked import Checked
from hansa.contracts.specification.machine import Frame, Machine
from hansa.contracts.specification.values import DAY_MS, Duration, Instant, Record, Struct, to_plain
from hansa.contracts.tree import statements
from hansa.wire.writes import Write

STEPS_KEPT_MAX: Final = 10_000
"""Rows of a trace; what comes behind them is counted in one more."""

Kind: TypeAlias = Literal["body", "statement", "load", "make", "store", "schedule", "more", "end", "refused"]


class Value(msgspec.Struct, frozen=True):
    """An expression or a name as it is written, and its value in plain form; of a record, its type and key."""

    of: str
    value: Any


class Step(msgspec.Struct):
    """One row of a trace; it is not changed once the run has ended.

    `line` and `source` are those of the contract's file, None and empty where no line is meant. `depth`: bodies in each
    other. `names`: what was bound or changed. `values`: what the expressions in it came to, in that order. `used` is
    the number of steps charged when it was reached, its own first charge included, `spent` its own charges.
    """

    kind: Kind
    depth: int
    contract: str
    line: int | None
    source: str
    names: list[Value] = msgspec.field(default_factory=list[Value])
    values: list[Value] = msgspec.field(default_factory=list[Value])
    used: int = 0
    spent: int = 0


class Trace:
    """An observer that keeps what it sees. `sources`: the text of files by their SHA-256, where there is one."""

    def __init__(self, sources: Mapping[bytes, str]) -> None:
        self._lines = {digest: text.split("\n") for digest, text in sources.items()}
        self._rows: list[Step] = []
        self._open: list[Step] = []
        """The rows of the statements and bodies that are under way, the innermost last."""
        self._seen: list[dict[str, Any]] = []
        """For every body under way, its variables as they were looked at last."""
        self._used = 0

    def steps(self, ran: Execution) -> list[Step]:
        """All that was seen of a run, and last what came of it."""
        refused = ran.code != "ok"
        result: dict[str, Any] = ran.result if refused else {}
        line = result.get("line")
        known = next((row for row in reversed(self._rows) if row.line == line and row.kind == "statement"), None)
        last = Step("refused" if refused else "end", 0, str(result.get("contract", "")), line, "")
        last.source = known.source if refused and known is not None and line is not None else ""
        last.spent, last.used = ran.steps - self._used, ran.steps
        return [*self._rows, last]

    # hansa.contracts.specification.observer.Observer

    def began(self, machine: Machine, body: ast.FunctionDef) -> None:
        """See `Observer`."""
        row = self._row(machine, "body", body.lineno)
        row.names = [Value(name, shown(value)) for name, value in machine.frame.locals.items()]
        self._open.append(row)
        self._seen.append(dict(machine.frame.locals))

    def ended(self, machine: Machine, returned: Any) -> None:
        """See `Observer`."""
        row = self._open.pop()
        self._charge(machine, row)
        self._seen.pop()
        if returned is not None:
            row.values.append(Value("return", shown(returned)))

    def reached(self, machine: Machine, statement: ast.stmt) -> None:
        """See `Observer`."""
        row = self._row(machine, "statement", statement.lineno)
        if not isinstance(statement, ast.If | ast.For):
            row.source = self._source(machine, statement.lineno, statement.end_lineno)
        self._note(machine.frame, row)
        self._open.append(row)

    def executed(self, machine: Machine, statement: ast.stmt) -> None:
        """See `Observer`."""
        row = self._open.pop()
        self._charge(machine, row)
        if not isinstance(statement, ast.If | ast.For):
            self._note(machine.frame, row)
            path = _changed_path(statement)
            if path is not None and all(each.of != ast.unparse(path) for each in row.names):
                row.names.append(Value(ast.unparse(path), shown(_read(machine.frame, path))))

    def evaluated(self, machine: Machine, node: ast.expr, value: Any) -> None:
        """See `Observer`."""
        row = self._open[-1]
        self._charge(machine, row)
        if not isinstance(node, ast.Constant | ast.Name):
            row.values.append(Value(ast.unparse(node), shown(value)))

    def touched(self, machine: Machine, contract: str, type: str, key: Any, record: Record | None) -> None:
        """See `Observer`."""
        self._of_record(machine, "load", contract, type, key, None if record is None else record.fields)

    def made(self, machine: Machine, record: Record) -> None:
        """See `Observer`."""
        self._of_record(machine, "make", record.contract, record.type.name, record.key, record.fields)

    def stored(self, machine: Machine, write: Write) -> None:
        """See `Observer`."""
        if (write.contract, write.record) != (schedules.CONTRACT, schedules.RECORD):
            self._of_record(machine, "store", write.contract, write.record, write.key, None)
            return
        due = schedules.read(write.value)
        row = self._row(machine, "schedule", None)
        row.source = due.action
        row.names = [Value("record", due.record), Value("at", _moment(due.at))]

    def _of_record(
        self, machine: Machine, kind: Kind, contract: str, type: str, key: Any, fields: dict[str, Any] | None
    ) -> None:
        row = self._row(machine, kind, None)
        row.contract, row.source = contract, type
        row.names.append(Value("key", key))
        if fields is None and kind == "load":
            row.names.append(Value("found", False))
        row.values = [Value(name, shown(value)) for name, value in (fields or {}).items()]

    def _row(self, machine: Machine, kind: Kind, line: int | None) -> Step:
        frame = machine.frame
        source = "" if line is None else self._source(machine, line, line)
        row = Step(kind, len(self._seen), frame.contract, line, source)
        if len(self._rows) < STEPS_KEPT_MAX:
            self._rows.append(row)
        elif len(self._rows) == STEPS_KEPT_MAX:
            self._rows.append(Step("more", 0, frame.contract, None, ""))
        self._charge(machine, row)
        row.used = machine.limit - machine.left
        return row

    def _source(self, machine: Machine, first: int, last: int | None) -> str:
        """What stands from one line to another, in one."""
        lines = self._lines.get(machine.frame.file.digest, [])
        return " ".join(line.strip() for line in lines[first - 1 : last])

    def _charge(self, machine: Machine, row: Step) -> None:
        """What was charged since anything was seen last is the row's, or that of the rows left out."""
        used = machine.limit - machine.left
        kept = row if len(self._rows) <= STEPS_KEPT_MAX else self._rows[-1]
        kept.spent += used - self._used
        self._used = used

    def _note(self, frame: Frame, row: Step) -> None:
        """The variables that are others than when they were looked at last."""
        seen = self._seen[-1]
        for name, value in frame.locals.items():
            if name not in seen or seen[name] is not value:
                row.names.append(Value(name, shown(value)))
                seen[name] = value


class Lines:
    """An observer that keeps which lines were reached, by the SHA-256 of their file."""

    def __init__(self) -> None:
        self.reached_lines: dict[bytes, set[int]] = {}

    def began(self, machine: Machine, body: ast.FunctionDef) -> None:
        """See `Observer`. A body that is a docstring alone has this as its only line."""
        self._reach(machine, statements_of(body)[0].lineno)

    def reached(self, machine: Machine, statement: ast.stmt) -> None:
        """See `Observer`."""
        self._reach(machine, statement.lineno)

    def _reach(self, machine: Machine, line: int) -> None:
        self.reached_lines.setdefault(machine.frame.file.digest, set()).add(line)

    def ended(self, machine: Machine, returned: Any) -> None:
        """See `Observer`."""

    def executed(self, machine: Machine, statement: ast.stmt) -> None:
        """See `Observer`."""

    def evaluated(self, machine: Machine, node: ast.expr, value: Any) -> None:
        """See `Observer`."""

    def touched(self, machine: Machine, contract: str, type: str, key: Any, record: Record | None) -> None:
        """See `Observer`."""

    def made(self, machine: Machine, record: Record) -> None:
        """See `Observer`."""

    def stored(self, machine: Machine, write: Write) -> None:
        """See `Observer`."""


def statements_of(body: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a body, its docstring left out; the docstring if there is nothing else."""
    return statements(body) or body.body


def lines_of(file: Checked) -> dict[int, str]:
    """The first lines of all statements of a file, each with the name of the body that it stands in."""
    found: dict[int, str] = {}
    for name, body in file.bodies.items():
        for top in statements_of(body):
            for node in ast.walk(top):
                if isinstance(node, ast.stmt):
                    found[node.lineno] = name
    return dict(sorted(found.items()))


def shown(value: Any) -> Any:
    """A value as a trace has it: plain; but a record as its type and key, a time as people write it."""
    match value:
        case Record():
            return {"record": value.type.name, "key": value.key}
        case Instant(milliseconds=at):
            return _moment(at)
        case Duration(milliseconds=length):
            return f"{length} ms"
        case list():
            return [shown(item) for item in value]
        case Struct():
            return {name: shown(item) for name, item in value.fields.items()}
        case _:
            return to_plain(value)


def _moment(at: int) -> str:
    """A point in time, UTC."""
    seconds, parts = divmod(at % DAY_MS, 1_000)
    minutes, second = divmod(seconds, 60)
    fraction = f".{parts:03}" if parts else ""
    return f"{calendar.date_at(at)} {minutes // 60:02}:{minutes % 60:02}:{second:02}{fraction} UTC"


def _changed_path(statement: ast.stmt) -> ast.expr | None:
    """The record or container that a statement changes, as far as it is names and fields; None if it changes none."""
    match statement:
        case ast.Assign(targets=[target]) | ast.AugAssign(target=target):
            path = target
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=path, attr="append" | "insert" | "pop"))):
            pass
        case ast.Expr(value=ast.Call(func=ast.Name(id="become"), args=[record, _])):
            path = ast.Attribute(record, "state", ast.Load())
        case _:
            return None
    while isinstance(path, ast.Subscript):
        path = path.value
    return path


def _read(frame: Frame, path: ast.expr) -> Any:
    """What stands at a path of names and fields now, without asking for records that are not at hand."""
    match path:
        case ast.Name(id=name):
            return frame.locals.get(name)
        case ast.Attribute(value=base, attr=name):
            value = _read(frame, base)
            return value.fields.get(name) if isinstance(value, Record | Struct) else None
        case _:
            return None
