"""Types expressions: every operand, call and field is checked against the tables of `operations`.

Used by the checker alone. Notes what is wrong, and writes down the type of every expression for the rewriter.
"""

import ast
from collections.abc import Mapping
from typing import Final, TypeAlias

from hansa.contracts import names, operations
from hansa.contracts.annotations import Annotations, dotted, is_record
from hansa.contracts.declarations import Declared
from hansa.contracts.diagnostics import nearest
from hansa.contracts.findings import Findings
from hansa.contracts.manifest import (
    SCHEDULE,
    STATE_FIELD,
    Action,
    BytesType,
    DateType,
    EnumType,
    InstantType,
    ListType,
    MapType,
    OptionalType,
    Parameter,
    PartyType,
    RecordType,
    ReferenceType,
    StateType,
    StructType,
    Type,
    UserType,
)
from hansa.contracts.operations import BOOL, INT, NONE, TEXT, UNKNOWN, accepts, is_empty, kind, plain, result, words
from hansa.contracts.prices import INTEGER_BITS_MAX, LIST_ITEMS_MAX, MAP_ITEMS_MAX, SELECT_ROWS_MAX, TYPE_DEPTH_MAX
from hansa.contracts.tree import written

Known: TypeAlias = set[str]
"""What is certainly set: locals by name, fields of a record that is being made as `record.field`."""

OPERATORS: Final[Mapping[type[ast.operator], str]] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}
CONTEXT: Final[Mapping[str, Type]] = {
    "member": PartyType(),
    "user": OptionalType(UserType()),
    "id": BytesType(32, 32),
    "caller": OptionalType(TEXT),
    "time": InstantType(),
    "date": DateType(),
}
RECORD_CALLS: Final = ("create", "exists", "find", "get", "select")
_ARGUMENTS_MAX: Final = 8
"""Values given to `min` or `max`."""
_HINTS: Final[Mapping[type[ast.AST], str]] = {
    ast.Lambda: "write the expression where it is used",
    ast.Div: "use `//`; there are no fractions",
    ast.Pow: "multiply",
    ast.JoinedStr: "join texts with `+`; in messages pass values by name: require(condition, 'text {x}', x=value)",
    ast.ListComp: "use a `for` loop and `.append(...)`",
    ast.NamedExpr: "assign on a line of its own",
}
_OPERAND_HINTS: Final[Mapping[tuple[str, str, str], str]] = {
    **{
        (symbol, *kinds): "make the number an Amount of that currency: `Amount(1, a.currency)`"
        for symbol in "+-"
        for money in ("amount", "signed")
        for kinds in ((money, "int"), ("int", money))
    },
    ("+", "date", "int"): "date.add_days(1)",
    ("-", "date", "int"): "date.add_days(-1)",
    ("-", "date", "date"): "first.days_until(second)",
    ("+", "instant", "int"): "instant + Duration(milliseconds=1)",
    ("-", "instant", "int"): "instant - Duration(milliseconds=1)",
    ("+", "date", "duration"): "date.add_days(1), or date.start() + duration",
    ("+", "text", "int"): "str(number) is text",
    ("+", "int", "text"): "str(number) is text",
}


class Scope:
    """What a body may do, and what its names are: `kind` is action, view, function, invariant or migration.

    `incomplete` are the records that the body makes: usable as values when all their fields are set.
    """

    def __init__(self, kind: str, *, system: bool, action: Action | None = None) -> None:
        self.kind = kind
        self.word = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        self.system = system
        self.action = action
        self.variables: dict[str, Type] = {}
        self.parameters: set[str] = set()
        self.assigned: set[str] = set()
        self.incomplete: dict[str, RecordType] = {}


class Expressions:
    """The expressions of one body."""

    def __init__(
        self,
        declared: Declared,
        scope: Scope,
        types: dict[ast.expr, Type],
        annotations: Annotations,
        findings: Findings,
    ) -> None:
        self._note = findings.note
        self._annotations = annotations
        self._declared = declared
        self._manifest = declared.manifest
        self._scope = scope
        self._types = types

    # What a place needs

    def type_of(self, node: ast.expr, known: Known, expected: Type | None = None) -> Type:
        """The type of an expression; `expected` is what the place it stands in would take."""
        found = self.bounded(node, self._type_of(node, known, expected))
        self._types[node] = found
        return found

    def bounded(self, node: ast.expr, type_: Type) -> Type:
        """A type no deeper than declared ones may be; a finding, and no type that more could be built on, if it is."""
        if not isinstance(type_, ListType | MapType) or self._annotations.depth(type_) <= TYPE_DEPTH_MAX:
            return type_
        self._note(node, "type.depth", f"types in each other more than {TYPE_DEPTH_MAX} deep")
        return UNKNOWN

    def needs(self, node: ast.expr, known: Known, want: Type) -> Type:
        """An operand: a value that is not None, of the kind wanted."""
        return self.fits(node, known, plain(want), fitted=False)

    def fits(self, node: ast.expr, known: Known, want: Type, *, fitted: bool = True) -> Type:
        """A value for a place of type `want`; `fitted`: its bounds are checked there when it runs."""
        have = self.type_of(node, known, want)
        if not accepts(want, have, fitted=fitted):
            hint = _conditions(have) if want == BOOL else ""
            self._note(node, "type.mismatch", f"this is {words(have)}, {words(want)} is needed", hint)
        elif have == NONE and not isinstance(want, OptionalType) and want != UNKNOWN:
            self._note(node, "type.mismatch", f"None is not {words(want)}")
        return have

    def condition(self, node: ast.expr, known: Known) -> None:
        """A condition: a boolean and nothing else."""
        self.needs(node, known, BOOL)

    def holder(self, node: ast.Name, known: Known) -> Type | None:
        """The type of a variable that a field or item is read from or written to; None, and a finding, without one."""
        type_ = self._scope.variables.get(node.id)
        if type_ is None or node.id not in known:
            self._unknown_name(node, node.id, known)
            return None
        self._types[node] = type_
        return plain(type_)

    # Expressions

    def _type_of(self, node: ast.expr, known: Known, expected: Type | None) -> Type:  # noqa: C901 - a list of cases
        match node:
            case ast.Constant(value=value):
                return self._constant(node, value, expected)
            case ast.Name(id=name):
                return self._name(node, name, known)
            case ast.Attribute(value=base, attr=field):
                return self._attribute(node, base, field, known)
            case ast.BinOp(left=left, op=op, right=right):
                return self.combined(node, op, self.type_of(left, known), right, known)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.condition(operand, known)
                return BOOL
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                have = plain(self.type_of(operand, known))
                if have != UNKNOWN and kind(have) not in operations.NEGATIVE:
                    self._note(node, "type.operand", f"`-` does not take {words(have)}")
                    return UNKNOWN
                return have
            case ast.BoolOp(values=values):
                for value in values:
                    self.condition(value, known)
                return BOOL
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                self._compare(node, left, op, right, known)
                return BOOL
            case ast.Compare():
                self._note(node, "compare.chain", "comparisons are not chained", "join them with `and`")
                return BOOL
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.condition(test, known)
                first = self.type_of(body, known, expected)
                return self._join(node, first, self.type_of(orelse, known, expected or first))
            case ast.List(elts=items):
                return self._list(node, items, known, expected)
            case ast.Dict(keys=keys, values=values):
                return self._map(node, keys, values, known, expected)
            case ast.Subscript(value=value, slice=index):
                return self._subscript(node, value, index, known)
            case ast.Call():
                return self._call(node, known)
            case _:
                return self._outside(node, node)

    def _outside(self, kind_of: ast.AST, node: ast.AST, hint: str = "") -> Type:
        hint = hint or _HINTS.get(type(kind_of), "")
        self._note(node, "syntax.outside", f"{written(kind_of)} is not in the dialect", hint)
        return UNKNOWN

    def _constant(self, node: ast.expr, value: object, expected: Type | None) -> Type:
        if value is None:
            return expected if isinstance(expected, OptionalType) else NONE
        if type(value) is bool:
            return BOOL
        if type(value) is int:
            if value > INTEGER_BITS_MAX:
                self._note(node, "number.range", "the number does not fit 256 bits")
            return INT
        if isinstance(value, str):
            want = None if expected is None else plain(expected)
            if isinstance(want, StateType):
                states = self._manifest.records[want.record].states
                if value not in states:
                    self._note(node, "state.unknown", f"`{want.record}` has no state `{value}`", nearest(value, states))
                return want
            return TEXT
        message = "no floats: count in the smallest unit" if isinstance(value, float) else "this is no value here"
        self._note(node, "type.unknown", message)
        return UNKNOWN

    def _name(self, node: ast.Name, name: str, known: Known) -> Type:
        type_ = self._scope.variables.get(name)
        if type_ is not None and name in known:
            if name in self._scope.incomplete:
                self._complete(node, self._scope.incomplete[name], known)
            return type_
        if type_ is None and name in self._manifest.constants and name not in self._scope.assigned:
            return _constant_type(self._manifest.constants[name])
        self._unknown_name(node, name, known)
        return UNKNOWN

    def _unknown_name(self, node: ast.expr, name: str, known: Known) -> None:
        if name in self._scope.assigned or name in self._scope.variables:
            self._note(node, "name.unset", f"`{name}` may not be set here")
        elif name == names.CONTEXT and self._scope.kind in ("action", "view"):
            fields = ", ".join(f"tx.{field}" for field in CONTEXT)
            self._note(node, "name.context", f"`tx` is used by its fields only: {fields}")
        elif name in self._declared.names:
            self._note(node, "name.class", f"`{name}` is not a value", self._use_of(name))
        else:
            hint = nearest(name, (k for k in (*known, *self._manifest.constants) if "." not in k))
            self._note(node, "name.unknown", f"there is no `{name}` here", hint)

    def _use_of(self, name: str) -> str:
        """What to write instead of the bare name of something declared."""
        full = name if name in self._declared.visible else f"{self._manifest.title}.{name}"
        match self._declared.visible.get(full):
            case ReferenceType():
                return f"write `{full}.get(key)`; to go through them `for x in {full}.select(limit=100)`"
            case StructType():
                return f"make one by `{full}(...)`"
            case EnumType():
                return f"write one of its values: `{full}.Name`"
            case _:
                return "call it, or name one of its values"

    def _complete(self, node: ast.expr, record: RecordType, known: Known) -> None:
        """The record that is being made is used as a value, or could be found: all its fields must be set."""
        made = next(name for name, found in self._scope.incomplete.items() if found is record)
        missing = [f"`{made}.{field}`" for field in record.fields if f"{made}.{field}" not in known]
        if missing:
            self._note(node, "record.incomplete", f"{', '.join(missing)} is not set yet")

    def _attribute(self, node: ast.Attribute, base: ast.expr, field: str, known: Known) -> Type:
        if isinstance(base, ast.Name) and base.id == names.CONTEXT and self._scope.kind in ("action", "view"):
            return self._context(node, field)
        full = dotted(node)
        if full in self._manifest.constants and full.count(".") <= 1:
            return _constant_type(self._manifest.constants[full])
        if full in self._declared.visible:
            self._note(node, "name.class", f"`{full}` is not a value", self._use_of(full))
            return UNKNOWN
        named = self._declared.visible.get(dotted(base))
        if isinstance(named, EnumType):
            values = self._manifest.enums[named.enum].values
            if field not in values:
                self._note(node, "enum.unknown", f"`{named.enum}` has no value `{field}`", nearest(field, values))
            return named
        if isinstance(base, ast.Name) and base.id in self._manifest.libraries:
            return self._not_in_library(node, base.id, field)
        owner = self._owner(base, known)
        if owner is None or owner == UNKNOWN:
            return UNKNOWN
        if isinstance(owner, ReferenceType):
            return self._record_field(node, base, self._manifest.records[owner.record], field, known)
        if isinstance(owner, StructType):
            fields = self._manifest.structs[owner.struct].fields
            if field in fields:
                return fields[field].type
            self._note(node, "field.unknown", f"`{owner.struct}` has no field `{field}`", nearest(field, fields))
            return UNKNOWN
        found = operations.ATTRIBUTES.get((kind(owner), field))
        if found is None:
            there = [name for (of, name) in operations.ATTRIBUTES if of == kind(owner)]
            self._note(node, "field.unknown", f"{words(owner)} has no field `{field}`", nearest(field, there))
            return UNKNOWN
        return result(found[1], owner)

    def _not_in_library(self, node: ast.expr, alias: str, name: str) -> Type:
        full = (*self._declared.visible, *self._manifest.functions, *self._manifest.constants)
        there = [known.partition(".")[2] for known in full if known.startswith(f"{alias}.")]
        word = f"library `{self._manifest.libraries[alias].name}` has no `{name}`"
        self._note(node, "name.unknown", word, nearest(name, there))
        return UNKNOWN

    def _owner(self, base: ast.expr, known: Known) -> Type | None:
        """The type of what has a field or method: a record that is being made may stand here, incomplete as it is."""
        if isinstance(base, ast.Name) and base.id not in self._manifest.constants:
            return self.holder(base, known)
        return plain(self.type_of(base, known))

    def _context(self, node: ast.Attribute, field: str) -> Type:
        if field not in CONTEXT:
            self._note(node, "name.context", f"`tx` has no `{field}`", nearest(field, CONTEXT))
            return UNKNOWN
        action = self._scope.action
        if field in ("member", "user", "id") and action is not None and action.by == (SCHEDULE,):
            self._note(node, "name.context", f"nobody signs what is scheduled: there is no `tx.{field}`")
        return CONTEXT[field]

    def _record_field(self, node: ast.Attribute, base: ast.expr, record: RecordType, field: str, known: Known) -> Type:
        if field == STATE_FIELD and record.states:
            return StateType(record.name)
        if field not in record.fields:
            hint = nearest(field, [*record.fields, *([STATE_FIELD] if record.states else [])])
            self._note(node, "field.unknown", f"`{record.name}` has no field `{field}`", hint)
            return UNKNOWN
        if isinstance(base, ast.Name) and base.id in self._scope.incomplete and f"{base.id}.{field}" not in known:
            self._note(node, "field.unset", f"`{base.id}.{field}` may not be set here")
        type_ = record.fields[field].type
        if is_record(type_):
            self._reads_records(node)
            self._visible(node, type_, known)
        return type_

    def _reads_records(self, node: ast.expr) -> None:
        if self._scope.kind not in ("action", "view"):
            self._note(node, "context.records", f"{self._scope.word} knows no other records")

    def _visible(self, node: ast.expr, type_: Type, known: Known) -> None:
        """What gives a record of this type could give the one that is being made."""
        for record in self._scope.incomplete.values():
            if plain(type_) == ReferenceType(record.name):
                self._complete(node, record, known)

    # Operators

    def combined(self, node: ast.AST, op: ast.operator, left: Type, right: ast.expr, known: Known) -> Type:
        """What `left op right` gives; also of `x += right`."""
        symbol = OPERATORS.get(type(op))
        if symbol is None:
            self.type_of(right, known)
            is_money = isinstance(op, ast.Div) and kind(plain(left)) in ("amount", "signed")
            return self._outside(op, node, 'amount.times(1, 100, "half_even")' if is_money else "")
        bare = plain(left)
        other = self.type_of(right, known, bare)
        have = plain(other)
        if NONE in (left, other):
            self._note(node, "type.operand", f"`{symbol}` does not take None")
            return UNKNOWN
        if UNKNOWN in (bare, have):
            return UNKNOWN
        found = operations.BINARY.get((symbol, kind(bare), kind(have)))
        if found is None or (kind(bare) == "list" and not accepts(bare, have)):
            hint = _OPERAND_HINTS.get((symbol, kind(bare), kind(have)), "")
            self._note(node, "type.operand", f"`{symbol}` does not take {words(bare)} and {words(have)}", hint)
            return UNKNOWN
        if found[1] == "left" and plain(bare) != UNKNOWN:
            return self._join(node, bare, have)
        return result(found[1], bare)

    def _join(self, node: ast.AST, first: Type, second: Type) -> Type:
        """One type for values of either; a finding if there is none."""
        optional = isinstance(first, OptionalType) or isinstance(second, OptionalType)
        bare, other = plain(first), plain(second)
        if bare == UNKNOWN:
            bare, other = other, bare
        if not accepts(bare, other):
            if accepts(other, bare):
                bare = other
            else:
                self._note(node, "type.mismatch", f"this is {words(bare)} or {words(other)}: one type is needed")
        elif is_empty(bare) and kind(bare) == kind(other):
            bare = other
        return OptionalType(bare) if optional else bare

    def _compare(self, node: ast.Compare, left: ast.expr, op: ast.cmpop, right: ast.expr, known: Known) -> None:
        if isinstance(op, ast.Is | ast.IsNot):
            have = self.type_of(left, known)
            if not (isinstance(right, ast.Constant) and right.value is None) or isinstance(left, ast.Constant):
                self._note(node, "compare.identity", "`is` compares a value with None only", "use `==`")
            elif have != UNKNOWN and not isinstance(have, OptionalType):
                self._note(node, "compare.never", f"{words(have)} is never None")
            self._types[right] = NONE
        elif isinstance(op, ast.In | ast.NotIn):
            self._contains(node, left, right, known)
        elif isinstance(op, ast.Eq | ast.NotEq):
            first, second = (right, left) if isinstance(left, ast.Constant) else (left, right)
            have = self.type_of(first, known)
            other = self.type_of(second, known, have)
            if not accepts(have, other, fitted=True):
                self._note(node, "type.operand", f"{words(have)} is never equal to {words(other)}")
        elif isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            have = self.type_of(left, known)
            other = self.type_of(right, known, plain(have))
            ordered = {"amount" if k == "signed" else k for k in (kind(plain(have)), kind(plain(other)))}
            if UNKNOWN in (have, other):  # noted already, or not clear
                return
            if len(ordered) != 1 or not ordered <= operations.ORDERED:
                self._note(node, "type.operand", f"{words(have)} and {words(other)} have no order")
        else:
            self._outside(op, node)

    def _contains(self, node: ast.Compare, left: ast.expr, right: ast.expr, known: Known) -> None:
        have = self.type_of(left, known)
        want = ListType(plain(have), LIST_ITEMS_MAX) if isinstance(right, ast.List) else None
        holder = plain(self.type_of(right, known, want))
        match holder:
            case ListType(item=item):
                fine = accepts(item, have)
            case MapType(key=key):
                fine = accepts(key, have) and kind(plain(have)) in ("text", "party", "user", "enum")
            case _:
                fine = kind(holder) == "text" and kind(plain(have)) == "text"
        if not fine:
            self._note(node, "type.operand", f"`in` does not take {words(have)} and {words(holder)}")

    # Containers

    def _list(self, node: ast.List, items: list[ast.expr], known: Known, expected: Type | None) -> Type:
        if len(items) > LIST_ITEMS_MAX:
            self._note(node, "list.size", f"a list of {len(items)} items; at most {LIST_ITEMS_MAX}")
        want = None if expected is None else plain(expected)
        item = want.item if isinstance(want, ListType) else None
        found: Type = UNKNOWN if item is None else item
        for each in items:
            found = self._held(each, known, found, "list")
        return ListType(found, LIST_ITEMS_MAX)

    def _held(self, node: ast.expr, known: Known, so_far: Type, what: str) -> Type:
        """The type of what a list or map holds, with one more value: what the place takes, or one for all values."""
        have = self.type_of(node, known, None if so_far == UNKNOWN else so_far)
        if is_record(have):
            self._note(node, "record.value", f"a {what} holds no records", "collect their keys")
            return so_far
        if so_far == UNKNOWN:
            return have
        if plain(so_far) != UNKNOWN and have != NONE and accepts(so_far, have):
            return so_far
        return self._join(node, so_far, have)

    def _map(
        self, node: ast.Dict, keys: list[ast.expr | None], values: list[ast.expr], known: Known, expected: Type | None
    ) -> Type:
        if len(values) > MAP_ITEMS_MAX:
            self._note(node, "map.size", f"a map of {len(values)} keys; at most {MAP_ITEMS_MAX}")
        want = None if expected is None else plain(expected)
        key_want, value_want = (want.key, want.value) if isinstance(want, MapType) else (None, None)
        key_type = UNKNOWN if key_want is None else key_want
        found = UNKNOWN if value_want is None else value_want
        for key, value in zip(keys, values, strict=True):
            if key is None:
                self._note(node, "map.form", "a map is written pair by pair")
                continue
            have = plain(self.type_of(key, known, key_want))
            if have != UNKNOWN and kind(have) not in ("text", "party", "user", "enum"):
                self._note(key, "type.map", f"{words(have)} cannot be a key")
            else:
                key_type = self._join(key, key_type, have)
            found = self._held(value, known, found, "map")
        return MapType(key_type, found, MAP_ITEMS_MAX)

    def _subscript(self, node: ast.Subscript, value: ast.expr, index: ast.expr, known: Known) -> Type:
        owner = plain(self.type_of(value, known))
        if isinstance(index, ast.Slice):
            for part in (index.lower, index.upper):
                if part is not None:
                    self.needs(part, known, INT)
            if index.step is not None:
                self._note(index.step, "slice.step", "a slice has no step")
            if owner != UNKNOWN and kind(owner) not in ("text", "bytes", "list"):
                self._note(node, "type.operand", f"{words(owner)} has no slices")
                return UNKNOWN
            return owner
        match owner:
            case ListType():
                self.needs(index, known, INT)
                if owner.item == UNKNOWN:
                    self._note(node, "type.unclear", "what this list holds is not clear here", "annotate it")
                return owner.item
            case MapType():
                self.needs(index, known, owner.key)
                if owner.value == UNKNOWN:
                    self._note(node, "type.unclear", "what this map holds is not clear here", "annotate it")
                return owner.value
            case _ if owner == UNKNOWN:
                self.type_of(index, known)
                return UNKNOWN
            case _ if kind(owner) in ("text", "bytes"):
                self.needs(index, known, INT)
                return TEXT if kind(owner) == "text" else INT
            case _:
                self._note(node, "type.operand", f"{words(owner)} has no items")
                return UNKNOWN

    # Loops

    def iterated(self, node: ast.expr, known: Known) -> tuple[list[Type], list[ast.expr]]:
        """What the names of a loop over `node` are, one or two types, and the places that it goes through."""
        match node:
            case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]) if 1 <= len(arguments) <= 3:
                for argument in arguments:
                    self.needs(argument, known, INT)
                return [INT], []
            case ast.Call(func=ast.Name(id="enumerate"), args=[argument], keywords=[]):
                return [INT, self._item_of(argument, known)], [argument]
            case ast.Call(func=ast.Name(id="zip"), args=[first, second], keywords=[]):
                return [self._item_of(first, known), self._item_of(second, known)], [first, second]
            case ast.Call(func=ast.Attribute(value=base, attr="items"), args=[], keywords=[]):
                owner = plain(self.type_of(base, known))
                if not isinstance(owner, MapType):
                    if owner != UNKNOWN:
                        self._note(node, "call.unknown", f"{words(owner)} has no method `items`")
                    return [UNKNOWN, UNKNOWN], []
                return [owner.key, owner.value], [base]
            case ast.Call(func=ast.Attribute(value=base, attr="select")) if self._record_named(base) is not None:
                record = self._record_named(base)
                assert record is not None
                self._select(node, record, known)
                return [ReferenceType(record.name)], []
            case _:
                return [self._item_of(node, known)], [node]

    def _item_of(self, node: ast.expr, known: Known) -> Type:
        match plain(self.type_of(node, known)):
            case ListType(item=item):
                return item
            case MapType(key=key):
                return key
            case found:
                if found != UNKNOWN:
                    self._note(node, "loop.items", f"a loop goes through a list, a map or a range, not {words(found)}")
                return UNKNOWN

    # Calls

    def _call(self, node: ast.Call, known: Known) -> Type:
        full = dotted(node.func)
        named = self._declared.visible.get(full)
        if full in self._manifest.functions and full.count(".") <= 1:
            function = self._manifest.functions[full]
            return self._function(node, function.parameters, function.returns, full, known)
        if isinstance(named, StructType):
            fields = self._manifest.structs[named.struct].fields
            required = frozenset(name for name, field in fields.items() if field.required)
            self.keywords(node, {n: f.type for n, f in fields.items()}, required, known, full)
            return named
        match node.func:
            case ast.Name(id=name):
                return self._builtin(node, name, known)
            case ast.Attribute(value=base, attr=method):
                record = self._record_named(base)
                if record is not None:
                    return self._record_call(node, record, method, known)
                if isinstance(base, ast.Name) and base.id in self._manifest.interfaces:
                    return self._interface_view(node, base.id, method, known)
                return self._method(node, base, method, known)
            case _:
                self._note(node, "call.unknown", "only what has a name can be called")
                return UNKNOWN

    def _record_named(self, node: ast.expr) -> RecordType | None:
        named = self._declared.visible.get(dotted(node))
        return self._manifest.records.get(named.record) if isinstance(named, ReferenceType) else None

    def _builtin(self, node: ast.Call, name: str, known: Known) -> Type:
        if name in names.STATEMENTS:
            self._note(node, "call.statement", f"`{name}` stands on a line of its own")
            return UNKNOWN
        if name in ("range", "enumerate", "zip"):
            self._note(node, "call.range", f"`{name}` stands in the head of a `for` only")
            return UNKNOWN
        if name == "Duration":
            units: dict[str, Type] = dict.fromkeys(operations.DURATION_UNITS, INT)
            if not node.keywords:
                self._note(node, "call.arity", "`Duration` takes days, hours, minutes, seconds or milliseconds")
            self.keywords(node, units, frozenset(), known, name)
            return operations.DURATION
        forms = [takes for function, takes in operations.FUNCTIONS if function == name]
        special = name in ("min", "max", "sorted", "reversed")
        if (not forms and not special) or (name in names.SYSTEM_CALLS and not self._scope.system):
            there = {function for function, _ in operations.FUNCTIONS} - names.SYSTEM_CALLS
            hint = nearest(name, [*there, "min", "max", "sorted", "reversed", *self._manifest.functions])
            if f"{self._manifest.title}.{name}" in self._declared.visible:
                hint = self._use_of(name)
            self._note(node, "call.unknown", "only functions of the dialect and of this file can be called", hint)
            return UNKNOWN
        if name in names.SYSTEM_CALLS and self._scope.kind != "action":
            self._note(node, "context.writes", f"`{name}` stands in actions only")
        if special:
            return self._ordering(node, name, known)
        if node.keywords or len(node.args) != len(forms[0]):
            self._note(node, "call.arity", f"`{name}` takes {len(forms[0])} value(s), not named")
            return UNKNOWN
        found = [self.type_of(argument, known) for argument in node.args]
        have = [plain(type_) for type_ in found]
        if UNKNOWN in found:  # noted already; None is told of below
            return result(operations.FUNCTIONS[name, forms[0]][1], UNKNOWN)
        for form in forms:
            if all(_is_of(word, type_) for word, type_ in zip(form, have, strict=True)):
                return result(operations.FUNCTIONS[name, form][1], have[0] if have else UNKNOWN)
        self._note(node, "type.operand", f"`{name}` does not take {' and '.join(map(words, have))}")
        return UNKNOWN

    def _ordering(self, node: ast.Call, name: str, known: Known) -> Type:
        """min, max, sorted, reversed."""
        many = name in ("min", "max")
        if node.keywords or not (2 <= len(node.args) <= _ARGUMENTS_MAX if many else len(node.args) == 1):
            takes = f"2 to {_ARGUMENTS_MAX} values" if many else "one list"
            self._note(node, "call.arity", f"`{name}` takes {takes}, not named")
            return UNKNOWN
        have = [plain(self.type_of(argument, known)) for argument in node.args]
        if UNKNOWN in have:
            return UNKNOWN
        first = have[0]
        if many:
            if kind(first) in operations.ORDERED and all(accepts(first, other) for other in have):
                return first
        elif isinstance(first, ListType) and (
            name == "reversed" or first.item == UNKNOWN or kind(first.item) in operations.SORTABLE
        ):
            return first
        self._note(node, "type.operand", f"`{name}` does not take {' and '.join(map(words, have))}")
        return UNKNOWN

    def _method(self, node: ast.Call, base: ast.expr, name: str, known: Known) -> Type:
        if isinstance(base, ast.Name) and base.id in self._manifest.libraries:
            owner = self._not_in_library(node, base.id, name)
        else:
            owner = self._owner(base, known)
        if owner is None or owner == UNKNOWN:
            for argument in node.args:
                self.type_of(argument, known)
            return UNKNOWN
        method = operations.METHODS.get((kind(owner), name))
        if method is None:
            word = f"{words(owner)} has no method `{name}`"
            if (kind(owner), name) in operations.MUTATORS:
                word = f"`{name}` stands on a line of its own"
            there = [found for of, found in operations.METHODS if of == kind(owner)]
            self._note(node, "call.unknown", word, nearest(name, there))
            return UNKNOWN
        if node.keywords or len(node.args) != len(method.takes):
            self._note(node, "call.arity", f"`{name}` takes {len(method.takes)} value(s), not named")
            return UNKNOWN
        gives = result(method.gives, owner)
        for word, argument in zip(method.takes, node.args, strict=True):
            if word == "rounding":
                self._types[argument] = TEXT
                if not isinstance(argument, ast.Constant) or argument.value not in operations.ROUNDINGS:
                    hint = ", ".join(operations.ROUNDINGS)
                    self._note(argument, "call.rounding", "the rounding is one of the names, written out", hint)
            elif name == "get" and word == "value":
                have = self.type_of(argument, known, gives)
                gives = self._join(argument, gives, have)
            else:
                want = result(word, owner)
                self.needs(argument, known, operations.TEXT if want == UNKNOWN else want)
        return gives

    def keywords(
        self, node: ast.Call, types: Mapping[str, Type], required: frozenset[str], known: Known, name: str
    ) -> None:
        """Arguments given by name, each once. Interface parameters and required fields must all be there."""
        if node.args:
            self._note(node, "call.arity", f"the values of `{name}` are named")
            for argument in node.args:
                self.type_of(argument, known)
        given: set[str] = set()
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in given:
                self._note(keyword, "call.form", "each value is named, once")
                continue
            given.add(keyword.arg)
            if keyword.arg not in types:
                self._note(keyword, "field.unknown", f"`{name}` has no `{keyword.arg}`", nearest(keyword.arg, types))
                self.type_of(keyword.value, known)
            else:
                self.fits(keyword.value, known, types[keyword.arg])
        missing = sorted(required - given)
        if missing:
            self._note(node, "call.missing", f"`{missing[0]}` is missing")

    def _function(
        self, node: ast.Call, parameters: tuple[Parameter, ...], returns: Type, name: str, known: Known
    ) -> Type:
        types = {p.name: p.type for p in parameters}
        if len(node.args) > len(parameters):
            self._note(node, "call.arity", f"`{name}` takes {len(parameters)} value(s)")
        for parameter, argument in zip(parameters, node.args, strict=False):
            self.fits(argument, known, parameter.type)
        given = {p.name for p in parameters[: len(node.args)]}
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in given or keyword.arg not in types:
                self._note(
                    keyword, "call.form", f"`{name}` takes no `{keyword.arg}` here", nearest(keyword.arg or "", types)
                )
                continue
            given.add(keyword.arg)
            self.fits(keyword.value, known, types[keyword.arg])
        missing = [p.name for p in parameters if p.name not in given]
        if missing:
            self._note(node, "call.arity", f"`{name}` lacks `{missing[0]}`")
        return returns

    def _interface_view(self, node: ast.Call, interface: str, name: str, known: Known) -> Type:
        if self._scope.kind not in ("action", "view"):
            self._note(node, "context.records", f"{self._scope.word} calls no other contracts")
        declared = self._manifest.interfaces[interface]
        if name not in declared.views:
            word = "an action stands on a line of its own" if name in declared.actions else f"no view `{name}`"
            self._note(node, "call.unknown", word, nearest(name, declared.views))
            return UNKNOWN
        view = declared.views[name]
        required = frozenset(p.name for p in view.parameters if not isinstance(p.type, OptionalType))
        self.keywords(node, {p.name: p.type for p in view.parameters}, required, known, f"{interface}.{name}")
        return view.returns

    def _record_call(self, node: ast.Call, record: RecordType, name: str, known: Known) -> Type:
        self._reads_records(node)
        if name == "create":
            return self._create(node, record, known)
        self._visible(node, ReferenceType(record.name), known)
        if name == "select":
            self._note(node, "call.range", "`select` stands in the head of a `for` only")
            return UNKNOWN
        if name not in RECORD_CALLS:
            hint = nearest(name, RECORD_CALLS)
            self._note(node, "call.unknown", f"`{record.name}` has no `{name}`", hint)
            return UNKNOWN
        if node.keywords or len(node.args) != 1:
            self._note(node, "call.arity", f"`{name}` takes the key, not named")
            return UNKNOWN
        self.fits(node.args[0], known, record.fields[record.key].type)
        if name == "exists":
            return BOOL
        handle = ReferenceType(record.name)
        return OptionalType(handle) if name == "find" else handle

    def _create(self, node: ast.Call, record: RecordType, known: Known) -> Type:
        if self._scope.kind != "action":
            self._note(node, "context.writes", f"{self._scope.word} creates nothing")
        types = {name: field.type for name, field in record.fields.items()}
        required = {name for name, field in record.fields.items() if field.required}
        if record.states:
            types[STATE_FIELD] = StateType(record.name)
            required.add(STATE_FIELD)
            for keyword in node.keywords:
                if keyword.arg == STATE_FIELD and not isinstance(keyword.value, ast.Constant):
                    self._note(keyword.value, "state.constant", "the first state is written out")
        self._visible(node, ReferenceType(record.name), known)
        self.keywords(node, types, frozenset(required), known, f"{record.name}.create")
        return ReferenceType(record.name)

    def _select(self, node: ast.Call, record: RecordType, known: Known) -> None:
        """`Record.select(by="field", equal= | least=, most=, limit=)` in the head of a loop."""
        self._reads_records(node)
        self._visible(node, ReferenceType(record.name), known)
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        by = given.pop("by", None)
        field = record.key
        if by is not None:
            name = by.value if isinstance(by, ast.Constant) else None
            self._types[by] = TEXT
            there = (*record.indexes, record.key)
            if isinstance(name, str) and name in there:
                field = name
            else:
                self._note(by, "select.index", "this is no index of the record", nearest(str(name), there))
        want = record.fields[field].type
        if node.args or len(given) + (by is not None) != len(node.keywords) or "limit" not in given:
            form = f'{dotted(node.func)}(by="{field}", least=..., most=..., limit=100)'
            is_unlimited = "limit" not in given and not node.args
            message = "`limit` is missing" if is_unlimited else "the values of `select` are named"
            self._note(node, "call.form", message, form)
        if "equal" in given and given.keys() & {"least", "most"}:
            self._note(node, "call.form", "a range is `equal`, or `least` and `most`")
        for word, value in given.items():
            if word == "limit":
                self.needs(value, known, INT)
                if isinstance(value, ast.Constant) and not (
                    type(value.value) is int and 1 <= value.value <= SELECT_ROWS_MAX
                ):
                    self._note(value, "select.limit", f"a limit is 1 to {SELECT_ROWS_MAX}")
            elif word in ("equal", "least", "most"):
                self.fits(value, known, want)
            else:
                self._note(value, "call.form", f"`select` takes no `{word}`", "by, equal, least, most, limit")


def _conditions(have: Type) -> str:
    """How to ask what Python would take for true in a value that is no boolean."""
    if isinstance(have, OptionalType):
        return "`is not None`"
    asked = {"int": "`!= 0`", "text": '`!= ""`', "list": "`len(...) > 0`", "map": "`len(...) > 0`"}
    return asked.get(kind(have), "compare it")


def _is_of(word: str, type_: Type) -> bool:
    """Whether a type is what a table's word asks for."""
    if word in ("ints", "texts"):
        return accepts(result(word, UNKNOWN), type_)
    return kind(type_) == word


def _constant_type(value: str | int | bool) -> Type:
    if type(value) is bool:
        return BOOL
    return INT if isinstance(value, int) else TEXT
