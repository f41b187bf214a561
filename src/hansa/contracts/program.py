"""A file ready to run: its manifest, its digest, and the compiled, guarded functions.

`load` is the whole front end in order. Loading the same source again gives an equal program; whoever runs a
contract often keeps it.
"""

import ast
import hashlib
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

import msgspec

from hansa.contracts import checker, declarations, source
from hansa.contracts.checked import Checked
from hansa.contracts.codecs import Codec, Codecs
from hansa.contracts.declarations import Libraries
from hansa.contracts.findings import Findings
from hansa.contracts.guards import GUARDS
from hansa.contracts.manifest import (
    Action,
    ListType,
    Manifest,
    MapType,
    OptionalType,
    Parameter,
    RecordType,
    ReferenceType,
    StructType,
)
from hansa.contracts.names import CONTEXT
from hansa.contracts.operations import plain
from hansa.contracts.records import Migration
from hansa.contracts.rewriter import Rewriter, record_defaults, shape_name
from hansa.contracts.said import gather
from hansa.contracts.upgrade import carried_fields
from hansa.contracts.values import Shape

Function: TypeAlias = Callable[..., Any]

PLACE: Final = "__place"
"""What a module's namespace has its file's name and version under: how a fault's file is told."""


_COMPILED: Final[WeakKeyDictionary[Checked, dict[str, Function]]] = WeakKeyDictionary()
"""The functions of libraries that are at hand: a small file may use large ones, and pays for its own length alone."""


class Bound(msgspec.Struct, frozen=True):
    """A parameter as binding needs it: how a plain value is checked and converted, or the shape of its record.

    `is_made`: the record that the action makes, which no argument gives.
    """

    name: str
    is_made: bool
    is_optional: bool
    is_weighed: bool
    codec: Codec
    shape: Shape | None


class Procedure:
    """One action or view ready to run: its declaration, its function, and its parameters.

    The function takes a frame, a context and the parameters; `subject` is a position among these. `filled`: what a
    new record has, by field, with the position of the parameter that gives it; `role` the field for the creator.
    """

    __slots__ = ("action", "filled", "function", "names", "parameters", "returns", "role", "start", "subject", "to")

    def __init__(self, action: Action, codecs: Codecs, shapes: dict[str, Shape], function: Function) -> None:
        manifest = codecs.manifest
        self.action = action
        self.function = function
        self.names = frozenset(parameter.name for parameter in action.parameters)
        made = action.subject if action.creates is not None else None
        self.parameters = tuple(_bound(p, codecs, shapes, is_made=p is made) for p in action.parameters)
        self.returns = None if action.returns is None else codecs.of(action.returns)
        self.subject = None if action.subject is None else action.parameters.index(action.subject)
        self.to = action.to[0] if len(action.to) == 1 else None
        self.role: str | None = None
        self.filled: tuple[tuple[str, int], ...] = ()
        self.start: dict[str, Any] = {}
        if action.creates is not None:
            record = manifest.records[action.creates]
            positions = {p.name: i for i, p in enumerate(action.parameters) if p != action.subject}
            self.filled = tuple((name, positions[name]) for name in record.fields if name in positions)
            self.role = checker.creator_role(action, record, manifest.roles)
            self.start = record_defaults(record, codecs)


def _bound(parameter: Parameter, codecs: Codecs, shapes: dict[str, Shape], *, is_made: bool) -> Bound:
    type_ = parameter.type
    return Bound(
        parameter.name,
        is_made,
        isinstance(type_, OptionalType),
        isinstance(plain(type_), ListType | MapType | StructType),
        codecs.of(type_),
        shapes[type_.record] if isinstance(type_, ReferenceType) else None,
    )


class Program:
    """A loaded file. `functions` are those of its libraries too, as `alias.name`."""

    __slots__ = ("actions", "checked", "digest", "functions", "manifest", "shapes", "views")

    def __init__(
        self,
        checked: Checked,
        codecs: Codecs,
        shapes: dict[str, Shape],
        bodies: dict[str, Function],
        functions: dict[str, Function],
    ) -> None:
        manifest = self.manifest = checked.manifest
        self.checked = checked
        self.digest = checked.digest
        self.shapes = shapes
        self.functions = functions
        self.actions, self.views = (
            {name: Procedure(action, codecs, shapes, bodies[name]) for name, action in declared.items()}
            for declared in (manifest.actions, manifest.views)
        )

    def forget_bodies(self) -> None:
        """Lets go of the syntax trees and types, many times as large as what runs: no one compiles them again."""
        self.checked = msgspec.structs.replace(self.checked, bodies={}, types={})


def load(
    text: str,
    name: str,
    libraries: Libraries | None = None,
    before: Checked | None = None,
    *,
    system: bool = False,
) -> Program:
    """Checks and compiles a file under its name on the ledger.

    `libraries` are those it may use, `before` the version that it follows. Raises `ContractInvalid` with the first
    finding, `check` tells them all. `system` is for the contract in genesis alone.
    """
    return compiled(_front_end(text, name, libraries or {}, Findings(text, ends_at_first=True), system=system), before)


def check(text: str, name: str, libraries: Libraries | None = None, *, system: bool = False) -> Checked:
    """The front end without compiling, for people. Raises `ContractInvalid` with many findings and hints."""
    return _front_end(text, name, libraries or {}, Findings(text), system=system)


def compiled(checked: Checked, before: Checked | None = None) -> Program:
    """The program of a checked file that follows the version `before`."""
    manifest = checked.manifest
    codecs = Codecs(manifest)
    rewriter = Rewriter(checked, codecs)
    shapes = {name: Shape(codecs, record) for name, record in manifest.records.items()}
    version = manifest.version if manifest.kind == "contract" else checked.digest.hex()
    namespace: dict[str, Any] = {f"__{guard}": function for guard, function in GUARDS.items()}
    namespace |= {"__builtins__": {}, PLACE: (manifest.name, version)}
    namespace |= {shape_name(name): shape for name, shape in shapes.items()}
    for alias, library in checked.libraries.items():
        functions = _COMPILED.get(library) or compiled(library).functions
        namespace |= {rewriter.function_name(f"{alias}.{name}"): function for name, function in functions.items()}
    definitions = _definitions(checked, rewriter)
    code: CodeType = compile(ast.Module(list(definitions.values()), []), "<contract>", "exec", dont_inherit=True)
    namespace |= rewriter.namespace
    exec(code, namespace)  # noqa: S102 - checked, guarded definitions only; nothing runs here
    bodies = {key: namespace[node.name] for key, node in definitions.items()}
    for name, record in manifest.records.items():
        _give_rules(shapes[name], record, bodies)
        if before is not None and name in before.manifest.records:
            shapes[name].migrate = _migration(shapes[name], before.manifest, codecs, bodies.get(name))
    functions = {name: namespace[rewriter.function_name(name)] for name in manifest.functions}
    if manifest.kind == "library":
        _COMPILED[checked] = functions
    return Program(checked, codecs, shapes, bodies, functions)


def _definitions(checked: Checked, rewriter: Rewriter) -> dict[str, ast.FunctionDef]:
    """The guarded functions by the names of `Checked.bodies`."""
    manifest, bodies = checked.manifest, checked.bodies
    made: dict[str, ast.FunctionDef] = {}
    for name, action in {**manifest.actions, **manifest.views}.items():
        parameters = [CONTEXT, *(p.name for p in action.parameters)]
        made[name] = rewriter.function(f"__b_{name}", bodies[name], parameters, action.returns)
    for name, function in manifest.functions.items():
        if name in bodies:
            parameters = [p.name for p in function.parameters]
            made[name] = rewriter.function(rewriter.function_name(name), bodies[name], parameters, function.returns)
    for record in manifest.records.values():
        for invariant in record.invariants:
            key = f"{record.name}.{invariant.name}"
            made[key] = rewriter.function(f"__i{len(made)}", bodies[key], [invariant.parameter])
        if record.migration is not None:
            parameters = [record.migration.record, record.migration.old]
            made[record.name] = rewriter.function(f"__m_{record.name}", bodies[record.name], parameters)
    return made


def _give_rules(shape: Shape, record: RecordType, bodies: Mapping[str, Function]) -> None:
    shape.invariants = [bodies[f"{record.name}.{invariant.name}"] for invariant in record.invariants]


def _migration(shape: Shape, before: Manifest, codecs: Codecs, body: Function | None) -> Migration:
    now = codecs.manifest
    start = record_defaults(now.records[shape.name], codecs)
    return Migration(shape, carried_fields(before, now, shape.name), start, body)


def _front_end(text: str, name: str, libraries: Libraries, findings: Findings, *, system: bool) -> Checked:
    tree = source.parse(text, source.KERNEL_BYTES_MAX if system else source.SOURCE_BYTES_MAX)
    declared = declarations.read(tree, name, libraries, findings, system=system)
    types, places = checker.check_bodies(declared, findings, system=system)
    findings.raise_any()
    said = gather(places, {alias: library.manifest.said for alias, library in declared.libraries.items()})
    manifest = msgspec.structs.replace(declared.manifest, said=said)
    digest = hashlib.sha256(text.encode()).digest()
    return Checked(manifest, digest, declared.bodies, types, declared.libraries)
