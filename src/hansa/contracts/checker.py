"""Checks what a body says: allowed syntax, known names, fields and calls, and everything set before it is read.

A whitelist: what is not named here is refused, so new syntax of a later Python cannot slip in. What can be known
before a contract runs is known here; `rewriter` and `execution` rely on it.
"""

import ast
from collections.abc import Mapping
from typing import Final, TypeGuard

from hansa.contracts import names
from hansa.contracts.diagnostics import nearest
from hansa.contracts.findings import Findings
from hansa.contracts.manifest import LIST_ITEMS_MAX, Action, Manifest, PartyType, RecordType, ReferenceType

OPERATORS: Final = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%"}
COMPARISONS: Final = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_IDENTITY: Final = (ast.Is, ast.IsNot)
_INTEGER_MAX: Final = 2**255 - 1
_LOOPS_MAX: Final = 8
_HINTS: Final[Mapping[type[ast.AST], str]] = {
    ast.While: "use `for ... in range(...)` with a bound",
    ast.Try: "an action that fails is refused whole; use `require` before",
    ast.Lambda: "write the expression where it is used",
    ast.Div: "use `//`; there are no fractions",
    ast.Pow: "multiply",
    ast.JoinedStr: "pass values by name: require(condition, 'text {x}', x=value)",
    ast.ClassDef: "declare records in the contract, outside functions",
    ast.FunctionDef: "functions are not nested",
    ast.ListComp: "use a `for` loop",
    ast.NamedExpr: "assign on a line of its own",
}


def check_bodies(manifest: Manifest, bodies: dict[str, ast.FunctionDef], findings: Findings, *, system: bool) -> None:
    """Notes everything wrong in the bodies. `system` allows the host functions of the genesis contract."""
    for name, body in bodies.items():
        action = manifest.actions.get(name) or manifest.views.get(name)
        if action is not None:
            _Body(manifest, action, findings, system=system).check(body)


class _Body:
    """One body. `known` is what is certainly set where the check stands: locals, and fields as `record.field`."""

    def __init__(self, manifest: Manifest, action: Action, findings: Findings, *, system: bool) -> None:
        self._note = findings.note
        self._action = action
        self._system = system
        self._parameters = {p.name for p in action.parameters}
        self._records: dict[str, RecordType] = {
            p.name: manifest.records[p.type.record]
            for p in action.parameters
            if isinstance(p.type, ReferenceType) and p.type.record in manifest.records
        }
        self._locals: set[str] = set()
        self._loops = 0

    def check(self, body: ast.FunctionDef) -> None:
        self._locals = {
            node.id for node in ast.walk(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        known = set(self._parameters)
        for name, record in self._records.items():
            created = self._created(name)
            filled = {
                field.name
                for field in record.fields.values()
                if not created
                or not field.required
                or field.name in self._parameters - self._records.keys()
                or (field.name == self._action.role and isinstance(field.type, PartyType))
            }
            known |= {f"{name}.{field}" for field in filled}
            if created and f"{name}.{record.key}" not in known:
                self._note(
                    body,
                    "action.key",
                    f"the new record's key `{record.key}` is not given",
                    f"add a parameter `{record.key}`",
                )
        statements = body.body[1:] if ast.get_docstring(body) is not None else body.body
        after = self._block(statements, known)
        if after is not None:
            self._ends(body, after)

    def _created(self, name: str) -> bool:
        subject = self._action.subject
        return self._action.creates is not None and subject is not None and subject.name == name

    def _ends(self, node: ast.AST, known: set[str]) -> None:
        """Where the body ends: a created record must be complete, a view must have returned."""
        for name, record in self._records.items():
            if self._created(name):
                missing = [f for f in record.fields if f"{name}.{f}" not in known and f != record.key]
                if missing:
                    fields = ", ".join(f"`{name}.{f}`" for f in missing)
                    self._note(node, "record.incomplete", f"{fields} is not set on every way to the end")
        if self._action.role is None and not isinstance(node, ast.Return):
            self._note(node, "view.returns", "the view can end without `return`")

    # Statements: each takes what is known before, may add to it, and gives what is known after, None if nothing follows

    def _block(self, statements: list[ast.stmt], known: set[str]) -> set[str] | None:
        current: set[str] | None = set(known)  # the block's own, so that assignments need not copy it
        for statement in statements:
            if current is None:
                self._note(statement, "flow.unreachable", "this is never reached")
                return None
            current = self._statement(statement, current)
        return current

    def _statement(self, node: ast.stmt, known: set[str]) -> set[str] | None:
        match node:
            case ast.Pass():
                return known
            case ast.Assign(targets=[target], value=value):
                self._expression(value, known)
                return self._assign(target, known)
            case ast.AugAssign(target=target, op=op, value=value):
                if type(op) not in OPERATORS:
                    self._unknown(op, node)
                self._expression(value, known)
                self._expression(_as_read(target), known)
                return self._assign(target, known)
            case ast.Expr(value=ast.Call(func=ast.Name(id="require" | "event")) as call):
                self._say(call, known)
                return known
            case ast.If(test=test, body=body, orelse=orelse):
                self._expression(test, known)
                first, second = self._block(body, known), self._block(orelse, known)
                if first is None or second is None:
                    return first if second is None else second
                return first & second
            case ast.For(target=ast.Name() as target, iter=iterator, body=body, orelse=[]):
                return self._loop(target, iterator, body, known)
            case ast.Return(value=value):
                if value is not None:
                    self._expression(value, known)
                if (value is None) == (self._action.role is None):
                    self._note(node, "action.returns", "a view returns a value, an action none")
                self._ends(node, known)
                return None
            case ast.Expr():
                self._note(node, "statement.value", "this value is not used", "assign it, or remove the line")
                return known
            case _:
                self._unknown(node, node)
                return known

    def _loop(self, target: ast.Name, iterator: ast.expr, body: list[ast.stmt], known: set[str]) -> set[str] | None:
        if is_range(iterator):
            self._arguments(iterator, "range", known)
        else:
            self._expression(iterator, known)
        self._loops += 1
        if self._loops > _LOOPS_MAX:
            self._note(target, "loop.depth", f"loops nested more than {_LOOPS_MAX} deep")
        within = self._assign(target, set(known))
        self._block(body, within)
        self._loops -= 1
        return known

    def _assign(self, target: ast.expr, known: set[str]) -> set[str]:
        match target:
            case ast.Name(id=name):
                if not names.is_free(name):
                    self._note(target, "name.reserved", f"`{name}` cannot be a name here")
                elif name in self._parameters:
                    self._note(target, "name.parameter", f"the parameter `{name}` cannot be assigned")
                known.add(name)
                return known
            case ast.Attribute(value=ast.Name(id=name), attr=field) if name in self._records:
                record = self._records[name]
                if self._action.role is None:
                    self._note(target, "view.writes", "a view changes nothing")
                elif field not in record.fields:
                    self._no_field(target, record, field)
                elif field == record.key:
                    self._note(target, "record.key", "a record's key never changes")
                known.add(f"{name}.{field}")
                return known
            case _:
                self._note(target, "assign.target", "assign to a name, or to a field of a record parameter")
                return known

    def _say(self, call: ast.Call, known: set[str]) -> None:
        """`require(condition, "text {x}", x=value)` and `event("name", x=value)`."""
        word = "require" if isinstance(call.func, ast.Name) and call.func.id == "require" else "event"
        texts = call.args[1:] if word == "require" else call.args
        if word == "require" and call.args:
            self._expression(call.args[0], known)
        text = texts[0].value if len(texts) == 1 and isinstance(texts[0], ast.Constant) else None
        if not isinstance(text, str) or not text or len(call.args) != (2 if word == "require" else 1):
            form = 'require(condition, "text")' if word == "require" else 'event("name", field=value)'
            self._note(call, "call.form", f"`{word}` reads {form}")
            text = ""
        if word == "event" and self._action.role is None:
            self._note(call, "view.writes", "a view emits no events")
        given: set[str] = set()
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg in given:
                self._note(keyword, "call.form", "each value is named, once")
                continue
            given.add(keyword.arg)
            self._expression(keyword.value, known)
        if word == "require":
            missing = sorted(set(_holes(text)) - given)
            if missing:
                self._note(call, "require.holes", f"the text names {{{missing[0]}}}, which is not given")

    # Expressions

    def _expression(self, node: ast.expr, known: set[str]) -> None:  # noqa: C901 - a list of cases
        match node:
            case ast.Constant(value=value):
                self._constant(node, value)
            case ast.Name(id=name):
                self._name(node, name, known)
            case ast.Attribute(value=base, attr=field):
                self._attribute(node, base, field, known)
            case ast.BinOp(left=left, op=op, right=right):
                if type(op) not in OPERATORS:
                    self._unknown(op, node)
                self._expression(left, known)
                self._expression(right, known)
            case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
                self._expression(operand, known)
            case ast.BoolOp(values=values):
                for value in values:
                    self._expression(value, known)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                is_none = isinstance(right, ast.Constant) and right.value is None and not isinstance(left, ast.Constant)
                if type(op) not in COMPARISONS and not (isinstance(op, _IDENTITY) and is_none):
                    self._note(node, "compare.identity", "`is` compares a variable with None only", "use `==`")
                self._expression(left, known)
                self._expression(right, known)
            case ast.Compare():
                self._note(node, "compare.chain", "comparisons are not chained", "join them with `and`")
            case ast.IfExp(test=test, body=body, orelse=orelse):
                for part in (test, body, orelse):
                    self._expression(part, known)
            case ast.List(elts=items):
                if len(items) > LIST_ITEMS_MAX:
                    self._note(node, "list.size", f"a list of {len(items)} items; at most {LIST_ITEMS_MAX}")
                for item in items:
                    self._expression(item, known)
            case ast.Subscript(value=value, slice=index) if not isinstance(index, ast.Slice | ast.Tuple):
                self._expression(value, known)
                self._expression(index, known)
            case ast.Call():
                self._call(node, known)
            case _:
                self._unknown(node, node)

    def _constant(self, node: ast.expr, value: object) -> None:
        if type(value) is int:
            if value > _INTEGER_MAX:
                self._note(node, "number.range", "the number does not fit 256 bits")
        elif not isinstance(value, str | bool | None):
            self._note(node, "type.unknown", "numbers are whole; there are no floats, bytes or ellipses")

    def _name(self, node: ast.Name, name: str, known: set[str]) -> None:
        if name in known:
            if name in self._records:
                self._note(node, "record.value", f"the record `{name}` is used by its fields only")
            return
        if name in self._locals:
            self._note(node, "name.unset", f"`{name}` may not be set here")
        elif name == names.CONTEXT:
            self._note(node, "name.context", "`tx` is used by its fields only: tx.member, tx.user, tx.time")
        else:
            hint = nearest(name, (k for k in known if "." not in k))
            self._note(node, "name.unknown", f"there is no `{name}` here", hint)

    def _attribute(self, node: ast.Attribute, base: ast.expr, field: str, known: set[str]) -> None:
        if isinstance(base, ast.Name) and base.id in self._records:
            record = self._records[base.id]
            if field not in record.fields:
                self._no_field(node, record, field)
            elif f"{base.id}.{field}" not in known:
                self._note(node, "field.unset", f"`{base.id}.{field}` may not be set here")
        elif isinstance(base, ast.Name) and base.id == names.CONTEXT:
            if field not in names.CONTEXT_FIELDS:
                self._note(node, "name.context", f"`tx` has no `{field}`", nearest(field, names.CONTEXT_FIELDS))
        else:
            self._expression(base, known)
            if field not in names.AMOUNT_FIELDS:
                hint = "an Amount has `minor` and `currency`; nothing else here has fields"
                self._note(node, "field.unknown", f"there is no field `{field}` here", hint)

    def _call(self, node: ast.Call, known: set[str]) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in names.CALLS:
            self._note(node, "call.statement", f"`{name}` stands on a line of its own")
        elif name not in names.CALLABLE_ARITIES or (name in names.SYSTEM_CALLS and not self._system):
            hint = nearest(name, names.BUILTINS)
            self._note(node, "call.unknown", "only the dialect's own functions can be called", hint)
        elif name == "range":
            self._note(node, "call.range", "`range` stands in the head of a `for` only")
        else:
            self._arguments(node, name, known)

    def _arguments(self, node: ast.Call, name: str, known: set[str]) -> None:
        least, most = names.CALLABLE_ARITIES[name]
        if node.keywords or not least <= len(node.args) <= most:
            count = str(least) if least == most else f"{least} to {most}"
            self._note(node, "call.arity", f"`{name}` takes {count} values, not named")
        for argument in node.args:
            self._expression(argument, known)

    def _no_field(self, node: ast.expr, record: RecordType, field: str) -> None:
        hint = nearest(field, record.fields)
        self._note(node, "field.unknown", f"`{record.name}` has no field `{field}`", hint)

    def _unknown(self, kind: ast.AST, node: ast.AST) -> None:
        word = type(kind).__name__
        self._note(node, "syntax.outside", f"`{word}` is not in the dialect", _HINTS.get(type(kind), ""))


def is_range(node: ast.expr) -> TypeGuard[ast.Call]:
    """Whether a loop's iterator is `range(...)`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"


def _as_read(target: ast.expr) -> ast.expr:
    """The target of `x += 1`, seen as the value it reads."""
    if isinstance(target, ast.Name):
        return ast.copy_location(ast.Name(target.id, ast.Load()), target)
    return target


def _holes(text: str) -> list[str]:
    """The names in braces in a message. Braces hold plain names only, so nothing is ever formatted from them."""
    holes: list[str] = []
    for part in text.split("{")[1:]:
        holes.append(part.split("}")[0])
    return holes
