"""What comes with Hansa beside its own code: in the wheel inside the package, in a checkout beside it.

Applications are the business of `stories`. The constitutions are here because a new ledger begins with one: `create`
puts its text into genesis, with the library that all of them count votes by.
"""

from importlib import resources
from pathlib import Path
from typing import Final

from hansa.wire.problems import HansaError

LIBRARY: Final = "governance"
"""The name of the library that constitutions use."""


def folders() -> list[Path]:
    """Where applications and constitutions may lie, the first that has them counts."""
    package = Path(str(resources.files("hansa")))
    return [package / "apps", package.parent.parent / "apps"]


def constitutions() -> dict[str, Path]:
    """The file of each constitution, by its name."""
    for folder in folders():
        found = sorted((folder / "constitutions").glob("*.py"))
        if found:
            return {path.stem: path for path in found if path.stem != LIBRARY}
    return {}


def constitution(name: str) -> str:
    """The text of a constitution; hyphens count as underscores. Raises `HansaError` `argument.value`."""
    known = constitutions()
    path = known.get(name.replace("-", "_"))
    if path is None:
        told = f"there is no constitution {name[:60]!a} here"
        raise HansaError("argument.value", told, remedy=f"They are {', '.join(known)}.")
    return path.read_text("utf-8")


def library() -> str:
    """The text of the library `governance`."""
    return next(iter(constitutions().values())).with_name(f"{LIBRARY}.py").read_text("utf-8")
