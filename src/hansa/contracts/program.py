"""A contract ready to run: its manifest, its digest, and the compiled, guarded functions.

`load` is the whole front end in order. Loading the same source again gives an equal program; whoever runs a
contract often keeps it.
"""

import ast
import hashlib
from collections.abc import Callable
from types import CodeType
from typing import Any, Final, TypeAlias

import msgspec

from hansa.contracts import checker, declarations, source
from hansa.contracts.codecs import Codec, codec
from hansa.contracts.findings import Findings
from hansa.contracts.guards import GUARDS
from hansa.contracts.manifest import (
    ANY_MEMBER,
    Action,
    Manifest,
    OptionalType,
    Parameter,
    ReferenceType,
)
from hansa.contracts.rewriter import rewrite
from hansa.contracts.values import Shape

Function: TypeAlias = Callable[..., Any]

FILE_NAME: Final = "<contract>"
"""What compiled bodies give as their file: how a fault's line is told from ours."""


class Bound(msgspec.Struct, frozen=True):
    """A parameter as binding needs it: how a plain value is checked and converted, or the shape of its record."""

    name: str
    is_optional: bool
    codec: Codec
    shape: Shape | None


class Procedure:
    """One action or view ready to run: its declaration, its function, and its parameters.

    The function takes a frame, a context and the parameters; `created` and `subject` are positions among these.
    """

    __slots__ = ("action", "attribute", "created", "function", "names", "parameters", "returns", "role", "subject")

    def __init__(self, action: Action, manifest: Manifest, shapes: dict[str, Shape], function: Function) -> None:
        self.action = action
        self.function = function
        self.names = frozenset(parameter.name for parameter in action.parameters)
        self.parameters = tuple(_bound(parameter, shapes) for parameter in action.parameters)
        self.returns = None if action.returns is None else codec(action.returns)
        self.subject = None if action.subject is None else action.parameters.index(action.subject)
        self.created = self.subject if action.creates is not None else None
        self.role = None if action.role == ANY_MEMBER else action.role
        role = manifest.roles.get(action.role or "")
        self.attribute = None if role is None else role.attribute


def _bound(parameter: Parameter, shapes: dict[str, Shape]) -> Bound:
    type_ = parameter.type
    return Bound(
        parameter.name,
        isinstance(type_, OptionalType),
        codec(type_),
        shapes[type_.record] if isinstance(type_, ReferenceType) else None,
    )


class Program:
    """A loaded contract."""

    __slots__ = ("actions", "digest", "manifest", "shapes", "views")

    def __init__(self, manifest: Manifest, digest: bytes, functions: dict[str, Function]) -> None:
        self.manifest = manifest
        self.digest = digest
        self.shapes = {name: Shape(manifest.name, record) for name, record in manifest.records.items()}
        self.actions, self.views = (
            {name: Procedure(action, manifest, self.shapes, functions[name]) for name, action in declared.items()}
            for declared in (manifest.actions, manifest.views)
        )


def load(text: str, name: str, *, system: bool = False) -> Program:
    """Checks and compiles a contract file under its name on the ledger.

    Raises `ContractInvalid` with the first finding, `check` tells them all. `system` is for the contract in genesis
    alone.
    """
    manifest, bodies = _front_end(text, name, Findings(text, ends_at_first=True), system=system)
    functions = [rewrite(manifest.actions.get(key) or manifest.views[key], body) for key, body in bodies.items()]
    module = ast.Module(list(functions), [])
    code: CodeType = compile(module, FILE_NAME, "exec", dont_inherit=True)
    namespace: dict[str, Any] = {**GUARDS, "__builtins__": {}}
    exec(code, namespace)  # noqa: S102 - checked, guarded definitions only; nothing runs here
    digest = hashlib.sha256(text.encode()).digest()
    return Program(manifest, digest, {key: namespace[key] for key in bodies})


def check(text: str, name: str, *, system: bool = False) -> tuple[Manifest, dict[str, ast.FunctionDef]]:
    """The front end without compiling: the manifest and the checked bodies, for people.

    Raises `ContractInvalid` with many findings and hints.
    """
    return _front_end(text, name, Findings(text), system=system)


def _front_end(
    text: str, name: str, findings: Findings, *, system: bool
) -> tuple[Manifest, dict[str, ast.FunctionDef]]:
    tree = source.parse(text)
    manifest, bodies = declarations.read(tree, name, findings)
    checker.check_bodies(manifest, bodies, findings, system=system)
    findings.raise_any()
    return manifest, bodies
