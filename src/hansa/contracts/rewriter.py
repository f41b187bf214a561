"""Turns a checked body into guarded, metered code: what CPython compiles is this, never the source itself.

Operations become calls of their guards, and every block begins by charging for its statements. All of a statement
stands on its first line, so a fault's line is the same under every Python. Relies on `checker` having passed the
body, and on the types it wrote down.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from hansa.contracts import messages, names, operations
from hansa.contracts.annotations import dotted, is_record
from hansa.contracts.checked import Checked
from hansa.contracts.codecs import Codec, Codecs
from hansa.contracts.expressions import OPERATORS
from hansa.contracts.guards import FRAMED
from hansa.contracts.manifest import (
    Field,
    ListType,
    MapType,
    OptionalType,
    Parameter,
    RecordType,
    ReferenceType,
    StructType,
    Type,
)
from hansa.contracts.operations import kind, plain
from hansa.contracts.prices import block_price
from hansa.contracts.tree import nodes, statements
from hansa.wire import cbor

FRAME: Final = "__frame"
_Change: TypeAlias = Callable[[ast.Attribute | ast.Subscript, ast.expr], ast.expr]
_ORDER: Final[Mapping[type[ast.cmpop], tuple[str, bool]]] = {
    ast.Lt: ("less", False),
    ast.GtE: ("less", True),
    ast.Gt: ("greater", False),
    ast.LtE: ("greater", True),
}
"""The guard of a comparison, and whether its answer is turned round."""


class Rewriter:
    """The code of one file. `namespace` collects what the code refers to besides guards and shapes."""

    def __init__(self, checked: Checked, codecs: Codecs) -> None:
        self._manifest = checked.manifest
        self._all = codecs
        self._types = checked.types
        self._codecs: dict[Type, str] = {}
        self._functions = {name: f"__f{number}" for number, name in enumerate(checked.manifest.functions)}
        self._temporaries = 0
        self._returns: Type | None = None
        self._name = ""
        self.namespace: dict[str, Any] = {}

    def function(
        self, name: str, body: ast.FunctionDef, parameters: Sequence[str], returns: Type | None = None
    ) -> ast.FunctionDef:
        """The guarded function of a body: parameters `__frame`, then these."""
        self._returns = returns
        self._name = body.name
        template = ast.parse(f"def {name}({', '.join((FRAME, *parameters))}): pass").body[0]
        assert isinstance(template, ast.FunctionDef)
        template.body = self._block(statements(body), body.body[0])
        return ast.copy_location(template, body)

    def function_name(self, name: str) -> str:
        """The name of a function's code in the namespace; numbered, so that no two names can come to the same."""
        return self._functions[name]

    # Statements

    def _block(self, statements: list[ast.stmt], at: ast.stmt) -> list[ast.stmt]:
        """A block that first charges its price."""
        first = statements[0] if statements else at
        made = _charge(block_price(statements))
        for node in made:
            for part in nodes(node):
                _place(part, first)
        for statement in statements:
            for node in self._statement(statement):
                _stand(node, statement)
                made.append(node)
        return made

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:
        match node:
            case ast.Assign(targets=[target], value=value):
                return self._assign(target, value)
            case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
                type_ = self._types[target]
                fitted = self._fit(self._for(type_, value), type_, messages.place_local(target.id))
                return [_set(target.id, fitted)]
            case ast.AugAssign(target=target, op=op, value=value):
                return self._augment(target, op, value)
            case ast.Expr(value=ast.Call() as call):
                return self._call_alone(call)
            case ast.If(test=test, body=body, orelse=orelse):
                otherwise = self._block(orelse, node) if orelse else []
                return [ast.If(self._need(test), self._block(body, node), otherwise)]
            case ast.For(target=target, iter=iterator, body=body):
                return [ast.For(_targets(target), self._iterator(iterator), self._block(body, node), [])]
            case ast.Return(value=None):
                return [ast.Return(None)]
            case ast.Return(value=ast.expr() as value):
                assert self._returns is not None
                place = messages.place_returned(self._name)
                return [ast.Return(self._fit(self._for(self._returns, value), self._returns, place))]
            case _:
                assert isinstance(node, ast.Pass | ast.Break | ast.Continue)
                return [type(node)()]

    def _call_alone(self, call: ast.Call) -> list[ast.stmt]:
        match call:
            case ast.Call(func=ast.Name(id="require"), args=[test, text], keywords=keywords):
                refusal = _guard("refuse", text, *self._named(keywords))
                refusing: list[ast.stmt] = [ast.Expr(refusal)]
                for part in nodes(refusing[0]):
                    _place(part, call)
                return [ast.If(ast.UnaryOp(ast.Not(), self._need(test)), refusing, [])]
            case ast.Call(func=ast.Name(id="event"), args=[name], keywords=keywords):
                return [ast.Expr(_guard("emit", name, *self._named(keywords)))]
            case ast.Call(func=ast.Name(id="become"), args=[record, state]):
                return [ast.Expr(_guard("become", self._need(record), self._value(state)))]
            case ast.Call(func=ast.Name(id="schedule"), args=[record, name, at]):
                return [ast.Expr(_guard("schedule", self._need(record), name, self._need(at)))]
            case ast.Call(func=ast.Attribute(value=ast.Name(id=interface), attr=action), keywords=keywords) if (
                interface in self._manifest.interfaces
            ):
                declared = self._manifest.interfaces[interface]
                fits = self._fits(declared.actions[action], f"{interface}.{action}")
                contract = ast.Constant(declared.contract)
                given = self._given(keywords, {p.name: p.type for p in declared.actions[action]})
                return [ast.Expr(_guard("call_action", contract, ast.Constant(action), fits, given))]
            case ast.Call(func=ast.Attribute(value=base, attr=method), args=arguments) if (
                self._owner(base) is not None and (kind(self._known(base)), method) in operations.MUTATORS
            ):
                return self._mutate(base, method, arguments)
            case _:
                return [ast.Expr(self._value(call))]

    def _owner(self, base: ast.expr) -> Type | None:
        found = self._types.get(base)
        return None if found is None else plain(found)

    def _known(self, node: ast.expr) -> Type:
        return plain(self._types[node])

    # Assignment

    def _assign(self, target: ast.expr, value: ast.expr) -> list[ast.stmt]:
        type_ = self._types[target]
        new = self._for(type_, value)
        if isinstance(target, ast.Name):
            return [_set(target.id, new)]
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and self._is_field(target):
            return [self._set_record_field(target, ast.Name(target.value.id, ast.Load()), new)]
        statements, kept = self._keep(new)
        return statements + self._store(target, kept)

    def _augment(self, target: ast.expr, op: ast.operator, value: ast.expr) -> list[ast.stmt]:
        combined = self._binary(op, target, value)
        if isinstance(target, ast.Name):
            return [_set(target.id, combined)]
        statements, kept = self._keep(combined)
        return statements + self._store(target, kept)

    def _is_field(self, target: ast.Attribute) -> bool:
        return is_record(self._types[target.value])

    def _set_record_field(self, target: ast.Attribute, record: ast.expr, value: ast.expr) -> ast.stmt:
        guard = "set_reference" if is_record(self._types[target]) else "set_field"
        return ast.Expr(_guard(guard, record, ast.Constant(target.attr), value))

    def _keep(self, value: ast.expr) -> tuple[list[ast.stmt], ast.expr]:
        """A value in a name of its own, so that it is worked out once and now."""
        self._temporaries += 1
        name = f"__{self._temporaries}"
        return [_set(name, value)], ast.Name(name, ast.Load())

    def _store(self, target: ast.expr, new: ast.expr) -> list[ast.stmt]:
        """Puts a value in its place."""
        return self._replace(target, new, lambda step, container: self._changed(step, container, new))

    def _replace(self, target: ast.expr, new: ast.expr, change: "_Change") -> list[ast.stmt]:
        """What holds the target is read from the base outwards, then made anew from the inside out.

        `change` makes the innermost container anew; `new` is set where there is none but the record itself.
        """
        steps: list[ast.Attribute | ast.Subscript] = []
        base = target
        while isinstance(base, ast.Attribute | ast.Subscript):
            steps.insert(0, base)
            if is_record(self._types[base.value]):
                base = base.value
                break
            base = base.value
        statements: list[ast.stmt] = []
        first = steps[0]
        if is_record(self._types[first.value]):
            assert isinstance(first, ast.Attribute)
            kept, holder = self._keep(self._need(first.value))
            statements += kept
            if len(steps) == 1:
                return [*statements, self._set_record_field(first, holder, new)]
            held = self._some(first, ast.Subscript(_member(holder, "values"), ast.Constant(first.attr), ast.Load()))
            inner = steps[1:]
        else:
            assert isinstance(base, ast.Name)
            holder, held, inner = None, self._some(base, ast.Name(base.id, ast.Load())), steps
        containers: list[ast.expr] = []
        for step in inner:
            kept, container = self._keep(held)
            statements += kept
            containers.append(container)
            if step is not inner[-1]:
                held = self._some(step, self._step(step, container))
        for step, container in zip(reversed(inner), reversed(containers), strict=True):
            changed = change(step, container) if step is inner[-1] else self._changed(step, container, new)
            kept, new = self._keep(changed)
            statements += kept
        if holder is not None:
            assert isinstance(first, ast.Attribute)
            return [*statements, self._set_record_field(first, holder, new)]
        assert isinstance(base, ast.Name)
        return [*statements, _set(base.id, new)]

    def _some(self, node: ast.expr, value: ast.expr) -> ast.expr:
        return _guard("some", value) if isinstance(self._types[node], OptionalType) else value

    def _step(self, node: ast.Attribute | ast.Subscript, container: ast.expr) -> ast.expr:
        """One field or item read from a container."""
        if isinstance(node, ast.Attribute):
            return ast.Subscript(container, ast.Constant(node.attr), ast.Load())
        guard = "value_at" if isinstance(self._known(node.value), MapType) else "item"
        return _guard(guard, container, self._need(node.slice))

    def _changed(self, node: ast.Attribute | ast.Subscript, container: ast.expr, new: ast.expr) -> ast.expr:
        """A container with another field or item."""
        owner = self._known(node.value)
        if isinstance(node, ast.Attribute):
            assert isinstance(owner, StructType)
            type_ = self._manifest.structs[owner.struct].fields[node.attr].type
            place = ast.Constant(messages.place_field(_own(owner.struct), node.attr))
            return _guard("with_field", container, ast.Constant(node.attr), new, self._codec(type_), place)
        guard = "with_value" if isinstance(owner, MapType) else "with_item"
        return _guard(guard, container, self._need(node.slice), new)

    def _mutate(self, path: ast.expr, method: str, arguments: list[ast.expr]) -> list[ast.stmt]:
        owner = self._known(path)
        guard, takes = operations.MUTATORS[kind(owner), method]
        statements: list[ast.stmt] = []
        given: list[ast.expr] = []
        for word, argument in zip(takes, arguments, strict=True):
            kept, name = self._keep(self._for(operations.result(word, owner), argument))
            statements += kept
            given.append(name)
        if isinstance(path, ast.Name):
            return [*statements, _set(path.id, _guard(guard, self._need(path), *given))]
        inside = ast.Subscript(path, ast.Constant(None), ast.Load())
        changed = self._replace(inside, inside, lambda _, container: _guard(guard, container, *given))
        return statements + changed

    # What a place takes

    def _for(self, type_: Type, node: ast.expr) -> ast.expr:
        """A value for a place of this type: None is let through only where the type has it."""
        return self._value(node) if isinstance(type_, OptionalType) else self._need(node)

    def _need(self, node: ast.expr) -> ast.expr:
        """A value that is not None."""
        value = self._value(node)
        return _guard("some", value) if isinstance(self._types.get(node), OptionalType) else value

    def _fit(self, value: ast.expr, type_: Type, place: str) -> ast.expr:
        return _guard("fit", value, self._codec(type_), ast.Constant(place))

    def _codec(self, type_: Type) -> ast.expr:
        name = self._codecs.get(type_)
        if name is None:
            name = self._codecs[type_] = f"__t{len(self._codecs)}"
            self.namespace[name] = self._all.of(type_)
        return ast.Name(name, ast.Load())

    def _constant(self, value: Any) -> ast.expr:
        """Anything that the code refers to."""
        name = f"__c{len(self.namespace)}"
        self.namespace[name] = value
        return ast.Name(name, ast.Load())

    def _fits(self, parameters: Sequence[Parameter | Field], owner: str) -> ast.expr:
        made: list[tuple[str, Codec, str]] = []
        for parameter in parameters:
            place = messages.place_field(owner, parameter.name)
            made.append((parameter.name, self._all.of(parameter.type), place))
        return self._constant(tuple(made))

    def _given(self, keywords: list[ast.keyword], types: Mapping[str, Type]) -> ast.Dict:
        """Named values in source order."""
        return ast.Dict(
            [ast.Constant(keyword.arg) for keyword in keywords],
            [self._for(types[keyword.arg or ""], keyword.value) for keyword in keywords],
        )

    def _named(self, keywords: list[ast.keyword]) -> tuple[ast.expr, ast.expr]:
        """The names in encoding order, and the values in source order."""
        order = tuple(sorted((keyword.arg or "" for keyword in keywords), key=cbor.key_order))
        values = [self._value(keyword.value) for keyword in keywords]
        return self._constant(order), ast.Dict([ast.Constant(keyword.arg) for keyword in keywords], values)

    # Loops

    def _iterator(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Call(func=ast.Name(id="range"), args=arguments):
                return _guard("count", *(self._need(argument) for argument in arguments))
            case ast.Call(func=ast.Name(id="enumerate"), args=[argument]):
                return _guard("numbered", self._need(argument))
            case ast.Call(func=ast.Name(id="zip"), args=[first, second]):
                return _guard("paired", self._need(first), self._need(second))
            case ast.Call(func=ast.Attribute(value=base, attr="items")) if self._owner(base) is not None:
                return ast.Call(_member(self._need(base), "items"), [], [])
            case ast.Call(func=ast.Attribute(value=base, attr="select"), keywords=keywords):
                return self._select(self._record_named(base), keywords)
            case _:
                return self._need(node)

    def _record_named(self, base: ast.expr) -> RecordType:
        return self._manifest.records[dotted(base).rpartition(".")[2]]

    def _select(self, record: RecordType, keywords: list[ast.keyword]) -> ast.expr:
        by = next((k.value.value for k in keywords if k.arg == "by" and isinstance(k.value, ast.Constant)), record.key)
        assert isinstance(by, str)
        want = record.fields[by].type
        bounds = [keyword for keyword in keywords if keyword.arg != "by"]
        types = dict.fromkeys(("equal", "least", "most"), want) | {"limit": operations.INT}
        return _guard("select_records", _shape(record.name), ast.Constant(by), self._given(bounds, types))

    # Expressions

    def _value(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Constant():
                return ast.Constant(node.value)
            case ast.Name(id=name):
                if name in self._manifest.constants:
                    return ast.Constant(self._manifest.constants[name])
                return ast.Name(name, ast.Load())
            case ast.Attribute():
                return self._attribute(node)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(op, left, right)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ast.UnaryOp(ast.Not(), self._need(operand))
            case ast.UnaryOp(operand=operand):
                return _guard(operations.NEGATIVE[kind(self._known(operand))], self._need(operand))
            case ast.BoolOp(op=op, values=values):
                return ast.BoolOp(op, [self._need(value) for value in values])
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compare(left, op, right)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return ast.IfExp(self._need(test), self._value(body), self._value(orelse))
            case ast.List(elts=items):
                type_ = self._types[node]
                assert isinstance(type_, ListType)
                return _guard("make_list", ast.List([self._for(type_.item, item) for item in items], ast.Load()))
            case ast.Dict(keys=keys, values=values):
                type_ = self._types[node]
                assert isinstance(type_, MapType)
                return self._map(keys, values, type_.value)
            case ast.Subscript(value=value, slice=index):
                return self._subscript(value, index)
            case _:
                assert isinstance(node, ast.Call)
                return self._call(node)

    def _attribute(self, node: ast.Attribute) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id == names.CONTEXT:
            return _member(ast.Name(names.CONTEXT, ast.Load()), node.attr)
        if (full := dotted(node)) in self._manifest.constants:
            return ast.Constant(self._manifest.constants[full])
        if node.value not in self._types:  # an enum, whose values are their names
            return ast.Constant(node.attr)
        owner = self._known(node.value)
        base = self._need(node.value)
        if isinstance(owner, ReferenceType):
            type_ = self._types[node]
            if is_record(type_):
                target = plain(type_)
                assert isinstance(target, ReferenceType)
                return _guard("follow", base, ast.Constant(node.attr), _shape(target.record))
            return ast.Subscript(_member(base, "values"), ast.Constant(node.attr), ast.Load())
        if isinstance(owner, StructType):
            return ast.Subscript(base, ast.Constant(node.attr), ast.Load())
        return _guard(operations.ATTRIBUTES[kind(owner), node.attr][0], base)

    def _binary(self, op: ast.operator, left: ast.expr, right: ast.expr) -> ast.expr:
        kinds = (OPERATORS[type(op)], kind(self._known(left)), kind(self._known(right)))
        guard = operations.BINARY[kinds][0]
        first, second = self._need(left), self._need(right)
        if guard in ("add_int", "subtract_int"):
            return _guard("bounded", ast.BinOp(first, op, second))
        return _guard(guard, first, second)

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> ast.expr:
        if isinstance(op, ast.Is | ast.IsNot):
            return ast.Compare(self._value(left), [op], [ast.Constant(None)])
        if isinstance(op, ast.In | ast.NotIn):
            holder = kind(self._known(right))
            takes_none = holder == "list" and kind(self._known(left)) != "user"
            first = self._value(left) if takes_none else self._need(left)
            found = _guard(f"within_{holder}", first, self._need(right))
            return ast.UnaryOp(ast.Not(), found) if isinstance(op, ast.NotIn) else found
        of = {kind(self._known(left)), kind(self._known(right))}
        if isinstance(op, ast.Eq | ast.NotEq):
            if "user" in of and not (_is_none(left) or _is_none(right)):  # nobody is no second person
                first, second = self._need(left), self._need(right)
            else:
                first, second = self._value(left), self._value(right)
            if of & operations.NATIVE_EQUAL:
                return ast.Compare(first, [op], [second])
            return _guard("equal" if isinstance(op, ast.Eq) else "unequal", first, second)
        first, second = self._need(left), self._need(right)
        if of <= operations.NATIVE_ORDER:
            return ast.Compare(first, [op], [second])
        word, is_turned = _ORDER[type(op)]
        found = _guard(word if of & {"text", "bytes"} else f"{word}_amount", first, second)
        return ast.UnaryOp(ast.Not(), found) if is_turned else found

    def _map(self, keys: Sequence[ast.expr | None], values: list[ast.expr], held: Type) -> ast.expr:
        """Each pair is a key, its value, and the charge for the key; equal keys: the last counts."""
        pairs: list[ast.expr] = []
        for key, value in zip(keys, values, strict=True):
            assert key is not None
            pairs.append(ast.Tuple([self._need(key), self._for(held, value)], ast.Load()))
            pairs[-1] = _guard("looked_up", pairs[-1])
        return _guard("make_map", ast.List(pairs, ast.Load()))

    def _subscript(self, value: ast.expr, index: ast.expr) -> ast.expr:
        of = kind(self._known(value))
        holder = self._need(value)
        if isinstance(index, ast.Slice):
            ends = [ast.Constant(None) if end is None else self._need(end) for end in (index.lower, index.upper)]
            return _guard(f"slice_{of}", holder, *ends)
        guard = {"map": "value_at", "text": "character"}.get(of, "item")
        return _guard(guard, holder, self._need(index))

    # Calls

    def _call(self, node: ast.Call) -> ast.expr:
        full = dotted(node.func)
        if full in self._manifest.functions:
            return self._function(node, full)
        if isinstance(node.func, ast.Name):
            name = node.func.id
            if name in self._manifest.structs:
                return self._struct(node, name)
            return self._builtin(node, name)
        assert isinstance(node.func, ast.Attribute)
        base, method = node.func.value, node.func.attr
        result = self._types[node]
        if isinstance(result, StructType) and _declared(full, self._manifest.structs) and base not in self._types:
            return self._struct(node, _declared(full, self._manifest.structs))
        if isinstance(base, ast.Name) and base.id in self._manifest.interfaces:
            return self._interface_view(node, base.id, method)
        if base not in self._types:
            return self._record_call(node, self._record_named(base), method)
        owner = self._known(base)
        found = operations.METHODS[kind(owner), method]
        arguments = [
            self._value(argument) if word in ("rounding", "value") else self._need(argument)
            for word, argument in zip(found.takes, node.args, strict=True)
        ]
        return _guard(found.guard, self._need(base), *arguments)

    def _builtin(self, node: ast.Call, name: str) -> ast.expr:
        if name == "Duration":
            return _guard_named("make_duration", [(k.arg or "", self._need(k.value)) for k in node.keywords])
        arguments = [self._need(argument) for argument in node.args]
        types = [self._known(argument) for argument in node.args]
        match name:
            case "min" | "max":
                return _guard("least_of" if name == "min" else "most_of", *arguments)
            case "reversed":
                return _guard("backwards", *arguments)
            case "sorted":
                assert isinstance(types[0], ListType)
                is_text = kind(types[0].item) in ("text", "bytes")
                return _guard("ordered_texts" if is_text else "ordered", *arguments)
            case "sum":
                return _guard("total", *arguments)
            case _:
                return _guard(operations.FUNCTIONS[name, tuple(kind(type_) for type_ in types)][0], *arguments)

    def _struct(self, node: ast.Call, name: str) -> ast.expr:
        struct = self._manifest.structs[name]
        fits = self._fits(tuple(struct.fields.values()), _own(name))
        given = self._given(node.keywords, {n: field.type for n, field in struct.fields.items()})
        return _guard("make_struct", fits, self._constant(defaults(struct.fields, self._all)), given)

    def _function(self, node: ast.Call, name: str) -> ast.expr:
        function = self._manifest.functions[name]
        own = _own(name)
        fits = self._constant(
            tuple((self._all.of(p.type), messages.place_field(own, p.name)) for p in function.parameters)
        )
        called = ast.Name(self.function_name(name), ast.Load())
        types = {p.name: p.type for p in function.parameters}
        order = [p.name for p in function.parameters]
        positional = [self._for(p.type, a) for p, a in zip(function.parameters, node.args, strict=False)]
        written = [*order[: len(node.args)], *(keyword.arg or "" for keyword in node.keywords)]
        if written == order:
            named = [self._for(types[keyword.arg or ""], keyword.value) for keyword in node.keywords]
            return _guard("apply", called, fits, *positional, *named)
        given = self._given(node.keywords, types)
        given = ast.Dict([ast.Constant(n) for n in order[: len(node.args)]] + given.keys, positional + given.values)
        return _guard("apply_named", called, fits, self._constant(tuple(order)), given)

    def _interface_view(self, node: ast.Call, interface: str, name: str) -> ast.expr:
        declared = self._manifest.interfaces[interface]
        view = declared.views[name]
        fits = self._fits(view.parameters, f"{interface}.{name}")
        given = self._given(node.keywords, {p.name: p.type for p in view.parameters})
        contract, returns = ast.Constant(declared.contract), self._codec(view.returns)
        return _guard("call_view", contract, ast.Constant(name), fits, returns, given)

    def _record_call(self, node: ast.Call, record: RecordType, method: str) -> ast.expr:
        shape = _shape(record.name)
        if method != "create":
            guard = {"get": "get_record", "find": "find_record", "exists": "has_record"}[method]
            return _guard(guard, shape, self._need(node.args[0]))
        types: dict[str, Type] = {name: field.type for name, field in record.fields.items()}
        fits = self._fits([field for field in record.fields.values() if not is_record(field.type)], record.name)
        pairs: list[tuple[str, ast.expr]] = []
        for keyword in node.keywords:
            name = keyword.arg or ""
            if name in types and is_record(types[name]):
                pairs.append((name, _guard("key_of", self._for(types[name], keyword.value))))
            else:
                type_ = types.get(name, operations.TEXT)
                pairs.append((name, self._for(type_, keyword.value)))
        given = ast.Dict([ast.Constant(name) for name, _ in pairs], [value for _, value in pairs])
        start = self._constant(record_defaults(record, self._all))
        return _guard("create_record", shape, fits, start, given)


def shape_name(record: str) -> str:
    """The name of a record type's shape in the namespace."""
    return f"__r_{record}"


def defaults(fields: Mapping[str, Field], codecs: Codecs) -> dict[str, Any]:
    """What fields start with, as a contract has it, in encoding order; None where a value must be given."""
    made: dict[str, Any] = {}
    for name in sorted(fields, key=cbor.key_order):
        field = fields[name]
        convert = None if field.required else codecs.of(field.type).from_plain
        made[name] = field.default if convert is None else convert(field.default)
    return made


def record_defaults(record: RecordType, codecs: Codecs) -> dict[str, Any]:
    """The same of a record, its state among them."""
    made = defaults(record.fields, codecs)
    if record.states:
        made["state"] = None
    return {name: made[name] for name in sorted(made, key=cbor.key_order)}


def _declared(full: str, known: Mapping[str, object]) -> str:
    """The declared name that a dotted name stands for: a library's as it is, a nested one without its contract."""
    if full in known:
        return full
    last = full.rpartition(".")[2]
    return last if last in known else ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _charge(price: int) -> list[ast.stmt]:
    """Takes a block's price off, and ends the run if nothing is left."""
    left = ast.Attribute(ast.Name(FRAME, ast.Load()), "left", ast.Store())
    still = ast.Attribute(ast.Name(FRAME, ast.Load()), "left", ast.Load())
    ended = ast.Expr(ast.Call(ast.Name("__spent", ast.Load()), [ast.Name(FRAME, ast.Load())], []))
    return [
        ast.AugAssign(left, ast.Sub(), ast.Constant(price)),
        ast.If(ast.Compare(still, [ast.Lt()], [ast.Constant(0)]), [ended], []),
    ]


def _own(name: str) -> str:
    """A name as its own file writes it."""
    return name.rpartition(".")[2]


def _shape(record: str) -> ast.expr:
    return ast.Name(shape_name(record), ast.Load())


def _member(value: ast.expr, name: str) -> ast.expr:
    return ast.Attribute(value, name, ast.Load())


def _set(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _targets(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Tuple):
        return ast.Tuple([_targets(each) for each in target.elts], ast.Store())
    assert isinstance(target, ast.Name)
    return ast.Name(target.id, ast.Store())


def _guard(name: str, *arguments: ast.expr) -> ast.expr:
    frame: list[ast.expr] = [ast.Name(FRAME, ast.Load())] if name in FRAMED else []
    return ast.Call(ast.Name(f"__{name}", ast.Load()), [*frame, *arguments], [])


def _guard_named(name: str, arguments: list[tuple[str, ast.expr]]) -> ast.expr:
    return ast.Call(ast.Name(f"__{name}", ast.Load()), [], [ast.keyword(word, value) for word, value in arguments])


def _stand(node: ast.stmt, at: ast.stmt) -> None:
    """Puts a statement, blocks in it aside, where another began."""
    for part in nodes(node) if not isinstance(node, ast.If | ast.For) else _header(node):
        _place(part, at)


def _place(part: ast.AST, at: ast.stmt | ast.expr) -> None:
    if isinstance(part, ast.expr | ast.stmt | ast.keyword):
        part.lineno = part.end_lineno = at.lineno
        part.col_offset = part.end_col_offset = at.col_offset


def _header(node: ast.If | ast.For) -> list[ast.AST]:
    parts = [node.test] if isinstance(node, ast.If) else [node.target, node.iter]
    return [node, *(part for each in parts for part in nodes(each))]
