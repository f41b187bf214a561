"""Reads the declarations of a contract file: classes are read, never executed.

The file holds one docstring, one import from `hansa.contract`, and one class; the class holds roles, records,
actions and views. The result is the manifest and the syntax trees of the bodies, for the checker.
"""

import ast
from typing import Final, cast

from hansa.contracts import names
from hansa.contracts.diagnostics import nearest
from hansa.contracts.findings import Findings
from hansa.contracts.manifest import (
    ANY_MEMBER,
    BYTES_MAX,
    LIST_ITEMS_MAX,
    TEXT_CHARS_MAX,
    Action,
    AmountType,
    BoolType,
    BytesType,
    Default,
    Field,
    IntType,
    ListType,
    Manifest,
    OptionalType,
    Parameter,
    PartyType,
    RecordType,
    ReferenceType,
    Role,
    TextType,
    Type,
    is_index_type,
    is_key_type,
)
from hansa.wire import names as wire_names
from hansa.wire.limits import ATTRIBUTE_CHARS_MAX, INTEGER_MAX, INTEGER_MIN

_PARAMETERS_MAX: Final = 32
_FIELDS_MAX: Final = 64


def read(tree: ast.Module, name: str, findings: Findings) -> tuple[Manifest, dict[str, ast.FunctionDef]]:
    """The manifest of a contract named `name` on its ledger, and its bodies by action or view name.

    What cannot be read is noted in `findings` and left out.
    """
    reader = _Reader(findings)
    return reader.read(tree, name), reader.bodies


class _Reader:
    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._note = findings.note
        self._imported: set[str] = set()
        self._records: dict[str, RecordType] = {}
        self._record_names: set[str] = set()
        self._roles: dict[str, Role] = {}
        self.bodies: dict[str, ast.FunctionDef] = {}

    def read(self, tree: ast.Module, name: str) -> Manifest:
        classes: list[ast.ClassDef] = []
        for index, node in enumerate(tree.body):
            if index == 0 and _is_docstring(node):
                continue
            if isinstance(node, ast.ImportFrom) and not classes:
                self._read_import(node)
            elif isinstance(node, ast.ClassDef):
                classes.append(node)
            else:
                self._note(node, "file.statement", "a contract file holds one import, then one class")
        self._check_imports(tree)
        if len(classes) != 1:
            self._note(tree, "file.class", f"a contract file holds one class, this one {len(classes)}")
            return Manifest(name, "0.0.0", "", {}, {}, {}, {})
        return self._read_contract(classes[0], name, ast.get_docstring(tree) or "")

    def _read_import(self, node: ast.ImportFrom) -> None:
        if node.module != names.MODULE or node.level:
            self._note(node, "import.module", f"only `{names.MODULE}` can be imported from")
            return
        for alias in node.names:
            if alias.name not in names.IMPORTABLE:
                hint = nearest(alias.name, names.IMPORTABLE)
                self._note(alias, "import.name", f"`{names.MODULE}` has no `{alias.name}`", hint)
            elif alias.asname:
                self._note(alias, "import.alias", "an imported name keeps its name")
            else:
                self._imported.add(alias.name)

    def _check_imports(self, tree: ast.Module) -> None:
        """Notes the first use of each of the dialect's names that is not imported."""
        missing = names.IMPORTABLE - self._imported
        used = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id in missing]
        firsts: dict[str, ast.Name] = {}
        for node in sorted(used, key=lambda node: (node.lineno, node.col_offset)):
            if isinstance(node.ctx, ast.Load):
                firsts.setdefault(node.id, node)
        for name, node in firsts.items():
            hint = f"from {names.MODULE} import {name}"
            self._note(node, "import.missing", f"`{name}` is not imported", hint)

    def _read_contract(self, node: ast.ClassDef, name: str, doc: str) -> Manifest:
        version = "0.0.0"
        if len(node.bases) != 1 or not _is_name(node.bases[0], "Contract"):
            self._note(node, "contract.base", "the class is a `Contract`", "class Name(Contract, version=...)")
        for keyword in node.keywords:
            value = _constant(keyword.value)
            if keyword.arg == "version" and isinstance(value, str) and wire_names.is_version(value):
                version = value
            else:
                self._note(keyword, "contract.version", "`version` is three numbers, such as `1.0.0`")
        if not node.keywords:
            self._note(node, "contract.version", "the version is missing", 'class Name(Contract, version="1.0.0")')
        self._no_decorators(node)
        body = node.body[1:] if _is_docstring(node.body[0]) else node.body
        nested = [item for item in body if isinstance(item, ast.ClassDef)]
        functions = [item for item in body if isinstance(item, ast.FunctionDef)]
        for item in body:
            if not isinstance(item, ast.ClassDef | ast.FunctionDef | ast.Pass):
                self._note(item, "contract.statement", "a contract holds roles, records, actions and views only")
        self._names_once([*nested, *functions])
        for item in (node, *nested, *functions):
            if getattr(item, "type_params", None):  # from Python 3.12 on
                self._note(item, "type.unknown", "type parameters are not in the dialect")
        self._record_names = {item.name for item in nested if item.name != "Roles"}
        for item in nested:
            if item.name == "Roles":
                self._read_roles(item)
        for item in nested:
            if item.name != "Roles":
                self._read_record(item)
        actions: dict[str, Action] = {}
        views: dict[str, Action] = {}
        for item in functions:
            action = self._read_function(item)
            if action is not None:
                (views if action.role is None else actions)[action.name] = action
                self.bodies[action.name] = item
        return Manifest(name, version, doc, self._roles, self._records, actions, views)

    def _names_once(self, nodes: list[ast.ClassDef | ast.FunctionDef]) -> None:
        seen: set[str] = set()
        for node in nodes:
            if node.name in seen:
                self._note(node, "name.twice", f"`{node.name}` is declared twice")
            elif node.name != "Roles" and not names.is_free(node.name):
                self._note(node, "name.reserved", f"`{node.name}` cannot be a name here")
            seen.add(node.name)

    def _no_decorators(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self._note(decorator, "class.decorator", "a class has no decorators")

    # Roles

    def _read_roles(self, node: ast.ClassDef) -> None:
        self._no_decorators(node)
        for item in node.body:
            if _is_docstring(item) or isinstance(item, ast.Pass):
                continue
            if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
                self._note(item, "role.form", "a role reads `name: Party` or `name: Party = Party(attribute=...)`")
                continue
            name = item.target.id
            if not names.is_free(name) or name == ANY_MEMBER:
                self._note(item, "name.reserved", f"`{name}` cannot be a name here")
            if not _is_name(item.annotation, "Party"):
                self._note(item.annotation, "role.form", "a role is a `Party`")
            attribute = self._role_attribute(item.value) if item.value is not None else None
            if name in self._roles:
                self._note(item, "name.twice", f"the role `{name}` is declared twice")
            self._roles[name] = Role(name, attribute, item.lineno)

    def _role_attribute(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Call) and _is_name(node.func, "Party") and not node.args:
            values = {keyword.arg: _constant(keyword.value) for keyword in node.keywords}
            attribute = values.get("attribute")
            if (
                set(values) == {"attribute"}
                and isinstance(attribute, str)
                and 0 < len(attribute) <= ATTRIBUTE_CHARS_MAX
            ):
                return attribute
        self._note(node, "role.form", 'a role\'s rule reads `Party(attribute="licence:bank")`')
        return None

    # Records

    def _read_record(self, node: ast.ClassDef) -> None:
        self._no_decorators(node)
        if len(node.bases) != 1 or not _is_name(node.bases[0], "Record"):
            self._note(node, "record.base", "a class in a contract is `Roles` or a `Record`")
            return
        key, indexes = self._record_options(node)
        fields: dict[str, Field] = {}
        for item in node.body:
            if _is_docstring(item) or isinstance(item, ast.Pass):
                continue
            if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
                self._note(item, "field.form", "a field reads `name: Type` or `name: Type = default`")
                continue
            field = self._read_field(item, item.target.id)
            if item.target.id in fields:
                self._note(item, "name.twice", f"the field `{item.target.id}` is declared twice")
            if field is not None:
                fields[item.target.id] = field
        if len(fields) > _FIELDS_MAX:
            self._note(node, "record.fields", f"{len(fields)} fields; at most {_FIELDS_MAX}")
        self._check_keys(node, key, indexes, fields)
        doc = ast.get_docstring(node) or ""
        self._records[node.name] = RecordType(node.name, key, fields, tuple(indexes), doc, node.lineno)

    def _record_options(self, node: ast.ClassDef) -> tuple[str, list[str]]:
        key, indexes = "", list[str]()
        for keyword in node.keywords:
            if keyword.arg == "key" and isinstance(value := _constant(keyword.value), str):
                key = value
            elif keyword.arg == "index" and (found := _strings(keyword.value)) is not None:
                indexes = found
            else:
                self._note(keyword, "record.option", 'a record has `key="field"` and `index=["field", ...]`')
        return key, indexes

    def _check_keys(self, node: ast.ClassDef, key: str, indexes: list[str], fields: dict[str, Field]) -> None:
        if key not in fields:
            self._note(node, "record.key", f"the key `{key}` is not a field", nearest(key, fields))
        elif not is_key_type(fields[key].type) or not fields[key].required:
            hint = "a key is Text of at most 100 characters, Bytes of at most 400, Int or Party, with no default"
            self._note(node, "record.key", f"`{key}` cannot be a key: its bounds do not fit 400 bytes", hint)
        for name in indexes:
            if name not in fields:
                self._note(node, "record.index", f"the index `{name}` is not a field", nearest(name, fields))
            elif not is_index_type(fields[name].type):
                hint = "index Text of at most 100 characters, Bytes of at most 400, Int, bool or Party"
                self._note(node, "record.index", f"`{name}` cannot be indexed: it may exceed 400 bytes", hint)
        if len(set(indexes)) != len(indexes):
            self._note(node, "record.index", "a field is indexed twice")

    def _read_field(self, item: ast.AnnAssign, name: str) -> Field | None:
        if not names.is_free(name):
            self._note(item, "name.reserved", f"`{name}` cannot be a name here")
        type_ = self._read_type(item.annotation)
        if type_ is None:
            return None
        if isinstance(type_, ReferenceType):
            self._note(item.annotation, "field.type", "a field cannot be a record", "keep the record's key")
            return None
        if item.value is None:
            return Field(name, type_, True, None, item.lineno)
        if isinstance(item.value, ast.List) and not item.value.elts:
            default: object = []
        else:
            default = _constant(item.value)
        if not _is_default(type_, default):
            self._note(item.value, "field.default", "the default is a constant of the field's type")
            return None
        return Field(name, type_, False, cast("Default", default), item.lineno)

    # Actions and views

    def _read_function(self, node: ast.FunctionDef) -> Action | None:
        if len(node.decorator_list) != 1:
            self._note(node, "action.decorator", "a function is an `@action(by=...)` or a `@view`")
            return None
        decorator = node.decorator_list[0]
        is_view = _is_name(decorator, "view")
        role, creates = None, None
        if not is_view:
            if not isinstance(decorator, ast.Call) or not _is_name(decorator.func, "action"):
                self._note(decorator, "action.decorator", "a function is an `@action(by=...)` or a `@view`")
                return None
            role, creates = self._action_options(decorator)
        parameters = self._read_parameters(node)
        returns = None
        if node.returns is not None:
            returns = self._read_type(node.returns)
        if is_view and returns is None:
            self._note(node, "view.returns", "a view says what it returns", "def name(tx, ...) -> Type:")
        if not is_view and node.returns is not None:
            self._note(node, "action.returns", "an action returns nothing; emit an event or offer a view")
        found = Action(node.name, role, creates, parameters, returns, ast.get_docstring(node) or "", node.lineno)
        self._check_subject(node, found)
        return found

    def _action_options(self, node: ast.Call) -> tuple[str, str | None]:
        role, creates = "", None
        for argument in node.args:
            self._note(argument, "action.option", "options of an action are named")
        for keyword in node.keywords:
            value = _constant(keyword.value)
            if keyword.arg == "by" and isinstance(value, str):
                role = value
            elif keyword.arg == "creates" and isinstance(value, str):
                creates = value
            else:
                hint = nearest(keyword.arg or "**", ("by", "creates"))
                self._note(keyword, "action.option", f"an action has no option `{keyword.arg}`", hint)
        if not role:
            self._note(node, "action.by", "an action says who may take it", '@action(by="member") for anyone')
        elif role != ANY_MEMBER and role not in self._roles:
            self._note(node, "action.by", f"there is no role `{role}`", nearest(role, self._roles))
        if creates is not None and creates not in self._record_names:
            self._note(node, "action.creates", f"no record `{creates}`", nearest(creates, self._record_names))
        return role, creates

    def _read_parameters(self, node: ast.FunctionDef) -> tuple[Parameter, ...]:
        arguments = node.args
        odd = [*arguments.posonlyargs, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        if any(odd) or arguments.defaults or arguments.kw_defaults:
            self._note(node, "parameter.form", "parameters are plain: no defaults, stars or slashes")
        if not arguments.args or arguments.args[0].arg != names.CONTEXT or arguments.args[0].annotation:
            self._note(node, "parameter.context", "the first parameter is `tx`, without a type")
        if len(arguments.args) > _PARAMETERS_MAX:
            self._note(node, "parameter.count", f"more than {_PARAMETERS_MAX} parameters")
        found: list[Parameter] = []
        for argument in arguments.args[1:]:
            if not names.is_free(argument.arg):
                self._note(argument, "name.reserved", f"`{argument.arg}` cannot be a name here")
            if argument.annotation is None:
                self._note(argument, "parameter.type", f"`{argument.arg}` has no type")
                continue
            type_ = self._read_type(argument.annotation)
            if type_ is not None:
                found.append(Parameter(argument.arg, type_, argument.lineno))
        if len({p.name for p in found}) != len(found):
            self._note(node, "name.twice", "a parameter is named twice")
        return tuple(found)

    def _check_subject(self, node: ast.FunctionDef, action: Action) -> None:
        """The role can be checked on the first record; a created record's required fields can be filled."""
        subject = action.subject
        subject_type = subject.type.record if subject and isinstance(subject.type, ReferenceType) else None
        record = self._records.get(subject_type) if subject_type else None
        role = self._roles.get(action.role or "")
        if role is not None and role.attribute is None:
            bound = record is not None and isinstance(getattr(record.fields.get(role.name), "type", None), PartyType)
            if not bound:
                self._note(
                    node,
                    "action.by",
                    f"nothing says who is `{role.name}` here",
                    f"give the first record a field `{role.name}: Party`, or the role an attribute",
                )
        if action.creates is not None and action.creates != subject_type:
            self._note(node, "action.creates", f"the first record parameter is the `{action.creates}` to be made")

    # Types

    def _read_type(self, node: ast.expr) -> Type | None:
        match node:
            case ast.Name(id="int"):
                return IntType()
            case ast.Name(id="bool"):
                return BoolType()
            case ast.Name(id="Party"):
                return PartyType()
            case ast.Name(id="Amount"):
                return AmountType()
            case ast.Name(id="Hash"):
                return BytesType(32, 32)
            case ast.Name(id=name) if name in self._record_names:
                return ReferenceType(name)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=[first, second])):
                return self._read_bounded(node, name, first, second)
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                item = self._read_type(left)
                if item is None or isinstance(item, ReferenceType | OptionalType):
                    self._note(node, "type.optional", "only a plain type can be optional")
                    return None
                return OptionalType(item)
            case _:
                hint = "Text[1, 80], Int[0, 9], int, bool, Bytes[1, 32], Hash, Party, Amount, list[T, n], T | None"
                self._note(node, "type.unknown", "this is not a type of the dialect", hint)
                return None

    def _read_bounded(self, node: ast.expr, name: str, first: ast.expr, second: ast.expr) -> Type | None:
        if name == "list":
            item, most = self._read_type(first), _integer(second)
            if item is None:
                return None
            plain = item.item if isinstance(item, OptionalType) else item
            if most is None or not 0 < most <= LIST_ITEMS_MAX or isinstance(plain, ListType | ReferenceType):
                self._note(node, "type.list", f"a list reads `list[T, n]`, n at most {LIST_ITEMS_MAX}, T plain")
                return None
            return ListType(item, most)
        bounds = {
            "Text": (TextType, 0, TEXT_CHARS_MAX),
            "Bytes": (BytesType, 0, BYTES_MAX),
            "Int": (IntType, INTEGER_MIN, INTEGER_MAX),
        }.get(name)
        least, most = _integer(first), _integer(second)
        if bounds is None:
            self._note(node, "type.unknown", f"`{name}` takes no bounds")
            return None
        kind, low, high = bounds
        if least is None or most is None or not low <= least <= most <= high:
            self._note(node, "type.bounds", f"the bounds of {name} lie within {low} and {high}, least first")
            return None
        return kind(least, most)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _constant(node: ast.expr) -> object:
    """The value of a constant, a negative integer included; NotImplemented for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int | bool | None):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _constant(node.operand)
        if type(value) is int:
            return -value
    return NotImplemented


def _integer(node: ast.expr) -> int | None:
    value = _constant(node)
    return value if type(value) is int else None


def _strings(node: ast.expr) -> list[str] | None:
    if not isinstance(node, ast.List):
        return None
    values = [_constant(item) for item in node.elts]
    return [value for value in values if isinstance(value, str)] if all(isinstance(v, str) for v in values) else None


def _is_default(type_: Type, value: object) -> bool:
    match type_:
        case OptionalType():
            return value is None or _is_default(type_.item, value)
        case TextType():
            return isinstance(value, str) and type_.least <= len(value) <= type_.most
        case IntType():
            return type(value) is int and type_.least <= value <= type_.most
        case BoolType():
            return type(value) is bool
        case ListType():
            return value == []
        case _:
            return False
