"""The nodes of a syntax tree, all of them in one list: what the front end goes over a file with, again and again.

`ast.walk` gives the same in the same order and takes four times as long. And how nodes are called in findings: as they
are written, not by Python's names for them. Used by the front end; changes nothing.
"""

import ast
from collections.abc import Mapping
from typing import Any, Final, cast

_LEAVES: Final = frozenset(
    (
        *(int, str, bool, type(None)),
        *(
            kind
            for of in (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
            for kind in of.__subclasses__()
        ),
    )
)
"""What is in nodes and no node of interest: places in the file, names, operators."""


_WRITTEN: Final[Mapping[str, str]] = {
    "Import": "`import`",
    "ImportFrom": "`import`",
    "While": "`while`",
    "Try": "`try`",
    "TryStar": "`try`",
    "With": "`with`",
    "AsyncWith": "`async`",
    "AsyncFor": "`async`",
    "AsyncFunctionDef": "`async`",
    "FunctionDef": "a function here",
    "ClassDef": "a class here",
    "Delete": "`del`",
    "Global": "`global`",
    "Nonlocal": "`nonlocal`",
    "Assert": "`assert`",
    "Raise": "`raise`",
    "Match": "`match`",
    "TypeAlias": "`type`",
    "For": "`else` of a loop",
    "Assign": "several `=` in a line",
    "AnnAssign": "a type without a value, or of what is no name",
    "Div": "`/`",
    "Pow": "`**`",
    "LShift": "`<<`",
    "RShift": "`>>`",
    "BitOr": "`|`",
    "BitAnd": "`&`",
    "BitXor": "`^`",
    "MatMult": "`@`",
    "Invert": "`~`",
    "UAdd": "`+` in front",
    "Lambda": "`lambda`",
    "Tuple": "a tuple",
    "Set": "a set",
    "ListComp": "a comprehension",
    "SetComp": "a comprehension",
    "DictComp": "a comprehension",
    "GeneratorExp": "a comprehension",
    "NamedExpr": "`:=`",
    "Yield": "`yield`",
    "YieldFrom": "`yield`",
    "Await": "`await`",
    "Starred": "`*`",
    "JoinedStr": "an f-string",
    "Slice": "a slice here",
}


def written(node: ast.AST) -> str:
    """What a node is called in findings."""
    name = type(node).__name__
    return _WRITTEN.get(name, f"`{name}`")


def statements(body: ast.FunctionDef) -> list[ast.stmt]:
    """A body without its docstring."""
    return body.body[1:] if ast.get_docstring(body) is not None else body.body


def nodes(tree: ast.AST) -> list[ast.AST]:
    """A node and all that are in it but operators, those nearer to it first."""
    found = [tree]
    for node in found:  # grows meanwhile
        for value in vars(node).values():
            if type(value) in _LEAVES:
                continue
            if isinstance(value, list):
                found += [each for each in cast("list[Any]", value) if isinstance(each, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found
