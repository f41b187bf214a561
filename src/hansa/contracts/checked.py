"""A checked file: what the front end found, ready for either interpreter.

`types` has the static type of every expression that has a value; `None` alone has `OptionalType` of the type it stands
for where that is known. Bounds in these types mean nothing for values in bodies, only kinds count.
"""

import ast

import msgspec

from hansa.contracts.manifest import Manifest, Type


class Checked(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """A file without findings.

    `bodies`: actions, views and functions by name; an invariant as `Record.name`; a record's migration as `Record`.
    `libraries`: by alias. `digest`: SHA-256 of the source.
    """

    manifest: Manifest
    digest: bytes
    bodies: dict[str, ast.FunctionDef]
    types: dict[ast.expr, Type]
    libraries: dict[str, "Checked"]
