"""Expressions are evaluated strictly and from left to right, so that it is always clear which fault comes first.

A name is a variable, a constant of the file, or a declaration; what is nested in the contract's class has the class's
name before it, what a library declares the library's.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# Values are dynamic: the static checker has seen to their kinds.

import ast
from typing import Any

from hansa.contracts import manifest as declared
from hansa.contracts import messages, prices
from hansa.contracts.checked import Checked
from hansa.contracts.manifest import Function, Parameter, RecordType, Type
from hansa.contracts.specification import operations, records
from hansa.contracts.specification.fitting import default_of, fit, from_plain, is_optional, own_name, plain_misfit
from hansa.contracts.specification.machine import Frame, Machine, charge, deepen, leave, match_text
from hansa.contracts.specification.operations import made
from hansa.contracts.specification.values import Amount, Instant, Record, Struct, to_plain


def needed(machine: Machine, node: ast.expr) -> Any:
    """The value of an expression where a value is needed: None faults `value.none` as soon as it is evaluated.

    That is everywhere but on both sides of `==` and `!=`, before `is None` and `is not None`, on the left of
    `in` with a list on the right, as the default of `get`, in the values of events and refusals, and where a type says
    `| None`.
    """
    value = evaluate(machine, node)
    if value is None:
        raise messages.none()
    return value


def evaluate_for(machine: Machine, type: Type | None, node: ast.expr) -> Any:
    """The value of an expression for a place of this type (None: of no known one): None must have its place there."""
    return evaluate(machine, node) if type is None or is_optional(type) else needed(machine, node)


def evaluate(machine: Machine, node: ast.expr) -> Any:
    """What an expression is worth.

    Operators: see the operations. `and` and `or` evaluate their operands until one decides; `a if c else b` evaluates
    c, then one of the two.
    """
    value = _value_of(machine, node)
    if machine.observer is not None:
        machine.observer.evaluated(machine, node, value)
    return value


def _value_of(machine: Machine, node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            variables = machine.frame.locals
            return variables[name] if name in variables else machine.frame.file.manifest.constants[name]
        case ast.Attribute(value=base, attr=name):
            return evaluate_attribute(machine, node, base, name)
        case ast.BinOp(left=left, op=operator, right=right):
            first = needed(machine, left)
            return binary(machine, operator, first, needed(machine, right))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not needed(machine, operand)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return operations.negate(needed(machine, operand))
        case ast.BoolOp(op=ast.And(), values=operands):
            return all_hold(machine, operands)
        case ast.BoolOp(op=ast.Or(), values=operands):
            return any_holds(machine, operands)
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            return compare(machine, left, operator, right)
        case ast.IfExp(test=test, body=chosen, orelse=other):
            return evaluate(machine, chosen if needed(machine, test) else other)
        case ast.Subscript(value=base, slice=ast.Slice(lower=lower, upper=upper)):
            whole = needed(machine, base)
            start = None if lower is None else needed(machine, lower)
            return operations.part(machine, whole, start, None if upper is None else needed(machine, upper))
        case ast.Subscript(value=base, slice=index):
            container = needed(machine, base)
            return operations.item(machine, container, needed(machine, index))
        case ast.List(elts=items):
            return list_literal(machine, node, items)
        case ast.Dict(keys=keys, values=values):
            return map_literal(machine, node, keys, values)
        case ast.Call(func=function):
            return call(machine, node, function)
        case _:
            raise AssertionError(f"no expression: {ast.unparse(node)}")


def binary(machine: Machine, operator: ast.operator, a: Any, b: Any) -> Any:
    """`+ - * // %` of two values."""
    match operator:
        case ast.Add():
            return operations.add(machine, a, b)
        case ast.Sub():
            return operations.subtract(a, b)
        case ast.Mult():
            return operations.multiply(a, b)
        case ast.FloorDiv():
            return operations.floor_divide(a, b)
        case ast.Mod():
            return operations.remainder(a, b)
        case _:
            raise AssertionError(f"no operator: {operator}")


def all_hold(machine: Machine, operands: list[ast.expr]) -> bool:
    """`a and b and ...`: evaluated until one is False."""
    for operand in operands:
        if not needed(machine, operand):
            return False
    return True


def any_holds(machine: Machine, operands: list[ast.expr]) -> bool:
    """`a or b or ...`: evaluated until one is True."""
    for operand in operands:
        if needed(machine, operand):
            return True
    return False


def is_user(machine: Machine, node: ast.expr) -> bool:
    """Whether an expression is a User, or None."""
    of = machine.frame.file.types.get(node)
    return isinstance(of.item if isinstance(of, declared.OptionalType) else of, declared.UserType)


def compare(machine: Machine, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool:
    """A comparison of two values: both are evaluated, then compared.

    A User is compared with somebody, or looked for in a list, as a person: None is `value.none`, so that a rule
    for two persons refuses it. Whether there is one at all is asked by `is None`, or by `== None`.
    """
    match operator:
        case ast.Is():
            return evaluate(machine, left) is None
        case ast.IsNot():
            return evaluate(machine, left) is not None
        case ast.Eq() | ast.NotEq():
            written = any(isinstance(node, ast.Constant) and node.value is None for node in (left, right))
            persons = not written and (is_user(machine, left) or is_user(machine, right))
            a = needed(machine, left) if persons else evaluate(machine, left)
            b = needed(machine, right) if persons else evaluate(machine, right)
            return operations.equal(machine, a, b) == isinstance(operator, ast.Eq)
        case ast.In() | ast.NotIn():
            of = machine.frame.file.types.get(right)
            is_list = isinstance(of.item if isinstance(of, declared.OptionalType) else of, declared.ListType)
            a = evaluate(machine, left) if is_list and not is_user(machine, left) else needed(machine, left)
            found = operations.contains(machine, a, needed(machine, right))
            return found == isinstance(operator, ast.In)
        case _:
            a = needed(machine, left)
            b = needed(machine, right)
    if isinstance(a, Amount):
        operations.one_currency(a, b)
    match operator:
        case ast.Lt():
            return operations.less(machine, a, b)
        case ast.Gt():
            return operations.less(machine, b, a)
        case ast.LtE():
            return not operations.less(machine, b, a)
        case ast.GtE():
            return not operations.less(machine, a, b)
        case _:
            raise AssertionError(f"no comparison: {operator}")


def list_literal(machine: Machine, node: ast.expr, items: list[ast.expr]) -> list[Any]:
    """`[a, b, ...]`: items in order; makes a list. None is an item only where the list's items may be None."""
    type = machine.frame.file.types.get(node)
    of = type.item if isinstance(type, declared.ListType) else None
    return made(machine, [evaluate_for(machine, of, item) for item in items])


def map_literal(
    machine: Machine, node: ast.expr, keys: list[ast.expr | None], values: list[ast.expr]
) -> dict[str, Any]:
    """`{k: v, ...}`: each key, then its value, then the key is looked up, and has at most 100 characters, else
    `value.size`; of equal keys the last counts. Makes a map.
    """
    type = machine.frame.file.types.get(node)
    of = type.value if isinstance(type, declared.MapType) else None
    found: dict[str, Any] = {}
    for key, value in zip(keys, values, strict=True):
        assert key is not None
        name = needed(machine, key)
        content = evaluate_for(machine, of, value)
        match_text(machine, len(name))
        operations.check_key(name)
        found[name] = content
    return made(machine, {name: found[name] for name in sorted(found)})


# Names


def path_of(node: ast.expr) -> list[str] | None:
    """The names of `a.b.c`; None if it begins with anything but a name."""
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=base, attr=name):
            before = path_of(base)
            return None if before is None else [*before, name]
        case _:
            return None


def declaration(machine: Machine, node: ast.expr) -> tuple[Checked, list[str]] | None:
    """The file in which the thing is declared that an expression names, and its name there, in parts; None if it names
    no declaration, but a variable, or something of a variable or a constant.
    """
    path, file = path_of(node), machine.frame.file
    if path is None or path[0] in machine.frame.locals or path[0] == "tx":
        return None
    if path[0] == file.manifest.title:
        path = path[1:]
    elif path[0] in file.libraries:
        file, path = file.libraries[path[0]], path[1:]
    is_in_constant = len(path) > 1 and path[0] in file.manifest.constants
    return None if is_in_constant else (file, path)


def evaluate_attribute(machine: Machine, node: ast.expr, base: ast.expr, name: str) -> Any:
    """`a.name`: of `tx`; a value of an enum, which is its name; a constant of a library; a field of a record or struct;
    an attribute of a value.
    """
    if isinstance(base, ast.Name) and base.id == "tx":
        return context_attribute(machine, name)
    named = declaration(machine, node)
    if named is not None:
        file, path = named
        return path[-1] if path[0] in file.manifest.enums else file.manifest.constants[path[0]]
    value = needed(machine, base)
    return records.get_field(machine, value, name) if isinstance(value, Record) else operations.attribute(value, name)


def context_attribute(machine: Machine, name: str) -> Any:
    """`tx.member`, the member that signed, and `tx.user`, the user that signed for it (None: the member's own key).
    `tx.id`, the id of the transaction that is run: the SHA-256 of its Sig_structure (RFC 9052, section 4.4); each in a
    batch has its own. These are `tx.unsigned` where nobody signed: if ledger time began the run, or a view was asked
    for by itself. `tx.caller`, the contract that called this one, None if none did. `tx.time`, ledger time, and
    `tx.date`, its date (UTC). The signer and the id are the same in a contract that is called; but only the caller can
    have rights there.
    """
    call, context = machine.call, machine.frame.context
    assert context is not None
    match name:
        case "member" | "user":
            if call.caller.member is None:
                raise messages.unsigned()
            return call.caller.member if name == "member" else call.caller.user
        case "id":
            if not call.id:
                raise messages.unsigned()
            return call.id
        case "caller":
            return context.caller
        case "time":
            return Instant(call.time)
        case "date":
            return operations.attribute(Instant(call.time), "date")
        case _:
            raise AssertionError(f"no `tx.{name}`")


# Calls


def call(machine: Machine, node: ast.Call, function: ast.expr) -> Any:
    """A call: of a function of the dialect, of a type, of a function of this file or a library, of a record type's
    `get`, `find`, `exists`, `create`, of a view of another contract, or of a method of a value.
    """
    named = declaration(machine, function)
    if named is None:
        assert isinstance(function, ast.Attribute)
        value = needed(machine, function.value)
        if function.attr == "get":
            key = needed(machine, node.args[0])
            return operations.method(machine, value, "get", [key, evaluate(machine, node.args[1])])
        return operations.method(machine, value, function.attr, [needed(machine, each) for each in node.args])
    file, path = named
    match path:
        case [name] if name in file.manifest.functions and name in file.bodies:
            return call_function(machine, file, file.manifest.functions[name], node)
        case [name] if name in file.manifest.structs:
            return make_struct(machine, file, file.manifest.structs[name], node)
        case [name]:
            return call_builtin(machine, name, node)
        case [name, word] if name in file.manifest.records:
            return call_record(machine, file.manifest.records[name], word, node)
        case [name, word]:
            return call_interface(machine, file.manifest.interfaces[name], word, node)
        case _:
            raise AssertionError(f"no function: {ast.unparse(function)}")


def call_system(machine: Machine, name: str, values: list[Any]) -> Any:
    """What the contract of genesis alone can call."""
    match name:
        case "contract_version":
            return operations.contract_version(machine, values[0], values[1])
        case "library_digest":
            return operations.library_digest(machine, values[0], values[1])
        case "key_id":
            return operations.key_id(machine, values[0])
        case _:
            return operations.member_id(values[0])


def call_builtin(machine: Machine, name: str, node: ast.Call) -> Any:
    """The functions of the dialect: arguments in source order, then the operation."""
    values = [needed(machine, each) for each in node.args]
    named = {str(each.arg): needed(machine, each.value) for each in node.keywords}
    match name:
        case "len":
            return operations.length(values[0])
        case "abs":
            return operations.absolute(values[0])
        case "min":
            return operations.smallest(machine, values)
        case "max":
            return operations.largest(machine, values)
        case "sum":
            return operations.total(machine, values[0])
        case "sorted":
            return operations.in_order(machine, values[0])
        case "reversed":
            return operations.backwards(machine, values[0])
        case "str":
            return operations.to_text(machine, values[0])
        case "int":
            return operations.to_integer(machine, values[0])
        case "sha256":
            return operations.sha256(machine, values[0])
        case "contract_version" | "library_digest" | "key_id" | "member_id":
            return call_system(machine, name, values)
        case "Amount" | "SignedAmount":
            return operations.make_amount(values[0], values[1], name == "SignedAmount")
        case "Date":
            return operations.make_date(values[0], values[1], values[2])
        case "Duration":
            return operations.make_duration(named)
        case _:
            raise AssertionError(f"no function `{name}`")


def call_function(machine: Machine, file: Checked, function: Function, node: ast.Call) -> Any:
    """`f(a, b=c)`: arguments in source order; one deeper (`call.depth`); then each fits its parameter, in the order in
    which they are declared; then the body. What it returns fits as well, at its `return`.
    """
    arguments = evaluate_arguments(machine, function.parameters, node)
    caller = machine.frame
    if file is caller.file:
        frame = Frame(file, caller.contract, caller.version)
    else:
        frame = Frame(file, file.manifest.name, file.digest.hex())
    frame.name, frame.returns = function.name, function.returns
    deepen(machine)
    for parameter in function.parameters:
        place = messages.place_field(function.name, parameter.name)
        value = arguments[parameter.name]
        frame.locals[parameter.name] = fit(machine, file.manifest, parameter.type, value, place)
    machine.frames.append(frame)
    result = machine.run_body(machine, file.bodies[function.name])
    leave(machine)
    return result


def evaluate_arguments(machine: Machine, parameters: tuple[Parameter, ...], node: ast.Call) -> dict[str, Any]:
    """Arguments by the names of their parameters: those by position, then those by name, in source order."""
    types = {parameter.name: parameter.type for parameter in parameters}
    found: dict[str, Any] = {}
    for parameter, argument in zip(parameters, node.args, strict=False):
        found[parameter.name] = evaluate_for(machine, parameter.type, argument)
    for keyword in node.keywords:
        name = str(keyword.arg)
        found[name] = evaluate_for(machine, types[name], keyword.value)
    return found


def make_struct(machine: Machine, file: Checked, struct: declared.Struct, node: ast.Call) -> Struct:
    """`Terms(f=e, ...)`: fields in source order; then each given one fits its type, in the order in which they are
    declared; the others get their defaults. Makes a struct.
    """
    given = {
        str(each.arg): evaluate_for(machine, struct.fields[str(each.arg)].type, each.value) for each in node.keywords
    }
    fields: dict[str, Any] = {}
    for field in struct.fields.values():
        if field.name in given:
            place = messages.place_field(own_name(struct.name), field.name)
            fields[field.name] = fit(machine, file.manifest, field.type, given[field.name], place)
        else:
            fields[field.name] = default_of(file.manifest, field)
    return made(machine, Struct(struct, file.manifest, fields))


def call_record(machine: Machine, type: RecordType, word: str, node: ast.Call) -> Any:
    """`LC.get(key)`, `LC.find(key)`, `LC.exists(key)`, `LC.create(f=e, ...)`: arguments in source order, then as the
    section on records says.
    """
    frame = machine.frame
    if word == "create":
        given: dict[str, Any] = {}
        for keyword in node.keywords:
            name = str(keyword.arg)
            field = type.fields.get(name)
            given[name] = evaluate_for(machine, None if field is None else field.type, keyword.value)
        state = given.pop(declared.STATE_FIELD) if type.states else None
        return records.create_record(machine, frame.file, frame.contract, type, given, state)
    key = needed(machine, [*node.args, *(each.value for each in node.keywords)][0])
    if word == "get":
        return records.get_record(machine, frame.file, frame.contract, type, key)
    found = records.find_record(machine, frame.file, frame.contract, type, key)
    return found if word == "find" else found is not None


def call_interface(machine: Machine, interface: declared.Interface, word: str, node: ast.Call) -> Any:
    """`Accounts.pay(account=e, ...)`: arguments in source order; each fits the interface's type, in the order in which
    they are declared, and is handed over in plain form. Costs 20; one deeper (`call.depth`); the contract does not wait
    for this one (`call.reentrant`); it is there (`contract.unknown`) and has the action or view (`action.unknown`); for
    an action it is not paused (`contract.paused`).

    Then it runs as a transaction's action does, from its arguments on, in the same transaction. What a view returns
    must be what the interface declares, else `call.result`.
    """
    view = interface.views.get(word)
    parameters = interface.actions[word] if view is None else view.parameters
    given = evaluate_arguments(machine, parameters, node)
    file = machine.frame.file.manifest
    arguments: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name in given:
            place = messages.place_parameter(own_name(interface.name), word, parameter.name)
            arguments[parameter.name] = to_plain(fit(machine, file, parameter.type, given[parameter.name], place))
    charge(machine, prices.CALL_STEPS)
    plain = machine.call_contract(machine, interface.contract, word, view is not None, arguments)
    if view is None:
        return None
    problem = plain_misfit(machine, file, view.returns, plain)
    if problem:
        raise messages.call_result(interface.contract, word, problem)
    return from_plain(file, view.returns, plain)
