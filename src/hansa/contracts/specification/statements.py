"""A body is made of blocks of statements.

A block is the body of an action, view, function, invariant or migration (its docstring left out), a branch of an `if`,
the body of a `for`. Entering it costs 1 and the price of each of its statements: 1, and 1 for every operator,
comparison, call, attribute, index and conditional expression in it, for every argument of a call, every list or map and
each of its items, and for every operand that `and` or `or` joins. Blocks within are paid when they are entered; a
loop's body each time. The values of a refusal cost nothing. All of this is known from the source; what an operation
costs by the size of its values comes on top when it happens.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the static checker has seen to their kinds.

import ast
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hansa.contracts import manifest as declared
from hansa.contracts import messages, prices, schedules
from hansa.contracts.manifest import RecordType, Type
from hansa.contracts.specification import operations, records
from hansa.contracts.specification.expressions import (
    binary,
    call_interface,
    declaration,
    evaluate,
    evaluate_for,
    needed,
)
from hansa.contracts.specification.fitting import annotated_type, fit, own_name
from hansa.contracts.specification.machine import Machine, charge
from hansa.contracts.specification.measuring import Room, measure_fields, measure_text
from hansa.contracts.specification.operations import made
from hansa.contracts.specification.values import Record, Struct, to_plain


class Flow(enum.Enum):
    """Where it goes on after a statement."""

    NEXT = enum.auto()
    BREAK = enum.auto()
    CONTINUE = enum.auto()
    RETURN = enum.auto()


def run_body(machine: Machine, function: ast.FunctionDef) -> Any:
    """Runs a body in the innermost frame; what it returned, None if nothing.

    Its docstring is no statement. A body that is nothing else costs 1, at that line.
    """
    observer = machine.observer
    if observer is not None:
        observer.began(machine, function)
    match function.body:
        case [ast.Expr(value=ast.Constant(value=str())) as docstring]:
            machine.frame.line = docstring.lineno
            charge(machine, prices.block_price([]))
        case [ast.Expr(value=ast.Constant(value=str())), *statements] | statements:
            execute_block(machine, statements)
    if observer is not None:
        observer.ended(machine, machine.frame.returned)
    return machine.frame.returned


def execute_block(machine: Machine, statements: list[ast.stmt]) -> Flow:
    """A block: charged when it is entered, at the line of its first statement; then its statements in order.

    A fault is reported at the first line of the statement being executed, in the innermost body.
    """
    machine.frame.line = statements[0].lineno
    charge(machine, prices.block_price(statements))
    observer = machine.observer
    for statement in statements:
        machine.frame.line = statement.lineno
        if observer is not None:
            observer.reached(machine, statement)
        flow = execute(machine, statement)
        if observer is not None:
            observer.executed(machine, statement)
        if flow is not Flow.NEXT:
            return flow
    return Flow.NEXT


def execute(machine: Machine, statement: ast.stmt) -> Flow:
    """A statement: `pass`, an assignment, `if`, `for`, `break`, `continue`, `return`, or a call alone."""
    match statement:
        case ast.Pass():
            pass
        case ast.Assign(targets=[target], value=value):
            assign(machine, target, value)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
            if value is not None:
                assign_annotated(machine, name, annotation, value)
        case ast.AugAssign(target=target, op=operator, value=value):
            assign_combined(machine, target, operator, value)
        case ast.If(test=test, body=body, orelse=other):
            chosen = body if needed(machine, test) else other
            return execute_block(machine, chosen) if chosen else Flow.NEXT
        case ast.For(target=target, iter=iterator, body=body):
            return loop(machine, target, iterator, body)
        case ast.Break():
            return Flow.BREAK
        case ast.Continue():
            return Flow.CONTINUE
        case ast.Return(value=value):
            return_value(machine, value)
            return Flow.RETURN
        case ast.Expr(value=ast.Call(func=function) as node):
            call_alone(machine, node, function)
        case _:
            raise AssertionError(f"no statement: {ast.unparse(statement)}")
    return Flow.NEXT


def return_value(machine: Machine, node: ast.expr | None) -> None:
    """`return e`: what a view or function returns fits the type it declares, here."""
    frame = machine.frame
    if node is not None and frame.returns is not None:
        value = evaluate_for(machine, frame.returns, node)
        place = messages.place_returned(frame.name)
        frame.returned = fit(machine, frame.file.manifest, frame.returns, value, place)


# Assignment


@dataclass
class Place:
    """Where a value is put: a variable, or in a container of the place `outer`, by the name of a field or an index.

    Containers are read when the place is located, from the outside in.
    """

    outer: "Place | None"
    container: Any
    step: Any


def assign(machine: Machine, target: ast.expr, node: ast.expr) -> None:
    """`x = e`, `record.field = e`, `p.a.b[i] = e`: e is evaluated first, then the place located, then e put there."""
    value = evaluate_for(machine, machine.frame.file.types.get(target), node)
    put(machine, locate(machine, target), value)


def assign_annotated(machine: Machine, name: str, annotation: ast.expr, node: ast.expr) -> None:
    """`x: T = e`: e fits T here; what is assigned to x later need not."""
    frame = machine.frame
    type = annotated_type(frame.file.manifest, annotation)
    value = evaluate_for(machine, type, node)
    frame.locals[name] = fit(machine, frame.file.manifest, type, value, messages.place_local(name))


def assign_combined(machine: Machine, target: ast.expr, operator: ast.operator, node: ast.expr) -> None:
    """`p += e`, and so `-= *= //= %=`: p is read, e evaluated, both combined; then as `p = ...`, which reads the way to
    the place again.
    """
    before = needed(machine, target)
    value = binary(machine, operator, before, needed(machine, node))
    put(machine, locate(machine, target), value)


def locate(machine: Machine, target: ast.expr) -> Place:
    """The place that a target names is located: what is around it is read from the outside in, and each index evaluated
    where it stands; the value in the place itself is not read.
    """
    match target:
        case ast.Name(id=name):
            return Place(None, machine.frame.locals, name)
        case ast.Attribute(value=base, attr=name):
            outer = locate(machine, base)
            return Place(outer, read_needed(machine, outer), name)
        case ast.Subscript(value=base, slice=index):
            outer = locate(machine, base)
            container = read_needed(machine, outer)
            return Place(outer, container, needed(machine, index))
        case _:
            raise AssertionError(f"no place: {ast.unparse(target)}")


def read_needed(machine: Machine, place: Place) -> Any:
    """The value in a place: costs what reading it in an expression does. None faults `value.none`."""
    if place.outer is None:
        value = place.container[place.step]
    elif isinstance(place.container, Record):
        value = records.get_field(machine, place.container, place.step)
    elif isinstance(place.container, Struct):
        value = operations.attribute(place.container, place.step)
    else:
        value = operations.item(machine, place.container, place.step)
    if value is None:
        raise messages.none()
    return value


def put(machine: Machine, place: Place, value: Any) -> None:
    """A value is put in its place from the inside out: a list, map or struct is made anew with it, and put in turn in
    the place where it stood, up to a variable or a record's field. Nothing else that had the old value sees it.

    In a field of a record or struct the value fits.
    """
    if place.outer is None:
        place.container[place.step] = value
    elif isinstance(place.container, Record):
        records.set_field(machine, place.container, place.step, value)
    elif isinstance(place.container, Struct):
        put(machine, place.outer, replace_field(machine, place.container, place.step, value))
    else:
        put(machine, place.outer, operations.replace_item(machine, place.container, place.step, value))


def replace_field(machine: Machine, struct: Struct, name: str, value: Any) -> Struct:
    """`p.field = e` in a struct: e fits the field, then the struct is made anew."""
    declaration = struct.declaration
    where = messages.place_field(own_name(declaration.name), name)
    fitted = fit(machine, struct.file, declaration.fields[name].type, value, where)
    return made(machine, Struct(declaration, struct.file, {**struct.fields, name: fitted}))


def change(machine: Machine, path: ast.expr, word: str, nodes: list[ast.expr]) -> None:
    """`p.append(e)`, `p.insert(i, e)`, `p.pop(i)`, `m.pop(k)`: arguments first, then the place is located and read, the
    list or map made anew, and put there.
    """
    item = item_type(machine.frame.file.types.get(path)) if word != "pop" else None
    arguments = [needed(machine, each) for each in nodes[:-1]]
    arguments.append(evaluate_for(machine, item, nodes[-1]) if word != "pop" else needed(machine, nodes[-1]))
    place = locate(machine, path)
    before = read_needed(machine, place)
    match word:
        case "append":
            after = operations.append(machine, before, arguments[0])
        case "insert":
            after = operations.insert(machine, before, arguments[0], arguments[1])
        case _:
            after = operations.pop(machine, before, arguments[0])
    put(machine, place, after)


def item_type(type: Type | None) -> Type | None:
    """The type of a list's items; None if it is not known."""
    if isinstance(type, declared.OptionalType):
        return item_type(type.item)
    return type.item if isinstance(type, declared.ListType) else None


# Loops


def loop(machine: Machine, target: ast.expr, iterator: ast.expr, body: list[ast.stmt]) -> Flow:
    """`for x in ...:`: what is gone through is evaluated once; then for each the block is entered. `break` and
    `continue` as in Python.
    """
    for values in passes(machine, iterator):
        if isinstance(target, ast.Tuple):
            for each, value in zip(target.elts, values, strict=True):
                assert isinstance(each, ast.Name)
                machine.frame.locals[each.id] = value
        else:
            assert isinstance(target, ast.Name)
            machine.frame.locals[target.id] = values
        flow = execute_block(machine, body)
        if flow is Flow.BREAK:
            break
        if flow is Flow.RETURN:
            return flow
    return Flow.NEXT


def passes(machine: Machine, node: ast.expr) -> Iterable[Any]:
    """What a loop goes through: the items of a list; the keys of a map by code point, with their values by
    `m.items()`; `enumerate(l)` with their numbers from 0; `zip(a, b)`, as long as the shorter; `range`; records.
    """
    match node:
        case ast.Call(func=ast.Name(id="range"), args=arguments):
            return number_range([needed(machine, each) for each in arguments])
        case ast.Call(func=ast.Name(id="enumerate"), args=[items]):
            return enumerate(needed(machine, items))
        case ast.Call(func=ast.Name(id="zip"), args=[first, second]):
            one = needed(machine, first)
            return zip(one, needed(machine, second), strict=False)
        case ast.Call(func=ast.Attribute(value=base, attr="items"), args=[]):
            return needed(machine, base).items()
        case ast.Call(func=ast.Attribute(attr="select") as function):
            named = declaration(machine, function)
            assert named is not None
            return select(machine, machine.frame.file.manifest.records[named[1][0]], node)
        case _:
            return needed(machine, node)


def number_range(bounds: list[int]) -> Iterable[int]:
    """`range(b)`, `range(a, b)`, `range(a, b, step)`, as in Python: all fit 64 bits, else `value.range`; a step of 0 is
    `value.division`.
    """
    for bound in bounds:
        if not declared.INTEGER_MIN <= bound <= declared.INTEGER_MAX:
            raise messages.range_bounds()
    if len(bounds) == 3 and bounds[2] == 0:
        raise messages.division()
    return range(*bounds)


def select(machine: Machine, type: RecordType, node: ast.Call) -> list[Record]:
    """`LC.select(...)`: arguments in source order, then as the section on records says."""
    words = {str(keyword.arg): keyword.value for keyword in node.keywords}
    given: dict[str, Any] = {}
    if "by" in words:
        given["by"] = evaluate(machine, words["by"])
    bounded = type.fields[given.get("by", type.key)].type
    for word, value in words.items():
        if word == "limit":
            given[word] = needed(machine, value)
        elif word != "by":
            given[word] = evaluate_for(machine, bounded, value)
    frame = machine.frame
    return records.select_records(machine, frame.file, frame.contract, type, given)


# Calls alone


def call_alone(machine: Machine, node: ast.Call, function: ast.expr) -> None:
    """A call that stands alone: `require`, `event`, `become`, `schedule`, `LC.create`, an action of another contract,
    or a change of a list or map.
    """
    named = declaration(machine, function)
    if named is None:
        assert isinstance(function, ast.Attribute)
        change(machine, function.value, function.attr, node.args)
        return
    match named:
        case _, ["require"]:
            require(machine, node)
        case _, ["event"]:
            emit(machine, node)
        case _, ["become"]:
            record = needed(machine, node.args[0])
            records.set_state(record, evaluate(machine, node.args[1]))
        case _, ["schedule"]:
            schedule(machine, node)
        case file, [name, _] if name in file.manifest.records:
            evaluate(machine, node)
        case file, [name, word]:
            call_interface(machine, file.manifest.interfaces[name], word, node)
        case _:
            raise AssertionError(f"no call: {ast.unparse(node)}")


def require(machine: Machine, node: ast.Call) -> None:
    """`require(condition, "text {x}", x=e)`: if the condition is False the transaction is refused, `require.failed`, or
    `invariant.failed` while an invariant runs, with the text and the values that fill its holes.

    The values are evaluated only then, in source order; text and values encoded have at most 4,096 bytes, else
    `value.size`.
    """
    if needed(machine, node.args[0]):
        return
    message = node.args[1]
    assert isinstance(message, ast.Constant)
    values = {str(each.arg): evaluate(machine, each.value) for each in node.keywords}
    room = Room(prices.REFUSAL_BYTES_MAX, messages.refusal_size)
    measure_text(room, str(message.value))
    measure_fields(room, values)
    raise messages.refused(str(message.value), to_plain(values), machine.in_invariant)


def emit(machine: Machine, node: ast.Call) -> None:
    """`event("name", x=e)`: values in source order. At most 64 events, which have at most 65,536 bytes together, names
    and values encoded, else `output.events`. Costs 20, and 1 for every 8 of its bytes.

    An event of a contract that was called names it as `contract`; without one it is the transaction's own.
    """
    name = str(evaluate(machine, node.args[0]))
    values = {str(each.arg): evaluate(machine, each.value) for each in node.keywords}
    if len(machine.events) == prices.EVENTS_MAX:
        raise messages.events_count()
    room = Room(prices.EVENTS_BYTES_MAX - machine.emitted, messages.events_size)
    measure_text(room, name)
    measure_fields(room, values)
    charge(machine, prices.EVENT_STEPS + room.taken // prices.OUTPUT_BYTES_PER_STEP)
    machine.emitted += room.taken
    event = {"data": to_plain(values), "name": name}
    if len(machine.running) > 1:
        event["contract"] = machine.running[-1]
    machine.events.append(event)


def schedule(machine: Machine, node: ast.Call) -> None:
    """`schedule(record, "action", at)`: ledger time will take the action on the record when it reaches the Instant,
    which lies at least 1,000 ms ahead of it, else `schedule.past`. At most 64 in a transaction that was signed,
    1 where ledger time runs it, else `output.schedules`. Costs what storing a record does: what is scheduled is one of
    the contract `members`.
    """
    record = needed(machine, node.args[0])
    action = str(evaluate(machine, node.args[1]))
    at = needed(machine, node.args[2])
    if at.milliseconds < machine.call.time + prices.SCHEDULE_AHEAD_MS_MIN:
        raise messages.schedule_past()
    number = len(machine.schedules)
    is_signed = machine.call.caller.member is not None
    if number == (prices.SCHEDULES_MAX if is_signed else prices.SCHEDULES_OF_TIME_MAX):
        raise messages.schedules_count()
    write = schedules.pending(
        record.contract, record.type.name, record.key, action, at.milliseconds, machine.call.seq, number
    )
    records.charge_store(machine, write)
    if machine.observer is not None:
        machine.observer.stored(machine, write)
    machine.schedules.append(write)
