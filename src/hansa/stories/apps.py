"""The example applications that come with Hansa: in the wheel inside the package, in a checkout beside it."""

from importlib import resources
from pathlib import Path

from hansa.wire.problems import HansaError


def app_file(app: str, name: str) -> Path:
    """A file of an application. Raises `HansaError` `argument.file`."""
    package = Path(str(resources.files("hansa")))
    for base in (package / "apps", package.parent.parent / "apps"):
        path = base / app / name
        if path.is_file():
            return path
    raise HansaError("argument.file", f"the application {app} has no {name}")
