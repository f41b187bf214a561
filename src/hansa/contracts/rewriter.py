"""Turns a checked body into guarded, metered code: what CPython compiles is this, never the source itself.

Every operator becomes a call of its guard, and every block begins by charging for its statements. Places are
kept, so a fault's line is the source's. Relies on `checker` having passed the body.
"""

import ast
from collections.abc import Mapping
from typing import Final, TypeVar

from hansa.contracts import names
from hansa.contracts.manifest import Action, ReferenceType
from hansa.wire import cbor

_Node = TypeVar("_Node", bound=ast.AST)

FRAME: Final = "__frame"
_BINARY: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "__add",
    ast.Sub: "__subtract",
    ast.Mult: "__multiply",
    ast.FloorDiv: "__divide",
    ast.Mod: "__remainder",
}
_COMPARE: Final[Mapping[type[ast.cmpop], str]] = {
    ast.Eq: "__equal",
    ast.NotEq: "__unequal",
    ast.Lt: "__less",
    ast.LtE: "__less_or_equal",
    ast.Gt: "__greater",
    ast.GtE: "__greater_or_equal",
    ast.In: "__within",
    ast.NotIn: "__not_within",
}
_CHARGED: Final = (
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.Attribute,
    ast.Subscript,
)


def rewrite(action: Action, body: ast.FunctionDef) -> ast.FunctionDef:
    """The guarded function of one action or view: parameters `__frame`, `tx`, then its own."""
    records = {p.name for p in action.parameters if isinstance(p.type, ReferenceType)}
    statements = body.body[1:] if ast.get_docstring(body) is not None else body.body
    parameters = [FRAME, names.CONTEXT, *(p.name for p in action.parameters)]
    template = ast.parse(f"def {action.name}({', '.join(parameters)}): pass").body[0]
    assert isinstance(template, ast.FunctionDef)
    template.body = _Rewriter(records).block(statements, body)
    return ast.fix_missing_locations(ast.copy_location(template, body))


class _Rewriter:
    def __init__(self, records: set[str]) -> None:
        self._records = records

    def block(self, statements: list[ast.stmt], at: ast.stmt) -> list[ast.stmt]:
        """A block that first charges 1 and the weight of each statement."""
        charge = 1 + sum(_statement_weight(statement) for statement in statements)
        first = statements[0] if statements else at
        code = ast.parse(f"{FRAME}.left -= {charge}\nif {FRAME}.left < 0: __spent({FRAME})").body
        for node in code:
            for part in ast.walk(node):
                ast.copy_location(part, first)
        return code + [self._statement(statement) for statement in statements]

    def _statement(self, node: ast.stmt) -> ast.stmt:
        match node:
            case ast.Assign(targets=[target], value=value):
                return self._assign(node, target, self._expression(value))
            case ast.AugAssign(target=target, op=op, value=value):
                read = _name(target.id) if isinstance(target, ast.Name) else target
                combined = _call(_BINARY[type(op)], self._expression(read), self._expression(value))
                return self._assign(node, target, combined)
            case ast.Expr(value=ast.Call(func=ast.Name(id="require"), args=[test, text], keywords=keywords)):
                refusal = ast.Expr(_call("__refuse", text, self._mapping(keywords)))
                return _at(node, ast.If(ast.UnaryOp(ast.Not(), self._condition(test)), [refusal], []))
            case ast.Expr(value=ast.Call(func=ast.Name(id="event"), args=[name], keywords=keywords)):
                return _at(node, ast.Expr(_call("__emit", name, self._mapping(keywords))))
            case ast.If(test=test, body=body, orelse=orelse):
                otherwise = self.block(orelse, node) if orelse else []
                return _at(node, ast.If(self._condition(test), self.block(body, node), otherwise))
            case ast.For(target=target, iter=iterator, body=body):
                if (
                    isinstance(iterator, ast.Call)
                    and isinstance(iterator.func, ast.Name)
                    and iterator.func.id == "range"
                ):
                    items = self._expression(iterator)
                else:
                    items = ast.Call(_name("__iterate"), [self._expression(iterator)], [])
                return _at(node, ast.For(target, items, self.block(body, node), []))
            case ast.Return(value=value):
                return _at(node, ast.Return(None if value is None else self._expression(value)))
            case _:
                assert isinstance(node, ast.Pass)
                return node

    def _assign(self, node: ast.stmt, target: ast.expr, value: ast.expr) -> ast.stmt:
        if isinstance(target, ast.Attribute):
            return _at(node, ast.Expr(_call("__set_field", target.value, ast.Constant(target.attr), value)))
        assert isinstance(target, ast.Name)
        return _at(node, ast.Assign([ast.Name(target.id, ast.Store())], value))

    def _mapping(self, keywords: list[ast.keyword]) -> ast.Dict:
        """Named values, evaluated and kept in the order in which they will be encoded."""
        ordered = sorted(keywords, key=lambda keyword: cbor.key_order(keyword.arg or ""))
        return ast.Dict(
            [ast.Constant(keyword.arg) for keyword in ordered],
            [self._expression(keyword.value) for keyword in ordered],
        )

    def _condition(self, node: ast.expr) -> ast.expr:
        """A value used as a condition; what yields a boolean anyway is not checked again."""
        rewritten = self._expression(node)
        is_boolean = isinstance(node, ast.Compare | ast.BoolOp) or (
            isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
        )
        return rewritten if is_boolean else _at(node, ast.Call(_name("__truth"), [rewritten], []))

    def _expression(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                new = _call(_BINARY[type(op)], self._expression(left), self._expression(right))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                new = ast.UnaryOp(ast.Not(), self._condition(operand))
            case ast.UnaryOp(operand=operand):
                new = _call("__negate", self._expression(operand))
            case ast.BoolOp(op=op, values=values):
                new = ast.BoolOp(op, [self._condition(value) for value in values])
            case ast.Compare(left=left, ops=[ast.Is() | ast.IsNot() as op], comparators=[right]):
                new = ast.Compare(self._expression(left), [op], [right])
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                new = _call(_COMPARE[type(op)], self._expression(left), self._expression(right))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                new = ast.IfExp(self._condition(test), self._expression(body), self._expression(orelse))
            case ast.List(elts=items):
                new = ast.List([self._expression(item) for item in items], ast.Load())
            case ast.Subscript(value=value, slice=index):
                new = _call("__item", self._expression(value), self._expression(index))
            case ast.Attribute(value=ast.Name(id=base), attr=field) if base in self._records:
                values = ast.Attribute(_name(base), "values", ast.Load())
                new = ast.Subscript(values, ast.Constant(field), ast.Load())
            case ast.Attribute(value=ast.Name(id=names.CONTEXT)):
                return node
            case ast.Attribute(value=value, attr=field):
                new = ast.Call(_name("__amount_field"), [self._expression(value), ast.Constant(field)], [])
            case ast.Call(func=ast.Name(id=name), args=arguments):
                new = _call(f"__call_{name}", *(self._expression(argument) for argument in arguments))
            case _:
                return node
        return _at(node, new)


def _statement_weight(node: ast.stmt) -> int:
    """1, and 1 for each operation in the statement itself; the blocks inside it charge for themselves.

    The values of a refusal are not charged: they are only looked at when the action has ended.
    """
    match node:
        case ast.If(test=test):
            return 1 + _weight(test)
        case ast.For(iter=iterator):
            return 1 + _weight(iterator)
        case ast.Expr(value=ast.Call(func=ast.Name(id="require"), args=[test, _])):
            return 1 + _weight(test)
        case ast.AugAssign(target=target, value=value):
            return 2 + _weight(target) + _weight(value)
        case _:
            return 1 + _weight(node)


def _weight(node: ast.AST) -> int:
    """What the operations in an expression cost: 1 each, and 1 for each item of a list."""
    weight = 0
    for part in ast.walk(node):
        if isinstance(part, ast.List):
            weight += 1 + len(part.elts)
        elif isinstance(part, ast.BoolOp):
            weight += len(part.values) - 1
        elif isinstance(part, _CHARGED):
            weight += 1
    return weight


def _call(guard: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(_name(guard), [_name(FRAME), *arguments], [])


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _at(old: ast.AST, new: _Node) -> _Node:
    return ast.copy_location(new, old)
