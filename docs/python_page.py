"""Makes the pages of the Python that one imports: `hansa.client` and `hansa.testing`, by their sources.

What is on a page is what a package offers in `__all__`, with the signatures and texts that stand in the source; so a
new name is on it when it is offered.
"""

import ast
import importlib
import textwrap
from pathlib import Path
from typing import Final

import msgspec

import hansa

SOURCE: Final = Path(hansa.__file__).parent.parent
_MADE: Final = "This page is made from the code by `make docs`."


class Offered(msgspec.Struct, frozen=True):
    """A name that a package offers, and where in the source it stands under which name."""

    name: str
    module: str
    original: str


def client_page() -> str:
    """The page of `hansa.client`."""
    lines = [
        "# Python: `hansa.client`",
        "",
        "What a program uses that calls contracts, reads records, follows events and checks receipts. How to begin is",
        "told in [use a ledger from Python](../how-to/use-from-python.md). All of it is imported from `hansa.client`.",
        "",
        _MADE,
    ]
    found = offered("hansa.client")
    first = ("Client", "AsyncClient")  # the rest is what they give and raise
    for one in sorted(found, key=lambda one: (one.name not in first, one.name not in first[:1], one.name)):
        lines += _shown(one, brief=one.name == "AsyncClient")
    return "\n".join(lines) + "\n"


def testing_page() -> str:
    """The page of `hansa.testing`, its fixtures and its strategies."""
    lines = [
        "# Python: `hansa.testing`",
        "",
        "What the author of a contract tests it with. How to begin is told in [test a",
        "contract](../how-to/test-a-contract.md). It needs `pip install 'hansa[testing]'`.",
        "",
        _MADE,
        "",
        "## Fixtures",
        "",
        "pytest finds them by itself where Hansa is installed.",
    ]
    for node in _module("hansa.testing.plugin").body:
        if isinstance(node, ast.FunctionDef) and any("pytest.fixture" in ast.unparse(d) for d in node.decorator_list):
            lines += [
                "",
                f"### `{node.name}`",
                "",
                f"`{_type(node.returns)}`: {_doc(node)}",
            ]
    lines += ["", "## `hansa.testing`"]
    for one in sorted(offered("hansa.testing"), key=lambda one: (one.name != "Ledger", one.name.lower())):
        lines += _shown(one, level="###")
    lines += ["", "## `hansa.testing.strategies`"]
    for name in strategies():
        lines += _shown(Offered(name, "hansa.testing.strategies", name), level="###")
    return "\n".join(lines) + "\n"


def offered(package: str) -> list[Offered]:
    """What a package offers, found by its own imports."""
    tree = _module(package)
    found: dict[str, Offered] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for each in node.names:
                found[each.asname or each.name] = Offered(each.asname or each.name, node.module, each.name)
    names = next(node.value for node in tree.body if isinstance(node, ast.Assign) and _target(node) == "__all__")
    return [found[name] for name in ast.literal_eval(names)]


def strategies() -> list[str]:
    """The public names of `hansa.testing.strategies`, in its order."""
    nodes = _module("hansa.testing.strategies").body
    names = [node.name if isinstance(node, ast.ClassDef | ast.FunctionDef) else _target(node) for node in nodes]
    return [name for name in names if name and not name.startswith("_")]


def _shown(one: Offered, *, level: str = "##", brief: bool = False) -> list[str]:
    """A name with its signature and text; of a class also what it has. `brief`: without the texts of its methods."""
    body = _module(one.module).body
    for at, node in enumerate(body):
        if isinstance(node, ast.FunctionDef) and node.name == one.original:
            return ["", f"{level} `{one.name}`", "", *_signature(node, one.name, one.module), "", _doc(node)]
        if isinstance(node, ast.ClassDef) and node.name == one.original:
            return _class(one, node, level, brief=brief)
        if isinstance(node, ast.Assign | ast.AnnAssign) and _target(node) == one.original and node.value is not None:
            value = textwrap.fill(
                f"{one.name} = {ast.unparse(node.value)}", 100, subsequent_indent="    ", break_on_hyphens=False
            )
            return ["", f"{level} `{one.name}`", "", *_block([value]), "", _under(body, at)]
    raise LookupError(one)


def _class(one: Offered, node: ast.ClassDef, level: str, *, brief: bool) -> list[str]:
    name, module = one.name, one.module
    methods = [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    made = next((each for each in methods if each.name == "__init__"), None)
    fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and not _target(each).startswith("_")]
    lines = ["", f"{level} `{name}`", ""]
    is_raised = any(ast.unparse(base).endswith(("Error", "Exception")) for base in node.bases)
    if made is not None and not is_raised:
        lines += [*_signature(made, name, module), ""]
    elif fields:
        lines += [*_block([ast.unparse(field) for field in fields]), ""]
    lines.append(_doc(node))
    for told in (_told(node.body), _told(made.body if made else [])):
        lines += [f"\n`{attribute}`: {text}" for attribute, text in told.items()]
    public = [each for each in methods if not each.name.startswith("_")]
    if brief:
        return [*lines, "", *_block([line for each in public for line in _brief(each, module)])]
    for each in public:
        lines += ["", f"{level}# `{name}.{each.name}`", ""]
        if _is_property(each):
            lines += [f"A property: `{_type(each.returns)}`.", "", _doc(each)]
        else:
            lines += [*_signature(each, each.name, module), "", _doc(each)]
    return lines


def _brief(node: ast.FunctionDef | ast.AsyncFunctionDef, module: str) -> list[str]:
    return [f"{node.name}: {_type(node.returns)}"] if _is_property(node) else _words(node, node.name, module)


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(ast.unparse(mark) == "property" for mark in node.decorator_list)


def _told(body: list[ast.stmt]) -> dict[str, str]:
    """The attributes with a text under them, as `Clock.ms` has."""
    found: dict[str, str] = {}
    for at, node in enumerate(body):
        if isinstance(node, ast.Assign | ast.AnnAssign) and not _target(node).startswith("_"):
            text = _under(body, at)
            if text:
                found[_target(node)] = text
    return found


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, module: str) -> list[str]:
    return _block(_words(node, name, module))


def _words(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, module: str) -> list[str]:
    """How it is called: on one line if it is short, else an argument a line."""
    given = node.args
    positional = [None] * (len(given.args) - len(given.defaults)) + list(given.defaults)
    pairs = [*zip(given.args, positional, strict=True)]
    words = [_argument(*pair, module) for pair in pairs if pair[0].arg not in ("self", "cls")]
    words += [f"*{_argument(given.vararg, None, module)}"] if given.vararg else ["*"] if given.kwonlyargs else []
    words += [_argument(*pair, module) for pair in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    words += [f"**{_argument(given.kwarg, None, module)}"] if given.kwarg else []
    returns = "" if node.name == "__init__" else f" -> {_type(node.returns)}"
    begin = "await " if isinstance(node, ast.AsyncFunctionDef) and "AsyncIterator" not in returns else ""
    whole = f"{begin}{name}({', '.join(words)}){returns}"
    return [whole] if len(whole) <= 100 else [f"{begin}{name}(", *(f"    {word}," for word in words), f"){returns}"]


def _argument(argument: ast.arg, default: ast.expr | None, module: str) -> str:
    """An argument; where its default is a constant of the module, with the number or text that this is."""
    text = argument.arg if argument.annotation is None else f"{argument.arg}: {_type(argument.annotation)}"
    if isinstance(default, ast.Name):
        value = getattr(importlib.import_module(module), default.id)
        return f"{text} = {value!r}" if isinstance(value, int | float | str) else f"{text} = {default.id}"
    return text if default is None else f"{text} = {ast.unparse(default)}"


def _type(annotation: ast.expr | None) -> str:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value
    return ast.unparse(annotation or ast.Constant(None)).replace("'", "")


def _block(lines: list[str]) -> list[str]:
    return ["```text", *lines, "```"]


def _doc(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return ast.get_docstring(node) or ""


def _under(body: list[ast.stmt], at: int) -> str:
    """The text that stands under a statement."""
    below = body[at + 1] if at + 1 < len(body) else None
    if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
        return " ".join(below.value.value.split())
    return ""


def _target(node: ast.stmt) -> str:
    """The name that an assignment gives, of an object's own the part behind `self`; empty if it gives none."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    match targets:
        case [ast.Name(id=name)]:
            return name
        case [ast.Attribute(value=ast.Name(id="self"), attr=name)]:
            return name
        case _:
            return ""


def _module(name: str) -> ast.Module:
    place = SOURCE.joinpath(*name.split("."))
    return ast.parse((place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).read_text("utf-8"))
