"""The example applications that come with Hansa: in the wheel inside the package, in a checkout beside it.

An application is a folder with a contract.py, and is called by the folder's name; the cookbook's patterns lie a folder
deeper, and are called without it.
"""

import ast
from pathlib import Path

from hansa.client.words import hint
from hansa.node.shipped import folders
from hansa.wire.problems import HansaError


def app_file(app: str, name: str) -> Path:
    """A file of an application. Raises `HansaError` `argument.file`."""
    for base in folders():
        path = base / app / name
        if path.is_file():
            return path
    raise HansaError("argument.file", f"the application {app} has no {name}")


def contracts() -> dict[str, Path]:
    """The contract file of each application, by the application's name."""
    for base in folders():
        found = sorted([*base.glob("*/contract.py"), *base.glob("cookbook/*/contract.py")])
        if found:
            return {path.parent.name: path for path in found}
    return {}


def contract_of(app: str) -> Path:
    """The contract file of an application; hyphens count as underscores. Raises `HansaError` `argument.value`."""
    known = contracts()
    name = app.removeprefix("cookbook/").replace("-", "_")
    if name in known:
        return known[name]
    told = f"there is no application {app[:60]!a}; {hint(name, list(known))}"
    raise HansaError("argument.value", told, remedy="See `hansa app list`.")


def about(contract: Path) -> str:
    """What an application is, in the first line of its contract."""
    return (ast.get_docstring(ast.parse(contract.read_text("utf-8"))) or "").partition("\n")[0]
