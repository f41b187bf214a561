"""Checks what bodies say: allowed statements, known names, types, and everything set before it is read.

A whitelist: what is not named here is refused, so new syntax of a later Python cannot slip in. What can be known
before a contract runs is known here; the rewriter relies on it. Expressions are `expressions`' part.
"""

import ast
from collections.abc import Mapping
from typing import Final

from hansa.contracts import names, operations, schedules
from hansa.contracts.annotations import Annotations, dotted, is_record
from hansa.contracts.declarations import Declared
from hansa.contracts.diagnostics import nearest
from hansa.contracts.expressions import Expressions, Known, Scope
from hansa.contracts.findings import Findings
from hansa.contracts.manifest import (
    SCHEDULE,
    STATE_FIELD,
    Action,
    InstantType,
    ListType,
    MapType,
    OptionalType,
    Parameter,
    PartyType,
    RecordType,
    ReferenceType,
    StructType,
    Type,
    key_bytes_most,
)
from hansa.contracts.operations import UNKNOWN, accepts, is_empty, kind, plain, words
from hansa.contracts.said import Saying
from hansa.contracts.tree import nodes, statements, written

_LOOPS_MAX: Final = 8
"""Loops in each other: more than anybody can follow."""
_HINTS: Final[Mapping[type[ast.AST], str]] = {
    ast.While: "use `for ... in range(...)` with a bound",
    ast.Try: "an action that fails is refused whole; use `require` before",
    ast.ClassDef: "declare classes outside functions",
    ast.FunctionDef: "functions are not nested",
    ast.Delete: "use `.pop(key)`; records are never deleted",
    ast.Raise: "use `require(condition, text)`",
    ast.Assert: "use `require(condition, text)`",
}
_MUTATORS: Final = frozenset(name for _, name in operations.MUTATORS)


def check_bodies(declared: Declared, findings: Findings, *, system: bool) -> tuple[dict[ast.expr, Type], list[Saying]]:
    """Notes everything wrong in the bodies; the types of all expressions in them, and what they say.

    `system` allows the host functions of the genesis contract.
    """
    types: dict[ast.expr, Type] = {}
    said: list[Saying] = []
    annotations = Annotations(findings)
    annotations.named.update(declared.visible)
    annotations.depths.update(declared.depths)
    annotations.sizes.update(declared.sizes)
    manifest = declared.manifest
    is_declared_well = findings.count == 0

    def made(scope: Scope) -> _Body:
        return _Body(declared, scope, types, said, annotations, findings, is_declared_well=is_declared_well)

    for name, action in {**manifest.actions, **manifest.views}.items():
        scope = Scope("view" if action.is_view else "action", system=system, action=action)
        made(scope).check_action(declared.bodies[name], action)
    for name, function in manifest.functions.items():
        if name in declared.bodies:
            body = made(Scope("function", system=system))
            body.check_function(declared.bodies[name], function.parameters, function.returns)
    for record in manifest.records.values():
        for invariant in record.invariants:
            body = made(Scope("invariant", system=system))
            body.check_invariant(declared.bodies[f"{record.name}.{invariant.name}"], invariant.parameter, record)
        if record.migration is not None:
            body = made(Scope("migration", system=system))
            body.check_migration(declared.bodies[record.name], record)
    return types, said


class _Body:
    """One body. Flow goes through `known`: what is certainly set where the check stands."""

    def __init__(
        self,
        declared: Declared,
        scope: Scope,
        types: dict[ast.expr, Type],
        said: list[Saying],
        annotations: Annotations,
        findings: Findings,
        *,
        is_declared_well: bool,
    ) -> None:
        self._findings = findings
        self._is_declared_well = is_declared_well
        self._note = findings.note
        self._declared = declared
        self._manifest = declared.manifest
        self._scope = scope
        self._types = types
        self._said = said
        self._annotations = annotations
        self._expressions = Expressions(declared, scope, types, annotations, findings)
        self._returns: Type | None = None
        self._loops: list[list[tuple[str, ...]]] = []

    # The five kinds of bodies

    def check_action(self, body: ast.FunctionDef, action: Action) -> None:
        self._enter(body, action.parameters)
        known = {p.name for p in action.parameters}
        self._returns = action.returns
        subject = action.subject
        record = self._record(subject.type) if subject is not None else None
        if subject is not None and record is not None and action.creates is not None:
            filled = self._filled(action, record)
            if record.key not in filled:
                hint = f"add a parameter `{record.key}`"
                self._note(body, "action.key", f"the new record's key `{record.key}` is not given", hint)
                filled.add(record.key)
            self._scope.incomplete[subject.name] = record
            known |= {f"{subject.name}.{field}" for field in filled}
        self._run(body, known)

    def check_function(self, body: ast.FunctionDef, parameters: tuple[Parameter, ...], returns: Type) -> None:
        self._enter(body, parameters)
        self._returns = returns
        self._run(body, {p.name for p in parameters})

    def check_invariant(self, body: ast.FunctionDef, parameter: str, record: RecordType) -> None:
        self._enter(body, ())
        self._scope.variables[parameter] = ReferenceType(record.name)
        self._scope.parameters.add(parameter)
        self._run(body, {parameter})

    def check_migration(self, body: ast.FunctionDef, record: RecordType) -> None:
        migration = record.migration
        assert migration is not None
        self._enter(body, ())
        self._scope.variables[migration.record] = ReferenceType(record.name)
        self._scope.variables[migration.old] = StructType(migration.struct)
        self._scope.parameters |= {migration.record, migration.old}
        self._scope.incomplete[migration.record] = record
        old = self._manifest.structs[migration.struct]
        known = {migration.record, migration.old}
        for field in record.fields.values():
            before = old.fields.get(field.name)
            if (before is not None and self._is_carried(before.type, field.type)) or not field.required:
                known.add(f"{migration.record}.{field.name}")
        for name in (record.key, *record.indexes):
            if f"{migration.record}.{name}" not in known or name not in old.fields:
                self._note(
                    body, "migration.key", f"the key and indexed fields stay: `{name}` must be in the old struct"
                )
                known.add(f"{migration.record}.{name}")
        self._run(body, known)

    def _is_carried(self, before: Type, now: Type) -> bool:
        """Whether a field of the old struct becomes the new record's as it is; a reference stands there as its key."""
        if is_record(now):
            record = self._record(plain(now))
            now = UNKNOWN if record is None else record.fields[record.key].type
        return accepts(now, before, fitted=True)

    def _enter(self, body: ast.FunctionDef, parameters: tuple[Parameter, ...]) -> None:
        for parameter in parameters:
            self._scope.variables[parameter.name] = parameter.type
            self._scope.parameters.add(parameter.name)
        self._scope.assigned |= {
            node.id for node in nodes(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }

    def _run(self, body: ast.FunctionDef, known: Known) -> None:
        before = self._findings.count
        after = self._block(statements(body), known)
        if after is not None:
            self._ends(body, after)
        if self._findings.count == before and self._is_declared_well:  # else it may follow from what was noted
            self._check_clear(body)

    def _check_clear(self, body: ast.FunctionDef) -> None:
        """Everything has a type that is known all the way in; empty lists, empty maps and None get it where they go."""
        unclear = {name for name, type_ in self._scope.variables.items() if _is_unclear(type_)}
        for node in nodes(body):
            if isinstance(node, ast.Name) and node.id in unclear:
                unclear.remove(node.id)
                hint = f"say what it holds: {node.id}: list[Text[0, 80], 100] = [], or {node.id}: Amount | None = None"
                self._note(node, "type.unclear", f"what `{node.id}` is, is not clear", hint)
            is_known = isinstance(node, ast.List | ast.Dict | ast.Constant) or (
                isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)  # its variable was looked at above
            )
            if isinstance(node, ast.expr) and not is_known and _is_unclear(self._types.get(node, operations.INT)):
                self._note(node, "type.unclear", "what this is, is not clear here", "annotate what it comes from")

    def _record(self, type_: Type) -> RecordType | None:
        return self._manifest.records.get(type_.record) if isinstance(type_, ReferenceType) else None

    def _filled(self, action: Action, record: RecordType) -> set[str]:
        """The fields of a record that creating it fills: from arguments, by the creator's role, by defaults."""
        parameters = {p.name: p.type for p in action.parameters if p != action.subject}
        filled = {name for name, field in record.fields.items() if not field.required}
        for name, type_ in parameters.items():
            field = record.fields.get(name)
            if field is not None and accepts(field.type, type_, fitted=True):
                filled.add(name)
            elif field is not None:
                message = f"the field `{name}` is {words(field.type)}, the parameter {words(type_)}"
                self._note(self._declared.bodies[action.name], "type.mismatch", message)
                filled.add(name)
        role = creator_role(action, record, self._manifest.roles)
        return filled if role is None else filled | {role}

    def _ends(self, node: ast.AST, known: Known) -> None:
        """Where the body ends: records complete, the state decided, a value returned."""
        for name, record in self._scope.incomplete.items():
            missing = [f"`{name}.{field}`" for field in record.fields if f"{name}.{field}" not in known]
            if missing:
                message = f"{', '.join(missing)} is not set on every way to the end"
                self._note(node, "record.incomplete", message)
        action = self._scope.action
        if action is not None and len(action.to) > 1 and f"{names.CONTEXT}.become" not in known:
            subject = "" if action.subject is None else action.subject.name
            hint = f'become({subject}, "{action.to[0]}")'
            self._note(node, "state.undecided", "the next state is not decided on every way to the end", hint)
        if self._returns is not None and not isinstance(node, ast.Return):
            self._note(node, "flow.returns", "this can end without `return`")

    # Statements: each takes what is known before, may add to it, and gives what is known after, None if nothing follows

    def _block(self, statements: list[ast.stmt], known: Known) -> Known | None:
        current: Known | None = set(known)  # the block's own, so that assignments need not copy it
        for statement in statements:
            if current is None:
                self._note(statement, "flow.unreachable", "this is never reached")
                return None
            current = self._statement(statement, current)
        return current

    def _statement(self, node: ast.stmt, known: Known) -> Known | None:
        match node:
            case ast.Pass():
                return known
            case ast.Assign(targets=[target], value=value):
                return self._assign(target, value, known)
            case ast.AnnAssign(
                target=ast.Name(id=name) as target, annotation=annotation, value=ast.expr() as value, simple=1
            ):
                return self._annotate(target, name, annotation, value, known)
            case ast.AugAssign(target=target, op=op, value=value):
                return self._augment(node, target, op, value, known)
            case ast.Expr(value=ast.Call() as call):
                return self._call(call, known)
            case ast.If(test=test, body=body, orelse=orelse):
                self._expressions.condition(test, known)
                first, second = self._block(body, known), self._block(orelse, known)
                if first is None or second is None:
                    return first if second is None else second
                return first & second
            case ast.For(orelse=[]):
                return self._loop(node, known)
            case ast.Break() | ast.Continue():
                if not self._loops:
                    self._note(node, "flow.loop", "this stands in a loop only")
                return None
            case ast.Return(value=value):
                self._return(node, value, known)
                return None
            case ast.Expr():
                self._note(node, "statement.value", "this value is not used", "assign it, or remove the line")
                return known
            case _:
                self._unknown(node)
                return known

    def _return(self, node: ast.Return, value: ast.expr | None, known: Known) -> None:
        if value is None:
            if self._returns is not None:
                self._note(node, "flow.returns", f"{self._scope.word} returns a value")
        elif self._returns is None:
            self._note(node, "flow.returns", f"{self._scope.word} returns nothing")
        else:
            self._expressions.fits(value, known, self._returns)
        self._ends(node, known)

    # Assignment

    def _assign(self, target: ast.expr, value: ast.expr, known: Known) -> Known:
        if isinstance(target, ast.Name):
            have = self._scope.variables.get(target.id)
            found = self._expressions.type_of(value, known, have)
            return self._set_variable(target, target.id, found, known)
        want = self._target(target, known)
        if want is None:
            self._expressions.type_of(value, known)
            return self._set_field(target, known)
        have = self._expressions.fits(value, known, want, fitted=self._is_fitted(target))
        if isinstance(target, ast.Subscript) and _is_unclear(want):
            self._refine(target.value, self._types[target.value], self._types[target.slice], have)
            self._types[target] = have
        return self._set_field(target, known)

    def _annotate(self, target: ast.Name, name: str, annotation: ast.expr, value: ast.expr, known: Known) -> Known:
        type_ = self._annotations.read(annotation)
        if is_record(type_):
            self._note(annotation, "type.record", "a record's type is not written here", "assign it without a type")
            return known
        if name in self._scope.variables:
            self._note(target, "name.twice", f"`{name}` has a type already")
        self._expressions.fits(value, known, type_)
        self._scope.variables[name] = type_
        return self._set_variable(target, name, type_, known)

    def _augment(self, node: ast.AugAssign, target: ast.expr, op: ast.operator, value: ast.expr, known: Known) -> Known:
        have = self._expressions.type_of(target, known)
        before = self._findings.count
        found = self._expressions.combined(node, op, have, value, known)
        if _is_unclear(found) and not _is_unclear(have) and self._findings.count == before:
            self._note(value, "type.unclear", "what this is, is not clear here")
        if isinstance(target, ast.Name):
            return self._set_variable(target, target.id, found, known)
        want = self._target(target, known)
        if want is not None and not accepts(want, found, fitted=self._is_fitted(target)):
            self._note(node, "type.mismatch", f"this is {words(found)}, {words(want)} is needed")
        return self._set_field(target, known)

    def _set_variable(self, target: ast.Name, name: str, found: Type, known: Known) -> Known:
        self._check_local(target, name)
        self._check_iterated(target, (name,))
        have = self._scope.variables.get(name)
        if have is None:
            have = self._scope.variables[name] = found
        elif have == operations.NONE:
            have = self._scope.variables[name] = OptionalType(plain(found))
        elif is_empty(have) and kind(have) == kind(found):
            have = self._scope.variables[name] = found
        elif not accepts(have, found):
            self._note(target, "type.mismatch", f"`{name}` is {words(have)}, this is {words(found)}")
        self._types[target] = have
        known.add(name)
        return known

    def _check_local(self, node: ast.AST, name: str) -> None:
        if not names.is_free(name) or name in self._declared.names:
            self._note(node, "name.reserved", f"`{name}` cannot be a name here")
        elif name in self._scope.parameters:
            self._note(node, "name.parameter", f"the parameter `{name}` cannot be assigned")

    def _refine(self, base: ast.expr, owner: Type, key: Type, item: Type) -> None:
        """An empty list or map of a variable becomes one of what is put in first."""
        if not isinstance(base, ast.Name):
            return
        if isinstance(owner, ListType) and owner.item == UNKNOWN:
            owner = ListType(item, owner.most)
        elif isinstance(owner, MapType) and owner.value == UNKNOWN:
            owner = MapType(key if owner.key == UNKNOWN else owner.key, item, owner.most)
        else:
            return
        self._scope.variables[base.id] = self._types[base] = self._expressions.bounded(base, owner)

    def _target(self, target: ast.expr, known: Known) -> Type | None:
        """The type of a field or item that is assigned to; None, and a finding, if it is no place."""
        match target:
            case ast.Attribute(value=base, attr=field):
                owner = self._target_base(base, known)
                if owner is None or owner == UNKNOWN:
                    return None
                record = self._record(owner)
                if record is not None:
                    return self._record_target(target, base, record, field)
                struct = self._manifest.structs.get(owner.struct) if isinstance(owner, StructType) else None
                if struct is None:
                    self._note(target, "assign.target", f"{words(owner)} has no fields to assign to")
                    return None
                if field not in struct.fields:
                    hint = nearest(field, struct.fields)
                    self._note(target, "field.unknown", f"`{struct.name}` has no field `{field}`", hint)
                    return None
                return self._typed(target, struct.fields[field].type)
            case ast.Subscript(value=base, slice=index) if not isinstance(index, ast.Slice | ast.Tuple):
                owner = self._target_base(base, known)
                if isinstance(owner, ListType):
                    self._expressions.needs(index, known, operations.INT)
                    return self._typed(target, owner.item)
                if isinstance(owner, MapType):
                    self._expressions.needs(index, known, owner.key)
                    return self._typed(target, owner.value)
                if owner is not None and owner != UNKNOWN:
                    self._note(target, "assign.target", f"{words(owner)} has no items to assign to")
                return None
            case _:
                hint = "name, record.field, struct.field, list[i] or map[key]"
                self._note(target, "assign.target", "this cannot be assigned to", hint)
                return None

    def _typed(self, node: ast.expr, type_: Type) -> Type:
        self._types[node] = type_
        return type_

    def _target_base(self, base: ast.expr, known: Known) -> Type | None:
        """The type of what holds the field or item: a variable, or a place in one."""
        if isinstance(base, ast.Name):
            type_ = self._expressions.holder(base, known)
            if type_ is not None and not is_record(type_) and base.id in self._scope.parameters:
                message = f"the parameter `{base.id}` cannot be changed"
                self._note(base, "name.parameter", message, "assign it to a name of its own first")
            return type_
        if isinstance(base, ast.Attribute):
            owner = self._target_base(base.value, known)
            record = None if owner is None else self._record(owner)
            if record is not None:
                return plain(self._expressions.type_of(base, known))
            if owner is None:
                return None
            found = self._target(base, known)
            if found is not None:
                self._expressions.type_of(base, known)
            return None if found is None else plain(found)
        if isinstance(base, ast.Subscript):
            is_enum = isinstance(base.slice, ast.Attribute) and dotted(base.slice.value) in self._declared.visible
            if not is_enum and not isinstance(base.slice, ast.Name | ast.Constant):
                self._note(base.slice, "assign.index", "an index inside a path is a name or a constant")
            found = self._target(base, known)
            if found is not None:
                self._expressions.type_of(base, known)
            return None if found is None else plain(found)
        self._note(base, "assign.target", "this cannot be assigned to")
        return None

    def _record_target(self, target: ast.Attribute, base: ast.expr, record: RecordType, field: str) -> Type | None:
        if self._scope.kind not in ("action", "migration"):
            self._note(target, "context.writes", f"{self._scope.word} changes nothing")
        elif self._scope.kind == "migration" and not (isinstance(base, ast.Name) and base.id in self._scope.incomplete):
            self._note(target, "context.writes", "a migration changes its own record only")
        if field == STATE_FIELD and record.states:
            self._note(target, "field.state", "a state is changed by `become`", 'become(record, "State")')
            return None
        if field not in record.fields:
            hint = nearest(field, record.fields)
            self._note(target, "field.unknown", f"`{record.name}` has no field `{field}`", hint)
            return None
        if field == record.key:
            self._note(target, "record.key", "a record's key never changes")
        elif self._scope.kind == "migration" and field in record.indexes:
            self._note(target, "migration.key", "a migration leaves indexed fields as they are")
        elif self._scope.kind == "migration" and is_record(record.fields[field].type):
            self._note(target, "context.records", "a migration knows no other records")
        return self._typed(target, record.fields[field].type)

    def _is_fitted(self, target: ast.expr) -> bool:
        """Whether what is assigned is checked against a declared type there and then: fields are, items are not."""
        return isinstance(target, ast.Attribute)

    def _set_field(self, target: ast.expr, known: Known) -> Known:
        path = _path(target)
        self._check_iterated(target, path)
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            known.add(f"{target.value.id}.{target.attr}")
        return known

    def _check_iterated(self, node: ast.AST, path: tuple[str, ...]) -> None:
        for iterated in (path for paths in self._loops for path in paths):
            short = min(len(iterated), len(path))
            if short and iterated[:short] == path[:short]:
                name = ".".join(iterated)
                hint = "collect the changes in another list, and assign it after the loop"
                self._note(node, "loop.mutation", f"`{name}` is being looped over", hint)
                return

    # Loops

    def _loop(self, node: ast.For, known: Known) -> Known:
        paths, targets = self._iterated(node, known)
        self._loops.append(paths)
        if len(self._loops) == _LOOPS_MAX + 1:
            self._note(node, "loop.depth", f"loops nested more than {_LOOPS_MAX} deep")
        within = set(known)
        for target, type_ in targets:
            have = self._scope.variables.get(target.id)
            if have is not None and isinstance(type_, OptionalType) and not isinstance(have, OptionalType):
                hint = "take another name for the loop"
                self._note(target, "type.mismatch", f"`{target.id}` is {words(have)}, this may be None", hint)
            self._set_variable(target, target.id, type_, within)
        self._block(node.body, within)
        self._loops.pop()
        return known

    def _iterated(self, node: ast.For, known: Known) -> tuple[list[tuple[str, ...]], list[tuple[ast.Name, Type]]]:
        """What a loop goes through, as paths where it is places, and what its names are set to."""
        types, places = self._expressions.iterated(node.iter, known)
        paths = [_path(place) for place in places]
        match node.target:
            case ast.Name():
                targets = [node.target]
            case ast.Tuple(elts=[ast.Name() as first, ast.Name() as second]) if first.id != second.id:
                targets = [first, second]
            case _:
                self._note(node.target, "loop.names", "a loop sets one name, or two with items, enumerate and zip")
                return paths, []
        if len(targets) != len(types):
            pairs = {"map": "go through `.items()`", "list": "go through `enumerate(...)`"}
            is_one = len(types) == 1 and len(places) == 1
            hint = pairs.get(kind(plain(self._types.get(places[0], UNKNOWN))), "") if is_one else ""
            self._note(node.target, "loop.names", f"this loop sets {len(types)} name(s)", hint)
            return paths, []
        return paths, list(zip(targets, types, strict=True))

    # Calls that stand alone

    def _call(self, call: ast.Call, known: Known) -> Known:
        match call.func:
            case ast.Name(id="require" | "event" as word):
                self._say(call, word, known)
            case ast.Name(id="become"):
                self._become(call, known)
            case ast.Name(id="schedule"):
                self._schedule(call, known)
            case ast.Attribute(value=ast.Name(id=interface), attr=action) if interface in self._manifest.interfaces:
                self._interface_action(call, interface, action, known)
            case ast.Attribute(value=base, attr=method) if method in _MUTATORS:
                self._mutate(call, base, method, known)
            case ast.Attribute(attr="create"):
                self._expressions.type_of(call, known)
            case _:
                found = self._expressions.type_of(call, known)
                if found != UNKNOWN:
                    self._note(call, "statement.value", "this value is not used", "assign it, or remove the line")
        return known

    def _only_in_actions(self, call: ast.Call, what: str) -> bool:
        if self._scope.kind != "action":
            self._note(call, "context.writes", f"{self._scope.word} {what}")
        return self._scope.kind == "action"

    def _say(self, call: ast.Call, word: str, known: Known) -> None:
        """`require(condition, "text {x}", x=value)` and `event("name", x=value)`."""
        if word == "event":
            self._only_in_actions(call, "emits no events")
        elif self._scope.kind == "migration":
            self._note(call, "context.refuses", "a migration refuses nothing", "make a value that is always right")
        texts = call.args[1:] if word == "require" else call.args
        if word == "require" and call.args:
            self._expressions.condition(call.args[0], known)
        text = texts[0].value if len(texts) == 1 and isinstance(texts[0], ast.Constant) else None
        if not isinstance(text, str) or not text or len(call.args) != (2 if word == "require" else 1):
            form = 'require(condition, "text")' if word == "require" else 'event("name", field=value)'
            self._note(call, "call.form", f"`{word}` reads {form}")
            text = ""
        given: dict[str, Type] = {}
        for keyword in call.keywords:
            if keyword.arg is None or keyword.arg in given:
                self._note(keyword, "call.form", "each value is named, once")
                continue
            given[keyword.arg] = self._expressions.type_of(keyword.value, known)
            if is_record(given[keyword.arg]):
                self._note(keyword.value, "record.value", "a record does not leave the contract", "give its key")
        if word == "require":
            missing = sorted(set(_holes(text)) - given.keys())
            if missing:
                self._note(call, "require.holes", f"the text names {{{missing[0]}}}, which is not given")
        self._said.append(Saying(word == "event", text, given))

    def _become(self, call: ast.Call, known: Known) -> None:
        if self._scope.kind not in ("action", "migration"):
            self._note(call, "context.writes", f"{self._scope.word} changes nothing")
        if len(call.args) != 2 or call.keywords:
            self._note(call, "call.form", '`become` reads become(record, "State")')
            return
        target, state = call.args
        type_ = self._expressions.holder(target, known) if isinstance(target, ast.Name) else None
        record = None if type_ is None else self._record(plain(type_))
        if record is None or not isinstance(target, ast.Name) or not record.states:
            self._note(target, "become.record", "`become` takes a record with states, by a name", "assign it first")
            return
        if self._scope.kind == "migration" and target.id not in self._scope.incomplete:
            self._note(target, "context.writes", "a migration changes its own record only")
        action = self._scope.action
        allowed = tuple(record.states)
        if action is not None and action.subject is not None and action.subject.name == target.id:
            allowed = action.to
            known.add(f"{names.CONTEXT}.become")
        self._check_state(state, allowed, known)

    def _check_state(self, node: ast.expr, allowed: tuple[str, ...], known: Known) -> None:
        match node:
            case ast.Constant(value=str(text)):
                if text not in allowed:
                    message = f"`{text}` is none of the states it may come to here"
                    self._note(node, "become.state", message, nearest(text, allowed))
                self._types[node] = operations.TEXT
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self._expressions.condition(test, known)
                self._check_state(body, allowed, known)
                self._check_state(orelse, allowed, known)
                self._types[node] = operations.TEXT
            case _:
                hint = f'"{allowed[0]}"' if allowed else ""
                if len(allowed) > 1:
                    hint = f'"{allowed[0]}" if condition else "{allowed[1]}"'
                self._note(node, "become.state", "a next state is written out", hint)

    def _schedule(self, call: ast.Call, known: Known) -> None:
        self._only_in_actions(call, "schedules nothing")
        name = call.args[1].value if len(call.args) == 3 and isinstance(call.args[1], ast.Constant) else None
        if call.keywords or not isinstance(name, str):
            self._note(call, "call.form", '`schedule` reads schedule(record, "action", instant)')
            return
        type_ = plain(self._expressions.type_of(call.args[0], known))
        action = self._manifest.actions.get(name)
        known_names = [a.name for a in self._manifest.actions.values() if SCHEDULE in a.by]
        if action is None or SCHEDULE not in action.by:
            hint = nearest(name, known_names) if known_names else 'declare it with @action(by="schedule")'
            self._note(call.args[1], "schedule.action", f"there is no scheduled action `{name}`", hint)
        elif action.subject is None or action.subject.type != type_:
            self._note(call.args[0], "schedule.record", f"`{name}` takes another record")
        elif (record := self._record(type_)) is not None and (
            (key_bytes_most(record.fields[record.key].type) or 0) > schedules.KEY_BYTES_MAX
        ):
            message = f"the key of `{record.name}` may be longer than {schedules.KEY_BYTES_MAX} bytes"
            self._note(call.args[0], "schedule.key", message)
        self._types[call.args[1]] = operations.TEXT
        self._expressions.needs(call.args[2], known, InstantType())

    def _interface_action(self, call: ast.Call, interface: str, action: str, known: Known) -> None:
        self._only_in_actions(call, "calls no actions")
        declared = self._manifest.interfaces[interface]
        if action not in declared.actions:
            hint = nearest(action, declared.actions)
            word = "a view is used for its value" if action in declared.views else f"`{interface}` has no `{action}`"
            self._note(call, "call.unknown", word, hint)
            return
        parameters = {p.name: p.type for p in declared.actions[action]}
        needed = frozenset(name for name, type_ in parameters.items() if not isinstance(type_, OptionalType))
        self._expressions.keywords(call, parameters, needed, known, f"{interface}.{action}")

    def _mutate(self, call: ast.Call, base: ast.expr, method: str, known: Known) -> None:
        owner = self._target_base(base, known) if not isinstance(base, ast.Call) else None
        if owner == UNKNOWN:
            for argument in call.args:
                self._expressions.type_of(argument, known)
            return
        found = None if owner is None else operations.MUTATORS.get((kind(owner), method))
        if owner is None or found is None:
            what = "this" if owner is None else words(owner)
            self._note(call, "call.unknown", f"{what} has no method `{method}` that changes it")
            return
        if isinstance(base, ast.Attribute) and self._record_of(base) is not None:
            self._target(base, known)
        takes = found[1]
        if call.keywords or len(call.args) != len(takes):
            self._note(call, "call.arity", f"`{method}` takes {len(takes)} value(s), not named")
            return
        for word, argument in zip(takes, call.args, strict=True):
            want = operations.result(word, owner)
            have = self._expressions.fits(argument, known, want, fitted=False)
            if word == "item":
                self._refine(base, owner, UNKNOWN, have)
        self._check_iterated(call, _path(base))

    def _record_of(self, base: ast.Attribute) -> RecordType | None:
        type_ = self._types.get(base.value)
        return None if type_ is None else self._record(plain(type_))

    def _unknown(self, node: ast.AST) -> None:
        self._note(node, "syntax.outside", f"{written(node)} is not in the dialect", _HINTS.get(type(node), ""))


def creator_role(action: Action, record: RecordType, roles: Mapping[str, object]) -> str | None:
    """The field of a new record that the creator's role fills: the first of `by` that is one and is not given.

    None if there is none, or if a contract or ledger time may take the action: the signer of these confers nothing.
    """
    given = {p.name for p in action.parameters}
    for name in action.by:
        role = roles.get(name)
        if name == SCHEDULE or getattr(role, "contract", None) is not None:
            return None
    for name in action.by:
        field = record.fields.get(name)
        if field is not None and isinstance(plain(field.type), PartyType) and name not in given:
            return name
    return None


def _is_unclear(type_: Type) -> bool:
    match plain(type_):
        case ListType(item=item):
            return item == UNKNOWN or _is_unclear(item)
        case MapType(value=value):
            return value == UNKNOWN or _is_unclear(value)
        case bare:
            return bare == UNKNOWN


def _path(node: ast.expr | None) -> tuple[str, ...]:
    """A place as the names that lead to it, as far as they are names; empty if it is none."""
    match node:
        case ast.Name(id=name):
            return (name,)
        case ast.Attribute(value=base, attr=field):
            before = _path(base)
            return (*before, field) if before else ()
        case ast.Subscript(value=base):
            return _path(base)
        case _:
            return ()


def _holes(text: str) -> list[str]:
    """The names in braces in a message. Braces hold plain names only, so nothing is ever formatted from them."""
    holes: list[str] = []
    for part in text.split("{")[1:]:
        holes.append(part.split("}")[0])
    return holes
