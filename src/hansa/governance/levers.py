"""What a constitution goes by: weights, and the attributes, names and actions that its text has, for a search to try.

Read from the syntax trees of all that its views can call, libraries included. What a text does not name it cannot tell
apart, unless it makes the name of parts, or goes by anything besides what it is given; then that is said.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from typing import Final

from hansa.contracts.checked import Checked
from hansa.contracts.manifest import TextType
from hansa.contracts.names import CONTEXT
from hansa.governance.motions import ORDINARY, POWER, Vocabulary
from hansa.wire import names

VIEWS: Final = ("validate", "resolve", "apply")
WEIGHTS: Final = (0, 1, 10)
"""None, as all, and more than all others together, for up to ten members; tried where weights are read."""
TEXTS_MOST: Final = 3
"""So many attributes are tried, and so many names: each multiplies the states."""
_SAID: Final = frozenset({"Open", "Accepted", "Rejected", *POWER, *ORDINARY})
_ATTRIBUTE: Final = re.compile(r"[a-z0-9][a-z0-9:._-]{0,63}\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_MADE: Final = "it makes texts of others: names and attributes among them are not tried"


def vocabulary(constitutions: Mapping[str, Checked]) -> Vocabulary:
    """What proposals under these constitutions, by name, are made of."""
    found = [pair for checked in constitutions.values() for pair in _nodes(checked, VIEWS, set())]
    all_texts = {node.value for _, node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    texts = all_texts - _SAID
    unseen = {why for file, node in found if (why := _unseen(file, node))}
    digests = {text for text in texts if _DIGEST.match(text)}
    attributes = sorted(text for text in texts - digests if _ATTRIBUTE.match(text))
    known = sorted(text for text in texts - digests if names.is_member(text))
    if max(len(attributes), len(known), len(digests)) > TEXTS_MOST:
        unseen.add(f"of attributes, names and digests only {TEXTS_MOST} each are tried")
    named = [name for name in ORDINARY if name in all_texts]
    others = [name for name in ORDINARY if name not in all_texts][:1]  # the rest it cannot tell from this one
    return Vocabulary(
        WEIGHTS if any(isinstance(node, ast.Attribute) and node.attr == "weight" for _, node in found) else (1,),
        tuple(attributes[:TEXTS_MOST]),
        tuple(known[:TEXTS_MOST]),
        {name: checked.digest for name, checked in constitutions.items()},
        tuple(bytes.fromhex(text) for text in sorted(digests)[:TEXTS_MOST]),
        (*named, *others),
        tuple(sorted(unseen)),
    )


def _unseen(file: Checked, node: ast.AST) -> str:
    """What a node goes by that no search tries; empty if nothing."""
    match node:
        case ast.Attribute(value=ast.Name(id=name), attr=attr) if name == CONTEXT:
            return f"it reads tx.{attr}: it is asked at one instant, by nobody"
        case (
            ast.Call(func=ast.Name(id="str")) | ast.Call(func=ast.Attribute(attr="join" | "lower" | "upper" | "split"))
        ):
            return _MADE
        case ast.BinOp() | ast.Subscript() if isinstance(file.types.get(node), TextType):
            return _MADE
        case _:
            return ""


def _nodes(checked: Checked, called: Iterable[str], seen: set[str]) -> Iterable[tuple[Checked, ast.AST]]:
    """Every node of these functions and of all that they can call, and the constants they name, with their files."""
    for name in called:
        if name in seen:
            continue
        seen.add(name)
        if name in checked.manifest.constants:
            yield checked, ast.Constant(checked.manifest.constants[name])
        if name not in checked.bodies:
            continue
        for statement in checked.bodies[name].body[_documented(checked.bodies[name]) :]:
            for node in ast.walk(statement):
                yield checked, node
                match node:
                    case ast.Name(id=other):
                        yield from _nodes(checked, [other], seen)
                    case ast.Attribute(value=ast.Name(id=alias), attr=other) if alias in checked.libraries:
                        yield from _nodes(checked.libraries[alias], [other], set())
                    case _:
                        pass


def _documented(function: ast.FunctionDef) -> int:
    """How many statements a docstring takes at its beginning."""
    return int(ast.get_docstring(function, clean=False) is not None)
