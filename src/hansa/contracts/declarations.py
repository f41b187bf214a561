"""Reads the declarations of a contract or library file: classes are read, never executed.

The result is the manifest and the syntax trees of the bodies, for the checker. What a file uses of libraries comes
from `Checked` files, found by the digest it pins.
"""

import ast
from collections.abc import Iterator, Mapping
from typing import Final, cast

import msgspec

from hansa.contracts import names, source
from hansa.contracts.annotations import Annotations, constant, dotted, is_record
from hansa.contracts.checked import Checked
from hansa.contracts.diagnostics import ContractInvalid, nearest
from hansa.contracts.findings import Findings
from hansa.contracts.manifest import (
    ANY_MEMBER,
    SCHEDULE,
    STATE_FIELD,
    Action,
    BoolType,
    Constant,
    Default,
    Enum,
    EnumType,
    Field,
    Function,
    Interface,
    IntType,
    Invariant,
    ListType,
    Manifest,
    MapType,
    Migration,
    OptionalType,
    Parameter,
    PartyType,
    Pin,
    RecordType,
    ReferenceType,
    Role,
    Struct,
    StructType,
    TextType,
    Type,
    is_index_type,
    is_key_type,
    taken,
)
from hansa.contracts.operations import UNKNOWN
from hansa.contracts.prices import INTEGER_BITS_MAX, TYPE_DEPTH_MAX, TYPE_FIELDS_MAX
from hansa.contracts.tree import nodes
from hansa.wire import names as wire_names
from hansa.wire.limits import ATTRIBUTE_CHARS_MAX, CONTRACT_NAME_CHARS_MAX

_PARAMETERS_MAX: Final = 32
"""Parameters of an action, view or function."""
_FIELDS_MAX: Final = 64
"""Fields of a record."""
_VALUES_MAX: Final = 64
"""Values of an enum."""
_LIBRARIES_MAX: Final = 16
"""Libraries that one file uses, those that they use counted."""
_LIBRARY_NAMES_MAX: Final = 1_024
"""What libraries declare, together: each name is taken over by whoever uses them, whose file may be small."""
_BASES: Final = ("Contract", "Record", "Struct", "Enum", "Interface")

Libraries = Mapping[bytes, Checked]
"""Library files by the SHA-256 of their source."""


class Declared(msgspec.Struct, frozen=True):
    """What a file declares, before its bodies are checked.

    `bodies` are named as `Checked.bodies` says, `libraries` by alias. `visible`: the declared types by the names that
    bodies know them by, which follow Python's scoping. `names`: all that the file declares outside bodies.
    `depths` and `sizes` of structs: see `Annotations`.
    """

    manifest: Manifest
    bodies: dict[str, ast.FunctionDef]
    libraries: dict[str, Checked]
    visible: dict[str, Type]
    names: frozenset[str]
    depths: dict[str, int]
    sizes: dict[str, int]


def read(tree: ast.Module, name: str, libraries: Libraries, findings: Findings, *, system: bool) -> Declared:
    """Reads a file named `name` on its ledger. What cannot be read is noted in `findings` and left out.

    `system`: the contract in genesis alone has a record with the name of a type, `User`.
    """
    return _Reader(libraries, findings, system=system).read(tree, name)


class _Reader:
    def __init__(self, libraries: Libraries, findings: Findings, *, system: bool) -> None:
        self._libraries = libraries
        self._shadowed = names.TYPES if system else frozenset[str]()
        self._note = findings.note
        self._annotations = Annotations(findings)
        self._imported: set[str] = set()
        self._names: set[str] = set()
        self._nested: set[str] = set()
        self._declared: set[str] = set()
        """All names that the file declares, from the start."""
        self._title = ""
        self._roles: dict[str, Role] = {}
        self._states: dict[str, str] = {}
        self._structs: dict[str, Struct] = {}
        self._enums: dict[str, Enum] = {}
        self._records: dict[str, RecordType] = {}
        self._functions: dict[str, Function] = {}
        self._interfaces: dict[str, Interface] = {}
        self._pins: dict[str, Pin] = {}
        self._taken = 0
        self._constants: dict[str, Constant] = {}
        self._bodies: dict[str, ast.FunctionDef] = {}
        self._used: dict[str, Checked] = {}

    def read(self, tree: ast.Module, name: str) -> Declared:
        self._declared = set(_declared_names(tree.body))
        classes: list[ast.ClassDef] = []
        functions: list[ast.FunctionDef] = []
        contract: ast.ClassDef | None = None
        imports_ended = False
        for index, node in enumerate(tree.body):
            if index == 0 and _is_docstring(node):
                continue
            if contract is not None:
                self._note(node, "file.statement", "nothing stands behind the contract's class")
            elif isinstance(node, ast.ImportFrom) and not imports_ended:
                self._read_import(node)
                continue
            elif isinstance(node, ast.Import) and not imports_ended:
                self._note(node, "file.statement", f"only `from {names.MODULE} import ...`")
                continue
            elif isinstance(node, ast.ClassDef):
                if self._base(node) == "Contract":
                    contract = node
                    self._title = node.name
                    self._claim(node, node.name)
                else:
                    classes.append(node)
            elif isinstance(node, ast.FunctionDef):
                functions.append(node)
            elif isinstance(node, ast.Assign):
                self._read_assignment(node)
            else:
                self._note(node, "file.statement", "a file holds imports, constants, classes and functions only")
            imports_ended = True
        nested, methods = self._contract_body(contract) if contract is not None else ([], [])
        self._read_classes(classes, nested, methods)
        self._check_imports(tree)
        for node in functions:
            self._read_pure(node)
        actions: dict[str, Action] = {}
        views: dict[str, Action] = {}
        for node in methods:
            self._claim(node, node.name)
            action = self._read_method(node)
            if action is not None:
                (views if action.is_view else actions)[action.name] = action
                self._bodies[action.name] = node
        self._check_states_used(methods)
        if contract is None and (self._records or self._interfaces):
            self._note(tree, "file.class", "a library declares structs, enums, constants and functions only")
        elif contract is None and not (functions or classes or self._constants):
            self._note(tree, "file.class", "a contract file ends with one class `Name(Contract, version=...)`")
        for action in (*actions.values(), *views.values()):
            self._check_states(next(node for node in methods if node.name == action.name), action)
        manifest = Manifest(
            kind="library" if contract is None else "contract",
            name=name,
            version="0.0.0" if contract is None else self._version(contract),
            doc=ast.get_docstring(tree) or "",
            title=self._title,
            roles=self._roles,
            structs=self._structs,
            enums=self._enums,
            records=self._records,
            actions=actions,
            views=views,
            functions=self._functions,
            interfaces=self._interfaces,
            libraries=self._pins,
            constants=self._constants,
        )
        named = self._annotations.named.items()
        visible = {n: type_ for n, type_ in named if n not in self._nested and n.count(".") <= 1}
        annotations = self._annotations
        return Declared(
            manifest,
            self._bodies,
            self._used,
            visible,
            frozenset(self._names),
            annotations.depths,
            annotations.sizes,
        )

    # The file

    def _read_import(self, node: ast.ImportFrom) -> None:
        if node.module != names.MODULE or node.level:
            hint = 'use a library by `alias = library("name", "its digest")`'
            self._note(node, "import.module", f"only `{names.MODULE}` can be imported from", hint)
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
        missing = names.IMPORTABLE - self._imported - self._names
        used = [node for node in nodes(tree) if isinstance(node, ast.Name) and node.id in missing]
        firsts: dict[str, ast.Name] = {}
        for node in sorted(used, key=lambda node: (node.lineno, node.col_offset)):
            if isinstance(node.ctx, ast.Load):
                firsts.setdefault(node.id, node)
        for name, node in firsts.items():
            self._note(node, "import.missing", f"`{name}` is not imported", f"from {names.MODULE} import {name}")

    def _claim(self, node: ast.AST, name: str) -> None:
        """Takes a name of the file for what `node` declares."""
        if name in self._names:
            self._note(node, "name.twice", f"`{name}` is declared twice")
        elif not names.is_free(name) and not (name in self._shadowed and isinstance(node, ast.ClassDef)):
            self._note(node, "name.reserved", f"`{name}` cannot be a name here")
        self._names.add(name)

    def _read_assignment(self, node: ast.Assign) -> None:
        """`NAME = constant` and `alias = library("name", "digest")`."""
        if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            self._note(node, "file.statement", "a constant reads `NAME = value`")
            return
        name = node.targets[0].id
        self._claim(node, name)
        if isinstance(node.value, ast.Call) and _is_name(node.value.func, "library"):
            self._read_library(node.value, name)
            return
        value = constant(node.value)
        if not isinstance(value, str | int | bool) or (type(value) is int and abs(value) > INTEGER_BITS_MAX):
            self._note(node.value, "constant.value", "a constant is text, a whole number, True or False")
            return
        self._constants[name] = value

    def _read_library(self, node: ast.Call, alias: str) -> None:
        pinned = _pinned(node)
        if pinned is None:
            self._note(node, "library.form", 'a library is used by `library("name", "64 hexadecimal digits")`')
            return
        name, digest = pinned
        found = self._libraries.get(digest)
        if found is None:  # the digest says which; by what name it was deployed does not matter
            hint = "give its file with --library FILE, or deploy it first; check the digest of its file"
            self._note(node, "library.unknown", f"there is no library `{name}` of this digest", hint)
            return
        if sum(map(_libraries_in, self._used.values())) + _libraries_in(found) > _LIBRARIES_MAX:
            message = f"a file uses at most {_LIBRARIES_MAX} libraries, those that they use counted"
            self._note(node, "library.count", message)
            return
        its = found.manifest
        self._taken += len(its.functions) + len(its.structs) + len(its.enums) + len(its.constants)
        if self._taken > _LIBRARY_NAMES_MAX:
            self._note(
                node, "library.count", f"libraries of a file declare at most {_LIBRARY_NAMES_MAX} names together"
            )
            return
        self._pins[alias] = Pin(name, digest, node.lineno)
        self._used[alias] = found
        self._take_library(alias, found.manifest)

    def _take_library(self, alias: str, manifest: Manifest) -> None:
        """What a library declares becomes known as `alias.Name`."""
        for enum in manifest.enums.values():
            full = f"{alias}.{enum.name}"
            self._enums[full] = msgspec.structs.replace(enum, name=full)
            self._annotations.named[full] = EnumType(full)
        for struct in manifest.structs.values():
            full = f"{alias}.{struct.name}"
            fields = {f.name: msgspec.structs.replace(f, type=taken(alias, f.type)) for f in struct.fields.values()}
            self._structs[full] = msgspec.structs.replace(struct, name=full, fields=fields)
            self._annotations.named[full] = StructType(full)
            self._annotations.depths[full] = self._struct_depth(fields)
            self._annotations.sizes[full] = self._struct_size(fields)
        for function in manifest.functions.values():
            full = f"{alias}.{function.name}"
            parameters = tuple(msgspec.structs.replace(p, type=taken(alias, p.type)) for p in function.parameters)
            returns = taken(alias, function.returns)
            self._functions[full] = msgspec.structs.replace(function, name=full, parameters=parameters, returns=returns)
        for name, value in manifest.constants.items():
            self._constants[f"{alias}.{name}"] = value

    def _struct_depth(self, fields: dict[str, Field]) -> int:
        return 1 + max((self._annotations.depth(field.type) for field in fields.values()), default=0)

    def _struct_size(self, fields: dict[str, Field]) -> int:
        return sum(self._annotations.size(field.type) for field in fields.values())

    def _base(self, node: ast.ClassDef) -> str:
        """What kind of class this is; empty, and a finding, if it is none."""
        for decorator in node.decorator_list:
            self._note(decorator, "class.decorator", "a class has no decorators")
        if getattr(node, "type_params", None):  # from Python 3.12 on
            self._note(node, "type.unknown", "type parameters are not in the dialect")
        base = node.bases[0].id if len(node.bases) == 1 and isinstance(node.bases[0], ast.Name) else ""
        if base in _BASES:
            return base
        hint = nearest(base, _BASES) if base else "Contract, Record, Struct, Enum or Interface"
        self._note(node, "class.base", f"`{node.name}` is no class of the dialect", hint)
        return ""

    def _version(self, node: ast.ClassDef) -> str:
        version = "0.0.0"
        for keyword in node.keywords:
            value = constant(keyword.value)
            if keyword.arg == "version" and isinstance(value, str) and wire_names.is_version(value):
                version = value
            else:
                self._note(keyword, "contract.version", "`version` is three numbers, such as `1.0.0`")
        if not node.keywords:
            self._note(node, "contract.version", "the version is missing", 'class Name(Contract, version="1.0.0")')
        return version

    def _contract_body(self, node: ast.ClassDef) -> tuple[list[ast.ClassDef], list[ast.FunctionDef]]:
        body = node.body[1:] if _is_docstring(node.body[0]) else node.body
        for item in body:
            if not isinstance(item, ast.ClassDef | ast.FunctionDef | ast.Pass):
                self._note(
                    item, "contract.statement", "a contract holds roles, states, records, actions and views only"
                )
        nested = [item for item in body if isinstance(item, ast.ClassDef)]
        for item in nested:
            if item.name == names.ROLES:
                self._read_roles(item)
            elif item.name == names.STATES:
                self._states = self._read_states(item)
        return (
            [item for item in nested if item.name not in (names.ROLES, names.STATES)],
            [item for item in body if isinstance(item, ast.FunctionDef)],
        )

    def _read_classes(
        self, outer: list[ast.ClassDef], nested: list[ast.ClassDef], methods: list[ast.FunctionDef]
    ) -> None:
        """Enums first, then structs in order, then records, which may refer to each other; then interfaces."""
        kinds: dict[str, list[ast.ClassDef]] = {base: [] for base in _BASES}
        for node in (*outer, *nested):
            self._claim(node, node.name)
            base = self._base(node)
            if base == "Contract" or (base == "Interface" and node in nested):
                self._note(node, "class.base", f"`{node.name}` cannot stand here")
            elif base:
                kinds[base].append(node)
        self._nested = {node.name for node in nested}
        for node in kinds["Record"]:
            self._name_type(node.name, ReferenceType(node.name))
        for node in kinds["Enum"]:
            self._read_enum(node)
        for node in kinds["Struct"]:
            self._read_struct(node)
        created = _created_to(methods)
        for node in kinds["Record"]:
            self._read_record(node, created)
        for node in kinds["Interface"]:
            self._read_interface(node)

    def _name_type(self, name: str, type_: Type) -> None:
        self._annotations.named[name] = type_
        if name in self._nested:
            self._annotations.named[f"{self._title}.{name}"] = type_

    # Roles, states, enums

    def _read_roles(self, node: ast.ClassDef) -> None:
        self._plain_class(node)
        for item in _members(node):
            if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name):
                self._note(item, "role.form", "a role reads `name: Party` or `name: Party = Party(attribute=...)`")
                continue
            name = item.target.id
            if not names.is_free(name) or name in (ANY_MEMBER, SCHEDULE):
                self._note(item, "name.reserved", f"`{name}` cannot be a name here")
            if not _is_name(item.annotation, "Party"):
                self._note(item.annotation, "role.form", "a role is a `Party`")
            if name in self._roles:
                self._note(item, "name.twice", f"the role `{name}` is declared twice")
            rule = self._role_rule(item.value) if item.value is not None else {}
            self._roles[name] = Role(name, rule.get("attribute"), rule.get("user"), rule.get("contract"), item.lineno)

    def _role_rule(self, node: ast.expr) -> dict[str, str]:
        if isinstance(node, ast.Call) and _is_name(node.func, "Party") and not node.args and len(node.keywords) == 1:
            word, value = node.keywords[0].arg, constant(node.keywords[0].value)
            if isinstance(value, str) and word in ("attribute", "user") and 0 < len(value) <= ATTRIBUTE_CHARS_MAX:
                return {word: value}
            if isinstance(value, str) and word == "contract" and wire_names.is_contract(value):
                return {word: value}
        hint = 'Party(attribute="licence:bank"), Party(user="role:clerk") or Party(contract="settlement")'
        self._note(node, "role.form", "a role's rule names an attribute, a user's attribute or a contract", hint)
        return {}

    def _plain_class(self, node: ast.ClassDef) -> None:
        if node.bases or node.keywords or node.decorator_list or getattr(node, "type_params", None):
            self._note(node, "class.base", f"`{node.name}` is a class without bases")

    def _read_states(self, node: ast.ClassDef) -> dict[str, str]:
        self._plain_class(node)
        found: dict[str, str] = {}
        for item in _members(node):
            name, text = _annotated(item) if isinstance(item, ast.AnnAssign) else _assigned(item)
            if name is None or not isinstance(text, str):
                self._note(item, "state.form", 'a state reads `Name = "what it says"`')
                continue
            self._add_value(item, name, text, found)
        if not found:
            self._note(node, "state.form", "there is no state")
        return found

    def _read_enum(self, node: ast.ClassDef) -> None:
        if node.keywords:
            self._note(node, "class.base", "an enum has no options")
        found: dict[str, str] = {}
        for item in _members(node):
            name, text = _assigned(item)
            if name is None or not isinstance(text, str):
                self._note(item, "enum.form", 'a value reads `Name = "what it says"`')
                continue
            self._add_value(item, name, text, found)
        if not found:
            self._note(node, "enum.form", "an enum has a value at least")
        self._enums[node.name] = Enum(node.name, found, node.lineno)
        self._name_type(node.name, EnumType(node.name))

    def _add_value(self, node: ast.stmt, name: str, text: str, found: dict[str, str]) -> None:
        if name in found:
            self._note(node, "name.twice", f"`{name}` is declared twice")
        elif not names.is_free(name):
            self._note(node, "name.reserved", f"`{name}` cannot be a name here")
        elif len(found) == _VALUES_MAX:
            self._note(node, "enum.count", f"more than {_VALUES_MAX} values")
        found[name] = text

    # Structs and records

    def _read_struct(self, node: ast.ClassDef) -> None:
        if node.keywords:
            self._note(node, "class.base", "a struct has no options")
        fields: dict[str, Field] = {}
        for item in _members(node):
            self._add_field(item, fields, references=False)
        if not fields:
            self._note(node, "struct.fields", "a struct has a field at least")
        self._count_fields(node, fields)
        depth, size = self._struct_depth(fields), self._struct_size(fields)
        if depth > TYPE_DEPTH_MAX:
            self._note(node, "type.depth", f"types in each other more than {TYPE_DEPTH_MAX} deep")
        if size > TYPE_FIELDS_MAX:
            self._note(node, "type.size", f"{size} fields, those in it counted; at most {TYPE_FIELDS_MAX}")
        self._structs[node.name] = Struct(node.name, fields, ast.get_docstring(node) or "", node.lineno)
        self._annotations.depths[node.name] = depth
        self._annotations.sizes[node.name] = min(size, TYPE_FIELDS_MAX)
        self._name_type(node.name, StructType(node.name))

    def _count_fields(self, node: ast.ClassDef, fields: dict[str, Field]) -> None:
        if len(fields) > _FIELDS_MAX:
            self._note(node, "record.fields", f"{len(fields)} fields; at most {_FIELDS_MAX}")

    def _read_record(self, node: ast.ClassDef, created: set[str]) -> None:
        key, indexes = self._record_options(node)
        fields: dict[str, Field] = {}
        states = self._states if node.name in created else {}
        invariants: list[Invariant] = []
        migration: Migration | None = None
        for item in _members(node):
            if isinstance(item, ast.ClassDef) and item.name == names.STATES:
                states = self._read_states(item)
            elif isinstance(item, ast.FunctionDef) and _has_decorator(item, "invariant"):
                invariants += self._read_invariant(item, node.name, fields)
            elif isinstance(item, ast.FunctionDef) and _has_decorator(item, "migration"):
                if migration is not None:
                    self._note(item, "name.twice", "a record has one migration: from the version before")
                migration = self._read_migration(item, node.name)
            else:
                self._add_field(item, fields, references=True)
        if states and STATE_FIELD in fields:
            self._note(node, "name.reserved", "`state` is the record's own: declare no field of this name")
        self._count_fields(node, fields)
        self._check_keys(node, key, indexes, fields)
        doc = ast.get_docstring(node) or ""
        self._records[node.name] = RecordType(
            node.name, key, fields, tuple(indexes), states, tuple(invariants), migration, doc, node.lineno
        )

    def _record_options(self, node: ast.ClassDef) -> tuple[str, list[str]]:
        key, indexes = "", list[str]()
        for keyword in node.keywords:
            if keyword.arg == "key" and isinstance(value := constant(keyword.value), str):
                key = value
            elif keyword.arg == "index" and (found := _strings(keyword.value)) is not None:
                indexes = found
            else:
                self._note(keyword, "record.option", 'a record has `key="field"` and `index=["field", ...]`')
        return key, indexes

    def _check_keys(self, node: ast.ClassDef, key: str, indexes: list[str], fields: dict[str, Field]) -> None:
        if key not in fields:
            message, hint = f"the key `{key}` is not a field", nearest(key, fields)
            if not node.keywords:
                message, hint = "a record has a key", f'class {node.name}(Record, key="id"):'
            self._note(node, "record.key", message, hint)
            fields[key] = Field(key, TextType(1, 1), True, None, node.lineno)  # so that bodies can be read on
        elif fields[key].type != UNKNOWN and not (is_key_type(fields[key].type) and fields[key].required):
            hint = "a key is Text of at most 100 characters, Bytes of at most 400, Int, Date, Party, User or an enum"
            self._note(node, "record.key", f"`{key}` cannot be a key: its type or bounds do not fit", hint)
        for name in indexes:
            if name not in fields:
                self._note(node, "record.index", f"the index `{name}` is not a field", nearest(name, fields))
            elif fields[name].type != UNKNOWN and not is_index_type(fields[name].type):
                hint = "index what can be a key, bool, Instant, Duration, or a reference"
                self._note(node, "record.index", f"`{name}` cannot be indexed: its type or bounds do not fit", hint)
        if len(set(indexes)) != len(indexes):
            self._note(node, "record.index", "a field is indexed twice")

    def _add_field(self, item: ast.stmt, fields: dict[str, Field], *, references: bool) -> None:
        if not isinstance(item, ast.AnnAssign) or not isinstance(item.target, ast.Name) or not item.simple:
            self._note(item, "field.form", "a field reads `name: Type` or `name: Type = default`")
            return
        name = item.target.id
        if not names.is_field(name):
            self._note(item, "name.reserved", f"`{name}` cannot be a name here")
        if name in fields:
            self._note(item, "name.twice", f"the field `{name}` is declared twice")
        type_ = self._annotations.read(item.annotation)
        if is_record(type_) and not references:
            self._note(item.annotation, "field.type", "a struct holds no records", "keep the record's key")
            return
        default: object = None
        if item.value is not None and type_ != UNKNOWN:
            default = self._default(item.value, type_)
            if default is NotImplemented:
                message = "the default is a constant of the field's type"
                self._note(item.value, "field.default", message, _default_hint(item.value, type_))
                default = None
        fields[name] = Field(name, type_, item.value is None, cast("Default", default), item.lineno)

    def _default(self, node: ast.expr, type_: Type) -> object:
        """The plain form of a default; NotImplemented if it does not fit."""
        if isinstance(type_, OptionalType):
            is_none = isinstance(node, ast.Constant) and node.value is None
            return None if is_none else self._default(node, type_.item)
        match type_:
            case ListType() if isinstance(node, ast.List) and not node.elts:
                return []
            case MapType() if isinstance(node, ast.Dict) and not node.keys:
                return {}
            case EnumType():
                enum, _, value = dotted(node).rpartition(".")
                return (
                    value if self._annotations.named.get(enum) == type_ and self._has(type_, value) else NotImplemented
                )
            case TextType() | IntType() | BoolType():
                value = constant(node)
                if isinstance(node, ast.Name | ast.Attribute):
                    value = self._constants.get(dotted(node), NotImplemented)
                return value if _is_plain(type_, value) else NotImplemented
            case _:
                return NotImplemented

    def _has(self, type_: EnumType, value: str) -> bool:
        return value in self._enums[type_.enum].values

    def _read_invariant(self, node: ast.FunctionDef, record: str, fields: dict[str, Field]) -> list[Invariant]:
        arguments = self._plain_parameters(node)
        if len(arguments) != 1 or arguments[0].annotation is not None or node.returns is not None:
            self._note(node, "invariant.form", "an invariant reads `def name(record):`, without types")
            return []
        if not names.is_free(node.name) or f"{record}.{node.name}" in self._bodies or node.name in fields:
            self._note(node, "name.reserved", f"`{node.name}` cannot be a name here")
        self._check_parameter_name(arguments[0])
        self._bodies[f"{record}.{node.name}"] = node
        return [Invariant(node.name, arguments[0].arg, node.lineno)]

    def _read_migration(self, node: ast.FunctionDef, record: str) -> Migration | None:
        arguments = self._plain_parameters(node)
        if len(arguments) != 2 or arguments[0].annotation is not None or node.returns is not None:
            self._note(node, "migration.form", "a migration reads `def name(record, old: OldRecord):`")
            return None
        annotation = arguments[1].annotation
        old = None if annotation is None else self._annotations.read(annotation)
        if old == UNKNOWN:
            return None
        if not isinstance(old, StructType):
            self._note(node, "migration.form", "`old` is a struct with the fields of the record before")
            return None
        for argument in arguments:
            self._check_parameter_name(argument)
        self._bodies[record] = node
        return Migration(arguments[0].arg, arguments[1].arg, old.struct, node.lineno)

    # Functions, actions, views, interfaces

    def _read_pure(self, node: ast.FunctionDef) -> None:
        self._claim(node, node.name)
        for decorator in node.decorator_list:
            self._note(decorator, "function.decorator", "a function of a file has no decorators")
        parameters = self._read_parameters(node, self._plain_parameters(node))
        returns = None if node.returns is None else self._annotations.read(node.returns)
        if node.returns is None:
            self._note(node, "function.returns", "a function says what it returns", "def name(...) -> Type:")
        if any(is_record(p.type) for p in parameters) or (returns is not None and is_record(returns)):
            self._note(
                node, "function.records", "a function takes and returns values, no records", "pass what it needs"
            )
            return
        if returns is not None:
            doc = ast.get_docstring(node) or ""
            self._functions[node.name] = Function(node.name, parameters, returns, doc, node.lineno)
            self._bodies[node.name] = node

    def _read_method(self, node: ast.FunctionDef) -> Action | None:
        decorator = node.decorator_list[0] if len(node.decorator_list) == 1 else None
        is_view = decorator is not None and _is_name(decorator, "view")
        by: tuple[str, ...] = ()
        options: dict[str, tuple[str, ...]] = {}
        if not is_view:
            if not isinstance(decorator, ast.Call) or not _is_name(decorator.func, "action"):
                hint = "" if node.decorator_list else "a function of values alone stands before the class"
                self._note(node, "action.decorator", "a function here is an `@action(by=...)` or a `@view`", hint)
                return None
            options = self._action_options(decorator)
            by = options.get("by", ())
        parameters = self._context_parameters(node)
        returns = None if node.returns is None else self._annotations.read(node.returns)
        if is_view and node.returns is None:
            self._note(node, "view.returns", "a view says what it returns", "def name(tx, ...) -> Type:")
        if is_view and returns is not None and is_record(returns):
            self._note(node, "view.returns", "a view returns values, no records", "return the record's key")
            returns = None
        if not is_view and node.returns is not None:
            self._note(node, "action.returns", "an action returns nothing; emit an event or offer a view")
        if (is_view and returns is None) or (not is_view and not by):
            return None
        creates = options.get("creates", ())
        doc = ast.get_docstring(node) or ""
        found = Action(
            name=node.name,
            by=by,
            creates=creates[0] if creates else None,
            on=options.get("on", ()),
            to=options.get("to", ()),
            parameters=parameters,
            returns=returns,
            doc=doc,
            line=node.lineno,
        )
        self._check_subject(node, found)
        return found

    def _action_options(self, node: ast.Call) -> dict[str, tuple[str, ...]]:
        for argument in node.args:
            self._note(argument, "action.option", "options of an action are named")
        found: dict[str, tuple[str, ...]] = {}
        for keyword in node.keywords:
            value = constant(keyword.value)
            texts = [value] if isinstance(value, str) else _strings(keyword.value)
            if keyword.arg not in ("by", "creates", "on", "to") or not texts or len(set(texts)) != len(texts):
                hint = nearest(keyword.arg or "**", ("by", "creates", "on", "to"))
                self._note(keyword, "action.option", f"an action has no option `{keyword.arg}` of this form", hint)
            elif keyword.arg == "creates" and (len(texts) != 1 or not self._is_record_name(texts[0])):
                self._note(keyword, "action.creates", f"no record `{texts[0]}`", nearest(texts[0], self._records))
            else:
                found[keyword.arg] = tuple(texts)
        if "by" not in found:
            self._note(node, "action.by", "an action says who may take it", '@action(by="member") for anyone')
        for role in found.get("by", ()):
            if role not in (ANY_MEMBER, SCHEDULE) and role not in self._roles:
                self._note(node, "action.by", f"there is no role `{role}`", nearest(role, self._roles))
                found.pop("by", None)
        return found

    def _is_record_name(self, name: str) -> bool:
        return isinstance(self._annotations.named.get(name), ReferenceType)

    def _plain_parameters(self, node: ast.FunctionDef) -> list[ast.arg]:
        arguments = node.args
        odd = [*arguments.posonlyargs, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        if any(odd) or arguments.defaults or arguments.kw_defaults:
            self._note(node, "parameter.form", "parameters are plain: no defaults, stars or slashes")
        if getattr(node, "type_params", None):
            self._note(node, "type.unknown", "type parameters are not in the dialect")
        if len(arguments.args) > _PARAMETERS_MAX:
            self._note(node, "parameter.count", f"more than {_PARAMETERS_MAX} parameters")
        return arguments.args

    def _context_parameters(self, node: ast.FunctionDef) -> tuple[Parameter, ...]:
        arguments = self._plain_parameters(node)
        if not arguments or arguments[0].arg != names.CONTEXT or arguments[0].annotation:
            self._note(node, "parameter.context", "the first parameter is `tx`, without a type")
        return self._read_parameters(node, arguments[1:])

    def _check_parameter_name(self, argument: ast.arg) -> None:
        if not names.is_free(argument.arg) or argument.arg in self._declared:
            self._note(argument, "name.reserved", f"`{argument.arg}` cannot be a name here")

    def _read_parameters(self, node: ast.FunctionDef, arguments: list[ast.arg]) -> tuple[Parameter, ...]:
        found: list[Parameter] = []
        for argument in arguments:
            self._check_parameter_name(argument)
            if argument.annotation is None:
                self._note(argument, "parameter.type", f"`{argument.arg}` has no type")
                continue
            type_ = self._annotations.read(argument.annotation)
            if isinstance(type_, OptionalType) and isinstance(type_.item, ReferenceType):
                self._note(argument, "parameter.type", "a record parameter is not optional")
            else:
                found.append(Parameter(argument.arg, type_, argument.lineno))
        if len({p.name for p in found}) != len(found):
            self._note(node, "name.twice", "a parameter is named twice")
        return tuple(found)

    def _check_subject(self, node: ast.FunctionDef, action: Action) -> None:
        """Each role can be told from the first record, and a created record is that first one."""
        if _has_unknown(action):
            return
        record = self._subject_record(action)
        for name in action.by:
            role = self._roles.get(name)
            if role is None or role.attribute or role.user or role.contract:
                continue
            field = None if record is None else record.fields.get(name)
            if field is None or field.type not in (PartyType(), UNKNOWN):
                hint = f"give the first record a field `{name}: Party`, or the role an attribute"
                self._note(node, "action.by", f"nothing says who is `{name}` here", hint)
        subject = action.subject
        subject_type = subject.type.record if subject and isinstance(subject.type, ReferenceType) else None
        if action.creates is not None and action.creates != subject_type:
            self._note(node, "action.creates", f"the first record parameter is the `{action.creates}` to be made")
        if SCHEDULE in action.by and (action.creates is not None or subject is None or len(action.parameters) != 1):
            hint = "def name(tx, record: Record):"
            self._note(node, "action.by", "what is scheduled takes one record and nothing else", hint)

    def _subject_record(self, action: Action) -> RecordType | None:
        subject = action.subject
        if subject is None or not isinstance(subject.type, ReferenceType):
            return None
        return self._records.get(subject.type.record)

    def _check_states_used(self, methods: list[ast.FunctionDef]) -> None:
        """A contract's states belong to some record."""
        if self._states and not any(record.states for record in self._records.values()):
            node = methods[0] if methods else ast.Module([], [])
            self._note(node, "state.unused", "no action creates a record with a state", 'creates="Record", to="State"')

    def _check_states(self, node: ast.FunctionDef, action: Action) -> None:
        record = self._subject_record(action)
        states = {} if record is None else record.states
        if _has_unknown(action):
            return
        if (action.on or action.to) and not states:
            self._note(node, "action.state", "`on` and `to` need a first record with states")
            return
        for state in (*action.on, *action.to):
            if state not in states:
                self._note(node, "action.state", f"there is no state `{state}`", nearest(state, states))
        if action.creates is not None and states and (action.on or len(action.to) != 1):
            self._note(node, "action.state", "an action that creates a record with states says one `to`, and no `on`")

    def _read_interface(self, node: ast.ClassDef) -> None:
        value = constant(node.keywords[0].value) if len(node.keywords) == 1 else None
        if not node.keywords or node.keywords[0].arg != "contract" or not isinstance(value, str):
            self._note(node, "interface.form", 'an interface reads `class Name(Interface, contract="name")`')
            return
        if not wire_names.is_contract(value) or len(value) > CONTRACT_NAME_CHARS_MAX:
            self._note(node.keywords[0], "interface.form", f"`{value[:48]}` cannot be the name of a contract")
        actions: dict[str, tuple[Parameter, ...]] = {}
        views: dict[str, Function] = {}
        for item in _members(node):
            if not isinstance(item, ast.FunctionDef) or not _is_declared_only(item):
                self._note(item, "interface.form", "an interface holds `@action` and `@view` functions, bodies `...`")
                continue
            if item.name in actions or item.name in views or not names.is_free(item.name):
                self._note(item, "name.twice", f"`{item.name}` cannot be a name here")
            parameters = self._context_parameters(item)
            if any(is_record(p.type) for p in parameters):
                self._note(item, "interface.form", "records of other contracts are named by their keys")
            if _has_decorator(item, "action") and item.returns is None:
                actions[item.name] = parameters
            elif _has_decorator(item, "view") and item.returns is not None:
                returns = self._annotations.read(item.returns)
                if not is_record(returns):
                    views[item.name] = Function(item.name, parameters, returns, "", item.lineno)
            else:
                has_options = any(isinstance(decorator, ast.Call) for decorator in item.decorator_list)
                hint = "without `by` here: `@action`" if has_options else ""
                self._note(item, "interface.form", "an action returns nothing, a view says what it returns", hint)
        self._interfaces[node.name] = Interface(node.name, value, actions, views, node.lineno)


def _has_unknown(action: Action) -> bool:
    """Whether what was found about a parameter leaves open which record the action is about."""
    return any(parameter.type == UNKNOWN for parameter in action.parameters)


def _default_hint(node: ast.expr, type_: Type) -> str:
    """What to write for a default that does not fit."""
    bare = type_.item if isinstance(type_, OptionalType) else type_
    value = constant(node)
    match bare:
        case _ if value is None:
            return "what may be None is `T | None`"
        case EnumType():
            return f"name one of its values: `{bare.enum}.Name`"
        case TextType() if isinstance(value, str):
            return f"it has {len(value)} characters, {bare.least} to {bare.most} fit"
        case IntType() if type(value) is int:
            return f"{bare.least} to {bare.most} fit"
        case ListType() | MapType():
            return "a list starts as `[]`, a map as `{}`"
        case TextType() | IntType() | BoolType():
            return ""
        case _:
            return "only text, numbers, booleans, enums, `[]`, `{}` and None can be defaults"


def pins(text: str) -> list[bytes]:
    """The digests of the libraries that a file's text uses, each once, in order; none of what is no file at all."""
    try:
        tree = source.parse(text)
    except ContractInvalid:
        return []
    calls = (node.value for node in tree.body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call))
    found = (_pinned(call) for call in calls if _is_name(call.func, "library"))
    return list(dict.fromkeys(pinned[1] for pinned in found if pinned is not None))


def _pinned(node: ast.Call) -> tuple[str, bytes] | None:
    """The name and digest that `library("name", "digest")` pins; None if it has not this form."""
    values = [constant(argument) for argument in node.args]
    if len(values) != 2 or node.keywords:
        return None
    name, digits = values
    if not isinstance(name, str) or not wire_names.is_contract(name):
        return None
    if not isinstance(digits, str) or not wire_names.is_digest_hex(digits):
        return None
    return name, bytes.fromhex(digits)


def _libraries_in(checked: Checked) -> int:
    """A library, and all that it uses: each as often as it is met, since as often it is read."""
    return 1 + sum(map(_libraries_in, checked.libraries.values()))


def _declared_names(body: list[ast.stmt]) -> Iterator[str]:
    """The names that statements outside functions declare, those in a contract's class too."""
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            if any(_is_name(base, "Contract") for base in node.bases):
                yield from _declared_names(node.body)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _created_to(methods: list[ast.FunctionDef]) -> set[str]:
    """The record types that some action creates with `to`."""
    found: set[str] = set()
    for node in methods:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call):
                options = {keyword.arg: constant(keyword.value) for keyword in decorator.keywords}
                creates = options.get("creates")
                if isinstance(creates, str) and "to" in options:
                    found.add(creates)
    return found


def _members(node: ast.ClassDef) -> list[ast.stmt]:
    """What a class holds, docstring and `pass` aside."""
    body = node.body[1:] if _is_docstring(node.body[0]) else node.body
    return [item for item in body if not isinstance(item, ast.Pass)]


def _assigned(node: ast.stmt) -> tuple[str | None, object]:
    """The name and the constant of `name = constant`; None for the name of anything else."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
        return None, None
    return node.targets[0].id, constant(node.value)


def _annotated(node: ast.AnnAssign) -> tuple[str | None, object]:
    """The same of `name: constant`: states as they were written first."""
    if node.value is not None or not isinstance(node.target, ast.Name):
        return None, None
    return node.target.id, constant(node.annotation)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_declared_only(node: ast.FunctionDef) -> bool:
    body = node.body[1:] if _is_docstring(node.body[0]) else node.body
    return all(
        isinstance(item, ast.Pass)
        or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant) and item.value.value is ...)
        for item in body
    )


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _has_decorator(node: ast.FunctionDef, name: str) -> bool:
    return len(node.decorator_list) == 1 and _is_name(node.decorator_list[0], name)


def _strings(node: ast.expr) -> list[str] | None:
    if not isinstance(node, ast.List):
        return None
    values = [constant(item) for item in node.elts]
    return [value for value in values if isinstance(value, str)] if all(isinstance(v, str) for v in values) else None


def _is_plain(type_: TextType | IntType | BoolType, value: object) -> bool:
    match type_:
        case TextType():
            return isinstance(value, str) and type_.least <= len(value) <= type_.most
        case IntType():
            return type(value) is int and type_.least <= value <= type_.most
        case BoolType():
            return type(value) is bool
