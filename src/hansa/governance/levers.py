"""What a constitution goes by: the attributes, weights and actions that its text names, so that a search tries these.

Read from the syntax trees of what its views can call, libraries included. No constitution can make a text of a name or
an attribute of something it was not given, so what its text does not name it cannot tell apart.
"""

import ast
from collections.abc import Iterable, Mapping
from typing import Final

from hansa.contracts.checked import Checked
from hansa.governance.motions import ORDINARY, POWER, Vocabulary

VIEWS: Final = ("validate", "resolve", "apply")
WEIGHTS: Final = (0, 1, 10)
"""None, as all, and more than all others together, for up to ten members; tried where weights are read."""
ATTRIBUTES_MOST: Final = 3
"""So many attributes are tried; each doubles the states of a member."""
_ATTRIBUTE_CHARS_MOST: Final = 64
_SAID: Final = frozenset({"Open", "Accepted", "Rejected", *POWER, *ORDINARY})


def vocabulary(constitutions: Mapping[str, Checked]) -> Vocabulary:
    """What proposals under these constitutions, by name, are made of."""
    texts: set[str] = set()
    reads_weights = False
    for checked in constitutions.values():
        for node in _nodes(checked, VIEWS, set()):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.add(node.value)
            reads_weights = reads_weights or (isinstance(node, ast.Attribute) and node.attr == "weight")
    attributes = sorted(text for text in texts - _SAID if _is_attribute(text))[:ATTRIBUTES_MOST]
    named = [name for name in ORDINARY if name in texts]
    unnamed = [name for name in ORDINARY if name not in texts][:1]  # the rest it cannot tell from this one
    return Vocabulary(WEIGHTS if reads_weights else (1,), tuple(attributes), tuple(constitutions), (*named, *unnamed))


def _is_attribute(text: str) -> bool:
    """Whether a text could be one: what is said to people has spaces or ends with a stop."""
    return 0 < len(text) <= _ATTRIBUTE_CHARS_MOST and ":" in text and " " not in text


def _nodes(checked: Checked, names: Iterable[str], seen: set[str]) -> Iterable[ast.AST]:
    """Every node of these functions and of all that they can call, and the constants they name, as nodes."""
    for name in names:
        if name in seen:
            continue
        seen.add(name)
        if name in checked.manifest.constants:
            yield ast.Constant(checked.manifest.constants[name])
        if name not in checked.bodies:
            continue
        for node in ast.walk(checked.bodies[name]):
            yield node
            match node:
                case ast.Name(id=called):
                    yield from _nodes(checked, [called], seen)
                case ast.Attribute(value=ast.Name(id=alias), attr=called) if alias in checked.libraries:
                    yield from _nodes(checked.libraries[alias], [called], set())
                case _:
                    pass
