"""Plays a generated ledger on both implementations, and makes one on which they differ small."""

import ast
import hashlib
from collections import Counter
from collections.abc import Callable
from functools import partial

from tests.contracts.grammar import ATTRIBUTES, Deploy, Invoke, Library, Step, wrapped
from tests.contracts.world import World

from hansa.contracts.diagnostics import ContractInvalid

_TELLING_CHARS = 24
"""So many characters of an error say whether it is another one."""


def play(steps: list[Step]) -> Counter[str]:
    """The outcome codes of all calls. AssertionError if the implementations differ; ContractInvalid for a finding."""
    world = World()
    world.attributes |= ATTRIBUTES
    codes: Counter[str] = Counter()
    for step in steps:
        match step:
            case Library():
                world.add_library(step.name, step.source)
            case Deploy():
                world.deploy(step.name, step.source)
            case Invoke():
                world.time += step.after
                world.paused = set(step.paused)
                call = world.call(step.contract, step.action, step.arguments, by=step.by, user=step.user)
                ran = world.agree(call, steps=step.steps)
                codes[ran.code] += 1
                world.apply(ran)
    return codes


def failure(steps: list[Step]) -> str:
    """What is wrong with these steps, in a word or two; empty if the implementations agree on them."""
    try:
        play(steps)
    except ContractInvalid:
        return ""
    except Exception as error:  # a crash is what is looked for, too
        return f"{type(error).__name__} {str(error)[:_TELLING_CHARS]}"
    return ""


def shrunk(steps: list[Step], fails: Callable[[list[Step]], bool] | None = None) -> list[Step]:
    """Fewer and smaller steps that still fail, in the same way: what can be left out is left out, until nothing can."""
    if fails is None:
        first = failure(steps)
        fails = lambda candidate: failure(candidate) == first  # noqa: E731
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for at in reversed(range(len(steps))):
            fewer = steps[:at] + steps[at + 1 :]
            if fails(fewer):
                steps, is_smaller = fewer, True
        for at in range(len(steps)):
            number = 0
            while (simpler := _simpler(steps, at, number)) is not None:
                if fails(simpler):
                    steps, is_smaller = simpler, True
                else:
                    number += 1
    return steps


def _simpler(steps: list[Step], at: int, number: int) -> list[Step] | None:
    """The steps with the `number`th edit of the file at `at`, if it is a file and has so many."""
    step = steps[at]
    if isinstance(step, Invoke):
        return None
    tree = ast.parse(step.source)
    edits = _edits(tree)
    if number >= len(edits):
        return None
    edits[number]()
    source = wrapped(_unparsed(tree))
    changed = list(steps)
    changed[at] = step._replace(source=source)
    if isinstance(step, Library):  # who uses it pins the new digest
        before, after = (hashlib.sha256(text.encode()).hexdigest() for text in (step.source, source))
        for other, user in enumerate(changed):
            if isinstance(user, Deploy):
                changed[other] = user._replace(source=user.source.replace(before, after))
    return changed


def _unparsed(tree: ast.Module) -> str:
    """The file of a tree. Imports stand in parentheses, so that a long one can be broken, and name what is used."""
    words = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    lines: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            lines.append(f"from {node.module} import ({', '.join(a.name for a in node.names if a.name in words)})")
        else:
            lines.append(ast.unparse(ast.fix_missing_locations(node)))
    return "\n".join(lines) + "\n"


def _edits(tree: ast.Module) -> list[Callable[[], None]]:
    """Every way to leave one thing out: statements from the outside in, then operands in place of operations."""
    statements: list[Callable[[], None]] = []
    expressions: list[Callable[[], None]] = []
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                for at, item in enumerate(value):
                    if isinstance(item, ast.stmt):
                        statements += [partial(_replace, value, at, block) for block in _blocks(item)]
                    elif isinstance(item, ast.keyword | ast.expr):
                        expressions.append(partial(_replace, value, at, []))
                    if isinstance(item, ast.expr):
                        expressions += [partial(_replace, value, at, [part]) for part in _operands(item)]
            elif isinstance(value, ast.expr):
                expressions += [partial(setattr, node, name, part) for part in _operands(value)]
    return statements + expressions


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """What can stand for a statement: nothing, or a block in it."""
    if isinstance(statement, ast.Pass):
        return [[]]
    inner = [block for name in ("body", "orelse") if (block := getattr(statement, name, None))]
    return [[], *inner] if isinstance(statement, ast.If | ast.For) else [[], [ast.Pass()]]


def _operands(value: ast.expr) -> list[ast.expr]:
    return [part for part in ast.iter_child_nodes(value) if isinstance(part, ast.expr)]


def _replace(items: list[ast.AST], at: int, by: list[ast.AST]) -> None:
    items[at : at + 1] = by
